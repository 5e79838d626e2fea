"""IAM is asked about each action of Plumbline's on the resource that AWS asks about.

What is right is not ours to say: cfn-lint carries AWS's own machine-readable Service Authorization Reference, with the
resource types of each action and the forms of their ARNs. `local/authorization.json` is held against it, and each
action is called for real: with a policy that names the right ARN, and with one that names another.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from local.embedded import ACCOUNT, EmbeddedAWS
from plumbline.controls import registry
from tests.deployed import of_type
from tests.local.conftest import error
from tests.local.reference import form, types
from tests.trails import logging_trail

FACTS: Mapping[str, Any] = json.loads((Path(__file__).parents[2] / "local/authorization.json").read_text())
DENY_NOTHING = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "iam:DeleteUser", "Resource": "*"}]}
)
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}],
    }
)
AN_ALLOW = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": ACCOUNT},
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::acme-asked/*",
            }
        ],
    }
)


def _zipped(code: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", code)
    return packed.getvalue()


CODE = _zipped("def handler(event, context): return None")

A_MAPPING = "5f2c1f0e-6d1b-4a53-9c8e-0b7c6f0a1d2e"
#: The things that are called, by service and resource type of the reference, as ARNs in its form.
ARNS = {
    ("iam", "user"): f"arn:aws:iam::{ACCOUNT}:user/people/ada",
    ("iam", "group"): f"arn:aws:iam::{ACCOUNT}:group/team/staff",
    ("iam", "role"): f"arn:aws:iam::{ACCOUNT}:role/robots/robot",
    ("iam", "policy"): f"arn:aws:iam::{ACCOUNT}:policy/kept/rights",
    ("access-analyzer", "Analyzer"): f"arn:aws:access-analyzer:us-east-1:{ACCOUNT}:analyzer/asked",
    ("account", "account"): f"arn:aws:account::{ACCOUNT}:account",
    ("autoscaling", "autoScalingGroup"): (
        f"arn:aws:autoscaling:us-east-1:{ACCOUNT}:autoScalingGroup:*:autoScalingGroupName/asked"
    ),
    ("budgets", "budget"): f"arn:aws:budgets::{ACCOUNT}:budget/asked",
    ("ce", "anomalymonitor"): f"arn:aws:ce::{ACCOUNT}:anomalymonitor/*",
    ("ce", "anomalysubscription"): f"arn:aws:ce::{ACCOUNT}:anomalysubscription/{A_MAPPING}",
    ("ec2", "instance"): f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-0a1b2c3d4e5f60718",
    ("rds", "cluster"): f"arn:aws:rds:us-east-1:{ACCOUNT}:cluster:asked",
    ("rds", "db"): f"arn:aws:rds:us-east-1:{ACCOUNT}:db:asked",
    ("cloudformation", "stackset"): f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stackset/none:*",
    ("cloudformation", "stack"): f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/none/*",
    ("cloudtrail", "trail"): f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main",
    ("cloudwatch", "alarm"): f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:spend",
    ("dynamodb", "table"): f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/asked",
    ("events", "rule-on-default-event-bus"): f"arn:aws:events:us-east-1:{ACCOUNT}:rule/asked",
    ("events", "event-bus"): f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default",
    ("lambda", "eventSourceMapping"): f"arn:aws:lambda:us-east-1:{ACCOUNT}:event-source-mapping:{A_MAPPING}",
    ("lambda", "function"): f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:asked",
    ("logs", "log-group"): f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:asked:log-stream:one",
    ("logs", "log-stream"): f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:asked:log-stream:one",
    ("s3", "bucket"): "arn:aws:s3:::acme-asked",
    ("s3", "object"): "arn:aws:s3:::acme-asked/key",
    ("sns", "topic"): f"arn:aws:sns:us-east-1:{ACCOUNT}:asked",
    ("sqs", "queue"): f"arn:aws:sqs:us-east-1:{ACCOUNT}:asked",
    ("sts", "role"): f"arn:aws:iam::{ACCOUNT}:role/robots/robot",
}
#: What a call is given, by the names of its parameters, where it takes or needs them.
GIVEN: dict[str, Any] = {
    "AccessKeyId": "AKIAIOSFODNN7EXAMPLE",
    "AccountId": ACCOUNT,
    "Accounts": [ACCOUNT],
    "AlarmName": "spend",
    "AlarmNames": ["spend"],
    "AlternateContactType": "SECURITY",
    "AnomalyMonitor": {"MonitorName": "asked", "MonitorType": "DIMENSIONAL", "MonitorDimension": "SERVICE"},
    "AnomalySubscription": {
        "SubscriptionName": "asked", "Frequency": "DAILY",
        "MonitorArnList": [f"arn:aws:ce::{ACCOUNT}:anomalymonitor/{A_MAPPING}"],
        "Subscribers": [{"Type": "EMAIL", "Address": "a@example.com"}],
    },
    "AutoScalingGroupName": "asked",
    "BudgetName": "asked",
    "DBClusterIdentifier": "asked",
    "DBInstanceIdentifier": "asked",
    "EmailAddress": "a@example.com",
    "InstanceIds": ["i-0a1b2c3d4e5f60718"],
    "PhoneNumber": "1",
    "Protocol": "email",
    "Endpoint": "a@example.com",
    "Title": "t",
    "billingPreferencesPerKey": [{"key": "k", "value": "ENABLED"}],
    "feature": "BILLING_ALERTS",
    "features": ["BILLING_ALERTS"],
    "Bucket": "acme-asked",
    "BucketName": "acme-asked",
    "ChangeMessageVisibility": 0,
    "Entries": [{"Source": "plumbline", "DetailType": "d", "Detail": "{}"}],
    "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}],
    "FunctionName": "asked",
    "GroupName": "staff",
    "Ids": ["one"],
    "Item": {"pk": {"S": "a"}},
    "Key": {"pk": {"S": "a"}},
    "KeyConditionExpression": "pk = :a",
    "ExpressionAttributeValues": {":a": {"S": "a"}},
    "LogicalResourceId": "Trail",
    "MessageBody": "m",
    "PolicyArn": ARNS["iam", "policy"],
    "PolicyDocument": DENY_NOTHING,
    "PolicyName": "p",
    "PublicAccessBlockConfiguration": {"BlockPublicAcls": True},
    "QueueUrl": f"http://127.0.0.1/{ACCOUNT}/asked",
    "ReceiptHandle": "r",
    "RegionName": "us-east-1",
    "Regions": ["us-east-1"],
    "RequestItems": {"asked": {"Keys": [{"pk": {"S": "a"}}]}},
    "RoleArn": ARNS["sts", "role"],
    "RoleName": "robot",
    "RoleSessionName": "session",
    "Rule": "asked",
    "S3BucketName": "trail-of-111122223333",
    "ShardIteratorType": "LATEST",
    "RetainStacks": False,
    "StackInstanceAccount": ACCOUNT,
    "StackInstanceRegion": "us-east-1",
    "StackName": "none",
    "StackSetName": "none",
    "Status": "Inactive",
    "ServiceSpecificCredentialId": "ACCAEXAMPLE0000000001",
    "SubscriptionArn": f"{ARNS['sns', 'topic']}:6b0e71bd-7e97-4d97-80ce-4a0994e55286",
    "TableName": "asked",
    "Targets": [{"Id": "one", "Arn": ARNS["sqs", "queue"]}],
    "TopicArn": ARNS["sns", "topic"],
    "TrailName": "main",
    "UUID": A_MAPPING,
    "UserName": "ada",
    "VersionId": "v1",
    "VisibilityTimeout": 0,
    "logEvents": [{"timestamp": 0, "message": "m"}],
    "logGroupName": "asked",
    "logStreamName": "one",
}  # fmt: skip
#: The same where one name means several things.
GIVEN_TO: Mapping[str, Mapping[str, Any]] = {
    "access-analyzer": {
        "analyzerName": "asked", "type": "ACCOUNT", "analyzerArn": ARNS["access-analyzer", "Analyzer"],
    },
    "access-analyzer:ListAnalyzers": {"type": None},
    "account:PutAlternateContact": {"Name": "n"},
    "ce": {
        "SubscriptionArn": f"arn:aws:ce::{ACCOUNT}:anomalysubscription/{A_MAPPING}",
        "SubscriptionArnList": [f"arn:aws:ce::{ACCOUNT}:anomalysubscription/{A_MAPPING}"],
    },
    "cloudtrail": {"Name": "main"},
    "cloudwatch": {
        "MetricName": "m", "Namespace": "n", "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold",
    },
    "events": {"Name": "asked", "ScheduleExpression": "rate(1 hour)"},
    "s3": {
        "BucketLoggingStatus": {},
        "LifecycleConfiguration": {"Rules": []},
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "Policy": AN_ALLOW,
        "ServerSideEncryptionConfiguration": {"Rules": []},
        "VersioningConfiguration": {"Status": "Enabled"},
    },
    "sns": {"Message": "m"},
    "cloudwatch:GetMetricData": {
        "MetricDataQueries": [{"Id": "failed", "Expression": "SEARCH('x', 'Sum', 3600)"}],
        "StartTime": "2026-03-02T08:00:00Z", "EndTime": "2026-03-02T09:00:00Z",
    },
    "cloudwatch:SetAlarmState": {"StateValue": "ALARM", "StateReason": "nobody hears"},
    "iam:CreatePolicy": {"PolicyName": "rights", "Path": "/kept/"},
    "dynamodb:UpdateItem": {"ExpressionAttributeValues": None},
    "events:DeleteEventBus": {"Name": "default"},
    "events:DescribeEventBus": {"Name": "default"},
    "cloudformation:DescribeStackSetOperation": {"OperationId": "5f2c1f0e-6d1b-4a53-9c8e-0b7c6f0a1d2e"},
    "events:PutRule": {"RoleArn": None},
}  # fmt: skip
#: Actions that are not called as they are called in botocore: client and operation.
CALLED = {
    "access-analyzer:CreateAnalyzer": ("accessanalyzer", "CreateAnalyzer"),
    "access-analyzer:DeleteAnalyzer": ("accessanalyzer", "DeleteAnalyzer"),
    "access-analyzer:ListAnalyzers": ("accessanalyzer", "ListAnalyzers"),
    "access-analyzer:ListFindings": ("accessanalyzer", "ListFindings"),
    "budgets:ModifyBudget": ("budgets", "DeleteBudget"),
    "budgets:ViewBudget": ("budgets", "DescribeNotificationsForBudget"),
    "cloudwatch:DescribeAlarms": ("cloudwatch", "DescribeAlarms"),
    "dynamodb:DescribeStream": ("dynamodbstreams", "DescribeStream"),
    "dynamodb:GetRecords": ("dynamodbstreams", "GetRecords"),
    "dynamodb:GetShardIterator": ("dynamodbstreams", "GetShardIterator"),
    "dynamodb:ListStreams": ("dynamodbstreams", "ListStreams"),
    "lambda:InvokeFunction": ("lambda", "Invoke"),
    "s3:GetAccountPublicAccessBlock": ("s3control", "GetPublicAccessBlock"),
    "s3:GetBucketPublicAccessBlock": ("s3", "GetPublicAccessBlock"),
    "s3:GetEncryptionConfiguration": ("s3", "GetBucketEncryption"),
    "s3:GetLifecycleConfiguration": ("s3", "GetBucketLifecycleConfiguration"),
    "s3:ListAllMyBuckets": ("s3", "ListBuckets"),
    "s3:PutAccountPublicAccessBlock": ("s3control", "PutPublicAccessBlock"),
    "s3:PutBucketPublicAccessBlock": ("s3", "PutPublicAccessBlock"),
    "s3:PutEncryptionConfiguration": ("s3", "PutBucketEncryption"),
    "s3:PutLifecycleConfiguration": ("s3", "PutBucketLifecycleConfiguration"),
}
#: Its data sets are not the metrics of AWS's services, which have no ARN.
ON_NO_RESOURCE = frozenset({"cloudwatch:GetMetricData", "cloudwatch:ListMetrics"})
#: What a policy may say and nobody can call: all of it, and what is asked beside other calls.
NO_CALL = frozenset({"*", "iam:CreateServiceLinkedRole", "iam:PassRole"})
#: AWS's own examples grant these on `log-group:NAME:*`, which the stream's ARN is, and the group's is not.
#: Source: AWS Lambda developer guide, Defining Lambda function permissions with an execution role.
ON_THE_STREAM = frozenset({"CreateLogStream"})


def _used() -> Iterator[str]:
    for control in registry.load().values():
        yield from (control.reads | control.writes) - NO_CALL
    for name, policy in of_type("AWS::IAM::ManagedPolicy").items():
        # What CloudFormation does with a role of the stack (see test_stack_sets), and what people do for themselves.
        if name in ("StackSetPolicy", "SelfServicePolicy"):
            continue
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            actions = statement["Action"] if statement["Effect"] == "Allow" else []
            yield from (one for one in (actions if isinstance(actions, list) else [actions]) if one not in NO_CALL)


#: Every action that Plumbline's controls and roles use.
USED = sorted(set(_used()))
#: What others may do to what makes Plumbline hear of other regions.
DONE_TO_IT = (
    "account:EnableRegion", "account:GetRegionOptStatus", "account:ListRegions", "cloudformation:CreateStackSet",
    "cloudformation:DeleteStackInstances", "cloudformation:DeleteStackSet", "cloudformation:DescribeStackSet",
    "cloudformation:ListStackInstances", "cloudformation:ListStackSets", "cloudformation:UpdateStackInstances",
    "events:DeleteEventBus", "events:PutEvents", "events:PutPermission",
)  # fmt: skip


# --- our facts and AWS's --------------------------------------------------------------------------


@pytest.mark.parametrize("service", sorted(FACTS))
def test_our_facts_are_those_of_the_service_authorization_reference(service: str) -> None:
    for kind, scope in FACTS[service]["resources"].items():
        wrong = [one for one in scope["actions"] if kind not in types(f"{service}:{one}") and one not in ON_THE_STREAM]
        assert [] == wrong, f"not about a {kind}"
        arn = scope["arn"].format("name", region="us-east-1", account=ACCOUNT)
        if (service, kind) != ("sts", "role"):
            assert form(service, kind).fullmatch(arn), f"{arn} is no {kind}"
    assert [] == [one for one in FACTS[service]["unscoped"] if types(f"{service}:{one}")]
    assert FACTS[service]["page"].startswith("Actions, resources, and condition keys for ")


def test_the_examples_are_in_the_form_of_the_reference() -> None:
    wrong = [arn for (service, kind), arn in ARNS.items() if not form(service, kind).fullmatch(arn)]
    assert [] == wrong


# --- what the account asks ------------------------------------------------------------------------


class Caller:
    """A user who may do one thing at a time, and his clients: making one takes longer than a call."""

    def __init__(self, aws: EmbeddedAWS) -> None:
        self._aws = aws
        self._admin = aws.client("iam")
        self.client = cache(lambda service: aws.client(service, as_="caller"))

    def may(self, action: str, resource: str, condition: Mapping[str, Any] | None = None) -> None:
        """Let him do this, and nothing else."""
        statement = {"Effect": "Allow", "Action": action, "Resource": resource}
        self.is_given(
            {"Version": "2012-10-17", "Statement": [statement | ({"Condition": condition} if condition else {})]}
        )

    def is_given(self, document: Mapping[str, Any]) -> None:
        """Give him this policy, and no other."""
        self._admin.put_user_policy(UserName="caller", PolicyName="only", PolicyDocument=json.dumps(document))

    def calls(self, action: str) -> tuple[list[str], bool]:
        """Call what an action allows: the resources that IAM was asked about, and whether it agreed."""
        service, _, name = action.partition(":")
        client_name, operation = CALLED.get(action, (service, name))
        client = self.client(client_name)
        shape = client.meta.service_model.operation_model(operation).input_shape
        given = {**GIVEN, **GIVEN_TO.get(service, {}), **GIVEN_TO.get(action, {})}
        names = () if shape is None else shape.members
        before = self._aws.calls()[-1].number
        try:
            getattr(client, xform_name(operation))(**{one: given[one] for one in names if given.get(one) is not None})
        except ClientError as refused:
            code = refused.response["Error"]["Code"]
            assert code not in {"InvalidAction", "UnknownOperationException", "NotImplemented"}, f"{action}: {code}"
        (call,) = [one for one in self._aws.calls(before) if one.principal.endswith(":user/caller")]
        asked = [check.resource for check in call.checks if check.action == action]
        return asked, all(check.allowed for check in call.checks)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAWS]:
    """An account of these tests alone, for what the caller is let do changes it; in whatever order they run."""
    with EmbeddedAWS.start(state=tmp_path_factory.mktemp("asked")) as running:
        logging_trail(running)
        yield running


@pytest.fixture(scope="module")
def caller(account: EmbeddedAWS) -> Caller:
    account.user("caller")
    iam = account.client("iam")
    iam.create_user(UserName="ada", Path="/people/")
    iam.create_group(GroupName="staff", Path="/team/")
    iam.create_role(RoleName="robot", Path="/robots/", AssumeRolePolicyDocument=TRUST)
    iam.create_policy(PolicyName="rights", Path="/kept/", PolicyDocument=DENY_NOTHING)
    account.client("s3").create_bucket(Bucket="acme-asked")
    table = account.client("dynamodb").create_table(
        TableName="asked",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    stream, streams = table["LatestStreamArn"], account.client("dynamodbstreams")
    shard = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=stream, ShardId=shard, ShardIteratorType="LATEST")["ShardIterator"]
    ARNS["dynamodb", "stream"] = stream
    GIVEN.update(StreamArn=stream, ResourceArn=stream, ShardId=shard, ShardIterator=iterator)
    # A call that names a key is about whose key it is.
    GIVEN["AccessKeyId"] = iam.create_access_key(UserName="ada")["AccessKey"]["AccessKeyId"]
    account.client("sqs").create_queue(QueueName="asked")
    account.client("sns").create_topic(Name="asked")
    return Caller(account)


@pytest.mark.parametrize("action", sorted({*USED, *DONE_TO_IT}))
def test_each_action_is_asked_of_the_right_resource(caller: Caller, action: str) -> None:
    service = action.partition(":")[0]
    kinds = [] if action in ON_NO_RESOURCE else types(action)
    right = next((ARNS[service, kind] for kind in kinds if (service, kind) in ARNS), "*")
    assert right != "*" or not kinds, f"there is no example of a {kinds}"
    other = ARNS["iam", "user"] if right == "*" else f"{right}-of-another"
    caller.may(action, right)
    assert ([right], True) == caller.calls(action)
    caller.may(action, other)
    assert ([right], False) == caller.calls(action)


def test_a_call_about_several_things_is_allowed_on_all_of_them(caller: Caller) -> None:
    cloudwatch = caller.client("cloudwatch")
    caller.may("cloudwatch:DeleteAlarms", f"{ARNS['cloudwatch', 'alarm']}*")
    cloudwatch.delete_alarms(AlarmNames=["spend", "spend-more"])
    with pytest.raises(ClientError, match=r"on resource: \S+:alarm:other"):
        cloudwatch.delete_alarms(AlarmNames=["spend", "other"])


def test_a_group_policy_is_attached_by_who_may_give_that_policy_to_that_group(caller: Caller) -> None:
    given, other = (f"arn:aws:iam::aws:policy/{name}" for name in ("job-function/Billing", "AdministratorAccess"))
    iam, staff = caller.client("iam"), ARNS["iam", "group"]
    caller.may("iam:*", staff, {"ArnEquals": {"iam:PolicyARN": given}})
    iam.attach_group_policy(GroupName="staff", PolicyArn=given)
    assert error(lambda: iam.attach_group_policy(GroupName="staff", PolicyArn=other)) == "AccessDenied"
    iam.detach_group_policy(GroupName="staff", PolicyArn=given)
    caller.may("iam:AttachGroupPolicy", given)
    assert error(lambda: iam.attach_group_policy(GroupName="staff", PolicyArn=given)) == "AccessDenied"


def test_a_role_is_given_to_a_service_by_who_may_pass_it_to_that_service(caller: Caller) -> None:
    """Source: IAM user guide, Grant a user permissions to pass a role to an AWS service."""
    client, robot = caller.client("lambda"), ARNS["sts", "role"]
    making = {"Effect": "Allow", "Action": "lambda:CreateFunction", "Resource": "*"}
    passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": robot}

    def to(service: str) -> Mapping[str, Any]:
        return passing | {"Condition": {"StringEquals": {"iam:PassedToService": service}}}

    def make() -> None:
        client.create_function(
            FunctionName="made", Runtime="python3.13", Role=robot, Handler="app.handler", Code={"ZipFile": CODE}
        )

    for given in ([making, to("events.amazonaws.com")], [making, passing | {"Resource": ARNS["iam", "user"]}]):
        caller.is_given({"Version": "2012-10-17", "Statement": given})
        assert "AccessDeniedException" == error(make)
    caller.is_given({"Version": "2012-10-17", "Statement": [making]})
    with pytest.raises(ClientError, match=rf"iam:PassRole on resource: {robot}"):
        make()
    caller.is_given({"Version": "2012-10-17", "Statement": [making, to("lambda.amazonaws.com")]})
    make()


def test_taking_a_limit_of_concurrency_off_is_an_action_of_its_own(caller: Caller) -> None:
    """Source: Service Authorization Reference, actions of AWS Lambda."""
    client = caller.client("lambda")
    caller.may("lambda:PutFunctionConcurrency", "*")
    assert "AccessDeniedException" == error(lambda: client.delete_function_concurrency(FunctionName="asked"))
    caller.may("lambda:DeleteFunctionConcurrency", "*")
    assert "ResourceNotFoundException" == error(lambda: client.delete_function_concurrency(FunctionName="asked"))


def test_a_statement_is_asked_as_what_it_does_on_its_table(caller: Caller) -> None:
    """Source: Amazon DynamoDB developer guide, Use IAM security policies with PartiQL for DynamoDB."""
    client, table = caller.client("dynamodb"), ARNS["dynamodb", "table"]
    insert = "INSERT INTO \"asked\" VALUE {'pk': 'partiql'}"
    caller.may("dynamodb:PartiQLInsert", table)
    client.execute_statement(Statement=insert)
    caller.may("dynamodb:PartiQLInsert", f"{table}-of-another")
    assert "AccessDeniedException" == error(lambda: client.execute_statement(Statement=insert))
    caller.may("dynamodb:PartiQLSelect", table)
    assert "AccessDeniedException" == error(lambda: client.execute_statement(Statement=insert))


def test_a_trigger_is_told_from_others_by_its_function(caller: Caller, account: EmbeddedAWS) -> None:
    """Source: AWS Lambda developer guide, Fine-tuning the Resources and Conditions sections of policies."""
    admin = account.client("lambda")
    for name in ("ours", "theirs"):
        admin.create_function(
            FunctionName=name, Runtime="python3.13", Role=ARNS["sts", "role"], Handler="app.handler",
            Code={"ZipFile": CODE},
        )  # fmt: skip
    account.client("sqs").create_queue(QueueName="feeding")
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:feeding"
    ours, theirs = (
        admin.create_event_source_mapping(FunctionName=name, EventSourceArn=queue, Enabled=False)["UUID"]
        for name in ("ours", "theirs")
    )
    only_ours = {"ArnLike": {"lambda:FunctionArn": "arn:aws:lambda:*:*:function:ours*"}}
    caller.may("lambda:*", "*", only_ours)
    client = caller.client("lambda")
    client.update_event_source_mapping(UUID=ours, BatchSize=5)
    assert "AccessDeniedException" == error(lambda: client.update_event_source_mapping(UUID=theirs, BatchSize=5))
    assert "AccessDeniedException" == error(lambda: client.delete_event_source_mapping(UUID=theirs))
    making = {"EventSourceArn": f"{queue}-2", "Enabled": False}
    assert "AccessDeniedException" == error(lambda: client.create_event_source_mapping(FunctionName="theirs", **making))
    client.create_event_source_mapping(FunctionName="ours", **making)
    client.delete_event_source_mapping(UUID=ours)


def test_a_budget_is_asked_about_by_the_name_in_its_document(caller: Caller) -> None:
    """Source: Service Authorization Reference, AWS Budget Service; AWS Budgets API reference, CreateBudget."""
    budgets, named = caller.client("budgets"), f"arn:aws:budgets::{ACCOUNT}:budget/mine"
    caller.may("budgets:ModifyBudget", named)
    mine = {"BudgetName": "mine", "BudgetType": "COST", "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "1", "Unit": "USD"}}  # fmt: skip
    budgets.create_budget(AccountId=ACCOUNT, Budget=mine)
    budgets.update_budget(AccountId=ACCOUNT, NewBudget=mine)
    theirs = {**mine, "BudgetName": "theirs"}
    assert "AccessDeniedException" == error(lambda: budgets.create_budget(AccountId=ACCOUNT, Budget=theirs))
    budgets.delete_budget(AccountId=ACCOUNT, BudgetName="mine")


# --- variables and the caller ---------------------------------------------------------------------


def test_a_variable_stands_for_the_caller_in_the_newer_version_and_for_itself_in_the_older(caller: Caller) -> None:
    iam, own = caller.client("iam"), "arn:aws:iam::*:user/${aws:username}"
    caller.may("iam:ListAccessKeys", own)
    iam.list_access_keys(UserName="caller")
    iam.list_access_keys()
    assert error(lambda: iam.list_access_keys(UserName="ada")) == "AccessDenied"
    statement = {"Effect": "Allow", "Action": "iam:ListAccessKeys", "Resource": own}
    caller.is_given({"Version": "2008-10-17", "Statement": [statement]})
    assert error(iam.list_access_keys) == "AccessDenied"


@pytest.mark.parametrize(
    ("resource", "allowed"),
    [
        ("arn:aws:iam::${aws:PrincipalAccount}:user/people/*", True),
        ("arn:aws:iam::*:user/people/${aws:PrincipalTag/name, 'ada'}", True),
        ("arn:aws:iam::*:user/people/${aws:PrincipalTag/name}", False),
        ("arn:aws:iam::*:user/people/${*}", False),
        ("arn:aws:iam::*:user/people/a${?}a", False),
        ("arn:aws:iam::*:user/people/a?a", True),
    ],
)
def test_variables_have_defaults_and_literal_wildcards(caller: Caller, resource: str, *, allowed: bool) -> None:
    caller.may("iam:GetUser", resource)
    assert ([ARNS["iam", "user"]], allowed) == caller.calls("iam:GetUser")


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"StringEquals": {"aws:username": "caller"}}, True),
        ({"StringEquals": {"aws:username": "ada"}}, False),
        ({"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:user/caller"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}}, False),
        ({"StringEquals": {"aws:PrincipalType": "User"}}, True),
        ({"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}, True),
        ({"Bool": {"aws:PrincipalIsAWSService": "false"}}, True),
        ({"StringEquals": {"aws:SourceAccount": ACCOUNT}}, False),
        ({"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}}, True),
        ({"Null": {"aws:SourceArn": "true"}}, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, False),
        ({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, True),
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
    ],
)
def test_condition_keys_say_who_calls_and_how(caller: Caller, condition: Mapping[str, Any], *, allowed: bool) -> None:
    caller.may("iam:GetUser", "*", condition)
    assert ([ARNS["iam", "user"]], allowed) == caller.calls("iam:GetUser")


def test_a_roles_session_is_known_by_the_roles_own_arn(caller: Caller, account: EmbeddedAWS) -> None:
    condition = {"ArnEquals": {"aws:PrincipalArn": ARNS["iam", "role"]}}
    statement = {"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*", "Condition": condition}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    account.client("iam").put_role_policy(RoleName="robot", PolicyName="only", PolicyDocument=document)
    key = account.client("sts").assume_role(RoleArn=ARNS["iam", "role"], RoleSessionName="session")["Credentials"]
    as_robot = account.session("root").client(
        "iam",
        endpoint_url=account.endpoint,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key["SessionToken"],
    )
    assert as_robot.get_user(UserName="ada")["User"]["Arn"] == ARNS["iam", "user"]


def test_the_simulator_decides_as_the_account_does(caller: Caller, account: EmbeddedAWS) -> None:
    own = f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"
    statements = [
        {"Effect": "Allow", "Action": "iam:*", "Resource": [own, f"arn:aws:iam::{ACCOUNT}:role/robots/*"]},
        {"Effect": "Deny", "Action": "iam:Delete*", "Resource": f"arn:aws:iam::{ACCOUNT}:role/robots/*"},
    ]
    caller.is_given({"Version": "2012-10-17", "Statement": statements})
    asked = [f"arn:aws:iam::{ACCOUNT}:user/caller", ARNS["iam", "role"], ARNS["iam", "user"]]
    decided = account.client("iam").simulate_principal_policy(
        PolicySourceArn=asked[0], ActionNames=["iam:GetUser", "iam:DeleteRole"], ResourceArns=asked
    )["EvaluationResults"]
    assert [(one["EvalActionName"], one["EvalResourceName"], one["EvalDecision"]) for one in decided] == [
        ("iam:GetUser", asked[0], "allowed"),
        ("iam:GetUser", asked[1], "allowed"),
        ("iam:GetUser", asked[2], "implicitDeny"),
        ("iam:DeleteRole", asked[0], "allowed"),
        ("iam:DeleteRole", asked[1], "explicitDeny"),
        ("iam:DeleteRole", asked[2], "implicitDeny"),
    ]
    iam = caller.client("iam")
    iam.get_user(UserName="caller")
    assert error(lambda: iam.get_user(UserName="ada")) == "AccessDenied"
    assert error(lambda: iam.delete_role(RoleName="robot")) == "AccessDenied"
