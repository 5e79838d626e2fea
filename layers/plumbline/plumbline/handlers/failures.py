"""Which of Plumbline's functions failed: told by the sweep, from Lambda's own count.

What is given up for good, waits too long, or has stopped has an alarm that needs none of this code. A run that failed
and was made good by the next try has none: AWS charges for each alarm every month, and next to nothing for a question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from plumbline.core.errors import PlumblineError
from plumbline.engine.settle import Engine
from plumbline.ports import Alerts

_FUNCTIONS = ("announce", "operate", "react", "sweep")
_HOUR = timedelta(hours=1)
#: So long after an hour Lambda's count of it is whole: a run counts for when it began, and takes minutes.
_WHOLE_AFTER = timedelta(minutes=10)
#: How often it is asked, for CloudWatch charges for each function of which it is, and not for hours.
_ASKED_EACH = timedelta(hours=3)
#: Hours that are asked about, so that as many sweeps may be missed. Three that are have an alarm.
_HOURS = 6
_ASKED = "failed-runs-asked"
#: A sweep begins some minutes sooner after the last one now and then.
_SOONER = timedelta(minutes=10)
_TOLD_FOR = timedelta(days=1)


class Runs(Protocol):
    """How functions fared; see adapters/cloudwatch.py."""

    def failed(
        self, functions: Sequence[str], since: datetime, until: datetime
    ) -> Mapping[datetime, Mapping[str, int]]:
        """How often functions failed, by the hour that their runs began in, or raise."""


@dataclass(frozen=True, slots=True)
class Failures:
    """Asks how the functions fared, and tells of each hour in which one failed.

    Attributes:
        engine: says what the functions are called, and claims what is told.
        runs: how they fared.
        alerts: where what is about Plumbline itself is told.
    """

    engine: Engine
    runs: Runs
    alerts: Alerts
    clock: Callable[[], datetime]

    def tell(self) -> int:
        """Tell of the last whole hours, once of each, where nobody has asked for some hours.

        Returns:
            In how many of them something failed.

        Raises:
            AwsRefusal: CloudWatch did not say, or nobody took the alert; the next sweep asks about the same hours.
            LedgerDown: what was told cannot be read.
        """
        now, ledger = self.clock(), self.engine.ledger
        if not ledger.once(_ASKED, now=now, within=_ASKED_EACH - _SOONER):
            return 0
        try:
            return self._tell(now)
        except PlumblineError:
            ledger.told(_ASKED, now=now, within=timedelta(0))
            raise

    def _tell(self, now: datetime) -> int:
        sender = self.engine.deployment.sender
        until = (now - _WHOLE_AFTER).replace(minute=0, second=0, microsecond=0)
        found = self.runs.failed([f"{sender.stack}-{one}" for one in _FUNCTIONS], until - _HOURS * _HOUR, until)
        if not found:
            return 0
        from plumbline.alerts.house import failed  # an exception; no sweep pays for it

        notifier = replace(self.engine, alerts=self.alerts).notifier
        for hour, functions in sorted(found.items()):
            alert = failed(functions, hour, sender)
            notifier.send_once(f"failed#{hour:%Y-%m-%dT%H}", alert, now=now, within=_TOLD_FOR)
        return len(found)
