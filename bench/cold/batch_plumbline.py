"""React as `wake_plumbline` starts it, which says at its end how much memory it held.

batch_plumbline FUNCTION LAYER
"""

from __future__ import annotations

from bench.cold import peak, stopwatch
from bench.cold.wake_plumbline import ready

if __name__ == "__main__":
    peak.install()
    stopwatch.serve(ready)
