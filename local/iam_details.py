"""The IAM calls that the emulator lacks or answers thinly, over its own state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from ministack.core.responses import get_account_id
from ministack.services import iam

from local import root_user
from local.entities import spelled
from local.recorder import key_uses

Parameters = Mapping[str, list[str]]
Response = tuple[int, dict[str, str], bytes]
Entity = Mapping[str, Any]

_DEFAULT_PAGE = 100
_NEVER_USED = {"ServiceName": "N/A", "Region": "N/A"}
_NO_KEY = ("false", "N/A", "N/A", "N/A", "N/A")
_NO_CERTIFICATES = ("false", "N/A", "false", "N/A")


def set_default_policy_version(parameters: Parameters) -> Response:
    """SetDefaultPolicyVersion: which version of a customer managed policy is in force."""
    arn, version_id = _one(parameters, "PolicyArn"), _one(parameters, "VersionId")
    if iam._is_aws_managed_arn(arn):
        return _refuse(403, "AccessDenied", f"Cannot change the default version of AWS managed policy {arn}.")
    policy = iam._policies.get(arn)
    if policy is None:
        return _refuse(404, "NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")
    if version_id not in policy["Versions"]:
        return _refuse(404, "NoSuchEntity", f"Policy {arn} version {version_id} does not exist or is not attachable.")
    for version in policy["Versions"].values():
        version["IsDefaultVersion"] = version["VersionId"] == version_id
    policy["DefaultVersionId"] = version_id
    policy["UpdateDate"] = iam._now()
    return _answer("SetDefaultPolicyVersion", "")


def get_access_key_last_used(parameters: Parameters) -> Response:
    """GetAccessKeyLastUsed, from the requests the gateway saw."""
    key_id = _one(parameters, "AccessKeyId")
    if key_id not in iam._access_keys:
        return _refuse(404, "NoSuchEntity", f"The Access Key with id {key_id} cannot be found.")
    use = key_uses.get(key_id)
    # A key that was never used has no date, and the text N/A for the rest.
    last = {"LastUsedDate": use.time, "ServiceName": use.service, "Region": use.region} if use else _NEVER_USED
    answer = {"UserName": iam._access_keys[key_id]["UserName"], "AccessKeyLastUsed": last}
    return _answer("GetAccessKeyLastUsed", _xml(answer))


def list_ssh_public_keys(parameters: Parameters) -> Response:
    """ListSSHPublicKeys: nobody here has one, for none can be uploaded."""
    return _none_of("ListSSHPublicKeys", "SSHPublicKeys", parameters)


def list_service_specific_credentials(parameters: Parameters) -> Response:
    """ListServiceSpecificCredentials: nobody here has one, for none can be made."""
    return _none_of("ListServiceSpecificCredentials", "ServiceSpecificCredentials", parameters)


def _none_of(action: str, name: str, parameters: Parameters) -> Response:
    user = _one(parameters, "UserName")
    if spelled("user", user) is None:
        return _refuse(404, "NoSuchEntity", f"The user with name {user} cannot be found.")
    return _answer(action, _xml({name: [], "IsTruncated": False}))


def credential_report() -> str:
    """The credential report as AWS writes it now. AWS itself serves one that is up to four hours old."""
    rows = [iam._CRED_REPORT_HEADER.split(","), _root_row(), *(_report_row(name) for name in sorted(iam._users))]
    return "\n".join(",".join(row) for row in rows)


def _root_row() -> list[str]:
    """Of root's password the report tells neither when it was set nor when it has to be set anew.

    Source: IAM user guide, Generate credential reports for your AWS account.
    """
    account = get_account_id()
    session = root_user.session_of(account)
    password = ["true", _report_time(session.began) if session else "no_information", "not_supported", "not_supported"]
    columns = [column for key in [*root_user.keys_of(), None, None][:2] for column in _report_key(key)]
    identity = ["<root_account>", f"arn:aws:iam::{account}:root", _report_time(iam._now())]
    return [*identity, *password, str(root_user.has_mfa()).lower(), *columns, *_NO_CERTIFICATES]


def _report_row(name: str) -> list[str]:
    user, profile = iam._users[name], iam._login_profiles.get(name)
    mfa = any(device.get("User") == name for device in iam._mfa_devices.values())
    keys = sorted(
        (key for key in iam._access_keys.values() if key["UserName"] == name),
        key=lambda key: key["CreateDate"],
    )
    changed = _report_time(profile["CreateDate"]) if profile else "N/A"
    password = ["true", "no_information", changed, "N/A"] if profile else ["false", "N/A", "N/A", "N/A"]
    columns = [column for key in [*keys, None, None][:2] for column in _report_key(key)]
    identity = [name, user["Arn"], _report_time(user["CreateDate"])]
    return [*identity, *password, str(mfa).lower(), *columns, *_NO_CERTIFICATES]


def _report_key(key: Entity | None) -> Sequence[str]:
    if key is None:
        return _NO_KEY
    use = key_uses.get(key["AccessKeyId"])
    used = [_report_time(use.time), use.region, use.service] if use else ["N/A", "N/A", "N/A"]
    return [str(key["Status"] == "Active").lower(), _report_time(key["CreateDate"]), *used]


def _report_time(moment: str) -> str:
    return moment.replace("Z", "+00:00")


def get_account_authorization_details(parameters: Parameters) -> Response:
    """GetAccountAuthorizationDetails, in pages, with AWS managed policies in use and permissions boundaries."""
    wanted = {values[0] for name, values in parameters.items() if name.startswith("Filter.member.")}
    entities = [entity for entity in _entities() if not wanted or entity[0] in wanted]
    start = int(_one(parameters, "Marker") or 0)
    size = int(_one(parameters, "MaxItems") or _DEFAULT_PAGE)
    page, rest = entities[start : start + size], entities[start + size :]
    lists = {
        "UserDetailList": [describe() for kind, describe in page if kind == "User"],
        "GroupDetailList": [describe() for kind, describe in page if kind == "Group"],
        "RoleDetailList": [describe() for kind, describe in page if kind == "Role"],
        "Policies": [describe() for kind, describe in page if kind in {"LocalManagedPolicy", "AWSManagedPolicy"}],
    }
    answer: dict[str, Any] = {**lists, "IsTruncated": bool(rest)}
    if rest:
        answer["Marker"] = str(start + size)
    return _answer("GetAccountAuthorizationDetails", _xml(answer))


def _entities() -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    # AWS gives entities in no documented order; this one is stable while pages are read.
    for name in sorted(iam._users):
        yield "User", lambda name=name: _user(name, iam._users[name])  # type: ignore[misc]
    for name in sorted(iam._groups):
        yield "Group", lambda name=name: _group(name, iam._groups[name])  # type: ignore[misc]
    for name in sorted(iam._roles):
        yield "Role", lambda name=name: _role(name, iam._roles[name])  # type: ignore[misc]
    for arn in sorted(iam._policies):
        yield "LocalManagedPolicy", lambda arn=arn: _policy(arn)  # type: ignore[misc]
    for arn in sorted(_aws_managed_policies_in_use()):
        yield "AWSManagedPolicy", lambda arn=arn: _policy(arn)  # type: ignore[misc]


def _aws_managed_policies_in_use() -> set[str]:
    holders = [*iam._users.values(), *iam._groups.values(), *iam._roles.values()]
    arns = {arn for holder in holders for arn in holder.get("AttachedPolicies", ())}
    # CloudFormation attaches without asking whether there is such a policy.
    return {arn for arn in arns if iam._is_aws_managed_arn(arn) and iam._policy_exists(arn)}


def _user(name: str, user: Entity) -> dict[str, Any]:
    return {
        **_identity(user, "UserName", "UserId"),
        "UserPolicyList": _inline(iam._user_inline_policies.get(name)),
        "GroupList": [group["GroupName"] for group in iam._groups.values() if name in group.get("Users", ())],
        "AttachedManagedPolicies": _attached(user),
        **_boundary(user),
        "Tags": user.get("Tags", []),
    }


def _group(name: str, group: Entity) -> dict[str, Any]:
    return {
        **_identity(group, "GroupName", "GroupId"),
        "GroupPolicyList": _inline(iam._group_inline_policies.get(name)),
        "AttachedManagedPolicies": _attached(group),
    }


def _role(name: str, role: Entity) -> dict[str, Any]:
    profiles = [profile for profile in iam._instance_profiles.values() if name in profile.get("Roles", ())]
    return {
        **_identity(role, "RoleName", "RoleId"),
        "AssumeRolePolicyDocument": _document(role.get("AssumeRolePolicyDocument")),
        "InstanceProfileList": [
            {key: profile[key] for key in ("InstanceProfileName", "InstanceProfileId", "Arn", "Path", "CreateDate")}
            for profile in profiles
        ],
        "RolePolicyList": _inline(role.get("InlinePolicies")),
        "AttachedManagedPolicies": _attached(role),
        **_boundary(role),
        "Tags": role.get("Tags", []),
        "RoleLastUsed": {},
    }


def _policy(arn: str) -> dict[str, Any]:
    policy = iam._lookup_policy(arn)
    aws_managed = iam._is_aws_managed_arn(arn)
    attached = iam._aws_managed_attachment_counts.get(arn, 0) if aws_managed else policy.get("AttachmentCount", 0)
    return {
        "PolicyName": policy["PolicyName"],
        "PolicyId": policy["PolicyId"],
        "Arn": arn,
        "Path": policy.get("Path", "/"),
        "DefaultVersionId": policy["DefaultVersionId"],
        "AttachmentCount": attached,
        "PermissionsBoundaryUsageCount": iam._boundary_usage_counts().get(arn, 0),
        "IsAttachable": True,
        "CreateDate": policy["CreateDate"],
        "UpdateDate": policy.get("UpdateDate", policy["CreateDate"]),
        "PolicyVersionList": [
            {
                "Document": _document(version.get("Document")),
                "VersionId": version["VersionId"],
                "IsDefaultVersion": bool(version.get("IsDefaultVersion")),
                "CreateDate": version["CreateDate"],
            }
            for version in policy["Versions"].values()
        ],
    }


def _identity(entity: Entity, name: str, identifier: str) -> dict[str, Any]:
    return {key: entity[key] for key in ("Path", name, identifier, "Arn", "CreateDate")}


def _inline(policies: Mapping[str, str] | None) -> list[dict[str, str]]:
    return [{"PolicyName": name, "PolicyDocument": _document(text)} for name, text in (policies or {}).items()]


def _attached(entity: Entity) -> list[dict[str, str]]:
    return [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in entity.get("AttachedPolicies", ())]


def _boundary(entity: Entity) -> dict[str, Any]:
    arn = entity.get("PermissionsBoundary")
    if not arn:
        return {}
    return {
        "PermissionsBoundary": {
            "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
            "PermissionsBoundaryArn": arn,
        }
    }


def _document(text: str | None) -> str:
    # IAM answers policy documents URL-encoded (RFC 3986).
    return quote(text or "{}", safe="")


def _one(parameters: Parameters, name: str) -> str:
    return (parameters.get(name) or [""])[0]


def _xml(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, Mapping):
        return "".join(f"<{name}>{_xml(item)}</{name}>" for name, item in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_xml(item)}</member>" for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    return escape(str(value))


def _answer(action: str, inner: str) -> Response:
    body = f"<{action}Result>{inner}</{action}Result>" if inner else ""
    return iam._xml(200, f"{action}Response", body, ns="iam")  # type: ignore[no-any-return]


def _refuse(status: int, code: str, message: str) -> Response:
    return iam._error(status, code, message, ns="iam")  # type: ignore[no-any-return]
