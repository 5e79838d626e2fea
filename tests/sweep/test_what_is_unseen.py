"""The sweep and what it cannot look at: looked at again each hour, told in one digest, and hiding nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from plumbline.core.cause import Origin
from plumbline.core.clock import Clock
from plumbline.core.targets import State, Target
from plumbline.findings.adoption import Adoption, mark
from plumbline.findings.finding import Status
from plumbline.handlers.sweep import Sweeper
from plumbline.sweep.looking import Look
from plumbline.sweep.units import Unit
from plumbline.wakes.messages import Task, Wake
from tests.fakes import ACCOUNT, CONTROL, LAMP, NOW, House

HOUR = timedelta(hours=1)
LATER = {"default": Clock(remind=(HOUR,), act=timedelta(days=7))}
UNIT = Unit(ACCOUNT, "global", ("lamp-off",), last=True)


def _swept_before(house: House) -> House:
    house.ledger.marks["lamp-off"] = Adoption(mark(house.engine.rule("lamp-off"))).to_json()
    return house


def _look(house: House, at: timedelta = timedelta(0)) -> Look:
    (look,) = house.plumbline.look(UNIT, now=NOW + at)
    return look


def test_what_cannot_be_looked_at_is_woken_each_time_and_counted() -> None:
    house = _swept_before(House())
    house.aws.fails["GetLamp"] = ["AccessDenied"] * 9
    look = _look(house)
    assert ([LAMP], 1) == ([wake.target for wake in look.wakes], look.unseen)
    list(house.plumbline.settle(look.wakes, now=NOW))
    assert [LAMP] == [wake.target for wake in _look(house, HOUR).wakes]


def test_what_the_first_sweep_cannot_see_is_adopted_once() -> None:
    house = House(ledger=replace(House().ledger, never_swept=True))
    house.aws.fails["GetLamp"] = ["AccessDenied"] * 9
    look = _look(house)
    assert [Origin.ADOPTION] == [wake.origin for wake in look.wakes]
    list(house.plumbline.settle(look.wakes, now=NOW))
    house.plumbline.looked(UNIT, look)
    assert (house.finding.origin, house.finding.is_blind) == (Origin.ADOPTION, True)
    again = _look(house, HOUR)
    assert ([Origin.SWEEP], frozenset()) == ([wake.origin for wake in again.wakes], again.adoption.pending)


def test_what_the_settings_except_by_name_is_not_even_woken_and_no_read_is_spent_on_it() -> None:
    house = _swept_before(House(control=replace(CONTROL, excepted=lambda target, _settings: target == LAMP)))
    house.aws.fails["GetLamp"] = ["AccessDenied"]
    look = _look(house)
    assert ([], 0) == (look.wakes, look.unseen)
    assert ["AccessDenied"] == house.aws.fails["GetLamp"], "nobody has asked"


def test_what_the_settings_except_since_is_looked_at_once_more_so_that_its_finding_ends() -> None:
    house = _swept_before(House(clocks=LATER))
    house.settle()
    house.aws.lamps["hall"]["on"] = []
    house.control = replace(CONTROL, excepted=lambda target, _settings: target == LAMP)
    assert [LAMP] == [wake.target for wake in _look(house, HOUR).wakes]


def test_what_is_open_goes_on_while_the_list_cannot_be_had() -> None:
    house = _swept_before(House(clocks=LATER))
    house.settle()
    house.aws.fails["ListLamps"] = ["AccessDenied"] * 9
    look = _look(house, HOUR)
    assert ["111122223333/global/*/*", str(LAMP)] == [str(wake.target) for wake in look.wakes]
    list(house.plumbline.settle(look.wakes, now=NOW + HOUR))
    assert house.finding.told == ("opened", "reminded 1h")


def test_a_list_that_can_be_had_again_is_looked_at_so_that_its_finding_ends() -> None:
    house = _swept_before(House())
    house.aws.lamps["hall"]["on"] = []
    house.aws.fails["ListLamps"] = ["AccessDenied"] * 2
    list(house.plumbline.settle(_look(house).wakes, now=NOW))
    house.aws.fails.clear()
    look = _look(house, HOUR)
    every = Target(ACCOUNT, "global", "lamp", "*")
    assert [Wake("lamp-off", every, Origin.SWEEP)] == look.wakes
    list(house.plumbline.settle(look.wakes, now=NOW + HOUR))
    assert house.ledger.findings[("lamp-off", every)].status is Status.RESOLVED


def test_what_can_be_seen_again_in_bulk_is_looked_at() -> None:
    house = _swept_before(House(clocks=LATER))
    house.settle()
    house.aws.fails["GetLamp"] = ["AccessDenied"]
    house.settle(origin=Origin.SWEEP, now=NOW + HOUR)
    assert house.finding.is_unseen
    assert [LAMP] == [wake.target for wake in _look(house, 2 * HOUR).wakes], "though nothing is due"


def test_one_target_that_a_control_fails_over_hides_no_other() -> None:
    def detect(state: State, settings: object) -> object:
        return CONTROL.detect(state, {}) if state and "odd" not in state else state and state["no such key"]

    house = _swept_before(House(control=replace(CONTROL, detect=detect)))  # type: ignore[arg-type]
    house.aws.lamps["attic"] = {"on": [], "odd": True}
    look = _look(house)
    assert (None, {"hall", "attic"}) == (look.error, {wake.target.id for wake in look.wakes})


def test_the_digest_is_asked_for_in_the_same_sweep() -> None:
    class Outlet:
        bodies: list[str]

        def __init__(self) -> None:
            self.bodies = []

        def send(self, bodies: Sequence[str], *, delay: int = 0) -> None:
            assert delay >= 0
            self.bodies += bodies

    class Log:
        def info(self, *_: object, **__: object) -> None: ...

        error = info

    house, wakes = _swept_before(House()), Outlet()
    house.aws.fails["GetLamp"] = ["AccessDenied"]
    sweeper = Sweeper(house.plumbline, Outlet(), wakes, Log(), lambda: NOW, lambda: 300_000)
    sweeper.piece(UNIT.to_json())
    assert wakes.bodies[-1] == Task.DIGEST.to_json()
