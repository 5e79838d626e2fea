"""Work that waits for longer than a quarter of an hour is told by the looks at Plumbline itself, and so is its end."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest

from plumbline.core.calls import Call
from plumbline.core.errors import AwsRefusal
from plumbline.handlers.house import Housekeeper
from plumbline.handlers.late import LATE, Late, lasts
from plumbline.handlers.sweep import Sweeper
from plumbline.sweep.units import Unit
from tests.fakes import CONTROL, NOW, House, Letterbox
from tests.handlers.test_react import Log, Outlet

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
LOOK = 10 * MINUTE
REFUSED = AwsRefusal("Throttling", "Rate exceeded", Call("cloudwatch", "GetMetricData"))


@dataclass
class Queue:
    """A queue in which messages wait from one time to another."""

    waits_from: datetime | None = None
    waits_until: datetime = NOW + 365 * DAY
    now: datetime = NOW
    asked: list[datetime] = field(default_factory=list)
    refused: bool = False

    def waits(self) -> bool:
        """See handlers.late.Backlog."""
        return self.waits_from is not None and self.waits_from <= self.now < self.waits_until

    def longest(self, since: datetime, until: datetime) -> timedelta:
        """See handlers.late.Backlog."""
        if self.refused:
            raise REFUSED
        self.asked.append(until)
        begin, last = self.waits_from or until, min(until, self.waits_until)
        return last - begin if last >= since else timedelta(0)


@dataclass
class Watch:
    """Looks at Plumbline itself, every ten minutes."""

    house: House = field(default_factory=House)
    queue: Queue = field(default_factory=Queue)
    told: Letterbox = field(default_factory=Letterbox)

    def late(self, at: datetime) -> Late:
        """What tells, at a time."""
        self.queue.now = at
        return Late(self.house.engine, self.queue, self.told, lambda: at)

    def look(self, *after: timedelta) -> list[str]:
        """Some looks, and what was told by then."""
        for one in after:
            self.late(NOW + one).tell()
        return self.told.subjects


def _looks(first: int, last: int) -> list[timedelta]:
    return [number * LOOK for number in range(first, last + 1)]


def test_where_nothing_waits_cloudwatch_is_not_asked() -> None:
    watch = Watch()
    assert [] == watch.look(*_looks(0, 6))
    assert [] == watch.queue.asked


def test_what_is_soon_taken_is_asked_about_for_half_an_hour_and_not_told() -> None:
    watch = Watch(queue=Queue(NOW, NOW + MINUTE))
    assert [] == watch.look(*_looks(0, 6))
    assert [NOW + one for one in _looks(0, 2)] == watch.queue.asked


def test_what_waits_is_told_by_the_first_look_after_a_quarter_of_an_hour_and_then_once_a_day() -> None:
    watch = Watch(queue=Queue(NOW + 2 * MINUTE))
    assert [] == watch.look(*_looks(0, 1))
    assert ["late wakes: one has waited for 18 minutes"] == watch.look(2 * LOOK)
    assert 1 == len(watch.look(*_looks(3, 130)))
    assert 2 == len(watch.look(*_looks(131, 144)))
    assert "nothing is lost" in " ".join(watch.told.letters[0].body.split())


@pytest.mark.parametrize("begins", range(1, 10))
def test_what_has_waited_too_long_between_two_looks_is_told_though_it_waits_no_more(begins: int) -> None:
    """The alarm that was here before saw every minute; whatever waits for so long is there at one look at least."""
    begin = NOW + begins * MINUTE
    watch = Watch(queue=Queue(begin, begin + LATE + MINUTE))
    watch.look(*_looks(0, 3))
    assert 1 == len(watch.told.letters), "told once"


def test_its_end_is_told_once_and_what_begins_anew_is_told_on_the_same_day() -> None:
    watch = Watch(queue=Queue(NOW, NOW + 45 * MINUTE))
    ledger = watch.house.ledger
    watch.look(*_looks(0, 4))
    assert lasts(ledger, NOW + 50 * MINUTE)
    watch.look(*_looks(5, 9))
    assert not lasts(ledger, NOW + 90 * MINUTE)
    watch.queue.waits_from, watch.queue.waits_until = NOW + 120 * MINUTE, NOW + 365 * DAY
    watch.look(*_looks(12, 20))
    first, end, anew = watch.told.subjects
    assert "late wakes: one has waited for 20 minutes" == first == anew
    assert "late wakes: over, react keeps up again" == end


def test_what_cannot_be_asked_or_told_is_asked_and_told_by_the_next_look() -> None:
    watch = Watch(queue=Queue(NOW, refused=True))
    with pytest.raises(AwsRefusal):
        watch.look(2 * LOOK)
    watch.queue.refused, watch.told.down = False, True
    with pytest.raises(AwsRefusal):
        watch.look(3 * LOOK)
    watch.told.down = False
    assert ["late wakes: one has waited for 40 minutes"] == watch.look(4 * LOOK)


def test_a_look_at_plumbline_tells_of_it_whatever_else_it_finds_and_fails_where_it_cannot() -> None:
    watch = Watch(queue=Queue(NOW - 20 * MINUTE))
    sweeper = Sweeper(watch.house.plumbline, Outlet(), Outlet(), Log(), lambda: NOW, lambda: 300_000)
    replace(sweeper, late=watch.late(NOW)).look_at_the_house()
    assert ["late wakes: one has waited for 20 minutes"] == watch.told.subjects
    watch.queue.refused = True
    with pytest.raises(AwsRefusal):
        replace(sweeper, late=watch.late(NOW + LOOK)).look_at_the_house()


def test_what_waits_is_asked_beside_the_look_and_whatever_comes_of_that_both_are_over() -> None:
    """Waiting for answers is most of what a look costs, and it comes every ten minutes."""
    asked, looked = Event(), Event()

    class Waiting(Late):
        """Is not done before the look has begun."""

        def tell(self) -> None:
            """See Late."""
            asked.set()
            assert looked.wait(10), "the look waits for it"
            raise REFUSED

    class Keeper(Housekeeper):
        """Is not done before somebody has asked what waits."""

        def look(self, unit: Unit, left_out: Collection[str] = ()) -> None:
            """See Housekeeper."""
            looked.set()
            assert asked.wait(10), f"{unit} is looked at first, but for {left_out}"

    watch, log = Watch(house=House(control=replace(CONTROL, house=True))), Log()
    plumbline = watch.house.plumbline
    nobody: Any = None
    sweeper = replace(
        Sweeper(plumbline, Outlet(), Outlet(), log, lambda: NOW, lambda: 300_000),
        late=Waiting(watch.house.engine, watch.queue, watch.told, lambda: NOW),
        house=Keeper(plumbline, nobody, nobody, nobody, watch.told, log, lambda: NOW),
    )
    with pytest.raises(AwsRefusal):
        sweeper.look_at_the_house()
    assert looked.is_set()


def test_a_look_that_was_missed_loses_nothing() -> None:
    watch = Watch(queue=Queue(NOW + MINUTE, NOW + 18 * MINUTE))
    assert ["late wakes: one has waited for 17 minutes"] == watch.look(LOOK, 3 * LOOK)
