"""A batch is answered as Powertools' batch processor answers it, which is what Lambda's documentation shows."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.core.errors import LedgerDown
from plumbline.handlers import batches


def _event(count: int) -> dict[str, Any]:
    return {
        "Records": [
            {"messageId": f"m-{n}", "receiptHandle": f"r-{n}", "body": f"{n}", "eventSource": "aws:sqs"}
            for n in range(count)
        ]
    }


@settings(max_examples=50)  # Powertools is slow the first time
@given(st.lists(st.sampled_from([None, ValueError, KeyError, LedgerDown]), min_size=1, max_size=10))
def test_a_batch_is_answered_as_powertools_answers_it(ends: list[type[Exception] | None]) -> None:
    def handle(record: Any) -> None:
        end = ends[int(record["body"])]
        if end is not None:
            raise end("on purpose")

    powertools = process_partial_response(
        event=_event(len(ends)),
        record_handler=handle,
        processor=BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False),
        context=None,  # asked for by handlers that take it, and this one does not
    )
    assert dict(powertools) == batches.partial(_event(len(ends)), handle)


def test_every_message_has_its_turn_whatever_became_of_the_others() -> None:
    seen: list[str] = []

    def handle(record: Any) -> None:
        seen.append(record["body"])
        raise ValueError(record["body"])

    failures = batches.partial(_event(3), handle)["batchItemFailures"]
    assert ["0", "1", "2"] == seen
    assert [{"itemIdentifier": f"m-{n}"} for n in range(3)] == failures


def test_what_nobody_expected_is_logged_with_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    def handle(record: Any) -> None:
        raise LedgerDown("told where it came from") if record["body"] == "0" else ValueError("unexpected")

    batches.partial(_event(2), handle)
    (logged,) = caplog.records
    assert ("message m-1 failed", logging.ERROR) == (logged.getMessage(), logged.levelno)
    assert logged.exc_info is not None


@pytest.mark.parametrize("event", [{}, {"Records": []}, {"Records": None}], ids=str)
def test_where_there_is_nothing_nothing_failed(event: dict[str, Any]) -> None:
    assert {"batchItemFailures": []} == batches.partial(event, lambda _: None)
