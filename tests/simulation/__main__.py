"""`python -m tests.simulation --seeds 10000`: many histories, a summary, and how to replay what failed."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from multiprocessing import Pool

from tests.simulation.history import Outcome, replay
from tests.simulation.running import report, summary

_SHOWN = 8


def main() -> int:
    """Run, report; 1 when anything was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many histories")
    parser.add_argument("--from", type=int, default=1, dest="first", help="the first seed")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--seed", type=int, help="replay this one and print its history")
    arguments = parser.parse_args()
    if arguments.seed is not None:
        outcome = replay(arguments.seed)
        sys.stdout.write(report(outcome, whole=True))
        return bool(outcome.broken)
    began, failures = time.monotonic(), []
    count: Counter[str] = Counter()
    checks: Counter[str] = Counter()
    with Pool(arguments.jobs) as pool:
        seeds = range(arguments.first, arguments.first + arguments.seeds)
        for done, outcome in enumerate(pool.imap_unordered(replay, seeds, chunksize=20), 1):
            count += outcome.count
            checks += outcome.checks
            if outcome.broken:
                failures.append(outcome)
            if done % 1000 == 0:
                sys.stdout.write(f"  {done} histories, {len(failures)} broken, {time.monotonic() - began:.0f} s\n")
                sys.stdout.flush()
    sys.stdout.write(summary(count, checks, time.monotonic() - began))
    _tell(failures)
    return bool(failures)


def _tell(failures: list[Outcome]) -> None:
    """The shortest history of each kind, and the other seeds."""
    kinds: dict[str, list[Outcome]] = {}
    for outcome in sorted(failures, key=lambda one: len(one.journal)):
        kinds.setdefault(outcome.broken[0].partition(":")[0], []).append(outcome)
    for outcomes in kinds.values():
        sys.stdout.write(f"\n{report(outcomes[0])}")
    for kind, outcomes in kinds.items():
        seeds = ", ".join(str(one.seed) for one in outcomes[:_SHOWN])
        sys.stdout.write(f"\n{kind}: {len(outcomes)} histories, such as seeds {seeds}")
    if failures:
        sys.stdout.write(f"\n{len(failures)} histories broke an invariant\n")


if __name__ == "__main__":
    sys.exit(main())
