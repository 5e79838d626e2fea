"""How far a sweep has come, what its pieces could not look with, and what the next one need not look at. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from plumbline.baseline.rules import Rule
from plumbline.core.clock import utc
from plumbline.findings.adoption import mark


@dataclass(frozen=True, slots=True)
class Sweep:
    """One sweep, whose pieces may end in any order, and be done twice.

    Attributes:
        name: when it began, in ISO 8601.
        of: how many pieces it has.
        done: the numbers of those that are done.
        blind: the controls, with their region, that could not look: their own mistake; the log says which.
        places: the number of a piece that goes on -> how far it has come, in words.
    """

    name: str
    of: int
    done: frozenset[int] = frozenset()
    blind: frozenset[str] = frozenset()
    places: Mapping[int, str] = field(default_factory=dict)

    @property
    def began(self) -> datetime:
        """When, in UTC."""
        return utc(self.name)

    @property
    def is_through(self) -> bool:
        """Whether every piece is done."""
        return len(self.done) >= self.of

    @property
    def told(self) -> str:
        """How far it has come, as it reads behind "the sweep that began at ..."."""
        left = [f"; {where}" for number, where in sorted(self.places.items()) if number not in self.done]
        return f"{len(self.done)} of {self.of} piece{'s' * (self.of != 1)} done{''.join(left)}"


@dataclass(frozen=True, slots=True)
class Lasts:
    """What earlier looks of a control have found to last.

    Attributes:
        mark: of the settings that they were made by (see `adoption.mark`).
        days: what was looked at, by what no renaming changes -> the first day on which it may deviate.
    """

    mark: str = ""
    days: Mapping[str, date] = field(default_factory=dict)

    def spares(self, who: str, rule: Rule, now: datetime) -> bool:
        """Whether something cannot deviate yet by the settings of today."""
        day = self.days.get(who)
        return day is not None and self.mark == mark(rule) and now.date() < day

    def after(self, rule: Rule, found: Mapping[str, date], now: datetime) -> Lasts:
        """What is known once more was looked at; what is over by now is forgotten.

        Args:
            rule: what the baseline says of the control.
            found: as `found_to_last` tells.
            now: the time, in UTC.
        """
        known = {**(self.days if self.mark == mark(rule) else {}), **found}
        return Lasts(mark(rule), {who: day for who, day in known.items() if now.date() < day})

    def to_json(self) -> str:
        """As the ledger keeps it."""
        days = {who: day.isoformat() for who, day in sorted(self.days.items())}
        return json.dumps({"mark": self.mark, "days": days}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Lasts:
        """What `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: it did not.
        """
        data = json.loads(text)
        return cls(data["mark"], {who: date.fromisoformat(day) for who, day in data["days"].items()})
