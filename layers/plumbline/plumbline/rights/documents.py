"""What IAM and S3 policy documents mean. Pure; every shape AWS accepts is accepted.

Action, Resource and Statement may be one value or a list; NotAction, NotResource and NotPrincipal turn them round;
names are compared without case; `*` and `?` stand for any text and any character.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

Document = Mapping[str, Any]
Statement = Mapping[str, Any]


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
