"""Users, groups, roles and policies: Plumbline's own, and everybody else's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from tests.attacks.house.facet import Clients, Facet, Seen


def _iam(clients: Clients) -> Mapping[str, list[Any]]:
    found: dict[str, list[Any]] = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}
    kinds = ["User", "Role", "Group", "LocalManagedPolicy"]
    pages = clients("iam").get_paginator("get_account_authorization_details").paginate(Filter=kinds)
    for page in pages:
        for kind in found:
            found[kind] += page[kind]
    return found


def _people(clients: Clients) -> Seen:
    client, details = clients("iam"), _iam(clients)
    found: dict[str, Any] = {}
    for kind, word in (("User", "user"), ("Group", "group"), ("Role", "role")):
        for one in details[f"{kind}DetailList"]:
            found[f"{word} {one[f'{kind}Name']}"] = {
                "attached": sorted(each["PolicyArn"] for each in one["AttachedManagedPolicies"]),
                "inline": {each["PolicyName"]: each["PolicyDocument"] for each in one.get(f"{kind}PolicyList", ())},
                "boundary": (one.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
                **({"groups": sorted(one["GroupList"])} if kind == "User" else {}),
                **({"trust": one["AssumeRolePolicyDocument"], "tags": one.get("Tags", [])} if kind == "Role" else {}),
            }
    for one in details["UserDetailList"]:
        keys = client.list_access_keys(UserName=one["UserName"])["AccessKeyMetadata"]
        found[f"user {one['UserName']}"]["keys"] = {each["AccessKeyId"]: each["Status"] for each in keys}
    for one in details["Policies"]:
        default = [each for each in one["PolicyVersionList"] if each["IsDefaultVersion"]]
        found[f"policy {one['Arn']}"] = {
            "versions": sorted(each["VersionId"] for each in one["PolicyVersionList"]),
            "default": one["DefaultVersionId"],
            "document": default[0]["Document"] if default else None,
        }
    return found


def _mend_people(clients: Clients, name: str, was: Any, now: Any) -> None:
    kind, _, who = name.partition(" ")
    client = clients("iam")
    if kind == "policy":
        _mend_policy(client, who, was, now)
        return
    if was is None:
        _remove(client, kind, who, now)
        return
    key = f"{kind.title()}Name"
    if now is None:
        assert kind == "group", f"{name} is gone; nothing here makes it again"
        client.create_group(GroupName=who)
        now = {"attached": [], "inline": {}, "boundary": None}
    _mend_rights(client, kind, who, was, now)
    if kind != "group" and was["boundary"] != now["boundary"]:
        if was["boundary"]:
            raise AssertionError(f"nothing here puts a boundary on {name}")
        getattr(client, f"delete_{kind}_permissions_boundary")(**{key: who})
    if kind == "role":
        if was["trust"] != now["trust"]:
            client.update_assume_role_policy(RoleName=who, PolicyDocument=json.dumps(was["trust"]))
        stray = [one["Key"] for one in now["tags"] if one not in was["tags"]]
        if stray:
            client.untag_role(RoleName=who, TagKeys=stray)
    if kind == "user":
        _mend_user(client, who, was, now)


def _mend_rights(client: Any, kind: str, who: str, was: Any, now: Any) -> None:
    key = f"{kind.title()}Name"
    for arn in now["attached"]:
        if arn not in was["attached"]:
            getattr(client, f"detach_{kind}_policy")(**{key: who}, PolicyArn=arn)
    for arn in was["attached"]:
        if arn not in now["attached"]:
            getattr(client, f"attach_{kind}_policy")(**{key: who}, PolicyArn=arn)
    for policy in now["inline"]:
        if policy not in was["inline"]:
            getattr(client, f"delete_{kind}_policy")(**{key: who}, PolicyName=policy)
    for policy, text in was["inline"].items():
        if now["inline"].get(policy) != text:
            getattr(client, f"put_{kind}_policy")(**{key: who}, PolicyName=policy, PolicyDocument=json.dumps(text))


def _mend_user(client: Any, who: str, was: Any, now: Any) -> None:
    for group in now["groups"]:
        if group not in was["groups"]:
            with suppress(client.exceptions.NoSuchEntityException):  # the group was new as well, and is gone already
                client.remove_user_from_group(GroupName=group, UserName=who)
    for group in was["groups"]:
        if group not in now["groups"]:
            client.add_user_to_group(GroupName=group, UserName=who)
    for key, status in now["keys"].items():
        if key not in was["keys"]:
            client.delete_access_key(UserName=who, AccessKeyId=key)
        elif status != was["keys"][key]:
            client.update_access_key(UserName=who, AccessKeyId=key, Status=was["keys"][key])


def _mend_policy(client: Any, arn: str, was: Any, now: Any) -> None:
    if was is None:
        for holders in ("PolicyGroups", "PolicyUsers", "PolicyRoles"):
            kind = holders.removeprefix("Policy").removesuffix("s").lower()
            for one in client.list_entities_for_policy(PolicyArn=arn)[holders]:
                key = f"{kind.title()}Name"
                getattr(client, f"detach_{kind}_policy")(**{key: one[key]}, PolicyArn=arn)
        for version in now["versions"]:
            if version != now["default"]:
                client.delete_policy_version(PolicyArn=arn, VersionId=version)
        client.delete_policy(PolicyArn=arn)
        return
    assert now, f"policy {arn} is gone; nothing here makes it again"
    client.set_default_policy_version(PolicyArn=arn, VersionId=was["default"])
    for version in now["versions"]:
        if version not in was["versions"]:
            client.delete_policy_version(PolicyArn=arn, VersionId=version)


def _remove(client: Any, kind: str, who: str, now: Any) -> None:
    """Delete a user, group or role that was not there, with all it holds."""
    bare: dict[str, Any] = {"attached": [], "inline": {}, "boundary": None, "groups": [], "keys": {}, "tags": []}
    _mend_rights(client, kind, who, bare, now)
    if kind == "user":
        _mend_user(client, who, bare, now)
    if kind == "group":
        for member in client.get_group(GroupName=who)["Users"]:
            client.remove_user_from_group(GroupName=who, UserName=member["UserName"])
    getattr(client, f"delete_{kind}")(**{f"{kind.title()}Name": who})


FACETS: Mapping[str, Facet] = {
    "person": Facet(_people, _mend_people, "iam"),
}
