"""What goes on for a while: told when it begins, once a day while it lasts, and when it is over.

So speaks an alarm of CloudWatch's. One that this code would have to set itself costs what any does, and tells no more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from plumbline.alerts.alert import Alert
from plumbline.engine.notifier import Notifier

#: Less than a day, for who tells is a schedule, and may come some minutes early.
TOLD_EACH = timedelta(hours=23)
#: How long it is remembered that somebody was told, each time he is.
_REMEMBERED = timedelta(days=30)


def mark(key: str) -> str:
    """What is kept of something that goes on: `Ledger.told_of` has it from when it was told until its end is told."""
    return f"{key}#lasts"


@dataclass(frozen=True, slots=True)
class Standing:
    """One thing that goes on, or does not.

    Attributes:
        notifier: tells, and remembers what was told.
        key: what it is remembered by; all of what is kept of it begins so.
    """

    notifier: Notifier
    key: str

    @property
    def mark(self) -> str:
        """What is kept from when it was told until its end is told."""
        return mark(self.key)

    def lasts(self, alert: Callable[[], Alert], now: datetime) -> None:
        """It goes on: tell, where nobody was told within a day.

        Args:
            alert: what is told, made only where it is.
            now: the time, in UTC.

        Raises:
            AwsRefusal: nobody took the alert; the next one who sees it tells.
            LedgerDown: what was told cannot be read or written.
        """

        def made() -> Alert:
            self.notifier.ledger.told(
                self.mark, now=now, within=_REMEMBERED
            )  # before it is told, or its end may not be
            return alert()

        self.notifier.send_once(self.key, made, now=now, within=TOLD_EACH)

    def is_over(self, alert: Callable[[], Alert], now: datetime) -> None:
        """It does not go on: tell, where it was told that it does. Told, then forgotten: nothing stays untold.

        Raises:
            AwsRefusal: nobody took the alert; the next one who sees it tells.
            LedgerDown: what was told cannot be read or written.
        """
        ledger, at_once = self.notifier.ledger, timedelta(0)
        if self.mark not in ledger.told_of(self.mark, now):
            return
        if self.notifier.send_once(f"{self.key}#over", alert, now=now, within=at_once):
            for one in (self.key, self.mark):  # what begins anew is told anew
                ledger.told(one, now=now, within=at_once)
