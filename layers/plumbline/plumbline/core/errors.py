"""Every error that Plumbline raises on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plumbline.core.calls import Call


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
    """

    def __init__(self, code: str, message: str, call: Call | None = None) -> None:
        self.code, self.call = code, call
        super().__init__(f"{call.action if call else 'AWS'} was refused: {code}: {message}")


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
