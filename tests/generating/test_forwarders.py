"""What home hears of itself, a forwarder in every other region hears there, and nobody hears it twice.

Source: AWS CloudTrail user guide, Global service events; AWS Sign-In user guide, Console sign-in events; Amazon
EventBridge user guide, Sending and receiving events between event buses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
import yaml

from plumbline.controls import registry
from plumbline.core.control import SIGN_IN, On
from plumbline.core.reach import BEAT
from tests.deployed import LONGEST_NAMES, STACK, TEMPLATE, as_deployed, parsed, source
from tests.eventbridge import matches
from tests.generating import forwarders
from tests.generating.packing import CannotBePacked, by_arrival, room
from tests.generating.rules import rules
from tests.generating.template import written
from tests.grown import grown
from tests.recorded import records
from tests.test_tripwires import HEARD, ROLE, call

ACCOUNT = STACK["AWS::AccountId"]
SYDNEY, IRELAND, VIRGINIA = "ap-southeast-2", "eu-west-1", "us-east-1"


@cache
def _body(home: str) -> Mapping[str, Any]:
    """The forwarders' template as StackSets gets it from a stack in a region."""
    text = source()["Resources"]["Forwarders"]["Properties"]["TemplateBody"]
    body: Mapping[str, Any] = parsed(as_deployed(text, source()["Resources"], {**STACK, "AWS::Region": home}))
    return body


@cache
def _here(home: str, region: str) -> Mapping[str, Mapping[str, Any]]:
    """What a forwarder is made of in a region."""
    conditions = _body(home)["Conditions"]

    def holds(condition: Any) -> bool:
        match condition:
            case None:
                return True
            case {"Condition": str(name)}:
                return holds(conditions[name])
            case {"Fn::Not": [one]}:
                return not holds(one)
            case {"Fn::And": list(several)}:
                return all(map(holds, several))
            case {"Fn::Equals": [{"Ref": "AWS::Region"}, str(name)]}:
                return name == region
        raise AssertionError(condition)

    resources = _body(home)["Resources"].items()
    return {name: one for name, one in resources if holds(conditions.get(one.get("Condition")))}


def _patterns(resources: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {
        name: one["Properties"]["EventPattern"]
        for name, one in resources.items()
        if one["Type"] == "AWS::Events::Rule" and "EventPattern" in one["Properties"]
    }


def _home(*, bus: bool) -> dict[str, Mapping[str, Any]]:
    """The patterns of the home region's rules on its default bus, or on the bus that forwarders put events onto."""
    resources = {
        name: one for name, one in source()["Resources"].items() if ("EventBusName" in one.get("Properties", {})) is bus
    }
    return {name: as_deployed(one, source()["Resources"], STACK) for name, one in _patterns(resources).items()}


def _events(region: str) -> Iterator[dict[str, Any]]:
    """Every kept event, as AWS would tell of it if it had happened in this region."""
    for one in records():
        event = one.event()
        detail = {**event["detail"], "awsRegion": region, "recipientAccountId": ACCOUNT}
        yield {**event, "account": ACCOUNT, "region": region, "detail": detail}


def _waking(patterns: Mapping[str, Mapping[str, Any]], event: Mapping[str, Any]) -> list[str]:
    """The rules that hear an event, tripwires apart."""
    return [name for name, pattern in patterns.items() if not name.endswith("Tripwire") and matches(pattern, event)]


# --- what home hears, a forwarder forwards ---------------------------------------------------------------------------


def test_whatever_a_rule_at_home_hears_a_forwarder_hears_where_it_happens() -> None:
    home, everywhere, virginia = _home(bus=False), _patterns(_here(SYDNEY, IRELAND)), _patterns(_here(SYDNEY, VIRGINIA))
    made = rules(by_arrival(registry.load().values()))
    for rule in made:
        assert home[rule.logical_id] == virginia[rule.logical_id], "the same pattern, to the letter"
        assert forwarders.is_global(rule) or home[rule.logical_id] == everywhere[rule.logical_id]
    expected = {"IamRule", "IamRule2", "MonitoringRule", "MonitoringRule2", "SnsRule", "SigninRule"}
    assert expected == {one.logical_id for one in made if forwarders.is_global(one)}


def test_every_kept_event_that_wakes_at_home_goes_over_the_bus_from_elsewhere() -> None:
    forwarded, told = _patterns(_here(SYDNEY, VIRGINIA)), 0
    for event in _events(VIRGINIA):
        at_home = _waking(_home(bus=False), event)
        assert at_home == _waking(forwarded, event)
        assert ["HomeWakesRule"] == _waking(_home(bus=True), event)
        told += bool(at_home)
    assert told > 50, "nearly all of them wake"


@pytest.mark.parametrize(
    ("kind", "match", "is_global"),
    [
        (On("iam.amazonaws.com", ("CreateUser",), lambda _: ()), {}, True),
        (On("sts.amazonaws.com", ("GetFederationToken",), lambda _: ()), {}, False),  # its endpoints are regional, too
        (On("signin.amazonaws.com", (), lambda _: (), SIGN_IN[0]), {"userIdentity": {"type": ["Root"]}}, True),
        (On("signin.amazonaws.com", (), lambda _: (), SIGN_IN[0]), {}, False),  # IAM users' vary with the endpoint
        (On("monitoring.amazonaws.com", ("DeleteAlarms",), lambda _: ()), {"awsRegion": ["us-east-1"]}, True),
        (On("s3.amazonaws.com", ("PutBucketAcl",), lambda _: ()), {}, False),
    ],
)
def test_where_aws_tells_of_what(kind: On, match: Mapping[str, Any], *, is_global: bool) -> None:
    control = replace(registry.load()["s3-public-acl"], wakes_on=(replace(kind, match=match),))
    (rule,) = rules([control])
    assert is_global is forwarders.is_global(rule)


# --- and nobody hears it twice ---------------------------------------------------------------------------------------


def test_in_the_home_region_a_forwarder_hears_nothing() -> None:
    for home in (SYDNEY, VIRGINIA):
        assert ["DeadEvents", "DeadEventsPolicy"] == list(_here(home, home))


@pytest.mark.parametrize("home", [SYDNEY, VIRGINIA])
def test_what_aws_tells_of_in_one_region_is_forwarded_from_there_alone(home: str) -> None:
    of_services_without_region = {"IamRule", "SigninRule", "RolesTripwire", "OptInRule"}
    assert of_services_without_region <= {*_here(SYDNEY, VIRGINIA)}
    assert not of_services_without_region & {*_here(home, IRELAND)}


def test_a_forwarder_hears_nothing_that_is_not_listened_for() -> None:
    """Each event over the bus costs what an event costs."""
    listened = {one.logical_id for one in rules(by_arrival(registry.load().values()))}
    heard = {*_patterns(_here(SYDNEY, VIRGINIA))}
    beside = {*forwarders.TRIPWIRES, "OptInRule", "BillRule"}
    assert listened | beside == heard | {"TrailTripwire"}, "of the trail all calls wake"


@pytest.mark.parametrize(("rule", "service", "name", "parameters"), HEARD, ids=lambda one: str(one)[:60])
def test_what_a_tripwire_hears_is_forwarded_once_and_told_in_one_sentence(
    rule: str, service: str, name: str, parameters: Mapping[str, Any]
) -> None:
    """EventBridge delivers an event once for each rule that matches: two in a region would be two e-mails at home."""
    if rule not in forwarders.TRIPWIRES or "targets" in parameters:  # a rule's topic lies in the rule's own region
        return
    event = {**call(service, name, parameters), "region": VIRGINIA}
    forwarded = [one for one, pattern in _patterns(_here(SYDNEY, VIRGINIA)).items() if matches(pattern, event)]
    told = [one for one, pattern in _home(bus=True).items() if one.endswith("Tripwire") and matches(pattern, event)]
    assert (1, [f"Home{rule}"]) == (len(forwarded), told)


# --- how it gets home ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "service", "called", "parameters"),
    [
        ("RulesTripwire", "events", "PutPermission", {"eventBusName": "plumbline-home"}),
        ("RulesTripwire", "events", "DeleteRule", {"name": "plumbline-s3"}),
        ("QueuesTripwire", "sqs", "SetQueueAttributes",
         {"queueUrl": f"https://sqs.{IRELAND}.amazonaws.com/{ACCOUNT}/plumbline-dead-events"}),
        ("ForwardersTripwire", "cloudformation", "DeleteStack", {"stackName": "StackSet-plumbline-forwarders-0a1b"}),
    ],
)  # fmt: skip
def test_in_another_region_a_stack_of_somebody_elses_is_heard_and_what_stacksets_does_is_not(
    name: str, service: str, called: str, parameters: Mapping[str, Any]
) -> None:
    """A stack may hold a policy for a queue or a bus that is not its own: CloudFormation acts for somebody.

    Source: AWS CloudFormation template reference, AWS::SQS::QueuePolicy and AWS::Events::EventBusPolicy.
    """
    role = as_deployed({"Fn::GetAtt": ["StackSetRole", "Arn"]}, source()["Resources"], STACK)
    by_stacksets = {**ROLE, "sessionContext": {"sessionIssuer": {"arn": role}}}
    there, at_home = _patterns(_here(SYDNEY, IRELAND))[name], _home(bus=True)[f"Home{name}"]
    for invoked in ({}, {"invokedBy": "cloudformation.amazonaws.com"}):
        for who, heard in ((ROLE, True), (by_stacksets, False)):
            event = call(service, called, parameters, {**who, **invoked})
            assert (heard, heard) == (matches(there, event), matches(at_home, event))


def test_every_rule_leads_to_the_home_bus_whole_by_one_role_and_loses_nothing() -> None:
    """Source: Amazon EventBridge user guide, Input transformation: not for event buses; Using dead-letter queues."""
    for name, one in _here(SYDNEY, VIRGINIA).items():
        if one["Type"] != "AWS::Events::Rule":
            continue
        (target,) = one["Properties"]["Targets"]
        assert f"arn:aws:events:{SYDNEY}:{ACCOUNT}:event-bus/plumbline-home" == target["Arn"]
        assert f"arn:aws:iam::{ACCOUNT}:role/plumbline/plumbline-forwarder" == target["RoleArn"]
        assert not {"Input", "InputPath", "InputTransformer"} & set(target)
        kept = {"Fn::GetAtt": ["DeadEvents", "Arn"]} if name != "AliveRule" else None  # a sign of life is stale by then
        assert kept == target.get("DeadLetterConfig", {}).get("Arn")
        assert {"ENABLED"} >= {one["Properties"].get("State", "ENABLED")} or name == "RootRule"


def test_a_rule_that_hears_reads_hears_them_on_both_buses() -> None:
    """Source: Amazon EventBridge API reference, PutRule, State: for rules on the default or a custom event bus."""
    every = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    assert every == _here(SYDNEY, IRELAND)["RootRule"]["Properties"]["State"]
    assert every == source()["Resources"]["HomeWakesRule"]["Properties"]["State"]


def test_the_home_bus_believes_aws_alone_about_this_account_alone() -> None:
    event = next(one for one in _events(VIRGINIA) if _waking(_home(bus=True), one))
    for lie in ({"source": "my.app"}, {"account": "444455556666"}, {"source": "plumbline"}):
        assert [] == [one for one, pattern in _home(bus=True).items() if matches(pattern, {**event, **lie})]


def test_only_forwarders_put_events_onto_the_home_bus() -> None:
    bus = as_deployed(source()["Resources"]["HomeBus"]["Properties"], source()["Resources"], STACK)
    assert "plumbline-home" == bus["Name"]
    allow, deny = bus["Policy"]["Statement"]
    forwarder = f"arn:aws:iam::{ACCOUNT}:role/plumbline/plumbline-forwarder"
    assert ("Allow", {"AWS": forwarder}, "events:PutEvents") == (allow["Effect"], allow["Principal"], allow["Action"])
    assert ("Deny", "*", "events:PutEvents") == (deny["Effect"], deny["Principal"], deny["Action"])
    assert {
        "Bool": {"aws:PrincipalIsAWSService": "false"},
        "ArnNotEquals": {"aws:PrincipalArn": forwarder},
    } == deny["Condition"]


def test_a_sign_of_life_comes_as_often_as_the_sweep_expects_it_and_names_its_own_rule() -> None:
    """Source: Amazon EventBridge user guide, Scheduled events: `resources` has the rule's ARN."""
    alive = _here(SYDNEY, IRELAND)["AliveRule"]["Properties"]
    each = f"rate({BEAT // timedelta(minutes=1)} minutes)"
    assert ("plumbline-alive", each) == (alive["Name"], alive["ScheduleExpression"])
    beat = {
        "source": "aws.events",
        "detail-type": "Scheduled Event",
        "account": ACCOUNT,
        "region": IRELAND,
        "resources": [f"arn:aws:events:{IRELAND}:{ACCOUNT}:rule/plumbline-alive"],
        "detail": {},
    }
    assert ["HomeHeartbeatsRule"] == [name for name, pattern in _home(bus=True).items() if matches(pattern, beat)]
    somebody = {**beat, "resources": [f"arn:aws:events:{IRELAND}:{ACCOUNT}:rule/nightly"]}
    assert [] == [name for name, pattern in _home(bus=True).items() if matches(pattern, somebody)]


def test_the_alarm_on_the_bill_is_told_of_over_the_bus_and_its_reason_is_not() -> None:
    """Whoever may set an alarm's state writes its reason.

    Source: Amazon CloudWatch user guide, Alarm events and EventBridge.
    """
    event = {
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "account": ACCOUNT,
        "region": VIRGINIA,
        "time": "2026-03-02T08:00:00Z",
        "detail": {
            "alarmName": "plumbline-billing",
            "state": {"value": "ALARM", "reason": "pay here: example.com", "timestamp": "2026-03-02T08:00:00.000+0000"},
            "previousState": {"value": "OK"},
        },
    }
    forwarded, home = _patterns(_here(SYDNEY, VIRGINIA)), _home(bus=True)
    assert ["BillRule"] == [name for name, pattern in forwarded.items() if matches(pattern, event)]
    assert ["HomeBillRule"] == [name for name, pattern in home.items() if matches(pattern, event)]
    detail = event["detail"]
    assert isinstance(detail, dict)
    for other in ({"alarmName": "mine"}, {"state": {"value": "OK"}}):
        assert not matches(home["HomeBillRule"], {**event, "detail": {**detail, **other}})
    (target,) = source()["Resources"]["HomeBillRule"]["Properties"]["Targets"]
    assert {"at": "$.time", "alarm": "$.detail.alarmName"} == target["InputTransformer"]["InputPathsMap"]
    assert "BillRule" not in _patterns(_here(SYDNEY, IRELAND)), "billing data is in one region"


def test_a_tripwire_over_the_bus_says_where() -> None:
    for name in forwarders.TRIPWIRES:
        target, *looks = source()["Resources"][f"Home{name}"]["Properties"]["Targets"]
        sweep = {"Fn::GetAtt": ["SweepFunction", "Arn"]}
        assert [sweep] * (name in forwarders.LOOKED_AT) == [one["Arn"] for one in looks]
        assert ("looks there now" in target["InputTransformer"]["InputTemplate"]) is bool(looks)
        assert {"Ref": "WatchdogTopic"} == target["Arn"]
        assert " in <region>, by <who>" in target["InputTransformer"]["InputTemplate"]
        assert "$.region" == target["InputTransformer"]["InputPathsMap"]["region"]


# --- what StackSets takes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("controls", [0, 70])
def test_the_body_is_plain_and_short_enough_with_a_fifth_to_spare(controls: int) -> None:
    """Source: AWS::CloudFormation::StackSet: 51,200 bytes; a macro would take another capability."""
    template = parsed(written(TEMPLATE.read_text(), grown(controls)))
    text = as_deployed(
        template["Resources"]["Forwarders"]["Properties"]["TemplateBody"], template["Resources"], LONGEST_NAMES
    )
    assert len(text.encode()) <= room(forwarders.LONGEST)
    body = parsed(text)
    assert not {"Transform", "Parameters"} & set(body), "nobody may override what is baked in"
    kinds = {"AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "AWS::Events::Rule"}
    assert kinds == {one["Type"] for one in body["Resources"].values()}


def test_a_body_that_stacksets_would_refuse_stops_the_sync() -> None:
    ons = tuple(On(f"service{number}.amazonaws.com", ("Create",), lambda _: ()) for number in range(150))
    eager = replace(registry.load()["s3-public-acl"], id="zz-eager", wakes_on=ons)
    with pytest.raises(CannotBePacked, match=r"the forwarders' template is .* of StackSets' 51,200 40,960 may be used"):
        written(TEMPLATE.read_text(), {**registry.load(), eager.id: eager})


def test_the_role_that_makes_them_may_make_all_that_they_are_made_of() -> None:
    assert yaml.safe_dump(sorted({one["Type"].split("::")[1] for one in _body(SYDNEY)["Resources"].values()})) == (
        "- Events\n- SQS\n"
    )
    policy = source()["Resources"]["StackSetPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    resources = " ".join(str(as_deployed(one["Resource"], source()["Resources"], STACK)) for one in policy)
    called = [one["Properties"] for one in _here(SYDNEY, VIRGINIA).values() if "Properties" in one]
    assert all(one.get("Name", "plumbline-").startswith("plumbline-") for one in called)
    assert f":{ACCOUNT}:rule/plumbline-*" in resources
    assert f":{ACCOUNT}:{_here(SYDNEY, VIRGINIA)['DeadEvents']['Properties']['QueueName']}" in resources


def test_one_region_that_cannot_be_reached_stops_no_other() -> None:
    made = source()["Resources"]["Forwarders"]["Properties"]
    assert {
        "RegionConcurrencyType": "PARALLEL",
        "MaxConcurrentPercentage": 100,
        "FailureTolerancePercentage": 100,
    } == made["OperationPreferences"]
    assert ("SELF_MANAGED", {"Fn::GetAtt": ["StackSetsRole", "Arn"]}) == (
        made["PermissionModel"],
        made["AdministrationRoleARN"],
    )
    assert {"Fn::GetAtt": ["Regions", "Others"]} == made["StackInstancesGroup"][0]["Regions"]
