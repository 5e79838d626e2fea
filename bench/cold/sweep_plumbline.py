"""The sweep's function as AWS starts it: the built function and the built layer on the path, its own environment.

    sweep_plumbline FUNCTION LAYER

An event is what Lambda hands to it: none for the schedule, or a task. Its time stands still, so that it is never cut
off nor calls a further run because this machine is slow: what it takes on Lambda is counted of its CPU and its waiting.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from bench.cold import peak, stopwatch

#: As the template has it.
_SECONDS = 300


class _Context:
    aws_request_id = "8f507cfc-example"
    function_name = "plumbline-sweep"

    def get_remaining_time_in_millis(self) -> int:
        """What is left until Lambda would stop it."""
        return _SECONDS * 1000


def _ready() -> Callable[[Any], object]:
    function, layer = sys.argv[1:3]
    sys.path[1:1] = [function, layer]
    import app

    return lambda event: app.handler(event, _Context())


if __name__ == "__main__":
    peak.install()
    stopwatch.serve(_ready)
