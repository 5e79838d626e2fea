"""One principal's rights, weighed against its account: what makes it an administrator, and what could."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from plumbline.rights.account import Account, Principal, member, text_of
from plumbline.rights.administrators import AWS_ADMIN_POLICIES, admin_reason
from plumbline.rights.blame import blame, closing
from plumbline.rights.documents import Document
from plumbline.rights.ways import Judge, Way

_INLINE = "inline "
_BY_SERVICES = "service-role/"

#: The ARN of a managed policy -> what it says.
Read = Callable[[str], Document]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a principal's documents come to.

    Attributes:
        inline: those of its inline policies that make it an administrator, with their texts.
        attached: the ARNs of its managed policies that do.
        reasons: why.
        through: names of the groups that make it one.
        ways: what it could do to become one, each fact with the sources of the documents to take away.
        texts: of `ways`, the inline policies among those.
    """

    inline: Mapping[str, Document] = field(default_factory=dict)
    attached: Sequence[str] = ()
    reasons: Sequence[str] = ()
    through: Sequence[str] = ()
    ways: Mapping[str, Sequence[str]] = field(default_factory=dict)
    texts: Mapping[str, Document] = field(default_factory=dict)


def is_aws(arn: str) -> bool:
    """Whether a policy is AWS's own."""
    return ":iam::aws:" in arn


def as_principal(found: Mapping[str, Any], read: Read) -> Principal:
    """A principal as `_principals` found it, with what its policies say.

    AWS's own policies for service roles are left out on a role: they are what its service needs.
    """
    attached = _counted(found)
    return Principal(
        arn=found["arn"],
        name=found["name"].rpartition("/")[2],
        kind=found["kind"],
        documents=(*found["inline"].values(), *(text_of(arn, {}) or read(arn) for arn in attached)),
        sources=(*(f"{_INLINE}{name}" for name in found["inline"]), *attached),
        boundary=(text_of(found["bounded_by"], {}) or read(found["bounded_by"])) if found["bounded_by"] else None,
        bounded_by=found["bounded_by"],
        trust=found.get("trust", {}),
        tags=found["tags"],
    )


def read_of(found: Mapping[str, Any]) -> set[str]:
    """The ARNs of the policies that `as_principal` has to read."""
    return {arn for arn in (*_counted(found), found["bounded_by"]) if arn and not text_of(arn, {})}


def _counted(found: Mapping[str, Any]) -> list[str]:
    return [arn for arn in found["attached"] if not _is_for_services(found["kind"], arn)]


def may_matter(me: Principal) -> bool:
    """Whether a principal has any right that a way to administrator rights takes."""
    return bool(Judge(Account({})).speaks_of(me))


def weighed(judge: Judge, me: Principal, groups: Iterable[Principal] = ()) -> Weighed:
    """What a principal's documents come to in its account.

    Args:
        judge: of the account.
        me: the principal with its own documents.
        groups: a user's groups, with theirs.
    """
    groups = tuple(groups)
    whole = member(me, groups) if groups else me
    if judge.is_direct(whole):
        return _administrator(judge, me, whole, groups)
    found = [way for way in judge.ways(whole) if not way.direct]
    given = {(way.path, way.through) for group in groups for way in judge.ways(group)} if found else set()
    own: dict[str, list[Way]] = {}
    for way in found:
        if (way.path, way.through) not in given:
            own.setdefault(way.through, []).append(way)
    spoken = judge.spoken(whole) if own else {}
    ways = {f"{those[0].sentence} ({those[0].path})": closing(those, spoken) for those in own.values()}
    texts = dict(zip(me.sources, me.documents, strict=True))
    taken = {source for sources in ways.values() for source in sources if source.startswith(_INLINE)}
    return Weighed(ways=ways, texts={one.removeprefix(_INLINE): texts[one] for one in sorted(taken)})


def _administrator(judge: Judge, me: Principal, whole: Principal, groups: Sequence[Principal]) -> Weighed:
    blamed = blame(whole, judge.is_direct)
    texts = dict(zip(me.sources, me.documents, strict=True))
    through = [one.name for one in groups if judge.is_direct(one)]
    if not blamed and not through:
        through = [
            one.name
            for one in groups
            if not judge.is_direct(member(me, [other for other in groups if other is not one]))
        ][:1]
    inline = {one.removeprefix(_INLINE): texts[one] for one in blamed if one.startswith(_INLINE)}
    attached = sorted(one for one in blamed if not one.startswith(_INLINE))
    way = next(iter(judge.direct(whole)))
    reasons = {_reason(one, texts[one]) or f"it {way.sentence}" for one in blamed}
    return Weighed(inline, attached, sorted(reasons), sorted(through))


def _reason(source: str, text: Document) -> str:
    name = source.partition(":policy/")[2]
    if is_aws(source) and name in AWS_ADMIN_POLICIES:
        return f"AWS's own policy {name} makes its holder an administrator"
    return admin_reason(text)


def _is_for_services(kind: str, arn: str) -> bool:
    return kind == "role" and is_aws(arn) and arn.partition(":policy/")[2].startswith(_BY_SERVICES)
