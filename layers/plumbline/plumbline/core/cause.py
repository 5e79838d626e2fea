"""Who or what made Plumbline look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

Event = Mapping[str, Any]
#: A session of a role. Source: IAM user guide, IAM identifiers.
_SESSION = re.compile(r"^arn:([^:]*):sts::(\d*):assumed-role/([^/]+)/.*$")


class Origin(str, Enum):
    """What made Plumbline look."""

    EVENT = "event"
    SWEEP = "sweep"
    ADOPTION = "adoption"  # the first sweep of a control: it was there before Plumbline
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Cause:
    """Who did what, as the trail tells it. Every text in it is hostile until cleaned.

    Attributes:
        action: the API call or sign-in, such as `PutBucketAcl`.
        who: the name a person would use: `mallory`, `root`, `deploy-role (session ci-42)`.
        principal: the full ARN or principal id.
        at: when it happened, ISO 8601 in UTC.
        source: the IP address or the AWS service it came from.
        tool: the user agent.
        event_id: CloudTrail's eventID.
        service: the AWS service that acted on somebody's behalf, such as `cloudformation.amazonaws.com`; AWS itself
            writes it, so no caller can claim it.
        issuer: the ARN of the role, or user, whose session it is; empty where it is no session.
    """

    action: str = ""
    who: str = ""
    principal: str = ""
    at: str = ""
    source: str = ""
    tool: str = ""
    event_id: str = ""
    service: str = ""
    issuer: str = ""

    @property
    def actor(self) -> str:
        """Whose deed it is, as deeds are counted: whatever a session is called, it is its role's.

        Empty where no event tells, and where an AWS service did it.
        """
        if not self.action or self.service:
            return ""
        return self.issuer or _SESSION.sub(r"arn:\1:iam::\2:role/\3", self.principal)

    @property
    def is_of_a_stack(self) -> bool:
        """Whether a CloudFormation stack brought it about: its template asks for it, and would bring it back."""
        return self.service == "cloudformation.amazonaws.com"

    def to_json(self) -> dict[str, str]:
        """Plain data for the ledger and the queue."""
        return {name: getattr(self, name) for name in self.__slots__ if getattr(self, name)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Cause:
        """The cause that `to_json` wrote; unknown fields are dropped."""
        return cls(**{name: str(data[name]) for name in cls.__slots__ if name in data})
