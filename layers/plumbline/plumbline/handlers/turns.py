"""Whose turn it is: what one sweep of each day or week looks at waits for that sweep."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from plumbline.compose import Plumbline
from plumbline.core.control import Looks
from plumbline.findings.adoption import Adoption, kept_as, mark
from plumbline.sweep.units import Unit

#: The hour, in UTC, whose sweep looks at what is looked at once a day, and the day of the week whose sweep of that hour
#: looks at the rest: no day begins then where most people are awake.
_HOUR, _MONDAY = 5, 0


def due(plumbline: Plumbline, unit: Unit, now: datetime) -> Unit:
    """A unit without what one sweep of each day or week looks at.

    What nobody has looked at by these rules stays, and so does what has come due: an e-mail has named the hour.

    Args:
        plumbline: knows the controls, and what the ledger has of them.
        unit: a piece of a sweep that begins.
        now: the time, in UTC.
    """
    entries = plumbline.index.entries
    rare = [one for one in unit.controls if not _is_time(entries[one].looks, now)]
    if not rare:
        return unit
    known, rules = plumbline.ledger.adopted(unit.account), plumbline.engine.baseline.rules
    seen = {one: known.get(kept_as(one, entries[one].scope, unit.region)) for one in rare}
    found = plumbline.ledger.open_findings(unit.account)
    wanted = {one.control for one in found if one.due is not None and one.due <= now}
    later = {one for one in rare if Adoption.from_json(seen[one]).mark == mark(rules[one])} - wanted
    return replace(unit, controls=tuple(one for one in unit.controls if one not in later))


def _is_time(looks: Looks, now: datetime) -> bool:
    """Whether a sweep that begins now is one of those that look."""
    at_the_hour = now.hour == _HOUR
    return {
        Looks.EACH_SWEEP: True,
        Looks.DAILY: at_the_hour,
        Looks.WEEKLY: at_the_hour and now.weekday() == _MONDAY,
    }[looks]
