"""No role of Plumbline can make an administrator, of itself or of anybody, whatever limits its sessions.

Read from the template as CloudFormation gets it: every role with all that is ever attached to it. The one exception is
chosen at deployment (`InlinePolicies`), and stands in a policy of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest
from botocore.session import get_session

from plumbline.alerts.shell import PERFORMED, spelled
from plumbline.controls import registry
from plumbline.core.calls import Call
from plumbline.core.giving import (
    ATTACHES,
    AWS_DENIALS,
    DETACHES,
    GROUP_POLICIES,
    LINKED,
    OWN_DENIALS,
    OWN_GIVEN,
    TAKES,
    Maker,
    is_taken,
    maker,
)
from plumbline.rights.account import EVERYTHING_ALLOWED, Account, Policy, Principal, Running
from plumbline.rights.administrators import admin_reason
from plumbline.rights.effective import may
from plumbline.rights.ways import ways
from tests.core.test_giving import GIVES
from tests.deployed import STACK, as_deployed, logical, properties, transformed

ACCOUNT = "111122223333"
ROLES = tuple(properties("AWS::IAM::Role"))
CONVERSION = "ConversionPolicy"
#: Beside IAM's own: what starts or changes something that runs with a role, or takes one.
#: Source: pathfinding.cloud's paths of the classes new-passrole, existing-passrole and principal-access.
STRONG = re.compile(
    r"iam:PassRole|sts:.*|organizations:.*|sso.*:.*|cloudformation:(Create|Update|Execute|Set).*"
    r"|lambda:(Add|Create|Publish|Put|Update).*|ec2:(Run|Modify|Request|CreateLaunch|Associate|Replace).*"
    r"|ecs:.*|glue:(Create|Update|Start).*|codebuild:.*|sagemaker:.*|ssm:.*|apprunner:.*|bedrock-agentcore:.*"
    r"|datapipeline:.*|states:.*|batch:.*|events:PutTargets|scheduler:.*|ec2-instance-connect:.*"
)
OWN = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline"
_LONG = 32
#: Who gives EventBridge the forwarders' role: what makes them, and what puts them back.
PASSING = ("StackSetRole", "HouseRole")
DENIALS = tuple(f"{OWN}-{name}" for name in OWN_DENIALS)
GIVEN = tuple(f"{OWN}-{name}" for name in OWN_GIVEN)
#: The resource of the template that says what each of them says.
TEXTS = {
    f"{OWN}-guard": "GuardPolicy",
    f"{OWN}-suspended": "SuspensionPolicy",
    f"{OWN}-without-mfa": "WithoutMfaPolicy",
    f"{OWN}-regions": "RegionsPolicy",
    f"{OWN}-buckets": "BucketsPolicy",
    f"{OWN}-self-service": "SelfServicePolicy",
}


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@cache
def _held(role: str, *, converting: bool = False) -> tuple[Mapping[str, Any], ...]:
    """Every statement of every policy that a role lists, and of those that attach themselves to it, as deployed."""
    resources = transformed()["Resources"]
    listed = [logical(one) for one in resources[role]["Properties"].get("ManagedPolicyArns", ())]
    listed += [
        name
        for name, one in properties("AWS::IAM::ManagedPolicy").items()
        if role in map(logical, one.get("Roles", ())) and (converting or name != CONVERSION)
    ]
    documents = [as_deployed(_named()[one]["Properties"]["PolicyDocument"], _named(), STACK) for one in listed]
    return tuple(statement for document in documents for statement in _several(document["Statement"]))


@cache
def _named() -> Mapping[str, Any]:
    """The resources, their names beginning with `plumbline`."""
    text = json.dumps(transformed()["Resources"]).replace("${Names.Prefix}", "plumbline")
    named: Mapping[str, Any] = json.loads(text)
    return named


def _allowing(role: str, *, converting: bool = False) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for statement in _held(role, converting=converting):
        assert not {"NotAction", "NotResource"} & set(statement), (
            f"{role}: {statement['Sid']} says what it does not mean"
        )
        if statement["Effect"] == "Allow":
            yield from ((action, statement) for action in _several(statement["Action"]))


def _policies(statement: Mapping[str, Any]) -> set[str]:
    """The policies that a statement is about; all where it names none in a way that IAM enforces."""
    (found,) = [
        set(_several(keys["iam:PolicyARN"]))
        for operator, keys in statement.get("Condition", {}).items()
        if operator in ("ArnEquals", "ArnLike", "StringEquals") and "iam:PolicyARN" in keys
    ] or [{"*"}]
    return found


@pytest.mark.parametrize("role", ROLES)
def test_no_role_is_allowed_a_pattern_of_actions(role: str) -> None:
    assert [] == [action for action, _ in _allowing(role, converting=True) if "*" in action or "?" in action]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_holds_managed_policies_of_this_stack_and_nothing_else(role: str) -> None:
    held = properties("AWS::IAM::Role")[role]
    assert "Policies" not in held
    assert set(map(logical, held["ManagedPolicyArns"])) <= set(properties("AWS::IAM::ManagedPolicy"))


@pytest.mark.parametrize("role", ROLES)
def test_what_gives_rights_in_iam_is_held_by_no_role_but_for_named_policies(role: str) -> None:
    """Source: Service Authorization Reference: `iam:PolicyARN` goes with attaching and detaching, and nothing else."""
    gives = {f"iam:{one}" for one in GIVES}
    given = {(action, arn) for action, one in _allowing(role) if action in gives for arn in _policies(one)}
    groups = {("iam:AttachGroupPolicy", f"arn:aws:iam::aws:policy/{name}") for name in GROUP_POLICIES}
    groups |= {("iam:AttachGroupPolicy", arn) for arn in GIVEN}
    attaches = ("iam:AttachGroupPolicy", "iam:AttachRolePolicy", "iam:AttachUserPolicy")
    denials = {(action, arn) for action in attaches for arn in DENIALS}
    assert (groups | denials if role == "GivingRole" else set()) == given


@pytest.mark.parametrize("role", ROLES)
def test_no_role_may_do_in_iam_what_nobody_has_thought_about(role: str) -> None:
    """Every write of IAM that a role holds takes, or is about named policies."""
    writes = {
        (action, statement["Sid"])
        for action, statement in _allowing(role)
        if action.startswith("iam:") and not action.split(":")[1].startswith(("Get", "List", "Generate", "Simulate"))
        if maker(Call("iam", action.split(":")[1])) is not Maker.TAKING and _policies(statement) == {"*"}
    }
    passing = {"StackSetRole": "Forwarder", "HouseRole": "ForwardersTellHome"}
    expected = {("iam:PassRole", passing[role])} if role in passing else set()
    linking = {("iam:CreateServiceLinkedRole", "RoleOfService1")} if role == "HandsRole" else set()
    assert expected | linking == writes


def test_the_roles_that_hands_let_aws_make_are_those_of_named_services_which_nobody_else_can_use() -> None:
    """Source: Service Authorization Reference, AWS Identity and Access Management: CreateServiceLinkedRole."""
    (statement,) = [one for action, one in _allowing("HandsRole") if action == "iam:CreateServiceLinkedRole"]
    service = "access-analyzer.amazonaws.com"
    assert ([f"arn:*:iam::*:role/aws-service-role/{service}/*"], {"StringEquals": {"iam:AWSServiceName": service}}) == (
        _several(statement["Resource"]),
        statement["Condition"],
    )
    declared = {action for one in registry.load().values() for action in one.writes}
    assert set(LINKED) <= declared, "nobody needs it any more"


def test_who_takes_the_stack_down_takes_off_plumblines_own_policies_and_nothing_else() -> None:
    off = {(action, arn) for action, one in _allowing("NamesRole") if action in TAKES for arn in _policies(one)}
    assert {*DENIALS, *GIVEN} == {arn for _, arn in off}
    assert {action for action, _ in off} <= set(DETACHES)


def test_only_eyes_and_the_two_hands_touch_iam_at_all_but_for_who_takes_the_stack_down() -> None:
    touching = {role for role in ROLES for action, _ in _allowing(role) if action.startswith("iam:")}
    assert {"EyesRole", "HandsRole", "GivingRole"} == touching - {"NamesRole", *PASSING}
    for role in PASSING:
        assert {"iam:PassRole"} == {action for action, _ in _allowing(role) if action.startswith("iam:")}


def test_house_hands_are_denied_all_of_iam_but_passing_a_role() -> None:
    deny = next(one for one in _held("HouseRole") if one["Effect"] == "Deny")
    actions = {f"iam:{one}" for one in get_session().get_service_model("iam").operation_names} | {"iam:PassRole"}
    denied = {one for one in actions for pattern in deny["Action"] if fnmatchcase(one, pattern)}
    assert ("*", {"iam:PassRole"}) == (deny["Resource"], actions - denied)


@pytest.mark.parametrize("role", PASSING)
def test_one_role_is_passed_to_eventbridge_and_it_may_put_events_onto_one_bus(role: str) -> None:
    (passed,) = [one for action, one in _allowing(role) if action == "iam:PassRole"]
    forwarder = f"arn:aws:iam::{ACCOUNT}:role/plumbline/plumbline-forwarder"
    assert (forwarder, {"StringEquals": {"iam:PassedToService": "events.amazonaws.com"}}) == (
        passed["Resource"],
        passed["Condition"],
    )
    ((action, put),) = _allowing("ForwarderRole")
    assert ("events:PutEvents", f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/plumbline-home") == (
        action,
        put["Resource"],
    )


def test_what_makes_forwarders_makes_stacks_of_that_name_rules_and_one_queue() -> None:
    made = {
        one["Resource"]
        for action, one in _allowing("StackSetRole")
        if not _is_read(action) and action not in ("iam:PassRole", "cloudformation:ValidateTemplate")
    }
    assert {
        f"arn:aws:cloudformation:*:{ACCOUNT}:stack/StackSet-plumbline-forwarders-*",
        f"arn:aws:events:*:{ACCOUNT}:rule/plumbline-*",
        f"arn:aws:sqs:*:{ACCOUNT}:plumbline-dead-events",
    } == made


def test_only_stacksets_itself_for_this_stackset_takes_the_roles_that_make_forwarders() -> None:
    """Source: AWS CloudFormation user guide, Grant self-managed permissions: confused deputies."""
    (trusted,) = _named()["StackSetsRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert {"Service": {"Fn::GetAtt": ["Regions", "Principals"]}} == trusted["Principal"]
    assert {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "StringLike": {"aws:SourceArn": f"arn:aws:cloudformation:*:{ACCOUNT}:stackset/plumbline-forwarders:*"},
    } == as_deployed(trusted["Condition"], _named(), STACK)


@pytest.mark.parametrize("role", ROLES)
def test_no_role_passes_changes_or_takes_another_role(role: str) -> None:
    strong = {
        action
        for action, one in _allowing(role)
        if STRONG.fullmatch(action) and not _is_read(action) and not (role == "HouseRole" and _is_own(one))
    }
    allowed = {"sts:AssumeRole", "ec2:ModifyInstanceMetadataDefaults"}  # a region's defaults: no instance, and no role
    allowed |= _OF_FORWARDERS.get(role, set())  # see above: the one role in them can put events onto one bus
    assert strong <= allowed, f"{role} may {sorted(strong - allowed)}"
    taken = {arn for action, one in _allowing(role) if action == "sts:AssumeRole" for arn in _several(one["Resource"])}
    below = f"arn:aws:iam::{ACCOUNT}:role/plumbline/plumbline-"
    expected = {
        "ReactRole": ("eyes", "hands", "giving"),
        "OperateRole": ("eyes", "hands", "giving"),
        "SweepRole": ("eyes", "house"),
        "StackSetsRole": ("stackset",),
    }
    assert {below + name for name in expected.get(role, ())} == taken


#: What is held of forwarders: their stacks and rules, and that the sweep may add one where there is none.
_OF_FORWARDERS = {
    "SweepRole": {"cloudformation:CreateStackInstances"},
    "HouseRole": {"iam:PassRole"},
    "StackSetRole": {
        "cloudformation:CreateChangeSet",
        "cloudformation:CreateStack",
        "cloudformation:ExecuteChangeSet",
        "cloudformation:SetStackPolicy",
        "cloudformation:UpdateStack",
        "cloudformation:UpdateTerminationProtection",
        "events:PutTargets",
        "iam:PassRole",
    },
}


def _is_own(statement: Mapping[str, Any]) -> bool:
    """Whether a statement is about rules, triggers and alarms of this stack alone; none of them is given a role."""
    functions = statement.get("Condition", {}).get("ArnLike", {}).get("lambda:FunctionArn")
    about = _several(functions or statement["Resource"])
    return all(re.search(r":(rule/|function:|alarm:)plumbline-\*$", one) for one in about)


def _is_read(action: str) -> bool:
    return action.partition(":")[2].startswith(("Get", "List", "Describe"))


def test_the_writing_roles_trust_only_functions_of_this_stack() -> None:
    def trusted(role: str) -> set[str]:
        (statement,) = properties("AWS::IAM::Role")[role]["AssumeRolePolicyDocument"]["Statement"]
        assert "sts:AssumeRole" == statement["Action"]
        (kind, who), *more = statement["Principal"].items()
        assert not more
        return {f"{kind} {logical(one) or one}" for one in _several(who)}

    for role in ROLES:
        if role != "StackSetsRole":  # see above
            assert "*" not in " ".join(trusted(role))
    assert {"AWS ReactRole", "AWS OperateRole"} == trusted("HandsRole") == trusted("GivingRole")
    assert {"AWS SweepRole"} == trusted("HouseRole")


def test_the_hands_that_take_take_away_nothing_that_denies() -> None:
    (denied,) = [one for one in _held("HandsRole") if one["Sid"] == "NeverADenial"]
    assert ("Deny", "*") == (denied["Effect"], denied["Resource"])
    assert {"iam:DetachGroupPolicy", "iam:DetachRolePolicy", "iam:DetachUserPolicy"} == set(denied["Action"])
    aws = {f"arn:aws:iam::aws:policy/{name}" for name in AWS_DENIALS}
    assert {"ArnLike": {"iam:PolicyARN": sorted({*DENIALS, *aws})}} == {
        operator: {key: sorted(value) for key, value in keys.items()} for operator, keys in denied["Condition"].items()
    }


@pytest.mark.parametrize("hands", ["HandsRole", "GivingRole"])
def test_hands_may_do_nothing_to_plumblines_own_roles_and_policies(hands: str) -> None:
    """By their names, each of them: whoever calls a role like one must not hide behind it."""
    (denied,) = [one for one in _held(hands, converting=True) if one.get("Sid") == "NeverPlumblineItself"]
    assert ("Deny", "*", None) == (denied["Effect"], denied["Action"], denied.get("Condition"))
    named = {one.rpartition("/")[2].removeprefix("plumbline-") for one in denied["Resource"] if ":role/" in one}
    # CloudFormation makes up the name of one of them.
    assert {one.removesuffix("Role").lower() for one in ROLES} == {
        "names" if len(one) > _LONG else one for one in named
    }
    for own in (*DENIALS, *GIVEN):
        assert any(fnmatchcase(own, one) for one in denied["Resource"])


def test_the_exception_chosen_at_deployment_is_copies_of_inline_policies_and_stands_by_itself() -> None:
    policy = transformed()["Resources"][CONVERSION]
    assert "ConvertsInline" == policy["Condition"]
    assert {"Fn::Equals": [{"Ref": "InlinePolicies"}, "enforce"]} == transformed()["Conditions"]["ConvertsInline"]
    assert "propose" == transformed()["Parameters"]["InlinePolicies"]["Default"]
    assert ["GivingRole"] == list(map(logical, policy["Properties"]["Roles"]))
    more = [one for one in _held("GivingRole", converting=True) if one not in _held("GivingRole")]
    made, attached = more
    copies = {f"arn:aws:iam::{ACCOUNT}:policy/plumbline/{kind}-*" for kind in ("user", "group", "role")}
    assert (["iam:CreatePolicy"], copies) == (made["Action"], set(made["Resource"]))
    assert copies == _policies(attached)
    assert not [arn for arn in (*DENIALS, *GIVEN) if any(fnmatchcase(arn, one) for one in copies)]


def test_each_policy_that_is_given_or_denies_is_a_resource_of_the_stack_that_says_no_more_than_it_should() -> None:
    """Its text is CloudFormation's, with the rights of whoever deploys: no role may write one, as is tested above."""
    for arn, resource in TEXTS.items():
        policy = as_deployed(_named()[resource]["Properties"], _named(), STACK)
        assert arn == f"arn:aws:iam::{ACCOUNT}:policy{policy['Path']}{policy['ManagedPolicyName']}"
        effects = {one["Effect"] for one in policy["PolicyDocument"]["Statement"]}
        assert effects == ({"Allow"} if arn in GIVEN else {"Deny"})
        assert "" == admin_reason(policy["PolicyDocument"])
    assert {*TEXTS} == {*DENIALS, *GIVEN}


def test_self_service_is_about_oneself() -> None:
    """Whoever could do it to others could take over a password, or make somebody's second factor his own."""
    policy = as_deployed(_named()["SelfServicePolicy"]["Properties"]["PolicyDocument"], _named(), STACK)
    ann, path = (f"arn:aws:iam::{ACCOUNT}:user/{one}" for one in ("ann", "team/bob"))
    for name, own, other in (("ann", ann, path), ("bob", path, ann)):
        holder = Principal(own, name, "user", (policy,))
        for action in ("ChangePassword", "EnableMFADevice", "ListMFADevices", "ResyncMFADevice"):
            assert may(holder, f"iam:{action}", own)
            assert not may(holder, f"iam:{action}", other), action
        assert may(holder, "iam:DeactivateMFADevice", own, {"aws:MultiFactorAuthPresent": "true"})
        assert not may(holder, "iam:DeactivateMFADevice", own, {"aws:MultiFactorAuthPresent": None}), "a stolen key"
        for action in ("CreateAccessKey", "UpdateLoginProfile", "AttachUserPolicy", "AddUserToGroup"):
            assert not may(holder, f"iam:{action}", own), action


def test_what_awss_own_policies_allow_in_s3_ends_at_the_declared_buckets() -> None:
    """Source: the policies themselves: by what a bucket or a key is called, SageMaker's and Glue's reach any bucket."""
    says = as_deployed(_named()["BucketsPolicy"]["Properties"]["PolicyDocument"], _named(), STACK)
    holder = Principal(f"arn:aws:iam::{ACCOUNT}:user/ann", "ann", "user", (EVERYTHING_ALLOWED, says))
    ours, theirs = {"aws:ResourceAccount": ACCOUNT}, {"aws:ResourceAccount": "444455556666"}
    foreign = "arn:aws:s3:::other"
    for action, arn, context, allowed in (
        ("GetObject", "arn:aws:s3:::acme-data/x", ours, True),
        ("PutObject", "arn:aws:s3:::acme-data/x", ours, True),
        ("ListBucket", "arn:aws:s3:::acme-data", ours, True),
        ("GetObject", f"{foreign}/aws-glue-x/y", ours, False),
        ("PutObject", f"{foreign}/sagemaker/y", ours, False),
        ("DeleteObjectVersion", f"{foreign}/y", ours, False),
        ("ListBucket", foreign, ours, False),
        ("ListBucketVersions", foreign, ours, False),
        ("CreateBucket", foreign, ours, False),
        ("PutBucketCors", foreign, ours, False),
        ("PutObject", f"{foreign}/y", theirs, False),
        ("GetObject", f"{foreign}/y", theirs, True),  # AWS's samples, models and libraries
        ("GetBucketLocation", foreign, ours, True),
        ("ListAllMyBuckets", "*", ours, True),
        ("GetBucketAcl", foreign, ours, True),
    ):
        assert allowed is bool(may(holder, f"s3:{action}", arn, context)), f"{action} {arn}"


# --- what the controls need, and no more: a law holds that they declare the calls they make ------------------------


def _declared(*, house: bool) -> set[str]:
    return {action for one in registry.load().values() if one.house is house for action in one.writes}


def test_the_hands_that_take_hold_what_repairs_and_undos_take_and_no_more() -> None:
    asked_beside = {"iam:CreateServiceLinkedRole"}  # of which services, see above
    taken = {one for one in _declared(house=False) if is_taken(one)}
    assert taken | asked_beside == {one for one, _ in _allowing("HandsRole")}


def test_the_giving_hands_hold_no_more_than_repairs_ask_for_and_what_puts_denials_on_and_takes_them_off() -> None:
    asked = _declared(house=False) & set(ATTACHES)
    assert asked | set(DETACHES) == {one for one, _ in _allowing("GivingRole")}


def test_the_shell_function_makes_every_call_that_a_control_may_ask_of_a_person() -> None:
    asked = {one.partition(":")[2] for one in _declared(house=False) if one.startswith("iam:") and not is_taken(one)}
    assert {spelled(one) for one in asked} <= set(PERFORMED)


def test_whose_rights_a_call_takes_is_who_may_make_it() -> None:
    """The roles as IAM reads them, against the file that says which of them makes a call."""
    role_of = {Maker.TAKING: {"HandsRole"}, Maker.GIVING: {"GivingRole"}, Maker.PERSON: set()}
    names = ("AdministratorAccess", "AWSDenyAll", "AWSCompromisedKeyQuarantineV3", "ReadOnlyAccess", *GROUP_POLICIES)
    arns = [*(f"arn:aws:iam::aws:policy/{one}" for one in names), *DENIALS, *GIVEN]
    arns += [f"arn:aws:iam::{ACCOUNT}:policy/{one}" for one in ("own", "plumbline/user-ann-reads-0123456789ab")]
    for action in sorted({*ATTACHES, *DETACHES, *(f"iam:{one}" for one in GIVES), *TAKES}):
        for arn in arns:
            by = maker(Call("iam", action.split(":")[1], {"PolicyArn": arn}))
            may = {role for role in ROLES if role != "NamesRole" and _may(role, action, arn)}
            assert role_of[by] >= may, f"{action} {arn}"
            assert not may or role_of[by] == may, f"{action} {arn}"
            if action in DETACHES:
                assert role_of[by] == may, f"{action} {arn}"


def _may(role: str, action: str, policy: str) -> bool:
    """Whether a role may make a call on something of the account's, about this policy."""
    effects = {
        one["Effect"]
        for one in _held(role)
        if any(fnmatchcase(action, pattern) for pattern in _several(one["Action"]))
        and any(fnmatchcase(f"arn:aws:iam::{ACCOUNT}:{kind}/ann", pattern) for pattern in _several(one["Resource"])
                for kind in ("group", "role", "user"))
        and any(fnmatchcase(policy, pattern) for pattern in _policies(one))
    }  # fmt: skip
    return effects == {"Allow"}


# --- the same by the engine that judges everybody else's roles -------------------------------------------------------

LAMBDA = "arn:aws:lambda:us-east-1:111122223333:function:payroll"
_EVERYBODY = {"Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]}}


def _account(*, converting: bool = False) -> Account:
    """An account in which there is all that a way may lead through, and Plumbline's roles with all their rights."""
    strong = Principal(
        f"arn:aws:iam::{ACCOUNT}:role/strong",
        "strong",
        "role",
        (EVERYTHING_ALLOWED,),
        ("inline all",),
        trust={"Version": "2012-10-17", "Statement": [{**_EVERYBODY, "Action": "sts:AssumeRole"}]},
    )
    group = Principal(
        f"arn:aws:iam::{ACCOUNT}:group/administrators",
        "administrators",
        "group",
        (EVERYTHING_ALLOWED,),
        ("inline all",),
    )
    owner = replace(group, arn=f"arn:aws:iam::{ACCOUNT}:user/owner", name="owner", kind="user", groups=(group.arn,))
    nobody = Principal(f"arn:aws:iam::{ACCOUNT}:user/nobody", "nobody", "user")
    ours = [_principal(role, converting=converting) for role in ROLES]
    turned = Policy(f"arn:aws:iam::{ACCOUNT}:policy/turned", {"Statement": []}, {"v2": EVERYTHING_ALLOWED})
    running = (Running("lambda-function", LAMBDA, strong.arn),)
    everybody = {one.arn: one for one in (strong, group, owner, nobody, *ours)}
    return Account(everybody, {turned.arn: turned}, running, frozenset({"lambda-function"}))


def _principal(role: str, *, converting: bool) -> Principal:
    name = role.removesuffix("Role").lower()
    trust = as_deployed(_named()[role]["Properties"]["AssumeRolePolicyDocument"], _named(), STACK)
    documents = ({"Version": "2012-10-17", "Statement": list(_held(role, converting=converting))},)
    arn = f"arn:aws:iam::{ACCOUNT}:role/plumbline/plumbline-{name}"
    return Principal(arn, f"plumbline-{name}", "role", documents, (f"{OWN}-{name}",), trust=trust)


@pytest.mark.parametrize("role", ROLES)
def test_no_published_way_leads_from_any_role_to_an_administrator(role: str) -> None:
    account = _account()
    assert () == ways(account, account.principals[_principal(role, converting=False).arn])


def test_the_chosen_exception_is_one_way_and_is_found() -> None:
    """Else the engine would find nothing here whatever a role held."""
    account = _account(converting=True)
    found = ways(account, account.principals[_principal("GivingRole", converting=True).arn])
    assert found
    assert {action for way in found for action in way.actions} <= {"iam:CreatePolicy", *ATTACHES, "sts:AssumeRole"}


@pytest.mark.parametrize("hands", ["HandsRole", "GivingRole"])
def test_hands_leave_plumblines_own_roles_alone_and_no_other_that_is_called_alike(hands: str) -> None:
    """A role below Plumbline's path that is none of Plumbline's is no place to hide."""
    (denied,) = [one["Resource"] for one in _held(hands) if one["Sid"] == "NeverPlumblineItself"]
    own = [as_deployed({"Fn::GetAtt": [role, "Arn"]}, _named(), STACK) for role in ROLES]
    assert sorted(own) == sorted(one for one in denied if ":role/" in one)
