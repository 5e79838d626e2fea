"""What IAM and S3 policy documents mean. Pure; every shape AWS accepts is accepted.

Action, Resource and Statement may be one value or a list; NotAction, NotResource and NotPrincipal turn them round;
names are compared without case; `*` and `?` stand for any text and any character.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from plumbline.core.targets import ALL

Document = Mapping[str, Any]
Statement = Mapping[str, Any]

#: Actions that, allowed on every thing of their kind, let their holder make himself administrator, and that kind.
#: Source: Rhino Security Labs' list of IAM privilege escalations: each path that needs no further permission.
_BECOMES_ADMIN = {
    "iam:AttachUserPolicy": "user",
    "iam:PutUserPolicy": "user",
    "iam:AttachGroupPolicy": "group",
    "iam:PutGroupPolicy": "group",
    "iam:AttachRolePolicy": "role",
    "iam:PutRolePolicy": "role",
    "iam:CreatePolicyVersion": "policy",
    "iam:SetDefaultPolicyVersion": "policy",
    "iam:UpdateAssumeRolePolicy": "role",
    "iam:AddUserToGroup": "group",
    "iam:CreateAccessKey": "user",
    "iam:CreateLoginProfile": "user",
    "iam:UpdateLoginProfile": "user",
}
#: With iam:PassRole on every role, each of these runs code as any role.
_RUNS_CODE = (
    ("lambda:CreateFunction", "lambda:InvokeFunction"),
    ("ec2:RunInstances",),
    ("cloudformation:CreateStack",),
    ("glue:CreateDevEndpoint",),
    ("datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition"),
)
#: AWS's own policies that `admin_reason` finds, by path and name; those of service-linked roles are left out. They say
#: the same in every account, so nobody has to read them at run time.
#: Source: the AWS managed policy reference as moto carries it; a test compares.
AWS_ADMIN_POLICIES = frozenset(
    {
        "AdministratorAccess",
        "AdministratorAccess-Amplify",
        "AmazonDynamoDBFullAccesswithDataPipeline",
        "AmazonElasticMapReduceFullAccess",
        "IAMFullAccess",
        "service-role/AWSElasticBeanstalkService",
        "service-role/AmazonElasticMapReduceRole",
    }
)
_ARN_PARTS = 6
#: Names no policy mentions: a pattern that covers one of them covers all of their kind.
_ANY = "nobody-names-a-thing-like-this"
_UNHEARD = "plumbline-unheard-of"
#: What a policy may give on its own holder and so on everybody who holds it: his user name as a policy variable.
_HIMSELF = "arn:aws:iam::*:user/${aws:username}"
_ON_HIMSELF = frozenset({"iam:AttachUserPolicy", "iam:PutUserPolicy"})

#: Condition keys that tell who asks, from where, when and how, but not what for: an administrator under such a
#: condition is an administrator still.
#: Source: AWS global condition context keys, IAM user guide.
_CIRCUMSTANCES = (
    "aws:multifactorauth*",
    "aws:source*",
    "aws:vpcsourceip",
    "aws:vpce*",
    "aws:securetransport",
    "aws:currenttime",
    "aws:epochtime",
    "aws:tokenissuetime",
    "aws:useragent",
    "aws:referer",
    "aws:user*",
    "aws:principal*",
    "aws:federatedprovider",
    "aws:calledvia*",
    "aws:viaawsservice",
    "aws:requestedregion",
    "aws:resourceaccount",
    "aws:resourceorg*",
    "aws:assumedroot",
    "aws:ec2instance*",
    "aws:signin*",
    "sts:*",
    "saml:*",
    "ec2:sourceinstancearn",
    "lambda:sourcefunctionarn",
    "identitystore:*",
)


def document(value: Any) -> Document:  # noqa: ANN401 - AWS gives text, URL-encoded text or an object
    """A policy document as data, however AWS handed it over (IAM URL-encodes, botocore sometimes decodes)."""
    if isinstance(value, str):
        value = json.loads(value if value.lstrip().startswith("{") else unquote(value))
    return value if isinstance(value, Mapping) else {}


def listed(value: Any) -> list[Any]:  # noqa: ANN401 - policies allow one value where a list is meant
    """`value` as a list: AWS allows one value wherever a list is meant."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def statements(policy: Document) -> list[Statement]:
    """The statements of a policy, whether it has one or many."""
    return [one for one in listed(policy.get("Statement")) if isinstance(one, Mapping)]


def matches(pattern: str, name: str) -> bool:
    """Whether an IAM pattern (`*`, `?`, any case) covers `name`."""
    return _matches(pattern.lower(), name.lower())


def _matches(pattern: str, name: str) -> bool:
    # Own matcher: fnmatch reads [..] as a set, and a hostile pattern must not cost exponential time.
    p = n = 0
    star, resume = -1, 0
    while n < len(name):
        if p < len(pattern) and pattern[p] == "*":
            star, resume, p = p, n, p + 1
        elif p < len(pattern) and pattern[p] in ("?", name[n]):
            p, n = p + 1, n + 1
        elif star >= 0:
            resume += 1
            p, n = star + 1, resume
        else:
            return False
    return not pattern[p:].strip("*")


def matches_exactly(pattern: str, name: str) -> bool:
    """The same where case counts, as it does in ARNs and in the values of conditions."""
    if "*" not in pattern and "?" not in pattern:
        return pattern == name
    return _matches(pattern, name)


def allows(statement: Statement, action: str) -> bool:
    """Whether the action part of a statement covers `action`."""
    if "NotAction" in statement:
        return not any(matches(str(one), action) for one in listed(statement["NotAction"]))
    return any(matches(str(one), action) for one in listed(statement.get("Action")))


def admin_reason(policy: Document) -> str:
    """Why a policy makes its holder an administrator; empty when it does not.

    What counts: everything everywhere, everything but a few things with IAM among the rest, all of IAM, a way to
    change permissions or to become somebody else on everything of its kind (or on its own holder), and PassRole on
    every role together with a way to run code. Conditions on who, when and from where make no difference; conditions
    on what is done do (`iam:PassedToService`, `aws:ResourceTag`). What the same document denies outright is taken off.

    What does not count: a boundary, since it is no part of the document and may be gone tomorrow; rights that only
    several documents together give.
    """
    rights = _Rights(
        allowing=[one for one in statements(policy) if one.get("Effect") == "Allow" and not _restricts(one)],
        denying=[one for one in statements(policy) if one.get("Effect") == "Deny" and not one.get("Condition")],
    )
    return _has_everything(rights) or _can_take_rights(rights) or _can_run_code(rights)


@dataclass(frozen=True, slots=True)
class _Rights:
    """What a document gives: its Allow statements, less its Deny statements."""

    allowing: Sequence[Statement]
    denying: Sequence[Statement]

    def to(self, action: str, resource: str) -> bool:
        """Whether an action on this very resource is given."""
        return any(allows(one, action) and _covers(one, resource) for one in self.allowing) and not any(
            allows(one, action) and _covers(one, resource) for one in self.denying
        )

    def anywhere(self, action: str) -> bool:
        """Whether an action is given on some resource: one function or instance is enough to run code."""
        everywhere = f"arn:aws:{action.partition(':')[0]}:::{_ANY}"
        return any(allows(one, action) for one in self.allowing) and not any(
            allows(one, action) and _covers(one, everywhere) for one in self.denying
        )


def _has_everything(rights: _Rights) -> str:
    if not rights.to(f"iam:{_UNHEARD}", _iam("user")):
        return ""
    if not rights.to(f"{_UNHEARD}:{_UNHEARD}", f"arn:aws:{_UNHEARD}:::{_ANY}"):
        return "allows every IAM action on every resource, and so any other"
    if any("Action" in one and allows(one, f"iam:{_UNHEARD}") for one in rights.allowing):
        return "allows every action on every resource"
    return "allows all but a few actions on every resource (NotAction), those of IAM among them"


def _can_take_rights(rights: _Rights) -> str:
    for action, kind in _BECOMES_ADMIN.items():
        if rights.to(action, _iam(kind)):
            return f"allows {action} on every {kind}, with which its holder can take any right"
        if action in _ON_HIMSELF and rights.to(action, _HIMSELF):
            return f"allows {action} on its own holder, who can give himself any right with it"
    return ""


def _can_run_code(rights: _Rights) -> str:
    if rights.to("iam:PassRole", _iam("role")):
        for means in _RUNS_CODE:
            if all(rights.anywhere(action) for action in means):
                return f"allows iam:PassRole on every role and {means[0]}, with which its holder can use any role"
    return ""


def _iam(kind: str) -> str:
    return f"arn:aws:iam::*:{kind}/{_ANY}"


def _covers(statement: Statement, resource: str) -> bool:
    """Whether the resource part of a statement reaches `resource`, in whatever account and partition it is written."""
    if "NotResource" in statement:
        return not any(matches(_wherever(one), resource) for one in listed(statement["NotResource"]))
    return any(matches(_wherever(one), resource) for one in listed(statement.get("Resource")))


def _wherever(pattern: Any) -> str:  # noqa: ANN401 - policies hold anything
    """A resource pattern with its partition and account left open: the account is the one the policy stands in."""
    parts = str(pattern).split(":", _ARN_PARTS - 1)
    if parts[0] == "arn" and len(parts) > 1:
        parts[1] = ALL
    if parts[0] == "arn" and len(parts) == _ARN_PARTS:
        parts[4] = ALL
    return ":".join(parts)


def _restricts(statement: Statement) -> bool:
    """Whether a condition narrows what may be done, rather than who does it, when and from where."""
    for operator, tests in (statement.get("Condition") or {}).items():
        name = str(operator).lower()
        # Not... leaves nearly everything in; ...IfExists and ForAllValues: are true where the key is missing.
        if "not" in name or name == "null" or name.endswith("ifexists") or name.startswith("forallvalues:"):
            continue
        for key, values in (tests or {}).items():
            wild = name.endswith("like") and any(not str(one).strip("*") for one in listed(values))
            if not wild and not any(matches(circumstance, str(key)) for circumstance in _CIRCUMSTANCES):
                return True
    return False
