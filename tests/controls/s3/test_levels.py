"""Everybody has exactly the union of what the baseline gives him on a bucket, whatever else allows more.

Judged by `rights`, which knows nothing of how the statements are made. That S3 itself reads them so is
tests/end_to_end/test_group_access.py's to show.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.controls.s3._levels import LEVELS, SID, User, of_groups, statements_of
from plumbline.rights.account import Principal
from plumbline.rights.bucket_access import reach
from plumbline.rights.documents import Document, Statement
from plumbline.rights.effective import Memo
from plumbline.rights.public import is_public
from tests.controls.s3.grants import allowed

ACCOUNT = "111122223333"
BUCKET = "acme-data"
ARN = f"arn:aws:s3:::{BUCKET}"
EVERYTHING: Document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
#: As AWS's policy for Glue and SageMaker has it: by what a key is called, and any list.
BY_NAME: Document = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::*/*aws-glue-*/*"},
        {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketAcl"], "Resource": "*"},
    ],
}
NOTHING: Document = {"Version": "2012-10-17", "Statement": []}
GROUPS, NAMES = ("engineers", "scientists", "Guests"), ("ann", "bob", "eve")
PREFIXES = ("raw", "raw/secret", "reports", "home", "/")
KEYS = ("raw/x", "raw/secret/x", "rawer/x", "reports/aws-glue-1/x", "home/ann/x", "home/bob/x", "home/annex/x", "x")
#: What an object's prefix is listed by, and what lists all.
LISTED = (None, "", "r", "raw", "raw/", "raw/sec", "raw/secret/", "home/", "home/ann/", "home/bob/x", "reports/2026")
NEW = {"s3:if-none-match": "*", "s3:ObjectCreationOperation": "true"}
OVER = {"s3:if-none-match": None, "s3:ObjectCreationOperation": "true"}
BEFORE, AFTER = "2026-06-30T23:59:58Z", "2026-07-01T00:00:00Z"
UNTIL = "2026-06-30"


def _levels() -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(LEVELS), unique=True, min_size=1, max_size=3)


SAID = st.fixed_dictionaries(
    {
        "prefixes": st.dictionaries(
            st.sampled_from(PREFIXES), st.dictionaries(st.sampled_from(GROUPS), _levels(), min_size=1), max_size=3
        ),
        "people": st.dictionaries(
            st.sampled_from(NAMES),
            st.fixed_dictionaries(
                {
                    "until": st.just(UNTIL),
                    "prefixes": st.dictionaries(st.sampled_from(PREFIXES), _levels(), min_size=1, max_size=2),
                }
            ),
            max_size=2,
        ),
    }
)
MEMBERS = st.fixed_dictionaries({name: st.lists(st.sampled_from(GROUPS), unique=True) for name in NAMES})


_SOME = (("GetObject", "/raw/x"), ("PutObject", "/raw/x"), ("ListBucket", ""), ("PutBucketPolicy", ""))


def _arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{'team/' if name == 'bob' else ''}{name}"


def _policy(
    said: Mapping[str, Any], members: Mapping[str, list[str]], administrators: tuple[str, ...] = (), *, keeps: bool
) -> Document:
    users = [User(_arn(name), tuple(groups), name in administrators) for name, groups in members.items()]
    made = statements_of(BUCKET, said, users, partition="aws", account=ACCOUNT, keeps_versions=keeps)
    return {"Version": "2012-10-17", "Statement": made}


def _asked() -> list[tuple[str, str, str, dict[str, Any]]]:
    """Level, action, key or listed prefix, and what the request carries."""
    objects: list[tuple[str, str, dict[str, Any]]] = [
        ("read", "s3:GetObject", {}),
        ("read", "s3:GetObjectVersion", {}),
        ("write", "s3:PutObject", NEW),
        ("overwrite", "s3:PutObject", OVER),
        ("delete", "s3:DeleteObject", {}),
        ("none", "s3:DeleteObjectVersion", {}),
        ("none", "s3:PutObjectAcl", {}),
    ]
    asked = [(level, action, key, context) for level, action, context in objects for key in KEYS]
    return [*asked, *(("list", "s3:ListBucket", prefix or "", {"s3:prefix": prefix}) for prefix in LISTED)]


ASKED = _asked()


@pytest.mark.parametrize("also", [EVERYTHING, BY_NAME, NOTHING], ids=["everything", "by name", "nothing"])
@given(said=SAID, members=MEMBERS, keeps=st.booleans())
def test_everybody_may_do_exactly_what_the_baseline_gives_him(
    also: Document, said: Mapping[str, Any], members: Mapping[str, list[str]], *, keeps: bool
) -> None:
    policy, memo = _policy(said, members, keeps=keeps), Memo()
    wrong = []
    for name in NAMES:
        who = reach(Principal(_arn(name), name, "user", (also,)), policy)
        for now in (BEFORE, AFTER):
            for level, action, what, context in ASKED:
                arn = ARN if level == "list" else f"{ARN}/{what}"
                verdict = who.may(action, arn, {**context, "aws:CurrentTime": now}, memo=memo)
                expected = allowed(said, name, members[name], level, what, ended=now == AFTER, keeps=keeps)
                if bool(verdict) != expected or verdict.assumed:
                    wrong.append((name, now, action, what, expected))
    assert [] == wrong


@given(said=SAID, members=MEMBERS)
def test_nobody_else_among_the_users_may_do_anything_and_administrators_and_roles_are_left_alone(
    said: Mapping[str, Any], members: Mapping[str, list[str]]
) -> None:
    policy = _policy(said, members, ("eve",), keeps=False)
    context = {"aws:CurrentTime": BEFORE, "s3:prefix": "raw/", **OVER}
    for kind, name, may in (("user", "new", False), ("user", "eve", True), ("role", "etl", True)):
        arn = f"arn:aws:iam::{ACCOUNT}:{kind}/{name}"
        who = reach(Principal(arn, name, kind, (EVERYTHING,)), policy)
        for action, on in _SOME:
            assert may is bool(who.may(f"s3:{action}", f"{ARN}{on}", context)), f"{name} {action}"


@given(said=SAID, members=MEMBERS, keeps=st.booleans())
def test_what_is_no_level_is_for_administrators(
    said: Mapping[str, Any], members: Mapping[str, list[str]], *, keeps: bool
) -> None:
    policy = _policy(said, members, keeps=keeps)
    for name in NAMES:
        who = reach(Principal(_arn(name), name, "user", (EVERYTHING,)), policy)
        for action in ("PutBucketPolicy", "DeleteBucketPolicy", "PutBucketCors", "PutBucketAcl", "DeleteBucket"):
            assert not who.may(f"s3:{action}", ARN), action
        if of_groups(said, User(_arn(name), tuple(members[name]))):
            assert who.may("s3:GetBucketLocation", ARN)


@given(said=SAID, members=MEMBERS, keeps=st.booleans())
def test_each_statement_has_a_sid_of_its_own_and_none_is_public(
    said: Mapping[str, Any], members: Mapping[str, list[str]], *, keeps: bool
) -> None:
    made: list[Statement] = list(_policy(said, members, keeps=keeps)["Statement"])
    sids = [one["Sid"] for one in made]
    assert len(sids) == len(set(sids))
    assert [] == [one for one in sids if not (one.startswith(SID) and one.isalnum())]
    assert [] == [one for one in made if is_public(one)]
    assert made == _policy(said, dict(reversed(list(members.items()))), keeps=keeps)["Statement"], (
        "the order says nothing"
    )


def test_people_with_the_same_rights_share_their_statements() -> None:
    said = {"prefixes": {f"area-{number}": {"engineers": ["list", "read", "write"]} for number in range(5)}}
    many = {f"person-{number}": ["engineers"] for number in range(60)}
    policy = _policy(said, many, keeps=True)
    assert 7 == len(policy["Statement"])
    assert len(json.dumps(policy).encode()) < 20 * 1024


def test_a_group_is_known_in_any_spelling_and_so_is_a_user() -> None:
    personal = {"BOB": {"until": UNTIL, "prefixes": {"raw": ["read"]}}}
    said = {"prefixes": {"raw": {"ENGINEERS": ["read"]}}, "people": personal}
    policy = _policy(said, {"ann": ["engineers"], "bob": []}, keeps=True)
    for name in ("ann", "bob"):
        who = reach(Principal(_arn(name), name, "user"), policy)
        assert who.may("s3:GetObject", f"{ARN}/raw/x", {"aws:CurrentTime": BEFORE})
