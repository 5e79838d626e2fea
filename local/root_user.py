"""The root user's own credentials, which the emulator has none of: access keys, MFA devices, its last sign-in.

Stock: a key that is made without a user's name is a user `default`'s, and whichever device is in use counts as root's.
AWS: without a name a call is about whoever signs it, root too; `GetAccountSummary`, `ListVirtualMFADevices` and the
credential report tell of root's keys and devices, and nobody but root changes them.

A key is made and deleted by the calls of the API. A sign-in and an MFA device are no API's: AWS has both at its console
alone, so `sign_in`, `assign_mfa` and `remove_mfa` stand for what is clicked there, with the events that come of it.

Here root always has a password and never a passkey, a hardware token or a signing certificate.

Source: IAM API reference, CreateAccessKey and its siblings (`UserName`), GetAccountSummary and ListVirtualMFADevices;
IAM user guide, "Assign MFA devices in the AWS CLI or AWS API" and "Generate credential reports for your AWS account";
AWS CloudTrail user guide, "AWS Management Console sign-in events".
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, request_scope
from ministack.services import iam, s3, sts

Parameters = dict[str, list[str]]
Response = tuple[int, dict[str, str], bytes]
Handler = Callable[[Parameters], Response]
Deliver = Callable[[Mapping[str, Any]], None]

#: Whose name stands in the emulator's stores where root's would: CloudTrail's own word for it, and no user's.
NAME = "AWS ROOT USER"
_KEYS = 2
_OF_THE_CALLER = ("CreateAccessKey", "DeleteAccessKey", "ListAccessKeys", "ListMFADevices", "UpdateAccessKey")
_REGION = "us-east-1"
_BROWSER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0"


@dataclass(slots=True)
class Session:
    """Root's last sign-in at the console.

    Attributes:
        began: when.
        mfa: whether it took a second factor.
    """

    began: str
    mfa: bool


_sessions: dict[str, Session] = {}


def install() -> None:
    """Let IAM know its root; after the rules of `local.iam_rules`, which know users."""
    handlers = iam._IAM_HANDLERS
    for action in _OF_THE_CALLER:
        handlers[action] = _of_the_caller(action, handlers[action])
    handlers["GetAccountSummary"] = _with_its_credentials(handlers["GetAccountSummary"])
    handlers["ListVirtualMFADevices"] = _with_its_devices(handlers["ListVirtualMFADevices"])
    known = _root_by_its_key(iam_evaluator.resolve_credential)
    for module in (iam_evaluator, s3, sts):
        module.resolve_credential = known


def session_of(account: str) -> Session | None:
    """Root's last sign-in; None where there was none."""
    return _sessions.get(account)


def keys_of() -> list[Mapping[str, Any]]:
    """The access keys of the current account's root, the oldest first."""
    mine = [one for one in iam._access_keys.values() if one["UserName"] == NAME]
    return sorted(mine, key=lambda one: str(one["CreateDate"]))


def has_mfa() -> bool:
    """Whether the current account's root has a device."""
    return any(one.get("User") == NAME for one in iam._mfa_devices.values())


# --- at the console -------------------------------------------------------------------------------


def act(asked: Mapping[str, Any], address: str, deliver: Deliver) -> None:
    """What root does at the console.

    Args:
        asked: the `account`, what it `does` (`sign-in`, `assign-mfa` or `remove-mfa`), and a device's `name`.
        address: where from.
        deliver: takes what CloudTrail tells of it, as EventBridge delivers it.
    """
    account = asked["account"]
    with request_scope(account, _REGION):
        if asked["does"] == "sign-in":
            deliver(_sign_in(account, address))
        else:
            deliver(_device(account, address, asked["name"], assigned=asked["does"] == "assign-mfa"))


def _sign_in(account: str, address: str) -> dict[str, Any]:
    session = _sessions[account] = Session(iam._now(), has_mfa())
    details = {
        "eventSource": "signin.amazonaws.com",
        "eventName": "ConsoleLogin",
        "eventType": "AwsConsoleSignIn",
        "responseElements": {"ConsoleLogin": "Success"},
        "additionalEventData": {
            "LoginTo": "https://console.aws.amazon.com/console/home",
            "MobileVersion": "No",
            "MFAUsed": "Yes" if session.mfa else "No",
        },
    }
    return _event(account, address, "AWS Console Sign In via CloudTrail", details)


def _device(account: str, address: str, name: str, *, assigned: bool) -> dict[str, Any]:
    serial = f"arn:aws:iam::{account}:mfa/{name}"
    if assigned:
        iam._mfa_devices[serial] = {
            "SerialNumber": serial, "Path": "/", "CreateDate": iam._now(), "User": NAME, "EnableDate": iam._now(),
            "Base32StringSeed": "", "Tags": [],
        }  # fmt: skip
    else:
        del iam._mfa_devices[serial]
    details = {
        "eventSource": "iam.amazonaws.com",
        "eventName": "EnableMFADevice" if assigned else "DeactivateMFADevice",
        "eventType": "AwsApiCall",
        "requestParameters": {"userName": NAME, "serialNumber": serial},
        "sessionCredentialFromConsole": "true",
    }
    return _event(account, address, "AWS API Call via CloudTrail", details)


def _event(account: str, address: str, detail_type: str, details: Mapping[str, Any]) -> dict[str, Any]:
    """A record of CloudTrail's as EventBridge delivers it; the sign-in itself has no session yet."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    signs_in = details["eventName"] == "ConsoleLogin"
    detail = {
        "eventVersion": "1.11",
        "userIdentity": identity(account, "" if signs_in else f"ASIAROOT{account}"),
        "eventTime": now,
        "awsRegion": _REGION,
        "sourceIPAddress": address,
        "userAgent": _BROWSER,
        "requestParameters": None,
        "responseElements": None,
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
        **details,
    }
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": f"aws.{details['eventSource'].removesuffix('.amazonaws.com')}",
        "account": account,
        "time": now,
        "region": _REGION,
        "resources": [],
        "detail": detail,
    }


def identity(account: str, key: str) -> dict[str, Any]:
    """Root as CloudTrail's `userIdentity` has it.

    Args:
        account: twelve digits.
        key: what the call was signed with: a key made to last (AKIA), one of a session, or none yet.
    """
    root = {"type": "Root", "principalId": account, "arn": f"arn:aws:iam::{account}:root", "accountId": account}
    if not key:
        return root
    if key.startswith("AKIA"):
        return {**root, "accessKeyId": key}
    session = session_of(account) or Session(datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), mfa=False)
    attributes = {"creationDate": session.began, "mfaAuthenticated": str(session.mfa).lower()}
    return {**root, "accessKeyId": key, "sessionContext": {"attributes": attributes}}


# --- by the API -----------------------------------------------------------------------------------


def _of_the_caller(action: str, handler: Handler) -> Handler:
    """Without a user's name a call is about whoever makes it; root's keys are nobody else's to change."""

    def of_the_caller(parameters: Parameters) -> Response:
        if parameters.get("UserName"):
            return handler(parameters)
        caller = iam_evaluator.caller_arn()
        key = iam._access_keys.get((parameters.get("AccessKeyId") or [""])[0])
        if caller.endswith(":root") and (key is None or key["UserName"] == NAME):
            if action == "CreateAccessKey":
                return _create_key()
            return _unnamed(handler({**parameters, "UserName": [NAME]}))
        if key is not None and key["UserName"] == NAME:
            message = f"The Access Key with id {key['AccessKeyId']} cannot be found."
            return iam._error(404, "NoSuchEntity", message, ns="iam")  # type: ignore[no-any-return]
        _, is_user, path = caller.partition(":user/")
        if is_user and key is None:
            return handler({**parameters, "UserName": [path.rpartition("/")[2]]})
        return handler(parameters)

    return of_the_caller


def _create_key() -> Response:
    if len(keys_of()) >= _KEYS:
        return iam._error(409, "LimitExceeded", f"Cannot exceed quota for AccessKeysPerUser: {_KEYS}", ns="iam")  # type: ignore[no-any-return]
    made = {
        "AccessKeyId": iam._gen_access_key_id(),
        "SecretAccessKey": uuid.uuid4().hex + uuid.uuid4().hex[:8],
        "Status": "Active",
        "CreateDate": iam._now(),
    }
    iam._access_keys[made["AccessKeyId"]] = {"UserName": NAME, **made}
    told = "".join(f"<{name}>{value}</{name}>" for name, value in made.items())
    body = f"<CreateAccessKeyResult><AccessKey>{told}</AccessKey></CreateAccessKeyResult>"
    return iam._xml(200, "CreateAccessKeyResponse", body, ns="iam")  # type: ignore[no-any-return]


def _unnamed(answer: Response) -> Response:
    status, headers, body = answer
    return status, headers, body.replace(f"<UserName>{NAME}</UserName>".encode(), b"")


def _with_its_credentials(handler: Handler) -> Handler:
    """Source: IAM API reference, GetAccountSummary: 1 where root has an access key, an MFA device, a password."""

    def with_its_credentials(parameters: Parameters) -> Response:
        status, headers, body = handler(parameters)
        known = {"AccountMFAEnabled": has_mfa(), "AccountAccessKeysPresent": bool(keys_of())}
        text = body.decode()
        for name, value in known.items():
            text = re.sub(rf"(<key>{name}</key><value>)\d+", rf"\g<1>{int(value)}", text)
        more = "<entry><key>AccountPasswordPresent</key><value>1</value></entry>"
        return status, headers, text.replace("</SummaryMap>", f"{more}</SummaryMap>").encode()

    return with_its_credentials


def _with_its_devices(handler: Handler) -> Handler:
    """Root's device is in the list with root as its user, who has no name."""

    def with_its_devices(parameters: Parameters) -> Response:
        status, headers, body = handler(parameters)
        account = get_account_id()
        user = f"<User><UserId>{account}</UserId><Arn>arn:aws:iam::{account}:root</Arn></User>"
        text = body.decode()
        for serial, device in iam._mfa_devices.items():
            if device.get("User") == NAME:
                named = f"<SerialNumber>{serial}</SerialNumber>"
                text = text.replace(named, f"{named}{user}")
        return status, headers, text.encode()

    return with_its_devices


def _root_by_its_key(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """Stock: whose key it is is a user. Here it may be root's."""

    def resolve_root_too(*asked: Any, **named: Any) -> Any:  # noqa: ANN401
        found = resolve(*asked, **named)
        if getattr(found, "principal_name", "") != NAME:
            return found
        account = found.account_id
        arn = f"arn:aws:iam::{account}:root"
        return replace(found, principal_arn=arn, principal_id=account, principal_type="Root", principal_name="")

    return resolve_root_too
