"""What `settle` works on, and what comes of it. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from plumbline.baseline.rules import Rule
from plumbline.core.calls import Call
from plumbline.core.cause import Origin
from plumbline.core.control import Control, Deviation
from plumbline.core.targets import State
from plumbline.findings.brief import Brief
from plumbline.findings.finding import Finding
from plumbline.wakes.messages import Wake


class Outcome(str, Enum):
    """How a settle ended."""

    COMPLIANT = "compliant"
    RESOLVED = "resolved"
    REPAIRED = "repaired"
    NOT_CONVERGED = "not converged"
    UNSEEN = "repaired unseen"
    FAILED = "failed"
    TOLD = "told"
    LISTED = "listed"
    WAITING = "waiting"
    EXEMPT = "exempt"
    HELD = "held"
    STOPPED = "stopped"
    UNKNOWN = "unknown"
    OFF = "off"
    BEGUN = "begun"


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of one wake.

    Attributes:
        again: whether the queue should bring the wake back.
        shown_by: when AWS shows at the latest what it may not show yet, so that looking again earlier says no more.
        reason: why, where the outcome alone does not say.
        asks: what a person has to make first, with rights of his own; only where the outcome is `BEGUN`.
    """

    outcome: Outcome
    wake: Wake
    finding: Finding | None = None
    again: bool = False
    shown_by: datetime | None = None
    reason: str = ""
    asks: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One deviation on its way through `settle`.

    Attributes:
        afresh: whether its state was read for it alone, for sure.
    """

    control: Control
    rule: Rule
    wake: Wake
    state: State
    deviation: Deviation
    brief: Brief
    now: datetime
    afresh: bool = False

    @property
    def is_announced(self) -> bool:
        """Whether an event made Plumbline look."""
        return self.wake.origin is Origin.EVENT
