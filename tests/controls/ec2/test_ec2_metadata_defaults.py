"""ec2-metadata-defaults: IMDSv2 is the default of new instances, unless the organisation holds it otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from local import moto_additions
from plumbline.controls._switch import HELD
from plumbline.controls.ec2.ec2_metadata_defaults import CONTROL
from plumbline.core.calls import Call, Plan
from plumbline.core.cause import Origin
from plumbline.core.clock import NEVER
from plumbline.core.control import Deviation
from plumbline.core.targets import Target
from plumbline.engine.case import Outcome
from plumbline.wakes.messages import Wake
from tests.rig import CAUSE, NOW, Rig, own_rules
from tests.story import ACCOUNT, HOME, Story, World, world

KIND = "ec2-metadata-defaults"
TARGET = Target(ACCOUNT, HOME, KIND, "account")
HELD_IN = Target(ACCOUNT, "us-west-2", KIND, "account")
BY_A_POLICY = "declarative-policy"


def _never_set(_world: World) -> Target:
    return TARGET


def _set_to_optional(world: World) -> Target:
    world.client("ec2", HOME).modify_instance_metadata_defaults(HttpTokens="optional", HttpPutResponseHopLimit=2)
    return TARGET


def _held_at_optional(world: World) -> Target:
    world.client("ec2", HELD_IN.region).describe_regions()
    moto_additions.hold("instance-metadata-defaults", ACCOUNT, HELD_IN.region, {"HttpTokens": "optional"})
    return HELD_IN


STORIES = (
    Story("never set", CONTROL.id, _never_set),
    Story("IMDSv1 allowed", CONTROL.id, _set_to_optional),
    Story("held from above", CONTROL.id, _held_at_optional, alert_only=True),
)


def _state(tokens: str | None, held_by: str = "", message: str = "") -> dict[str, Any]:
    return {"values": {"HttpTokens": tokens} if tokens else {}, "held_by": held_by, "message": message}


def _modify(tokens: str) -> Call:
    return Call("ec2", "ModifyInstanceMetadataDefaults", {"HttpTokens": tokens})


@pytest.mark.parametrize(("before", "undo"), [(None, "no-preference"), ("optional", "optional")])
def test_it_is_required_and_the_undo_sets_the_earlier_default_or_none(before: str | None, undo: str) -> None:
    repair = CONTROL.plan(TARGET, _state(before), {})
    assert ((_modify("required"),), (_modify(undo),)) == (repair.do, repair.undo)


def test_what_was_never_set_is_seen() -> None:
    assert Deviation("does not require IMDSv2", ("HttpTokens is not set",)) == CONTROL.detect(_state(None), {})
    assert CONTROL.describe(_state(None)) == "HttpTokens is not set"


def test_what_is_held_from_above_and_strict_is_in_line() -> None:
    assert CONTROL.detect(_state("required", BY_A_POLICY), {}) is None


def test_what_is_held_from_above_and_weak_is_told_with_who_holds_it_and_never_written() -> None:
    state = _state("optional", BY_A_POLICY, "ask the cloud team")
    wrong = "does not require IMDSv2, and the organisation's declarative policy holds it so"
    assert Deviation(wrong, ("HttpTokens is optional",), HELD) == CONTROL.detect(state, {})
    refusal = "the organisation's declarative policy holds it; when it lets go, the next sweep repairs it"
    assert Plan(refusal=refusal) == CONTROL.plan(HELD_IN, state, {})
    said = "held by the organisation's declarative policy, which says: ask the cloud team"
    assert f"HttpTokens is optional; {said}" == CONTROL.describe(state)
    assert CONTROL.clocks[HELD] == NEVER


def test_what_is_held_from_above_is_told_once_and_repaired_when_the_organisation_lets_go() -> None:
    with world() as told:
        rig = Rig(told)
        target = _held_at_optional(told)
        _set_to_optional(told)
        plumbline = rig.install({CONTROL.id: own_rules()[CONTROL.id]})
        wake = Wake(CONTROL.id, target, Origin.EVENT, CAUSE)
        first = plumbline.engine.settle(wake, now=NOW)
        assert (Outcome.TOLD, None) == (first.outcome, first.finding and first.finding.due)
        for days in (1, 3, 7, 30):
            again = plumbline.engine.settle(wake, now=NOW + timedelta(days=days))
            assert again.outcome is Outcome.WAITING
        assert (1, []) == (len(rig.letters), rig.writes)
        moto_additions.release("instance-metadata-defaults", ACCOUNT, target.region)
        freed = plumbline.engine.settle(wake, now=NOW + timedelta(days=31))
        assert freed.outcome is Outcome.REPAIRED
        assert [_modify("required").parameters] == [one.parameters for one in rig.writes]
