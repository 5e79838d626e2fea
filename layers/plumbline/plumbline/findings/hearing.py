"""Whether anybody hears: what the ledger remembers of it. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime

from plumbline.core.clock import utc

#: Where the ledger keeps it, in the partition of the account.
KEPT_AS = "heard"


@dataclass(frozen=True, slots=True)
class Hearing:
    """Whether somebody ever confirmed that alerts reach him, and whether anybody does now.

    Attributes:
        first: when that was seen for the first time; None while nobody ever has. Never taken back: whoever could end
            repairs by ending a subscription would have an easy way to stop them.
        silent: since when nobody hears, as far as was seen; None where somebody does.
    """

    first: datetime | None = None
    silent: datetime | None = None

    @property
    def ever(self) -> bool:
        """Whether anybody has ever confirmed: until then nothing is repaired."""
        return self.first is not None

    @property
    def now(self) -> bool:
        """Whether somebody hears, as far as was seen last."""
        return self.ever and self.silent is None

    def after(self, hears: bool | None, now: datetime) -> Hearing:  # noqa: FBT001 -- an answer, not an option
        """What is known after a look.

        Args:
            hears: whether somebody hears now; None where it cannot be found out, which counts as nobody unless
                somebody once did.
            now: the time, in UTC.
        """
        if hears:
            return Hearing(self.first or now)
        if hears is None and self.ever:
            return self
        return replace(self, silent=self.silent or now)

    def to_json(self) -> str:
        """As the ledger keeps it."""
        moments = {"first": self.first, "silent": self.silent}
        return json.dumps({name: at.isoformat() if at else None for name, at in moments.items()})

    @classmethod
    def from_json(cls, text: str | None) -> Hearing:
        """The hearing that `to_json` wrote; that of nobody where there is none.

        Raises:
            KeyError, ValueError, TypeError: it is unreadable; the caller must then repair nothing.
        """
        data = json.loads(text) if text else {"first": None, "silent": None}
        return cls(*(utc(at) if at else None for at in (data["first"], data["silent"])))
