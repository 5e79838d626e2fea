"""react: wakes come in through the wakes queue; each is settled. Composition only, no decisions."""

from __future__ import annotations

from plumbline.handlers import coldstart

coldstart.begin()

import os
from collections.abc import Sequence
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


class _Units:
    """Where what is too much to look through here is sent; hardly ever, so no start imports or makes it."""

    def send(self, bodies: Sequence[str], *, delay: int = 0) -> None:
        """Have it looked through at once, unless a run was called since Plumbline last looked at itself."""
        from plumbline.adapters.functions import Function
        from plumbline.handlers.taking import LOOKS_EACH, Called, Share

        here, home = plumbline(), plumbline().engine.deployment.home
        queue = Queue(here.clients, os.environ["PLUMBLINE_UNITS_QUEUE"], home)
        sweep = Function(here.clients, os.environ["PLUMBLINE_SWEEP"], home)
        first = lambda: here.ledger.once("pieces", now=now(), within=LOOKS_EACH)  # noqa: E731
        Called(queue, sweep.call, Share(), logger, first).send(bodies, delay=delay)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 -- Lambda's types
    """Settle a batch of wakes. A record that fails comes back alone; the others are done with."""
    try:
        queue = Queue(plumbline().clients, os.environ["PLUMBLINE_WAKES_QUEUE"], plumbline().engine.deployment.home)
        receipts = [one["receiptHandle"] for one in event.get("Records") or ()]
        with Heartbeat(queue.hide, receipts) as beat:
            left = context.get_remaining_time_in_millis
            reaction = react.Reaction(plumbline(), logger, now, queue.later, beat.done, left, units=_Units())
            return batches.partial(event, reaction.record)
    finally:
        coldstart.over()
