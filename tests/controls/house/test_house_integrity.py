"""house-integrity: Plumbline's own parts are compared with how they were deployed, and put back where they may be."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from plumbline.controls.house import house_integrity
from plumbline.controls.house._parts import ALARM, BUS, KINDS, POLICY, RULE, TOPIC, TRIGGER, placed, read
from plumbline.controls.house._repairs import steps
from plumbline.controls.house.house_integrity import CONTROL, changed, sound
from plumbline.core.recorded import Part
from plumbline.core.targets import Target
from tests.story import ACCOUNT, HOME, Story, World, happen, world

TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}  # fmt: skip
OTHERS = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}  # fmt: skip
DENY = {"Version": "2012-10-17", "Statement": [
    {"Sid": "Own", "Effect": "Deny", "Principal": "*", "Action": "dynamodb:PutItem", "Resource": "*"}]}  # fmt: skip
PATTERN = {"source": ["aws.iam"], "detail": {"eventName": ["CreateAccessKey", "AttachUserPolicy"]}}
BUS_NAME, ON_BUS = "plumbline-home", "plumbline-home-wakes"
ALARM_SETTINGS = {
    "Namespace": "AWS/SQS", "MetricName": "ApproximateAgeOfOldestMessage", "Statistic": "Maximum", "Period": 300,
    "EvaluationPeriods": 1, "Threshold": 900.0, "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "notBreaching",
}  # fmt: skip


def _code(text: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py"), text)
    return packed.getvalue()


@dataclass
class Stack:
    """What a deployment made, as far as moto makes it.

    Attributes:
        resources: what CloudFormation would list.
    """

    world: World
    resources: tuple[tuple[str, str], ...] = ()

    def client(self, service: str) -> Any:
        """A client of whoever deploys, and of whoever changes things afterwards."""
        return self.world.client(service, HOME)

    def deploy(self) -> Stack:
        """A small Plumbline: one of each kind, recorded."""
        iam, sqs, sns = self.client("iam"), self.client("sqs"), self.client("sns")
        role = iam.create_role(
            Path="/plumbline/", RoleName="plumbline-react", AssumeRolePolicyDocument=json.dumps(TRUST)
        )
        policy = iam.create_policy(Path="/plumbline/", PolicyName="plumbline-react", PolicyDocument=_policy("sqs:*"))
        iam.attach_role_policy(RoleName="plumbline-react", PolicyArn=policy["Policy"]["Arn"])
        url = sqs.create_queue(QueueName="plumbline-wakes", Attributes={"VisibilityTimeout": "360"})["QueueUrl"]
        topic = sns.create_topic(Name="plumbline-alerts")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="security@example.com")
        functions = self.client("lambda")
        functions.create_function(
            FunctionName="plumbline-react", Runtime="python3.13", Role=role["Role"]["Arn"], Handler="app.handler",
            Code={"ZipFile": _code("good")}, Environment={"Variables": {"PLUMBLINE_MODE": "enforce"}},
        )  # fmt: skip
        uuid = functions.create_event_source_mapping(
            FunctionName="plumbline-react", EventSourceArn=self.queue("plumbline-wakes"), BatchSize=10
        )["UUID"]
        events = self.client("events")
        events.put_rule(Name="plumbline-iam", EventPattern=json.dumps(PATTERN), Description="Wakes Plumbline")
        events.put_targets(Rule="plumbline-iam", Targets=[{"Id": "wakes", "Arn": self.queue("plumbline-wakes")}])
        events.create_event_bus(Name=BUS_NAME)
        events.put_permission(EventBusName=BUS_NAME, Policy=_bus_policy("forwarder"))
        events.put_rule(Name=ON_BUS, EventBusName=BUS_NAME, EventPattern=json.dumps(PATTERN))
        wakes = {"Id": "wakes", "Arn": self.queue("plumbline-wakes")}
        events.put_targets(Rule=ON_BUS, EventBusName=BUS_NAME, Targets=[wakes])
        self.client("cloudwatch").put_metric_alarm(
            AlarmName="plumbline-sweep-stopped", AlarmActions=[topic], **ALARM_SETTINGS
        )
        table = self.client("dynamodb").create_table(
            TableName="plumbline-ledger", BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}], DeletionProtectionEnabled=True,
        )["TableDescription"]["TableArn"]  # fmt: skip
        self.client("dynamodb").put_resource_policy(ResourceArn=table, Policy=json.dumps(DENY))
        self.client("s3").create_bucket(Bucket="records", CreateBucketConfiguration={"LocationConstraint": HOME})
        self.client("cloudtrail").create_trail(Name="plumbline", S3BucketName="records", IsMultiRegionTrail=True)
        self.client("cloudtrail").start_logging(Name="plumbline")
        self.record(
            ("AWS::IAM::Role", "plumbline-react"), ("AWS::IAM::ManagedPolicy", policy["Policy"]["Arn"]),
            ("AWS::SQS::Queue", url), ("AWS::SNS::Topic", topic), ("AWS::Lambda::Function", "plumbline-react"),
            ("AWS::Lambda::EventSourceMapping", uuid), ("AWS::Events::Rule", "plumbline-iam"),
            ("AWS::Events::EventBus", BUS_NAME), ("AWS::Events::Rule", f"{BUS_NAME}|{ON_BUS}"),
            ("AWS::CloudWatch::Alarm", "plumbline-sweep-stopped"), ("AWS::DynamoDB::Table", "plumbline-ledger"),
            ("AWS::CloudTrail::Trail", "plumbline"), ("AWS::S3::Bucket", "records"),
        )  # fmt: skip
        return self

    def queue(self, name: str) -> str:
        """A queue's ARN."""
        return f"arn:aws:sqs:{HOME}:{ACCOUNT}:{name}"

    def record(self, *resources: tuple[str, str]) -> None:
        """Write down how all of it is."""
        ask = self.world.accounts.eyes(ACCOUNT, HOME)
        self.resources = resources
        found: dict[str, dict[str, Part]] = {}
        for kind, named in placed(ask, resources).items():
            for name, place in named.items():
                part = read(ask, kind, name, place)
                assert part is not None, f"{kind} {name}"
                found.setdefault(kind, {})[name] = {**place, **part}
        self.world.recorded = found
        self.world.calls.clear()


def _bus_policy(role: str) -> str:
    who = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/plumbline/plumbline-{role}"}
    arn = f"arn:aws:events:{HOME}:{ACCOUNT}:event-bus/{BUS_NAME}"
    one = {"Sid": "Put", "Effect": "Allow", "Principal": who, "Action": "events:PutEvents", "Resource": arn}
    return json.dumps({"Version": "2012-10-17", "Statement": [one]})


def _policy(action: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _deployed(world: World) -> tuple[tuple[str, str], ...]:
    return Stack(world).deploy().resources


def _breaks(kind: str, name: str, change: Callable[[Stack], Any]) -> Callable[[World], Target]:
    def told(world: World) -> Target:
        stack = Stack(world, happen(_deployed, world))
        change(stack)
        return Target(ACCOUNT, HOME, kind, name)

    return told


def _uuid(stack: Stack) -> str:
    (mapping,) = stack.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return str(mapping["UUID"])


def _stranger(world: World) -> Target:
    stack = Stack(world, happen(_deployed, world))
    stack.client("sqs").create_queue(QueueName="mine")
    uuid = stack.client("lambda").create_event_source_mapping(
        FunctionName="plumbline-react", EventSourceArn=stack.queue("mine")
    )["UUID"]
    return Target(ACCOUNT, HOME, TRIGGER, f"plumbline-react/mine/{uuid}")


def _delete_on_bus(stack: Stack) -> None:
    events = stack.client("events")
    events.remove_targets(Rule=ON_BUS, EventBusName=BUS_NAME, Ids=["wakes"])
    events.delete_rule(Name=ON_BUS, EventBusName=BUS_NAME)


#: What is put back: what happens, the part, and how.
REPAIRED: Mapping[str, tuple[str, str, Callable[[Stack], Any]]] = {
    "a rule is switched off": (
        RULE, "plumbline-iam", lambda here: here.client("events").disable_rule(Name="plumbline-iam"),
    ),
    "a rule listens to something else": (
        RULE, "plumbline-iam",
        lambda here: here.client("events").put_rule(
            Name="plumbline-iam", EventPattern=json.dumps({"source": ["nobody"]}), State="DISABLED"
        ),
    ),
    "a rule has another target": (
        RULE, "plumbline-iam",
        lambda here: here.client("events").put_targets(
            Rule="plumbline-iam",
            Targets=[
                {"Id": "wakes", "Arn": here.queue("plumbline-wakes"), "Input": "{}"},
                {"Id": "mine", "Arn": here.queue("mine")},
            ],
        ),
    ),
    "a rule has no target": (
        RULE, "plumbline-iam",
        lambda here: here.client("events").remove_targets(Rule="plumbline-iam", Ids=["wakes"]),
    ),
    "a rule of the home bus is switched off": (
        RULE, ON_BUS, lambda here: here.client("events").disable_rule(Name=ON_BUS, EventBusName=BUS_NAME),
    ),
    "a rule of the home bus is deleted": (RULE, ON_BUS, _delete_on_bus),
    "a rule of the home bus has another target": (
        RULE, ON_BUS,
        lambda here: here.client("events").put_targets(
            Rule=ON_BUS, EventBusName=BUS_NAME, Targets=[{"Id": "wakes", "Arn": here.queue("mine")}]
        ),
    ),
    "a trigger is switched off": (
        TRIGGER, "plumbline-react/plumbline-wakes",
        lambda here: here.client("lambda").update_event_source_mapping(UUID=_uuid(here), Enabled=False),
    ),
    "a trigger is changed": (
        TRIGGER, "plumbline-react/plumbline-wakes",
        lambda here: here.client("lambda").update_event_source_mapping(UUID=_uuid(here), BatchSize=1),
    ),
    "a trigger is deleted": (
        TRIGGER, "plumbline-react/plumbline-wakes",
        lambda here: here.client("lambda").delete_event_source_mapping(UUID=_uuid(here)),
    ),
    "a function may not run": (
        "lambda-function", "plumbline-react",
        lambda here: here.client("lambda").put_function_concurrency(
            FunctionName="plumbline-react", ReservedConcurrentExecutions=1
        ),
    ),
    "an alarm tells nobody": (
        ALARM, "plumbline-sweep-stopped",
        lambda here: here.client("cloudwatch").disable_alarm_actions(AlarmNames=["plumbline-sweep-stopped"]),
    ),
    "an alarm is deleted": (
        ALARM, "plumbline-sweep-stopped",
        lambda here: here.client("cloudwatch").delete_alarms(AlarmNames=["plumbline-sweep-stopped"]),
    ),
}  # fmt: skip


def _filter(stack: Stack) -> None:
    sns = stack.client("sns")
    (one,) = sns.list_subscriptions()["Subscriptions"]
    sns.set_subscription_attributes(
        SubscriptionArn=one["SubscriptionArn"], AttributeName="FilterPolicy", AttributeValue='{"control": ["none"]}'
    )


def _unsubscribe(stack: Stack) -> None:
    sns = stack.client("sns")
    (one,) = sns.list_subscriptions()["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])


def _delete_bus(stack: Stack) -> None:
    _delete_on_bus(stack)
    stack.client("events").delete_event_bus(Name=BUS_NAME)


def _deny_again(stack: Stack, arn: str) -> None:
    stack.client("dynamodb").delete_resource_policy(ResourceArn=arn)


def _version(stack: Stack) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline-react"
    stack.client("iam").create_policy_version(PolicyArn=arn, PolicyDocument=_policy("*"), SetAsDefault=True)


#: What is only told: what happens, the part, how, and what is said.
TOLD: Mapping[str, tuple[str, str, Callable[[Stack], Any], str]] = {
    "other code": (
        "lambda-function", "plumbline-react",
        lambda here: here.client("lambda").update_function_code(FunctionName="plumbline-react", ZipFile=_code("bad")),
        "has other code",
    ),
    "another environment": (
        "lambda-function", "plumbline-react",
        lambda here: here.client("lambda").update_function_configuration(
            FunctionName="plumbline-react", Environment={"Variables": {"PLUMBLINE_MODE": "observe"}}
        ),
        "has another environment",
    ),
    "others may call it": (
        "lambda-function", "plumbline-react",
        lambda here: here.client("lambda").add_permission(
            FunctionName="plumbline-react", StatementId="x", Action="lambda:InvokeFunction", Principal="444455556666"
        ),
        "may be called by others",
    ),
    "others are trusted": (
        "iam-role", "plumbline-react",
        lambda here: here.client("iam").update_assume_role_policy(
            RoleName="plumbline-react", PolicyDocument=json.dumps(OTHERS)
        ),
        "trusts others",
    ),
    "a boundary": (
        "iam-role", "plumbline-react",
        lambda here: here.client("iam").put_role_permissions_boundary(
            RoleName="plumbline-react", PermissionsBoundary="arn:aws:iam::aws:policy/ReadOnlyAccess"
        ),
        "has another boundary",
    ),
    "a policy that denies everything": (
        "iam-role", "plumbline-react",
        lambda here: here.client("iam").attach_role_policy(
            RoleName="plumbline-react", PolicyArn="arn:aws:iam::aws:policy/AWSDenyAll"
        ),
        "has other policies",
    ),
    "an inline policy": (
        "iam-role", "plumbline-react",
        lambda here: here.client("iam").put_role_policy(
            RoleName="plumbline-react", PolicyName="more", PolicyDocument=_policy("*")
        ),
        "has other inline policies",
    ),
    "a policy that says something else": (POLICY, "plumbline-react", _version, "says something else"),
    "a queue that forgets": (
        "sqs-queue", "plumbline-wakes",
        lambda here: here.client("sqs").set_queue_attributes(
            QueueUrl=here.client("sqs").get_queue_url(QueueName="plumbline-wakes")["QueueUrl"],
            Attributes={"MessageRetentionPeriod": "60"},
        ),
        "has other settings",
    ),
    "anybody may put events onto the home bus": (
        BUS, BUS_NAME,
        lambda here: here.client("events").put_permission(EventBusName=BUS_NAME, Policy=_bus_policy("anybody")),
        "has another policy",
    ),
    "the home bus is deleted": (BUS, BUS_NAME, _delete_bus, "is gone"),
    "a filter on the e-mail": (TOPIC, "plumbline-alerts", _filter, "has another filter of security@example.com"),
    "nobody is subscribed": (TOPIC, "plumbline-alerts", _unsubscribe, "has no subscriber any more"),
    "the ledger's policy": (
        "dynamodb-table", "plumbline-ledger",
        lambda here: _deny_again(here, f"arn:aws:dynamodb:{HOME}:{ACCOUNT}:table/plumbline-ledger"),
        "has another policy",
    ),
    "the ledger may be deleted": (
        "dynamodb-table", "plumbline-ledger",
        lambda here: here.client("dynamodb").update_table(
            TableName="plumbline-ledger", DeletionProtectionEnabled=False
        ),
        "may be deleted",
    ),
    "the trail is deleted": (
        "cloudtrail-trail", "plumbline", lambda here: here.client("cloudtrail").delete_trail(Name="plumbline"),
        "is gone",
    ),
}  # fmt: skip

STORIES = (
    *(Story(what, "house-integrity", _breaks(*how), reset=False) for what, how in REPAIRED.items()),
    Story("a trigger that nobody deployed", "house-integrity", _stranger, reset=False),
    *(
        Story(what, "house-integrity", _breaks(kind, name, change), alert_only=True)
        for what, (kind, name, change, _) in TOLD.items()
    ),
)


@pytest.mark.parametrize("what", TOLD)
def test_what_is_changed_is_said_in_a_persons_words(what: str) -> None:
    kind, name, change, words = TOLD[what]
    with world() as here:
        target = _breaks(kind, name, change)(here)
        assert CONTROL.observe
        state = CONTROL.observe(here.accounts.eyes(ACCOUNT, HOME), target)
        deviation = CONTROL.detect(state, {})
        assert deviation
        assert words == deviation.summary
        assert f"Plumbline's {kind.rpartition('-')[2]} {name}" == CONTROL.name(target)


def test_what_was_just_deployed_is_as_it_was_deployed() -> None:
    with world() as here:
        Stack(here).deploy()
        ask = here.accounts.eyes(ACCOUNT, HOME)
        assert CONTROL.find
        assert CONTROL.observe
        targets = list(CONTROL.find(ask))
        assert set(KINDS) == {one.kind for one in targets}
        states = {one: CONTROL.observe(ask, one) for one in targets}
        assert {} == {str(one): CONTROL.detect(state, {}) for one, state in states.items() if CONTROL.detect(state, {})}


def test_where_nothing_was_recorded_nothing_is_looked_for() -> None:
    """A preview, and the minutes before a first deployment is done."""
    with world() as here:
        ask = here.accounts.eyes(ACCOUNT, HOME)
        assert CONTROL.find
        assert ([], []) == (list(CONTROL.find(ask)), here.calls)


def test_a_subscriber_who_confirms_later_is_no_change() -> None:
    before: Part = {"policy": None, "settings": {}, "subscribers": False}
    after: Part = {**before, "subscribers": True, "filter of security@example.com": {}}
    assert () == changed(before, after)
    assert () == changed({**before, "subscribers": True}, after)
    assert ("subscribers",) == changed({**before, "subscribers": True}, before)


def test_who_hears_of_his_own_user_comes_and_goes_and_how_the_topic_is_set_does_not() -> None:
    """The roster says who hears there; whoever changes the topic itself is noticed like any other."""
    with world() as here:
        sns, ask = here.client("sns", HOME), here.accounts.eyes
        topic = sns.create_topic(Name="plumbline-people")["TopicArn"]
        before = read(ask(ACCOUNT, HOME), TOPIC, "plumbline-people", {"_id": topic})
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ann@example.com",
                      Attributes={"FilterPolicy": '{"address": ["ann@example.com"]}'})  # fmt: skip
        assert before == read(ask(ACCOUNT, HOME), TOPIC, "plumbline-people", {"_id": topic})
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(DENY))
        after = read(ask(ACCOUNT, HOME), TOPIC, "plumbline-people", {"_id": topic})
    assert ("policy",) == changed(before, after)


def test_a_key_for_the_bus_that_aws_tells_on_is_told_and_who_else_puts_events_there_is_not() -> None:
    """Source: Amazon EventBridge user guide, Encrypting events: what cannot be decrypted reaches no rule."""
    said = {"Name": "default", "Arn": "arn:aws:events:us-east-1:1:event-bus/default", "Policy": _bus_policy("anybody")}
    plain, keyed = ({**said, **key} for key in ({}, {"KmsKeyIdentifier": "alias/mine"}))
    before, after = (read(lambda _call, one=one: one, BUS, "default", {}) for one in (plain, keyed))  # type: ignore[arg-type]
    assert ({"settings": {}}, ("settings",)) == (before, changed(before, after))


def test_principals_in_another_order_are_the_same_trust() -> None:
    """IAM gives the principals of a statement in whatever order."""
    one, other = ("arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b")
    documents = [{"Statement": [{"Principal": {"AWS": both}}]} for both in ([one, other], [other, one])]
    assert house_integrity._find is CONTROL.find
    from plumbline.controls.house._said import document

    assert document(documents[0]) == document(json.dumps(documents[1]))


@pytest.mark.parametrize(
    ("kind", "part", "expected"),
    [
        (RULE, {"state": "DISABLED"}, {"state": "ENABLED"}),
        (RULE, {"state": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"},
         {"state": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"}),
        (TRIGGER, {"state": "Disabled"}, {"state": "Enabled"}),
        ("lambda-function", {"code": "x", "concurrency": 0}, {"code": "x", "concurrency": None}),
        (ALARM, {"actions": False}, {"actions": True}),
    ],
)  # fmt: skip
def test_what_would_leave_plumbline_deaf_is_never_taken_for_deployed(kind: str, part: Part, expected: Part) -> None:
    assert expected == sound(kind, part)


def test_what_a_trigger_was_given_and_never_had_is_emptied() -> None:
    """An update that says nothing of a filter would leave it, and nothing would come through it."""
    settings = {"BatchSize": 10, "FunctionResponseTypes": ["ReportBatchItemFailures"]}
    part = {"state": "Enabled", "settings": settings, "_source": "arn:aws:sqs:us-east-1:1:wakes", "_uuid": "u"}
    closed = part | {"settings": settings | {"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}}
    (step,) = steps(TRIGGER, "plumbline-react/plumbline-wakes", part, closed, frozenset({"settings"}))
    expected = {"UUID": "u", "FunctionName": "plumbline-react", "FilterCriteria": {}, **settings}
    assert ("UpdateEventSourceMapping", expected) == (step.do.operation, step.do.parameters)
