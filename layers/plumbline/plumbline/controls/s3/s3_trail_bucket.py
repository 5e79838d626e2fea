"""What a trail has recorded is private, and nobody can change or delete it.

Holds: of each bucket of this account that a trail delivers to, public access is blocked, versioning is on, the policy
denies everybody but AWS's own services to write below the trail's path, and everybody to delete there, and no lifecycle
rule expires records before `retention_days`. The policy that the stack gives its own trail's bucket says so.
Why: who has broken in deletes what shows it, and the records are worth nothing as proof where anybody could have
written them. A lifecycle rule deletes in spite of every denial, so a short one is the quiet way.
Repair: switches on what is off, appends the denials (`OnlyTrailsWriteByPlumbline`, `NobodyDeletesByPlumbline`), keeps
every other statement letter for letter, and gives rules that expire too early the days of `retention_days`. At once
where an event announced it; what was so before, and denials in a bucket that another trail than the stack's delivers
to, a week later, for something may prune it. Whoever may write the policy can take the denials out: that is heard, and
nobody is kept from it, for else nobody could ever mend a policy. Object Lock is left to you: it has no undo.
Undo: puts back each setting, the earlier policy letter for letter, and the earlier lifecycle rules.
Source: AWS CloudTrail user guide, Security best practices, "Implement least privilege access to Amazon S3 buckets where
you store log files"; IAM user guide, AWS global condition context keys, aws:PrincipalIsAWSService; Amazon S3 user
guide, Managing the lifecycle of objects.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from plumbline.controls.detection._trails import buckets_of_trails, delivering_to
from plumbline.controls.s3 import _access_block as block
from plumbline.controls.s3 import _lifecycle as lifecycle
from plumbline.controls.s3 import _policies as policies
from plumbline.controls.s3 import _versions as versioning
from plumbline.controls.s3._buckets import KIND, arns, buckets, every_bucket, located
from plumbline.core.calls import Ask, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, Response
from plumbline.core.control import EVERY, Control, Detect, Deviation, MakePlan, On, Scope, Settings, Severity
from plumbline.core.targets import State, Target
from plumbline.rights.documents import Statement

#: The clock of denials in a bucket that is not for the stack's trail alone.
SHARED = "shared"
_MAY_WRITE, _MAY_DELETE = "others may write to it", "its records may be deleted"
_DELETES = ("s3:DeleteObject", "s3:DeleteObjectVersion")
_NOBODY_ELSE = ("bool", "boolifexists")
#: The settings of the two switches for a bucket that both are about.
_HELD: Settings = {"allowed_buckets": [], "buckets": ["*"]}


def find(ask: Ask) -> Iterable[Target]:
    """The buckets of this account that trails deliver to."""
    named = buckets_of_trails(ask)
    return [one for one in buckets(ask) if one.id in named]


def observe(ask: Ask, target: Target) -> State:
    """All that keeps a trail's records; None where no trail delivers to the bucket, or it is gone or another's."""
    trails = delivering_to(ask, target.id)
    private = block.observe(ask, target) if trails else None
    versions = versioning.SWITCH.observe(ask, target) if private else None
    expires = lifecycle.read(ask, target) if versions else None
    if private is None or versions is None or expires is None:
        return None
    return {
        "bucket": target.id,
        "arn": policies.arns_in(target)[0],
        "own": not ask.trail and any(_is_the_stacks(one, ask) for one in trails),
        "paths": sorted({_path(one) for one in trails}),
        "private": private,
        "versions": versions,
        "lifecycle": expires,
        **(policies.read(ask, target) or {"policy": None, "text": ""}),
    }


def detect(state: State, settings: Settings) -> Deviation | None:
    """Everything that would let records be seen, changed or lost."""
    if state is None:
        return None
    switched, denials = _of_switches(state), _missing(state)
    items = (*switched, *denials, *_early(state, settings))
    if not items:
        return None
    clock = "default" if state["own"] or not denials else SHARED
    return Deviation(f"does not keep a trail's records safe: {items[0]}", items, clock)


def describe(state: State) -> str:
    """What is wrong of the five, and the days that lifecycle rules leave."""
    if state is None:
        return "no trail delivers to the bucket, or it does not exist"
    facts = (*_of_switches(state), *_missing(state))
    days = lifecycle.expiring(state["lifecycle"], [path.partition("*")[0] for path in state["paths"]])
    return "; ".join((*(facts or ("private, versioned, written by trails alone, deleted by nobody",)), *days))


def plan(target: Target, state: State, settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """Each setting in a write of its own: the switches first, then the policy, then the lifecycle."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    steps: list[Step] = []
    left: dict[str, str] = {}
    irreversible = ""
    for seen, repaired, held in _switches(state):
        found = seen(held, _HELD)
        if wrong := [one for one in (found.items if found else ()) if one in facts]:
            repair = repaired(target, held, _HELD, facts)
            steps += repair.steps
            left |= dict.fromkeys(wrong, repair.refusal) if repair.refusal else {}
            irreversible = repair.irreversible
    denials = [one for one in _missing(state) if one in facts]
    after = state["policy"]
    for one in denials:
        after = policies.with_statement(after, _denial(state, one))
    if denials and (refusal := policies.too_long(after)):
        left |= dict.fromkeys(denials, refusal)
    elif denials:
        steps.append(policies.step(target, state["policy"], state["text"], after))
    if early := [rule for one, rule in _early(state, settings).items() if one in facts]:
        steps.append(lifecycle.later(target, state["lifecycle"], early, settings["retention_days"]))
    return Plan.partly(
        steps,
        left,
        resources=arns(target),
        summary="; ".join((f"protects what is in the trail's bucket {target.id}", *_dead_words(state, denials))),
        irreversible=irreversible,
    )


def part(state: State, _plan: Plan) -> State:
    """The settings, and the policy as AWS takes it."""
    kept = {name: one for name, one in (state or {}).items() if name not in ("policy", "text")}
    return {**kept, **(policies.part(state, Plan()) or {})}


def announced(ask: Ask, detail: Event, state: State, settings: Settings) -> str:
    """That an event took away for a while what keeps the records of a bucket that a trail delivers to."""
    if state is None:
        return ""
    if detail.get("eventName") == "DeleteBucketPolicy":
        return "had no policy for a while, so that records might be written and deleted"
    return block.announced(ask, detail, state, settings) or versioning.announced(ask, detail, state, settings)


def _switches(state: Mapping[str, Any]) -> tuple[tuple[Detect, MakePlan, Mapping[str, Any]], ...]:
    """Public access and versions: how each is judged and repaired, and how it is."""
    return (
        (block.SWITCH.detect, block.SWITCH.plan, state["private"]),
        (versioning.SWITCH.detect, versioning.plan, state["versions"]),
    )


def _of_switches(state: Mapping[str, Any]) -> tuple[str, ...]:
    """The facts of both."""
    seen = (judge(held, _HELD) for judge, _, held in _switches(state))
    return tuple(one for deviation in seen if deviation for one in deviation.items)


def _missing(state: Mapping[str, Any]) -> tuple[str, ...]:
    """Which of the two denials are not there."""
    policy = state["policy"] or {}
    below = [f"{state['arn']}/{path}" for path in state["paths"]]

    def spares_services(conditions: Mapping[str, Any]) -> bool:
        return policies.is_test_of(conditions, _NOBODY_ELSE, "aws:principalisawsservice", "false")

    written = policies.denies_everybody(policy, "s3:PutObject", below, spares_services)
    kept = all(policies.denies_everybody(policy, one, below, lambda conditions: not conditions) for one in _DELETES)
    return (*(() if written else (_MAY_WRITE,)), *(() if kept else (_MAY_DELETE,)))


def _denial(state: Mapping[str, Any], fact: str) -> Statement:
    """The statement that puts a fact right."""
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Resource": [f"{state['arn']}/{path}" for path in state["paths"]],
    }
    if fact == _MAY_DELETE:
        return {"Sid": "NobodyDeletesByPlumbline", **statement, "Action": list(_DELETES)}
    condition = {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}
    return {"Sid": "OnlyTrailsWriteByPlumbline", **statement, "Action": "s3:PutObject", "Condition": condition}


def _early(state: Mapping[str, Any], settings: Settings) -> Mapping[str, lifecycle.Rule]:
    """The rules that expire records too early, each by the fact that it is."""
    every = lifecycle.expiring(state["lifecycle"], [path.partition("*")[0] for path in state["paths"]])
    return {fact: rule for fact, rule in every.items() if lifecycle.days(rule) < settings["retention_days"]}


def _dead_words(state: Mapping[str, Any], denials: Sequence[str]) -> Iterable[str]:
    return policies.dead_words(state["policy"]) if denials else ()


def _path(trail: Mapping[str, Any]) -> str:
    """Below which path a trail writes: records, digests and insights, an organisation's of every account."""
    prefix = trail.get("S3KeyPrefix") or ""
    return f"{f'{prefix}/' if prefix else ''}AWSLogs/*/CloudTrail*"


def _is_the_stacks(trail: Mapping[str, Any], ask: Ask) -> bool:
    return bool(trail["Name"] == ask.stack and trail["HomeRegion"] == ask.home)


CONTROL = Control(
    id="s3-trail-bucket",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.HIGH,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND, SHARED: FOUND},
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(
        On(
            "s3.amazonaws.com",
            (
                "DeleteBucketPolicy",
                "DeleteBucketPublicAccessBlock",
                "PutBucketLifecycle",
                "PutBucketPolicy",
                "PutBucketPublicAccessBlock",
                "PutBucketVersioning",
            ),
            located,
        ),
        On("s3.amazonaws.com", ("DeleteAccountPublicAccessBlock", "PutAccountPublicAccessBlock"), every_bucket),
        On("cloudtrail.amazonaws.com", ("CreateTrail", "DeleteTrail", "UpdateTrail"), every_bucket),
    ),
    reads=frozenset(
        {
            "cloudtrail:DescribeTrails",
            "s3:GetAccountPublicAccessBlock",
            "s3:GetBucketLocation",
            "s3:GetBucketPolicy",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketVersioning",
            "s3:GetLifecycleConfiguration",
            "s3:ListAllMyBuckets",
        }
    ),
    writes=frozenset(
        {
            "s3:DeleteBucketPolicy",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketVersioning",
            "s3:PutLifecycleConfiguration",
        }
    ),
    noun="bucket {id}",
    find=find,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    part=part,
    mend=policies.mend,
    announces=announced,
    settings={
        "retention_days": {
            "type": "integer",
            "minimum": 1,
            "maximum": 36500,
            "default": 90,
            "description": "For how many days no lifecycle rule may expire a trail's records.",
        }
    },
    answers={"ssb": ("ACCT.07",)},
)
