"""Who holds administrator rights in an account, and through what: the reading half of iam-admin-grants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from plumbline.controls.iam._machinery import Keeper, keeper, management_account
from plumbline.controls.iam._principals import (
    EVERYTHING,
    GONE,
    OWN_PATH,
    default_document,
    named,
    partition,
    principal,
    principals,
)
from plumbline.core.calls import Ask, Call
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.rights.administrators import AWS_ADMIN_POLICIES, admin_reason
from plumbline.rights.documents import Document, document, listed, statements

POLICY = "iam-policy"


@dataclass(frozen=True, slots=True)
class _Account:
    """What a principal or policy is weighed against, from the bulk read.

    Attributes:
        principals: all of them.
        groups: user -> his groups.
        policies: the account's own, by ARN.
        documents: what those say now.
        keepers: the roles that are kept by somebody, by their targets; asked for administrators alone.
        granting: groups whose members are administrators through them.
        administrators: all who can act as administrators now, whether they should or not.
    """

    principals: Mapping[Target, Mapping[str, Any]]
    groups: Mapping[str, list[str]]
    policies: Mapping[str, Mapping[str, Any]]
    documents: Mapping[str, Document]
    keepers: Mapping[Target, Keeper]
    granting: frozenset[str]
    administrators: list[dict[str, Any]]


def survey(ask: Ask) -> Mapping[Target, State]:
    """Every principal and every customer managed policy, from one bulk read."""
    account = _account(ask)
    return {
        target: _principal_state(
            one,
            account.groups.get(target.id, []) if one["kind"] == "user" else [],
            account.documents,
            lambda: account,
            lambda target=target: account.keepers.get(target, Keeper.NOBODY),  # type: ignore[misc]
        )
        for target, one in account.principals.items()
    } | {
        Target(ask.account, GLOBAL, POLICY, arn.partition(":policy/")[2]): _policy_state(
            arn, policy["DefaultVersionId"], account.documents[arn], lambda: account
        )
        for arn, policy in account.policies.items()
    }


def observe(ask: Ask, target: Target) -> State:
    """One principal or policy, afresh.

    A user without groups costs three small reads; the bulk read is for what has to be weighed against others.
    """
    account = cache(lambda: _account(ask))
    if target.kind == POLICY:
        arn = f"arn:{partition(ask)}:iam::{ask.account}:policy/{target.id}"
        arn, version, text = _policy(ask, arn)
        return _policy_state(arn, version, text, account) if version else None
    found = principal(ask, target)
    if found is None:
        return None
    groups: list[str] = []
    if found["kind"] == "user":
        answer = ask(Call("iam", "ListGroupsForUser", named(target), absent=GONE))
        groups = sorted(one["GroupName"] for one in answer["Groups"]) if answer else []
    documents = {arn: _policy(ask, arn)[2] for arn in found["attached"] if not _is_aws(arn)}
    whose = lambda: _keeper(ask, found, lambda: management_account(ask), _trust_of(ask))  # noqa: E731
    return _principal_state(found, groups, documents, account, whose)


def _policy(ask: Ask, arn: str) -> tuple[str, str, Document]:
    """A policy's ARN as AWS spells it, its default version and what that says."""
    policy = ask(Call("iam", "GetPolicy", {"PolicyArn": arn}, absent=GONE))
    if policy is None:
        return arn, "", {}
    arn, version = policy["Policy"]["Arn"], policy["Policy"]["DefaultVersionId"]
    answer = ask(Call("iam", "GetPolicyVersion", {"PolicyArn": arn, "VersionId": version}))
    return arn, version, document(answer["PolicyVersion"]["Document"])


def _trust_of(ask: Ask) -> Callable[[str], Document]:
    """The trust policy of a role by its ARN, asked one by one."""

    def trust(arn: str) -> Document:
        role = ask(Call("iam", "GetRole", {"RoleName": arn.rpartition("/")[2]}, absent=GONE))
        return document(role["Role"]["AssumeRolePolicyDocument"]) if role else {}

    return trust


def _keeper(
    ask: Ask, found: Mapping[str, Any], management: Callable[[], str | None], trust: Callable[[str], Document]
) -> Keeper:
    return keeper(found, ask.account, management, trust) if found["kind"] == "role" else Keeper.NOBODY


def _principal_state(
    found: Mapping[str, Any],
    groups: Sequence[str],
    documents: Mapping[str, Document],
    account: Callable[[], _Account],
    kept_by: Callable[[], Keeper],
) -> dict[str, Any]:
    """What makes a principal an administrator, and who else is one."""
    inline = {name: text for name, text in found["inline"].items() if admin_reason(text)}
    reasons = {arn: reason for arn in found["attached"] if (reason := _attached_reason(found["kind"], arn, documents))}
    through = [group for group in groups if group in account().granting]
    return {
        "kind": found["kind"],
        "name": found["name"],
        "groups": list(groups),
        "through": through,
        "inline": inline,
        "attached": sorted(reasons),
        "reasons": sorted({*reasons.values(), *(admin_reason(text) for text in inline.values())}),
        "keeper": kept_by().value if inline or reasons else "",
        "administrators": account().administrators if inline or reasons or through else [],
    }


def _policy_state(arn: str, version: str, text: Document, account: Callable[[], _Account]) -> dict[str, Any]:
    """Whether a policy makes administrators, of whom, and the newest of its other versions that does not."""
    reason = admin_reason(text)
    others: list[str] = []
    holders: list[dict[str, Any]] = []
    if reason:
        others = [
            one["VersionId"]
            for one in account().policies.get(arn, {}).get("PolicyVersionList", ())
            if one["VersionId"] != version and not admin_reason(document(one["Document"]))
        ]
        holders = [
            {
                "kind": one["kind"],
                "name": one["name"],
                "groups": account().groups.get(target.id, []) if one["kind"] == "user" else [],
                "keeper": account().keepers.get(target, Keeper.NOBODY).value,
            }
            for target, one in account().principals.items()
            if arn in one["attached"]
        ]
    return {
        "kind": "policy",
        "name": arn,
        "version": version,
        "reasons": [reason] if reason else [],
        "back_to": max(others, key=lambda one: int(one.removeprefix("v")), default=""),
        "holders": holders,
        "administrators": account().administrators if holders else [],
    }


def _attached_reason(kind: str, arn: str, documents: Mapping[str, Document]) -> str:
    if not _is_aws(arn):
        return admin_reason(documents.get(arn, {}))
    name = arn.partition(":policy/")[2]
    if name not in AWS_ADMIN_POLICIES or (kind == "role" and name.startswith("service-role/")):
        return ""
    return f"AWS's own policy {name} makes its holder an administrator"


def _is_aws(arn: str) -> bool:
    return ":iam::aws:" in arn


def _account(ask: Ask) -> _Account:
    everything, found = ask(EVERYTHING), principals(ask)
    groups = {one["UserName"]: sorted(one.get("GroupList") or []) for one in everything["UserDetailList"]}
    trust = {one["Arn"]: document(one["AssumeRolePolicyDocument"]) for one in everything["RoleDetailList"]}
    documents = {one["Arn"]: default_document(one) for one in everything["Policies"]}
    direct = {
        target
        for target, one in found.items()
        if any(admin_reason(text) for text in one["inline"].values())
        or any(_attached_reason(one["kind"], arn, documents) for arn in one["attached"])
    }
    management = cache(lambda: management_account(ask))
    keepers = {one: _keeper(ask, found[one], management, lambda arn: trust.get(arn, {})) for one in sorted(direct)}
    granting = frozenset(target.id for target in direct if target.kind == "iam-group")
    administrators = []
    for target, one in found.items():
        mine = groups.get(target.id, []) if one["kind"] == "user" else []
        through = [group for group in mine if group in granting]
        acts = one["kind"] == "user" or (one["kind"] == "role" and _is_way_in(one["name"], one["trust"]))
        if acts and (target in direct or through):
            administrators.append(
                {
                    "kind": one["kind"],
                    "name": one["name"],
                    "groups": mine,
                    "direct": target in direct,
                    "keeper": keepers.get(target, Keeper.NOBODY).value,
                    "through": through,
                }
            )
    policies = {one["Arn"]: one for one in everything["Policies"]}
    return _Account(found, groups, policies, documents, keepers, granting, administrators)


def _is_way_in(role: str, trust: Document) -> bool:
    """Whether somebody can act through a role: those of AWS services and of Plumbline are nobody's way back in."""
    allowed = [one.get("Principal") for one in statements(trust) if one.get("Effect") == "Allow"]
    return not f"/{role}".startswith(OWN_PATH) and any(
        not isinstance(one, Mapping) or listed(one.get("AWS")) or listed(one.get("Federated")) for one in allowed
    )
