"""Whether AWS may still show what was: it is eventually consistent, and events come late. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from plumbline.core.cause import Origin
from plumbline.core.clock import instant
from plumbline.core.targets import State, same
from plumbline.findings.finding import Finding, Status
from plumbline.wakes.messages import Wake

#: How long after an event a target that is not there may still be about to appear.
VISIBLE_WITHIN = timedelta(minutes=1)
#: How long after a repair AWS may show the state before it.
OLD_VIEW_FOR = timedelta(seconds=10)
#: An event this much later than a repair's beginning is neither its cause nor its echo (CloudTrail counts seconds).
ECHOES_WITHIN = timedelta(seconds=3)


def is_old_view(finding: Finding | None, wake: Wake, state: State, now: datetime) -> bool:
    """Whether a repair is so young that AWS may still show the very state before it, and no later event says otherwise.

    Without this, every copy of the event and the echo of the repair could be repaired, and told, once more.
    """
    if finding is None or not finding.repairs or finding.status not in (Status.REPAIRED, Status.OPEN):
        return False
    last = finding.repairs[-1]
    repaired_at = finding.closed_at or last.at
    if not last.held or now - repaired_at >= OLD_VIEW_FOR or not same(state, last.before):
        return False
    at = _happened(wake)
    return at is None or at - repaired_at <= ECHOES_WITHIN


def shown_by(finding: Finding | None, wake: Wake, now: datetime) -> datetime | None:
    """Until when AWS may not show what an event is about; None where it is old enough, or there is none.

    What a repair has changed since then was there: that it is gone is the repair's own doing.
    """
    at = _happened(wake)
    if at is None or now - at >= VISIBLE_WITHIN:
        return None
    seen = finding is not None and finding.is_open and bool(finding.repairs) and finding.repairs[-1].at >= at
    return None if seen else at + VISIBLE_WITHIN


def _happened(wake: Wake) -> datetime | None:
    """When the event that woke us happened; None where none did, or its time cannot be read."""
    return instant(wake.cause.at) if wake.origin is Origin.EVENT else None
