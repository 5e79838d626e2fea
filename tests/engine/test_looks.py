"""What the settles of a batch share of what they read, and when they look again."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from plumbline.core.calls import Call
from plumbline.core.cause import Origin
from plumbline.core.clock import Response
from plumbline.core.targets import GLOBAL, Target
from plumbline.engine.case import Outcome
from plumbline.engine.looks import Looks, since
from plumbline.engine.settle import Engine
from plumbline.findings.finding import LEASE, Status
from plumbline.wakes.messages import Wake
from tests.fakes import ACCOUNT, CONTROL, LAMP, MALLORY, NOW, House, LampEyes, Lamps

SECOND = timedelta(seconds=1)
WIDE = Call("lamps", "ListLamps", wide=True)
DESK = Target(ACCOUNT, GLOBAL, "lamp", "desk")


@dataclass
class Remembering(LampEyes):
    """Eyes with a memory, as the reader has it."""

    answers: dict[str, Any] = field(default_factory=dict)

    def afresh(self) -> Remembering:
        """See ports.Eyes."""
        wide = {key: answer for key, answer in self.answers.items() if WIDE.key == key}
        return replace(self, answers=wide)

    def remember(self, services: Container[str], /) -> None:
        """See ports.Eyes."""
        assert not services
        self.answers.clear()

    def __call__(self, call: Call, /) -> Any:
        """See core.Ask."""
        if call.key not in self.answers:
            self.answers[call.key] = self.lamps.read(call)
        return self.answers[call.key]


@dataclass
class Watched(Lamps):
    """Lamps that are looked at with a memory, at a time that moves."""

    at: datetime = NOW
    opened: int = 0

    def eyes(self, account: str, region: str) -> Remembering:
        """See ports.Aws."""
        self.opened += 1
        return Remembering(self, account, region, now=self.at)


@dataclass
class Batch:
    """The settles of one batch, one after the other, and what others do between them."""

    house: House
    lamps: Watched
    engine: Engine

    def settle(self, target: Target = LAMP, *, after: timedelta = SECOND) -> Outcome:
        """Settle another wake of the batch, a little later."""
        self.lamps.at += after
        return self.engine.settle(Wake(CONTROL.id, target, Origin.EVENT, MALLORY), now=self.lamps.at).outcome


def _batch(response: Response = Response.ENFORCE, **lamps: list[str]) -> Batch:
    watched = Watched({name: {"on": list(on)} for name, on in lamps.items()})
    house = House(aws=watched, response=response)
    return Batch(house, watched, replace(house.engine, aws=Looks(watched)))


def test_a_batch_looks_once_at_what_all_its_wakes_ask() -> None:
    batch = _batch(hall=[], desk=[])
    for target in (LAMP, DESK, LAMP, LAMP):
        assert batch.settle(target) is Outcome.COMPLIANT
    assert batch.lamps.opened == 1
    assert [one.parameters["Name"] for one in batch.lamps.calls] == ["hall", "desk"]


@pytest.mark.parametrize("response", [Response.ALERT, Response.OBSERVE, Response.PROPOSE])
def test_what_is_not_written_is_told_from_the_look_of_the_batch(response: Response) -> None:
    batch = _batch(response, hall=["a"], desk=["b"])
    assert batch.settle(LAMP) is Outcome.TOLD
    assert batch.settle(DESK) is Outcome.TOLD
    assert batch.lamps.opened == 1


def test_what_is_written_is_planned_from_a_look_that_began_with_its_settle() -> None:
    batch = _batch(hall=[], desk=["a"])
    assert batch.settle(LAMP) is Outcome.COMPLIANT
    shared = batch.engine.aws.eyes(ACCOUNT, GLOBAL)
    assert shared(Call("lamps", "GetLamp", {"Name": "desk"}))["on"] == ["a"]
    batch.lamps.lamps["desk"]["on"] = ["a", "b"]
    assert batch.settle(DESK) is Outcome.REPAIRED
    (finding,) = (one for one in batch.house.ledger.findings.values() if one.target == DESK)
    assert finding.repairs[-1].before == {"on": ["a", "b"]}
    assert batch.lamps.lamps["desk"]["on"] == []


@pytest.mark.parametrize(("age", "asked"), [(5, 1), (11, 2)])
def test_what_is_written_may_be_planned_from_a_wide_read_of_the_last_seconds(age: int, asked: int) -> None:
    batch = _batch(hall=[], desk=["a"])
    batch.engine.aws.eyes(ACCOUNT, GLOBAL)(WIDE)
    assert batch.settle(DESK, after=age * SECOND) is Outcome.REPAIRED
    looks = Looks(batch.lamps)
    looks.eyes(ACCOUNT, GLOBAL)(WIDE)
    batch.lamps.calls.clear()
    assert looks.anew(ACCOUNT, GLOBAL, batch.lamps.at + age * SECOND)
    looks.eyes(ACCOUNT, GLOBAL)(WIDE)
    assert asked - 1 == len(batch.lamps.calls)


def test_a_look_that_is_dropped_holds_nothing_any_more() -> None:
    """What was made of answers holds the eyes, and they hold it: nothing else would let a whole account go."""
    batch = _batch(hall=["a"])
    shared = batch.engine.aws.eyes(ACCOUNT, GLOBAL)
    shared(WIDE)
    assert isinstance(shared, Remembering)
    assert batch.settle(LAMP, after=0 * SECOND) is Outcome.REPAIRED
    assert shared.answers == {}


def test_somebody_put_it_right_since_the_look_of_the_batch_and_nothing_is_written() -> None:
    batch = _batch(hall=["a"], desk=[])
    shared = batch.engine.aws.eyes(ACCOUNT, GLOBAL)
    assert shared(Call("lamps", "GetLamp", {"Name": "hall"}))["on"] == ["a"]
    batch.lamps.lamps["hall"]["on"] = []
    assert batch.settle(LAMP) is Outcome.COMPLIANT
    assert [one.operation for one in batch.lamps.calls] == ["GetLamp", "GetLamp"]


def test_after_a_write_nothing_that_was_read_before_is_believed() -> None:
    batch = _batch(hall=["a"], desk=[])
    assert batch.settle(DESK) is Outcome.COMPLIANT
    assert batch.settle(LAMP) is Outcome.REPAIRED
    batch.lamps.lamps["desk"]["on"] = ["b"]
    assert batch.settle(DESK) is Outcome.REPAIRED


def test_a_write_that_failed_may_have_happened_all_the_same() -> None:
    batch = _batch(hall=["a"])
    batch.lamps.fails["SwitchOff"] = ["Timeout"]
    assert batch.settle(LAMP) is Outcome.FAILED
    act = batch.engine.aws.hands(CONTROL, LAMP, (), ())
    eyes = batch.engine.aws.eyes(ACCOUNT, GLOBAL)
    act(Call("lamps", "SwitchOff", {"Name": "hall", "Bulb": "a"}))
    assert batch.engine.aws.eyes(ACCOUNT, GLOBAL) is not eyes


def test_what_another_process_has_repaired_since_the_look_is_no_new_deviation() -> None:
    """It looked, repaired and recorded while this batch held its look; the ledger is asked after that."""
    batch = _batch(hall=["a"], desk=[])
    shared = batch.engine.aws.eyes(ACCOUNT, GLOBAL)
    assert shared(Call("lamps", "GetLamp", {"Name": "hall"}))["on"] == ["a"]
    assert batch.house.settle(now=batch.lamps.at) == "repaired"
    told = len(batch.house.alerts.subjects)
    assert batch.settle(LAMP, after=15 * SECOND) is Outcome.COMPLIANT
    assert len(batch.house.alerts.subjects) == told
    assert batch.house.finding.status is Status.REPAIRED


@pytest.mark.parametrize("response", [Response.ALERT, Response.PROPOSE])
def test_what_is_not_written_either_is_judged_by_no_look_that_is_older_than_what_the_ledger_heard(
    response: Response,
) -> None:
    """Somebody put it right, and another process closed it, while this batch held a look that showed it as it was."""
    batch = _batch(response, hall=["a"])
    assert batch.settle(LAMP) is Outcome.TOLD
    batch.lamps.lamps["hall"]["on"] = []
    batch.house.settle(now=batch.lamps.at + SECOND)
    assert batch.house.finding.status is Status.RESOLVED
    told = len(batch.house.alerts.subjects)
    assert batch.settle(LAMP, after=2 * SECOND) is Outcome.COMPLIANT
    assert len(batch.house.alerts.subjects) == told


def test_what_the_ledger_heard_of_long_ago_is_judged_by_the_look_of_the_batch() -> None:
    house = House()
    assert house.settle() == "repaired"
    assert since(None, NOW) is None
    assert since(house.finding, NOW + SECOND) == NOW + SECOND  # never later than now
    assert since(house.finding, NOW + 2 * LEASE) == NOW + LEASE
    leased = replace(house.finding, lease=NOW + 3 * LEASE)
    assert since(leased, NOW + 2 * LEASE) == NOW + 2 * LEASE
