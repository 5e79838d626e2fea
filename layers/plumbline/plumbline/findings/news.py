"""Controls that an upgrade brought: nothing that they find is repaired before somebody has heard of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from plumbline.core.clock import utc
from plumbline.findings.adoption import Adoption

#: How long the e-mail waits for controls whose first sweep is not done: some can look at nothing for now.
PATIENCE = timedelta(hours=2)


def new_controls(adopted: Mapping[str, str]) -> frozenset[str]:
    """The controls that nobody has heard of yet.

    Args:
        adopted: how far the first sweeps have come, as the ledger keeps them.
    """
    return frozenset(kept.partition("@")[0] for kept, text in adopted.items() if Adoption.from_json(text).new)


def can_be_told(adopted: Mapping[str, str], now: datetime) -> bool:
    """Whether all that new controls find at first is found, or has been waited for long enough.

    Args:
        adopted: as above.
        now: the time, in UTC.
    """
    new = [one for one in map(Adoption.from_json, adopted.values()) if one.new]
    return all(one.mark or now - utc(one.new) >= PATIENCE for one in new)


def once_heard(adopted: Mapping[str, str]) -> dict[str, str]:
    """What the ledger keeps of new controls once somebody has heard of them.

    Args:
        adopted: as above.
    """
    kept = {name: Adoption.from_json(text) for name, text in adopted.items()}
    return {name: replace(one, new="").to_json() for name, one in kept.items() if one.new}
