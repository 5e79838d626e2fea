"""s3-access-logging: accesses to the buckets that the baseline names, and to a trail's, stand in one log bucket."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from plumbline.controls.s3.s3_access_logging import CONTROL, announced, describe, detect, excepted, observe, part, plan
from plumbline.core.calls import Call, Plan
from plumbline.core.control import Deviation
from plumbline.core.targets import Target
from tests.story import ACCOUNT, Story, World, world

REGION = "eu-west-1"
LOG = "acme-logs-eu-west-1"
BUCKET = Target(ACCOUNT, REGION, "s3-bucket", "acme-orders")
LOGS = Target(ACCOUNT, REGION, "s3-bucket", LOG)
SETTINGS = {"buckets": ["acme-ord*"], "log_bucket": "acme-logs-{region}"}
NONE: dict[str, Any] = {"buckets": ["acme-ord*"], "log_bucket": ""}
DELIVERY = {
    "Sid": "AccessLogsByPlumbline",
    "Effect": "Allow",
    "Principal": {"Service": "logging.s3.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": f"arn:aws:s3:::{LOG}/*",
    "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
}
AUDIT = {
    "Sid": "Audit",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "s3:GetObject",
    "Resource": f"arn:aws:s3:::{LOG}/*",
}
INTO = {"TargetBucket": LOG, "TargetPrefix": "acme-orders/"}
ELSEWHERE = {"TargetBucket": "acme-old-logs", "TargetPrefix": "orders-"}


def policy(*those: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(those)}


def state(target: Target, logging: Any = None, *those: dict[str, Any], trail: bool = False) -> dict[str, Any]:
    document = policy(*those) if those else None
    return {
        "bucket": target.id,
        "region": REGION,
        "account": ACCOUNT,
        "logging": logging or {},
        "trail": trail,
        "policy": document,
        "text": json.dumps(document) if document else "",
    }


def _make(told: World, name: str, *those: dict[str, Any]) -> None:
    s3 = told.client("s3", REGION)
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    if those:
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy(*those)))


def _not_logged(told: World) -> Target:
    _make(told, LOG, AUDIT, DELIVERY)
    _make(told, BUCKET.id)
    return BUCKET


def _logged_elsewhere(told: World) -> Target:
    _make(told, LOG, DELIVERY)
    _make(told, "acme-old-logs", DELIVERY | {"Resource": "arn:aws:s3:::acme-old-logs/*"})
    _make(told, BUCKET.id)
    told.client("s3", REGION).put_bucket_logging(Bucket=BUCKET.id, BucketLoggingStatus={"LoggingEnabled": ELSEWHERE})
    return BUCKET


def _not_ready(told: World) -> Target:
    _make(told, LOG)
    _make(told, "acme-old-logs", DELIVERY | {"Resource": "arn:aws:s3:::acme-old-logs/*"})
    told.client("s3", REGION).put_bucket_logging(Bucket=LOG, BucketLoggingStatus={"LoggingEnabled": ELSEWHERE})
    return LOGS


STORIES = (
    Story("nobody logs it", CONTROL.id, _not_logged, settings=SETTINGS),
    Story("it is logged elsewhere", CONTROL.id, _logged_elsewhere, settings=SETTINGS),
    Story("the log bucket takes nothing, and is logged", CONTROL.id, _not_ready, settings=SETTINGS),
)


def to(target: Target, where: Any) -> Call:
    status = {"LoggingEnabled": where} if where else {}
    return Call(
        "s3", "PutBucketLogging", {"Bucket": target.id, "BucketLoggingStatus": status}, REGION, ("NoSuchBucket",)
    )


# --- what is wrong --------------------------------------------------------------------------------


def test_a_named_bucket_that_is_not_logged_or_elsewhere_deviates() -> None:
    assert Deviation("has no access log", ("accesses are not logged",)) == detect(state(BUCKET), SETTINGS)
    into = Deviation("has its access log in acme-old-logs", ("accesses are logged into acme-old-logs",))
    assert into == detect(state(BUCKET, ELSEWHERE), SETTINGS)


def test_a_trails_bucket_is_held_to_it_though_nobody_names_it() -> None:
    records = Target(ACCOUNT, REGION, "s3-bucket", "acme-trail-records")
    assert Deviation("has no access log", ("accesses are not logged",)) == detect(state(records, trail=True), SETTINGS)
    assert detect(state(records), SETTINGS) is None


def test_a_log_bucket_that_takes_nothing_or_is_logged_has_a_clock_of_its_own() -> None:
    facts = ("S3 may not write logs into it", "it is logged itself")
    expected = Deviation(f"does not serve as the log bucket: {facts[0]}", facts, "log-bucket")
    assert expected == detect(state(LOGS, ELSEWHERE, AUDIT, trail=True), SETTINGS)
    assert detect(state(LOGS, None, AUDIT, DELIVERY), SETTINGS) is None


def test_nothing_is_held_until_a_log_bucket_is_named() -> None:
    assert (None, True) == (detect(state(BUCKET), NONE), excepted(BUCKET, NONE))
    assert not excepted(BUCKET, SETTINGS)


def test_a_bucket_that_is_logged_one_that_nobody_named_and_one_that_is_gone_are_fine() -> None:
    assert detect(state(BUCKET, INTO), SETTINGS) is None
    assert detect(state(BUCKET), {**SETTINGS, "buckets": []}) is None
    assert detect(None, SETTINGS) is None


@pytest.mark.parametrize(
    ("more", "lets"),
    [
        ({}, True),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::acme-*"}}}, True),
        (
            {"Action": "s3:*", "Principal": {"Service": ["delivery.logs.amazonaws.com", "logging.s3.amazonaws.com"]}},
            True,
        ),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "444455556666"}}}, False),
        ({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, False),
        ({"Resource": f"arn:aws:s3:::{LOG}/orders/*"}, False),
        ({"Principal": "*"}, False),
        ({"Effect": "Deny"}, False),
    ],
)
def test_what_lets_s3_deliver(more: dict[str, Any], *, lets: bool) -> None:
    assert lets is (detect(state(LOGS, None, DELIVERY | more), SETTINGS) is None)


def test_a_bucket_is_seen_with_its_trail_and_its_policy() -> None:
    with world() as here:
        _not_logged(here)
        here.client("cloudtrail", REGION).create_trail(Name="records", S3BucketName=BUCKET.id)
        eyes = here.accounts.eyes(ACCOUNT, REGION)
        assert state(BUCKET, trail=True) == observe(eyes, BUCKET)
        assert state(LOGS, None, AUDIT, DELIVERY) == observe(eyes, LOGS)
        assert observe(eyes, Target(ACCOUNT, REGION, "s3-bucket", "acme-gone")) is None


# --- the repair -----------------------------------------------------------------------------------


def test_it_is_logged_below_its_own_name_or_the_one_that_it_had() -> None:
    repair = plan(BUCKET, state(BUCKET), SETTINGS)
    assert ((to(BUCKET, INTO),), (to(BUCKET, None),)) == (repair.do, repair.undo)
    repair = plan(BUCKET, state(BUCKET, ELSEWHERE), SETTINGS)
    assert ((to(BUCKET, {**ELSEWHERE, "TargetBucket": LOG}),), (to(BUCKET, ELSEWHERE),)) == (repair.do, repair.undo)


def test_the_log_buckets_policy_keeps_every_other_statement() -> None:
    (call,) = plan(LOGS, state(LOGS, None, AUDIT), SETTINGS).do
    assert [AUDIT, DELIVERY] == json.loads(call.parameters["Policy"])["Statement"]


def test_only_what_may_be_repaired_of_the_log_bucket_is() -> None:
    repair = plan(LOGS, state(LOGS, ELSEWHERE, AUDIT), SETTINGS, {"it is logged itself"})
    assert ((to(LOGS, None),), (to(LOGS, ELSEWHERE),)) == (repair.do, repair.undo)


def test_a_policy_without_room_is_left_and_the_rest_is_repaired() -> None:
    long = AUDIT | {"Resource": [f"arn:aws:s3:::{LOG}/{number:08d}/*" for number in range(500)]}
    repair = plan(LOGS, state(LOGS, ELSEWHERE, long), SETTINGS)
    assert ((to(LOGS, None),), {"S3 may not write logs into it"}) == (repair.do, set(repair.left))


def test_an_undo_asks_for_the_logging_and_the_policy_however_it_is_laid_out() -> None:
    before = state(LOGS, ELSEWHERE, AUDIT)
    assert part(before, Plan()) == part({**before, "text": " laid out otherwise ", "trail": True}, Plan())
    assert part(before, Plan()) != part(state(LOGS, None, AUDIT), Plan()) != part(state(LOGS, None, DELIVERY), Plan())


def test_the_words_before_and_after() -> None:
    assert "accesses are not logged" == describe(state(BUCKET))
    assert f"accesses are logged into {LOG}" == describe(state(BUCKET, INTO))
    assert "accesses are not logged; S3 may write logs into it" == describe(state(LOGS, None, DELIVERY))
    assert "the bucket does not exist" == describe(None)


@pytest.mark.parametrize(
    ("status", "seen", "expected"),
    [
        ({"xmlns": "x"}, state(BUCKET, INTO), "had no access log for a while"),
        ({"LoggingEnabled": ELSEWHERE}, state(BUCKET, INTO), ""),
        ({}, state(Target(ACCOUNT, REGION, "s3-bucket", "other")), ""),
        (None, state(BUCKET, INTO), ""),
        ({}, None, ""),
    ],
)
def test_a_log_that_was_off_for_a_minute(status: Any, seen: Any, expected: str) -> None:
    detail = {"eventName": "PutBucketLogging", "requestParameters": {"BucketLoggingStatus": status}}
    nobody: Any = None
    assert expected == announced(nobody, detail, seen, SETTINGS)


@pytest.mark.parametrize(
    ("name", "fits"), [("", True), ("acme-logs-{account}-{region}", True), ("s3://logs", False), ("Acme", False)]
)
def test_a_log_bucket_is_called_as_buckets_are(name: str, *, fits: bool) -> None:
    assert fits is Draft202012Validator(CONTROL.settings["log_bucket"]).is_valid(name)
