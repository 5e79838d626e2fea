"""Version 0.1's sweep on the same virtual clock, of the same drawn account, answered by the same answers."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from bench.drawn import Drawn, Shape
from bench.former import history
from bench.processes import NotMeasured
from bench.unhurried import Account
from local.embedded import ROOT
from plumbline.core.calls import Call
from plumbline.core.errors import AwsRefusal

#: What version 0.1's control of the bill asks, in an account without an alarm. Its unit is the sweep's last.
_BILL: Mapping[str, Mapping[str, Any]] = {"cloudwatch": {"Metrics": [], "MetricAlarms": []}, "sns": {}}
#: Milliseconds of CPU that its read of a bucket takes over TLS, each in a connection of its own, and any other read;
#: see "A bucket read" in README.md.
_BUCKET_CPU, _READ_CPU = 23.3, 1.5


@dataclass(frozen=True, slots=True)
class Swept:
    """One sweep of one account by version 0.1.

    Attributes:
        invocations: of the sweep's function, for units, killed ones included.
        killed: of them, how many ran out of the function's time.
        given_up: units that were killed as often as their message may be received, and never looked through.
        longest: seconds of the longest invocation.
        within: seconds that the function has.
        noted: seconds until the ledger noted the sweep as done; None where it never did.
        ended: seconds until the last unit that was looked through was.
        reads: calls.
        of_buckets: of them, about one bucket each.
        twice: questions that were asked more often than units were sent back, each of which lists anew.
        cpu: seconds of CPU that looking took, without what carries and answers a read.
        held: the most answers that were remembered at a time.
        wakes: what was reported.
    """

    account: str
    milliseconds: int
    within: int
    invocations: int
    killed: int
    given_up: int
    longest: float
    noted: float | None
    ended: float
    reads: int
    of_buckets: int
    twice: int
    cpu: float
    held: int
    wakes: int

    @property
    def _carried(self) -> float:
        """Seconds of CPU that the reads take over TLS."""
        others = self.reads - self.of_buckets
        return (self.of_buckets * _BUCKET_CPU + others * _READ_CPU) / 1000

    @property
    def line(self) -> str:
        """A line of the table of bench.large."""
        killed = f", {self.killed} killed" if self.killed else ""
        noted = "never noted" if self.noted is None else f"noted as done after {self.noted:.0f}"
        swept = f"{'never' if self.given_up else f'{self.ended:.0f}'}; {noted}"
        return (
            f"| {self.account}, version 0.1 | {self.milliseconds} | {self.invocations}{killed} |"
            f" {self.longest:.0f} of {self.within} | {swept} | {self.reads:,} |  | {self.twice:,} |"
            f" {self.cpu:.0f} + {self._carried:.0f} | {self.held:,} |"
        )


def sweep(name: str, shape: Shape, milliseconds: int) -> Swept:
    """Sweep an account once with version 0.1.

    Args:
        name: the account's.
        shape: what is in it.
        milliseconds: what a read takes.

    Raises:
        NotMeasured: its code is not there, or it failed.
    """
    folder = history.unpacked()
    account = Account(Drawn(shape, datetime.now(UTC).replace(microsecond=0)))
    within = history.number(folder, "SweepFunction", "Timeout")
    limits = {
        "latency": milliseconds / 1000,
        "within": within,
        "hidden": history.number(folder, "UnitsQueue", "VisibilityTimeout"),
        "receipts": history.number(folder, "UnitsQueue", "maxReceiveCount"),
    }
    ours, theirs = Pipe()
    with (
        theirs,
        subprocess.Popen(
            history.line("sweep", str(theirs.fileno())),
            cwd=ROOT,
            env=history.environment(folder),
            pass_fds=(theirs.fileno(),),
        ) as process,
    ):
        theirs.close()
        ours.send((limits, account.drawn.now))
        try:
            found = _answered(ours, account)
        except EOFError as error:
            raise NotMeasured(f"version 0.1 ended in its sweep of {name} with {process.wait()}") from error
        finally:
            ours.close()
    return Swept(account=name, milliseconds=milliseconds, within=within, **found)


def _answered(pipe: Connection, account: Account) -> Mapping[str, Any]:
    """Answer what is asked until the sweep's own figures come."""
    while not isinstance(asked := pipe.recv(), Mapping):
        pipe.send(_answer(account, Call(*asked)))
    return asked


def _answer(account: Account, call: Call) -> tuple[Any, int, str]:
    """The answer, its pages, and the code of a refusal."""
    if call.service in _BILL:
        return _BILL[call.service], 1, ""
    try:
        return *account.ask(call), ""
    except AwsRefusal as refused:
        return None, 1, refused.code
