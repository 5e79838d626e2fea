"""Sweep very large accounts on a virtual clock: does every run end in its time, and when is the sweep over?

    PYTHONPATH=layers/plumbline .venv/dev/bin/python -m bench.large [--accounts 16x,20000] [--ms 60,140]

The real function's `Sweeper` looks through the real pieces with every control that asks IAM and S3 alone, which are
those whose work grows with the account. Only eyes, queue, ledger and runs are the bench's own (`unhurried.py`,
`runs.py`): a read takes 60 or 140 milliseconds of a clock that nobody waits for, sixteen run at once in each of five
runs, and a run has the time that template.yaml gives it. The account is swept for the first time, and once more when
what that found is settled. Exit code 0 means that it was measured; a missed goal is printed as MISSED.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from bench import runs
from bench.drawn import ACCOUNT, REGION, Drawn, Shape
from bench.floor import Beside, floor, total
from bench.former import history, sweeps
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
from plumbline.findings.adoption import Adoption
from plumbline.findings.hearing import Hearing
from plumbline.findings.sweeps import Lasts, Sweep
from plumbline.handlers.sweep import Sweeper
from plumbline.sweep.units import numbered

_TEMPLATE = Path(__file__).parents[1] / "template.yaml"
_BASELINE = Path(__file__).with_name("sweep.yaml")
#: What the controls of these services ask grows with the account; what others ask is a handful.
_SERVICES = frozenset({"cloudtrail", "iam", "organizations", "s3"})
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

    def settled(self) -> None:
        """What the first sweep found is settled: nothing waits for a finding any more."""
        self.adoptions = {
            name: replace(Adoption.from_json(one), pending=frozenset()).to_json()
            for name, one in self.adoptions.items()
        }

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
        which: the first one, or a later one.
        milliseconds: a read.
        invocations: of the sweep's function.
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
    which: str
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


def sweep(name: str, milliseconds: int, only: Container[str] = ()) -> tuple[Measured, Measured]:
    """Sweep an account twice: for the first time, and when what that found is settled.

    Args:
        name: which of `ACCOUNTS`.
        milliseconds: what a read takes.
        only: the controls to sweep with; all where it is empty.
    """
    drawn = Drawn(ACCOUNTS[name], datetime.now(UTC).replace(microsecond=0))
    account, ledger = Account(drawn), Ledger()
    controls = registry.load()
    known = {name: one for name, one in controls.items() if _services(one) <= _SERVICES and not one.house}
    known = {name: one for name, one in known.items() if not only or name in only}
    place = _Place(drawn, account, ledger, milliseconds, known)
    first = place.sweep(name, "first")
    ledger.settled()
    return first, place.sweep(name, "later")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where sweeps are made.

    Attributes:
        milliseconds: what a read takes.
        known: the controls.
    """

    drawn: Drawn
    account: Account
    ledger: Ledger
    milliseconds: int
    known: Mapping[str, Control]

    def sweep(self, name: str, which: str) -> Measured:
        """One sweep, from its begin until the ledger notes that it is over."""
        asked, most, sent = Counter[str](), [0], [0]
        wakes, within = _Outlet(), timeout()

        def do(body: str, at: float, left: float) -> runs.Done:
            clock, units = Clock(), _Outlet()

            def eyes_of(of: str, region: str) -> Eyes:
                return Eyes(self.account, clock, self.milliseconds / 1000, asked, self.drawn.now, most, of, region)

            was_split = Sweeper(
                self._plumbline(eyes_of), units, wakes, cast("Any", _Silent()),
                lambda: self.drawn.now + timedelta(seconds=at + clock.now), lambda: round((left - clock.now) * 1000),
            ).piece(body)  # fmt: skip
            sent[0] += len(units.bodies)
            return runs.Done(clock.now, units.bodies, was_split)

        self.ledger.swept, self.account.seconds = None, 0.0
        pieces = numbered(self._plumbline(None).units(), f"{self.drawn.now.isoformat()}-{which}")
        began = time.process_time()
        took = runs.through([one.to_json() for one in pieces], do, within)
        cpu = time.process_time() - began - self.account.seconds
        if self.ledger.swept is None:
            raise NotMeasured(f"the {which} sweep of {name} was never over")
        calls = asked.pop("")
        return Measured(
            name, which, self.milliseconds, len(took), max(took), within,
            (self.ledger.swept - self.drawn.now).total_seconds(), calls, _floor(self.drawn),
            sum(times > 1 + sent[0] for times in asked.values()), cpu, most[0], len(wakes.bodies),
        )  # fmt: skip

    def _plumbline(self, eyes_of: Any) -> Plumbline:
        deployment = Deployment(REGION, sender=Sender(account=ACCOUNT))
        baseline = Baseline.from_json(compile_file(_BASELINE, today=self.drawn.now.date()))
        engine = Engine(
            self.known, baseline, deployment, cast("Any", _Aws(eyes_of)), cast("Any", self.ledger),
            cast("Any", _Heard()),
        )  # fmt: skip
        return Plumbline(engine, cast("Any", self.ledger), cast("Any", None), ACCOUNT, Index.of(self.known))


def _services(control: Control) -> set[str]:
    return {read.partition(":")[0] for read in control.reads}


def _floor(drawn: Drawn) -> int:
    return total(floor(drawn, Beside(0, 0, 0)))


def lines(found: Sequence[Measured], beside: Mapping[tuple[str, int], Sequence[str]] | None = None) -> Iterator[str]:
    """The table, and the goals.

    Args:
        found: what was measured.
        beside: what stands above a line, by its account and milliseconds.
    """
    yield "| account, sweep | ms a read | runs | longest, s | swept after, s | reads | floor | twice | CPU, s | held |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for one in found:
        if one.which == "first":
            yield from (beside or {}).get((one.account, one.milliseconds), ())
        yield line_of(one, f"{one.floor:,}")
    yield ""
    yield "| goal | found | |"
    yield "| --- | ---: | --- |"
    for one in found:
        what, longest = f"{one.account}, {one.which}, at {one.milliseconds} ms", f"{one.longest:.0f} s of {one.within}"
        yield _goal(f"{what}: every run ends in its time", longest, met=one.longest < one.within)
        if one.account == "16x":
            yield _goal(f"{what}: swept in {_SWEPT_WITHIN} s", f"{one.swept:.0f} s", met=one.swept <= _SWEPT_WITHIN)
        yield _goal(f"{what}: nothing is asked twice", str(one.twice), met=not one.twice)


def line_of(one: Measured, floor: str, with_: str = "") -> str:
    """A line of the table."""
    return (
        f"| {one.account}, {one.which}{with_} | {one.milliseconds} | {one.invocations}"
        f" | {one.longest:.0f} of {one.within} | {one.swept:.0f} | {one.reads:,} | {floor} | {one.twice} |"
        f" {one.cpu:.0f} + {one.reads * _READ_CPU / 1000:.0f} | {one.held:,} |"
    )


def _goal(what: str, found: str, *, met: bool) -> str:
    return f"| {what} | {found} | {'met' if met else '**MISSED**'} |"


def _with_former(name: str, milliseconds: int) -> Sequence[str]:
    """Version 0.1's line, and today's with no more controls than version 0.1 had."""
    former = sweeps.sweep(name, ACCOUNTS[name], milliseconds)
    same, _ = sweep(name, milliseconds, history.controls(history.unpacked()))
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {former}\n{time.strftime('%H:%M:%S')} {same}\n")
    return former.line, line_of(same, "", ", its controls, today")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.large", description=__doc__)
    parser.add_argument("--accounts", default="1x,16x,20000", help="which of 1x, 4x, 16x and 20000")
    parser.add_argument("--ms", default="60,140", help="milliseconds that a read takes")
    parser.add_argument(
        "--former", action="store_true", help="version 0.1 beside it, and today with its controls alone"
    )
    arguments = parser.parse_args()
    if arguments.former and (why := history.missing()):
        sys.stderr.write(f"not measured: {why}\n")
        return 1
    found: list[Measured] = []
    beside: dict[tuple[str, int], Sequence[str]] = {}
    for name in arguments.accounts.split(","):
        for milliseconds in map(int, arguments.ms.split(",")):
            if arguments.former:
                beside[name, milliseconds] = _with_former(name, milliseconds)
            found += sweep(name, milliseconds)
            sys.stderr.write(f"{time.strftime('%H:%M:%S')} {found[-1]}\n")
    sys.stdout.write("\n".join(lines(found, beside)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
