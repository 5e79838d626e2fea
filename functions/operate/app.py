"""operate: what a person asks or tells Plumbline, by `aws lambda invoke`. Composition only, no decisions."""

from __future__ import annotations

import os
import re
from datetime import datetime, timezone
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from plumbline.adapters.sqs import Queue
from plumbline.adapters.sts import Sts
from plumbline.compose import Plumbline, from_environment
from plumbline.handlers.operate import commands

logger = Logger(service="plumbline-operate")


def now() -> datetime:
    """The time, read here and nowhere below."""
    return datetime.now(timezone.utc)


@cache
def plumbline() -> Plumbline:
    """Made once for each execution environment: clients and the baseline, nothing of any event."""
    return from_environment(now)


@cache
def sts() -> Sts:
    """The same, for the one question that is asked with other people's signatures."""
    return Sts()


def _on_this_machine(endpoint: str) -> tuple[str, ...]:
    """An account that a machine plays for itself has its STS there. AWS's functions have nothing on that address."""
    return (endpoint,) if re.fullmatch(r"http://127\.0\.0\.1:\d+", endpoint) else ()


def handler(event: Any, _context: Any) -> dict[str, Any]:  # noqa: ANN401 - a person's words, Lambda's types
    """Answer one command with text for people and data for scripts."""
    home = plumbline().engine.deployment.home
    topics = (os.environ["PLUMBLINE_ALERTS_TOPIC"], os.environ["PLUMBLINE_WATCHDOG_TOPIC"])
    connections = commands.Connections(
        Queue(plumbline().clients, os.environ["PLUMBLINE_UNITS_QUEUE"], home),
        topics,
        os.environ["PLUMBLINE_ALERT_EMAIL"],
        os.environ["PLUMBLINE_ESCALATION_EMAIL"],
        sts(),
        _on_this_machine(os.environ.get("AWS_ENDPOINT_URL_STS") or os.environ.get("AWS_ENDPOINT_URL", "")),
    )
    answer = commands.answer(plumbline(), event, now=now(), connections=connections)
    # never the whole event: with the proof in it somebody could say once more what was typed
    command = event.get("command") if isinstance(event, dict) else None
    logger.info("answered", extra={"command": str(command)[:200], "ok": answer.ok})
    return answer.to_json()
