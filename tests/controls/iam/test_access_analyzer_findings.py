"""access-analyzer-findings: what lets somebody in from outside is told once, and is over when it is archived."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local.moto_analyzers import found, settled
from plumbline.controls.iam.access_analyzer_findings import CONTROL, describe, detect, locate, observe, survey
from plumbline.core.cause import Cause
from plumbline.core.control import Deviation
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import Target
from plumbline.wakes.messages import from_event
from tests.story import ACCOUNT, HOME, Story, World, world

BUCKET = "arn:aws:s3:::acme-exports"
EXPORTS = Target(ACCOUNT, HOME, "access-analyzer-resource", BUCKET)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/partner"
RECORD = Path(__file__).parents[3] / "events/iam/access-analyzer-findings/AccessAnalyzerFinding.json"


def _analyzed(world: World, *regions: str, kind: str = "ACCOUNT") -> None:
    for region in regions:
        world.client("accessanalyzer", region).create_analyzer(analyzerName="own", type=kind)


def _bucket(world: World, **more: Any) -> Target:
    _analyzed(world, HOME)
    found(ACCOUNT, HOME, BUCKET, "AWS::S3::Bucket", {"action": ["s3:GetObject"], **more})
    return EXPORTS


STORIES = (
    Story("a bucket lets in another account", CONTROL.id, _bucket, alert_only=True),
    Story(
        "a bucket lets in everybody",
        CONTROL.id,
        lambda told: _bucket(told, principal={"AWS": "*"}, isPublic=True),
        alert_only=True,
    ),
)


@pytest.mark.parametrize(
    ("more", "summary", "item"),
    [
        ({}, "can be reached from outside the account", "444455556666: s3:GetObject"),
        ({"principal": {"AWS": "*"}, "isPublic": True}, "is open to everybody", "anybody: s3:GetObject"),
        (
            {"condition": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}, "action": ["s3:D", "s3:A", "s3:C", "s3:B"]},
            "can be reached from outside the account",
            "444455556666: s3:A, s3:B, s3:C and 1 more, under a condition",
        ),
        ({"error": "ACCESS_DENIED"}, "can be reached from outside the account",
         "Access Analyzer cannot read it (ACCESS_DENIED)"),
    ],
)  # fmt: skip
def test_a_finding_says_who_may_do_what(more: dict[str, Any], summary: str, item: str) -> None:
    with world() as told:
        seen = observe(told.accounts.eyes(ACCOUNT, HOME), _bucket(told, **more))
    assert Deviation(f"{summary}, as IAM Access Analyzer finds", (item,)) == detect(seen, {})


def test_several_findings_about_one_resource_are_one_thing_to_tell() -> None:
    with world() as told:
        _bucket(told)
        found(ACCOUNT, HOME, BUCKET, "AWS::S3::Bucket", {"principal": {"AWS": "777788889999"}, "action": ["s3:Put*"]})
        seen = survey(told.accounts.eyes(ACCOUNT, HOME))
    assert {EXPORTS: "444455556666: s3:GetObject; 777788889999: s3:Put*"} == {
        target: describe(state) for target, state in seen.items()
    }


@pytest.mark.parametrize("status", ["ARCHIVED", "RESOLVED"])
def test_what_is_archived_or_resolved_is_over(status: str) -> None:
    with world() as told:
        _analyzed(told, HOME)
        settled(ACCOUNT, HOME, found(ACCOUNT, HOME, BUCKET, "AWS::S3::Bucket"), status)
        eyes = told.accounts.eyes(ACCOUNT, HOME)
        assert (None, {}) == (detect(observe(eyes, EXPORTS), {}), survey(eyes))


def test_a_role_that_every_region_finds_is_told_by_one() -> None:
    with world() as told:
        _analyzed(told, HOME, "us-east-1")
        for region in (HOME, "us-east-1"):
            found(ACCOUNT, region, ROLE, "AWS::IAM::Role")
        seen = [survey(told.accounts.eyes(ACCOUNT, region)) for region in (HOME, "us-east-1")]
    assert [[], [Target(ACCOUNT, "us-east-1", EXPORTS.kind, ROLE)]] == [[*one] for one in seen]


def test_an_event_about_a_role_leads_to_the_region_that_tells_of_it() -> None:
    detail = {"recipientAccountId": ACCOUNT, "awsRegion": "eu-west-1", "resource": ROLE, "accountId": ACCOUNT}
    assert [Target(ACCOUNT, "us-east-1", EXPORTS.kind, ROLE)] == [*locate(detail)]


def test_what_an_organisations_analyzer_finds_in_other_accounts_is_theirs() -> None:
    with world() as told:
        _analyzed(told, HOME, kind="ORGANIZATION")
        found(ACCOUNT, HOME, BUCKET, "AWS::S3::Bucket", {"resourceOwnerAccount": "444455556666"})
        assert {} == survey(told.accounts.eyes(ACCOUNT, HOME))
    assert () == locate({"recipientAccountId": ACCOUNT, "awsRegion": HOME, "resource": BUCKET, "accountId": "4" * 12})


def test_who_deletes_the_analyzer_has_resolved_nothing() -> None:
    with world() as told:
        _bucket(told)
        told.client("accessanalyzer", HOME).delete_analyzer(analyzerName="own")
        eyes = told.accounts.eyes(ACCOUNT, HOME)
        with pytest.raises(AwsRefusal, match=f"no analyzer of external access works in {HOME}"):
            observe(eyes, EXPORTS)
        assert {} == survey(eyes)


def test_a_sweep_asks_each_analyzer_for_one_list() -> None:
    with world() as told:
        _bucket(told)
        found(ACCOUNT, HOME, f"{BUCKET}-2", "AWS::S3::Bucket")
        told.calls.clear()
        survey(told.accounts.eyes(ACCOUNT, HOME))
        assert ["ListAnalyzers", "ListFindings"] == [call.operation for call in told.calls]


def test_the_event_is_access_analyzers_own_and_names_nobody_who_did_it() -> None:
    """Source: IAM user guide, Monitoring IAM Access Analyzer with Amazon EventBridge, its example."""
    event = json.loads(RECORD.read_text())
    (wake,) = from_event(event, {CONTROL.id: CONTROL})
    assert Target("111122223333", "eu-west-1", EXPORTS.kind, BUCKET) == wake.target
    service = "access-analyzer.amazonaws.com"
    assert wake.cause == Cause(
        action="Access Analyzer Finding",
        who="not known: AWS tells what it found, and not who did it",
        at="2026-02-11T09:41:33Z",
        event_id=event["id"],
        source=service,
        service=service,
    )
    assert "" == wake.cause.actor


@pytest.mark.parametrize("source", ["aws.guardduty", "access-analyzer", "aws.access-analyzer.evil"])
def test_another_source_wakes_nothing(source: str) -> None:
    assert [] == [*from_event(json.loads(RECORD.read_text()) | {"source": source}, {CONTROL.id: CONTROL})]
