"""What must hold of what nobody can look at, judged by the simulation's own reading of the rules."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from plumbline.core.clock import Response
from plumbline.findings.finding import Finding, Status
from tests.simulation.toys import BULK, control_of, target

if TYPE_CHECKING:
    from tests.simulation.oracle import Key, Life, Oracle
    from tests.simulation.world import Invocation, World

#: How long before a finding of the unseen a read of its target was refused, at most.
_JUST = timedelta(seconds=200)


def is_hidden(world: World, toy: Key, at: datetime) -> bool:
    """Whether a toy, or the bulk read it is looked at with, is hidden at a time."""
    since, until = world.hidden.get(toy, (at, at))
    return since <= at < until


def began(oracle: Oracle, world: World, key: Key, life: Life, earlier: Life | None, after: Finding) -> None:
    """A life of which nothing is known but that its target cannot be looked at."""
    life.is_blind = True
    kind, name = after.target.kind, after.target.id
    at = max((at for (of, it), at in world.refused.items() if of == kind and it in (name, "")), default=None)
    right = at is not None and world.now - at < _JUST
    oracle.check("unseen rightly", right, f"{key[0]} {name}: nobody refused to show it")
    if earlier and (earlier.status is Status.UNDONE or earlier.is_blind):
        life.grace, life.adopted = earlier.grace, earlier.adopted
    else:
        life.grace, life.adopted = None, frozenset()
    oracle.keeps(world, key, life, after)


def turned(world: World, life: Life, before: Finding | None, after: Finding) -> None:
    """A finding was written: has its target just turned out of sight?"""
    if after.unseen is not None and (before is None or before.unseen is None):
        life.hides += 1
        world.count["turned unseen" if before else "opened unseen"] += 1


def not_written(oracle: Oracle, world: World, inside: Invocation, toy: Key) -> None:
    """A write is about to reach a toy: nobody repairs what was hidden when he began to look."""
    hidden = is_hidden(world, toy, inside.started) and is_hidden(world, toy, world.now)
    oracle.check("unseen", not hidden, f"{toy[0]} {toy[1]}: written to while nobody can see it")


def listed(oracle: Oracle, world: World, swept: datetime) -> set[Key]:
    """The toys that were hidden when a sweep in quiet weather looked: each must be in the ledger, and told."""
    hidden = {toy for toy in world.hidden if is_hidden(world, toy, swept) and toy[1]}
    for kind, name in hidden:
        key = (control_of(kind), str(target(kind, name)))
        rule = oracle.baseline.rules[key[0]]
        if rule.response is Response.OFF or world.toys[(kind, name)].facts is None:
            continue
        finding, life = oracle.finding(world, key), oracle.lives.get(key)
        label = f"{kind} {name}"
        if kind in BULK and (finding is None or not finding.is_open):  # the bulk read showed that it is in line
            continue
        known = finding is not None and finding.is_unseen
        if kind not in BULK:
            # It may have come to light since, and been looked at by what was left of the sweep; of what the ledger
            # takes nothing an e-mail alone has told.
            lit = not is_hidden(world, (kind, name), world.now) or oracle.too_large(world, key, swept)
            oracle.check("unseen listed", known or lit, f"{label}: nobody can see it, and the ledger does not say so")
        if finding is None or life is None or not known or oracle.was_exempt(key, swept):
            continue
        waits = finding.awaits_digest and finding.status is Status.OPEN
        oracle.check("unseen told", oracle.heard(life) or waits, f"{label}: nobody can see it, and nobody was told")
    return hidden
