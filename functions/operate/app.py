"""operate: what a person asks or tells Plumbline, by `aws lambda invoke`. Composition only, no decisions."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from plumbline.adapters.functions import Function
from plumbline.adapters.sqs import Queue
from plumbline.adapters.sts import Sts
from plumbline.compose import Plumbline, from_environment
from plumbline.core.reach import dead_events
from plumbline.handlers.operate import commands
from plumbline.handlers.operate.proof import on_this_machine
from plumbline.handlers.taking import HELPERS, SWEEPS_EACH, Called, Share

logger = Logger(service="plumbline-operate")


def now() -> datetime:
    """The time, read here and nowhere below."""
    return datetime.now(timezone.utc)


@cache
def plumbline() -> Plumbline:
    """Made once for each execution environment: clients and the baseline, nothing of any event."""
    return from_environment(now)


def _undelivered(region: str) -> Queue:
    """The queue of a region's forwarder."""
    here = plumbline()
    return Queue(here.clients, dead_events(here.account, here.engine.deployment.sender.stack, region), region)


def _units() -> Called:
    """Pieces of a sweep that a person asks for are looked through at once."""
    here, home = plumbline(), plumbline().engine.deployment.home
    queue = Queue(here.clients, os.environ["PLUMBLINE_UNITS_QUEUE"], home)
    sweep = Function(here.clients, os.environ["PLUMBLINE_SWEEP"], home)
    return Called(queue, sweep.call, Share(now() + SWEEPS_EACH, HELPERS), logger)


def handler(event: Any, _context: Any) -> dict[str, Any]:  # noqa: ANN401 - a person's words, Lambda's types
    """Answer one command with text for people and data for scripts."""
    home = plumbline().engine.deployment.home
    topics = (os.environ["PLUMBLINE_ALERTS_TOPIC"], os.environ["PLUMBLINE_WATCHDOG_TOPIC"])
    connections = commands.Connections(
        _units(),
        topics,
        os.environ["PLUMBLINE_ALERT_EMAIL"],
        os.environ["PLUMBLINE_ESCALATION_EMAIL"],
        Sts(),
        on_this_machine(os.environ),
        Queue(plumbline().clients, os.environ["PLUMBLINE_WAKES_QUEUE"], home),
        Queue(plumbline().clients, os.environ["PLUMBLINE_DEAD_LETTERS"], home),
        _undelivered,
        os.environ["PLUMBLINE_PEOPLE_TOPIC"],
    )
    answer = commands.answer(plumbline(), event, now=now(), connections=connections)
    logger.info("answered", extra={"command": commands.shown(event), "ok": answer.ok})
    return answer.to_json()
