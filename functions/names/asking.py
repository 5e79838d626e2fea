"""How AWS is asked: again while what refuses may pass, and never for longer than there is time to answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

Request = Mapping[str, Any]

#: How long what may pass by itself is tried again, and what is left for the answer, in milliseconds.
PAUSE_SECONDS, FOR_THE_ANSWER = 3.0, 40_000
#: How long anything may take, in milliseconds: all the time that Lambda gives only where forwarders are deleted.
FOR_ANYTHING = 240_000
#: A role's rights show late, a table that was just made is not ready, a StackSet is at work: all that passes.
_PASSING = (
    "AccessDenied", "UnauthorizedOperation", "ResourceInUse", "OperationInProgress", "Throttl", "ServiceUnavailable",
    "InternalServerError", "Timeout", "EndpointConn",
)  # fmt: skip


def time_for(request: Request, remaining: Callable[[], int]) -> Callable[[], int]:
    """How much of the time that a request may take is left: nobody waits a quarter of an hour for a refusal."""
    spared = 0 if request.get("ResourceType") == "Custom::Emptying" else max(0, remaining() - FOR_ANYTHING)
    return lambda: remaining() - spared


def patiently(ask: Callable[[], Any], remaining: Callable[[], int]) -> Any:  # noqa: ANN401 - whatever is asked for
    """Ask again while what refuses may pass and there is time left to answer.

    Args:
        ask: what is asked.
        remaining: how much time is left, in milliseconds.

    Returns:
        What it says.

    Raises:
        Exception: what it raised last.
    """
    while True:
        try:
            return ask()
        except Exception as error:
            passes = any(one in f"{type(error).__name__}: {error}" for one in _PASSING)
            if not passes or remaining() < FOR_THE_ANSWER:
                raise
        time.sleep(PAUSE_SECONDS)


def client(service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
    """A client that gives up soon, so that there is time to ask again, and to answer."""
    # Imported here: what goes wrong while it is imported is answered like everything else.
    import boto3
    from botocore.config import Config

    return boto3.client(service, config=Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2}))
