"""The pieces of a sweep: some controls in one account and region, as the units queue carries them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from plumbline.baseline.rules import Baseline
from plumbline.controls.index import Entry, Index
from plumbline.core.clock import Response
from plumbline.core.control import Scope
from plumbline.core.errors import MalformedWake
from plumbline.core.stretch import Stretch
from plumbline.core.targets import GLOBAL
from plumbline.findings.sweeps import label_of, parts

_MARK = "plumbline-unit"


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of a sweep: some controls in one account and region.

    Attributes:
        last: whether the sweep is over when this unit is done, as far as its account is concerned. Of a unit of a
            numbered sweep the ledger says that; see `sweep`.
        after: the last target that the first controls have looked at already, as text; empty where none.
        upto: the last target that they look at, as text; empty where they look at all behind `after`.
        sweep: when the sweep began, in ISO 8601, which is its name; empty for a unit that stands alone.
        number: which of the sweep's pieces it is, or is the rest of.
        of: how many pieces the sweep has.
        part: which part of its piece it is; empty for a whole one. See findings/sweeps.py.
        asked: the message that made react send it, for it named no target; empty for a piece of a sweep.
    """

    account: str
    region: str
    controls: tuple[str, ...]
    last: bool = False
    after: str = ""
    upto: str = ""
    sweep: str = ""
    number: int = 0
    of: int = 0
    part: str = ""
    asked: str = ""

    @property
    def stretch(self) -> Stretch:
        """The targets that its first controls look at."""
        return Stretch(self.after, self.upto)

    @property
    def label(self) -> str:
        """What the ledger calls it among the pieces of its sweep."""
        return label_of(self.number, self.part)

    def to_json(self) -> str:
        """The message body on the units queue."""
        names = ("after", "upto", "sweep", "number", "of", "part", "asked")
        more = {name: getattr(self, name) for name in names}
        return json.dumps(
            {_MARK: 1, "account": self.account, "region": self.region, "controls": self.controls, "last": self.last}
            | {name: value for name, value in more.items() if value}
        )

    def understood(self, index: Index) -> Unit:
        """The unit as this version means it: a deployment may have renamed or removed controls while it waited."""
        today = dict.fromkeys(index.renamed.get(one, one) for one in self.controls)
        return replace(self, controls=tuple(one for one in today if one in index.entries))

    @classmethod
    def from_json(cls, body: str) -> Unit:
        """The unit that `to_json` wrote.

        Raises:
            MalformedWake: the message is no unit.
        """
        try:
            data = json.loads(body)
            assert data[_MARK]  # noqa: S101 - a missing mark is caught below like any other malformed message
            return cls(
                account=str(data["account"]),
                region=str(data["region"]),
                controls=tuple(data["controls"]),
                last=bool(data["last"]),
                after=str(data.get("after", "")),
                upto=str(data.get("upto", "")),
                sweep=str(data.get("sweep", "")),
                number=int(data.get("number", 0)),
                of=int(data.get("of", 0)),
                part=str(data.get("part", "")),
                asked=str(data.get("asked", "")),
            )
        except (ValueError, KeyError, TypeError, AssertionError) as error:
            raise MalformedWake(f"the message is no sweep unit: {body[:120]!r}") from error


def numbered(pieces: Sequence[Unit], sweep: str) -> list[Unit]:
    """The pieces of one sweep, each of which knows how many there are: they may end in any order."""
    return [replace(one, sweep=sweep, number=number, of=len(pieces)) for number, one in enumerate(pieces)]


def split(unit: Unit, rest: Unit, cuts: Sequence[str]) -> tuple[Unit, list[Unit]]:
    """A piece in parts, which several runs look through at the same time.

    Args:
        unit: the piece; the parts look with its first controls.
        rest: what is left of the piece behind those.
        cuts: the last target of each part but the last one, as text, in order.

    Returns:
        what is left of the piece, as one of its parts; and the others.
    """
    which = hashlib.sha256("\n".join((*unit.controls, *cuts)).encode()).hexdigest()[:8]
    own, *others = parts(len(cuts) + 2, which)
    first = replace(unit, controls=tuple(one for one in unit.controls if one not in rest.controls), last=False)
    ends = zip(others, (unit.after, *cuts), (*cuts, unit.upto), strict=True)
    return replace(rest, part=own), [replace(first, part=part, after=after, upto=upto) for part, after, upto in ends]


def units(
    account: str, home: str, controls: Mapping[str, Entry], baseline: Baseline, swept: Sequence[str] = ()
) -> Sequence[Unit]:
    """The pieces of a sweep of one account.

    Args:
        account: twelve digits.
        home: the region that Plumbline is deployed in.
        controls: what is known of each.
        baseline: what is wanted of each.
        swept: the regions whose own settings are looked at; those that the baseline names, else home, when empty.

    Returns:
        the pieces, in order.

    """
    # What watches Plumbline's own parts comes first, then the control whose deviation blinds it, then all others.
    # Within a unit the families stand together, the one that may find the worst before the others: each control is
    # imported when its turn comes.
    wanted = {
        name: one
        for name, one in controls.items()
        if one.is_swept and baseline.rules[name].response is not Response.OFF
    }
    worst: dict[str, int] = {}
    for one in wanted.values():
        worst[one.family] = min(one.severity.rank, worst.get(one.family, one.severity.rank))

    def turn(name: str) -> tuple[bool, int, str, int, str]:
        one = wanted[name]
        return (not one.blinds, worst[one.family], one.family, one.severity.rank, name)

    regions = {
        Scope.GLOBAL: (GLOBAL,),
        Scope.HOME: (home,),
        Scope.BILLING: (Scope.BILLING.value,),
        Scope.EACH: swept or baseline.regions or (home,),
    }
    pieces: dict[tuple[int, str], list[str]] = {}
    for name in sorted(wanted, key=turn):
        rank = 0 if wanted[name].house else 1 if wanted[name].blinds else 2
        for region in regions[wanted[name].scope]:
            pieces.setdefault((rank, region), []).append(name)
    ordered = sorted(pieces, key=lambda key: (key[0], key[1] != GLOBAL, key[1]))
    return [
        Unit(account, region, tuple(pieces[(rank, region)]), last=(rank, region) == ordered[-1])
        for rank, region in ordered
    ]
