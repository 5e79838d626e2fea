"""Tells of exemptions: those of baseline.yaml when they begin, and all when they are about to end and have ended."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from plumbline.alerts import decisions
from plumbline.alerts.alert import Alert
from plumbline.baseline.rules import Patience
from plumbline.compose import Plumbline
from plumbline.decisions.credible import doubted
from plumbline.decisions.exemptions import Exemption, Notice, covers_nothing, due_notices, reviewed_notices
from plumbline.decisions.pauses import Pause
from plumbline.findings.finding import LEASE

_MARK = "exemption#"
_DOUBTED = "doubted#"
#: What nobody can have decided, and still stands there, is told of again after a week.
_DOUBTED_AGAIN = timedelta(days=7)
#: The file may go on naming an exemption that has ended; its end is told once all the same.
_REMEMBERED = timedelta(days=395)


class Exemptions(Protocol):
    """The part of the ledger that keeps exemptions and pauses, and what was told of them."""

    def all_exemptions(self, account: str) -> Sequence[Exemption]:
        """All exemptions, in force or not."""

    def all_pauses(self, account: str) -> tuple[Mapping[str, Pause], int]:
        """All pauses and the version they were read in."""

    def told_of(self, prefix: str, now: datetime) -> frozenset[str]:
        """The keys beginning with `prefix` that are claimed, or kept as told."""


def due(
    ledger: Exemptions, reviewed: Sequence[Exemption], account: str, now: datetime
) -> Iterator[tuple[Exemption, Notice]]:
    """What has to be told of exemptions. Needs dynamodb:Query on the table, no more.

    Args:
        ledger: keeps people's own, with what was told of each.
        reviewed: those of baseline.yaml; what was told of them is kept under a key.
        account: the account they hold in.
        now: the time, in UTC.
    """
    yield from due_notices(ledger.all_exemptions(account), now)
    if reviewed:
        told = ledger.told_of(_MARK, now)
        yield from ((one, notice) for one, notice in reviewed_notices(reviewed, now) if _claim(one, notice) not in told)


def doubts(ledger: Exemptions, patience: Patience, account: str, now: datetime) -> Sequence[tuple[str, str]]:
    """The exemptions and pauses that nobody can have decided, each with why, unless they were told of already.

    Args:
        ledger: keeps them.
        patience: what a person can have typed.
        account: the account they hold in.
        now: the time, in UTC.
    """
    exemptions, pauses = ledger.all_exemptions(account), ledger.all_pauses(account)[0]
    found = [*doubted(exemptions, patience.exemption_days, pauses, patience.pause_days, now)]
    return found if found and _doubts_claim(found) not in ledger.told_of(_DOUBTED, now) else ()


def _doubts_claim(found: Sequence[tuple[str, str]]) -> str:
    return f"{_DOUBTED}{hashlib.sha256(repr(sorted(found)).encode()).hexdigest()[:16]}"


def _tell_doubts(plumbline: Plumbline, now: datetime) -> int:
    """One alert that names them all: whoever writes many must not flood anybody."""
    ledger, engine = plumbline.ledger, plumbline.engine
    found = doubts(ledger, engine.baseline.patience, plumbline.account, now)
    if not found or not ledger.once(_doubts_claim(found), now=now, within=LEASE):
        return 0
    engine.alerts.send(decisions.doubted(found, engine.deployment.sender))
    ledger.told(_doubts_claim(found), now=now, within=_DOUBTED_AGAIN)
    return 1


def tell_due(plumbline: Plumbline, *, now: datetime) -> int:
    """Send the alerts that are due, and record each; how many were sent.

    An alert is claimed, sent, recorded. If the process dies before the last, the alert is sent again an hour later:
    told twice rather than not at all.

    Raises:
        LedgerDown: the ledger cannot be used.
        AwsRefusal: SNS did not take an alert; it is sent the next time.
    """
    ledger, engine = plumbline.ledger, plumbline.engine
    sent = _tell_doubts(plumbline, now)
    for exemption, notice in list(due(ledger, engine.baseline.exemptions, plumbline.account, now)):
        if ledger.once(_claim(exemption, notice), now=now, within=LEASE):
            engine.alerts.send(_letter(plumbline, exemption, notice))
            if exemption not in engine.baseline.exemptions:
                ledger.note_exemption(plumbline.account, exemption, notice, now)
            else:
                ledger.told(_claim(exemption, notice), now=now, within=max(exemption.until - now, LEASE) + _REMEMBERED)
            sent += 1
    return sent


def _letter(plumbline: Plumbline, exemption: Exemption, notice: Notice) -> Alert:
    sender = plumbline.engine.deployment.sender
    if notice != "made":
        return decisions.ending(exemption, notice, sender)
    found = plumbline.ledger.open_findings(plumbline.account)
    covered = sum(exemption.covers(one.control, one.target) for one in found)
    # the build does not know the account; nobody typed it, so no answer could say that it is pointless
    nothing = covers_nothing(exemption.control, exemption.target, plumbline.engine.controls, plumbline.account)
    return decisions.exempted(exemption, covered, sender, nothing=nothing)


def _claim(exemption: Exemption, notice: Notice) -> str:
    return f"{_MARK}{_key(exemption)}#{notice}"


def _key(exemption: Exemption) -> str:
    return exemption.id or f"{exemption.control}#{exemption.target}#{exemption.until.isoformat()}"
