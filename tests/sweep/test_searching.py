"""What an event meant without naming it: little is looked through by react, much by the sweep in stretches."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.controls.index import Index
from plumbline.core.calls import Call
from plumbline.core.cause import Origin
from plumbline.core.clock import AT_ONCE
from plumbline.core.control import Control, On
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import GLOBAL, Target
from plumbline.findings.adoption import Adoption, mark
from plumbline.handlers.react import Reaction
from plumbline.handlers.sweep import Sweeper
from plumbline.sweep import looking, searching
from plumbline.sweep.units import Unit
from plumbline.wakes import cloudtrail, messages
from plumbline.wakes.messages import Wake
from tests.fakes import ACCOUNT, CONTROL, NOW, House, Lamps
from tests.handlers.test_react import Log, Outlet

LAMPS = [f"lamp-{number:03}" for number in range(150)]
#: Every third of them is on, and every one of those that nobody can look at is unseen.
LIT = {name for number, name in enumerate(LAMPS) if number % 3 == 0}
EVENT: dict[str, Any] = {
    "id": "e-1",
    "detail-type": "AWS API Call via CloudTrail",
    "source": "aws.lamps",
    "account": ACCOUNT,
    "region": "us-east-1",
    "detail": {
        "eventSource": "lamps.amazonaws.com",
        "eventName": "CutTheMainFuse",
        "eventTime": "2026-03-02T09:29:58Z",
        "awsRegion": "us-east-1",
        "recipientAccountId": ACCOUNT,
        "userIdentity": {"type": "IAMUser", "userName": "mallory", "arn": f"arn:aws:iam::{ACCOUNT}:user/mallory"},
    },
}
#: Whatever happens to the main fuse is about every lamp.
FUSE = On("lamps.amazonaws.com", ("CutTheMainFuse",), lambda one: cloudtrail.here(one, "lamp", "", region=GLOBAL))
FUSED = replace(CONTROL, wakes_on=(FUSE,))
IN_BULK = replace(
    FUSED,
    find=None,
    survey=lambda ask: {
        one: ask(Call("lamps", "GetLamp", {"Name": one.id})) for one in ask(Call("lamps", "ListLamps"))
    },
)


@dataclass
class Place:
    """Many lamps, react and the sweep's function, and the queues between them."""

    control: Control = FUSED
    house: House = field(init=False)
    units: Outlet = field(default_factory=Outlet)
    wakes: Outlet = field(default_factory=Outlet)
    log: Log = field(default_factory=Log)
    questions: int = -1

    def __post_init__(self) -> None:
        self.house = House(
            aws=Lamps({name: {"on": ["a"] if name in LIT else []} for name in LAMPS}),
            control=self.control,
            clocks={"default": AT_ONCE},
        )
        self.house.ledger.marks["lamp-off"] = Adoption(mark(self.house.engine.rule("lamp-off"))).to_json()

    def react(self, body: str, units: Outlet | None) -> None:
        """React gets a message."""
        record = {"messageId": "m", "receiptHandle": "r", "body": body, "attributes": {"ApproximateReceiveCount": "1"}}
        Reaction(self.house.plumbline, self.log, lambda: NOW, lambda *_: None, units=units).record(record)

    def search(self, body: str, questions: int = -1) -> None:
        """The sweep's function gets a unit; after so many questions for the time it is over, never where it is -1."""
        self.questions = questions
        Sweeper(self.house.plumbline, self.units, self.wakes, self.log, lambda: NOW, self._remaining).piece(body)

    def _remaining(self) -> int:
        self.questions -= self.questions > 0
        return 1_000 if not self.questions else 300_000

    def found(self) -> list[Wake]:
        """The wakes that were sent, as react reads them."""
        index = Index.of(self.house.engine.controls)
        return [
            one
            for body in self.wakes.bodies
            for one in messages.read(body, index, index.concerned, index.renamed, ACCOUNT)
        ]


def _announced(place: Place) -> set[tuple[str, Origin, str, str]]:
    return {(one.target.id, one.origin, one.cause.who, one.cause.action) for one in place.found()}


EXPECTED = {(name, Origin.EVENT, "mallory", "CutTheMainFuse") for name in LIT}


@pytest.mark.parametrize("control", [FUSED, IN_BULK], ids=["one by one", "in bulk"])
def test_much_is_handed_over_and_found_with_the_events_cause_and_origin(control: Control) -> None:
    place = Place(control)
    place.react(json.dumps(EVENT), place.units)
    (body,) = place.units.bodies
    assert not place.house.aws.writes
    assert (Unit(ACCOUNT, GLOBAL, ("lamp-off",), asked=json.dumps(EVENT))) == Unit.from_json(body)
    place.units.bodies = []
    place.search(body)
    assert EXPECTED == _announced(place)
    assert [] == place.units.bodies
    assert place.house.ledger.swept is None, "it is no sweep"


def test_little_is_looked_through_at_once() -> None:
    place = Place()
    for name in LAMPS[12:]:
        del place.house.aws.lamps[name]
    place.react(json.dumps(EVENT), place.units)
    assert ([], []) == (place.units.bodies, place.wakes.bodies)
    assert 4 == len(place.house.aws.writes)


def test_where_nobody_else_looks_react_looks_through_it_all() -> None:
    place = Place()
    place.house.breakers = replace(place.house.breakers, per_control=1000, in_all=1000, per_actor=1000)
    place.react(json.dumps(EVENT), None)
    assert len(LIT) == len(place.house.aws.writes)


@given(st.lists(st.integers(1, 60), max_size=8), st.integers(1, 40))
def test_wherever_it_is_cut_off_all_is_found_once(cuts: list[int], stretch: int) -> None:
    place = Place()
    place.react(json.dumps(EVENT), place.units)
    with mock.patch.object(looking, "STRETCH", stretch), mock.patch.object(searching, "STRETCH", stretch):
        while place.units.bodies:
            place.search(place.units.bodies.pop(), cuts.pop() if cuts else -1)
    assert EXPECTED == _announced(place)
    assert len(EXPECTED) == len(place.wakes.bodies)


def test_what_cannot_be_seen_is_woken_as_a_sweep_would() -> None:
    """Nobody named it: many of them are told together."""
    place = Place()
    place.house.aws.fails["GetLamp"] = ["AccessDenied"]
    place.react(json.dumps(EVENT), place.units)
    place.search(place.units.bodies.pop())
    unseen = [one for one in place.found() if one.origin is Origin.SWEEP]
    assert [(LAMPS[0], "mallory")] == [(one.target.id, one.cause.who) for one in unseen]
    assert len(LIT) == len(place.found())


def test_what_was_there_before_has_the_grace_whatever_announced_it() -> None:
    place = Place()
    del place.house.ledger.marks["lamp-off"]
    place.house.ledger.never_swept = True
    place.react(json.dumps(EVENT), place.units)
    place.search(place.units.bodies.pop())
    assert {Origin.ADOPTION} == {one.origin for one in place.found()}
    assert not [body for body in place.wakes.bodies if "asked" in body]


def test_what_cannot_be_listed_comes_back() -> None:
    place = Place()
    place.react(json.dumps(EVENT), place.units)
    place.house.aws.fails["ListLamps"] = ["Throttling"]
    with pytest.raises(AwsRefusal):
        place.search(place.units.bodies[0])


def test_a_wake_that_a_sweep_sent_for_all_of_them_is_handed_over_as_well() -> None:
    place = Place()
    place.react(Wake("lamp-off", Target(ACCOUNT, GLOBAL, "*", "*"), Origin.SWEEP).to_json(), place.units)
    place.search(place.units.bodies.pop())
    assert {(name, Origin.SWEEP) for name in LIT} == {(one.target.id, one.origin) for one in place.found()}
    assert not [body for body in place.wakes.bodies if "asked" in body]


_OTHERS: dict[str, Any] = {
    "not Amazon's": {**EVENT, "source": "my.lamps"},
    "another account's": {**EVENT, "account": "444455556666"},
    "about something else": {**EVENT, "detail": {**EVENT["detail"], "eventName": "SwitchOff"}},
    "that failed": {**EVENT, "detail": {**EVENT["detail"], "errorCode": "AccessDenied"}},
    "that is a wake": json.loads(Wake("lamp-off", Target(ACCOUNT, GLOBAL, "*", "*"), Origin.EVENT).to_json()),
    "no mapping": ["x"],
    "a number": 7,
}


@pytest.mark.parametrize("name", _OTHERS)
def test_a_wake_is_no_more_an_events_than_the_event_that_comes_with_it_says(name: str) -> None:
    """Whoever may write such a wake may write the event itself; of less he makes no more."""
    wake = Wake("lamp-off", Target(ACCOUNT, GLOBAL, "lamp", LAMPS[0]), Origin.EVENT, asked=json.dumps(_OTHERS[name]))
    index = Index.of({"lamp-off": FUSED})
    (found,) = messages.read(wake.to_json(), index, index.concerned, index.renamed, ACCOUNT)
    assert Origin.SWEEP is found.origin


@pytest.mark.parametrize("asked", ["", "{", "null", "x" * 70_000])
def test_a_wake_without_an_event_that_can_be_read_is_a_sweeps(asked: str) -> None:
    wake = Wake("lamp-off", Target(ACCOUNT, GLOBAL, "lamp", LAMPS[0]), Origin.EVENT, asked=asked)
    (found,) = messages.read(wake.to_json(), {"lamp-off": FUSED}, account=ACCOUNT)
    assert Origin.SWEEP is found.origin


def test_an_event_that_names_a_target_makes_nothing_of_another_one_an_events() -> None:
    named = replace(
        CONTROL,
        wakes_on=(On("lamps.amazonaws.com", ("CutTheMainFuse",), lambda one: cloudtrail.here(one, "lamp", "attic")),),
    )
    wake = Wake("lamp-off", Target(ACCOUNT, GLOBAL, "lamp", "hall"), Origin.EVENT, asked=json.dumps(EVENT))
    (found,) = messages.read(wake.to_json(), {"lamp-off": named}, account=ACCOUNT)
    assert Origin.SWEEP is found.origin
