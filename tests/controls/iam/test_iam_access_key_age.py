"""iam-access-key-age: a key that grows too old is told, then deactivated; never the newer one beside an older one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from plumbline.baseline.rules import Rule
from plumbline.controls.iam.iam_access_key_age import CONTROL, detect, observe, plan
from plumbline.core.calls import Call
from plumbline.core.control import Deviation
from plumbline.core.targets import GLOBAL, Target
from plumbline.engine.surveying import survey
from plumbline.findings import clocks
from plumbline.findings.finding import Status
from tests.ages import ago, key_made
from tests.people import another_can_come_in, is_administrator, stranger_has_a_role
from tests.rig import NOW, Broken
from tests.story import ACCOUNT, Story, World, defaults, world

DEFAULT = defaults(CONTROL)
DAY = timedelta(days=1)


def _key(world: World, user: str, days: float, status: str = "Active") -> Target:
    iam = world.client("iam")
    key = iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
    iam.update_access_key(UserName=user, AccessKeyId=key, Status=status)
    key_made(user, key, days)
    return Target(ACCOUNT, GLOBAL, "iam-access-key", f"{user}/{key}")


def _key_of(world: World, days: float, status: str = "Active") -> Target:
    world.client("iam").create_user(UserName="backup", Path="/machines/")
    return _key(world, "backup", days, status)


def _told_by_a_report(world: World) -> Target:
    target = _key_of(world, 80)
    world.client("iam").generate_credential_report()
    return target


def _while_rotating(world: World) -> Target:
    target = _key_of(world, 200)
    _key(world, "backup", 2)
    return target


def _newer_of_two(world: World) -> Target:
    _key_of(world, 200)
    return _key(world, "backup", 100)


def _of_the_only_administrator(world: World) -> Target:
    target = _key_of(world, 120)
    is_administrator(world, "backup")
    return target


def _of_one_of_many(world: World) -> Target:
    """The key of an administrator beside whom one can come in, and some cannot."""
    target = _of_the_only_administrator(world)
    another_can_come_in(world)
    return target


def _but_for_a_stranger(world: World) -> Target:
    """The key of the only administrator of this account: another's may assume a role."""
    target = _of_the_only_administrator(world)
    stranger_has_a_role(world)
    return target


STORIES = (
    Story("a key comes to 90 days", CONTROL.id, lambda world: _key_of(world, 80)),
    Story("the same, told by a credential report", CONTROL.id, _told_by_a_report),
    Story("a key is too old, and a new one is made", CONTROL.id, _while_rotating),
    Story("the newer of two that are too old", CONTROL.id, _newer_of_two, alert_only=True),
    Story("an old key of an administrator, and another can come in", CONTROL.id, _of_one_of_many),
    Story("an old key of the only administrator", CONTROL.id, _of_the_only_administrator, alert_only=True),
    Story("the same, and a stranger's account has a role here", CONTROL.id, _but_for_a_stranger, alert_only=True),
)
#: What is taken here from the last who could come in; see tests/laws/test_last_way_in.py.
LAST_WAYS_IN = STORIES[-2:]


def _judged(days: float, most: int = 90, status: str = "Active") -> Any:
    with world() as told:
        target = _key_of(told, days, status)
        return detect(observe(told.accounts.eyes(ACCOUNT, GLOBAL), target), {"max_age_days": most})


@pytest.mark.parametrize(("days", "most"), [(74, 90), (89, 120), (14, 30), (0, 30)])
def test_a_key_is_left_alone_until_fifteen_days_before(days: int, most: int) -> None:
    assert _judged(days, most) is None


@pytest.mark.parametrize(("days", "most"), [(75, 90), (400, 90), (105, 120), (15, 30)])
def test_from_then_on_it_is_told_with_the_day_on_which_it_was_made(days: int, most: int) -> None:
    found = _judged(days, most)
    assert f"was made on {ago(days):%Y-%m-%d}, and no key may be older than {most} days" == found.summary


def test_a_key_that_is_off_or_gone_is_in_line() -> None:
    assert _judged(400, status="Inactive") is None
    assert detect(None, DEFAULT) is None


def test_the_state_of_a_key_is_the_same_the_next_day() -> None:
    with world() as told:
        target = _key_of(told, 80)
        today = observe(told.accounts.eyes(ACCOUNT, GLOBAL), target)
        eyes = told.accounts.eyes(ACCOUNT, GLOBAL)
        eyes.now += DAY
        assert today == observe(eyes, target)


def test_of_two_active_keys_the_older_one_goes_and_then_the_other() -> None:
    with world() as told:
        newer = _newer_of_two(told)
        eyes = told.accounts.eyes(ACCOUNT, GLOBAL)
        states = survey(CONTROL, eyes).states
        (older,) = set(states) - {newer}
        first, then = (plan(one, states[one], DEFAULT) for one in (older, newer))
        assert f"of two active keys the older one goes first: {older.id.partition('/')[2]}" == then.refusal
        told.perform(CONTROL, older, first.do, first.resources)
        state = observe(told.accounts.eyes(ACCOUNT, GLOBAL), newer)
    assert [newer.id.partition("/")[2]] == [call.parameters["AccessKeyId"] for call in plan(newer, state, DEFAULT).do]


def test_two_keys_of_one_second_are_not_both_the_newer() -> None:
    with world() as told:
        one, other = _key_of(told, 100), _key(told, "backup", 100)
        for target in (one, other):
            key_made("backup", target.id.partition("/")[2], 100)
        states = survey(CONTROL, told.accounts.eyes(ACCOUNT, GLOBAL)).states
    assert [False, True] == sorted(bool(state and state["older"]) for state in states.values())


def test_the_repair_touches_one_key_and_can_be_taken_back() -> None:
    with world() as told:
        target = _while_rotating(told)
        repair = plan(target, observe(told.accounts.eyes(ACCOUNT, GLOBAL), target), DEFAULT)
    key, gone = {"UserName": "backup", "AccessKeyId": target.id.partition("/")[2]}, ("NoSuchEntity",)
    assert repair.do == (Call("iam", "UpdateAccessKey", {**key, "Status": "Inactive"}, absent=gone),)
    assert repair.undo == (Call("iam", "UpdateAccessKey", {**key, "Status": "Active"}, absent=gone),)


def test_an_undo_begins_a_new_term_of_90_days_and_an_activation_by_hand_one_of_fifteen() -> None:
    rule = Rule(CONTROL.response, CONTROL.clocks, DEFAULT)
    with world() as told:
        broken = Broken.tell(STORIES[0], told)
        plumbline = broken.rig.install({CONTROL.id: rule})
        settle = plumbline.engine.settle
        found = settle(broken.wake(), now=NOW).finding
        assert found
        assert NOW + 15 * DAY == clocks.acts_at(rule, found)
        repaired = settle(broken.wake(), now=NOW + 15 * DAY).finding
        assert repaired
        assert Status.REPAIRED is repaired.status
        undone_at = NOW + 20 * DAY
        broken.undone(plumbline, repaired, now=undone_at)
        again = settle(broken.wake(), now=undone_at).finding
        assert again
        assert (Status.EXEMPT, undone_at + 90 * DAY) == (again.status, clocks.acts_at(rule, again))
        waiting = settle(broken.wake(), now=undone_at + 89 * DAY).finding
        assert waiting
        assert Status.OPEN is waiting.status
        last = settle(broken.wake(), now=undone_at + 90 * DAY).finding
        assert last
        assert Status.REPAIRED is last.status
        told.client("iam").update_access_key(
            UserName="backup", AccessKeyId=broken.target.id.partition("/")[2], Status="Active"
        )
        by_hand = settle(broken.wake(), now=undone_at + 91 * DAY).finding
        assert by_hand
        assert undone_at + (91 + 15) * DAY == clocks.acts_at(rule, by_hand)


def test_the_deviation_names_the_key() -> None:
    assert Deviation("was made on 2026-01-01, and no key may be older than 90 days", ("AKIA1",)) == detect(
        {"user": "x", "key": "AKIA1", "status": "Active", "made": "2026-01-01", "come_to": 90}, DEFAULT
    )
