"""Which roles a user may use, asked of many users and roles at once: the same as asked of one."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from itertools import combinations
from typing import Any
from weakref import ref

import pytest
from hypothesis import given, settings, strategies

from plumbline.controls import registry
from plumbline.controls.iam import _administrators
from plumbline.controls.iam._administrators import weighing, where_it_leads
from plumbline.controls.iam._matters import LEADING, Bearing, administrators_where_it_matters
from plumbline.controls.iam._way_in import WaysIn
from plumbline.core.targets import GLOBAL
from plumbline.engine.surveying import survey
from plumbline.rights.account import account_of
from plumbline.rights.paths import PATHS
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


#: What users and groups hold, of each kind that leads somewhere or looks as if it did.
SAID = [
    _said("Allow", "s3:GetObject"),
    _said("Allow", "s3:*"),
    _said("Allow", "iam:PutUserPolicy"),
    _said("Allow", "IAM:*"),
    _said("Allow", "i*:PutUserPolicy"),
    _said("Allow", "?am:AttachUserPolicy"),
    _said("Allow", "*"),
    _said("Allow", "sts:AssumeRole"),
    _said("Allow", "s*:AssumeRole"),
    _said("Deny", "iam:*"),
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}},
    {"Version": "2012-10-17", "Statement": []},
]
_AWS_OWN = ["arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]
_OWN = [f"arn:aws:iam::{ACCOUNT}:policy/own-{number}" for number in range(len(SAID))]
_HELD = strategies.lists(strategies.sampled_from(SAID), max_size=2)
_ATTACHED = strategies.lists(strategies.sampled_from([*_AWS_OWN, *_OWN]), max_size=1)


def _policy(arn: str, text: Mapping[str, Any]) -> dict[str, Any]:
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": text}
    return {"PolicyName": arn.rpartition("/")[2], "Arn": arn, "DefaultVersionId": "v1", "PolicyVersionList": [version]}


@strategies.composite
def accounts(draw: strategies.DrawFn) -> dict[str, Any]:
    """The bulk read of a small account: two users, a group, and roles that trust one of them, or the account."""

    def attached() -> list[dict[str, str]]:
        return [{"PolicyArn": one, "PolicyName": one.rpartition("/")[2]} for one in draw(_ATTACHED)]

    users = [
        {
            **_user(name, *draw(_HELD)),
            "GroupList": draw(strategies.sampled_from([[], ["crew"]])),
            "AttachedManagedPolicies": attached(),
        }
        for name in ("ann", "Bob")
    ]
    group = {
        "GroupName": "crew",
        "Path": "/",
        "Arn": f"arn:aws:iam::{ACCOUNT}:group/crew",
        "GroupPolicyList": [{"PolicyName": "p", "PolicyDocument": one} for one in draw(_HELD)],
        "AttachedManagedPolicies": attached(),
    }
    trusts = draw(strategies.lists(strategies.sampled_from([ROOT, ANN, "*"]), max_size=2))
    roles = [
        {
            **_role(f"role-{number}", who),
            "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": draw(strategies.sampled_from(SAID))}],
        }
        for number, who in enumerate(trusts)
    ]
    return {
        "UserDetailList": users,
        "GroupDetailList": [group],
        "RoleDetailList": roles,
        "Policies": [_policy(arn, text) for arn, text in zip(_OWN, SAID, strict=True)],
    }


@settings(deadline=None)
@given(accounts(), strategies.sampled_from(["ann", "ANN", "bob", "nobody"]))
def test_who_is_said_to_be_harmless_leads_nowhere_when_he_is_weighed(account: dict[str, Any], user: str) -> None:
    with world() as here:
        ask = Told(here.accounts.eyes(ACCOUNT, GLOBAL), GetAccountAuthorizationDetails=account)
        if ask.once(Bearing).is_harmless(user):
            assert where_it_leads(ask, user) == []
        else:
            assert administrators_where_it_matters(ask)(user) == where_it_leads(ask, user)


@pytest.mark.parametrize(
    ("user", "harmless"), [("ann", False), ("bob", True), ("BOB", True), ("cas", False), ("dee", False), ("eve", True)]
)
def test_whose_rights_are_about_other_services_need_not_be_weighed(user: str, *, harmless: bool) -> None:
    with world() as here:
        ask = Told(here.accounts.eyes(ACCOUNT, GLOBAL), GetAccountAuthorizationDetails=DETAILS)
        assert harmless is ask.once(Bearing).is_harmless(user)


def test_every_path_to_administrator_rights_at_once_takes_an_action_that_is_looked_for() -> None:
    """What a user may do with IAM or STS is weighed, and nothing else can make him one."""
    services = {action.partition(":")[0] for path in PATHS if path.direct for action in path.actions}
    assert services <= set(LEADING)


def test_an_account_that_was_weighed_is_let_go_of_with_its_eyes_though_nobody_collects() -> None:
    """React collects nothing while it starts, and a batch of ten reads an account ten times."""
    with world() as here:
        eyes = here.accounts.eyes(ACCOUNT, GLOBAL)
        ask = Told(eyes, GetAccountAuthorizationDetails=DETAILS)
        gc.collect()
        gc.disable()
        try:
            account, bearing = weighing(ask), Bearing(ask)
            account.without(())
            where_it_leads(ask, "cas")
            assert not bearing.is_harmless("cas")
            kept: list[ref[Any]] = [ref(account.judge), ref(account.ways_in), ref(bearing)]
            del account, bearing
            assert [None, None, None] == [one() for one in kept]
        finally:
            gc.enable()
