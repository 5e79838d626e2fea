"""Whether somebody is the last who could come in as an administrator, for whoever wants to keep him from everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from plumbline.controls.iam._administrators import weighing
from plumbline.controls.iam._entitled import locked_out
from plumbline.controls.iam._matters import administrators_where_it_matters
from plumbline.core.calls import Ask


def last_way_in(ask: Ask, arn: str, who: Mapping[str, Sequence[str]], also: Sequence[str] = ()) -> str:
    """Why a user or role must stay as it is, as it reads after "because"; empty where somebody else can come in.

    Where nobody can come in as it is, nobody is the last.

    Args:
        ask: the eyes.
        arn: of the user or role.
        who: the administrators of the baseline.
        also: the ARNs of those who may do nothing already.

    Raises:
        AwsRefusal: AWS did not show who could come in.
    """
    account = ask.once(weighing)
    if locked_out({"administrators": account.without(frozenset(also))}, who):
        return ""
    return locked_out({"administrators": account.without(frozenset((arn, *also)))}, who)


def administrators_without(ask: Ask) -> Callable[[str, str], list[dict[str, Any]] | None]:
    """Asks who would be left as an administrator, where something is taken from a user who is one, or may become one.

    Args:
        ask: the eyes.

    Returns:
        A user's name and ARN -> the administrators there are without him; None where nothing of his leads to such
        rights. The account is read when it is first asked.
    """
    matters = administrators_where_it_matters(ask)

    def left(user: str, arn: str) -> list[dict[str, Any]] | None:
        return ask.once(weighing).without((arn,)) if matters(user) else None

    return left
