"""account-s3-public-access: what is off is switched on, what is on stays on, and the undo leaves all as it was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plumbline.controls.account._access_block import FOUR
from plumbline.controls.account.account_s3_public_access import CONTROL
from plumbline.core.calls import Call
from plumbline.core.clock import Response
from plumbline.core.control import Deviation
from plumbline.core.targets import GLOBAL, Target
from tests.story import ACCOUNT, Story, World

TARGET = Target(ACCOUNT, GLOBAL, "account-s3-public-access", "account")
NOTHING = {"values": None, "held_by": "", "message": ""}


def _nothing_configured(_world: World) -> Target:
    return TARGET


def _half_configured(world: World) -> Target:
    block = {"BlockPublicAcls": True, "BlockPublicPolicy": True}
    world.client("s3control").put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=block)
    return TARGET


def _switched_off(world: World) -> Target:
    block = dict.fromkeys(FOUR, False)
    world.client("s3control").put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=block)
    return TARGET


STORIES = (
    Story("nothing configured", CONTROL.id, _nothing_configured),
    Story("two of the four", CONTROL.id, _half_configured),
    Story("all four switched off", CONTROL.id, _switched_off),
)


def _put(**values: bool) -> Call:
    return Call("s3control", "PutPublicAccessBlock", {"AccountId": ACCOUNT, "PublicAccessBlockConfiguration": values})


def _state(values: dict[str, Any] | None) -> dict[str, Any]:
    return {**NOTHING, "values": values}


@given(st.fixed_dictionaries(dict.fromkeys(FOUR, st.booleans())))
def test_each_switch_that_is_off_is_a_fact_and_the_repair_switches_on_all_four(values: dict[str, bool]) -> None:
    state = _state(values)
    off = tuple(f"{name} is off" for name in FOUR if not values[name])
    assert (Deviation("is not wholly on", off) if off else None) == CONTROL.detect(state, {})
    repair = CONTROL.plan(TARGET, state, {})
    assert ((_put(**dict.fromkeys(FOUR, True)),), (_put(**values),)) == (repair.do, repair.undo)


def test_a_switch_repaired_alone_leaves_the_others_as_they_are() -> None:
    state = _state(dict.fromkeys(FOUR, False) | {"BlockPublicAcls": True})
    repair = CONTROL.plan(TARGET, state, {}, frozenset({"BlockPublicPolicy is off"}))
    (write,) = repair.do
    assert (
        _put(BlockPublicAcls=True, IgnorePublicAcls=False, BlockPublicPolicy=True, RestrictPublicBuckets=False) == write
    )
    assert repair.summary == "switches on what is off of the account's public access block (BlockPublicPolicy)"


def test_where_nothing_was_configured_the_undo_leaves_nothing_configured() -> None:
    undo = CONTROL.plan(TARGET, NOTHING, {}).undo
    assert (Call("s3control", "DeletePublicAccessBlock", {"AccountId": ACCOUNT}),) == undo
    assert CONTROL.describe(NOTHING) == "nothing is configured"


def test_a_person_decides_about_what_was_found_and_what_is_loosened_then_is_put_right_at_once() -> None:
    found, announced = CONTROL.clocks["found-by-sweep"], CONTROL.clocks["default"]
    assert (Response.PROPOSE, timedelta(0)) == (found.mode, found.act)
    assert (Response.ENFORCE, None, timedelta(0)) == (CONTROL.response, announced.mode, announced.act)
