"""What is left alone, by whom, why and until when. Nothing is exempt for ever.

Exemptions live in the ledger and in the reviewed baseline.yaml only: whoever may tag a resource could exempt himself.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, Literal

from plumbline.core.clock import utc
from plumbline.core.control import Control
from plumbline.core.names import folded, is_caseless
from plumbline.core.targets import GLOBAL, Target

ANY = "*"
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
#: One piece of a pattern as fnmatch reads it: a set of characters, or one by itself.
_PIECE = re.compile(r"\[(?:!|(?!!))(?:\][^\]]*|[^\]]+)\]|.", re.DOTALL)
#: A character that would stand for others, made to stand for itself.
_ESCAPED = re.compile(r"\[([*?\[])\]")
#: What of a pattern without sets stands for others.
_WILD = re.compile(r"[*?]+")
_DIGIT, _NO_SLASH, _ANY_CHAR = "[0-9]", "[!/]", "?"
_ACCOUNT_DIGITS = 12
#: How a region reads, place by place, and whether more of the same may follow there.
_REGION = (("[a-z]", True), ("-", False), ("[a-z-]", True), ("-", False), (_DIGIT, True))

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
        return self.control in (ANY, control) and fits_target(self.target, target)

    @property
    def is_of_one(self) -> bool:
        """Whether it leaves one thing alone, from one rule: somebody has decided about that very thing."""
        return self.control != ANY and not any(char in self.target for char in "*?[")

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


def fits_target(pattern: str, target: Target) -> bool:
    """Whether a target is one of those that a pattern stands for, its name in any case where IAM's names have none."""
    text = str(target)
    if is_caseless(target.kind):
        text, pattern = folded(text), folded(pattern)
    # Of very many patterns hardly any fits, and to look for its plain parts is cheaper than to compile one.
    if "[" not in pattern and not all(part in text for part in _WILD.split(pattern)):
        return False
    return fnmatchcase(text, pattern)


def covering(exemptions: Iterable[Exemption], control: str, target: Target, now: datetime) -> Exemption | None:
    """The exemption in force for a target, the longest one where there are several."""
    in_force = (one for one in exemptions if one.until > now and one.covers(control, target))
    return max(in_force, key=lambda one: one.until, default=None)


def any_covering(exemptions: Iterable[Exemption], now: datetime) -> Callable[[str, Target], bool]:
    """Whether any of many exemptions is in force for a target, by its control: for who asks it of many targets.

    Args:
        exemptions: in force or not.
        now: the time, in UTC.
    """
    of_one: dict[str, list[Exemption]] = {}
    of_many: list[tuple[str, Exemption]] = []
    for one in exemptions:
        if one.until > now:
            text = literal(one.target)
            if text is None:
                of_many.append((_plain_part(folded(one.target)), one))
            else:
                of_one.setdefault(folded(text), []).append(one)

    def covers(control: str, target: Target) -> bool:
        text = folded(str(target))
        near = (*of_one.get(text, ()), *(one for part, one in of_many if part in text))
        return any(one.covers(control, target) for one in near)

    return covers


def _plain_part(pattern: str) -> str:
    """The longest part of a pattern that stands for itself, which every text has that it fits; empty where none is."""
    return "" if "[" in pattern else max(_WILD.split(pattern), key=len)


def exactly(target: Target) -> str:
    """The pattern that covers this target alone, whatever stands in its name."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in str(target))


def literal(pattern: str) -> str | None:
    """The one text that a pattern covers, as `exactly` makes it of a target; None where it may cover others."""
    plain = _ESCAPED.sub("", pattern)
    return None if any(char in plain for char in "*?[") else _ESCAPED.sub(r"\1", pattern)


def each_once(exemptions: Iterable[Exemption]) -> tuple[Exemption, ...]:
    """Exemptions of which some may stand there twice, where they were moved; with all that was told of either."""
    found: dict[Exemption, Exemption] = {}
    for one in exemptions:
        same = replace(one, told=())
        before = found.get(same, one)
        found[same] = replace(one, told=tuple(dict.fromkeys((*before.told, *one.told))))
    return tuple(found.values())


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


def kinds_of(control: str, controls: Mapping[str, Control]) -> Mapping[str, str]:
    """The kinds of targets that a control (or `*`: any) knows, each with the characters that its ids may hold."""
    meant = [one for name, one in controls.items() if control in (ANY, name)]
    kinds = {kind: _NO_SLASH for one in meant for kind in one.kinds}
    return kinds | {kind: _ANY_CHAR for one in meant if _has_slashes(one) for kind in one.kinds}


def covers_nothing(control: str, pattern: str, controls: Mapping[str, Control], account: str = "") -> str:
    """Why no target that there may ever be is covered; empty unless that is certain.

    Args:
        control: a control's id, or `*` for all.
        pattern: a target, or a pattern of targets.
        controls: the registry.
        account: the only account there is; empty for any, where it is not known.
    """
    kinds = kinds_of(control, controls)
    if not kinds:
        return f"there is no rule {control}"
    if not _can_cover(pattern, "", kinds):
        whose = "any rule" if control == ANY else control
        return (
            f"it fits no target of {whose}: targets read account/region/kind/id, and the kinds are "
            f"{', '.join(sorted(kinds))}"
        )
    if account and not _can_cover(pattern, account, kinds):
        return f"it means another account than this one, {account}"
    return ""


def _has_slashes(control: Control) -> bool:
    """Whether ids of a control's targets may hold a slash: it names their parts, or they are made of events."""
    return control.witness is not None or "{first}" in control.noun or "{last}" in control.noun


def _can_cover(pattern: str, account: str, kinds: Mapping[str, str]) -> bool:
    """Whether there is a text that a pattern covers and that reads like a target of these kinds."""
    pieces = _PIECE.findall(pattern)
    return any(_have_a_text_in_common(pieces, one) for kind in kinds for one in _shapes(account, kind, kinds[kind]))


def _shapes(account: str, kind: str, of_an_id: str) -> Iterator[Sequence[tuple[str, bool]]]:
    """How targets of a kind read: what stands at each place, and whether more of the same may follow there."""
    owner = [(one, False) for one in account or [_DIGIT] * _ACCOUNT_DIGITS]
    for region in ([(one, False) for one in GLOBAL], _REGION):
        yield [*owner, ("/", False), *region, *((one, False) for one in f"/{kind}/"), (of_an_id, True)]


def _have_a_text_in_common(pattern: Sequence[str], shape: Sequence[tuple[str, bool]]) -> bool:
    """Walks a pattern and a shape side by side, in every way there is: a `*` may stand for slashes too."""
    seen: set[tuple[int, int]] = set()
    ahead = [(0, 0)]
    while ahead:
        place = ahead.pop()
        if place == (len(pattern), len(shape)):
            return True
        at, stands = place
        if place in seen or at == len(pattern):
            continue
        seen.add(place)
        piece = pattern[at]
        after = at if piece == ANY else at + 1
        if piece == ANY:
            ahead.append((at + 1, stands))
        if stands < len(shape) and (piece == ANY or _overlap(piece, shape[stands][0])):
            ahead += [(after, stands + 1), *([(after, stands)] if shape[stands][1] else [])]
    return False


def _overlap(one: str, other: str) -> bool:
    """Whether two pieces may stand for the same character; two sets may, as far as is known here."""
    for alone, piece in ((one, other), (other, one)):
        if len(alone) == 1 and alone != _ANY_CHAR:
            return fnmatchcase(alone, piece)
    return True


def _letters(seed: str) -> str:
    digest = hashlib.sha256(seed.encode()).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:_ID_LENGTH])
