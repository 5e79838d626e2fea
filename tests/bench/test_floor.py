"""The fewest calls that a sweep can get by with: arithmetic over an account's shape."""

from __future__ import annotations

import pytest

from bench.drawn import Drawn
from bench.floor import SETTINGS, Beside, floor, total

BESIDE = Beside(roles=12, policies=23, buckets=1)


@pytest.fixture
def one() -> dict[str, int]:
    return {needed.operation: needed.calls for needed in floor(Drawn.of(1), BESIDE)}


def test_each_setting_of_each_bucket_is_one_call(one: dict[str, int]) -> None:
    assert dict.fromkeys(SETTINGS, 201) == {name: one[f"s3 {name}"] for name in SETTINGS}


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        # 250 + 50 + 112 + 83 items, 250 users, 145 devices, 201 buckets
        (1, {"GetAccountAuthorizationDetails": 1, "ListUsers": 1, "ListVirtualMFADevices": 1, "ListBuckets": 1}),
        # 1,000 + 200 + 412 + 263 items, 1,000 users, 580 devices, 801 buckets
        (4, {"GetAccountAuthorizationDetails": 2, "ListUsers": 1, "ListVirtualMFADevices": 1, "ListBuckets": 1}),
        # 4,000 + 800 + 1,612 + 983 items, 4,000 users, 2,320 devices, 3,201 buckets
        (16, {"GetAccountAuthorizationDetails": 8, "ListUsers": 4, "ListVirtualMFADevices": 3, "ListBuckets": 4}),
    ],
)
def test_what_aws_gives_in_bulk_is_a_call_for_each_thousand(scale: int, expected: dict[str, int]) -> None:
    found = {one.operation.partition(" ")[2]: one.calls for one in floor(Drawn.of(scale), BESIDE)}
    assert expected == {name: found[name] for name in expected}


def test_what_aws_gives_one_by_one_is_asked_of_those_alone_whom_it_may_concern(one: dict[str, int]) -> None:
    expected = {
        "iam ListAccessKeys": 100,  # whoever has one
        "iam ListMFADevices": 5,  # who has a password, and no MFA by the report
        "iam ListSSHPublicKeys": 5,  # the idle
        "iam GetPolicyVersion": 4,  # of AWS's own, those that somebody carries, without AdministratorAccess
        "s3 GetBucketWebsite": 4,  # buckets that take plain HTTP
        "s3 GetBucketTagging": 4,
        "s3 GetBucketLifecycleConfiguration": 1,  # the trail's bucket
    }
    assert expected == {name: one[name] for name in expected}


def test_what_is_listed_for_all_is_asked_once_however_many_it_concerns() -> None:
    names = ("iam ListServiceSpecificCredentials", "iam ListPolicies")  # a list of each service; a page
    found = [{need.operation: need.calls for need in floor(Drawn.of(scale), BESIDE)} for scale in (1, 4, 16)]
    assert [(4, 1)] * 3 == [tuple(one[name] for name in names) for one in found]


def test_each_operation_stands_once_with_its_reason() -> None:
    needed = floor(Drawn.of(1), BESIDE)
    assert len(needed) == len({one.operation for one in needed})
    assert [] == [one for one in needed if not one.why]
    assert sum(one.calls for one in needed) == total(needed)
