"""Whole sweeps, with all that they wake, in bad weather: nothing is lost, and nothing is told or repaired twice.

A day of a house of lamps: sweeps begin each hour, the queues bring messages in any order, late and twice, functions run
out of time anywhere, AWS throttles, lamps go while somebody looks, and clocks jump.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from unittest import mock

import pytest

from plumbline.baseline.rules import Breakers, Letters
from plumbline.compose import Plumbline
from plumbline.controls.index import Index
from plumbline.core.calls import Ask, Call
from plumbline.core.control import Control
from plumbline.core.errors import PlumblineError
from plumbline.core.targets import ALL, GLOBAL, State, Target
from plumbline.findings.adoption import Adoption, mark
from plumbline.handlers.react import Reaction
from plumbline.handlers.sweep import Sweeper
from plumbline.sweep import looking
from plumbline.sweep.units import Unit
from tests.fakes import ACCOUNT, CONTROL, NOW, House, Lamps
from tests.handlers.test_react import Log

MINUTE = timedelta(minutes=1)
#: How often a queue brings a message before it is given up.
_MOST = 5
LAMPS = [f"lamp-{number:03}" for number in range(30)]


def _bulb(ask: Ask, lamp: Target) -> dict[Target, State]:
    name = lamp.id.partition("/")[0]
    return {replace(lamp, id=f"{name}/a"): ask(Call("lamps", "GetLamp", {"Name": f"{name}/a"}))}


def _survey(ask: Ask) -> dict[Target, State]:
    return {one: ask(Call("lamps", "GetLamp", {"Name": one.id})) for one in ask(Call("lamps", "ListLamps"))}


#: The three ways in which a control can see all there is: one by one, by bulk reads and one more for each, in bulk.
WAYS: dict[str, Control] = {
    "one by one": CONTROL,
    "glancing": replace(
        CONTROL,
        find=lambda ask: [replace(one, id=f"{one.id[:-2]}/{ALL}") for one in ask(Call("lamps", "ListLamps"))],
        glance=_bulb,
    ),
    "in bulk": replace(CONTROL, find=None, survey=_survey),
}


@dataclass
class Throttled(Lamps):
    """Lamps of an account that refuses every second read until somebody says that it is over."""

    until: datetime = NOW
    clock: Callable[[], datetime] = lambda: NOW
    asked: int = 0

    def read(self, call: Call) -> Any:
        """See Lamps."""
        self.asked += 1
        if self.asked % 2 and self.clock() < self.until:
            self.fails.setdefault(call.operation, []).insert(0, "Throttling: Rate exceeded")
        return super().read(call)


@dataclass
class Queue:
    """Brings what is sent: not before its delay, in any order, and some of it twice."""

    day: Day
    waiting: list[tuple[datetime, int, str]] = field(default_factory=list)
    given_up: int = 0

    def send(self, bodies: Sequence[str], *, delay: int = 0) -> None:
        """See handlers.sweep.Outlet."""
        ready = self.day.now + timedelta(seconds=delay)
        for body in bodies:
            self.waiting += [(ready, 0, body)] * (2 if self.day.chance.random() < self.day.doubled else 1)

    def again(self, seconds: int, tries: int, body: str) -> None:
        """A message that came in vain; it is given up in the end, and the next sweep sees."""
        if tries >= _MOST:
            self.given_up += 1
        else:
            self.waiting.append((self.day.now + timedelta(seconds=seconds), tries, body))

    def bring(self) -> tuple[int, str] | None:
        """One that may be seen now, whichever."""
        ready = [one for one in self.waiting if one[0] <= self.day.now]
        if not ready:
            return None
        chosen = self.day.chance.choice(ready)
        self.waiting.remove(chosen)
        return chosen[1] + 1, chosen[2]


@dataclass
class Day:
    """Some hours of a house.

    Attributes:
        chance: decides what is left open.
        control: how the lamps are looked at.
        doubled: which part of the messages comes twice.
        cut: which part of the questions for the time is answered with "no more".
        jumps: how far each invocation's clock may be off, in minutes.
    """

    chance: Random
    control: Control = CONTROL
    doubled: float = 0.0
    cut: float = 0.0
    jumps: int = 0
    now: datetime = NOW
    house: House = field(init=False)
    units: Queue = field(init=False)
    wakes: Queue = field(init=False)
    swept: Counter[bool] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        lamps = {f"{name}/a": {"on": ["a"] if number % 3 else []} for number, name in enumerate(LAMPS)}
        self.house = House(
            aws=Throttled(lamps),
            control=self.control,
            breakers=Breakers(1000, 1000, 1000, 1000),
            letters=Letters(1000),
        )
        self.house.ledger.marks["lamp-off"] = Adoption(mark(self.plumbline.engine.rule("lamp-off"))).to_json()
        self.units, self.wakes = Queue(self), Queue(self)

    @property
    def plumbline(self) -> Plumbline:
        """As the functions have it."""
        return self.house.plumbline

    def sweep(self) -> None:
        """The schedule's hour has come."""
        self._sweeper().begin()

    def go_on(self, minutes: int) -> None:
        """Let the queues bring what they have for so long; what happens takes seconds."""
        until = self.now + minutes * MINUTE
        while self.now < until:
            self.now += timedelta(seconds=self.chance.choice((1, 5, 20)))
            queue = self.chance.choice((self.units, self.wakes))
            brought = queue.bring()
            if brought is not None:
                self._handle(queue, *brought)

    def _handle(self, queue: Queue, tries: int, body: str) -> None:
        later: list[int] = []
        record = {"messageId": "m", "receiptHandle": "r", "body": body}
        record["attributes"] = {"ApproximateReceiveCount": str(tries)}  # type: ignore[assignment]
        try:
            if queue is self.units:
                self._sweeper().piece(record["body"])
            else:
                Reaction(self.plumbline, Log(), self._clock(), lambda _, seconds: later.append(seconds)).record(record)
        except PlumblineError:
            queue.again(later[0] if later else 30, tries, body)

    def _sweeper(self) -> Sweeper:
        return Sweeper(self.plumbline, self.units, self.wakes, Log(), self._clock(), self._remaining)

    def _clock(self) -> Callable[[], datetime]:
        off = self.chance.randint(-self.jumps, self.jumps) * MINUTE
        return lambda: self.now + off

    def _remaining(self) -> int:
        return 1_000 if self.chance.random() < self.cut else 100_000

    @property
    def told(self) -> Counter[str]:
        """How often people heard of each lamp."""
        return Counter(name for one in self.house.alerts.letters for name in LAMPS if f"{name}/a" in one.subject)

    @property
    def written(self) -> Counter[str]:
        """How often each lamp was switched off."""
        return Counter(
            one.parameters["Name"].partition("/")[0] for one in self.house.aws.calls if one.operation == "SwitchOff"
        )


def _lit() -> set[str]:
    return {name for number, name in enumerate(LAMPS) if number % 3}


def _all_is_well(day: Day) -> None:
    once = dict.fromkeys(_lit(), 1)
    assert (once, once) == (dict(day.written), dict(day.told))
    assert not [one for one in day.house.ledger.findings.values() if one.is_open]
    assert not [name for name, lamp in day.house.aws.lamps.items() if lamp["on"]]
    assert (day.units.waiting, day.wakes.waiting) == ([], [])


@pytest.fixture(autouse=True)
def _short_stretches() -> Iterator[None]:
    with mock.patch.object(looking, "STRETCH", 4):
        yield


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(8))
def test_an_account_that_throttles_every_second_call_for_ten_minutes(way: str, seed: int) -> None:
    """Each of these calls was tried as often as botocore tries already; see `adapters.clients`."""
    day = Day(Random(seed), WAYS[way], doubled=0.1, cut=0.05)  # noqa: S311 -- weather
    throttled = day.house.aws
    assert isinstance(throttled, Throttled)
    throttled.until, throttled.clock = NOW + 10 * MINUTE, lambda: day.now
    for _ in range(3):
        day.sweep()
        day.go_on(60)
    assert throttled.asked
    assert not [one for one in day.house.alerts.letters if "cannot" in one.subject]
    _all_is_well(day)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(12))
def test_pieces_and_wakes_in_any_order_some_twice_and_cut_off_anywhere(way: str, seed: int) -> None:
    day = Day(Random(seed), WAYS[way], doubled=0.3, cut=0.1)  # noqa: S311 -- weather
    for _ in range(2):
        day.sweep()
        day.go_on(60)
    _all_is_well(day)
    assert len(day.house.ledger.sweeps.known(ACCOUNT)) == 2
    assert all(one.is_through for one in day.house.ledger.sweeps.known(ACCOUNT))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(12))
def test_a_clock_that_jumps_forwards_and_backwards_between_pieces(way: str, seed: int) -> None:
    """By up to three hours, each invocation's its own way: further than any lease, retry or reminder of an hour."""
    day = Day(Random(seed), WAYS[way], cut=0.1, jumps=180)  # noqa: S311 -- weather
    for _ in range(12):
        day.sweep()
        day.go_on(60)
    once = dict.fromkeys(_lit(), 1)
    assert once == dict(day.written)
    assert once == dict(day.told)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(12))
def test_lamps_that_go_between_the_pieces_of_a_look(way: str, seed: int) -> None:
    """Nobody hears of what went before anybody settled it; all others are put right."""
    day = Day(Random(seed), WAYS[way], cut=0.2)  # noqa: S311 -- weather
    day.sweep()
    gone: set[str] = set()
    for _ in range(20):
        day.go_on(1)
        name = day.chance.choice(LAMPS)
        day.house.aws.lamps.pop(f"{name}/a", None)
        gone.add(name)
    day.go_on(40)
    day.sweep()
    day.go_on(60)
    assert _lit() - gone <= day.written.keys()
    assert {1} == {*day.written.values(), *day.told.values()}
    assert day.written.keys() == day.told.keys()


@pytest.mark.parametrize("way", WAYS)
def test_a_unit_that_is_delivered_twice_at_the_same_time(way: str) -> None:
    """While one function looks through it another one does: what both report is settled once."""
    day = Day(Random(1), WAYS[way])  # noqa: S311 -- weather
    day.sweep()
    ((_, _, body),) = day.units.waiting
    day.units.waiting.clear()
    inner = iter([body])

    def meanwhile() -> int:
        if (other := next(inner, None)) is not None:
            Sweeper(day.plumbline, day.units, day.wakes, Log(), lambda: day.now, lambda: 300_000).piece(other)
        return 300_000

    Sweeper(day.plumbline, day.units, day.wakes, Log(), lambda: day.now, meanwhile).piece(body)
    day.go_on(60)
    _all_is_well(day)


_OLD = {"plumbline-unit": 1, "account": ACCOUNT, "region": GLOBAL, "controls": ["lamp-off"], "last": True}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "after",
    ["", f"{ACCOUNT}/global/lamp/lamp-007/a", f"{ACCOUNT}/global/lamp/lamp-007/*", "lamp-007", "é", {"page": 7}, None],
    ids=str,
)
def test_a_place_that_an_earlier_version_wrote_is_understood_or_the_next_sweep_begins_anew(
    way: str, after: object
) -> None:
    day = Day(Random(2), WAYS[way])  # noqa: S311 -- weather
    day.units.send([json.dumps({**_OLD, "after": after})])
    day.go_on(30)
    day.sweep()
    day.go_on(60)
    _all_is_well(day)


def test_a_unit_that_names_a_control_of_another_version_goes_on_with_those_there_are() -> None:
    unit = Unit(ACCOUNT, GLOBAL, ("lamp-was", "lamp-off"), after=f"{ACCOUNT}/global/lamp/lamp-007")
    index = Index.of({"lamp-off": replace(CONTROL, aliases=("lamp-was",))})
    assert Unit(ACCOUNT, GLOBAL, ("lamp-off",), after=unit.after) == unit.understood(index)
