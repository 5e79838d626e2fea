"""What digests have told of, until each finding says so itself. Pure.

A digest tells of thousands, and to write that down for each takes minutes that no function has. So that they were told
is one item, written as soon as the e-mail is on its way; what each finding says is brought up to it afterwards, in as
many goes as that takes, and nothing is told again meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from plumbline.core.clock import utc
from plumbline.findings.finding import Finding


@dataclass(frozen=True, slots=True)
class Digested:
    """What was told, and is not yet written down.

    Attributes:
        told: when each digest was sent -> the findings it told of: id -> the version it told of.
        brought: what the adoption of new controls is kept under that it told of.
        about: the digest that is being sent: as long as nobody knows that it was, it counts as not told.
    """

    told: Mapping[datetime, Mapping[str, int]] = field(default_factory=dict)
    brought: tuple[str, ...] = ()
    about: datetime | None = None

    def told_at(self, finding: Finding) -> datetime | None:
        """When a digest told of a finding as it stands; None where none has."""
        sent = (at for at, versions in self.told.items() if at != self.about)
        return next((at for at in sent if self.told[at].get(finding.id) == finding.version), None)

    def about_to_tell(self, findings: Iterable[Finding], brought: Iterable[str], now: datetime) -> Digested:
        """What it becomes before a digest of these findings is sent."""
        return Digested({**self.told, now: {one.id: one.version for one in findings}}, tuple(brought), now)

    def sent(self) -> Digested:
        """What it becomes once that was sent."""
        return replace(self, about=None)

    def still(self, waiting: Iterable[Finding]) -> Digested:
        """What was told of those that still wait; what was not sent counts as not told."""
        left = {one.id for one in waiting}
        sent = {at: told for at, told in self.told.items() if at != self.about}
        kept = {at: {one: version for one, version in told.items() if one in left} for at, told in sent.items()}
        return Digested({at: told for at, told in kept.items() if told}, (), None)

    def to_json(self) -> str:
        """As the ledger keeps it."""
        told = {at.isoformat(): versions for at, versions in self.told.items()}
        about = self.about.isoformat() if self.about else None
        return json.dumps({"told": told, "brought": self.brought, "about": about}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | None) -> Digested:
        """What `to_json` wrote; nothing where there is none.

        Raises:
            KeyError, ValueError, TypeError, AttributeError: it is unreadable.
        """
        data = json.loads(text) if text else {"told": {}, "brought": (), "about": None}
        told = {utc(at): versions for at, versions in data["told"].items()}
        return cls(told, tuple(data["brought"]), utc(data["about"]) if data["about"] else None)
