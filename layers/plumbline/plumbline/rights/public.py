"""Whom a statement of an S3 bucket policy lets in: the public, the public in name only, or nobody unknown. Pure.

Amazon S3 takes a policy for public until it grants access to fixed values only: to principals that are named, or under
a condition that fixes one of the keys below to values without wildcards and without policy variables. What is public
by that definition and yet lets nobody in from outside, such as a fixed `aws:VpceAccount`, has a verdict of its own.

Source: Amazon S3 user guide, Blocking public access to your Amazon S3 storage, "The meaning of public".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address, ip_network
from typing import Any

from plumbline.rights.documents import Document, Statement, listed, statements


class Verdict(str, Enum):
    """Whom a statement lets in, the fewest first."""

    NAMED = "not public"
    CLOSED = "public by Amazon's definition, and closed by other means"
    PUBLIC = "public"


Says = Callable[[str], bool]
_ARN_PARTS = 6
#: How an operator begins or ends that is met as well where the key is missing.
_FOR_ALL, _IF_EXISTS = "forallvalues:", "ifexists"
_TEXT = frozenset({"stringequals", "stringequalsignorecase", "stringlike"})
_TEXT_OR_ARN = _TEXT | {"arnequals", "arnlike"}
_ADDRESS = frozenset({"ipaddress"})
_TRUTH = frozenset({"bool"})
#: Wider networks than these are public (IPv4 wider than /8, IPv6 wider than /32); every private IPv4 range is narrower.
_WIDEST = {4: 8, 6: 32}


def _never(_value: str) -> bool:
    return False


def _is_fixed(value: str) -> bool:
    """Without wildcards and policy variables."""
    return bool(value) and not set("*?$") & set(value)


def _is_narrow(value: str) -> bool:
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= _WIDEST[network.version]


def _is_address(value: str) -> bool:
    """One address as text, or a pattern of some: `203.0.113.*`."""
    try:
        return bool(ip_address(value))
    except ValueError:
        return bool(re.fullmatch(r"\d{1,3}\.[\d.*?]*", value))


def is_of_account(value: str) -> bool:
    """Whether an ARN names an account, so that a wildcard in it stays inside that account."""
    parts = value.split(":", _ARN_PARTS - 1)
    return len(parts) == _ARN_PARTS and parts[0] == "arn" and parts[4].isdigit() and "$" not in value


def _is_in_named_bucket(value: str) -> bool:
    """Bucket names are one world's, so an S3 ARN without an account is somebody's who is known."""
    return bool(re.fullmatch(r"arn:[\w-]+:s3:::[^*?$/]+/.*", value)) and "$" not in value


def _is_access_point(value: str) -> bool:
    """Of a named account; the name of the access point may be a pattern."""
    before, _, name = value.partition(":accesspoint/")
    return bool(name) and is_of_account(value) and not set("*?") & set(before)


def _is_user_id(value: str) -> bool:
    """Outside the guide's pattern `AROLEID:*`. Who does not sign has a user id too: it says `anonymous`."""
    return _is_fixed(value) and value.lower() != "anonymous" and not value.lower().startswith("aroleid:")


@dataclass(frozen=True, slots=True)
class Key:
    """When a condition key says who is let in.

    Attributes:
        operators: in lower case; of others, nothing counts.
        fixed: the values that are fixed by Amazon's definition.
        closed: further values that let nobody in from outside, whatever Amazon calls them.
    """

    operators: frozenset[str]
    fixed: Says = _never
    closed: Says = _never


#: The keys that the guide lists, in lower case.
GUIDE: Mapping[str, Key] = {
    "aws:principalorgid": Key(_TEXT, _is_fixed),
    "aws:sourceip": Key(_ADDRESS, _is_narrow),
    "aws:sourcearn": Key(_TEXT_OR_ARN, _is_fixed, lambda one: is_of_account(one) or _is_in_named_bucket(one)),
    "aws:sourcevpc": Key(_TEXT, _is_fixed),
    "aws:sourcevpce": Key(_TEXT, _is_fixed),
    "aws:sourceowner": Key(_TEXT, _is_fixed),
    "aws:sourceaccount": Key(_TEXT, _is_fixed),
    "aws:userid": Key(_TEXT, _is_user_id, lambda one: bool(re.fullmatch(r"A(ROA|IDA)[A-Z0-9]+:[^$]*", one))),
    "s3:x-amz-server-side-encryption-aws-kms-key-id": Key(_TEXT_OR_ARN, _is_fixed),
    "s3:dataaccesspointarn": Key(_TEXT_OR_ARN, lambda one: _is_fixed(one) or _is_access_point(one), is_of_account),
    "s3:dataaccesspointaccount": Key(_TEXT, _is_fixed),
}


def _is_in_organization(value: str) -> bool:
    """A path whose organisation is named: `o-a1b2c3d4e5/*`."""
    organization, _, below = value.partition("/")
    return _is_fixed(organization) and bool(below) and "$" not in below


#: Keys that the guide does not list and that let nobody in from outside where they are fixed.
#: Source: IAM user guide, AWS global condition context keys; keys for AWS web identity federation.
CLOSING: Mapping[str, Key] = {
    "aws:federatedprovider": Key(_TEXT_OR_ARN, closed=is_of_account),
    "aws:principalaccount": Key(_TEXT, closed=_is_fixed),
    "aws:principalarn": Key(_TEXT_OR_ARN, closed=is_of_account),
    "aws:principalisawsservice": Key(_TRUTH, closed=lambda one: one.lower() == "true"),
    "aws:principalorgpaths": Key(_TEXT, closed=_is_in_organization),
    "aws:principalservicename": Key(_TEXT, closed=_is_fixed),
    "aws:principalservicenameslist": Key(_TEXT, closed=_is_fixed),
    "aws:sourceip": Key(_TEXT, closed=_is_address),
    "aws:sourceorgid": Key(_TEXT, closed=_is_fixed),
    "aws:sourceorgpaths": Key(_TEXT, closed=_is_in_organization),
    "aws:sourcevpcarn": Key(_TEXT_OR_ARN, closed=is_of_account),
    "aws:vpceaccount": Key(_TEXT, closed=_is_fixed),
    "aws:vpceorgid": Key(_TEXT, closed=_is_fixed),
    "aws:vpceorgpaths": Key(_TEXT, closed=_is_in_organization),
    # one person of a public identity provider
    "accounts.google.com:sub": Key(_TEXT, closed=_is_fixed),
    "cognito-identity.amazonaws.com:sub": Key(_TEXT, closed=_is_fixed),
    "graph.facebook.com:id": Key(_TEXT, closed=_is_fixed),
    "www.amazon.com:user_id": Key(_TEXT, closed=_is_fixed),
}
#: An id of a user or role, where its name should stand: it was deleted, and AWS takes no policy that names it.
#: Source: IAM user guide, AWS JSON policy elements: Principal; IAM identifiers, "Understanding unique ID prefixes".
_DELETED = re.compile(r"A(ROA|IDA)[A-Z0-9]+")


def verdict(statement: Statement, more: Mapping[str, Key] | None = None) -> Verdict:
    """Whom one statement lets in, conditions counted.

    Args:
        statement: of a policy.
        more: further keys that say who is let in, in lower case, where the statement is of no bucket.
    """
    if statement.get("Effect") != "Allow" or not _lets_anybody_in(statement):
        return Verdict.NAMED
    judged = [_judged(operator, key, values, statement, more or {}) for operator, key, values in _tests(statement)]
    return min(judged, key=list(Verdict).index, default=Verdict.PUBLIC)


def is_public(statement: Statement) -> bool:
    """Whether one statement lets the public in."""
    return verdict(statement) is Verdict.PUBLIC


def closed(statement: Statement) -> tuple[Statement, ...]:
    """A public statement without the public: what it gives to those it names, by principal or by condition.

    Principals that are named keep all they had; of a condition's values, those that fix who is let in stay. Where both
    are there, each becomes a statement, for neither says what the other does.
    """
    kept: list[Statement] = []
    named = _named(statement.get("Principal"))
    if named and "NotPrincipal" not in statement:
        kept.append({**statement, "Principal": named})
    kept += [one for test in _tests(statement) for one in _narrowed(statement, *test)]
    # a Sid stands once in a policy
    return tuple(
        one if number == 0 else {name: value for name, value in one.items() if name != "Sid"}
        for number, one in enumerate(kept)
    )


def deleted(policy: Document) -> tuple[str, ...]:
    """The ids of deleted users and roles that a policy gives or denies something to."""
    found = (one for statement in statements(policy) for one in _principals(statement) if _DELETED.fullmatch(one))
    return tuple(dict.fromkeys(found))


def without(policy: Document, gone: tuple[str, ...]) -> Document:
    """A policy without principals that AWS does not know any more; everything else means what it meant.

    A statement for nobody else goes. Where all but them were meant, all are meant now.
    """
    kept = (_without(one, gone) for one in statements(policy))
    return {**policy, "Statement": [one for one in kept if one is not None]}


def principals(policy: Document) -> tuple[str, ...]:
    """Every user, role and account that a policy names."""
    return tuple(dict.fromkeys(one for statement in statements(policy) for one in _principals(statement)))


def _without(statement: Statement, gone: tuple[str, ...]) -> Statement | None:
    if not set(gone) & set(_principals(statement)):
        return statement
    for name in ("Principal", "NotPrincipal"):
        if isinstance(statement.get(name), Mapping):
            left = _only(statement[name], lambda _kind, one: one not in gone)
            if left:
                return {**statement, name: left}
            if name == "NotPrincipal":
                return {key: value for key, value in statement.items() if key != name} | {"Principal": "*"}
    return None


def _principals(statement: Statement) -> Iterator[str]:
    for name in ("Principal", "NotPrincipal"):
        principal = statement.get(name)
        for kind in ("AWS", "CanonicalUser") if isinstance(principal, Mapping) else ():
            yield from (one for one in map(str, listed(principal.get(kind))) if one != "*")  # type: ignore[union-attr]


def _narrowed(statement: Statement, operator: str, key: str, values: list[Any]) -> Iterator[Statement]:
    """A public statement for those whom one of its tests names; nothing where that names nobody."""
    plain, condition, name = _plain(operator), statement["Condition"], str(operator)
    few = [one for one in values if _value(plain, str(key).lower(), str(one)) is not Verdict.PUBLIC]
    if not few:
        return
    rest = {one: tests for one, tests in condition[operator].items() if one != key}
    others = {one: tests for one, tests in condition.items() if one != operator} | ({operator: rest} if rest else {})
    if name.lower().endswith(_IF_EXISTS) and key not in (others.get(name[: -len(_IF_EXISTS)]) or {}):
        name = name[: -len(_IF_EXISTS)]
    narrow = {**others, name: {**(others.get(name) or {}), key: few}}
    if _is_met_by_nothing(name):
        narrow["Null"] = {**(others.get("Null") or {}), key: "false"}
    narrowed = {**statement, "Condition": narrow}
    if not is_public(narrowed):
        yield narrowed


def _is_met_by_nothing(operator: str) -> bool:
    """Whether an operator is met as well where the key is missing."""
    return operator.lower().startswith(_FOR_ALL) or operator.lower().endswith(_IF_EXISTS)


def _plain(operator: str) -> str:
    """An operator without what it says of keys that are missing or have many values."""
    return str(operator).lower().removeprefix("foranyvalue:").removeprefix(_FOR_ALL).removesuffix(_IF_EXISTS)


def _lets_anybody_in(statement: Statement) -> bool:
    """Whether the principal part lets somebody in whom it does not name."""
    if "NotPrincipal" in statement:
        return True
    principal = statement.get("Principal")
    if isinstance(principal, Mapping):
        return any(_is_anybody(kind, str(one)) for kind, values in principal.items() for one in listed(values))
    return any(_is_anybody("AWS", str(one)) for one in listed(principal))


def _is_anybody(kind: str, principal: str) -> bool:
    """Whether one principal is whoever comes: `*`, or whoever signs in at an identity provider that is open to all."""
    if is_of_account(principal):
        return False
    return kind == "Federated" or not _is_fixed(principal)


def _named(principal: Any) -> Any:  # noqa: ANN401 - policies hold anything
    """The part of a principal that names somebody; None where none does."""
    if not isinstance(principal, Mapping):
        return None
    return _only(principal, lambda kind, one: not _is_anybody(kind, one))


def _only(principal: Mapping[str, Any], fits: Callable[[str, str], bool]) -> Mapping[str, Any] | None:
    """What fits of a principal, in the form it had."""
    kept = {
        kind: [one for one in value if fits(kind, str(one))] if isinstance(value, list | tuple) else value
        for kind, value in principal.items()
        if any(fits(kind, str(one)) for one in listed(value))
    }
    return kept or None


def _tests(statement: Statement) -> Iterator[tuple[str, str, list[Any]]]:
    """Each operator, key and values of a statement's conditions, which all have to be met."""
    for operator, tests in (statement.get("Condition") or {}).items():
        for key, values in (tests or {}).items():
            yield operator, key, listed(values)


def _judged(operator: str, key: str, values: list[Any], statement: Statement, more: Mapping[str, Key]) -> Verdict:
    """Whom a single test lets in, whoever the principal is: one of its values is enough."""
    plain = _plain(operator)
    verdicts = (_value(plain, str(key).lower(), str(one), more) for one in values)
    worst = max(verdicts, key=list(Verdict).index, default=None)
    if worst is None:
        return Verdict.PUBLIC
    if _is_met_by_nothing(str(operator)):  # only where another test asks for the key does this one count
        return max(Verdict.CLOSED, worst, key=list(Verdict).index) if _is_asked_for(key, statement) else Verdict.PUBLIC
    return worst


def _value(operator: str, key: str, value: str, more: Mapping[str, Key] | None = None) -> Verdict:
    best = Verdict.PUBLIC
    for known in (table[key] for table in (GUIDE, CLOSING, more or {}) if key in table):
        if operator not in known.operators:
            continue
        if known.fixed(value):
            return Verdict.NAMED
        if known.closed(value):
            best = Verdict.CLOSED
    return best


def _is_asked_for(key: str, statement: Statement) -> bool:
    """Whether a key has to be there (`Null` with false)."""
    return any(
        str(operator).lower() == "null"
        and str(name).lower() == str(key).lower()
        and [str(one).lower() for one in values] == ["false"]
        for operator, name, values in _tests(statement)
    )
