"""What IAM refuses that the emulator takes: names alike but for case, quotas, documents, and deleting what is in use.

Source: IAM user guide, "IAM and AWS STS quotas" (names, sizes, counts) and "IAM JSON policy element reference"; the
IAM API reference for what each deletion asks to be done first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

from ministack.core import iam_evaluator
from ministack.services import iam

from local import principals
from local.entities import Entity, spelled

Parameters = dict[str, list[str]]
Response = tuple[int, dict[str, str], bytes]
Handler = Callable[[Parameters], Response]
Rule = Callable[[Parameters], Response | None]

_NAMES = {"GroupName": "group", "InstanceProfileName": "instance-profile", "RoleName": "role", "UserName": "user"}
_ATTACHED, _GROUPS_OF_A_USER, _KEYS_OF_A_USER = 10, 10, 2
#: Characters without white space: of a managed policy, of a trust policy, of all inline policies together.
_MANAGED, _TRUST = 6144, 2048
_INLINE = {"group": 5120, "role": 10240, "user": 2048}
_VERSIONS = frozenset({"2012-10-17", "2008-10-17"})


def install() -> None:
    """Put the rules before the emulator's own handlers, and add the calls it lacks."""
    iam._IAM_HANDLERS["UpdateGroup"] = _update_group
    iam._IAM_HANDLERS["UpdateUser"] = _update_user
    for action, handler in iam._IAM_HANDLERS.items():
        iam._IAM_HANDLERS[action] = _ruled(_RULES.get(action), handler)
    for kind in ("User", "Role"):
        action = f"Delete{kind}"
        iam._IAM_HANDLERS[action] = _remembering(kind, iam._IAM_HANDLERS[action])


def _ruled(rule: Rule | None, handler: Handler) -> Handler:
    def ruled(parameters: Parameters) -> Response:
        asked = _as_spelled(parameters)
        refusal = rule(asked) if rule else None
        return refusal or handler(asked)

    return ruled


def _remembering(kind: str, handler: Handler) -> Handler:
    def remembering(parameters: Parameters) -> Response:
        entity = spelled(kind.lower(), _one(parameters, f"{kind}Name"))
        answer = handler(parameters)
        if answer[0] < 400 and entity is not None:  # noqa: PLR2004 -- the HTTP boundary between success and error
            principals.forget(entity["Arn"], entity[f"{kind}Id"])
        return answer

    return remembering


def _as_spelled(parameters: Parameters) -> Parameters:
    """The parameters with each name as its entity spells it: IAM does not tell names apart by case."""
    found = {key: spelled(kind, parameters[key][0]) for key, kind in _NAMES.items() if parameters.get(key)}
    return {**parameters, **{key: [entity[key]] for key, entity in found.items() if entity}}


# --- renaming -------------------------------------------------------------------------------------


def _update_group(parameters: Parameters) -> Response:
    """UpdateGroup: another name or path, the same id; its policies and members stay."""
    group = iam._groups.get(_one(parameters, "GroupName"))
    if group is None:
        return _refuse(404, "NoSuchEntity", f"The group with name {_one(parameters, 'GroupName')} cannot be found.")
    old, refusal = group["GroupName"], _rename("group", group, parameters, "GroupName", iam._groups)
    if refusal:
        return refusal
    _move(iam._group_inline_policies, old, group["GroupName"])
    return _done("UpdateGroup")


def _update_user(parameters: Parameters) -> Response:
    """UpdateUser: another name or path, the same id; keys, policies, groups and password stay."""
    user = iam._users.get(_one(parameters, "UserName"))
    if user is None:
        return _refuse(404, "NoSuchEntity", f"The user with name {_one(parameters, 'UserName')} cannot be found.")
    old, refusal = user["UserName"], _rename("user", user, parameters, "UserName", iam._users)
    if refusal:
        return refusal
    new = user["UserName"]
    for store in (iam._user_inline_policies, iam._login_profiles):
        _move(store, old, new)
    for key in iam._access_keys.values():
        key["UserName"] = new if key["UserName"] == old else key["UserName"]
    for device in iam._mfa_devices.values():
        device["User"] = new if device.get("User") == old else device.get("User")
    for group in iam._groups.values():
        group["Users"] = [new if one == old else one for one in group["Users"]]
    return _done("UpdateUser")


def _rename(kind: str, entity: Entity, parameters: Parameters, key: str, store: Any) -> Response | None:  # noqa: ANN401
    old = entity[key]
    new, path = _one(parameters, f"New{key}") or old, _one(parameters, "NewPath") or entity["Path"]
    taken = spelled(kind, new)
    if taken is not None and taken is not entity:
        return _refuse(409, "EntityAlreadyExists", f"{kind.capitalize()} with name {new} already exists.")
    account_part = entity["Arn"].partition(f":{kind}/")[0]
    entity.update({key: new, "Path": path, "Arn": f"{account_part}:{kind}{path}{new}"})
    _move(store, old, new)
    return None


def _move(store: Any, old: str, new: str) -> None:  # noqa: ANN401
    if old != new and old in store:
        store[new] = store.pop(old)


# --- documents ------------------------------------------------------------------------------------


def characters(document: str) -> int:
    """How long IAM counts a document: without the white space."""
    return len("".join(document.split()))


def _identity_document(parameters: Parameters) -> Response | None:
    document = _one(parameters, "PolicyDocument")
    return _malformed(document, _faults_of_identity) or (
        _over_quota(f"PolicySize: {_MANAGED}") if characters(document) > _MANAGED else None
    )


def _trust_document(parameters: Parameters) -> Response | None:
    document = _one(parameters, "AssumeRolePolicyDocument") or _one(parameters, "PolicyDocument")
    refusal = _malformed(document, _faults_of_trust)
    if refusal:
        return refusal
    dead = principals.nobody(document)
    if dead is not None:
        return _refuse(400, "MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{dead}"')
    return _over_quota(f"ACLSizePerRole: {_TRUST}") if characters(document) > _TRUST else None


def _inline(kind: str) -> Rule:
    def fits(parameters: Parameters) -> Response | None:
        document, name = _one(parameters, "PolicyDocument"), _one(parameters, f"{kind.capitalize()}Name")
        refusal = _malformed(document, _faults_of_identity)
        if refusal:
            return refusal
        others = {**_inline_policies(kind, name), _one(parameters, "PolicyName"): document}
        if sum(map(characters, others.values())) > _INLINE[kind]:
            return _refuse(
                409, "LimitExceeded", f"Maximum policy size of {_INLINE[kind]} bytes exceeded for {kind} {name}"
            )
        return None

    return fits


def _inline_policies(kind: str, name: str) -> Mapping[str, str]:
    if kind == "role":
        return (iam._roles.get(name) or {}).get("InlinePolicies") or {}
    store = {"group": iam._group_inline_policies, "user": iam._user_inline_policies}[kind]
    return store.get(name) or {}


def _malformed(document: str, faults: Callable[[list[Any]], Iterator[str]]) -> Response | None:
    try:
        read = json.loads(document)
    except ValueError:
        return _refuse(400, "MalformedPolicyDocument", "This policy contains invalid Json")
    if not isinstance(read, dict) or read.get("Version", "2008-10-17") not in _VERSIONS:
        return _refuse(400, "MalformedPolicyDocument", "Syntax errors in policy.")
    statements = read.get("Statement", [])
    statements = statements if isinstance(statements, list) else [statements]
    sids = [one["Sid"] for one in statements if isinstance(one, dict) and one.get("Sid")]
    if len(sids) != len(set(sids)):
        return _refuse(400, "MalformedPolicyDocument", "Statement IDs (SID) in a single policy must be unique.")
    fault = next(faults([one for one in statements if isinstance(one, dict)]), None)
    return _refuse(400, "MalformedPolicyDocument", fault) if fault else None


def _faults_of_identity(statements: list[Any]) -> Iterator[str]:
    wrong = iam_evaluator.validate_policy_document({"Statement": statements})
    if wrong:
        yield wrong
    for statement in statements:
        if {"Principal", "NotPrincipal"} & statement.keys():
            yield "Policy document should not specify a principal."
        for action in _listed(statement.get("Action", statement.get("NotAction"))):
            if action != "*" and ":" not in action:
                yield "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
        for resource in _listed(statement.get("Resource", statement.get("NotResource"))):
            if resource != "*" and not resource.startswith("arn:"):
                yield f'Resource {resource} must be in ARN format or "*".'


def _faults_of_trust(statements: list[Any]) -> Iterator[str]:
    for statement in statements:
        if {"Resource", "NotResource"} & statement.keys():
            yield "Has prohibited field Resource"
        if not {"Principal", "NotPrincipal"} & statement.keys():
            yield "AssumeRole policy must contain a Principal."
        if any(not one.startswith("sts:") and one != "*" for one in _listed(statement.get("Action"))):
            yield "AssumeRole policy may only specify STS AssumeRole actions."


# --- quotas and conflicts -------------------------------------------------------------------------


def _create_policy(parameters: Parameters) -> Response | None:
    name = _one(parameters, "PolicyName")
    if spelled("policy", name):
        return _refuse(
            409, "EntityAlreadyExists", f"A policy called {name} already exists. Duplicate names are not allowed."
        )
    return _identity_document(parameters)


def _attachable(kind: str) -> Rule:
    def attachable(parameters: Parameters) -> Response | None:
        arn, name = _one(parameters, "PolicyArn"), _one(parameters, f"{kind.capitalize()}Name")
        if not iam._policy_exists(arn):
            return _refuse(404, "NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")
        attached = (spelled(kind, name) or {}).get("AttachedPolicies", ())
        if arn not in attached and len(attached) >= _ATTACHED:
            return _over_quota(f"PoliciesPer{kind.capitalize()}: {_ATTACHED}")
        return None

    return attachable


def _add_user_to_group(parameters: Parameters) -> Response | None:
    name = _one(parameters, "UserName")
    of = [one["GroupName"] for one in iam._groups.values() if name in one["Users"]]
    full = len(of) >= _GROUPS_OF_A_USER and _one(parameters, "GroupName") not in of
    return _over_quota(f"GroupsPerUser: {_GROUPS_OF_A_USER}") if full else None


def _create_access_key(parameters: Parameters) -> Response | None:
    name = _one(parameters, "UserName")
    held = sum(one["UserName"] == name for one in iam._access_keys.values())
    return _over_quota(f"AccessKeysPerUser: {_KEYS_OF_A_USER}") if name and held >= _KEYS_OF_A_USER else None


def _delete_user(parameters: Parameters) -> Response | None:
    name = _one(parameters, "UserName")
    first = {
        "delete policies": bool(iam._user_inline_policies.get(name)),
        "remove users from group": any(name in one["Users"] for one in iam._groups.values()),
        "delete login profile": name in iam._login_profiles,
        "delete MFA device": any(one.get("User") == name for one in iam._mfa_devices.values()),
    }
    return _conflict(first) if name in iam._users else None


def _delete_group(parameters: Parameters) -> Response | None:
    group = iam._groups.get(_one(parameters, "GroupName")) or {}
    first = {
        "detach all policies": bool(group.get("AttachedPolicies")),
        "delete policies": bool(iam._group_inline_policies.get(group.get("GroupName", ""))),
        "remove users from group": bool(group.get("Users")),
    }
    return _conflict(first)


def _delete_policy(parameters: Parameters) -> Response | None:
    policy = iam._policies.get(_one(parameters, "PolicyArn")) or {}
    if len(policy.get("Versions", ())) <= 1:
        return None
    return _refuse(
        409,
        "DeleteConflict",
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
        "The default version is deleted with the policy.",
    )


def _conflict(first: Mapping[str, bool]) -> Response | None:
    undone = next((what for what, holds in first.items() if holds), None)
    return _refuse(409, "DeleteConflict", f"Cannot delete entity, must {undone} first.") if undone else None


_RULES: Mapping[str, Rule] = {
    "AddUserToGroup": _add_user_to_group,
    "AttachGroupPolicy": _attachable("group"),
    "AttachRolePolicy": _attachable("role"),
    "AttachUserPolicy": _attachable("user"),
    "CreateAccessKey": _create_access_key,
    "CreatePolicy": _create_policy,
    "CreatePolicyVersion": _identity_document,
    "CreateRole": _trust_document,
    "DeleteGroup": _delete_group,
    "DeletePolicy": _delete_policy,
    "DeleteUser": _delete_user,
    "PutGroupPolicy": _inline("group"),
    "PutRolePolicy": _inline("role"),
    "PutUserPolicy": _inline("user"),
    "UpdateAssumeRolePolicy": _trust_document,
}


def _over_quota(what: str) -> Response:
    return _refuse(409, "LimitExceeded", f"Cannot exceed quota for {what}")


def _listed(value: object) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _one(parameters: Mapping[str, list[str]], name: str) -> str:
    return (parameters.get(name) or [""])[0]


def _done(action: str) -> Response:
    return iam._xml(200, f"{action}Response", "", ns="iam")  # type: ignore[no-any-return]


def _refuse(status: int, code: str, message: str) -> Response:
    return iam._error(status, code, escape(message), ns="iam")  # type: ignore[no-any-return]
