"""What IAM is told about a call on an event source mapping: `lambda:FunctionArn`, whose function it starts.

A mapping's ARN holds an id and nothing of its function, and one that is made has none: policies can only say which
functions' triggers somebody may touch by this key, which the emulator does not know.

Source: AWS Lambda developer guide, "Fine-tuning the Resources and Conditions sections of policies"; Service
Authorization Reference, actions of AWS Lambda.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from ministack.services import lambda_svc

KEY = "lambda:FunctionArn"
_ACTIONS = frozenset(f"lambda:{verb}EventSourceMapping" for verb in ("Create", "Update", "Delete", "Get"))

#: The function whose trigger the request being served is about; empty where it is about none.
function: ContextVar[str] = ContextVar("function", default="")


def concerns(action: str) -> bool:
    """Whether IAM is told of a function beside this action's resource."""
    return action in _ACTIONS


def remember(action: str, parameters: Mapping[str, Any], region: str, account: str) -> None:
    """Keep which function's trigger a request is about, until IAM is asked about it."""
    function.set("")
    if not concerns(action):
        return
    name = parameters.get("functionName")
    if name:
        function.set(_arn(str(name), region, account))
        return
    made = lambda_svc._esms.get(str(parameters.get("uuid") or parameters.get("uUID") or "")) or {}
    function.set(str(made.get("FunctionArn", "")))


def _arn(name: str, region: str, account: str) -> str:
    """A function's ARN, by any of the ways to name it that Lambda takes."""
    if name.startswith("arn:"):
        return name
    return f"arn:aws:lambda:{region}:{account}:function:{name.rpartition(':function:')[2]}"
