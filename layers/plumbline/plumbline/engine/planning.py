"""What is done about a deviation: the control's plan, divided by whose rights it takes. Pure."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

from plumbline.core.calls import Plan
from plumbline.core.control import EVERY, Control, Settings
from plumbline.core.giving import given, takes_a_person
from plumbline.core.targets import State, Target

#: Why a fact is not put right by Plumbline itself, as it reads after a colon.
GIVES = "no role of Plumbline may give these rights; it is proposed, and made with the rights of whoever approves it"


def planned(
    control: Control,
    target: Target,
    state: State,
    settings: Settings,
    facts: Container[str] = EVERY,
    *,
    converts: bool = False,
) -> Plan:
    """The repair that Plumbline may make itself, with what it leaves to a person; or a person's, where that is all.

    Args:
        control: plans it.
        target: what deviates.
        state: how it was observed just now.
        settings: the control's.
        facts: those that may be repaired now.
        converts: as in `core.giving.maker`.

    Returns:
        A plan with `by_person` where nothing of it can be made without the rights of a person, or where one step of it
        takes them that is of no single fact.
    """
    plan = control.plan(target, state, settings, facts)
    theirs = given(plan, converts=converts)
    if not theirs:
        return plan
    if "" in theirs or all(step.fact in theirs for step in plan.steps):
        return replace(plan, by_person=True)
    mine = control.plan(target, state, settings, _Without(facts, theirs))
    if takes_a_person(mine.do, converts=converts):
        return replace(plan, by_person=True)
    return replace(mine, left={**mine.left, **dict.fromkeys(sorted(theirs), GIVES)})


@dataclass(frozen=True, slots=True)
class _Without:
    """Some facts, but for others."""

    facts: Container[str]
    others: Container[str]

    def __contains__(self, fact: object) -> bool:
        return fact in self.facts and fact not in self.others
