"""iam-support-role: that nobody can open a support case is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plumbline.controls.iam.iam_support_role import CONTROL, describe, detect, observe
from plumbline.core.control import Deviation
from plumbline.core.targets import GLOBAL, State, Target
from tests.story import ACCOUNT, Story, World, signs_in, world

CASE = Target(ACCOUNT, GLOBAL, "iam-support", "case")
SUPPORT = "arn:aws:iam::aws:policy/AWSSupportAccess"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
GITHUB = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
NOBODY = Deviation("is nobody's", ("nobody can open a support case",))


def _role(iam: Any, name: str, policy: str = SUPPORT, **principal: str) -> None:
    statement = {"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole", "sts:AssumeRoleWithSAML"]}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    iam.attach_role_policy(RoleName=name, PolicyArn=policy)


def _nobody(_world: World) -> Target:
    return CASE


def _an_empty_group(world: World) -> Target:
    iam = world.client("iam")
    iam.create_group(GroupName="support")
    iam.attach_group_policy(GroupName="support", PolicyArn=SUPPORT)
    return CASE


def _nobody_who_can_come_in(world: World) -> Target:
    iam = world.client("iam")
    iam.create_user(UserName="robot")
    iam.attach_user_policy(UserName="robot", PolicyArn=ADMINISTRATOR)
    _role(iam, "sso", Federated=f"arn:aws:iam::{ACCOUNT}:saml-provider/gone")
    return CASE


STORIES = (
    Story("nobody may", CONTROL.id, _nobody, alert_only=True),
    Story("only a group may that nobody is in", CONTROL.id, _an_empty_group, alert_only=True),
    Story("only those may as whom nobody comes in", CONTROL.id, _nobody_who_can_come_in, alert_only=True),
)


def _seen(told: World) -> State:
    return observe(told.accounts.eyes(ACCOUNT, GLOBAL), CASE)


def _console_user_in_a_group(iam: Any) -> None:
    iam.create_user(UserName="ann")
    signs_in(iam, "ann")
    iam.create_group(GroupName="support")
    iam.attach_group_policy(GroupName="support", PolicyArn=SUPPORT)
    iam.add_user_to_group(GroupName="support", UserName="ann")


def _administrator_with_a_password(iam: Any) -> None:
    iam.create_user(UserName="ann")
    iam.create_login_profile(UserName="ann", Password="correct horse Battery 9")
    iam.attach_user_policy(UserName="ann", PolicyArn=ADMINISTRATOR)


def _inline(iam: Any) -> None:
    iam.create_user(UserName="ann")
    iam.create_login_profile(UserName="ann", Password="correct horse Battery 9")
    allowed = {"Effect": "Allow", "Action": ["support:*"], "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="ann", PolicyName="support", PolicyDocument=text)


def _saml(iam: Any) -> None:
    metadata = "<EntityDescriptor>" + "x" * 1000 + "</EntityDescriptor>"
    provider = iam.create_saml_provider(SAMLMetadataDocument=metadata, Name="okta")["SAMLProviderArn"]
    _role(iam, "support", Federated=provider)


def _another_account(iam: Any) -> None:
    _role(iam, "support", AWS="arn:aws:iam::444455556666:root")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (_console_user_in_a_group, "user ann can"),
        (_administrator_with_a_password, "user ann can"),
        (_inline, "user ann can"),
        (_saml, "role support can"),
        (_another_account, "role support can"),
    ],
)
def test_somebody_who_can_come_in_is_enough(made: Any, expected: str) -> None:
    with world() as told:
        made(told.client("iam"))
        seen = _seen(told)
    assert (expected, None) == (describe(seen), detect(seen, {}))


def test_a_denial_counts() -> None:
    with world() as told:
        iam = told.client("iam")
        _administrator_with_a_password(iam)
        denied = {"Effect": "Deny", "Action": "support:CreateCase", "Resource": "*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
        iam.put_user_policy(UserName="ann", PolicyName="no-support", PolicyDocument=text)
        seen = _seen(told)
    assert ("no policy lets anybody", NOBODY) == (describe(seen), detect(seen, {}))


def test_no_service_and_no_machine_opens_a_case() -> None:
    with world() as told:
        iam = told.client("iam")
        _role(iam, "ci", Federated=GITHUB)
        _role(iam, "function", policy=ADMINISTRATOR, Service="lambda.amazonaws.com")
        seen = _seen(told)
    assert NOBODY == detect(seen, {})
    assert describe(seen) == (
        "role ci may, and is a machine's: tokens come from token.actions.githubusercontent.com; "
        "role function may, and is lambda.amazonaws.com's to use, and no person's"
    )


def test_whoever_can_is_found_without_asking_about_everybody() -> None:
    with world() as told:
        iam = told.client("iam")
        _another_account(iam)
        _administrator_with_a_password(iam)
        told.calls.clear()
        _seen(told)
        assert ["GetAccountAuthorizationDetails"] == [call.operation for call in told.calls]
