"""What a sweep need not look at again: only what cannot have become wrong meanwhile, whatever was done to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.baseline.rules import Baseline, Rule
from plumbline.compose import Plumbline
from plumbline.controls.iam import iam_access_key_age, iam_access_key_created
from plumbline.controls.index import Index
from plumbline.core.clock import Response
from plumbline.core.targets import Target
from plumbline.findings.sweeps import Lasts
from plumbline.sweep.units import Unit
from tests.ages import ago, key_made
from tests.fakes import House
from tests.story import ACCOUNT, World, defaults, world

AGE, CREATED = iam_access_key_age.CONTROL, iam_access_key_created.CONTROL
DAY = timedelta(days=1)
#: Keys of at most 90 days, with 15 days' notice.
TERM = 75


def _plumbline(here: World, now: datetime, house: House, **settings: Any) -> Plumbline:
    """Both controls about keys, at a time, over a ledger that remembers."""
    rules = {
        AGE.id: Rule(Response.ALERT, AGE.clocks, {**defaults(AGE), **settings}),
        CREATED.id: Rule(Response.ALERT, CREATED.clocks, {"allowed_users": ["u-*"]}),
    }
    controls = {AGE.id: AGE, CREATED.id: CREATED}
    accounts = replace(here.accounts, clock=lambda: now)
    engine = replace(house.engine, controls=controls, baseline=Baseline(rules), aws=accounts)
    return replace(house.plumbline, engine=engine, account=ACCOUNT, index=Index.of(controls))


def _sweeps(here: World, house: House, days: float = 0, **settings: Any) -> tuple[set[str], set[str]]:
    """A sweep so many days from now: whose keys were listed, and of whom one deviates."""
    now = ago(0) + timedelta(days=days, hours=1)
    plumbline = _plumbline(here, now, house, **settings)
    here.calls.clear()
    woken = set()
    unit = Unit(ACCOUNT, "global", (AGE.id, CREATED.id), last=True)
    for look in plumbline.look(unit, now=now):
        woken |= {wake.target.id.partition("/")[0] for wake in look.wakes}
        plumbline.looked(unit, look)
    return {one.parameters["UserName"] for one in here.calls if one.operation == "ListAccessKeys"}, woken


def _user(here: World, name: str, *ages: float, off: bool = False) -> None:
    iam = here.client("iam")
    iam.create_user(UserName=name)
    for age in ages:
        key = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
        key_made(name, key, age)
        if off:
            iam.update_access_key(UserName=name, AccessKeyId=key, Status="Inactive")


def test_who_has_young_keys_is_looked_at_again_when_the_oldest_comes_of_age() -> None:
    with world() as here:
        house = House(home=here.home)
        _user(here, "u-young", 10, TERM - 4)
        _user(here, "u-old", 80)
        assert ({"u-young", "u-old"}, {"u-old"}) == _sweeps(here, house)
        assert ({"u-old"}, {"u-old"}) == _sweeps(here, house, 2)
        assert ({"u-young", "u-old"}, {"u-young", "u-old"}) == _sweeps(here, house, 5)


def test_nobody_is_spared_for_longer_than_a_week() -> None:
    with world() as here:
        house = House(home=here.home)
        _user(here, "u-young", 1)
        listed = [bool(_sweeps(here, house, day)[0]) for day in range(15)]
    assert [day % 7 == 0 for day in range(15)] == listed


def test_a_key_that_is_off_counts_for_it_may_be_switched_on() -> None:
    with world() as here:
        house = House(home=here.home)
        _user(here, "u-off", 200, off=True)
        assert ({"u-off"}, set()) == _sweeps(here, house)
        (key,) = here.client("iam").list_access_keys(UserName="u-off")["AccessKeyMetadata"]
        here.client("iam").update_access_key(UserName="u-off", AccessKeyId=key["AccessKeyId"], Status="Active")
        assert ({"u-off"}, {"u-off"}) == _sweeps(here, house, 1 / 24)


def test_names_that_change_hands_bring_nobodys_old_key_out_of_sight() -> None:
    with world() as here:
        house, iam = House(home=here.home), here.client("iam")
        _user(here, "u-young", 1)
        _user(here, "u-old", 200, off=True)
        _sweeps(here, house)
        iam.update_user(UserName="u-young", NewUserName="u-other")
        iam.update_user(UserName="u-old", NewUserName="u-young")
        (key,) = iam.list_access_keys(UserName="u-young")["AccessKeyMetadata"]
        iam.update_access_key(UserName="u-young", AccessKeyId=key["AccessKeyId"], Status="Active")
        assert ({"u-young"}, {"u-young"}) == _sweeps(here, house, 1 / 24)


def test_other_settings_look_at_everybody_anew() -> None:
    with world() as here:
        house = House(home=here.home)
        _user(here, "u-young", 40)
        _sweeps(here, house)
        assert (set(), set()) == _sweeps(here, house, 1)
        assert ({"u-young"}, {"u-young"}) == _sweeps(here, house, 1, max_age_days=45)


def test_who_is_not_allowed_keys_is_looked_at_with_each_sweep() -> None:
    """What lasts is the age of keys; another control about the same ones spares nobody."""
    with world() as here:
        house = House(home=here.home)
        _user(here, "stranger", 1)
        assert [({"stranger"}, {"stranger"})] * 2 == [_sweeps(here, house, days) for days in (0, 1)]


_AGES = st.lists(st.floats(0, 200), max_size=2)


@given(_AGES, st.booleans(), st.floats(0, 200), st.lists(st.floats(0, 200), max_size=1))
def test_nobody_is_spared_on_a_day_on_which_he_would_be_found(
    ages: list[float],
    active: bool,  # noqa: FBT001
    days: float,
    later: list[float],
) -> None:
    """Whatever he had, switched on and off since, and whatever he has made since."""
    looked = ago(0)
    states = [_state(looked, looked - timedelta(days=age), active=active) for age in ages]
    assert AGE.lasting is not None
    until = AGE.lasting.until(states, defaults(AGE), looked)
    now = looked + timedelta(days=days)
    made = [*(looked - timedelta(days=age) for age in ages), *(looked + timedelta(days=one) for one in later)]
    wrong = any(AGE.detect(_state(now, one, active=True), defaults(AGE)) is not None for one in made if one <= now)
    assert not (wrong and now.date() < until.date())


def _state(now: datetime, made: datetime, *, active: bool) -> dict[str, Any]:
    come_to = iam_access_key_age._come_to(now - made)
    return {
        "user": "u", "key": "k", "status": "Active" if active else "Inactive", "made": f"{made:%Y-%m-%d}",
        "come_to": come_to, "older": [], "administrators": [],
    }  # fmt: skip


def test_what_is_kept_reads_what_it_wrote_and_forgets_what_is_over() -> None:
    rule, other = (Rule(Response.ALERT, AGE.clocks, {"max_age_days": days}) for days in (90, 60))
    now = ago(0)
    known = Lasts().after(rule, {"a": (now + DAY).date(), "b": (now + 9 * DAY).date()}, now)
    assert known == Lasts.from_json(known.to_json())
    assert [True, False, False] == [
        known.spares("a", one, at) for one, at in ((rule, now), (rule, now + DAY), (other, now))
    ]
    assert ["b"] == [*known.after(rule, {}, now + 2 * DAY).days]
    assert ["c"] == [*known.after(other, {"c": (now + DAY).date()}, now).days]


@pytest.mark.parametrize("gone", ["u-old", ""])
def test_a_finding_of_who_is_spared_goes_on(gone: str) -> None:
    """It is looked at by itself: nobody's key is forgotten for being in no list."""
    with world() as here:
        house = House(home=here.home)
        _user(here, "u-old", 80)
        now = ago(0) + timedelta(hours=1)
        plumbline = _plumbline(here, now, house)
        unit = Unit(ACCOUNT, "global", (AGE.id,), last=True)
        (look,) = plumbline.look(unit, now=now)
        (wake,) = look.wakes
        plumbline.engine.settle(wake, now=now)
        # by mistake, or by another hand: all that is known of the user says that he need not be looked at
        (user,) = here.client("iam").list_users()["Users"]
        rule = plumbline.engine.rule(AGE.id)
        house.ledger.sweeps.keep(ACCOUNT, AGE.id, Lasts().after(rule, {user["UserId"]: (now + 30 * DAY).date()}, now))
        if gone:
            key = wake.target.id.partition("/")[2]
            here.client("iam").delete_access_key(UserName=gone, AccessKeyId=key)
        (look,) = _plumbline(here, now + DAY, house).look(unit, now=now + DAY)
        expected: list[Target] = [wake.target] if gone else []
        assert expected == [one.target for one in look.wakes]
