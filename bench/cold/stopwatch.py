"""What every measured process does alike.

A process gets one event per line on stdin and answers each with one line of figures; everything else it prints goes to
stderr. The first answer is the cold one: it counts from the import of this package.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from bench.cold import BEGAN, BURNT, resolver

_answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def serve(ready: Callable[[], Callable[[Any], object]], *, record: bool = False) -> None:
    """Make ready, then handle each event of stdin, and answer with what it took.

    Args:
        ready: imports what there is to import and gives the function that handles one event.
        record: answer with the clients made, the calls performed and the modules loaded, too. Not for timing.
    """
    resolver.install()
    # One processor for the measured process, the others for the emulator: moving from one to another costs a few
    # hundredths, now of one side, now of another. What was burnt before this line, Python's own start, is all alike.
    if hasattr(os, "sched_setaffinity"):  # not everywhere
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    began: float | None = BEGAN
    burnt = BURNT
    waited = _waiting()
    steps = _recording() if record else []
    handle = ready()
    for event in iter(sys.stdin.readline, ""):
        if began is None:  # a warm wake counts from its arrival
            began, burnt = time.perf_counter(), time.process_time()
        returned = handle(json.loads(event))
        wall, cpu = time.perf_counter() - began, time.process_time() - burnt
        answer = {
            "wall": wall,
            "cpu": cpu,
            "waited": sum(waited),
            "calls": len(waited),
            "returned": returned,
            "steps": steps,
        }
        if record:
            answer["modules"] = sorted(sys.modules)
        _answers.write(json.dumps(answer) + "\n")
        _answers.flush()
        began = None
        waited.clear()


def _waiting() -> list[float]:
    """Seconds of each request from the moment it is sent to its answer's last byte, client's share of HTTP included."""
    import botocore.httpsession  # every side loads it sooner or later; here, so that it can be wrapped

    waited: list[float] = []
    send = botocore.httpsession.URLLib3Session.send

    def timed(session: Any, request: Any) -> Any:
        began = time.perf_counter()
        try:
            return send(session, request)
        finally:
            waited.append(time.perf_counter() - began)

    botocore.httpsession.URLLib3Session.send = timed
    return waited


def _recording() -> list[dict[str, Any]]:
    """The clients that are made and the calls they perform, in order, as data that `bare` can play again."""
    import botocore.client

    steps: list[dict[str, Any]] = []
    assumed: dict[str, int] = {}
    numbers: dict[int, int] = {}
    make = botocore.client.ClientCreator.create_client
    call = botocore.client.BaseClient._make_api_call  # noqa: SLF001 - every call goes through it

    def made(creator: Any, **named: Any) -> Any:
        client = make(creator, **named)
        numbers[id(client)] = len(numbers)
        key = client._request_signer._credentials.access_key  # noqa: SLF001 - whose client it is
        steps.append({"make": named["service_name"], "region": named["region_name"], "assumed": assumed.get(key)})
        kept.append(client)
        return client

    def called(client: Any, operation: str, parameters: Any) -> Any:
        asked = json.loads(json.dumps(parameters))  # a copy: botocore adds a token to what must happen once
        steps.append({"client": numbers[id(client)], "operation": operation, "parameters": asked})
        number = len(steps) - 1
        answer = call(client, operation, parameters)
        if operation == "AssumeRole":
            assumed[answer["Credentials"]["AccessKeyId"]] = number
        return answer

    kept: list[Any] = []  # so that no id is given twice
    botocore.client.ClientCreator.create_client = made
    botocore.client.BaseClient._make_api_call = called  # noqa: SLF001
    return steps
