"""What the preview says beside its findings: the trail, who hears, what it costs, how fresh it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from plumbline.adapters.clients import perform
from plumbline.core.calls import Call
from plumbline.core.errors import AwsRefusal
from preview.about import Counting, deployment, told
from tests.story import ACCOUNT, World, world

REGION = "us-east-1"
NOW = datetime.now(timezone.utc)
TEMPLATE = {
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "acme-alerts"}}},
    "Outputs": {"AlertsTopicArn": {"Value": {"Ref": "Topic"}}},
}
COSTS = (
    "This look sent 1,000 requests, and an hourly sweep sends about as many: 720,000 management events a month. The "
    "first copy that a trail delivers of them is free; each further trail that records reads adds 14.40 USD a month."
)


@pytest.fixture
def here() -> Iterator[World]:
    with world() as told_of:
        yield told_of


def test_where_nothing_is_deployed_it_says_what_would_be(here: World) -> None:
    (trail,) = deployment(here._make, REGION, "plumbline").told
    listeners, costs = told(here._make, REGION, "plumbline", 1_000, NOW)
    assert trail.startswith("The stack makes a trail, with a bucket of its own.")
    assert listeners == "Plumbline is not deployed here, so nobody is told: whoever you name with EMAIL= will be."
    assert costs == COSTS


def test_a_deployment_makes_a_trail_where_there_is_none_and_none_where_it_is_refused(here: World) -> None:
    assert deployment(here._make, REGION, "plumbline").makes_a_trail
    here.client("s3").create_bucket(Bucket="acme-records")
    here.client("cloudtrail").create_trail(Name="audit", S3BucketName="acme-records", IsMultiRegionTrail=True)
    here.client("cloudtrail").start_logging(Name="audit")
    assert not deployment(here._make, REGION, "plumbline").makes_a_trail


def test_in_another_home_region_it_says_what_is_not_heard(here: World) -> None:
    assert [one for one in deployment(here._make, "eu-west-1", "plumbline").told if "home region is eu-west-1" in one]


def test_where_it_is_deployed_it_names_who_hears(here: World) -> None:
    here.client("cloudformation").create_stack(StackName="plumbline", TemplateBody=json.dumps(TEMPLATE))
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:acme-alerts"
    assert "Told of alerts: nobody." in told(here._make, REGION, "plumbline", 1, NOW)
    here.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="ann@example.com")
    assert "Told of alerts: ann@example.com." in told(here._make, REGION, "plumbline", 1, NOW)


def test_an_old_credential_report_is_told_and_a_new_one_is_not(here: World) -> None:
    here.client("iam").generate_credential_report()

    def about_reports(later: timedelta) -> list[str]:
        made = perform(here.client("iam"), Call("iam", "GetCredentialReport"))["GeneratedTime"]
        every = told(here._make, REGION, "plumbline", 1, made + later)
        return [one for one in every if "credential report" in one]

    assert about_reports(timedelta(hours=3)) == []
    (old,) = about_reports(timedelta(hours=5))
    assert "what was done to access keys since may be missing here" in old


def test_what_may_not_be_read_is_said_and_hides_nothing_else(here: World) -> None:
    def refusing(account: str, region: str, service: str, *rest: str) -> Any:
        if service == "cloudformation":
            raise AwsRefusal("AccessDenied", "not allowed", Call("cloudformation", "DescribeStacks"))
        return here._make(account, region, service, *rest)

    every = told(refusing, REGION, "plumbline", 1_000, NOW)
    assert every[0].startswith("Not seen: cloudformation:DescribeStacks was refused")
    (unseen,) = deployment(refusing, REGION, "plumbline").told
    assert unseen.startswith("Not seen: cloudformation:DescribeStacks was refused")
    assert every[-1] == COSTS


def test_every_request_of_every_client_is_counted(here: World) -> None:
    clients = Counting(here._make)
    for service, operation in (("iam", "ListUsers"), ("iam", "ListRoles"), ("s3", "ListBuckets")):
        perform(clients("", REGION, service), Call(service, operation))
    assert clients.sent == 3
