"""Version 0.1 sweeps an account on a virtual clock; its eyes are asked of the process that started this one.

    sweep PIPE    the number of an open connection

Nothing but eyes, queues and ledger is made up: the function's `Sweeper` looks through the units that it sends. Where
the clock comes to the function's time, it is killed in the middle, as Lambda does it: what it has not sent is not sent,
its message is seen again after the queue's time-out, and after so many receipts never more.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

#: As in bench.large, which imports today's code.
_UNITS_AT_ONCE, _BEGINS_AFTER = 5, 1.0
_ACCOUNT, _REGION = "111122223333", "us-east-1"
_BASELINE = "controls:\n  iam-access-key-created: {allowed_users: ['user-*']}\n"


class Killed(BaseException):
    """The function's time is over. No Exception: nothing that runs in a function sees its end."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What version 0.1's template says.

    Attributes:
        latency: seconds that a read takes; this is the bench's.
        within: seconds that the function has.
        hidden: seconds after which a message that was not deleted is seen again.
        receipts: how often it is received at most.
    """

    latency: float
    within: float
    hidden: float
    receipts: int


@dataclass
class Function:
    """One invocation: its clock, and what its eyes remember.

    Attributes:
        now: seconds since it began.
    """

    pipe: Connection
    limits: Limits
    asked: Counter[str]
    waited: list[float]
    now: float = 0.0
    held: int = 0

    def eyes(self, account: str, region: str) -> Eyes:
        """See version 0.1's ports.Aws."""
        return Eyes(self, account, region)

    def read(self, call: Any) -> Any:
        """Ask, and let the clock go on.

        Raises:
            Killed: the time is over before the answer is there.
        """
        began = time.process_time()
        self.pipe.send((call.service, call.operation, dict(call.parameters), call.region, call.absent))
        answer, pages, refused = self.pipe.recv()
        self.waited[0] += time.process_time() - began
        self.asked[call.key] += 1
        self.asked[""] += pages
        self.asked["bucket"] += "Bucket" in call.parameters
        self.now += pages * self.limits.latency
        if self.now >= self.limits.within:
            self.now = self.limits.within
            raise Killed
        if refused:
            raise import_module("plumbline.core").AwsRefusal(refused, "bench", call)
        return answer


@dataclass
class Eyes:
    """See version 0.1's core.Ask: one read after the other, each answer remembered for a unit."""

    function: Function
    account: str
    region: str
    home: str = _REGION
    stack: str = "plumbline"
    answers: dict[str, Any] = field(default_factory=dict)

    def __call__(self, call: Any, /) -> Any:
        """One read: known already, or asked now."""
        if call.key not in self.answers:
            self.answers[call.key] = self.function.read(call)
            self.function.held = len(self.answers)
        return self.answers[call.key]


@dataclass
class Outlet:
    """A queue that keeps what is put onto it."""

    bodies: list[str] = field(default_factory=list)

    def send(self, bodies: Sequence[str], *, delay: int = 0) -> None:  # noqa: ARG002 -- Outlet's
        """Keep them."""
        self.bodies += bodies


class Silent:
    """A log that nobody reads."""

    def info(self, msg: object, /, *, extra: object = None) -> None:
        """Nothing."""

    def error(self, msg: object, /, *, extra: object = None) -> None:
        """A control that breaks is a fault of the bench."""
        raise AssertionError(f"{msg}: {extra}")


@dataclass
class Sweep:
    """One sweep, from its beginning until each message is done with or given up.

    Attributes:
        killed: how many invocations ran out of time.
        given_up: how many messages were received as often as they may be.
        sent_back: how many units had no time for all their controls, and sent the rest back.
        ended: seconds until the last message that was done with was.
    """

    pipe: Connection
    limits: Limits
    now: datetime
    asked: Counter[str] = field(default_factory=Counter)
    waited: list[float] = field(default_factory=lambda: [0.0])
    took: list[float] = field(default_factory=list)
    held: int = 0
    killed: int = 0
    given_up: int = 0
    sent_back: int = 0
    ended: float = 0.0
    _waiting: list[tuple[float, int, int, str]] = field(default_factory=list)
    _running: list[float] = field(default_factory=list)

    def run(self) -> Mapping[str, Any]:
        """Sweep, and say what came of it."""
        plumbline, ledger = _plumbline()
        units, wakes = Outlet(), Outlet()
        began = time.process_time()
        _sweeper(plumbline, units, wakes, lambda: self.now, lambda: 0).begin()
        self._arrive(units, 0.0)
        while self._waiting:
            ready, number, receipt, body = heappop(self._waiting)
            at = ready if len(self._running) < _UNITS_AT_ONCE else max(ready, heappop(self._running))
            function = Function(self.pipe, self.limits, self.asked, self.waited)
            try:
                self._invoke(plumbline, function, at, units, wakes).record({"body": body})
                self.ended = max(self.ended, at + function.now)
                self.sent_back += len(units.bodies)
                self._arrive(units, at + function.now)
            except Killed:
                self.killed += 1
                self.given_up += receipt == self.limits.receipts
                if receipt < self.limits.receipts:
                    heappush(self._waiting, (at + self.limits.hidden, number, receipt + 1, body))
            self.took.append(function.now)
            self.held = max(self.held, function.held)
            heappush(self._running, at + function.now)
        return {
            "invocations": len(self.took), "killed": self.killed, "given_up": self.given_up, "longest": max(self.took),
            "noted": (ledger.swept - self.now).total_seconds() if ledger.swept else None, "ended": self.ended,
            "reads": self.asked.pop(""), "of_buckets": self.asked.pop("bucket", 0),
            "twice": sum(times > 1 + self.sent_back for times in self.asked.values()),
            "cpu": time.process_time() - began - self.waited[0], "held": self.held, "wakes": len(wakes.bodies),
        }  # fmt: skip

    def _invoke(self, plumbline: Any, function: Function, at: float, units: Outlet, wakes: Outlet) -> Any:
        seeing = replace(plumbline, engine=replace(plumbline.engine, aws=function))
        clock, left = (lambda: self.now + timedelta(seconds=at + function.now)), self.limits.within
        return _sweeper(seeing, units, wakes, clock, lambda: round((left - function.now) * 1000))

    def _arrive(self, units: Outlet, sent: float) -> None:
        """What was sent is received for the first time."""
        for body in units.bodies:
            heappush(self._waiting, (sent + _BEGINS_AFTER, len(self.took) + len(self._waiting), 1, body))
        units.bodies.clear()


def _plumbline() -> tuple[Any, Any]:
    """Version 0.1 with its own controls, and a ledger that knows nothing yet."""
    fakes, engines = import_module("tests.fakes"), import_module("plumbline.engine")
    today = datetime.now(UTC).date()
    compiled = import_module("plumbline.compile").compile_text(_BASELINE, name="baseline.yaml", today=today)
    ledger = fakes.Memory(never_swept=True)
    engine = engines.Engine(
        controls=import_module("plumbline.registry").load(),
        baseline=import_module("plumbline.baseline").Baseline.from_json(compiled),
        deployment=engines.Deployment(home=_REGION),
        aws=None,
        ledger=ledger,
        alerts=fakes.Letterbox(),
    )
    return import_module("plumbline.compose").Plumbline(engine, ledger, None, _ACCOUNT), ledger


def _sweeper(plumbline: Any, units: Outlet, wakes: Outlet, clock: Any, remaining: Any) -> Any:
    return import_module("plumbline.sweeping").Sweeper(plumbline, units, wakes, Silent(), clock, remaining)


def main() -> None:
    """Sweep, and hand back what came of it."""
    pipe = Connection(int(sys.argv[1]))
    limits, now = pipe.recv()
    pipe.send(Sweep(pipe, Limits(**limits), now).run())


if __name__ == "__main__":
    main()
