"""The drawn account answers as AWS does: botocore reads it, a page at a time, and its lists agree with one another."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from bench import certificates, served
from bench.drawn import ACCOUNT, ADMINISTRATOR, Drawn
from bench.served import Served

DRAWN = Drawn.of(4)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An account four times as large as a middling one; nothing is behind it."""
    made = certificates.issue(tmp_path_factory.mktemp("tls"), ["localhost"])
    with served.opened("http://127.0.0.1:1", made) as running:
        running.show(DRAWN, {}, ["plumbline-trail"])
        yield running


def _client(running: Served, service: str) -> Any:
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=f"https://localhost:{running.port}",
        verify=str(Path(running.certificates.root)),
        aws_access_key_id="example",
        aws_secret_access_key="example",
        config=Config(proxies={}, s3={"addressing_style": "path"}),
    )


@pytest.fixture(scope="module")
def iam(running: Served) -> Any:
    return _client(running, "iam")


@pytest.fixture(scope="module")
def s3(running: Served) -> Any:
    return _client(running, "s3")


def _listed(iam: Any, operation: str, members: str, **given: Any) -> list[Any]:
    return [one for page in iam.get_paginator(operation).paginate(**given) for one in page[members]]


def test_a_page_has_a_hundred_items_or_as_many_as_are_asked_for_up_to_a_thousand(running: Served, iam: Any) -> None:
    running.taken()
    by_default = _listed(iam, "list_users", "Users")
    few = len(running.taken())
    assert by_default == _listed(iam, "list_users", "Users", MaxItems=1000)
    assert (10, 1) == (few, len(running.taken()))
    assert [one.name for one in DRAWN.users] == [one["UserName"] for one in by_default]


def test_the_bulk_read_tells_what_single_reads_tell(iam: Any) -> None:
    pages = [*iam.get_paginator("get_account_authorization_details").paginate(MaxItems=1000)]
    users = {one["UserName"]: one for page in pages for one in page["UserDetailList"]}
    roles = {one["RoleName"]: one for page in pages for one in page["RoleDetailList"]}
    assert (2, 1000, 400) == (len(pages), len(users), len(roles))
    for name in ("user-00004", "user-00005", "user-00100"):
        one = users[name]
        attached = iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]
        groups = [group["GroupName"] for group in iam.list_groups_for_user(UserName=name)["Groups"]]
        inline = iam.list_user_policies(UserName=name)["PolicyNames"]
        found = (
            one["AttachedManagedPolicies"],
            one["GroupList"],
            [each["PolicyName"] for each in one["UserPolicyList"]],
        )
        assert (attached, groups, inline) == found
    trust = iam.get_role(RoleName="role-0001")["Role"]["AssumeRolePolicyDocument"]
    assert trust == roles["role-0001"]["AssumeRolePolicyDocument"] == DRAWN.roles[0].trust


def test_the_report_agrees_with_what_is_asked_one_by_one(iam: Any) -> None:
    rows = [*csv.DictReader(io.StringIO(iam.get_credential_report()["Content"].decode()))]
    assert ["<root_account>", *(one.name for one in DRAWN.users)] == [row["user"] for row in rows]
    for row in rows[1:11]:
        name = row["user"]
        keys = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
        devices = iam.list_mfa_devices(UserName=name)["MFADevices"]
        password = False
        with suppress(iam.exceptions.NoSuchEntityException):
            password = bool(iam.get_login_profile(UserName=name))
        expected = (str(bool(keys)).lower(), str(bool(devices)).lower(), str(password).lower())
        assert expected == (row["access_key_1_active"], row["mfa_active"], row["password_enabled"])


def test_who_holds_a_policy_is_the_same_from_either_side(iam: Any) -> None:
    groups = [
        one["GroupName"] for one in _listed(iam, "list_entities_for_policy", "PolicyGroups", PolicyArn=ADMINISTRATOR)
    ]
    assert [one.name for one in DRAWN.groups if one.is_strong] == groups
    counted = [
        one for one in _listed(iam, "list_policies", "Policies", OnlyAttached=True) if one["Arn"] == ADMINISTRATOR
    ]
    assert [len(groups) + sum(one.is_strong for one in DRAWN.roles)] == [one["AttachmentCount"] for one in counted]


def test_buckets_are_listed_with_their_regions_where_the_request_has_a_parameter(s3: Any) -> None:
    pages = [*s3.get_paginator("list_buckets").paginate(MaxBuckets=500)]
    paged = [one for page in pages for one in page["Buckets"]]
    whole = s3.list_buckets()["Buckets"]
    assert [*(one.name for one in DRAWN.buckets), "plumbline-trail"] == [one["Name"] for one in whole]
    assert ([one["Name"] for one in whole], 2) == ([one["Name"] for one in paged], len(pages))
    assert ({"us-east-1"}, {None}) == (
        {one["BucketRegion"] for one in paged},
        {one.get("BucketRegion") for one in whole},
    )


@pytest.mark.parametrize("bucket", [DRAWN.buckets[number] for number in range(8)], ids=lambda one: str(one.number))
def test_each_setting_of_a_bucket_is_read_as_it_was_drawn(s3: Any, bucket: Any) -> None:
    def asked(operation: str, none: str = "") -> Any:
        try:
            return getattr(s3, operation)(Bucket=bucket.name)
        except ClientError as error:
            if error.response["Error"]["Code"] != none:
                raise
            return {}

    grants = asked("get_bucket_acl")["Grants"]
    rules = asked("get_bucket_ownership_controls")["OwnershipControls"]["Rules"]
    assert len(bucket.grants) + 1 == len(grants)
    assert bucket.has_acls == (rules[0]["ObjectOwnership"] == "ObjectWriter")
    assert bucket.blocks == bool(asked("get_public_access_block", "NoSuchPublicAccessBlockConfiguration"))
    assert bucket.has_versions == (asked("get_bucket_versioning").get("Status") == "Enabled")
    assert bucket.is_logged == ("LoggingEnabled" in asked("get_bucket_logging"))
    assert bucket.takes_http == ("TlsOnly" not in asked("get_bucket_policy", "NoSuchBucketPolicy").get("Policy", ""))


def test_what_nobody_has_written_an_answer_for_is_said_and_written_down(running: Served, iam: Any, s3: Any) -> None:
    running.taken()
    with pytest.raises(ClientError, match="InvalidAction"):
        iam.list_instance_profiles()
    with pytest.raises(ClientError, match="NotImplemented"):
        s3.get_bucket_request_payment(Bucket=DRAWN.buckets[0].name)
    assert {"InvalidAction", "NotImplemented"} == {one.code for one in running.taken()}


def test_many_ask_at_once(running: Served) -> None:
    running.taken()
    clients = [_client(running, "iam") for _ in range(4)]
    threads = [threading.Thread(target=one.get_account_summary) for one in clients]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert ["iam GetAccountSummary"] * 4 == [one.name for one in running.taken()]


def test_the_account_is_the_one_that_plumbline_is_deployed_in(iam: Any) -> None:
    arns = {one["Arn"].split(":")[4] for one in _listed(iam, "list_roles", "Roles")}
    assert {ACCOUNT} == arns
