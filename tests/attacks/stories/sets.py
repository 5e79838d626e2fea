"""The StackSet that makes the forwarders, its stacks, and the roles it takes."""

from __future__ import annotations

import json
from typing import Any

from tests.attacks.attack import (
    ADMINISTRATOR,
    ELSEWHERE,
    EVERYTHING,
    LEFT_OUT,
    Attack,
    Attacker,
    Deed,
    Open,
    Prevented,
    Told,
    Way,
    blow,
    document,
    tearing_down,
)
from tests.attacks.attackers import (
    ASSUMER,
    CLOUDFORMATION,
    DEPLOYER,
    IAM_FULL,
    OLD_CLOUDFORMATION,
    OLD_PASSER,
    PASSER,
    POWER,
    REGIONAL,
)
from tests.attacks.house import elsewhere
from tests.attacks.stage import Stage
from tests.attacks.stories.functions import OTHER_CODE

_GUARD = Prevented("the guard")
_SET = "plumbline-forwarders"
_HERE: dict[str, Any] = {"StackSetName": _SET, "Accounts": ["<account>"], "Regions": [ELSEWHERE]}
#: A forwarder that forwards nothing.
_OTHER = json.dumps(
    {"Resources": {"DeadEvents": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "plumbline-dead-events"}}}}
)
_ROLES = {"AdministrationRoleARN": "<role stacksets>", "ExecutionRoleName": "plumbline-stackset"}
_ANOTHER: dict[str, Any] = {"StackSetName": _SET, "TemplateBody": _OTHER, **_ROLES}
_ANYBODY = document({"Effect": "Allow", "Principal": {"AWS": "<account>"}, "Action": "sts:AssumeRole"})
_OPERATION = "00000000-0000-4000-8000-000000000000"


def _settled(operation: str, **parameters: Any) -> Deed:
    """A call to StackSets, and what comes of it."""

    def do(stage: Stage, who: Attacker) -> None:
        call = getattr(stage.client("cloudformation", who.name), operation)
        call(**stage.filled(parameters, who))
        elsewhere.settle(stage.client)

    return Deed(operation, do)


def _gone(stage: Stage, who: Attacker) -> None:
    """The stack of one region deleted where it is, behind the StackSet's back."""
    client, name = stage.client("cloudformation", who.name, ELSEWHERE), stage.named("forwarder", who, ELSEWHERE)
    client.delete_stack(StackName=name)
    admin = stage.client("cloudformation", region=ELSEWHERE)

    def is_gone() -> bool:
        return not any(one["StackName"] == name for one in admin.describe_stacks()["Stacks"])

    stage.aws.wait(is_gone, what=f"{name} is deleted")


def _is_made_again(stage: Stage) -> None:
    """The look at all regions, which comes first in each sweep, makes a forwarder that is missing."""
    stage.invoke("plumbline-sweep", {"plumbline-task": "regions"})
    elsewhere.settle(stage.client)
    there = stage.client("events", region=ELSEWHERE).list_rules(NamePrefix="plumbline-")["Rules"]
    assert there, "no look has made the forwarder again"


def _tripwire(*said: str) -> Told:
    return Told(Way.TRIPWIRE, (*said, "<my-name>"))


STORIES = (
    Attack(
        "another body for every forwarder",
        POWER,
        (tearing_down("cloudformation", "update_stack_set", **_ANOTHER),),
        _GUARD,
    ),
    Attack(
        "another value for what a forwarder might take as a parameter",
        CLOUDFORMATION,
        (
            tearing_down(
                "cloudformation",
                "update_stack_instances",
                **_HERE,
                ParameterOverrides=[{"ParameterKey": "Bus", "ParameterValue": "nowhere"}],
            ),
        ),
        _GUARD,
    ),
    Attack(
        "a region's forwarder taken out of the StackSet",
        POWER,
        (tearing_down("cloudformation", "delete_stack_instances", **_HERE, RetainStacks=False),),
        _GUARD,
    ),
    Attack(
        "the StackSet deleted",
        CLOUDFORMATION,
        (tearing_down("cloudformation", "delete_stack_set", StackSetName=_SET),),
        _GUARD,
    ),
    Attack(
        "a deployment of forwarders stopped in the middle",
        CLOUDFORMATION,
        (blow("cloudformation", "stop_stack_set_operation", StackSetName=_SET, OperationId=_OPERATION),),
        _GUARD,
    ),
    Attack(
        "a forwarder in a region that the baseline leaves out",
        POWER,
        (
            blow(
                "cloudformation",
                "create_stack_instances",
                StackSetName=_SET,
                Accounts=["<account>"],
                Regions=[LEFT_OUT],
            ),
        ),
        _GUARD,
    ),
    Attack(
        "a region's forwarder deleted where it is",
        CLOUDFORMATION,
        (tearing_down("cloudformation", "delete_stack", region=ELSEWHERE, StackName="<forwarder>"),),
        _GUARD,
    ),
    Attack(
        "a region's forwarder changed where it is, by one whose rights end at the region's border",
        REGIONAL,
        (
            tearing_down(
                "cloudformation", "update_stack", region=ELSEWHERE, StackName="<forwarder>", TemplateBody=_OTHER
            ),
        ),
        _GUARD,
    ),
    # --- its roles ------------------------------------------------------------------------------------
    Attack(
        "a StackSet of the attacker's own with the roles of Plumbline's",
        POWER,
        (blow("cloudformation", "create_stack_set", StackSetName="of-pat", TemplateBody=_OTHER, **_ROLES),),
        Prevented("PowerUserAccess may pass no role"),
    ),
    Attack(
        "a StackSet of the attacker's own with the roles of Plumbline's, by one who may pass roles",
        PASSER,
        (
            blow(
                "lambda",
                "create_function",
                FunctionName="of-paul",
                Runtime="python3.13",
                Role="<role stackset>",
                Handler="app.handler",
                Code={"ZipFile": OTHER_CODE},
            ),
        ),
        Prevented("the guard, which lets nobody pass Plumbline's roles"),
    ),
    Attack(
        "the roles of forwarders and StackSet assumed directly",
        ASSUMER,
        tuple(
            blow("sts", "assume_role", RoleArn=f"<role {name}>", RoleSessionName="asta")
            for name in ("forwarder", "stacksets", "stackset")
        ),
        Prevented("the trust of its roles"),
    ),
    Attack(
        "the role that makes forwarders opened to the whole account",
        IAM_FULL,
        (blow("iam", "update_assume_role_policy", RoleName="plumbline-stackset", PolicyDocument=_ANYBODY),),
        _tripwire("UpdateAssumeRolePolicy", "plumbline-stackset"),
    ),
    Attack(
        "AdministratorAccess for the role that makes forwarders",
        IAM_FULL,
        (blow("iam", "attach_role_policy", RoleName="plumbline-stackset", PolicyArn=ADMINISTRATOR),),
        _tripwire("AttachRolePolicy", "plumbline-stackset"),
    ),
    Attack(
        "the StackSet's role without a policy, so that no forwarder is made any more",
        IAM_FULL,
        (blow("iam", "detach_role_policy", RoleName="plumbline-stacksets", PolicyArn="<policy stacksets>"),),
        _tripwire("DetachRolePolicy", "plumbline-stacksets"),
    ),
    Attack(
        "the StackSet's role under a boundary, as the house look sees it",
        IAM_FULL,
        (
            blow(
                "iam",
                "put_role_permissions_boundary",
                RoleName="plumbline-stacksets",
                PermissionsBoundary="arn:aws:iam::aws:policy/AWSDenyAll",
            ),
        ),
        Told(Way.HOUSE, ("plumbline-stacksets", "boundary")),
    ),
    Attack(
        "another version of the policy of the role that makes forwarders",
        IAM_FULL,
        (
            blow(
                "iam",
                "create_policy_version",
                PolicyArn="<policy stackset>",
                PolicyDocument=EVERYTHING,
                SetAsDefault=True,
            ),
        ),
        _tripwire("CreatePolicyVersion", "plumbline-stackset"),
    ),
    # --- by those who were there before ---------------------------------------------------------------
    Attack(
        "another body for every forwarder, before his guard is agreed to",
        OLD_CLOUDFORMATION,
        (blow("cloudformation", "update_stack_set", **_ANOTHER),),
        Prevented("IAM: who may not pass the StackSet's role cannot give it another body"),
    ),
    Attack(
        "another body for one forwarder, by one who may pass roles, before his guard is agreed to",
        OLD_PASSER,
        (_settled("update_stack_set", **_ANOTHER, Accounts=["<account>"], Regions=[ELSEWHERE]),),
        _tripwire("UpdateStackSet", _SET),
    ),
    Attack(
        "another body for one forwarder, by a deployer",
        DEPLOYER,
        (_settled("update_stack_set", **_ANOTHER, Accounts=["<account>"], Regions=[ELSEWHERE]),),
        Open("whoever may deploy Plumbline decides what runs in it", _tripwire("UpdateStackSet", _SET)),
    ),
    Attack(
        "a region's forwarder taken out of the StackSet, before his guard is agreed to",
        OLD_CLOUDFORMATION,
        (_settled("delete_stack_instances", **_HERE, RetainStacks=False),),
        _tripwire("DeleteStackInstances", _SET),
        check=_is_made_again,
    ),
    Attack(
        "a forwarder made anew, and made in a region that the baseline leaves out, before his guard is agreed to",
        OLD_CLOUDFORMATION,
        (
            _settled("update_stack_instances", **_HERE),
            _settled("create_stack_instances", StackSetName=_SET, Accounts=["<account>"], Regions=[LEFT_OUT]),
        ),
        _tripwire("CreateStackInstances", _SET),
    ),
    Attack(
        "a region's forwarder deleted where it is, before his guard is agreed to",
        OLD_CLOUDFORMATION,
        (Deed("delete_stack in another region", _gone),),
        Told(Way.SWEEP, (f"{ELSEWHERE} has given no sign of life",)),
    ),
    Attack(
        "a region's forwarder deleted where it is, and its rules made again",
        OLD_CLOUDFORMATION,
        (Deed("delete_stack in another region", _gone),),
        Told(Way.SWEEP, (ELSEWHERE, "plumbline-access-analyzer", "is gone")),
    ),
)
