"""iam-access-key-created: keys of users nobody listed are deactivated, one key at a time."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from plumbline.controls.iam._access_keys import locate
from plumbline.controls.iam._report import REPORT
from plumbline.controls.iam.iam_access_key_created import CONTROL, detect, observe, plan
from plumbline.core.calls import Call
from plumbline.core.control import Deviation
from plumbline.core.targets import GLOBAL, Target
from plumbline.engine.surveying import survey
from tests.fakes import Told
from tests.people import AWS_ADMIN, another_can_come_in, is_administrator, stranger_has_a_role, trust
from tests.story import ACCOUNT, Story, World, world

KEY = {"user": "ann", "key": "AKIAEXAMPLE", "status": "Active", "administrators": []}


def _key_of(world: World, user: str) -> Target:
    world.client("iam").create_user(UserName=user, Path="/people/")
    key = world.client("iam").create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
    return Target(ACCOUNT, GLOBAL, "iam-access-key", f"{user}/{key}")


def _report_then_key(world: World) -> Target:
    target = _key_of(world, "mallory")
    world.client("iam").generate_credential_report()
    return target


def _last_key(world: World) -> Target:
    """The key of the only administrator, who has no password and no MFA."""
    target = _key_of(world, "mallory")
    is_administrator(world, "mallory")
    return target


def _key_of_one_of_many(world: World) -> Target:
    """The key of an administrator beside whom one can come in, and some cannot."""
    target = _last_key(world)
    another_can_come_in(world)
    return target


def _last_key_but_for_a_stranger(world: World) -> Target:
    """The key of the only administrator of this account: another's may assume a role."""
    target = _last_key(world)
    stranger_has_a_role(world)
    return target


def _key_to_a_role(world: World) -> Target:
    """The key of a user with one right: to assume the only administrator's role."""
    target = _key_of(world, "mallory")
    iam = world.client("iam")
    iam.create_role(RoleName="administrator", AssumeRolePolicyDocument=trust(AWS=ACCOUNT))
    iam.attach_role_policy(RoleName="administrator", PolicyArn=AWS_ADMIN)
    allowed = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="mallory", PolicyName="become", PolicyDocument=document)
    return target


STORIES = (
    Story("a key for a user nobody listed", CONTROL.id, lambda world: _key_of(world, "mallory")),
    Story("the same, told by a credential report", CONTROL.id, _report_then_key),
    Story("the key of an administrator, and another can come in", CONTROL.id, _key_of_one_of_many),
    Story("the key of the only administrator", CONTROL.id, _last_key, alert_only=True),
    Story(
        "the same, and a stranger's account has a role here", CONTROL.id, _last_key_but_for_a_stranger, alert_only=True
    ),
    Story("the key of the only user who may become one", CONTROL.id, _key_to_a_role, alert_only=True),
)
#: What is taken here from the last who could come in; see tests/laws/test_last_way_in.py.
LAST_WAYS_IN = STORIES[-3:]


def test_the_refusal_says_who_could_not_come_in_and_what_to_do() -> None:
    with world() as told:
        target = _last_key(told)
        state = observe(told.accounts.eyes(ACCOUNT, GLOBAL), target)
        refusal = plan(target, state, {"allowed_users": []}).refusal
    assert refusal == (
        "nobody would be left who is an administrator by the baseline and can come in (user mallory has no MFA "
        "device), and you might be locked out; give one of your administrators a console password and MFA, or a way in "
        "through Identity Center or SAML, and name them under administrators in the baseline"
    )


def test_the_administrators_whom_the_baseline_names_count() -> None:
    named = {"allowed_users": [], "people": {"administrators": {"users": ["ann"], "groups": [], "roles": []}}}
    nobody = {"allowed_users": [], "people": {"administrators": {"users": ["eve"], "groups": [], "roles": []}}}
    with world() as told:
        target = _key_of_one_of_many(told)
        told.client("iam").attach_user_policy(UserName="ann", PolicyArn=AWS_ADMIN)
        state = observe(told.accounts.eyes(ACCOUNT, GLOBAL), target)
    assert (1, 0) == (len(plan(target, state, named).steps), len(plan(target, state, nobody).steps))


def test_the_key_of_who_is_no_administrator_costs_one_more_read() -> None:
    with world() as told:
        target = _key_of(told, "mallory")
        told.calls.clear()
        observe(told.accounts.eyes(ACCOUNT, GLOBAL), target)
        asked = [call.operation for call in told.calls]
    assert ["ListAccessKeys", "GetAccountAuthorizationDetails"] == asked


def test_an_active_key_of_an_unlisted_user_deviates() -> None:
    expected = Deviation("is not allowed: the baseline lists no key for its user", ("AKIAEXAMPLE",))
    assert expected == detect(KEY, {"allowed_users": ["bob", "ci-*"]})


def test_a_listed_user_an_inactive_key_and_a_missing_one_are_fine() -> None:
    assert detect(KEY, {"allowed_users": ["a?n"]}) is None
    assert detect(KEY | {"status": "Inactive"}, {"allowed_users": []}) is None
    assert detect(None, {"allowed_users": []}) is None


def test_a_user_who_was_made_or_renamed_since_the_credential_report_is_asked_for() -> None:
    with world() as told:
        key = _key_of(told, "ann").id.rpartition("/")[2]
        for name in ("quiet", "gone"):
            told.client("iam").create_user(UserName=name)
        told.client("iam").generate_credential_report()
        report = told.accounts.eyes(ACCOUNT, GLOBAL)(REPORT)
        told.client("iam").update_user(UserName="ann", NewUserName="mallory")
        told.client("iam").delete_user(UserName="gone")
        eyes = told.accounts.eyes(ACCOUNT, GLOBAL)
        seen = [*survey(CONTROL, Told(eyes, GetCredentialReport=report)).states]
    assert seen == [Target(ACCOUNT, GLOBAL, "iam-access-key", f"mallory/{key}")]


def test_a_key_that_was_switched_on_again_since_the_credential_report_is_seen() -> None:
    with world() as told:
        key = _key_of(told, "ann").id.rpartition("/")[2]
        iam = told.client("iam")
        iam.create_user(UserName="quiet")
        iam.update_access_key(UserName="ann", AccessKeyId=key, Status="Inactive")
        iam.generate_credential_report()
        report = told.accounts.eyes(ACCOUNT, GLOBAL)(REPORT)
        iam.update_access_key(UserName="ann", AccessKeyId=key, Status="Active")
        told.calls.clear()
        told_by = Told(told.accounts.eyes(ACCOUNT, GLOBAL), GetCredentialReport=report)
        seen = [*survey(CONTROL, told_by).states]
        asked = [call.parameters["UserName"] for call in told.calls if call.operation == "ListAccessKeys"]
    assert seen == [Target(ACCOUNT, GLOBAL, "iam-access-key", f"ann/{key}")]
    assert asked == ["ann"]


@given(st.text("aAbBcC", min_size=1, max_size=6))
def test_a_user_is_allowed_in_any_spelling_and_has_one_key(name: str) -> None:
    target = Target(ACCOUNT, GLOBAL, "iam-access-key", f"{name.swapcase()}/AKIAEXAMPLE")
    state = KEY | {"user": name}
    assert detect(state, {"allowed_users": [name.swapcase()]}) is None
    assert CONTROL.spell(target, state).id == f"{name}/AKIAEXAMPLE"
    assert replace(target, id=f"{name.upper()}/*").covers(replace(target, id=f"{name.lower()}/AKIAEXAMPLE"))


def test_who_is_renamed_is_looked_at_under_his_new_name() -> None:
    detail = {"recipientAccountId": ACCOUNT, "eventName": "UpdateUser"}
    renamed = detail | {"requestParameters": {"userName": "ci-deploy", "newUserName": "mallory"}}
    moved = detail | {"requestParameters": {"userName": "ci-deploy", "newPath": "/people/"}}
    assert [one.id for one in (*locate(renamed), *locate(moved))] == ["mallory/*", "ci-deploy/*"]


def test_the_repair_touches_one_key_and_can_be_taken_back() -> None:
    repair = plan(Target(ACCOUNT, GLOBAL, "iam-access-key", "ann/AKIAEXAMPLE"), KEY, {})
    key = {"UserName": "ann", "AccessKeyId": "AKIAEXAMPLE"}
    gone = ("NoSuchEntity",)
    assert repair.do == (Call("iam", "UpdateAccessKey", {**key, "Status": "Inactive"}, absent=gone),)
    assert repair.undo == (Call("iam", "UpdateAccessKey", {**key, "Status": "Active"}, absent=gone),)
