"""Sweep very large accounts on a virtual clock: does every unit end in its time, and when is the sweep over?

    PYTHONPATH=layers/plumbline .venv/dev/bin/python -m bench.large [--accounts 16x,20000] [--ms 60,140]

The real function's `Sweeper` looks through the real units with every control that asks IAM and S3 alone, which are
those whose work grows with the account. Only eyes, queues and ledger are the bench's own (`unhurried.py`): a read takes
60 or 140 milliseconds of a clock that nobody waits for, sixteen run at once, five units at a time, and the function has
the time that template.yaml gives it. Exit code 0 means that it was measured; a missed goal is printed as MISSED.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from pathlib import Path
from typing import Any, cast

from bench.drawn import ACCOUNT, REGION, Drawn, Shape
from bench.floor import Beside, floor, total
from bench.processes import NotMeasured
from bench.unhurried import Account, Clock, Eyes
from plumbline.alerts.alert import Alert, Sender
from plumbline.baseline.compiler import compile_file
from plumbline.baseline.rules import Baseline
from plumbline.compose import Plumbline
from plumbline.controls import registry
from plumbline.controls.index import Index
from plumbline.core.control import Control
from plumbline.engine.deployment import Deployment
from plumbline.engine.settle import Engine
from plumbline.findings.hearing import Hearing
from plumbline.findings.sweeps import Lasts, Sweep
from plumbline.handlers.sweep import Sweeper
from plumbline.sweep.units import Unit, numbered

_TEMPLATE = Path(__file__).parents[1] / "template.yaml"
_BASELINE = Path(__file__).with_name("sweep.yaml")
#: What the controls of these services ask grows with the account; what others ask is a handful.
_SERVICES = frozenset({"cloudtrail", "iam", "organizations", "s3"})
_UNITS_AT_ONCE = 5
#: Seconds from a message's sending until its function begins: SQS and a start.
_BEGINS_AFTER = 1.0
#: Seconds within which the account of 16x is to be swept.
_SWEPT_WITHIN = 180
#: Milliseconds of CPU that a read takes over TLS; see "A bucket read" in README.md.
_READ_CPU = 1.5


@dataclass(frozen=True, slots=True)
class Large(Shape):
    """An account of twenty thousand buckets and five thousand principals."""

    scale: int = 100

    users = property(lambda _: 3000)
    groups = property(lambda _: 200)
    roles = property(lambda _: 1800)
    policies = property(lambda _: 1000)
    buckets = property(lambda _: 20_000)


ACCOUNTS: Mapping[str, Shape] = {"1x": Shape(1), "4x": Shape(4), "16x": Shape(16), "20000": Large()}


@dataclass
class Ledger:
    """What a sweep asks of the ledger, which knows nothing yet; and what it writes into it."""

    adoptions: dict[str, str] = field(default_factory=dict)
    seen: dict[str, Sweep] = field(default_factory=dict)
    lasts: dict[str, Lasts] = field(default_factory=dict)
    swept: datetime | None = None

    @property
    def sweeps(self) -> Ledger:
        """How far sweeps have come."""
        return self

    def goes_on(self, _account: str, sweep: Sweep) -> Sweep:
        """See adapters.sweeps.Sweeps."""
        before = self.seen.get(sweep.name, sweep)
        self.seen[sweep.name] = replace(sweep, done=before.done | sweep.done)
        return self.seen[sweep.name]

    def lasting(self, _account: str, _control: str) -> Lasts:
        """A sweep like the first: nothing is known."""
        return Lasts()

    def keep(self, _account: str, control: str, lasts: Lasts) -> None:
        """See adapters.sweeps.Sweeps."""
        self.lasts[control] = lasts

    def open_findings(self, _account: str) -> Sequence[Any]:
        """None: nobody settles here."""
        return ()

    awaiting_digest = open_findings

    def all_exemptions(self, _account: str) -> Sequence[Any]:
        """None."""
        return ()

    def all_pauses(self, _account: str) -> tuple[Mapping[str, Any], int]:
        """None."""
        return {}, 0

    def all_suspensions(self, _account: str) -> tuple[Sequence[Any], int]:
        """None."""
        return (), 0

    def hearing(self, _account: str) -> Hearing:
        """Somebody hears."""
        return Hearing(datetime.now(UTC))

    def note_hearing(self, _account: str, _hearing: Hearing) -> None:
        """As it was."""

    def told_of(self, _prefix: str, _now: datetime) -> frozenset[str]:
        """Nothing."""
        return frozenset()

    def adopted(self, _account: str) -> Mapping[str, str]:
        """How far first sweeps have come."""
        return self.adoptions

    def adopt(self, _account: str, control: str, mark: str) -> None:
        """See ports.Ledger."""
        self.adoptions[control] = mark

    def note_sweep(self, _account: str, now: datetime) -> None:
        """The sweep is over."""
        self.swept = now


class _Heard:
    """Somebody hears alerts, and none is sent."""

    arn = "arn:aws:sns:us-east-1:111122223333:alerts"

    def is_heard(self) -> bool:
        """Yes."""
        return True

    def waiting(self) -> Sequence[str]:
        """Nobody."""
        return ()

    def send(self, alert: Alert) -> None:
        """Never."""
        raise AssertionError(alert.subject)


class _Silent:
    """A log that nobody reads."""

    def info(self, msg: object, /, *, extra: object = None) -> None:
        """Nothing."""

    def error(self, msg: object, /, *, extra: object = None) -> None:
        """A control that breaks is a fault of the bench."""
        raise AssertionError(f"{msg}: {extra}")


@dataclass
class _Outlet:
    """A queue that keeps what is put onto it."""

    bodies: list[str] = field(default_factory=list)

    def send(self, bodies: Sequence[str], *, delay: int = 0) -> None:  # noqa: ARG002 -- Outlet's
        """Keep them."""
        self.bodies += bodies


@dataclass(frozen=True, slots=True)
class Measured:
    """One sweep of one account.

    Attributes:
        account: its name.
        milliseconds: a read.
        invocations: of the sweep's function, for units.
        longest: seconds of the longest of them.
        within: seconds that it has.
        swept: seconds until the sweep was over.
        reads: calls.
        floor: calls that the account's shape asks for.
        twice: questions that were asked more than once, other than anew after a cut.
        cpu: seconds of CPU that looking took, without what carries and answers a read.
        held: the most answers that were remembered at a time.
        wakes: what was reported.
    """

    account: str
    milliseconds: int
    invocations: int
    longest: float
    within: int
    swept: float
    reads: int
    floor: int
    twice: int
    cpu: float
    held: int
    wakes: int


def timeout() -> int:
    """Seconds that template.yaml gives the sweep's function."""
    (found,) = re.findall(r"(?s)\n  SweepFunction:.*?\n      Timeout: (\d+)", _TEMPLATE.read_text())
    return int(found)


@dataclass
class _Aws:
    """The engine's AWS in one invocation."""

    eyes_of: Any

    def eyes(self, account: str, region: str) -> Eyes:
        """See ports.Aws."""
        eyes: Eyes = self.eyes_of(account, region)
        return eyes


def sweep(name: str, milliseconds: int) -> Measured:
    """Sweep an account once.

    Args:
        name: which of `ACCOUNTS`.
        milliseconds: what a read takes.
    """
    drawn = Drawn(ACCOUNTS[name], datetime.now(UTC).replace(microsecond=0))
    account, ledger, within = Account(drawn), Ledger(), timeout()
    units, wakes, asked = _Outlet(), _Outlet(), Counter[str]()
    most, cut = [0], 0
    baseline = Baseline.from_json(compile_file(_BASELINE, today=drawn.now.date()))
    controls = registry.load()
    known = {name: one for name, one in controls.items() if _services(one) <= _SERVICES and not one.house}
    index = Index.of(known)

    def invoke(unit: Unit, at: float) -> float:
        clock = Clock()

        def eyes_of(of: str, region: str) -> Eyes:
            return Eyes(account, clock, milliseconds / 1000, asked, drawn.now, most, of, region)

        engine = Engine(
            known, baseline, Deployment(REGION, sender=Sender(account=ACCOUNT)), cast("Any", _Aws(eyes_of)),
            cast("Any", ledger), cast("Any", _Heard()),
        )  # fmt: skip
        plumbline = Plumbline(engine, cast("Any", ledger), cast("Any", None), ACCOUNT, index)
        Sweeper(
            plumbline, units, wakes, cast("Any", _Silent()), lambda: drawn.now + timedelta(seconds=at + clock.now),
            lambda: round((within - clock.now) * 1000),
        ).record({"body": unit.to_json()})  # fmt: skip
        return clock.now

    engine = Engine(known, baseline, Deployment(REGION), cast("Any", None), cast("Any", ledger), cast("Any", _Heard()))
    pieces = Plumbline(engine, cast("Any", ledger), cast("Any", None), ACCOUNT, index).units()
    waiting: list[tuple[float, int, Unit]] = [
        (_BEGINS_AFTER, number, unit) for number, unit in enumerate(numbered(pieces, drawn.now.isoformat()))
    ]
    running: list[float] = []
    took: list[float] = []
    began = time.process_time()
    while waiting:
        ready, _, unit = heappop(waiting)
        at = ready if len(running) < _UNITS_AT_ONCE else max(ready, heappop(running))
        took.append(invoke(unit, at))
        heappush(running, at + took[-1])
        for body in units.bodies:
            cut += 1
            heappush(waiting, (at + took[-1] + _BEGINS_AFTER, len(took) + 1000, Unit.from_json(body)))
        units.bodies.clear()
    cpu = time.process_time() - began - account.seconds
    if ledger.swept is None:
        raise NotMeasured(f"the sweep of {name} was never over")
    calls = asked.pop("")
    return Measured(
        name, milliseconds, len(took), max(took), within, (ledger.swept - drawn.now).total_seconds(), calls,
        _floor(drawn), sum(times > 1 + cut for times in asked.values()), cpu, most[0], len(wakes.bodies),
    )  # fmt: skip


def _services(control: Control) -> set[str]:
    return {read.partition(":")[0] for read in control.reads}


def _floor(drawn: Drawn) -> int:
    return total(floor(drawn, Beside(0, 0, 0)))


def lines(found: Sequence[Measured]) -> Iterator[str]:
    """The table, and the goals."""
    yield "| account | ms a read | invocations | longest, s | swept after, s | reads | floor | twice | CPU, s | held |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for one in found:
        yield (
            f"| {one.account} | {one.milliseconds} | {one.invocations} | {one.longest:.0f} of {one.within} |"
            f" {one.swept:.0f} | {one.reads:,} | {one.floor:,} | {one.twice} |"
            f" {one.cpu:.0f} + {one.reads * _READ_CPU / 1000:.0f} | {one.held:,} |"
        )
    yield ""
    yield "| goal | found | |"
    yield "| --- | ---: | --- |"
    for one in found:
        what, longest = f"{one.account} at {one.milliseconds} ms", f"{one.longest:.0f} s of {one.within}"
        yield _goal(f"{what}: every unit ends in its time", longest, met=one.longest < one.within)
        if one.account == "16x":
            yield _goal(f"{what}: swept in {_SWEPT_WITHIN} s", f"{one.swept:.0f} s", met=one.swept <= _SWEPT_WITHIN)
        yield _goal(f"{what}: nothing is asked twice", str(one.twice), met=not one.twice)


def _goal(what: str, found: str, *, met: bool) -> str:
    return f"| {what} | {found} | {'met' if met else '**MISSED**'} |"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.large", description=__doc__)
    parser.add_argument("--accounts", default="1x,16x,20000", help="which of 1x, 4x, 16x and 20000")
    parser.add_argument("--ms", default="60,140", help="milliseconds that a read takes")
    arguments = parser.parse_args()
    found = []
    for name in arguments.accounts.split(","):
        for milliseconds in map(int, arguments.ms.split(",")):
            found.append(sweep(name, milliseconds))
            sys.stderr.write(f"{time.strftime('%H:%M:%S')} {found[-1]}\n")
    sys.stdout.write("\n".join(lines(found)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
