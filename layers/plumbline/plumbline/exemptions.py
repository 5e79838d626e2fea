"""What is left alone, by whom, why and until when. Nothing is exempt for ever.

Exemptions live in the ledger and in the reviewed baseline.yaml only: whoever may tag a resource could exempt himself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from plumbline.core import Target, utc

ANY = "*"


@dataclass(frozen=True, slots=True)
class Exemption:
    """A target, or a pattern of targets, that a control leaves alone for a while.

    Attributes:
        control: a control's id, or `*` for all.
        target: a target as it prints, or a pattern with `*` and `?`.
        owner: who answers for it.
        reason: why, for the next reader.
        until: when it ends.
    """

    control: str
    target: str
    owner: str
    reason: str
    until: datetime

    def covers(self, control: str, target: Target) -> bool:
        """Whether this exempts `target` from `control`, the time aside."""
        return self.control in (ANY, control) and fnmatchcase(str(target), self.target)

    def to_json(self) -> dict[str, str]:
        """Plain data for the ledger."""
        return {
            "control": self.control,
            "target": self.target,
            "owner": self.owner,
            "reason": self.reason,
            "until": self.until.isoformat(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Exemption:
        """The exemption that `to_json` wrote.

        Raises:
            KeyError, ValueError: it is unreadable; the caller must then repair nothing.
        """
        return cls(data["control"], data["target"], data["owner"], data["reason"], utc(data["until"]))


def covering(exemptions: Iterable[Exemption], control: str, target: Target, now: datetime) -> Exemption | None:
    """The exemption in force for a target, the longest one where there are several."""
    in_force = (one for one in exemptions if one.until > now and one.covers(control, target))
    return max(in_force, key=lambda one: one.until, default=None)
