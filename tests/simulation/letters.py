"""What must hold of the letters of a whole history: nothing told twice without a reason, nothing lost."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from plumbline.core.clock import Response
from plumbline.engine.unwritable import TOO_LARGE
from plumbline.findings.finding import Status
from plumbline.findings.unseen import MADE, TOLD
from tests.simulation.oracle import HOUR, Oracle, hour_of
from tests.simulation.toys import target

if TYPE_CHECKING:
    from tests.simulation.world import World

#: What a transition is called in the letters' `outcome` attribute.
_OUTCOMES = {
    "opened": (
        "found",
        "seen",
        "repaired",
        "cannot-look",
        "escalated",
        "repair-failed",
        "not-converged",
        "came-and-went",
        "too-large",
        "repaired-unseen",
    ),  # what is repaired beside it names what is in its grace, and what did not hold, that it is open
    "escalated": ("escalated",),
    "repaired": ("repaired",),
    "failed": ("repair-failed",),
    MADE: ("repaired-unseen",),
    "not converged": ("not-converged",),
    "fight": ("fight",),
    "undone": ("undone",),
    TOO_LARGE: ("too-large",),
    TOLD: ("cannot-look", "repaired-unseen", "escalated", "reminder", "last-reminder"),
}
_REMINDERS = ("reminder", "last-reminder")
_ONCE = ("found", "seen", "escalated", "repaired", "not-converged", "fight", "undone", "resolved", "too-large")


def letters_counted(oracle: Oracle) -> None:
    """Each transition told once; more only where something went wrong; nothing recorded as told that was not."""
    for key, life in oracle.by_id.values():
        name = f"{key[0]} {key[1].rpartition('/')[2]} {life.id[:4]}"
        if life.writes:
            told_of = oracle.heard(life) or oracle.deaf  # else it waits for a digest
            oracle.check("never lost", told_of, f"{name}: changed something, and nobody was told")
        for outcome in _ONCE:
            count = life.letters[outcome]
            proposed = outcome == "found" and oracle.baseline.rules[key[0]].response is Response.PROPOSE
            # a fact that is new is told like the first, and repaired for itself beside what is in its grace
            news = life.news if outcome in ("found", "repaired", "not-converged", "escalated") else 0
            if count and not proposed:  # what is proposed is told afresh when it changes
                oracle.check("told once", count <= 1 + news + life.faults, f"{name}: {outcome} told {count} times")
        # opened, unseen, and that its repair is due, each time that it turns out of sight
        blind = life.letters["cannot-look"]
        oracle.check(
            "told once", blind <= 1 + 2 * life.hides + life.news + life.faults, f"{name}: {blind} times unseen"
        )
        failures, tries = life.letters["repair-failed"] + life.letters["repaired-unseen"], life.tries + life.forgiven
        oracle.check("told once", failures <= tries + life.faults, f"{name}: {failures} failures, {tries} tries")
        reminders = len({one for one in life.told if one.startswith("reminded")})
        told = sum(life.letters[one] for one in _REMINDERS)
        oracle.check("told once", told <= reminders + life.faults, f"{name}: {told} reminders, {reminders} recorded")
        said = oracle.announced[life.id]
        oracle.check("announced", said[0] == "opened" and said.count("opened") == 1, f"{name}: announced as {said}")
        closing = {Status.REPAIRED, Status.RESOLVED, Status.UNDONE} & {life.status}
        for status in closing:
            # what is new beside what is in its grace is repaired for itself
            most = 1 + life.news if status is Status.REPAIRED else 1
            right = 1 <= said.count(status.value) <= most or "undoing" in said
            oracle.check("announced", right, f"{name}: {status.value}, announced as {said}")
        listed = any(life.id[:4] in body for body in oracle.digests)
        for one in life.told:
            wanted = _REMINDERS if one.startswith("reminded") else _OUTCOMES.get(one, ())
            sent = listed or not wanted or any(life.letters[outcome] for outcome in wanted)
            oracle.check("never lost", sent, f"{name}: recorded as told '{one}', and no letter went out")
        if life.status in (Status.REPAIRED, Status.UNDONE):
            known = life.letters[life.status.value] or listed or oracle.deaf  # else it waits for a digest
            oracle.check("never lost", known, f"{name}: {life.status.value}, and nobody was told")


def notices_counted(oracle: Oracle, world: World) -> None:
    """Letters without a finding, where no fault could have touched them: sent, and once in their time."""
    for name in oracle.visits:
        life = oracle.lives.get(("visit-kept", str(target("visit", name))))
        told = life is not None and (oracle.heard(life) or life.faults)
        oracle.check("witnessed", told or any(name in body for body in world.dead), f"visit {name} was never told")
    if oracle.disturbed:
        return
    for at, what in oracle.wanted:
        verb, control, code = what.split(" ", 2)
        near = [one for when, one in oracle.notices if one.startswith(verb) and abs(when - at) <= HOUR]
        told = any((control in one and code in one) or "in all" in one or "of what" in one for one in near)
        oracle.check("notice sent", told, f"{at:%d %H:%M} {what}: nobody was told")
    last: dict[str, datetime] = {}
    for at, what in oracle.notices:
        before = last.get(what)
        again = before and hour_of(at) == hour_of(before)
        oracle.check("notice once", not again, f"{at:%d %H:%M} told again: {what}")
        last[what] = at
