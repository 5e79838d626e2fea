"""Keeps the messages of a batch away from others while it is worked on, and no longer.

The queue hides a message for six minutes, so that throttling loses none. A process that is killed would leave its work
for as long. So what arrives is hidden for less than a minute from then on, and again and again while it is worked on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from plumbline.core.errors import PlumblineError

#: Seconds that a message stays hidden once its process is gone, and between two beats.
HIDDEN_FOR, BEAT = 45, 15
#: Seconds that the end of a batch waits for a beat under way.
_PATIENCE = 3

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Heartbeat:
    """While it runs, messages stay hidden: `with Heartbeat(hide, receipts) as beat: ...`.

    Attributes:
        hide: hides messages for some seconds from now.
        receipts: of the messages that are worked on.
        beat: seconds between two beats.
    """

    hide: Callable[[Sequence[str], int], None]
    receipts: Iterable[str]
    beat: float = BEAT
    _left: set[str] = field(default_factory=set, repr=False)
    _over: threading.Event = field(default_factory=threading.Event, repr=False)
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _thread: threading.Thread | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        self._left = set(self.receipts)
        # Beside the work, not before it: nobody waits for the queue. A daemon: it dies with its process, as it must.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE)

    def done(self, receipt: str) -> None:
        """Leave a message alone: it is done with, or comes back at a time of its own."""
        with self._one_at_a_time:
            self._left.discard(receipt)

    def _run(self) -> None:
        while True:
            with self._one_at_a_time:
                if self._left:
                    self._hide(sorted(self._left))
            if self._over.wait(self.beat):
                return

    def _hide(self, receipts: Sequence[str]) -> None:
        try:
            self.hide(receipts, HIDDEN_FOR)
        except PlumblineError as error:  # they stay hidden for as long as the queue says
            _log.warning("the messages of this batch are hidden as long as the queue says: %s", error)
