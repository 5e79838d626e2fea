"""account-roster: who has a user stands in the roster, in the groups that it says; and nobody is suspended unasked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from plumbline.controls.account.account_roster import CONTROL, detect, observe, plan, survey
from plumbline.core.calls import Call
from plumbline.core.clock import Response
from plumbline.core.control import Deviation
from plumbline.core.giving import Maker, maker
from plumbline.core.roster import NOBODY
from plumbline.core.targets import GLOBAL, Target
from tests.people import AWS_ADMIN, holds_ten, own_denial, provider_is_gone, stranger_has_a_role
from tests.story import ACCOUNT, Story, World, signs_in, world

POLICY = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline-suspended"
EVE, PEOPLE = Target(ACCOUNT, GLOBAL, "iam-user", "eve"), Target(ACCOUNT, GLOBAL, "iam-roster", "people")
ADMINISTRATORS = {"groups": ["administrators"], "users": [NOBODY], "roles": []}


def _settings(**roster: dict[str, Any]) -> dict[str, Any]:
    return {"people": {"administrators": ADMINISTRATORS, "operators": [], "deployers": [], "roster": roster}}


MARIA = {"maria": {"groups": ["staff"]}}


def _eve(world: World) -> Target:
    """What the stack brings, a group, and Eve."""
    iam = world.client("iam")
    own_denial(world, "suspended")
    iam.create_group(GroupName="staff")
    iam.create_user(UserName="eve", Path="/people/")
    return EVE


def _in_too_many(world: World) -> Target:
    target, iam = _eve(world), world.client("iam")
    for group in ("guests", "night-watch"):
        iam.create_group(GroupName=group)
        iam.add_user_to_group(GroupName=group, UserName="eve")
    iam.add_user_to_group(GroupName="staff", UserName="eve")
    return target


def _moved(world: World) -> Target:
    """She joined another group than she should: leaving it takes, joining the other takes a person's rights."""
    target, iam = _eve(world), world.client("iam")
    iam.create_group(GroupName="guests")
    iam.add_user_to_group(GroupName="guests", UserName="eve")
    return target


def _full(world: World) -> Target:
    """She holds as many policies as AWS lets her, and has a key."""
    target, iam = _eve(world), world.client("iam")
    iam.create_access_key(UserName="eve")
    holds_ten(world, "eve")
    return target


def _last(world: World) -> Target:
    """Of all administrators she alone can come in: there is a stranger's account, and a provider that is gone."""
    target, iam = _eve(world), world.client("iam")
    iam.attach_user_policy(UserName="eve", PolicyArn=AWS_ADMIN)
    signs_in(iam, "eve")
    stranger_has_a_role(world)
    provider_is_gone(world)
    return target


def _nobody_yet(world: World) -> Target:
    world.client("iam").create_user(UserName="ann")
    return PEOPLE


STORIES = (
    Story("a stranger", CONTROL.id, _eve, settings=_settings(**MARIA)),
    Story("a stranger who can carry no more policies", CONTROL.id, _full, settings=_settings(**MARIA)),
    Story("somebody who has left", CONTROL.id, _eve, settings=_settings(eve={"until": "2020-01-31"})),
    Story("in other groups", CONTROL.id, _in_too_many, settings=_settings(eve={"groups": ["guests"]})),
    Story("in one group instead of another", CONTROL.id, _moved, settings=_settings(eve={"groups": ["staff"]})),
    Story("people without a user", CONTROL.id, _nobody_yet, settings=_settings(ann={}, **MARIA), alert_only=True),
    Story("the last who can come in", CONTROL.id, _last, settings=_settings(**MARIA), alert_only=True),
)

LAST_WAYS_IN = STORIES[-1:]

STANDING = {
    "arn": f"arn:aws:iam::{ACCOUNT}:user/people/eve",
    "policy": POLICY,
    "suspended": False,
    "full": False,
    "keys": [],
    "password": False,
    "left": None,
}


def _state(name: str = "eve", *groups: str, today: str = "2026-03-02", **standing: Any) -> dict[str, Any]:
    return {"today": today, "name": name, "groups": list(groups), "standing": {**STANDING, **standing}}


def test_without_a_roster_nobody_is_judged() -> None:
    assert detect(_state(), _settings()) is None
    assert detect({"today": "2026-03-02", "users": ["eve"]}, _settings()) is None
    assert detect(_state(), {}) is None


def test_a_stranger_is_told_of() -> None:
    assert Deviation("is in no line of the roster", ("suspended",)) == detect(_state(), _settings(**MARIA))


def test_a_name_is_the_same_in_any_spelling() -> None:
    assert detect(_state("EVE"), _settings(eve={})) is None


def test_the_last_day_belongs_to_him() -> None:
    found = [detect(_state(today=f"2026-03-0{day}"), _settings(eve={"until": "2026-03-02"})) for day in (2, 3)]
    assert [None, Deviation("was to leave on 2026-03-02", ("suspended",))] == found


def test_who_is_suspended_already_is_in_line() -> None:
    assert detect(_state(suspended=True), _settings(**MARIA)) is None


def test_groups_are_compared_without_case_and_those_of_administrators_are_another_rules() -> None:
    settings = _settings(eve={"groups": ["Staff", "guests"]})
    expected = ("in group night-watch", "not in group guests")
    found = detect(_state("eve", "staff", "night-watch", "Administrators"), settings)
    assert Deviation("is not in the groups that the roster says", expected) == found


def test_people_without_a_user_are_told_of_until_their_last_day() -> None:
    settings = _settings(ann={}, maria={}, jun={"until": "2026-03-01"})
    found = detect({"today": "2026-03-02", "users": ["ANN"]}, settings)
    assert Deviation("have no user: maria", ("maria",)) == found
    assert plan(PEOPLE, {"today": "2026-03-02", "users": []}, settings).refusal


def test_a_stranger_is_suspended_and_the_undo_lets_him_act_again() -> None:
    both = {"UserName": "eve", "PolicyArn": POLICY}
    repair = plan(EVE, _state(), _settings(**MARIA))
    assert (Call("iam", "AttachUserPolicy", both),) == repair.do
    assert (Call("iam", "DetachUserPolicy", both, absent=("NoSuchEntity",)),) == repair.undo


def test_leaving_a_group_takes_no_person_and_joining_one_does() -> None:
    repair = plan(EVE, _state("eve", "night-watch"), _settings(eve={"groups": ["staff"]}))
    assert [Maker.TAKING, Maker.PERSON] == [maker(call) for call in repair.do]
    assert "takes user eve out of group night-watch, into group staff" == repair.summary


def test_nobody_is_suspended_unless_somebody_said_so() -> None:
    assert (Response.ALERT, timedelta(days=7)) == (CONTROL.response, CONTROL.clocks["default"].act)


def test_the_sweep_sees_what_a_look_sees() -> None:
    with world() as told:
        _in_too_many(told)
        told.client("iam").create_user(UserName="ann")
        ask = told.accounts.eyes(ACCOUNT, GLOBAL)
        states = survey(ask)
        assert {"eve", "ann", "people"} == {one.id for one in states}
        assert states == {one: observe(told.accounts.eyes(ACCOUNT, GLOBAL), one) for one in states}


def test_whoever_is_gone_is_nobodys_business() -> None:
    with world() as told:
        assert observe(told.accounts.eyes(ACCOUNT, GLOBAL), replace(EVE, id="ghost")) is None
    assert detect(None, _settings(**MARIA)) is None


def test_what_stands_for_the_roster_is_the_same_wherever_it_is_asked() -> None:
    state = {"today": "2026-03-02", "users": []}
    assert state == CONTROL.part(state, plan(PEOPLE, state, _settings(**MARIA)))


def test_it_reads_in_a_sentence() -> None:
    assert ("user eve", "roster people") == (CONTROL.name(EVE), CONTROL.name(PEOPLE))
    assert "in no group; not suspended" == CONTROL.describe(_state())
    assert "in guests, staff; suspended: all is denied" == CONTROL.describe(
        _state("eve", "guests", "staff", suspended=True)
    )
