"""Operators and deployers: who is meant by a pattern, and which patterns nobody may write."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.baseline import people
from plumbline.baseline.compiler import compile_text
from plumbline.baseline.document import read
from plumbline.baseline.rules import Baseline
from plumbline.baseline.wishes import doubts

TODAY = date(2026, 3, 2)
US = "arn:aws:iam::111122223333:"
CENTER = "role/aws-reserved/sso.amazonaws.com/"


def _compiled(text: str) -> Baseline:
    return Baseline.from_json(compile_text(text, name="baseline.yaml", today=TODAY))


@pytest.mark.parametrize("text", ["controls: {}", "operators:\ndeployers: []"])
def test_who_names_nobody_leaves_both_lists_empty(text: str) -> None:
    assert ((), ()) == (_compiled(text).operators, _compiled(text).deployers)


def test_whom_a_file_names_is_read_by_the_functions() -> None:
    here = _compiled(f"operators: ['{US}user/maria']\ndeployers: ['{US}role/cicd/*']")
    assert ((f"{US}user/maria",), (f"{US}role/cicd/*",)) == (here.operators, here.deployers)


def test_who_is_named_makes_no_control_judge_anew() -> None:
    plain, named = _compiled("controls: {}"), _compiled(f"operators: ['{US}user/maria']\ndeployers: ['{US}role/x-y']")
    assert {one: rule.mark for one, rule in plain.rules.items()} == {
        one: rule.mark for one, rule in named.rules.items()
    }


def test_a_baseline_that_an_earlier_version_compiled_names_nobody() -> None:
    written = compile_text("controls: {}", name="", today=TODAY)
    del written["operators"], written["deployers"]
    here = Baseline.from_json(written)
    assert ((), ()) == (here.operators, here.deployers)


@pytest.mark.parametrize(
    "text",
    [
        f"{US}user/maria",
        f"{US}user/team/maria",
        f"{US}role/operations/*",
        f"{US}role/ci-*",
        "arn:aws:iam::*:user/maria",
        "arn:aws-cn:iam::111122223333:user/maria",
        f"{US}{CENTER}*AWSReservedSSO_Operations_*",
        f"{US}{CENTER}eu-west-1/AWSReservedSSO_Operations_0123456789abcdef",
    ],
)
def test_a_user_a_role_and_a_path_of_ones_own_may_be_named(text: str) -> None:
    assert "" == people.unfit(text)


@pytest.mark.parametrize(
    ("arn", "pattern", "expected"),
    [
        (f"{US}user/maria", f"{US}user/maria", True),
        (f"{US}user/Maria", f"{US}user/maria", True),
        (f"{US}user/team/maria", f"{US}user/maria", False),
        (f"{US}user/maria2", f"{US}user/maria", False),
        (f"{US}user/xmaria", f"{US}user/?maria", True),
        (f"{US}role/ops/a/b", f"{US}role/ops/*", True),
        (f"{US}user/ops/a", f"{US}role/ops/*", False),
        ("arn:aws:iam::444455556666:user/maria", f"{US}user/maria", False),
        (f"{US}user/maria", "arn:aws:iam::*:user/maria", True),
        (f"{US}user/a", f"{US}user/[a]", False),
        (f"{US}{CENTER}AWSReservedSSO_Ops_01", f"{US}{CENTER}*AWSReservedSSO_Ops_*", True),
        (f"{US}role/x/{CENTER}AWSReservedSSO_Ops_01", f"{US}{CENTER}*AWSReservedSSO_Ops_*", False),
    ],
)
def test_a_pattern_names_whom_it_says(arn: str, pattern: str, expected: bool) -> None:  # noqa: FBT001
    assert expected is people.named(arn, (pattern,))


def test_nobody_is_named_by_an_empty_list() -> None:
    assert not people.named(f"{US}user/maria", ())


def test_only_those_of_the_account_count() -> None:
    other = "arn:aws:iam::444455556666:user/maria"
    listed = (f"{US}user/maria", other, "arn:aws:iam::*:user/ann")
    assert (f"{US}user/maria", "arn:aws:iam::*:user/ann") == people.of_account(listed, "111122223333")


def test_people_of_two_accounts_are_a_doubt() -> None:
    other = "arn:aws:iam::444455556666:user/maria"
    said = [
        *doubts(read(f"operators: ['{US}user/maria', '{other}']\ndeployers: ['arn:aws:iam::*:user/x-y']", "b.yaml"))
    ]
    where = (
        "is not of the account that the first one named is of, and only those of the account that this is deployed in"
    )
    does = "count; write * for its number where one file serves several"
    assert [(("operators", 1), f"'{other}' {where} {does}")] == said


_NAMES = st.text("abcXYZ019+=,.@_-", min_size=3, max_size=64)


@given(_NAMES, st.sampled_from(["user", "role"]))
def test_whoever_is_named_in_full_may_be_named_and_is_the_only_one(name: str, kind: str) -> None:
    arn = f"{US}{kind}/{name}"
    assert "" == people.unfit(arn)
    assert people.named(arn, (arn,))
    assert not people.named(f"{arn}x", (arn,))


@given(st.text("*?/aZ-", max_size=8), st.sampled_from(["user", "role"]))
def test_a_pattern_that_may_be_written_leaves_somebody_out(name: str, kind: str) -> None:
    pattern = f"{US}{kind}/{name}"
    everybody = [f"{US}{kind}/{one}" for one in ("bob", "Zulu-9", "x/y/Clara_2", "ops.9")]
    assert people.unfit(pattern) or not all(people.named(one, (pattern,)) for one in everybody)
