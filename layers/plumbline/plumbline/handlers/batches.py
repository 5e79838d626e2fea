"""A batch of SQS messages in which each stands for itself.

What Powertools' batch processor answers, without what it loads: its batch module brings asyncio, and react pays for
every import on each cold start. A test holds the two side by side.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from plumbline.core.errors import PlumblineError

_log = logging.getLogger(__name__)


def partial(event: Mapping[str, Any], handle: Callable[[Any], object]) -> dict[str, list[dict[str, str]]]:
    """Handle each message of a batch; those that fail come back, the others are done with.

    Args:
        event: what Lambda hands over for an SQS queue with ReportBatchItemFailures.
        handle: takes one message; whatever it raises, the next one has its turn.

    Returns:
        The answer that Lambda expects.
    """
    failed: list[dict[str, str]] = []
    records: Sequence[Mapping[str, Any]] = event.get("Records") or ()
    for record in records:
        try:
            handle(record)
        except Exception as error:  # noqa: BLE001 - a message that cannot be handled must not stop the others
            if not isinstance(error, PlumblineError):  # those were told where they came from
                _log.exception("message %s failed", record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
