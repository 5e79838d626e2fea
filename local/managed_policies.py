"""The AWS managed policies that the emulator does not know, read from the copy moto ships."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

PREFIX = "arn:aws:iam::aws:policy/"


class ManagedPolicies:
    """Names and documents of all AWS managed policies, read when the first unknown one is asked for."""

    def __init__(self, site_packages: Path) -> None:
        self._source = site_packages / "moto" / "iam" / "aws_managed_policies.py"
        self._lock = threading.Lock()

    def document(self, arn: str) -> str | None:
        """The default version's document of an AWS managed policy, or None where AWS has no such policy."""
        with self._lock:
            found = _policies(self._source).get(arn)
        return json.dumps(found["Document"]) if found else None


@cache
def _policies(source: Path) -> Mapping[str, Mapping[str, Any]]:
    # The module is one assignment of one JSON string. Reading it as text spares the emulator moto's imports.
    text = source.read_text(encoding="utf-8")
    named = json.loads(text[text.index('"""') + 3 : text.rindex('"""')])
    return {f"{PREFIX}{policy['Path'].strip('/')}/{name}".replace("policy//", "policy/"): policy
            for name, policy in named.items()}  # fmt: skip
