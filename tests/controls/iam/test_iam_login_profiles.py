"""iam-login-profiles: a console password of a user nobody listed is told; who enforces it has it deleted."""

from __future__ import annotations

import json
from datetime import date

import pytest

from plumbline.baseline.compiler import compile_text
from plumbline.controls.iam.iam_login_profiles import CONTROL, announced, detect, locate, observe, plan
from plumbline.core.calls import Call
from plumbline.core.clock import Response
from plumbline.core.control import Deviation
from plumbline.core.errors import BaselineError
from plumbline.core.targets import GLOBAL, Target
from plumbline.engine.surveying import survey
from tests.story import ACCOUNT, Story, World, defaults, world

ANN = Target(ACCOUNT, GLOBAL, "iam-login-profile", "ann")
HAS = {"user": "ann", "administrators": []}
AWS_ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
LISTED = {"allowed_users": ["bob"]}


def _password(world: World, user: str = "ann") -> Target:
    iam = world.client("iam")
    iam.create_user(UserName=user)
    iam.create_login_profile(UserName=user, Password="correct horse Battery 9")
    return Target(ACCOUNT, GLOBAL, "iam-login-profile", user)


def _with_a_report(world: World) -> Target:
    target = _password(world)
    world.client("iam").create_user(UserName="quiet")
    world.client("iam").generate_credential_report()
    return target


def _last_administrator(world: World) -> Target:
    """Two who are administrators, of whom neither could come in: one has no MFA, one no password."""
    iam = world.client("iam")
    target = _password(world)
    iam.create_user(UserName="eve")
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName="eve")["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(
        UserName="eve", SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="234567"
    )
    iam.create_group(GroupName="administrators")
    iam.attach_group_policy(GroupName="administrators", PolicyArn=AWS_ADMIN)
    for user in ("ann", "eve"):
        iam.add_user_to_group(GroupName="administrators", UserName=user)
    return target


def _beside_strangers(world: World) -> Target:
    """An administrator's, beside a provider of people that is gone, and a role that a stranger's account may use."""
    target, iam = _last_administrator(world), world.client("iam")
    trusted = {"sso": {"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/gone"}, "partner": {"AWS": "444455556666"}}
    for name, principal in trusted.items():
        statement = {"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole", "sts:AssumeRoleWithSAML"]}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        iam.attach_role_policy(RoleName=name, PolicyArn=AWS_ADMIN)
    return target


STORIES = (
    Story("a password of a user nobody listed", CONTROL.id, _password, settings=LISTED, reset=False),
    Story("the same, told by a credential report", CONTROL.id, _with_a_report, settings=LISTED, reset=False),
    Story("an administrator's, and nobody else can come in", CONTROL.id, _last_administrator, LISTED, alert_only=True),
    Story("the same, and strangers have roles here", CONTROL.id, _beside_strangers, LISTED, alert_only=True),
)
#: What is taken here from the last who could come in; see tests/laws/test_last_way_in.py.
LAST_WAYS_IN = STORIES[-2:]


def test_a_password_of_an_unlisted_user_deviates_and_those_listed_are_fine_in_any_case() -> None:
    told = Deviation("has a console password, and the baseline lists none for this user", ("console password",))
    assert [told, None, None] == [
        detect(HAS, LISTED), detect(HAS, {"allowed_users": ["A?n"]}), detect(None, LISTED)
    ]  # fmt: skip


def test_as_long_as_nobody_is_listed_nothing_is_told() -> None:
    assert detect(HAS, defaults(CONTROL)) is None


def test_an_empty_list_is_refused_where_it_is_written() -> None:
    text = "controls:\n  iam-login-profiles:\n    allowed_users: []\n"
    with pytest.raises(BaselineError) as refused:
        compile_text(text, name="baseline.yaml", today=date(2026, 3, 2))
    (problem,) = refused.value.problems
    assert "baseline.yaml:3" in problem
    assert "this must not be empty; name at least one" in problem


def test_it_is_told_only_unless_somebody_enforces_it_and_then_a_week_later() -> None:
    assert (Response.ALERT, 7) == (CONTROL.response, CONTROL.clocks["default"].act.days)  # type: ignore[union-attr]


def test_the_repair_deletes_the_password_alone_and_says_that_nobody_can_bring_it_back() -> None:
    repair = plan(ANN, HAS, LISTED)
    assert (Call("iam", "DeleteLoginProfile", {"UserName": "ann"}, absent=("NoSuchEntity",)),) == repair.do
    assert ((), "nobody can bring the password back; whoever is to sign in again gets a new one") == (
        repair.undo,
        repair.irreversible,
    )


def test_with_a_report_nobody_is_asked_for_his_password() -> None:
    with world() as told:
        _with_a_report(told)
        told.calls.clear()
        seen = survey(CONTROL, told.accounts.eyes(ACCOUNT, GLOBAL)).states
        asked = {call.operation for call in told.calls}
    assert ([ANN], {"GetCredentialReport", "GetAccountAuthorizationDetails", "ListUsers"}) == ([*seen], asked)


def test_without_a_report_everybody_is_asked_and_nobody_is_taken_for_fine() -> None:
    with world() as told:
        _password(told)
        told.client("iam").create_user(UserName="quiet")
        eyes = told.accounts.eyes(ACCOUNT, GLOBAL)
        assert {ANN: observe(eyes, ANN)} == survey(CONTROL, eyes).states


def test_a_session_of_roots_own_is_about_roots_password() -> None:
    """Source: IAM API reference, CreateLoginProfile: without a user's name it is the caller's."""
    root = {"recipientAccountId": ACCOUNT, "userIdentity": {"sessionContext": {"assumedRoot": "true"}}}
    nobody = {"recipientAccountId": ACCOUNT, "userIdentity": {"sessionContext": {}}}
    assert ([], ["*"]) == ([*locate(root)], [one.id for one in locate(nobody)])


def test_a_password_that_came_and_went_is_told() -> None:
    detail = {"eventName": "CreateLoginProfile", "requestParameters": {"userName": "ann"}}
    with world() as told:
        eyes = told.accounts.eyes(ACCOUNT, GLOBAL)
        said = [announced(eyes, detail, state, LISTED) for state in (None, HAS)]
        said.append(announced(eyes, detail, None, defaults(CONTROL)))
    assert ["was given a console password, though the baseline lists none for this user", "", ""] == said
