"""house-guard: whoever could change Plumbline and may not gets what denies him that, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pytest

from deploy.guard import statements
from plumbline.controls.house._own import ELSEWHERE, POWERS, ROLES, House
from plumbline.controls.house.house_guard import CONTROL, UNGUARDED, detect, observe, plan, survey
from plumbline.core.calls import Call, Plan
from plumbline.core.control import Deviation
from plumbline.core.giving import Maker, maker
from plumbline.core.targets import GLOBAL, Target
from plumbline.rights.account import Principal
from plumbline.rights.effective import may
from tests.deployed import of_type, properties, text
from tests.story import ACCOUNT, HOME, Story, World, defaults, world

AWS = "arn:aws:iam::aws:policy/"
GUARD = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline-guard"
OPERATOR = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline-operator"
DEFAULT = defaults(CONTROL)
NOBODY: Mapping[str, Any] = {"groups": [], "users": [], "roles": []}


def _trust(**principal: str) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@cache
def _guard() -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements("plumbline")})


def _deployed(told: World) -> Any:
    """What the stack has made: the guard, and what lets people command it."""
    iam = told.client("iam")
    iam.create_policy(PolicyName="plumbline-guard", Path="/plumbline/", PolicyDocument=_guard())
    allowed = {"Effect": "Allow", "Action": "lambda:InvokeFunction"}
    resource = f"arn:aws:lambda:{HOME}:{ACCOUNT}:function:plumbline-operate"
    document = json.dumps({"Version": "2012-10-17", "Statement": [{**allowed, "Resource": resource}]})
    iam.create_policy(PolicyName="plumbline-operator", Path="/plumbline/", PolicyDocument=document)
    return iam


def _user(told: World, *policies: str, groups: tuple[str, ...] = ()) -> Target:
    iam = told.client("iam")
    iam.create_user(UserName="mallory")
    for arn in policies:
        iam.attach_user_policy(UserName="mallory", PolicyArn=arn)
    for group in groups:
        iam.create_group(GroupName=group)
        iam.add_user_to_group(GroupName=group, UserName="mallory")
    return Target(ACCOUNT, GLOBAL, "iam-user", "mallory")


def _power_user(told: World) -> Target:
    _deployed(told)
    return _user(told, f"{AWS}PowerUserAccess")


def _through_a_group(told: World) -> Target:
    iam = _deployed(told)
    target = _user(told, groups=("developers",))
    iam.attach_group_policy(GroupName="developers", PolicyArn=f"{AWS}AmazonSQSFullAccess")
    return target


def _role(told: World) -> Target:
    """Bounded by one of AWS's policies that nobody carries, so that no list has it."""
    iam, boundary = _deployed(told), f"{AWS}PowerUserAccess"
    trust = _trust(AWS=ACCOUNT)
    iam.create_role(RoleName="ci", Path="/cicd/", AssumeRolePolicyDocument=trust, PermissionsBoundary=boundary)
    allowed = {"Effect": "Allow", "Action": "lambda:Update*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName="ci", PolicyName="deploy", PolicyDocument=document)
    return Target(ACCOUNT, GLOBAL, "iam-role", "ci")


def _of_identity_center(told: World) -> Target:
    iam, name = _deployed(told), "AWSReservedSSO_PowerUserAccess_0123456789abcdef"
    trust = _trust(Federated=f"arn:aws:iam::{ACCOUNT}:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE")
    iam.create_role(RoleName=name, Path="/aws-reserved/sso.amazonaws.com/", AssumeRolePolicyDocument=trust)
    iam.attach_role_policy(RoleName=name, PolicyArn=f"{AWS}PowerUserAccess")
    return Target(ACCOUNT, GLOBAL, "iam-role", name)


def _full(told: World) -> Target:
    """Ten managed policies, as many as AWS's default quota."""
    iam = _deployed(told)
    target = _user(told, f"{AWS}PowerUserAccess")
    for number in range(9):
        read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::b{number}/*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [read]})
        arn = iam.create_policy(PolicyName=f"read-{number}", PolicyDocument=document)["Policy"]["Arn"]
        iam.attach_user_policy(UserName="mallory", PolicyArn=arn)
    return target


STORIES = (
    Story("a power user", CONTROL.id, _power_user),
    Story("rights by a group", CONTROL.id, _through_a_group),
    Story("a role", CONTROL.id, _role),
    Story("a role of Identity Center", CONTROL.id, _of_identity_center, alert_only=True),
    Story("a principal with ten policies", CONTROL.id, _full, alert_only=True),
)


def _told(
    breaks: Callable[[World], Target], settings: Mapping[str, Any] = DEFAULT
) -> tuple[Mapping[str, Any], Deviation | None, Plan | None]:
    with world() as told:
        target = breaks(told)
        state = observe(told.accounts.eyes(ACCOUNT, GLOBAL), target)
        assert state is not None
        found = detect(state, settings)
        return state, found, plan(target, state, settings) if found else None


def _people(**named: list[str]) -> Mapping[str, Any]:
    administrators = {**NOBODY, "users": named.pop("administrators", [])}
    return {"people": {"administrators": administrators, "operators": [], "deployers": [], **named}}


def test_a_power_user_gets_the_guard_and_can_be_rid_of_it_again() -> None:
    _, found, repair = _told(_power_user)
    both = {"UserName": "mallory", "PolicyArn": GUARD}
    assert found is not None
    assert (("the guard is missing",), "default") == (found.items, found.clock)
    assert found.summary.startswith("may change or stop its functions, command it, take its triggers away and ")
    assert repair is not None
    assert [Call("iam", "AttachUserPolicy", both)] == [*repair.do]
    assert [Call("iam", "DetachUserPolicy", both, absent=("NoSuchEntity",))] == [*repair.undo]
    assert {Maker.GIVING} == {maker(call) for call in (*repair.do, *repair.undo)}


def _allowed(*statements_: Mapping[str, Any]) -> Callable[[World], Target]:
    def made(told: World) -> Target:
        iam = _deployed(told)
        document = json.dumps({"Version": "2012-10-17", "Statement": [*statements_]})
        arn = iam.create_policy(PolicyName="of-mallory", PolicyDocument=document)["Policy"]["Arn"]
        return _user(told, arn)

    return made


@pytest.mark.parametrize(
    ("statements_", "could"),
    [
        (
            [{"Effect": "Allow", "Action": "events:*", "Resource": "arn:aws:events:eu-central-1:*:*"}],
            "may change or delete its forwarder in another region and make another region deaf by a key for its bus",
        ),
        (
            [{"Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs:ap-*:*:*"}],
            "may throw away what could not be delivered from another region",
        ),
        (
            [
                {"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"},
                {"Effect": "Deny", "Action": "*", "Resource": f"arn:aws:cloudformation:{HOME}:*:*"},
            ],
            "may change or delete its forwarder in another region",
        ),
    ],
    ids=["one region", "some regions", "any but home"],
)
def test_whose_rights_end_at_a_regions_border_gets_it_as_well(statements_: list[Mapping[str, Any]], could: str) -> None:
    _, found, _ = _told(_allowed(*statements_))
    assert found is not None
    assert f"{could}, and does not carry the guard" == found.summary


def test_who_has_rights_to_other_things_in_a_region_may_do_nothing_to_it() -> None:
    there = {"Effect": "Allow", "Action": "events:*", "Resource": "arn:aws:events:eu-central-1:*:rule/shop-*"}
    _, found, _ = _told(_allowed(there))
    assert found is None


def test_what_could_be_done_is_said() -> None:
    _, found, _ = _told(_through_a_group)
    assert found is not None
    assert "may write or empty its queues, and does not carry the guard" == found.summary


def test_a_group_that_carries_the_guard_is_enough() -> None:
    def carried(told: World) -> Target:
        target = _through_a_group(told)
        told.client("iam").attach_group_policy(GroupName="developers", PolicyArn=GUARD)
        return target

    assert ([], None) == (_told(carried)[0]["could"], _told(carried)[1])


def test_who_can_read_everything_can_change_nothing() -> None:
    def reader(told: World) -> Target:
        _deployed(told)
        return _user(told, f"{AWS}ReadOnlyAccess", f"{AWS}CloudWatchReadOnlyAccess")

    assert [] == _told(reader)[0]["could"]


def test_a_boundary_that_leaves_nothing_of_it_is_enough() -> None:
    def bounded(told: World) -> Target:
        iam, boundary = _deployed(told), f"{AWS}AmazonS3ReadOnlyAccess"
        iam.create_role(RoleName="ci", AssumeRolePolicyDocument=_trust(AWS=ACCOUNT), PermissionsBoundary=boundary)
        iam.attach_role_policy(RoleName="ci", PolicyArn=f"{AWS}PowerUserAccess")
        return Target(ACCOUNT, GLOBAL, "iam-role", "ci")

    assert [] == _told(bounded)[0]["could"]


@pytest.mark.parametrize("key", ["operators", "deployers"])
def test_operators_and_deployers_of_the_baseline_go_without_it(key: str) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:user/mallory"
    assert _told(_power_user, _people(**{key: [arn]}))[1] is None
    assert _told(_power_user, _people(**{key: [arn.replace("mallory", "ann")]}))[1]
    assert _told(_power_user, _people(**{key: ["arn:aws:iam::444455556666:user/mallory"]}))[1], "of another account"


def test_an_administrator_goes_without_it_by_his_own_name_and_not_by_his_group() -> None:
    assert _told(_power_user, _people(administrators=["mallory"]))[1] is None

    def in_a_group_called_so(told: World) -> Target:
        _deployed(told)
        return _user(told, f"{AWS}PowerUserAccess", groups=("administrators",))

    assert _told(in_a_group_called_so)[1]


def test_who_has_administrator_rights_is_left_to_iam_admin_grants() -> None:
    def administrator(told: World) -> Target:
        _deployed(told)
        return _user(told, f"{AWS}AdministratorAccess")

    assert _told(administrator)[1] is None


def test_who_holds_the_operators_policy_may_command_until_operators_are_named() -> None:
    def operator(told: World) -> Target:
        _deployed(told)
        return _user(told, OPERATOR)

    assert _told(operator)[1] is None
    found = _told(operator, _people(operators=[f"arn:aws:iam::{ACCOUNT}:user/ann"]))[1]
    assert found is not None
    assert "may command it, and does not carry the guard" == found.summary


def test_who_deployed_goes_without_it_until_deployers_are_named() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/cicd/ci"

    def deployed(told: World) -> Target:
        target = _role(told)
        template = {"Parameters": {"Deployer": {"Type": "String"}}, "Resources": {"T": {"Type": "AWS::SNS::Topic"}}}
        told.client("cloudformation", HOME).create_stack(
            StackName="plumbline",
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": "Deployer", "ParameterValue": arn}],
        )
        return target

    assert _told(deployed)[1] is None
    assert _told(deployed, _people(deployers=[f"arn:aws:iam::{ACCOUNT}:user/ann"]))[1]


def test_who_deployed_need_not_have_said_so() -> None:
    """A plain `sam deploy` names nobody; CloudTrail does."""

    def deployed(told: World) -> Target:
        told.deployer = f"arn:aws:iam::{ACCOUNT}:role/cicd/ci"
        return _role(told)

    assert _told(deployed)[1] is None
    assert _told(deployed, _people(deployers=[f"arn:aws:iam::{ACCOUNT}:user/ann"]))[1]


def test_a_role_called_like_plumblines_own_is_anybodys() -> None:
    def hidden(name: str) -> Callable[[World], Target]:
        def made(told: World) -> Target:
            iam = _deployed(told)
            iam.create_role(RoleName=name, Path="/plumbline/", AssumeRolePolicyDocument=_trust(AWS=ACCOUNT))
            iam.attach_role_policy(RoleName=name, PolicyArn=f"{AWS}PowerUserAccess")
            return Target(ACCOUNT, GLOBAL, "iam-role", name)

        return made

    assert _told(hidden("plumbline-backup"))[1]
    assert _told(hidden("plumbline-react"))[1] is None


@pytest.mark.parametrize(
    ("breaks", "expected"),
    [
        (
            _of_identity_center,
            (
                "only IAM Identity Center can change this role; add the customer managed policy plumbline-guard, with "
                "path /plumbline/, to its permission set there, name the role under operators or deployers, or deny "
                "the same by a policy of your organisation (`make guard-scp`)"
            ),
        ),
        (
            _full,
            (
                "it holds 10 managed policies, and this account allows 10; merge two of them, or ask AWS for a higher "
                "quota, or put the guard into a group of the user"
            ),
        ),
    ],
    ids=["Identity Center", "full"],
)
def test_what_it_cannot_be_attached_to_is_told_with_what_to_do(
    breaks: Callable[[World], Target], expected: str
) -> None:
    _, found, repair = _told(breaks)
    assert found is not None
    assert repair is not None
    assert (UNGUARDED, "critical", (), expected) == (
        found.clock,
        CONTROL.severity.value,
        repair.steps,
        repair.refusal,
    )


def test_a_service_linked_role_is_nobodys_to_use() -> None:
    with world() as told:
        _deployed(told)
        told.client("iam").create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
        seen = survey(told.accounts.eyes(ACCOUNT, GLOBAL))
    assert {} == seen


def test_the_guard_denies_every_power_that_is_asked_about() -> None:
    house = House("aws", ACCOUNT, HOME, "plumbline", "plumbline")
    everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    free = Principal(f"arn:aws:iam::{ACCOUNT}:user/m", "m", "user", documents=(everything,))
    held = Principal(free.arn, "m", "user", documents=(everything, {"Statement": statements("plumbline")}))
    for power in (*POWERS, *ELSEWHERE):
        context = {key: house.named(value) for key, value in (power.context or {}).items()}
        for action in power.actions:
            arn = house.arn(power.resource)
            assert (True, False) == tuple(bool(may(one, action, arn, context)) for one in (free, held)), action


def test_the_stacks_own_roles_are_those_of_the_template() -> None:
    named = {text(one["RoleName"]).removeprefix("plumbline-") for one in properties("AWS::IAM::Role").values()
             if "RoleName" in one}  # fmt: skip
    assert {*ROLES} == named
    assert {"NamesRole"} == {
        name for name in of_type("AWS::IAM::Role") if "RoleName" not in properties("AWS::IAM::Role")[name]
    }
