"""What is left alone, by whom, why and until when. Nothing is exempt for ever.

Exemptions live in the ledger and in the reviewed baseline.yaml only: whoever may tag a resource could exempt himself.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, Literal

from plumbline.core import Target, utc

ANY = "*"
#: What makes a pattern of a target.
WILD = "*?["
#: Targets read account/region/kind/id.
_KIND_IS_WORD = 3
_REGION = re.compile(r"global|[a-z]{2,3}(-[a-z]+)+-\d")
#: How long before its end the owner of an exemption is reminded. A shorter one is not reminded of at all.
REMIND_BEFORE = timedelta(days=7)
#: Begins each id, so that over the phone an exemption is not taken for a finding.
ID_BEGINS = "X"
#: As in a finding's id (Crockford's base 32): no I, L, O, U.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ID_LENGTH = 4
#: Targets as different as they come: a pattern that covers all of them covers everything that matters.
_PROBES = (
    "global/iam-user/bob",
    "global/iam-role/Zulu-9",
    "us-east-1/s3-bucket/acme",
    "eu-west-3/trail/plumb.line",
    "ap-southeast-2/alarm/x",
)

Notice = Literal["made", "expiring", "expired"]


@dataclass(frozen=True, slots=True)
class Exemption:
    """A target, or a pattern of targets, that a control leaves alone for a while.

    Attributes:
        control: a control's id, or `*` for all.
        target: a target as it prints, or a pattern with `*` and `?`.
        owner: who answers for it.
        reason: why, for the next reader.
        until: when it ends.
        id: what a person types to end it early; empty for those of baseline.yaml.
        told: the notices that were sent, or that nobody needs.
        by: who made it, as that person's shell said; empty where nobody said.
    """

    control: str
    target: str
    owner: str
    reason: str
    until: datetime
    id: str = ""
    told: tuple[str, ...] = ()
    by: str = ""

    def covers(self, control: str, target: Target) -> bool:
        """Whether this exempts `target` from `control`, the time aside."""
        return self.control in (ANY, control) and fnmatchcase(str(target), self.target)

    def to_json(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        return {
            "control": self.control,
            "target": self.target,
            "owner": self.owner,
            "reason": self.reason,
            "until": self.until.isoformat(),
            "id": self.id,
            "told": list(self.told),
            "by": self.by,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Exemption:
        """The exemption that `to_json` wrote.

        Raises:
            KeyError, ValueError: it is unreadable; the caller must then repair nothing.
        """
        return cls(
            data["control"],
            data["target"],
            data["owner"],
            data["reason"],
            utc(data["until"]),
            data.get("id", ""),
            tuple(data.get("told", ())),
            data.get("by", ""),
        )


def covering(exemptions: Iterable[Exemption], control: str, target: Target, now: datetime) -> Exemption | None:
    """The exemption in force for a target, the longest one where there are several."""
    in_force = (one for one in exemptions if one.until > now and one.covers(control, target))
    return max(in_force, key=lambda one: one.until, default=None)


def exactly(target: Target) -> str:
    """The pattern that covers this target alone, whatever stands in its name."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in str(target))


def granted(exemption: Exemption, others: Sequence[Exemption], now: datetime) -> Exemption:
    """A new exemption with an id that none of the others has, and without a reminder where it is short."""
    taken = {one.id for one in others}
    seed = f"{exemption.control}|{exemption.target}|{now.isoformat()}"
    tries = (f"{ID_BEGINS}{_letters(f'{seed}|{number}')}" for number in range(len(taken) + 1))
    told = exemption.told if exemption.until - now > REMIND_BEFORE else (*exemption.told, "expiring")
    return replace(exemption, id=next(one for one in tries if one not in taken), told=told)


def due_notices(exemptions: Iterable[Exemption], now: datetime) -> list[tuple[Exemption, Notice]]:
    """The exemptions that a person has to be told of now, each with what there is to tell."""
    notices: list[tuple[Exemption, Notice]] = []
    for one in exemptions:
        if one.until <= now:
            if "expired" not in one.told:
                notices.append((one, "expired"))
        elif one.until - now <= REMIND_BEFORE and "expiring" not in one.told:
            notices.append((one, "expiring"))
    return notices


def reviewed_notices(exemptions: Sequence[Exemption], now: datetime) -> list[tuple[Exemption, Notice]]:
    """All there is to tell of those of baseline.yaml, told or not. Nobody typed them, so their beginning is news."""
    made: list[tuple[Exemption, Notice]] = [(one, "made") for one in exemptions if one.until > now]
    return [*made, *due_notices(exemptions, now)]


def kept(exemptions: Iterable[Exemption], now: datetime) -> tuple[Exemption, ...]:
    """Those that are in force, and those whose end nobody has been told of yet."""
    return tuple(one for one in exemptions if one.until > now or "expired" not in one.told)


def matches_everything(pattern: str, account: str) -> bool:
    """Whether a pattern covers targets of every kind, in every region, of every name."""
    return all(fnmatchcase(f"{account}/{probe}", pattern) for probe in _PROBES)


def unknown_kind(pattern: str, kinds: Collection[str]) -> str:
    """The word of a pattern that stands where a kind of target belongs and is none of `kinds`; empty where all is well.

    A pattern's first `*` may stand for account and region, so any of its first words may be the kind.
    """
    named = [one for one in pattern.split("/")[:-1][:_KIND_IS_WORD] if not any(char in one for char in WILD)]
    words = [one for one in named if not (one.isdigit() or _REGION.fullmatch(one))]
    return words[-1] if words and not any(one in kinds for one in words) else ""


def _letters(seed: str) -> str:
    digest = hashlib.sha256(seed.encode()).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:_ID_LENGTH])
