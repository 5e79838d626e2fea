"""How far a sweep has come, what its pieces could not look with, and what the next one need not look at. Pure.

A piece has a number. One that is too long for a single run is split into parts, each with a label of its own; it is
done when all parts of one split are: who splits it again, for the first run died of it, may cut it elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from plumbline.baseline.rules import Rule
from plumbline.core.clock import utc
from plumbline.findings.adoption import mark


def label_of(number: int, part: str = "") -> str:
    """What the ledger calls a piece, or a part of one.

    Args:
        number: the piece's.
        part: as `parts` names it; empty for a whole piece.
    """
    return f"{number}_{part}" if part else str(number)


def parts(count: int, split: str) -> list[str]:
    """Names for the parts of one split.

    Args:
        count: how many there are.
        split: what tells it from another split of the same piece: letters and digits.
    """
    return [f"{one}_{count}_{split}" for one in range(count)]


@dataclass(frozen=True, slots=True)
class Sweep:
    """One sweep, whose pieces may end in any order, and be done twice.

    Attributes:
        name: when it began, in ISO 8601.
        of: how many pieces it has.
        done: the labels of pieces, and of parts of pieces, that are done.
        blind: the controls, with their region, that could not look: their own mistake; the log says which.
        places: the label of what goes on -> how far it has come, in words.
    """

    name: str
    of: int
    done: frozenset[str] = frozenset()
    blind: frozenset[str] = frozenset()
    places: Mapping[str, str] = field(default_factory=dict)

    @property
    def began(self) -> datetime:
        """When, in UTC."""
        return utc(self.name)

    @property
    def pieces_done(self) -> int:
        """How many pieces are done, in one or in all parts of a split."""
        return len(_whole(self.done))

    @property
    def is_through(self) -> bool:
        """Whether every piece is done."""
        return self.pieces_done >= self.of

    @property
    def goes_on(self) -> list[str]:
        """Where what is begun and not done has come, in words."""
        whole = _whole(self.done)
        begun = sorted(self.places.items(), key=lambda one: _number(one[0]))
        return [where for label, where in begun if label not in self.done and _number(label) not in whole]

    @property
    def told(self) -> str:
        """How far it has come, as it reads behind "the sweep that began at ..."."""
        left = [f"; {where}" for where in self.goes_on]
        return f"{self.pieces_done} of {self.of} piece{'s' * (self.of != 1)} done{''.join(left)}"


def _number(label: str) -> int:
    return int(label.partition("_")[0])


def _whole(labels: Iterable[str]) -> frozenset[int]:
    """The numbers of the pieces that are done: as one, or in all parts of a split."""
    whole: set[int] = set()
    split: dict[tuple[int, str], int] = {}
    for label in labels:
        number, _, part = label.partition("_")
        if not part:
            whole.add(int(number))
            continue
        _, _, which = part.partition("_")
        split[(int(number), which)] = split.get((int(number), which), 0) + 1
    whole.update(number for (number, which), count in split.items() if count >= int(which.partition("_")[0]))
    return frozenset(whole)


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
