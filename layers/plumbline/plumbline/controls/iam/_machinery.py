"""Roles that AWS, an organisation or CloudFormation works with, recognised by what they are and never by their names.

What a role is shows in its path, where IAM lets nobody but AWS make roles, and in whom it trusts: a role that somebody
calls like one of these, and lets himself use, is none of these.

Source: AWS Organizations user guide, Creating the role in a member account; AWS Control Tower user guide, Roles; AWS
CloudFormation user guide, Permissions for stack sets; AWS CDK guide, Bootstrapping.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any

from plumbline.controls.iam._principals import RESERVED
from plumbline.core.calls import Ask, Call
from plumbline.core.errors import AwsRefusal
from plumbline.rights.documents import Document, listed, statements

ORGANIZATION = Call("organizations", "DescribeOrganization", absent=("AWSOrganizationsNotInUseException",))
#: Who starts a stack's work in a role. Source: CloudFormation user guide, CloudFormation service role.
_CLOUDFORMATION = frozenset({"cloudformation.amazonaws.com", "cloudformation.amazonaws.com.cn"})
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
_ARN_PARTS = 6
_ACCOUNT_DIGITS = 12


class Keeper(str, Enum):
    """Whose a role is."""

    NOBODY = ""  # a role like any other
    IDENTITY_CENTER = "identity-center"  # only IAM Identity Center can change it
    ORGANISATION = "organisation"  # only the management account can use it, and that can do anything here
    CLOUDFORMATION = "cloudformation"  # only stacks work with it
    UNPROVEN = "unproven"  # one other account can use it, and AWS would not say whether that is the management account


#: What is wrong with an administrator's role that somebody keeps, as it reads after its name.
HAS = {
    Keeper.IDENTITY_CENTER: "has administrator rights by a permission set that the baseline does not name",
    Keeper.CLOUDFORMATION: "gives CloudFormation administrator rights, and the baseline does not name it",
    Keeper.UNPROVEN: "gives another account administrator rights, and the baseline does not name it",
}
#: Why it is not repaired, and what to do instead.
WHY_KEPT = {
    Keeper.IDENTITY_CENTER.value: "IAM Identity Center keeps this role; change its permission set there, or name the "
    "role under administrators in the baseline",
    Keeper.CLOUDFORMATION.value: "CloudFormation works with this role, and stacks would fail without its rights; "
    "narrow it where it is made (for CDK: cdk bootstrap), or name it under administrators in the baseline",
    Keeper.UNPROVEN.value: "another account can use this role, and AWS did not say whether it is your organisation's "
    "management account; look whose it is, and name the role under administrators in the baseline, or delete it",
}


def management_account(ask: Ask) -> str | None:
    """The number of the organisation's management account; empty where there is none, None where AWS does not say.

    Raises:
        AwsRefusal: AWS did not answer, for another reason than that it may not be asked.
    """
    try:
        answer = ask(ORGANIZATION)
    except AwsRefusal as error:
        if error.code in _DENIED:
            return None
        raise
    return str(answer["Organization"]["MasterAccountId"]) if answer else ""


def keeper(
    role: Mapping[str, Any],
    account: str,
    management: Callable[[], str | None],
    trust_of: Callable[[str], Document],
) -> Keeper:
    """Whose a role is, by its path and by whom it trusts.

    Args:
        role: `name`, with its path, and `trust`.
        account: the number of the account that it is in.
        management: asks for the management account, as `management_account` answers; asked only where it matters.
        trust_of: the trust policy of another role of this account, by its ARN.
    """
    if role["name"].startswith(RESERVED):
        return Keeper.IDENTITY_CENTER
    trusted = [*_trusted(role["trust"])]
    if not trusted:
        return Keeper.NOBODY
    if all(_is_stacks(kind, who) or _is_administration(kind, who, account, trust_of) for kind, who in trusted):
        return Keeper.CLOUDFORMATION
    accounts = {_account_of(who) if kind == "AWS" else "" for kind, who in trusted}
    if len(accounts) != 1 or accounts & {"", account}:
        return Keeper.NOBODY
    known = management()
    if known is None:
        return Keeper.UNPROVEN
    return Keeper.ORGANISATION if accounts == {known} else Keeper.NOBODY


def _trusted(trust: Document) -> Iterator[tuple[str, str]]:
    """Everybody whom a trust policy lets in: kind and name. What excludes instead lets in everybody else."""
    for statement in statements(trust):
        if statement.get("Effect") != "Allow":
            continue
        principal = statement.get("Principal")
        if not isinstance(principal, Mapping):
            yield "AWS", "*"
            continue
        for kind, names in principal.items():
            yield from ((str(kind), str(one)) for one in listed(names))


def _is_stacks(kind: str, who: str) -> bool:
    return kind == "Service" and who in _CLOUDFORMATION


def _is_administration(kind: str, who: str, account: str, trust_of: Callable[[str], Document]) -> bool:
    """Whether this is a role of this account through which CloudFormation, and nobody else, reaches another role."""
    if kind != "AWS" or _account_of(who) != account or ":role/" not in who or set("*?") & set(who):
        return False
    beyond = [*_trusted(trust_of(who))]
    return bool(beyond) and all(_is_stacks(*one) for one in beyond)


def _account_of(who: str) -> str:
    """The account that a principal belongs to, by number or by ARN; empty for everybody, and for deleted ones."""
    parts = who.split(":", _ARN_PARTS - 1)
    number = parts[4] if len(parts) == _ARN_PARTS and parts[0] == "arn" else who
    return number if number.isdigit() and len(number) == _ACCOUNT_DIGITS else ""
