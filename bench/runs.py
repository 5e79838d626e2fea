"""The runs of one sweep on a virtual clock: which run takes which piece when, as `handlers/taking.py` has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from plumbline.handlers import taking

#: Seconds from a call until the function runs, which AWS promises to nobody; and that a run waits for a piece.
_BEGINS_AFTER = _WAITS = 1.0


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one piece.

    Attributes:
        seconds: what it took.
        sent: what is left of it, and its parts.
        was_split: whether parts of it were sent.
    """

    seconds: float
    sent: Sequence[str]
    was_split: bool


@dataclass(slots=True)
class _Run:
    began: float
    now: float
    helpers: int
    taken: int = 0


def through(pieces: Sequence[str], do: Callable[[str, float, float], Done], within: float) -> list[float]:
    """Take pieces until there are none.

    Args:
        pieces: bodies of messages, which wait from the beginning.
        do: does one, given when it is begun, and the seconds that its run has left.
        within: seconds that a run has.

    Returns:
        the seconds of each run.
    """
    waiting = [(_BEGINS_AFTER, body) for body in pieces]
    runs = [_Run(_BEGINS_AFTER, _BEGINS_AFTER, taking.HELPERS)]
    took: list[float] = []
    while runs:
        run = min(runs, key=lambda one: one.now)
        left = within - (run.now - run.began)
        ready = sorted(one for one in waiting if one[0] <= run.now + _WAITS)[:1]
        if run.taken and left * 1000 < taking.ENOUGH_MILLISECONDS:
            ready = []
            runs.append(_Run(run.now + _BEGINS_AFTER, run.now + _BEGINS_AFTER, run.helpers))
        if not ready:
            runs.remove(run)
            took.append(run.now - run.began)
            continue
        waiting.remove(ready[0])
        begins = max(run.now, ready[0][0])
        done = do(ready[0][1], begins, left - (begins - run.now))
        run.now, run.taken = begins + done.seconds, run.taken + 1
        waiting += [(run.now, body) for body in done.sent]
        if run.helpers and (done.was_split or (run.now - run.began) * 1000 > taking.ALONE_MILLISECONDS):
            runs += [_Run(run.now + _BEGINS_AFTER, run.now + _BEGINS_AFTER, 0) for _ in range(run.helpers)]
            run.helpers = 0
    return took
