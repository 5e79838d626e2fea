"""A stretch of a control's targets in their order as text: what was looked at of many, and what is to come. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some targets that stand one after another.

    Attributes:
        after: the target before the first one, as text; empty where it begins with the first there is.
        upto: the last one, as text; empty where it goes to the end.
    """

    after: str = ""
    upto: str = ""

    def __contains__(self, target: object) -> bool:
        """Whether a target lies in it."""
        text = str(target)
        return self.after < text and (not self.upto or text <= self.upto)


#: All of them.
WHOLE = Stretch()
