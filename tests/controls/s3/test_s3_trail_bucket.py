"""s3-trail-bucket: what a trail has recorded is private, and nobody can change or delete it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from plumbline.adapters.accounts import Reader
from plumbline.controls.s3.s3_trail_bucket import CONTROL, announced, describe, detect, find, observe, part, plan
from plumbline.core.calls import Call, Plan
from plumbline.core.control import Deviation
from plumbline.core.targets import GLOBAL, Target
from tests.deployed import source
from tests.story import ACCOUNT, HOME, Story, World, world

BUCKET = Target(ACCOUNT, HOME, "s3-bucket", "acme-trail-records")
ITSELF = "arn:aws:s3:::acme-trail-records"
BELOW = f"{ITSELF}/AWSLogs/*/CloudTrail*"
FOUR = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
ALL = dict.fromkeys(FOUR, True)
NINETY = {"retention_days": 90}
TRAIL = {
    "Sid": "TrailMayWrite",
    "Effect": "Allow",
    "Principal": {"Service": "cloudtrail.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": f"{ITSELF}/AWSLogs/*",
}
WRITES = {
    "Sid": "OnlyTrailsWriteByPlumbline",
    "Effect": "Deny",
    "Principal": "*",
    "Resource": [BELOW],
    "Action": "s3:PutObject",
    "Condition": {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}},
}
DELETES = {
    "Sid": "NobodyDeletesByPlumbline",
    "Effect": "Deny",
    "Principal": "*",
    "Resource": [BELOW],
    "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
}
MAY_WRITE, MAY_DELETE = "others may write to it", "its records may be deleted"


def policy(*those: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(those)}


def rule(days: int = 365, **more: Any) -> dict[str, Any]:
    return {"ID": "keep", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": days}} | more


def state(*those: dict[str, Any], own: bool = True, rules: Any = (), versions: str = "Enabled") -> dict[str, Any]:
    document = policy(*those) if those else None
    return {
        "bucket": BUCKET.id,
        "arn": ITSELF,
        "own": own,
        "paths": ["AWSLogs/*/CloudTrail*"],
        "private": {"bucket": BUCKET.id, "values": ALL},
        "versions": {"bucket": BUCKET.id, "values": {"Versioning": versions, "MFADelete": "Disabled"}},
        "lifecycle": {"Rules": list(rules)} if rules else {},
        "policy": document,
        "text": json.dumps(document) if document else "",
    }


KEPT = (TRAIL, WRITES, DELETES)


def _bucket(told: World, *those: dict[str, Any], trail: str = "plumbline", rules: Any = (), on: bool = True) -> Target:
    s3 = told.client("s3", HOME)
    s3.create_bucket(Bucket=BUCKET.id, CreateBucketConfiguration={"LocationConstraint": HOME})
    if those:
        s3.put_bucket_policy(Bucket=BUCKET.id, Policy=json.dumps(policy(*those)))
    if on:
        s3.put_public_access_block(Bucket=BUCKET.id, PublicAccessBlockConfiguration=ALL)
        s3.put_bucket_versioning(Bucket=BUCKET.id, VersioningConfiguration={"Status": "Enabled"})
    if rules:
        s3.put_bucket_lifecycle_configuration(Bucket=BUCKET.id, LifecycleConfiguration={"Rules": list(rules)})
    told.client("cloudtrail", HOME).create_trail(Name=trail, S3BucketName=BUCKET.id, IsMultiRegionTrail=True)
    return BUCKET


STORIES = (
    Story("nothing is done for it", CONTROL.id, lambda told: _bucket(told, on=False), reset=False),
    Story(
        "records go after a day, and by hand",
        CONTROL.id,
        lambda told: _bucket(told, TRAIL, WRITES, rules=[rule(1), rule(30, ID="other", Filter={"Prefix": "x/"})]),
    ),
)


# --- what is wrong --------------------------------------------------------------------------------


def test_a_bucket_that_is_private_versioned_and_shut_is_fine() -> None:
    assert detect(state(*KEPT, rules=[rule()]), NINETY) is None
    assert detect(None, NINETY) is None


def test_the_policy_of_the_stacks_own_bucket_says_all_that_is_wanted() -> None:
    """Plumbline never repairs what its own template has made."""
    (document,) = (
        one["Properties"]["PolicyDocument"]
        for name, one in source()["Resources"].items()
        if name == "TrailBucketPolicy"
    )
    text = json.dumps(document).replace('{"Fn::Sub": "${TrailBucket.Arn}/*"}', f'"{ITSELF}/*"')
    text = text.replace('{"Fn::GetAtt": ["TrailBucket", "Arn"]}', f'"{ITSELF}"')
    rules = source()["Resources"]["TrailBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert ["ExpirationInDays"] == [one for one in rules[0] if one.startswith("Expiration")]
    assert 90 == source()["Parameters"]["TrailRetentionDays"]["MinValue"]
    assert detect(state(*json.loads(text)["Statement"]), NINETY) is None


def test_each_thing_that_is_wrong_is_a_fact_and_the_first_is_told() -> None:
    wrong = state(TRAIL, rules=[rule(1), rule(Expiration={"Date": "2027-01-01T00:00:00+00:00"}, ID="cut")])
    wrong["private"] = {"bucket": BUCKET.id, "values": {**ALL, "BlockPublicPolicy": False}, "account": {}}
    wrong["versions"]["values"]["Versioning"] = "Suspended"
    facts = (
        "BlockPublicPolicy is off",
        "Versioning is Suspended",
        MAY_WRITE,
        MAY_DELETE,
        "rule keep expires records after 1 day",
        "rule cut expires records on 2027-01-01",
    )
    assert Deviation(f"does not keep a trail's records safe: {facts[0]}", facts) == detect(wrong, NINETY)


def test_denials_in_a_bucket_of_another_trail_wait_a_week_for_something_may_prune_it() -> None:
    found = detect(state(TRAIL, own=False), NINETY)
    assert found
    assert ((MAY_WRITE, MAY_DELETE), "shared") == (found.items, found.clock)
    suspended = detect(state(*KEPT, own=False, versions="Suspended"), NINETY)
    assert suspended
    assert "default" == suspended.clock


@pytest.mark.parametrize(
    ("those", "expected"),
    [
        ((WRITES, DELETES | {"Resource": "*"}), ()),
        ((WRITES | {"Resource": f"{ITSELF}/*"}, DELETES | {"Action": "s3:*"}), ()),
        ((WRITES, {"Effect": "Deny", "Principal": "*", "NotAction": "s3:Get*", "Resource": f"{ITSELF}/AWSLogs/*"}), ()),
        ((WRITES | {"Condition": {"Bool": {"aws:PrincipalIsAWSService": "false"}}}, DELETES), ()),
        ((WRITES | {"Condition": {"Bool": {"aws:PrincipalIsAWSService": "true"}}}, DELETES), (MAY_WRITE,)),
        ((WRITES | {"Resource": f"{ITSELF}/AWSLogs/1/CloudTrail/*"}, DELETES), (MAY_WRITE,)),
        ((WRITES, DELETES | {"Action": "s3:DeleteObject"}), (MAY_DELETE,)),
        ((WRITES, DELETES | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}), (MAY_DELETE,)),
        ((WRITES, DELETES | {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}), (MAY_DELETE,)),
        ((), (MAY_WRITE, MAY_DELETE)),
    ],
)
def test_whatever_denies_it_to_everybody_will_do(those: Any, expected: tuple[str, ...]) -> None:
    found = detect(state(*those), NINETY)
    assert expected == (found.items if found else ())


@pytest.mark.parametrize(
    "harmless",
    [
        rule(90),
        rule(1, Status="Disabled"),
        rule(1, Filter={"Prefix": "reports/"}),
        rule(1, Filter={"And": {"Prefix": "reports/", "Tags": []}}),
        {"ID": "old", "Status": "Enabled", "Prefix": "", "NoncurrentVersionExpiration": {"NoncurrentDays": 1}},
        {"ID": "marks", "Status": "Enabled", "Filter": {}, "Expiration": {"ExpiredObjectDeleteMarker": True}},
    ],
)
def test_rules_that_leave_records_long_enough_are_fine(harmless: dict[str, Any]) -> None:
    assert detect(state(*KEPT, rules=[harmless]), NINETY) is None


@pytest.mark.parametrize("place", [{"Prefix": "AWSLogs/123456789012/"}, {"And": {"Prefix": "AWS", "Tags": []}}, {}])
def test_a_rule_for_a_part_of_the_records_counts(place: dict[str, Any]) -> None:
    found = detect(state(*KEPT, rules=[rule(1, Filter=place)]), NINETY)
    assert found
    assert ("rule keep expires records after 1 day",) == found.items


# --- which bucket ---------------------------------------------------------------------------------


def test_only_a_bucket_that_a_trail_delivers_to_is_looked_at() -> None:
    with world() as here:
        _bucket(here, *KEPT)
        other = replace(BUCKET, id="acme-data")
        here.client("s3", HOME).create_bucket(Bucket=other.id, CreateBucketConfiguration={"LocationConstraint": HOME})
        assert [BUCKET] == list(find(here.accounts.eyes(ACCOUNT, GLOBAL)))
        here.calls.clear()
        assert observe(here.accounts.eyes(ACCOUNT, HOME), other) is None
        assert {"DescribeTrails"} == {one.operation for one in here.calls}
        seen = observe(here.accounts.eyes(ACCOUNT, HOME), BUCKET)
        assert detect(seen, NINETY) is None


def test_the_stacks_own_bucket_is_known_by_its_trail() -> None:
    with world() as here:
        _bucket(here, TRAIL)
        eyes = here.accounts.eyes(ACCOUNT, HOME)
        assert isinstance(eyes, Reader)
        seen = [observe(one, BUCKET) for one in (eyes, replace(eyes, trail="records", _answers={}))]
        assert [True, False] == [one and one["own"] for one in seen]


def test_a_trail_with_a_prefix_writes_below_it() -> None:
    with world() as here:
        _bucket(here)
        here.client("cloudtrail", HOME).update_trail(Name="plumbline", S3KeyPrefix="org")
        seen = observe(here.accounts.eyes(ACCOUNT, HOME), BUCKET)
        assert seen
        assert ["org/AWSLogs/*/CloudTrail*"] == seen["paths"]


# --- the repair -----------------------------------------------------------------------------------


def test_denials_are_appended_and_every_other_statement_stays() -> None:
    (call,) = plan(BUCKET, state(TRAIL), NINETY).do
    assert list(KEPT) == json.loads(call.parameters["Policy"])["Statement"]
    (one,) = plan(BUCKET, state(TRAIL), NINETY, {MAY_DELETE}).do
    assert [TRAIL, DELETES] == json.loads(one.parameters["Policy"])["Statement"]


def test_nobody_is_kept_from_writing_the_policy() -> None:
    (call,) = plan(BUCKET, state(), NINETY).do
    denied = {one for statement in json.loads(call.parameters["Policy"])["Statement"] for one in _actions(statement)}
    assert {"s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"} == denied


def _actions(statement: dict[str, Any]) -> list[str]:
    action = statement["Action"]
    return action if isinstance(action, list) else [action]


def test_a_rule_that_expires_too_early_gets_the_days_and_all_others_stay() -> None:
    other = rule(5, ID="other", Filter={"Prefix": "reports/"})
    before = state(*KEPT, rules=[other, rule(1)])
    before["lifecycle"]["TransitionDefaultMinimumObjectSize"] = "varies_by_storage_class"
    repair = plan(BUCKET, before, NINETY)

    def to(*rules: dict[str, Any]) -> Call:
        given = {
            "Bucket": BUCKET.id,
            "LifecycleConfiguration": {"Rules": list(rules)},
            "TransitionDefaultMinimumObjectSize": "varies_by_storage_class",
        }
        return Call("s3", "PutBucketLifecycleConfiguration", given, HOME, ("NoSuchBucket",))

    assert ((to(other, rule(90)),), (to(other, rule(1)),)) == (repair.do, repair.undo)


def test_where_versioning_takes_root_the_rest_is_repaired() -> None:
    before = state(TRAIL, versions="Suspended")
    before["versions"]["values"]["MFADelete"] = "Enabled"
    repair = plan(BUCKET, before, NINETY)
    assert (["PutBucketPolicy"], {"Versioning is Suspended"}) == (
        [one.operation for one in repair.do],
        set(repair.left),
    )


def test_an_undo_asks_for_the_settings_and_the_policy_however_it_is_laid_out() -> None:
    before = state(*KEPT)
    assert part(before, Plan()) == part({**before, "text": " laid out otherwise "}, Plan())
    assert part(before, Plan()) != part(state(*KEPT, versions="Suspended"), Plan()) != part(state(TRAIL), Plan())


def test_the_words_before_and_after() -> None:
    fine = "private, versioned, written by trails alone, deleted by nobody; rule keep expires records after 365 days"
    assert fine == describe(state(*KEPT, rules=[rule()]))
    assert f"Versioning is Suspended; {MAY_DELETE}" == describe(state(WRITES, versions="Suspended"))
    assert "no trail delivers to the bucket, or it does not exist" == describe(None)


@pytest.mark.parametrize(
    ("event", "parameters", "expected"),
    [
        ("DeleteBucketPolicy", {}, "had no policy for a while, so that records might be written and deleted"),
        ("DeleteBucketPublicAccessBlock", {}, "lost its public access block"),
        ("PutBucketVersioning", {"VersioningConfiguration": {"Status": "Suspended"}}, "kept no versions for a while"),
        ("PutBucketPolicy", {}, ""),
    ],
)
def test_what_was_taken_away_for_a_minute(event: str, parameters: Any, expected: str) -> None:
    detail = {"eventName": event, "requestParameters": parameters}
    nobody: Any = None
    assert expected == announced(nobody, detail, state(*KEPT), NINETY)
    assert "" == announced(nobody, detail, None, NINETY)
