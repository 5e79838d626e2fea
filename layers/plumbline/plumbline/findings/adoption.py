"""What was there before Plumbline: how far a control's first sweep has come. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from plumbline.baseline.rules import Rule
from plumbline.core.cause import Origin
from plumbline.core.clock import Response
from plumbline.core.control import Scope
from plumbline.core.stretch import Stretch
from plumbline.core.targets import Target


def mark(rule: Rule) -> str:
    """What a first sweep was made under: when a control's settings change, what they newly find is adopted afresh."""
    text = json.dumps(rule.own, sort_keys=True, default=str) + str(rule.response is Response.OFF)
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


#: Characters of an adoption that stay in one piece, as version 0.1 kept all of them.
_IN_ONE = 8_000
#: How many pieces there are where they are more: of 20,000 targets each holds some 300.
_PIECES = 64
_IN_PIECES = "pieces"


def piece_of(target: str) -> str:
    """The piece that tells whether a target waits for its adoption."""
    return f"{int(hashlib.sha256(target.encode()).hexdigest()[:8], 16) % _PIECES:02}"


def in_pieces(text: str) -> tuple[str, Mapping[str, str]]:
    """An adoption as the ledger keeps it: what stands alone, and the pieces beside it, where there are any.

    Args:
        text: what `Adoption.to_json` wrote.
    """
    if len(text) <= _IN_ONE:
        return text, {}
    adoption = Adoption.from_json(text)
    pieces: dict[str, list[str]] = {f"{number:02}": [] for number in range(_PIECES)}  # all: an old one may be there
    for target in sorted(adoption.pending):
        pieces[piece_of(target)].append(target)
    head = json.dumps({**adoption.head, "pending": [], _IN_PIECES: True})
    return head, {name: json.dumps(targets) for name, targets in pieces.items()}


def is_in_pieces(head: str) -> bool:
    """Whether what stands alone speaks of pieces beside it."""
    return f'"{_IN_PIECES}"' in head


def whole(head: str, pieces: Iterable[str]) -> str:
    """The adoption that `in_pieces` took apart; a piece that the head does not speak of is an old one."""
    if not is_in_pieces(head):
        return head
    adoption = Adoption.from_json(head)
    pending = frozenset(target for piece in pieces for target in json.loads(piece))
    return replace(adoption, pending=adoption.pending | pending).to_json()


@dataclass(frozen=True, slots=True)
class Adoption:
    """How far a control's first sweep has come.

    Attributes:
        mark: what it was made under; empty before it began.
        pending: targets it found out of line, or could not see, that are in no finding yet. They were there before
            Plumbline, however late they are settled.
        new: when an upgrade brought the control, in ISO 8601, until somebody has heard so; empty for one that was
            there before, or that came with Plumbline itself. Until then whatever it finds is adopted.
        upto: the last target, as text, that a first sweep has seen which is not through yet; empty when it is.
        again: whether that is not the control's first one ever: its settings have changed.
    """

    mark: str = ""
    pending: frozenset[str] = frozenset()
    new: str = ""
    upto: str = ""
    again: bool = False

    @property
    def head(self) -> dict[str, Any]:
        """What it says besides its targets, as plain data."""
        more = {"new": self.new, "upto": self.upto, "again": self.again}
        return {"mark": self.mark, **{name: value for name, value in more.items() if value}}

    def is_to_come(self, target: Target, rule: Rule) -> bool:
        """Whether a first sweep has not come as far as a target yet."""
        return self.mark != mark(rule) or bool(self.upto and target in Stretch(self.upto))

    def goes_on(self, rule: Rule) -> bool:
        """Whether a sweep may change it: the first is to come, or not through, or something waits for a finding."""
        return self.mark != mark(rule) or bool(self.upto or self.pending)

    def adopts(self, rule: Rule, deviating: Iterable[Target], known: Container[Target]) -> frozenset[str]:
        """Which targets were there before Plumbline, or before these settings.

        Args:
            rule: what the baseline says of the control now.
            deviating: what needs a look, or could not be seen.
            known: targets that have a finding.
        """
        # what other settings find on a target that has a finding is adopted like what they find anywhere
        again = bool(self.mark) if self.mark != mark(rule) else self.again
        return frozenset(
            str(one)
            for one in deviating
            if (self.is_to_come(one, rule) and (again or one not in known))
            or (str(one) in self.pending and one not in known)
        )

    def after(self, rule: Rule, stretch: Stretch, adopted: frozenset[str]) -> Adoption:
        """How far the first sweep has come once a stretch of the targets was looked at.

        Args:
            rule: what the baseline says of the control now.
            stretch: what was looked at.
            adopted: as `adopts` tells.
        """
        if self.mark != mark(rule):
            if stretch.after:  # nobody has looked before it by these settings: the next sweep begins anew
                return self
            return Adoption(mark(rule), adopted, self.new, stretch.upto, bool(self.mark) and bool(stretch.upto))
        pending = adopted.union(one for one in self.pending if one not in stretch)
        upto = self.upto
        if upto and stretch.after <= upto:
            upto = max(upto, stretch.upto) if stretch.upto else ""
        return Adoption(self.mark, pending, self.new, upto, self.again and bool(upto))

    def to_json(self) -> str:
        """As the ledger keeps it."""
        return json.dumps({**self.head, "pending": sorted(self.pending)})

    def knows(self, target: Target, rule: Rule) -> bool:
        """Whether a target waits for its adoption, or the control's first sweep is still to be made.

        Only so is there a grace, whatever a message says: whoever may send one could write that it was there before.
        Of a pattern it is enough that any target waits.
        """
        waits = bool(self.pending or self.upto) if target.is_pattern else str(target) in self.pending
        return bool(self.new) or waits or self.is_to_come(target, rule)

    def origin_of(self, target: Target, rule: Rule, otherwise: Origin) -> Origin:
        """Where a deviation comes from that nobody announced by name: from before Plumbline, or from `otherwise`.

        Args:
            target: what deviates.
            rule: what the baseline says of the control now.
            otherwise: where it comes from when the first sweep has been made and did not see it.
        """
        is_adopted = bool(self.new) or str(target) in self.pending or self.is_to_come(target, rule)
        return Origin.ADOPTION if is_adopted else otherwise

    @classmethod
    def from_json(cls, text: str | None) -> Adoption:
        """The adoption that `to_json` wrote; that of a control never swept where there is none."""
        data = json.loads(text) if text else {}
        return cls(
            mark=data.get("mark", ""),
            pending=frozenset(data.get("pending", ())),
            new=data.get("new", ""),
            upto=data.get("upto", ""),
            again=data.get("again", False),
        )
