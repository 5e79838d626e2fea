"""The published ways to administrator rights, as data.

A path is what its holder may call, and what the account must have for it to lead anywhere. `ways` looks for both.

Source: pathfinding.cloud (ids such as `lambda-001`, DataDog, Apache-2.0); Rhino Security Labs, AWS IAM privilege
escalation (ids beginning with `rhino-`); the rest (`own-`) follows from IAM's own rules. Actions, and the resources
they are asked on: Service Authorization Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Lead(Enum):
    """What a path needs of the account, besides the actions."""

    ITSELF = "its holder: he rewrites his own rights"
    OWN_GROUP = "a group its holder is in"
    OWN_POLICY = "a customer managed policy that its holder has"
    OWN_VERSION = "a version of such a policy that makes administrators"
    GROUP = "a group that makes administrators"
    NEW = "nothing: its holder makes another self"
    USER = "a user who is an administrator"
    ROLE = "a role that is an administrator, for its trust to be rewritten"
    ASSUMED = "a role that is an administrator and trusts its holder"
    OTHER_USER = "any user, to be made an administrator and used"
    TRUSTING_ROLE = "a role that trusts its holder, to be made an administrator"
    TRUSTING_POLICY = "a customer managed policy of such a role"
    OTHER_ROLE = "any role, to be made an administrator and trusting"
    OTHER_POLICY = "a customer managed policy of any role, that role to be made trusting"
    PASSED = "a role that is an administrator and trusts the service"
    RUNNING = "something that runs with a role that is an administrator"


@dataclass(frozen=True, slots=True)
class Path:
    """One way to administrator rights.

    Attributes:
        id: as published.
        lead: what it needs of the account.
        actions: what its holder needs; of `PASSED` without iam:PassRole, which all of these need.
        does: what its holder can do, as it reads after "may"; `{}` is what it leads through.
        services: who must be trusted by a passed role; any of these.
        running: the kind of thing that runs.
        elsewhere: those of `actions` that are about another thing than what the path leads through.
        source: who published it.
    """

    id: str
    lead: Lead
    actions: tuple[str, ...]
    does: str
    services: tuple[str, ...] = ()
    running: str = ""
    elsewhere: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """Who published it."""
        if self.id.startswith("own-"):
            return "IAM user guide"
        return "Rhino Security Labs" if self.id.startswith("rhino-") else "pathfinding.cloud"

    @property
    def direct(self) -> bool:
        """Whether its holder gives himself everything, whatever else there is in the account."""
        return self.lead in _DIRECT

    @property
    def needs(self) -> tuple[str, ...]:
        """Every action that it takes."""
        return (
            ("iam:PassRole", *self.actions)
            if self.lead is Lead.PASSED and self.id not in PASSED_BEFORE
            else self.actions
        )


_DIRECT = frozenset({Lead.ITSELF, Lead.OWN_GROUP, Lead.OWN_POLICY, Lead.OWN_VERSION, Lead.GROUP, Lead.NEW})
#: Paths with a passed role where it was passed before.
PASSED_BEFORE: frozenset[str] = frozenset()

_LAMBDA, _GLUE, _ECS = ("lambda.amazonaws.com",), ("glue.amazonaws.com",), ("ecs-tasks.amazonaws.com",)
_EC2, _BUILD, _STACKS = ("ec2.amazonaws.com",), ("codebuild.amazonaws.com",), ("cloudformation.amazonaws.com",)
_SAGEMAKER, _RUNNER, _AGENTS = (
    ("sagemaker.amazonaws.com",),
    ("tasks.apprunner.amazonaws.com",),
    ("bedrock-agentcore.amazonaws.com",),
)
_PIPELINE = ("datapipeline.amazonaws.com", "ec2.amazonaws.com", "elasticmapreduce.amazonaws.com")


def _own(name: str, lead: Lead, does: str, *actions: str) -> Path:
    return Path(name, lead, actions, does)


_SELF = (
    _own(
        "iam-001",
        Lead.OWN_POLICY,
        "write a new version of the policy {}, which it has itself",
        "iam:CreatePolicyVersion",
    ),
    _own("iam-005", Lead.ITSELF, "put an inline policy on itself", "iam:PutRolePolicy"),
    _own("iam-007", Lead.ITSELF, "put an inline policy on itself", "iam:PutUserPolicy"),
    _own("iam-008", Lead.ITSELF, "attach any policy to itself", "iam:AttachUserPolicy"),
    _own("iam-009", Lead.ITSELF, "attach any policy to itself", "iam:AttachRolePolicy"),
    _own("iam-010", Lead.OWN_GROUP, "attach any policy to the group {}, in which it is", "iam:AttachGroupPolicy"),
    _own("iam-011", Lead.OWN_GROUP, "put an inline policy on the group {}, in which it is", "iam:PutGroupPolicy"),
    _own("iam-013", Lead.GROUP, "join the group {}, which makes administrators", "iam:AddUserToGroup"),
)
PATHS: tuple[Path, ...] = _SELF

#: Where an action is asked on a resource that its caller names: the form of its ARN behind the service.
RESOURCES: Mapping[str, str] = {}
