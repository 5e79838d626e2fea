"""s3-public-acl: grants to everybody go, every other grant stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.baseline.compiler import compile_text
from plumbline.controls.s3._buckets import closed_to_all, located
from plumbline.controls.s3.s3_public_acl import CONTROL, describe, detect, is_public, mend, plan
from plumbline.core.calls import Call, Mended
from plumbline.core.cause import Origin
from plumbline.core.control import Deviation
from plumbline.core.errors import AwsRefusal, BaselineError
from plumbline.core.targets import Target
from plumbline.engine.case import Outcome
from plumbline.wakes import messages
from plumbline.wakes.messages import Wake
from tests.recorded import Recorded, records
from tests.rig import NOW, Rig, own_rules
from tests.story import ACCOUNT, Story, World, world

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

    assert repair.do == (_put(OURS, LOGS),)
    assert repair.undo == (_put(OURS, everybody("READ"), LOGS),)
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


# --- in force without a call on the ACL itself ----------------------------------------------------

AWAKENED = [one for one in records() if one.control == CONTROL.id and not one.path.stem.endswith(("Acl", "Bucket"))]


@pytest.mark.parametrize("record", AWAKENED, ids=str)
def test_what_puts_a_sleeping_acl_in_force_gets_it_repaired_at_once(record: Recorded) -> None:
    """S3 shows the permissions in force; moto, which knows none but those, plays a bucket whose block has just gone."""
    with world() as told:
        target = _bucket(told, "public-read")
        plumbline = Rig(told).install(own_rules())
        event = _here(record.event(), target)
        wakes = list(messages.from_event(event, {CONTROL.id: CONTROL}))
        found = [plumbline.engine.expand(one, now=NOW) if one.target.is_pattern else (one,) for one in wakes]
        settled = [plumbline.engine.settle(one, now=NOW) for some in found for one in cast("Sequence[Wake]", some)]
    assert [(target, Origin.EVENT, Outcome.REPAIRED)] == [
        (one.wake.target, one.finding and one.finding.origin, one.outcome) for one in settled
    ]
    assert settled[0].finding is not None
    assert record.path.stem == settled[0].finding.cause.action


def _here(event: dict[str, Any], target: Target) -> dict[str, Any]:
    """A kept event in the account and region of a story."""
    detail = {**event["detail"], "recipientAccountId": target.account, "awsRegion": target.region}
    return {**event, "account": target.account, "detail": detail}


def test_what_is_set_for_the_account_is_about_its_buckets_in_every_region() -> None:
    (record,) = (one for one in AWAKENED if one.path.stem == "DeleteAccountPublicAccessBlock")
    everywhere = record.target()
    assert ("111122223333", "global", "s3-bucket", "*") == (
        everywhere.account,
        everywhere.region,
        everywhere.kind,
        everywhere.id,
    )
    assert everywhere.covers(Target("111122223333", "sa-east-1", "s3-bucket", "acme-data"))


# --- what is dead ---------------------------------------------------------------------------------

CLOSED = {"Grantee": {"Type": "CanonicalUser", "ID": "f" * 64}, "Permission": "READ"}


def _put(*grants: dict[str, Any]) -> Call:
    policy = {"Owner": OWNER, "Grants": list(grants)}
    return Call("s3", "PutBucketAcl", {"Bucket": "acme-data", "AccessControlPolicy": policy}, REGION, ("NoSuchBucket",))


def test_a_grant_to_an_account_that_was_closed_is_left_out_when_aws_names_it() -> None:
    """S3's answer: Code InvalidArgument, Message Invalid id, ArgumentName CanonicalUser/ID, ArgumentValue the id."""
    refusal = AwsRefusal("InvalidArgument", "Invalid id", None, f"CanonicalUser/ID {'f' * 64}")
    why = f"the account of the canonical id {'f' * 64} does not exist any more, so its grant is left out"
    assert [Mended(_put(OURS, LOGS), why)] == mend(_put(OURS, CLOSED, LOGS), refusal)


def test_no_grant_is_left_out_on_a_guess() -> None:
    for refusal in (
        AwsRefusal("InvalidArgument", "Invalid id", None, f"CanonicalUser/ID {'e' * 64}"),
        AwsRefusal("AccessDenied", "Access Denied", None, f"CanonicalUser/ID {'f' * 64}"),
    ):
        assert () == tuple(mend(_put(OURS, CLOSED), refusal))


def test_where_aws_names_no_id_each_but_the_owners_is_left_out_in_turn() -> None:
    other = {"Grantee": {"Type": "CanonicalUser", "ID": "a" * 64}, "Permission": "READ"}
    forms = mend(_put(OURS, CLOSED, other, LOGS), AwsRefusal("InvalidArgument", "Invalid id"))
    assert [_put(OURS, other, LOGS), _put(OURS, CLOSED, LOGS)] == [one.call for one in forms]


# --- public on purpose, and closed for the account ------------------------------------------------


def test_a_baseline_that_leaves_a_bucket_public_and_closes_them_all_is_a_contradiction() -> None:
    mine = {CONTROL.id: {"allowed_buckets": ["www"]}}
    block: dict[str, Any] = {"account-s3-public-access": {}}
    expected = (
        "account-s3-public-access closes these buckets too, for it closes every one of the account; write "
        "`account-s3-public-access: {mode: observe}` below controls, or serve them otherwise and take them off here"
    )
    assert [(("allowed_buckets",), expected)] == list(closed_to_all(CONTROL.id, mine | block))
    assert [] == list(closed_to_all(CONTROL.id, mine))
    assert [] == list(closed_to_all(CONTROL.id, {CONTROL.id: NONE} | block))


def test_so_is_one_that_closes_the_bucket_by_its_own_block() -> None:
    mine = {CONTROL.id: {"allowed_buckets": ["www", "shop-*", "docs"]}}
    block: dict[str, Any] = {"s3-public-access-block": {"allowed_buckets": ["shop-*", "doc?"]}}
    expected = (
        "s3-public-access-block closes www; write `s3-public-access-block: {allowed_buckets: [www]}` below controls as "
        "well, or take them off here"
    )
    assert [(("allowed_buckets",), expected)] == list(closed_to_all(CONTROL.id, mine | block))


def test_sam_build_stops_at_it_with_the_line() -> None:
    text = "controls:\n  s3-public-policy:\n    allowed_buckets: [www]\n"
    with pytest.raises(BaselineError) as stopped:
        compile_text(text, name="baseline.yaml", today=NOW.date())
    assert stopped.value.problems[0].startswith("baseline.yaml:3: controls.s3-public-policy.allowed_buckets: ")
    observed = (
        f"{text}  account-s3-public-access: {{mode: observe}}\n  s3-public-access-block: {{allowed_buckets: [www]}}\n"
    )
    assert compile_text(observed, name="baseline.yaml", today=NOW.date())
