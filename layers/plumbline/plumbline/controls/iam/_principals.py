"""What the IAM controls share: bulk reads, names of principals, ARNs to limit a session to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from plumbline.core.calls import Ask, Call
from plumbline.core.cause import Event
from plumbline.core.control import Settings
from plumbline.core.giving import OWN_DENIALS
from plumbline.core.names import fits, same_name
from plumbline.core.targets import ALL, GLOBAL, State, Target
from plumbline.rights.documents import Document, document
from plumbline.wakes import cloudtrail

#: The account's users, groups, roles and own policies, a thousand to the page. Equal calls are asked once a sweep, so
#: every IAM control shares the pages.
EVERYTHING = Call(
    "iam",
    "GetAccountAuthorizationDetails",
    {"Filter": ["User", "Group", "Role", "LocalManagedPolicy"], "MaxItems": 1000},
    wide=True,
)
#: Every user as the list shows him, which knows when his password was last used. IAM gives a hundred to the page unless
#: it is asked for more.
USERS = Call("iam", "ListUsers", {"MaxItems": 1000})
#: AWS's own policies that somebody carries, each with the version that counts. What is a boundary alone is not in it.
#: Source: IAM API reference, ListPolicies: `OnlyAttached`, `MaxItems`; Policy: `DefaultVersionId`.
_CARRIED_OF_AWS = Call("iam", "ListPolicies", {"Scope": "AWS", "OnlyAttached": True, "MaxItems": 1000})
GONE = ("NoSuchEntity",)
#: A principal's kind of target -> how the API spells it.
PRINCIPALS = {"iam-user": "User", "iam-group": "Group", "iam-role": "Role"}
#: The path of what Plumbline makes and of its own roles.
OWN_PATH = "/plumbline/"
#: IAM refuses these paths to everybody but AWS: roles of AWS services, and roles that IAM Identity Center keeps.
SERVICE_LINKED, RESERVED = "aws-service-role/", "aws-reserved/"
#: Managed policies one principal can hold by AWS's default quota. AWS raises it to 20 at most, for users and roles.
#: Source: IAM quotas.
MOST_ATTACHED = 10


def users_in_bulk(ask: Ask) -> Mapping[str, Mapping[str, Any]]:
    """Each user by name, as the bulk read shows him: for `Ask.once`."""
    return {user["UserName"]: user for user in ask(EVERYTHING)["UserDetailList"]}


def user_names(ask: Ask) -> list[str]:
    """Every IAM user's name."""
    return [user["UserName"] for user in ask(USERS)["Users"]]


def by_name(account: str, kind: str, name: str) -> tuple[str, ...]:
    """ARN patterns that match exactly the user, group, role or policy of this name, whatever its path.

    A name holds no slash, so neither pattern reaches another one. `arn:*` also fits the other partitions.
    """
    return (f"arn:*:iam::{account}:{kind}/{name}", f"arn:*:iam::{account}:{kind}/*/{name}")


def by_names(account: str, named: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The patterns of several: exactly them, however many they are.

    Args:
        account: twelve digits.
        named: kind and name of each.
    """
    return tuple(arn for kind, name in sorted(set(named)) for arn in by_name(account, kind, name))


def named(target: Target) -> Mapping[str, Any]:
    """The API parameter that names a principal target: UserName, GroupName or RoleName."""
    return {f"{PRINCIPALS[target.kind]}Name": target.id}


def users_that(may: str, default: Sequence[str] = (), **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON Schema
    """The setting of controls that leave some users alone by their names.

    Args:
        may: what they may, as it reads after "Users that".
        default: who may unless the baseline says otherwise.
        more: further rules of the schema; a description stands behind the first sentence.
    """
    about = f"Users that {may}; `*` and `?` match any text and any letter. Case makes no difference, as in IAM."
    return {
        "type": "array",
        "items": {"type": "string", "minLength": 1},
        "default": list(default),
        **more,
        "description": f"{about} {more['description']}" if "description" in more else about,
    }


def partition(ask: Ask) -> str:
    """The partition of the account, as its ARNs begin."""
    return "aws-cn" if ask.home.startswith("cn-") else "aws-us-gov" if ask.home.startswith("us-gov-") else "aws"


def own_policy(ask: Ask, name: str) -> str:
    """The ARN of one of this stack's own policies, such as `suspended`."""
    return f"arn:{partition(ask)}:iam::{ask.account}:policy{OWN_PATH}{ask.stack}-{name}"


def own_denials(ask: Ask) -> frozenset[str]:
    """The ARNs of all of them."""
    return frozenset(own_policy(ask, name) for name in OWN_DENIALS)


def locate_principal(detail: Event) -> Iterable[Target]:
    """The user, group or role whose policies or name an event changed; all of them where it does not say which.

    Of AddUserToGroup it is the user: the group is as it was. What was renamed is found under its new name only.
    """
    event = str(detail.get("eventName"))
    kind, word = next((kind, word) for kind, word in PRINCIPALS.items() if word in event)
    name = cloudtrail.parameter(detail, f"new{word}Name", f"{word.lower()}Name")
    return cloudtrail.here(detail, kind, name, region=GLOBAL)


def locate_everybody(detail: Event) -> Iterable[Target]:
    """Whom a renamed group's name or a role's trust makes an administrator, or lets become one, no event says."""
    return cloudtrail.here(detail, ALL, "", region=GLOBAL)


def spell_principal(target: Target, state: State) -> Target:
    """A user, group or role under the name that AWS keeps, whatever spelling an event wrote."""
    name = state["name"].rpartition("/")[2] if state else target.id
    return replace(target, id=name) if same_name(name, target.id) else target


def spell_policy(target: Target, state: State) -> Target:
    """A policy under the path and name that AWS keeps, whatever spelling an event wrote."""
    name = state["name"].partition(":policy/")[2] if state else target.id
    return replace(target, id=name) if same_name(name, target.id) else target


#: What tells a principal's own name and path, written out: the build keeps the operations whose names it finds.
_ITSELF = {"User": "GetUser", "Group": "GetGroup", "Role": "GetRole"}
#: What `principal` and the bulk read ask for.
PRINCIPAL_READS = frozenset(
    {"iam:GetAccountAuthorizationDetails", "iam:GetPolicy", "iam:GetPolicyVersion"}
    | {f"iam:{operation}" for operation in _ITSELF.values()}
    | {
        f"iam:{verb}"
        for word in PRINCIPALS.values()
        for verb in (f"Get{word}Policy", f"List{word}Policies", f"ListAttached{word}Policies")
    }
)
#: What moves the policies of a user, group or role.
PRINCIPAL_WRITES = frozenset(
    f"iam:{verb}{word}Policy" for verb in ("Attach", "Detach", "Delete", "Put") for word in PRINCIPALS.values()
)


def principal(ask: Ask, target: Target) -> dict[str, Any] | None:
    """One user, group or role, asked afresh; None when it is gone or a service-linked role.

    `name` is a role's with its path, as `aws-reserved/sso.amazonaws.com/...`, `trust` who may use a role, and
    `bounded_by` the ARN of a permissions boundary.
    """
    spelled, own = PRINCIPALS[target.kind], named(target)
    answer = ask(Call("iam", _ITSELF[spelled], own, absent=GONE))
    if answer is None:
        return None
    itself = answer[spelled]
    if itself["Path"].lstrip("/").startswith(SERVICE_LINKED):
        return None
    inline = ask(Call("iam", f"List{spelled}Policies", own, absent=GONE))
    attached = ask(Call("iam", f"ListAttached{spelled}Policies", own, absent=GONE))
    if inline is None or attached is None:
        return None
    return {
        **_itself(spelled, itself),
        "inline": {
            policy: document(found["PolicyDocument"])
            for policy in sorted(inline["PolicyNames"])
            if (found := ask(Call("iam", f"Get{spelled}Policy", {**own, "PolicyName": policy}, absent=GONE)))
        },
        "attached": sorted(one["PolicyArn"] for one in attached["AttachedPolicies"]),
    }


def may_keep_inline(target: Target, settings: Settings) -> bool:
    """Whether a principal is one that a reviewed exception covers, going by its name; a role's path is not known."""
    kind = PRINCIPALS.get(target.kind, "").lower()
    return bool(kind) and fits(f"{kind}/{target.id}", settings["keep_inline"])


def principals(ask: Ask) -> dict[Target, dict[str, Any]]:
    """Every user, group and role as `principal` gives it, from one bulk read."""
    everything = ask(EVERYTHING)
    return {
        Target(ask.account, GLOBAL, kind, one[f"{spelled}Name"]): {
            **_itself(spelled, one),
            "inline": {
                policy["PolicyName"]: document(policy["PolicyDocument"])
                for policy in sorted(one.get(f"{spelled}PolicyList") or [], key=lambda policy: policy["PolicyName"])
            },
            "attached": sorted(policy["PolicyArn"] for policy in one.get("AttachedManagedPolicies") or []),
        }
        for kind, spelled in PRINCIPALS.items()
        for one in everything[f"{spelled}DetailList"]
        if not one["Path"].lstrip("/").startswith(SERVICE_LINKED)
    }


def versions_of_aws(ask: Ask) -> Mapping[str, str]:
    """The version that counts of each of AWS's own policies that somebody carries, by ARN: for `Ask.once`."""
    return {one["Arn"]: one["DefaultVersionId"] for one in ask(_CARRIED_OF_AWS)["Policies"]}


def aws_policy(ask: Ask, arn: str) -> Document | None:
    """What one of AWS's own policies says now; None where there is none.

    Which version counts is listed for all of them at once. One that is in no list, being somebody's boundary and
    nothing else or carried since, is asked for by itself.

    Args:
        ask: the eyes.
        arn: its ARN.
    """
    version = ask.once(versions_of_aws).get(arn, "")
    if not version:
        policy = ask(_policy(arn))
        if policy is None:
            return None
        version = policy["Policy"]["DefaultVersionId"]
    return document(ask(policy_version(arn, version))["PolicyVersion"]["Document"])


def foresee_policies(ask: Ask, arns: Iterable[str]) -> None:
    """Have of AWS's own policies read what `aws_policy` will ask for."""
    wanted = sorted(set(arns))
    if not wanted:
        return
    versions = dict(ask.once(versions_of_aws))
    unlisted = [arn for arn in wanted if arn not in versions]
    ask.foresee([_policy(arn) for arn in unlisted])
    found = {arn: ask(_policy(arn)) for arn in unlisted}
    versions |= {arn: one["Policy"]["DefaultVersionId"] for arn, one in found.items() if one}
    ask.foresee([policy_version(arn, versions[arn]) for arn in wanted if arn in versions])


def _policy(arn: str) -> Call:
    return Call("iam", "GetPolicy", {"PolicyArn": arn}, absent=GONE)


def policy_version(arn: str, version: str) -> Call:
    """What a policy says in one of its versions."""
    return Call("iam", "GetPolicyVersion", {"PolicyArn": arn, "VersionId": version})


def policies_held(details: Mapping[str, Any]) -> set[str]:
    """The ARNs of the managed policies that anybody of the bulk read holds or is bounded by."""
    everyone = [one for spelled in PRINCIPALS.values() for one in details[f"{spelled}DetailList"]]
    held = {policy["PolicyArn"] for one in everyone for policy in one.get("AttachedManagedPolicies") or ()}
    return held | {(one.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn", "") for one in everyone}


def _itself(spelled: str, one: Mapping[str, Any]) -> dict[str, Any]:
    """What a principal is, as single and bulk reads tell it alike."""
    name = one[f"{spelled}Name"]
    itself = {
        "kind": spelled.lower(),
        "name": name,
        "arn": one["Arn"],
        "bounded_by": (one.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn", ""),
        "tags": {tag["Key"]: tag["Value"] for tag in one.get("Tags") or ()},
    }
    if spelled != "Role":
        return itself
    return itself | {
        "name": one["Path"].lstrip("/") + name,
        "trust": document(one.get("AssumeRolePolicyDocument")),
    }


def default_document(policy: Mapping[str, Any]) -> Document:
    """What a policy of the bulk read says now."""
    now = policy["DefaultVersionId"]
    return next((document(one["Document"]) for one in policy["PolicyVersionList"] if one["VersionId"] == now), {})
