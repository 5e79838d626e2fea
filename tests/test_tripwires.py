"""Whoever changes Plumbline's own resources is told of by EventBridge and SNS alone: which events, and in which words.

Source: AWS Lambda developer guide, "Logging AWS Lambda API calls using AWS CloudTrail" (its event names carry a
version); the services' API references, whose members CloudTrail writes in lower camel case; AWS CloudTrail user guide,
userIdentity element (`invokedBy`); AWS CloudFormation user guide, "Stack Status Change event detail".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from tests.deployed import NAMES, STACK, as_deployed, logical, properties, text, transformed
from tests.eventbridge import matches
from tests.generating import rules
from tests.generating.packing import room
from tests.generating.sizes import patterns

ACCOUNT, LEDGER = STACK["AWS::AccountId"], NAMES["Ledger"]
ARN = f"arn:aws:{{}}:us-east-1:{ACCOUNT}:{{}}plumbline-{{}}"
REACT = ARN.format("lambda", "function:", "react")
ALERTS, WAKES = ARN.format("sns", "", "alerts"), f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/plumbline-wakes"
WATCHDOG = ARN.format("sns", "", "watchdog")
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{LEDGER}"
MALLORY = {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/mallory"}
FORWARDER = f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/StackSet-plumbline-forwarders-0a1b/2c3d"
ROLE = {
    "type": "AssumedRole",
    "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/dev/mallory",
    "sessionContext": {"sessionIssuer": {"arn": f"arn:aws:iam::{ACCOUNT}:role/dev"}},
}
#: What is heard: the rule, the service, CloudTrail's name of the call, and its parameters.
HEARD: list[tuple[str, str, str, Mapping[str, Any]]] = [
    *(
        ("FunctionsTripwire", "lambda", name, {"functionName": function})
        for name in (
            "UpdateFunctionCode20150331v2", "UpdateFunctionConfiguration20150331v2", "AddPermission20150331v2",
            "RemovePermission20150331v2", "DeleteFunction20150331", "PutFunctionConcurrency20171031",
            "DeleteFunctionConcurrency20171031", "CreateEventSourceMapping20150331", "PutFunctionEventInvokeConfig",
            "UpdateFunctionEventInvokeConfig", "PutRuntimeManagementConfig", "PutFunctionCodeSigningConfig",
            "DeleteFunctionCodeSigningConfig", "CreateFunctionUrlConfig",
        )
        for function in ("plumbline-react", REACT, f"{REACT}:$LATEST", f"{ACCOUNT}:function:plumbline-react")
    ),
    ("FunctionsTripwire", "lambda", "UpdateFunctionCode20150331v2", {"functionName": "plumbline-NamesFunction-1A2B"}),
    ("TriggersTripwire", "lambda", "UpdateEventSourceMapping20150331", {"uuid": "<ReactFunctionWakes>"}),
    ("TriggersTripwire", "lambda", "DeleteEventSourceMapping20150331", {"uuid": "<ReactFunctionWakes>"}),
    ("TriggersTripwire", "lambda", "DeleteEventSourceMapping20150331", {"uuid": "<AnnounceFunctionFindings>"}),
    ("TriggersTripwire", "lambda", "PutResourcePolicy", {"resourceArn": REACT}),
    ("TriggersTripwire", "lambda", "PublishLayerVersion20181031", {"layerName": "plumbline"}),
    *(("RulesTripwire", "events", name, {"name": "plumbline-iam"})
      for name in ("DeleteRule", "DisableRule", "EnableRule", "PutRule")),
    *(("RulesTripwire", "events", name, {"rule": "plumbline-trip-iam"}) for name in ("PutTargets", "RemoveTargets")),
    *(("TopicsTripwire", "sns", name, {"topicArn": ALERTS})
      for name in ("SetTopicAttributes", "DeleteTopic", "AddPermission", "RemovePermission", "Subscribe")),
    *(("TopicsTripwire", "sns", name, {"subscriptionArn": f"{ALERTS}:1a2b"})
      for name in ("Unsubscribe", "SetSubscriptionAttributes")),
    ("TopicsTripwire", "sns", "PutDataProtectionPolicy", {"resourceArn": ALERTS}),
    *(("QueuesTripwire", "sqs", name, {"queueUrl": WAKES})
      for name in ("SetQueueAttributes", "DeleteQueue", "PurgeQueue", "AddPermission", "RemovePermission")),
    ("QueuesTripwire", "sqs", "PurgeQueue", {"queueUrl": f"https://queue.amazonaws.com/{ACCOUNT}/plumbline-units"}),
    *(("AlarmsTripwire", "monitoring", name, {"alarmNames": ["other", "plumbline-dead-letters"]})
      for name in ("DeleteAlarms", "DisableAlarmActions")),
    ("AlarmsTripwire", "monitoring", "PutMetricAlarm", {"alarmName": "plumbline-dead-letters"}),
    ("AlarmsTripwire", "monitoring", "PutAlarmMuteRule", {"muteTargets": {"alarmNames": ["plumbline-dead-letters"]}}),
    *(("LedgerTripwire", "dynamodb", name, {"tableName": table})
      for name in ("DeleteTable", "UpdateTable", "UpdateTimeToLive", "UpdateContinuousBackups", "CreateTable")
      for table in (LEDGER, TABLE)),
    *(("LedgerTripwire", "dynamodb", name, {"resourceArn": TABLE})
      for name in ("PutResourcePolicy", "DeleteResourcePolicy")),
    *(("RolesTripwire", "iam", name, {"roleName": role})
      for name in ("UpdateAssumeRolePolicy", "PutRolePolicy", "DeleteRolePolicy", "AttachRolePolicy", "CreateRole",
                   "DetachRolePolicy", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary", "DeleteRole")
      for role in ("plumbline-hands", "PlumbLine-Backup", "plumbline-namesrole-1a2b3c4d5e6f")),
    *(("RolesTripwire", "iam", name, {"policyArn": f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline-hands"})
      for name in ("CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion", "DeletePolicy")),
    *(("TrailTripwire", "cloudtrail", name, {"name": trail})
      for name in ("StopLogging", "DeleteTrail", "UpdateTrail")
      for trail in ("plumbline", f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/plumbline")),
    ("TrailTripwire", "cloudtrail", "PutEventSelectors", {"trailName": "plumbline"}),
    *(("StackTripwire", "cloudformation", name, {"stackName": stack})
      for name in ("UpdateTerminationProtection", "SetStackPolicy") for stack in ("plumbline", STACK["AWS::StackId"])),
    *(("RulesTripwire", "events", name, {"name": "plumbline-home"}) for name in ("DeleteEventBus", "UpdateEventBus")),
    *(("RulesTripwire", "events", name, {"eventBusName": "plumbline-home"})
      for name in ("PutPermission", "RemovePermission")),
    ("RulesTripwire", "events", "CreateEventBus", {"name": "plumbline-of-mallory"}),
    # A rule is on a bus by its name or its ARN, and may be called anything there.
    *(("RulesTripwire", "events", name, {rule: "mine", "eventBusName": bus})
      for name, rule in (("PutRule", "name"), ("PutTargets", "rule"), ("DeleteRule", "name"))
      for bus in ("plumbline-home", f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/plumbline-home")),
    ("RulesTripwire", "events", "PutTargets", {"rule": "mine", "targets": [{"id": "1", "arn": WATCHDOG}]}),
    ("RulesTripwire", "events", "UpdateEventBus", {"name": "default", "kmsKeyIdentifier": "alias/mine"}),
    *(("ForwardersTripwire", "cloudformation", name, {"stackSetName": called})
      for name in ("DeleteStackInstances", "UpdateStackInstances", "UpdateStackSet", "DeleteStackSet",
                   "CreateStackInstances")
      for called in ("plumbline-forwarders", "plumbline-forwarders:0a1b2c3d")),
    *(("ForwardersTripwire", "cloudformation", name, {"stackName": stack})
      for name in ("DeleteStack", "UpdateStack", "SetStackPolicy", "UpdateTerminationProtection")
      for stack in (FORWARDER.rpartition("/")[0].rpartition("/")[2], FORWARDER)),
]  # fmt: skip
#: What somebody does to things of his own, or to what a name only resembles.
OTHERS: list[tuple[str, str, Mapping[str, Any]]] = [
    ("lambda", "UpdateFunctionCode20150331v2", {"functionName": "shop"}),
    ("lambda", "UpdateFunctionCode20150331v2", {"functionName": "my-plumbline-react"}),
    ("lambda", "UpdateEventSourceMapping20150331", {"uuid": "11112222-3333-4444-5555-666677778888"}),
    ("lambda", "Invoke", {"functionName": "plumbline-operate"}),
    ("events", "DisableRule", {"name": "nightly"}),
    ("sns", "SetTopicAttributes", {"topicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:shop"}),
    ("sns", "Subscribe", {"topicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:shop"}),
    ("sqs", "PurgeQueue", {"queueUrl": f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/shop"}),
    ("monitoring", "DeleteAlarms", {"alarmNames": ["shop"]}),
    ("monitoring", "SetAlarmState", {"alarmName": "plumbline-billing"}),
    ("dynamodb", "DeleteTable", {"tableName": "shop"}),
    ("iam", "AttachRolePolicy", {"roleName": "shop", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}),
    ("cloudtrail", "StopLogging", {"name": "other"}),
    ("cloudformation", "UpdateTerminationProtection", {"stackName": "shop"}),
    ("cloudformation", "DeleteStack", {"stackName": "StackSet-shop-0a1b"}),
    ("cloudformation", "UpdateStackSet", {"stackSetName": "shop"}),
    ("events", "DeleteEventBus", {"name": "shop"}),
    ("events", "PutRule", {"name": "mine", "eventBusName": "shop"}),
    ("events", "PutRule", {"name": "default"}),
    (
        "events",
        "PutTargets",
        {"rule": "mine", "targets": [{"id": "1", "arn": f"arn:aws:sns:us-east-1:{ACCOUNT}:shop"}]},
    ),
    ("events", "UpdateEventBus", {"name": "default", "description": "of all"}),
]


@cache
def _tripwires() -> Mapping[str, Mapping[str, Any]]:
    """Their patterns as deployed, by logical id."""
    return {
        name: as_deployed(one["EventPattern"], transformed()["Resources"], STACK)
        for name, one in properties("AWS::Events::Rule").items()
        if name.endswith("Tripwire") and "EventBusName" not in one
    }


def call(
    service: str, name: str, parameters: Mapping[str, Any], who: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A call as EventBridge tells of it."""
    known = {one: as_deployed({"Ref": one.strip("<>")}, {}, STACK) for one in map(str, parameters.values())}
    parameters = {key: known[one] if str(one).startswith("<") else one for key, one in parameters.items()}
    return {
        "account": ACCOUNT,
        "source": f"aws.{service}",
        "detail-type": "AWS API Call via CloudTrail",
        "detail": {
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "userIdentity": MALLORY if who is None else who,
            "requestParameters": parameters,
            "responseElements": None,
            **more,
        },
    }


def _heard(event: Mapping[str, Any]) -> list[str]:
    return [name for name, pattern in _tripwires().items() if matches(pattern, event)]


@pytest.mark.parametrize(("rule", "service", "name", "parameters"), HEARD, ids=lambda one: str(one)[:60])
def test_a_change_of_plumbline_is_heard_by_one_tripwire(
    rule: str, service: str, name: str, parameters: Mapping[str, Any]
) -> None:
    assert [rule] == _heard(call(service, name, parameters))
    assert [rule] == _heard(call(service, name, parameters, ROLE))


@pytest.mark.parametrize(("service", "name", "parameters"), OTHERS, ids=lambda one: str(one)[:60])
def test_what_is_not_plumblines_is_nobodys_business(service: str, name: str, parameters: Mapping[str, Any]) -> None:
    assert [] == _heard(call(service, name, parameters))


@pytest.mark.parametrize(("rule", "service", "name", "parameters"), HEARD[::7], ids=lambda one: str(one)[:60])
def test_what_cloudformation_does_for_the_stack_and_what_was_refused_is_left_out(
    rule: str, service: str, name: str, parameters: Mapping[str, Any]
) -> None:
    for_the_stack = {**ROLE, "invokedBy": "cloudformation.amazonaws.com"}
    assert [] == _heard(call(service, name, parameters, for_the_stack))
    assert [rule] == _heard(call(service, name, parameters, {**ROLE, "invokedBy": "glue.amazonaws.com"}))
    assert [] == _heard(call(service, name, parameters, errorCode="AccessDenied"))


@pytest.mark.parametrize(
    ("rule", "role", "service", "name", "parameters"),
    [
        ("AlarmsTripwire", "HandsRole", "monitoring", "PutMetricAlarm", {"alarmName": "plumbline-billing"}),
        ("TopicsTripwire", "NamesRole", "sns", "Subscribe", {"topicArn": ARN.format("sns", "", "people")}),
    ],
)
def test_what_a_role_of_plumblines_own_does_in_its_daily_work_is_left_out(
    rule: str, role: str, service: str, name: str, parameters: Mapping[str, Any]
) -> None:
    """A repair of the alarm on the bill is told by its own e-mail; the people of the roster are subscribed."""
    arn = as_deployed({"Fn::GetAtt": [role, "Arn"]}, transformed()["Resources"], STACK)
    own = {**ROLE, "sessionContext": {"sessionIssuer": {"arn": arn}}}
    assert [] == _heard(call(service, name, parameters, own))
    assert [rule] == _heard(call(service, name, parameters))
    assert [rule] == _heard(call(service, name, parameters, ROLE))


def test_a_mapping_that_was_made_again_is_known_by_its_function() -> None:
    event = call("lambda", "UpdateEventSourceMapping20150331", {"uuid": "11112222"})
    event["detail"]["responseElements"] = {"functionArn": REACT}
    assert ["TriggersTripwire"] == _heard(event)


def test_every_alarm_is_heard_when_its_state_is_set() -> None:
    alarms = {text(one["AlarmName"]) for one in properties("AWS::CloudWatch::Alarm").values()}
    heard = {one for one in alarms if _heard(call("monitoring", "SetAlarmState", {"alarmName": one}))}
    assert alarms == heard


def test_protecting_the_ledger_after_a_first_deployment_is_no_change() -> None:
    role = as_deployed({"Fn::GetAtt": ["NamesRole", "Arn"]}, transformed()["Resources"], STACK)
    names = {**ROLE, "sessionContext": {"sessionIssuer": {"arn": role}}}
    assert [] == _heard(call("dynamodb", "UpdateTable", {"tableName": LEDGER}, names))


def test_a_region_that_the_sweep_adds_is_no_change() -> None:
    """It tells of it itself; what else is done with its role is a change like any other."""
    role = as_deployed({"Fn::GetAtt": ["SweepRole", "Arn"]}, transformed()["Resources"], STACK)
    sweep = {**ROLE, "sessionContext": {"sessionIssuer": {"arn": role}}}
    forwarders = {"stackSetName": "plumbline-forwarders"}
    assert [] == _heard(call("cloudformation", "CreateStackInstances", forwarders, sweep))
    assert ["ForwardersTripwire"] == _heard(call("cloudformation", "DeleteStackInstances", forwarders, sweep))


def test_a_deployment_is_one_e_mail() -> None:
    """CloudFormation's own calls are left out, and so is the end: whoever deletes the stack deletes the rule too."""
    pattern = as_deployed(
        properties("AWS::Events::Rule")["DeployingRule"]["EventPattern"], transformed()["Resources"], STACK
    )

    def told(status: str, stack: str = STACK["AWS::StackId"]) -> bool:
        detail = {"stack-id": stack, "status-details": {"status": status, "status-reason": ""}}
        kind = "CloudFormation Stack Status Change"
        return matches(
            pattern, {"account": ACCOUNT, "source": "aws.cloudformation", "detail-type": kind, "detail": detail}
        )

    of_an_update = ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE")
    assert ["UPDATE_IN_PROGRESS"] == [one for one in of_an_update if told(one)]
    assert ["DELETE_IN_PROGRESS"] == [one for one in ("DELETE_IN_PROGRESS", "DELETE_COMPLETE") if told(one)]
    assert not told("UPDATE_IN_PROGRESS", "arn:aws:cloudformation:us-east-1:111122223333:stack/other/1")


def _rules() -> dict[str, Mapping[str, Any]]:
    return {
        name: one
        for name, one in properties("AWS::Events::Rule").items()
        if name.endswith("Tripwire") or name == "DeployingRule"
    }


@pytest.mark.parametrize("name", sorted(_rules()))
def test_a_tripwire_speaks_through_the_watchdog_in_a_sentence_and_loses_nothing(name: str) -> None:
    """Source: Amazon EventBridge user guide, Input transformation: a text stands in quotes; 8,192 characters."""
    target, *looks = _rules()[name]["Targets"]
    assert {"SweepFunction"} >= {logical(one["Arn"]) for one in looks}, "beside, the sweep may look at once"
    assert ("WatchdogTopic", "DeadLetterQueue") == (
        logical(target["Arn"]),
        logical(target["DeadLetterConfig"]["Arn"]),
    )
    said = target["InputTransformer"]
    template = said["InputTemplate"]
    assert re.fullmatch(r'"[^"\n]+"', template), "one quoted sentence on one line"
    assert len(template) < 8192
    assert set(re.findall(r"<(\w+)>", template)) == set(said["InputPathsMap"])
    assert {"what", "who", "at", "from"} <= set(said["InputPathsMap"]) or name == "DeployingRule"


def test_patterns_leave_a_fifth_of_what_eventbridge_takes() -> None:
    sizes = {name: size for name, size in patterns(transformed()["Resources"]).items() if name in _rules()}
    assert set(sizes) == set(_rules())
    assert {} == {name: size for name, size in sizes.items() if size > room(rules.LONGEST)}


def test_eventbridge_may_publish_to_the_watchdog_without_conditions() -> None:
    """Source: Amazon EventBridge user guide, "Resource-based policies": topics take no Condition."""
    policies = properties("AWS::SNS::TopicPolicy")
    statements = policies["WatchdogTopicPolicy"]["PolicyDocument"]["Statement"]
    assert [
        {
            "Sid": "TripwiresTell",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": {"Ref": "WatchdogTopic"},
        }
    ] == [one for one in statements if one["Principal"] == {"Service": "events.amazonaws.com"}]
    assert [] == [one for one in statements if one["Effect"] == "Deny"]
