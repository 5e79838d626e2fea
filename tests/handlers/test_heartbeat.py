"""A message stays hidden while it is worked on, and not much longer."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from plumbline.core.cause import Origin
from plumbline.core.errors import PlumblineError
from plumbline.findings.finding import LEASE, Status
from plumbline.handlers.heartbeat import BEAT, HIDDEN_FOR, Heartbeat
from plumbline.handlers.react import ComeBack, Reaction
from plumbline.wakes.messages import Wake
from tests.deployed import properties
from tests.fakes import LAMP, NOW, House
from tests.handlers.test_react import WAKE, Log, _record

PATIENCE = 10.0


@dataclass
class Queue:
    """Keeps what is hidden, and says when so many beats have come."""

    beats: list[tuple[tuple[str, ...], int]] = field(default_factory=list)
    down: bool = False
    beaten: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def hide(self, receipts: Sequence[str], seconds: int) -> None:
        """See Heartbeat.hide."""
        self.beats.append((tuple(receipts), seconds))
        self.beaten.release()
        if self.down:
            raise PlumblineError("no queue")

    def wait(self, beats: int) -> None:
        """Until that many more beats have come."""
        for _ in range(beats):
            assert self.beaten.acquire(timeout=PATIENCE)


def test_what_arrives_is_hidden_for_less_than_a_minute_and_again_while_it_is_worked_on() -> None:
    queue = Queue()
    with Heartbeat(queue.hide, ["a", "b"], beat=0.01) as beat:
        queue.wait(2)
        beat.done("a")
        queue.beats.clear()
        queue.wait(3)
    assert (("b",), HIDDEN_FOR) == queue.beats[-1]
    assert HIDDEN_FOR + BEAT <= 60


def test_a_batch_that_is_over_is_left_alone() -> None:
    queue = Queue()
    with Heartbeat(queue.hide, ["a"], beat=0.01) as beat:
        queue.wait(1)
        beat.done("a")
    count = len(queue.beats)
    assert not queue.beaten.acquire(timeout=0.1) or len(queue.beats) == count


def test_a_queue_that_refuses_keeps_nobody_from_working() -> None:
    queue = Queue(down=True)
    with Heartbeat(queue.hide, ["a"], beat=0.01):
        queue.wait(2)


def test_a_message_that_comes_back_at_its_own_time_is_not_hidden_any_more() -> None:
    house, order = House(), []
    house.ledger.down = True
    reaction = Reaction(
        house.plumbline, Log(), lambda: NOW, lambda *one: order.append(one), lambda one: order.append(("done", one))
    )
    with pytest.raises(PlumblineError):
        reaction.record(_record(WAKE))
    assert [("done", "r-1"), ("r-1", 15)] == order


@pytest.mark.parametrize("seconds", [1, 20, 49])
@pytest.mark.parametrize("deviant", [True, False])
def test_what_a_killed_process_has_left_is_taken_over_within_a_minute_of_its_end(
    seconds: int, *, deviant: bool
) -> None:
    """Its message comes back within 45 seconds; where its lease still holds then, again when that has ended."""
    house, later = House(), []
    house.settle()
    begun = NOW + timedelta(hours=1)
    lease = begun + LEASE
    left = replace(house.finding, status=Status.ACTING, lease=lease, due=lease, closed_at=None)
    house.ledger.findings[(house.control.id, LAMP)] = left
    house.aws.lamps["hall"]["on"] = ["a"] if deviant else []
    back = begun + timedelta(seconds=seconds)
    reaction = Reaction(house.plumbline, Log(), lambda: back, lambda *one: later.append(one))
    with pytest.raises(ComeBack):
        reaction.record(_record(Wake("lamp-off", LAMP, Origin.SWEEP).to_json(), tries=2))
    ((_, after),) = later
    assert back + timedelta(seconds=after) == lease + timedelta(seconds=1)
    assert timedelta(seconds=after) + (back - begun) < timedelta(minutes=1)


def test_nobody_runs_for_longer_than_a_lease() -> None:
    """Else a second process would act beside the first; and a queue hides its messages for longer than that."""
    functions = properties("AWS::Lambda::Function")
    assert {45} == {functions[name]["Timeout"] for name in ("ReactFunction", "OperateFunction")}
    assert timedelta(seconds=45) < LEASE < timedelta(minutes=1)
    queue = properties("AWS::SQS::Queue")["WakesQueue"]
    assert (360, 5) == (queue["VisibilityTimeout"], queue["RedrivePolicy"]["maxReceiveCount"])
