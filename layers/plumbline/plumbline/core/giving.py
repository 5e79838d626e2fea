"""Who may make a call: the hands that take, the hands that give, or nobody but a person with rights of his own. Pure.

No role of Plumbline can make an administrator. So whatever can give rights in IAM, whoever calls it and whatever limits
its session, is held by no role, with two exceptions: policies that make nobody an administrator may be attached to
groups, and Plumbline's own policies that deny to whomever they are meant for. IAM itself keeps the giving hands
to these, by the condition key `iam:PolicyARN`, which it knows for attaching and detaching alone: an inline policy, a
version of a policy and a membership are beyond any condition, and so beyond every role.

The template's roles follow from this file, and so does which of them makes a call of a repair or an undo.

Source: Service Authorization Reference, AWS Identity and Access Management, actions and condition keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import Any

from plumbline.core.calls import Call, Plan


class Maker(str, Enum):
    """Whose rights a call takes."""

    TAKING = "hands"  # the role that takes rights away, and tightens
    GIVING = "giving"  # the role that attaches a few named policies
    HOUSE = "house"  # the role that puts Plumbline's own parts back, for controls that watch them
    PERSON = "person"  # whoever says so, with rights of his own


#: AWS's own policies that the baseline's groups get as shipped, and that make nobody an administrator. A group of the
#: baseline that gets another one gets it from a person.
GROUP_POLICIES = (
    "AWSGlueConsoleFullAccess",
    "AWSLakeFormationDataAdmin",
    "AmazonAthenaFullAccess",
    "AmazonEMRFullAccessPolicy_v2",
    "AmazonRedshiftFullAccess",
    "AmazonSageMakerFullAccess",
)
#: How the names of Plumbline's own policies end, below its path: behind the name of the stack, whose template says what
#: they say. Those that deny, and what its groups get beside AWS's policies.
OWN_DENIALS = ("guard", "suspended", "without-mfa", "regions", "buckets")
OWN_GIVEN = ("self-service",)
#: AWS's own policies that do nothing but deny: whoever takes one away gives.
AWS_DENIALS = ("AWSCompromisedKeyQuarantine*", "AWSDenyAll")

ATTACHES = ("iam:AttachGroupPolicy", "iam:AttachRolePolicy", "iam:AttachUserPolicy")
DETACHES = ("iam:DetachGroupPolicy", "iam:DetachRolePolicy", "iam:DetachUserPolicy")

#: All that the hands that take may do in IAM. None of it gives anybody a right, but where it takes away a denial that
#: somebody has written himself; and of UpdateAccessKey IAM knows no narrower right than that to switch a key off and on
#: again, which gives its user no more than he has.
TAKES = frozenset(
    {
        *DETACHES,
        "iam:CreateGroup",  # empty, and without a policy
        "iam:DeleteAccountPasswordPolicy",
        "iam:DeleteGroup",  # AWS refuses it while somebody is in it
        "iam:DeleteGroupPolicy",
        "iam:DeleteLoginProfile",
        "iam:DeletePolicy",  # AWS refuses it while somebody holds it
        "iam:DeleteRolePolicy",
        "iam:DeleteUserPolicy",
        "iam:RemoveUserFromGroup",
        "iam:UpdateAccessKey",
        "iam:UpdateAccountPasswordPolicy",
        "iam:UpdateServiceSpecificCredential",  # as UpdateAccessKey: it switches off and on what its user has
    }
)
#: What a call makes where the account has none yet: the role of an AWS service, which IAM asks about beside the call.
#: Nobody but the service can use such a role, and what it may do AWS alone says: the action -> the service.
#: Source: IAM user guide, Using service-linked roles for IAM Access Analyzer.
LINKED = {"access-analyzer:CreateAnalyzer": "access-analyzer.amazonaws.com"}
#: Services whose every write is about who may do what.
_OF_RIGHTS = frozenset({"iam", "identitystore", "organizations", "ram", "rolesanywhere", "sso", "sso-admin", "sts"})
#: Where the managed policies lie that inline ones are turned into, and how they are called.
_COPIES = re.compile(r"arn:[\w-]+:iam::\d{12}:policy/plumbline/(user|group|role)-[^/]+")
_OWN = re.compile(rf"arn:[\w-]+:iam::\d{{12}}:policy/plumbline/[^/]+-({'|'.join(OWN_DENIALS)})")
_OWN_GIVEN = re.compile(rf"arn:[\w-]+:iam::\d{{12}}:policy/plumbline/[^/]+-({'|'.join(OWN_GIVEN)})")
_AWS = re.compile(r"arn:[\w-]+:iam::aws:policy/(?P<name>.+)")
_AWS_DENIALS = re.compile("|".join(one.replace("*", ".*") for one in AWS_DENIALS))


def is_taken(action: str) -> bool:
    """Whether the hands that take hold an IAM action."""
    return action in TAKES or action.partition(":")[0] not in _OF_RIGHTS


def maker(call: Call, *, converts: bool = False) -> Maker:
    """Whose rights a call takes.

    Args:
        call: a write.
        converts: whether the stack was told that Plumbline may turn inline policies into managed ones by itself, which
            lets its giving hands make and attach a policy of any text.
    """
    arn = str(call.parameters.get("PolicyArn", ""))
    if call.action in DETACHES and _OWN.fullmatch(arn):
        return Maker.GIVING
    if call.action in DETACHES and (found := _AWS.fullmatch(arn)) and _AWS_DENIALS.fullmatch(found["name"]):
        return Maker.PERSON
    if is_taken(call.action):
        return Maker.TAKING
    if call.action in ATTACHES and _is_given(call.action, arn, converts=converts):
        return Maker.GIVING
    if converts and call.action == "iam:CreatePolicy" and _is_copy(call):
        return Maker.GIVING
    return Maker.PERSON


def linking(actions: Iterable[str]) -> list[dict[str, Any]]:
    """The statements that some actions need beside their own, to make the roles of services: of these, and no other.

    Args:
        actions: IAM actions of calls.
    """
    return [
        {
            "Effect": "Allow",
            "Action": ["iam:CreateServiceLinkedRole"],
            "Resource": [f"arn:*:iam::*:role/aws-service-role/{service}/*"],
            "Condition": {"StringEquals": {"iam:AWSServiceName": service}},
        }
        for service in sorted({LINKED[action] for action in actions if action in LINKED})
    ]


def takes_a_person(calls: Iterable[Call], *, converts: bool = False) -> bool:
    """Whether one of these calls can be made by nobody but a person."""
    return any(maker(call, converts=converts) is Maker.PERSON for call in calls)


def given(plan: Plan, *, converts: bool = False) -> frozenset[str]:
    """The facts of a plan that only a person can put right; an empty one among them where a step is of no one fact."""
    return frozenset(step.fact for step in plan.steps if takes_a_person([step.do], converts=converts))


def _is_given(action: str, arn: str, *, converts: bool) -> bool:
    if _OWN.fullmatch(arn) or (converts and _COPIES.fullmatch(arn)):
        return True
    if action != "iam:AttachGroupPolicy":
        return False
    found = _AWS.fullmatch(arn)
    return bool(_OWN_GIVEN.fullmatch(arn)) or (found is not None and found["name"] in GROUP_POLICIES)


def _is_copy(call: Call) -> bool:
    said = call.parameters
    return (
        _COPIES.fullmatch(f"arn:aws:iam::{'0' * 12}:policy{said.get('Path', '/')}{said.get('PolicyName')}") is not None
    )
