"""`plumbline who BUCKET`: who can do what there, and through what."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from plumbline.handlers.operate import commands
from plumbline.handlers.operate.asked import Answer
from plumbline.rights.bucket_access import outsiders, prefixes
from tests.rig import NOW, Rig
from tests.story import ACCOUNT, HOME, World, world

BUCKET = "acme-data"
ARN = f"arn:aws:s3:::{BUCKET}"


def _allow(actions: str | list[str], resource: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def _text(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def told() -> Iterator[World]:
    with world() as here:
        s3, iam = here.client("s3", HOME), here.client("iam")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": HOME})
        for name in ("ann", "bob", "eve"):
            iam.create_user(UserName=name)
        iam.create_group(GroupName="scientists")
        for name in ("ann", "bob"):
            iam.add_user_to_group(GroupName="scientists", UserName=name)
        iam.put_group_policy(
            GroupName="scientists", PolicyName="reads", PolicyDocument=_text(_allow("s3:GetObject", f"{ARN}/raw/*"))
        )
        away = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
        iam.put_user_policy(
            UserName="eve",
            PolicyName="all",
            PolicyDocument=_text(_allow("s3:DeleteObject", f"{ARN}/*", Condition=away)),
        )
        yield here


def _policy(told: World, *statements: dict[str, Any]) -> None:
    told.client("s3", HOME).put_bucket_policy(Bucket=BUCKET, Policy=_text(*statements))


def _asked(told: World, *words: str) -> Answer:
    return commands.answer(Rig(told).install({}), {"command": ["who", *words]}, now=NOW)


def _may(answer: Answer, name: str) -> Sequence[Any]:
    return next(one["may"] for one in answer.data["people"] if name in one["who"]) if answer.ok else ()


def test_people_who_may_do_the_same_are_told_together_with_where_it_comes_from(told: World) -> None:
    answer = _asked(told, BUCKET)
    assert answer.ok
    assert "user ann, user bob\n  may read below raw/; through group scientists: inline reads" in answer.text
    assert [{"may": "read", "below": ["raw/"], "but": [], "through": ["group scientists: inline reads"], "if": []}] == (
        _may(answer, "user bob")
    )


def test_a_condition_that_only_the_moment_decides_is_said(told: World) -> None:
    assert "may delete everywhere; through inline all; if aws:SourceIp of the request fits" in " ".join(
        _asked(told, BUCKET).text.split()
    )


def test_what_the_buckets_policy_gives_and_takes_counts(told: World) -> None:
    ann, everybody = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}, {"Principal": "*"}
    _policy(
        told,
        _allow(["s3:ListBucket"], ARN, Principal=ann, Condition={"StringLike": {"s3:prefix": ["raw/*"]}}),
        {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"{ARN}/raw/secret/*", **everybody},
    )
    assert [
        {"may": "list", "below": ["raw/"], "but": [], "through": ["the bucket's policy"], "if": []},
        {
            "may": "read",
            "below": ["raw/"],
            "but": ["raw/secret/"],
            "through": ["group scientists: inline reads"],
            "if": [],
        },
    ] == _may(_asked(told, BUCKET), "user ann")


def test_whom_it_lets_in_from_outside_is_told(told: World) -> None:
    told.client("s3", HOME).delete_public_access_block(Bucket=BUCKET)
    _policy(told, _allow("s3:GetObject", f"{ARN}/*", Principal={"AWS": "arn:aws:iam::444455556666:root"}))
    assert [{"who": "arn:aws:iam::444455556666:root", "may": "s3:GetObject"}] == _asked(told, BUCKET).data["outside"]


def test_a_bucket_that_there_is_not_is_refused_with_those_there_are(told: World) -> None:
    answer = _asked(told, "acme")
    assert not answer.ok
    assert "there is no bucket 'acme' in this account; there are: acme-data" in answer.text


def test_many_are_told_page_by_page(told: World) -> None:
    iam = told.client("iam")
    for number in range(15):
        iam.create_user(UserName=f"reader-{number}")
        said = _text(_allow("s3:GetObject", f"{ARN}/area-{number}/*"))
        iam.put_user_policy(UserName=f"reader-{number}", PolicyName="reads", PolicyDocument=said)
    first, second = _asked(told, BUCKET), _asked(told, BUCKET, "--page", "2")
    assert "Page 1 of 2." in first.text
    assert f"plumbline who {BUCKET} --page 2" in first.text
    assert "Page 2 of 2." in second.text
    assert first.data["people"][12:] == second.data["people"]
    assert [None, None] == [first.data["next"], second.data["next"]]
    assert not _asked(told, BUCKET, "--page", "none").ok


def test_a_page_that_there_is_not_is_refused_with_the_last_there_is(told: World) -> None:
    says = f"there is no page 9; the last is 1. Type: plumbline who {BUCKET} --page 1"
    assert (False, says) == (_asked(told, BUCKET, "--page", "9").ok, _asked(told, BUCKET, "--page", "9").text)


def test_nothing_is_changed_and_every_line_fits_a_window(told: World) -> None:
    rig = Rig(told)
    plumbline = rig.install({})
    rig.forget()
    text = commands.answer(plumbline, {"command": ["who", BUCKET]}, now=NOW).text
    assert [] == rig.writes
    assert max(map(len, text.splitlines())) <= 78


def test_the_prefixes_that_policies_tell_apart() -> None:
    said = {
        "Statement": [
            _allow("s3:GetObject", f"{ARN}/raw/*"),
            _allow("s3:GetObject", "arn:aws:s3:::another/x/*"),
            {"NotResource": [f"{ARN}/home/${{aws:username}}/*"]},
            {"Condition": {"StringLike": {"s3:prefix": ["reports/*", ""]}}},
        ]
    }
    assert ("", "home/", "raw/", "reports/") == prefixes(BUCKET, [said])


def test_outsiders_are_told_with_their_conditions() -> None:
    here = {"Principal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:user/ann", "*"]}}
    logs = {"Service": "logging.s3.amazonaws.com"}
    service = {"Principal": logs, "Condition": {"StringEquals": {"aws:SourceAccount": "1"}}}
    said = {"Statement": [_allow("s3:GetObject", f"{ARN}/*", **here), _allow("s3:PutObject", f"{ARN}/*", **service)]}
    assert (
        ("anybody", "s3:GetObject"),
        ("Service logging.s3.amazonaws.com", "s3:PutObject, where aws:SourceAccount fits"),
    ) == outsiders(said, ACCOUNT)
