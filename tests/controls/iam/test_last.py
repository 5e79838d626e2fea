"""Whoever is the last who could come in as an administrator is not kept from everything."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from plumbline.controls.iam._entitled import ADMINISTRATORS
from plumbline.controls.iam._last import last_way_in
from plumbline.core.targets import GLOBAL
from tests.story import ACCOUNT, World, signs_in, world

_ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


def _arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def _administrators(told: World, *names: str, usable: Sequence[str]) -> None:
    iam = told.client("iam")
    iam.create_group(GroupName="administrators")
    iam.attach_group_policy(GroupName="administrators", PolicyArn=_ADMIN)
    for name in names:
        iam.create_user(UserName=name)
        iam.add_user_to_group(GroupName="administrators", UserName=name)
        if name in usable:
            signs_in(iam, name)
    iam.create_user(UserName="mallory")


@pytest.mark.parametrize(
    ("usable", "who", "also", "stays"),
    [
        (("ann",), "ann", (), True),  # bo has no MFA device
        (("ann",), "bo", (), False),
        (("ann",), "mallory", (), False),
        (("ann", "bo"), "ann", (), False),
        (("ann", "bo"), "ann", ("bo",), True),  # he is suspended already
        ((), "ann", (), False),  # nobody could come in as it is
    ],
)
def test_the_last_who_can_come_in_stays(usable: Sequence[str], who: str, also: Sequence[str], stays: bool) -> None:  # noqa: FBT001
    with world() as told:
        _administrators(told, "ann", "bo", usable=usable)
        why = last_way_in(told.accounts.eyes(ACCOUNT, GLOBAL), _arn(who), ADMINISTRATORS, [*map(_arn, also)])
    assert stays is bool(why)
    assert not why or why.startswith("nobody would be left who is an administrator by the baseline and can come in")


def test_whose_role_is_the_only_way_in_stays() -> None:
    """Nobody but cy may use the administrators' role."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": _arn("cy")}}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    with world() as told:
        iam = told.client("iam")
        iam.create_user(UserName="cy")
        signs_in(iam, "cy")
        iam.create_role(RoleName="admin", AssumeRolePolicyDocument=trust)
        iam.attach_role_policy(RoleName="admin", PolicyArn=_ADMIN)
        ask = told.accounts.eyes(ACCOUNT, GLOBAL)
        assert last_way_in(ask, _arn("cy"), {**ADMINISTRATORS, "roles": ("admin",)})
