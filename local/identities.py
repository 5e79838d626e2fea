"""Who made a request, in the shapes CloudTrail gives `userIdentity`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, set_request_account_id
from ministack.services import iam, sts

from local import root_user


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal that the emulator knows, by the access key a request was signed with."""

    account: str
    arn: str
    identity: Mapping[str, Any]


def caller_of(access_key: str) -> Caller | None:
    """The principal behind an access key; None for a key that is unknown, inactive or expired."""
    try:
        account = iam_evaluator.find_iam_access_key_account(access_key) or access_key
    except iam_evaluator.AmbiguousAccessKeyError:
        return None
    set_request_account_id(account)
    credential = iam_evaluator.resolve_credential(access_key, get_account_id())
    if isinstance(credential, iam_evaluator.CredentialResolutionError):
        return None
    shape = {"Root": _root, "User": _iam_user, "AssumedRole": _assumed_role}.get(credential.principal_type, _other)
    return Caller(credential.account_id, credential.principal_arn, shape(credential))


def _root(credential: iam_evaluator.ResolvedCredential) -> dict[str, Any]:
    account, key = credential.account_id, credential.access_key_id
    # The emulator's root key is the account number; AWS shows a temporary key of the console.
    return root_user.identity(account, f"ASIAROOT{account}" if key == account else key)


def _iam_user(credential: iam_evaluator.ResolvedCredential) -> dict[str, Any]:
    return {
        "type": "IAMUser",
        "principalId": credential.principal_id,
        "arn": credential.principal_arn,
        "accountId": credential.account_id,
        "accessKeyId": credential.access_key_id,
        "userName": credential.principal_name,
    }


def _assumed_role(credential: iam_evaluator.ResolvedCredential) -> dict[str, Any]:
    _, role_name, session_name = credential.principal_arn.split(":", 5)[5].split("/", 2)
    role = iam._roles.get_scoped(credential.account_id, None, role_name) or {}
    role_id = role.get("RoleId", "")
    session = sts._sessions.get(credential.access_key_id) or {}
    return {
        "type": "AssumedRole",
        # The emulator's Lambda sessions carry the role's name where AWS has its id.
        "principalId": f"{role_id}:{session_name}",
        "arn": credential.principal_arn,
        "accountId": credential.account_id,
        "accessKeyId": credential.access_key_id,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role_id,
                "arn": role.get("Arn", f"arn:aws:iam::{credential.account_id}:role/{role_name}"),
                "accountId": credential.account_id,
                "userName": role_name,
            },
            "attributes": _session_attributes(session.get("IssuedAt")),
        },
    }


def _other(credential: iam_evaluator.ResolvedCredential) -> dict[str, Any]:
    return {
        "type": credential.principal_type,
        "principalId": credential.principal_id,
        "arn": credential.principal_arn,
        "accountId": credential.account_id,
        "accessKeyId": credential.access_key_id,
    }


def _session_attributes(issued: float | None) -> dict[str, str]:
    created = datetime.fromtimestamp(issued, UTC) if issued is not None else datetime.now(UTC)
    return {"creationDate": created.strftime("%Y-%m-%dT%H:%M:%SZ"), "mfaAuthenticated": "false"}
