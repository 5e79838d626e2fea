"""What a sweep need not look at again for a while, whatever is done to it meanwhile. Pure.

An access key never grows older than its age: whoever's oldest key was made last week has none of ninety days next week,
whatever he makes, deletes or switches on. Where a control says so (see `core.control.Lasting`), a look is remembered
under what no renaming changes, and spared until it may find something else, for a week at most. It is kept by the
settings it was made by (`findings.sweeps.Lasts`), and what has a finding is looked at all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from plumbline.baseline.rules import Rule
from plumbline.core.control import Lasting
from plumbline.core.targets import ALL, State, Target

#: A look is believed for so long at most: whatever is wrong with what is remembered is found by then.
_BELIEVED = timedelta(days=7)


def found_to_last(
    lasting: Lasting,
    who: Mapping[Target, str],
    looked_at: Iterable[Target],
    states: Mapping[Target, State],
    rule: Rule,
    now: datetime,
) -> dict[str, date]:
    """The day before which each of what was just looked at cannot deviate; only of what cannot today.

    Args:
        lasting: of the control.
        who: what it lists -> what no renaming changes.
        looked_at: those that were looked at, and shown by AWS.
        states: what was seen of them.
        rule: what the baseline says of the control.
        now: when the look began, in UTC.
    """
    seen: dict[Target, list[State]] = {}
    for target, state in states.items():
        whole = Target(target.account, target.region, target.kind, f"{target.id.partition('/')[0]}/{ALL}")
        for one in (target, whole):
            seen.setdefault(one, []).append(state)
    until = {one: lasting.until(seen.get(one, ()), rule.settings, now) for one in looked_at if one in who}
    days = {who[one]: min(moment, now + _BELIEVED).date() for one, moment in until.items()}
    return {one: day for one, day in days.items() if now.date() < day}
