"""Version 0.1 on a ledger of the same findings, written in its own format and served by the same double of DynamoDB."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

from bench.former import history
from bench.former.own.ledger import TASKS, commands
from bench.ledger import Row, Size, line_of
from bench.processes import NotMeasured
from bench.served_ledger import Served, serving
from local.embedded import ROOT

#: Seconds after which one thing is not waited for any longer.
_PATIENCE = 240
_SIDE = ", version 0.1"


def filled(size: Size) -> tuple[Served, str]:
    """A ledger of some size as version 0.1 wrote it, and the id of one finding in it that is open.

    Raises:
        NotMeasured: its code is not there, or it failed.
    """
    folder = history.unpacked()
    served, some = Served(), ""
    line = history.line("ledger", "fill", *map(str, (size.open, size.lives, size.exemptions)))
    with subprocess.Popen(
        line, cwd=ROOT, env=history.environment(folder), stdout=subprocess.PIPE, text=True
    ) as process:
        for text in process.stdout or ():
            if text.startswith("["):
                served.answer(*json.loads(text))
            else:
                some = text.strip()
    if process.returncode or not some:
        raise NotMeasured(f"version 0.1 ended with {process.returncode} while it filled its ledger")
    return served, some


def lines(size: Size, only: str = "") -> Iterator[str]:
    """Run what version 0.1 had against its ledger, one after the other; a line of the table for each.

    Args:
        size: of the ledger.
        only: what has this in its name.

    Raises:
        NotMeasured: its code is not there, or it failed.
    """
    served, some = filled(size)
    with serving(served) as address:
        for name in (*commands(some), *TASKS):
            if only in name:
                yield _line(served, name, some, address)


def _line(served: Served, name: str, some: str, address: str) -> str:
    folder = history.unpacked()
    served.units = served.writes = 0
    line = history.line("ledger", "run", name, some, address)
    try:
        done = subprocess.run(
            line,
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env=history.environment(folder),
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return (
            f"| {name}{_SIDE} | not done within {_PATIENCE} s |  |  |  | {served.units:,.0f} | {served.writes:,} |  |"
        )
    if done.returncode:
        raise NotMeasured(f"{name} of version 0.1: {done.stderr[-2000:]}")
    took = json.loads(done.stdout.splitlines()[-1])
    return line_of(Row(f"{name}{_SIDE}", took["cpu"], took["peak"], took["answered"], served.units, served.writes))
