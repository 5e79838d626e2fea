"""Reads the ACLs of buckets with version 0.1's eyes, one after the other; an event is the names of the buckets.

read_buckets_former LAYER
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from importlib import import_module
from typing import Any

from bench.cold import stopwatch

_REGION = "us-east-1"


def _ready() -> Callable[[Any], object]:
    sys.path[1:1] = [sys.argv[1]]
    aws, core = import_module("plumbline.adapters.aws"), import_module("plumbline.core")
    clients = aws.Clients(_REGION, lambda: datetime.now(timezone.utc))
    accounts = aws.Accounts(clients, _REGION, os.environ["PLUMBLINE_EYES_ROLE"])

    def read(names: Sequence[str]) -> list[str]:
        ask = accounts.eyes(os.environ["PLUMBLINE_ACCOUNT"], _REGION)
        return [ask(core.Call("s3", "GetBucketAcl", {"Bucket": name}))["Owner"]["ID"] for name in names]

    return read


if __name__ == "__main__":
    stopwatch.serve(_ready)
