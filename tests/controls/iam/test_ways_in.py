"""Which roles a user may use, asked of many users and roles at once: the same as asked of one."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import pytest

from plumbline.controls import registry
from plumbline.controls.iam import _administrators
from plumbline.controls.iam._administrators import weighing
from plumbline.controls.iam._way_in import WaysIn
from plumbline.core.targets import GLOBAL
from plumbline.engine.surveying import survey
from plumbline.rights.account import account_of
from plumbline.rights.way_in import may_become
from plumbline.rights.ways import Judge
from tests.fakes import Told
from tests.story import ACCOUNT, signs_in, world

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
        ways = WaysIn(Told(here.accounts.eyes(ACCOUNT, GLOBAL), GetAccountAuthorizationDetails=DETAILS))
        found = ways.may_become(user, f"some/path/{role}")
    assert ((user, role) in MAY) is found
    assert may_become(principals["user", user], principals["role", role]) is found


def test_of_what_is_gone_nobody_may_use_anything() -> None:
    with world() as here:
        ways = WaysIn(Told(here.accounts.eyes(ACCOUNT, GLOBAL), GetAccountAuthorizationDetails=DETAILS))
        assert [False, False] == [ways.may_become("eve", "anns"), ways.may_become("ann", "gone")]


EVERYTHING = _said("Allow", "*")
PEOPLE = ("ann", "bob", "cas")
#: Three administrators' roles: one for whoever may, one for ann, one for cas, who has no MFA device.
WITH_ROLES: dict[str, Any] = {
    **DETAILS,
    "UserDetailList": [_user("ann"), _user("bob", _said("Allow", "sts:AssumeRole")), _user("cas"), _user("dee")],
    "RoleDetailList": [
        _role(name, trusts) | {"RolePolicyList": [{"PolicyName": "all", "PolicyDocument": EVERYTHING}]}
        for name, trusts in (("everybodys", ROOT), ("anns", ANN), ("cass", ANN.replace("ann", "cas")))
    ],
}


@pytest.mark.parametrize("gone", [frozenset(some) for count in range(4) for some in combinations(PEOPLE, count)])
def test_without_some_the_others_come_in_as_if_those_had_never_been(gone: frozenset[str]) -> None:
    """What is left of the account that was read is what would be read if they were deleted."""
    left = WITH_ROLES | {"UserDetailList": [one for one in WITH_ROLES["UserDetailList"] if one["UserName"] not in gone]}
    with world() as here:
        for name in ("ann", "bob", "dee"):
            here.client("iam").create_user(UserName=name)
            signs_in(here.client("iam"), name)
        eyes = here.accounts.eyes(ACCOUNT, GLOBAL)
        arns = frozenset(f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in gone)
        found = weighing(Told(eyes, GetAccountAuthorizationDetails=WITH_ROLES)).without(arns)
        anew = weighing(Told(eyes, GetAccountAuthorizationDetails=left)).without(())
    assert {one["name"]: not one["unusable"] for one in found} == {one["name"]: not one["unusable"] for one in anew}
    assert {"everybodys": "bob" not in gone, "anns": "ann" not in gone, "cass": False} == {
        one["name"]: not one["unusable"] for one in found
    }


def test_an_account_is_weighed_once_however_many_controls_look(monkeypatch: pytest.MonkeyPatch) -> None:
    weighed: list[object] = []

    def judge(account: Any) -> Judge:
        weighed.append(account)
        return Judge(account)

    monkeypatch.setattr(_administrators, "Judge", judge)
    with world() as here:
        iam = here.client("iam")
        iam.create_user(UserName="ann")
        iam.create_access_key(UserName="ann")
        signs_in(iam, "ann")
        iam.attach_user_policy(UserName="ann", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        eyes = here.accounts.eyes(ACCOUNT, GLOBAL)
        for one in registry.load().values():
            if one.id.startswith("iam-"):
                survey(one, eyes)
    assert len(weighed) == 1
