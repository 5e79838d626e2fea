"""AWS's own Service Authorization Reference, as cfn-lint carries it: the resource types of actions, and their ARNs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from local.embedded import ACCOUNT


@cache
def _reference() -> Mapping[str, Any]:
    text = files("cfnlint.data.AdditionalSpecs").joinpath("Policies.json").read_text()
    return dict(json.loads(text))


def types(action: str) -> list[str]:
    """The resource types of an action, by the reference."""
    service, _, name = action.partition(":")
    found: Mapping[str, Any] = _reference()[service]["Actions"][name.lower()]
    return list(found.get("Resources", ()))


def form(service: str, kind: str) -> re.Pattern[str]:
    """The form of the ARNs of a type, by the reference."""
    known = _reference()[service]["Resources"]
    (arn,) = known.get(kind, known.get(kind.lower(), {}))["ARNFormats"]  # a few are written in two ways
    filled = (
        arn.replace("${Partition}", "aws").replace("${Region}", "[a-z]+-[a-z]+-[0-9]").replace("${Account}", ACCOUNT)
    )
    return re.compile(filled)


def is_asked_of(action: str, resource: str) -> bool:
    """Whether AWS asks about an action on a resource of this form; on `*` only where it knows no resource of it."""
    service = action.partition(":")[0]
    kinds = types(action)
    return any(form(service, kind).fullmatch(resource) for kind in kinds) if kinds else resource == "*"
