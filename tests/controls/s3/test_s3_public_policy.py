"""s3-public-policy: public statements go, every other statement stays."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plumbline.controls.s3.s3_public_policy import CONTROL, describe, detect, plan, without_public
from plumbline.core.calls import Call
from plumbline.core.control import Deviation
from plumbline.core.targets import Target
from tests.story import ACCOUNT, Story, World

REGION = "eu-west-1"
BUCKET = Target(ACCOUNT, REGION, "s3-bucket", "acme-data")
NONE: dict[str, Any] = {"allowed_buckets": []}
FILES = "arn:aws:s3:::acme-data/*"
READ = {"Sid": "Site", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": FILES}
OFFICE = READ | {"Sid": "Office", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}
TLS = {
    "Sid": "Tls",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": FILES,
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
LIST = {"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::acme-data"}
PARTNER = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
    "Action": ["s3:GetObject"],
    "Resource": FILES,
}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Id": "acme", "Statement": list(statements)}


def state(document: dict[str, Any]) -> dict[str, Any]:
    return {"bucket": "acme-data", "policy": document, "text": json.dumps(document)}


def _bucket(world: World, document: dict[str, Any]) -> Target:
    s3 = world.client("s3", REGION)
    s3.create_bucket(Bucket="acme-data", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_policy(Bucket="acme-data", Policy=json.dumps(document, indent=2))
    return BUCKET


STORIES = (
    Story("a public statement among others", CONTROL.id, lambda world: _bucket(world, policy(TLS, READ, PARTNER))),
    Story(
        "two public statements, one without a name", CONTROL.id, lambda world: _bucket(world, policy(READ, TLS, LIST))
    ),
    Story("nothing but a public statement", CONTROL.id, lambda world: _bucket(world, policy(READ))),
    Story("one statement, not in a list", CONTROL.id, lambda world: _bucket(world, {**policy(), "Statement": READ})),
)


def test_a_public_statement_deviates_and_is_named() -> None:
    expected = Deviation("is public: its policy allows anyone s3:GetObject", ("Site 7d537ad2",))
    assert expected == detect(state(policy(TLS, READ)), NONE)


def test_a_statement_is_known_by_what_it_says_wherever_it_stands_and_whatever_it_is_called() -> None:
    nameless = {name: value for name, value in READ.items() if name != "Sid"} | {"Action": ["s3:Get*", "s3:List*"]}
    expected = Deviation("is public: its policy allows anyone s3:Get* and 1 more", ("statement aac4af4d",))
    assert expected == detect(state(policy(TLS, nameless)), NONE) == detect(state(policy(nameless)), NONE)
    wider = detect(state(policy(READ | {"Action": "s3:*"})), NONE)
    assert wider is not None
    assert wider.items != ("Site 7d537ad2",), "the same Sid, another right"


def test_narrow_conditions_named_accounts_listed_buckets_and_no_policy_are_fine() -> None:
    assert detect(state(policy(TLS, OFFICE, PARTNER)), NONE) is None
    assert detect(state(policy(READ)), {"allowed_buckets": ["acme-?ata"]}) is None
    assert detect(None, NONE) is None


def test_the_words_before_and_after() -> None:
    assert describe(state(policy(READ, TLS))) == "anyone is allowed s3:GetObject; 1 statement that is not public"
    assert describe(state(policy(TLS, OFFICE))) == "2 statements that are not public"
    assert describe(None) == "the bucket has no policy"


def test_a_policy_with_nothing_left_is_deleted_and_comes_back_letter_for_letter() -> None:
    before = state(policy(READ)) | {"text": ' {"Statement": ...} '}
    repair = plan(BUCKET, before, NONE)
    absent = ("NoSuchBucketPolicy", "NoSuchBucket")
    assert repair.do == (Call("s3", "DeleteBucketPolicy", {"Bucket": "acme-data"}, REGION, absent),)
    text = {"Bucket": "acme-data", "Policy": before["text"]}
    assert repair.undo == (Call("s3", "PutBucketPolicy", text, REGION, ("NoSuchBucket",)),)


@given(st.lists(st.sampled_from([READ, OFFICE, TLS, PARTNER]), min_size=1))
def test_whatever_the_policy_only_public_statements_go_and_the_order_stays(statements: list[dict[str, Any]]) -> None:
    expected = policy(*(one for one in statements if one is not READ))
    assert expected == without_public(policy(*statements))
