"""Every region from one deployment, in an account of each home: what happens anywhere is answered at home, once.

The tests run in this order: each begins where the one before has ended. How the pieces fit that carry an event from one
region to another is in `tests/local/test_reach.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import deployment
from local.embedded import EmbeddedAWS
from plumbline.core.reach import BEAT, MISSED, SLACK
from plumbline.findings.packed import body, compact, text_of
from tests import built
from tests.end_to_end.account import VIRGINIA, Account
from tests.generated import ROOT
from tests.local.test_events import Rule

IRELAND, OREGON, FRANKFURT, STOCKHOLM = "eu-west-1", "us-west-2", "eu-central-1", "eu-north-1"
#: One that accounts have to opt into.
CAPE_TOWN = "af-south-1"
BASELINE = Path(__file__).with_name("baseline.yaml")


def _everywhere(folder: Path) -> Path:
    """The baseline of the other suites, for every region."""
    lines = BASELINE.read_text().splitlines()
    made = folder / "baseline.yaml"
    made.write_text("\n".join(one for one in lines if not one.startswith("regions:")) + "\n")
    return made


@pytest.fixture(scope="module", params=["ap-southeast-2", VIRGINIA])
def far(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Account]:
    """An account whose home is far from what happens in it, and one whose home is where AWS tells of IAM."""
    with EmbeddedAWS.start(state=tmp_path_factory.mktemp("far"), region=request.param) as aws:
        managed = "arn:aws:iam::aws:policy"
        aws.user("mallory", policies=[f"{managed}/PowerUserAccess", f"{managed}/IAMFullAccess"])
        aws.user("erin", policies=[f"{managed}/PowerUserAccess"])
        for region in (IRELAND, OREGON):
            aws.client("ec2", region=region).enable_ebs_encryption_by_default()
        built.build(aws, baseline=_everywhere(tmp_path_factory.mktemp("baseline")))
        made = Account(aws, deployment.deploy(aws, {"AlertEmail": "security@example.com"}))
        made.first_sweep()
        yield made


def _home_buses(far: Account, name: str, **detail: list[str]) -> list[Rule]:
    """What hears everything of a kind that reaches home: by the region's own bus, and by Plumbline's."""
    pattern = {"account": [far.aws.account], "detail": detail}
    return [Rule(far.aws, f"{name}-{bus}", pattern, bus=bus) for bus in ("default", "plumbline-home")]


def _heard(buses: list[Rule]) -> list[dict[str, Any]]:
    return [event for bus in buses for event in bus.heard()]


def _forwarders(far: Account) -> dict[str, str]:
    listed = far.aws.client("cloudformation").list_stack_instances(StackSetName="plumbline-forwarders")
    return {one["Region"]: one["Status"] for one in listed["Summaries"]}


def test_every_region_but_home_has_a_whole_forwarder(far: Account) -> None:
    listed = far.aws.client("ec2").describe_regions()["Regions"]
    others = {one["RegionName"] for one in listed} - {far.aws.region}
    assert dict.fromkeys(others, "CURRENT") == _forwarders(far)
    assert 16 == len(others)


def test_a_key_made_anywhere_is_heard_through_virginia_once_and_told_once(far: Account) -> None:
    """Source: AWS CloudTrail user guide, Global service events: IAM's are delivered in us-east-1."""
    user, since = far.user(), far.latest_mail()
    buses = _home_buses(far, "keys", eventName=["CreateAccessKey"])
    far.aws.client("iam", as_="mallory").create_access_key(UserName=user)
    far.until(lambda: far.key_status(user) == ["Inactive"], "the key is Inactive")
    far.quiet()
    assert [VIRGINIA] == [event["region"] for event in _heard(buses)]
    assert ["repaired"] == [one.subject.split()[1].rstrip(":") for one in far.mail_about(f"of user {user} ", since)]
    for one in buses:
        one.end()


def test_a_bucket_that_is_opened_in_ireland_is_closed_again(far: Account) -> None:
    name, since, calls = far.fresh("acme-ireland"), far.latest_mail(), far.latest_call()
    far.aws.bucket(name, region=IRELAND, ObjectOwnership="BucketOwnerPreferred")
    s3 = far.aws.client("s3", region=IRELAND)
    s3.delete_public_access_block(Bucket=name)
    far.aws.client("s3", as_="erin", region=IRELAND).put_bucket_acl(Bucket=name, ACL="public-read")
    far.until(lambda: far.mail_about(f"repaired: bucket {name} ", since), "it is told")
    far.quiet()
    assert 1 == len(s3.get_bucket_acl(Bucket=name)["Grants"]), "its owner's"
    assert 1 == len(far.mail_about(f"bucket {name} ", since))
    assert {IRELAND} == {call.region for call in far.calls_of("hands", calls)}


def test_encryption_that_is_switched_off_in_oregon_is_on_again_there_and_told_once(far: Account) -> None:
    ec2, since = far.aws.client("ec2", region=OREGON), far.latest_mail()
    far.aws.client("ec2", as_="mallory", region=OREGON).disable_ebs_encryption_by_default()
    far.until(lambda: ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"], "encryption is on again")
    far.quiet()
    assert [f"[Plumbline] repaired: EBS encryption by default in {OREGON} was off (by mallory)"] == [
        one.subject for one in far.mail_about("EBS encryption", since)
    ]


def test_what_root_does_with_sts_in_another_region_arrives_once(far: Account) -> None:
    """STS is told of where it was asked, so rules about it stand in every region."""
    since = far.latest_mail()
    buses = _home_buses(far, "sts", eventName=["GetSessionToken"])
    far.aws.client("sts", as_="root", region=IRELAND).get_session_token()
    far.until(lambda: far.mail_about("seen: the root user", since), "somebody hears of it")
    far.quiet()
    assert [IRELAND] == [event["region"] for event in _heard(buses)]
    assert 1 == len(far.mail_about("seen: the root user", since))
    for one in buses:
        one.end()


def test_root_who_signs_in_is_told_of_once(far: Account) -> None:
    """Source: AWS CloudTrail user guide, AWS Management Console sign-in events: root's are always in us-east-1."""
    since = far.latest_mail()
    buses = _home_buses(far, "signin", eventName=["ConsoleLogin"])
    event = json.loads((ROOT / "events/root/root-activity/ConsoleLogin.json").read_text())
    assert VIRGINIA == event["region"]
    event["detail"]["sourceIPAddress"] = "203.0.113.99"
    far.aws.inject(event)
    far.until(lambda: far.mail_about("seen: the root user signed in", since), "somebody hears of it")
    far.quiet()
    assert [VIRGINIA] == [event["region"] for event in _heard(buses)]
    assert 1 == len(far.mail_about("seen: the root user signed in", since))
    for one in buses:
        one.end()


def test_nobody_else_puts_an_event_on_the_home_bus(far: Account) -> None:
    entry = {"Source": "acme", "DetailType": "made up", "Detail": "{}", "EventBusName": "plumbline-home"}
    for who in ("erin", "admin"):
        with pytest.raises(ClientError, match="AccessDenied"):
            far.aws.client("events", as_=who).put_events(Entries=[entry])
    arn = f"arn:aws:events:{far.aws.region}:{far.aws.account}:event-bus/plumbline-home"
    with pytest.raises(ClientError, match="AccessDenied"):
        far.aws.client("events", as_="erin").put_events(Entries=[{**entry, "EventBusName": arn}])


def test_a_forwarders_rule_that_somebody_disables_in_frankfurt_is_told_at_once_and_put_back(far: Account) -> None:
    since = far.latest_mail()
    events = far.aws.client("events", region=FRANKFURT)
    far.aws.client("events", as_="erin", region=FRANKFURT).disable_rule(Name="plumbline-ec2")

    def told() -> list[str]:
        mails = [" ".join(one.text.split()) for one in far.aws.mail(since=since)]
        return [one for one in mails if "DisableRule of the rule or bus plumbline-ec2" in one]

    far.until(told, "the watchdog tells")
    (mail,) = told()
    assert f" in {FRANKFURT}, by arn:aws:iam::{far.aws.account}:user/erin, " in mail
    far.until(lambda: events.describe_rule(Name="plumbline-ec2")["State"] == "ENABLED", "it hears again")
    far.until(lambda: far.mail_about("repaired: Plumbline's rule plumbline-ec2 ", since), "that is told as well")


def test_a_forwarder_that_misses_two_signs_of_life_is_told_by_the_sweep_once(far: Account) -> None:
    far.sweep()
    _long_ago(far, STOCKHOLM)
    since = far.latest_mail()
    for _ in range(2):
        far.sweep()
    far.until(lambda: far.mail_about("not heard: ", since), "it is told")
    assert [f"{STOCKHOLM} has given no sign of life for 50 minutes"] == [
        line.strip()
        for one in far.mail_about("not heard: ", since)
        for line in one.text.splitlines()
        if "has given no sign of life" in line
    ]
    assert 1 == far.aws.fire("plumbline-alive", region=STOCKHOLM)
    far.until(lambda: far.waiting("dead-man"), "the sign of life has arrived")
    far.sweep()
    coverage = far.operate("status")["data"]["coverage"]
    assert {} == coverage[STOCKHOLM]["troubles"]
    assert coverage[STOCKHOLM]["heard"]


def _long_ago(far: Account, region: str) -> None:
    """Let a forwarder be silent for as long as it may be, and a minute more."""
    # Nobody but Plumbline writes its ledger: its policy is taken away for a moment, and no hour passes here.
    table, dynamodb = far.outputs["LedgerTable"], far.aws.client("dynamodb")
    arn = dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
    policy = dynamodb.get_resource_policy(ResourceArn=arn)["Policy"]
    dynamodb.delete_resource_policy(ResourceArn=arn)
    key = {"pk": {"S": f"account#{far.aws.account}"}, "sk": {"S": "reach"}}
    item = dynamodb.get_item(TableName=table, Key=key)["Item"]
    reach = json.loads(text_of(item))
    one = reach["regions"][region]
    earlier = datetime.fromisoformat(reach["at"]) - (BEAT * MISSED + SLACK + timedelta(minutes=1))
    one["since"], one["heard"] = earlier.isoformat(), None
    kept = {name: value for name, value in item.items() if name not in ("body", "packed")}
    dynamodb.put_item(TableName=table, Item={**kept, **body(compact(reach))})
    dynamodb.put_resource_policy(ResourceArn=arn, Policy=policy)


def test_a_region_that_is_switched_on_is_governed_told_and_has_the_grace_of_what_was_there(far: Account) -> None:
    since, calls = far.latest_mail(), far.latest_call()
    far.aws.client("account").enable_region(RegionName=CAPE_TOWN)
    far.until(lambda: far.mail_about(f"governed: {CAPE_TOWN} switched on", since), "it is told")
    far.until(lambda: _forwarders(far).get(CAPE_TOWN) == "CURRENT", "its forwarder is made")
    far.sweep()
    far.until(lambda: _there(far), "what is out of line there is found")
    assert ["adoption"] == [far.operate("show", one["id"])["data"]["origin"] for one in _there(far)]
    assert [] == [call.operation for call in far.calls_of("hands", calls)]


def _there(far: Account) -> list[dict[str, Any]]:
    found = far.operate("findings")["data"]["findings"]
    return [one for one in found if f"/{CAPE_TOWN}/ec2-ebs-encryption" in one["target"]]


def test_the_next_deployment_keeps_the_region_and_asks_nobody(far: Account, tmp_path: Path) -> None:
    if far.aws.region == VIRGINIA:
        pytest.skip("nothing of this depends on where home is: once is enough")
    changed = _everywhere(tmp_path)
    changed.write_text(changed.read_text().replace("per_hour: 1000", "per_hour: 999"))
    before, since = _forwarders(far), far.latest_mail()
    built.build(far.aws, baseline=changed)
    outputs = deployment.deploy(far.aws, {})
    assert outputs["LedgerTable"] == far.outputs["LedgerTable"]
    assert before == _forwarders(far)
    far.quiet()
    far.sweep()
    assert [] == far.mail_about("governed: |not heard: ", since)
    name = far.fresh("acme-cape-town")
    far.aws.bucket(name, region=CAPE_TOWN, ObjectOwnership="BucketOwnerPreferred")
    far.aws.client("s3", region=CAPE_TOWN).delete_public_access_block(Bucket=name)
    far.aws.client("s3", as_="erin", region=CAPE_TOWN).put_bucket_acl(Bucket=name, ACL="public-read")
    far.until(lambda: far.mail_about(f"repaired: bucket {name} ", since), "what happens there is repaired")
