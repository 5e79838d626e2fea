"""iam-user-mfa: who has a console password and no MFA may, after a notice, do nothing but give himself MFA."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from plumbline.baseline.rules import Rule
from plumbline.controls.iam._report import REPORT
from plumbline.controls.iam.iam_user_mfa import CONTROL, NEEDLESS, detect, excepted, locate, observe, plan
from plumbline.core.calls import Call
from plumbline.core.control import Deviation
from plumbline.core.giving import Maker, maker
from plumbline.core.targets import GLOBAL, Target
from plumbline.engine.surveying import survey
from plumbline.findings import clocks
from plumbline.findings.finding import Status
from tests.deployed import STACK, as_deployed, properties
from tests.fakes import Told
from tests.people import another_can_come_in, holds_ten, is_administrator, own_denial, stranger_has_a_role
from tests.rig import NOW, Broken
from tests.story import ACCOUNT, Story, World, defaults, world

POLICY = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline-without-mfa"
EVE = Target(ACCOUNT, GLOBAL, "iam-user", "eve")
DEFAULT = defaults(CONTROL)
LACKS = Deviation("has a console password and no MFA", ("no MFA",))
DAY = timedelta(days=1)


def _stack(world: World) -> None:
    """What the stack brings: its policies that deny."""
    for name in ("without-mfa", "suspended"):
        own_denial(world, name)


def _eve(world: World) -> Target:
    """Eve, with a console password and no MFA."""
    _stack(world)
    world.client("iam").create_user(UserName="eve", Path="/people/")
    world.client("iam").create_login_profile(UserName="eve", Password="correct horse Battery 9")
    return EVE


def _told_by_a_report(world: World) -> Target:
    _eve(world)
    world.client("iam").generate_credential_report()
    return EVE


def _device(world: World, user: str = "eve") -> str:
    iam = world.client("iam")
    serial: str = iam.create_virtual_mfa_device(VirtualMFADeviceName=user)["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(
        UserName=user, SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="234567"
    )
    return serial


def _cured(world: World) -> Target:
    """Eve was denied all but MFA self-service, and has MFA now."""
    _eve(world)
    world.client("iam").attach_user_policy(UserName="eve", PolicyArn=POLICY)
    _device(world)
    return EVE


def _administrator(world: World) -> Target:
    _eve(world)
    is_administrator(world, "eve")
    return EVE


def _one_of_two(world: World) -> Target:
    _administrator(world)
    another_can_come_in(world)
    return EVE


def _but_for_a_stranger(world: World) -> Target:
    _administrator(world)
    stranger_has_a_role(world)
    return EVE


def _full(world: World) -> Target:
    _eve(world)
    holds_ten(world, "eve")
    return EVE


STORIES = (
    Story("a console password and no MFA", CONTROL.id, _eve),
    Story("the same, told by a credential report", CONTROL.id, _told_by_a_report),
    Story("MFA by now, and still denied the rest", CONTROL.id, _cured),
    Story("ten policies already", CONTROL.id, _full, alert_only=True),
    Story("an administrator, and another can come in", CONTROL.id, _one_of_two),
    Story("the only administrator", CONTROL.id, _administrator, alert_only=True),
    Story("the same, and a stranger's account has a role here", CONTROL.id, _but_for_a_stranger, alert_only=True),
)
#: What is taken here from the last who could come in; see tests/laws/test_last_way_in.py.
LAST_WAYS_IN = STORIES[-2:]


def _seen(told: World, target: Target = EVE) -> Any:
    return observe(told.accounts.eyes(ACCOUNT, GLOBAL), target)


def _judged(prepares: Callable[[World], object], **settings: Any) -> Deviation | None:
    """What is wrong with eve: by a look, by a sweep without a report, and by one with it."""
    with world() as told:
        prepares(told)
        states = [_seen(told), survey(CONTROL, told.accounts.eyes(ACCOUNT, GLOBAL)).states[EVE]]
        told.client("iam").generate_credential_report()
        states.append(survey(CONTROL, told.accounts.eyes(ACCOUNT, GLOBAL)).states[EVE])
        assert states[0] == states[1] == states[2]
        return detect(states[0], DEFAULT | settings)


def test_a_console_password_without_mfa_deviates() -> None:
    assert LACKS == _judged(_eve)


@pytest.mark.parametrize("has", ["no password", "a device", "the policy", "a suspension"])
def test_who_has_no_password_or_mfa_or_is_held_already_is_in_line(has: str) -> None:
    def prepares(told: World) -> None:
        _eve(told)
        iam = told.client("iam")
        if has == "no password":
            iam.delete_login_profile(UserName="eve")
        elif has == "a device":
            _device(told)
        elif has == "the policy":
            iam.attach_user_policy(UserName="eve", PolicyArn=POLICY)
        else:
            iam.attach_user_policy(UserName="eve", PolicyArn=POLICY.replace("without-mfa", "suspended"))

    assert _judged(prepares) is None


def test_who_needs_none_is_left_alone_and_freed() -> None:
    def held(told: World) -> None:
        _eve(told)
        told.client("iam").attach_user_policy(UserName="eve", PolicyArn=POLICY)

    found = _judged(held, allowed_users=["E*"])
    assert (None, True) == (_judged(_eve, allowed_users=["E*"]), excepted(EVE, DEFAULT | {"allowed_users": ["E*"]}))
    assert found
    assert ("needs no MFA, and is still denied what comes without MFA", NEEDLESS) == (found.summary, found.clock)


@pytest.mark.parametrize("why", ["has MFA", "has no console password any more"])
def test_who_needs_the_policy_no_more_is_freed_of_it(why: str) -> None:
    def cured(told: World) -> None:
        _cured(told)
        if why != "has MFA":
            iam = told.client("iam")
            iam.deactivate_mfa_device(UserName="eve", SerialNumber=f"arn:aws:iam::{ACCOUNT}:mfa/eve")
            iam.delete_login_profile(UserName="eve")

    found = _judged(cured)
    assert found
    assert (f"{why}, and is still denied what comes without MFA", NEEDLESS) == (found.summary, found.clock)


def test_one_policy_is_attached_and_taken_off_by_the_hands_that_give() -> None:
    with world() as told:
        _eve(told)
        put_on = plan(EVE, _seen(told), DEFAULT)
        told.perform(CONTROL, EVE, put_on.do, put_on.resources)
        _device(told)
        taken_off = plan(EVE, _seen(told), DEFAULT)
    both = {"UserName": "eve", "PolicyArn": POLICY}
    attach, detach = (
        Call("iam", "AttachUserPolicy", both),
        Call("iam", "DetachUserPolicy", both, absent=("NoSuchEntity",)),
    )
    assert ((attach,), (detach,)) == (put_on.do, put_on.undo)
    assert ((detach,), (attach,)) == (taken_off.do, taken_off.undo)
    assert {Maker.GIVING} == {maker(call) for call in (attach, detach)}


def test_the_e_mail_says_how_to_cure_it_and_that_keys_stop_as_well() -> None:
    with world() as told:
        _eve(told)
        means = plan(EVE, _seen(told), DEFAULT).means
    assert "Security credentials, Multi-factor authentication (MFA), Assign MFA device" in means
    assert "his access keys are denied as well" in means


def test_a_device_that_the_report_does_not_know_yet_is_asked_for_and_costs_one_read() -> None:
    with world() as told:
        _eve(told)
        told.client("iam").generate_credential_report()
        report = told.accounts.eyes(ACCOUNT, GLOBAL)(REPORT)
        _device(told)
        told.calls.clear()
        states = survey(CONTROL, Told(told.accounts.eyes(ACCOUNT, GLOBAL), GetCredentialReport=report)).states
        asked = [call.operation for call in told.calls]
    assert detect(states[EVE], DEFAULT) is None
    assert ["GetAccountAuthorizationDetails", "ListMFADevices"] == asked


def test_the_sweep_costs_two_reads_where_everybody_has_mfa() -> None:
    with world() as told:
        _eve(told)
        _device(told)
        told.client("iam").generate_credential_report()
        told.calls.clear()
        survey(CONTROL, told.accounts.eyes(ACCOUNT, GLOBAL))
        asked = [call.operation for call in told.calls]
    assert ["GetAccountAuthorizationDetails", "GetCredentialReport"] == sorted(asked)


def test_who_is_renamed_is_looked_at_under_his_new_name_and_an_event_without_one_at_all() -> None:
    detail = {"recipientAccountId": ACCOUNT, "eventName": "UpdateUser"}
    renamed = detail | {"requestParameters": {"userName": "eva", "newUserName": "eve"}}
    assert ["eve", "*"] == [one.id for one in (*locate(renamed), *locate(detail | {"requestParameters": None}))]


def test_from_the_notice_to_the_cure() -> None:
    rule = Rule(CONTROL.response, CONTROL.clocks, DEFAULT)
    with world() as told:
        broken = Broken.tell(STORIES[0], told)
        settle = broken.rig.install({CONTROL.id: rule}).engine.settle
        found = settle(broken.wake(), now=NOW).finding
        assert found
        assert NOW + 14 * DAY == clocks.acts_at(rule, found)
        held = settle(broken.wake(), now=NOW + 14 * DAY).finding
        assert held
        assert Status.REPAIRED is held.status
        _device(told)
        needless = settle(broken.wake(), now=NOW + 15 * DAY).finding
        assert needless
        assert (NEEDLESS, Status.OPEN) == (needless.deviation.clock, needless.status)
        free = settle(broken.wake(), now=NOW + 15 * DAY + timedelta(hours=1)).finding
        assert free
        assert Status.REPAIRED is free.status
        attached = told.client("iam").list_attached_user_policies(UserName="eve")["AttachedPolicies"]
        assert [] == attached


def test_what_is_denied_without_mfa_is_everything_but_mfa_self_service() -> None:
    """Source: IAM user guide, IAM: Allows IAM users to self-manage an MFA device; its Deny stops plain keys as well."""
    document = as_deployed(properties("AWS::IAM::ManagedPolicy")["WithoutMfaPolicy"]["PolicyDocument"], {}, STACK)
    (denied,) = document["Statement"]
    of_the_guide = {
        f"iam:{one}"
        for one in (
            "CreateVirtualMFADevice", "EnableMFADevice", "ListMFADevices", "ListUsers", "ListVirtualMFADevices",
            "ResyncMFADevice",
        )
    }  # fmt: skip
    more = {
        "iam:ChangePassword",
        "iam:GetAccountPasswordPolicy",
        "iam:GetMFADevice",
        "iam:GetUser",
        "sts:GetSessionToken",
    }
    assert of_the_guide | more == set(denied["NotAction"])
    assert ("Deny", "*", {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}) == (
        denied["Effect"], denied["Resource"], denied["Condition"],
    )  # fmt: skip


def test_the_second_of_two_administrators_without_mfa_stays_as_well() -> None:
    """Nobody without MFA is taken for one who can come in."""
    with world() as told:
        _administrator(told)
        iam = told.client("iam")
        iam.create_user(UserName="bo")
        iam.create_login_profile(UserName="bo", Password="correct horse Battery 9")
        iam.add_user_to_group(GroupName="administrators", UserName="bo")
        refused = [plan(one, _seen(told, one), DEFAULT).refusal for one in (EVE, replace(EVE, id="bo"))]
    assert [True, True] == ["you might be locked out; " in one for one in refused]
