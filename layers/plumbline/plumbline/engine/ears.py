"""Who hears: SNS is asked until the ledger knows that somebody ever did. Until then nothing is repaired."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from plumbline.findings.brief import Brief
from plumbline.findings.hearing import Hearing
from plumbline.ports import Alerts, Ledger


@dataclass(frozen=True, slots=True)
class Ears:
    """Whether what is said reaches somebody."""

    ledger: Ledger
    alerts: Alerts

    def informed(self, brief: Brief, now: datetime) -> Brief:
        """A brief that also knows what SNS says, where the ledger does not know of anybody who hears; writes nothing.

        Args:
            brief: what the ledger knows.
            now: the time, in UTC.
        """
        if brief.hearing.ever or not self.alerts.is_heard():
            return brief
        return replace(brief, hearing=Hearing(now))

    def noted(self, brief: Brief, account: str, now: datetime) -> Brief:
        """The same, and whoever hears for the first time is written down.

        Raises:
            LedgerDown: that could not be written.
        """
        known = self.informed(brief, now)
        if known is not brief:
            self.ledger.note_hearing(account, known.hearing)
        return known

    def looked(self, account: str, now: datetime) -> Hearing:
        """What is known after SNS was asked, written down where it has changed.

        Raises:
            LedgerDown: the ledger cannot be used.
        """
        before = self.ledger.hearing(account)
        after = before.after(self.alerts.is_heard(), now)
        if after != before:
            self.ledger.note_hearing(account, after)
        return after
