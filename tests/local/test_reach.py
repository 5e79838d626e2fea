"""One template that hears of every region: a bus at home, and a StackSet of rules that send to it, as AWS's pieces fit.

Source: AWS CloudFormation user guide, "Grant self-managed permissions"; Amazon EventBridge user guide, "Sending and
receiving events between Regions".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.embedded import ACCOUNT, EmbeddedAWS
from tests.local.test_events import Rule
from tests.trails import logging_trail

HOME, VIRGINIA, IRELAND, HONG_KONG = "ap-southeast-2", "us-east-1", "eu-west-1", "ap-east-1"
REGIONS = [VIRGINIA, IRELAND]
BUS = f"arn:aws:events:{HOME}:{ACCOUNT}:event-bus/home"


def _role(name: str, trusted: Mapping[str, Any], *statements: Mapping[str, Any]) -> dict[str, Any]:
    """A role of the template: its name, who may be it, and what it may."""

    def document(*listed: Mapping[str, Any]) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in listed]}

    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": name,
            "AssumeRolePolicyDocument": document({"Principal": trusted, "Action": "sts:AssumeRole"}),
            "Policies": [{"PolicyName": "only", "PolicyDocument": document(*statements)}],
        },
    }


def _arn(role: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{role}"


FORWARDER = {
    "Resources": {
        "Letters": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "letters"}},
        "LettersPolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Letters"}],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "events.amazonaws.com"},
                            "Action": "sqs:SendMessage",
                            "Resource": {"Fn::GetAtt": ["Letters", "Arn"]},
                            "Condition": {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["Forward", "Arn"]}}},
                        }
                    ],
                },
            },
        },
        "Forward": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": "forward",
                "EventPattern": {"source": ["aws.iam", "aws.sns"]},
                "Targets": [
                    {
                        "Id": "home",
                        "Arn": BUS,
                        "RoleArn": _arn("forwarder"),
                        "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Letters", "Arn"]}},
                    }
                ],
            },
        },
        "Heartbeat": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": "heartbeat",
                "ScheduleExpression": "rate(15 minutes)",
                "Targets": [{"Id": "home", "Arn": BUS, "RoleArn": _arn("forwarder")}],
            },
        },
    }
}


def _template(regions: list[str]) -> str:
    services = ["cloudformation.amazonaws.com", f"cloudformation.{HONG_KONG}.amazonaws.com"]
    put = {"Action": "events:PutEvents", "Resource": BUS}
    deploy = [
        {"Action": "cloudformation:*", "Resource": f"arn:aws:cloudformation:*:{ACCOUNT}:stack/StackSet-forwarders-*"},
        {"Action": "events:*", "Resource": f"arn:aws:events:*:{ACCOUNT}:rule/*"},
        {"Action": "sqs:*", "Resource": f"arn:aws:sqs:*:{ACCOUNT}:letters"},
        {"Action": "iam:PassRole", "Resource": _arn("forwarder")},
    ]
    become = {"Action": "sts:AssumeRole", "Resource": _arn("stackset")}
    only_forwarders = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "events:PutEvents",
        "Resource": BUS,
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": _arn("forwarder")}},
    }
    stack_set = {
        "Type": "AWS::CloudFormation::StackSet",
        "DependsOn": ["Administration", "Execution", "Forwarder"],
        "Properties": {
            "StackSetName": "forwarders",
            "PermissionModel": "SELF_MANAGED",
            "AdministrationRoleARN": _arn("stacksets"),
            "ExecutionRoleName": "stackset",
            "TemplateBody": json.dumps(FORWARDER),
            "OperationPreferences": {"RegionConcurrencyType": "PARALLEL", "FailureToleranceCount": 0},
            "StackInstancesGroup": [
                {"DeploymentTargets": {"Accounts": [{"Ref": "AWS::AccountId"}]}, "Regions": regions}
            ],
        },
    }
    bus_policy = {"EventBusName": {"Ref": "Bus"}, "StatementId": "OnlyForwarders", "Statement": only_forwarders}
    resources = {
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "home"}},
        "BusPolicy": {"Type": "AWS::Events::EventBusPolicy", "Properties": bus_policy},
        "Forwarder": _role("forwarder", {"Service": "events.amazonaws.com"}, put),
        "Administration": _role("stacksets", {"Service": services}, become),
        "Execution": {
            **_role("stackset", {"AWS": {"Fn::GetAtt": ["Administration", "Arn"]}}, *deploy),
            "DependsOn": "Administration",
        },
        "Forwarders": stack_set,
    }
    return json.dumps({"Resources": resources})


class Deployed:
    """The stack, and what its bus has heard."""

    def __init__(self, aws: EmbeddedAWS) -> None:
        self._aws, self._stacks = aws, aws.client("cloudformation")

    def be(self, call: str, wanted: str, regions: list[str] | None = None) -> None:
        """Change the stack, and wait for its end."""
        body = {"TemplateBody": _template(regions), "Capabilities": ["CAPABILITY_NAMED_IAM"]} if regions else {}
        getattr(self._stacks, call)(StackName="reach", **body)

        def status() -> str:
            listed = [one for one in self._stacks.list_stacks()["StackSummaries"] if one["StackName"] == "reach"]
            return str(listed[-1]["StackStatus"])

        self._aws.wait(lambda: not status().endswith("IN_PROGRESS"), what=wanted)
        failed = [
            one.get("ResourceStatusReason")
            for one in self._stacks.describe_stack_events(StackName="reach")["StackEvents"]
            if one["ResourceStatus"].endswith("FAILED")
        ] if status() != wanted and wanted != "DELETE_COMPLETE" else []  # fmt: skip
        assert (status(), failed) == (wanted, [])


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAWS]:
    with EmbeddedAWS.start(state=tmp_path_factory.mktemp("reach"), region=HOME) as running:
        logging_trail(running)
        yield running


@pytest.fixture(scope="module")
def stack(aws: EmbeddedAWS) -> Deployed:
    deployed = Deployed(aws)
    deployed.be("create_stack", "CREATE_COMPLETE", REGIONS)
    return deployed


@pytest.fixture(scope="module")
def home(aws: EmbeddedAWS, stack: Deployed) -> Rule:
    return Rule(aws, "arrived", {"account": [ACCOUNT]}, bus="home")


def _arrives(home: Rule, **detail: object) -> dict[str, Any]:
    """The event that arrives at home with these in its detail."""

    def found(heard: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [one for one in heard if detail.items() <= one["detail"].items()]

    return found(home.wait(lambda heard: bool(found(heard))))[0]


def test_what_happens_elsewhere_is_heard_at_home(aws: EmbeddedAWS, home: Rule) -> None:
    aws.client("iam").create_user(UserName="far-away")
    assert _arrives(home, eventName="CreateUser")["region"] == VIRGINIA
    aws.client("sns", region=IRELAND).create_topic(Name="in-ireland")
    assert _arrives(home, eventName="CreateTopic")["region"] == IRELAND
    assert aws.fire("heartbeat", region=IRELAND) == 1
    home.wait(lambda heard: any(one["detail-type"] == "Scheduled Event" for one in heard))


def test_nobody_else_puts_events_on_the_bus(aws: EmbeddedAWS, home: Rule) -> None:
    entry = {"Source": "acme", "DetailType": "made up", "Detail": "{}", "EventBusName": "home"}
    with pytest.raises(ClientError, match="AccessDeniedException"):
        aws.client("events").put_events(Entries=[entry])


def test_a_region_is_added_once_the_account_has_it(aws: EmbeddedAWS, stack: Deployed, home: Rule) -> None:
    aws.enable_region(HONG_KONG)
    stack.be("update_stack", "UPDATE_COMPLETE", [*REGIONS, HONG_KONG])
    aws.client("sns", region=HONG_KONG).create_topic(Name="in-hong-kong")
    assert _arrives(home, awsRegion=HONG_KONG)["detail"]["eventName"] == "CreateTopic"
    stack.be("update_stack", "UPDATE_COMPLETE", REGIONS)
    assert aws.client("events", region=HONG_KONG).list_rules()["Rules"] == []


def test_deleting_the_stack_leaves_nothing_in_any_region(aws: EmbeddedAWS, stack: Deployed, home: Rule) -> None:
    home.end()
    stack.be("delete_stack", "DELETE_COMPLETE")
    for region in REGIONS:
        there = aws.client("cloudformation", region=region).describe_stacks()["Stacks"]
        assert (there, aws.client("events", region=region).list_rules()["Rules"]) == ([], [])
