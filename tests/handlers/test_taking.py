"""Pieces that wait are taken: by whoever runs, by a few at a time where there is much, and never lost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from plumbline.core.errors import AwsRefusal, PlumblineError
from plumbline.handlers.taking import HELPERS, Called, Share, Work
from plumbline.ports import Message
from tests.fakes import NOW
from tests.handlers.test_react import Log, Outlet

_HOUR = timedelta(hours=1)
_REFUSED = AwsRefusal("AccessDenied", "no")


@dataclass
class Day:
    """Pieces, each of which takes some seconds, and one run of the function that has 300."""

    pieces: list[tuple[str, float]]
    splits: frozenset[str] = frozenset()
    breaks: Mapping[str, Exception] = field(default_factory=dict)
    refuses: frozenset[str] = frozenset()
    taken: float = 0
    done: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    waited: list[int] = field(default_factory=list)
    called: list[Mapping[str, object]] = field(default_factory=list)

    def take(self, *, wait: int) -> Message | None:
        """See Waiting."""
        self.waited.append(wait)
        if "take" in self.refuses:
            raise _REFUSED
        if len(self.done) == len(self.pieces):
            return None
        name, _ = self.pieces[len(self.done)]
        return Message(name, name, f"receipt of {name}")

    def delete(self, receipt: str) -> None:
        """See Waiting."""
        if "delete" in self.refuses:
            raise _REFUSED
        self.deleted.append(receipt.removeprefix("receipt of "))

    def do(self, body: str) -> bool:
        """It takes its time."""
        self.taken += dict(self.pieces)[body]
        self.done.append(body)
        if body in self.breaks:
            raise self.breaks[body]
        return body in self.splits

    def call(self, event: Mapping[str, object]) -> None:
        """A further run is wanted."""
        if "call" in self.refuses:
            raise _REFUSED
        self.called.append(json.loads(json.dumps(event)))

    def work(self, share: Share, log: Log | None = None, wait: int = 1) -> int:
        """One run."""
        return Work(self, self.do, self.call, log or Log(), self._clock, self._remaining).take(share, wait=wait)

    def _clock(self) -> datetime:
        return NOW + timedelta(seconds=self.taken)

    def _remaining(self) -> int:
        return round((300 - self.taken) * 1000)


def test_a_small_account_is_done_by_one_run() -> None:
    day = Day([(f"{number}", 1.5) for number in range(36)])
    assert day.work(Share(NOW + _HOUR, HELPERS)) == 36
    assert (day.deleted, day.called) == ([name for name, _ in day.pieces], [])


@pytest.mark.parametrize("splits", [frozenset({"0"}), frozenset[str]()], ids=["split", "long"])
def test_where_there_is_much_a_few_help_once_and_call_no_others(splits: frozenset[str]) -> None:
    day = Day([(f"{number}", 1 if splits else 35) for number in range(5)], splits)
    day.work(Share(NOW + _HOUR, HELPERS))
    assert [Share(NOW + _HOUR)] * HELPERS == [Share.from_event(one) for one in day.called]


def test_who_has_no_time_left_calls_the_next_and_that_one_may_still_call_helpers() -> None:
    day = Day([("0", 10), ("1", 10), ("2", 161), ("3", 1)])
    assert day.work(Share(NOW + _HOUR, 0)) == 3
    assert [Share(NOW + _HOUR)] == [Share.from_event(one) for one in day.called]
    day = Day([("0", 181), ("1", 1)])
    day.work(Share(NOW + _HOUR, 2))
    assert [Share(NOW + _HOUR)] * 3 == [Share.from_event(one) for one in day.called], "two help, and one goes on"


def test_runs_of_a_sweep_follow_each_other_until_the_next_sweep_begins_and_others_do_not() -> None:
    """Else they would be more with each hour in which one does not end, and with each event that means many things."""
    for share in (Share(NOW), Share()):
        day = Day([("0", 200), ("1", 1)])
        assert day.work(share) == 1
        assert [] == day.called


def test_a_first_piece_is_tried_whatever_time_there_is() -> None:
    day = Day([("0", 10), ("1", 10)], taken=200)
    assert day.work(Share()) == 1


@pytest.mark.parametrize("error", [PlumblineError("down"), ValueError("a fault of ours")])
def test_what_fails_comes_back_and_the_others_go_on(error: Exception) -> None:
    day, log = Day([("0", 1), ("1", 1), ("2", 1)], breaks={"1": error}), Log()
    assert day.work(Share(), log) == 3
    assert day.deleted == ["0", "2"], "what is not deleted is seen again when the queue's time-out is over"
    assert "piece not done" in str(log.lines)


@pytest.mark.parametrize("what", ["take", "delete", "call"])
def test_a_queue_or_function_that_refuses_loses_nothing_and_is_said(what: str) -> None:
    day, log = Day([("0", 200), ("1", 1)], frozenset({"0"}), refuses=frozenset({what})), Log()
    day.work(Share(NOW + _HOUR, HELPERS), log)
    assert log.lines
    assert day.deleted == ([] if what in ("take", "delete") else ["0"])


def test_the_look_at_plumbline_itself_waits_for_nothing() -> None:
    day = Day([])
    day.work(Share(), wait=0)
    assert day.waited == [0]


@pytest.mark.parametrize("share", [Share(), Share(NOW, 0), Share(NOW, HELPERS)])
def test_a_share_reads_what_it_wrote(share: Share) -> None:
    assert Share.from_event(json.loads(json.dumps(share.to_event()))) == share


def test_nobody_has_more_helpers_than_there_are_whatever_he_is_told() -> None:
    assert Share.from_event({"plumbline-task": "pieces", "helpers": 10_000}).helpers == HELPERS
    assert Share.from_event({"plumbline-task": "pieces"}) == Share()


def test_who_puts_pieces_there_calls_a_run_that_takes_them() -> None:
    queue, day = Outlet(), Day([])
    Called(queue, day.call, Share(NOW, 1), Log()).send(["a", "b"])
    assert (queue.bodies, [Share.from_event(one) for one in day.called]) == (["a", "b"], [Share(NOW, 1)])


def test_no_run_is_called_where_one_was_a_moment_ago_and_what_is_refused_is_said() -> None:
    queue, day = Outlet(), Day([])
    Called(queue, day.call, Share(), Log(), lambda: False).send(["a"])
    assert (queue.bodies, day.called) == (["a"], [])
    log = Log()
    Called(queue, Day([], refuses=frozenset({"call"})).call, Share(), log).send(["b"])
    assert queue.bodies == ["a", "b"], "the next look at Plumbline itself takes them"
    assert "no run called" in str(log.lines)


def test_what_could_not_be_sent_calls_nobody() -> None:
    class Down:
        def send(self, _bodies: Sequence[str], *, delay: int = 0) -> None:
            raise PlumblineError("down")

    day = Day([])
    with pytest.raises(PlumblineError):
        Called(Down(), day.call, Share(), Log()).send(["a"])
    assert day.called == []
