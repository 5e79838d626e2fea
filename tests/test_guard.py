"""The guard: whoever carries it can read what is Plumbline's, and change none of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import cfnlint
import pytest

from plumbline.rights.account import Principal
from plumbline.rights.effective import Memo, may
from tests.deployed import LONGEST_NAMES, as_deployed, of_type, properties, transformed

#: For each action of AWS the kinds of resources that it takes. Source: Service Authorization Reference, as cfn-lint
#: brings it along.
ACTIONS: Mapping[str, Any] = json.loads(
    (Path(cfnlint.__file__).parent / "data/AdditionalSpecs/Policies.json").read_text()
)
#: The beginnings of the names of actions that change nothing and hide nothing.
READS = (
    *("describe", "get", "list", "batchget", "query", "scan", "partiqlselect", "filter", "generate"),
    *("startquery", "startlivetail"),
)
#: Those that change nothing either, are denied all the same, and that nobody needs on a thing of Plumbline's.
MORE_READS = {
    "cloudformation": {"detectstackdrift", "detectstackresourcedrift", "detectstacksetdrift"},
    "dynamodb": {"conditioncheckitem"},
    "iam": {"simulateprincipalpolicy"},
}


@cache
def _resolved(value: str) -> Any:
    return as_deployed(json.loads(value), transformed()["Resources"], LONGEST_NAMES)


def deployed(value: Any) -> Any:
    """A part of the template with the names that it has once it is deployed."""
    return _resolved(json.dumps(value))


def guard() -> Mapping[str, Any]:
    """What the guard says once it is deployed."""
    document: Mapping[str, Any] = deployed(properties("AWS::IAM::ManagedPolicy")["GuardPolicy"]["PolicyDocument"])
    return document


def _holder(*documents: Mapping[str, Any]) -> Principal:
    everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    return Principal("arn:aws-us-gov:iam::111122223333:user/maria", "maria", "user", documents=(everything, *documents))


#: A type of CloudFormation -> service and kinds of resource of the Service Authorization Reference, each with what
#: follows the ARN where an action is about a part of it.
_PARTS = {
    "AWS::Lambda::Function": ("lambda", {"function": "", "function version": ":7", "function alias": ":live"}),
    "AWS::IAM::Role": ("iam", {"role": ""}),
    "AWS::SQS::Queue": ("sqs", {"queue": ""}),
    "AWS::SNS::Topic": ("sns", {"topic": ""}),
    "AWS::CloudWatch::Alarm": ("cloudwatch", {"alarm": ""}),
    "AWS::DynamoDB::Table": (
        "dynamodb",
        {"table": "", "index": "/index/open", "stream": "/stream/2026-03-02T09:30:00.000", "backup": "/backup/0123"},
    ),
}
_ARN = "arn:aws-us-gov:{}:ap-southeast-2:111122223333:{}"


def _own() -> Iterator[tuple[str, str, str]]:
    """Service, kind and ARN of everything that the stack makes and somebody could change."""
    for kind, (service, parts) in _PARTS.items():
        for name in of_type(kind):
            arn = deployed({"Fn::GetAtt": [name, "Arn"]})
            yield from ((service, part, arn + tail) for part, tail in parts.items())
    for one in properties("AWS::IAM::ManagedPolicy"):
        yield "iam", "policy", deployed({"Ref": one})
    for rule in properties("AWS::Events::Rule").values():
        if "EventBusName" in rule:
            bus = deployed(properties("AWS::Events::EventBus")[rule["EventBusName"]["Ref"]]["Name"])
            yield "events", "rule-on-custom-event-bus", _ARN.format("events", f"rule/{bus}/{deployed(rule['Name'])}")
        else:
            yield "events", "rule-on-default-event-bus", _ARN.format("events", f"rule/{deployed(rule['Name'])}")
    yield from _reach()
    for log in properties("AWS::Logs::LogGroup").values():
        if "LogGroupName" in log:  # that of `names` tells who deployed when, and nothing depends on it
            group = _ARN.format("logs", f"log-group:{deployed(log['LogGroupName'])}")
            yield from (("logs", "log-group", f"{group}{tail}") for tail in ("", ":*"))
            yield "logs", "log-stream", f"{group}:log-stream:2026"
    trail = deployed({"Fn::GetAtt": ["Names", "Trail"]})  # the stack's own, or the one that it was told to use
    yield "cloudtrail", "trail", _ARN.format("cloudtrail", f"trail/{trail}")
    for kept in properties("AWS::S3::Bucket").values():
        bucket = f"arn:aws-us-gov:s3:::{deployed(kept['BucketName'])}"
        yield from (("s3", "bucket", bucket), ("s3", "object", f"{bucket}/AWSLogs/111122223333/x.json.gz"))
    layer = _ARN.format("lambda", f"layer:{LONGEST_NAMES['AWS::StackName']}")
    yield from (("lambda", "layer", layer), ("lambda", "layerversion", f"{layer}:7"))
    yield "cloudformation", "stack", LONGEST_NAMES["AWS::StackId"]


def _reach() -> Iterator[tuple[str, str, str]]:
    """The bus that other regions put events onto, and what puts them there."""
    for bus in properties("AWS::Events::EventBus").values():
        yield "events", "event-bus", _ARN.format("events", f"event-bus/{deployed(bus['Name'])}")
    for one in properties("AWS::CloudFormation::StackSet").values():
        called = deployed(one["StackSetName"])
        yield "cloudformation", "stackset", _ARN.format("cloudformation", f"stackset/{called}:0a1b")
        yield "cloudformation", "stack", _ARN.format("cloudformation", f"stack/StackSet-{called}-0a1b/2c3d")


def _taken(service: str, kind: str) -> list[str]:
    """The actions that AWS asks about a kind of resource, in lower case."""
    actions: Mapping[str, Mapping[str, list[str]]] = ACTIONS[service]["Actions"]
    return sorted(
        name for name, about in actions.items() if kind in [one.lower() for one in about.get("Resources", ())]
    )


OWN = tuple(_own())


@pytest.mark.parametrize("reads", [False, True], ids=["changed", "read"])
def test_whatever_is_plumblines_can_be_read_and_not_changed_by_any_action_that_aws_has(reads: bool) -> None:  # noqa: FBT001
    holder, memo = _holder(guard()), Memo()
    judged = [
        (f"{service}:{action}", arn, bool(may(holder, f"{service}:{action}", arn, memo=memo)))
        for service, kind, arn in OWN
        for action in _taken(service, kind)
        if action.startswith(READS) == reads and action not in MORE_READS.get(service, ())
    ]
    assert len(judged) > 100
    assert [] == [one for one in judged if one[2] != reads]


def test_every_kind_of_resource_that_the_stack_makes_is_asked_about() -> None:
    """Nobody can be told of the rest by an ARN, or changes Plumbline by it."""
    parts = {
        "AWS::Lambda::EventSourceMapping",  # by its function: see below
        "AWS::Lambda::Permission",  # a part of its function
        "AWS::SNS::Subscription",  # as its topic: a subscription's ARN is below it
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::S3::BucketPolicy",
        "AWS::CloudFormation::WaitConditionHandle",
    }
    made = {one["Type"] for one in transformed()["Resources"].values() if not one["Type"].startswith("Custom::")}
    judged = {*_PARTS, "AWS::IAM::ManagedPolicy", "AWS::Events::Rule", "AWS::Logs::LogGroup", "AWS::CloudTrail::Trail",
              "AWS::S3::Bucket", "AWS::Lambda::LayerVersion", "AWS::Events::EventBus",
              "AWS::CloudFormation::StackSet"}  # fmt: skip
    assert made - parts == judged


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("sns:Unsubscribe", "alerts:0f1e2d3c-0000-4000-8000-000000000000"),
        ("sns:SetSubscriptionAttributes", "alerts:0f1e2d3c-0000-4000-8000-000000000000"),
        ("sns:SetSubscriptionAttributes", "watchdog:0f1e2d3c-0000-4000-8000-000000000000"),
        ("sns:Subscribe", "alerts"),
        ("sns:Publish", "chat"),
    ],
)
def test_who_hears_cannot_be_changed(action: str, resource: str) -> None:
    topic: str = deployed({"Fn::GetAtt": ["AlertsTopic", "Arn"]})
    assert not may(_holder(guard()), action, topic.removesuffix("alerts") + resource)


def test_a_trigger_is_known_by_its_function() -> None:
    """A mapping's ARN is a number, and one that is made has none.

    Source: Lambda developer guide, Fine-tuning the Resources and Conditions sections of policies.
    """
    mapping = _ARN.format("lambda", "event-source-mapping:11112222-3333-4444-5555-666677778888")
    holder = _holder(guard())
    for logical in {one["FunctionName"]["Ref"] for one in properties("AWS::Lambda::EventSourceMapping").values()}:
        known = {"lambda:FunctionArn": deployed({"Fn::GetAtt": [logical, "Arn"]})}
        for action, arn in (("Create", "*"), ("Update", mapping), ("Delete", mapping)):
            assert not may(holder, f"lambda:{action}EventSourceMapping", arn, known), (logical, action)
    other = {"lambda:FunctionArn": _ARN.format("lambda", "function:orders")}
    assert may(holder, "lambda:UpdateEventSourceMapping", mapping, other)
    assert may(holder, "lambda:GetEventSourceMapping", mapping, {})


@pytest.mark.parametrize("verb", ["Attach", "Detach"])
@pytest.mark.parametrize("kind", ["User", "Group", "Role"])
def test_neither_the_guard_nor_the_operators_policy_is_given_or_taken(verb: str, kind: str) -> None:
    somebody = f"arn:aws-us-gov:iam::111122223333:{kind.lower()}/somebody"
    holder = _holder(guard())
    for logical in ("GuardPolicy", "OperatorPolicy"):
        name = deployed(properties("AWS::IAM::ManagedPolicy")[logical]["ManagedPolicyName"])
        policy = {"iam:PolicyARN": f"arn:aws-us-gov:iam::111122223333:policy/plumbline/{name}"}
        assert not may(holder, f"iam:{verb}{kind}Policy", somebody, policy), logical
    other = {"iam:PolicyARN": "arn:aws-us-gov:iam::111122223333:policy/orders"}
    assert may(holder, f"iam:{verb}{kind}Policy", somebody, other)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("events:PutRule", _ARN.format("events", "rule/<prefix>-evil")),
        ("events:PutTargets", _ARN.format("events", "rule/<prefix>-evil")),
        ("events:UpdateEventBus", _ARN.format("events", "event-bus/default")),
        ("iam:CreateRole", "arn:aws-us-gov:iam::111122223333:role/plumbline/<prefix>-backup"),
        ("iam:PassRole", "arn:aws-us-gov:iam::111122223333:role/plumbline/<prefix>-hands"),
        ("sts:AssumeRole", "arn:aws-us-gov:iam::111122223333:role/plumbline/<prefix>-hands"),
        ("cloudwatch:PutAlarmMuteRule", _ARN.format("cloudwatch", "alarm:<prefix>-sweep-stopped")),
        ("lambda:InvokeFunction", _ARN.format("lambda", "function:<prefix>-operate:$LATEST")),
        ("s3:PutObject", "arn:aws-us-gov:s3:::aws-sam-cli-managed-default-samclisourcebucket-1a2b/<stack>/0123.zip"),
    ],
)
def test_nothing_takes_the_place_of_what_is_plumblines(action: str, resource: str) -> None:
    prefix = deployed({"Fn::GetAtt": ["Names", "Prefix"]})
    arn = resource.replace("<prefix>", prefix).replace("<stack>", LONGEST_NAMES["AWS::StackName"])
    assert not may(_holder(guard()), action, arn)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("lambda:UpdateFunctionCode", _ARN.format("lambda", "function:orders")),
        ("lambda:UpdateFunctionCode", _ARN.format("lambda", "function:<prefix>-orders")),
        ("logs:PutLogEvents", _ARN.format("logs", "log-group:/aws/lambda/<prefix>-orders:log-stream:2026")),
        ("sqs:SendMessage", _ARN.format("sqs", "<prefix>-orders")),
        ("sns:Publish", _ARN.format("sns", "<prefix>-orders")),
        ("dynamodb:PutItem", _ARN.format("dynamodb", "table/orders")),
        ("events:PutRule", _ARN.format("events", "rule/orders")),
        ("events:PutEvents", _ARN.format("events", "event-bus/default")),
        ("iam:PassRole", "arn:aws-us-gov:iam::111122223333:role/orders"),
        ("iam:DeletePolicy", "arn:aws-us-gov:iam::111122223333:policy/plumbline/user-maria-inline"),
        ("cloudformation:UpdateStack", _ARN.format("cloudformation", "stack/orders/1a2b")),
        ("s3:PutObject", "arn:aws-us-gov:s3:::aws-sam-cli-managed-default-samclisourcebucket-1a2b/orders/0123.zip"),
    ],
)
def test_it_takes_nothing_else_from_its_holder(action: str, resource: str) -> None:
    arn = resource.replace("<prefix>", deployed({"Fn::GetAtt": ["Names", "Prefix"]}))
    assert may(_holder(guard()), action, arn)


def test_it_gives_nothing() -> None:
    assert {"Deny"} == {one["Effect"] for one in guard()["Statement"]}
