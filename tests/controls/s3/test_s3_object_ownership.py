"""s3-object-ownership: ACLs are off where the bucket's own list gives nothing to others."""

from __future__ import annotations

from typing import Any

from plumbline.controls.s3.s3_object_ownership import CONTROL, SWITCH, describe, detect, observe
from plumbline.core.calls import Call
from plumbline.core.clock import Response
from plumbline.core.control import Deviation
from plumbline.core.targets import Target
from tests.story import ACCOUNT, Story, World, world

REGION = "eu-west-1"
BUCKET = Target(ACCOUNT, REGION, "s3-bucket", "acme-uploads")
COUNT = "lets access control lists count"


def state(ownership: str | None, others: int = 0) -> dict[str, Any]:
    return {"bucket": "acme-uploads", "values": ownership and {"ObjectOwnership": ownership}, "others": others}


def _bucket(told: World, ownership: str, acl: str = "private") -> Target:
    s3 = told.client("s3", REGION)
    made: dict[str, Any] = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
    if ownership:
        made["ObjectOwnership"] = ownership
    s3.create_bucket(Bucket="acme-uploads", ACL=acl, **made)
    return BUCKET


STORIES = (
    Story("nothing is configured", CONTROL.id, lambda told: _bucket(told, "")),
    Story("whoever writes an object owns it", CONTROL.id, lambda told: _bucket(told, "ObjectWriter")),
)


def to(ownership: str) -> Call:
    given = {"Bucket": "acme-uploads", "OwnershipControls": {"Rules": [{"ObjectOwnership": ownership}]}}
    return Call("s3", "PutBucketOwnershipControls", given, REGION, ("NoSuchBucket",))


def test_acls_that_count_deviate_and_wait_for_a_person() -> None:
    preferred = detect(state("BucketOwnerPreferred"), {})
    assert Deviation(COUNT, ("ObjectOwnership is BucketOwnerPreferred",)) == preferred
    assert Deviation(COUNT, ("ObjectOwnership is ObjectWriter",)) == detect(state(None), {})
    assert Response.PROPOSE is CONTROL.response


def test_a_bucket_with_acls_off_one_that_needs_its_own_and_one_that_is_gone_are_fine() -> None:
    assert detect({"bucket": "acme-uploads", "values": {"ObjectOwnership": "BucketOwnerEnforced"}}, {}) is None
    assert detect(state("ObjectWriter", others=1), {}) is None
    assert detect(None, {}) is None


def test_whom_the_buckets_own_list_is_for_is_asked_only_where_lists_count() -> None:
    with world() as here:
        _bucket(here, "ObjectWriter", acl="log-delivery-write")
        seen = observe(here.accounts.eyes(ACCOUNT, REGION), BUCKET)
        assert seen
        assert (True, None) == (seen["others"] > 0, detect(seen, {}))
        here.client("s3", REGION).put_bucket_ownership_controls(
            Bucket=BUCKET.id, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        )
        here.calls.clear()
        assert observe(here.accounts.eyes(ACCOUNT, REGION), BUCKET)
        assert ["GetBucketOwnershipControls"] == [one.operation for one in here.calls]


def test_the_undo_sets_the_ownership_that_was() -> None:
    repair = SWITCH.plan(BUCKET, state("BucketOwnerPreferred"), {})
    assert ((to("BucketOwnerEnforced"),), (to("BucketOwnerPreferred"),)) == (repair.do, repair.undo)
    (undo,) = SWITCH.plan(BUCKET, state(None), {}).undo
    nothing = Call("s3", "DeleteBucketOwnershipControls", {"Bucket": "acme-uploads"}, REGION, ("NoSuchBucket",))
    assert nothing == undo


def test_the_words_before_and_after() -> None:
    assert "ObjectOwnership is ObjectWriter; its own list has 2 grants to others" == describe(state(None, others=2))
    assert "ObjectOwnership is BucketOwnerEnforced" == describe(state("BucketOwnerEnforced"))
    assert "the bucket does not exist" == describe(None)
