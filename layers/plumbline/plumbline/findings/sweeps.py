"""How far a sweep has come: which of its pieces are done, and what they could not look with. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from plumbline.core.clock import utc


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
