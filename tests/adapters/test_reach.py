"""What AWS says of regions and forwarders, and what the ledger keeps of both: against moto."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import boto3
import pytest

from plumbline.adapters.clients import Clients
from plumbline.adapters.reach import Memory, Regions
from plumbline.core.reach import Reach, Region
from tests.story import ACCOUNT, make_table, world

HOME, IRELAND, SYDNEY = "us-east-1", "eu-west-1", "ap-southeast-2"
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
BODY = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "events"}}}})


@pytest.fixture
def regions() -> Iterator[Regions]:
    with world():
        queue = boto3.client("sqs", region_name=HOME).create_queue(QueueName="plumbline-dead-man")["QueueUrl"]
        yield Regions(Clients(HOME, lambda: NOW), ACCOUNT, HOME, "plumbline", queue)


def _beat(regions: Regions, region: str, at: datetime) -> None:
    """A sign of life, as EventBridge puts it onto a queue."""
    event = {"source": "aws.events", "region": region, "time": at.isoformat().replace("+00:00", "Z"), "detail": {}}
    boto3.client("sqs", region_name=HOME).send_message(QueueUrl=regions.beats, MessageBody=json.dumps(event))


def test_the_last_sign_of_life_of_each_region_counts_and_all_are_gone_then(regions: Regions) -> None:
    for minutes in range(12):
        _beat(regions, IRELAND, NOW + minutes * MINUTE)
    _beat(regions, SYDNEY, NOW)
    boto3.client("sqs", region_name=HOME).send_message(QueueUrl=regions.beats, MessageBody="no sign of anything")
    assert {IRELAND: NOW + 11 * MINUTE, SYDNEY: NOW} == regions.signs()
    assert {} == regions.signs()


def test_regions_that_are_switched_on_are_usable(regions: Regions) -> None:
    assert {HOME, IRELAND, SYDNEY} <= set(regions.usable())


def test_a_forwarder_is_made_and_seen(regions: Regions) -> None:
    assert {} == regions.forwarders(), "there is no StackSet before the stack is deployed"
    boto3.client("cloudformation", region_name=HOME).create_stack_set(
        StackSetName="plumbline-forwarders", TemplateBody=BODY
    )
    regions.forward([IRELAND, SYDNEY])
    assert {IRELAND: "", SYDNEY: ""} == regions.forwarders()


def test_what_could_not_be_delivered_is_counted_in_its_own_region(regions: Regions) -> None:
    assert 0 == regions.undelivered(IRELAND), "no queue, nothing in it"
    sqs = boto3.client("sqs", region_name=IRELAND)
    queue = sqs.create_queue(QueueName="plumbline-dead-events")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="{}")
    assert (1, 0) == (regions.undelivered(IRELAND), regions.undelivered(SYDNEY))


def test_what_was_seen_is_kept_in_one_item() -> None:
    seen = Reach(
        NOW,
        {
            HOME: Region(NOW, forwards=False),
            IRELAND: Region(NOW, NOW + MINUTE, {"undelivered": "3 of them"}, tried=NOW),
            SYDNEY: Region(NOW, governed=False),
        },
    )
    with world():
        make_table("ledger", HOME)
        memory = Memory(Clients(HOME, lambda: NOW), "ledger", HOME, ACCOUNT)
        assert Reach() == memory.reach()
        memory.keep(seen)
        assert seen == memory.reach()
