"""StackSets of the embedded AWS: deployed in their regions by the roles that AWS asks for, told, and refused.

Source: AWS CloudFormation user guide, "Grant self-managed permissions" and "StackSets concepts"; AWS CloudFormation API
reference; AWS CloudFormation template reference, AWS::CloudFormation::StackSet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.embedded import ACCOUNT, EmbeddedAWS
from tests.local.conftest import error
from tests.local.test_events import Rule
from tests.trails import logging_trail

HOME, WEST, IRELAND, HONG_KONG = "us-east-1", "us-west-2", "eu-west-1", "ap-east-1"
ADMINISTRATION = f"arn:aws:iam::{ACCOUNT}:role/stacksets"
ROLES = {"AdministrationRoleARN": ADMINISTRATION, "ExecutionRoleName": "stackset"}
TEMPLATE = json.dumps(
    {
        "Parameters": {"Delay": {"Type": "Number", "Default": 0}},
        "Resources": {
            "Queue": {
                "Type": "AWS::SQS::Queue",
                "Properties": {"QueueName": "of-the-stack-set", "DelaySeconds": {"Ref": "Delay"}},
            }
        },
    }
)
A_TOPIC = json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "none"}}}})


def _document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]})


def _trust(principal: Mapping[str, Any], condition: Mapping[str, Any] | None = None) -> str:
    return _document(
        {"Principal": principal, "Action": "sts:AssumeRole", **({"Condition": condition} if condition else {})}
    )


TRUST_OF_ADMINISTRATION = _trust(
    {"Service": ["cloudformation.amazonaws.com", f"cloudformation.{HONG_KONG}.amazonaws.com"]},
    {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "StringLike": {"aws:SourceArn": f"arn:aws:cloudformation:*:{ACCOUNT}:stackset/*"},
    },
)
TRUST_OF_EXECUTION = _trust({"AWS": ADMINISTRATION})
BECOMES = _document({"Action": "sts:AssumeRole", "Resource": f"arn:aws:iam::{ACCOUNT}:role/stackset"})
DEPLOYS = {"Action": "cloudformation:*", "Resource": "*"}
MAKES_QUEUES = {"Action": "sqs:*", "Resource": f"arn:aws:sqs:*:{ACCOUNT}:of-the-*"}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAWS]:
    with EmbeddedAWS.start(state=tmp_path_factory.mktemp("stacksets")) as running:
        logging_trail(running)
        iam = running.client("iam")
        iam.create_role(RoleName="stacksets", AssumeRolePolicyDocument=TRUST_OF_ADMINISTRATION)
        iam.put_role_policy(RoleName="stacksets", PolicyName="become", PolicyDocument=BECOMES)
        iam.create_role(RoleName="stackset", AssumeRolePolicyDocument=TRUST_OF_EXECUTION)
        iam.put_role_policy(RoleName="stackset", PolicyName="make", PolicyDocument=_document(DEPLOYS, MAKES_QUEUES))
        yield running


@pytest.fixture
def heard(aws: EmbeddedAWS) -> Iterator[Callable[..., Rule]]:
    made: list[Rule] = []

    def listen(name: str, pattern: object) -> Rule:
        made.append(Rule(aws, name, pattern))
        return made[-1]

    yield listen
    for one in made:
        one.end()


class Set:
    """A StackSet made by the API."""

    def __init__(self, aws: EmbeddedAWS, name: str, template: str = TEMPLATE) -> None:
        self._aws, self.name = aws, name
        self.calls = aws.client("cloudformation")
        self.calls.create_stack_set(StackSetName=name, TemplateBody=template, **ROLES)

    def done(self, call: str, **parameters: Any) -> str:
        """Call, wait for the end of the operation, and say what it came to."""
        begun = getattr(self.calls, call)(StackSetName=self.name, **parameters)["OperationId"]

        def status() -> str:
            described = self.calls.describe_stack_set_operation(StackSetName=self.name, OperationId=begun)
            return str(described["StackSetOperation"]["Status"])

        self._aws.wait(lambda: status() != "RUNNING", what=f"the end of {call}")
        return status()

    def deploy(self, *regions: str, **preferences: Any) -> str:
        """Deploy instances in regions."""
        return self.done(
            "create_stack_instances", Accounts=[ACCOUNT], Regions=list(regions), OperationPreferences=preferences
        )

    def instances(self) -> dict[str, tuple[str, str, str]]:
        """Each region's instance: its status, its detailed status, and why."""
        listed = self.calls.list_stack_instances(StackSetName=self.name)["Summaries"]
        return {
            one["Region"]: (
                one["Status"], one["StackInstanceStatus"]["DetailedStatus"], one.get("StatusReason", "")
            )
            for one in listed
        }  # fmt: skip

    def end(self) -> None:
        """Delete the instances and the StackSet."""
        regions = list(self.instances())
        if regions:
            self.done("delete_stack_instances", Accounts=[ACCOUNT], Regions=regions, RetainStacks=False)
        self.calls.delete_stack_set(StackSetName=self.name)


def _queues(aws: EmbeddedAWS, region: str) -> list[str]:
    urls = aws.client("sqs", region=region).list_queues(QueueNamePrefix="of-the-").get("QueueUrls", [])
    return [url.rpartition("/")[2] for url in urls]


def _delay(aws: EmbeddedAWS, region: str) -> str:
    sqs = aws.client("sqs", region=region)
    url = sqs.get_queue_url(QueueName="of-the-stack-set")["QueueUrl"]
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])["Attributes"]["DelaySeconds"])


# --- the API --------------------------------------------------------------------------------------


def test_an_instance_is_a_stack_of_its_region_that_follows_the_stack_set(aws: EmbeddedAWS) -> None:
    ours = Set(aws, "queues")
    assert "SUCCEEDED" == ours.deploy(WEST, IRELAND)
    assert dict.fromkeys((WEST, IRELAND), ("CURRENT", "SUCCEEDED", "")) == ours.instances()
    (stack,) = aws.client("cloudformation", region=WEST).describe_stacks()["Stacks"]
    assert stack["StackName"].startswith("StackSet-queues-")
    described = ours.calls.describe_stack_instance(
        StackSetName="queues", StackInstanceAccount=ACCOUNT, StackInstanceRegion=WEST
    )["StackInstance"]
    assert described["StackId"] == stack["StackId"]
    assert ["of-the-stack-set"] == _queues(aws, WEST)
    assert [] == _queues(aws, HOME)

    parameters = [{"ParameterKey": "Delay", "ParameterValue": "5"}]
    assert "SUCCEEDED" == ours.done("update_stack_set", UsePreviousTemplate=True, Parameters=parameters, **ROLES)
    assert ["5", "5"] == [_delay(aws, WEST), _delay(aws, IRELAND)]
    override = [{"ParameterKey": "Delay", "ParameterValue": "7"}]
    west = {"Accounts": [ACCOUNT], "Regions": [WEST]}
    assert "SUCCEEDED" == ours.done("update_stack_instances", ParameterOverrides=override, **west)
    assert ["7", "5"] == [_delay(aws, WEST), _delay(aws, IRELAND)]

    assert "StackSetNotEmptyException" == error(lambda: ours.calls.delete_stack_set(StackSetName="queues"))
    assert "SUCCEEDED" == ours.done("delete_stack_instances", RetainStacks=False, **west)
    assert ([], [IRELAND]) == (_queues(aws, WEST), list(ours.instances()))
    listed = ours.calls.list_stack_set_operations(StackSetName="queues")["Summaries"]
    assert ["DELETE", "UPDATE", "UPDATE", "CREATE"] == [one["Action"] for one in listed]
    ours.end()
    assert "StackSetNotFoundException" == error(lambda: ours.calls.describe_stack_set(StackSetName="queues"))
    deleted = ours.calls.list_stack_sets(Status="DELETED")["Summaries"]
    assert "queues" in [one["StackSetName"] for one in deleted]


def test_a_condition_knows_in_which_region_it_is_asked(aws: EmbeddedAWS) -> None:
    """Source: AWS CloudFormation template reference, Pseudo parameters reference."""
    template = json.loads(TEMPLATE)
    template["Conditions"] = {
        "West": {"Fn::Equals": [{"Ref": "AWS::Region"}, WEST]},
        "Ours": {"Fn::And": [{"Condition": "West"}, {"Fn::Equals": [{"Ref": "AWS::AccountId"}, ACCOUNT]}]},
    }
    template["Resources"]["Queue"]["Condition"] = "Ours"
    template["Resources"]["Nothing"] = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    ours = Set(aws, "conditional", json.dumps(template))
    assert "SUCCEEDED" == ours.deploy(WEST, IRELAND)
    assert (["of-the-stack-set"], []) == (_queues(aws, WEST), _queues(aws, IRELAND))
    ours.end()


def test_what_is_not_there_or_there_already_is_refused_by_its_name(aws: EmbeddedAWS) -> None:
    ours = Set(aws, "refused")
    calls, there = ours.calls, {"StackSetName": "refused"}
    again = {"StackSetName": "refused", "TemplateBody": TEMPLATE, **ROLES}
    nowhere = {"StackInstanceAccount": ACCOUNT, "StackInstanceRegion": WEST}
    refused = {
        "the same again": lambda: calls.create_stack_set(**again),
        "no such set": lambda: calls.list_stack_instances(StackSetName="nowhere"),
        "no such instance": lambda: calls.describe_stack_instance(**there, **nowhere),
        "no such operation": lambda: calls.describe_stack_set_operation(**there, OperationId="none"),
        "no such region": lambda: calls.create_stack_instances(**there, Accounts=[ACCOUNT], Regions=["moon-1"]),
        "no administration role": lambda: calls.update_stack_set(**there, UsePreviousTemplate=True),
        "a template too large": lambda: calls.create_stack_set(StackSetName="large", TemplateBody=" " * 51201),
    }
    assert {
        "the same again": "NameAlreadyExistsException",
        "no such set": "StackSetNotFoundException",
        "no such instance": "StackInstanceNotFoundException",
        "no such operation": "OperationNotFoundException",
        "no such region": "ValidationError",
        "no administration role": "ValidationError",
        "a template too large": "ValidationError",
    } == {what: error(call) for what, call in refused.items()}
    ours.end()
    calls.delete_stack_set(StackSetName="nowhere")  # what is not there is deleted


def test_one_operation_at_a_time_which_can_be_stopped(aws: EmbeddedAWS) -> None:
    ours = Set(aws, "busy")
    listed = aws.client("account").list_regions(RegionOptStatusContains=["ENABLED_BY_DEFAULT"])["Regions"]
    everywhere = [one["RegionName"] for one in listed]
    busy = {"StackSetName": "busy"}
    begun = ours.calls.create_stack_instances(**busy, Accounts=[ACCOUNT], Regions=everywhere)
    operation = {**busy, "OperationId": begun["OperationId"]}
    assert "OperationInProgressException" == error(lambda: ours.calls.delete_stack_set(**busy))
    ours.calls.stop_stack_set_operation(**operation)

    def status() -> str:
        return str(ours.calls.describe_stack_set_operation(**operation)["StackSetOperation"]["Status"])

    aws.wait(lambda: status() == "STOPPED", what="the operation's end")
    results = ours.calls.list_stack_set_operation_results(**operation)["Summaries"]
    ended = [one["Status"] for one in results]
    assert (everywhere, ended[0], ended[-1]) == ([one["Region"] for one in results], "SUCCEEDED", "CANCELLED")
    assert "InvalidOperationException" == error(lambda: ours.calls.stop_stack_set_operation(**operation))
    ours.end()


# --- who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "broken", "reason"),
    [
        ("stacksets", _trust({"Service": "events.amazonaws.com"}),
         f"Account {ACCOUNT} should have 'stacksets' role with trust relationship to CloudFormation service."),
        ("stackset", _document({"Principal": {"AWS": ACCOUNT}, "Action": "sts:TagSession"}),
         f"Account {ACCOUNT} should have 'stackset' role with trust relationship to Role 'stacksets'."),
    ],
)  # fmt: skip
def test_an_operation_needs_both_roles_to_trust(aws: EmbeddedAWS, role: str, broken: str, reason: str) -> None:
    iam = aws.client("iam")
    trusted = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=broken)
    ours = Set(aws, "untrusted")
    try:
        assert "FAILED" == ours.deploy(WEST, IRELAND)
        assert ours.instances() == {
            WEST: ("OUTDATED", "FAILED", reason),
            IRELAND: ("OUTDATED", "CANCELLED", "Cancelled since failure tolerance has exceeded"),
        }
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trusted))
    ours.end()


def test_the_administration_role_must_be_allowed_to_become_the_execution_role(aws: EmbeddedAWS) -> None:
    iam, ours = aws.client("iam"), Set(aws, "powerless")
    iam.delete_role_policy(RoleName="stacksets", PolicyName="become")
    assert "FAILED" == ours.deploy(WEST)
    assert "trust relationship to Role 'stacksets'" in ours.instances()[WEST][2]
    iam.put_role_policy(RoleName="stacksets", PolicyName="become", PolicyDocument=BECOMES)
    ours.end()


def test_the_execution_role_must_be_allowed_what_the_stack_makes(aws: EmbeddedAWS) -> None:
    ours = Set(aws, "topics", A_TOPIC)
    assert "FAILED" == ours.deploy(WEST)
    (said,) = [reason for *_, reason in ours.instances().values()]
    assert "ResourceLogicalId:T, ResourceType:AWS::SNS::Topic" in said
    assert f"is not authorized to perform: sns:CreateTopic on resource: arn:aws:sns:{WEST}:{ACCOUNT}:none" in said
    assert [] == aws.client("sns", region=WEST).list_topics()["Topics"]
    assert "FAILED" == ours.deploy(WEST)  # what was never made is deleted and tried again
    ours.end()


def test_a_region_that_was_opted_into_has_a_service_of_its_own_to_be_trusted(aws: EmbeddedAWS) -> None:
    """Source: Grant self-managed permissions, "Regions that are disabled by default"."""
    iam, ours = aws.client("iam"), Set(aws, "opted-in")
    assert "FAILED" == ours.deploy(HONG_KONG)
    assert "The security token included in the request is invalid." == ours.instances()[HONG_KONG][2]
    aws.enable_region(HONG_KONG)
    assert "SUCCEEDED" == ours.deploy(HONG_KONG)
    ours.end()
    iam.update_assume_role_policy(
        RoleName="stacksets", PolicyDocument=_trust({"Service": "cloudformation.amazonaws.com"})
    )
    again = Set(aws, "opted-in-again")
    assert "FAILED" == again.deploy(HONG_KONG)
    assert "trust relationship to CloudFormation service" in again.instances()[HONG_KONG][2]
    iam.update_assume_role_policy(RoleName="stacksets", PolicyDocument=TRUST_OF_ADMINISTRATION)
    again.end()
    aws.disable_region(HONG_KONG)


def test_what_fails_within_the_tolerance_stops_nothing(aws: EmbeddedAWS) -> None:
    """Source: StackSet operation options, failure tolerance: a count of accounts for each region."""
    ours = Set(aws, "tolerant")
    assert "SUCCEEDED" == ours.deploy(HONG_KONG, WEST, FailureToleranceCount=1)
    assert [("OUTDATED", "FAILED"), ("CURRENT", "SUCCEEDED")] == [one[:2] for one in ours.instances().values()]
    there = {"Accounts": [ACCOUNT], "Regions": [HONG_KONG]}
    # Nobody comes into a region that is off, not even to delete: only the instance can be forgotten.
    assert "FAILED" == ours.done("delete_stack_instances", RetainStacks=False, **there)
    assert "SUCCEEDED" == ours.done("delete_stack_instances", RetainStacks=True, **there)
    ours.end()


def test_a_role_is_passed_by_who_changes_the_stack_set_and_not_by_who_changes_instances(aws: EmbeddedAWS) -> None:
    """Only CreateStackSet and UpdateStackSet take a role."""
    aws.user("stan")
    without_passing = _document({"Action": "cloudformation:*", "Resource": "*"})
    aws.client("iam").put_user_policy(UserName="stan", PolicyName="only", PolicyDocument=without_passing)
    stan, ours = aws.client("cloudformation", as_="stan"), Set(aws, "passed")
    named = {"StackSetName": "passed"}
    with pytest.raises(ClientError, match=rf"iam:PassRole on resource: {ADMINISTRATION}"):
        stan.create_stack_set(StackSetName="his", TemplateBody=TEMPLATE, **ROLES)
    with pytest.raises(ClientError, match=rf"iam:PassRole on resource: {ADMINISTRATION}"):
        stan.update_stack_set(**named, UsePreviousTemplate=True, **ROLES)
    stan.create_stack_instances(**named, Accounts=[ACCOUNT], Regions=[WEST])
    aws.wait(lambda: ours.instances()[WEST][0] == "CURRENT", what="his instance")
    ours.end()


# --- what is told ---------------------------------------------------------------------------------


def test_each_status_is_told_where_the_stack_set_lives_and_each_call_is_recorded(
    aws: EmbeddedAWS, heard: Callable[..., Rule]
) -> None:
    """Source: StackSet Stack Instance Status Change and StackSet Operation Status Change event detail."""
    of_instances = heard("instances", {"detail-type": ["CloudFormation StackSet StackInstance Status Change"]})
    of_operations = heard("operations", {"detail-type": ["CloudFormation StackSet Operation Status Change"]})
    recorded = heard("records", {"detail": {"eventSource": ["cloudformation.amazonaws.com"]}})
    ours = Set(aws, "told")
    ours.deploy(WEST)
    ours.end()
    of_operations.wait(lambda heard: len(heard) == 4)
    told = [one["detail"]["status-details"]["status"] for one in of_operations.heard()]
    assert ["RUNNING", "SUCCEEDED"] * 2 == told
    instances = of_instances.wait(lambda heard: len(heard) == 6)
    details = [one["detail"]["status-details"] for one in instances]
    assert [("OUTDATED", "PENDING"), ("OUTDATED", "RUNNING"), ("CURRENT", "SUCCEEDED")] == [
        (one["status"], one["detailed-status"]) for one in details[:3]
    ]
    assert (instances[2]["region"], instances[2]["source"]) == (HOME, "aws.cloudformation")
    assert instances[2]["detail"].keys() == {"stack-set-arn", "stack-id", "action", "status-details"}
    assert instances[2]["detail"]["stack-id"].startswith(
        f"arn:aws:cloudformation:{WEST}:{ACCOUNT}:stack/StackSet-told-"
    )
    wanted = {"CreateStackSet", "CreateStackInstances", "DeleteStackInstances", "DeleteStackSet"}
    recorded.wait(lambda heard: wanted <= {one["detail"]["eventName"] for one in heard})
    (made,) = [one for one in recorded.heard() if one["detail"]["eventName"] == "CreateStackInstances"]
    assert made["detail"]["requestParameters"]["regions"] == [WEST]


# --- the resource type ----------------------------------------------------------------------------


def _parent(regions: list[str], template: str = TEMPLATE, **more: Any) -> str:
    group = {"DeploymentTargets": {"Accounts": [{"Ref": "AWS::AccountId"}]}, "Regions": regions}
    properties = {
        "StackSetName": "forwarders",
        "PermissionModel": "SELF_MANAGED",
        "TemplateBody": template,
        "StackInstancesGroup": [group],
        **ROLES,
        **more,
    }
    resources = {"Forwarders": {"Type": "AWS::CloudFormation::StackSet", "Properties": properties}}
    return json.dumps({"Resources": resources, "Outputs": {"Id": {"Value": {"Ref": "Forwarders"}}}})


def _stack(aws: EmbeddedAWS, as_: str = "admin") -> Callable[..., str]:
    calls = aws.client("cloudformation", as_=as_)

    def do(call: str, template: str = "") -> str:
        body = {"TemplateBody": template} if template else {}
        getattr(calls, call)(StackName="parent", **body)

        def status() -> str:
            stacks = aws.client("cloudformation").list_stacks()["StackSummaries"]
            return next(str(one["StackStatus"]) for one in reversed(stacks) if one["StackName"] == "parent")

        aws.wait(lambda: not status().endswith("IN_PROGRESS"), what=f"the end of {call}")
        return status()

    return do


def test_a_stack_deploys_its_stack_set_and_takes_it_away_again(aws: EmbeddedAWS) -> None:
    do, calls = _stack(aws), aws.client("cloudformation")
    assert "CREATE_COMPLETE" == do("create_stack", _parent([WEST, IRELAND]))
    outputs = calls.describe_stacks(StackName="parent")["Stacks"][0]["Outputs"]
    assert outputs[0]["OutputValue"].startswith("forwarders:")
    assert (["of-the-stack-set"], ["of-the-stack-set"]) == (_queues(aws, WEST), _queues(aws, IRELAND))
    longer = [{"ParameterKey": "Delay", "ParameterValue": "9"}]
    assert "UPDATE_COMPLETE" == do("update_stack", _parent([IRELAND, "eu-west-2"], Parameters=longer))
    assert ([], "9", "9") == (_queues(aws, WEST), _delay(aws, IRELAND), _delay(aws, "eu-west-2"))
    renamed = TEMPLATE.replace("of-the-stack-set", "of-the-update")
    assert "UPDATE_COMPLETE" == do("update_stack", _parent([IRELAND, "eu-west-2"], renamed))
    assert ["of-the-update"] == _queues(aws, IRELAND)
    assert "DELETE_COMPLETE" == do("delete_stack")
    assert ([], []) == (_queues(aws, IRELAND), _queues(aws, "eu-west-2"))
    assert "StackSetNotFoundException" == error(lambda: calls.describe_stack_set(StackSetName="forwarders"))


def test_a_stack_set_that_fails_fails_its_stack_and_leaves_nothing(aws: EmbeddedAWS) -> None:
    do, calls = _stack(aws), aws.client("cloudformation")
    assert "ROLLBACK_COMPLETE" == do("create_stack", _parent([WEST], A_TOPIC))
    events = calls.describe_stack_events(StackName="parent")["StackEvents"]
    (why,) = [one["ResourceStatusReason"] for one in events if one["ResourceStatus"] == "CREATE_FAILED"]
    assert "was unexpectedly stopped or failed" in why
    assert "sns:CreateTopic" in why
    assert "StackSetNotFoundException" == error(lambda: calls.describe_stack_set(StackSetName="forwarders"))
    do("delete_stack")


def test_what_somebody_added_by_the_api_keeps_the_stack_set_from_being_deleted(aws: EmbeddedAWS) -> None:
    do, calls = _stack(aws), aws.client("cloudformation")
    do("create_stack", _parent([WEST]))
    calls.create_stack_instances(StackSetName="forwarders", Accounts=[ACCOUNT], Regions=["sa-east-1"])
    assert "DELETE_FAILED" == do("delete_stack")
    left = calls.list_stack_instances(StackSetName="forwarders")["Summaries"]
    assert ["sa-east-1"] == [one["Region"] for one in left]
    calls.delete_stack_instances(
        StackSetName="forwarders", Accounts=[ACCOUNT], Regions=["sa-east-1"], RetainStacks=False
    )
    aws.wait(lambda: not calls.list_stack_instances(StackSetName="forwarders")["Summaries"], what="the stray's end")
    assert "DELETE_COMPLETE" == do("delete_stack")


def test_who_deploys_needs_the_rights_that_the_stack_set_takes(aws: EmbeddedAWS) -> None:
    aws.user("deployer")
    iam = aws.client("iam")
    stacks = {"Action": ["cloudformation:CreateStack", "cloudformation:DescribeStacks"], "Resource": "*"}
    sets = {"Action": ["cloudformation:CreateStackSet", "cloudformation:CreateStackInstances"], "Resource": "*"}
    passing = {"Action": "iam:PassRole", "Resource": ADMINISTRATION}
    do, calls = _stack(aws, as_="deployer"), aws.client("cloudformation")
    for given, refused in (((stacks,), "cloudformation:CreateStackSet"), ((stacks, sets), "iam:PassRole")):
        iam.put_user_policy(UserName="deployer", PolicyName="only", PolicyDocument=_document(*given))
        assert "ROLLBACK_COMPLETE" == do("create_stack", _parent([WEST]))
        events = calls.describe_stack_events(StackName="parent")["StackEvents"]
        assert any(f"not authorized to perform: {refused}" in one.get("ResourceStatusReason", "") for one in events)
        _stack(aws)("delete_stack")
    iam.put_user_policy(UserName="deployer", PolicyName="only", PolicyDocument=_document(stacks, sets, passing))
    assert "CREATE_COMPLETE" == do("create_stack", _parent([WEST]))
    assert "DELETE_COMPLETE" == _stack(aws)("delete_stack")


def test_an_execution_role_that_went_first_leaves_the_instances_behind(aws: EmbeddedAWS) -> None:
    """The order in which a template deletes is its own to say: DependsOn, or what is left is nobody's."""
    do, iam = _stack(aws), aws.client("iam")
    do("create_stack", _parent([WEST]))
    iam.update_assume_role_policy(
        RoleName="stackset", PolicyDocument=_document({"Principal": {"AWS": ACCOUNT}, "Action": "sts:TagSession"})
    )
    assert "DELETE_FAILED" == do("delete_stack")
    assert ["of-the-stack-set"] == _queues(aws, WEST)
    iam.update_assume_role_policy(RoleName="stackset", PolicyDocument=TRUST_OF_EXECUTION)
    assert "DELETE_COMPLETE" == do("delete_stack")
    assert [] == _queues(aws, WEST)
