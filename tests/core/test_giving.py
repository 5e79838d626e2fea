"""Whose rights each call takes: nothing that gives rights is left to a role but a few named policies."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest

from plumbline.controls.iam.iam_groups import CONTROL as GROUPS
from plumbline.core.calls import Call
from plumbline.core.giving import ATTACHES, DETACHES, GROUP_POLICIES, TAKES, Maker, is_taken, maker, takes_a_person
from plumbline.rights.administrators import admin_reason
from tests.story import World, defaults, world

ACCOUNT = "111122223333"
OWN = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline"
#: What IAM calls its reads.
READS = ("Get", "List", "Generate", "Simulate")


def _by(operation: str, *, converts: bool = False, service: str = "iam", **parameters: Any) -> Maker:
    return maker(Call(service, operation, parameters), converts=converts)


def test_every_write_of_iam_is_a_persons_but_for_those_that_are_known_to_take() -> None:
    """Whatever IAM can do next year is a person's until somebody has thought about it."""
    writes = [one for one in _operations() if not one.startswith(READS)]
    assert len(writes) > 100
    by_hands = {f"iam:{one}" for one in writes if _by(one) is Maker.TAKING}
    assert set(TAKES) == by_hands
    assert {Maker.PERSON} == {_by(one) for one in writes if f"iam:{one}" not in TAKES}


def _operations() -> list[str]:
    return list(botocore.session.get_session().get_service_model("iam").operation_names)


#: Each of these gives rights to somebody, by its own or with one more call.
#: Source: pathfinding.cloud's paths of the classes self-escalation and principal-access; Rhino Security Labs, AWS IAM
#: privilege escalation; Service Authorization Reference, AWS Identity and Access Management.
GIVES = (
    "AddRoleToInstanceProfile",
    "AddUserToGroup",
    "AttachGroupPolicy",
    "AttachRolePolicy",
    "AttachUserPolicy",
    "CreateAccessKey",
    "CreateLoginProfile",
    "CreateOpenIDConnectProvider",
    "CreatePolicyVersion",
    "CreateRole",
    "CreateSAMLProvider",
    "CreateServiceSpecificCredential",
    "DeactivateMFADevice",
    "DeleteRolePermissionsBoundary",
    "DeleteUserPermissionsBoundary",
    "PutGroupPolicy",
    "PutRolePermissionsBoundary",
    "PutRolePolicy",
    "PutUserPermissionsBoundary",
    "PutUserPolicy",
    "SetDefaultPolicyVersion",
    "TagRole",
    "TagUser",
    "UpdateAssumeRolePolicy",
    "UpdateGroup",
    "UpdateLoginProfile",
    "UpdateSAMLProvider",
    "UpdateUser",
    "UploadSSHPublicKey",
)


@pytest.mark.parametrize("operation", GIVES)
@pytest.mark.parametrize("converts", [False, True])
def test_what_gives_rights_is_a_persons(operation: str, *, converts: bool) -> None:
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    named = {f"{kind}Name": "ann" for kind in ("User", "Group", "Role")}
    assert Maker.PERSON is _by(operation, converts=converts, PolicyArn=admin, **named)


@pytest.mark.parametrize("service", ["sts", "organizations", "sso-admin", "identitystore", "ram"])
def test_other_services_that_say_who_may_do_what_are_a_persons_too(service: str) -> None:
    assert Maker.PERSON is _by("AssumeRole", service=service)


@pytest.mark.parametrize(("name", "by"), [("AmazonAthenaFullAccess", Maker.GIVING), ("PowerUserAccess", Maker.PERSON)])
def test_a_group_gets_from_the_giving_hands_what_the_baseline_ships_and_nothing_else(name: str, by: Maker) -> None:
    for partition in ("aws", "aws-cn", "aws-us-gov"):
        assert by is _by("AttachGroupPolicy", PolicyArn=f"arn:{partition}:iam::aws:policy/{name}")
    assert Maker.PERSON is _by("AttachGroupPolicy", PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/{name}"), "one's own"
    assert Maker.PERSON is _by("AttachGroupPolicy", PolicyArn=f"arn:aws:iam::aws:policy/job-function/{name}")
    assert Maker.PERSON is _by("AttachUserPolicy", PolicyArn=f"arn:aws:iam::aws:policy/{name}"), "groups alone"
    assert Maker.PERSON is _by("AttachRolePolicy", PolicyArn=f"arn:aws:iam::aws:policy/{name}")


@pytest.mark.parametrize("name", ["guard", "suspended", "without-mfa", "regions", "buckets"])
@pytest.mark.parametrize("operation", [one.partition(":")[2] for one in (*ATTACHES, *DETACHES)])
def test_plumblines_own_denials_are_put_on_and_taken_off_by_the_giving_hands(operation: str, name: str) -> None:
    assert Maker.GIVING is _by(operation, PolicyArn=f"{OWN}-{name}")
    for other in (f"arn:aws:iam::{ACCOUNT}:policy/plumbline-{name}", f"{OWN}-{name}s", f"{OWN}-{name}/admin"):
        taken = operation.startswith("Detach")
        assert (Maker.TAKING if taken else Maker.PERSON) is _by(operation, PolicyArn=other), other


def test_self_service_is_given_to_groups_alone_and_taken_off_like_any_policy() -> None:
    own = f"{OWN}-self-service"
    assert Maker.GIVING is _by("AttachGroupPolicy", PolicyArn=own)
    for kind in ("User", "Role"):
        assert Maker.PERSON is _by(f"Attach{kind}Policy", PolicyArn=own)
    assert Maker.PERSON is _by("AttachGroupPolicy", PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/own/x-self-service")
    assert Maker.TAKING is _by("DetachGroupPolicy", PolicyArn=own)


@pytest.mark.parametrize("name", ["AWSDenyAll", "AWSCompromisedKeyQuarantine", "AWSCompromisedKeyQuarantineV3"])
def test_aws_own_denials_are_taken_off_by_a_person(name: str) -> None:
    for kind in ("User", "Group", "Role"):
        assert Maker.PERSON is _by(f"Detach{kind}Policy", PolicyArn=f"arn:aws:iam::aws:policy/{name}")


def test_whatever_else_is_taken_off_or_deleted_the_taking_hands_do() -> None:
    for kind in ("User", "Group", "Role"):
        assert Maker.TAKING is _by(f"Detach{kind}Policy", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        assert Maker.TAKING is _by(f"Delete{kind}Policy", PolicyName="admin")
    assert Maker.TAKING is _by("PutBucketAcl", service="s3", Bucket="acme-data", ACL="private")


def test_a_copy_of_an_inline_policy_is_a_persons_unless_the_deployment_chose_otherwise() -> None:
    copy = {"PolicyName": "user-ann-reads-0123456789ab", "Path": "/plumbline/", "PolicyDocument": "{}"}
    arn = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/user-ann-reads-0123456789ab"
    for converts, by in ((False, Maker.PERSON), (True, Maker.GIVING)):
        assert by is _by("CreatePolicy", converts=converts, **copy)
        assert by is _by("AttachUserPolicy", converts=converts, UserName="ann", PolicyArn=arn)
    assert Maker.PERSON is _by("CreatePolicy", converts=True, **copy | {"Path": "/"}), "elsewhere"
    assert Maker.PERSON is _by("CreatePolicy", converts=True, **copy | {"PolicyName": "plumbline-guard"})
    assert Maker.PERSON is _by("PutUserPolicy", converts=True, UserName="ann", PolicyName="reads", PolicyDocument="{}")


def test_one_call_that_takes_a_person_makes_it_all_a_persons() -> None:
    detach = Call("iam", "DetachUserPolicy", {"UserName": "ann", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"})
    assert not takes_a_person([detach])
    assert takes_a_person([detach, Call("iam", "AddUserToGroup", {"UserName": "ann", "GroupName": "administrators"})])


def test_the_giving_hands_hold_what_the_shipped_groups_get_but_for_what_makes_administrators() -> None:
    shipped = {name for names in defaults(GROUPS)["groups"].values() for name in names}
    with world() as told:
        strong = {name for name in shipped if admin_reason(_document(told, name))}
    assert {"AdministratorAccess"} == strong
    assert shipped - strong == set(GROUP_POLICIES)


def _document(told: World, name: str) -> dict[str, Any]:
    iam, arn = told.client("iam"), f"arn:aws:iam::aws:policy/{name}"
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    read: dict[str, Any] = json.loads(found) if isinstance(found, str) else found
    return read


def test_of_the_declared_writes_no_role_of_hands_gets_what_gives() -> None:
    assert is_taken("iam:DetachUserPolicy")
    assert is_taken("s3:PutBucketPolicy")
    assert not is_taken("iam:AttachUserPolicy")
    assert not is_taken("iam:PutRolePolicy")
    assert not is_taken("sts:AssumeRole")
