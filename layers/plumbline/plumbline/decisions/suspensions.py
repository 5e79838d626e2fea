"""Who may do nothing for now, because a person said so: Plumbline's own policy, which denies everything, is his. Pure.

A suspension never ends by itself: to lift it gives rights, and Plumbline gives nobody rights of its own accord. At its
date whoever gets e-mails is asked, and asked again a week later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from plumbline.core.calls import Call
from plumbline.core.clock import utc

#: How an id begins, so that nobody takes it for a finding's or an exemption's.
ID_BEGINS = "S"
#: Letters and digits that nobody confuses; see findings.finding.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ID_LENGTH = 4
#: When it is asked about, unless a person says otherwise, and how long after that it is asked about again.
ASKED_AFTER = timedelta(days=7)
#: The longest session that a role gives. Source: IAM user guide, maximum session duration of a role.
LONGEST_SESSION = timedelta(hours=12)
#: What AWS's own console calls the inline policy that ends a role's sessions: that of one of before is AWS's work.
#: Source: IAM user guide, Revoke IAM role temporary security credentials.
REVOKES = "AWSRevokeOlderSessions"
_GONE = ("NoSuchEntity",)


@dataclass(frozen=True, slots=True)
class Suspension:
    """One principal who may do nothing.

    Attributes:
        id: what a person types; begins with S.
        arn: the user or role, with its path.
        reason: why.
        by: who said so, as proven.
        made: when.
        until: when it is asked whether it goes on.
        stage: `attaching` before the policy is his, `suspended` after, `releasing` before it is taken away.
        ticket: what a person names once he has ended the sessions of a role with rights of his own.
        finding: the id of the finding that led there; empty for none.
    """

    id: str
    arn: str
    reason: str
    by: str
    made: datetime
    until: datetime
    stage: str = "attaching"
    ticket: str = ""
    finding: str = ""

    @property
    def kind(self) -> str:
        """`user` or `role`."""
        return self.arn.split(":", 5)[5].partition("/")[0]

    @property
    def name(self) -> str:
        """Without its path."""
        return self.arn.rpartition("/")[2]

    def attaches(self, policy: str) -> Call:
        """The call that suspends."""
        if self.kind == "role":
            return Call("iam", "AttachRolePolicy", {"RoleName": self.name, "PolicyArn": policy})
        return Call("iam", "AttachUserPolicy", {"UserName": self.name, "PolicyArn": policy})

    def detaches(self, policy: str) -> Call:
        """The call that lifts it."""
        if self.kind == "role":
            return Call("iam", "DetachRolePolicy", {"RoleName": self.name, "PolicyArn": policy}, absent=_GONE)
        return Call("iam", "DetachUserPolicy", {"UserName": self.name, "PolicyArn": policy}, absent=_GONE)

    def ends_sessions(self) -> Call | None:
        """The call that ends a role's sessions for good, however soon it is released; None for a user.

        The suspension itself holds for sessions too, as long as it lasts. An inline policy's text is beyond any
        condition of IAM, so no role of Plumbline may write one.
        """
        if self.kind != "role":
            return None
        text = (
            '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": '
            f'{{"DateLessThan": {{"aws:TokenIssueTime": "{self.made:%Y-%m-%dT%H:%M:%SZ}"}}}}}}]}}'
        )
        named = {"RoleName": self.name, "PolicyName": REVOKES, "PolicyDocument": text}
        return Call("iam", "PutRolePolicy", named)

    def to_json(self) -> dict[str, str]:
        """Plain data for the ledger."""
        return {
            "id": self.id,
            "arn": self.arn,
            "reason": self.reason,
            "by": self.by,
            "made": self.made.isoformat(),
            "until": self.until.isoformat(),
            "stage": self.stage,
            "ticket": self.ticket,
            "finding": self.finding,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Suspension:
        """The suspension that `to_json` wrote.

        Raises:
            KeyError, ValueError: it is unreadable.
        """
        return cls(
            id=data["id"],
            arn=data["arn"],
            reason=data.get("reason", ""),
            by=data.get("by", ""),
            made=utc(data["made"]),
            until=utc(data["until"]),
            stage=data.get("stage", "suspended"),
            ticket=data.get("ticket", ""),
            finding=data.get("finding", ""),
        )


def suspension_id(arn: str, made: datetime) -> str:
    """The id of a suspension; another one each time."""
    digest = hashlib.sha256(f"{arn}|{made.isoformat()}".encode()).digest()
    return ID_BEGINS + "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:_ID_LENGTH])


def due(suspensions: Iterable[Suspension], now: datetime) -> list[Suspension]:
    """Those that have to be asked about."""
    return [one for one in suspensions if one.until <= now]


def asked_again(suspension: Suspension, now: datetime) -> Suspension:
    """The suspension once it was asked about."""
    return replace(suspension, until=now + ASKED_AFTER)
