"""react: wakes come in through the wakes queue; each is settled. Composition only, no decisions."""

from __future__ import annotations

from plumbline.handlers import coldstart

coldstart.begin()

import os
from datetime import datetime, timezone
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from plumbline.adapters.sqs import Queue
from plumbline.compose import Plumbline, from_environment
from plumbline.handlers import batches, react
from plumbline.handlers.heartbeat import Heartbeat

logger = Logger(service="plumbline-react")


def now() -> datetime:
    """The time, read here and nowhere below."""
    return datetime.now(timezone.utc)


@cache
def plumbline() -> Plumbline:
    """Made once for each execution environment: clients and the baseline, nothing of any event."""
    return from_environment(now)


def _units() -> Queue:
    return Queue(plumbline().clients, os.environ["PLUMBLINE_UNITS_QUEUE"], plumbline().engine.deployment.home)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 -- Lambda's types
    """Settle a batch of wakes. A record that fails comes back alone; the others are done with."""
    try:
        queue = Queue(plumbline().clients, os.environ["PLUMBLINE_WAKES_QUEUE"], plumbline().engine.deployment.home)
        receipts = [one["receiptHandle"] for one in event.get("Records") or ()]
        with Heartbeat(queue.hide, receipts) as beat:
            left = context.get_remaining_time_in_millis
            reaction = react.Reaction(plumbline(), logger, now, queue.later, beat.done, left, units=_units())
            return batches.partial(event, reaction.record)
    finally:
        coldstart.over()
