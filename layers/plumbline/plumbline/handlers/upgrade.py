"""What a new version brings: each control that the ledger does not know is written down before it first looks.

A first installation knows none and tells of none: all that it finds is told by its first digest. Later, one that is not
known came with an upgrade, and is told of by an e-mail of its own (`alerts/news.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from plumbline.compose import Plumbline
from plumbline.core.clock import Response
from plumbline.core.errors import Conflict, TooLarge
from plumbline.findings.adoption import Adoption, kept_as
from plumbline.sweep.units import Unit


def bring(plumbline: Plumbline, *, now: datetime) -> int:
    """Bring what earlier versions kept otherwise into today's form; how much of it the next sweep has to go on with.

    Args:
        plumbline: whose ledger.
        now: the time, in UTC.

    Raises:
        LedgerDown: the ledger cannot be used.
    """
    try:
        return plumbline.ledger.move_exemptions(plumbline.account, now)
    except (Conflict, TooLarge):  # somebody is typing, or it fits nowhere else: it is read where it stands
        return 1


def meet(plumbline: Plumbline, units: Sequence[Unit], *, now: datetime) -> int:
    """Write down the controls that the ledger does not know; how many there are.

    Args:
        plumbline: whose ledger.
        units: those of a sweep, with every control that looks, and where.
        now: the time, in UTC.

    Raises:
        LedgerDown: the ledger cannot be used.
    """
    account, entries = plumbline.account, plumbline.index.entries
    adopted = plumbline.ledger.adopted(account)
    known = {kept.partition("@")[0] for kept in adopted}
    unknown = sorted({*entries} - known)
    if not unknown:
        return 0
    everywhere = {(control, unit.region) for unit in units for control in unit.controls}
    places = {one for one in everywhere if one[0] in unknown}
    looked_for = {control for control, _ in places}
    # Plumbline looks at itself before the first sweep begins, so those controls are always known.
    is_upgrade = any(control in known for control, _ in everywhere)
    # What looks nowhere now, because it is off or events alone can tell, is known from now on as well.
    places |= {(control, plumbline.engine.deployment.home) for control in unknown if control not in looked_for}
    for control, region in sorted(places):
        is_on = plumbline.engine.rule(control).response is not Response.OFF
        adoption = Adoption(new=now.isoformat() if is_upgrade and is_on and control in looked_for else "")
        plumbline.ledger.adopt(account, kept_as(control, entries[control].scope, region), adoption.to_json())
    return len(unknown)
