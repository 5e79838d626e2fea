"""A stack that governs every region is deleted: what is left in any of them, whoever had put it there.

The tests run in this order, in one account: each begins where the one before has ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from local import deployment
from local.embedded import EmbeddedAWS, EmbeddedAWSError
from tests import built
from tests.trails import bucket_of_a_trail
from tests.upgrade.leftovers import everywhere, forwarders, left
from tests.upgrade.test_upgrade import Patient

HOME = "ap-southeast-2"
#: Regions that accounts have to opt into: one that is governed to the end, one that is switched off again.
OPTED_IN, OFF_AGAIN = "af-south-1", "ap-east-1"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    """An account whose home is Sydney, with nothing in it."""
    with EmbeddedAWS.start(state=tmp_path_factory.mktemp("uninstall") / "aws", region=HOME) as aws:
        built.build(aws)
        yield Patient(aws, {})


def _refused(account: Patient, stack: str, resource: str) -> str:
    """Why a resource of a stack could not be made, as CloudFormation says to whoever deploys."""
    pages = account.aws.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack)
    (why,) = [
        str(one["ResourceStatusReason"])
        for page in pages
        for one in page["StackEvents"]
        if (one["LogicalResourceId"], one["ResourceStatus"]) == (resource, "CREATE_FAILED")
    ]
    return why


def test_a_stackset_that_is_called_as_ours_would_be_stops_a_deployment_and_is_left_alone(account: Patient) -> None:
    stacks = account.aws.client("cloudformation")
    body = json.dumps({"Resources": {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}})
    stacks.create_stack_set(StackSetName="plumbline-forwarders", TemplateBody=body)
    try:
        with pytest.raises(EmbeddedAWSError, match="ROLLBACK_COMPLETE"):
            deployment.deploy(account.aws, {"AlertEmail": "security@example.com"})
        assert "StackSet plumbline-forwarders already exists" in _refused(account, "plumbline", "Forwarders")
        stacks.delete_stack(StackName="plumbline")
        theirs = {HOME: {"stack sets": ["plumbline-forwarders"]}}
        account.until(lambda: everywhere(account.aws) == theirs, "what is another's is all that is there")
    finally:
        stacks.delete_stack_set(StackSetName="plumbline-forwarders")


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
        account.until(lambda region=region: forwarders(account.aws).get(region) == "CURRENT", region)  # type: ignore[misc]
    assert {"CURRENT"} == set(forwarders(account.aws).values())
    assert 18 == len(forwarders(account.aws)), "16 besides home, and two that the sweep has added"
    for region in (OPTED_IN, "eu-west-1"):
        assert {"stacks", "rules", "queues"} == set(left(account.aws, region))
    account.aws.client("account").disable_region(RegionName=OFF_AGAIN)


def test_a_second_plumbline_is_refused_before_anything_of_it_is_made(account: Patient) -> None:
    """By what the first leaves where every region sees it; what to do stands in the event that `sam deploy` shows."""
    before, stacks = everywhere(account.aws), account.aws.client("cloudformation")
    with pytest.raises(EmbeddedAWSError, match="ROLLBACK_COMPLETE"):
        deployment.deploy(account.aws, {"AlertEmail": "ops@example.com"}, stack="another")
    why = _refused(account, "another", "Names")
    assert "this account has a Plumbline already, whose names begin with plumbline. " in why
    assert f"of the stack plumbline in {HOME}" in why
    stacks.delete_stack(StackName="another")
    account.until(lambda: everywhere(account.aws) == before, "nothing more is there than before")


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
    (records,) = [one for one in buckets if not one.startswith("aws-sam-cli-")]
    assert records.startswith(f"plumbline-trail-{account.aws.account}-{HOME}-")


def test_what_stays_where_a_region_was_switched_off_is_one_stack_that_anybody_can_delete(account: Patient) -> None:
    account.aws.enable_region(OFF_AGAIN)
    stays = left(account.aws, OFF_AGAIN)
    assert {"stacks", "rules", "queues"} == set(stays)
    (stack,) = stays["stacks"]
    assert stack.startswith("StackSet-plumbline-forwarders-")
    account.aws.client("cloudformation", region=OFF_AGAIN).delete_stack(StackName=stack)
    account.until(lambda: left(account.aws, OFF_AGAIN) == {}, "it is gone")
