"""Which functions failed is told by the hour, once of each, and whatever comes of it the sweep goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from plumbline.core.calls import Call
from plumbline.core.errors import AwsRefusal
from plumbline.handlers.failures import Failures
from plumbline.handlers.sweep import Sweeper
from tests.fakes import NOW, House, Letterbox
from tests.handlers.test_react import Log, Outlet

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NINE = NOW.replace(hour=9, minute=0, second=0, microsecond=0)
REFUSED = AwsRefusal("Throttling", "Rate exceeded", Call("cloudwatch", "GetMetricData"))


@dataclass
class Counted:
    """What Lambda counts."""

    failed_at: dict[datetime, dict[str, int]] = field(default_factory=dict)
    asked: list[tuple[Sequence[str], datetime, datetime]] = field(default_factory=list)
    refused: bool = False

    def failed(
        self, functions: Sequence[str], since: datetime, until: datetime
    ) -> Mapping[datetime, Mapping[str, int]]:
        """See handlers.failures.Runs."""
        if self.refused:
            raise REFUSED
        self.asked.append((functions, since, until))
        return {hour: found for hour, found in self.failed_at.items() if since <= hour < until}


@dataclass
class Watch:
    """Sweeps that ask."""

    house: House = field(default_factory=House)
    counted: Counted = field(default_factory=Counted)
    told: Letterbox = field(default_factory=Letterbox)

    def at(self, now: datetime) -> Failures:
        """What asks at a time."""
        return Failures(self.house.engine, self.counted, self.told, lambda: now)


def test_nothing_is_told_where_nothing_failed() -> None:
    watch = Watch()
    assert 0 == watch.at(NINE + 30 * MINUTE).tell()
    functions = [f"plumbline-{one}" for one in ("announce", "operate", "react", "sweep")]
    assert [(functions, NINE - 6 * HOUR, NINE)] == watch.counted.asked
    assert [] == watch.told.subjects


@pytest.mark.parametrize("late", [-3 * MINUTE, 0 * MINUTE, 3 * MINUTE])
def test_every_third_sweep_asks_and_no_hour_is_left_out(late: timedelta) -> None:
    """CloudWatch charges for each question, and not for how many hours it is about."""
    watch = Watch()
    for number in range(12):
        watch.at(NINE + number * HOUR + (number % 2) * late + 15 * MINUTE).tell()
    assert 4 == len(watch.counted.asked)
    begins = [(since, until) for _, since, until in watch.counted.asked]
    assert all(later[0] <= earlier[1] for earlier, later in pairwise(begins))


@pytest.mark.parametrize("first", [timedelta(hours=hours) for hours in range(3)])
@pytest.mark.parametrize("minute", [9, 10, 59])
def test_a_failure_is_told_within_four_hours_and_ten_minutes(first: timedelta, minute: int) -> None:
    """As docs/operating.md says, whichever sweep has asked last and whenever in the hour sweeps begin."""
    watch = Watch()
    watch.counted.failed_at = {NINE: {"plumbline-react": 1}}
    told_at = next(
        at for number in range(12) if watch.at(at := NINE - 6 * HOUR + first + number * HOUR + minute * MINUTE).tell()
    )
    assert told_at - NINE <= 4 * HOUR + 10 * MINUTE


def test_each_hour_is_told_once_though_two_sweeps_ask_about_it() -> None:
    watch = Watch()
    watch.counted.failed_at = {NINE: {"plumbline-react": 2, "plumbline-operate": 1}}
    for hours in range(8):
        watch.at(NINE + hours * HOUR + 15 * MINUTE).tell()
    assert ["function failed: operate, react, 3 runs within an hour"] == watch.told.subjects
    assert "/aws/lambda/plumbline-react" in watch.told.letters[0].body


def test_an_hour_is_asked_about_when_its_count_is_whole() -> None:
    for minutes, found in ((9, 0), (10, 1)):
        watch = Watch()
        watch.counted.failed_at = {NINE: {"plumbline-sweep": 1}}
        assert found == watch.at(NINE + HOUR + minutes * MINUTE).tell()


def test_sweeps_that_were_missed_lose_no_hour() -> None:
    watch = Watch()
    watch.at(NINE + 15 * MINUTE).tell()
    watch.counted.failed_at = {NINE: {"plumbline-react": 1}}
    watch.at(NINE + 6 * HOUR + 15 * MINUTE).tell()
    assert 1 == len(watch.told.letters)


def test_what_nobody_takes_is_asked_about_and_told_by_the_next_sweep() -> None:
    watch = Watch(told=Letterbox(down=True))
    watch.counted.failed_at = {NINE: {"plumbline-react": 1}}
    with pytest.raises(AwsRefusal):
        watch.at(NINE + 75 * MINUTE).tell()
    watch.told.down = False
    assert 1 == watch.at(NINE + 135 * MINUTE).tell()


def test_a_sweep_begins_where_nobody_can_say_what_failed_and_the_next_one_tells() -> None:
    watch, units, log = Watch(), Outlet(), Log()
    watch.counted.failed_at, watch.counted.refused = {NINE: {"plumbline-react": 1}}, True

    def begin(at: datetime) -> None:
        sweeper = Sweeper(watch.house.plumbline, units, Outlet(), log, lambda: at, lambda: 300_000)
        replace(sweeper, failures=watch.at(at)).begin()

    begin(NINE + 75 * MINUTE)
    assert 1 == len(units.bodies)
    assert "not asked which functions failed" in [text for text, *_ in log.lines]
    watch.counted.refused = False
    begin(NINE + 135 * MINUTE)
    assert ["function failed: react, 1 run within an hour"] == watch.told.subjects
