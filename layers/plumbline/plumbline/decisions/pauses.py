"""A while without repairs, because a person said so. Plumbline keeps watching and telling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from plumbline.core.clock import utc


@dataclass(frozen=True, slots=True)
class Pause:
    """Until when nothing of a control, or of all, is repaired.

    Attributes:
        until: when it ends by itself.
        reason: why, for the next reader.
        by: who said so, as that person's shell said; empty where nobody said.
    """

    until: datetime
    reason: str = ""
    by: str = ""

    def to_json(self) -> dict[str, str]:
        """Plain data for the ledger."""
        return {"until": self.until.isoformat(), "reason": self.reason, "by": self.by}

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | str) -> Pause:
        """The pause that `to_json` wrote, or the bare end of one.

        Raises:
            KeyError, ValueError, AttributeError: it is unreadable; the caller must then repair nothing.
        """
        if isinstance(data, str):
            return cls(utc(data))
        return cls(utc(data["until"]), data.get("reason", ""), data.get("by", ""))
