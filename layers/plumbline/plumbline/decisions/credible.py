"""What stands in the ledger of people's decisions, and nobody can have decided. Pure.

Whoever may write to the table can write an exemption or a pause that no command would have taken. Such a one is not
believed: it holds no repair back, and is told of. One that a command might have made cannot be told apart here; that
nobody but Plumbline's own roles may write is what the table's policy is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from plumbline.decisions.exemptions import ANY, Exemption
from plumbline.decisions.pauses import Pause


def doubt(exemption: Exemption, most_days: int, now: datetime) -> str:
    """Why nobody can have granted an exemption; empty where somebody can, and for one that is over.

    Args:
        exemption: one of the ledger's; those of baseline.yaml are reviewed, and may be longer.
        most_days: the longest that a person may type.
        now: the time, in UTC.
    """
    if exemption.until <= now:
        return ""
    if not exemption.owner.strip():
        return "it has no owner"
    if not exemption.reason.strip():
        return "it gives no reason"
    return _too_long(exemption.until, most_days, now)


def believed(exemptions: Iterable[Exemption], most_days: int, now: datetime) -> tuple[Exemption, ...]:
    """The exemptions that somebody can have granted; see `doubt`."""
    return tuple(one for one in exemptions if not doubt(one, most_days, now))


def ends(pauses: Mapping[str, Pause], most_days: int, now: datetime) -> Mapping[str, datetime]:
    """Until when what is paused, by control or `*`, as far as somebody can have said so."""
    return {name: one.until for name, one in pauses.items() if not _too_long(one.until, most_days, now)}


def doubted(
    exemptions: Iterable[Exemption],
    exemption_days: int,
    pauses: Mapping[str, Pause],
    pause_days: int,
    now: datetime,
) -> Iterator[tuple[str, str]]:
    """Everything that is not believed, as it reads in a list, and why.

    Args:
        exemptions: the ledger's.
        exemption_days: the longest that a person may type.
        pauses: the ledger's, by control or `*`.
        pause_days: the longest pause.
        now: the time, in UTC.
    """
    for one in exemptions:
        if why := doubt(one, exemption_days, now):
            rule = "every rule" if one.control == ANY else one.control
            yield f"exemption {one.id or 'without a number'} of {one.target} from {rule}", why
    for name, pause in pauses.items():
        if why := _too_long(pause.until, pause_days, now):
            yield f"pause of {'all repairs' if name == ANY else name}", why


def _too_long(until: datetime, most_days: int, now: datetime) -> str:
    # a command takes a day, and means its end
    if until.date() <= (now + timedelta(days=most_days)).date():
        return ""
    return f"it ends on {until:%Y-%m-%d}, and {most_days} days are the most that baseline.yaml allows"
