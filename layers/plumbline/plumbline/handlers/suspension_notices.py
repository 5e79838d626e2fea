"""Asks, when the day has come, whether somebody who is suspended stays so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from plumbline.alerts.suspensions import still_suspended
from plumbline.compose import Plumbline
from plumbline.core.errors import Conflict
from plumbline.decisions.suspensions import Suspension, asked_again
from plumbline.decisions.suspensions import due as due_of
from plumbline.findings.finding import LEASE


class Suspensions(Protocol):
    """The part of the ledger that keeps them."""

    def all_suspensions(self, account: str) -> tuple[Sequence[Suspension], int]:
        """All suspensions and the version they were read in."""


def due(ledger: Suspensions, account: str, now: datetime) -> list[Suspension]:
    """Those that have to be asked about. Needs dynamodb:Query on the table, no more."""
    return due_of(ledger.all_suspensions(account)[0], now)


def tell_due(plumbline: Plumbline, *, now: datetime) -> int:
    """Ask about each that is due, and record it; how many were asked about.

    Raises:
        LedgerDown: the ledger cannot be used.
        AwsRefusal: SNS did not take an alert; it is sent the next time.
    """
    ledger, sent = plumbline.ledger, 0
    for one in due(ledger, plumbline.account, now):
        if not ledger.once(f"suspension#{one.id}#{one.until.isoformat()}", now=now, within=LEASE):
            continue
        plumbline.engine.alerts.send(still_suspended(one, plumbline.engine.deployment.sender))
        found, version = ledger.all_suspensions(plumbline.account)
        later = [asked_again(each, now) if each.id == one.id else each for each in found]
        try:
            ledger.save_suspensions(plumbline.account, later, version)
        except Conflict:  # somebody types at this moment; it is asked about once more with the next sweep
            continue
        sent += 1
    return sent
