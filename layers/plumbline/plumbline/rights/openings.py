"""Whom a role's trust lets in from outside: anybody, whoever has an account with a provider, another account. Pure.

`*` is anybody until a condition fixes who comes; a public identity provider is until one fixes whose application or
which person; and a provider of the account itself is, where its issuer serves everybody and the trust does not say
whose tokens it means. An external id fixes nothing of that: whoever knows it may say it. What a Deny beside it keeps
out is not weighed.

Source: IAM user guide, AWS JSON policy elements: Principal; Identity-provider controls for shared OIDC providers;
Creating a role for web identity or OpenID Connect federation; Access to AWS accounts owned by third parties.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from plumbline.rights import public
from plumbline.rights.documents import Document, Statement, allows, listed, statements
from plumbline.rights.public import Key, Verdict, is_of_account, verdict

_ASSUMING = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")
_ACCOUNT = re.compile(r"(?:arn:[\w-]+:(?:iam|sts)::)?(\d{12})(?::.*)?")
#: The issuers that serve everybody, each with the claim that says whose a token is.
#: Source: IAM user guide, Identity-provider controls for shared OIDC providers.
SHARED: Mapping[str, str] = {
    "agent.buildkite.com": "sub",
    "api.pulumi.com/oidc": "aud",
    "app.terraform.io": "sub",
    "gitlab.com": "sub",
    "oidc-configuration.audit-log.githubusercontent.com": "sub",
    "oidc.codefresh.io": "sub",
    "oidc.vercel.com": "aud",
    "proidc.upbound.io": "sub",
    "sandboxes.cloud": "aud",
    "scalr.io": "sub",
    "studio.datachain.ai/api": "sub",
    "token.actions.githubusercontent.com": "sub",
    "tokens.cloud.shisho.dev": "sub",
    "vstoken.actions.githubusercontent.com": "sub",
}
#: Claims of GitHub's that say the same in other words, without wildcards.
_OF_GITHUB = ("enterprise_id", "repository", "repository_id", "repository_owner", "repository_owner_id")
_TEXT = frozenset({"stringequals", "stringequalsignorecase", "stringlike"})
#: What stands before the first wildcard names an owner and ends with what separates him from the rest:
#: `repo:acme/*`, `organization:acme:project:*`; `repo:acme*` is acme-evil's as well.
_OWNED = re.compile(r"[^*?$:]+:[^*?$:/]+[:/].*")


def _is_fixed(value: str) -> bool:
    return bool(value) and not set("*?$") & set(value)


def _is_owned(value: str) -> bool:
    return _is_fixed(value) or bool(_OWNED.fullmatch(value))


#: Whose application a person of a public identity provider has signed in to.
#: Source: IAM user guide, Available keys for AWS OIDC federation.
_APPLICATIONS = {
    key: Key(_TEXT, _is_fixed)
    for key in (
        "accounts.google.com:aud",
        "accounts.google.com:oaud",
        "cognito-identity.amazonaws.com:aud",
        "graph.facebook.com:app_id",
        "www.amazon.com:app_id",
    )
}
_TENANTS = {
    f"{issuer}:{claim}": Key(_TEXT, _is_owned if claim == "sub" else _is_fixed) for issuer, claim in SHARED.items()
} | {f"token.actions.githubusercontent.com:{claim}": Key(_TEXT, _is_fixed) for claim in _OF_GITHUB}
#: What a partner was told to say; it tells partners apart, and lets in nobody else.
_PARTNERS = {"sts:externalid": Key(_TEXT, _is_fixed)}


class Kind(str, Enum):
    """How far a role is open."""

    ANYBODY = "anybody"  # whoever has an AWS account
    TENANT = "tenant"  # whoever has an account with a provider
    FOREIGN = "foreign"  # another account


@dataclass(frozen=True, slots=True)
class Opening:
    """Somebody from outside whom a trust lets in.

    Attributes:
        kind: how far it is open.
        who: as it reads after "can be assumed by"; a fact's name.
        account: of another account its number.
    """

    kind: Kind
    who: str
    account: str = ""


def openings(trust: Document, account: str) -> tuple[Opening, ...]:
    """Whom a trust lets in from outside, each once, the widest first.

    Args:
        trust: of a role.
        account: the number of the role's account.
    """
    found = dict.fromkeys(one for statement in _letting_in(trust) for one in _of(statement, account))
    return tuple(sorted(found, key=lambda one: (list(Kind).index(one.kind), one.who)))


def closed(trust: Document, account: str, partition: str) -> Document:
    """The trust with the role's own account where anybody was; all others whom it names stay.

    Args:
        trust: of a role.
        account: the number of the role's account.
        partition: such as `aws`.
    """
    own = f"arn:{partition}:iam::{account}:root"
    return {**trust, "Statement": [_closed(one, own) for one in statements(trust)]}


def _letting_in(trust: Document) -> Iterator[Statement]:
    for one in statements(trust):
        if one.get("Effect") == "Allow" and any(allows(one, action) for action in _ASSUMING):
            yield one


def _of(statement: Statement, account: str) -> Iterator[Opening]:
    if verdict(statement, _APPLICATIONS) is Verdict.PUBLIC:
        if _is_for_anybody(statement):
            yield Opening(Kind.ANYBODY, "anybody")
        for one in _named(statement, "Federated"):
            if not is_of_account(one):
                yield Opening(Kind.TENANT, f"anybody who signs in at {one}")
    for one in _named(statement, "Federated"):
        issuer = one.partition(":oidc-provider/")[2]
        if issuer in SHARED and not _is_narrowed(statement, _TENANTS):
            yield Opening(Kind.TENANT, f"anybody with a token of {issuer}")
    for one in (*_named(statement, "AWS"), *_named(statement, "Federated")):
        other = _ACCOUNT.fullmatch(one)
        if other and other[1] != account and not _is_narrowed(statement, _PARTNERS):
            yield Opening(Kind.FOREIGN, f"account {other[1]}", other[1])


def _is_narrowed(statement: Statement, more: Mapping[str, Key]) -> bool:
    """Whether a condition fixes who comes, whomever the principal part names."""
    anybody = {name: value for name, value in statement.items() if name != "NotPrincipal"} | {"Principal": "*"}
    return verdict(anybody, more) is not Verdict.PUBLIC


def _is_for_anybody(statement: Statement) -> bool:
    """Whether the principal part means anybody, not only whoever signs in somewhere."""
    principal = statement.get("Principal")
    if "NotPrincipal" in statement or not isinstance(principal, Mapping):
        return True
    return any(_is_anybody(str(one)) for kind in principal if kind != "Federated" for one in listed(principal[kind]))


def _is_anybody(principal: str) -> bool:
    return "*" in principal and not is_of_account(principal)


def _named(statement: Statement, kind: str) -> list[str]:
    principal = statement.get("Principal")
    return [str(one) for one in listed(principal.get(kind))] if isinstance(principal, Mapping) else []


def _closed(statement: Statement, own: str) -> Statement:
    public_ = statement.get("Effect") == "Allow" and verdict(statement, _APPLICATIONS) is Verdict.PUBLIC
    if not public_ or not _is_for_anybody(statement):
        return statement
    rest = {name: value for name, value in statement.items() if name not in ("NotPrincipal", "Principal")}
    principal = statement.get("Principal")
    if "NotPrincipal" in statement or not isinstance(principal, Mapping):
        return {**rest, "Principal": {"AWS": own}}
    kept: dict[str, Any] = {kind: value for kind, value in principal.items() if kind == "Federated"}
    for kind in (one for one in principal if one != "Federated"):
        named = [one for one in listed(principal[kind]) if not _is_anybody(str(one))]
        if kind == "AWS":
            named = [own, *(one for one in named if one != own)]
        if named:
            kept[kind] = named if len(named) > 1 else named[0]
    return {**rest, "Principal": kept or {"AWS": own}}


#: What a trust names and AWS does not know any more, and the trust without it; see `rights.public`.
deleted, without = public.deleted, public.without
