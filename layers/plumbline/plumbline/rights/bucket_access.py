"""What a principal may do in a bucket of its account, by its own documents and the bucket's policy together. Pure.

Within one account either allows by itself, and a denial in either ends it. What a bucket's policy allows a user by his
ARN his permissions boundary does not limit; whom it names by the account's number it leaves to that account's policies.

Source: IAM user guide, Policy evaluation logic, "Evaluating identity-based policies with resource-based policies", and
Permissions boundaries for IAM entities, "Resource-based policies".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from plumbline.rights.account import Principal
from plumbline.rights.documents import Document, Statement, listed, statements
from plumbline.rights.effective import Context, Memo, Verdict, may
from plumbline.rights.trust import is_about


@dataclass(frozen=True, slots=True)
class Reach:
    """A principal in one bucket.

    Attributes:
        whole: it with what the bucket's policy says of it.
        named: a user who has a boundary, with what the policy allows by his ARN alone, which no boundary limits; else
            None.
    """

    whole: Principal
    named: Principal | None = None

    def may(self, action: str, resource: str, context: Context | None = None, *, memo: Memo | None = None) -> Verdict:
        """Whether it may; see `effective.may`."""
        verdict = may(self.whole, action, resource, context, memo=memo)
        if verdict or verdict.denied or self.named is None:
            return verdict
        return may(self.named, action, resource, context, memo=memo)


def reach(principal: Principal, policy: Document | None) -> Reach:
    """What a bucket's policy makes of a principal of the bucket's account.

    Args:
        principal: a user or a role, with its documents.
        policy: the bucket's; None where it has none.
    """
    said = statements(policy or {})
    denied = [one for one in said if one.get("Effect") == "Deny" and is_about(one, principal)]
    allowed = [one for one in said if one.get("Effect") == "Allow" and _allows_by_itself(one, principal)]
    version = (policy or {}).get("Version", "2008-10-17")
    denials: Document = {"Version": version, "Statement": denied}
    whole = replace(
        principal, documents=(*principal.documents, {"Version": version, "Statement": allowed}, denials), sources=()
    )
    by_arn = [one for one in allowed if principal.arn in _named(one)]
    if principal.kind != "user" or principal.boundary is None or not by_arn:
        return Reach(whole)
    alone: tuple[Document, ...] = ({"Version": version, "Statement": by_arn}, denials)
    return Reach(whole, replace(principal, documents=alone, sources=(), boundary=None))


def _allows_by_itself(statement: Statement, principal: Principal) -> bool:
    """Whether a statement gives a principal of the account something without the account's own policies doing so."""
    accounts = {principal.account, f"arn:{principal.partition}:iam::{principal.account}:root"}
    others = [one for one in _named(statement) if one not in accounts]
    return "NotPrincipal" not in statement and is_about({**statement, "Principal": {"AWS": others}}, principal)


def _named(statement: Statement) -> list[str]:
    written: Any = statement.get("Principal")
    return [str(one) for one in listed(written.get("AWS") if isinstance(written, Mapping) else written)]


#: What is asked about somebody in a bucket, in the order in which people read it: the word, the action, and what the
#: request carries beside; whether it is about what lies below a prefix, or about the bucket itself.
_NEW = {"s3:if-none-match": "*", "s3:ObjectCreationOperation": "true"}
_OVER = {"s3:if-none-match": None, "s3:ObjectCreationOperation": "true"}
_ASKED: tuple[tuple[str, str, Mapping[str, str | None]], ...] = (
    ("list", "s3:ListBucket", {}),
    ("read", "s3:GetObject", {}),
    ("write new", "s3:PutObject", _NEW),
    ("overwrite", "s3:PutObject", _OVER),
    ("delete", "s3:DeleteObject", {}),
)
_GOVERNS = ("say who may", "s3:PutBucketPolicy")
_PLAIN = re.compile(r"[*?$]")
#: The end of a key that no policy names.
_SOMETHING = "9f1c0c3e"
#: Stands for the user's own name in a folder of his, so that those who have the same are told together.
OWN_NAME = "(own name)"
#: What says where somebody's rights come from if it is the bucket's policy.
BY_BUCKET = "the bucket's policy"


@dataclass(frozen=True, slots=True)
class Access:
    """One thing that somebody may do in a bucket.

    Attributes:
        may: in a person's words.
        where: the prefixes below which he may; an empty one is the whole bucket.
        but: prefixes below these where he may not.
        through: what allows it.
        unless: condition keys of the request that nobody can know beforehand, and that were taken to fit.
    """

    may: str
    where: tuple[str, ...]
    but: tuple[str, ...] = ()
    through: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


def prefixes(bucket: str, documents: Iterable[Document]) -> tuple[str, ...]:
    """The prefixes of a bucket that policies tell apart; the whole bucket, an empty one, first.

    Args:
        bucket: its name.
        documents: its policy, and those of whoever may reach it.
    """
    found = {""}
    for one in (each for policy in documents for each in statements(policy)):
        for key in ("Resource", "NotResource"):
            for arn in map(str, listed(one.get(key))):
                name, slash, rest = arn.rpartition(":::")[2].partition("/")
                if slash and name == bucket:
                    found.add(_PLAIN.split(rest)[0])
        for tests in (one.get("Condition") or {}).values():
            for key, values in (tests if isinstance(tests, Mapping) else {}).items():
                if str(key).lower() == "s3:prefix":
                    found |= {_PLAIN.split(str(value))[0] for value in listed(values)}
    return tuple(sorted(found))


def accesses(
    principal: Principal, policy: Document | None, arn: str, places: Sequence[str], context: Context, memo: Memo
) -> tuple[Access, ...]:
    """What a user or role may do in a bucket of its account.

    Args:
        principal: with its documents, and `sources` that say where each stands.
        policy: the bucket's.
        arn: the bucket's.
        places: the prefixes to ask about, the whole bucket first.
        context: what is known of a request: the time, above all.
        memo: of a look at many principals.
    """
    whole = reach(principal, policy)
    own = [*places, *(f"{one}{principal.name}/" for one in places if one.endswith("/"))]
    found = []
    for word, action, more in _ASKED:
        verdicts = {
            place: whole.may(action, *_request(arn, action, place, {**context, **more}), memo=memo)
            for place in dict.fromkeys(own)
        }
        may_ = [place for place, verdict in verdicts.items() if verdict]
        if may_:
            own_names = {f"{one}{principal.name}/": f"{one}{OWN_NAME}/" for one in places}
            first = _least(may_)
            but = _least([one for one in verdicts if one not in may_ and any(one.startswith(at) for at in first)])
            keys = tuple(dict.fromkeys(key for one in may_ for key in verdicts[one].assumed))
            on = _request(arn, action, first[0], {**context, **more})
            where, spared = (tuple(own_names.get(one, one) for one in each) for each in (first, but))
            found.append(Access(word, where, spared, _through(principal, policy, action, on, memo), keys))
    word, action = _GOVERNS
    if verdict := whole.may(action, arn, context, memo=memo):
        through = _through(principal, policy, action, (arn, context), memo)
        found.append(Access(word, ("",), (), through, verdict.assumed))
    return _joined(found)


def _request(arn: str, action: str, place: str, context: Context) -> tuple[str, Context]:
    """On what something is asked, and with what."""
    if action == "s3:ListBucket":
        return arn, {**context, "s3:prefix": place or None}
    return f"{arn}/{place}{_SOMETHING}", context


def _least(places: Iterable[str]) -> tuple[str, ...]:
    every = sorted(places)
    return tuple(one for one in every if not any(one != other and one.startswith(other) for other in every))


def _through(
    principal: Principal, policy: Document | None, action: str, on: tuple[str, Context], memo: Memo
) -> tuple[str, ...]:
    """Each document that allows something by itself."""
    bare = replace(principal, boundary=None)
    names = principal.sources or tuple("a policy" for _ in principal.documents)
    held = [
        source
        for source, text in zip(names, principal.documents, strict=True)
        if may(replace(bare, documents=(text,), sources=()), action, *on, memo=memo)
    ]
    by_bucket = reach(replace(bare, documents=(), sources=()), policy).may(action, *on)
    return (*held, *((BY_BUCKET,) if by_bucket else ()))


def _joined(found: Sequence[Access]) -> tuple[Access, ...]:
    """What somebody may do in the same places through the same, in one; to write new things and over others: write."""
    joined: dict[Access, list[str]] = {}
    for one in found:
        joined.setdefault(replace(one, may=""), []).append(one.may)
    told = []
    for rest, words in joined.items():
        both = {"write new", "overwrite"} <= set(words)
        said = ["write" if one == "write new" else one for one in words if one != "overwrite"] if both else words
        told.append(replace(rest, may=", ".join(said)))
    return tuple(told)


def outsiders(policy: Document | None, account: str) -> tuple[tuple[str, str], ...]:
    """Whom a bucket's policy lets in from outside the account: who, and what it allows them; conditions are said.

    Args:
        policy: the bucket's.
        account: its owner's number.
    """
    found = []
    for one in statements(policy or {}):
        if one.get("Effect") != "Allow":
            continue
        written = one.get("Principal", "everybody but some")
        named = [
            f"{kind} {who}" if kind != "AWS" else str(who)
            for kind, those in (written.items() if isinstance(written, Mapping) else (("AWS", written),))
            for who in listed(those)
        ]
        said = ", ".join(map(str, listed(one.get("Action")))) or "all but some actions"
        keys = sorted({str(key) for tests in (one.get("Condition") or {}).values() for key in tests})
        when = f", where {', '.join(keys)} fit{'s' * (len(keys) == 1)}" if keys else ""
        found += [
            ("anybody" if who == "*" else who, f"{said}{when}")
            for who in named
            if f":{account}:" not in who and who != account
        ]
    return tuple(found)
