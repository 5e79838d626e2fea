"""That a target cannot be looked at: since when, and which read is refused in which words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from plumbline.core.cause import Cause
from plumbline.core.clock import UNSEEN, utc
from plumbline.core.control import Deviation
from plumbline.core.errors import AwsRefusal, ControlMistake

#: The only fact of a deviation that is none: nobody knows whether there is one.
ITEM = "cannot be looked at"
#: Told of an open finding: that its target cannot be looked at any more, and that its repair waits for that.
TOLD = "cannot be looked at"
UNMADE = "repair not made unseen"
#: Told of a repair that was made, every write of it, and that nobody could look at.
MADE = "repaired unseen"
_MOST_SAID = 1000
#: What another try may mend (a throttle, a service that is down) is told when it has lasted for so long.
PASSING_FOR = timedelta(hours=3)
#: Answers that another try will not change. Sources: each service's "Common errors", and Amazon S3's, Amazon EC2's and
#: Amazon SNS's error codes.
LASTING = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AccountProblem",
        "AllAccessDisabled",
        "AuthFailure",
        "AuthorizationError",
        "AuthorizationErrorException",
        "Blocked",
        "Forbidden",
        "InvalidClientTokenId",
        "KMSAccessDeniedException",
        "NotAuthorized",
        "NotAuthorizedException",
        "NotSignedUp",
        "OptInRequired",
        "SubscriptionRequiredException",
        "UnauthorizedException",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)


@dataclass(frozen=True, slots=True)
class Unseen:
    """What keeps Plumbline from looking at a target.

    Attributes:
        since: the first look that was refused.
        action: the IAM action of the read that is refused.
        code: the error code.
        said: the refusal in AWS's words.
        cause: the event that made Plumbline look, where one did.
        by_mistake: whether it is a mistake of the control, and not AWS's refusal.
    """

    since: datetime
    action: str
    code: str
    said: str
    cause: Cause = field(default_factory=Cause)
    by_mistake: bool = False

    def lasts(self, now: datetime) -> bool:
        """Whether waiting a little longer will not help."""
        return self.code in LASTING or self.by_mistake or now - self.since >= PASSING_FOR

    @property
    def deviation(self) -> Deviation:
        """What there is to say of a target of which nothing else is known."""
        why = f"its control failed ({self.code})" if self.by_mistake else f"{self.action} is refused ({self.code})"
        return Deviation(f"cannot be looked at: {why}", (ITEM,), UNSEEN)

    def to_json(self) -> dict[str, Any]:
        """As the ledger keeps it."""
        return {
            "since": self.since.isoformat(),
            "action": self.action,
            "code": self.code,
            "said": self.said,
            "cause": self.cause.to_json(),
            "by_mistake": self.by_mistake,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Unseen:
        """What `to_json` wrote."""
        return cls(
            utc(data["since"]),
            data["action"],
            data["code"],
            data["said"],
            Cause.from_json(data["cause"]),
            data.get("by_mistake", False),
        )


def refused(error: AwsRefusal, before: Unseen | None, cause: Cause, now: datetime) -> Unseen:
    """What a refused read comes to: it goes on since the first one, and keeps the first event that led there.

    Args:
        error: the refusal.
        before: what kept Plumbline from looking the last time; None where it could.
        cause: the event that made it look now.
        now: the time, in UTC.
    """
    by_mistake = isinstance(error, ControlMistake)
    unseen = Unseen(
        now, error.call.action if error.call else "", error.code, str(error)[:_MOST_SAID], cause, by_mistake
    )
    if before is None:
        return unseen
    return replace(unseen, since=before.since, cause=before.cause if before.cause.action else cause)
