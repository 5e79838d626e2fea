"""A cold start of react as AWS starts it: the built function and the built layer on the path, its own environment."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from bench.cold import stopwatch


class _Context:
    aws_request_id = "8f507cfc-example"
    function_name = "plumbline-react"

    def get_remaining_time_in_millis(self) -> int:
        """Enough: how long it takes is what is measured."""
        return 45_000


def ready() -> Callable[[Any], object]:
    """React's handler, imported as Lambda imports it."""
    function, layer = sys.argv[1:3]
    sys.path[1:1] = [function, layer]
    import app

    return lambda event: app.handler(event, _Context())


if __name__ == "__main__":
    stopwatch.serve(ready, record="--record" in sys.argv)
