"""Smaller things in which the embedded AWS is as strict, or as talkative, as AWS."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.embedded import ACCOUNT, EmbeddedAWS
from tests.local.conftest import error
from tests.trails import logging_trail

# --- names ----------------------------------------------------------------------------------------

ALARM = {
    "Namespace": "n", "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1,
    "ComparisonOperator": "GreaterThanThreshold",
}  # fmt: skip
TABLE = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
}
FUNCTION = {
    "Role": f"arn:aws:iam::{ACCOUNT}:role/r", "Runtime": "python3.13", "Handler": "a.b", "Code": {"ZipFile": b""},
}  # fmt: skip

#: Names that AWS refuses, the code it refuses them with, and the page that says so.
IMPOSSIBLE: Mapping[str, tuple[str, str, Mapping[str, Any], str]] = {
    # Amazon SQS API reference, CreateQueue.
    "a queue with a dot": ("sqs", "create_queue", {"QueueName": "a.b"}, "InvalidParameterValue"),
    "a queue of 81 characters": ("sqs", "create_queue", {"QueueName": "q" * 81}, "InvalidParameterValue"),
    # Amazon SNS API reference, CreateTopic.
    "a topic with a space": ("sns", "create_topic", {"Name": "a b"}, "InvalidParameter"),
    "a topic of 257 characters": ("sns", "create_topic", {"Name": "t" * 257}, "InvalidParameter"),
    # Amazon DynamoDB developer guide, Supported data types and naming rules.
    "a table of two characters": ("dynamodb", "create_table", {"TableName": "ab", **TABLE}, "ValidationException"),
    "a table with a slash": ("dynamodb", "create_table", {"TableName": "a/b/c", **TABLE}, "ValidationException"),
    # Amazon EventBridge API reference, PutRule.
    "a rule of 65 characters": (
        "events", "put_rule", {"Name": "r" * 65, "ScheduleExpression": "rate(1 hour)"}, "ValidationException",
    ),
    "a rule with a space": (
        "events", "put_rule", {"Name": "a b", "ScheduleExpression": "rate(1 hour)"}, "ValidationException",
    ),
    # AWS Lambda API reference, CreateFunction.
    "a function with a dot": (
        "lambda", "create_function", {"FunctionName": "a.b", **FUNCTION}, "ValidationException",
    ),
    # AWS CloudTrail user guide, Naming requirements.
    "a trail of two characters": (
        "cloudtrail", "create_trail", {"Name": "ab", "S3BucketName": "b"}, "InvalidTrailNameException",
    ),
    "a trail with two dots": (
        "cloudtrail", "create_trail", {"Name": "a..b", "S3BucketName": "b"}, "InvalidTrailNameException",
    ),
    "a trail like an address": (
        "cloudtrail", "create_trail", {"Name": "192.168.5.4", "S3BucketName": "b"}, "InvalidTrailNameException",
    ),
    # Amazon CloudWatch API reference, PutMetricAlarm.
    "an alarm of 256 characters": (
        "cloudwatch", "put_metric_alarm", {"AlarmName": "a" * 256, **ALARM}, "ValidationError",
    ),
    # Amazon CloudWatch Logs API reference, CreateLogGroup.
    "a log group with a space": (
        "logs", "create_log_group", {"logGroupName": "a b"}, "InvalidParameterException",
    ),
    # AWS CloudFormation API reference, CreateStack.
    "a stack that begins with a digit": (
        "cloudformation", "create_stack", {"StackName": "1a", "TemplateBody": "{}"}, "ValidationError",
    ),
    # AWS STS API reference, AssumeRole.
    "a session with a space": (
        "sts", "assume_role", {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r", "RoleSessionName": "a b"},
        "ValidationError",
    ),
}  # fmt: skip


@pytest.mark.parametrize("why", IMPOSSIBLE)
def test_impossible_names_are_refused_as_each_service_refuses_them(account: EmbeddedAWS, why: str) -> None:
    service, operation, given, code = IMPOSSIBLE[why]
    assert error(lambda: getattr(account.client(service), operation)(**given)) == code


# --- regions --------------------------------------------------------------------------------------

#: What each service answers in a region that the account never opted into: its code for keys it does not know.
UNKNOWN_THERE = {
    "cloudtrail": ("describe_trails", "UnrecognizedClientException"),
    "cloudwatch": ("describe_alarms", "InvalidClientTokenId"),
    "dynamodb": ("list_tables", "UnrecognizedClientException"),
    "ec2": ("get_ebs_encryption_by_default", "AuthFailure"),
    "events": ("list_rules", "UnrecognizedClientException"),
    "lambda": ("list_functions", "UnrecognizedClientException"),
    "s3": ("list_buckets", "InvalidAccessKeyId"),
    "sns": ("list_topics", "InvalidClientTokenId"),
    "sqs": ("list_queues", "InvalidClientTokenId"),
    "sts": ("get_caller_identity", "InvalidClientTokenId"),
}


@pytest.fixture
def disabled(account: EmbeddedAWS) -> Iterator[str]:
    account.disable_region("ap-east-1")
    yield "ap-east-1"
    account.enable_region("ap-east-1")


@pytest.mark.parametrize("service", UNKNOWN_THERE)
def test_nobody_is_known_in_a_region_that_is_switched_off(account: EmbeddedAWS, disabled: str, service: str) -> None:
    operation, code = UNKNOWN_THERE[service]
    assert error(getattr(account.client(service, region=disabled), operation)) == code
    account.enable_region(disabled)
    getattr(account.client(service, region=disabled), operation)()


def test_a_region_that_is_switched_off_is_listed_only_when_asked_for(account: EmbeddedAWS, disabled: str) -> None:
    ec2 = account.client("ec2")
    assert disabled not in [one["RegionName"] for one in ec2.describe_regions()["Regions"]]
    every = {one["RegionName"]: one["OptInStatus"] for one in ec2.describe_regions(AllRegions=True)["Regions"]}
    assert (every[disabled], every["us-east-1"]) == ("not-opted-in", "opt-in-not-required")
    status = account.client("account").get_region_opt_status(RegionName=disabled)["RegionOptStatus"]
    assert status == "DISABLED"
    account.client("iam", region=disabled).list_users()  # IAM has no regions to be switched off


# --- trails ---------------------------------------------------------------------------------------


def test_a_trail_needs_a_bucket_that_takes_its_files(account: EmbeddedAWS) -> None:
    """Source: AWS CloudTrail API reference, CreateTrail, errors."""
    trail, s3 = account.client("cloudtrail"), account.client("s3")
    s3.create_bucket(Bucket="acme-no-policy")
    made = {
        bucket: error(lambda bucket=bucket: trail.create_trail(Name="another", S3BucketName=bucket))  # type: ignore[misc]
        for bucket in ("acme-nowhere", "acme-no-policy")
    }
    assert made == {
        "acme-nowhere": "S3BucketDoesNotExistException",
        "acme-no-policy": "InsufficientS3BucketPolicyException",
    }


def test_the_status_of_a_trail_tells_why_nothing_is_delivered(tmp_path: Path) -> None:
    """Source: AWS CloudTrail API reference, GetTrailStatus, LatestDeliveryError."""
    with EmbeddedAWS.start(state=tmp_path / "state") as aws:
        logging_trail(aws, "acme-trail")
        trail, s3 = aws.client("cloudtrail"), aws.client("s3")

        def told() -> str | None:
            found: str | None = trail.get_trail_status(Name="main").get("LatestDeliveryError")
            return found

        assert told() is None
        s3.delete_bucket_policy(Bucket="acme-trail")
        assert told() == "AccessDenied"
        s3.delete_bucket(Bucket="acme-trail")
        assert told() == "NoSuchBucket"
        trail.stop_logging(Name="main")
        assert told() is None


# --- subscriptions --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAWS]:
    with EmbeddedAWS.start(state=tmp_path_factory.mktemp("pending"), confirm_mail=False) as aws:
        yield aws


def _subscribed(aws: EmbeddedAWS, name: str) -> tuple[Any, str, str]:
    """SNS, a topic, and an address that has not confirmed."""
    sns, to = aws.client("sns"), f"{name}@example.com"
    topic = sns.create_topic(Name=name)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=to)
    return sns, topic, to


def _arns(sns: Any, topic: str) -> list[str]:
    return [one["SubscriptionArn"] for one in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]]


def test_a_link_confirms_and_a_link_unsubscribes(pending: EmbeddedAWS) -> None:
    sns, topic, to = _subscribed(pending, "clicked")
    assert _arns(sns, topic) == ["PendingConfirmation"]
    (link,) = pending.confirmations(to)
    assert link["topic"] == topic
    sns.confirm_subscription(TopicArn=topic, Token=link["token"])
    (arn,) = _arns(sns, topic)
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert (attributes["PendingConfirmation"], attributes["ConfirmationWasAuthenticated"]) == ("false", "false")
    assert pending.unsubscribe_mail(to) == 1
    assert _arns(sns, topic) == []


def test_a_confirmation_may_ask_that_only_the_account_unsubscribes(pending: EmbeddedAWS) -> None:
    """Source: Amazon SNS API reference, ConfirmSubscription, AuthenticateOnUnsubscribe."""
    sns, topic, to = _subscribed(pending, "kept")
    (link,) = pending.confirmations(to)
    sns.confirm_subscription(TopicArn=topic, Token=link["token"], AuthenticateOnUnsubscribe="true")
    (arn,) = _arns(sns, topic)
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert attributes["ConfirmationWasAuthenticated"] == "true"
    assert pending.unsubscribe_mail(to) == 0
    assert _arns(sns, topic) == [arn]
    sns.unsubscribe(SubscriptionArn=arn)
    assert _arns(sns, topic) == []


def test_what_nobody_confirms_is_dropped_and_a_wrong_token_confirms_nothing(pending: EmbeddedAWS) -> None:
    """Source: Amazon SNS developer guide, Subscribing to an Amazon SNS topic."""
    sns, topic, to = _subscribed(pending, "forgotten")
    with pytest.raises(ClientError, match="Invalid token"):
        sns.confirm_subscription(TopicArn=topic, Token="guessed")
    assert pending.expire_mail(to) == 1
    assert _arns(sns, topic) == []


# --- other calls ----------------------------------------------------------------------------------


def test_the_calls_that_tell_of_the_account_answer(account: EmbeddedAWS) -> None:
    summary = account.client("iam").get_account_summary()["SummaryMap"]
    assert summary["AttachedPoliciesPerUserQuota"] == 10
    assert error(account.client("organizations").describe_organization) == "AWSOrganizationsNotInUseException"
    template = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
    stacks = account.client("cloudformation")
    stacks.create_stack(StackName="described", TemplateBody=template)
    stacks.get_waiter("stack_create_complete").wait(StackName="described", WaiterConfig={"Delay": 1})
    (resource,) = stacks.describe_stack_resources(StackName="described")["StackResources"]
    assert (resource["LogicalResourceId"], resource["ResourceStatus"]) == ("Queue", "CREATE_COMPLETE")


# --- functions ------------------------------------------------------------------------------------


def test_a_function_leaves_no_log_group_that_its_role_may_not_make(account: EmbeddedAWS) -> None:
    """Source: AWS Lambda developer guide, Sending Lambda function logs to CloudWatch Logs: who makes the log group."""
    iam, functions, logs = account.client("iam"), account.client("lambda"), account.client("logs")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("a.py", "def b(event, context): return 1")
    for name, action in (("making", "logs:CreateLogGroup"), ("writing", "logs:PutLogEvents")):
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
        allowed = {"Effect": "Allow", "Action": action, "Resource": "*"}
        iam.put_role_policy(RoleName=name, PolicyName="logs", PolicyDocument=_policy(allowed))
        functions.create_function(
            FunctionName=name, Role=role, Runtime="python3.13", Handler="a.b", Code={"ZipFile": code.getvalue()}
        )
        assert b"1" == functions.invoke(FunctionName=name)["Payload"].read()
    assert ["/aws/lambda/making"] == [one["logGroupName"] for one in logs.describe_log_groups()["logGroups"]]


def _policy(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
