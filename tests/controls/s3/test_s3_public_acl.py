"""s3-public-acl: grants to everybody go, every other grant stays."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plumbline.controls.s3._buckets import located
from plumbline.controls.s3.s3_public_acl import CONTROL, describe, detect, is_public, plan
from plumbline.core.calls import Call
from plumbline.core.control import Deviation
from plumbline.core.targets import Target
from tests.story import ACCOUNT, Story, World

REGION = "ap-southeast-2"
BUCKET = Target(ACCOUNT, REGION, "s3-bucket", "acme-data")
NONE: dict[str, Any] = {"allowed_buckets": []}

OWNER = {"ID": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}
OURS = {"Grantee": {"Type": "CanonicalUser", **OWNER}, "Permission": "FULL_CONTROL"}
LOGS = {"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}, "Permission": "WRITE"}


def everybody(permission: str, group: str = "AllUsers") -> dict[str, Any]:
    return {
        "Grantee": {"Type": "Group", "URI": f"http://acs.amazonaws.com/groups/global/{group}"},
        "Permission": permission,
    }


def acl(*grants: dict[str, Any]) -> dict[str, Any]:
    return {"bucket": "acme-data", "owner": OWNER, "grants": list(grants)}


def _bucket(world: World, canned: str, region: str = REGION) -> Target:
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    world.client("s3", region).create_bucket(Bucket="acme-data", ACL=canned, **place)
    return Target(ACCOUNT, region, "s3-bucket", "acme-data")


def _logs_and_everybody(world: World) -> Target:
    target = _bucket(world, "private")
    grants = [OURS, LOGS, everybody("READ"), everybody("WRITE_ACP")]
    world.client("s3").put_bucket_acl(Bucket="acme-data", AccessControlPolicy={"Owner": OWNER, "Grants": grants})
    return target


STORIES = (
    Story("created for anyone to read", CONTROL.id, lambda world: _bucket(world, "public-read")),
    Story("anyone may write, in us-east-1", CONTROL.id, lambda world: _bucket(world, "public-read-write", "us-east-1")),
    Story("anyone with an AWS account may read", CONTROL.id, lambda world: _bucket(world, "authenticated-read")),
    Story("public beside log delivery", CONTROL.id, _logs_and_everybody),
)


def test_a_grant_to_everybody_deviates_and_the_worst_one_is_named() -> None:
    expected = Deviation("is public: anyone may write and delete files", ("AllUsers WRITE", "AllUsers READ"))
    assert expected == detect(acl(OURS, everybody("READ"), everybody("WRITE")), NONE)


def test_any_aws_account_is_everybody_too() -> None:
    expected = Deviation("is public: anyone with an AWS account may list it", ("AuthenticatedUsers READ",))
    assert expected == detect(acl(everybody("READ", "AuthenticatedUsers")), NONE)


def test_log_delivery_a_listed_bucket_and_a_missing_one_are_fine() -> None:
    assert detect(acl(OURS, LOGS), NONE) is None
    assert detect(acl(everybody("READ")), {"allowed_buckets": ["acme-*"]}) is None
    assert detect(None, NONE) is None


def test_the_words_before_and_after() -> None:
    assert describe(acl(OURS, everybody("READ"))) == "anyone may list it; 1 grant to named accounts or AWS services"
    assert describe(acl(OURS, LOGS)) == "2 grants to named accounts or AWS services"
    assert describe(None) == "the bucket does not exist"


def test_the_repair_is_sent_to_the_buckets_region_and_can_be_taken_back() -> None:
    repair = plan(BUCKET, acl(OURS, everybody("READ"), LOGS), NONE)

    def put(*grants: dict[str, Any]) -> Call:
        policy = {"Owner": OWNER, "Grants": list(grants)}
        return Call(
            "s3", "PutBucketAcl", {"Bucket": "acme-data", "AccessControlPolicy": policy}, REGION, ("NoSuchBucket",)
        )

    assert repair.do == (put(OURS, LOGS),)
    assert repair.undo == (put(OURS, everybody("READ"), LOGS),)
    assert repair.resources == ("arn:*:s3:::acme-data",)


@given(
    st.lists(
        st.sampled_from([OURS, LOGS])
        | st.builds(
            everybody,
            st.sampled_from(["READ", "WRITE", "READ_ACP"]),
            st.sampled_from(["AllUsers", "AuthenticatedUsers"]),
        )
    )
)
def test_whatever_the_grants_only_the_public_ones_go_and_the_order_stays(grants: list[dict[str, Any]]) -> None:
    (call,) = plan(BUCKET, acl(*grants), NONE).do
    kept = call.parameters["AccessControlPolicy"]["Grants"]
    assert kept == [one for one in grants if one in (OURS, LOGS)]
    assert not any(map(is_public, kept))


def test_a_bucket_is_looked_for_where_it_is_created() -> None:
    detail = {"awsRegion": "us-east-1", "recipientAccountId": ACCOUNT}
    made = {"bucketName": "acme-data", "CreateBucketConfiguration": {"LocationConstraint": "EU"}}
    assert located(detail | {"requestParameters": made}) == (Target(ACCOUNT, "eu-west-1", "s3-bucket", "acme-data"),)
    plain = {"bucketName": "acme-data"}
    assert located(detail | {"requestParameters": plain}) == (Target(ACCOUNT, "us-east-1", "s3-bucket", "acme-data"),)


def test_an_event_that_names_no_bucket_means_every_bucket() -> None:
    detail = {"awsRegion": "eu-west-1", "recipientAccountId": ACCOUNT, "requestParameters": None}
    assert located(detail) == (Target(ACCOUNT, "eu-west-1", "s3-bucket", "*"),)
