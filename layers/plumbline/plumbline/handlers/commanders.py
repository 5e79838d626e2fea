"""Who may command Plumbline, in the words of the e-mail that tells what was there before it."""

from __future__ import annotations

from collections.abc import Sequence

from plumbline.alerts.wording import clean
from plumbline.core import people
from plumbline.core.errors import AwsRefusal
from plumbline.engine.settle import Engine
from plumbline.handlers.operate import operators
from plumbline.handlers.operate.proof import Place

#: As many as a person reads; whoever has more of them sees that these are too many.
_NAMED, _LONGEST = 12, 80


def commanders(engine: Engine, account: str) -> str:
    """Everybody who may exempt, pause, undo and suspend.

    Args:
        engine: knows the baseline, and reads the account.
        account: whose Plumbline.
    """
    sender = engine.deployment.sender
    try:
        found = operators.everybody(engine, Place(account, sender.region, f"{sender.stack}-operate", ()))
    except AwsRefusal as error:
        return f"Who may command Plumbline could not be read, so look at `operators` in baseline.yaml: {error}"
    return in_words(found, listed=bool(people.of_account(engine.baseline.operators, account)))


def in_words(arns: Sequence[str], *, listed: bool) -> str:
    """The same, of those who were found.

    Args:
        arns: users and roles.
        listed: whether baseline.yaml names them.
    """
    who = "; ".join(["the root user", *(_named(one) for one in arns[:_NAMED])])
    more = f"; and {len(arns) - _NAMED} more" if len(arns) > _NAMED else ""
    if listed:
        return f"Who may command Plumbline, as `operators` in baseline.yaml says: {who}{more}."
    return (
        f"Who may command Plumbline: {who}{more}. While baseline.yaml names no `operators`, these are the root user, "
        "administrators, and whoever holds the stack's OperatorPolicy."
    )


def _named(arn: str) -> str:
    kind, _, name = arn.rpartition(":")[2].partition("/")
    return f"{kind} {clean(name, _LONGEST)}"
