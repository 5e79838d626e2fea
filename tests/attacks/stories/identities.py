"""IAM, by one who may do everything in it and is no administrator of the baseline: its roles, the guard, the people."""

from __future__ import annotations

from typing import Any

from tests.attacks import house, signing
from tests.attacks.attack import (
    ADMINISTRATOR,
    EVERYTHING,
    STRANGER,
    Attack,
    Attacker,
    Blow,
    Deed,
    Prevented,
    Told,
    Way,
    blow,
    document,
)
from tests.attacks.attackers import IAM_FULL, POWER
from tests.attacks.stage import DEPLOYS, HELPDESK, Stage

_BY = "<my-name>"
_ANYBODY = document({"Effect": "Allow", "Principal": {"AWS": "<account>"}, "Action": "sts:AssumeRole"})
_STRANGERS = document({"Effect": "Allow", "Principal": {"AWS": STRANGER}, "Action": "sts:AssumeRole"})


def _tripwire(*events: str) -> Told:
    return Told(Way.TRIPWIRE, (*events, _BY))


def _holds_administrator(stage: Stage, group: str) -> bool:
    attached = stage.client("iam").list_attached_group_policies(GroupName=group)["AttachedPolicies"]
    return any(one["PolicyArn"] == ADMINISTRATOR for one in attached)


def _interns_are_no_administrators(stage: Stage) -> None:
    groups = {one["GroupName"] for one in stage.client("iam").list_groups()["Groups"]}
    for group in groups & {"interns", "administrators"}:
        members = stage.client("iam").get_group(GroupName=group)["Users"]
        if any(one["UserName"] == "intern" for one in members):
            assert not _holds_administrator(stage, group), "the interns were made administrators by a repair"


def _no_policy_of_everything_is_left(stage: Stage) -> None:
    users = house.FACETS["person"].read(stage.client)
    mine = users[f"user {IAM_FULL.name}"]
    assert ADMINISTRATOR not in mine["attached"], "the administrator grant is still there"


def _made_and_gone(stage: Stage, who: Attacker) -> None:
    """Used for as long as a script takes."""
    iam = stage.client("iam", who.name)
    iam.attach_user_policy(UserName="backup-1", PolicyArn=ADMINISTRATOR)
    iam.detach_user_policy(UserName="backup-1", PolicyArn=ADMINISTRATOR)


def _exempt(stage: Stage, who: Attacker) -> Any:
    words = ("exempt", "*", "--control", "all", "--days", "30", "--owner", who.name, "--reason", "agreed", "--all")
    return signing.invoke(stage, who.name, signing.request(stage, who.name, *words))


def _key_made_and_gone(stage: Stage, who: Attacker) -> None:
    iam = stage.client("iam", who.name)
    made = iam.create_access_key(UserName="backup-2")["AccessKey"]
    iam.delete_access_key(UserName="backup-2", AccessKeyId=made["AccessKeyId"])


def _admin(operation: str, **parameters: Any) -> Any:
    return blow("iam", operation, **parameters)


def _nothing_to_click(stage: Stage) -> None:
    """Mail programs make links of bare domains too."""
    for one in stage.mail():
        assert "evil.example" not in one.text, f"a domain that can be clicked stands in: {one.subject}"
        assert "evil.example" not in one.subject, f"a domain that can be clicked stands in: {one.subject}"


def _a_user(name: str) -> tuple[Blow]:
    """Another for each story: what is still looked at again of one that is gone must not be taken for this one's."""
    return (blow("iam", "create_user", UserName=name),)


_NOTHING = document({"Effect": "Deny", "Action": "*", "Resource": "*"})

STORIES = (
    Attack(
        "the trust of the hands widened to the whole account",
        IAM_FULL,
        (blow("iam", "update_assume_role_policy", RoleName="plumbline-hands", PolicyDocument=_ANYBODY),),
        _tripwire("UpdateAssumeRolePolicy"),
    ),
    Attack(
        "a boundary on the hands, under which they can do nothing",
        IAM_FULL,
        (
            blow(
                "iam",
                "put_role_permissions_boundary",
                RoleName="plumbline-hands",
                PermissionsBoundary="arn:aws:iam::aws:policy/AWSDenyAll",
            ),
        ),
        _tripwire("PutRolePermissionsBoundary"),
    ),
    Attack(
        "a boundary on the hands, as the house look sees it",
        IAM_FULL,
        (
            blow(
                "iam",
                "put_role_permissions_boundary",
                RoleName="plumbline-hands",
                PermissionsBoundary="arn:aws:iam::aws:policy/AWSDenyAll",
            ),
        ),
        Told(Way.HOUSE, ("plumbline-hands", "boundary")),
    ),
    Attack(
        "the eyes' policy detached",
        IAM_FULL,
        (blow("iam", "detach_role_policy", RoleName="plumbline-eyes", PolicyArn="<policy eyes>"),),
        _tripwire("DetachRolePolicy"),
    ),
    Attack(
        "everything denied to the function that repairs",
        IAM_FULL,
        (blow("iam", "put_role_policy", RoleName="plumbline-react", PolicyName="no", PolicyDocument=_NOTHING),),
        _tripwire("PutRolePolicy"),
    ),
    Attack(
        "AdministratorAccess for one of its roles, to be had by other code later",
        IAM_FULL,
        (blow("iam", "attach_role_policy", RoleName="plumbline-operate", PolicyArn=ADMINISTRATOR),),
        _tripwire("AttachRolePolicy"),
    ),
    Attack(
        "another version of the hands' policy",
        IAM_FULL,
        (
            blow(
                "iam",
                "create_policy_version",
                PolicyArn="<policy hands>",
                PolicyDocument=EVERYTHING,
                SetAsDefault=True,
            ),
        ),
        _tripwire("CreatePolicyVersion"),
    ),
    Attack(
        "the guard emptied by another version",
        IAM_FULL,
        (
            blow(
                "iam",
                "create_policy_version",
                PolicyArn="<policy guard>",
                PolicyDocument=document({"Effect": "Deny", "Action": "iam:GetUser", "Resource": "*"}),
                SetAsDefault=True,
            ),
        ),
        _tripwire("CreatePolicyVersion"),
    ),
    Attack(
        "the guard taken from somebody",
        IAM_FULL,
        (blow("iam", "detach_user_policy", UserName=POWER.name, PolicyArn="<policy guard>"),),
        Told(Way.EVENT, (POWER.name, _BY)),
    ),
    Attack(
        "the suspension emptied by another version",
        IAM_FULL,
        (
            blow(
                "iam",
                "create_policy_version",
                PolicyArn="<policy suspended>",
                PolicyDocument=document({"Effect": "Deny", "Action": "iam:GetUser", "Resource": "*"}),
                SetAsDefault=True,
            ),
        ),
        _tripwire("CreatePolicyVersion"),
    ),
    Attack(
        "the operators' policy attached to oneself, and everything exempted with it",
        IAM_FULL,
        (
            blow("iam", "attach_user_policy", UserName=_BY, PolicyArn="<policy operator>"),
            Deed("exempt '*' --control all, signed with his own keys", _exempt),
        ),
        Told(Way.EVENT, ("exempt", _BY)),
    ),
    Attack(
        "the guard taken off by whom it holds",
        POWER,
        (blow("iam", "detach_user_policy", UserName="<my-name>", PolicyArn="<policy guard>"),),
        Prevented("the guard; PowerUserAccess has no IAM besides"),
    ),
    # --- people ------------------------------------------------------------------------------------
    Attack(
        "AdministratorAccess for oneself",
        IAM_FULL,
        (blow("iam", "attach_user_policy", UserName=_BY, PolicyArn=ADMINISTRATOR),),
        Told(Way.EVENT, (_BY, "administrator")),
        check=_no_policy_of_everything_is_left,
    ),
    Attack(
        "an administrator hidden under a name like Plumbline's own",
        IAM_FULL,
        (
            blow(
                "iam",
                "create_role",
                RoleName="plumbline-backup",
                Path="/plumbline/",
                AssumeRolePolicyDocument=_ANYBODY,
            ),
            blow("iam", "attach_role_policy", RoleName="plumbline-backup", PolicyArn=ADMINISTRATOR),
        ),
        Told(Way.EVENT, ("plumbline-backup", "administrator")),
    ),
    Attack(
        "an administrator hidden under the name of an organisation's role, which a stranger may assume",
        IAM_FULL,
        (
            blow(
                "iam",
                "create_role",
                RoleName="OrganizationAccountAccessRole",
                AssumeRolePolicyDocument=_STRANGERS,
            ),
            blow("iam", "attach_role_policy", RoleName="OrganizationAccountAccessRole", PolicyArn=ADMINISTRATOR),
        ),
        Told(Way.EVENT, ("OrganizationAccountAccessRole", "administrator")),
    ),
    Attack(
        "an administrator hidden under the name of Control Tower's role",
        IAM_FULL,
        (
            blow("iam", "create_role", RoleName="AWSControlTowerExecution", AssumeRolePolicyDocument=_STRANGERS),
            blow(
                "iam",
                "put_role_policy",
                RoleName="AWSControlTowerExecution",
                PolicyName="x",
                PolicyDocument=EVERYTHING,
            ),
        ),
        Told(Way.EVENT, ("AWSControlTowerExecution", "administrator")),
    ),
    Attack(
        "the administrators renamed away, and the interns into their place",
        IAM_FULL,
        (
            blow("iam", "update_group", GroupName="administrators", NewGroupName="old-administrators"),
            blow("iam", "update_group", GroupName="interns", NewGroupName="administrators"),
        ),
        Told(Way.EVENT, ("administrators", _BY)),
        before=(
            _admin("create_group", GroupName="administrators"),
            _admin("create_group", GroupName="interns"),
            _admin("create_user", UserName="intern"),
            _admin("add_user_to_group", GroupName="interns", UserName="intern"),
        ),
        check=_interns_are_no_administrators,
    ),
    Attack(
        "joining a group that makes administrators, whatever it is called",
        IAM_FULL,
        (blow("iam", "add_user_to_group", GroupName=HELPDESK, UserName="backup-3"),),
        Told(Way.EVENT, ("backup-3", "administrator")),
        before=_a_user("backup-3"),
    ),
    Attack(
        "administrator rights given, used and taken back within a second",
        IAM_FULL,
        (Deed("attach_user_policy, then detach_user_policy", _made_and_gone),),
        Told(Way.EVENT, ("backup-1", _BY)),
        before=_a_user("backup-1"),
    ),
    Attack(
        "an access key made, and deleted within a second",
        IAM_FULL,
        (Deed("create_access_key, then delete_access_key", _key_made_and_gone),),
        Told(Way.EVENT, ("backup-2", _BY)),
        before=_a_user("backup-2"),
    ),
    Attack(
        "a role that already is an administrator, opened to oneself",
        IAM_FULL,
        (blow("iam", "update_assume_role_policy", RoleName=DEPLOYS, PolicyDocument=_ANYBODY),),
        Told(Way.EVENT, (DEPLOYS, _BY)),
    ),
    Attack(
        "rights that only two documents give together",
        IAM_FULL,
        (
            blow(
                "iam",
                "put_user_policy",
                UserName="backup-4",
                PolicyName="one",
                PolicyDocument=document({"Effect": "Allow", "Action": "iam:CreateAccessKey", "Resource": "*"}),
            ),
            blow(
                "iam",
                "put_user_policy",
                UserName="backup-4",
                PolicyName="two",
                PolicyDocument=document({"Effect": "Allow", "Action": "iam:AttachUserPolicy", "Resource": "*"}),
            ),
        ),
        Told(Way.EVENT, ("backup-4", "administrator")),
        before=_a_user("backup-4"),
    ),
    Attack(
        "a name that is meant to be clicked on",
        IAM_FULL,
        (
            blow("iam", "create_user", UserName="confirm.at.evil.example"),
            blow("iam", "attach_user_policy", UserName="confirm.at.evil.example", PolicyArn=ADMINISTRATOR),
        ),
        Told(Way.EVENT, ("evil", "administrator")),
        check=_nothing_to_click,
    ),
)
