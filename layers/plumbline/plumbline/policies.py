"""What IAM and S3 policy documents mean. Pure; every shape AWS accepts is accepted.

Action, Resource and Statement may be one value or a list; NotAction, NotResource and NotPrincipal turn them round;
names are compared without case; `*` and `?` stand for any text and any character.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_network
from typing import Any
from urllib.parse import unquote

_IAM_ARN = re.compile(r"^arn:[^:]+:iam::[0-9*]*:")
#: Resources, less the IAM prefix of an ARN, that leave nothing of their kind out.
_EVERYTHING = frozenset({"*", "**", "arn:*", "arn:aws:iam::*", "user/*", "group/*", "role/*", "policy/*"})

Document = Mapping[str, Any]
Statement = Mapping[str, Any]

#: Actions that, allowed on every resource, let their holder make himself administrator.
#: Source: Rhino Security Labs' list of IAM privilege escalations, one representative for each path that needs no
#: further permission.
_BECOMES_ADMIN = (
    "iam:AttachUserPolicy",
    "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:PutUserPolicy",
    "iam:PutGroupPolicy",
    "iam:PutRolePolicy",
    "iam:CreatePolicyVersion",
    "iam:SetDefaultPolicyVersion",
)
#: With iam:PassRole on every role, each of these runs code as any role.
_RUNS_CODE = (
    ("lambda:CreateFunction", "lambda:InvokeFunction"),
    ("ec2:RunInstances",),
    ("cloudformation:CreateStack",),
    ("glue:CreateDevEndpoint",),
    ("datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition"),
)

#: Condition keys that, fixed to a value without wildcards, make an S3 policy statement non-public.
#: Source: Amazon S3 user guide, Blocking public access, "The meaning of public".
_FIXING_KEYS = frozenset(
    {
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:sourcearn",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourceowner",
        "aws:sourceaccount",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:userid",
        "aws:calledvia",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
        "s3:dataaccesspointarn",
        "s3:dataaccesspointaccount",
    }
)
_FIXING_OPERATORS = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"})
#: Wider networks than these count as public (Amazon S3: IPv4 wider than /8, IPv6 wider than /32).
_WIDEST = {4: 8, 6: 32}


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
    # Own matcher: fnmatch reads [..] as a set, and a hostile pattern must not cost exponential time.
    pattern, name = pattern.lower(), name.lower()
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


def allows(statement: Statement, action: str) -> bool:
    """Whether the action part of an Allow statement covers `action`."""
    if "NotAction" in statement:
        return not any(matches(str(one), action) for one in listed(statement["NotAction"]))
    return any(matches(str(one), action) for one in listed(statement.get("Action")))


def _everywhere(statement: Statement) -> bool:
    """Whether a statement reaches every resource, as far as it can be told from the document."""
    if "NotResource" in statement:
        return True
    return any(_IAM_ARN.sub("", str(one)) in _EVERYTHING for one in listed(statement.get("Resource")))


def admin_reason(policy: Document) -> str:
    """Why a policy makes its holder an administrator; empty when it does not.

    An Allow without a condition counts when it gives everything everywhere, everything but a few things, all of IAM,
    a way to change permissions everywhere, or PassRole on everything together with a way to run code.
    A Deny in the same document that takes an action back on every resource is counted.
    """
    allowing = [one for one in statements(policy) if one.get("Effect") == "Allow" and not one.get("Condition") and _everywhere(one)]
    denied = [one for one in statements(policy) if one.get("Effect") == "Deny" and not one.get("Condition") and _everywhere(one)]

    def given(action: str) -> bool:
        return any(allows(one, action) for one in allowing) and not any(allows(one, action) for one in denied)

    for one in allowing:
        actions = [str(action) for action in listed(one.get("Action"))]
        if any(not action.strip("*") or action == "*:*" for action in actions) and not denied:
            return "allows every action on every resource"
        if any(matches(action, "iam:*") and action.lower().startswith("iam:") for action in actions) and not denied:
            return "allows every IAM action on every resource, and so any other"
    taken = next((action for action in _BECOMES_ADMIN if given(action)), "")
    if taken and any("NotAction" in one and allows(one, taken) for one in allowing):
        return f"allows all but a few actions on every resource (NotAction), {taken} among them"
    if taken:
        return f"allows {taken} on every resource, with which its holder can give himself any right"
    if given("iam:PassRole"):
        for means in _RUNS_CODE:
            if all(given(action) for action in means):
                return f"allows iam:PassRole and {means[0]} on every resource, with which its holder can use any role"
    return ""


def _anybody(statement: Statement) -> bool:
    """Whether the principal part lets everybody in."""
    if "NotPrincipal" in statement:
        return True
    principal = statement.get("Principal")
    values: Iterable[Any] = principal.values() if isinstance(principal, Mapping) else [principal]
    return any("*" in str(one) for value in values for one in listed(value) if not _is_arn_of_account(str(one)))


def _is_arn_of_account(principal: str) -> bool:
    """Whether a principal names an account, so that a wildcard behind it stays inside that account."""
    parts = principal.split(":", 5)
    return len(parts) == 6 and parts[0] == "arn" and parts[4].isdigit()  # noqa: PLR2004 - an ARN has six parts


def _is_fixed(key: str, operator: str, values: Sequence[Any]) -> bool:
    if key == "aws:sourceip" and operator == "ipaddress":
        return bool(values) and all(_is_narrow(str(one)) for one in values)
    if key not in _FIXING_KEYS or operator not in _FIXING_OPERATORS or not values:
        return False
    if any(str(one).lower().startswith("aroleid:") for one in values):
        return False
    if operator in ("stringlike", "arnlike", "arnequals") and key in ("aws:principalarn", "aws:sourcearn"):
        return all(_is_arn_of_account(str(one)) and "$" not in str(one) for one in values)
    return all(not set("*?$") & set(str(one)) for one in values)


def _is_narrow(cidr: str) -> bool:
    try:
        network = ip_network(cidr, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= _WIDEST[network.version]


def is_public(statement: Statement) -> bool:
    """Whether one S3 bucket policy statement is public by Amazon S3's own definition, conditions counted."""
    if statement.get("Effect") != "Allow" or not _anybody(statement):
        return False
    for operator, tests in (statement.get("Condition") or {}).items():
        # ForAllValues is true when the key is missing; IfExists likewise: neither keeps anybody out.
        name = str(operator).lower()
        if name.startswith("forallvalues:") or name.endswith("ifexists"):
            continue
        name = name.removeprefix("foranyvalue:")
        if any(_is_fixed(str(key).lower(), name, listed(values)) for key, values in (tests or {}).items()):
            return False
    return True
