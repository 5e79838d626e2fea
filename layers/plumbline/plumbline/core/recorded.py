"""What Plumbline's own parts were when its stack was last deployed. Pure.

CloudFormation cannot be asked for it: it knows no hash of a function's code, and what is changed outside of it, such as
a table's policy, it does not notice.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: One part: what of it is compared, by name; what begins with an underscore only says where to find it.
Part = Mapping[str, Any]
#: kind -> name -> part.
Parts = Mapping[str, Mapping[str, Part]]
#: What stands for a forwarder's own region in what is kept of all of them, and where that is kept.
_HERE, _ALL = "<here>", ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """Plumbline's own parts, and when they were so.

    Attributes:
        deployment: what tells one deployment of the stack from another.
        parts: all of them, in the home region.
        elsewhere: the forwarders' in other regions; see `common`.
        deployer: the ARN of the user or role that deployed last; of the one before while CloudTrail has not said.
        deployer_of: the deployment whose deployer that is.
    """

    deployment: str = ""
    parts: Parts = field(default_factory=dict)
    deployer: str = ""
    deployer_of: str = ""
    elsewhere: Mapping[str, Parts] = field(default_factory=dict)

    def forwarder(self, region: str) -> Parts:
        """What a region's forwarder was made of: what all have, and what only this one has; none where none has.

        Args:
            region: any but home. One that was switched on after the deployment has what all have.
        """
        found: dict[str, dict[str, Part]] = {}
        for kept in (self.elsewhere.get(_ALL, {}), self.elsewhere.get(region, {})):
            for kind, named in kept.items():
                found.setdefault(kind, {}).update({name: _filled(one, _HERE, region) for name, one in named.items()})
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        parts = {kind: dict(named) for kind, named in self.parts.items()}
        who = {"deployer": self.deployer, "deployer_of": self.deployer_of}
        return {"deployment": self.deployment, "parts": parts, "elsewhere": dict(self.elsewhere), **who}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Recorded:
        """What `to_json` wrote."""
        deployer, of = (str(data.get(name, "")) for name in ("deployer", "deployer_of"))
        return cls(str(data["deployment"]), data["parts"], deployer, of, data.get("elsewhere", {}))


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


def common(seen: Mapping[str, Parts], alone: str) -> Mapping[str, Parts]:
    """What the forwarders are made of, out of what was seen in each region: they were all made from one template.

    What most of them say counts, so that somebody who changes one while a deployment is written down changes no other.

    Args:
        seen: region -> kind -> name -> part.
        alone: the region whose forwarder has more than the others: AWS tells there of services without a region.

    Returns:
        under the empty name what all have, in words that fit each region; under `alone` what only that one has.
    """
    most: dict[str, dict[str, Part]] = {}
    more: dict[str, dict[str, Part]] = {}
    others = sum(region != alone for region in seen)
    for kind in sorted({kind for parts in seen.values() for kind in parts}):
        for name in sorted({name for parts in seen.values() for name in parts.get(kind, {})}):
            having = {region: parts[kind][name] for region, parts in seen.items() if name in parts.get(kind, {})}
            said = [_text(_filled(one, region, _HERE)) for region, one in having.items()]
            (text, _), *_ = Counter(said).most_common(1)
            if others and 2 * sum(region != alone for region in having) > others:
                most.setdefault(kind, {})[name] = json.loads(text)
            elif alone in having:
                more.setdefault(kind, {})[name] = having[alone]
    return {name: parts for name, parts in ((_ALL, most), (alone, more)) if parts}


def _filled(part: Part, old: str, new: str) -> Part:
    """A part with another region's name in it, wherever one stands in an ARN or an address."""
    filled: Part = json.loads(_text(part).replace(f":{old}:", f":{new}:").replace(f".{old}.", f".{new}."))
    return filled


def _text(part: Part) -> str:
    return json.dumps(part, sort_keys=True)
