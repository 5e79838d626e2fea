"""A stretch of a control's targets in their order as text: what was looked at of many, and what is to come. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from plumbline.core.targets import ALL

_ALL_OF = f"/{ALL}"
#: No text goes on with anything behind it.
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some targets that stand one after another.

    Attributes:
        after: the target before the first one, as text, or a pattern; empty where it begins with the first there is.
        upto: the last one, as text, or a pattern; empty where it goes to the end.
    """

    after: str = ""
    upto: str = ""

    def __contains__(self, target: object) -> bool:
        """Whether a target lies in it."""
        text = str(target)
        return _is_behind(text, self.after) and not (self.upto and _is_behind(text, self.upto))

    def among(self, texts: Sequence[str]) -> slice:
        """Which of many targets, as text and in order, may lie in it: all that do, and perhaps some more.

        Args:
            texts: in their order; of twenty thousand none but these has to be asked.
        """
        end = f"{self.upto.removesuffix(ALL)}{_LAST}" if self.upto.endswith(_ALL_OF) else self.upto
        return slice(bisect_right(texts, self.after), bisect_right(texts, end) if end else len(texts))


def _is_behind(text: str, place: str) -> bool:
    """Whether a target lies behind a place. What a pattern stands for, such as a user's keys, lies where it does."""
    return text > place and not (place.endswith(_ALL_OF) and text.startswith(place.removesuffix(ALL)))


#: All of them.
WHOLE = Stretch()
