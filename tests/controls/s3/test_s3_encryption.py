"""s3-encryption: new objects are encrypted with the kind of key that the baseline wants."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from plumbline.controls.s3.s3_encryption import CONTROL, announced, describe, detect, observe, plan
from plumbline.core.calls import Call
from plumbline.core.control import Deviation
from plumbline.core.targets import Target
from tests.rig import own_rules
from tests.story import ACCOUNT, Story, World, world

REGION = "eu-west-1"
BUCKET = Target(ACCOUNT, REGION, "s3-bucket", "acme-invoices")
DEFAULTS = own_rules()[CONTROL.id].settings
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/data"
OURS = {
    "algorithms": ["aws:kms", "aws:kms:dsse"],
    "kms_key": "arn:aws:kms:{region}:{account}:alias/data",
    "bucket_key": True,
    "blocked": ["SSE-C"],
}
OTHERWISE = "encrypts otherwise than you want"
#: As AWS makes a bucket since April 2026.
OF_AWS: dict[str, Any] = {
    "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
    "BucketKeyEnabled": False,
    "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]},
}
WANTED = {
    "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
    "BucketKeyEnabled": True,
    "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]},
}
BY_AWS_KEY = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": False}
UNBLOCKED = {**OF_AWS, "BlockedEncryptionTypes": {"EncryptionType": ["NONE"]}}


def state(rule: Any) -> dict[str, Any]:
    return {"bucket": "acme-invoices", "region": REGION, "account": ACCOUNT, "rule": rule}


def _bucket(told: World, rule: Any) -> Target:
    s3 = told.client("s3", REGION)
    s3.create_bucket(Bucket="acme-invoices", CreateBucketConfiguration={"LocationConstraint": REGION})
    if rule:
        s3.put_bucket_encryption(Bucket=BUCKET.id, ServerSideEncryptionConfiguration={"Rules": [rule]})
    return BUCKET


STORIES = (
    Story("as AWS made it", CONTROL.id, lambda told: _bucket(told, None), settings=OURS),
    Story(
        "another key, without a bucket key, and what the caller brings",
        CONTROL.id,
        lambda told: _bucket(told, BY_AWS_KEY),
        settings=OURS,
    ),
)


def to(rule: Any) -> Call:
    given = {"Bucket": "acme-invoices", "ServerSideEncryptionConfiguration": {"Rules": [rule]}}
    return Call("s3", "PutBucketEncryption", given, REGION, ("NoSuchBucket",))


@pytest.mark.parametrize("rule", [OF_AWS, UNBLOCKED, BY_AWS_KEY, WANTED])
def test_by_default_whatever_a_bucket_encrypts_with_will_do(rule: Any) -> None:
    assert detect(state(rule), DEFAULTS) is None
    assert detect(None, DEFAULTS) is None


def test_what_aws_gave_deviates_on_the_clock_of_what_nobody_chose() -> None:
    assert Deviation(OTHERWISE, ("SSEAlgorithm is AES256",)) == detect(state(OF_AWS), OURS)
    assert detect(state(WANTED), OURS) is None


def test_what_somebody_chose_deviates_on_a_clock_that_never_acts() -> None:
    facts = ("KMSMasterKeyID is not set", "BucketKeyEnabled is off", "SSE-C is not blocked")
    assert Deviation(OTHERWISE, facts, "chosen") == detect(state(BY_AWS_KEY), OURS)
    unblocked = detect(state(UNBLOCKED), {**DEFAULTS, "blocked": ["SSE-C"]})
    assert Deviation(OTHERWISE, ("SSE-C is not blocked",), "chosen") == unblocked
    assert CONTROL.clocks["chosen"].act is None


def test_a_bucket_of_which_nothing_was_set_and_that_blocks_nothing_is_as_aws_made_it() -> None:
    rule = {name: one for name, one in OF_AWS.items() if name != "BlockedEncryptionTypes"}
    expected = Deviation(OTHERWISE, ("SSE-C is not blocked",))
    assert expected == detect(state(rule), {**DEFAULTS, "blocked": ["SSE-C"]})


def test_one_write_sets_all_that_is_wrong_and_keeps_the_rest() -> None:
    repair = plan(BUCKET, state(OF_AWS), OURS)
    assert ((to(WANTED),), (to(OF_AWS),)) == (repair.do, repair.undo)
    blocked = {**UNBLOCKED, "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}}
    assert (to(blocked),) == plan(BUCKET, state(UNBLOCKED), {**DEFAULTS, "blocked": ["SSE-C"]}).do


def test_only_what_may_be_repaired_is() -> None:
    assert (to({**BY_AWS_KEY, "BucketKeyEnabled": True}),) == plan(
        BUCKET, state(BY_AWS_KEY), OURS, {"BucketKeyEnabled is off"}
    ).do


def test_a_key_in_hardware_twice_takes_no_bucket_key() -> None:
    settings = {**OURS, "algorithms": ["aws:kms:dsse"]}
    (call,) = plan(BUCKET, state(OF_AWS), settings).do
    (rule,) = call.parameters["ServerSideEncryptionConfiguration"]["Rules"]
    assert ("aws:kms:dsse", False) == (
        rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"],
        rule["BucketKeyEnabled"],
    )
    assert detect(state(rule), settings) is None


def test_a_bucket_that_is_gone_has_no_state() -> None:
    with world() as here:
        assert observe(here.accounts.eyes(ACCOUNT, REGION), BUCKET) is None


def test_the_words_before_and_after() -> None:
    assert "encrypts with AES256, refuses SSE-C" == describe(state(OF_AWS))
    assert "encrypts with aws:kms, key of AWS" == describe(state(BY_AWS_KEY))
    assert f"encrypts with aws:kms, key {KEY}, bucket key, refuses SSE-C" == describe(state(WANTED))
    assert "the bucket does not exist" == describe(None)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("AES256", "encrypted new objects with AES256 for a while"), ("aws:kms", ""), ("rot13", ""), (None, "")],
)
def test_another_kind_that_came_and_went(kind: Any, expected: str) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": kind}}
    detail = {"requestParameters": {"ServerSideEncryptionConfiguration": {"Rule": rule}}}
    assert expected == announced(lambda _call: None, detail, None, OURS)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["", KEY, OURS["kms_key"], "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-1a"])
def test_a_key_is_named_by_its_arn_or_an_aliass(key: str) -> None:
    assert Draft202012Validator(CONTROL.settings["kms_key"]).is_valid(key)
    assert not Draft202012Validator(CONTROL.settings["kms_key"]).is_valid("alias/data")
