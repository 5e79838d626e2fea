"""announce: the ledger's stream in, events for other programs out. Composition only, no decisions."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

from plumbline.adapters.clients import Clients
from plumbline.adapters.events import Bus
from plumbline.controls import index
from plumbline.handlers.announce import Announcer

logger = Logger(service="plumbline-announce")


def now() -> datetime:
    """The time, read here and nowhere below."""
    return datetime.now(timezone.utc)


@cache
def announcer() -> Announcer:
    """Made once for each execution environment: a client and the index of the controls, nothing of any event."""
    region = os.environ["AWS_REGION"]
    return Announcer(Bus(Clients(region, now), region), index.load(), logger)


def announce(record: Any) -> None:  # noqa: ANN401 - Powertools' type of a stream record
    """Announce what one write of a finding means."""
    announcer().record(record.raw_event)


def handler(event: dict[str, Any], context: Any) -> Any:  # noqa: ANN401 - Lambda's and Powertools' types
    """Announce a batch; from the first record that fails on, the stream brings it again."""
    return process_partial_response(
        event=event,
        record_handler=announce,
        processor=BatchProcessor(event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False),
        context=context,
    )
