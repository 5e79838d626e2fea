"""The root user of the embedded AWS: its keys, its MFA and its sign-ins, as AWS tells of them."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from local.embedded import ACCOUNT, EmbeddedAWS
from tests.local.conftest import error
from tests.local.test_events import Rule

ROOT = f"arn:aws:iam::{ACCOUNT}:root"


@pytest.fixture
def root(account: EmbeddedAWS) -> Any:
    """IAM as root; what it has made is deleted."""
    iam = account.client("iam", as_="root")
    yield iam
    for one in iam.list_access_keys()["AccessKeyMetadata"]:
        iam.delete_access_key(AccessKeyId=one["AccessKeyId"])


def _summary(iam: Any) -> dict[str, int]:
    names = ("AccountAccessKeysPresent", "AccountMFAEnabled", "AccountPasswordPresent")
    return {name: value for name, value in iam.get_account_summary()["SummaryMap"].items() if name in names}


def _row(iam: Any) -> dict[str, str]:
    iam.generate_credential_report()
    text = iam.get_credential_report()["Content"].decode()
    return next(row for row in csv.DictReader(io.StringIO(text)) if row["user"] == "<root_account>")


def _of_keys(row: dict[str, str]) -> list[str]:
    return [row[f"access_key_{number}_active"] for number in (1, 2)]


def test_a_key_made_without_a_name_is_the_callers(account: EmbeddedAWS, root: Any) -> None:
    """Source: IAM API reference, CreateAccessKey: without a user's name it is whose key signs the request."""
    assert {"AccountAccessKeysPresent": 0, "AccountMFAEnabled": 0, "AccountPasswordPresent": 1} == _summary(root)
    own = root.create_access_key()["AccessKey"]
    assert {"AccessKeyId", "CreateDate", "SecretAccessKey", "Status"} == own.keys()
    assert {"AccountAccessKeysPresent": 1, "AccountMFAEnabled": 0, "AccountPasswordPresent": 1} == _summary(root)
    account.user("self-made", policies=["arn:aws:iam::aws:policy/IAMFullAccess"])
    theirs = account.client("iam", as_="self-made")
    made = theirs.create_access_key()["AccessKey"]["AccessKeyId"]
    assert made in [one["AccessKeyId"] for one in root.list_access_keys(UserName="self-made")["AccessKeyMetadata"]]
    assert [own["AccessKeyId"]] == [one["AccessKeyId"] for one in root.list_access_keys()["AccessKeyMetadata"]]


def test_roots_key_is_nobody_elses_and_counts_while_it_is_inactive(account: EmbeddedAWS, root: Any) -> None:
    own = root.create_access_key()["AccessKey"]["AccessKeyId"]
    admin = account.client("iam")
    assert "NoSuchEntity" == error(lambda: admin.delete_access_key(AccessKeyId=own))
    assert "NoSuchEntity" == error(lambda: admin.update_access_key(AccessKeyId=own, Status="Inactive"))
    assert ["true", "false"] == _of_keys(_row(root))
    root.update_access_key(AccessKeyId=own, Status="Inactive")
    assert ["false", "false"] == _of_keys(_row(root))
    assert 1 == _summary(root)["AccountAccessKeysPresent"]
    root.create_access_key()
    assert "LimitExceeded" == error(root.create_access_key)
    root.delete_access_key(AccessKeyId=own)
    assert ["true", "false"] == _of_keys(_row(root))


def test_whoever_has_roots_key_is_root(account: EmbeddedAWS, root: Any) -> None:
    key = root.create_access_key()["AccessKey"]
    rule = Rule(account, "by-root", {"detail": {"eventName": ["CreateGroup"]}}, region="us-east-1")
    by_key = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    session = account.session("root")
    sts = session.client("sts", endpoint_url=account.endpoint, **by_key)
    assert ROOT == sts.get_caller_identity()["Arn"]
    session.client("iam", endpoint_url=account.endpoint, **by_key).create_group(GroupName="by-roots-key")
    assert {
        "type": "Root", "principalId": ACCOUNT, "arn": ROOT, "accountId": ACCOUNT, "accessKeyId": key["AccessKeyId"],
    } == rule.wait(bool)[0]["detail"]["userIdentity"]  # fmt: skip
    rule.end()
    root.delete_group(GroupName="by-roots-key")


def test_a_sign_in_and_a_device_are_told_of_and_remembered(account: EmbeddedAWS, root: Any) -> None:
    """A device of root's is assigned at the console alone.

    Source: IAM user guide, Assign MFA devices in the AWS CLI or AWS API; AWS CloudTrail user guide, AWS Management
    Console sign-in events; IAM user guide, Generate credential reports for your AWS account.
    """
    rule = Rule(
        account,
        "root-at-the-console",
        {"detail": {"eventName": ["ConsoleLogin", "DeactivateMFADevice", "EnableMFADevice"]}},
        region="us-east-1",
    )
    assert ("no_information", "false") == (_row(root)["password_last_used"], _row(root)["mfa_active"])
    account.root_signs_in()
    account.root_assigns_mfa("phone")
    serial = f"arn:aws:iam::{ACCOUNT}:mfa/phone"
    assert 1 == _summary(root)["AccountMFAEnabled"]
    devices = root.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"]
    assert [{"UserId": ACCOUNT, "Arn": ROOT}] == [one["User"] for one in devices if one["SerialNumber"] == serial]
    account.root_signs_in()
    account.root_removes_mfa("phone")
    login, assigned, again, removed = (one["detail"] for one in rule.wait(lambda heard: len(heard) == 4))
    rule.end()
    assert ["No", "Yes"] == [one["additionalEventData"]["MFAUsed"] for one in (login, again)]
    assert again["eventTime"].replace("Z", "+00:00") == _row(root)["password_last_used"]
    named = {"userName": "AWS ROOT USER", "serialNumber": serial}
    assert [named, named] == [assigned["requestParameters"], removed["requestParameters"]]
    assert 0 == _summary(root)["AccountMFAEnabled"]
    asked = [{"AttributeKey": "EventName", "AttributeValue": "EnableMFADevice"}]
    found = account.client("cloudtrail").lookup_events(LookupAttributes=asked, StartTime=login["eventTime"])["Events"]
    assert [assigned["eventID"]] == [one["EventId"] for one in found]


def test_a_users_device_is_not_roots(account: EmbeddedAWS, root: Any) -> None:
    root.create_user(UserName="phoned")
    serial = root.create_virtual_mfa_device(VirtualMFADeviceName="theirs")["VirtualMFADevice"]["SerialNumber"]
    codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "234567"}
    root.enable_mfa_device(UserName="phoned", SerialNumber=serial, **codes)
    assert 0 == _summary(root)["AccountMFAEnabled"]
    assert "false" == _row(root)["mfa_active"]


def test_what_a_bill_is_like_is_answered_as_it_was_said(account: EmbeddedAWS) -> None:
    plan = {"accountPlanType": "FREE", "accountPlanStatus": "ACTIVE"}
    account.bill(plan=plan, preferences={"alerts": "DISABLED"})
    answered = account.client("freetier", region="us-east-1").get_account_plan_state()
    assert plan | {"accountId": ACCOUNT} == {name: answered[name] for name in (*plan, "accountId")}
    billing = account.client("billing", region="us-east-1")
    (one,) = billing.get_billing_preferences(features=["BILLING_ALERTS"])["billingPreferences"]
    assert ("alerts", "DISABLED") == (one["key"], one["value"])
    account.bill()
    assert "ResourceNotFoundException" == error(account.client("freetier", region="us-east-1").get_account_plan_state)
