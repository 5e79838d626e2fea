"""A stretch of a control's targets in their order as text: what was looked at of many, and what is to come. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from plumbline.core.targets import ALL

_ALL_OF = f"/{ALL}"


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


def _is_behind(text: str, place: str) -> bool:
    """Whether a target lies behind a place. What a pattern stands for, such as a user's keys, lies where it does."""
    return text > place and not (place.endswith(_ALL_OF) and text.startswith(place.removesuffix(ALL)))


#: All of them.
WHOLE = Stretch()
