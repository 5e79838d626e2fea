"""Runs histories and says what came of them."""

from __future__ import annotations

from collections import Counter

from tests.simulation.history import Outcome

_TAIL = 60


def report(outcome: Outcome, *, whole: bool = False) -> str:
    """What happened, and how to see it again."""
    lines = outcome.journal if whole else outcome.journal[-_TAIL:]
    verdict = [f"BROKEN  {one}" for one in outcome.broken] or ["every invariant held"]
    return "\n".join(
        [f"--- seed {outcome.seed}", *lines, *verdict, f"replay with: make simulate SEED={outcome.seed}", ""]
    )


def summary(count: Counter[str], checks: Counter[str], seconds: float) -> str:
    """What was lived through and checked."""
    histories = count["histories"]
    lines = [f"\n  {histories} histories in {seconds:.0f} s, {histories / seconds if seconds else 0:.0f} each second"]
    for title, found in (("what happened", count), ("what was checked", checks)):
        lines.append(f"  {title}:")
        lines += [f"    {name:<34}{number:>10}" for name, number in sorted(found.items())]
    return "\n".join([*lines, ""])
