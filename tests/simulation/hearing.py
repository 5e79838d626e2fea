"""Who hears: a subscription that is confirmed at some time, ended at some time, or never there."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

_ARN = "arn:aws:sns:us-east-1:111122223333:topic"
_ALL, _ESCALATIONS = f"{_ARN}:all", f"{_ARN}:escalations"


@dataclass
class Ears:
    """When somebody begins to hear, and when he ends.

    Attributes:
        moments: from when on somebody hears (True) or nobody does; before the first nobody does.
        kind: which story it is, for the count of what happened.
        unknown: when SNS did not answer last; whoever heard until then counts as hearing.
    """

    moments: list[tuple[datetime, bool]] = field(default_factory=list)
    kind: str = "heard from the beginning"
    unknown: datetime | None = None

    def count(self, at: datetime) -> bool:
        """Whether what is sent at a time may count as heard."""
        lately = self.unknown is not None and at - self.unknown < timedelta(seconds=100)
        return self.hears(at) or (lately and self.ever(at))

    def hears(self, at: datetime) -> bool:
        """Whether somebody hears at a time."""
        return next((hears for when, hears in reversed(self.moments) if when <= at), False)

    def ever(self, at: datetime) -> bool:
        """Whether somebody has confirmed by then."""
        return any(hears for when, hears in self.moments if when <= at)

    def since(self, at: datetime) -> datetime | None:
        """Since when somebody has heard without a break; None where nobody does."""
        begun = [when for when, _ in self.moments if when <= at]
        return begun[-1] if begun and self.hears(at) else None

    def answer(self, operation: str, request: Mapping[str, Any], at: datetime) -> dict[str, Any]:
        """What SNS says: the escalation address hears all the time, but its filter lets no other alert through."""
        if operation == "get_subscription_attributes":
            only = request["SubscriptionArn"] == _ESCALATIONS
            return {"Attributes": {"FilterPolicy": '{"escalation": ["true"]}'} if only else {}}
        arn = _ALL if self.hears(at) else "PendingConfirmation"
        return {
            "Subscriptions": [
                {"SubscriptionArn": _ESCALATIONS, "Endpoint": "ciso@example.com"},
                {"SubscriptionArn": arn, "Endpoint": "security@example.com"},
            ]
        }


def story(seed: int, start: datetime) -> Ears:
    """Who hears in one history: mostly somebody all the time."""
    rng = random.Random(f"who hears {seed}")  # noqa: S311 - repeatable, not secret
    before, kind = start - timedelta(days=1), rng.random()

    def later() -> datetime:
        return start + timedelta(hours=rng.choice((0.2, 1.5, 4, 9, 20, 40)) * rng.uniform(0.5, 1.5))

    if kind < 0.55:
        return Ears([(before, True)])
    if kind < 0.7:
        return Ears([(later(), True)], "heard later")
    if kind < 0.78:
        return Ears([], "never heard")
    first = before if kind < 0.9 else later()
    lost = max(first, start) + (later() - start)
    if rng.random() < 0.4:
        return Ears([(first, True), (lost, False)], "no longer heard")
    return Ears([(first, True), (lost, False), (lost + (later() - start), True)], "heard again")
