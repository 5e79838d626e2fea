"""What react does with one record: read it, settle what it asks for, decide whether it comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from plumbline.compose import Plumbline
from plumbline.core.errors import MalformedWake, PlumblineError
from plumbline.core.targets import Target
from plumbline.engine.case import Settled
from plumbline.engine.expanding import Most, TooMuch
from plumbline.engine.looks import Looks
from plumbline.engine.settle import Engine
from plumbline.wakes import messages

#: What react looks through itself, and settles within its time with nine other messages. A hundred targets, eight reads
#: each and sixteen at a time, take seven seconds at 140 milliseconds a read.
MOST = Most(looked_at=100, found=10)
#: Doubles with each try: 15, 30, 60, 120 seconds.
_FIRST_RETRY_SECONDS = 15
#: Who has less left than this does not begin with another message: in an account of five thousand roles it takes half.
_ENOUGH_MILLISECONDS = 12_000
#: Seconds after the end of a lease, or after what AWS takes to show something: clocks differ.
_PAST_IT = 1


class Outlet(Protocol):
    """A queue."""

    def send(self, bodies: Sequence[str], *, delay: int = 0) -> None:
        """Send messages, seen after `delay` seconds, or raise."""


class Log(Protocol):
    """The part of a logger that is used here."""

    def info(self, msg: object, /, *, extra: Mapping[str, object] | None = None) -> None:
        """Something happened as it should."""

    def error(self, msg: object, /, *, extra: Mapping[str, object] | None = None) -> None:
        """Something did not."""


class ComeBack(PlumblineError):
    """This record has to be looked at again; the queue brings it back.

    Attributes:
        after: in so many seconds; None where nobody knows better than to wait longer each time.
    """

    def __init__(self, message: str, after: int | None = None) -> None:
        super().__init__(message)
        self.after = after


@dataclass(frozen=True, slots=True)
class Reaction:
    """One batch. Remembers which targets it has settled, so that a duplicate within the batch is settled once.

    Attributes:
        later: makes a failed message come back after some seconds; else it waits for the queue's visibility time-out.
        done: is told of each message that this process is done with, whichever way.
        remaining: milliseconds until Lambda stops this invocation; what there is no time for comes back at once.
        units: where it sends what names no target and stands for more than it can look through; None where nobody else
            looks.
        most: what it looks through itself.
    """

    plumbline: Plumbline
    logger: Log
    clock: Callable[[], datetime]
    later: Callable[[str, int], None]
    done: Callable[[str], None] = lambda _receipt: None
    remaining: Callable[[], int] = lambda: _ENOUGH_MILLISECONDS
    settled: dict[tuple[str, Target], Settled] = field(default_factory=dict)
    units: Outlet | None = None
    most: Most = MOST
    #: It looks once at what several wakes of the batch ask for.
    _engine: Engine = field(init=False, repr=False)

    def __post_init__(self) -> None:
        engine = self.plumbline.engine
        object.__setattr__(self, "_engine", replace(engine, aws=Looks(engine.aws)))

    def record(self, record: Any) -> None:  # noqa: ANN401 - an SQS record: Powertools' type or a plain dict
        """Settle one SQS record.

        Raises:
            ComeBack: something has to be looked at again.
            MalformedWake: the message cannot be read; after its last try it goes to the dead-letter queue.
            PlumblineError: the ledger or SNS is down; nothing may be lost, so the message comes back.
        """
        try:
            if self.remaining() < _ENOUGH_MILLISECONDS:
                raise ComeBack("the others of its batch took all the time there was", _PAST_IT)
            self._record(record)
        except PlumblineError as error:
            tries = int(record["attributes"]["ApproximateReceiveCount"])
            after = error.after if isinstance(error, ComeBack) else None
            self.done(record["receiptHandle"])
            self.later(record["receiptHandle"], after or _FIRST_RETRY_SECONDS * 2 ** (tries - 1))
            raise
        self.done(record["receiptHandle"])

    def _record(self, record: Any) -> None:  # noqa: ANN401
        try:
            task = messages.task(record["body"])
            if task is not None:
                self._run(task)
                return
            index = self.plumbline.index
            asked = messages.read(record["body"], index, index.concerned, index.renamed, self.plumbline.account)
        except MalformedWake as error:
            self.logger.error("malformed message", extra={"reason": str(error), "message_id": record["messageId"]})
            raise
        failures: list[PlumblineError] = []
        for wake in filter(self.plumbline.governs, asked):
            try:  # one control's failure never stops the next
                self._settle(wake, record["body"])
            except PlumblineError as error:
                self.logger.error(
                    "not settled", extra=_named(wake) | {"reason": str(error), "error": type(error).__name__}
                )
                failures.append(error)
        if failures:
            raise failures[0]

    def _run(self, task: messages.Task) -> None:
        """Do something for the account as a whole."""
        engine, account, now = self.plumbline.engine, self.plumbline.account, self.clock()
        if task is messages.Task.DIGEST:
            from plumbline.handlers.commanders import commanders  # once an hour, if at all

            told = engine.digest(account, now=now, commanders=lambda: commanders(engine, account))
        elif task is messages.Task.WEEKLY:
            told = engine.weekly(account, now=now)
        elif task is messages.Task.UNHEARD:
            told = engine.unheard(account, now=now)
        else:
            # a task of once a day; no wake's cold start pays for it
            from plumbline.handlers import exemption_notices, suspension_notices

            told = exemption_notices.tell_due(self.plumbline, now=now)
            told += suspension_notices.tell_due(self.plumbline, now=now)
        self.logger.info("task done", extra={"task": task.value, "told": told})

    def _settle(self, wake: messages.Wake, body: str) -> None:
        now = self.clock()
        try:
            expanded = self._expanded(wake, now) if wake.target.is_pattern else (wake,)
        except TooMuch as much:
            self._hand_over(wake, body, str(much))
            return
        if isinstance(expanded, Settled):
            self._report(expanded)
            return
        for one in expanded:
            key = (one.control, one.target)
            # what an event says differs from event to event; what is observed does not
            if key not in self.settled or one.evidence is not None or one.event is not None:
                self.settled[key] = self._engine.settle(one, now=now)
            self._report(self.settled[key])

    def _expanded(self, wake: messages.Wake, now: datetime) -> Sequence[messages.Wake] | Settled:
        return self._engine.expand(wake, now=now, most=self.most if self.units is not None else None)

    def _hand_over(self, wake: messages.Wake, body: str, why: str) -> None:
        """Let the sweep's function look through it: it has minutes, and goes on where it was cut off."""
        from plumbline.sweep.units import Unit  # hardly ever; no other wake pays for it

        assert self.units is not None  # noqa: S101 -- for the type checker: nothing is too much without it
        engine, control = self.plumbline.engine, self.plumbline.engine.controls[wake.control]
        regions = engine.expanding.regions(control, wake.target.region)
        units = [Unit(wake.target.account, region, (wake.control,), asked=body) for region in regions]
        self.units.send([one.to_json() for one in units])
        self.logger.info("handed over", extra=_named(wake) | {"reason": why})

    def _report(self, settled: Settled) -> None:
        extra = _named(settled.wake) | {"outcome": settled.outcome.value, "reason": settled.reason}
        if settled.finding is not None:
            extra["finding"] = settled.finding.id
        self.logger.info("settled", extra=extra)
        if settled.again:
            message = f"{settled.wake.control} on {settled.wake.target}: {settled.outcome.value}: {settled.reason}"
            raise ComeBack(message, self._seconds_to_wait(settled))

    def _seconds_to_wait(self, settled: Settled) -> int | None:
        """How long to leave a target alone; None where nobody knows.

        What a process has left that died is taken over as soon as it may be.
        """
        finding, now = settled.finding, self.clock()
        leased = finding.lease if finding is not None and finding.is_leased(now) else None
        until = settled.shown_by or leased
        return None if until is None else max(0, int((until - now).total_seconds())) + _PAST_IT


def _named(wake: messages.Wake) -> dict[str, Any]:
    return {"control": wake.control, "target": str(wake.target), "origin": wake.origin.value}
