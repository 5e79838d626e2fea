"""iam-user-policies: what users have attached directly is told for a week, then detached; never an administrator's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plumbline.controls.iam._copies import name_of
from plumbline.controls.iam.iam_user_policies import CONTROL, COPY, detect, excepted, observe, plan, survey
from plumbline.core.calls import Call
from plumbline.core.control import Deviation
from plumbline.core.giving import Maker, maker
from plumbline.core.targets import GLOBAL, Target
from tests.people import AWS_ADMIN, stranger_has_a_role
from tests.story import ACCOUNT, Story, World, defaults, signs_in, world

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
CAROL = Target(ACCOUNT, GLOBAL, "iam-user", "carol")
HER_COPY = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/{name_of('user', 'carol', 'x', READ)}"
DEFAULT = defaults(CONTROL)


def _statement(**said: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **said}]})


def _carol(world: World, *policies: str) -> Target:
    iam = world.client("iam")
    iam.create_user(UserName="carol", Path="/people/")
    for arn in policies:
        iam.attach_user_policy(UserName="carol", PolicyArn=arn)
    return CAROL


def _own_policy(world: World) -> str:
    made = world.client("iam").create_policy(PolicyName="reads", Path="/team/", PolicyDocument=json.dumps(READ))
    return str(made["Policy"]["Arn"])


def _direct(world: World) -> Target:
    return _carol(world, _own_policy(world), READ_ONLY)


def _in_a_group_as_well(world: World) -> Target:
    target = _direct(world)
    iam = world.client("iam")
    iam.create_group(GroupName="readers")
    iam.attach_group_policy(GroupName="readers", PolicyArn=READ_ONLY)
    iam.add_user_to_group(GroupName="readers", UserName="carol")
    return target


def _copy(world: World) -> Target:
    """All that is attached is called as a copy of an inline policy is."""
    name = HER_COPY.rpartition("/")[2]
    world.client("iam").create_policy(PolicyName=name, Path="/plumbline/", PolicyDocument=json.dumps(READ))
    return _carol(world, HER_COPY)


def _becomes(world: World, **trust: str) -> Target:
    """Carol may assume the one role that is an administrator's, by a policy that she has directly."""
    iam = world.client("iam")
    trusted = _statement(Action="sts:AssumeRole", Principal=trust)
    iam.create_role(RoleName="administrator", AssumeRolePolicyDocument=trusted)
    iam.attach_role_policy(RoleName="administrator", PolicyArn=AWS_ADMIN)
    may = _statement(Action="sts:AssumeRole", Resource=f"arn:aws:iam::{ACCOUNT}:role/administrator")
    made = iam.create_policy(PolicyName="become", PolicyDocument=may)["Policy"]["Arn"]
    target = _carol(world, made)
    signs_in(iam, "carol")
    return target


def _another_becomes(world: World) -> Target:
    """The same, and ann is an administrator who can come in; another role is a directory's that is gone."""
    target = _becomes(world, AWS=ACCOUNT)
    iam = world.client("iam")
    iam.create_group(GroupName="administrators")
    iam.attach_group_policy(GroupName="administrators", PolicyArn=AWS_ADMIN)
    iam.create_user(UserName="ann")
    signs_in(iam, "ann")
    iam.add_user_to_group(GroupName="administrators", UserName="ann")
    gone = _statement(
        Action="sts:AssumeRoleWithSAML", Principal={"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/x"}
    )
    iam.create_role(RoleName="sso", AssumeRolePolicyDocument=gone)
    iam.attach_role_policy(RoleName="sso", PolicyArn=AWS_ADMIN)
    return target


def _of_a_stranger(world: World) -> Target:
    """The only administrator's role may be used by carol, and by an account that nobody knows."""
    target = _becomes(world, AWS=ACCOUNT)
    stranger_has_a_role(world)
    return target


STORIES = (
    Story("two policies attached to a user", CONTROL.id, _direct),
    Story("two, one of them a group's of hers as well", CONTROL.id, _in_a_group_as_well),
    Story("what is called as a copy of an inline policy is", CONTROL.id, _copy, alert_only=True),
    Story("a way to an administrator's role, and another can come in", CONTROL.id, _another_becomes),
    Story(
        "the only way to an administrator's role", CONTROL.id, lambda told: _becomes(told, AWS=ACCOUNT), alert_only=True
    ),
    Story("the same, and a stranger's account has a role here", CONTROL.id, _of_a_stranger, alert_only=True),
)
#: What is taken here from the last who could come in; see tests/laws/test_last_way_in.py.
LAST_WAYS_IN = STORIES[-2:]


def _seen(world: World) -> Any:
    return observe(world.accounts.eyes(ACCOUNT, GLOBAL), CAROL)


@pytest.mark.parametrize(
    "name",
    ["AWSCompromisedKeyQuarantineV3", "AWSDenyAll", "AmazonBedrockLimitedAccess", "IAMUserChangePassword"],
)
def test_what_aws_attaches_by_itself_is_left_alone(name: str) -> None:
    with world() as told:
        _carol(told, f"arn:aws:iam::aws:policy/{name}")
        assert detect(_seen(told), DEFAULT) is None


def test_a_policy_of_ones_own_that_is_called_like_one_of_aws_is_not() -> None:
    with world() as told:
        made = told.client("iam").create_policy(PolicyName="AWSDenyAll", PolicyDocument=json.dumps(READ))
        arn = made["Policy"]["Arn"]
        _carol(told, arn)
        found = detect(_seen(told), DEFAULT)
    assert Deviation("has a policy attached directly, and not through a group", (arn,)) == found


@pytest.mark.parametrize(
    ("name", "left_alone"),
    [("plumbline-guard", True), ("plumbline-suspended", True), ("other-suspended", False), ("plumbline-x", False)],
)
def test_this_stacks_own_denials_are_left_alone_and_what_only_looks_like_them_is_not(
    name: str, *, left_alone: bool
) -> None:
    with world() as told:
        iam = told.client("iam")
        made = iam.create_policy(PolicyName=name, Path="/plumbline/", PolicyDocument=json.dumps(READ))
        _carol(told, made["Policy"]["Arn"])
        assert left_alone == (detect(_seen(told), DEFAULT) is None)


def test_an_administrator_of_the_baseline_keeps_what_is_attached() -> None:
    named = DEFAULT | {"people": {"administrators": {"users": ["Carol"], "groups": [], "roles": []}}}
    another = DEFAULT | {"people": {"administrators": {"users": ["ann"], "groups": [], "roles": []}}}
    with world() as told:
        _direct(told)
        state = _seen(told)
    assert (None, True) == (detect(state, named), detect(state, another) is not None)
    assert (True, False) == (excepted(CAROL, named), excepted(CAROL, another))


def test_a_member_of_the_administrators_group_does_while_the_baseline_names_no_users() -> None:
    with world() as told:
        _direct(told)
        iam = told.client("iam")
        iam.create_group(GroupName="Administrators")
        iam.add_user_to_group(GroupName="Administrators", UserName="carol")
        assert detect(_seen(told), DEFAULT) is None


def test_users_that_the_settings_name_keep_theirs() -> None:
    with world() as told:
        _direct(told)
        state = _seen(told)
    allowed = {"allowed_users": ["CAR?L"]}
    assert (None, True) == (detect(state, DEFAULT | allowed), excepted(CAROL, DEFAULT | allowed))


def test_administrator_rights_are_left_to_the_control_that_judges_them() -> None:
    with world() as told:
        _carol(told, AWS_ADMIN)
        assert detect(_seen(told), DEFAULT) is None


def test_the_undo_gives_rights_and_so_is_a_persons() -> None:
    with world() as told:
        _direct(told)
        repair = plan(CAROL, _seen(told), DEFAULT, (READ_ONLY,))
    both = {"UserName": "carol", "PolicyArn": READ_ONLY}
    assert (Call("iam", "DetachUserPolicy", both, absent=("NoSuchEntity",)),) == repair.do
    assert [Maker.TAKING] == [maker(call) for call in repair.do]
    assert [Maker.PERSON] == [maker(call) for call in repair.undo]


def test_a_copy_is_told_and_is_not_taken_beside_others_either() -> None:
    with world() as told:
        _copy(told)
        alone = _seen(told)
        told.client("iam").attach_user_policy(UserName="carol", PolicyArn=READ_ONLY)
        beside = _seen(told)
    clocks = [found.clock for found in (detect(alone, DEFAULT), detect(beside, DEFAULT)) if found]
    taken = plan(CAROL, beside, DEFAULT)
    assert [COPY, "default"] == clocks
    assert [READ_ONLY] == [call.parameters["PolicyArn"] for call in taken.do]
    assert [HER_COPY] == list(taken.left)
    assert "give them by a group, and then detach it" in plan(CAROL, alone, DEFAULT).refusal


def test_the_survey_costs_one_read_where_nobody_becomes_an_administrator() -> None:
    with world() as told:
        _direct(told)
        told.calls.clear()
        survey(told.accounts.eyes(ACCOUNT, GLOBAL))
        assert ["GetAccountAuthorizationDetails"] == [call.operation for call in told.calls]
