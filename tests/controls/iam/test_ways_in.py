"""Which roles a user may use, asked of many users and roles at once: the same as asked of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from plumbline.controls.iam._way_in import WaysIn
from plumbline.rights.account import account_of
from plumbline.rights.way_in import may_become
from tests.story import ACCOUNT, world

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"


def _said(effect: str, action: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": "*"}]}


def _user(name: str, *documents: dict[str, Any]) -> dict[str, Any]:
    policies = [{"PolicyName": f"p{number}", "PolicyDocument": one} for number, one in enumerate(documents)]
    arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    return {"UserName": name, "Path": "/", "Arn": arn, "GroupList": [], "UserPolicyList": policies}


def _role(name: str, trusts: str) -> dict[str, Any]:
    said = {"Effect": "Allow", "Principal": {"AWS": trusts}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [said]}
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    return {"RoleName": name, "Path": "/", "Arn": arn, "AssumeRolePolicyDocument": trust, "RolePolicyList": []}


DETAILS: Mapping[str, Any] = {
    "UserDetailList": [
        _user("ann"),
        _user("bob", _said("Allow", "s3:GetObject")),
        _user("cas", _said("Allow", "sts:*")),
        _user("dee", _said("Allow", "*"), _said("Deny", "sts:AssumeRole")),
    ],
    "GroupDetailList": [],
    "RoleDetailList": [
        _role("everybodys", ROOT),
        _role("anns", ANN),
        _role("another", "arn:aws:iam::444455556666:root"),
    ],
    "Policies": [],
}
MAY = {("ann", "anns"), ("cas", "everybodys")}
PAIRS = [
    (user["UserName"], role["RoleName"]) for user in DETAILS["UserDetailList"] for role in DETAILS["RoleDetailList"]
]


@pytest.mark.parametrize(("user", "role"), PAIRS)
def test_a_user_may_use_what_names_him_and_what_his_documents_let_him(user: str, role: str) -> None:
    principals = {(one.kind, one.name): one for one in account_of(DETAILS).principals.values()}
    with world() as here:
        ways = WaysIn(here.accounts.eyes(ACCOUNT, "global"), DETAILS, lambda: "")
        found = ways.may_become(user, f"some/path/{role}")
    assert ((user, role) in MAY) is found
    assert may_become(principals["user", user], principals["role", role]) is found


def test_of_what_is_gone_nobody_may_use_anything() -> None:
    with world() as here:
        ways = WaysIn(here.accounts.eyes(ACCOUNT, "global"), DETAILS, lambda: "")
        assert [False, False] == [ways.may_become("eve", "anns"), ways.may_become("ann", "gone")]
