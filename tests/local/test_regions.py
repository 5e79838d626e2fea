"""Regions of the embedded AWS, seen from a home that is not us-east-1: where things are heard, and which there are.

Source: AWS CloudTrail user guide, "CloudTrail concepts", global service events, and "AWS Management Console sign-in
events"; AWS Account Management reference guide, "Enable or disable AWS Regions in your account" and "Monitoring AWS
Account Management with EventBridge".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.embedded import ACCOUNT, EmbeddedAWS
from tests.local.conftest import error
from tests.local.test_events import Rule
from tests.trails import logging_trail

HOME, VIRGINIA, OREGON, IRELAND, HONG_KONG = "ap-southeast-2", "us-east-1", "us-west-2", "eu-west-1", "ap-east-1"
ROOT_SIGNS_IN = Path(__file__).parents[2] / "events/root/root-activity/ConsoleLogin.json"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}],
    }
)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAWS]:
    with EmbeddedAWS.start(state=tmp_path_factory.mktemp("regions"), region=HOME) as running:
        logging_trail(running)
        yield running


@pytest.fixture(scope="module")
def rules(aws: EmbeddedAWS) -> dict[str, Rule]:
    pattern = {"account": [ACCOUNT]}
    return {region: Rule(aws, "everything", pattern, region=region) for region in (HOME, VIRGINIA, OREGON, IRELAND)}


def _heard_in(aws: EmbeddedAWS, rules: dict[str, Rule], event_name: str) -> list[str]:
    """The regions whose rules heard of a call, once one has; what is sent in order arrives in order."""

    def where() -> list[str]:
        return [
            region
            for region, rule in rules.items()
            if any(one["detail"].get("eventName") == event_name for one in rule.heard())
        ]

    aws.wait(where, what=f"somebody to hear of {event_name}")
    return where()


def _tag(aws: EmbeddedAWS, region: str, bucket: str) -> None:
    tags = {"TagSet": [{"Key": "team", "Value": "a"}]}
    aws.client("s3", region=region).put_bucket_tagging(Bucket=bucket, Tagging=tags)


#: What somebody does, and where it is heard: from which region, by which call.
HEARD: dict[str, tuple[Callable[[EmbeddedAWS], object], str]] = {
    "CreateUser": (lambda aws: aws.client("iam").create_user(UserName="heard"), VIRGINIA),
    "PutAlternateContact": (
        lambda aws: aws.client("account").put_alternate_contact(
            AlternateContactType="SECURITY", EmailAddress="a@example.com", Name="a", PhoneNumber="1", Title="a"
        ),
        VIRGINIA,
    ),
    "EnableEbsEncryptionByDefault": (
        lambda aws: aws.client("ec2", region=OREGON).enable_ebs_encryption_by_default(),
        OREGON,
    ),
    "PutBucketTagging": (lambda aws: _tag(aws, HOME, "acme-ireland"), IRELAND),
    "CreateTopic": (lambda aws: aws.client("sns").create_topic(Name="at-home"), HOME),
}


@pytest.mark.parametrize("event_name", HEARD)
def test_a_call_is_heard_where_aws_logs_it_and_nowhere_else(
    aws: EmbeddedAWS, rules: dict[str, Rule], event_name: str
) -> None:
    if event_name == "PutBucketTagging":
        aws.bucket("acme-ireland", region=IRELAND)
    act, region = HEARD[event_name]
    act(aws)
    assert [region] == _heard_in(aws, rules, event_name)


def test_who_assumes_a_role_is_heard_where_sts_was_asked(aws: EmbeddedAWS, rules: dict[str, Rule]) -> None:
    """The global endpoint is us-east-1's. Source: IAM user guide, Logging IAM and AWS STS API calls with CloudTrail."""
    aws.client("iam").create_role(RoleName="assumed", AssumeRolePolicyDocument=TRUST)
    role = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/assumed", "RoleSessionName": "session"}
    aws.client("sts", region=VIRGINIA).assume_role(**role)
    assert [VIRGINIA] == _heard_in(aws, rules, "AssumeRole")
    aws.client("sts", region=IRELAND).assume_role(**role)
    aws.wait(lambda: len(_heard_in(aws, rules, "AssumeRole")) == 2, what="the regional call")
    assert [VIRGINIA, IRELAND] == _heard_in(aws, rules, "AssumeRole")


def test_root_signs_in_in_us_east_1_wherever_home_is(aws: EmbeddedAWS, rules: dict[str, Rule]) -> None:
    aws.inject(json.loads(ROOT_SIGNS_IN.read_text()))
    assert [VIRGINIA] == _heard_in(aws, rules, "ConsoleLogin")


# --- which there are ------------------------------------------------------------------------------


def _status(aws: EmbeddedAWS, region: str) -> str:
    return str(aws.client("account").get_region_opt_status(RegionName=region)["RegionOptStatus"])


def _usable(aws: EmbeddedAWS) -> list[str]:
    return [one["RegionName"] for one in aws.client("ec2").describe_regions()["Regions"]]


def test_an_account_has_the_older_regions_and_no_other(aws: EmbeddedAWS) -> None:
    account = aws.client("account")
    by_default = [
        one["RegionName"]
        for one in account.list_regions(RegionOptStatusContains=["ENABLED", "ENABLED_BY_DEFAULT"])["Regions"]
    ]
    assert by_default == _usable(aws)
    assert (17, True, False) == (len(by_default), HOME in by_default, HONG_KONG in by_default)
    pages = account.get_paginator("list_regions").paginate()
    every = {one["RegionName"]: one["RegionOptStatus"] for page in pages for one in page["Regions"]}
    assert len(every) > 20  # more than one page
    assert (every[HONG_KONG], every[VIRGINIA]) == ("DISABLED", "ENABLED_BY_DEFAULT")
    known = {
        one["RegionName"]: one["OptInStatus"] for one in aws.client("ec2").describe_regions(AllRegions=True)["Regions"]
    }
    assert (known.keys(), known[HONG_KONG]) == (every.keys(), "not-opted-in")


def test_a_region_is_opted_into_and_out_of_again(aws: EmbeddedAWS, rules: dict[str, Rule]) -> None:
    account, there = aws.client("account"), aws.client("sqs", region=HONG_KONG)
    assert "InvalidClientTokenId" == error(there.list_queues)
    account.enable_region(RegionName=HONG_KONG)
    assert "ENABLING" == _status(aws, HONG_KONG)
    assert "ConflictException" == error(lambda: account.enable_region(RegionName=HONG_KONG))
    assert "InvalidClientTokenId" == error(there.list_queues)
    aws.wait(lambda: _status(aws, HONG_KONG) == "ENABLED", what="Hong Kong")
    there.list_queues()
    assert HONG_KONG in _usable(aws)
    assert "ValidationException" == error(lambda: account.enable_region(RegionName=HONG_KONG))
    account.disable_region(RegionName=HONG_KONG)
    assert "InvalidClientTokenId" == error(there.list_queues)
    aws.wait(lambda: _status(aws, HONG_KONG) == "DISABLED", what="Hong Kong's end")
    assert HONG_KONG not in _usable(aws)

    def told() -> list[dict[str, Any]]:
        return [one for one in rules[VIRGINIA].heard() if one["detail-type"] == "Region Opt-In Status Change"]

    aws.wait(lambda: len(told()) == 4, what="four changes")
    statuses = ["ENABLING", "ENABLED", "DISABLING", "DISABLED"]
    expected = [{"accountId": ACCOUNT, "regionName": HONG_KONG, "status": status} for status in statuses]
    assert expected == [one["detail"] for one in told()]
    first = told()[0]
    assert (first["source"], first["region"]) == ("aws.account", VIRGINIA)
    assert [VIRGINIA] == _heard_in(aws, rules, "EnableRegion")


def test_what_is_no_region_to_be_opted_into_is_refused(aws: EmbeddedAWS) -> None:
    account = aws.client("account")
    assert "ValidationException" == error(lambda: account.get_region_opt_status(RegionName="moon-1"))
    assert "ValidationException" == error(lambda: account.enable_region(RegionName=VIRGINIA))
    aws.user("opter")
    his = aws.client("account", as_="opter")
    assert "AccessDeniedException" == error(lambda: his.enable_region(RegionName=HONG_KONG))
    assert "AccessDeniedException" == error(his.list_regions)
