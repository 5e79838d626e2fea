"""Whole stories on a real deployment: what somebody does, what Plumbline does about it, and what an undo gives back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.embedded import ACCOUNT
from plumbline.controls import registry
from tests.end_to_end.account import VIRGINIA, Account

SCIENTISTS = "data-scientists"
STRANGER = "999988887777"


def _arn(name: str) -> str:
    return f"arn:aws:iam::aws:policy/{name}"


def _undo(account: Account, subject: str, since: int) -> None:
    """Take back the repair that an e-mail tells of, by the command in it."""
    account.until(lambda: account.mail_about(subject, since), "the e-mail")
    account.quiet()
    finding = account.mail_about(subject, since)[0].text.partition("plumbline undo ")[2].split()[0]
    answer = account.operate("undo", finding)
    assert answer["ok"], answer["text"]
    account.quiet()


def _open(account: Account, control: str, kind: str = "") -> list[dict[str, Any]]:
    found = account.operate("findings")["data"]["findings"]
    return [one for one in found if one["control"] == control and kind in one["target"]]


# --- iam-groups -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def groups(account: Account) -> Account:
    """The baseline's groups exist: people come through Identity Center here, so somebody has made them by hand."""
    account.sweep()
    iam = account.aws.client("iam")
    for group, policies in registry.load()["iam-groups"].settings["groups"]["default"].items():
        iam.create_group(GroupName=group)
        for name in policies:
            iam.attach_group_policy(GroupName=group, PolicyArn=_arn(name))
        if group != "administrators":
            own = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline-self-service"
            iam.attach_group_policy(GroupName=group, PolicyArn=own)
    account.sweep()
    account.until(lambda: not _open(account, "iam-groups"), "what is held from now on is as it should be")
    return account


def _policies(account: Account) -> list[str]:
    try:
        attached = account.aws.client("iam").list_attached_group_policies(GroupName=SCIENTISTS)["AttachedPolicies"]
    except ClientError:
        return []
    return sorted(one["PolicyArn"] for one in attached)


def test_a_group_gets_back_what_was_taken_and_loses_what_was_added_and_an_undo_turns_it_round(groups: Account) -> None:
    before, since, calls = _policies(groups), groups.latest_mail(), groups.latest_call()
    taken, added = before[-1], _arn("AmazonEC2FullAccess")
    mallory = groups.aws.client("iam", as_="mallory")
    mallory.detach_group_policy(GroupName=SCIENTISTS, PolicyArn=taken)
    mallory.attach_group_policy(GroupName=SCIENTISTS, PolicyArn=added)
    groups.until(lambda: _policies(groups) == before, "the group has its own policies again")
    groups.quiet()

    written = [call for role in ("hands", "giving") for call in groups.calls_of(role, calls)]
    assert {(call.role, call.operation, call.error) for call in written if call.operation.endswith("GroupPolicy")} == {
        ("plumbline-hands", "DetachGroupPolicy", ""),
        ("plumbline-giving", "AttachGroupPolicy", ""),
    }
    written = [call for call in written if call.operation.endswith("GroupPolicy")]
    asked = {check.resource for call in written for check in call.checks}
    assert asked == {f"arn:aws:iam::{ACCOUNT}:group/{SCIENTISTS}"}

    _undo(groups, "repaired: .*IAM groups", since)
    assert _policies(groups) != before, "an undo puts back what somebody did"
    mallory.attach_group_policy(GroupName=SCIENTISTS, PolicyArn=taken)
    mallory.detach_group_policy(GroupName=SCIENTISTS, PolicyArn=added)


# --- billing --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def watched(account: Account) -> Account:
    """The alarm on the bill is there: somebody has not waited a week, and made what `plumbline plan` lists."""
    account.sweep()
    (missing,) = _open(account, "billing-alarm", "cloudwatch-alarm")
    (planned,) = account.operate("plan", missing["id"])["data"]["plans"]
    (call,) = planned["calls"]
    account.aws.client("cloudwatch", region=VIRGINIA).put_metric_alarm(**call["parameters"])
    account.sweep()
    in_line = "what is held from now on is as it should be"
    account.until(lambda: not _open(account, "billing-alarm", "cloudwatch-alarm"), in_line)
    return account


def _limit(account: Account) -> float | None:
    cloudwatch = account.aws.client("cloudwatch", region=VIRGINIA)
    alarms = cloudwatch.describe_alarms(AlarmNames=["plumbline-billing"])["MetricAlarms"]
    return float(alarms[0]["Threshold"]) if alarms else None


def test_an_alarm_that_would_not_warn_is_put_right_and_an_undo_puts_it_back(watched: Account) -> None:
    right, since, calls = _limit(watched), watched.latest_mail(), watched.latest_call()
    cloudwatch = watched.aws.client("cloudwatch", as_="mallory", region=VIRGINIA)
    alarm = cloudwatch.describe_alarms(AlarmNames=["plumbline-billing"])["MetricAlarms"][0]
    kept = ("AlarmName", "Namespace", "MetricName", "Dimensions", "Statistic", "Period", "EvaluationPeriods",
            "ComparisonOperator", "AlarmActions")  # fmt: skip
    cloudwatch.put_metric_alarm(**{name: alarm[name] for name in kept}, Threshold=1_000_000.0)
    watched.until(lambda: _limit(watched) == right, "the alarm warns in time again")
    watched.quiet()
    asked = {check.resource for call in watched.calls_of("hands", calls) for check in call.checks}
    assert asked == {f"arn:aws:cloudwatch:{VIRGINIA}:{ACCOUNT}:alarm:plumbline-billing"}
    _undo(watched, "repaired: .*the bill", since)
    assert _limit(watched) == 1_000_000.0


# --- public access --------------------------------------------------------------------------------


def _block(*on: str) -> dict[str, Any]:
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return {"PublicAccessBlockConfiguration": {name: name in on for name in names}}


def test_a_grant_that_sleeps_is_no_finding_until_the_block_goes(account: Account) -> None:
    bucket, since = account.bucket(), account.latest_mail()
    erin = account.aws.client("s3", as_="erin")
    erin.put_public_access_block(Bucket=bucket, **_block("IgnorePublicAcls"))
    erin.put_bucket_acl(Bucket=bucket, ACL="public-read")
    account.quiet()
    account.sweep()
    assert account.mail_about(bucket, since) == [], "nobody can use the grant"
    erin.delete_public_access_block(Bucket=bucket)
    account.quiet()
    account.sweep()
    told = rf"bucket {bucket} (is|was) public: anyone may list it"
    account.until(lambda: account.mail_about(told, since), "it is told")
    erin.put_bucket_acl(Bucket=bucket, ACL="private")


def test_a_write_that_the_block_refuses_wakes_nobody(account: Account) -> None:
    bucket, since, calls = account.fresh("acme-closed"), account.latest_mail(), account.latest_call()
    account.aws.bucket(bucket)
    account.quiet()
    with pytest.raises(ClientError, match="AccessDenied"):
        account.aws.client("s3", as_="erin").put_bucket_acl(Bucket=bucket, ACL="public-read")
    account.quiet()
    assert [call.operation for call in account.calls_of("hands", calls)] == []
    assert account.mail_about(bucket, since) == []


# --- other accounts -------------------------------------------------------------------------------


@pytest.fixture
def partners_bucket(account: Account) -> Iterator[str]:
    """A bucket of another account that lets one of our users change its ACL, and nobody else."""
    name = account.fresh("of-a-partner")
    theirs = account.aws.client("s3", as_=STRANGER)
    account.aws.bucket(name, as_=STRANGER, ObjectOwnership="BucketOwnerPreferred")
    theirs.delete_public_access_block(Bucket=name)
    allow = {
        "Effect": "Allow",
        "Principal": {"AWS": ACCOUNT},
        "Action": "s3:PutBucketAcl",
        "Resource": f"arn:aws:s3:::{name}",
    }
    theirs.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    yield name
    theirs.delete_bucket(Bucket=name)


def test_a_bucket_of_another_account_is_not_touched(account: Account, partners_bucket: str) -> None:
    calls = account.latest_call()
    account.aws.client("s3", as_="erin").put_bucket_acl(Bucket=partners_bucket, ACL="public-read")
    account.quiet()
    acl = account.aws.client("s3", as_=STRANGER).get_bucket_acl(Bucket=partners_bucket)
    assert len(acl["Grants"]) == 2, "the partner's business"
    assert [call.operation for call in account.calls_of("hands", calls)] == []


# --- Plumbline itself -----------------------------------------------------------------------------


def test_its_own_hands_are_denied_everything_on_itself(account: Account) -> None:
    """The deny names the path of Plumbline's roles; asked about a role without it, it would deny nothing."""
    iam = account.aws.client("iam")
    hands = iam.get_role(RoleName="plumbline-hands")["Role"]["Arn"]
    eyes = iam.get_role(RoleName="plumbline-eyes")["Role"]["Arn"]
    assert eyes == f"arn:aws:iam::{ACCOUNT}:role/plumbline/plumbline-eyes"
    asked = [eyes, eyes.replace("/plumbline/", "/"), f"arn:aws:iam::{ACCOUNT}:role/another"]
    decided = iam.simulate_principal_policy(
        PolicySourceArn=hands, ActionNames=["iam:DeleteRolePolicy"], ResourceArns=asked
    )["EvaluationResults"]
    assert [one["EvalDecision"] for one in decided] == ["explicitDeny", "allowed", "allowed"]


def _is_deleted(iam: Any, role: str) -> bool:
    """Delete a role with its rights; the guard may come back between, where Plumbline has seen what they reach."""
    for one in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=role, PolicyArn=one["PolicyArn"])
    try:
        iam.delete_role(RoleName=role)
    except iam.exceptions.DeleteConflictException:
        return False
    return True


@pytest.fixture
def hands(account: Account) -> Iterator[Any]:
    """IAM for a role with the rights of Plumbline's hands; the control that would take them away is paused."""
    iam = account.aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    rights = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline-hands"
    paused = account.operate("pause", "iam-admin-grants", "--hours", "1", "--reason", "hands for a test")
    assert paused["ok"], paused["text"]
    for role in ("like-hands", "somebody"):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)
    iam.attach_role_policy(RoleName="like-hands", PolicyArn=rights)
    key = account.aws.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/like-hands", RoleSessionName="test"
    )["Credentials"]
    yield account.aws.session("root").client(
        "iam",
        endpoint_url=account.aws.endpoint,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key["SessionToken"],
    )
    for role in ("like-hands", "somebody"):
        account.until(lambda role=role: _is_deleted(iam, role), f"{role} is deleted")  # type: ignore[misc]
    account.quiet()
    assert account.operate("resume")["ok"]


def test_hands_give_nobody_anything_whatever_their_session(hands: Any) -> None:
    """For real: what whoever gets hold of the role would try first."""
    admin = _arn("AdministratorAccess")
    with pytest.raises(ClientError, match="AccessDenied"):
        hands.attach_role_policy(RoleName="like-hands", PolicyArn=admin)
    with pytest.raises(ClientError, match="AccessDenied"):
        hands.put_role_policy(RoleName="like-hands", PolicyName="p", PolicyDocument="{}")


def test_a_repair_that_would_touch_plumbline_is_refused_by_its_own_role(account: Account, hands: Any) -> None:
    """For real: the hands' rights, on a role of Plumbline's and on another."""
    denies = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    inline = {"PolicyName": "p", "PolicyDocument": json.dumps(denies)}
    account.aws.client("iam").put_role_policy(RoleName="somebody", **inline)
    hands.delete_role_policy(RoleName="somebody", PolicyName="p")
    with pytest.raises(ClientError, match="with an explicit deny"):
        hands.delete_role_policy(RoleName="plumbline-eyes", PolicyName="p")
    with pytest.raises(ClientError, match="with an explicit deny"):
        hands.delete_policy(PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline-eyes")
