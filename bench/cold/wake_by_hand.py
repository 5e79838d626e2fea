"""A cold start of the handler written by hand. `--no-gc` keeps the garbage collector off, as react does."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any

from bench.cold import stopwatch


def _ready() -> Callable[[Any], object]:
    if "--no-gc" in sys.argv:
        gc.disable()
    from bench.cold import by_hand

    return lambda event: by_hand.handler(event, None)


if __name__ == "__main__":
    stopwatch.serve(_ready, record="--record" in sys.argv)
