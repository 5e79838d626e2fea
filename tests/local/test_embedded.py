"""The embedded AWS behaves as the account that Plumbline relies on."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.embedded import ACCOUNT, EmbeddedAWS, EmbeddedAWSError, NotInTime
from plumbline.adapters.sns import Topic
from tests.local.conftest import forwarding_role
from tests.trails import logging_trail

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
SAM = Path(__file__).resolve().parents[2] / ".venv/sam/bin/sam"
QUEUE = "heard"


class Ear:
    """A rule that matches everything, and the queue it fills, in one Region."""

    def __init__(self, aws: EmbeddedAWS, region: str) -> None:
        self._aws = aws
        self._sqs = aws.client("sqs", as_="root", region=region)
        self._url = self._sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
        events = aws.client("events", as_="root", region=region)
        events.put_rule(Name="everything", EventPattern=json.dumps({"account": [aws.account]}))
        target = f"arn:aws:sqs:{region}:{aws.account}:{QUEUE}"
        events.put_targets(Rule="everything", Targets=[{"Id": "ear", "Arn": target}])
        self._heard: list[dict[str, Any]] = []

    def listen(self) -> list[dict[str, Any]]:
        """Every event so far."""
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self._heard.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return self._heard

    def first(self, event_name: str, **parameters: object) -> dict[str, Any]:
        """Wait for the record of a call with these request parameters among its own."""

        def found() -> list[dict[str, Any]]:
            return [
                event["detail"]
                for event in self.listen()
                if event["detail"].get("eventName") == event_name
                and parameters.items() <= (event["detail"].get("requestParameters") or {}).items()
            ]

        self._aws.wait(found, timeout=5, what=f"the record of {event_name} with {parameters}")
        return found()[0]

    def heard(self, event_name: str) -> bool:
        """Whether a call of that name was ever heard of."""
        return any(event["detail"].get("eventName") == event_name for event in self.listen())


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAWS]:
    with EmbeddedAWS.start(state=tmp_path_factory.mktemp("embedded")) as running:
        logging_trail(running)
        yield running


@pytest.fixture(scope="module")
def ear(aws: EmbeddedAWS) -> Ear:
    return Ear(aws, "us-east-1")


def _error(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def _policy(effect: str, action: str, resource: str = "*") -> str:
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


# --- what CloudTrail records ----------------------------------------------------------------------


def test_an_iam_users_call_is_recorded_without_its_secret(aws: EmbeddedAWS, ear: Ear) -> None:
    aws.user("ada", policies=[ADMINISTRATOR])
    iam = aws.client("iam", as_="ada", region="eu-west-1")
    iam.create_user(UserName="victim")
    made = iam.create_access_key(UserName="victim")["AccessKey"]

    record = ear.first("CreateAccessKey", userName="victim")

    ada = aws.client("iam").get_user(UserName="ada")["User"]
    assert record["userIdentity"] == {
        "type": "IAMUser",
        "principalId": ada["UserId"],
        "arn": ada["Arn"],
        "accountId": ACCOUNT,
        "accessKeyId": _access_key(aws, "ada"),
        "userName": "ada",
    }
    key = record["responseElements"]["accessKey"]
    assert key.keys() == {"accessKeyId", "createDate", "status", "userName"}
    assert key["accessKeyId"] == made["AccessKeyId"]
    assert made["SecretAccessKey"] not in json.dumps(ear.listen())
    expected = {
        "eventSource": "iam.amazonaws.com",
        "awsRegion": "us-east-1",
        "eventType": "AwsApiCall",
        "eventCategory": "Management",
        "managementEvent": True,
        "readOnly": False,
        "recipientAccountId": ACCOUNT,
        "sourceIPAddress": "127.0.0.1",
    }
    assert expected.items() <= record.items()
    assert "errorCode" not in record


def _access_key(aws: EmbeddedAWS, user: str) -> str:
    keys = aws.client("iam").list_access_keys(UserName=user)["AccessKeyMetadata"]
    return str(keys[0]["AccessKeyId"])


def test_a_password_is_recorded_nowhere(aws: EmbeddedAWS, ear: Ear) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="pat")
    iam.create_login_profile(UserName="pat", Password="correct-Horse-7", PasswordResetRequired=True)
    assert ear.first("CreateLoginProfile")["requestParameters"] == {
        "userName": "pat",
        "passwordResetRequired": True,
    }
    assert "correct-Horse-7" not in json.dumps(ear.listen())


def test_the_root_and_an_assumed_role_are_named_as_cloudtrail_names_them(aws: EmbeddedAWS, ear: Ear) -> None:
    aws.client("iam", as_="root").create_user(UserName="by-root")
    root = ear.first("CreateUser", userName="by-root")["userIdentity"]
    expected = {
        "type": "Root",
        "principalId": ACCOUNT,
        "arn": f"arn:aws:iam::{ACCOUNT}:root",
        "accountId": ACCOUNT,
    }
    assert expected.items() <= root.items()

    aws.client("iam").create_user(UserName="by-admin")
    identity = ear.first("CreateUser", userName="by-admin")["userIdentity"]
    role = next(
        role for role in aws.client("iam").list_roles()["Roles"] if role["RoleName"].startswith("AWSReservedSSO_")
    )
    assert identity["type"] == "AssumedRole"
    assert identity["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role['RoleName']}/admin"
    assert identity["principalId"] == f"{role['RoleId']}:admin"
    assert identity["sessionContext"]["sessionIssuer"] == {
        "type": "Role",
        "principalId": role["RoleId"],
        "arn": role["Arn"],
        "accountId": ACCOUNT,
        "userName": role["RoleName"],
    }
    assert identity["sessionContext"]["attributes"]["mfaAuthenticated"] == "false"


def test_a_refused_and_a_failed_call_are_recorded_with_their_error(aws: EmbeddedAWS, ear: Ear) -> None:
    aws.user("nobody")
    assert _error(lambda: aws.client("iam", as_="nobody").delete_user(UserName="ada")) == "AccessDenied"
    refused = ear.first("DeleteUser")
    assert (refused["errorCode"], refused["requestParameters"]) == ("AccessDenied", None)

    assert _error(lambda: aws.client("iam").delete_group(GroupName="no-such")) == "NoSuchEntity"
    failed = ear.first("DeleteGroup", groupName="no-such")
    assert (failed["errorCode"], failed["responseElements"]) == ("NoSuchEntityException", None)


def test_lists_are_unflattened_and_reads_are_not_heard_of(aws: EmbeddedAWS, ear: Ear) -> None:
    iam = aws.client("iam")
    iam.list_users()
    iam.create_user(UserName="tagged", Path="/people/", Tags=[{"Key": "team", "Value": "blue"}])
    assert ear.first("CreateUser", userName="tagged")["requestParameters"] == {
        "path": "/people/",
        "userName": "tagged",
        "tags": [{"key": "team", "value": "blue"}],
    }
    assert not ear.heard("ListUsers")


def test_s3_calls_bear_cloudtrails_names_and_objects_are_not_heard_of(aws: EmbeddedAWS, ear: Ear) -> None:
    bucket = "a-bucket-of-111122223333"
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=bucket, ObjectOwnership="ObjectWriter")
    s3.put_object(Bucket=bucket, Key="policy", Body=b"x")
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    owner = s3.get_bucket_acl(Bucket=bucket)["Owner"]
    grant = {"Grantee": {"Type": "CanonicalUser", "ID": owner["ID"]}, "Permission": "READ"}
    s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy={"Owner": owner, "Grants": [grant]})
    s3.put_bucket_policy(
        Bucket=bucket,
        Policy=_policy("Deny", "s3:GetObject", f"arn:aws:s3:::{bucket}/*").replace(
            '"Effect"', '"Principal": "*", "Effect"'
        ),
    )
    s3.delete_bucket_policy(Bucket=bucket)
    block = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)

    put = ear.first("PutBucketPublicAccessBlock", bucketName=bucket)["requestParameters"]
    assert block.items() <= put["PublicAccessBlockConfiguration"].items()
    names = [
        event["detail"]["eventName"]
        for event in ear.listen()
        if (event["detail"].get("requestParameters") or {}).get("bucketName") == bucket
    ]
    assert names == [
        "CreateBucket", "DeleteBucketPublicAccessBlock", "PutBucketAcl", "PutBucketAcl", "PutBucketPolicy",
        "DeleteBucketPolicy", "PutBucketPublicAccessBlock",
    ]  # fmt: skip
    assert ear.first("PutBucketAcl", **{"x-amz-acl": "public-read"})["requestParameters"]["acl"] == ""
    granted = [event["detail"] for event in ear.listen() if event["detail"]["eventName"] == "PutBucketAcl"][1]
    grants = granted["requestParameters"]["AccessControlPolicy"]["AccessControlList"]
    assert grants["Grant"]["Permission"] == "READ"
    policy = ear.first("PutBucketPolicy", bucketName=bucket)["requestParameters"]["bucketPolicy"]
    assert policy["Statement"][0]["Effect"] == "Deny"


def test_json_and_rest_calls_are_recorded_in_the_region_they_were_made_in(aws: EmbeddedAWS) -> None:
    ear = Ear(aws, "eu-west-1")
    cloudwatch = aws.client("cloudwatch", region="eu-west-1")
    alarm = {"Namespace": "n", "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
    cloudwatch.put_metric_alarm(
        AlarmName="a", Threshold=1, ComparisonOperator="GreaterThanThreshold", AlarmActions=[], **alarm
    )
    record = ear.first("PutMetricAlarm", alarmName="a")
    assert (record["awsRegion"], record["eventSource"]) == ("eu-west-1", "monitoring.amazonaws.com")
    events = aws.client("events", region="eu-west-1")
    events.put_rule(Name="r", ScheduleExpression="rate(1 hour)")
    assert ear.first("PutRule", name="r")["requestParameters"]["scheduleExpression"] == "rate(1 hour)"
    assert _error(lambda: aws.client("lambda", region="eu-west-1").delete_function(FunctionName="none"))
    assert ear.first("DeleteFunction20150331", functionName="none")["errorCode"] == "ResourceNotFoundException"


def test_no_trail_no_events_but_the_call_that_stops_it_is_heard(aws: EmbeddedAWS, ear: Ear) -> None:
    trail, iam = aws.client("cloudtrail"), aws.client("iam")
    trail.stop_logging(Name="main")
    try:
        assert ear.first("StopLogging")["requestParameters"] == {"name": "main"}
        iam.create_user(UserName="unheard")
    finally:
        trail.start_logging(Name="main")
    trail.put_event_selectors(
        TrailName="main", EventSelectors=[{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}]
    )
    try:
        iam.create_user(UserName="unheard-too")
    finally:
        trail.put_event_selectors(
            TrailName="main", EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": True}]
        )
    iam.create_user(UserName="heard-again")
    ear.first("CreateUser", userName="heard-again")
    made = [
        e["detail"]["requestParameters"]["userName"] for e in ear.listen() if e["detail"]["eventName"] == "CreateUser"
    ]
    assert not {"unheard", "unheard-too"} & set(made)


def test_an_injected_event_reaches_the_rules(aws: EmbeddedAWS, ear: Ear) -> None:
    aws.inject(
        {
            "source": "aws.signin",
            "detail-type": "AWS Console Sign In via CloudTrail",
            "detail": {"eventName": "ConsoleLogin", "requestParameters": None},
        }
    )
    ear.first("ConsoleLogin")
    event = next(event for event in ear.listen() if event["source"] == "aws.signin")
    assert (event["account"], event["region"]) == (ACCOUNT, "us-east-1")


def test_a_rule_sends_to_a_bus_in_another_region(aws: EmbeddedAWS, ear: Ear) -> None:
    events = aws.client("events", region="ap-southeast-2")
    events.put_rule(Name="forward", EventPattern=json.dumps({"source": ["aws.sqs"]}))
    home = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"
    role = forwarding_role(aws, "forward", home)
    events.put_targets(Rule="forward", Targets=[{"Id": "home", "Arn": home, "RoleArn": role}])
    aws.client("sqs", region="ap-southeast-2").create_queue(QueueName="down-under")
    assert ear.first("CreateQueue", queueName="down-under")["awsRegion"] == "ap-southeast-2"


# --- what IAM allows ------------------------------------------------------------------------------


def test_a_session_policy_limits_the_role_it_is_given_to(aws: EmbeddedAWS) -> None:
    iam = aws.client("iam")
    for name in ("mine", "other"):
        iam.create_user(UserName=name)
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
    }
    role = iam.create_role(RoleName="hands", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="hands", PolicyName="w", PolicyDocument=_policy("Allow", "iam:*"))
    session = aws.client("sts").assume_role(
        RoleArn=role,
        RoleSessionName="control",
        Policy=_policy("Allow", "iam:TagUser", f"arn:aws:iam::{ACCOUNT}:user/mine"),
    )["Credentials"]
    hands = aws.session("root").client(
        "iam",
        endpoint_url=aws.endpoint,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    before = len(aws.calls())
    tags = [{"Key": "k", "Value": "v"}]
    hands.tag_user(UserName="mine", Tags=tags)
    assert _error(lambda: hands.tag_user(UserName="other", Tags=tags)) == "AccessDenied"
    assert _error(lambda: hands.delete_user(UserName="mine")) == "AccessDenied"
    seen = [
        (call.role, call.session, call.checks[0].action, call.checks[0].allowed)
        for call in aws.calls(before)
        if call.role == "hands"
    ]
    assert seen == [
        ("hands", "control", "iam:TagUser", True),
        ("hands", "control", "iam:TagUser", False),
        ("hands", "control", "iam:DeleteUser", False),
    ]


def test_a_policys_default_version_decides(aws: EmbeddedAWS) -> None:
    iam = aws.client("iam")
    arn = iam.create_policy(PolicyName="swing", PolicyDocument=_policy("Allow", "iam:ListUsers"))["Policy"]["Arn"]
    aws.user("swinger", policies=[arn])
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=_policy("Allow", "iam:ListRoles"), SetAsDefault=True)
    assert _error(aws.client("iam", as_="swinger").list_users) == "AccessDenied"
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    aws.client("iam", as_="swinger").list_users()
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert {version["VersionId"]: version["IsDefaultVersion"] for version in versions} == {
        "v1": True,
        "v2": False,
    }


def test_any_aws_managed_policy_can_be_attached_and_is_described(aws: EmbeddedAWS) -> None:
    names = [
        "AmazonAthenaFullAccess",
        "AmazonRedshiftReadOnlyAccess",
        "job-function/DataScientist",
        "SecurityAudit",
    ]
    arns = {f"arn:aws:iam::aws:policy/{name}" for name in names}
    aws.user("collector", policies=sorted(arns))
    iam = aws.client("iam")
    missing = "arn:aws:iam::aws:policy/AdminstratorAccess"
    assert _error(lambda: iam.attach_user_policy(UserName="collector", PolicyArn=missing)) == "NoSuchEntity"
    pages = list(iam.get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 2}))
    policies = {policy["Arn"]: policy for page in pages for policy in page["Policies"]}
    assert len(pages) > 1
    assert arns <= policies.keys()
    assert policies[min(arns)]["PolicyVersionList"][0]["Document"]["Statement"]
    only_users = iam.get_account_authorization_details(Filter=["User"])
    assert not only_users["Policies"]
    assert any(user["UserName"] == "collector" for user in only_users["UserDetailList"])


def test_a_password_policy_update_resets_what_it_leaves_out(aws: EmbeddedAWS) -> None:
    iam = aws.client("iam")
    iam.update_account_password_policy(MinimumPasswordLength=14, RequireSymbols=True)
    iam.update_account_password_policy(RequireNumbers=True)
    policy = iam.get_account_password_policy()["PasswordPolicy"]
    assert (policy["MinimumPasswordLength"], policy["RequireSymbols"], policy["RequireNumbers"]) == (
        6,
        False,
        True,
    )


def test_the_credential_report_tells_used_keys_from_unused_ones(aws: EmbeddedAWS) -> None:
    aws.user("busy")
    aws.client("sts", as_="busy").get_caller_identity()
    aws.user("idle")
    iam = aws.client("iam")
    iam.generate_credential_report()
    header, *rows = iam.get_credential_report()["Content"].decode().splitlines()
    report = {row.split(",")[0]: dict(zip(header.split(","), row.split(","), strict=True)) for row in rows}
    assert report["busy"]["access_key_1_last_used_service"] == "sts"
    assert report["idle"]["access_key_1_last_used_date"] == "N/A"
    assert report["<root_account>"]["mfa_active"] == "false"


def test_a_service_that_only_moto_has_is_guarded_by_iam_too(aws: EmbeddedAWS) -> None:
    aws.user("visitor")
    assert _error(aws.client("guardduty", as_="visitor").list_detectors) == "AccessDeniedException"
    detector = aws.client("guardduty").create_detector(Enable=True)["DetectorId"]
    assert aws.client("guardduty").list_detectors()["DetectorIds"] == [detector]
    block = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    control = aws.client("s3control")
    assert _error(lambda: control.get_public_access_block(AccountId=ACCOUNT)) == "NoSuchPublicAccessBlockConfiguration"
    control.put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=block)
    assert control.get_public_access_block(AccountId=ACCOUNT)["PublicAccessBlockConfiguration"] == block


# --- what the rest of the account does ------------------------------------------------------------


def test_mail_reaches_the_mailbox_by_its_filter_policy(aws: EmbeddedAWS) -> None:
    sns = aws.client("sns")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    attributes = {"FilterPolicy": json.dumps({"severity": ["high"]})}
    answer = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="you@example.com", Attributes=attributes)
    assert answer["SubscriptionArn"] == "pending confirmation"
    start = len(aws.mail())
    for severity in ("low", "high"):
        value = {"severity": {"DataType": "String", "StringValue": severity}}
        sns.publish(TopicArn=topic, Subject=f"{severity} one", Message="Ann did it.", MessageAttributes=value)
    mails = aws.mail(start)
    assert [(mail.to, mail.subject, mail.text, mail.attributes) for mail in mails] == [
        ("you@example.com", "high one", "Ann did it.", {"severity": "high"})
    ]


def test_an_alarm_can_be_set_in_us_east_1_from_another_region(aws: EmbeddedAWS) -> None:
    topic = aws.client("sns").create_topic(Name="billing")["TopicArn"]
    aws.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="bills@example.com")
    cloudwatch = aws.client("cloudwatch", region="us-east-1")
    cloudwatch.put_metric_alarm(
        AlarmName="spend", Namespace="AWS/Billing", MetricName="EstimatedCharges", Statistic="Maximum", Period=21600,
        EvaluationPeriods=1, Threshold=100, ComparisonOperator="GreaterThanThreshold", AlarmActions=[topic],
        Dimensions=[{"Name": "Currency", "Value": "USD"}], TreatMissingData="notBreaching",
    )  # fmt: skip
    assert not aws.client("cloudwatch", region="ap-southeast-2").describe_alarms(AlarmNames=["spend"])["MetricAlarms"]
    start = len(aws.mail())
    cloudwatch.set_alarm_state(AlarmName="spend", StateValue="ALARM", StateReason="a test")
    aws.wait(lambda: aws.mail(start), timeout=5, what="the alarm's mail")
    assert aws.mail(start)[0].to == "bills@example.com"


def test_one_of_two_racing_transactions_loses(aws: EmbeddedAWS) -> None:
    dynamodb = aws.client("dynamodb")
    dynamodb.create_table(
        TableName="ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    new = "attribute_not_exists(pk)"

    def open_finding(number: int) -> str:
        finding = {"TableName": "ledger", "Item": {"pk": {"S": "finding"}}, "ConditionExpression": new}
        told = {"TableName": "ledger", "Item": {"pk": {"S": f"told-{number}"}}}
        try:
            dynamodb.transact_write_items(TransactItems=[{"Put": finding}, {"Put": told}])
        except ClientError as error:
            return str(error.response["CancellationReasons"][0]["Code"])
        return "won"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(open_finding, range(4)))
    assert outcomes == ["ConditionalCheckFailed", "ConditionalCheckFailed", "ConditionalCheckFailed", "won"]
    assert dynamodb.scan(TableName="ledger", ConsistentRead=True)["Count"] == 2


# --- sam ------------------------------------------------------------------------------------------

TEMPLATE = """
    Transform: AWS::Serverless-2016-10-31
    Resources:
      Bucket: {Type: AWS::S3::Bucket}
      TakesFiles:
        Type: AWS::S3::BucketPolicy
        Properties:
          Bucket: !Ref Bucket
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              Effect: Allow
              Principal: {Service: cloudtrail.amazonaws.com}
              Action: s3:PutObject
              Resource: !Sub "${Bucket.Arn}/AWSLogs/${AWS::AccountId}/*"
      Trail:
        Type: AWS::CloudTrail::Trail
        DependsOn: TakesFiles
        Properties: {TrailName: from-template, IsLogging: true, S3BucketName: !Ref Bucket}
      Dead: {Type: AWS::SQS::Queue}
      Wakes:
        Type: AWS::SQS::Queue
        Properties:
          VisibilityTimeout: 1
          RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 2}
      Rule:
        Type: AWS::Events::Rule
        Properties:
          EventPattern: {source: [aws.iam], detail: {eventName: [CreateGroup]}}
          Targets: [{Id: wakes, Arn: !GetAtt Wakes.Arn}]
      Ledger:
        Type: AWS::DynamoDB::Table
        Properties:
          TableName: from-template
          BillingMode: PAY_PER_REQUEST
          PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
          TimeToLiveSpecification: {AttributeName: expires, Enabled: true}
          AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
          KeySchema: [{AttributeName: pk, KeyType: HASH}]
      Bounded:
        Type: AWS::IAM::Role
        Properties:
          RoleName: bounded
          PermissionsBoundary: arn:aws:iam::aws:policy/ReadOnlyAccess
          AssumeRolePolicyDocument:
            Version: "2012-10-17"
            Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}
      Layer:
        Type: AWS::Serverless::LayerVersion
        Metadata: {BuildMethod: makefile}
        Properties: {ContentUri: layer/}
      React:
        Type: AWS::Serverless::Function
        Properties:
          FunctionName: react
          Runtime: python3.13
          CodeUri: function/
          Handler: app.handler
          Layers: [!Ref Layer]
          Environment: {Variables: {OWN: mine}}
          Policies:
            - Statement: {Effect: Allow, Action: "iam:PutGroupPolicy", Resource: "*"}
          Events:
            Wakes:
              Type: SQS
              Properties: {Queue: !GetAtt Wakes.Arn, FunctionResponseTypes: [ReportBatchItemFailures]}
"""
FUNCTION = """
    import importlib.util, json, os, sys
    import boto3
    from shared import VALUE

    def handler(event, context):
        if "Records" not in event:
            return {"environment": dict(os.environ), "sees": [n for n in ("ministack", "moto", "pytest", "shared")
                    if importlib.util.find_spec(n)]}
        failed = []
        for record in event["Records"]:
            group = json.loads(record["body"])["detail"]["requestParameters"]["groupName"]
            if group == "poison":
                failed.append({"itemIdentifier": record["messageId"]})
                continue
            boto3.client("iam").put_group_policy(GroupName=group, PolicyName="seen", PolicyDocument=VALUE)
        return {"batchItemFailures": failed}
"""


@pytest.fixture(scope="module")
def deployed(aws: EmbeddedAWS, tmp_path_factory: pytest.TempPathFactory) -> EmbeddedAWS:
    project = tmp_path_factory.mktemp("project")
    (project / "function").mkdir()
    (project / "layer").mkdir()
    (project / "template.yaml").write_text(textwrap.dedent(TEMPLATE))
    (project / "function/app.py").write_text(textwrap.dedent(FUNCTION))
    (project / "layer/shared.py").write_text(f"VALUE = {_policy('Deny', 'iam:DeleteUser')!r}\n")
    (project / "layer/Makefile").write_text(
        'build-Layer:\n\tmkdir -p "$(ARTIFACTS_DIR)/python"\n\tcp shared.py "$(ARTIFACTS_DIR)/python/"\n'
    )
    _sam(aws, project, "build")
    deploy = ("deploy", "--stack-name", "test", "--resolve-s3", "--capabilities", "CAPABILITY_NAMED_IAM")
    _sam(aws, project, *deploy, "--no-confirm-changeset", "--no-fail-on-empty-changeset")
    return aws


def _sam(aws: EmbeddedAWS, project: Path, *arguments: str) -> None:
    ran = subprocess.run(
        [SAM, *arguments], cwd=project, env=aws.environment(), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, f"sam {arguments[0]}: {ran.stdout[-3000:]}{ran.stderr[-3000:]}; log: {aws.log}"


def test_a_function_sees_what_aws_shows_it_and_nothing_of_this_machine(deployed: EmbeddedAWS) -> None:
    answer: Mapping[str, Any] = deployed.invoke("react", {})
    assert answer["sees"] == ["shared"]
    environment = answer["environment"]
    assert environment["OWN"] == "mine"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "react"
    assert environment["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert not {"PYTHONPATH", "GATEWAY_PORT", "AUTH", "VIRTUAL_ENV", "AWS_PROFILE"} & environment.keys()


def test_a_layer_is_unpacked_once_and_every_process_sees_it(deployed: EmbeddedAWS) -> None:
    deployed.invoke("react", {})
    scratch = deployed.log.parent / "tmp"
    seen = [one.resolve() for one in scratch.glob("ministack-lambda-*/layer_*") if one.is_dir()]
    assert {scratch / "ministack-layers"} == {one.parent for one in seen}
    assert 1 == len(list((scratch / "ministack-layers").iterdir()))


def test_a_change_wakes_the_function_under_its_own_role(deployed: EmbeddedAWS, ear: Ear) -> None:
    iam = deployed.client("iam")
    before = len(deployed.calls())
    iam.create_group(GroupName="seen")
    deployed.wait(
        lambda: iam.list_group_policies(GroupName="seen")["PolicyNames"],
        timeout=10,
        what="the function's write",
    )
    made = [call for call in deployed.calls(before) if call.session == "react"]
    assert {check.action for call in made for check in call.checks} == {"iam:PutGroupPolicy"}
    identity = ear.first("PutGroupPolicy", groupName="seen")["userIdentity"]
    role = iam.get_role(RoleName=identity["sessionContext"]["sessionIssuer"]["userName"])["Role"]
    assert identity["principalId"] == f"{role['RoleId']}:react"


def test_a_failed_message_ends_in_the_dead_letter_queue_and_its_batch_does_not(deployed: EmbeddedAWS) -> None:
    iam, sqs = deployed.client("iam"), deployed.client("sqs")
    dead = next(url for url in sqs.list_queues()["QueueUrls"] if "-Dead-" in url)
    for group in ("poison", "wholesome"):
        iam.create_group(GroupName=group)

    def waiting() -> bool:
        count = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
        return bool(count["ApproximateNumberOfMessages"] == "1")

    deployed.wait(waiting, timeout=15, what="the poisoned message in the dead letter queue")
    assert iam.list_group_policies(GroupName="wholesome")["PolicyNames"] == ["seen"]


def test_cloudformation_makes_what_the_emulator_alone_would_drop(deployed: EmbeddedAWS) -> None:
    assert deployed.client("cloudtrail").get_trail_status(Name="from-template")["IsLogging"]
    boundary = deployed.client("iam").get_role(RoleName="bounded")["Role"]["PermissionsBoundary"]
    assert boundary["PermissionsBoundaryArn"] == "arn:aws:iam::aws:policy/ReadOnlyAccess"
    dynamodb = deployed.client("dynamodb")
    backups = dynamodb.describe_continuous_backups(TableName="from-template")["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    lifetime = dynamodb.describe_time_to_live(TableName="from-template")["TimeToLiveDescription"]
    assert lifetime == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}


# --- the process ----------------------------------------------------------------------------------


def test_it_listens_on_loopback_only(aws: EmbeddedAWS) -> None:
    port = int(aws.endpoint.rpartition(":")[2])
    listening = subprocess.run(["ss", "-Htln", f"sport = :{port}"], capture_output=True, text=True, check=True)
    assert [line.split()[3] for line in listening.stdout.splitlines()] == [f"127.0.0.1:{port}"]


def test_a_wait_that_fails_names_what_was_awaited_and_the_log(aws: EmbeddedAWS) -> None:
    with pytest.raises(NotInTime, match=f"the moon.*{aws.log}"):
        aws.wait(lambda: False, timeout=0.1, what="the moon")


def test_a_taken_port_is_refused_at_once(aws: EmbeddedAWS, tmp_path: Path) -> None:
    port = int(aws.endpoint.rpartition(":")[2])
    with pytest.raises(EmbeddedAWSError, match=f"port {port} is taken"), EmbeddedAWS.start(port, tmp_path):
        pass


def test_unconfirmed_mail_is_not_delivered_and_plumbline_knows_that_nobody_hears(tmp_path: Path) -> None:
    with EmbeddedAWS.start(state=tmp_path / "state", confirm_mail=False) as aws:
        sns = aws.client("sns")
        topic = sns.create_topic(Name="t")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="you@example.com")
        listed = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        assert [subscription["SubscriptionArn"] for subscription in listed] == ["PendingConfirmation"]
        sns.publish(TopicArn=topic, Message="lost")
        alerts = Topic(lambda *_: sns, topic, "us-east-1")
        assert not alerts.is_heard()
        assert aws.confirm_mail("you@example.com") == 1
        assert alerts.is_heard()
        sns.publish(TopicArn=topic, Message="found")
        assert [mail.text for mail in aws.mail()] == ["found"]


@pytest.mark.parametrize("ending", ["stop", "the parent dies"])
def test_nothing_is_left_running(tmp_path: Path, ending: str) -> None:
    # A process of its own, so that it can be killed as a test run is killed.
    program = (
        "from pathlib import Path; from local.embedded import EmbeddedAWS\n"
        f"with EmbeddedAWS.start(state=Path({str(tmp_path / 'state')!r})) as aws:\n"
        "    aws.client('guardduty').list_detectors()\n"
        "    print(aws._process.pid, flush=True)\n"
        "    input()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=SAM.parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout is not None
        server = int(child.stdout.readline())
        assert len(_processes_of(server)) == 2
        if ending == "stop":
            child.communicate("\n")
        else:
            child.kill()
    deadline = time.monotonic() + 5
    while _processes_of(server) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _processes_of(server) == []


def _processes_of(session: int) -> list[str]:
    """The processes of one session, by /proc: started by the server, whatever became of it."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(stat.parent.name)
    return found
