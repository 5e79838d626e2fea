"""What was there before Plumbline: how far a control's first sweep has come. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from plumbline.baseline.rules import Rule
from plumbline.core.cause import Origin
from plumbline.core.clock import Response
from plumbline.core.control import Scope
from plumbline.core.targets import Target


def mark(rule: Rule) -> str:
    """What a first sweep was made under: when a control's settings change, what they newly find is adopted afresh."""
    text = json.dumps(rule.settings, sort_keys=True, default=str) + str(rule.response is Response.OFF)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def kept_as(control: str, scope: Scope, region: str) -> str:
    """What the ledger keeps the adoption of a control under: one for the account, or one for each region.

    What a newly governed region shows was there before, whatever the control has seen in others.

    Args:
        control: its id.
        scope: where the sweep looks for its targets.
        region: where it looks now, or the region of a target.
    """
    return f"{control}@{region}" if scope is Scope.EACH else control


@dataclass(frozen=True, slots=True)
class Adoption:
    """How far a control's first sweep has come.

    Attributes:
        mark: what it was made under; empty before it began.
        pending: targets it found out of line, or could not see, that are in no finding yet. They were there before
            Plumbline, however late they are settled.
    """

    mark: str = ""
    pending: frozenset[str] = frozenset()

    def to_json(self) -> str:
        """As the ledger keeps it."""
        return json.dumps({"mark": self.mark, "pending": sorted(self.pending)})

    def origin_of(self, target: Target, rule: Rule, otherwise: Origin) -> Origin:
        """Where a deviation comes from that nobody announced by name: from before Plumbline, or from `otherwise`.

        Args:
            target: what deviates.
            rule: what the baseline says of the control now.
            otherwise: where it comes from when the first sweep has been made and did not see it.
        """
        return Origin.ADOPTION if self.mark != mark(rule) or str(target) in self.pending else otherwise

    @classmethod
    def from_json(cls, text: str | None) -> Adoption:
        """The adoption that `to_json` wrote; that of a control never swept where there is none."""
        data = json.loads(text) if text else {}
        return cls(data.get("mark", ""), frozenset(data.get("pending", ())))
