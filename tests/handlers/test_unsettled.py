"""What the sweep has reported is settled within a quarter of an hour, or the sweep's own function tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from plumbline.core.cause import Origin
from plumbline.core.clock import Clock
from plumbline.core.control import Severity
from plumbline.core.errors import LedgerDown
from plumbline.core.targets import Target
from plumbline.findings.adoption import Adoption
from plumbline.findings.finding import DIGEST
from plumbline.findings.sweeps import Sweep
from plumbline.handlers.sweep import Sweeper
from plumbline.handlers.unsettled import SETTLED_WITHIN, SWEPT_WITHIN, Unsettled
from plumbline.sweep.looking import Look
from plumbline.sweep.units import Unit
from plumbline.wakes.messages import Wake
from tests.fakes import ACCOUNT, CONTROL, LAMP, NOW, House, Letterbox
from tests.handlers.test_react import Log, Outlet
from tests.sweep.test_what_is_unseen import _swept_before

MINUTE = timedelta(minutes=1)
LATER = Clock(act=timedelta(hours=12))
UNIT = Unit(ACCOUNT, "global", ("lamp-off",), last=True)


@dataclass
class Notes:
    """What was reported."""

    kept: dict[str, dict[str, str]] = field(default_factory=dict)
    writes: int = 0

    def reported(self) -> Mapping[str, Mapping[str, str]]:
        """See handlers.unsettled.Memory."""
        return {key: dict(one) for key, one in self.kept.items()}

    def report(self, key: str, targets: Mapping[str, str]) -> None:
        """See handlers.unsettled.Memory."""
        self.kept[key], self.writes = dict(targets), self.writes + 1


@dataclass
class Watch:
    """A sweep that is over, and what looks at what became of it."""

    house: House = field(default_factory=lambda: _swept_before(House()))
    notes: Notes = field(default_factory=Notes)
    told: Letterbox = field(default_factory=Letterbox)
    wakes: Outlet = field(default_factory=Outlet)

    def sweep(self, at: datetime = NOW) -> None:
        """A whole sweep, of the only lamp."""
        unsettled = self.unsettled(at)
        sweeper = Sweeper(
            self.house.plumbline, Outlet(), self.wakes, Log(), lambda: at, lambda: 300_000, unsettled=unsettled
        )
        sweeper.piece(UNIT.to_json())

    def note(self, part: str, lamp: str, at: datetime) -> None:
        """What a run writes down that has looked at one lamp, as a part of a piece or as a whole one."""
        wakes = [Wake("lamp-off", _lamp(lamp), Origin.SWEEP)]
        look = Look("lamp-off", wakes, Adoption(), Adoption())
        self.unsettled(at).note(replace(UNIT, part=part), look, dict(self.notes.reported()), at=at)

    def named(self) -> Mapping[str, list[str]]:
        """What is written down and not forgotten."""
        return {key: [one.rpartition("/")[2] for one in found] for key, found in self.notes.kept.items() if found}

    def begin(self, at: datetime) -> None:
        """The hour has come."""
        unsettled = self.unsettled(at)
        sweeper = Sweeper(
            self.house.plumbline, Outlet(), self.wakes, Log(), lambda: at, lambda: 300_000, unsettled=unsettled
        )
        sweeper.begin()

    def unsettled(self, at: datetime) -> Unsettled:
        """Who tells, at some time."""
        return Unsettled(self.house.plumbline, self.notes, self.told, lambda: at)

    def tell(self, after: timedelta) -> int:
        """What is told some time later."""
        return self.unsettled(NOW + after).tell()


def _lamp(name: str) -> Target:
    return replace(LAMP, id=name)


def test_what_nobody_settles_is_told_after_a_quarter_of_an_hour_and_once() -> None:
    watch = Watch()
    watch.sweep()
    assert [0, 1, 1] == [watch.tell(after) for after in (SETTLED_WITHIN - MINUTE, SETTLED_WITHIN, 2 * SETTLED_WITHIN)]
    assert ["not settled: react does not answer, 1 deviation waits"] == watch.told.subjects
    watch.sweep(NOW + timedelta(hours=1))
    watch.tell(timedelta(minutes=90))
    assert 1 == len(watch.told.letters), "it has waited since the first sweep: one time, one e-mail"


def test_a_sweep_that_does_not_end_is_told_of_once_and_one_that_ends_is_not() -> None:
    watch = Watch()
    begun, ended = (Sweep((NOW - ago).isoformat(), 3, frozenset({"0"})) for ago in (MINUTE, 2 * MINUTE))
    watch.house.ledger.sweeps.goes_on(ACCOUNT, replace(begun, places={"2": "eu-west-1 goes on with s3-tls-only"}))
    watch.house.ledger.sweeps.goes_on(ACCOUNT, replace(ended, done=frozenset({"0", "1", "2"})))
    for after in (SWEPT_WITHIN - 2 * MINUTE, SWEPT_WITHIN, SWEPT_WITHIN + 30 * MINUTE):
        watch.begin(NOW + after)
    (letter,) = watch.told.letters
    assert letter.subject == "[Plumbline] not swept: a sweep does not end: 1 of 3 pieces done"
    assert "1 of 3 pieces done; eu-west-1 goes on with s3-tls-only" in " ".join(letter.body.split())


def test_that_no_sweep_begins_is_told_once_by_the_look_at_the_house_itself() -> None:
    watch = Watch()
    watch.house.ledger.sweeps.goes_on(ACCOUNT, Sweep(NOW.isoformat(), 1, frozenset({"0"})))
    for after in (SWEPT_WITHIN - MINUTE, SWEPT_WITHIN, SWEPT_WITHIN + 30 * MINUTE):
        watch.unsettled(NOW + after).tell_of_sweeps()
    (letter,) = watch.told.letters
    assert letter.subject == "[Plumbline] not swept: no sweep begins"


def test_where_nothing_was_ever_swept_nothing_is_missed_yet() -> None:
    watch = Watch()
    watch.unsettled(NOW).tell_of_sweeps()
    assert not watch.told.letters


def test_what_react_has_settled_is_not_told() -> None:
    watch = Watch()
    watch.sweep()
    watch.house.settle()
    assert 0 == watch.tell(SETTLED_WITHIN)


def test_what_is_in_line_again_is_not_told() -> None:
    watch = Watch()
    watch.sweep()
    watch.house.aws.lamps["hall"]["on"] = []
    assert 0 == watch.tell(SETTLED_WITHIN)


def test_what_is_due_and_not_looked_at_is_told() -> None:
    """A finding was opened while react still ran; its repair is due since, and reported each hour."""
    watch = Watch(house=_swept_before(House(clocks={"default": LATER})))
    watch.house.settle(now=NOW - timedelta(days=1))
    watch.sweep()
    assert 1 == watch.tell(SETTLED_WITHIN)


def test_a_quiet_sweep_writes_nothing_down_and_what_is_over_is_forgotten() -> None:
    watch = Watch()
    watch.house.aws.lamps["hall"]["on"] = []
    watch.sweep()
    assert ({}, 0) == (watch.notes.kept, watch.notes.writes)
    watch.house.aws.lamps["hall"]["on"] = ["a"]
    watch.sweep()
    assert {"lamp-off@global": {str(LAMP): NOW.isoformat()}} == watch.notes.kept
    watch.house.aws.lamps["hall"]["on"] = []
    watch.sweep(NOW + timedelta(hours=1))
    assert {"lamp-off@global": {}} == watch.notes.kept


def test_parts_of_a_piece_write_down_their_own_and_what_an_earlier_split_wrote_is_forgotten() -> None:
    """They are looked through at the same time: one that wrote down what all reported would write over another."""
    watch, later = Watch(), NOW + timedelta(minutes=1)
    for part, lamp, at in (("1_3_ab", "attic", NOW), ("2_3_ab", "hall", NOW), ("2_3_ab", "hall", later)):
        watch.note(part, lamp, at)
    assert {"lamp-off@global#1_3_ab": ["attic"], "lamp-off@global#2_3_ab": ["hall"]} == watch.named()
    watch.note("1_2_cd", "hall", later)
    assert {"lamp-off@global#1_2_cd": ["hall"]} == watch.named()
    assert {str(_lamp("hall")): NOW.isoformat()} == watch.notes.kept["lamp-off@global#1_2_cd"], (
        "since it was first seen"
    )
    watch.note("", "hall", later)
    assert {"lamp-off@global": ["hall"]} == watch.named()


def test_a_list_that_cannot_be_had_is_no_target_to_wait_for() -> None:
    watch = Watch()
    watch.house.aws.fails["ListLamps"] = ["AccessDenied"]
    watch.sweep()
    assert {} == watch.notes.kept
    assert Target(ACCOUNT, "global", "*", "*").is_pattern


def test_with_each_look_at_the_house_what_is_critical_and_waits_for_a_digest_is_told() -> None:
    """Whoever did it has used up the e-mails of his own this hour."""
    house = House(control=replace(CONTROL, severity=Severity.CRITICAL))
    house.settle()
    found = replace(house.finding, outbox=f"{DIGEST}repaired")
    house.ledger.findings[(house.control.id, LAMP)] = found
    sweeper = Sweeper(house.plumbline, Outlet(), Outlet(), Log(), lambda: NOW, lambda: 300_000)
    before = len(house.alerts.letters)
    sweeper.look_at_the_house()
    assert ["digest: 1 thing in one hour, severity critical"] == house.alerts.subjects[before:]
    sweeper.look_at_the_house()
    assert 1 == len(house.alerts.letters) - before


def test_whatever_cannot_be_told_the_rest_is() -> None:
    """A refusal about one thing hides no other: react's silence, a sweep that does not end, what is critical."""
    watch = Watch()
    watch.sweep()
    at = NOW + SWEPT_WITHIN
    watch.house.ledger.sweeps.goes_on(ACCOUNT, Sweep(NOW.isoformat(), 2, frozenset({"0"})))

    class Mute(Unsettled):
        """Cannot read what was reported."""

        def tell(self) -> int:
            """See Unsettled."""
            raise LedgerDown("what was reported cannot be read")

    mute = Mute(watch.house.plumbline, watch.notes, watch.told, lambda: at)
    sweeper = Sweeper(watch.house.plumbline, Outlet(), watch.wakes, Log(), lambda: at, lambda: 300_000, unsettled=mute)
    with pytest.raises(LedgerDown):
        sweeper.look_at_the_house()
    assert any("a sweep does not end" in one.subject for one in watch.told.letters)
