"""s3-public-access-block: no bucket can be made public, but those that are so on purpose."""

from __future__ import annotations

from typing import Any

import pytest

from plumbline.controls.s3._access_block import SWITCH, announced, observe
from plumbline.controls.s3.s3_public_access_block import CONTROL
from plumbline.core.calls import Call
from plumbline.core.control import Deviation
from plumbline.core.targets import Target
from tests.story import ACCOUNT, Story, World, world

REGION = "eu-west-1"
BUCKET = Target(ACCOUNT, REGION, "s3-bucket", "acme-reports")
NONE: dict[str, Any] = {"allowed_buckets": []}
FOUR = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
ALL = dict.fromkeys(FOUR, True)
HALF = {**ALL, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}
OPEN = "can be made public: its public access block is not wholly on"


def state(own: Any, account: Any = None) -> dict[str, Any]:
    return {"bucket": "acme-reports", "values": own, "account": account or {}}


def _bucket(told: World, block: dict[str, bool] | None) -> Target:
    s3 = told.client("s3", REGION)
    s3.create_bucket(Bucket="acme-reports", CreateBucketConfiguration={"LocationConstraint": REGION})
    if block is not None:
        s3.put_public_access_block(Bucket="acme-reports", PublicAccessBlockConfiguration=block)
    return BUCKET


STORIES = (
    Story("nothing is configured", CONTROL.id, lambda told: _bucket(told, None)),
    Story("public policies are let in", CONTROL.id, lambda told: _bucket(told, HALF)),
)


def test_each_switch_that_is_off_is_a_fact() -> None:
    expected = Deviation(OPEN, ("BlockPublicPolicy is off", "RestrictPublicBuckets is off"))
    assert expected == SWITCH.detect(state(HALF), NONE)
    assert Deviation(OPEN, tuple(f"{one} is off" for one in FOUR)) == SWITCH.detect(state(None), NONE)


def test_a_closed_bucket_a_listed_one_and_one_that_is_gone_are_fine() -> None:
    assert SWITCH.detect(state(ALL), NONE) is None
    assert SWITCH.detect(state(None), {"allowed_buckets": ["acme-*"]}) is None
    assert SWITCH.detect(None, NONE) is None


def test_the_accounts_switches_outweigh_the_buckets() -> None:
    assert SWITCH.detect(state(None, ALL), NONE) is None
    other_half = {one: not on for one, on in HALF.items()}
    assert SWITCH.detect(state(HALF, other_half), NONE) is None, "whichever of the two is strict counts"
    expected = Deviation(OPEN, ("RestrictPublicBuckets is off",))
    assert expected == SWITCH.detect(state(HALF, {**ALL, "RestrictPublicBuckets": False}), NONE)


def test_the_accounts_switches_are_asked_for_only_where_a_bucket_leaves_something_open() -> None:
    with world() as here:
        here.client("s3control").put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=ALL)
        _bucket(here, HALF)
        eyes = here.accounts.eyes(ACCOUNT, REGION)
        assert state(HALF, ALL) == observe(eyes, BUCKET)
        here.client("s3", REGION).put_public_access_block(Bucket=BUCKET.id, PublicAccessBlockConfiguration=ALL)
        here.calls.clear()
        assert {"bucket": "acme-reports", "values": ALL} == observe(here.accounts.eyes(ACCOUNT, REGION), BUCKET)
        assert ["GetPublicAccessBlock"] == [one.operation for one in here.calls]


def test_a_repair_switches_on_what_may_be_repaired_and_its_undo_leaves_what_was() -> None:
    repair = SWITCH.plan(BUCKET, state(HALF), NONE, {"BlockPublicPolicy is off"})

    def to(block: dict[str, bool]) -> Call:
        given = {"Bucket": "acme-reports", "PublicAccessBlockConfiguration": block}
        return Call("s3", "PutPublicAccessBlock", given, REGION, ("NoSuchBucket",))

    assert ((to({**HALF, "BlockPublicPolicy": True}),), (to(HALF),)) == (repair.do, repair.undo)
    (undo,) = SWITCH.plan(BUCKET, state(None), NONE).undo
    assert Call("s3", "DeletePublicAccessBlock", {"Bucket": "acme-reports"}, REGION, ("NoSuchBucket",)) == undo


def test_the_words_before_and_after() -> None:
    words = "BlockPublicAcls is on, IgnorePublicAcls is on, BlockPublicPolicy is off, RestrictPublicBuckets is off"
    assert words == SWITCH.describe(state(HALF))
    assert "the bucket does not exist" == SWITCH.describe(None)


@pytest.mark.parametrize(
    ("event", "block", "expected"),
    [
        ("DeleteBucketPublicAccessBlock", None, "lost its public access block"),
        ("PutBucketPublicAccessBlock", HALF,
         "lost a part of its public access block: BlockPublicPolicy, RestrictPublicBuckets"),
        ("PutBucketPublicAccessBlock", {one: str(value).lower() for one, value in HALF.items()},
         "lost a part of its public access block: BlockPublicPolicy, RestrictPublicBuckets"),
        ("PutBucketPublicAccessBlock", ALL, ""),
        ("PutAccountPublicAccessBlock", HALF, ""),
        ("CreateBucket", None, ""),
    ],
)  # fmt: skip
def test_a_block_that_was_off_for_a_minute(event: str, block: Any, expected: str) -> None:
    detail = {"eventName": event, "requestParameters": {"PublicAccessBlockConfiguration": block}}
    assert expected == announced(lambda _call: None, detail, None, NONE)  # type: ignore[arg-type]
