"""How full AWS's containers are, as deployed, with every name as long as it may be: see `LONGEST_NAMES`.

`make sizes` prints it; `make sizes CONTROLS=70` for a registry grown to so many.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from tests.deployed import LONGEST_NAMES, TEMPLATE, as_deployed, by_sam, parsed
from tests.generating import permissions, rules
from tests.generating.packing import characters
from tests.generating.template import written
from tests.grown import grown


def transformed(controls: int = 0) -> Mapping[str, Any]:
    """The resources that CloudFormation gets once the registry has that many controls; today's, if it has more."""
    resources: Mapping[str, Any] = by_sam(parsed(written(TEMPLATE.read_text(), grown(controls))))["Resources"]
    return resources


def policies(resources: Mapping[str, Any]) -> dict[str, int]:
    """The characters of each managed policy."""
    return _sizes(resources, "AWS::IAM::ManagedPolicy", "PolicyDocument")


def patterns(resources: Mapping[str, Any]) -> dict[str, int]:
    """The characters of each event pattern."""
    return _sizes(resources, "AWS::Events::Rule", "EventPattern")


def attached(resources: Mapping[str, Any]) -> dict[str, int]:
    """How many managed policies each role may hold: its own, and those that attach themselves to it."""
    return {
        name: len(one["Properties"]["ManagedPolicyArns"])
        + sum({"Ref": name} in other.get("Properties", {}).get("Roles", ()) for other in resources.values())
        for name, one in resources.items()
        if one["Type"] == "AWS::IAM::Role"
    }


def _sizes(resources: Mapping[str, Any], kind: str, document: str) -> dict[str, int]:
    return {
        name: characters(as_deployed(one["Properties"][document], resources, LONGEST_NAMES))
        for name, one in resources.items()
        if one["Type"] == kind and document in one.get("Properties", {})
    }


def main(controls: int) -> None:
    """Print them all, each with its limit."""
    resources = transformed(controls)
    every = (
        ("managed policy", "characters", policies(resources), permissions.LONGEST),
        ("role", "managed policies", attached(resources), permissions.MOST),
        ("rule", "characters of its pattern", patterns(resources), rules.LONGEST),
    )
    for what, unit, sizes, limit in every:
        print(f"\n{what} ({unit}, of {limit:,})")  # noqa: T201 - a program for the terminal
        for name, size in sizes.items():
            print(f"  {name:24} {size:6,}  {size / limit:4.0%}")  # noqa: T201
    print(f"\n{len(patterns(resources))} rules with a pattern, of {rules.MOST}; {len(resources)} resources, of 500")  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
