"""iam-inline-policies: inline policies become managed ones, without a moment in which a right is missing."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from plumbline.controls.iam.iam_inline_policies import CONTROL, detect, observe, plan, survey
from plumbline.core.calls import Plan
from plumbline.core.control import Deviation
from plumbline.core.targets import GLOBAL, Target
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
    create = plan(target, before, {"keep_inline": []}).do[0]
    world.client("iam").create_policy(**create.parameters)
    return target


def _taken(world: World) -> Target:
    """Somebody waits under the name with other rights."""
    target = _user(world, reports=READ)
    before = observe(world.accounts.eyes(ACCOUNT, GLOBAL), target)
    create = dict(plan(target, before, {"keep_inline": []}).do[0].parameters)
    world.client("iam").create_policy(**create | {"PolicyDocument": json.dumps(ADMIN)})
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
    Story("a role", CONTROL.id, _role),
    Story("an earlier repair crashed half-way", CONTROL.id, _crashed),
    Story("another policy stands under the name", CONTROL.id, _taken, alert_only=True),
    Story("ten managed policies are attached", CONTROL.id, _full, alert_only=True),
)


def _told(breaks: Callable[[World], Target]) -> tuple[Target, dict[str, object], Plan]:
    with world() as told:
        target = breaks(told)
        state = observe(told.accounts.eyes(ACCOUNT, GLOBAL), target)
        assert state is not None
        return target, dict(state), plan(target, state, {"keep_inline": []})


def test_the_managed_policy_is_attached_before_the_inline_one_goes() -> None:
    _, _, repair = _told(lambda told: _user(told, reports=READ))
    assert [call.operation for call in repair.do] == ["CreatePolicy", "AttachUserPolicy", "DeleteUserPolicy"]
    assert [call.operation for call in repair.undo] == ["PutUserPolicy", "DetachUserPolicy", "DeletePolicy"]
    assert json.loads(repair.do[0].parameters["PolicyDocument"]) == READ


def test_a_role_has_a_clock_of_its_own() -> None:
    _, state, _ = _told(_role)
    assert detect(state, {"keep_inline": []}) == Deviation("has an inline policy", ("reports",), clock="role")


@pytest.mark.parametrize(("event", "name"), [("UpdateUser", "builder"), ("UpdateGroup", "runners")])
def test_what_is_renamed_is_looked_at_under_its_new_name(event: str, name: str) -> None:
    heard = Recorded(CONTROL.id, folder(CONTROL.id) / f"{event}.json").event()
    assert [name] == [wake.target.id for wake in from_event(heard, {CONTROL.id: CONTROL})]


@pytest.mark.parametrize("kept", ["role/apps/web", "role/apps/*"])
def test_a_reviewed_one_to_one_link_is_kept(kept: str) -> None:
    _, state, _ = _told(_role)
    assert detect(state, {"keep_inline": [kept]}) is None


def test_a_link_kept_for_a_role_is_not_kept_for_a_user_of_that_name() -> None:
    _, state, _ = _told(lambda told: _user(told, reports=READ))
    assert detect(state, {"keep_inline": ["role/ann", "group/*"]})


def test_an_administrators_policy_is_never_laundered_into_a_managed_one() -> None:
    _, state, _ = _told(lambda told: _user(told, everything=ADMIN))
    assert detect(state, {"keep_inline": []}) is None


def test_what_stands_under_the_name_is_not_attached_unread() -> None:
    _, _, repair = _told(_taken)
    assert not repair.steps
    assert "says something else" in repair.refusal


def test_an_owner_of_ten_managed_policies_is_left_to_a_person() -> None:
    expected = "it would hold more than 10 managed policies, AWS's default quota; merge some first"
    assert expected == _told(_full)[2].refusal


def test_a_document_too_long_for_a_managed_policy_is_left_to_a_person() -> None:
    target, state, _ = _told(_role)
    long = {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{'x' * 6144}"}]}
    assert "6,144" in plan(target, state | {"inline": {"reports": long}}, {"keep_inline": []}).refusal


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
    assert detect(state, {"keep_inline": []}) is None


def test_what_is_gone_is_fine() -> None:
    with world() as told:
        for kind in ("user", "group", "role"):
            assert observe(told.accounts.eyes(ACCOUNT, GLOBAL), _target(kind, "nobody")) is None
    assert detect(None, {"keep_inline": []}) is None
