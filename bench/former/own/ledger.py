"""Version 0.1's ledger: fills a table as its code wrote it, or runs one thing against it.

    ledger fill OPEN LIVES EXEMPTIONS    the writes, one a line, and at last the id of a finding that is open
    ledger run NAME SOME ADDRESS         what it took, as bench.ledger says it

The findings are those of bench.ledger: the same function draws them, out of version 0.1's nouns.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from bench.ledger import Size, cpu, exemption, lives, peak

#: Where today's nouns were at home in version 0.1.
_HOMES = {
    "plumbline.core.cause": "plumbline.core",
    "plumbline.core.control": "plumbline.core",
    "plumbline.findings.finding": "plumbline.findings",
    "plumbline.decisions.exemptions": "plumbline.exemptions",
}
_TABLE, _REGION = "ledger", "us-east-1"
_DIGEST, _LOOKS, _SETTLES = "digest", "sweep looks", "react settles"
#: What functions do beside commands.
TASKS = (_SETTLES, _LOOKS, _DIGEST, "weekly")


def commands(some: str) -> Mapping[str, Sequence[str]]:
    """What is typed: the commands of today that version 0.1 had, too, and that change nothing.

    It exempts nothing where there are 300 exemptions.
    """
    return {
        "status": ("status",),
        "findings": ("findings",),
        "findings, for scripts": ("findings", "--json"),
        "show": ("show", some),
        "plan": ("plan",),
        "plan FINDING": ("plan", some),
        "exemptions": ("exemptions",),
    }


class Written:
    """A client that writes down what it is asked to write, and answers nothing."""

    def can_paginate(self, _method: str) -> bool:
        """Nothing that fills a table is longer than a page."""
        return False

    def __getattr__(self, method: str) -> Callable[..., Any]:
        operation = "".join(part.capitalize() for part in method.split("_"))

        def write(**request: Any) -> dict[str, Any]:
            sys.stdout.write(json.dumps([operation, request]) + "\n")
            return {}

        return write


def fill(size: Size) -> str:
    """Write everything; the id of one finding that is open and waits for no digest."""
    fakes, findings = import_module("tests.fakes"), import_module("plumbline.findings")
    table, some = _table(Written()), ""
    for one in lives(size):
        table.save(one, now=fakes.NOW)
        if not some and one.status is findings.Status.OPEN and not one.outbox.startswith(findings.DIGEST):
            some = one.id
    table.save_exemptions(fakes.ACCOUNT, [exemption(number) for number in range(size.exemptions)], 0)
    table.note_sweep(fakes.ACCOUNT, fakes.NOW)
    return some


def run(name: str, some: str, address: str) -> Mapping[str, Any]:
    """Run one of them in this process; what it took."""
    import boto3

    fakes = import_module("tests.fakes")
    keys = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench"}
    client = boto3.client("dynamodb", region_name=_REGION, endpoint_url=address, **keys)
    lamps = fakes.Lamps({f"lamp-{number:05}": {"on": ["a"]} for number in range(10)})
    house = fakes.House(ledger=_table(client), aws=lamps)
    typed = commands(some).get(name)
    began = cpu()
    with fakes.lamp_prose():
        answer = _typed(house, typed, fakes.NOW) if typed else _task(name, house, fakes)
    return {"cpu": cpu() - began, "peak": peak(), "answered": len(json.dumps(answer, default=str))}


def _typed(house: Any, typed: Any, now: Any) -> Any:
    """What its function operate hands back."""
    answer = house.type(*typed, now=now)
    if not answer.ok:
        raise SystemExit(f"refused: {answer.text}")
    return {"ok": answer.ok, "text": answer.text, "data": answer.data}


def _task(name: str, house: Any, fakes: Any) -> Any:
    if name == _SETTLES:
        return house.settle()
    if name == _LOOKS:
        (unit,) = house.plumbline.units()
        return sum(len(look.wakes) for look in house.plumbline.look(unit, now=fakes.NOW))
    done = house.engine.digest if name == _DIGEST else house.engine.weekly
    return done(fakes.ACCOUNT, now=fakes.NOW)


def _table(client: Any) -> Any:
    return import_module("plumbline.adapters.ledger").Table(lambda *_: client, _TABLE, _REGION)


def main() -> None:
    """Fill, or run."""
    sys.modules |= {today: import_module(then) for today, then in _HOMES.items()}
    what, *given = sys.argv[1:]
    if what == "fill":
        sys.stdout.write(fill(Size(*map(int, given))) + "\n")
    else:
        sys.stdout.write(json.dumps(run(*given)) + "\n")


if __name__ == "__main__":
    main()
