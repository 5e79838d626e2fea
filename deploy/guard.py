"""What the guard of template.yaml says, in an account of which nobody knows the number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parent.parent / "template.yaml"


def statements(stack: str, template: Path = TEMPLATE) -> list[Mapping[str, Any]]:
    """The statements of GuardPolicy, with the names that things have in a stack.

    Of what CloudFormation or functions/names give a name to, how that begins.

    Args:
        stack: what the stack is called, which is what the names of its resources begin with.
        template: template.yaml.
    """
    written = yaml.load(template.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 -- a SafeLoader
    stated = written["Resources"]["GuardPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    return [_named(one, stack) for one in stated]


class _Loader(yaml.SafeLoader):
    """Reads `!Ref`, `!Sub` and `!GetAtt` as the text that follows them, and `!If` as nothing."""


class _Short(str):
    """What follows an intrinsic function."""

    __slots__ = ()


def _intrinsic(loader: yaml.SafeLoader, _function: str, node: yaml.Node) -> _Short | None:
    return _Short(loader.construct_scalar(node)) if isinstance(node, yaml.ScalarNode) else None


_Loader.add_multi_constructor("!", _intrinsic)


def _named(value: Any, stack: str) -> Any:  # noqa: ANN401 - a part of a policy
    if isinstance(value, _Short):
        whole = _by_cloudformation(value, stack)
        return whole or re.sub(r"\$\{([\w:.]+)\}", lambda found: _called(found[1], stack), value)
    if isinstance(value, Mapping):
        return {key: _named(one, stack) for key, one in value.items()}
    if isinstance(value, list):
        # A boundary is the organisation's own, or the account's: nobody knows it here.
        found = [_named(one, stack) for one in value if one is not None]
        return [one for one in found if not any(_within(one, other) for other in found)]
    return value


def _called(name: str, stack: str) -> str:
    """What stands in a text for a parameter or an attribute."""
    return {
        "Names.Prefix": stack,
        "Names.Trail": stack,
        "Names.Ledger": f"{stack}-ledger-*",
        "Names.TrailBucket": "plumbline-trail-*",
        "AWS::StackName": stack,
        "NamesFunction.Arn": f"arn:*:lambda:*:*:function:{stack}-NamesFunction-",
    }[name]


def _by_cloudformation(name: str, stack: str) -> str:
    """A resource that CloudFormation has named, by its logical id; empty for any other text."""
    kind = {"NamesPolicy": "policy", "NamesRole.Arn": "role", "LedgerProtectionPolicy": "policy"}.get(name)
    return f"arn:*:iam::*:{kind}/plumbline/{stack}-{name.removesuffix('.Arn')}-*" if kind else ""


def _within(one: Any, other: Any) -> bool:  # noqa: ANN401
    """Whether a pattern says nothing that another one does not."""
    patterns = isinstance(one, str) and isinstance(other, str) and one != other and other.endswith("*")
    return patterns and str(one).startswith(str(other)[:-1])
