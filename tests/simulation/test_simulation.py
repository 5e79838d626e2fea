"""Some hundred random histories; `make simulate SEEDS=10000` runs many more."""

from __future__ import annotations

import os
from collections import Counter
from functools import cache

import pytest

from tests.simulation.history import Outcome, replay
from tests.simulation.running import report

SEEDS = range(1, int(os.environ.get("SIMULATED", "150")) + 1)
#: What must have happened at least once, or the simulation proves less than it seems to.
HAPPENED = (
    "killed before", "killed after", "timed out", "met", "dynamodb refused", "sns refused", "sqs refused",
    "toys refused", "dynamodb answer lost", "sns answer lost", "toys answer lost", "ledger partial", "read stale",
    "read hidden", "event late", "event lost", "event vague", "event hostile", "failed call", "message doubled",
    "junk", "dead letters", "sweep missed", "outage dynamodb", "outage sns", "outage sqs", "outage toys", "broken",
    "mended", "created", "deleted", "exempted", "paused", "visits", "repairs", "letters", "undo: done",
    "undo: refused", "exempt: done", "unexempt: done", "pause: done", "resume: done", "enforce: done", "plan: done",
    "status: done", "redeployed", "undo: no answer", "settled: repaired", "settled: failed", "settled: not converged",
    "settled: exempt", "settled: stopped", "settled: held", "settled: unknown", "settled: told", "settled: waiting",
    "settled: resolved", "heard later", "never heard", "no longer heard", "heard again",
    "sweep cut off", "split", "run called", "handed over", "searched", "too large, takes all", "too large, takes stub",
    "too large, takes nothing",
    "settled: listed", "hidden", "came and went", "opened unseen", "turned unseen", "came to light",
)  # fmt: skip
CHECKED = (
    "write-ahead", "one writer", "one life", "first seen", "mode", "exempt", "paused", "due", "grace", "breakers",
    "adopted", "heard", "heard at last", "grace begins when heard",
    "undo exempts first", "undo restores", "told once", "never lost", "seen", "told", "closed", "clock acts",
    "clock reminds", "clock escalates", "no stricter state", "witnessed", "notice sent", "notice once",
    "closed rightly", "opened rightly", "unseen", "unseen rightly", "unseen listed", "unseen told", "light",
    "never exempt", "left", "came and went", "announced", "asking writes nothing", "only PlumblineError",
)  # fmt: skip


@cache
def _histories() -> tuple[list[Outcome], Counter[str], Counter[str]]:
    broken, count, checks = [], Counter[str](), Counter[str]()
    for seed in SEEDS:
        outcome = replay(seed)
        count += outcome.count
        checks += outcome.checks
        if outcome.broken:
            broken.append(outcome)
    return broken, count, checks


def test_no_history_breaks_an_invariant() -> None:
    broken, _, _ = _histories()
    if broken:
        shortest = min(broken, key=lambda one: len(one.journal))
        pytest.fail(f"{len(broken)} of {len(SEEDS)} histories broke an invariant; the shortest:\n{report(shortest)}")


def test_every_kind_of_fault_happens() -> None:
    _, count, _ = _histories()
    assert [] == [kind for kind in HAPPENED if not count[kind]]


def test_every_invariant_is_checked() -> None:
    _, _, checks = _histories()
    assert [] == [invariant for invariant in CHECKED if not checks[invariant]]


def test_a_seed_gives_the_same_history_every_time() -> None:
    assert replay(7).journal == replay(7).journal
