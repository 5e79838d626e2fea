"""What reaches the rules of the embedded AWS without a call on the thing itself, and from whom."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.embedded import ACCOUNT, EmbeddedAWS
from tests.local.conftest import error

STRANGER = "999988887777"
TEMPLATE = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
BROKEN = json.dumps(
    {"Resources": {"T": {"Type": "AWS::CloudTrail::Trail", "Properties": {"S3BucketName": "none", "IsLogging": True}}}}
)

OF_STACKS = {"source": ["aws.cloudformation"], "detail-type": ["CloudFormation Stack Status Change"]}


class Rule:
    """A rule, and what it has heard."""

    def __init__(
        self,
        aws: EmbeddedAWS,
        name: str,
        pattern: object,
        state: str = "ENABLED",
        *,
        region: str | None = None,
        bus: str = "default",
    ) -> None:
        self._aws, self._name, self._bus = aws, name, bus
        self._sqs, self._events = aws.client("sqs", region=region), aws.client("events", region=region)
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        self._events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern), State=state)
        queue = f"arn:aws:sqs:{region or aws.region}:{ACCOUNT}:{name}"
        self._events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "q", "Arn": queue}])
        self._heard: list[dict[str, Any]] = []

    def heard(self) -> list[dict[str, Any]]:
        """All of it so far."""
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self._heard.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return self._heard

    def wait(self, holds: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """Wait until what was heard is as it should be."""
        self._aws.wait(lambda: holds(self.heard()), timeout=30, what=f"what rule {self._name} waits for")
        return self._heard

    def end(self) -> None:
        """Take it away again."""
        self._events.remove_targets(Rule=self._name, EventBusName=self._bus, Ids=["q"])
        self._events.delete_rule(Name=self._name, EventBusName=self._bus)


@pytest.fixture
def rule(account: EmbeddedAWS) -> Iterator[Callable[..., Rule]]:
    made: list[Rule] = []

    def make(name: str, pattern: object, state: str = "ENABLED") -> Rule:
        made.append(Rule(account, name, pattern, state))
        return made[-1]

    yield make
    for one in made:
        one.end()


def _statuses(heard: list[dict[str, Any]], stack_id: str) -> list[str]:
    details = [one["detail"] for one in heard]
    return [one["status-details"]["status"] for one in details if one["stack-id"] == stack_id]


def test_cloudformation_tells_each_status_of_a_stack(account: EmbeddedAWS, rule: Callable[..., Rule]) -> None:
    """Source: AWS CloudFormation user guide, Stack Status Change event detail."""
    stacks = account.client("cloudformation")
    listening = rule("stacks", OF_STACKS)
    stack = stacks.create_stack(StackName="told", TemplateBody=TEMPLATE)["StackId"]
    listening.wait(lambda heard: _statuses(heard, stack)[-1:] == ["CREATE_COMPLETE"])
    changed = TEMPLATE.replace('"AWS::SQS::Queue"', '"AWS::SQS::Queue", "Properties": {"DelaySeconds": 5}')
    stacks.update_stack(StackName="told", TemplateBody=changed)
    listening.wait(lambda heard: _statuses(heard, stack)[-1:] == ["UPDATE_COMPLETE"])
    stacks.delete_stack(StackName="told")
    heard = listening.wait(lambda heard: _statuses(heard, stack)[-1:] == ["DELETE_COMPLETE"])
    first = heard[0]
    assert (first["account"], first["region"], first["resources"]) == (ACCOUNT, "us-east-1", [stack])
    assert first["detail"].keys() == {"stack-id", "status-details", "client-request-token"}
    assert [one for one in _statuses(heard, stack) if not one.endswith("CLEANUP_IN_PROGRESS")] == [
        f"{what}_{how}" for what in ("CREATE", "UPDATE", "DELETE") for how in ("IN_PROGRESS", "COMPLETE")
    ]


def test_a_stack_that_fails_is_told_as_failed(account: EmbeddedAWS, rule: Callable[..., Rule]) -> None:
    listening = rule("failing", OF_STACKS)
    stack = account.client("cloudformation").create_stack(StackName="fails", TemplateBody=BROKEN)["StackId"]
    heard = listening.wait(lambda heard: _statuses(heard, stack)[-1:] == ["ROLLBACK_COMPLETE"])
    assert _statuses(heard, stack) == ["CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"]


def test_what_root_reads_is_heard_by_rules_in_the_state_for_it_and_no_other(
    account: EmbeddedAWS, rule: Callable[..., Rule]
) -> None:
    """Source: Amazon EventBridge API reference, PutRule, State."""
    pattern = {"source": ["aws.iam"], "detail": {"eventName": ["ListUsers", "CreateGroup"]}}
    every = rule("every-event", pattern, "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
    writes = rule("only-writes", pattern)
    disabled = rule("disabled", pattern, "DISABLED")
    root = account.client("iam", as_="root")
    root.list_users()
    account.client("iam").list_users()  # nobody waits for what others read
    root.create_group(GroupName="by-root-itself")
    heard = every.wait(lambda heard: len(heard) == 2)
    assert [(one["detail"]["eventName"], one["detail"]["readOnly"]) for one in heard] == [
        ("ListUsers", True),
        ("CreateGroup", False),
    ]
    assert [one["detail"]["eventName"] for one in writes.wait(bool)] == ["CreateGroup"]
    assert disabled.heard() == []


def test_a_strangers_call_on_our_bucket_is_ours_to_hear_and_his_own_is_not(
    account: EmbeddedAWS, rule: Callable[..., Rule]
) -> None:
    """Source: AWS CloudTrail user guide, CloudTrail record contents, recipientAccountId."""
    stranger, s3 = account.client("s3", as_=STRANGER), account.client("s3")
    s3.create_bucket(Bucket="acme-called")
    listening = rule("strangers", {"source": ["aws.s3"], "detail": {"userIdentity": {"accountId": [STRANGER]}}})
    stranger.create_bucket(Bucket="his-own")
    assert error(lambda: stranger.delete_bucket_policy(Bucket="acme-called")) == "AccessDenied"
    (event,) = listening.wait(bool)
    assert (event["account"], event["detail"]["eventName"], event["detail"]["errorCode"]) == (
        ACCOUNT,
        "DeleteBucketPolicy",
        "AccessDenied",
    )
    assert event["detail"]["recipientAccountId"] == ACCOUNT


#: The calls that a repair, its undo or its cause is made of: client, operation, parameters, and CloudTrail's name of it
#: where it has another. All of them fail, so that nothing is left; a failure is recorded under the same name.
#: Source: Amazon S3 user guide, Amazon S3 CloudTrail events; each service's guide on logging with CloudTrail.
CALLS = (
    ("s3", "delete_public_access_block", {"Bucket": "nowhere-1"}, "DeleteBucketPublicAccessBlock"),
    ("s3", "put_bucket_ownership_controls",
     {"Bucket": "nowhere-1", "OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}},
     "PutBucketOwnershipControls"),
    ("s3", "delete_bucket_ownership_controls", {"Bucket": "nowhere-1"}, "DeleteBucketOwnershipControls"),
    ("s3", "put_bucket_acl", {"Bucket": "nowhere-1", "ACL": "private"}, "PutBucketAcl"),
    ("iam", "update_group", {"GroupName": "nowhere", "NewGroupName": "x"}, "UpdateGroup"),
    ("iam", "update_user", {"UserName": "nowhere", "NewUserName": "x"}, "UpdateUser"),
    ("iam", "detach_group_policy", {"GroupName": "nowhere", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
     "DetachGroupPolicy"),
    ("iam", "set_default_policy_version", {"PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/no", "VersionId": "v1"},
     "SetDefaultPolicyVersion"),
    ("cloudwatch", "delete_alarms", {"AlarmNames": ["nowhere"]}, "DeleteAlarms"),
    ("cloudwatch", "disable_alarm_actions", {"AlarmNames": ["nowhere"]}, "DisableAlarmActions"),
    ("cloudtrail", "stop_logging", {"Name": "nowhere"}, "StopLogging"),
    ("sns", "delete_topic", {"TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:nowhere"}, "DeleteTopic"),
    ("sns", "unsubscribe",
     {"SubscriptionArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:nowhere:11112222-3333-4444-5555-666677778888"},
     "Unsubscribe"),
)  # fmt: skip


def test_every_call_is_recorded_by_cloudtrails_name_and_with_its_error(
    account: EmbeddedAWS, rule: Callable[..., Rule]
) -> None:
    listening = rule("records", {"detail-type": ["AWS API Call via CloudTrail"]})
    made: dict[str, str] = {}
    for service, operation, parameters, name in CALLS:
        try:
            getattr(account.client(service), operation)(**parameters)
            made[name] = ""
        except ClientError as refused:
            made[name] = refused.response["Error"]["Code"]
    wanted = {name for *_, name in CALLS}
    heard = listening.wait(lambda heard: wanted <= {one["detail"]["eventName"] for one in heard})
    recorded = {one["detail"]["eventName"]: one["detail"].get("errorCode", "") for one in heard}
    assert {name: bool(code) for name, code in made.items()} == {name: bool(recorded[name]) for name in made}
    assert recorded["UpdateGroup"] == "NoSuchEntityException"
    assert recorded["DeleteBucketPublicAccessBlock"] == "NoSuchBucket"
