"""S3 in the embedded AWS: access blocks, ownership, ACLs in force, and buckets of other accounts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.embedded import ACCOUNT, EmbeddedAWS
from tests.local.conftest import error

FOUR = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
STRANGER = "999988887777"
EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"


@pytest.fixture(scope="module")
def s3(account: EmbeddedAWS) -> Any:
    return account.client("s3")


@pytest.fixture(scope="module")
def control(account: EmbeddedAWS) -> Any:
    return account.client("s3control")


@pytest.fixture
def bucket(s3: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """A bucket whose ACL counts and whose own access block is off."""
    name = "acme-" + hashlib.sha256(request.node.name.encode()).hexdigest()[:20]
    s3.create_bucket(Bucket=name, ObjectOwnership="BucketOwnerPreferred")
    s3.delete_public_access_block(Bucket=name)
    yield name
    s3.delete_bucket(Bucket=name)


def _only(setting: str) -> dict[str, bool]:
    return {one: one == setting for one in FOUR}


def _public(bucket: str, principal: object = "*") -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Resource": f"arn:aws:s3:::{bucket}/*"}]})


def _grantees(s3: Any, bucket: str) -> list[str]:
    return [one["Grantee"].get("URI", "owner") for one in s3.get_bucket_acl(Bucket=bucket)["Grants"]]


# --- names ----------------------------------------------------------------------------------------

#: Source: Amazon S3 user guide, General purpose bucket naming rules.
IMPOSSIBLE = (
    "ab", "a" * 64, "Acme-data", "acme_data", "-acme", "acme-", ".acme", "acme.", "acme..data", "192.168.5.4",
    "xn--acme", "sthree-acme", "amzn-s3-demo-acme", "acme-s3alias", "acme--ol-s3", "acme.mrap",
    "acme--table-s3",
)  # fmt: skip


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_impossible_bucket_names_are_refused(s3: Any, name: str) -> None:
    assert error(lambda: s3.create_bucket(Bucket=name)) == "InvalidBucketName"


# --- access blocks and ownership ------------------------------------------------------------------


def test_a_new_bucket_is_closed_to_everybody_and_has_no_acls(s3: Any) -> None:
    """Source: Amazon S3 user guide, Default settings for new S3 buckets FAQ (since April 2023)."""
    s3.create_bucket(Bucket="acme-new-bucket")
    block = s3.get_public_access_block(Bucket="acme-new-bucket")["PublicAccessBlockConfiguration"]
    owner = s3.get_bucket_ownership_controls(Bucket="acme-new-bucket")["OwnershipControls"]["Rules"]
    assert (block, owner) == (dict.fromkeys(FOUR, True), [{"ObjectOwnership": "BucketOwnerEnforced"}])
    assert error(lambda: s3.put_bucket_acl(Bucket="acme-new-bucket", ACL="public-read")) == "AccessDenied"
    s3.delete_public_access_block(Bucket="acme-new-bucket")
    refused = error(lambda: s3.put_bucket_acl(Bucket="acme-new-bucket", ACL="public-read"))
    assert refused == "AccessControlListNotSupported"


def test_an_ignored_grant_sleeps_and_wakes_when_the_block_goes(s3: Any, bucket: str) -> None:
    """GetBucketAcl answers what is in force. Source: Amazon S3 user guide, Blocking public access."""
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert _grantees(s3, bucket) == ["owner", EVERYBODY]
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=_only("IgnorePublicAcls"))
    assert _grantees(s3, bucket) == ["owner"]
    s3.delete_public_access_block(Bucket=bucket)
    assert _grantees(s3, bucket) == ["owner", EVERYBODY]


def test_ownership_puts_acls_out_of_force_and_back(s3: Any, bucket: str) -> None:
    log = "uri=http://acs.amazonaws.com/groups/s3/LogDelivery"
    s3.put_bucket_acl(Bucket=bucket, GrantRead=log)
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    refused = error(lambda: s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=enforced))
    assert refused == "InvalidBucketAclWithObjectOwnership"
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=enforced)
    assert error(lambda: s3.put_bucket_acl(Bucket=bucket, ACL="private")) == "AccessControlListNotSupported"
    assert _grantees(s3, bucket) == ["owner"]


@pytest.mark.parametrize("level", ["bucket", "account"])
def test_a_block_refuses_what_would_open(s3: Any, control: Any, bucket: str, level: str) -> None:
    def put(setting: str) -> None:
        block = {"PublicAccessBlockConfiguration": _only(setting)}
        if level == "bucket":
            s3.put_public_access_block(Bucket=bucket, **block)
        else:
            control.put_public_access_block(AccountId=ACCOUNT, **block)

    try:
        put("BlockPublicAcls")
        assert error(lambda: s3.put_bucket_acl(Bucket=bucket, ACL="public-read")) == "AccessDenied"
        s3.put_bucket_policy(Bucket=bucket, Policy=_public(bucket))
        put("BlockPublicPolicy")
        assert error(lambda: s3.put_bucket_policy(Bucket=bucket, Policy=_public(bucket))) == "AccessDenied"
        s3.put_bucket_policy(Bucket=bucket, Policy=_public(bucket, {"AWS": ACCOUNT}))
        s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
        put("IgnorePublicAcls")
        assert _grantees(s3, bucket) == ["owner"]
    finally:
        control.delete_public_access_block(AccountId=ACCOUNT)


def test_a_public_policy_lets_strangers_in_unless_it_is_restricted(account: EmbeddedAWS, s3: Any, bucket: str) -> None:
    stranger = account.client("s3", as_=STRANGER)
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    s3.put_bucket_policy(Bucket=bucket, Policy=_public(bucket))
    stranger.get_object(Bucket=bucket, Key="key")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=_only("RestrictPublicBuckets"))
    assert error(lambda: stranger.get_object(Bucket=bucket, Key="key")) == "AccessDenied"
    s3.delete_object(Bucket=bucket, Key="key")


def test_the_status_of_a_policy_is_told(s3: Any, bucket: str) -> None:
    assert error(lambda: s3.get_bucket_policy_status(Bucket=bucket)) == "NoSuchBucketPolicy"
    status = []
    for principal in ("*", {"Federated": "graph.facebook.com"}, {"AWS": ACCOUNT}):
        s3.put_bucket_policy(Bucket=bucket, Policy=_public(bucket, principal))
        status.append(s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"])
    assert status == [True, True, False]


def test_what_is_not_played_is_refused_and_not_answered_with_nothing(s3: Any, bucket: str) -> None:
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    assert error(lambda: s3.list_bucket_metrics_configurations(Bucket=bucket)) == "NotImplemented"


# --- other accounts -------------------------------------------------------------------------------


def test_a_bucket_is_only_answered_to_who_knows_its_owner(s3: Any, bucket: str) -> None:
    s3.get_bucket_acl(Bucket=bucket, ExpectedBucketOwner=ACCOUNT)
    s3.get_bucket_location(Bucket=bucket, ExpectedBucketOwner=ACCOUNT)
    mistaken = [
        error(lambda: s3.get_bucket_acl(Bucket=bucket, ExpectedBucketOwner=STRANGER)),
        error(lambda: s3.put_bucket_acl(Bucket=bucket, ACL="private", ExpectedBucketOwner=STRANGER)),
        error(lambda: s3.get_bucket_policy(Bucket=bucket, ExpectedBucketOwner=STRANGER)),
    ]
    assert mistaken == ["AccessDenied"] * 3


def test_a_strangers_bucket_is_closed_and_its_name_is_taken(account: EmbeddedAWS, s3: Any) -> None:
    stranger = account.client("s3", as_=STRANGER)
    stranger.create_bucket(Bucket="of-a-stranger")
    assert [
        error(lambda: s3.get_bucket_acl(Bucket="of-a-stranger")),
        error(lambda: s3.put_bucket_policy(Bucket="of-a-stranger", Policy=_public("of-a-stranger"))),
        error(lambda: s3.create_bucket(Bucket="of-a-stranger")),
    ] == ["AccessDenied", "AccessDenied", "BucketAlreadyExists"]
    assert "of-a-stranger" not in [one["Name"] for one in s3.list_buckets()["Buckets"]]


def test_a_closed_account_is_nobody_in_an_acl_and_in_a_policy(account: EmbeddedAWS, s3: Any, bucket: str) -> None:
    partner = "333344445555"
    theirs = account.client("s3", as_=partner)
    theirs.create_bucket(Bucket="of-a-partner")
    canonical = theirs.get_bucket_acl(Bucket="of-a-partner")["Owner"]["ID"]
    s3.put_bucket_acl(Bucket=bucket, GrantRead=f'id="{canonical}"')
    s3.put_bucket_policy(Bucket=bucket, Policy=_public(bucket, {"AWS": partner}))
    acl = s3.get_bucket_acl(Bucket=bucket)
    account.close_account(partner)
    again = {"Owner": acl["Owner"], "Grants": acl["Grants"]}
    assert error(lambda: s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy=again)) == "InvalidArgument"
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    assert error(lambda: s3.put_bucket_policy(Bucket=bucket, Policy=policy)) == "MalformedPolicy"
