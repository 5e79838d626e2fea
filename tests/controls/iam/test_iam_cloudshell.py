"""iam-cloudshell: whoever has all of CloudShell, and is not named, is told of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plumbline.controls.iam.iam_cloudshell import CONTROL, describe, detect, excepted, observe
from plumbline.core.control import Deviation
from plumbline.core.targets import GLOBAL, State, Target
from tests.story import ACCOUNT, Story, World, world

FULL = "arn:aws:iam::aws:policy/AWSCloudShellFullAccess"
ANN = Target(ACCOUNT, GLOBAL, "iam-user", "ann")
NOBODY: dict[str, Any] = {"allowed": []}


def _text(*actions: str, effect: str = "Allow") -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": list(actions), "Resource": "*"}]}
    )


def _user_attached(world: World) -> Target:
    world.client("iam").create_user(UserName="ann")
    world.client("iam").put_user_policy(UserName="ann", PolicyName="reads", PolicyDocument=_text("s3:Get*"))
    world.client("iam").attach_user_policy(UserName="ann", PolicyArn=FULL)
    return ANN


def _group_by_a_policy_of_ours(world: World) -> Target:
    iam = world.client("iam")
    iam.create_group(GroupName="engineers")
    arn = iam.create_policy(PolicyName="shell", PolicyDocument=_text("cloudshell:*"))["Policy"]["Arn"]
    iam.attach_group_policy(GroupName="engineers", PolicyArn=arn)
    iam.put_group_policy(GroupName="engineers", PolicyName="reads", PolicyDocument=_text("s3:Get*"))
    return Target(ACCOUNT, GLOBAL, "iam-group", "engineers")


def _role_inline(world: World) -> Target:
    iam = world.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="ops", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trust}))
    iam.put_role_policy(RoleName="ops", PolicyName="move", PolicyDocument=_text("CloudShell:GetFile*"))
    return Target(ACCOUNT, GLOBAL, "iam-role", "ops")


STORIES = (
    Story("a user is given AWSCloudShellFullAccess", CONTROL.id, _user_attached, alert_only=True),
    Story("a group has it by a policy of its own", CONTROL.id, _group_by_a_policy_of_ours, alert_only=True),
    Story("a role has it by an inline policy", CONTROL.id, _role_inline, alert_only=True),
)


def _seen(told: World, target: Target = ANN) -> State:
    return observe(told.accounts.eyes(ACCOUNT, GLOBAL), target)


def test_who_has_it_and_is_not_named_deviates_and_says_by_which_policy() -> None:
    with world() as told:
        seen = _seen(told, _user_attached(told))
    expected = Deviation("has all of CloudShell, and the baseline does not say so", (FULL,))
    assert (expected, "all of CloudShell by AWSCloudShellFullAccess") == (detect(seen, NOBODY), describe(seen))


@pytest.mark.parametrize("named", ["user/ann", "user/A*", "user/AN?"])
def test_whom_the_baseline_allows_is_fine_in_any_spelling(named: str) -> None:
    with world() as told:
        seen = _seen(told, _user_attached(told))
    assert (None, True) == (detect(seen, {"allowed": [named]}), excepted(ANN, {"allowed": [named]}))


def test_a_role_is_allowed_with_its_path_or_without() -> None:
    state = {"kind": "role", "name": "team/ops", "arn": f"arn:aws:iam::{ACCOUNT}:role/team/ops", "groups": []}
    given = state | {"keeper": "", "by": [FULL]}
    assert [None, None] == [detect(given, {"allowed": [one]}) for one in ("role/team/ops", "role/ops")]
    assert detect(given, {"allowed": ["role/team"]})


@pytest.mark.parametrize(
    "people",
    [
        {"operators": [f"arn:aws:iam::{ACCOUNT}:user/ann"]},
        {"deployers": ["arn:aws:iam::*:user/ann"]},
        {"administrators": {"users": ["Ann"], "groups": [], "roles": []}},
    ],
)
def test_administrators_operators_and_deployers_need_no_other_line(people: dict[str, Any]) -> None:
    with world() as told:
        seen = _seen(told, _user_attached(told))
    assert detect(seen, NOBODY | {"people": people}) is None


def test_members_of_the_administrators_group_are_administrators_while_no_user_is_named() -> None:
    with world() as told:
        target = _user_attached(told)
        told.client("iam").create_group(GroupName="administrators")
        told.client("iam").add_user_to_group(UserName="ann", GroupName="administrators")
        seen = _seen(told, target)
    assert detect(seen, NOBODY) is None


@pytest.mark.parametrize(
    "policy",
    ["AdministratorAccess", "AWSManagementConsoleBasicUserAccess", "ReadOnlyAccess"],
)
def test_other_policies_of_aws_are_not_this_rules_business(policy: str) -> None:
    with world() as told:
        told.client("iam").create_user(UserName="ann")
        told.client("iam").attach_user_policy(UserName="ann", PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        assert detect(_seen(told), NOBODY) is None


def test_cloudshell_without_file_transfer_is_fine_by_what_is_allowed_or_by_what_is_denied() -> None:
    with world() as told:
        iam = told.client("iam")
        for name in ("ann", "bob"):
            iam.create_user(UserName=name)
        opens = _text("cloudshell:CreateSession", "cloudshell:StartEnvironment")
        iam.put_user_policy(UserName="ann", PolicyName="opens", PolicyDocument=opens)
        denied = _text("cloudshell:GetFileDownloadUrls", "cloudshell:GetFileUploadUrls", effect="Deny")
        iam.put_user_policy(UserName="bob", PolicyName="no-files", PolicyDocument=denied)
        iam.attach_user_policy(UserName="bob", PolicyArn=FULL)
        assert [None, None] == [
            detect(_seen(told, Target(ACCOUNT, GLOBAL, "iam-user", one)), NOBODY) for one in ("ann", "bob")
        ]


def test_one_way_out_is_enough() -> None:
    with world() as told:
        _user_attached(told)
        denied = _text("cloudshell:GetFileUploadUrls", effect="Deny")
        told.client("iam").put_user_policy(UserName="ann", PolicyName="no-uploads", PolicyDocument=denied)
        assert detect(_seen(told), NOBODY)
