"""iam-admin-grants: who is no administrator loses administrator rights at once; who is one never does."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from plumbline.baseline.rules import completed
from plumbline.controls.iam._administrators import observe, survey
from plumbline.controls.iam._entitled import ADMINISTRATORS
from plumbline.controls.iam._led import WAY
from plumbline.controls.iam._principals import by_name
from plumbline.controls.iam.iam_admin_grants import CONTROL, KEPT, detect, plan
from plumbline.core.calls import Plan
from plumbline.core.clock import NEVER, Response
from plumbline.core.control import Deviation
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import ALL, GLOBAL, Target
from plumbline.wakes.messages import from_event
from tests.fakes import Told
from tests.recorded import Recorded, folder
from tests.story import ACCOUNT, Story, World, defaults, signs_in, world

ADMIN = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
AWS_ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
#: The baseline of an account that names its people.
NAMED = {"administrators": {"users": ["root-cause-ann"]}}
TWO = {"administrators": {"users": ["root-cause-ann", "mallory"]}}
FEDERATED = {"administrators": {"roles": ["directory-admins"]}}
DEFAULT = defaults(CONTROL)
SAML = f"arn:aws:iam::{ACCOUNT}:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE"


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
    signs_in(iam, "root-cause-ann")
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
    """A role of a program's, and a group that carries one of AWS's policies, which has to be read."""
    _settled(world)
    iam = world.client("iam")
    iam.create_group(GroupName="auditors")
    iam.attach_group_policy(GroupName="auditors", PolicyArn="arn:aws:iam::aws:policy/SecurityAudit")
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


def _kept(world: World, name: str, path: str = "/", **principal: str) -> Target:
    """An administrator's role that this principal may use."""
    iam = world.client("iam")
    iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=_trust(**principal))
    iam.attach_role_policy(RoleName=name, PolicyArn=AWS_ADMIN)
    return _target("role", name)


def _identity_center(world: World, name: str = "AWSReservedSSO_PowerUser_1") -> Target:
    return _kept(world, name, "/aws-reserved/sso.amazonaws.com/eu-west-1/", Federated=SAML)


def _strangers(world: World) -> Target:
    """A role called like an organisation's, which a stranger may use."""
    _settled(world)
    return _kept(world, "OrganizationAccountAccessRole", AWS="arn:aws:iam::444455556666:root")


def _bootstrapped(world: World) -> Target:
    _settled(world)
    return _kept(world, "cdk-hnb659fds-cfn-exec-role-123456789012-eu-west-1", Service="cloudformation.amazonaws.com")


def _permission_set(world: World) -> Target:
    _settled(world)
    return _identity_center(world)


def _shared_with_identity_center(world: World) -> Target:
    """An administrator's policy from its first version on, held by a user and by roles that somebody keeps."""
    _settled(world)
    _user(world)
    arn = _policy(world)
    iam = world.client("iam")
    iam.attach_user_policy(UserName="mallory", PolicyArn=arn)
    for role in (_identity_center(world), _bootstrapped_too(world)):
        iam.attach_role_policy(RoleName=role.id, PolicyArn=arn)
    return _target("policy", "ci/deploy")


def _bootstrapped_too(world: World) -> Target:
    return _kept(world, "stacks", Service="cloudformation.amazonaws.com")


def _beside_a_federation(world: World) -> Target:
    """Mallory is one, and the only other is a role for people of a company's directory."""
    target = _alone(world)
    iam = world.client("iam")
    iam.create_saml_provider(
        Name="directory", SAMLMetadataDocument=f"<EntityDescriptor>{'x' * 1000}</EntityDescriptor>"
    )
    _kept(world, "directory-admins", Federated=f"arn:aws:iam::{ACCOUNT}:saml-provider/directory")
    return target


def _last_in_an_empty_group(world: World) -> Target:
    """The only administrator there is, in a group that is called the administrators' and gives nothing."""
    target = _alone(world)
    world.client("iam").create_group(GroupName="administrators")
    world.client("iam").add_user_to_group(GroupName="administrators", UserName="mallory")
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
    Story("a user beside a federation's role", CONTROL.id, _beside_a_federation, settings=FEDERATED),
    Story("a stranger's role called like an organisation's", CONTROL.id, _strangers),
    Story("a role of CloudFormation", CONTROL.id, _bootstrapped, alert_only=True),
    Story("a permission set of Identity Center", CONTROL.id, _permission_set, alert_only=True),
    Story("a policy of a user, Identity Center and CloudFormation", CONTROL.id, _shared_with_identity_center),
    Story("a way through a strong role", CONTROL.id, lambda world: _leads(world, PASSES, MAKES)),
    Story("the last administrator, in an empty group", CONTROL.id, _last_in_an_empty_group, settings=NAMED),
)


#: What is taken here from the last who could come in; see tests/laws/test_last_way_in.py.
LAST_WAYS_IN = tuple(story for story in STORIES if story.name == "the last administrator")


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
        ("UpdateGroup", Target(ACCOUNT, GLOBAL, ALL, ALL)),  # its members, and the group
        ("DetachUserPolicy", _target("user", "backup-operator")),
        ("DeleteRolePermissionsBoundary", _target("role", "web-frontend")),
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
        ("OrganizationAccountAccessRole", "/", {"AWS": "arn:aws:iam::444455556666:root"}, False),
        ("AWSReservedSSO_Ops_1", "/aws-reserved/sso.amazonaws.com/", {"Federated": SAML}, True),
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
        "keeper": "",
    }
    role = {**group, "kind": "role", "name": "aws-reserved/sso.amazonaws.com/AWSReservedSSO_AdministratorAccess_1"}
    named = completed(CONTROL.settings, NAMED)
    assert (detect(group, named), detect(role, named)) == (None, None)
    assert set(ADMINISTRATORS) == {"groups", "users", "roles"}


def test_a_turned_policy_is_detached_and_the_commands_that_set_it_back_are_told() -> None:
    """Who may set a policy back to a version may set it to the one that makes administrators: no role of ours may."""
    state, items, repair = _told(_turned)
    assert items == ("user/mallory",)
    assert _calls(repair) == [("DetachUserPolicy", {"UserName": "mallory", "PolicyArn": state["name"]})]
    assert repair.later == (
        f"aws iam set-default-policy-version --policy-arn {state['name']} --version-id v1",
        f"aws iam attach-user-policy --user-name mallory --policy-arn {state['name']}",
    )


def test_a_policy_that_administrators_live_by_is_not_changed_but_detached_from_the_others() -> None:
    state, items, repair = _told(_shared)
    assert sorted(items) == ["role/web", "user/mallory"]
    arn = {"PolicyArn": state["name"]}
    assert sorted(_calls(repair), key=str) == [
        ("DetachRolePolicy", {"RoleName": "web", **arn}),
        ("DetachUserPolicy", {"UserName": "mallory", **arn}),
    ]


def test_a_policy_is_detached_from_those_alone_who_are_meant() -> None:
    def held_by_two(told: World) -> Target:
        target = _turned(told)
        told.client("iam").create_user(UserName="eve")
        told.client("iam").attach_user_policy(UserName="eve", PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/ci/deploy")
        return target

    state, items, repair = _told(held_by_two)
    assert [name for name, _ in _calls(repair)] == ["DetachUserPolicy"] * 2
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
            "GetUser",
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
    holders = [{"kind": "user", "name": "x" * 64 + str(number), "groups": [], "keeper": ""} for number in range(30)]
    state = {
        "kind": "policy",
        "name": f"arn:aws:iam::{ACCOUNT}:policy/p",
        "version": "v1",
        "reasons": ["all"],
        "back_to": "",
        "holders": holders,
        "administrators": [
            {
                "kind": "user",
                "name": "root-cause-ann",
                "groups": [],
                "direct": True,
                "through": [],
                "keeper": "",
                "unusable": "",
            }
        ],
    }
    repair = plan(_target("policy", "p"), state, NAMED)
    assert set(repair.resources) == {arn for one in holders for arn in by_name(ACCOUNT, "user", str(one["name"]))}
    assert len(repair.steps) == len(holders)


def test_what_is_gone_is_fine() -> None:
    with world() as told:
        for kind in ("user", "group", "role", "policy"):
            assert observe(told.accounts.eyes(ACCOUNT, GLOBAL), _target(kind, "nobody")) is None
    assert detect(None, DEFAULT) is None


def _member(told: World, refusal: str) -> Told:
    """The eyes of an account that belongs to an organisation; `refusal` is what AWS answers instead of saying so."""
    known = refusal or {"Organization": {"MasterAccountId": "444455556666"}}
    return Told(told.accounts.eyes(ACCOUNT, GLOBAL), DescribeOrganization=known)


def _as_member(
    breaks: Callable[[World], Target], refusal: str = ""
) -> tuple[dict[str, Any], Deviation | None, Plan | None]:
    with world() as told:
        target = breaks(told)
        state = observe(_member(told, refusal), target)
        assert state == survey(_member(told, refusal))[target]
        assert state is not None
        found = detect(state, DEFAULT)
        return dict(state), found, plan(target, state, DEFAULT) if found else None


def test_what_only_the_management_account_can_use_is_the_organisations() -> None:
    state, found, _ = _as_member(_strangers)
    assert (state["keeper"], found) == ("organisation", None)


def test_the_same_role_of_another_account_is_not() -> None:
    def other(told: World) -> Target:
        _settled(told)
        return _kept(told, "OrganizationAccountAccessRole", AWS="arn:aws:iam::777788889999:root")

    state, found, repair = _as_member(other)
    assert state["keeper"] == ""
    assert found == Deviation("has administrator rights it should not have", (AWS_ADMIN,))
    assert repair is not None
    assert [call.operation for call in repair.do] == ["DetachRolePolicy"]


def test_while_aws_does_not_name_the_management_account_nothing_is_taken_and_the_letter_says_why() -> None:
    _, found, repair = _as_member(_strangers, "AccessDenied")
    summary = "gives another account administrator rights, and the baseline does not name it"
    assert found == Deviation(summary, (AWS_ADMIN,), KEPT)
    assert repair is not None
    assert "AWS did not say whether it is your organisation's management account" in repair.refusal


def test_another_refusal_is_no_verdict() -> None:
    with pytest.raises(AwsRefusal):
        _as_member(_strangers, "TooManyRequestsException")


def test_what_cloudformation_works_with_is_told_once_and_left() -> None:
    _, found, repair = _as_member(_bootstrapped)
    summary = "gives CloudFormation administrator rights, and the baseline does not name it"
    assert found == Deviation(summary, (AWS_ADMIN,), KEPT)
    assert repair is not None
    assert "stacks would fail without its rights" in repair.refusal
    assert CONTROL.clocks[KEPT] == NEVER


def test_a_name_like_cdks_with_another_trust_is_not_spared() -> None:
    def lookalike(told: World) -> Target:
        _settled(told)
        return _kept(told, "cdk-hnb659fds-cfn-exec-role-123456789012-eu-west-1", AWS=f"arn:aws:iam::{ACCOUNT}:root")

    assert [call.operation for call in _told(lookalike)[2].do] == ["DetachRolePolicy"]


def test_a_policy_is_taken_from_whom_it_can_be_and_the_rest_is_told() -> None:
    state, items, repair = _told(_shared_with_identity_center)
    assert sorted(items) == [
        "role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_PowerUser_1",
        "role/stacks",
        "user/mallory",
    ]
    assert _calls(repair) == [("DetachUserPolicy", {"UserName": "mallory", "PolicyArn": state["name"]})]
    assert set(repair.left) == set(items) - {"user/mallory"}


def test_a_permission_sets_policy_is_detached_from_others_and_left_to_its_keeper() -> None:

    def turned(told: World) -> Target:
        target = _turned(told)
        role = _identity_center(told)
        told.client("iam").attach_role_policy(RoleName=role.id, PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/ci/deploy")
        return target

    _, items, repair = _told(turned)
    assert [name for name, _ in _calls(repair)] == ["DetachUserPolicy"]
    assert set(repair.left) == set(items) - {"user/mallory"}


def test_the_last_administrator_still_leaves_a_group_that_gives_nothing() -> None:
    _, items, repair = _told(_last_in_an_empty_group, NAMED)
    assert items == (AWS_ADMIN, "member of administrators")
    assert [name for name, _ in _calls(repair)] == ["RemoveUserFromGroup"]
    assert "locked out" in repair.left[AWS_ADMIN]


def test_what_is_detached_can_be_attached_again_and_the_letter_says_so() -> None:
    with world() as told:
        target = _user_attached(told)
        told.client("iam").attach_user_policy(UserName="mallory", PolicyArn=_policy(told))
        state = observe(told.accounts.eyes(ACCOUNT, GLOBAL), target)
        repair = plan(target, state, DEFAULT)
    assert "whoever may attach policies can attach it again" in repair.means
    assert repair.later == (f"aws iam delete-policy --policy-arn arn:aws:iam::{ACCOUNT}:policy/ci/deploy",)


@pytest.mark.parametrize("spelled", ["MALLORY", "Mallory", "mALLORY"])
def test_names_are_compared_as_iam_does(spelled: str) -> None:
    named = {"administrators": {"users": [spelled, "Root-Cause-Ann"]}}
    assert _told(_user_attached, named)[1] == ()
    assert _told(_user_joins, named)[1] == ()
    groups = {"administrators": {"groups": ["ADMINISTRATORS", "Interns"]}}
    assert _told(_group, groups)[1] == ()
    assert _told(_role, {"administrators": {"roles": ["APPS/*"]}})[1] == ()


@pytest.mark.parametrize(
    ("kind", "name", "asked", "expected"),
    [
        ("user", "ci-deploy", "CI-Deploy", "ci-deploy"),
        ("role", "apps/Web", "web", "Web"),
        ("policy", f"arn:aws:iam::{ACCOUNT}:policy/ci/Deploy", "CI/deploy", "ci/Deploy"),
        ("user", "somebody-else", "CI-Deploy", "CI-Deploy"),
    ],
)
def test_a_target_is_kept_under_the_name_that_aws_spells(kind: str, name: str, asked: str, expected: str) -> None:
    target = _target(kind, asked)
    assert replace(target, id=expected) == CONTROL.spell(target, {"kind": kind, "name": name})
    assert target == CONTROL.spell(target, None)


def test_an_undo_of_a_repair_from_before_compares_what_both_versions_know() -> None:
    """Version 0.1 kept no `keeper` and no `trust`."""
    with world() as told:
        target = _user_attached(told)
        state = observe(told.accounts.eyes(ACCOUNT, GLOBAL), target)
    assert state is not None
    earlier = {name: value for name, value in state.items() if name != "keeper"}
    earlier["administrators"] = []
    assert CONTROL.part(earlier, Plan()) == CONTROL.part(state, Plan())


# --- ways through what there is -----------------------------------------------------------------------


def _leads(world: World, *documents: object) -> Target:
    """Mallory has these inline policies, in an account with a strong role that Lambda may use."""
    _settled(world)
    _kept(world, "deploy", Service="lambda.amazonaws.com")
    target = _user(world)
    for number, one in enumerate(documents):
        world.client("iam").put_user_policy(UserName="mallory", PolicyName=f"p{number}", PolicyDocument=json.dumps(one))
    return target


def _policy_of(*actions: str, on: str = "*") -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": on}]}


PASSES: dict[str, Any] = _policy_of("iam:PassRole", on=f"arn:aws:iam::{ACCOUNT}:role/deploy")
MAKES: dict[str, Any] = _policy_of("lambda:CreateFunction", "lambda:InvokeFunction")
WAY_THROUGH = "may pass the role deploy, which has administrator rights, to a new Lambda function (lambda-001)"


def test_a_way_through_what_there_is_is_told_with_its_path_and_proposed() -> None:
    with world() as told:
        target = _leads(told, PASSES, MAKES, READ)
        state = observe(told.accounts.eyes(ACCOUNT, GLOBAL), target)
    assert detect(state, DEFAULT) == Deviation("could become an administrator", (WAY_THROUGH,), WAY)
    assert CONTROL.clocks[WAY].mode is Response.PROPOSE
    repair = plan(target, state, DEFAULT)
    assert _calls(repair) == [("DeleteUserPolicy", {"UserName": "mallory", "PolicyName": "p0"})]
    assert json.loads(repair.undo[0].parameters["PolicyDocument"]) == PASSES


def test_who_rewrites_himself_is_an_administrator_though_two_policies_give_it() -> None:
    def rewrites(told: World) -> Target:
        himself = f"arn:aws:iam::{ACCOUNT}:role/mine"
        return _leads(told, _policy_of("iam:CreateRole", on=himself), _policy_of("iam:PutRolePolicy", on=himself))

    assert _told(rewrites)[1] == ("p0",)


def test_who_joins_any_group_that_makes_administrators_is_taken_out_whatever_it_is_called() -> None:
    def joins(told: World) -> Target:
        _settled(told)
        iam, target = told.client("iam"), _user(told)
        iam.create_group(GroupName="Admins")
        iam.attach_group_policy(GroupName="Admins", PolicyArn=AWS_ADMIN)
        iam.add_user_to_group(GroupName="Admins", UserName="mallory")
        return target

    _, items, repair = _told(joins)
    assert items == ("member of Admins",)
    assert _calls(repair) == [("RemoveUserFromGroup", {"GroupName": "Admins", "UserName": "mallory"})]


def test_a_policy_of_a_group_is_not_taken_for_what_it_could_lead_to() -> None:
    def given(told: World) -> Target:
        _leads(told)
        iam = told.client("iam")
        iam.create_group(GroupName="data-engineers")
        for name, one in (("a", PASSES), ("b", MAKES)):
            iam.put_group_policy(GroupName="data-engineers", PolicyName=name, PolicyDocument=json.dumps(one))
        iam.add_user_to_group(GroupName="data-engineers", UserName="mallory")
        return _target("group", "data-engineers")

    _, items, repair = _told(given)
    assert (items, repair.steps) == ((WAY_THROUGH,), ())
    assert "narrow the role" in repair.refusal

    def member(told: World) -> Target:
        given(told)
        return _target("user", "mallory")

    assert _told(member)[1] == ()  # the group is told of, and not each of its members


def test_a_boundary_counts_as_long_as_its_holder_cannot_take_it_off() -> None:
    def bounded(told: World) -> Target:
        _settled(told)
        iam = told.client("iam")
        bound = iam.create_policy(PolicyName="bound", PolicyDocument=json.dumps(READ))["Policy"]["Arn"]
        trust = _trust(Service="ec2.amazonaws.com")
        iam.create_role(RoleName="web", AssumeRolePolicyDocument=trust, PermissionsBoundary=bound)
        iam.attach_role_policy(RoleName="web", PolicyArn=AWS_ADMIN)
        return _target("role", "web")

    assert _told(bounded)[1] == ()
