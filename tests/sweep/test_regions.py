"""A setting that each region has of its own: what a newly governed region shows was there before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

import boto3
import pytest

from plumbline.adapters.clients import Clients
from plumbline.baseline.rules import Baseline, Rule
from plumbline.compose import Plumbline, in_one_process
from plumbline.controls.ec2.ec2_ebs_encryption import CONTROL, SWITCH
from plumbline.controls.index import Index
from plumbline.core.cause import Cause, Origin
from plumbline.core.reach import Reach, Region
from plumbline.core.targets import Target
from plumbline.handlers.operate import commands
from plumbline.handlers.react import Reaction
from plumbline.wakes.messages import Wake
from tests.handlers.test_react import Log, _record
from tests.recorded import records
from tests.story import ACCOUNT, make_table, world

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOME, NEW = "us-east-1", "eu-west-1"
MALLORY = Cause("DisableEbsEncryptionByDefault", "mallory", at=NOW.isoformat())


@dataclass
class Installed:
    """One account, whose governed regions may change."""

    topic: str

    def plumbline(self, *regions: str) -> Plumbline:
        """Plumbline as it is deployed with these regions."""
        baseline = Baseline({CONTROL.id: Rule(CONTROL.response, CONTROL.clocks, {})}, regions)
        return in_one_process(
            account=ACCOUNT,
            region=HOME,
            table="ledger",
            topic=self.topic,
            clients=Clients(HOME, lambda: NOW),
            clock=lambda: NOW,
            hands_role=f"arn:aws:iam::{ACCOUNT}:role/hands",
            baseline=baseline,
            index=Index.of({CONTROL.id: CONTROL}),
        )

    def sweep(self, now: datetime, *regions: str) -> list[str]:
        """What comes of a sweep."""
        return [one.outcome.value for one in self.plumbline(*regions).sweep_and_settle(now=now)]

    def event(self, region: str, now: datetime, *regions: str) -> str:
        """What comes of an event about a region's encryption."""
        wake = Wake(CONTROL.id, Target(ACCOUNT, region, SWITCH.kind, "account"), Origin.EVENT, MALLORY)
        (settled,) = self.plumbline(*regions).settle([wake], now=now)
        return settled.outcome.value

    def origins(self) -> dict[str, str]:
        """Where what is open comes from, by region."""
        open_ = self.plumbline().ledger.open_findings(ACCOUNT)
        return {one.target.region: one.origin.value for one in open_}


@pytest.fixture
def installed() -> Iterator[Installed]:
    with world():
        make_table("ledger", HOME)
        sns = boto3.client("sns", region_name=HOME)
        topic = sns.create_topic(Name="alerts")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="security@example.com")
        yield Installed(topic)


def _is_encrypted(region: str) -> bool:
    return bool(boto3.client("ec2", region_name=region).get_ebs_encryption_by_default()["EbsEncryptionByDefault"])


def test_what_a_newly_governed_region_shows_has_the_grace_though_the_home_region_was_adopted_long_ago(
    installed: Installed,
) -> None:
    boto3.client("ec2", region_name=HOME).enable_ebs_encryption_by_default()
    assert installed.sweep(NOW) == []
    assert installed.sweep(NOW + 30 * DAY, HOME, NEW) == ["listed"]
    assert {NEW: "adoption"} == installed.origins()
    assert not _is_encrypted(NEW)


def test_an_event_of_a_region_that_no_sweep_has_seen_has_the_grace(installed: Installed) -> None:
    boto3.client("ec2", region_name=HOME).enable_ebs_encryption_by_default()
    installed.sweep(NOW)
    assert (installed.event(NEW, NOW + HOUR, HOME, NEW), _is_encrypted(NEW)) == ("told", False)


def test_once_a_region_is_adopted_its_events_are_enforced(installed: Installed) -> None:
    for region in (HOME, NEW):
        boto3.client("ec2", region_name=region).enable_ebs_encryption_by_default()
    installed.sweep(NOW, HOME, NEW)
    boto3.client("ec2", region_name=NEW).disable_ebs_encryption_by_default()
    assert (installed.event(NEW, NOW + HOUR, HOME, NEW), _is_encrypted(NEW)) == ("repaired", True)


def test_status_says_which_regions_are_looked_at(installed: Installed) -> None:
    def said(*regions: str) -> str:
        answer = commands.answer(installed.plumbline(*regions), {"command": "status"}, now=NOW)
        return " ".join(answer.text.split())

    assert "us-east-1 only, for 1 control about settings of a region; name others in baseline.yaml" in said()
    assert "eu-west-1, us-east-1: looked at by 1 control about settings of a region" in said(NEW, HOME)


def _told(region: str) -> str:
    """The event of somebody who switches encryption off, as it comes over the home bus: with its own region."""
    event = next(one for one in records() if one.control == CONTROL.id).event()
    detail = {**event["detail"], "awsRegion": region, "recipientAccountId": ACCOUNT}
    return json.dumps({**event, "account": ACCOUNT, "region": region, "detail": detail})


def test_an_event_that_came_over_the_home_bus_is_looked_at_and_repaired_in_its_own_region(
    installed: Installed,
) -> None:
    for region in (HOME, NEW):
        boto3.client("ec2", region_name=region).enable_ebs_encryption_by_default()
    installed.sweep(NOW, HOME, NEW)
    boto3.client("ec2", region_name=NEW).disable_ebs_encryption_by_default()
    reaction = Reaction(installed.plumbline(HOME, NEW), Log(), lambda: NOW + HOUR, lambda *_: None)
    reaction.record(_record(_told(NEW)))
    assert _is_encrypted(NEW)


def test_an_event_of_a_region_that_the_baseline_leaves_out_repairs_nothing_there(installed: Installed) -> None:
    """The forwarder where AWS tells of IAM stands in one region whatever the baseline names."""
    for region in (HOME, NEW):
        boto3.client("ec2", region_name=region).enable_ebs_encryption_by_default()
    installed.sweep(NOW, HOME, NEW)
    boto3.client("ec2", region_name=NEW).disable_ebs_encryption_by_default()
    reaction = Reaction(installed.plumbline(HOME), Log(), lambda: NOW + HOUR, lambda *_: None)
    reaction.record(_record(_told(NEW)))
    assert not _is_encrypted(NEW)


def test_regions_that_the_last_sweep_saw_switched_on_are_swept_by_whoever_asks(installed: Installed) -> None:
    seen = Reach(
        NOW, {HOME: Region(NOW, forwards=False), NEW: Region(NOW), "eu-central-1": Region(NOW, governed=False)}
    )
    plumbline = replace(installed.plumbline(), reach=lambda: seen)
    assert [NEW, HOME] == [one.region for one in plumbline.units()]
    assert [HOME] == [one.region for one in installed.plumbline().units()], "nobody has looked yet"
