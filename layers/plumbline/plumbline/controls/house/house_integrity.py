"""Plumbline itself is as it was deployed.

Holds: its rules with their targets, schedules, the bus that other regions tell on, the default bus's key, functions
with code, layers, environment, role, concurrency and callers, triggers, queues, topics with their policies and the
filters of their subscribers, alarms with their actions, roles with trust, boundary and policies, the ledger's policy
and protection, and its trail are as they were when its stack was last deployed; and somebody hears. Looked at every ten
minutes, and first in every sweep; alarms in every sweep alone, for a tripwire tells at once that somebody changed one.
So are the rules and the queue of each forwarder in another region: looked at as soon as AWS tells that somebody changed
one, and in every sweep.
Why: whoever may change Plumbline need not hide from it: a rule that is off, a filter on the e-mail, other code in its
function, and whatever comes next is neither put back nor told.
Repair: rules, targets, triggers, concurrency and alarms are put back at once; a trigger that nobody deployed is
switched off. What is in IAM, code and settings of functions, bus, queues, topics, table and trail are told, and put
back by a change set that reverts drift (docs/operating.md).
Undo: none. Deploy the stack to change Plumbline: what a deployment has changed is e-mailed, and holds from then on.
Source: AWS CloudFormation user guide, resources that support drift detection; Amazon DynamoDB developer guide,
resource-based policy considerations: what is changed outside of CloudFormation is neither noticed nor put back by it;
IAM user guide, Grant a user permissions to pass a role to an AWS service: whoever gives a rule the role it tells with.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from datetime import timedelta

from plumbline.controls.house._parts import (
    ALARM,
    BUS,
    FUNCTION,
    HEARS,
    KINDS,
    QUEUE,
    ROLE,
    RULE,
    TABLE,
    TOPIC,
    TRAIL,
    TRIGGER,
    function_of,
    mappings,
    read,
    trigger_name,
)
from plumbline.controls.house._repairs import GONE, REPAIRED, STRANGER, arns, steps
from plumbline.core.calls import Ask, Plan
from plumbline.core.clock import Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, Scope, Settings, Severity
from plumbline.core.recorded import Part, is_compared
from plumbline.core.targets import State, Target

#: What house hands put back needs no second look; what they may not stays open until the stack is deployed again.
_TOLD_AGAIN = Clock(remind=(timedelta(hours=6), timedelta(days=1)), escalate=timedelta(hours=1), act=timedelta(0))
_NOT_OURS = (
    "house hands change neither IAM nor code, queues, topics or data; a change set of the stack that reverts drift "
    "puts it back, see docs/operating.md"
)
#: What an e-mail says of a fact, by kind and fact, or by fact alone.
_SAYS: Mapping[tuple[str, str] | str, str] = {
    GONE: "is gone",
    STRANGER: "was never deployed",
    (RULE, "definition"): "has another pattern, schedule or role",
    (RULE, "state"): "is switched off",
    (RULE, "targets"): "has other targets",
    (BUS, "policy"): "has another policy",
    (BUS, "settings"): "has another key or another queue for dead events",
    (TRIGGER, "state"): "is switched off",
    (TRIGGER, "settings"): "has other settings",
    (FUNCTION, "code"): "has other code",
    (FUNCTION, "role"): "runs with another role",
    (FUNCTION, "environment"): "has another environment",
    (FUNCTION, "layers"): "has other layers",
    (FUNCTION, "settings"): "has other settings",
    (FUNCTION, "concurrency"): "has a limit of concurrency",
    (FUNCTION, "callers"): "may be called by others",
    (QUEUE, "policy"): "has another policy",
    (QUEUE, "settings"): "has other settings",
    (TOPIC, "policy"): "has another policy",
    (TOPIC, "settings"): "has other settings",
    (TOPIC, HEARS): "has no subscriber any more",
    (ALARM, "actions"): "tells nobody any more",
    (ALARM, "definition"): "watches something else, or tells somebody else",
    (ROLE, "trust"): "trusts others",
    (ROLE, "boundary"): "has another boundary",
    (ROLE, "policies"): "has other policies",
    (ROLE, "inline policies"): "has other inline policies",
    (TABLE, "policy"): "has another policy",
    (TABLE, "protection"): "may be deleted",
    (TABLE, "recovery"): "cannot be restored to an earlier time any more",
    (TABLE, "stream"): "has no stream any more",
    (TABLE, "lifetime"): "forgets by another attribute",
    (TRAIL, "logging"): "does not log",
    (TRAIL, "settings"): "records or delivers something else",
    "version": "says something else",
    "identity": "was deleted and made again",
}


def _find(ask: Ask) -> Iterator[Target]:
    """Every part that was recorded, and what starts a function without having been deployed."""
    if ask.region != ask.home:
        for kind, named in ask.recorded.forwarder(ask.region).items():
            for name in named:
                yield Target(ask.account, ask.region, kind, name)
        return
    for kind in KINDS:
        for name in ask.recorded.parts.get(kind, {}):
            yield Target(ask.account, ask.region, kind, name)
    known = {(name.partition("/")[0], one.get("_source")) for name, one in ask.recorded.parts.get(TRIGGER, {}).items()}
    for mapping in mappings(ask) if ask.recorded.parts else ():
        of = function_of(mapping)
        if of in ask.recorded.parts.get(FUNCTION, {}) and (of, mapping["EventSourceArn"]) not in known:
            yield Target(ask.account, ask.region, TRIGGER, f"{trigger_name(mapping)}/{mapping['UUID']}")


def _observe(ask: Ask, target: Target) -> State:
    elsewhere = target.region != ask.home
    parts = ask.recorded.forwarder(target.region) if elsewhere else ask.recorded.parts
    recorded = parts.get(target.kind, {}).get(target.id)
    if recorded is not None:
        state = {"kind": target.kind, "recorded": dict(recorded), "now": read(ask, target.kind, target.id, recorded)}
        return state | ({"region": target.region} if elsewhere else {})
    name, _, uuid = target.id.rpartition("/")
    strange = next((one for one in mappings(ask) if one["UUID"] == uuid), None) if target.kind == TRIGGER else None
    if strange is None:
        return None
    return {"kind": TRIGGER, "recorded": None, "now": read(ask, TRIGGER, name, {"_source": strange["EventSourceArn"]})}


def changed(recorded: Part | None, now: Part | None) -> tuple[str, ...]:
    """What of a part is not as it was deployed, fact by fact; of what both know: a later version may know more."""
    if now is None:
        return (GONE,) if recorded is not None else ()
    if recorded is None:
        return (STRANGER,) if now["state"] == "Enabled" else ()
    facts = (one for one in recorded if is_compared(one) and one in now and recorded[one] != now[one])
    return tuple(one for one in facts if one != HEARS or recorded[HEARS])


def said(kind: str, fact: str) -> str:
    """A fact in a person's words, as they read after the part's name."""
    return _SAYS.get((kind, fact)) or _SAYS.get(fact) or f"has another {fact}"


def _detect(state: State, _settings: Settings) -> Deviation | None:
    if state is None:
        return None
    facts = changed(state["recorded"], state["now"])
    if not facts:
        return None
    where = f" in {state['region']}" if "region" in state else ""
    return Deviation(", ".join(said(state["kind"], one) for one in facts) + where, facts)


def _describe(state: State) -> str:
    if state is None:
        return "not there"
    facts = changed(state["recorded"], state["now"])
    return "; ".join(said(state["kind"], one) for one in facts) if facts else "as it was deployed"


def _plan(target: Target, state: State, _settings: Settings, facts: Container[str] = EVERY) -> Plan:
    assert state is not None  # noqa: S101 - what is not there does not deviate
    wrong = [one for one in changed(state["recorded"], state["now"]) if one in facts]
    made = steps(target.kind, target.id, state["recorded"], state["now"], frozenset(wrong))
    left = {one: _NOT_OURS for one in wrong if one not in REPAIRED.get(target.kind, ())}
    return Plan.partly(
        made,
        left,
        resources=arns(target.kind, target.id, state["recorded"], target.region, target.account),
        summary="puts it back as it was deployed",
        irreversible="what is changed of Plumbline itself is changed by deploying its stack",
    )


def sound(kind: str, part: Part) -> Part:
    """A part as it must be from now on: what would leave Plumbline deaf or dumb never holds, whoever deployed it."""
    if kind == RULE and part["state"] == "DISABLED":
        return {**part, "state": "ENABLED"}
    return {**part, **_SOUND.get(kind, {})}


_SOUND: Mapping[str, Part] = {
    FUNCTION: {"concurrency": None},
    TRIGGER: {"state": "Enabled"},
    ALARM: {"actions": True},
    TRAIL: {"logging": True},
}

READS = frozenset({
    "cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus",
    "cloudwatch:DescribeAlarms", "dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTable",
    "dynamodb:DescribeTimeToLive", "dynamodb:GetResourcePolicy", "events:DescribeEventBus", "events:ListRules",
    "events:ListTargetsByRule",
    "iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListPolicies", "iam:ListRolePolicies", "lambda:GetFunction",
    "lambda:GetPolicy", "lambda:ListEventSourceMappings", "sns:GetSubscriptionAttributes", "sns:GetTopicAttributes",
    "sns:ListSubscriptionsByTopic", "sqs:GetQueueAttributes",
})  # fmt: skip
WRITES = frozenset({
    "cloudwatch:EnableAlarmActions", "cloudwatch:PutMetricAlarm", "events:PutRule", "events:PutTargets",
    "events:RemoveTargets", "lambda:CreateEventSourceMapping", "lambda:DeleteFunctionConcurrency",
    "lambda:UpdateEventSourceMapping",
})  # fmt: skip

CONTROL = Control(
    id="house-integrity",
    since="0.2",
    doc=__doc__ or "",
    severity=Severity.CRITICAL,
    response=Response.ENFORCE,
    clocks={"default": _TOLD_AGAIN},
    scope=Scope.HOME,
    kinds=KINDS,
    wakes_on=(),
    reads=READS,
    writes=WRITES,
    noun="Plumbline's {kind} {id}",
    house=True,
    find=_find,
    observe=_observe,
    detect=_detect,
    describe=_describe,
    plan=_plan,
)
