"""A stack of version 0.1 is upgraded, used, deleted and installed again; first deployments fail, under any name.

The tests run in this order, in one account: each begins where the one before has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local import deployment
from local.deployment import STACK
from local.embedded import EmbeddedAWS, EmbeddedAWSError
from plumbline.controls import registry
from plumbline.core.control import Control
from tests import built
from tests.end_to_end.account import Account
from tests.trails import bucket_of_a_trail
from tests.upgrade import earlier, record
from tests.upgrade.leftovers import everywhere, forwarders

#: As long as CloudFormation takes it, in letters of both cases, with what other services refuse.
LONG_NAME = "Security--" + "Of-The-Whole-Company-" * 5 + "And-More-Yes"
#: What the ledger says of the targets that people and Plumbline still have something to do with.
OPEN = {"old-site", "old-share", "old-hand", "acme-logs", "acme-shop", "acme-stuck"}
#: The layer is a resource of another name with each build.
_LAYER = "AWS::Lambda::LayerVersion"


class Patient(Account):
    """Whoever waits longer than others do: here whole stacks come and go."""

    def until(self, predicate: Callable[[], object], what: str) -> float:
        """Wait for something; the seconds it took."""
        return self.aws.wait(predicate, timeout=240, what=what)


@dataclass
class Story:
    """The account, and what was there at each turn."""

    aws: EmbeddedAWS
    folder: Path
    before: Mapping[str, str] = field(default_factory=dict)
    subscriptions: list[str] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    calls: int = 0
    ledger: str = ""

    @property
    def account(self) -> Account:
        """What a person does and sees."""
        return Patient(self.aws, {})

    def holds(self, stack: str = STACK) -> dict[str, str]:
        """Logical id -> physical id of what a stack holds."""
        pages = self.aws.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for page in pages
            for one in page["StackResourceSummaries"]
            if one["ResourceType"] != _LAYER
        }

    def heard_by(self) -> list[str]:
        """The subscriptions of every topic."""
        found = self.aws.client("sns").list_subscriptions()["Subscriptions"]
        return sorted(one["SubscriptionArn"] for one in found)

    def findings(self) -> dict[str, dict[str, Any]]:
        """What is open of the controls that version 0.1 had findings of, by the last part of its target."""
        listed = self.account.operate("findings")["data"]["findings"]
        known = {one["control"] for one in earlier.findings(self.items).values()}
        return {one["target"].rpartition("/")[2]: one for one in listed if one["control"] in known}

    def tables(self) -> dict[str, bool]:
        """Each table, and whether nobody may delete it."""
        dynamodb = self.aws.client("dynamodb")
        return {
            name: dynamodb.describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"]
            for name in dynamodb.list_tables()["TableNames"]
        }

    def buckets(self) -> list[str]:
        """The buckets that trails were made with."""
        return sorted(
            one["Name"] for one in self.aws.client("s3").list_buckets()["Buckets"] if "-trail-" in one["Name"]
        )

    def left(self) -> dict[str, list[str]]:
        """Everything of Plumbline's in the account, but ledgers and trails' buckets."""
        iam = self.aws.client("iam", as_="root")
        parts = self.aws.client
        found = {
            "roles": [one["RoleName"] for one in iam.list_roles(PathPrefix="/plumbline/")["Roles"]],
            "policies": [one["PolicyName"] for one in iam.list_policies(PathPrefix="/plumbline/")["Policies"]],
            "functions": [one["FunctionName"] for one in parts("lambda").list_functions()["Functions"]],
            "mappings": [one["UUID"] for one in parts("lambda").list_event_source_mappings()["EventSourceMappings"]],
            "queues": parts("sqs").list_queues().get("QueueUrls", []),
            "topics": [one["TopicArn"] for one in parts("sns").list_topics()["Topics"]],
            "subscriptions": self.heard_by(),
            "rules": [one["Name"] for one in parts("events").list_rules()["Rules"]],
            "alarms": [one["AlarmName"] for one in parts("cloudwatch").describe_alarms()["MetricAlarms"]],
            "logs": [one["logGroupName"] for one in parts("logs").describe_log_groups()["logGroups"]],
            "trails": [one["Name"] for one in parts("cloudtrail").describe_trails()["trailList"]],
        }
        return {kind: names for kind, names in found.items() if names}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """An account with people in it, and what is to be deployed."""
    with EmbeddedAWS.start(state=tmp_path_factory.mktemp("upgrade") / "aws") as aws:
        record.people(aws)
        built.build(aws, baseline=earlier.BASELINE)
        yield Story(aws, tmp_path_factory.mktemp("version-0-1"))


def test_a_first_deployment_that_fails_leaves_nothing_behind(story: Story) -> None:
    """It fails as late as it can: the account has a trail of that name already, as when it has all AWS allows."""
    cloudtrail = story.aws.client("cloudtrail")
    bucket_of_a_trail(story.aws, "in-the-way", STACK)
    cloudtrail.create_trail(Name=STACK, S3BucketName="in-the-way")
    with pytest.raises(EmbeddedAWSError, match="ROLLBACK_COMPLETE"):
        deployment.deploy(story.aws, {"AlertEmail": "security@example.com"})
    cloudtrail.delete_trail(Name=STACK)
    assert ({}, {}, []) == (story.left(), story.tables(), story.buckets())
    story.aws.client("cloudformation").delete_stack(StackName=STACK)


def test_any_name_of_a_stack_deploys_and_goes(story: Story) -> None:
    assert 127 == len(LONG_NAME)
    outputs = deployment.deploy(story.aws, {"AlertEmail": "security@example.com"}, stack=LONG_NAME)
    assert {outputs["LedgerTable"]: True} == story.tables()
    (bucket,) = story.buckets()
    (function,) = (name for name in story.left()["functions"] if name.endswith("-operate"))
    assert story.aws.invoke(function, {"command": ["status"]})["ok"]
    deployment.delete(story.aws, stack=LONG_NAME)
    assert ({}, {outputs["LedgerTable"]: True}, [bucket]) == (story.left(), story.tables(), story.buckets())


def test_version_0_1_is_deployed_and_has_lived(story: Story) -> None:
    story.items = earlier.ledger(story.aws)
    earlier.things(story.aws, story.items)
    earlier.deploy(story.aws, story.folder, story.items)
    story.before, story.subscriptions = story.holds(), story.heard_by()
    assert ("plumbline-ledger", "plumbline-trail-111122223333-us-east-1") == (
        story.before["Ledger"],
        story.before["TrailBucket"],
    )
    assert {"old-site", "acme-data", "dora"} <= set(earlier.findings(story.items))


#: Alarms of version 0.1 whose failures others tell of since: AWS charges for each.
TAKEN_AWAY = {
    "AnnounceErrorsAlarm", "LateWakesAlarm", "OperateErrorsAlarm", "ReactErrorsAlarm", "ReactThrottlesAlarm",
    "SweepErrorsAlarm", "SweepFunctionUnits", "SweepThrottlesAlarm",
}  # fmt: skip


def test_an_upgrade_replaces_nothing(story: Story) -> None:
    """With nothing said but `sam deploy`: every parameter keeps its value, the new ones have their defaults."""
    story.calls, since = story.account.latest_call(), story.account.latest_mail()
    deployment.deploy(story.aws, {})
    held = story.holds()
    assert TAKEN_AWAY == story.before.keys() - held.keys()
    assert {name: one for name, one in story.before.items() if name not in TAKEN_AWAY}.items() <= held.items()
    assert [] == [mail.text for mail in story.aws.mail(since=since) if "DeleteAlarms" in mail.text]
    assert story.subscriptions == story.heard_by()
    assert story.tables()["plumbline-ledger"]


def test_an_upgrade_governs_every_region_that_is_switched_on(story: Story) -> None:
    """Version 0.1 heard and looked at its home region, unless it named others."""
    listed = {one["RegionName"] for one in story.aws.client("ec2").describe_regions()["Regions"]}
    assert dict.fromkeys(listed - {story.aws.region}, "CURRENT") == forwarders(story.aws)


def test_what_was_open_is_open_and_what_was_decided_holds(story: Story) -> None:
    story.account.sweep()
    was = earlier.findings(story.items)
    now = story.findings()
    told = ("id", "status", "first_seen")
    assert {name: [was[name][one] for one in told] for name in OPEN} == {
        name: [now[name][one] for one in told] for name in OPEN
    }
    status = story.account.operate("status")
    assert status["ok"]
    assert {"iam-groups"} == set(status["data"]["pauses"])
    reasons = {one["reason"] for one in status["data"]["exemptions"]}
    assert {"moves in May", "a person took back the repair 71YT"} == reasons


#: Controls that judge otherwise by their defaults since, and why. What they newly find was there before: it is adopted.
JUDGES_OTHERWISE = {
    "adopted#iam-groups": "its groups carry the means to see to one's own password and MFA, and no more all of S3",
    "adopted#iam-admin-grants": "an organisation's roles are known by whom they trust, no longer by their names",
    "adopted#iam-inline-policies": "roles are told of, no longer converted",
}


def test_nothing_is_repaired_or_adopted_by_surprise(story: Story) -> None:
    assert [] == [(call.operation, call.session) for call in story.account.calls_of("hands", story.calls)]
    assert set() == {*story.findings()} - {*earlier.findings(story.items)}
    kept = {one["sk"]["S"]: one["body"] for one in story.items if one["sk"]["S"].startswith("adopted#")}
    table = story.aws.client("dynamodb", as_="root")
    for name, body in kept.items():
        item = table.get_item(
            TableName="plumbline-ledger", Key={"pk": {"S": "account#111122223333"}, "sk": {"S": name}}
        )["Item"]
        assert (body == item["body"]) is (name not in JUDGES_OTHERWISE), f"{name} is adopted again, or no more"


def test_what_is_new_is_told_in_one_e_mail_and_does_nothing_before(story: Story) -> None:
    """Each control that came since is named in it, and nothing else tells of what they found."""
    story.account.until(lambda: story.account.mail_about("new in this version: "), "what is new is told")
    (mail,) = story.account.mail_about("new in this version: ")
    came = [one.id for one in registry.load().values() if one.since != "0.1" and is_told_of(one)]
    assert [] == [one for one in came if f"{one} " not in " ".join(mail.text.split())]
    assert [] == [(call.operation, call.session) for call in story.account.calls_of("hands", story.calls)]


def is_told_of(control: Control) -> bool:
    """Whether the sweep looks with it whatever the baseline says; Plumbline looks at itself in another way."""
    return not (control.witness or control.house or control.needs)


def test_a_repair_of_version_0_1_is_taken_back(story: Story) -> None:
    for name in ("acme-data", "dora"):
        answer = story.account.operate("undo", earlier.findings(story.items)[name]["id"])
        assert answer["ok"], answer["text"]
    story.account.quiet()
    grants = story.aws.client("s3").get_bucket_acl(Bucket="acme-data")["Grants"]
    assert [one for one in grants if one["Grantee"].get("URI", "").endswith("/global/AllUsers")]
    assert ["reads"] == story.aws.client("iam").list_user_policies(UserName="dora")["PolicyNames"]


def test_what_happens_now_is_repaired_as_before(story: Story) -> None:
    record.bucket(story.aws, "acme-new", acl="public-read")
    story.account.until(lambda: story.account.mail_about("repaired: bucket acme-new "), "it is repaired and told")


def test_the_regions_that_a_baseline_of_version_0_1_names_narrow_them_and_it_says_so(
    story: Story, tmp_path: Path
) -> None:
    narrow, since = tmp_path / "baseline.yaml", story.account.latest_mail()
    narrow.write_text("regions: [us-east-1, eu-west-1]\n" + earlier.BASELINE.read_text())
    built.build(story.aws, baseline=narrow)
    outputs = deployment.deploy(story.aws, {})
    assert {"eu-west-1": "CURRENT"} == forwarders(story.aws)
    assert "eu-west-1, us-east-1" == outputs["GovernedRegions"]
    story.account.sweep()
    status = story.account.operate("status")
    assert {"us-east-1", "eu-west-1"} == set(status["data"]["coverage"])
    assert [] == story.account.mail_about("governed: |not heard: ", since)


def test_deleting_the_stack_leaves_ledger_and_records_and_nothing_else(story: Story) -> None:
    """The ledger cannot be deleted, and keeps nobody from deleting the stack; nobody is left without his rights."""
    bucket = story.before["TrailBucket"]
    deployment.delete(story.aws)
    assert ({}, {}) == (story.left(), everywhere(story.aws))
    assert story.tables()["plumbline-ledger"]
    assert bucket in story.buckets()
    iam = story.aws.client("iam")
    assert ["reads"] == iam.list_user_policies(UserName="dora")["PolicyNames"]
    assert {"PowerUserAccess", "IAMFullAccess"} == {
        one["PolicyName"] for one in iam.list_attached_user_policies(UserName="mallory")["AttachedPolicies"]
    }


def test_a_stack_of_the_same_name_adopts_afresh(story: Story) -> None:
    calls = story.account.latest_call()
    outputs = deployment.deploy(story.aws, {"AlertEmail": "security@example.com"})
    assert outputs["LedgerTable"] not in ("", "plumbline-ledger")
    story.account.sweep()
    story.account.until(lambda: "old-site" in story.findings(), "what the first sweep found is settled")
    old = story.findings()["old-site"]
    shown = story.account.operate("show", old["id"])["data"]
    assert ("open", "adoption") == (shown["status"], shown["origin"])
    assert earlier.findings(story.items)["old-site"]["id"] != old["id"]
    assert [] == story.account.calls_of("hands", calls)
