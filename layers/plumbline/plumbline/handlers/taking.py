"""Taking pieces of a sweep from their queue: one after another for as long as there is time, by a few runs at a time.

Lambda could bring them, and would ask the queue all month for messages that are there for a minute of each hour. So
whoever puts pieces there takes them himself; and so does the look at Plumbline itself, every ten minutes: what a run
left that died, or what came while nobody was there, waits no longer. A piece that fails comes back when the queue's
time-out is over; after its last try SQS moves it to the dead letters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from plumbline.core.clock import utc
from plumbline.core.errors import AwsRefusal, PlumblineError
from plumbline.handlers.react import Log, Outlet
from plumbline.ports import Message

#: The event that has this function take pieces.
_TASK = {"plumbline-task": "pieces"}
#: Runs beside the first one of a sweep, and milliseconds after which they come: a small account, which takes half as
#: long with every region governed (docs/costs.md), needs none of them.
HELPERS, ALONE_MILLISECONDS = 4, 60_000
#: A sweep's runs follow each other until the next sweep begins, whose runs take what is left.
SWEEPS_EACH = timedelta(hours=1)
#: As often as Plumbline looks at itself, which takes what waits.
LOOKS_EACH = timedelta(minutes=10)
#: Who has less left than this takes no further piece; who had more when he began one, and came nowhere, never will.
ENOUGH_MILLISECONDS = 120_000


class Waiting(Protocol):
    """A queue that pieces wait in; see adapters/sqs.py."""

    def take(self, *, wait: int) -> Message | None:
        """One of them, which nobody else sees for a while; None where there is none. Or raise."""

    def delete(self, receipt: str) -> None:
        """Delete one that is done, or raise."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one run is to do.

    Attributes:
        until: till when another run goes on where this one has no time left; None where none does.
        helpers: how many more it may call, where there is much to do.
    """

    until: datetime | None = None
    helpers: int = 0

    def to_event(self) -> dict[str, object]:
        """What the function is called with."""
        return {**_TASK, "until": self.until.isoformat() if self.until else "", "helpers": self.helpers}

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Share:
        """The share that `to_event` wrote."""
        until = str(event.get("until") or "")
        return cls(utc(until) if until else None, min(int(event.get("helpers") or 0), HELPERS))


@dataclass(frozen=True, slots=True)
class Called:
    """The queue of pieces, for who puts some there and takes none: he calls a run that does.

    Attributes:
        queue: the queue.
        call: has the sweep's function run with an event.
        share: what that run is to do.
        is_wanted: whether a run is called at all: another one may be under way, and the next look is soon.
    """

    queue: Outlet
    call: Callable[[Mapping[str, object]], None]
    share: Share
    logger: Log
    is_wanted: Callable[[], bool] = lambda: True

    def send(self, bodies: Sequence[str], *, delay: int = 0) -> None:
        """Send pieces, and have them taken.

        Raises:
            PlumblineError: they could not be sent.
        """
        self.queue.send(bodies, delay=delay)
        try:
            if self.is_wanted():
                self.call(self.share.to_event())
        except PlumblineError as error:  # they are there; the next look at Plumbline itself takes them
            self.logger.error("no run called", extra={"reason": str(error)})


@dataclass(frozen=True, slots=True)
class Work:
    """A run that takes pieces.

    Attributes:
        waiting: where pieces wait.
        do: does what the body of one asks for; says whether it has sent parts of it; or raises.
        call: has this function run once more, with an event.
        clock: the time, in UTC.
        remaining: milliseconds until Lambda stops this invocation.
    """

    waiting: Waiting
    do: Callable[[str], bool]
    call: Callable[[Mapping[str, object]], None]
    logger: Log
    clock: Callable[[], datetime]
    remaining: Callable[[], int]

    def take(self, share: Share, *, wait: int = 1) -> int:
        """Take what waits until nothing does, or until there is no time left.

        Args:
            share: who else takes.
            wait: seconds to wait for a piece.

        Returns:
            how many were taken.
        """
        began, taken, helpers = self.remaining(), 0, share.helpers
        while True:
            if taken and self.remaining() < ENOUGH_MILLISECONDS:
                if share.until is not None and self.clock() < share.until:
                    self._call(Share(share.until, helpers))
                return taken
            message = self._taken(wait)
            if message is None:
                return taken
            taken += 1
            was_split = self._done(message)
            if helpers and (was_split or began - self.remaining() > ALONE_MILLISECONDS):
                for _ in range(helpers):
                    self._call(Share(share.until))
                helpers = 0

    def _taken(self, wait: int) -> Message | None:
        try:
            return self.waiting.take(wait=wait)
        except AwsRefusal as error:  # the next look takes it; that sweeps do not end is told
            self.logger.error("no piece taken", extra={"reason": str(error)})
            return None

    def _done(self, message: Message) -> bool:
        """Do one; what fails comes back by itself, and the others go on."""
        try:
            was_split = self.do(message.body)
            self.waiting.delete(message.receipt)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the next piece may be well
            self.logger.error("piece not done", extra={"reason": f"{type(error).__name__}: {error}"})
            return False
        return was_split

    def _call(self, share: Share) -> None:
        try:
            self.call(share.to_event())
        except AwsRefusal as error:  # the next look takes what is left
            self.logger.error("no further run", extra={"reason": str(error)})
