"""The guard as a policy of an organisation, for whom nothing can be attached to: `make guard-scp`.

    python -m deploy.scp baseline.yaml --stack plumbline > guard-scp.json

It denies what the guard denies, to everybody in an account but Plumbline's own roles, root, Identity Center's
administrators, and the administrators, operators and deployers whom the baseline names. Nobody's group shows in a
request, so who is an administrator by his group alone is spared by being named.

Source: AWS Organizations user guide, SCP syntax and SCP evaluation; AWS global condition context keys,
aws:PrincipalArn: of a session it is the role's ARN.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from deploy.guard import statements
from plumbline.baseline.compiler import compile_file
from plumbline.baseline.rules import STACK
from plumbline.core.errors import BaselineError

#: Characters that an organisation takes of a policy. Source: AWS Organizations quotas.
LONGEST = 5120
ADMINISTRATORS = "aws-reserved/sso.amazonaws.com/*AWSReservedSSO_AdministratorAccess_*"
_SPARED = ("root", f"role/{ADMINISTRATORS}")
Policy = Mapping[str, Any]


def policy(statements: Sequence[Policy], spared: Sequence[str]) -> Policy:
    """The guard's statements, but for whoever is spared.

    Args:
        statements: of the guard.
        spared: ARN patterns of who may change Plumbline.
    """
    but = {"ArnNotLike": {"aws:PrincipalArn": list(spared)}}
    return {
        "Version": "2012-10-17",
        "Statement": [{**one, "Condition": {**one.get("Condition", {}), **but}} for one in statements],
    }


def shipped() -> str:
    """The text of docs/guard-scp.json: the policy of a stack called `STACK`, before anybody is named."""
    return json.dumps(policy(statements(STACK), always_spared(STACK)), indent=1) + "\n"


def always_spared(stack: str) -> tuple[str, ...]:
    """Whom no baseline has to name: the stack's own roles, root, and Identity Center's administrators."""
    return (f"arn:*:iam::*:role/plumbline/{stack}-*", *(f"arn:*:iam::*:{one}" for one in _SPARED))


def spared(compiled: Policy, stack: str) -> tuple[str, ...]:
    """Whom a baseline lets change Plumbline, and who always may.

    Args:
        compiled: the baseline.
        stack: what the names of the stack's resources begin with.
    """
    administrators = compiled["controls"]["iam-admin-grants"]["settings"]["administrators"]
    named = [f"role/{one}" for one in administrators["roles"] if "{stack}" not in one and one != ADMINISTRATORS]
    named += [f"user/{where}{one}" for one in administrators["users"] for where in ("", "*/")]
    people = [*compiled["operators"], *compiled["deployers"]]
    return tuple(dict.fromkeys([*always_spared(stack), *(f"arn:*:iam::*:{one}" for one in named), *people]))


def main(arguments: Sequence[str]) -> int:
    """Print the policy of a stack and its baseline; 1, and why, where it would lock its owner out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("baseline", type=Path, help="baseline.yaml")
    parser.add_argument("--stack", default=STACK, help="what the names of the stack's resources begin with")
    typed = parser.parse_args(arguments)
    try:
        compiled = compile_file(typed.baseline, today=datetime.now(timezone.utc).date())
    except BaselineError as error:
        return _stop("\n".join(error.problems))
    if not (compiled["operators"] and compiled["deployers"]):
        return _stop(
            f"{typed.baseline}: operators and deployers must both be named before an organisation's policy denies the "
            "rest; whoever is an administrator by his group alone could no longer deploy, nor type a command. Write "
            "them by their ARNs, such as deployers: ['arn:aws:iam::111122223333:user/maria']"
        )
    made = policy(statements(typed.stack), spared(compiled, typed.stack))
    text = json.dumps(made, separators=(",", ":"))
    if len(text) > LONGEST:
        return _stop(
            f"{typed.baseline}: an organisation takes {LONGEST:,} characters of a policy, and this one has "
            f"{len(text):,}; name fewer operators and deployers, or a path of theirs, as in "
            "arn:aws:iam::*:role/operations/*"
        )
    sys.stdout.write(f"{text}\n")
    return 0


def _stop(why: str) -> int:
    sys.stderr.write(f"{why}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
