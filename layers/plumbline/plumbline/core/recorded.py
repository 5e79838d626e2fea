"""What Plumbline's own parts were when its stack was last deployed. Pure.

CloudFormation cannot be asked for it: it knows no hash of a function's code, and what is changed outside of it, such as
a table's policy, it does not notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: One part: what of it is compared, by name; what begins with an underscore only says where to find it.
Part = Mapping[str, Any]
#: kind -> name -> part.
Parts = Mapping[str, Mapping[str, Part]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """Plumbline's own parts, and when they were so.

    Attributes:
        deployment: what tells one deployment of the stack from another.
        parts: all of them.
        deployer: the ARN of the user or role that deployed last; of the one before while CloudTrail has not said.
        deployer_of: the deployment whose deployer that is.
    """

    deployment: str = ""
    parts: Parts = field(default_factory=dict)
    deployer: str = ""
    deployer_of: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        parts = {kind: dict(named) for kind, named in self.parts.items()}
        who = {"deployer": self.deployer, "deployer_of": self.deployer_of}
        return {"deployment": self.deployment, "parts": parts, **who}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Recorded:
        """What `to_json` wrote."""
        who = (str(data.get(name, "")) for name in ("deployer", "deployer_of"))
        return cls(str(data["deployment"]), data["parts"], *who)


@dataclass(frozen=True, slots=True)
class Deployed:
    """The last deployment of the stack.

    Attributes:
        mark: tells it from any other; CloudFormation itself says when the stack was changed, so no event has to be
            believed.
        since: when it began.
        is_over: whether CloudFormation is done with it.
        status: CloudFormation's word for how it stands.
    """

    mark: str
    since: datetime
    is_over: bool
    status: str


def is_compared(fact: str) -> bool:
    """Whether a field of a part says how it is, rather than where it is found."""
    return not fact.startswith("_")
