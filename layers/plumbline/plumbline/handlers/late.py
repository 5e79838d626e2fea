"""Work that waits for react: told by each look at Plumbline itself, from SQS's own count of how old messages are.

The queue itself says for nothing whether there is any work. Only where there is, or was at one of the last looks, does
anybody ask CloudWatch, which charges for each question: what waits for longer than a quarter of an hour is there at one
look at least.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from plumbline.engine.settle import Engine
from plumbline.engine.standing import Standing, mark
from plumbline.ports import Alerts, Ledger

#: How long work may wait.
LATE = timedelta(minutes=15)
#: How far each look looks back: a look or two may be missed, and CloudWatch is some minutes late.
LOOKED_BACK = timedelta(minutes=30)
_KEY = "late-wakes"
_SEEN = f"{_KEY}#seen"


def lasts(ledger: Ledger, now: datetime) -> bool:
    """Whether it was told that work waits, and not yet that it does no more.

    Raises:
        LedgerDown: what was told cannot be read.
    """
    return mark(_KEY) in ledger.told_of(mark(_KEY), now)


class Backlog(Protocol):
    """The queue of wakes; see adapters/cloudwatch.py."""

    def waits(self) -> bool:
        """Whether anything is in it, or raise."""

    def longest(self, since: datetime, until: datetime) -> timedelta:
        """For how long the oldest message in it had waited, at the most, or raise."""


@dataclass(frozen=True, slots=True)
class Late:
    """Tells that work waits, and that it does no more.

    Attributes:
        engine: remembers what was told.
        wakes: the queue of work.
        alerts: where what is about Plumbline itself is told.
    """

    engine: Engine
    wakes: Backlog
    alerts: Alerts
    clock: Callable[[], datetime]

    def tell(self) -> None:
        """Tell where work has waited for too long, when that begins, once a day, and when it is over.

        Raises:
            AwsRefusal: SQS or CloudWatch did not say, or nobody took the alert; the next look asks again.
            LedgerDown: what was told cannot be read or written.
        """
        now, ledger, sender = self.clock(), self.engine.ledger, self.engine.deployment.sender
        standing = Standing(replace(self.engine, alerts=self.alerts).notifier, _KEY)
        known = ledger.told_of(_KEY, now)
        if self.wakes.waits():
            ledger.told(_SEEN, now=now, within=LOOKED_BACK)
        elif not known & {_SEEN, standing.mark}:
            return
        from plumbline.alerts import house  # an exception; no look pays for it

        oldest = self.wakes.longest(now - LOOKED_BACK, now)
        if oldest > LATE:
            standing.lasts(lambda: house.late(oldest, sender), now)
        elif standing.mark in known:
            standing.is_over(lambda: house.late_no_more(sender), now)
