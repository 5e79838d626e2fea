"""Measure, and print one table. Exit code 0 means that it was measured, not that every goal is met."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from bench import bill, custodian, month, report, sizes, wakes
from bench.account import STATE, deployed
from bench.processes import PYTHON, NotMeasured
from bench.report import Results
from local.embedded import EmbeddedAWSError

_ROUNDS = 15
_VERSIONS = "import platform, boto3; print(platform.python_version(), boto3.__version__)"


def main() -> int:
    """Measure and print."""
    arguments = _arguments()
    missing = [str(python) for python in (PYTHON, custodian.PYTHON) if not python.exists()]
    if missing:
        sys.stderr.write(f"missing: {', '.join(missing)}; run `make setup .venv/bench/.ready`\n")
        return 1
    began = time.monotonic()
    try:
        if arguments.month:
            items = bill.month(month.watch(), bill.QUIET)
            sys.stdout.write("\n".join(report.bill(bill.QUIET.name, items)) + "\n")
            return 0
        if arguments.buckets:
            with deployed() as account:
                reads = wakes.read_buckets(account, wakes.readers(account))
            sys.stdout.write("\n".join(report.reads(reads)) + "\n")
            return 0
        results = measure(arguments.rounds, arguments.tries)
    except (EmbeddedAWSError, NotMeasured) as error:
        sys.stderr.write(f"not measured: {error}\n")
        return 1
    sys.stdout.write("\n".join([_machine(), *report.lines(results)]))
    sys.stdout.write(f"\n\n  Measured in {time.monotonic() - began:.0f} s.\n")
    if arguments.json:
        arguments.json.write_text(json.dumps(_plain(results), indent=2) + "\n")
    return 0


def measure(rounds: int, tries: int) -> Results:
    """Everything, in one embedded account; the month in one of its own, whose queues stay plugged.

    Raises:
        EmbeddedAWSError: the account could not be made ready.
        NotMeasured: something did not do what it is timed for.
    """
    with deployed() as account:
        packed = custodian.pack(STATE / "custodian", PYTHON)
        contest = wakes.contest(account, packed)
        samples = wakes.race(account, contest.sides, rounds, tries)
        counted = wakes.count(account, contest.sides)
        reads = wakes.read_buckets(account, contest.readers)
        peer = sizes.of_archive("Cloud Custodian, one policy", packed.archive)
        ours = sizes.of_build(account.built)
    return Results(samples, counted, ours, peer, contest, reads, bill.month(month.watch(), bill.QUIET))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help=f"how often each side is run ({_ROUNDS})")
    parser.add_argument(
        "--tries", type=int, default=wakes.TRIES, help=f"of how many runs the cheapest counts ({wakes.TRIES})"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample there, too")
    parser.add_argument("--month", action="store_true", help="count what a quiet month costs, and nothing else")
    parser.add_argument("--buckets", action="store_true", help="measure the read of a bucket, and nothing else")
    return parser.parse_args()


def _machine() -> str:
    asked = subprocess.run([PYTHON, "-c", _VERSIONS], check=True, capture_output=True, text=True)
    python, boto3 = asked.stdout.split()
    return (
        f"{os.cpu_count()} cores, {platform.machine()}; functions on Python {python} with boto3 {boto3}; "
        f"c7n {custodian.version()}"
    )


def _plain(results: Results) -> dict[str, object]:
    samples = {
        name: [{"wall": one.wall, "waited": one.waited, "cpu": one.cpu} for one in found]
        for name, found in results.samples.items()
    }
    return {
        "machine": _machine(),
        "seconds": samples,
        "calls": [asdict(one) for one in results.counted],
        "bucket": dict(results.reads),
        "bytes": [asdict(one) for one in (*results.ours, results.peer)],
        "month": [asdict(one) for one in results.bill],
        "modules": {"today": sorted(results.contest.today.modules), "grown": sorted(results.contest.grown.modules)},
        "goals": [asdict(one) for one in report.goals(results)],
    }


if __name__ == "__main__":
    sys.exit(main())
