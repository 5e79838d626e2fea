"""Every error that Plumbline raises on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plumbline.core.calls import Call


_DENIALS = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_FROM_ABOVE = ("service control policy", "resource control policy")
_AWS_OWN = frozenset({"UnmodifiableEntity", "UnmodifiableEntityException"})


class PlumblineError(Exception):
    """Every error Plumbline raises on purpose. The message says what was attempted, on what, and what to do."""


class BaselineError(PlumblineError):
    """The baseline cannot be used. `problems` holds one line for each thing that is wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class UnknownTarget(PlumblineError, ValueError):
    """A text that is no target."""


class MalformedWake(PlumblineError, ValueError):
    """A message on the wakes queue that is neither an event nor a wake."""


class AwsRefusal(PlumblineError):
    """AWS answered a call with an error.

    Attributes:
        code: AWS's error code, such as `AccessDenied`.
        call: the call that was refused, or None where it was not a control's call.
        about: what of the call AWS names as the reason, such as a principal that does not exist; empty where it names
            nothing.
    """

    def __init__(self, code: str, message: str, call: Call | None = None, about: str = "") -> None:
        self.code, self.call, self.about = code, call, about
        named = f" ({about})" if about and about not in message else ""
        super().__init__(f"{call.action if call else 'AWS'} was refused: {code}: {message}{named}")

    @property
    def is_from_above(self) -> bool:
        """Whether a policy of the organisation denied the call: no role of this account can make it.

        Source: IAM user guide, Troubleshoot access denied error messages, which name the kind of policy.
        """
        return self.code in _DENIALS and any(kind in str(self) for kind in _FROM_ABOVE)

    @property
    def is_aws_own(self) -> bool:
        """Whether AWS lets nobody but one of its services change this.

        Source: IAM API reference, UnmodifiableEntityException.
        """
        return self.code in _AWS_OWN


class NotReached(AwsRefusal):
    """AWS did not answer, or not as it does."""


class ControlMistake(AwsRefusal):
    """A control failed by a mistake of its own. What it was to look at is as unseen as if AWS had refused to show it.

    Attributes:
        code: the class of the exception, such as `KeyError`.
    """

    def __init__(self, control: str, error: Exception) -> None:
        super().__init__(type(error).__name__, "")
        last = error.__traceback__
        while last is not None and last.tb_next is not None:
            last = last.tb_next
        where = f" at {last.tb_frame.f_code.co_filename.rpartition('/')[2]}:{last.tb_lineno}" if last else ""
        self.args = (f"{control} failed by a mistake of its own: {self.code}: {error}{where}",)


class Conflict(PlumblineError):
    """Somebody else wrote the finding first; the wake has to be looked at again."""


class TooLarge(PlumblineError):
    """Something does not fit into one item of the ledger, and another try will not change that.

    Attributes:
        size: bytes that it would take; 0 where only DynamoDB knows.
        limit: bytes that there may be.
    """

    def __init__(self, what: str, size: int, limit: int) -> None:
        self.what, self.size, self.limit = what, size, limit
        takes = f"it would take {size:,} bytes, and {limit:,} are the most" if size else "DynamoDB does not take it"
        super().__init__(f"{what} does not fit into the ledger: {takes}")


class LedgerDown(PlumblineError):
    """The ledger could not be read or written. Nothing may be repaired."""
