"""Who may give a role to a service: iam:PassRole, which is asked beside the action of the call itself.

Stock, whoever may create a function may give it any role. AWS asks whether the caller may pass that role to that
service, with `iam:PassedToService`; what is refused says iam:PassRole and the role.

Source: IAM user guide, "Grant a user permissions to pass a role to an AWS service".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

#: Action -> the service that gets the role, and the parameters that may name it, outer ones first.
_PASSING: Mapping[str, tuple[str, Sequence[str]]] = {
    "cloudformation:CreateChangeSet": ("cloudformation.amazonaws.com", ("roleARN",)),
    "cloudformation:CreateStack": ("cloudformation.amazonaws.com", ("roleARN",)),
    "cloudformation:CreateStackSet": ("cloudformation.amazonaws.com", ("administrationRoleARN",)),
    "cloudformation:DeleteStack": ("cloudformation.amazonaws.com", ("roleARN",)),
    "cloudformation:UpdateStack": ("cloudformation.amazonaws.com", ("roleARN",)),
    "cloudformation:UpdateStackSet": ("cloudformation.amazonaws.com", ("administrationRoleARN",)),
    "events:PutRule": ("events.amazonaws.com", ("roleArn",)),
    "events:PutTargets": ("events.amazonaws.com", ("targets", "roleArn")),
    "lambda:CreateFunction": ("lambda.amazonaws.com", ("role",)),
    "lambda:UpdateFunctionConfiguration": ("lambda.amazonaws.com", ("role",)),
}

#: The role that the request being served may not pass; for what its refusal says.
refused: ContextVar[str] = ContextVar("refused", default="")
#: The roles that it passes, each with the service that gets it.
passed: ContextVar[Sequence[tuple[str, str]]] = ContextVar("passed", default=())


def passes(action: str) -> bool:
    """Whether a call of this action may pass a role."""
    return action in _PASSING


def remember(action: str, parameters: Mapping[str, Any]) -> None:
    """Keep which roles a request passes, until IAM is asked about it."""
    refused.set("")
    service, path = _PASSING.get(action, ("", ()))
    passed.set([(role, service) for role in _named(parameters, path)] if path else ())


def _named(value: Any, path: Sequence[str]) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, list):
        for one in value:
            yield from _named(one, path)
    elif not path:
        if value:
            yield str(value)
    elif isinstance(value, Mapping):
        yield from _named(value.get(path[0]), path[1:])
