"""Who has which level on which prefix of a bucket, as statements of the bucket's policy. Pure.

A person has the union of what the baseline gives his groups and himself. Allow statements give it; Deny statements end
whatever else allows more in this bucket, such as AWS's own policies that read by what a key is called. People with the
same rights share statements. Nothing here depends on the day: where something ends, its statement says so, and another
one denies it from then on.

Source: Amazon S3 user guide, Actions, resources and condition keys, and Enforce conditional writes; IAM user guide,
Policy evaluation logic (within an account a bucket's policy allows by itself what it allows a user by his ARN, and a
denial outweighs everything) and AWS global condition context keys (aws:PrincipalArn, aws:username).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plumbline.core.names import same_name
from plumbline.rights.documents import Statement

LIST, READ, WRITE, DELETE, OWN = "list", "read", "write", "delete", "own"
LEVELS = (LIST, READ, WRITE, DELETE, OWN)
#: Level -> the actions on objects that it stands for.
ACTIONS: Mapping[str, tuple[str, ...]] = {
    READ: ("s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion", "s3:GetObjectVersionTagging"),
    WRITE: ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"),
    DELETE: ("s3:DeleteObject",),
}
LISTS, FINDS = "s3:ListBucket", "s3:GetBucketLocation"
#: How the Sids of these statements begin: whatever begins so is this control's.
SID = "PlumblineAccess"
_USERNAME = "${aws:username}"
_WHO = "aws:PrincipalArn"
#: A level's prefixes, each with the slash at its end; empty for the whole bucket.
Prefixes = frozenset[str]


@dataclass(frozen=True, slots=True)
class User:
    """A user of the account.

    Attributes:
        arn: with its path.
        groups: the names of the groups that he is in.
        administrator: whether he is one of the baseline's, to whom no denial applies.
    """

    arn: str
    groups: tuple[str, ...] = ()
    administrator: bool = False

    @property
    def name(self) -> str:
        """Without its path."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Rights:
    """What somebody may do in a bucket: level -> where, nothing twice."""

    list: Prefixes = frozenset()
    read: Prefixes = frozenset()
    write: Prefixes = frozenset()
    delete: Prefixes = frozenset()

    def __bool__(self) -> bool:
        return bool(self.list or self.read or self.write or self.delete)

    def of(self, level: str) -> Prefixes:
        """Where somebody has a level."""
        found: Prefixes = getattr(self, level)
        return found

    @property
    def writes_new(self) -> Prefixes:
        """Where he writes and may not delete, so that he must not overwrite either."""
        return frozenset(one for one in self.write if not any(one.startswith(other) for other in self.delete))


def rights(*given: Mapping[str, Iterable[str]]) -> Rights:
    """The union of what is given: prefix as a baseline writes it -> levels."""
    where: dict[str, set[str]] = {level: set() for level in (LIST, READ, WRITE, DELETE)}
    for prefixes in given:
        for written, levels in prefixes.items():
            prefix = "" if written == "/" else f"{written.strip('/')}/"
            for level in levels:
                if level == OWN:
                    for one in where.values():
                        one.add(f"{prefix}{_USERNAME}/")
                else:
                    where[level].add(prefix)
    return Rights(**{level: _least(found) for level, found in where.items()})


def _least(prefixes: Iterable[str]) -> Prefixes:
    """Without those that others cover."""
    every = frozenset(prefixes)
    return frozenset(one for one in every if not any(one != other and one.startswith(other) for other in every))


def of_groups(said: Mapping[str, Any], user: User) -> Rights:
    """What a bucket of the baseline gives a user through his groups.

    Args:
        said: the bucket's, in the setting.
        user: who.
    """
    given = {
        prefix: [level for group, levels in groups.items() for level in levels if _is_in(user, group)]
        for prefix, groups in (said.get("prefixes") or {}).items()
    }
    return rights(given)


def of_person(said: Mapping[str, Any], user: User) -> tuple[Rights, str]:
    """What a bucket of the baseline gives one user, and the moment until which; nothing where it does not name him."""
    found = [one for name, one in (said.get("people") or {}).items() if same_name(name, user.name)]
    return (rights(found[0]["prefixes"]), f"{found[0]['until']}T23:59:59Z") if found else (Rights(), "")


def together(one: Rights, other: Rights) -> Rights:
    """The union of two."""
    return Rights(**{level: _least(one.of(level) | other.of(level)) for level in (LIST, READ, WRITE, DELETE)})


def _is_in(user: User, group: str) -> bool:
    return any(same_name(one, group) for one in user.groups)


def statements_of(
    bucket: str, said: Mapping[str, Any], users: Iterable[User], *, partition: str, account: str, keeps_versions: bool
) -> list[Statement]:
    """The statements of a bucket's policy by which everybody has what the baseline gives him there, and no more.

    Args:
        bucket: its name.
        said: what the setting says of it.
        users: every user of the account.
        partition: of its ARNs.
        account: twelve digits.
        keeps_versions: whether what is overwritten in it is kept, so that nobody has to be kept from overwriting.

    Returns:
        Them, in an order of their own; each with a Sid that follows from what it says.
    """
    shape = _Shape(f"arn:{partition}:s3:::{bucket}")
    made = _Shared()
    administrators: list[str] = []
    known: list[str] = []
    for user in sorted(users, key=lambda one: one.arn):
        always, (personal, until) = of_groups(said, user), of_person(said, user)
        for one in shape.gives(always):
            made.add(one, user.arn)
        for one in shape.gives(personal) if personal else ():
            made.add({**one, "Condition": _and(one, {"DateLessThan": {"aws:CurrentTime": until}})}, user.arn)
        if user.administrator:
            administrators.append(user.arn)
            continue
        if not (always or personal):
            continue
        known.append(user.arn)
        both = together(always, personal)
        for one in shape.ends(both, keeps_versions=keeps_versions):
            made.add(one, user.arn)
        for one in shape.ends(always, keeps_versions=keeps_versions) if both != always else ():
            made.add({**one, "Condition": _and(one, {"DateGreaterThanEquals": {"aws:CurrentTime": until}})}, user.arn)
    return [*made.statements(), *shape.others(f"arn:{partition}", account, known, administrators)]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What statements about one bucket say, but for whom they are about."""

    arn: str

    def _objects(self, prefixes: Iterable[str]) -> list[str]:
        return [f"{self.arn}/{one}*" for one in sorted(prefixes)]

    def gives(self, given: Rights) -> Iterator[Statement]:
        """What allows it."""
        finds: tuple[str, ...] = (FINDS,) if given else ()
        for prefixes, actions in _by_prefixes(given):
            if prefixes:
                also = [self.arn] if finds else []
                yield {"Effect": "Allow", "Action": [*actions, *finds], "Resource": [*self._objects(prefixes), *also]}
                finds = ()
        if finds:
            yield {"Effect": "Allow", "Action": [FINDS], "Resource": [self.arn]}
        if given.list:
            yield {"Effect": "Allow", "Action": [LISTS], "Resource": [self.arn], **_listing("StringLike", given.list)}

    def ends(self, given: Rights, *, keeps_versions: bool) -> Iterator[Statement]:
        """What denies all else of the levels."""
        for prefixes, actions in _by_prefixes(given):
            if prefixes and "" not in prefixes:
                yield {"Effect": "Deny", "Action": list(actions), "NotResource": self._objects(prefixes)}
            elif not prefixes:
                yield {"Effect": "Deny", "Action": list(actions), "Resource": self._objects([""])}
        if "" not in given.list:
            yield {"Effect": "Deny", "Action": [LISTS], "Resource": [self.arn], **_listing("StringNotLike", given.list)}
        if given.writes_new and not keeps_versions:
            # An upload in parts carries the header at its end; only what creates an object can.
            new = {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}}
            objects = self._objects(given.writes_new)
            yield {"Effect": "Deny", "Action": ["s3:PutObject"], "Resource": objects, "Condition": new}

    def others(self, arn: str, account: str, known: list[str], administrators: list[str]) -> Iterator[Statement]:
        """What ends everything that is no level, and everything of users whom the baseline gives nothing here.

        Roles and services are left alone, and so are root and the administrators.
        """
        users = {"ArnLike": {_WHO: [f"{arn}:iam::{account}:user/*", f"{arn}:sts::{account}:federated-user/*"]}}
        everything = {"Effect": "Deny", "Principal": "*", "Resource": [self.arn, f"{self.arn}/*"]}
        levels = sorted({LISTS, FINDS, *(one for actions in ACTIONS.values() for one in actions)})
        for spared, what in (
            (sorted(administrators), {"NotAction": levels}),
            (sorted({*administrators, *known}), {"Action": ["s3:*"]}),
        ):
            but = {"ArnNotEquals": {_WHO: spared}} if spared else {}
            yield _named({**everything, **what, "Condition": {**users, **but}})


def _by_prefixes(given: Rights) -> Iterator[tuple[Prefixes, tuple[str, ...]]]:
    """The actions on objects by where they are given, so that those that are given alike stand together."""
    found: dict[Prefixes, tuple[str, ...]] = {}
    for level, actions in ACTIONS.items():
        found[given.of(level)] = (*found.get(given.of(level), ()), *actions)
    yield from ((prefixes, tuple(sorted(actions))) for prefixes, actions in found.items())


def _listing(operator: str, prefixes: Prefixes) -> Mapping[str, Any]:
    """A condition about what is listed; none where it is the whole bucket, or nothing of it."""
    if not prefixes or "" in prefixes:
        return {}
    return {"Condition": {operator: {"s3:prefix": [f"{one}*" for one in sorted(prefixes)]}}}


def _and(statement: Statement, more: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**statement.get("Condition", {}), **more}


class _Shared:
    """Statements and whom each is about: what says the same of several people stands once."""

    def __init__(self) -> None:
        self._about: dict[str, list[str]] = {}

    def add(self, statement: Statement, user: str) -> None:
        """A statement of one user."""
        self._about.setdefault(json.dumps(statement, sort_keys=True), []).append(user)

    def statements(self) -> Iterator[Statement]:
        """Each with its people.

        By name where it allows, since only that allows by itself; else by condition, which goes on to deny whoever is
        made anew under a name.
        """
        for text, users in sorted(self._about.items()):
            one = json.loads(text)
            if one["Effect"] == "Allow":
                yield _named({**one, "Principal": {"AWS": sorted(users)}})
            else:
                yield _named({**one, "Principal": "*", "Condition": _and(one, {"ArnEquals": {_WHO: sorted(users)}})})


def _named(statement: Statement) -> Statement:
    says = json.dumps(statement, sort_keys=True)
    does = "Gives" if statement["Effect"] == "Allow" else "Ends"
    return {"Sid": f"{SID}{does}{hashlib.sha256(says.encode()).hexdigest()[:8]}", **statement}
