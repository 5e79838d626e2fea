"""Who holds administrator rights in an account, and through what: the reading half of iam-admin-grants."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from plumbline.controls.iam._machinery import Keeper, keeper, management_account
from plumbline.controls.iam._principals import (
    EVERYTHING,
    GONE,
    aws_policy,
    default_document,
    foresee_policies,
    named,
    partition,
    policy_version,
    principal,
    principals,
)
from plumbline.controls.iam._way_in import WaysIn
from plumbline.controls.iam._weighed import Weighed, as_principal, is_aws, may_matter, read_of, weighed
from plumbline.core.calls import Ask, Call
from plumbline.core.names import same_name
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.rights.account import EVERYTHING_ALLOWED, Principal, account_of
from plumbline.rights.administrators import AWS_ADMIN_POLICIES, admin_reason
from plumbline.rights.blame import own_alone
from plumbline.rights.documents import Document, document
from plumbline.rights.ways import Judge

POLICY = "iam-policy"


@dataclass(frozen=True, slots=True)
class _Account:
    """What a principal or policy is weighed against, from the bulk read.

    Attributes:
        principals: all of them.
        groups: user -> his groups.
        policies: the account's own, by ARN.
        judge: weighs rights against what there is.
        weighed: what each principal's documents come to.
        keeper: who keeps a role; asked only where it matters.
        administrators: the users and roles with an administrator's rights, by ARN, whether they should have them or
            not, and why nobody could come in as them.
        ways_in: who could come in.
    """

    principals: Mapping[Target, Mapping[str, Any]]
    groups: Mapping[str, list[str]]
    policies: Mapping[str, Mapping[str, Any]]
    judge: Judge
    weighed: Callable[[Target], Weighed]
    keeper: Callable[[Target], Keeper]
    administrators: Mapping[str, dict[str, Any]]
    ways_in: WaysIn

    def without(self, gone: Collection[str]) -> list[dict[str, Any]]:
        """The administrators that are left, and who could come in as them, where some users and roles are gone.

        Rights that somebody gives himself are his whoever else there is; and whom one who is gone lets in are no people
        but CloudFormation, see `_machinery.keeper`.

        Args:
            gone: their ARNs.
        """
        return [
            {**one, "unusable": self.ways_in.unusable(one["kind"], one["name"], gone)}
            if gone and one["kind"] == "role" and not one["unusable"]
            else one
            for arn, one in self.administrators.items()
            if arn not in gone
        ]


def survey(ask: Ask) -> Mapping[Target, State]:
    """Every principal and every customer managed policy, from one bulk read."""
    account = ask.once(weighing)
    read = {arn for one in account.principals.values() for arn in read_of(one)}
    foresee_policies(ask, read.difference(account.policies))
    return {
        target: _principal_state(
            one,
            account.groups.get(target.id, []) if one["kind"] == "user" else [],
            account.weighed(target),
            lambda: account,
            lambda target=target: account.keeper(target),  # type: ignore[misc]
        )
        for target, one in account.principals.items()
    } | {
        Target(ask.account, GLOBAL, POLICY, arn.partition(":policy/")[2]): _policy_state(
            arn, policy["DefaultVersionId"], default_document(policy), lambda: account
        )
        for arn, policy in account.policies.items()
    }


def observe(ask: Ask, target: Target) -> State:
    """One principal or policy, afresh.

    A user without groups costs three small reads; the bulk read is for what has to be weighed against others.
    """
    account = partial(ask.once, weighing)
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
    me = as_principal(found, lambda arn: _policy(ask, arn)[2])
    rights = Weighed()
    if groups or may_matter(me):
        joined = [_group(ask, account(), name) for name in groups]
        rights = weighed(account().judge, me, joined)
    whose = lambda: _keeper(ask, found, _trust_of(ask))  # noqa: E731
    return _principal_state(found, groups, rights, account, whose)


def _group(ask: Ask, account: _Account, name: str) -> Principal:
    """A group of the bulk read, with what its policies say."""
    target = Target(ask.account, GLOBAL, "iam-group", name)
    return as_principal(account.principals[target], _reader(ask, account.policies))


def _reader(ask: Ask, policies: Mapping[str, Mapping[str, Any]]) -> Callable[[str], Document]:
    """What managed policies say: the account's own as they were read in bulk, AWS's asked one by one."""
    return cache(lambda arn: default_document(policies[arn]) if arn in policies else _other(ask, arn))


def _other(ask: Ask, arn: str) -> Document:
    """What a policy says that the bulk read has not: one of AWS's, or one of the account's that is newer."""
    return (aws_policy(ask, arn) or {}) if is_aws(arn) else _policy(ask, arn)[2]


def _policy(ask: Ask, arn: str) -> tuple[str, str, Document]:
    """A policy's ARN as AWS spells it, its default version and what that says."""
    policy = ask(Call("iam", "GetPolicy", {"PolicyArn": arn}, absent=GONE))
    if policy is None:
        return arn, "", {}
    arn, version = policy["Policy"]["Arn"], policy["Policy"]["DefaultVersionId"]
    return arn, version, document(ask(policy_version(arn, version))["PolicyVersion"]["Document"])


def _trust_of(ask: Ask) -> Callable[[str], Document]:
    """The trust policy of a role by its ARN, asked one by one."""

    def trust(arn: str) -> Document:
        role = ask(Call("iam", "GetRole", {"RoleName": arn.rpartition("/")[2]}, absent=GONE))
        return document(role["Role"]["AssumeRolePolicyDocument"]) if role else {}

    return trust


def _keeper(ask: Ask, found: Mapping[str, Any], trust: Callable[[str], Document]) -> Keeper:
    if found["kind"] != "role":
        return Keeper.NOBODY
    return keeper(found, ask.account, lambda: ask.once(management_account), trust)


def _principal_state(
    found: Mapping[str, Any],
    groups: Sequence[str],
    rights: Weighed,
    account: Callable[[], _Account],
    kept_by: Callable[[], Keeper],
) -> dict[str, Any]:
    """What makes a principal an administrator, what could, and who else is one."""
    taken = {source for sources in rights.ways.values() for source in sources}
    own = rights.inline or rights.attached
    return {
        "kind": found["kind"],
        "name": found["name"],
        "groups": list(groups),
        "through": list(rights.through),
        "inline": dict(rights.inline),
        "attached": list(rights.attached),
        "reasons": list(rights.reasons),
        "ways": {fact: list(sources) for fact, sources in rights.ways.items()},
        "leading": {"inline": dict(rights.texts), "attached": sorted(one for one in taken if ":policy/" in one)},
        "keeper": kept_by().value if own or rights.ways else "",
        "administrators": account().without(()) if own or rights.through else [],
    }


def _policy_state(arn: str, version: str, text: Document, account: Callable[[], _Account]) -> dict[str, Any]:
    """Whether a policy makes administrators, of whom, and the newest of its other versions that does not."""
    reason, those = _makes(arn, text, account)
    others = [
        one["VersionId"]
        for one in (account().policies.get(arn, {}).get("PolicyVersionList", ()) if those or reason else ())
        if one["VersionId"] != version and not admin_reason(document(one["Document"]))
    ]
    holders = [
        {
            "kind": account().principals[target]["kind"],
            "name": account().principals[target]["name"],
            "groups": account().groups.get(target.id, []) if target.kind == "iam-user" else [],
            "keeper": account().keeper(target).value,
        }
        for target in those
    ]
    return {
        "kind": "policy",
        "name": arn,
        "version": version,
        "reasons": [reason] if reason else [],
        "back_to": max(others, key=lambda one: int(one.removeprefix("v")), default=""),
        "holders": holders,
        "administrators": account().without(()) if holders else [],
    }


def _makes(arn: str, text: Document, account: Callable[[], _Account]) -> tuple[str, list[Target]]:
    """Why a policy makes administrators, and of whom: of all who have it, or of those alone to whom it gives that."""
    if not may_matter(Principal(arn, "", "user", (text,))):
        return "", []
    reason = admin_reason(text)
    holding = [target for target, one in account().principals.items() if arn in one["attached"]]
    if reason:
        return reason, holding
    made = [target for target in holding if arn in account().weighed(target).attached]
    return next((one for target in made for one in account().weighed(target).reasons), ""), made


def weighing(ask: Ask) -> _Account:
    """The account as principals are weighed against it: for `Ask.once`, since many controls weigh."""
    everything, found = ask(EVERYTHING), principals(ask)
    groups = {one["UserName"]: sorted(one.get("GroupList") or []) for one in everything["UserDetailList"]}
    trust = {one["Arn"]: document(one["AssumeRolePolicyDocument"]) for one in everything["RoleDetailList"]}
    policies = {one["Arn"]: one for one in everything["Policies"]}
    # Of AWS's own policies only those known by name count for the others: to read all that anybody has is too dear.
    known = {arn: EVERYTHING_ALLOWED for one in found.values() for arn in one["attached"] if _makes_administrators(arn)}
    judge = Judge(account_of(everything, managed=known))
    read = _reader(ask, policies)
    group = cache(lambda name: as_principal(found[Target(ask.account, GLOBAL, "iam-group", name)], read))

    def weigh(target: Target) -> Weighed:
        one = found[target]
        mine = groups.get(target.id, []) if one["kind"] == "user" else []
        return weighed(judge, as_principal(one, read), [group(name) for name in mine])

    whose = cache(lambda one: _keeper(ask, found[one], lambda arn: trust.get(arn, {})))
    granting = frozenset(
        target.id for target, one in found.items() if target.kind == "iam-group" and one["arn"] in judge.administrators
    )
    ways_in = ask.once(WaysIn)
    strong = {target: one for target, one in found.items() if one["arn"] in judge.administrators}
    ways_in.foresee(one["name"] for one in strong.values() if one["kind"] == "user")
    administrators = {
        one["arn"]: {
            "kind": one["kind"],
            "name": one["name"],
            "groups": groups.get(target.id, []) if one["kind"] == "user" else [],
            "direct": judge.is_direct(own_alone(judge.account.principals[one["arn"]])),
            "keeper": whose(target).value,
            "through": [name for name in groups.get(target.id, ()) if name in granting]
            if one["kind"] == "user"
            else [],
            "unusable": ways_in.unusable(one["kind"], one["name"]),
        }
        for target, one in strong.items()
        if one["kind"] != "group"
    }
    return _Account(found, groups, policies, judge, cache(weigh), whose, administrators, ways_in)


def _makes_administrators(arn: str) -> bool:
    name = arn.partition(":policy/")[2]
    return is_aws(arn) and name in AWS_ADMIN_POLICIES and not name.startswith("service-role/")


def where_it_leads(ask: Ask, user: str) -> list[dict[str, Any]]:
    """The administrators, where a user is one or may become one; none where he is not and may not."""
    account = ask.once(weighing)
    leads = any(
        same_name(one["name"], user) if one["kind"] == "user" else account.ways_in.may_become(user, one["name"])
        for one in account.administrators.values()
    )
    return account.without(()) if leads else []
