"""sweep: the schedule cuts the account into units; each unit is looked through, with eyes only. Composition only."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

from plumbline.adapters.cloudwatch import Alarm
from plumbline.adapters.sqs import Queue
from plumbline.compose import Plumbline, from_environment
from plumbline.handlers import sweep

logger = Logger(service="plumbline-sweep")


def now() -> datetime:
    """The time, read here and nowhere below."""
    return datetime.now(timezone.utc)


@cache
def plumbline() -> Plumbline:
    """Made once for each execution environment: clients and the baseline, nothing of any event."""
    return from_environment(now)


def _queue(variable: str) -> Queue:
    return Queue(plumbline().clients, os.environ[variable], plumbline().engine.deployment.home)


def handler(event: dict[str, Any], context: Any) -> Any:  # noqa: ANN401 - Lambda's and Powertools' types
    """Cut a sweep into units when the schedule calls; look through the units that the queue brings."""
    sweeper = sweep.Sweeper(
        plumbline(),
        units=_queue("PLUMBLINE_UNITS_QUEUE"),
        wakes=_queue("PLUMBLINE_WAKES_QUEUE"),
        logger=logger,
        clock=now,
        remaining=context.get_remaining_time_in_millis,
        silence=Alarm(plumbline().clients, os.environ["PLUMBLINE_UNHEARD_ALARM"], plumbline().engine.deployment.home),
    )
    if "Records" not in event:
        return sweeper.begin()
    return process_partial_response(
        event=event,
        record_handler=sweeper.record,
        processor=BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False),
        context=context,
    )
