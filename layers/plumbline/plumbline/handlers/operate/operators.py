"""Who may command Plumbline: root, whom the baseline names, else administrators and holders of the OperatorPolicy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plumbline.controls.iam._principals import EVERYTHING, policies_held
from plumbline.core import people
from plumbline.core.calls import Ask, Call
from plumbline.core.targets import GLOBAL
from plumbline.engine.settle import Engine
from plumbline.handlers.operate.asked import Asked
from plumbline.handlers.operate.proof import Place
from plumbline.rights.account import Principal, account_of, text_of
from plumbline.rights.documents import Document, document
from plumbline.rights.effective import Memo, may

#: Root, a user with his path, and a role's session, which does not tell the role's path.
#: Source: STS API reference, GetCallerIdentity; IAM user guide, IAM identifiers.
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):(?:iam|sts)::(?P<account>\d{12}):"
    r"(?:(?P<root>root)|user/(?:[!-~]+/)?(?P<user>[\w+=,.@-]+)|assumed-role/(?P<role>[\w+=,.@-]+)/[\w+=,.@-]+)"
)
_GONE = ("NoSuchEntity",)
#: Whoever may all of these on everything may do anything: rights of every kind, in a service nobody has listed, and, in
#: case everything but IAM is allowed, those of IAM that make administrators.
_EVERYTHING = (
    "any-service:AnyAction",
    "iam:AttachRolePolicy",
    "iam:CreatePolicyVersion",
    "iam:PassRole",
    "iam:PutUserPolicy",
    "iam:UpdateAssumeRolePolicy",
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether somebody may command Plumbline.

    Attributes:
        who: the ARN of the user or the role, with its path; STS's own where IAM knows no such one.
        why_not: why he may not, as it reads after "because"; empty where he may.
    """

    who: str
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """One user or role.

    Attributes:
        itself: with all that gives it rights.
        holds: the ARNs of the managed policies that it has, of its own or by its groups.
    """

    itself: Principal
    holds: frozenset[str]


def standing(asked: Asked, arn: str) -> Standing:
    """Whether the caller whom STS names may command Plumbline.

    Args:
        asked: whose Plumbline.
        arn: as STS names him; of this account.

    Raises:
        AwsRefusal: what decides it cannot be read. Then nothing may be done.
    """
    found = _ARN.fullmatch(arn)
    if found is None:
        return Standing(arn, "it is neither a user nor a role; sign in as one")
    if found["root"]:
        return Standing(arn)
    ask = asked.plumbline.engine.aws.eyes(asked.account, GLOBAL)
    kind, name = ("User", found["user"]) if found["user"] else ("Role", found["role"])
    caller = principal(ask, kind, name)
    if caller is None:
        return Standing(arn, "IAM knows it no more")
    return Standing(caller.itself.arn, why_not(asked.plumbline.engine, asked.place, caller))


def why_not(engine: Engine, place: Place, caller: Read) -> str:
    """Why a user or a role may not command Plumbline, as it reads after "because"; empty where it may."""
    operate = f"arn:{caller.itself.partition}:lambda:{place.region}:{place.account}:function:{place.function}"
    if may(caller.itself, "lambda:InvokeFunction", operate).denied:
        return "a policy of its own denies it to command Plumbline"
    named = people.of_account(engine.baseline.operators, place.account)
    if named:
        listed = people.named(caller.itself.arn, named)
        return "" if listed else "`operators` in baseline.yaml does not name it"
    policy = f":policy/plumbline/{place.function.removesuffix('-operate')}-operator"
    if is_administrator(caller.itself) or any(one.endswith(policy) for one in caller.holds):
        return ""
    return "it is no administrator and does not hold the stack's OperatorPolicy, and baseline.yaml names no `operators`"


def everybody(engine: Engine, place: Place) -> tuple[str, ...]:
    """The ARNs of all users and roles that may command Plumbline; root, who always may, is not among them.

    Raises:
        AwsRefusal: the account cannot be read.
    """
    ask = engine.aws.eyes(place.account, GLOBAL)
    details = ask(EVERYTHING)
    of_aws = {arn for arn in policies_held(details) if ":iam::aws:" in arn}  # what these say no bulk read tells
    account = account_of(details, managed=dict(_texts(ask, of_aws)))
    found = (one for one in account.principals.values() if one.kind != "group")
    return tuple(sorted(one.arn for one in found if not why_not(engine, place, Read(one, _held(one)))))


def _held(principal: Principal) -> frozenset[str]:
    """The managed policies that somebody has, of his own or by his groups."""
    return frozenset(source.rpartition(": ")[2] for source in principal.sources)


def is_administrator(principal: Principal) -> bool:
    """Whether a user or a role may do anything now, by all its documents together."""
    memo = Memo()
    return all(may(principal, action, memo=memo) for action in _EVERYTHING)


def principal(ask: Ask, kind: str, name: str) -> Read | None:
    """One user or role with all that gives it rights, read by itself: an account may have thousands. None if gone.

    Args:
        ask: the eyes.
        kind: `User` or `Role`.
        name: without its path.

    Raises:
        AwsRefusal: AWS did not show all of it.
    """
    answer = ask(Call("iam", f"Get{kind}", {f"{kind}Name": name}, absent=_GONE))
    if answer is None:
        return None
    details = [_details(ask, kind, answer[kind])]
    groups: list[Mapping[str, Any]] = []
    if kind == "User":
        mine = ask(Call("iam", "ListGroupsForUser", {"UserName": name}))["Groups"]
        groups = [_details(ask, "Group", one) for one in mine]
        details[0]["GroupList"] = [one["GroupName"] for one in mine]
    holds = {policy["PolicyArn"] for one in (*details, *groups) for policy in one["AttachedManagedPolicies"]}
    boundary = (answer[kind].get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
    texts = dict(_texts(ask, {*holds, *([boundary] if boundary else [])}))
    account = account_of({f"{kind}DetailList": details, "GroupDetailList": groups}, managed=texts)
    return Read(account.principals[answer[kind]["Arn"]], frozenset(holds))


def _details(ask: Ask, kind: str, one: Mapping[str, Any]) -> dict[str, Any]:
    """What the bulk read would tell of one, without reading all."""
    own = {f"{kind}Name": one[f"{kind}Name"]}
    inline = ask(Call("iam", f"List{kind}Policies", own))["PolicyNames"]
    return {
        **one,
        f"{kind}PolicyList": [ask(Call("iam", f"Get{kind}Policy", {**own, "PolicyName": policy})) for policy in inline],
        "AttachedManagedPolicies": ask(Call("iam", f"ListAttached{kind}Policies", own))["AttachedPolicies"],
    }


def _texts(ask: Ask, arns: Iterable[str]) -> Iterator[tuple[str, Document]]:
    for arn in sorted(arns):
        known = text_of(arn, {})
        if known is None:
            version = ask(Call("iam", "GetPolicy", {"PolicyArn": arn}))["Policy"]["DefaultVersionId"]
            answer = ask(Call("iam", "GetPolicyVersion", {"PolicyArn": arn, "VersionId": version}))
            known = document(answer["PolicyVersion"]["Document"])
        yield arn, known
