"""iam-groups: the baseline's groups exist with exactly their policies."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from moto.iam.aws_managed_policies import aws_managed_policies_data

from plumbline.controls.iam.iam_groups import CONTROL, clashes, detect, plan
from plumbline.core.clock import Response
from plumbline.core.control import Deviation, Settings
from plumbline.core.targets import GLOBAL, Target
from plumbline.rights.administrators import AWS_ADMIN_POLICIES
from tests.story import ACCOUNT, Story, World, defaults

AWS = "arn:aws:iam::aws:policy/"
TARGET = Target(ACCOUNT, GLOBAL, "iam-groups", "baseline")
#: Groups that the giving hands may give all they get.
GIVEN = {
    "groups": {
        "data-engineers": ["AmazonAthenaFullAccess", "AWSGlueConsoleFullAccess"],
        "data-scientists": ["AmazonSageMakerFullAccess"],
    }
}
SETTINGS = {"groups": {"administrators": ["AdministratorAccess"], "billing": ["job-function/Billing"]}}
HELD = {
    "partition": "aws",
    "groups": {
        "administrators": [f"{AWS}AdministratorAccess"],
        "billing": [f"{AWS}job-function/Billing"],
        "others": [],
    },
}


def _fresh(world: World) -> Target:
    _deployed(world)
    return TARGET


def _deployed(world: World) -> None:
    """The stack has made what groups carry of our own."""
    says = {"guard": ("Deny", "lambda:UpdateFunctionCode"), "self-service": ("Allow", "iam:ChangePassword")}
    iam = world.client("iam")
    for name, (effect, action) in says.items():
        said = {"Effect": effect, "Action": action, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [said]})
        with suppress(iam.exceptions.EntityAlreadyExistsException):  # by another story of the same world
            iam.create_policy(PolicyName=f"plumbline-{name}", Path="/plumbline/", PolicyDocument=document)


def _changed(world: World) -> Target:
    _deployed(world)
    iam = world.client("iam")
    iam.create_group(GroupName="data-engineers")
    iam.attach_group_policy(GroupName="data-engineers", PolicyArn=f"{AWS}ReadOnlyAccess")
    iam.create_group(GroupName="others")
    iam.attach_group_policy(GroupName="others", PolicyArn=f"{AWS}ReadOnlyAccess")
    return TARGET


def _as_version_0_1_left_it(world: World) -> Target:
    """In order, but for what an earlier version gave."""
    _deployed(world)
    iam = world.client("iam")
    for name in ("AmazonAthenaFullAccess", "AWSGlueConsoleFullAccess", "AmazonS3FullAccess"):
        with suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_group(GroupName="data-engineers")
        iam.attach_group_policy(GroupName="data-engineers", PolicyArn=f"{AWS}{name}")
    iam.attach_group_policy(
        GroupName="data-engineers", PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline-self-service"
    )
    return TARGET


def _through_the_center(world: World) -> Target:
    """Nobody is in a group here: people are given roles by Identity Center."""
    trust = {"Version": "2012-10-17", "Statement": []}
    world.client("iam").create_role(
        RoleName="AWSReservedSSO_AdministratorAccess_0123456789abcdef",
        Path="/aws-reserved/sso.amazonaws.com/",
        AssumeRolePolicyDocument=json.dumps(trust),
    )
    return TARGET


def _of_administrators(world: World) -> Target:
    """What makes the baseline's administrators some is not what it lists."""
    iam = world.client("iam")
    iam.create_group(GroupName="administrators")
    iam.attach_group_policy(GroupName="administrators", PolicyArn=f"{AWS}AdministratorAccess")
    iam.attach_group_policy(GroupName="administrators", PolicyArn=f"{AWS}PowerUserAccess")
    return TARGET


LISTED = {"groups": {"administrators": ["PowerUserAccess"]}}
#: What is taken here from the last who could come in; see tests/laws/test_last_way_in.py.
LAST_WAYS_IN = (Story("what makes administrators", CONTROL.id, _of_administrators, settings=LISTED, alert_only=True),)
STORIES = (
    *LAST_WAYS_IN,
    Story("people come through Identity Center", CONTROL.id, _through_the_center, alert_only=True),
    Story("a fresh account", CONTROL.id, _fresh, settings=GIVEN),
    Story("one policy too few and one too many", CONTROL.id, _changed, settings=GIVEN),
    Story(
        "what version 0.1 gave",
        CONTROL.id,
        _as_version_0_1_left_it,
        settings={"groups": {"data-engineers": GIVEN["groups"]["data-engineers"]}},
    ),
)


def test_a_repair_says_which_policies_go_and_which_come() -> None:
    """The e-mail quotes it, and whoever did it looks for the policy that he attached."""
    wide, other = f"{AWS}AmazonS3FullAccess", f"{AWS}ReadOnlyAccess"
    there = {"administrators": [f"{AWS}AdministratorAccess"]}
    changed = HELD | {"groups": {**there, "billing": [wide, other]}}
    assert (
        "detaches AmazonS3FullAccess, ReadOnlyAccess from group billing and attaches job-function/Billing to it"
        == plan(TARGET, changed, SETTINGS).summary
    )
    widened = HELD | {"groups": {**there, "billing": [f"{AWS}job-function/Billing", wide]}}
    assert "detaches AmazonS3FullAccess from group billing" == plan(TARGET, widened, SETTINGS).summary


def test_groups_as_the_baseline_says_are_fine_and_others_are_left_alone() -> None:
    assert detect(HELD, SETTINGS) is None


def test_where_people_come_through_identity_center_a_missing_group_is_told_once_and_not_made() -> None:
    state = {**HELD, "identity_center": True, "groups": {"billing": [f"{AWS}job-function/Billing"]}}
    deviation = detect(state, SETTINGS)
    assert deviation == Deviation(
        "is not what the baseline says",
        ("administrators does not exist", "administrators lacks AdministratorAccess"),
        "identity-center",
    )
    made = plan(TARGET, state, SETTINGS)
    assert made.do == ()
    assert "people come into this account through Identity Center" in made.refusal
    assert CONTROL.clocks["identity-center"].act is None


def test_a_group_that_is_there_is_held_wherever_people_come_from() -> None:
    state = {**HELD, "identity_center": True, "groups": {"billing": []}}
    deviation = detect(state, SETTINGS)
    assert deviation
    assert deviation.clock == "default"
    made = plan(TARGET, state, SETTINGS)
    assert [call.operation for call in made.do] == ["AttachGroupPolicy"]
    assert set(made.left) == {"administrators does not exist", "administrators lacks AdministratorAccess"}


def test_each_wrong_fact_is_named() -> None:
    state = {**HELD, "groups": {"administrators": [f"{AWS}ReadOnlyAccess"]}}
    deviation = detect(state, SETTINGS)
    assert deviation
    assert deviation.items == (
        "administrators lacks AdministratorAccess",
        "administrators has ReadOnlyAccess as well",
        "billing does not exist",
        "billing lacks job-function/Billing",
    )


def test_what_is_too_much_goes_before_what_is_missing_comes() -> None:
    state = {**HELD, "groups": {**HELD["groups"], "administrators": [f"{AWS}ReadOnlyAccess"]}}  # type: ignore[dict-item]
    repair = plan(TARGET, state, SETTINGS)
    assert [call.operation for call in repair.do] == ["DetachGroupPolicy", "AttachGroupPolicy"]
    assert [call.operation for call in repair.undo] == ["DetachGroupPolicy", "AttachGroupPolicy"]
    assert not repair.irreversible


def test_a_policy_that_does_not_exist_is_an_error_and_not_a_success() -> None:
    repair = plan(TARGET, {**HELD, "groups": {}}, {"groups": {"g": ["NoSuchPolicy"]}})
    assert [call.absent for call in repair.do if call.operation == "AttachGroupPolicy"] == [()]


def test_a_deleted_groups_members_are_said_to_be_lost() -> None:
    assert "administrators" in plan(TARGET, {**HELD, "groups": {}}, SETTINGS).irreversible


def test_a_name_in_another_spelling_is_the_same_group() -> None:
    state = {**HELD, "groups": {"Administrators": [f"{AWS}AdministratorAccess"], "BILLING": []}}
    found = detect(state, SETTINGS)
    assert found is not None
    assert found.items == ("billing lacks job-function/Billing",)
    (step,) = plan(TARGET, state, SETTINGS).steps
    assert step.do.parameters == {"GroupName": "BILLING", "PolicyArn": f"{AWS}job-function/Billing"}


@given(st.text("aAbB", min_size=1, max_size=4))
def test_any_spelling_gives_one_verdict_and_one_plan(name: str) -> None:
    policies = [f"{AWS}ReadOnlyAccess"]
    state = {"partition": "aws", "groups": {name: policies}}
    verdicts = {
        (detect(state, {"groups": {spelled: ["ViewOnlyAccess", "ReadOnlyAccess"]}}) or Deviation("")).items[0].lower()
        for spelled in (name, name.lower(), name.upper(), name.swapcase())
    }
    assert verdicts == {f"{name.lower()} lacks viewonlyaccess"}
    for spelled in (name, name.swapcase()):
        repair = plan(TARGET, state, {"groups": {spelled: ["ViewOnlyAccess"]}})
        assert {call.parameters["GroupName"] for call in repair.do} == {name}


def test_two_spellings_of_one_group_are_an_error_in_the_baseline() -> None:
    twice = {"iam-groups": {"groups": {"ops": ["ReadOnlyAccess"], "Ops": ["ViewOnlyAccess"]}}}
    expected = "IAM takes Ops and ops for one name; write one of them, with all its policies"
    assert [(("groups", "Ops"), expected)] == list(clashes(twice))


def test_an_administrators_group_is_named_in_any_spelling() -> None:
    groups = {"groups": {"Admins": ["AdministratorAccess"]}}
    named = {"administrators": {"groups": ["admins"], "users": [], "roles": []}}
    assert list(clashes({"iam-groups": groups, "iam-admin-grants": named})) == []


def test_policies_are_those_of_the_accounts_own_partition() -> None:
    state = {"partition": "aws-cn", "groups": {"administrators": ["arn:aws-cn:iam::aws:policy/AdministratorAccess"]}}
    assert detect(state, {"groups": {"administrators": ["AdministratorAccess"]}}) is None


def test_an_own_policy_is_named_by_its_arn() -> None:
    own = f"arn:aws:iam::{ACCOUNT}:policy/team/x"
    assert detect({"partition": "aws", "groups": {"g": [own]}}, {"groups": {"g": [own]}}) is None


def test_every_default_policy_exists_and_only_administrators_become_administrators() -> None:
    known = {f"{one['Path']}{name}".lstrip("/") for name, one in json.loads(aws_managed_policies_data).items()}
    for group, names in defaults(CONTROL)["groups"].items():
        assert set(names) <= known
        assert bool(AWS_ADMIN_POLICIES & set(names)) == (group == "administrators")


def test_a_group_without_policies_is_an_error_in_the_baseline() -> None:
    schema = Draft202012Validator(CONTROL.settings["groups"])
    assert not schema.is_valid({"g": []})
    assert schema.is_valid(defaults(CONTROL)["groups"])


def test_an_own_policy_does_not_hide_behind_one_of_aws_of_the_same_name() -> None:
    own = "arn:aws:iam::123456789012:policy/ReadOnlyAccess"
    both = {"partition": "aws", "groups": {"billing": [own, f"{AWS}ReadOnlyAccess"]}}
    found = detect(both, SETTINGS)
    assert found is not None
    assert {f"billing has {own} as well", "billing has ReadOnlyAccess as well"} < set(found.items)


def test_what_is_left_alone_for_now_can_make_a_part_of_a_repair_impossible() -> None:
    nothing = plan(TARGET, {"partition": "aws", "groups": {}}, SETTINGS, {"billing lacks job-function/Billing"})
    why = "a group that is left alone for now does not exist, and nothing can be attached to it"
    assert nothing.refusal == why
    both = {"billing lacks job-function/Billing", "administrators does not exist"}
    some = plan(TARGET, {"partition": "aws", "groups": {}}, SETTINGS, both)
    assert [call.operation for call in some.do] == ["CreateGroup"]
    assert some.left == {"billing lacks job-function/Billing": why}


def test_a_full_group_holds_up_no_other() -> None:
    full = [f"{AWS}P{number}" for number in range(10)]
    state = {"partition": "aws", "groups": {"administrators": full, "billing": []}}
    lacking = {"administrators lacks AdministratorAccess", "billing lacks job-function/Billing"}
    repair = plan(TARGET, state, SETTINGS, lacking)
    assert [call.parameters["GroupName"] for call in repair.do] == ["billing"]
    assert {*repair.left} == {"administrators lacks AdministratorAccess"}
    assert "administrators would hold more than 10" in repair.left["administrators lacks AdministratorAccess"]
    assert plan(TARGET, state, SETTINGS).left == {}


def test_what_aws_attaches_to_a_group_in_quarantine_is_left() -> None:
    """AWS's own policy, by its ARN; one of the account's with that name is a policy like any other."""
    quarantined = [f"{AWS}job-function/Billing", f"{AWS}AWSCompromisedKeyQuarantineV2"]
    groups = {"administrators": [f"{AWS}AdministratorAccess"], "billing": quarantined}
    assert detect({**HELD, "groups": groups}, SETTINGS) is None
    own = f"arn:aws:iam::{ACCOUNT}:policy/AWSCompromisedKeyQuarantineV2"
    deviation = detect({**HELD, "groups": {**groups, "billing": [*quarantined, own]}}, SETTINGS)
    assert deviation
    assert deviation.items == (f"billing has {own} as well",)


GUARD = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline-guard"


def test_a_group_that_is_made_carries_the_guard_and_the_administrators_do_not() -> None:
    made = plan(TARGET, {"partition": "aws", "guard": GUARD, "groups": {}}, SETTINGS).do
    held = {(call.parameters["GroupName"], call.parameters.get("PolicyArn")) for call in made}
    assert ("billing", GUARD) in held
    assert ("administrators", GUARD) not in held


def test_the_guard_on_a_group_is_never_one_too_many() -> None:
    carried = {name: [*arns, GUARD] for name, arns in HELD["groups"].items()}  # type: ignore[attr-defined]
    assert detect({**HELD, "guard": GUARD, "groups": carried}, SETTINGS) is None


def test_a_group_that_is_there_without_it_is_as_the_baseline_says() -> None:
    """Who in it could change Plumbline is house-guard's to say."""
    assert detect({**HELD, "guard": GUARD}, SETTINGS) is None


def test_a_guard_that_would_be_the_eleventh_policy_stops_the_build() -> None:
    ten = [f"arn:aws:iam::{ACCOUNT}:policy/p{number}" for number in range(10)]
    named = {"administrators": {"groups": ["admins"], "users": [], "roles": []}}
    enforced = {CONTROL.id: {"groups": {"crowded": ten, "roomy": ten[:9], "admins": ten}}, "iam-admin-grants": named}
    (clash,) = clashes(enforced)
    why = "a group holds 10 policies, and plumbline-guard is one of them, which keeps who is in it from changing"
    assert (("groups", "crowded"), f"{why} Plumbline; name 9 at most, or merge two of yours") == clash


def test_what_may_be_all_that_makes_the_administrators_some_stays() -> None:
    own, reads = f"arn:aws:iam::{ACCOUNT}:policy/ours", f"{AWS}ReadOnlyAccess"
    groups = {"administrators": [own, reads], "billing": [f"{AWS}job-function/Billing"]}
    kept = plan(TARGET, {**HELD, "groups": groups}, {"groups": {"administrators": ["PowerUserAccess"]}})
    assert [(call.operation, call.parameters["PolicyArn"]) for call in kept.do] == [
        ("DetachGroupPolicy", reads),
        ("AttachGroupPolicy", f"{AWS}PowerUserAccess"),
    ]
    (why,) = kept.left.values()
    assert "without this nothing may make them some, and you might be locked out" in why
    groups["administrators"].append(f"{AWS}AdministratorAccess")
    free = plan(TARGET, {**HELD, "groups": groups}, SETTINGS)
    assert {own, reads} == {call.parameters["PolicyArn"] for call in free.do}


OWN = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline"
TEAM = {"groups": {"team": ["ReadOnlyAccess"]}, "self_service": True}
DECLARED = {
    "elsewhere": {"account-regions": {"allowed": ["eu-west-1"]}, "s3-group-access": {"buckets": {"acme-data": {}}}}
}


def _team(*arns: str) -> dict[str, object]:
    return {"partition": "aws", "guard": GUARD, "groups": {"team": [f"{AWS}ReadOnlyAccess", *arns]}}


def test_a_group_gets_self_service_and_the_administrators_do_not() -> None:
    found = detect(_team(), TEAM)
    assert found
    assert (f"team lacks {OWN}-self-service",) == found.items
    assert detect(_team(), {**TEAM, "self_service": False}) is None
    both = {**HELD, "guard": GUARD, "groups": {"administrators": [f"{AWS}AdministratorAccess"]}}
    assert detect(both, {"groups": {"administrators": ["AdministratorAccess"]}, "self_service": True}) is None


def test_what_denies_outside_the_buckets_comes_once_some_are_declared_and_goes_with_the_last() -> None:
    state = _team(f"{OWN}-self-service")
    assert detect(state, TEAM) is None
    found = detect(state, {**TEAM, **DECLARED})
    assert found
    assert (f"team lacks {OWN}-buckets",) == found.items
    late = detect(_team(f"{OWN}-self-service", f"{OWN}-buckets"), TEAM)
    assert late
    assert (f"team has {OWN}-buckets as well",) == late.items


def test_what_another_control_attaches_is_never_one_too_many() -> None:
    """The guard is house-guard's, and the denial of regions account-region-guard's, in whichever mode that is."""
    carried = _team(f"{OWN}-self-service", f"{OWN}-guard", f"{OWN}-regions")
    assert detect(carried, TEAM) is None
    assert detect(_team(f"{OWN}-self-service"), {**TEAM, "elsewhere": {"account-regions": {"allowed": ["x"]}}}) is None


def test_each_policy_of_our_own_counts_among_the_ten() -> None:
    groups = {"team": [f"arn:aws:iam::{ACCOUNT}:policy/p{number}" for number in range(7)]}
    enforced: dict[str, Settings] = {
        CONTROL.id: {"groups": groups, "self_service": True},
        "s3-group-access": {"buckets": {"acme-data": {}}},
        "account-regions": {"allowed": ["eu-west-1"]},
    }
    assert [] == list(clashes(enforced)), "nobody attaches the denial of regions"
    ((place, why),) = clashes({**enforced, "account-region-guard": {}})
    assert ("groups", "team") == place
    assert "name 6 at most" in why
    for said in ("plumbline-guard", "plumbline-regions", "plumbline-buckets", "plumbline-self-service"):
        assert said in why


def test_the_shipped_groups_fit_into_ten_with_all_that_there_is() -> None:
    enforced = {
        CONTROL.id: defaults(CONTROL),
        "iam-admin-grants": {"administrators": {"groups": ["administrators"], "users": [], "roles": []}},
        "s3-group-access": {"buckets": {"acme-data": {}}},
        "account-regions": {"allowed": ["eu-west-1"]},
        "account-region-guard": {},
    }
    assert [] == list(clashes(enforced))


def test_what_version_0_1_gave_is_taken_back_when_a_person_agrees_and_never_beside_something_else() -> None:
    settings = {"groups": {"data-engineers": ["AmazonAthenaFullAccess"], "team": ["ReadOnlyAccess"]}}
    given = [f"{AWS}AmazonAthenaFullAccess", f"{AWS}AmazonS3FullAccess"]
    before = {"partition": "aws", "groups": {"data-engineers": given, "team": [f"{AWS}ReadOnlyAccess"]}}
    found = detect(before, settings)
    assert found
    assert ("given-before", Response.PROPOSE) == (found.clock, CONTROL.clocks[found.clock].mode)
    assert [f"{AWS}AmazonS3FullAccess"] == [call.parameters["PolicyArn"] for call in plan(TARGET, before, settings).do]
    more = {**before, "groups": {"data-engineers": given, "team": []}}
    found = detect(more, settings)
    assert found
    assert "default" == found.clock
    repair = plan(TARGET, more, settings)
    assert [("AttachGroupPolicy", "team")] == [(call.operation, call.parameters["GroupName"]) for call in repair.do]
    assert ["data-engineers has AmazonS3FullAccess as well"] == list(repair.left)


def test_access_to_all_of_s3_that_anybody_else_got_is_one_too_many_like_any_other() -> None:
    found = detect(_team(f"{AWS}AmazonS3FullAccess", f"{OWN}-self-service"), TEAM)
    assert found
    assert "default" == found.clock


def test_a_baseline_that_names_access_to_all_of_s3_itself_has_it() -> None:
    settings = {"groups": {"data-engineers": ["AmazonS3FullAccess"]}}
    state = {"partition": "aws", "groups": {"data-engineers": [f"{AWS}AmazonS3FullAccess"]}}
    assert detect(state, settings) is None
