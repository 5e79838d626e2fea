"""iam-idle-users: who has not come in for too long is told of, and suspended two weeks later; never the last way in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from plumbline.baseline.rules import Rule
from plumbline.controls.iam._report import REPORT
from plumbline.controls.iam._suspending import PASSWORD, SUSPENDED
from plumbline.controls.iam.iam_idle_users import CONTROL, UNTRACED, detect, excepted, observe, plan
from plumbline.core.calls import Call
from plumbline.core.giving import Maker, maker
from plumbline.core.targets import GLOBAL, Target
from plumbline.engine.surveying import survey
from plumbline.findings import clocks
from plumbline.findings.finding import Status
from tests.ages import ago, born, key_made, key_used, signed_in
from tests.fakes import Told
from tests.people import another_can_come_in, holds_ten, is_administrator, own_denial, stranger_has_a_role
from tests.rig import NOW, Broken
from tests.story import ACCOUNT, Story, World, defaults, world

POLICY = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline-suspended"
EVE = Target(ACCOUNT, GLOBAL, "iam-user", "eve")
DEFAULT = defaults(CONTROL)
DAY = timedelta(days=1)


def _stack(world: World) -> None:
    """What the stack brings: the policy that denies everything."""
    own_denial(world, "suspended")


def _eve(world: World, days: float = 50) -> Target:
    """Eve, with a console password, who was made so long ago and has never come in."""
    _stack(world)
    iam = world.client("iam")
    iam.create_user(UserName="eve", Path="/people/")
    iam.create_login_profile(UserName="eve", Password="correct horse Battery 9")
    born("eve", days)
    return EVE


def _key(world: World, made: float, used: float | None = None, status: str = "Active") -> str:
    key: str = world.client("iam").create_access_key(UserName="eve")["AccessKey"]["AccessKeyId"]
    world.client("iam").update_access_key(UserName="eve", AccessKeyId=key, Status=status)
    key_made("eve", key, made)
    if used is not None:
        key_used("eve", key, used)
    return key


def _quiet(world: World) -> Target:
    """She came in once, and has a key that was used, both long ago."""
    target = _eve(world, 400)
    signed_in("eve", 80)
    _key(world, 300, 60)
    return target


def _told_by_a_report(world: World) -> Target:
    target = _quiet(world)
    world.client("iam").generate_credential_report()
    return target


def _full(world: World) -> Target:
    """She holds as many policies as AWS lets her, and has a key."""
    target = _eve(world, 400)
    iam = world.client("iam")
    iam.delete_login_profile(UserName="eve")
    _key(world, 300, 100)
    _fill(world)
    return target


def _fill(world: World) -> None:
    holds_ten(world, "eve")


def _with_an_ssh_key(world: World) -> Target:
    target = _eve(world)
    world.client("iam").upload_ssh_public_key(UserName="eve", SSHPublicKeyBody="ssh-rsa AAAA")
    return target


def _administrator(world: World) -> Target:
    """Eve is the only administrator who can come in."""
    target = _eve(world, 90)
    iam = world.client("iam")
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName="eve")["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(
        UserName="eve", SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="234567"
    )
    is_administrator(world, "eve")
    return target


def _one_of_two(world: World) -> Target:
    target = _administrator(world)
    another_can_come_in(world)
    return target


def _but_for_a_stranger(world: World) -> Target:
    target = _administrator(world)
    stranger_has_a_role(world)
    return target


STORIES = (
    Story("a password that was never used", CONTROL.id, _eve),
    Story("a password and a key, both used long ago", CONTROL.id, _quiet),
    Story("the same, told by a credential report", CONTROL.id, _told_by_a_report),
    Story("ten policies already, and a key", CONTROL.id, _full),
    Story("a key for Git that leaves no trace", CONTROL.id, _with_an_ssh_key),
    Story("an administrator, and another can come in", CONTROL.id, _one_of_two),
    Story("the only administrator who can come in", CONTROL.id, _administrator, alert_only=True),
    Story("the same, and a stranger's account has a role here", CONTROL.id, _but_for_a_stranger, alert_only=True),
)
#: What is taken here from the last who could come in; see tests/laws/test_last_way_in.py.
LAST_WAYS_IN = STORIES[-2:]


def _seen(told: World, target: Target = EVE) -> Any:
    return observe(told.accounts.eyes(ACCOUNT, GLOBAL), target)


def _surveyed(told: World, target: Target = EVE) -> Any:
    return survey(CONTROL, told.accounts.eyes(ACCOUNT, GLOBAL)).states[target]


def _judged(prepares: Callable[[World], object], days: int = 30) -> list[str]:
    """What is wrong with eve: by a look, by a sweep without a report, and by one with it."""
    with world() as told:
        _stack(told)
        prepares(told)
        states = [_seen(told), _surveyed(told)]
        told.client("iam").generate_credential_report()
        states.append(_surveyed(told))
        assert states[0] == states[1] == states[2]
        return [found.summary for state in states if (found := detect(state, DEFAULT | {"idle_days": days}))]


def _made(told: World, days: float, *, password: bool = True) -> None:
    iam = told.client("iam")
    iam.create_user(UserName="eve")
    if password:
        iam.create_login_profile(UserName="eve", Password="correct horse Battery 9")
    born("eve", days)


def test_what_was_never_used_counts_from_the_day_it_was_made() -> None:
    assert [] == _judged(lambda told: _made(told, 29))
    assert [f"was made on {ago(30):%Y-%m-%d}, unused, and could still come in"] * 3 == _judged(
        lambda told: _made(told, 30)
    )


def test_a_sign_in_or_the_use_of_one_key_is_enough() -> None:
    def signs(told: World) -> None:
        _made(told, 400)
        signed_in("eve", 29)

    def uses_one(told: World) -> None:
        _made(told, 400)
        signed_in("eve", 90)
        _key(told, 300, 200)
        _key(told, 300, 3)

    assert ([], []) == (_judged(signs), _judged(uses_one))


def test_the_latest_of_all_uses_is_told() -> None:
    def quiet(told: World) -> None:
        _made(told, 400)
        signed_in("eve", 90)
        _key(told, 300, 45)

    said = f"has not been active since {ago(45):%Y-%m-%d}, and could still come in"
    assert [said] * 3 == _judged(quiet)
    assert [] == _judged(quiet, days=60)


def test_a_machine_that_works_with_its_key_is_not_idle_without_a_password() -> None:
    def works(told: World) -> None:
        _made(told, 400, password=False)
        _key(told, 300, 1)

    def stopped(told: World) -> None:
        _made(told, 400, password=False)
        _key(told, 300, 31)

    assert (0, 3) == (len(_judged(works)), len(_judged(stopped)))


def test_a_key_that_was_just_made_is_a_new_beginning() -> None:
    def begins(told: World) -> None:
        _made(told, 400, password=False)
        _key(told, 2)

    assert [] == _judged(begins)


def test_a_key_that_is_off_by_now_was_used_all_the_same() -> None:
    def off(told: World) -> None:
        _made(told, 400)
        _key(told, 300, 2, "Inactive")

    assert [] == _judged(off)


def test_who_comes_in_by_nothing_is_not_idle() -> None:
    def nothing(told: World) -> None:
        _made(told, 400, password=False)
        _key(told, 300, 200, "Inactive")

    assert [] == _judged(nothing)


def test_who_is_suspended_already_is_in_line_whoever_did_it() -> None:
    def suspended(told: World) -> None:
        _made(told, 400)
        told.client("iam").attach_user_policy(UserName="eve", PolicyArn=POLICY)

    assert [] == _judged(suspended)


def test_who_may_be_idle_is_left_alone() -> None:
    allowed = DEFAULT | {"allowed_users": ["E?E"]}
    with world() as told:
        _eve(told)
        state = _seen(told)
    assert (None, True, False) == (detect(state, allowed), excepted(EVE, allowed), excepted(EVE, DEFAULT))


def test_who_is_renamed_since_the_credential_report_is_asked_for() -> None:
    with world() as told:
        _eve(told)
        told.client("iam").generate_credential_report()
        report = told.accounts.eyes(ACCOUNT, GLOBAL)(REPORT)
        told.client("iam").update_user(UserName="eve", NewUserName="eva")
        told.calls.clear()
        eyes = told.accounts.eyes(ACCOUNT, GLOBAL)
        seen = survey(CONTROL, Told(eyes, GetCredentialReport=report)).states
        asked = [call.parameters["UserName"] for call in told.calls if call.operation == "GetLoginProfile"]
    assert ([replace(EVE, id="eva")], ["eva"]) == ([*seen], asked)


def test_the_sweep_costs_three_reads_where_a_report_shows_that_everybody_is_active() -> None:
    with world() as told:
        _made(told, 400)
        signed_in("eve", 1)
        told.client("iam").generate_credential_report()
        told.calls.clear()
        survey(CONTROL, told.accounts.eyes(ACCOUNT, GLOBAL))
        asked = [call.operation for call in told.calls]
    assert ["GetAccountAuthorizationDetails", "GetCredentialReport", "ListUsers"] == sorted(asked)


def test_without_a_report_only_those_are_asked_for_who_have_not_signed_in() -> None:
    with world() as told:
        _made(told, 400)
        signed_in("eve", 1)
        told.calls.clear()
        survey(CONTROL, told.accounts.eyes(ACCOUNT, GLOBAL))
        asked = {call.operation for call in told.calls}
    assert {"GetCredentialReport", "GenerateCredentialReport", "GetAccountAuthorizationDetails", "ListUsers"} == asked


def test_the_repair_attaches_one_policy_by_the_hands_that_give_and_can_be_taken_back() -> None:
    with world() as told:
        _eve(told)
        repair = plan(EVE, _seen(told), DEFAULT)
    both = {"UserName": "eve", "PolicyArn": POLICY}
    assert (Call("iam", "AttachUserPolicy", both),) == repair.do
    assert (Call("iam", "DetachUserPolicy", both, absent=("NoSuchEntity",)),) == repair.undo
    assert {Maker.GIVING} == {maker(call) for call in (*repair.do, *repair.undo)}


def test_who_can_carry_no_more_loses_his_keys_and_his_password_is_named() -> None:
    with world() as told:
        _eve(told, 400)
        key = _key(told, 300, 100)
        _fill(told)
        state = _seen(told)
        found, repair = detect(state, DEFAULT), plan(EVE, state, DEFAULT)
        assert found
        assert (f"access key {key}", PASSWORD) == found.items
        assert [("UpdateAccessKey", "Inactive")] == [(one.operation, one.parameters.get("Status")) for one in repair.do]
        assert [PASSWORD] == list(repair.left)
        told.perform(CONTROL, EVE, repair.do, repair.resources)
        rest = detect(_seen(told), DEFAULT)
        assert rest
        assert (PASSWORD,) == rest.items
        told.client("iam").delete_login_profile(UserName="eve")
        assert detect(_seen(told), DEFAULT) is None


def test_of_two_administrators_who_are_both_idle_the_second_stays() -> None:
    with world() as told:
        _one_of_two(told)
        born("ann", 90)
        signed_in("ann", 60)
        ann = replace(EVE, id="ann")
        first = plan(EVE, _seen(told), DEFAULT)
        told.perform(CONTROL, EVE, first.do, first.resources)
        second = plan(ann, _seen(told, ann), DEFAULT)
    assert 1 == len(first.do)
    assert "you might be locked out; " in second.refusal


def test_an_operator_whom_the_baseline_names_stays() -> None:
    with world() as told:
        _eve(told)
        state = _seen(told)
    named = {"people": {"operators": [f"arn:aws:iam::{ACCOUNT}:user/people/EVE"]}}
    refused = plan(EVE, state, DEFAULT | named)
    assert ((), True) == (refused.steps, refused.refusal.startswith("`operators` in baseline.yaml names this user"))
    assert plan(EVE, state, DEFAULT | {"people": {"operators": [f"arn:aws:iam::{ACCOUNT}:user/ann"]}}).steps


def test_what_leaves_no_trace_is_a_persons_to_decide() -> None:
    with world() as told:
        _with_an_ssh_key(told)
        found = detect(_seen(told), DEFAULT)
    assert found
    assert (UNTRACED, (SUSPENDED,)) == (found.clock, found.items)


def test_a_sweep_lists_credentials_of_services_for_all_and_a_look_at_one_user_for_him() -> None:
    with world() as told:
        _told_by_a_report(told)
        told.calls.clear()
        survey(CONTROL, told.accounts.eyes(ACCOUNT, told.home))
        of_all = [one.parameters for one in told.calls if one.operation == "ListServiceSpecificCredentials"]
        told.calls.clear()
        observe(told.accounts.eyes(ACCOUNT, told.home), EVE)
        of_one = [one.parameters for one in told.calls if one.operation == "ListServiceSpecificCredentials"]
    assert ([True] * 4, [{"UserName": "eve"}]) == ([one.get("AllUsers") for one in of_all], of_one)


def test_a_restored_user_has_45_days_and_the_undo_stands_whenever_he_signs_in() -> None:
    rule = Rule(CONTROL.response, CONTROL.clocks, DEFAULT)
    with world() as told:
        broken = Broken.tell(STORIES[0], told)
        plumbline = broken.rig.install({CONTROL.id: rule})
        settle = plumbline.engine.settle
        found = settle(broken.wake(), now=NOW).finding
        assert found
        assert NOW + 15 * DAY == clocks.acts_at(rule, found)
        repaired = settle(broken.wake(), now=NOW + 15 * DAY).finding
        assert repaired
        assert Status.REPAIRED is repaired.status
        signed_in("eve", 0)  # she may sign in, and can do nothing
        undone_at = NOW + 20 * DAY
        assert broken.undone(plumbline, repaired, now=undone_at).finding.status is Status.UNDONE
        signed_in("eve", 50)
        again = settle(broken.wake(), now=undone_at).finding
        assert again
        assert (Status.EXEMPT, undone_at + 45 * DAY) == (again.status, clocks.acts_at(rule, again))
