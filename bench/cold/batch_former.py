"""Version 0.1's react, which says at its end how much memory it held, and ends when it has burnt its CPU.

batch_former FUNCTION LAYER SECONDS
"""

from __future__ import annotations

import resource
import signal
import sys
from typing import Any

from bench.cold import peak, stopwatch
from bench.cold.wake_plumbline import ready


def _over(*_: Any) -> None:
    """No Exception: nothing that settles a message may take it for a failure."""
    raise SystemExit(0)


if __name__ == "__main__":
    peak.install()
    signal.signal(signal.SIGXCPU, _over)
    seconds = int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 30))
    stopwatch.serve(ready)
