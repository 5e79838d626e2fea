"""s3-group-access: the baseline's buckets exist, and their policies say who has which level on which prefix."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

from plumbline.controls.s3.s3_group_access import CONTROL, clashes, detect, excepted, plan, wanted
from plumbline.core.targets import GLOBAL, Target
from tests.story import ACCOUNT, HOME, Story, World

BUCKET = "acme-data"
TARGET = Target(ACCOUNT, HOME, "s3-bucket", BUCKET)
BUCKETS = Target(ACCOUNT, GLOBAL, "s3-buckets", "declared")
SAID: Mapping[str, Any] = {"prefixes": {"raw": {"data-engineers": ["list", "read", "write"]}}}
SETTINGS: Mapping[str, Any] = {"buckets": {BUCKET: SAID}}
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
FOREIGN = {
    "Sid": "EtlReads",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/etl"},
    "Action": "s3:GetObject",
    "Resource": f"arn:aws:s3:::{BUCKET}/*",
}


def _document(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _bucket(world: World) -> Target:
    s3, iam = world.client("s3", HOME), world.client("iam")
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": HOME})
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_group(GroupName="data-engineers")
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_user(UserName="ann")
    iam.add_user_to_group(GroupName="data-engineers", UserName="ann")
    return TARGET


def _widened(world: World) -> Target:
    """Somebody has taken our denials out, and given everybody of the account something."""
    target = _bucket(world)
    said = wanted(_state(), SETTINGS)
    kept = [one for one in said if one["Effect"] == "Allow"]
    wide = {**kept[0], "Action": "s3:*"}
    policy = json.dumps(_document(FOREIGN, wide, *kept[1:]))
    world.client("s3", HOME).put_bucket_policy(Bucket=BUCKET, Policy=policy)
    return target


def _missing(_world: World) -> Target:
    return BUCKETS


STORIES = (
    Story("a bucket whose policy says nothing", CONTROL.id, _bucket, settings=SETTINGS),
    Story("somebody has widened it", CONTROL.id, _widened, settings=SETTINGS),
    Story("a bucket that is missing", CONTROL.id, _missing, settings=SETTINGS),
)


def _state(
    *statements: Mapping[str, Any], users: Mapping[str, list[str]] | None = None, bucket: str = BUCKET
) -> dict[str, Any]:
    policy = _document(*statements) if statements else None
    return {
        "bucket": bucket,
        "account": ACCOUNT,
        "partition": "aws",
        "policy": policy,
        "text": json.dumps(policy) if policy else "",
        "users": {ANN: ["data-engineers"]} if users is None else users,
    }


def _written(state: Mapping[str, Any], settings: Mapping[str, Any] = SETTINGS) -> list[Mapping[str, Any]]:
    (step,) = plan(TARGET, state, settings).steps
    statements: list[Mapping[str, Any]] = json.loads(step.do.parameters["Policy"])["Statement"]
    return statements


def test_what_it_has_written_is_in_line_and_every_other_statement_stays_letter_for_letter() -> None:
    odd = {**FOREIGN, "Action": ["s3:GetObject"], "Condition": {}}
    after = _written(_state(odd))
    assert odd == after[0]
    assert detect(_state(*after), SETTINGS) is None


def test_lists_in_another_order_and_one_value_for_a_list_of_one_are_the_same() -> None:
    said = [
        {key: list(reversed(one)) if isinstance(one, list) and len(one) > 1 else one for key, one in each.items()}
        for each in _written(_state())
    ]
    said = [{**one, "Action": one["Action"][0]} if len(one.get("Action", ())) == 1 else one for one in said]
    assert detect(_state(*said), SETTINGS) is None


def test_a_statement_of_ours_that_says_something_else_is_put_back_and_one_that_nobody_asked_for_goes() -> None:
    first, *rest = _written(_state())
    strange = {**FOREIGN, "Sid": "PlumblineAccessGives00000000"}
    state = _state({**first, "Action": "s3:*"}, *rest[1:], strange)
    found = detect(state, SETTINGS)
    assert found
    assert sorted(
        (
            f"{first['Sid']} says something else",
            f"{rest[0]['Sid']} is missing",
            "PlumblineAccessGives00000000 is not asked for",
        )
    ) == sorted(found.items)
    assert detect(_state(*_written(state)), SETTINGS) is None


def test_facts_that_are_left_alone_for_now_stay_as_they_are() -> None:
    first, *rest = _written(_state())
    state = _state({**first, "Action": "s3:*"}, *rest[1:])
    (step,) = plan(TARGET, state, SETTINGS, {f"{rest[0]['Sid']} is missing"}).steps
    left = json.loads(step.do.parameters["Policy"])
    found = detect(_state(*left["Statement"]), SETTINGS)
    assert found
    assert (f"{first['Sid']} says something else",) == found.items


def test_who_joins_or_leaves_a_group_changes_the_policy_and_who_is_made_in_none_does_not() -> None:
    state = _state(*_written(_state()))
    bob = f"arn:aws:iam::{ACCOUNT}:user/team/bob"
    assert detect({**state, "users": {ANN: ["data-engineers"], bob: []}}, SETTINGS) is None
    joined = {**state, "users": {ANN: ["data-engineers"], bob: ["data-engineers"]}}
    assert detect(joined, SETTINGS)
    assert bob in json.dumps(_written(joined))
    left = {**state, "users": {ANN: []}}
    assert detect(left, SETTINGS)
    assert not [one for one in _written(left) if one["Effect"] == "Allow"]


def test_a_bucket_that_the_baseline_does_not_name_is_left_alone_and_one_that_it_named_once_is_freed() -> None:
    other = {"buckets": {"another": SAID}}
    assert detect(_state(FOREIGN), other) is None
    state = _state(FOREIGN, *_written(_state()))
    assert detect(state, other)
    assert [FOREIGN] == _written(state, other)
    (step,) = plan(TARGET, _state(*_written(_state())), other).steps
    assert "DeleteBucketPolicy" == step.do.operation


def test_nobody_has_to_see_the_policy_of_a_bucket_that_the_baseline_does_not_name() -> None:
    """It may say what it likes: this rule holds nothing of it, so that it is no news that it cannot be read."""
    none: Mapping[str, Any] = {"buckets": {}}
    assert [False, True, False] == [excepted(TARGET, SETTINGS), excepted(TARGET, none), excepted(BUCKETS, none)]


def test_where_versions_are_kept_people_may_overwrite() -> None:
    new_only = [one for one in _written(_state()) if "s3:if-none-match" in json.dumps(one)]
    assert 1 == len(new_only)
    settings = {**SETTINGS, "elsewhere": {"s3-versioning": {"buckets": ["acme-*"]}}}
    assert not [one for one in _written(_state(), settings) if "s3:if-none-match" in json.dumps(one)]


def test_no_denial_is_about_an_administrator_of_the_baseline() -> None:
    named = {"administrators": {"groups": ["administrators"], "users": [], "roles": []}}
    eve = f"arn:aws:iam::{ACCOUNT}:user/eve"
    said = _written(_state(users={ANN: ["data-engineers"], eve: ["Administrators"]}), {**SETTINGS, "people": named})
    denials = [one for one in said if one["Effect"] == "Deny"]
    spared = [one["Condition"].get("ArnNotEquals", {}).get("aws:PrincipalArn", []) for one in denials]
    assert 2 == sum(eve in one for one in spared)
    assert not [one for one in denials if eve in json.dumps(one["Condition"].get("ArnEquals", {}))]


def test_a_missing_bucket_is_made_where_the_baseline_wants_it() -> None:
    state = {"there": ["other"], "home": "eu-west-2"}
    settings = {"buckets": {"a-home": {}, "b-first": {"region": "us-east-1"}, "other": {}}}
    found = detect(state, settings)
    assert found
    assert ("bucket a-home does not exist", "bucket b-first does not exist") == found.items
    made = plan(BUCKETS, state, settings)
    assert [
        ("eu-west-2", {"Bucket": "a-home", "CreateBucketConfiguration": {"LocationConstraint": "eu-west-2"}}),
        ("us-east-1", {"Bucket": "b-first"}),
    ] == [(call.region, call.parameters) for call in made.do]
    assert ["DeleteBucket", "DeleteBucket"] == [call.operation for call in made.undo]
    assert detect(state, {"buckets": {}}) is None


def test_a_policy_that_s3_would_not_take_is_told_with_the_numbers() -> None:
    users = {f"arn:aws:iam::{ACCOUNT}:user/{'x' * 50}{number}": ["data-engineers"] for number in range(100)}
    refused = plan(TARGET, _state(users=users), SETTINGS)
    assert not refused.steps
    assert "bytes, and S3 takes 20480" in refused.refusal


@pytest.mark.parametrize(
    ("bucket", "said", "more", "expected"),
    [
        (BUCKET, SAID, {}, ""),
        (BUCKET, SAID, {"s3-public-policy": {"allowed_buckets": ["acme-*"]}}, "s3-public-policy leaves this bucket"),
        ("plumbline-trail-1-x", SAID, {}, "this is the trail's bucket"),
        ("ours", SAID, {"cloudtrail-logging": {"bucket": "ours"}}, "this is the trail's bucket"),
        (BUCKET, {"people": {"ann": {"until": "2026-02-30", "prefixes": {"raw": ["read"]}}}}, {}, "no day of the cal"),
        (BUCKET, {"prefixes": {f"{'p' * 90}{n}": {f"g{n}": ["read"]} for n in range(40)}}, {}, "name fewer prefixes"),
    ],
)
def test_what_cannot_hold_stops_the_build(
    bucket: str, said: Mapping[str, Any], more: dict[str, Any], expected: str
) -> None:
    found = list(clashes({CONTROL.id: {"buckets": {bucket: said}}, **more}))
    assert bool(expected) == bool(found)
    for place, why in found:
        assert ("buckets", bucket) == place
        assert expected in why


def test_more_buckets_than_the_policy_that_denies_all_others_can_name_stop_the_build() -> None:
    many = {f"{'b' * 50}{number}": SAID for number in range(30)}
    ((place, why),) = clashes({CONTROL.id: {"buckets": many}})
    assert ("buckets",) == place
    assert "these 30 buckets take" in why
