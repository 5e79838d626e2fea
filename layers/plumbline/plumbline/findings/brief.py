"""What the ledger knows that bears on one wake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from plumbline.decisions.exemptions import Exemption
from plumbline.findings.adoption import Adoption
from plumbline.findings.budgets import Budget
from plumbline.findings.finding import Finding
from plumbline.findings.hearing import Hearing


@dataclass(frozen=True, slots=True)
class Brief:
    """All the ledger knows that bears on one wake, read in one call.

    Attributes:
        finding: the current life of the deviation, open or closed.
        exemptions: those in force or not, from the ledger.
        pauses: control id (or `*`) -> until when nothing of it is repaired.
        spent: repairs of this control in this clock hour.
        spent_in_all: repairs of all controls, critical ones apart, in this clock hour.
        spent_by_actor: repairs of what the actor did in this clock hour; critical controls apart.
        letters: letters sent in this clock hour; about critical findings, those of what the actor did.
        budget: the counters that all these come from.
        adoption: how far the control's first sweep has come.
        hearing: whether anybody ever confirmed that alerts reach him.
    """

    finding: Finding | None = None
    exemptions: tuple[Exemption, ...] = ()
    pauses: Mapping[str, datetime] = field(default_factory=dict)
    spent: int = 0
    spent_in_all: int = 0
    spent_by_actor: int = 0
    letters: int = 0
    budget: Budget = field(default_factory=Budget)
    adoption: Adoption = field(default_factory=Adoption)
    hearing: Hearing = field(default_factory=Hearing)
