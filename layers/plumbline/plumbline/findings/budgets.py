"""Which counters of a clock hour a repair, or an alert, counts in: its control's, its actor's, and that of all. Pure.

Who wants one repair not to be made, or not to be told, may first do a lot that is repaired and told. So an actor uses
up his own budget and nobody else's, lesser controls never that of the critical ones, and what a breaker left has room
that no newer deed can take. Plumbline's own parts are put back without counting: they are many more than an hour has
repairs, whoever switches off enough of them would have the rest left so and use up what the account's critical controls
have, and each is put back as it was deployed, three times a day at most.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from plumbline.baseline.rules import Breakers
from plumbline.core.cause import Cause
from plumbline.core.control import Control, Severity

#: The counter of all repairs but those of critical controls; also what a pause of all is kept under.
EVERY_CONTROL = "*"
#: The counter of all repairs of critical controls.
EVERY_CRITICAL = "!"
#: The counter of all alerts but those about critical findings.
LETTERS = "letters"
#: So many critical findings of one actor in a clock hour have an e-mail each; the next one's names all else of his, and
#: what comes after it is told together, every ten minutes.
ALONE = 5
_ACTOR = "@"
_NOBODY = "nobody"
_MARK_LENGTH = 16
#: Where what is right changes every day, so many times as many repairs as elsewhere are a fight.
_OFTEN = 10


@dataclass(frozen=True, slots=True)
class Budget:
    """The counters of one control and one actor.

    Attributes:
        critical: whether the control is critical.
        actor: who did it (see `Cause.actor`); empty where nobody is known, or an AWS service acted.
        own: whether the control is about Plumbline's own parts.
        follows: whether what it holds changes every day; see `Control.follows`.
    """

    critical: bool = False
    actor: str = ""
    own: bool = False
    follows: bool = False

    @classmethod
    def of(cls, control: Control, cause: Cause) -> Budget:
        """The counters of a deviation from a control, that somebody brought about."""
        return cls(control.severity is Severity.CRITICAL, cause.actor, control.house, control.follows)

    def fight(self, limits: Breakers) -> int:
        """How many repairs of one target in a day are a fight."""
        return limits.fight * (_OFTEN if self.follows else 1)

    @property
    def of_all(self) -> str:
        """The counter of all repairs of its kind."""
        return EVERY_CRITICAL if self.critical else EVERY_CONTROL

    @property
    def of_actor(self) -> str:
        """The counter of the repairs of what its actor did; empty where nobody is known."""
        return f"{EVERY_CRITICAL if self.critical else ''}{_ACTOR}{_mark(self.actor)}" if self.actor else ""

    @property
    def letters(self) -> str:
        """The counter of alerts: of critical findings each actor has one of his own."""
        return f"{LETTERS}{_ACTOR}{_mark(self.actor or _NOBODY)}" if self.critical else LETTERS

    def most(self, control: str, breakers: Breakers, *, left: bool = False) -> Mapping[str, int]:
        """How many repairs each counter has room for, the most particular first; none counts Plumbline's own.

        Args:
            control: the control's id.
            breakers: the limits.
            left: whether a breaker left this in an earlier hour. Half as many more of these are repaired, so that
                whoever begins each hour with new deeds cannot keep what was left from being repaired for ever.
        """
        if self.own:
            return {}
        limits = {self.of_actor: breakers.per_actor, control: breakers.per_control, self.of_all: breakers.in_all}
        return {name: most + (most + 1) // 2 if left else most for name, most in limits.items() if name}


def is_of_actor(counter: str) -> bool:
    """Whether a counter is that of one actor's repairs."""
    return counter.removeprefix(EVERY_CRITICAL).startswith(_ACTOR)


def _mark(actor: str) -> str:
    """A short name for an actor: what an event calls him may hold anything."""
    return hashlib.sha256(actor.encode()).hexdigest()[:_MARK_LENGTH]
