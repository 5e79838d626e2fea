"""What the ledger knows that bears on a piece of a sweep, read once for pieces that follow each other closely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from plumbline.decisions.credible import believed
from plumbline.decisions.exemptions import Exemption, any_covering
from plumbline.engine.settle import Engine
from plumbline.findings.adoption import Adoption, kept_as
from plumbline.findings.finding import Finding
from plumbline.findings.sweeps import Lasts
from plumbline.sweep.look import Known
from plumbline.sweep.units import Unit

#: What is known for longer is read again. A wake for what react has settled meanwhile is settled once more, in vain.
_KNOWN_FOR = timedelta(minutes=1)


class Sweeps(Protocol):
    """What sweeps remember of themselves; see adapters/sweeps.py."""

    def lasting(self, account: str, control: str) -> Lasts:
        """What a control's sweeps need not look at again yet."""


class Ledger(Protocol):
    """What is asked here; see ports.Ledger."""

    @property
    def sweeps(self) -> Sweeps:
        """What sweeps remember."""

    def open_findings(self, account: str) -> Sequence[Finding]:
        """Every open finding."""

    def adopted(self, account: str) -> Mapping[str, str]:
        """How far first sweeps have come."""

    def all_exemptions(self, account: str) -> Sequence[Exemption]:
        """Every exemption that people have made."""


@dataclass(slots=True)
class Knowing:
    """What the ledger knows of an account, for a minute.

    Attributes:
        engine: knows the controls and the baseline.
        ledger: is asked.
    """

    engine: Engine
    ledger: Ledger
    _read: dict[str, tuple[datetime, Mapping[str, Sequence[Finding]], Mapping[str, str], Sequence[Exemption]]] = field(
        default_factory=dict
    )

    def of(self, unit: Unit, now: datetime) -> dict[str, Known]:
        """What bears on each control of a piece.

        Args:
            unit: the piece.
            now: the time, in UTC.

        Raises:
            LedgerDown: the ledger cannot be read.
        """
        findings, adopted, own = self._of(unit.account, now)
        is_exempt = any_covering((*own, *self.engine.baseline.exemptions), now)
        controls = {one: self.engine.controls[one] for one in unit.controls}
        return {
            name: Known(
                findings.get(name, ()),
                is_exempt,
                Adoption.from_json(adopted.get(kept_as(name, one.scope, unit.region))),
                self.ledger.sweeps.lasting(unit.account, name) if one.lasting else Lasts(),
            )
            for name, one in controls.items()
        }

    def forget(self) -> None:
        """Read all again: something was written."""
        self._read.clear()

    def _of(
        self, account: str, now: datetime
    ) -> tuple[Mapping[str, Sequence[Finding]], Mapping[str, str], Sequence[Exemption]]:
        known = self._read.get(account)
        if known is None or not timedelta(0) <= now - known[0] < _KNOWN_FOR:
            findings: dict[str, list[Finding]] = {}
            for one in self.ledger.open_findings(account):
                findings.setdefault(one.control, []).append(one)
            days = self.engine.baseline.patience.exemption_days
            own = believed(self.ledger.all_exemptions(account), days, now)
            known = self._read[account] = (now, findings, self.ledger.adopted(account), own)
        return known[1:]
