"""boto3 alone: makes the clients that another process was seen to make and, where asked, performs its calls.

Each event is such a recording. With its calls left out, this is the floor. `--no-gc` keeps the garbage
collector from looking through what is only just being loaded.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.cold import stopwatch


def _ready() -> Callable[[Any], object]:
    if "--no-gc" in sys.argv:
        gc.disable()
    import boto3
    from botocore import xform_name

    def play(steps: Sequence[Mapping[str, Any]]) -> None:
        clients: list[Any] = []
        answers: dict[int, Any] = {}
        for number, step in enumerate(steps):
            if "make" in step:
                keys = _keys(answers.get(step["assumed"], {}))
                clients.append(boto3.client(step["make"], region_name=step["region"], **keys))
            else:
                method = getattr(clients[step["client"]], xform_name(step["operation"]))
                answers[number] = method(**step["parameters"])

    return play


def _keys(answer: Mapping[str, Any]) -> dict[str, str]:
    if not answer:
        return {}
    got = answer["Credentials"]
    return {
        "aws_access_key_id": got["AccessKeyId"],
        "aws_secret_access_key": got["SecretAccessKey"],
        "aws_session_token": got["SessionToken"],
    }


if __name__ == "__main__":
    stopwatch.serve(_ready)
