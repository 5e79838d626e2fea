"""Whether a person could come in as a user or role, whatever its rights are. Pure.

A name alone is nobody: a user without a console password or without MFA cannot, or should not, be relied on, and a key
is a robot's. A role is as good as whoever may use it: a provider of identities that is there, the organisation's
management account, a user here who can come in and may assume it. Of another account nobody here knows whose it is.

Source: IAM user guide, The difference between permissions and trust: AWS JSON policy elements, Principal; Creating
OpenID Connect and SAML identity providers; Policy evaluation logic.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Protocol

from plumbline.rights.account import EVERYTHING_ALLOWED, Principal
from plumbline.rights.documents import Document, allows, listed, statements
from plumbline.rights.effective import Memo, may

#: IAM lets nobody but AWS make roles below this path.
_CENTER = ":role/aws-reserved/sso.amazonaws.com/"
_ASSUMING = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")
#: Issuers of tokens for programs, and for an application's customers: no administrator comes in through these.
_MACHINES = re.compile(
    r"oidc-provider/(token\.actions\.githubusercontent\.com|oidc\.eks\.|oidc-eks\.|cognito-identity\.|api\.bitbucket\.org"
    r"|oidc\.circleci\.com|app\.terraform\.io|agent\.buildkite\.com|gitlab\.com|oidc\.vercel\.com|s3\..*oidc|.*-oidc\.s3\.)"
)
_ACCOUNT = re.compile(r"(?:arn:[\w-]+:(?:iam|sts)::)?(\d{12})(?::.*)?")

#: Whom a trust policy lets in: kind and name.
Door = tuple[str, str]


class People(Protocol):
    """What has to be asked about those who might come in; asked only where it matters."""

    def lacks(self, user: str, /) -> str:
        """What keeps a user from signing in to the console with MFA, as it reads after his name; empty: nothing."""

    def providers(self) -> frozenset[str]:
        """The ARNs of the account's SAML and OpenID Connect providers."""

    def management(self) -> str | None:
        """The number of the organisation's management account; empty: there is none, None: AWS does not say."""

    def users(self, role: Principal, /) -> Iterable[Principal]:
        """The account's users, with all that gives them rights.

        Those may be left out whom a role's trust does not name and whose documents speak of no role.
        """


def unusable(principal: Principal, people: People) -> str:
    """Why nobody could come in as a user or role, as it reads after its name; empty where somebody can.

    Args:
        principal: a user or a role.
        people: asked about them.
    """
    if _is_held(principal):
        return "is denied what an administrator does"
    if principal.kind == "user":
        return people.lacks(principal.name)
    if is_of_center(principal):
        return ""
    reasons = []
    for door in doors(principal.trust):
        why = shut(door, principal, people)
        if not why:
            return ""
        reasons.append(why)
    return next(iter(reasons), "lets nobody in")


def is_of_center(role: Principal) -> bool:
    """Whether people come in by a role through Identity Center."""
    return _CENTER in role.arn


def _is_held(principal: Principal) -> bool:
    """Whether a Deny or a boundary keeps even one who is allowed everything from what an administrator does."""
    almighty = replace(principal, documents=(EVERYTHING_ALLOWED, *principal.documents))
    return not may(almighty, f"iam:Attach{principal.kind.capitalize()}Policy", principal.arn)


def doors(trust: Document) -> Iterator[Door]:
    """Everybody whom a trust policy lets in."""
    for statement in statements(trust):
        if statement.get("Effect") != "Allow" or not any(allows(statement, action) for action in _ASSUMING):
            continue
        principal = statement.get("Principal")
        if not isinstance(principal, Mapping):
            yield "AWS", "*"
            continue
        for kind, names in principal.items():
            yield from ((str(kind), str(one)) for one in listed(names))


def shut(door: Door, role: Principal, people: People) -> str:
    """Why nobody comes in by one of a role's doors; empty where somebody does."""
    kind, who = door
    if kind == "Federated":
        return _no_person(who, role, people)
    if kind != "AWS":
        return f"is {who}'s to use, and no person's"
    account = _account(who)
    if who == "*" or account == role.account:
        return _nobody_here(who, role, people)
    if account and account == people.management():
        return ""
    return f"can be used by account {account}, which is not known to be yours" if account else "trusts who is gone"


def is_of_another_account(door: Door, role: Principal) -> bool:
    """Whether a door of a role is for somebody of another account, whoever that is."""
    kind, who = door
    return kind == "AWS" and _account(who) not in ("", role.account)


def _account(who: str) -> str:
    """The account that a principal of a trust policy is of; empty where it names none."""
    found = _ACCOUNT.fullmatch(who)
    return found[1] if found else ""


def _no_person(provider: str, role: Principal, people: People) -> str:
    if _MACHINES.search(provider):
        return f"is a machine's: tokens come from {provider.rpartition('oidc-provider/')[2]}"
    if provider.split(":")[4:5] != [role.account]:
        return f"trusts {provider}, which lets in whom it likes"
    return "" if provider in people.providers() else f"trusts {provider.rpartition('/')[2]}, which is gone"


def _nobody_here(who: str, role: Principal, people: People) -> str:
    """Why no user of the account comes in through a role that trusts the account, or one of its users."""
    lacking, memo = "", Memo()  # many users hold the same documents
    for user in people.users(role):
        if not _opens(who, user, role, memo):
            continue
        lack = people.lacks(user.name)
        if not lack:
            return ""
        lacking = lacking or f"is for user {user.name}, who {lack}"
    return lacking or "can be used by no user here"


def _opens(who: str, user: Principal, role: Principal, memo: Memo | None = None) -> bool:
    """Whether a user may assume a role that trusts the account, or him by name. Who is named needs no other right."""
    whole = who in ("*", role.account) or who.endswith(":root")
    return who == user.arn or (whole and bool(may(user, "sts:AssumeRole", role.arn, memo=memo)))


def may_become(user: Principal, role: Principal, memo: Memo | None = None) -> bool:
    """Whether a user may use a role of his account, as its trust and his own rights say.

    Args:
        user: whose documents are asked.
        role: whose trust is asked.
        memo: of a look at many users.
    """
    here = [who for kind, who in doors(role.trust) if kind == "AWS"]
    return any(who == "*" or f":{role.account}:" in who or who == role.account for who in here) and any(
        _opens(who, user, role, memo) for who in here
    )
