"""What AWS's own policies say: which version counts is listed for all that are carried, and asked of no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from plumbline.controls.iam._principals import aws_policy, foresee_policies
from plumbline.rights.documents import statements
from tests.story import ACCOUNT, World, world

AWS = "arn:aws:iam::aws:policy/"
CARRIED = [f"{AWS}{name}" for name in ("AmazonS3ReadOnlyAccess", "ReadOnlyAccess", "SecurityAudit")]
BOUNDARY, NOBODYS = f"{AWS}PowerUserAccess", f"{AWS}ThereIsNoSuchPolicy"


@pytest.fixture
def here() -> Iterator[World]:
    """An account where ann carries some of AWS's policies, and is bounded by one that nobody carries."""
    with world() as made:
        iam = made.client("iam")
        iam.create_user(UserName="ann", PermissionsBoundary=BOUNDARY)
        for arn in CARRIED:
            iam.attach_user_policy(UserName="ann", PolicyArn=arn)
        yield made


def _asked(here: World, arns: list[str]) -> tuple[dict[str, bool], Counter[str]]:
    """Whether each says anything, and what it took to know."""
    ask = here.accounts.eyes(ACCOUNT, here.home)
    here.calls.clear()
    foresee_policies(ask, arns)
    texts = {arn: aws_policy(ask, arn) for arn in arns}
    return {arn: bool(text and statements(text)) for arn, text in texts.items()}, Counter(
        one.operation for one in here.calls
    )


def test_those_that_somebody_carries_take_one_list_and_a_read_each(here: World) -> None:
    said, calls = _asked(here, CARRIED)
    assert dict.fromkeys(CARRIED, True) == said
    assert {"ListPolicies": 1, "GetPolicyVersion": 3} == calls


def test_one_that_is_in_no_list_is_asked_for_by_itself(here: World) -> None:
    said, calls = _asked(here, [CARRIED[0], BOUNDARY, NOBODYS])
    assert {CARRIED[0]: True, BOUNDARY: True, NOBODYS: False} == said
    assert {"ListPolicies": 1, "GetPolicy": 2, "GetPolicyVersion": 2} == calls


def test_where_nobody_has_any_nothing_is_asked(here: World) -> None:
    assert ({}, Counter()) == _asked(here, [])
