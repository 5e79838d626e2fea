"""A ledger of a large account: what each command, settle, sweep, digest and week costs. `python -m bench.ledger`.

Each runs in a process of its own against the same ledger, served over HTTP as DynamoDB serves it, so that parsing what
it answers counts. Everything else is the fakes of the tests: what AWS itself takes is measured elsewhere.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from bench.served_ledger import Served, serving

#: What 512 MB buy of a core. AWS Lambda Developer Guide, "Configure Lambda function memory": 1,769 MB buy one.
SHARE = 512 / 1_769
#: Goals: seconds at that share, and megabytes.
SECONDS, MEGABYTES = 10, 256
#: Characters that a function may answer with.
ANSWERS = 6_000_000
_TABLE = "ledger"
_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Size:
    """How large a ledger is.

    Attributes:
        open: findings.
        lives: open ones and closed ones.
        exemptions: half of them by pattern.
    """

    open: int = 20_000
    lives: int = 50_000
    exemptions: int = 500


@dataclass(frozen=True, slots=True)
class Row:
    """What one thing took.

    Attributes:
        name: what was run.
        cpu: seconds of a whole core, imports left out.
        peak: megabytes, the interpreter and its imports included.
        answered: characters.
        units: of reads.
        writes: items written.
    """

    name: str
    cpu: float
    peak: float
    answered: int
    units: float
    writes: int

    @property
    def seconds(self) -> float:
        """What it takes at 512 MB's share of a core, the ledger's own time left out."""
        return self.cpu / SHARE

    @property
    def missed(self) -> list[str]:
        """The goals that it misses."""
        goals = {"time": self.seconds > SECONDS, "memory": self.peak > MEGABYTES, "answer": self.answered > ANSWERS}
        return [name for name, over in goals.items() if over]


def commands(some: str) -> Mapping[str, Sequence[str]]:
    """What is typed: every command, each list with its filters and a second page."""
    why = ("--days", "7", "--owner", "ann", "--reason", "moves in May")
    return {
        "status": ("status",),
        "findings": ("findings",),
        "findings, for scripts": ("findings", "--json"),
        "findings --open": ("findings", "--open"),
        "findings --exempt": ("findings", "--exempt"),
        "findings --fight": ("findings", "--fight"),
        "findings --severity": ("findings", "--severity", "high"),
        "findings --control": ("findings", "--control", "lamp-off"),
        "findings --target": ("findings", "--target", "*/lamp/lamp-1*"),
        "findings, a later page": ("findings", "--after", some),
        "show": ("show", some),
        "show, no such finding": ("show", "ZZZZ"),
        "plan": ("plan",),
        "plan FINDING": ("plan", some),
        "exemptions": ("exemptions",),
        "exempt FINDING": ("exempt", some, *why),
        "exempt PATTERN, of 11,000": ("exempt", "*/lamp/lamp-1*", "--control", "lamp-off", *why),
        "unexempt, of 11,000": ("unexempt", "*/lamp/lamp-1*"),
        "who": ("who", "acme-data"),
        "suspensions": ("suspensions",),
        "pause": ("pause", "--hours", "4", "--reason", "migration"),
        "resume": ("resume",),
        "resume --all": ("resume", "--all"),
        "enforce": ("enforce",),
        "enforce --yes": ("enforce", "--yes"),
        "approve": ("approve", some),
        "undo": ("undo", some),
        "sweep": ("sweep",),
        "redrive": ("redrive",),
        "help": ("help",),
    }


#: What functions do beside commands.
TASKS = ("react settles", "sweep looks", "digest", "digest goes on", "weekly")


def filled(size: Size) -> tuple[Served, str]:
    """A ledger of some size, and the id of one finding in it that is open."""
    from plumbline.findings.finding import DIGEST, Status
    from plumbline.findings.hearing import Hearing
    from tests.fakes import ACCOUNT, NOW

    served = Served()
    table = _table(_Direct(served))
    found = list(lives(size))
    for one in found:
        table.save(one, now=NOW)
    for number in range(size.exemptions):
        table.exempt(ACCOUNT, exemption(number), NOW)
    table.note_hearing(ACCOUNT, Hearing(NOW - timedelta(days=90)))
    table.note_sweep(ACCOUNT, NOW)
    some = next(one.id for one in found if one.status is Status.OPEN and not one.outbox.startswith(DIGEST))
    return served, some


def lives(size: Size) -> Any:
    """Findings as an account has them: some told, some waiting, some tried in vain, most over."""
    from plumbline.core.cause import Origin
    from plumbline.core.control import Deviation
    from plumbline.findings.finding import DIGEST, Repair, Status, open_finding
    from tests.fakes import CONTROL, LAMP, MALLORY, NOW

    about = {"policy": [{"Sid": f"S{number}", "Action": ["s3:Get*"], "Resource": "*"} for number in range(20)]}
    for number in range(size.lives):
        target = replace(LAMP, id=f"lamp-{number:05}")
        is_open, days = number < size.open, number % 380
        seen = NOW - timedelta(days=days if not is_open else number % 60, minutes=number % 1_000)
        facts = tuple(f"bulb {one} of {target.id} is on" for one in range(3))
        one = open_finding(
            CONTROL.id, target, Deviation("is on: three bulbs burn", facts), origin=Origin.EVENT, cause=MALLORY,
            now=seen, before=None,
        )  # fmt: skip
        state = {"on": list(facts), **about}
        plan = CONTROL.plan(target, {"on": ["a", "b"]}, {})
        repair = Repair(at=seen, plan=plan, before=state, after={**state, "on": []}, looked=True, done=2)
        told = ("opened", *(("fight",) if number % 200 == 7 else ()))
        if not is_open:
            over = replace(one, status=Status.REPAIRED, closed_at=seen + timedelta(minutes=1), repairs=(repair,))
            yield replace(over, told=(*told, "repaired"))
            continue
        status = (Status.OPEN, Status.FAILED, Status.EXEMPT)[(number % 10 > 6) + (number % 10 > 8)]
        waits = f"{DIGEST}opened" if number % 2 else ""
        tries = (repair,) * (3 if number % 50 == 3 else int(status is Status.FAILED))
        yield replace(
            one, status=status, told=told, outbox=waits, repairs=tries, due=NOW + timedelta(hours=number % 200),
            then="Plumbline will repair this in 7 days, on Monday 9 March 2026, 09:30 UTC", adopted=facts,
            grace_until=NOW + timedelta(days=3) if number % 3 else None,
        )  # fmt: skip


def exemption(number: int) -> Any:
    """One of them, half of them by pattern."""
    from plumbline.decisions.exemptions import Exemption
    from tests.fakes import ACCOUNT, NOW

    target = f"{ACCOUNT}/global/lamp/lamp-{number * 37:05}" if number % 2 else f"*/lamp/team-{number * 7919 % 9973}-*"
    reason = f"ticket {number * 31}: agreed with the owners until it has moved"
    return Exemption("lamp-off", target, "ann", reason, NOW + timedelta(days=1 + number % 80), f"X{number:04}")


class _Direct:
    """A client without a process between, to fill the table with."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def can_paginate(self, _method: str) -> bool:
        """Nothing that fills it is longer than a page."""
        return False

    def __getattr__(self, method: str) -> Callable[..., Any]:
        operation = "".join(part.capitalize() for part in method.split("_"))
        return lambda **request: self._served.answer(operation, json.loads(json.dumps(request, default=_in_base64)))


def _in_base64(value: bytes) -> str:
    import base64

    return base64.b64encode(value).decode()


def _table(client: Any) -> Any:
    from plumbline.adapters.dynamodb import Table

    return Table(lambda *_: client, _TABLE, "us-east-1")


def perform(name: str, some: str, address: str) -> Mapping[str, Any]:
    """Run one of them in this process; what it took."""
    import boto3

    from tests.fakes import ACCOUNT, NOW, House, Lamps, Memory

    keys = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench"}
    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=address, **keys)
    lamps = Lamps({f"lamp-{number:05}": {"on": ["a"]} for number in range(10)}, buckets=("acme-data",))
    house = House(ledger=cast("Memory", _table(client)), aws=lamps)
    commands_ = commands(some)
    began = cpu()
    typed = commands_.get(name)
    answer = house.type(*typed, now=NOW).to_json() if typed else _task(name, house, ACCOUNT, NOW)
    return {"cpu": cpu() - began, "peak": peak(), "answered": len(json.dumps(answer, default=str))}


def _task(name: str, house: Any, account: str, now: Any) -> Any:
    from plumbline.core.cause import Origin
    from plumbline.engine.digests import Digests

    if name == "react settles":
        return house.settle(origin=Origin.EVENT)
    if name == "sweep looks":
        (unit,) = house.plumbline.units()
        return sum(len(look.wakes) for look in house.plumbline.look(unit, now=now))
    if name == "digest":
        return house.engine.digest(account, now=now)
    if name == "digest goes on":
        Digests(house.engine.notifier).critical(account, now=now)
        return 0
    return house.engine.weekly(account, now=now)


def peak() -> float:
    """Megabytes that this process held at most; getrusage would answer with those of the process that it came from."""
    (line,) = (one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) / 1_024


def cpu() -> float:
    """Seconds of CPU that this process took so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measured(size: Size, only: str = "", first: str = "") -> list[Row]:
    """Fill a ledger, and run everything against it, one after the other.

    Args:
        size: of the ledger.
        only: what has this in its name.
        first: what to begin with, by a part of its name.
    """
    served, some = filled(size)
    rows = []
    names = (*commands(some), *TASKS)
    begin = next(place for place, name in enumerate(names) if first in name)
    with serving(served) as address:
        for name in names[begin:]:
            if only and only not in name:
                continue
            served.units = served.writes = 0
            line = [sys.executable, "-m", "bench.ledger", "--run", name, "--some", some, "--at", address]
            environment = {**os.environ, "PYTHONPATH": f"{_ROOT}/layers/plumbline:{_ROOT}"}
            done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=_ROOT, env=environment)
            if done.returncode:
                raise SystemExit(f"{name}: {done.stderr}")
            took = json.loads(done.stdout.splitlines()[-1])
            rows.append(Row(name, took["cpu"], took["peak"], took["answered"], served.units, served.writes))
            print(line_of(rows[-1]), flush=True)
    return rows


def line_of(row: Row) -> str:
    """A line of the table."""
    goals = f"**MISSED: {', '.join(row.missed)}**" if row.missed else "met"
    return (
        f"| {row.name} | {row.cpu:.2f} | {row.seconds:.1f} | {row.peak:.0f} | {row.answered:,} | {row.units:,.0f} | "
        f"{row.writes:,} | {goals} |"
    )


def main() -> int:
    """Measure and print; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.ledger", description=__doc__)
    parser.add_argument("--open", type=int, default=Size().open)
    parser.add_argument("--lives", type=int, default=Size().lives)
    parser.add_argument("--exemptions", type=int, default=Size().exemptions)
    parser.add_argument("--only", default="", help="what has this in its name")
    parser.add_argument("--former", action="store_true", help="version 0.1 at the same size, below")
    parser.add_argument("--from", default="", dest="first", help="begin with the one that has this in its name")
    for one in ("run", "some", "at"):
        parser.add_argument(f"--{one}", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        print(json.dumps(perform(given.run, given.some, given.at)))
        return 0
    print("| what | CPU, s | at 512 MB, s | peak, MB | answered | read units | writes | goals |")
    print("| --- | --: | --: | --: | --: | --: | --: | --- |", flush=True)
    began = time.monotonic()
    size = Size(given.open, given.lives, given.exemptions)
    rows = measured(size, given.only, given.first)
    if given.former:
        from bench.former import ledgers  # where version 0.1 runs, this module serves it as well

        for line in ledgers.lines(size, given.only):
            print(line, flush=True)
    print(f"\n{len(rows)} in {time.monotonic() - began:.0f} s")
    return int(any(one.missed for one in rows))


if __name__ == "__main__":
    raise SystemExit(main())
