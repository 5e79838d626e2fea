"""What AWS is asked to run: the template as CloudFormation gets it, after SAM."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest

from plumbline.adapters.accounts import Accounts
from plumbline.alerts.reach import unheard
from plumbline.baseline.rules import Baseline
from plumbline.compose import NotConfigured, from_environment
from plumbline.controls import registry
from plumbline.findings.hearing import KEPT_AS
from tests.deployed import ROOT, STACK, TEMPLATE, as_deployed, logical, of_type, properties, source, text, transformed
from tests.eventbridge import matches
from tests.fakes import NOW
from tests.rig import own_rules

FUNCTIONS = ("ReactFunction", "SweepFunction", "OperateFunction", "AnnounceFunction")
ROLES = (
    "ReactRole",
    "SweepRole",
    "OperateRole",
    "AnnounceRole",
    "EyesRole",
    "HandsRole",
    "GivingRole",
    "HouseRole",
    "ForwarderRole",
    "StackSetsRole",
    "StackSetRole",
)
#: What CloudFormation alone calls, while a stack is made or changed; named by CloudFormation itself.
NAMES_FUNCTION, NAMES_ROLE = "NamesFunction", "NamesRole"
#: What a deployed stack of version 0.1 has, where parameters left it so. CloudFormation updates in place what keeps its
#: logical id and its name, and makes anew, under the eyes of running functions, what does not.
VERSION_0_1 = {
    "AWS::Events::Rule": {
        "CloudtrailRule": "plumbline-cloudtrail",
        "DeployedRule": "plumbline-deployed",
        "IamRule": "plumbline-iam",
        "MonitoringRule": "plumbline-monitoring",
        "RootRule": "plumbline-root",
        "S3Rule": "plumbline-s3",
        "SigninRule": "plumbline-signin",
        "SnsRule": "plumbline-sns",
        "SweepSchedule": "plumbline-sweep",
        "WeeklySchedule": "plumbline-weekly",
    },
    "AWS::IAM::ManagedPolicy": {
        "AnnouncePolicy": "plumbline-announce",
        "ChatPolicy": "plumbline-chat",
        "EyesPolicy": "plumbline-eyes",
        "HandsPolicy": "plumbline-hands",
        "OperatePolicy": "plumbline-operate",
        "OperatorPolicy": "plumbline-operator",
        "ReactPolicy": "plumbline-react",
        "SweepPolicy": "plumbline-sweep",
    },
    "AWS::IAM::Role": {
        "AnnounceRole": "plumbline-announce",
        "EyesRole": "plumbline-eyes",
        "HandsRole": "plumbline-hands",
        "OperateRole": "plumbline-operate",
        "ReactRole": "plumbline-react",
        "SweepRole": "plumbline-sweep",
    },
}
#: Statements about what IAM knows no resource of. Source: Service Authorization Reference; older editions of it know
#: none for sns:GetSubscriptionAttributes either.
WITHOUT_RESOURCE = (
    "WhoDeployed", "WhoHears", "WhatHasNoResource", "WhichRegions", "WhichRegionsAndHowTheyFail",
    "WhetherThereIsAnother", "WhatTheConsoleAsks",
)  # fmt: skip
_NAMED_BY = {
    "AWS::Events::Rule": "Name",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
}


def _statements(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    statements: list[Mapping[str, Any]] = document["Statement"]
    return statements


def _policy(name: str) -> list[Mapping[str, Any]]:
    return _statements(properties("AWS::IAM::ManagedPolicy")[name]["PolicyDocument"])


def _held(role: str) -> list[Mapping[str, Any]]:
    """The statements of every policy that a role lists."""
    attached = properties("AWS::IAM::Role")[role]["ManagedPolicyArns"]
    return [statement for one in attached for statement in _policy(logical(one))]


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _actions(statements: list[Mapping[str, Any]]) -> set[str]:
    return {action for one in statements for action in _several(one["Action"])}


# --- as a whole ----------------------------------------------------------------------------------------------------


def _lint(path: Path) -> str:
    linter = Path(sys.executable).parent / "cfn-lint"
    return subprocess.run([linter, "--", path], capture_output=True, text=True, check=False).stdout


def test_cfn_lint_has_nothing_to_say_about_the_source() -> None:
    assert "" == _lint(TEMPLATE)


def test_cfn_lint_has_nothing_to_say_about_what_sam_makes_of_it(tmp_path: Path) -> None:
    """SAM hides policies from the linter, and a misspelt action would pass."""
    path = tmp_path / "transformed.json"
    path.write_text(json.dumps(transformed()))
    assert "" == _lint(path)


def test_it_fits_into_one_request() -> None:
    assert len(json.dumps(transformed())) < 1_000_000
    assert len(transformed()["Resources"]) < 500


@pytest.mark.parametrize("kind", VERSION_0_1)
def test_a_stack_of_version_0_1_is_updated_in_place(kind: str) -> None:
    named = {name: text(one[_NAMED_BY[kind]]) for name, one in properties(kind).items() if _NAMED_BY[kind] in one}
    assert VERSION_0_1[kind] == {name: named.get(name) for name in VERSION_0_1[kind]}


# --- what a person types -------------------------------------------------------------------------------------------


def test_every_parameter_is_described_constrained_grouped_and_labelled() -> None:
    parameters = source()["Parameters"]
    interface = source()["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(parameters) == sorted(grouped), "each in one group"
    assert set(parameters) == set(interface["ParameterLabels"])
    for name, one in parameters.items():
        assert one["Description"].endswith("."), name
        assert {"AllowedPattern", "AllowedValues", "MinValue"} & set(one), f"{name} takes anything"
        assert "AllowedPattern" not in one or one["ConstraintDescription"], f"{name} refuses without a reason"


def test_every_output_is_described() -> None:
    """Source: AWS CloudFormation user guide, quotas and Outputs: 1,024 characters of a description."""
    described = {name: one.get("Description", "") for name, one in source()["Outputs"].items()}
    assert [] == [name for name, one in described.items() if not 10 < len(one) <= 1024]


@pytest.mark.parametrize(
    ("output", "operation"), [("ConfirmByCommand", "ConfirmSubscription"), ("SubscribeAgain", "Subscribe")]
)
def test_an_output_that_mends_what_nobody_hears_is_a_command_that_aws_takes(output: str, operation: str) -> None:
    command, call, *options = shlex.split(text(source()["Outputs"][output]["Value"]))[1:]
    given = {
        one.removeprefix("--").replace("-", ""): value for one, value in zip(options[::2], options[1::2], strict=True)
    }
    if "notificationendpoint" in given:  # the CLI's own name for Endpoint; `--endpoint` would be its `--endpoint-url`
        given["endpoint"] = given.pop("notificationendpoint")
    model = boto3.client(command, region_name="us-east-1").meta.service_model.operation_model(operation)
    assert operation == "".join(word.capitalize() for word in call.split("-"))
    taken = {one.lower() for one in model.input_shape.members}
    assert {"region"} == given.keys() - taken
    assert {one.lower() for one in model.input_shape.required_members} <= given.keys()
    assert given.get("authenticateonunsubscribe", "true") == "true"
    assert ("authenticateonunsubscribe" in given) == (output == "ConfirmByCommand")


def test_where_no_event_crosses_a_border_outputs_status_and_digest_say_the_same() -> None:
    said = source()["Outputs"]["NotHeardHere"]
    assert "IsUntold" == said["Condition"]
    assert {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-gov-east-1"]} == source()["Conditions"]["IsUntold"]
    words = said["Value"]["Fn::Sub"].replace("${AWS::Region}", "us-gov-east-1")
    assert unheard("us-gov-east-1") == words
    assert {""} == {unheard(home) for home in ("us-east-1", "ap-southeast-2", "us-gov-west-1", "cn-north-1")}
    assert len(source()["Description"]) <= 1024


def test_sts_is_asked_in_the_home_region_without_a_word_of_ours() -> None:
    """The SDK's default since 2025; so no variable of the functions has to say it."""
    assert "AWS_STS_REGIONAL_ENDPOINTS" not in json.dumps(source()["Globals"])
    client = boto3.client("sts", region_name="ap-southeast-2")
    assert "https://sts.ap-southeast-2.amazonaws.com" == client.meta.endpoint_url


# --- the functions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_runs_on_arm_as_itself_and_logs_where_it_is_told(name: str) -> None:
    function = properties("AWS::Lambda::Function")[name]
    assert ("python3.13", ["arm64"]) == (function["Runtime"], function["Architectures"])
    assert name.replace("Function", "Role") == logical(function["Role"])
    log = logical(function["LoggingConfig"]["LogGroup"])
    group = properties("AWS::Logs::LogGroup")[log]
    assert name.replace("Function", "Log") == log
    assert f"/aws/lambda/{text(function['FunctionName'])}" == text(group["LogGroupName"])
    assert {"Ref": "LogRetentionDays"} == group["RetentionInDays"]


def test_there_are_no_other_functions_and_no_role_of_sams_own() -> None:
    assert {NAMES_FUNCTION, *FUNCTIONS} == set(properties("AWS::Lambda::Function"))
    assert {NAMES_ROLE, *ROLES} == set(properties("AWS::IAM::Role"))


def test_every_role_takes_the_boundary_that_an_organisation_asks_for() -> None:
    bounded = {"Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]}
    assert {json.dumps(bounded)} == {
        json.dumps(one["PermissionsBoundary"]) for one in properties("AWS::IAM::Role").values()
    }


@pytest.mark.parametrize("name", ["ReactFunction", "SweepFunction", "OperateFunction"])
def test_a_function_finds_everything_it_needs_in_its_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plumbline.compose.load_baseline", lambda **_: Baseline(own_rules()))
    monkeypatch.setattr("plumbline.compose.load_index", registry.index)
    variables = properties("AWS::Lambda::Function")[name]["Environment"]["Variables"]
    environment = {key: text(value) for key, value in variables.items()} | {"AWS_REGION": STACK["AWS::Region"]}
    plumbline = from_environment(lambda: NOW, environment)
    assert STACK["AWS::AccountId"] == plumbline.account
    accounts = plumbline.engine.aws
    assert isinstance(accounts, Accounts)
    ours = {text(one["RoleName"]) for one in properties("AWS::IAM::Role").values() if "RoleName" in one}
    assert accounts.eyes_role.format(account=plumbline.account).rpartition("/")[2] in ours
    roles = {"hands": accounts.hands_role, "giving": accounts.giving_role, "house": accounts.house_role}
    mine = {"house"} if name == "SweepFunction" else {"hands", "giving"}
    assert mine == {kind for kind, role in roles.items() if role}, "the sweep has no hands but those of the house"
    assert ours >= {role.rpartition("/")[2] for role in roles.values() if role}
    assert not accounts.converts
    handler = (ROOT / "functions" / name.removesuffix("Function").lower() / "app.py").read_text()
    assert {one for one in variables if one.endswith("_QUEUE")} >= {
        one for one in ("PLUMBLINE_WAKES_QUEUE", "PLUMBLINE_UNITS_QUEUE") if one in handler
    }
    read_by_the_handler = {one for one in environment if f'"{one}"' in handler}
    assert {"Fn::If": ["MakesTrail", {"Ref": "TrailBucket"}, ""]} == variables["PLUMBLINE_TRAIL_BUCKET"]
    of_roles = {f"PLUMBLINE_{one}_ROLE" for one in ("HANDS", "GIVING", "HOUSE")}
    for key in set(environment) - {*of_roles, "PLUMBLINE_WAKES_QUEUE"} - read_by_the_handler:
        with pytest.raises(NotConfigured):
            from_environment(lambda: NOW, {one: value for one, value in environment.items() if one != key})


# --- what is remembered --------------------------------------------------------------------------------------------


def test_the_ledger_cannot_be_lost() -> None:
    table = of_type("AWS::DynamoDB::Table")["Ledger"]
    kept = table["Properties"]
    assert ("RetainExceptOnCreate", "Retain") == (table["DeletionPolicy"], table["UpdateReplacePolicy"])
    assert kept["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert {"AttributeName": "expires", "Enabled": True} == kept["TimeToLiveSpecification"]


def test_the_ledger_is_protected_once_nothing_can_fail_any_more() -> None:
    """What is protected cannot be deleted, not even by CloudFormation when it takes a failed deployment back."""
    kept = properties("AWS::DynamoDB::Table")["Ledger"]
    assert {"Fn::GetAtt": ["Names", "LedgerIsThere"]} == kept["DeletionProtectionEnabled"], (
        "one that was there stays so"
    )
    assert "Ledger" == logical(properties("Custom::LedgerProtection")["LedgerProtection"]["Table"])
    assert _unconditional() - {"LedgerProtection"} <= _needs("LedgerProtection")
    assert {"Trail"} <= _needs("LedgerProtection")


def test_a_bucket_has_nothing_in_it_while_a_first_deployment_may_fail() -> None:
    assert _unconditional() - {"LedgerProtection"} <= _needs("Trail")


def test_the_trails_bucket_is_kept_closed_and_encrypted() -> None:
    bucket = of_type("AWS::S3::Bucket")["TrailBucket"]
    assert ("RetainExceptOnCreate", "Retain") == (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"])
    assert {True} == set(bucket["Properties"]["PublicAccessBlockConfiguration"].values())
    assert bucket["Properties"]["BucketEncryption"]


def test_what_stays_when_the_stack_is_deleted_is_ledger_and_trail_bucket() -> None:
    """Everything else goes: a later stack of the same name finds none of its names taken."""
    policies = {name: one.get("DeletionPolicy", "Delete") for name, one in transformed()["Resources"].items()}
    assert {"Ledger", "TrailBucket"} == {name for name, policy in policies.items() if policy != "Delete"}


# --- in which order it is made, and deleted the other way round ----------------------------------------------------


@cache
def _needs(name: str) -> frozenset[str]:
    """Everything that is made before a resource, and deleted after it."""
    resource = transformed()["Resources"][name]
    direct = {*_several(resource.get("DependsOn", [])), *_referred(resource.get("Properties", {}))}
    here = direct & set(transformed()["Resources"])
    return frozenset(here).union(*map(_needs, here))


def _referred(value: Any) -> Iterator[str]:
    """The names that a value refers to, by `Ref`, `GetAtt` or `Sub`."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::Sub": str(body)}:
            yield from re.findall(r"\$\{(\w+)", body)
        case Mapping():
            for one in value.values():
                yield from _referred(one)
        case list():
            for one in value:
                yield from _referred(one)


def _unconditional() -> set[str]:
    """What every stack has."""
    return {name for name, one in transformed()["Resources"].items() if "Condition" not in one}


@pytest.mark.parametrize("name", ["ReactFunction", "OperateFunction"])
def test_what_repairs_keeps_all_it_needs_until_it_is_gone(name: str) -> None:
    """A stack may be deleted while a repair is under way: it is finished, recorded and told."""
    wanted = {"EyesRole", "HandsRole", "EyesPolicy", "HandsPolicy", "Ledger", "AlertsTopic", "AlertsSubscription"}
    wanted |= {"GivingRole", "GivingPolicy"}
    assert wanted <= _needs(name)
    own = name.replace("Function", "")
    assert {f"{own}Role", f"{own}Policy", f"{own}Log"} <= _needs(name)


def test_triggers_go_first() -> None:
    kinds = ("AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission")
    for trigger in (name for kind in kinds for name in of_type(kind)):
        assert {one for one in FUNCTIONS if one in _needs(trigger)}, trigger
    for rule in of_type("AWS::Events::Rule"):
        assert {"SweepFunction", "WakesQueue", "WatchdogTopic", "HeartbeatsQueue"} & _needs(rule), rule
        assert not [one for one in _needs("ReactFunction") if one == rule]


# --- the queues ----------------------------------------------------------------------------------------------------


def test_every_queue_is_encrypted_and_gives_up_into_the_dead_letters() -> None:
    queues = properties("AWS::SQS::Queue")
    assert {"WakesQueue", "UnitsQueue", "DeadLetterQueue", "HeartbeatsQueue"} == set(queues)
    for name, queue in queues.items():
        assert queue["SqsManagedSseEnabled"] is True, name
        if name not in ("DeadLetterQueue", "HeartbeatsQueue"):  # signs of life that nobody takes are stale by then
            assert "DeadLetterQueue" == logical(queue["RedrivePolicy"]["deadLetterTargetArn"])
            assert queue["RedrivePolicy"]["maxReceiveCount"] >= 3
            assert queue["MessageRetentionPeriod"] < queues["DeadLetterQueue"]["MessageRetentionPeriod"] + 1


def test_a_message_is_not_given_out_again_while_it_is_worked_on() -> None:
    mappings = properties("AWS::Lambda::EventSourceMapping").values()
    served = {logical(one["EventSourceArn"]): one for one in mappings}
    assert {"WakesQueue", "Ledger"} == set(served), "each queue that Lambda polls costs a quarter of a dollar a month"
    functions, queues = properties("AWS::Lambda::Function"), properties("AWS::SQS::Queue")
    mapping = served["WakesQueue"]
    assert queues["WakesQueue"]["VisibilityTimeout"] >= 6 * functions[logical(mapping["FunctionName"])]["Timeout"]
    assert ["ReportBatchItemFailures"] == mapping["FunctionResponseTypes"]
    assert queues["UnitsQueue"]["VisibilityTimeout"] > functions["SweepFunction"]["Timeout"], (
        "who took one is dead then"
    )


def test_a_piece_of_a_sweep_comes_back_as_often_as_it_takes() -> None:
    """Lambda stops a function that queues work for itself at about the sixteenth time, unless it is told not to.

    Source: AWS Lambda developer guide, Use Lambda recursive loop detection to prevent infinite loops. A piece comes
    back only where it has come further, so it ends.
    """
    functions = properties("AWS::Lambda::Function")
    allowed = {name for name, one in functions.items() if one.get("RecursiveLoop") == "Allow"}
    assert {"SweepFunction"} == allowed


def test_what_happens_to_findings_is_announced_from_the_ledgers_stream() -> None:
    assert {"StreamViewType": "NEW_AND_OLD_IMAGES"} == properties("AWS::DynamoDB::Table")["Ledger"][
        "StreamSpecification"
    ]
    (mapping,) = [
        one
        for one in properties("AWS::Lambda::EventSourceMapping").values()
        if logical(one["FunctionName"]) == "AnnounceFunction"
    ]
    assert "<Ledger.StreamArn>" == text(mapping["EventSourceArn"])
    assert ("TRIM_HORIZON", ["ReportBatchItemFailures"]) == (
        mapping["StartingPosition"],
        mapping["FunctionResponseTypes"],
    )
    assert "<DeadLetterQueue.Arn>" == text(mapping["DestinationConfig"]["OnFailure"]["Destination"])
    (pattern,) = [json.loads(one["Pattern"]) for one in mapping["FilterCriteria"]["Filters"]]
    earlier_lives_are_copies = {"S": [{"prefix": "finding#"}, KEPT_AS]}
    assert earlier_lives_are_copies == pattern["dynamodb"]["Keys"]["sk"]


def test_announce_can_do_nothing_but_announce() -> None:
    allowed = {action for action in _actions(_policy("AnnouncePolicy")) if not action.startswith("logs:")}
    reading = {f"dynamodb:{one}" for one in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")}
    assert {"events:PutEvents", "sqs:SendMessage", *reading} == allowed
    (put,) = [one for one in _policy("AnnouncePolicy") if one["Action"] == "events:PutEvents"]
    assert {"StringEquals": {"events:source": "plumbline"}} == put["Condition"], "it cannot speak in another's name"


# --- the rules -----------------------------------------------------------------------------------------------------


def _rules() -> dict[str, Mapping[str, Any]]:
    """Those that follow from the controls."""
    return {
        name: one
        for name, one in properties("AWS::Events::Rule").items()
        if one.get("Description", "").startswith("Wakes Plumbline")
    }


def test_every_rule_of_a_control_puts_its_events_onto_the_wakes_queue_and_loses_none() -> None:
    for name, rule in _rules().items():
        (target,) = rule["Targets"]
        assert ("WakesQueue", "DeadLetterQueue") == (
            logical(target["Arn"]),
            logical(target["DeadLetterConfig"]["Arn"]),
        ), name
        assert not {"Input", "InputPath", "InputTransformer"} & set(target), "the envelope arrives whole"
        assert rule["State"].startswith("ENABLED")


def test_no_rule_hears_of_another_account() -> None:
    """Beside an organisation's own events, its central bus carries those of all its members."""
    assert {json.dumps([{"Ref": "AWS::AccountId"}])} == {
        json.dumps(one["EventPattern"].get("account"))
        for one in properties("AWS::Events::Rule").values()
        if "EventPattern" in one
    }


def test_rules_of_this_stack_and_nobody_else_may_send_to_the_queues() -> None:
    policy = properties("AWS::SQS::QueuePolicy")["QueuePolicy"]
    assert {"WakesQueue", "DeadLetterQueue"} == set(map(logical, policy["Queues"]))
    here, on_the_bus = [one for one in _statements(policy["PolicyDocument"]) if one["Effect"] == "Allow"]
    for statement in (here, on_the_bus):
        assert {"Service": "events.amazonaws.com"} == statement["Principal"]
        assert {"WakesQueue", "DeadLetterQueue"} == set(map(logical, _several(statement["Resource"])))
    assert {"ArnLike": ":rule/plumbline-*", "ArnNotLike": ":rule/*/*"} == _of_rules(here)
    assert {"ArnLike": ":rule/plumbline-home/plumbline-home-*"} == _of_rules(on_the_bus)
    names = [(text(rule["Name"]), "EventBusName" in rule) for rule in _rules().values()]
    assert [] == [name for name, on_bus in names if not name.startswith("plumbline-home-" if on_bus else "plumbline-")]
    assert len(names) == len(set(names))


def _of_rules(statement: Mapping[str, Any]) -> dict[str, str]:
    """Which rules a statement is about, by operator."""
    account = f":{STACK['AWS::AccountId']}"
    return {
        operator: text(keys["aws:SourceArn"]).partition(account)[2] for operator, keys in statement["Condition"].items()
    }


def test_the_schedule_may_start_the_sweep_and_does() -> None:
    schedule = properties("AWS::Events::Rule")["SweepSchedule"]
    assert ("rate(1 hour)", "ENABLED") == (schedule["ScheduleExpression"], schedule["State"])
    assert ["SweepFunction"] == [logical(one["Arn"]) for one in schedule["Targets"]]


def test_a_deployment_of_this_stack_starts_a_sweep_and_no_other_does() -> None:
    rule = properties("AWS::Events::Rule")["DeployedRule"]
    assert ["SweepFunction"] == [logical(one["Arn"]) for one in rule["Targets"]]
    ours = text(rule["EventPattern"]["detail"]["stack-id"][0])
    pattern = as_deployed(rule["EventPattern"], {}, STACK)

    def woken(
        stack: str, status: str, source: str = "aws.cloudformation", account: str = STACK["AWS::AccountId"]
    ) -> bool:
        # the form that AWS documents for "Stack Status Change"
        details = {"status": status, "status-reason": ""}
        event = {"source": source, "detail-type": "CloudFormation Stack Status Change", "account": account}
        return matches(pattern, {**event, "detail": {"stack-id": stack, "status-details": details}})

    assert all(woken(ours, status) for status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"))
    assert not any(woken(ours, status) for status in ("UPDATE_IN_PROGRESS", "DELETE_COMPLETE"))
    assert not woken(ours, "CREATE_COMPLETE", "my.cloudformation")
    assert not woken(ours, "CREATE_COMPLETE", account="444455556666")
    assert not woken("arn:aws:cloudformation:us-east-1:111122223333:stack/other/1", "CREATE_COMPLETE")


def test_only_rules_of_this_stack_may_start_the_sweep() -> None:
    granted = {
        (logical(one["FunctionName"]), one["Principal"], logical(one["SourceArn"]))
        for one in properties("AWS::Lambda::Permission").values()
    }
    starting = ("SweepSchedule", "HouseSchedule", "DeployedRule", "OptInRule", "HomeOptInRule", "HomeRulesTripwire",
                "HomeQueuesTripwire")  # fmt: skip
    assert {("SweepFunction", "events.amazonaws.com", rule) for rule in starting} == granted


def test_plumbline_looks_at_itself_every_ten_minutes() -> None:
    schedule = properties("AWS::Events::Rule")["HouseSchedule"]
    assert ("rate(10 minutes)", "ENABLED") == (schedule["ScheduleExpression"], schedule["State"])
    (target,) = schedule["Targets"]
    assert ("SweepFunction", {"plumbline-task": "house"}) == (logical(target["Arn"]), json.loads(target["Input"]))


# --- who is told ---------------------------------------------------------------------------------------------------


def test_every_topic_says_who_may_publish_and_has_a_reader() -> None:
    topics = set(properties("AWS::SNS::Topic"))
    ruled = {logical(topic): one for one in properties("AWS::SNS::TopicPolicy").values() for topic in one["Topics"]}
    read = {
        logical(one["TopicArn"])
        for one in properties("AWS::SNS::Subscription").values()
        if one["Endpoint"] == {"Ref": "AlertEmail"}
    }
    assert {"AlertsTopic", "WatchdogTopic"} == read
    assert {"ChatTwinTopic", "PeopleTopic", *read} == topics == set(ruled), (
        "a chat tool subscribes itself to its topic, and the people of the roster are subscribed by a function"
    )
    for policy in ruled.values():
        for statement in _statements(policy["PolicyDocument"]):
            assert "*" != statement["Principal"] or statement["Effect"] == "Deny"
            assert "sns:Publish" == statement["Action"]
            # a condition would keep EventBridge from delivering anything: see tests/test_tripwires.py
            if statement["Principal"] != {"Service": "events.amazonaws.com"} and "Service" in statement["Principal"]:
                assert statement["Condition"]["StringEquals"]["aws:SourceAccount"]


def test_whoever_tells_may_publish() -> None:
    alerts = _statements(properties("AWS::SNS::TopicPolicy")["AlertsTopicPolicy"]["PolicyDocument"])
    allowed = {
        logical(role)
        for one in alerts
        if one["Effect"] == "Allow"
        for role in _several(one["Principal"].get("AWS", []))
    }
    assert {"ReactRole", "SweepRole", "OperateRole"} == allowed
    for name in ("ReactPolicy", "SweepPolicy", "OperatePolicy"):
        assert "AlertsTopic" in {
            logical(topic)
            for one in _policy(name)
            if "sns:Publish" in _several(one["Action"])
            for topic in _several(one["Resource"])
        }


def test_escalations_go_to_whoever_is_named_for_them() -> None:
    escalation = of_type("AWS::SNS::Subscription")["EscalationSubscription"]
    assert "HasEscalation" == escalation["Condition"]
    assert {"escalation": ["true"]} == escalation["Properties"]["FilterPolicy"]


def test_the_sweep_asks_who_hears_and_what_waits_and_sets_no_alarm() -> None:
    allowed = {
        action: {logical(one) for one in _several(statement["Resource"]) if one != "*"}
        for statement in _policy("SweepPolicy")
        for action in _several(statement["Action"])
        if action != "sqs:GetQueueAttributes" or "WakesQueue" in str(statement)
    }
    assert "AlertsTopic" in allowed["sns:ListSubscriptionsByTopic"]
    assert "WakesQueue" in allowed["sqs:GetQueueAttributes"]
    assert ["cloudwatch:GetMetricData"] == [action for action in allowed if action.startswith("cloudwatch:")]


# --- who may do what -----------------------------------------------------------------------------------------------


def test_plumbline_keeps_its_own_rule_about_inline_policies() -> None:
    for name, role in properties("AWS::IAM::Role").items():
        assert "Policies" not in role, name
        first, *more = [logical(one) for one in role["ManagedPolicyArns"]]
        assert name.replace("Role", "Policy") == first
        assert [f"{first}{number}" for number in range(2, len(more) + 2)] == more


def _declared(kind: str) -> dict[str, list[str]]:
    return {one.id: sorted(getattr(one, kind)) for one in registry.load().values() if getattr(one, kind)}


def _allowed(role: str) -> set[str]:
    return {action for one in _held(role) if one["Effect"] == "Allow" for action in _several(one["Action"])}


def test_eyes_may_do_what_the_controls_declare_and_no_more() -> None:
    assert {action for actions in _declared("reads").values() for action in actions} == _allowed("EyesRole")


def test_house_hands_may_do_what_the_controls_of_the_house_declare_and_no_more() -> None:
    declared = {action for one in registry.load().values() if one.house for action in one.writes}
    asked_beside = {"iam:PassRole"}  # of whoever leads a rule to a bus; which one, and to whom: see test_roles
    assert declared | asked_beside == _allowed("HouseRole")


def test_house_hands_reach_nothing_but_plumblines_own_parts() -> None:
    deny, *allowed = _held("HouseRole")
    assert {"lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"} <= set(deny["Action"])
    assert ("Deny", "*") == (deny["Effect"], deny["Resource"])
    for statement in allowed:
        reached = statement["Resource"]
        if statement["Action"] == "iam:PassRole":  # which one, and to whom: see test_roles
            continue
        if reached == "*":
            reached = statement["Condition"]["ArnLike"]["lambda:FunctionArn"]
        assert re.search(r":(rule/|function:|alarm:)plumbline-\*$", text(reached)), statement["Sid"]


def test_eyes_cannot_write() -> None:
    verbs = ("Get", "List", "Describe", "Generate", "Lookup", "Head", "View", "Batch", "Search", "Simulate", "Check")
    assert [] == [action for action in _actions(_held("EyesRole")) if not action.split(":")[1].startswith(verbs)]


def test_hands_are_denied_whatever_is_plumblines_own() -> None:
    deny, denials = (one for one in _held("HandsRole") if one["Effect"] == "Deny")
    assert [deny, denials] == _policy("HandsPolicy")[:2]
    assert "*" == deny["Action"]
    assert "Condition" not in deny
    denied = [text(one) for one in deny["Resource"]]
    named = "RoleName", "ManagedPolicyName", "FunctionName"  # the others are denied by what CloudFormation calls them
    ours = [_arn("role", one[named[0]]) for one in properties("AWS::IAM::Role").values() if named[0] in one]
    ours += [_arn("policy", one[named[1]]) for one in properties("AWS::IAM::ManagedPolicy").values() if named[1] in one]
    ours += ["<NamesRole.Arn>", "<NamesPolicy>", "<NamesFunction.Arn>"]
    ours += [
        "<Ledger.Arn>",
        "<WakesQueue.Arn>",
        "<UnitsQueue.Arn>",
        "<WatchdogTopic>",
        STACK["AWS::StackId"],
    ]
    ours += [
        f"arn:aws:lambda:us-east-1:111122223333:function:{text(one['FunctionName'])}"
        for one in properties("AWS::Lambda::Function").values()
        if named[2] in one
    ]
    ours += [
        f"arn:aws:events:us-east-1:111122223333:rule/{text(one['Name'])}"
        for one in properties("AWS::Events::Rule").values()
    ]
    ours += [f"arn:aws:sqs:us-east-1:111122223333:plumbline-{name}" for name in ("dead-letters", "dead-man")]
    ours += [f"arn:aws:events:{region}:111122223333:event-bus/plumbline-home" for region in ("us-east-1", "eu-west-1")]
    uncovered = [one for one in ours if not any(fnmatchcase(one, arn) for arn in denied)]
    assert [] == uncovered


def _arn(kind: str, name: Any) -> str:
    return f"arn:aws:iam::111122223333:{kind}/plumbline/{text(name)}"


def test_only_who_repairs_may_take_up_hands_and_only_functions_may_see() -> None:
    def trusted(role: str) -> set[str]:
        (statement,) = _statements(properties("AWS::IAM::Role")[role]["AssumeRolePolicyDocument"])
        return {logical(one) for one in _several(statement["Principal"].get("AWS", []))}

    assert {
        "HandsRole": {"ReactRole", "OperateRole"},
        "GivingRole": {"ReactRole", "OperateRole"},
        "HouseRole": {"SweepRole"},
        "EyesRole": {"ReactRole", "SweepRole", "OperateRole"},
        "StackSetRole": {"StackSetsRole"},
    } == {role: trusted(role) for role in ROLES if trusted(role)}


def test_the_sweep_cannot_reach_hands() -> None:
    assumed = [
        text(arn)
        for one in _policy("SweepPolicy")
        if "sts:AssumeRole" in _several(one["Action"])
        for arn in _several(one["Resource"])
    ]
    assert [_arn("role", "plumbline-eyes"), _arn("role", "plumbline-house")] == assumed


def test_an_operator_may_talk_to_plumbline_and_nothing_else() -> None:
    (statement,) = _policy("OperatorPolicy")
    assert ("lambda:InvokeFunction", "OperateFunction") == (statement["Action"], logical(statement["Resource"]))
    assert "OperatorPolicy" == logical(source()["Outputs"]["OperatorPolicyArn"]["Value"])


def test_eyes_see_what_status_asks_about_plumbline_itself() -> None:
    assert _actions(_held("EyesRole")) >= {"cloudwatch:DescribeAlarms", "sns:ListSubscriptionsByTopic"}


def test_nothing_is_allowed_on_everything_but_to_eyes_and_hands() -> None:
    for name in properties("AWS::IAM::ManagedPolicy"):
        if not re.fullmatch(
            r"(Eyes|Hands)Policy\d*|GuardPolicy", name
        ):  # the guard allows nothing: tests/test_guard.py
            for statement in (one for one in _policy(name) if one["Effect"] == "Allow"):
                if "lambda:FunctionArn" in statement.get("Condition", {}).get("ArnLike", {}):
                    continue  # IAM knows no resource of a trigger that is made, but its function
                if statement["Sid"] not in WITHOUT_RESOURCE:
                    assert "*" not in _several(statement["Resource"]), f"{name}: {statement['Sid']}"
                assert not [one for one in _several(statement["Action"]) if "*" in one]


def test_a_function_writes_its_own_log_only() -> None:
    for name in FUNCTIONS:
        (statement,) = [
            one for one in _policy(name.replace("Function", "Policy")) if "logs:PutLogEvents" in _several(one["Action"])
        ]
        group = text(properties("AWS::Lambda::Function")[name]["FunctionName"])
        assert text(statement["Resource"]).endswith(f":log-group:/aws/lambda/{group}:*")


def test_what_holds_its_name_needs_no_more_than_named_iam() -> None:
    assert {"/plumbline/"} == {one["Path"] for one in properties("AWS::IAM::Role").values()}
