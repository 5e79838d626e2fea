"""Tells of exemptions that are about to end, and of those that have ended; then forgets the ended ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from plumbline import notices
from plumbline.compose import Plumbline
from plumbline.core import Conflict
from plumbline.exemptions import Exemption, Notice, due_notices, kept
from plumbline.findings import LEASE

#: How often the marks are written anew when people change exemptions at the same time.
_TRIES = 5


class Exemptions(Protocol):
    """The part of the ledger that keeps exemptions."""

    def all_exemptions(self, account: str) -> tuple[Sequence[Exemption], int]:
        """All exemptions and the version they were read in."""


def has_due(ledger: Exemptions, account: str, now: datetime) -> bool:
    """Whether somebody has to be told of an exemption. Needs dynamodb:Query on the table, no more."""
    exemptions, _version = ledger.all_exemptions(account)
    return bool(due_notices(exemptions, now))


def tell_due(plumbline: Plumbline, *, now: datetime) -> int:
    """Send the letters that are due, and record each; how many were sent.

    A letter is claimed, sent, recorded. If the process dies before the last, the letter is sent again an hour later:
    told twice rather than not at all.

    Raises:
        LedgerDown: the ledger cannot be used.
        AwsRefusal: SNS did not take a letter; it is sent the next time.
    """
    ledger, engine = plumbline.ledger, plumbline.engine
    exemptions, _version = ledger.all_exemptions(plumbline.account)
    sent = 0
    for exemption, notice in due_notices(exemptions, now):
        if ledger.once(f"exemption#{_key(exemption)}#{notice}", now=now, within=LEASE):
            engine.alerts.send(notices.ending(exemption, notice, engine.deployment.voice))
            _record(plumbline, exemption, notice, now)
            sent += 1
    return sent


def _record(plumbline: Plumbline, told_of: Exemption, notice: Notice, now: datetime) -> None:
    for tries_left in reversed(range(_TRIES)):
        exemptions, version = plumbline.ledger.all_exemptions(plumbline.account)
        marked = [replace(one, told=(*one.told, notice)) if _key(one) == _key(told_of) else one for one in exemptions]
        try:
            plumbline.ledger.save_exemptions(plumbline.account, kept(marked, now), version)
        except Conflict:
            if not tries_left:
                raise
        else:
            return


def _key(exemption: Exemption) -> str:
    return exemption.id or f"{exemption.control}#{exemption.target}#{exemption.until.isoformat()}"
