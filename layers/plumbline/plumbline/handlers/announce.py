"""What announce does: turns each write of a finding into `Plumbline Finding` events that other programs build on.

The ledger's stream is the outbox: a transition is announced because it was recorded, however the process that recorded
it ended, and `settle` waits for nobody. A stream may deliver a record twice; `finding`, `version` and `transition`
together tell one transition from the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from plumbline.alerts.wording import clean
from plumbline.controls.index import Index
from plumbline.core.control import Control
from plumbline.findings import unseen
from plumbline.findings.finding import DIGEST, Finding, Status
from plumbline.findings.hearing import KEPT_AS, Hearing
from plumbline.findings.packed import text_of
from plumbline.findings.schema import refuse_later
from plumbline.findings.stored import from_json
from plumbline.handlers.react import Log

DETAIL_TYPE = "Plumbline Finding"
#: Whether anybody hears alerts: the one thing that alerts themselves cannot tell.
HEARING = "Plumbline Hearing"
#: What the ledger calls a status, where an event says it otherwise: an open finding is one that was opened.
NAMES = {Status.ACTING: "repairing", Status.OPEN: "reopened", Status.NOT_CONVERGED: "not-converged"}
#: What a person was told that is no status, and what an event calls it. Of reminders there are several.
TOLD = {
    unseen.TOLD: "unseen",
    unseen.MADE: "repaired-unseen",
    "reminded": "reminded",
    "escalated": "escalated",
    "fight": "fight",
    "undo cut short": "undo-cut-short",
    "undo failed": "undo-failed",
    "too large": "too-large",
}
_FAILED = Status.FAILED.value
_HALF_MADE = (Status.ACTING, Status.NOT_CONVERGED)
_CAMEL = {"event_id": "eventId"}


class Outlet(Protocol):
    """An event bus."""

    def put(self, detail_type: str, details: Sequence[Mapping[str, Any]]) -> None:
        """Send events, or raise."""


@dataclass(frozen=True, slots=True)
class Announcer:
    """Announces what the records of the ledger's stream mean."""

    bus: Outlet
    controls: Index
    logger: Log

    def record(self, record: Mapping[str, Any]) -> None:
        """Announce what one write of a finding means.

        Args:
            record: as DynamoDB Streams delivers it.

        Raises:
            Exception: whatever it was, logged; the stream brings the record again, and gives it up in the end.
        """
        try:
            images = record["dynamodb"]
            refuse_later(images[one] for one in ("OldImage", "NewImage") if one in images)
            heard = hearing(record)
            if heard is not None:
                self.bus.put(HEARING, [heard])
                self.logger.info("announced", extra={"transition": heard["transition"]})
                return
            details = list(events(record, self.controls, self.controls.renamed))
            if details:
                self.bus.put(DETAIL_TYPE, details)
        except Exception as error:
            reason = {"reason": str(error), "error": type(error).__name__, "record": record.get("eventID")}
            self.logger.error("not announced", extra=reason)
            raise
        for one in details:
            self.logger.info("announced", extra={name: one[name] for name in ("finding", "transition", "version")})


def transitions(before: Finding | None, after: Finding) -> Sequence[str]:
    """What happened to a finding between two writes, in the order in which it happens.

    Args:
        before: what the ledger held; None, or an earlier life, for a new finding.
        after: what it holds now.
    """
    if before is not None and before.id != after.id:
        if after.status is Status.UNDOING:  # an earlier life goes on: a person takes its repair back
            return [Status.UNDOING.value]
        before = None
    status = before.status if before else Status.OPEN
    told = [*(Counter(after.told) - Counter(before.told if before else ())).elements()]
    happened = [] if before else ["opened"]
    if after.proposal is not None and (before is None or before.proposal != after.proposal):
        happened.append("proposed")
    if (_has_failed(after) or _FAILED in told) and not (before and _has_failed(before)):
        happened.append(_FAILED)
    happened += [name for one in told for begins, name in TOLD.items() if one.startswith(begins)]
    is_news = after.status is not status or (before is not None and before.is_made_unseen)
    if is_news and after.status is not Status.FAILED and not after.is_made_unseen:
        happened.append(_name(status, after.status))
    return happened


def _has_failed(finding: Finding) -> bool:
    """Whether a failed repair shows in a finding: in its status or, where that says something else, in its outbox.

    A repair that was cut short and is held back now is told of under whatever holds it back, such as an exemption.
    """
    return finding.status is Status.FAILED or finding.outbox in (_FAILED, f"{DIGEST}{_FAILED}")


def _name(before: Status, after: Status) -> str:
    """What an event calls a change of status."""
    if after is Status.OPEN and before in _HALF_MADE:  # what was new is put right; older facts are still in grace
        return Status.REPAIRED.value
    return NAMES.get(after, after.value)


def hearing(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """What an event says of who hears, where a record of the stream is about that; None where it is about a finding."""
    item = record["dynamodb"].get("NewImage", {})
    if item.get("sk", {}).get("S") != KEPT_AS:
        return None
    known = Hearing.from_json(text_of(item))
    return {
        "transition": "unheard" if known.silent else "heard",
        "account": item["pk"]["S"].removeprefix("account#"),
        "everHeard": known.ever,
        "since": known.silent.isoformat() if known.silent else None,
    }


def events(
    record: Mapping[str, Any], controls: Mapping[str, Control], renamed: Mapping[str, str] | None = None
) -> Iterator[dict[str, Any]]:
    """The details of the events that one record of the ledger's stream calls for.

    Args:
        record: as DynamoDB Streams delivers it, with the item before and after.
        controls: the registry, for severities.
        renamed: earlier id of a control -> the one it has today; the ledger keeps the one a finding began under.

    Raises:
        KeyError, ValueError: the record holds no finding.
    """
    images = record["dynamodb"]
    if "NewImage" not in images:  # forgotten after its time: nothing happened
        return
    after = from_json(text_of(images["NewImage"]))
    before = from_json(text_of(images["OldImage"])) if "OldImage" in images else None
    after = replace(after, control=(renamed or {}).get(after.control, after.control))
    if before is not None and before.id != after.id and before.is_open:  # it could not be looked at, and now it can
        seen = replace(before, control=after.control, status=Status.RESOLVED, due=None, version=after.version)
        yield _detail(seen, Status.RESOLVED.value, controls.get(after.control))
    for transition in transitions(before, after):
        yield _detail(after, transition, controls.get(after.control))


def _detail(finding: Finding, transition: str, control: Control | None) -> dict[str, Any]:
    """What an event says. Whatever came from the account is cleaned: nobody knows who reads it."""
    target = finding.target
    return {
        "transition": transition,
        "finding": finding.id,
        "version": finding.version,
        "control": finding.control,
        "severity": control.severity.value if control else "",
        "account": target.account,
        "region": target.region,
        "target": clean(str(target)),
        "deviation": clean(finding.deviation.summary),
        "status": finding.status.value,
        "firstSeen": finding.first_seen.isoformat(),
        "due": finding.due.isoformat() if finding.due else None,
        "graceUntil": finding.grace_until.isoformat() if finding.grace_until and finding.is_adopted else None,
        "cause": {_CAMEL.get(name, name): clean(text) for name, text in finding.cause.to_json().items()},
        "repairs": len(finding.repairs),
        "unseenSince": finding.unseen.since.isoformat() if finding.unseen and finding.is_unseen else None,
    }
