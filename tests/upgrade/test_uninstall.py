"""A stack that governs every region is deleted: what is left in any of them, whoever had put it there.

The tests run in this order, in one account: each begins where the one before has ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local import deployment
from local.embedded import EmbeddedAWS, EmbeddedAWSError
from tests.trails import bucket_of_a_trail
from tests.upgrade.test_upgrade import Patient

HOME = "ap-southeast-2"
#: Regions that accounts have to opt into: one that is governed to the end, one that is switched off again.
OPTED_IN, OFF_AGAIN = "af-south-1", "ap-east-1"
#: What `sam deploy --resolve-s3` makes for itself, once for each region that anybody deploys to.
_OF_SAM = "aws-sam-cli-managed-default"


def left(aws: EmbeddedAWS, region: str) -> dict[str, list[str]]:
    """Everything in a region, by kind, but a ledger and what SAM uploads to; buckets are in no region's list."""

    def ask(service: str, operation: str, found: str, name: str, **given: Any) -> list[str]:
        client = aws.client(service, as_="root", region=region)
        return sorted(str(one[name]) for one in getattr(client, operation)(**given).get(found, ()))

    stacks = aws.client("cloudformation", as_="root", region=region).list_stacks()["StackSummaries"]
    buses = ask("events", "list_event_buses", "EventBuses", "Name")
    found = {
        "stacks": [one["StackName"] for one in stacks if one["StackStatus"] != "DELETE_COMPLETE"],
        "stack sets": ask("cloudformation", "list_stack_sets", "Summaries", "StackSetName", Status="ACTIVE"),
        "buses": [one for one in buses if one != "default"],
        "rules": [name for bus in buses for name in ask("events", "list_rules", "Rules", "Name", EventBusName=bus)],
        "queues": aws.client("sqs", as_="root", region=region).list_queues().get("QueueUrls", []),
        "topics": ask("sns", "list_topics", "Topics", "TopicArn"),
        "subscriptions": ask("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
        "functions": ask("lambda", "list_functions", "Functions", "FunctionName"),
        "layers": ask("lambda", "list_layers", "Layers", "LayerName"),
        "mappings": ask("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
        "alarms": ask("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        "logs": ask("logs", "describe_log_groups", "logGroups", "logGroupName"),
        "trails": ask("cloudtrail", "describe_trails", "trailList", "Name", includeShadowTrails=False),
        "tables": aws.client("dynamodb", as_="root", region=region).list_tables()["TableNames"],
    }
    if region == HOME:  # what has no region
        found["roles"] = ask("iam", "list_roles", "Roles", "RoleName", PathPrefix="/plumbline/")
        found["policies"] = ask("iam", "list_policies", "Policies", "PolicyName", PathPrefix="/plumbline/")
    kept = ("plumbline-ledger-", _OF_SAM)
    return {
        kind: [one for one in names if not one.startswith(kept)]
        for kind, names in found.items()
        if any(not one.startswith(kept) for one in names)
    }


def everywhere(aws: EmbeddedAWS) -> dict[str, dict[str, list[str]]]:
    """What is left in each region that the account has switched on."""
    listed = aws.client("ec2").describe_regions()["Regions"]
    found = {one["RegionName"]: left(aws, one["RegionName"]) for one in listed}
    return {region: there for region, there in found.items() if there}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    """An account whose home is Sydney, with nothing in it."""
    with EmbeddedAWS.start(state=tmp_path_factory.mktemp("uninstall") / "aws", region=HOME) as aws:
        deployment.build(aws)
        yield Patient(aws, {})


def _forwarders(account: Patient) -> dict[str, str]:
    """Region -> how its forwarder stands, as StackSets say."""
    listed = account.aws.client("cloudformation").list_stack_instances(StackSetName="plumbline-forwarders")
    return {one["Region"]: one["Status"] for one in listed["Summaries"]}


def test_a_first_deployment_that_fails_late_leaves_nothing_in_any_region(account: Patient) -> None:
    """It fails when every forwarder is there: the account has a trail of that name already."""
    bucket_of_a_trail(account.aws, "in-the-way", "plumbline")
    account.aws.client("cloudtrail").create_trail(Name="plumbline", S3BucketName="in-the-way")
    with pytest.raises(EmbeddedAWSError, match="ROLLBACK_COMPLETE"):
        deployment.deploy(account.aws, {"AlertEmail": "security@example.com"})
    account.aws.client("cloudtrail").delete_trail(Name="plumbline")
    account.aws.client("s3").delete_bucket(Bucket="in-the-way")
    account.aws.client("cloudformation").delete_stack(StackName="plumbline")
    account.until(lambda: everywhere(account.aws) == {}, "the failed stack is forgotten")


def test_every_region_has_a_forwarder_and_so_have_those_that_are_switched_on_later(account: Patient) -> None:
    deployment.deploy(account.aws, {"AlertEmail": "security@example.com"})
    account.first_sweep()
    for region in (OPTED_IN, OFF_AGAIN):
        account.aws.client("account").enable_region(RegionName=region)
        account.until(lambda region=region: _forwarders(account).get(region) == "CURRENT", region)  # type: ignore[misc]
    assert {"CURRENT"} == set(_forwarders(account).values())
    assert 18 == len(_forwarders(account)), "16 besides home, and two that the sweep has added"
    for region in (OPTED_IN, "eu-west-1"):
        assert {"stacks", "rules", "queues"} == set(left(account.aws, region))
    account.aws.client("account").disable_region(RegionName=OFF_AGAIN)


def test_deleting_the_stack_leaves_nothing_in_any_region_but_ledger_and_records(account: Patient) -> None:
    """Also where the sweep had put a forwarder, which CloudFormation by itself would not delete.

    Source: aws-cloudformation-resource-providers-cloudformation, DeleteHandler: it deletes the instances of the
    template's own groups. A StackSet in which any is left cannot be deleted (DeleteStackSet, StackSetNotEmpty).
    """
    deployment.delete(account.aws)
    assert {} == everywhere(account.aws)
    tables = account.aws.client("dynamodb").list_tables()["TableNames"]
    assert [True] == [one.startswith("plumbline-ledger-") for one in tables]
    buckets = [one["Name"] for one in account.aws.client("s3").list_buckets()["Buckets"]]
    (records,) = [one for one in buckets if not one.startswith(_OF_SAM)]
    assert records.startswith(f"plumbline-trail-{account.aws.account}-{HOME}-")


def test_what_stays_where_a_region_was_switched_off_is_one_stack_that_anybody_can_delete(account: Patient) -> None:
    account.aws.enable_region(OFF_AGAIN)
    stays = left(account.aws, OFF_AGAIN)
    assert {"stacks", "rules", "queues"} == set(stays)
    (stack,) = stays["stacks"]
    assert stack.startswith("StackSet-plumbline-forwarders-")
    account.aws.client("cloudformation", region=OFF_AGAIN).delete_stack(StackName=stack)
    account.until(lambda: left(account.aws, OFF_AGAIN) == {}, "it is gone")
