"""What the house hands put back: rules, targets, triggers, concurrency, alarms. Nothing in IAM, and no code. Pure.

None of it is taken back by an undo: an undo would let whoever gets hold of operate take Plumbline apart.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

from plumbline.controls.house._parts import ALARM, FUNCTION, RULE, TRIGGER, bus_of
from plumbline.core.calls import Call, Step
from plumbline.core.recorded import Part

#: A fact of a part that is not there any more, and of one that nobody deployed.
GONE, STRANGER = "gone", "stranger"
#: EventBridge answers so where there is nothing to take away.
_NOT_THERE = ("ResourceNotFoundException",)
#: What a trigger may have been given that it never had. What an update leaves out stays; empty, it is gone.
#: Source: AWS Lambda developer guide, filter criteria and maximum concurrency of event source mappings.
_EMPTIED = ("DestinationConfig", "FilterCriteria", "ScalingConfig")
#: What only CreateEventSourceMapping takes.
_WHERE_TO_START = {"StartingPosition": "TRIM_HORIZON"}


def steps(kind: str, name: str, recorded: Part | None, now: Part | None, facts: Container[str]) -> tuple[Step, ...]:
    """The calls that put some facts of a part back; none for what house hands may not.

    Args:
        kind: what the part is.
        name: its name.
        recorded: how it was deployed; None for what nobody deployed.
        now: how it is; None where it is gone.
        facts: what to put back.
    """
    make = _MAKERS.get(kind)
    return tuple(Step(call, fact=fact) for fact, call in make(name, recorded or {}, now, facts)) if make else ()


def _rule(name: str, recorded: Part, now: Part | None, facts: Container[str]) -> Iterator[tuple[str, Call]]:
    bus = bus_of(recorded)
    if now is None or "definition" in facts or "state" in facts:
        fact = GONE if now is None else "definition" if "definition" in facts else "state"
        whole = now is None or ("definition" in facts and "state" in facts)
        kept = now or {}
        definition = recorded["definition"] if whole or "definition" in facts else kept["definition"]
        state = recorded["state"] if whole or "state" in facts else kept["state"]
        if "EventPattern" in definition:
            definition = {**definition, "EventPattern": json.dumps(definition["EventPattern"])}
        yield fact, Call("events", "PutRule", {"Name": name, "State": state, **bus, **definition})
    if now is not None and "targets" not in facts:
        return
    there: Mapping[str, Any] = {} if now is None else now["targets"]
    strange = sorted(set(there) - set(recorded["targets"]))
    put = [one for key, one in sorted(recorded["targets"].items()) if there.get(key) != one]
    fact = GONE if now is None else "targets"
    if put:
        yield fact, Call("events", "PutTargets", {"Rule": name, "Targets": put, **bus})
    if strange:
        yield fact, Call("events", "RemoveTargets", {"Rule": name, "Ids": strange, **bus}, absent=_NOT_THERE)


def _function(name: str, _recorded: Part, now: Part | None, facts: Container[str]) -> Iterator[tuple[str, Call]]:
    if now is not None and "concurrency" in facts:
        yield "concurrency", Call("lambda", "DeleteFunctionConcurrency", {"FunctionName": name})


def _trigger(name: str, recorded: Part, now: Part | None, facts: Container[str]) -> Iterator[tuple[str, Call]]:
    if now is None:
        where = {"FunctionName": name.partition("/")[0], "EventSourceArn": recorded["_source"]}
        start = _WHERE_TO_START if ":dynamodb:" in recorded["_source"] else {}
        made = {**where, **start, "Enabled": True, **recorded["settings"]}
        # that somebody has made it again meanwhile is all that is wanted
        yield GONE, Call("lambda", "CreateEventSourceMapping", made, absent=("ResourceConflictException",))
        return
    which = {"UUID": now["_uuid"], "FunctionName": name.partition("/")[0]}
    if STRANGER in facts:
        yield STRANGER, Call("lambda", "UpdateEventSourceMapping", {**which, "Enabled": False}, absent=_NOT_THERE)
        return
    if "settings" in facts:
        added: dict[str, Any] = {name: {} for name in _EMPTIED if name in now["settings"]}
        yield "settings", Call("lambda", "UpdateEventSourceMapping", {**which, **added, **recorded["settings"]})
    if "state" in facts:
        yield "state", Call("lambda", "UpdateEventSourceMapping", {**which, "Enabled": True})


def _alarm(name: str, recorded: Part, now: Part | None, facts: Container[str]) -> Iterator[tuple[str, Call]]:
    if now is None or "definition" in facts:
        whole = {"AlarmName": name, "ActionsEnabled": now is None or now["actions"], **recorded["definition"]}
        yield GONE if now is None else "definition", Call("cloudwatch", "PutMetricAlarm", whole)
    if now is not None and "actions" in facts:
        yield "actions", Call("cloudwatch", "EnableAlarmActions", {"AlarmNames": [name]})


_MAKERS: Mapping[str, Callable[[str, Part, Part | None, Container[str]], Iterator[tuple[str, Call]]]] = {
    RULE: _rule,
    FUNCTION: _function,
    TRIGGER: _trigger,
    ALARM: _alarm,
}


#: What house hands may put back.
REPAIRED: Mapping[str, frozenset[str]] = {
    RULE: frozenset({GONE, "definition", "state", "targets"}),
    FUNCTION: frozenset({"concurrency"}),
    TRIGGER: frozenset({GONE, STRANGER, "settings", "state"}),
    ALARM: frozenset({GONE, "definition", "actions"}),
}


def arns(kind: str, name: str, recorded: Part | None, region: str, account: str) -> tuple[str, ...]:
    """The ARNs that the calls of a repair are limited to.

    Args:
        kind: what the part is.
        name: its name.
        recorded: how it was deployed; None for what nobody deployed.
        region: where it is.
        account: whose it is.
    """
    rule = "/".join((*bus_of(recorded).values(), name))
    own = {
        RULE: f"arn:*:events:{region}:{account}:rule/{rule}",
        FUNCTION: f"arn:*:lambda:{region}:{account}:function:{name}",
        ALARM: f"arn:*:cloudwatch:{region}:{account}:alarm:{name}",
    }
    # IAM knows a mapping by its id, and one that is not there yet by nothing: the role's own policy names the function.
    return (own.get(kind, "*"),)
