"""What controls judge, and what was read about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plumbline.core.errors import UnknownTarget
from plumbline.core.names import folded, is_caseless

#: What `observe` read about a target: JSON-like data, or None when the target does not exist.
State = Mapping[str, Any] | None


GLOBAL = "global"


ALL = "*"


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """One thing a control judges.

    Attributes:
        account: twelve digits.
        region: a region, or `global` for services without one.
        kind: what it is, in AWS's own word, such as `iam-user` or `s3-bucket`.
        id: its name within the account and region. `*` (alone or as `name/*`) stands for every one of that kind,
            for events that do not say which.
    """

    account: str
    region: str
    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.account}/{self.region}/{self.kind}/{self.id}"

    @classmethod
    def parse(cls, text: str) -> Target:
        """The target that prints as `text`.

        Raises:
            UnknownTarget: the text has not the form account/region/kind/id.
        """
        parts = text.split("/", 3)
        if len(parts) != 4 or not all(parts) or not (parts[0].isdigit() and len(parts[0]) == 12):  # noqa: PLR2004
            message = (
                f"'{text[:200]}' is no target; write account/region/kind/id, as in 111122223333/global/iam-user/ann"
            )
            raise UnknownTarget(message)
        return cls(*parts)

    @property
    def is_pattern(self) -> bool:
        """Whether this stands for many targets that have to be looked up."""
        return self.id == ALL or self.id.endswith("/" + ALL)

    def covers(self, other: Target) -> bool:
        """Whether `other` is this target, or one of those this pattern stands for."""
        if not self.is_pattern:
            return self == other
        return (
            self.account == other.account
            and self.kind in (ALL, other.kind)
            and self.region in (ALL, GLOBAL, other.region)
            and _begins(other, self.id.removesuffix(ALL))
        )


def _begins(target: Target, part: str) -> bool:
    """Whether a target's id begins so, in any case where IAM tells names apart without it."""
    if is_caseless(target.kind):
        return folded(target.id).startswith(folded(part))
    return target.id.startswith(part)


def same(one: State, other: State) -> bool:
    """Whether two states say the same, whichever of them has been through the ledger."""
    return json.dumps(one, sort_keys=True, default=str) == json.dumps(other, sort_keys=True, default=str)
