"""iam-admin-grants: who is no administrator loses administrator rights at once; who is one never does."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from plumbline.baseline.rules import completed
from plumbline.controls.iam._administrators import observe
from plumbline.controls.iam._principals import by_name
from plumbline.controls.iam.iam_admin_grants import ADMINISTRATORS, CONTROL, detect, plan
from plumbline.core.calls import Plan
from plumbline.core.targets import GLOBAL, Target
from plumbline.wakes.messages import from_event
from tests.recorded import Recorded, folder
from tests.story import ACCOUNT, Story, World, defaults, world

ADMIN = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
AWS_ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
#: The baseline of an account that names its people.
NAMED = {"administrators": {"users": ["root-cause-ann"]}}
TWO = {"administrators": {"users": ["root-cause-ann", "mallory"]}}
DEFAULT = defaults(CONTROL)


def _target(kind: str, name: str) -> Target:
    return Target(ACCOUNT, GLOBAL, f"iam-{kind}", name)


def _trust(**principal: str) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _settled(world: World) -> None:
    """An account with one administrator, by group, as the baseline wants it."""
    iam = world.client("iam")
    iam.create_group(GroupName="administrators")
    iam.attach_group_policy(GroupName="administrators", PolicyArn=AWS_ADMIN)
    iam.create_user(UserName="root-cause-ann")
    iam.add_user_to_group(GroupName="administrators", UserName="root-cause-ann")


def _user(world: World) -> Target:
    world.client("iam").create_user(UserName="mallory")
    return _target("user", "mallory")


def _policy(world: World, document: object = ADMIN) -> str:
    made = world.client("iam").create_policy(PolicyName="deploy", Path="/ci/", PolicyDocument=json.dumps(document))
    return str(made["Policy"]["Arn"])


def _user_attached(world: World) -> Target:
    _settled(world)
    target = _user(world)
    world.client("iam").attach_user_policy(UserName="mallory", PolicyArn=AWS_ADMIN)
    return target


def _user_inline(world: World) -> Target:
    _settled(world)
    target = _user(world)
    world.client("iam").put_user_policy(UserName="mallory", PolicyName="x", PolicyDocument=json.dumps(ADMIN))
    world.client("iam").put_user_policy(UserName="mallory", PolicyName="y", PolicyDocument=json.dumps(READ))
    return target


def _user_joins(world: World) -> Target:
    _settled(world)
    target = _user(world)
    world.client("iam").add_user_to_group(GroupName="administrators", UserName="mallory")
    return target


def _group(world: World) -> Target:
    _settled(world)
    iam = world.client("iam")
    iam.create_group(GroupName="interns")
    iam.attach_group_policy(GroupName="interns", PolicyArn=_policy(world))
    iam.put_group_policy(GroupName="interns", PolicyName="x", PolicyDocument=json.dumps(ADMIN))
    return _target("group", "interns")


def _role(world: World) -> Target:
    _settled(world)
    iam = world.client("iam")
    iam.create_role(RoleName="web", Path="/apps/", AssumeRolePolicyDocument=_trust(Service="ec2.amazonaws.com"))
    iam.attach_role_policy(RoleName="web", PolicyArn=AWS_ADMIN)
    iam.put_role_policy(RoleName="web", PolicyName="x", PolicyDocument=json.dumps(ADMIN))
    return _target("role", "web")


def _turned(world: World) -> Target:
    """A harmless policy that mallory holds gets a new default version."""
    _settled(world)
    _user(world)
    iam = world.client("iam")
    arn = _policy(world, READ)
    iam.attach_user_policy(UserName="mallory", PolicyArn=arn)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(ADMIN), SetAsDefault=True)
    return _target("policy", "ci/deploy")


def _shared(world: World) -> Target:
    """The same, but the administrators live by this policy."""
    target = _turned(world)
    arn = f"arn:aws:iam::{ACCOUNT}:policy/ci/deploy"
    world.client("iam").attach_group_policy(GroupName="administrators", PolicyArn=arn)
    world.client("iam").create_role(RoleName="web", AssumeRolePolicyDocument=_trust(Service="ec2.amazonaws.com"))
    world.client("iam").attach_role_policy(RoleName="web", PolicyArn=arn)
    return target


def _renamed(world: World) -> Target:
    """An administrator by name gets another name."""
    target = _user_attached(world)
    world.client("iam").update_user(UserName="mallory", NewUserName="eve")
    return replace(target, id="eve")


def _alone(world: World) -> Target:
    """Mallory is the only administrator there is."""
    target = _user(world)
    world.client("iam").attach_user_policy(UserName="mallory", PolicyArn=AWS_ADMIN)
    return target


STORIES = (
    Story("AdministratorAccess attached to a user", CONTROL.id, _user_attached),
    Story("an inline policy on a user", CONTROL.id, _user_inline),
    Story("a user joins the administrators", CONTROL.id, _user_joins, settings=NAMED),
    Story("a user joins the administrators, and nobody is named", CONTROL.id, _user_joins, alert_only=True),
    Story("a group", CONTROL.id, _group),
    Story("a role", CONTROL.id, _role),
    Story("a policy is turned", CONTROL.id, _turned),
    Story("a policy is turned that administrators hold too", CONTROL.id, _shared),
    Story("an administrator is renamed", CONTROL.id, _renamed, settings=TWO),
    Story("the last administrator", CONTROL.id, _alone, alert_only=True),
)


def _told(
    breaks: Callable[[World], Target], settings: Mapping[str, Any] = DEFAULT
) -> tuple[dict[str, Any], tuple[str, ...], Plan]:
    """State, items and plan of a broken world."""
    with world() as told:
        target = breaks(told)
        state = observe(told.accounts.eyes(ACCOUNT, GLOBAL), target)
        assert state is not None
        whole = completed(CONTROL.settings, settings)
        deviation = detect(state, whole)
        return dict(state), deviation.items if deviation else (), plan(target, state, whole)


def _calls(repair: Plan) -> list[tuple[str, dict[str, Any]]]:
    return [(call.operation, dict(call.parameters)) for call in repair.do]


@pytest.mark.parametrize(
    ("event", "looked_at"),
    [
        ("UpdateUser", _target("user", "mallory")),
        ("UpdateGroup", _target("group", "operators")),
        ("RemoveUserFromGroup", _target("user", "ann")),
    ],
)
def test_who_is_renamed_is_looked_at_under_the_new_name_and_who_leaves_a_group_too(
    event: str, looked_at: Target
) -> None:
    heard = Recorded(CONTROL.id, folder(CONTROL.id) / f"{event}.json").event()
    assert [replace(looked_at, account="111122223333")] == [
        wake.target for wake in from_event(heard, {CONTROL.id: CONTROL})
    ]


def test_only_what_makes_an_administrator_is_taken() -> None:
    _, items, repair = _told(_user_inline)
    assert items == ("x",)
    assert _calls(repair) == [("DeleteUserPolicy", {"UserName": "mallory", "PolicyName": "x"})]
    assert json.loads(repair.undo[0].parameters["PolicyDocument"]) == ADMIN


def test_who_joins_the_administrators_unnamed_is_taken_out() -> None:
    _, items, repair = _told(_user_joins, NAMED)
    assert items == ("member of administrators",)
    assert _calls(repair) == [("RemoveUserFromGroup", {"GroupName": "administrators", "UserName": "mallory"})]


def test_a_named_administrator_keeps_everything() -> None:
    def ann(told: World) -> Target:
        _settled(told)
        told.client("iam").attach_user_policy(UserName="root-cause-ann", PolicyArn=AWS_ADMIN)
        return _target("user", "root-cause-ann")

    assert _told(ann, NAMED)[1] == ()


def test_while_nobody_is_named_members_are_told_about_and_left_alone() -> None:
    _, items, repair = _told(_user_joins)
    assert items == ("member of administrators",)
    assert not repair.steps
    assert "names no users" in repair.refusal


def test_an_empty_list_says_the_same_as_none() -> None:
    assert _told(_user_joins) == _told(_user_joins, {"administrators": {"users": []}})
    assert _told(_user_joins) == _told(_user_joins, {"administrators": {}})


@pytest.mark.parametrize("breaks", [_alone, lambda told: (_alone(told), _policy(told))[0]])
def test_the_last_administrator_is_never_removed(breaks: Callable[[World], Target]) -> None:
    _, items, repair = _told(breaks)
    assert items == (AWS_ADMIN,)
    assert not repair.steps
    assert "locked out" in repair.refusal


def test_named_people_who_are_gone_do_not_count_as_administrators_left() -> None:
    refusal = _told(_user_joins, {"administrators": {"users": ["long-gone"]}})[2].refusal
    assert "locked out" in refusal


def test_a_group_without_members_is_no_administrator_left() -> None:
    def empty(told: World) -> Target:
        target = _user_attached(told)
        told.client("iam").remove_user_from_group(GroupName="administrators", UserName="root-cause-ann")
        return target

    assert "locked out" in _told(empty)[2].refusal


@pytest.mark.parametrize(
    ("role", "path", "trust", "counts"),
    [
        ("OrganizationAccountAccessRole", "/", {"AWS": "arn:aws:iam::444455556666:root"}, True),
        ("OrganizationAccountAccessRole", "/", {"Service": "ec2.amazonaws.com"}, False),
        ("hands", "/plumbline/", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, False),
        ("stranger", "/", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, False),
    ],
)
def test_a_role_counts_as_administrator_left_when_people_can_assume_it(
    role: str,
    path: str,
    trust: dict[str, str],
    counts: bool,  # noqa: FBT001 - a table of cases
) -> None:
    def with_role(told: World) -> Target:
        target = _alone(told)
        told.client("iam").create_role(RoleName=role, Path=path, AssumeRolePolicyDocument=_trust(**trust))
        told.client("iam").attach_role_policy(RoleName=role, PolicyArn=AWS_ADMIN)
        return target

    assert bool(_told(with_role)[2].steps) == counts


def test_a_role_of_identity_center_is_left_to_its_permission_set() -> None:
    def reserved(told: World) -> Target:
        _settled(told)
        told.client("iam").create_role(
            RoleName="AWSReservedSSO_Dev_1",
            Path="/aws-reserved/sso.amazonaws.com/",
            AssumeRolePolicyDocument=_trust(AWS="*"),
        )
        told.client("iam").attach_role_policy(RoleName="AWSReservedSSO_Dev_1", PolicyArn=AWS_ADMIN)
        return _target("role", "AWSReservedSSO_Dev_1")

    assert "permission set" in _told(reserved)[2].refusal


def test_a_name_like_an_administrators_role_does_not_hide_one() -> None:
    def lookalike(told: World) -> Target:
        _settled(told)
        name = "AWSReservedSSO_AdministratorAccess_0"
        told.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=_trust(AWS="*"))
        told.client("iam").attach_role_policy(RoleName=name, PolicyArn=AWS_ADMIN)
        return _target("role", name)

    assert _told(lookalike)[1] == (AWS_ADMIN,)


def test_naming_users_does_not_unname_groups_and_roles() -> None:
    group = {
        "kind": "group",
        "name": "administrators",
        "groups": [],
        "inline": {},
        "attached": [AWS_ADMIN],
        "reasons": [],
    }
    role = {**group, "kind": "role", "name": "OrganizationAccountAccessRole"}
    named = completed(CONTROL.settings, NAMED)
    assert (detect(group, named), detect(role, named)) == (None, None)
    assert set(ADMINISTRATORS) == {"groups", "users", "roles"}


def test_a_turned_policy_goes_back_to_its_version_before() -> None:
    state, items, repair = _told(_turned)
    assert items == ("user/mallory",)
    assert _calls(repair) == [("SetDefaultPolicyVersion", {"PolicyArn": state["name"], "VersionId": "v1"})]
    assert repair.undo[0].parameters["VersionId"] == "v2"


def test_a_policy_that_administrators_live_by_is_not_changed_but_detached_from_the_others() -> None:
    state, items, repair = _told(_shared)
    assert sorted(items) == ["role/web", "user/mallory"]
    arn = {"PolicyArn": state["name"]}
    assert sorted(_calls(repair), key=str) == [
        ("DetachRolePolicy", {"RoleName": "web", **arn}),
        ("DetachUserPolicy", {"UserName": "mallory", **arn}),
    ]


def test_a_policy_does_not_go_back_under_those_who_are_not_meant() -> None:
    def held_by_two(told: World) -> Target:
        target = _turned(told)
        told.client("iam").create_user(UserName="eve")
        told.client("iam").attach_user_policy(UserName="eve", PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/ci/deploy")
        return target

    state, items, repair = _told(held_by_two)
    assert [name for name, _ in _calls(repair)] == ["SetDefaultPolicyVersion"]
    assert sorted(items) == ["user/eve", "user/mallory"]
    only = plan(_target("policy", "ci/deploy"), state, DEFAULT, {"user/eve"})
    assert _calls(only) == [("DetachUserPolicy", {"UserName": "eve", "PolicyArn": state["name"]})]


def test_a_policy_without_a_harmless_version_is_detached() -> None:
    def first(told: World) -> Target:
        _settled(told)
        _user(told)
        told.client("iam").attach_user_policy(UserName="mallory", PolicyArn=_policy(told))
        return _target("policy", "ci/deploy")

    assert [name for name, _ in _calls(_told(first)[2])] == ["DetachUserPolicy"]


def test_a_policy_nobody_else_holds_is_fine() -> None:
    def unattached(told: World) -> Target:
        _policy(told)
        return _target("policy", "ci/deploy")

    assert _told(unattached)[1] == ()


def test_a_user_without_groups_costs_few_reads() -> None:
    with world() as told:
        target = _user(told)
        observe(told.accounts.eyes(ACCOUNT, GLOBAL), target)
        assert sorted(call.operation for call in told.calls) == [
            "ListAttachedUserPolicies",
            "ListGroupsForUser",
            "ListUserPolicies",
        ]


def test_leaving_a_group_that_grants_nothing_locks_nobody_out() -> None:
    def emptied(told: World) -> Target:
        target = _user_joins(told)
        told.client("iam").detach_group_policy(GroupName="administrators", PolicyArn=AWS_ADMIN)
        return target

    assert [name for name, _ in _calls(_told(emptied, NAMED)[2])] == ["RemoveUserFromGroup"]


def test_the_state_of_a_harmless_user_does_not_change_with_others() -> None:
    def member(told: World) -> Target:
        _settled(told)
        target = _user(told)
        told.client("iam").create_group(GroupName="readers")
        told.client("iam").add_user_to_group(GroupName="readers", UserName="mallory")
        return target

    assert _told(member)[0]["administrators"] == []


def test_a_repair_of_many_holders_reaches_them_and_nobody_else() -> None:
    holders = [{"kind": "user", "name": "x" * 64 + str(number), "groups": []} for number in range(30)]
    state = {
        "kind": "policy",
        "name": f"arn:aws:iam::{ACCOUNT}:policy/p",
        "version": "v1",
        "reasons": ["all"],
        "back_to": "",
        "holders": holders,
        "administrators": [{"kind": "user", "name": "root-cause-ann", "groups": [], "direct": True, "through": []}],
    }
    repair = plan(_target("policy", "p"), state, NAMED)
    assert set(repair.resources) == {arn for one in holders for arn in by_name(ACCOUNT, "user", str(one["name"]))}
    assert len(repair.steps) == len(holders)


def test_what_is_gone_is_fine() -> None:
    with world() as told:
        for kind in ("user", "group", "role", "policy"):
            assert observe(told.accounts.eyes(ACCOUNT, GLOBAL), _target(kind, "nobody")) is None
    assert detect(None, DEFAULT) is None
