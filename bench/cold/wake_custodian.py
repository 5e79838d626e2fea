"""A cold start of a Cloud Custodian policy as AWS starts it: its own archive, unpacked, its own handler."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

from bench.cold import stopwatch


def _ready() -> Callable[[Any], object]:
    os.chdir(sys.argv[1])  # Custodian reads its policy from ./config.json
    sys.path[1:1] = [sys.argv[1]]
    run = importlib.import_module("custodian_policy").run
    return lambda event: run(event, None)


if __name__ == "__main__":
    stopwatch.serve(_ready, record="--record" in sys.argv)
