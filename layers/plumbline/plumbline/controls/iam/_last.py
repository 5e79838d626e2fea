"""Whether somebody is the last who could come in as an administrator, for whoever wants to keep him from everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from plumbline.controls.iam._administrators import administrators_where_it_matters, all_administrators
from plumbline.controls.iam._entitled import locked_out
from plumbline.controls.iam._principals import EVERYTHING
from plumbline.core.calls import Ask, Call
from plumbline.core.reach import Reach
from plumbline.core.recorded import Recorded


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
    if locked_out({"administrators": all_administrators(_Without(ask, tuple(also)))}, who):
        return ""
    return locked_out({"administrators": all_administrators(_Without(ask, (arn, *also)))}, who)


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
        return all_administrators(_Without(ask, (arn,))) if matters(user) else None

    return left


class _Without:
    """The account as if some of its users and roles were gone."""

    def __init__(self, ask: Ask, arns: Sequence[str]) -> None:
        self._ask, self._arns = ask, arns
        self.account, self.region, self.home = ask.account, ask.region, ask.home
        self.stack, self.trail, self.now = ask.stack, ask.trail, ask.now

    @property
    def recorded(self) -> Recorded:
        """See Ask."""
        return self._ask.recorded

    @property
    def reach(self) -> Reach:
        """See core.Ask."""
        return self._ask.reach

    def __call__(self, call: Call, /) -> Any:  # noqa: ANN401 - AWS answers any shape
        """See Ask."""
        answer = self._ask(call)
        if call != EVERYTHING:
            return answer
        lists = ("UserDetailList", "RoleDetailList")
        return {**answer, **{name: [one for one in answer[name] if one["Arn"] not in self._arns] for name in lists}}
