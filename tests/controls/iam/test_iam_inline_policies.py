"""iam-inline-policies: inline policies become managed ones, without a moment in which a right is missing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.controls.iam._copies import description, earlier, is_copy, name_of
from plumbline.controls.iam.iam_inline_policies import CONTROL, detect, observe, part, plan, survey
from plumbline.core.calls import Call, Plan
from plumbline.core.clock import NEVER, Response
from plumbline.core.control import Deviation
from plumbline.core.names import same_name
from plumbline.core.targets import GLOBAL, Target
from plumbline.rights.counted import is_of_aws
from plumbline.wakes.messages import from_event
from tests.recorded import Recorded, folder
from tests.story import ACCOUNT, Story, World, world

READ = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/*"}],
}
ADMIN = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
MANY = 11
WIDE = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
QUARANTINE = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": ["iam:*"], "Resource": "*"}]}
LONG = {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{'x' * 6144}"}]}
TELL: dict[str, object] = {"keep_inline": [], "roles": "tell"}
CONVERT: dict[str, object] = {"keep_inline": [], "roles": "convert"}
#: The letters of IAM's names. Source: IAM API reference, CreateUser, UserName; PutUserPolicy, PolicyName.
NAMES = st.text("abAB-_.019+=,@", min_size=1, max_size=90)
PLACE = Target(ACCOUNT, GLOBAL, "iam-path", "plumbline")


def _target(kind: str, name: str) -> Target:
    return Target(ACCOUNT, GLOBAL, f"iam-{kind}", name)


def _user(world: World, **documents: object) -> Target:
    iam = world.client("iam")
    iam.create_user(UserName="ann", Path="/people/")
    for name, text in documents.items():
        iam.put_user_policy(UserName="ann", PolicyName=name, PolicyDocument=json.dumps(text))
    return _target("user", "ann")


def _group(world: World) -> Target:
    iam = world.client("iam")
    iam.create_group(GroupName="writers")
    iam.put_group_policy(GroupName="writers", PolicyName="reports", PolicyDocument=json.dumps(READ))
    return _target("group", "writers")


def _role(world: World, path: str = "/apps/") -> Target:
    iam = world.client("iam")
    iam.create_role(RoleName="web", Path=path, AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName="web", PolicyName="reports", PolicyDocument=json.dumps(READ))
    return _target("role", "web")


def _crashed(world: World) -> Target:
    """An earlier repair made the managed policy and went no further."""
    target = _user(world, reports=READ)
    before = observe(world.accounts.eyes(ACCOUNT, GLOBAL), target)
    create = plan(target, before, TELL).do[0]
    world.client("iam").create_policy(**create.parameters)
    return target


def _taken(world: World) -> Target:
    """Somebody waits under the name with other rights."""
    target = _user(world, reports=READ)
    before = observe(world.accounts.eyes(ACCOUNT, GLOBAL), target)
    create = dict(plan(target, before, TELL).do[0].parameters)
    world.client("iam").create_policy(**create | {"PolicyDocument": json.dumps(ADMIN)})
    return target


def _perform(world: World, target: Target, repair: Plan, calls: tuple[Call, ...]) -> None:
    world.perform(CONTROL, target, calls, repair.resources)


def _converted(world: World, target: Target) -> Plan:
    """An owner's inline policies, converted."""
    repair = plan(target, observe(world.accounts.eyes(ACCOUNT, GLOBAL), target), CONVERT)
    _perform(world, target, repair, repair.do)
    return repair


def _attached(world: World) -> set[str]:
    return {
        one["PolicyName"] for one in world.client("iam").list_attached_user_policies(UserName="ann")["AttachedPolicies"]
    }


def _narrowed(world: World) -> Target:
    """A wide inline policy was converted, and its owner has put a narrow one of the same name."""
    target = _user(world, reports=WIDE)
    _converted(world, target)
    world.client("iam").put_user_policy(UserName="ann", PolicyName="reports", PolicyDocument=json.dumps(READ))
    return target


def _forgotten(world: World, roles: int = 3) -> Target:
    """Roles, some with paths, were converted and deleted."""
    iam = world.client("iam")
    for number in range(roles):
        path = "/apps/" if number % 2 else "/"
        iam.create_role(RoleName=f"job-{number}", Path=path, AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.put_role_policy(RoleName=f"job-{number}", PolicyName="to-read", PolicyDocument=json.dumps(READ))
        target = _target("role", f"job-{number}")
        for arn in {
            call.parameters["PolicyArn"] for call in _converted(world, target).do if "PolicyArn" in call.parameters
        }:
            iam.detach_role_policy(RoleName=target.id, PolicyArn=arn)
        iam.delete_role(RoleName=target.id)
    return PLACE


def _small_and_long(world: World) -> Target:
    target = _user(world, a=READ, b=READ)
    iam = world.client("iam")
    for number in range(MANY - 2):
        made = iam.create_policy(PolicyName=f"p{number}", PolicyDocument=json.dumps(READ))["Policy"]["Arn"]
        iam.attach_user_policy(UserName="ann", PolicyArn=made)
    return target


def _full(world: World) -> Target:
    target = _user(world, reports=READ)
    iam = world.client("iam")
    for number in range(MANY - 1):
        made = iam.create_policy(PolicyName=f"p{number}", PolicyDocument=json.dumps(READ))["Policy"]["Arn"]
        iam.attach_user_policy(UserName="ann", PolicyArn=made)
    return target


STORIES = (
    Story("a user", CONTROL.id, lambda world: _user(world, reports=READ)),
    Story(
        "a user with several, one of them an administrator's",
        CONTROL.id,
        lambda world: _user(world, a=READ, b=READ, c=ADMIN),
    ),
    Story("a group", CONTROL.id, _group),
    Story("a role", CONTROL.id, _role, alert_only=True),
    Story("a role that is to be converted", CONTROL.id, _role, settings=CONVERT),
    Story("an earlier copy of the same policy is wider", CONTROL.id, _narrowed),
    Story("copies that nobody holds", CONTROL.id, _forgotten),
    Story("room for one of two", CONTROL.id, _small_and_long),
    Story("an earlier repair crashed half-way", CONTROL.id, _crashed),
    Story("another policy stands under the name", CONTROL.id, _taken, alert_only=True),
    Story("ten managed policies are attached", CONTROL.id, _full, alert_only=True),
)


def _told(breaks: Callable[[World], Target]) -> tuple[Target, dict[str, object], Plan]:
    with world() as told:
        target = breaks(told)
        state = observe(told.accounts.eyes(ACCOUNT, GLOBAL), target)
        assert state is not None
        return target, dict(state), plan(target, state, TELL)


def test_the_managed_policy_is_attached_before_the_inline_one_goes() -> None:
    _, _, repair = _told(lambda told: _user(told, reports=READ))
    assert [call.operation for call in repair.do] == ["CreatePolicy", "AttachUserPolicy", "DeleteUserPolicy"]
    assert [call.operation for call in repair.undo] == ["PutUserPolicy", "DetachUserPolicy", "DeletePolicy"]
    assert json.loads(repair.do[0].parameters["PolicyDocument"]) == READ


def test_a_role_is_told_of_once_and_converted_only_where_the_baseline_says_so() -> None:
    target, state, repair = _told(_role)
    assert detect(state, TELL) == Deviation("has an inline policy", ("reports",), clock="told")
    assert CONTROL.clocks["told"] == NEVER
    assert "belong to whoever made the role" in repair.refusal
    assert detect(state, CONVERT) == Deviation("has an inline policy", ("reports",), clock="role")
    converted = plan(target, state, CONVERT)
    assert [call.operation for call in converted.do] == ["CreatePolicy", "AttachRolePolicy", "DeleteRolePolicy"]
    assert "a stack that made it cannot be deleted until then" in converted.means


def test_users_and_groups_are_proposed_to_a_person() -> None:
    assert CONTROL.response is Response.PROPOSE


def test_the_letter_says_what_it_means_for_whoever_deletes_the_owner() -> None:
    _, _, repair = _told(lambda told: _user(told, reports=READ))
    (arn,) = {call.parameters["PolicyArn"] for call in repair.do if "PolicyArn" in call.parameters}
    assert repair.means == (
        "The user has the same rights as before, now attached to the user directly; a group is the better place. "
        "Before user ann is deleted, the copy has to be detached, or AWS answers DeleteConflict."
    )
    assert repair.later == (f"aws iam detach-user-policy --user-name ann --policy-arn {arn}",)


def test_a_new_conversion_leaves_no_wider_copy_and_its_undo_brings_that_back() -> None:
    with world() as told:
        target = _narrowed(told)
        (wide,) = _attached(told)
        repair = _converted(told, target)
        (narrow,) = _attached(told)
        assert wide != narrow
        local = [one["PolicyName"] for one in told.client("iam").list_policies(Scope="Local")["Policies"]]
        assert local == [narrow]
        _perform(told, target, repair, repair.undo)
        assert _attached(told) == {wide}
        arn = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/{wide}"
        version = told.client("iam").get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
        assert version == WIDE


def test_a_policy_that_only_looks_like_an_earlier_copy_stays() -> None:
    with world() as told:
        target = _user(told, reports=READ)
        iam = told.client("iam")
        name = "user-ann-reports-0123456789ab"
        said = "Inline policy reports of user ann, made a managed one by Plumbline"
        arn = iam.create_policy(PolicyName=name, Path="/plumbline/", PolicyDocument=json.dumps(WIDE), Description=said)[
            "Policy"
        ]["Arn"]
        iam.attach_user_policy(UserName="ann", PolicyArn=arn)
        assert name in _attached(told)
        _converted(told, target)
        assert name in _attached(told)


def test_thirty_roles_made_converted_and_deleted_leave_nothing() -> None:
    with world() as told:
        _forgotten(told, 30)
        state = observe(told.accounts.eyes(ACCOUNT, GLOBAL), PLACE)
        found = detect(state, TELL)
        assert found is not None
        assert (len(found.items), found.clock) == (30, "unheld")
        repair = plan(PLACE, state, TELL)
        _perform(told, PLACE, repair, repair.do)
        assert told.client("iam").list_policies(Scope="Local")["Policies"] == []


@pytest.mark.parametrize("change", ["held", "changed", "elsewhere", "another text"])
def test_what_somebody_holds_or_changed_or_made_is_nobodys_leftover(change: str) -> None:
    with world() as told:
        iam = told.client("iam")
        target = _user(told, reports=READ)
        repair = _converted(told, target)
        (arn,) = {call.parameters["PolicyArn"] for call in repair.do if "PolicyArn" in call.parameters}
        if change != "held":
            iam.detach_user_policy(UserName="ann", PolicyArn=arn)
        if change == "changed":
            iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(WIDE), SetAsDefault=True)
        if change in ("elsewhere", "another text"):
            iam.delete_policy(PolicyArn=arn)
            path, text = ("/", READ) if change == "elsewhere" else ("/plumbline/", WIDE)
            iam.create_policy(PolicyName=arn.rpartition("/")[2], Path=path, PolicyDocument=json.dumps(text))
        assert detect(observe(told.accounts.eyes(ACCOUNT, GLOBAL), PLACE), TELL) is None


def test_aws_quarantine_is_left_and_what_only_bears_its_name_is_not() -> None:
    def quarantined(told: World) -> Target:
        return _user(told, AWSCompromisedKeyQuarantineV2=QUARANTINE, AWSCompromisedKeyQuarantineV3=READ)

    _, state, repair = _told(quarantined)
    assert list(state["becomes"]) == ["AWSCompromisedKeyQuarantineV3"]  # type: ignore[call-overload]
    assert [call.operation for call in repair.do] == ["CreatePolicy", "AttachUserPolicy", "DeleteUserPolicy"]


def test_what_is_too_long_holds_up_no_other() -> None:
    target, state, _ = _told(lambda told: _user(told, a=READ, b=READ))
    repair = plan(target, {**state, "inline": {"a": LONG, "b": READ}}, TELL)
    assert {call.parameters["PolicyName"] for call in repair.do if call.operation == "DeleteUserPolicy"} == {"b"}
    assert repair.left == {"a": "it has more than the 6,144 characters a managed policy may have; split it"}


def test_white_space_is_not_counted() -> None:
    target, state, _ = _told(lambda told: _user(told, a=READ))
    spaced = {"Statement": [{"Sid": " " * 6144, "Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
    assert plan(target, {**state, "inline": {"a": spaced}}, TELL).steps


def test_a_repair_from_before_is_compared_by_what_both_versions_know() -> None:
    """What version 0.1 kept had neither `earlier` nor copies of other names in it."""
    _, state, repair = _told(lambda told: _user(told, reports=READ))
    earlier = {key: value for key, value in state.items() if key != "earlier"}
    assert part(earlier, repair) == part(state, repair)
    assert part({**state, "attached": ["arn:aws:iam::aws:policy/X"]}, repair) == part(state, repair)


#: A copy as version 0.1 named it.
EARLIER = (
    "user-ann-reports-"
    + hashlib.sha256(json.dumps(["user", "ann", "reports", READ], sort_keys=True).encode()).hexdigest()[:12]
)


def test_a_copy_of_version_0_1_is_the_same_copy() -> None:
    assert name_of("user", "ann", "reports", READ) == EARLIER


@given(NAMES, NAMES, NAMES, st.sampled_from(["user", "group", "role"]))
def test_a_copy_proves_itself_whatever_the_names(owner: str, inline: str, other: str, kind: str) -> None:
    name = name_of(kind, owner, inline, READ)
    assert len(name) <= 128
    arn, said = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/{name}", description(kind, owner, inline)
    assert is_copy(arn, READ, said)
    assert kind == "role" or not is_copy(arn, WIDE, said)
    found = {"kind": kind, "name": owner.swapcase()}
    assert earlier(found, [inline], {arn: READ}) in ({arn: inline}, {} if len(name) == 128 else None)
    if not same_name(owner, other):
        assert earlier({"kind": kind, "name": other}, [inline], {arn: READ}) == {}


def test_names_kept_are_compared_as_iam_does() -> None:
    _, state, _ = _told(lambda told: _user(told, reports=READ))
    assert detect(state, {**TELL, "keep_inline": ["user/ANN"]}) is None


@pytest.mark.parametrize(("event", "name"), [("UpdateUser", "builder"), ("UpdateGroup", "runners")])
def test_what_is_renamed_is_looked_at_under_its_new_name(event: str, name: str) -> None:
    heard = Recorded(CONTROL.id, folder(CONTROL.id) / f"{event}.json").event()
    assert [name] == [wake.target.id for wake in from_event(heard, {CONTROL.id: CONTROL})]


@pytest.mark.parametrize("kept", ["role/apps/web", "role/apps/*"])
def test_a_reviewed_one_to_one_link_is_kept(kept: str) -> None:
    _, state, _ = _told(_role)
    assert detect(state, {**TELL, "keep_inline": [kept]}) is None


def test_a_link_kept_for_a_role_is_not_kept_for_a_user_of_that_name() -> None:
    _, state, _ = _told(lambda told: _user(told, reports=READ))
    assert detect(state, {**TELL, "keep_inline": ["role/ann", "group/*"]})


def test_an_administrators_policy_is_never_laundered_into_a_managed_one() -> None:
    _, state, _ = _told(lambda told: _user(told, everything=ADMIN))
    assert detect(state, TELL) is None


def test_what_stands_under_the_name_is_not_attached_unread() -> None:
    _, _, repair = _told(_taken)
    assert not repair.steps
    assert "says something else" in repair.refusal


def test_an_owner_of_ten_managed_policies_is_left_to_a_person() -> None:
    expected = "it would hold more than 10 managed policies, AWS's default quota; merge some first"
    assert expected == _told(_full)[2].refusal


def test_a_document_too_long_for_a_managed_policy_is_left_to_a_person() -> None:
    target, state, _ = _told(_role)
    assert "6,144" in plan(target, state | {"inline": {"reports": LONG}}, CONVERT).refusal


def test_a_long_name_is_cut_and_stays_its_own() -> None:
    with world() as told:
        target = _user(told)
        for last in "ab":
            told.client("iam").put_user_policy(
                UserName="ann", PolicyName="x" * 127 + last, PolicyDocument=json.dumps(READ)
            )
        state = observe(told.accounts.eyes(ACCOUNT, GLOBAL), target)
        assert state is not None
        names = {arn.rpartition("/")[2] for arn in state["becomes"].values()}
    assert {len(name) for name in names} == {128}
    assert len(names) == 2


def test_service_linked_roles_and_those_of_identity_center_are_left_out() -> None:
    with world() as told:
        _role(told, "/aws-service-role/ec2.amazonaws.com/")
        eyes = told.accounts.eyes(ACCOUNT, GLOBAL)
        assert observe(eyes, _target("role", "web")) is None
        assert _target("role", "web") not in survey(eyes)
    _, state, _ = _told(lambda told: _role(told, "/aws-reserved/sso.amazonaws.com/"))
    assert detect(state, TELL) is None


def test_what_is_gone_is_fine() -> None:
    with world() as told:
        for kind in ("user", "group", "role"):
            assert observe(told.accounts.eyes(ACCOUNT, GLOBAL), _target(kind, "nobody")) is None
    assert detect(None, TELL) is None


@pytest.mark.parametrize(
    ("name", "effect", "expected"),
    [("AWSRevokeOlderSessions", "Deny", True), ("AWSRevokeOlderSessions", "Allow", False), ("mine", "Deny", False)],
)
def test_what_ends_a_roles_older_sessions_is_awss_work(name: str, effect: str, expected: bool) -> None:  # noqa: FBT001
    assert expected is is_of_aws(name, {"Statement": [{"Effect": effect, "Action": "*", "Resource": "*"}]})
