"""Buses of the embedded AWS: who may put on them, from where, how often an event goes on, and what becomes of the rest.

Source: Amazon EventBridge user guide, "Sending and receiving events between Regions", "Permissions for event buses" and
"Using dead-letter queues to process undelivered events"; Amazon EventBridge API reference.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from local.embedded import ACCOUNT, EmbeddedAWS
from tests.local.conftest import error, forwarding_role
from tests.local.test_events import Rule
from tests.trails import logging_trail

# A home that was opted into; most others are ap-southeast-2 or us-east-1.
HOME, IRELAND, FRANKFURT = "ap-southeast-4", "eu-west-1", "eu-central-1"
BUS = f"arn:aws:events:{HOME}:{ACCOUNT}:event-bus/home"
STRANGER = "999988887777"
OF_QUEUES = {
    "source": ["aws.sqs"],
    "detail": {
        "eventName": ["CreateQueue"],
        "requestParameters": {"queueName": [{"anything-but": {"suffix": "-letters"}}]},
    },
}
EVERYTHING = {"account": [ACCOUNT]}
HEARTBEAT = {"detail-type": ["Scheduled Event"]}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAWS]:
    with EmbeddedAWS.start(state=tmp_path_factory.mktemp("buses"), region=HOME) as running:
        logging_trail(running)
        running.client("events").create_event_bus(Name="home")
        yield running


@pytest.fixture(scope="module")
def role(aws: EmbeddedAWS) -> str:
    return forwarding_role(aws, "forwarder", f"arn:aws:events:*:{ACCOUNT}:event-bus/*")


@pytest.fixture
def listen(aws: EmbeddedAWS) -> Iterator[Callable[..., Rule]]:
    made: list[Rule] = []

    def make(name: str, pattern: object = EVERYTHING, **where: str) -> Rule:
        made.append(Rule(aws, name, pattern, **where))
        return made[-1]

    yield make
    for one in made:
        one.end()


class Forwarder:
    """A rule of one region that sends to a bus, and the queue of what did not arrive."""

    def __init__(self, aws: EmbeddedAWS, region: str, name: str, bus: str = "default") -> None:
        self._region, self._name, self._bus = region, name, bus
        self._sqs, self.events = aws.client("sqs", region=region), aws.client("events", region=region)
        rule = name if bus == "default" else f"{bus}/{name}"
        self.arn = f"arn:aws:events:{region}:{ACCOUNT}:rule/{rule}"
        self._letters = f"arn:aws:sqs:{region}:{ACCOUNT}:{name}-letters"
        self._url = self._sqs.create_queue(QueueName=f"{name}-letters")["QueueUrl"]
        self.let_eventbridge_send(self.arn)

    def let_eventbridge_send(self, rule: str) -> None:
        """Let the queue take what a rule could not deliver, and no other's."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": self._letters,
            "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})

    def to(self, bus: str, role: str, pattern: object = OF_QUEUES, **target: Any) -> None:
        """Send to a bus in a role, or to another target in none."""
        self.events.put_rule(Name=self._name, EventBusName=self._bus, EventPattern=json.dumps(pattern))
        in_a_role = {"RoleArn": role} if role else {}
        self.put({"Id": "bus", "Arn": bus, **in_a_role, "DeadLetterConfig": {"Arn": self._letters}, **target})

    def put(self, target: Mapping[str, Any]) -> None:
        """Give the rule a target."""
        self.events.put_targets(Rule=self._name, EventBusName=self._bus, Targets=[target])

    def letters(self) -> list[tuple[dict[str, str], dict[str, Any]]]:
        """What did not arrive: why, and the event."""
        found = self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=0
        ).get("Messages", [])
        return [
            ({key: value["StringValue"] for key, value in one["MessageAttributes"].items()}, json.loads(one["Body"]))
            for one in found
        ]

    def end(self) -> None:
        """Take the rule away."""
        self.events.remove_targets(Rule=self._name, EventBusName=self._bus, Ids=["bus"])
        self.events.delete_rule(Name=self._name, EventBusName=self._bus)


def _happens(aws: EmbeddedAWS, region: str, name: str) -> None:
    aws.client("sqs", region=region).create_queue(QueueName=name)


def _names(heard: list[dict[str, Any]]) -> list[str]:
    return [one["detail"]["requestParameters"]["queueName"] for one in heard if "requestParameters" in one["detail"]]


# --- one hop --------------------------------------------------------------------------------------


def test_an_event_arrives_on_a_bus_elsewhere_as_it_was(
    aws: EmbeddedAWS, role: str, listen: Callable[..., Rule]
) -> None:
    there = listen("there", OF_QUEUES, region=IRELAND)
    here = listen("here", bus="home")
    forwarder = Forwarder(aws, IRELAND, "forward")
    forwarder.to(BUS, role)
    _happens(aws, IRELAND, "in-ireland")
    (arrived,) = here.wait(bool)
    (sent,) = [one for one in there.heard() if _names([one]) == ["in-ireland"]]
    assert sent == arrived
    assert (arrived["region"], arrived["account"], arrived["source"]) == (IRELAND, ACCOUNT, "aws.sqs")
    assert forwarder.letters() == []
    forwarder.end()


def test_an_event_crosses_into_another_region_once(aws: EmbeddedAWS, role: str, listen: Callable[..., Rule]) -> None:
    aws.client("events", region=FRANKFURT).create_event_bus(Name="between")
    between = f"arn:aws:events:{FRANKFURT}:{ACCOUNT}:event-bus/between"
    here, reached = listen("once", bus="home"), listen("reached", region=FRANKFURT, bus="between")
    first = Forwarder(aws, IRELAND, "first")
    second = Forwarder(aws, FRANKFURT, "second", bus="between")
    first.to(between, role)
    second.to(BUS, role, EVERYTHING)
    _happens(aws, IRELAND, "too-far")
    reached.wait(bool)
    aws.wait(second.letters, what="what may not go on")
    ((why, event),) = second.letters()
    assert why == {
        "ERROR_CODE": "THIRD_REGION_HOP_DETECTED",
        "ERROR_MESSAGE": why["ERROR_MESSAGE"],
        "RULE_ARN": second.arn,
        "TARGET_ARN": BUS,
    }
    assert (_names([event]), event["region"]) == (["too-far"], IRELAND)
    assert here.heard() == []
    for one in (first, second):
        one.end()


def test_an_event_goes_from_bus_to_bus_within_a_region_once_and_then_still_crosses(
    aws: EmbeddedAWS, role: str, listen: Callable[..., Rule]
) -> None:
    """Source: Sending and receiving events between event buses in the same account and Region."""
    events = aws.client("events", region=IRELAND)
    for name in ("one", "two"):
        events.create_event_bus(Name=name)
    one, two = (f"arn:aws:events:{IRELAND}:{ACCOUNT}:event-bus/{name}" for name in ("one", "two"))
    here = listen("after-both", bus="home")
    onto, on, across = Forwarder(aws, IRELAND, "onto"), Forwarder(aws, IRELAND, "on", "one"), None
    onto.to(one, role)
    on.to(two, role, EVERYTHING)
    across = Forwarder(aws, IRELAND, "across", "one")
    across.to(BUS, role, EVERYTHING)
    _happens(aws, IRELAND, "twice")
    aws.wait(on.letters, what="what may not go on")
    assert on.letters()[0][0]["ERROR_CODE"] == "THIRD_ACCOUNT_HOP_DETECTED"
    assert _names(here.wait(bool)) == ["twice"]
    for each in (onto, on, across):
        each.end()


# --- who may --------------------------------------------------------------------------------------


def _policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def test_a_role_that_may_not_put_on_the_bus_leaves_the_event_in_the_queue(
    aws: EmbeddedAWS, listen: Callable[..., Rule]
) -> None:
    iam, here = aws.client("iam"), listen("refused", bus="home")
    forwarder = Forwarder(aws, IRELAND, "refusing")
    role = forwarding_role(aws, "narrow", f"{BUS}-of-another")
    forwarder.to(BUS, role)
    _happens(aws, IRELAND, "not-allowed")
    aws.wait(forwarder.letters, what="the dead letter")
    (why, event) = forwarder.letters()[0]
    assert (why["ERROR_CODE"], why["TARGET_ARN"], _names([event])) == ("NO_PERMISSIONS", BUS, ["not-allowed"])
    right = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": BUS}
    iam.put_role_policy(RoleName="narrow", PolicyName="put", PolicyDocument=_policy(right))
    somebody = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trusted = iam.get_role(RoleName="narrow")["Role"]["AssumeRolePolicyDocument"]
    iam.update_assume_role_policy(RoleName="narrow", PolicyDocument=_policy(somebody))
    _happens(aws, IRELAND, "not-trusted")
    aws.wait(lambda: len(forwarder.letters()) == 2, what="the second dead letter")
    iam.update_assume_role_policy(RoleName="narrow", PolicyDocument=json.dumps(trusted))
    _happens(aws, IRELAND, "allowed")
    assert _names(here.wait(bool)) == ["allowed"]
    forwarder.end()


def test_a_role_may_be_trusted_for_one_rule_only(aws: EmbeddedAWS, listen: Callable[..., Rule]) -> None:
    here = listen("by-rule", bus="home")
    forwarder = Forwarder(aws, IRELAND, "trusted")
    role = forwarding_role(aws, "by-rule", BUS)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"ArnEquals": {"aws:SourceArn": forwarder.arn}, "StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    iam = aws.client("iam")
    iam.update_assume_role_policy(RoleName="by-rule", PolicyDocument=_policy(statement))
    forwarder.to(BUS, role)
    _happens(aws, IRELAND, "by-its-rule")
    assert _names(here.wait(bool)) == ["by-its-rule"]
    statement["Condition"] = {"ArnEquals": {"aws:SourceArn": f"{forwarder.arn}-2"}}
    iam.update_assume_role_policy(RoleName="by-rule", PolicyDocument=_policy(statement))
    _happens(aws, IRELAND, "by-another")
    aws.wait(forwarder.letters, what="the dead letter")
    forwarder.end()


def test_a_bus_takes_events_of_those_only_whom_its_policy_does_not_deny(
    aws: EmbeddedAWS, role: str, listen: Callable[..., Rule]
) -> None:
    """In one account the rights of an identity are enough, so only a Deny keeps the bus to one role."""
    events, here = aws.client("events"), listen("denied", bus="home")
    other = forwarding_role(aws, "another-forwarder", BUS)
    only_ours = {
        "Sid": "OnlyOurs",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "events:PutEvents",
        "Resource": BUS,
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": role}},
    }
    events.put_permission(EventBusName="home", Policy=_policy(only_ours))
    assert json.loads(events.describe_event_bus(Name=BUS)["Policy"])["Statement"] == [only_ours]
    entry = {"Source": "acme", "DetailType": "made up", "Detail": "{}", "EventBusName": "home"}
    assert error(lambda: events.put_events(Entries=[entry])) == "AccessDeniedException"
    theirs, ours = Forwarder(aws, IRELAND, "theirs"), Forwarder(aws, FRANKFURT, "ours")
    theirs.to(BUS, other)
    ours.to(BUS, role)
    _happens(aws, IRELAND, "by-theirs")
    _happens(aws, FRANKFURT, "by-ours")
    aws.wait(theirs.letters, what="the dead letter")
    assert theirs.letters()[0][0]["ERROR_CODE"] == "NO_PERMISSIONS"
    assert _names(here.wait(bool)) == ["by-ours"]
    events.remove_permission(EventBusName="home", StatementId="OnlyOurs")
    assert error(lambda: events.remove_permission(EventBusName="home", StatementId="OnlyOurs")) == (
        "ResourceNotFoundException"
    )
    assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    for one in (theirs, ours):
        one.end()


# --- what is lost ---------------------------------------------------------------------------------


def test_what_has_no_target_any_more_is_counted_and_kept_where_the_queue_allows_it(aws: EmbeddedAWS, role: str) -> None:
    forwarder = Forwarder(aws, IRELAND, "nowhere")
    forwarder.to(f"{BUS}-that-was", role)
    _happens(aws, IRELAND, "lost-at-first")
    aws.wait(forwarder.letters, what="the dead letter")
    assert forwarder.letters()[0][0]["ERROR_CODE"] == "NO_RESOURCE"
    forwarder.let_eventbridge_send(f"{forwarder.arn}-2")
    _happens(aws, IRELAND, "lost-for-good")

    def counted(metric: str) -> float:
        rule = [{"Name": "RuleName", "Value": "nowhere"}]
        points = aws.client("cloudwatch", region=IRELAND).get_metric_statistics(
            Namespace="AWS/Events", MetricName=metric, Dimensions=rule, Statistics=["Sum"], Period=3600,
            StartTime="2020-01-01T00:00:00Z", EndTime="2100-01-01T00:00:00Z",
        )["Datapoints"]  # fmt: skip
        return float(sum(one["Sum"] for one in points))

    aws.wait(lambda: counted("FailedInvocations") == 2, what="both failures")
    assert (counted("InvocationsSentToDlq"), counted("InvocationsFailedToBeSentToDlq")) == (1, 1)
    assert len(forwarder.letters()) == 1
    forwarder.end()


@pytest.mark.parametrize("target", ["sqs:{}:{}:gone", "sns:{}:{}:gone", "lambda:{}:{}:function:gone"])
def test_an_event_for_a_target_that_is_gone_is_a_dead_letter_too(aws: EmbeddedAWS, target: str) -> None:
    forwarder = Forwarder(aws, IRELAND, f"gone-{target.partition(':')[0]}")
    arn = f"arn:aws:{target.format(IRELAND, ACCOUNT)}"
    forwarder.to(arn, "")
    _happens(aws, IRELAND, f"for-{target.partition(':')[0]}")
    aws.wait(forwarder.letters, what="the dead letter")
    ((why, event),) = forwarder.letters()
    assert (why["ERROR_CODE"], why["TARGET_ARN"], event["source"]) == ("NO_RESOURCE", arn, "aws.sqs")
    forwarder.end()


def test_a_rule_of_a_stranger_reaches_the_bus_only_by_its_policy(aws: EmbeddedAWS, listen: Callable[..., Rule]) -> None:
    """Source: Permissions for event buses: across accounts both sides have to allow."""
    here, events = listen("of-strangers", {"source": ["acme.theirs"]}, bus="home"), aws.client("events")
    iam = aws.client("iam", as_=STRANGER)
    trust = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    right = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": BUS}
    role = iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="theirs", PolicyName="put", PolicyDocument=_policy(right))
    theirs = aws.client("events", as_=STRANGER, region=IRELAND)
    theirs.put_rule(Name="intrude", EventPattern=json.dumps({"source": ["acme.theirs"]}))
    theirs.put_targets(Rule="intrude", Targets=[{"Id": "bus", "Arn": BUS, "RoleArn": role}])

    def put(number: int) -> None:
        entry = {"Source": "acme.theirs", "DetailType": "made up", "Detail": json.dumps({"number": number})}
        theirs.put_events(Entries=[entry])

    put(1)
    events.put_permission(EventBusName="home", StatementId="Theirs", Principal=STRANGER, Action="events:PutEvents")
    put(2)
    (arrived,) = here.wait(bool)
    assert (arrived["detail"], arrived["account"]) == ({"number": 2}, STRANGER)
    events.remove_permission(EventBusName="home", StatementId="Theirs")


def test_the_heartbeat_of_a_region_comes_over_the_bus(aws: EmbeddedAWS, role: str, listen: Callable[..., Rule]) -> None:
    here = listen("heartbeats", HEARTBEAT, bus="home")
    events = aws.client("events", region=FRANKFURT)
    events.put_rule(Name="heartbeat", ScheduleExpression="rate(15 minutes)")
    events.put_targets(Rule="heartbeat", Targets=[{"Id": "bus", "Arn": BUS, "RoleArn": role}])
    assert aws.fire("heartbeat", region=FRANKFURT) == 1
    (beat,) = here.wait(bool)
    rule = f"arn:aws:events:{FRANKFURT}:{ACCOUNT}:rule/heartbeat"
    assert (beat["source"], beat["region"], beat["resources"]) == ("aws.events", FRANKFURT, [rule])
    events.disable_rule(Name="heartbeat")
    assert aws.fire("heartbeat", region=FRANKFURT) == 0
    events.remove_targets(Rule="heartbeat", Ids=["bus"])
    events.delete_rule(Name="heartbeat")


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"InputTransformer": {"InputTemplate": "<a>"}}, "Modifying the input for target bus is not supported."),
        ({"Input": "{}"}, "Modifying the input for target bus is not supported."),
        ({"InputPath": "$.detail"}, "Modifying the input for target bus is not supported."),
        ({"RetryPolicy": {"MaximumRetryAttempts": 3}}, "RetryPolicy is not supported for target bus"),
        ({"RoleArn": None}, "RoleArn is required for target"),
        ({"Arn": f"arn:aws:events:{IRELAND}:{ACCOUNT}:event-bus/default"}, "must not be the same"),
        ({"Arn": f"arn:aws:events:moon-1:{ACCOUNT}:event-bus/default"}, "is not in correct format"),
    ],
)
def test_a_target_that_is_a_bus_takes_the_event_as_it_is(
    aws: EmbeddedAWS, role: str, wrong: Mapping[str, Any], said: str
) -> None:
    """Source: Transforming events; AWS CDK API reference, EventBusProps: no retry policy for buses."""
    events = aws.client("events", region=IRELAND)
    events.put_rule(Name="choosy", EventPattern=json.dumps(OF_QUEUES))
    target = {key: value for key, value in {"Id": "bus", "Arn": BUS, "RoleArn": role, **wrong}.items() if value}
    with pytest.raises(events.exceptions.ClientError, match=said):
        events.put_targets(Rule="choosy", Targets=[target])
    assert events.list_targets_by_rule(Rule="choosy")["Targets"] == []


def test_buses_and_rules_are_refused_as_the_api_reference_says(aws: EmbeddedAWS) -> None:
    events, elsewhere = aws.client("events"), aws.client("events", region=IRELAND)
    pattern = json.dumps(OF_QUEUES)
    events.create_event_bus(Name="kept")
    events.put_rule(Name="held", EventBusName="kept", EventPattern=pattern)
    queue = {"Id": "q", "Arn": f"arn:aws:sqs:{HOME}:{ACCOUNT}:any"}
    events.put_targets(Rule="held", EventBusName="kept", Targets=[queue])
    refused = {
        "a bus that is there": lambda: events.create_event_bus(Name="kept"),
        "a bus that is not": lambda: events.put_rule(Name="r", EventBusName="none", EventPattern=pattern),
        "no such bus": lambda: events.describe_event_bus(Name="none"),
        "a bus elsewhere": lambda: elsewhere.put_rule(Name="r", EventBusName=BUS, EventPattern=pattern),
        "a schedule": lambda: events.put_rule(Name="r", EventBusName="kept", ScheduleExpression="rate(1 hour)"),
        "a rule with targets": lambda: events.delete_rule(Name="held", EventBusName="kept"),
        "a bus with rules": lambda: events.delete_event_bus(Name="kept"),
    }
    assert {
        "a bus that is there": "ResourceAlreadyExistsException",
        "a bus that is not": "ResourceNotFoundException",
        "no such bus": "ResourceNotFoundException",
        "a bus elsewhere": "ValidationException",
        "a schedule": "ValidationException",
        "a rule with targets": "ValidationException",
        "a bus with rules": "ValidationException",
    } == {what: error(call) for what, call in refused.items()}
    events.remove_targets(Rule="held", EventBusName="kept", Ids=["q"])
    events.delete_rule(Name="held", EventBusName="kept")
    events.delete_event_bus(Name="kept")


# --- the resource types ---------------------------------------------------------------------------


def _template(statement: Mapping[str, Any] | None, target: Mapping[str, Any] | None = None) -> str:
    resources: dict[str, Any] = {
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "made"}},
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventBusName": {"Ref": "Bus"},
                "EventPattern": OF_QUEUES,
                "Targets": [target] if target else [],
            },
        },
    }
    if statement:
        resources["Policy"] = {
            "Type": "AWS::Events::EventBusPolicy",
            "Properties": {"EventBusName": {"Ref": "Bus"}, "StatementId": "Only", "Statement": statement},
        }
    outputs = {"Arn": {"Value": {"Fn::GetAtt": ["Bus", "Arn"]}}}
    return json.dumps({"Resources": resources, "Outputs": outputs})


def test_a_stack_makes_a_bus_its_policy_and_its_rules(aws: EmbeddedAWS, role: str) -> None:
    stacks, events = aws.client("cloudformation"), aws.client("events")
    arn = f"arn:aws:events:{HOME}:{ACCOUNT}:event-bus/made"

    def status() -> str:
        listed = [one for one in stacks.list_stacks()["StackSummaries"] if one["StackName"] == "of-a-bus"]
        return str(listed[-1]["StackStatus"])

    def settled(wanted: str) -> None:
        aws.wait(lambda: not status().endswith("IN_PROGRESS"), what=wanted)
        assert status() == wanted

    deny = {"Effect": "Deny", "Principal": "*", "Action": "events:PutEvents", "Resource": arn}
    stacks.create_stack(StackName="of-a-bus", TemplateBody=_template(deny))
    settled("CREATE_COMPLETE")
    described = stacks.describe_stacks(StackName="of-a-bus")["Stacks"][0]
    assert described["Outputs"][0]["OutputValue"] == arn
    assert json.loads(events.describe_event_bus(Name="made")["Policy"])["Statement"] == [{**deny, "Sid": "Only"}]
    stacks.update_stack(StackName="of-a-bus", TemplateBody=_template(None))
    settled("UPDATE_COMPLETE")
    assert "Policy" not in events.describe_event_bus(Name="made")
    transformed = {"Id": "bus", "Arn": BUS, "RoleArn": role, "InputPath": "$.detail"}
    stacks.update_stack(StackName="of-a-bus", TemplateBody=_template(None, transformed))
    settled("UPDATE_ROLLBACK_COMPLETE")
    stacks.delete_stack(StackName="of-a-bus")
    settled("DELETE_COMPLETE")
    assert error(lambda: events.describe_event_bus(Name="made")) == "ResourceNotFoundException"


def test_cloudformation_calls_a_rule_of_another_bus_by_both_their_names(aws: EmbeddedAWS) -> None:
    """Source: AWS CloudFormation template reference, AWS::Events::Rule, return values."""
    stacks, events = aws.client("cloudformation"), aws.client("events")

    def body(state: str) -> str:
        rule = {"Name": "named", "EventPattern": EVERYTHING, "State": state}
        both = {"There": {**rule, "EventBusName": "home"}, "Here": rule}
        kind = "AWS::Events::Rule"
        return json.dumps({"Resources": {name: {"Type": kind, "Properties": one} for name, one in both.items()}})

    def held() -> dict[str, tuple[str, str]]:
        listed = stacks.list_stack_resources(StackName="rules")["StackResourceSummaries"]
        return {one["LogicalResourceId"]: (one["PhysicalResourceId"], one["ResourceStatus"]) for one in listed}

    stacks.create_stack(StackName="rules", TemplateBody=body("ENABLED"))
    made = {"There": ("home|named", "CREATE_COMPLETE"), "Here": ("named", "CREATE_COMPLETE")}
    aws.wait(lambda: held() == made, what="two rules of one name")
    stacks.update_stack(StackName="rules", TemplateBody=body("DISABLED"))
    aws.wait(lambda: {one for _, one in held().values()} == {"UPDATE_COMPLETE"}, what="both are changed")
    assert {"home|named", "named"} == {name for name, _ in held().values()}
    assert ["DISABLED"] * 2 == [
        events.describe_rule(Name="named", **bus)["State"] for bus in ({}, {"EventBusName": "home"})
    ]
    stacks.delete_stack(StackName="rules")
    aws.wait(lambda: not events.list_rules(NamePrefix="named", EventBusName="home")["Rules"], what="it is gone")
