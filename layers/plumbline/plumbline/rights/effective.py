"""What a principal may do, by all its documents together. Pure.

A call is allowed where a document allows it, the permissions boundary does as well, and none denies it. What a request
will carry is often unknown beforehand (who calls from where, with which tags): a condition that cannot be decided
counts as met where it allows and as not met where it denies, so that nobody is taken for weaker than he is, and the
verdict names the keys.

Policies of an organisation are not counted: nobody can read them from within the account.

Source: IAM user guide, Policy evaluation logic; IAM policy elements: Variables and tags; AWS global condition context
keys; Service Authorization Reference, AWS Identity and Access Management (which keys go with which action).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from plumbline.rights.account import Principal
from plumbline.rights.conditions import Fill, Met, Missing, Values, met
from plumbline.rights.documents import Document, listed, matches, matches_exactly, statements

Context = Mapping[str, str | Sequence[str] | None]

#: Documents that say no version are of the one before.
#: Source: IAM user guide, IAM JSON policy elements: Version.
_VERSION = "2012-10-17"
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
#: A character no name holds, where a variable has no value: what holds it fits nothing.
_NOTHING = "\0"
#: Special characters, as variables name them. No name holds an asterisk or a question mark either.
_LITERAL = {"*": _NOTHING, "?": _NOTHING, "$": "$"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a principal may do something.

    Attributes:
        allowed: whether it may.
        assumed: condition keys whose value nobody can know beforehand, and which were taken to be as an intruder needs
            them.
        denied: whether a document denies it outright.
    """

    allowed: bool
    assumed: tuple[str, ...] = ()
    denied: bool = False

    def __bool__(self) -> bool:
        return self.allowed


@dataclass(frozen=True, slots=True)
class Stated:
    """One statement, read once.

    Attributes:
        allow: Allow or Deny.
        actions: patterns in lower case.
        all_but: whether `actions` are those that are not meant.
        resources: patterns.
        elsewhere: whether `resources` are those that are not meant.
        condition: as written.
        variables: whether `${...}` stands for something; in documents of the older version it is text.
    """

    allow: bool
    actions: tuple[str, ...]
    all_but: bool
    resources: tuple[str, ...]
    elsewhere: bool
    condition: Mapping[str, Any]
    variables: bool = True

    def speaks_of(self, action: str) -> bool:
        """Whether it is about an action, given in lower case."""
        return any(_covers(one, action) for one in self.actions) != self.all_but

    def spoken(self, known: Mapping[str, str]) -> Iterable[str]:
        """Those of `known`, action in lower case -> anything, that it is about."""
        if self.all_but:
            return [one for action, one in known.items() if self.speaks_of(action)]
        found: list[str] = []
        for pattern in self.actions:
            if pattern == "*":
                return known.values()
            if "*" in pattern or "?" in pattern:
                found += [one for action, one in known.items() if _covers(pattern, action)]
            elif pattern in known:
                found.append(known[pattern])
        return found


def _covers(pattern: str, action: str) -> bool:
    """As `matches_exactly`, the usual patterns first: there are many questions of this kind."""
    if pattern[-1:] == "*" and "?" not in pattern and "*" not in pattern[:-1]:
        return action.startswith(pattern[:-1])
    return matches_exactly(pattern, action)


def stated(policy: Document) -> tuple[Stated, ...]:
    """The statements of a document, read once. What is neither Allow nor Deny says nothing."""
    return tuple(
        Stated(
            allow=one["Effect"] == "Allow",
            actions=tuple(str(name).lower() for name in listed(one.get("NotAction", one.get("Action")))),
            all_but="NotAction" in one,
            resources=tuple(str(name) for name in listed(one.get("NotResource", one.get("Resource")))),
            elsewhere="NotResource" in one,
            condition=one.get("Condition") or {},
            variables=policy.get("Version") == _VERSION,
        )
        for one in statements(policy)
        if one.get("Effect") in {"Allow", "Deny"}
    )


@dataclass(slots=True)
class Memo:
    """What was read of documents, each once however many principals hold it, by its identity. It keeps them."""

    read: dict[int, tuple[Document, tuple[Stated, ...], dict[str, tuple[Stated, ...]]]] = field(default_factory=dict)

    def about(self, policy: Document, action: str) -> tuple[Stated, ...]:
        """The statements of a document that are about an action, given in lower case."""
        _, said, found = self._known(policy)
        if action not in found:
            found[action] = tuple(one for one in said if one.speaks_of(action))
        return found[action]

    def of(self, policy: Document) -> tuple[Stated, ...]:
        """The statements of a document."""
        return self._known(policy)[1]

    def _known(self, policy: Document) -> tuple[Document, tuple[Stated, ...], dict[str, tuple[Stated, ...]]]:
        if id(policy) not in self.read:
            self.read[id(policy)] = (policy, stated(policy), {})
        return self.read[id(policy)]


def may(
    principal: Principal,
    action: str,
    resource: str = "*",
    context: Context | None = None,
    *,
    tags: Mapping[str, str] | None = None,
    memo: Memo | None = None,
) -> Verdict:
    """Whether a principal may do an action on a resource.

    Args:
        principal: with its documents.
        action: such as `iam:PassRole`.
        resource: an ARN, or `*` for actions that know no resource: a statement for some resource covers it not.
        context: condition keys of the request as far as they are known; None as a value: AWS sends no such key.
        tags: the resource's; None where nobody knows them.
        memo: of a look at many principals.

    Returns:
        The verdict; denied by default.
    """
    memo = memo or Memo()
    request = Request(
        principal, action.lower(), resource, {key.lower(): one for key, one in (context or {}).items()}, tags
    )
    said = [one for text in principal.documents for one in memo.about(text, request.action)]
    limits = memo.about(principal.boundary, request.action) if principal.boundary is not None else None
    if _denied(said, request) or _denied(limits or (), request):
        return Verdict(allowed=False, denied=True)
    assumed, within = _allowed(said, request), () if limits is None else _allowed(limits, request)
    if assumed is None or within is None:
        return Verdict(allowed=False)
    return Verdict(allowed=True, assumed=tuple(dict.fromkeys((*assumed, *within))))


@dataclass(frozen=True, slots=True)
class Request:
    """A call that somebody might make.

    Attributes:
        principal: who.
        action: in lower case.
        resource: on what.
        context: by condition key in lower case.
        tags: the resource's; None where nobody knows them.
    """

    principal: Principal
    action: str
    resource: str
    context: Context
    tags: Mapping[str, str] | None = None

    def value(self, key: str) -> Values:
        """What AWS will send for a condition key."""
        if key in self.context:
            given = self.context[key]
            return Missing.ABSENT if given is None else tuple(map(str, listed(given)))
        return _of_principal(self.principal, key) or _of_action(self, key)

    def filled(self, text: str, *, widely: bool) -> str | None:
        """A text of a policy with its variables replaced.

        Args:
            text: as written.
            widely: whether what nobody can know stands for anything, or makes the text unknown.

        Returns:
            The text; None where a variable is unknown and `widely` is false.
        """
        unknown = False

        def replaced(found: re.Match[str]) -> str:
            nonlocal unknown
            name, _, otherwise = (part.strip() for part in found[1].partition(","))
            if name in _LITERAL:
                return _LITERAL[name]
            values = self.value(name.lower())
            if values is Missing.UNKNOWN:
                unknown = True
                return "*"
            if values is Missing.ABSENT or len(values) != 1:
                return otherwise.strip("'") if otherwise else _NOTHING
            return values[0]

        made = _VARIABLE.sub(replaced, text)
        return None if unknown and not widely else made


def _gives(said: Stated, request: Request) -> tuple[bool, tuple[str, ...]]:
    """Whether a statement about the action allows a request, and which keys had to be assumed."""
    if not said.allow or not _reaches(said, request):
        return False, ()
    answer, open_ = met(said.condition, request.value, _filler(said, request))
    return answer is not Met.NO, open_


def _filler(said: Stated, request: Request) -> Fill:
    return (lambda text: request.filled(text, widely=False)) if said.variables else (lambda text: text)


def _denied(said: Iterable[Stated], request: Request) -> bool:
    return any(
        not one.allow
        and _reaches(one, request)
        and met(one.condition, request.value, _filler(one, request))[0] is Met.YES
        for one in said
    )


def _allowed(said: Iterable[Stated], request: Request) -> tuple[str, ...] | None:
    """The keys that had to be assumed, of the statement that needs fewest; None where nothing allows it."""
    best: tuple[str, ...] | None = None
    for one in said:
        covered, open_ = _gives(one, request)
        if covered and not open_:
            return ()
        if covered and (best is None or len(open_) < len(best)):
            best = open_
    return best


def _reaches(said: Stated, request: Request) -> bool:
    """Whether the resource part covers the request's.

    What is unknown in a pattern makes it wide where that allows more, and void where that denies less.
    """
    widely = said.allow != said.elsewhere
    for pattern in said.resources:
        if pattern == "*":
            return not said.elsewhere
        filled = request.filled(pattern, widely=widely) if said.variables and "${" in pattern else pattern
        if filled is None:
            continue
        # Where case might matter, an Allow reaches and a Deny does not.
        if (matches if widely else matches_exactly)(filled, request.resource):
            return not said.elsewhere
    return said.elsewhere


def _of_principal(principal: Principal, key: str) -> Values | None:
    """What a principal brings along; None where the key tells nothing of it."""
    member = principal.kind == "group"
    if key == "aws:principalaccount":
        return (principal.account,)
    if key == "aws:principaltype":
        return ("AssumedRole" if principal.kind == "role" else "User",)
    if key == "aws:principalisawsservice":
        return ("false",)
    if key == "aws:principalarn":
        return Missing.UNKNOWN if member else (principal.arn,)
    if key == "aws:username":
        return Missing.UNKNOWN if member else Missing.ABSENT if principal.kind == "role" else (principal.name,)
    if key.startswith("aws:principaltag/"):
        tags = {name.lower(): value for name, value in principal.tags.items()}
        known = tags.get(key.partition("/")[2])
        # Whoever assumes a role may bring tags of his session.
        return Missing.UNKNOWN if member or principal.kind == "role" else Missing.ABSENT if known is None else (known,)
    if key in _OF_COMPUTE:
        return Missing.ABSENT if principal.kind == "user" else Missing.UNKNOWN
    return None


#: What only the credentials of a function or an instance bring along.
_OF_COMPUTE = frozenset({"lambda:sourcefunctionarn", "ec2:sourceinstancearn", "ec2:roledelivery"})
#: Keys of one service that come with requests to any other, for they belong to the caller's session.
_OF_SESSIONS = ("sts:", "saml:", "identitystore:", "accounts.google.com:", "cognito-identity.amazonaws.com:")
_BOUNDARIES = (
    "iam:attachrolepolicy iam:attachuserpolicy iam:createrole iam:createuser iam:deleterolepermissionsboundary "
    "iam:deleterolepolicy iam:deleteuserpermissionsboundary iam:deleteuserpolicy iam:detachrolepolicy "
    "iam:detachuserpolicy iam:putrolepermissionsboundary iam:putrolepolicy iam:putuserpermissionsboundary "
    "iam:putuserpolicy"
)
#: IAM's own keys and the actions that carry them. With every other action they are missing.
_IAM_KEYS: Mapping[str, frozenset[str]] = {
    "iam:policyarn": frozenset(
        f"iam:{verb}{kind}policy" for verb in ("attach", "detach") for kind in ("user", "group", "role")
    ),
    "iam:passedtoservice": frozenset({"iam:passrole"}),
    "iam:associatedresourcearn": frozenset({"iam:passrole"}),
    "iam:permissionsboundary": frozenset(_BOUNDARIES.split()),
    "iam:awsservicename": frozenset({"iam:createservicelinkedrole"}),
}


def _of_action(request: Request, key: str) -> Values:
    """What an action carries: unknown where it may be sent, missing where AWS never sends it."""
    service = request.action.partition(":")[0]
    prefix = key.partition(":")[0]
    if key in _IAM_KEYS:
        return Missing.UNKNOWN if request.action in _IAM_KEYS[key] else Missing.ABSENT
    if key.startswith(("aws:resourcetag/", f"{service}:resourcetag/")):
        if request.tags is None:
            return Missing.UNKNOWN
        wanted = key.partition("/")[2]
        found = [value for name, value in request.tags.items() if name.lower() == wanted]
        return (found[0],) if found else Missing.ABSENT
    if key == "aws:ismcpserviceaction":  # whether it is a call to such a server, not one that it makes for somebody
        return ("true" if service.endswith("-mcp") else "false",)
    if key == "aws:resourceaccount":
        parts = request.resource.split(":", 5)
        number = parts[4] if len(parts) > 5 else ""  # noqa: PLR2004 - an ARN has six parts
        return (number if number.isdigit() else request.principal.account,)
    if prefix in {"aws", service} or "." in prefix or key.startswith(_OF_SESSIONS):
        return Missing.UNKNOWN
    return Missing.ABSENT
