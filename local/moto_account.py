"""What moto lacks of the account itself, added to it.

Supplied, because moto does not know them:

* IAM's facts of the root user in `GetAccountSummary` and `ListVirtualMFADevices`: moto's root has nothing. A test says
  what there is by `root_of`; a fresh account's root has a password, and no MFA.

* The row of root in IAM's credential report, once a test has said when it signed in, and CloudTrail's `LookupEvents` by
  the name of an event, of the events that a test has written down there.

Faked: nobody can sign in as that root, and no call of this moto is an event.

Source: IAM API reference, GetAccountSummary and ListVirtualMFADevices.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from moto.cloudtrail.responses import CloudTrailResponse
from moto.iam.models import AccountSummary, IAMBackend, iam_backends


@dataclass
class Root:
    """The root user's credentials.

    Attributes:
        password: whether it has one.
        keys: whether it has an access key, active or not.
        mfa: whether it has a second factor.
        devices: how many virtual ones; AWS shows no others.
        used: when it last signed in, as the credential report writes it; empty where it has no row.
        events: the account's event history, as CloudTrail's records.
    """

    password: bool = True
    keys: bool = False
    mfa: bool = False
    devices: int = 0
    used: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)


def root_of(account: str) -> Root:
    """The root user of an account, to be changed; moto forgets it with the rest.

    Args:
        account: twelve digits.
    """
    return _root(iam_backends[account]["aws"])


def install() -> None:
    """Add to this process's moto what it lacks; again, change nothing."""
    if getattr(AccountSummary, "of_plumbline", False):
        return
    AccountSummary.of_plumbline = True
    AccountSummary.summary_map = property(_with_root(AccountSummary.summary_map.fget))
    IAMBackend.get_credential_report = _with_its_row(IAMBackend.get_credential_report)
    CloudTrailResponse.lookup_events = _lookup_events
    IAMBackend.list_virtual_mfa_devices = _with_its_devices(IAMBackend.list_virtual_mfa_devices)


def _root(backend: IAMBackend) -> Root:
    root: Root = backend.__dict__.setdefault("root_user", Root())
    return root


def _with_root(read: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    def with_root(summary: Any) -> dict[str, Any]:  # noqa: ANN401
        root = _root(summary._iam_backend)
        return read(summary) | {
            "AccountMFAEnabled": int(root.mfa),
            "AccountPasswordPresent": int(root.password),
            "AccountAccessKeysPresent": int(root.keys),
        }

    return with_root


def _with_its_devices(listed: Callable[..., Any]) -> Callable[..., Any]:
    """Root's come with the first page."""

    def with_its_devices(backend: IAMBackend, assignment_status: str, marker: str | None, max_items: int) -> Any:  # noqa: ANN401
        devices, following = listed(backend, assignment_status, marker, max_items)
        if assignment_status == "Unassigned" or marker:
            return devices, following
        arn = f"arn:aws:iam::{backend.account_id}:root"
        ours = [
            {
                "SerialNumber": f"arn:aws:iam::{backend.account_id}:mfa/root-{number}",
                "User": {"Path": "/", "UserName": "root", "UserId": backend.account_id, "Arn": arn},
            }
            for number in range(_root(backend).devices)
        ]
        return [*ours, *devices], following

    return with_its_devices


def _with_its_row(read: Callable[[Any], str]) -> Callable[[Any], str]:
    """Of root the report knows little. Source: IAM user guide, Get credential reports for your AWS account."""

    def with_its_row(backend: IAMBackend) -> str:
        report, root = read(backend), _root(backend)
        if not root.used:
            return report
        names, *rows = report.splitlines()
        known = {"user": "<root_account>", "password_enabled": "true", "password_last_used": root.used}
        row = ",".join(known.get(name, "not_supported") for name in names.split(","))
        return "\n".join([names, row, *rows]) + "\n"

    return with_its_row


def _lookup_events(response: Any) -> str:  # noqa: ANN401
    root = _root(iam_backends[response.current_account]["aws"])
    (asked,) = response._get_param("LookupAttributes")
    found = [one for one in root.events if one["eventName"] == asked["AttributeValue"]]
    return json.dumps({"Events": [{"EventId": one["eventID"], "CloudTrailEvent": json.dumps(one)} for one in found]})
