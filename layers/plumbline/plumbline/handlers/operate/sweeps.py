"""What status says of sweeps: the last one that was through, what it could not look with, and those under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from plumbline.alerts import wording
from plumbline.findings.sweeps import Sweep

#: A sweep runs every hour; two missed ones are worth a word, three raise the alarm.
_LATE = timedelta(hours=2)


def facts(at: datetime | None, known: Sequence[Sweep], now: datetime) -> Mapping[str, str]:
    """Rows of status.

    Args:
        at: when the last sweep was through; None where none was yet.
        known: the sweeps of the last days, the latest first.
        now: the time, in UTC.
    """
    under_way = [one for one in known if not one.is_through]
    through = next((one for one in known if one.is_through), None)
    blind = sorted(through.blind) if through else []
    return {
        "last sweep": _last(at, now),
        "NOT LOOKED": f"{', '.join(blind)}: the log of the sweep says why" if blind else "",
        "under way": "; ".join(f"since {wording.moment(one.began)}, {one.told}" for one in under_way[:_FEW]),
    }


_FEW = 3


def data(known: Sequence[Sweep]) -> list[dict[str, Any]]:
    """The same for scripts."""
    return [
        {
            "began": one.name,
            "pieces": one.of,
            "done": one.pieces_done,
            "could_not_look": sorted(one.blind),
            "goes_on": one.goes_on,
        }
        for one in known[:_FEW]
    ]


def _last(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "not yet; the first one begins when the deployment is done"
    ago = int((now - at).total_seconds() // 60)
    late = "  LATE: it should run every hour; see the alarms" if now - at > _LATE else ""
    return f"{ago} minute{'s' * (ago != 1)} ago, {wording.moment(at)}{late}"
