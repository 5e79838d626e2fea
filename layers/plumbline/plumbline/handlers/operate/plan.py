"""What would be done now, and why not: plan. Looks again, and changes nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from plumbline.alerts import wording
from plumbline.alerts.finding import spelled_out
from plumbline.core.calls import Plan
from plumbline.core.control import Control, Deviation
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import State
from plumbline.findings.finding import Finding
from plumbline.findings.restraints import Restraint, Why, restraint
from plumbline.handlers.operate.asked import Answer, Asked, finding_of
from plumbline.handlers.operate.lists import brief, name_of
from plumbline.handlers.operate.typed import Typed

#: Looking again takes seconds for each; a function has a minute.
MOST_PLANS = 20


@dataclass(frozen=True, slots=True)
class Prospect:
    """What would come of settling a finding now.

    Attributes:
        state: what was just observed.
        deviation: what is wrong with it; None when it is in line.
        plan: the repair.
        what: whether and when it would be made, and why not now.
    """

    state: State
    deviation: Deviation | None
    plan: Plan
    what: str


def plan(asked: Asked, typed: Typed) -> Answer:
    """What would be done now about one finding or all open ones; looks at each again."""
    found = [finding_of(asked, typed.word)] if typed.words else asked.open_findings()
    if not found:
        return Answer("Nothing is open, so nothing would be done.", {"plans": []})
    parts, plans = [], []
    for one in found[:MOST_PLANS]:
        control = asked.plumbline.engine.controls.get(one.control)
        if control is None or control.observe is None:
            what = "Nothing can be looked at again: only an event told of it."
            parts.append(f"{one.short}  {wording.clean(name_of(control, one))}\n{wording.table({'Then': what})}")
            plans.append({**brief(one), "what": what, "calls": []})
            continue
        try:
            seen = prospect(asked, one, control)
        except AwsRefusal as error:
            parts.append(
                f"{one.short}  {wording.clean(control.name(one.target))}\n{wording.table({'Not known': str(error)})}"
            )
            plans.append({**brief(one), "what": f"not known: {error}", "calls": []})
            continue
        facts = {
            "Now": control.describe(seen.state),
            "Then": seen.what,
            "Not repaired": spelled_out(seen.plan.left),
            "Not undone": seen.plan.irreversible,
            "Mind": seen.plan.means,
        }
        calls = [f"    {call.action} {wording.clean(json.dumps(dict(call.parameters)), 200)}" for call in seen.plan.do]
        lines = [f"{one.short}  {wording.clean(control.name(one.target))}", wording.table(facts)]
        parts.append("\n".join([*lines, *(["  Calls", *calls] if calls else [])]))
        plans.append({**brief(one), "what": seen.what, "calls": [call.to_json() for call in seen.plan.do]})
    if len(found) > MOST_PLANS:
        parts.append(f"and {len(found) - MOST_PLANS} more; for one of them type: plumbline plan {found[-1].short}")
    return Answer("\n\n".join([*parts, "Nothing was changed."]), {"plans": plans})


def prospect(asked: Asked, finding: Finding, control: Control, *, graced: bool = True) -> Prospect:
    """What would come of settling a finding now.

    Args:
        asked: who asks what.
        finding: the one to settle.
        control: its control.
        graced: False for what would come of it without adoption's grace.

    Raises:
        AwsRefusal: the target cannot be looked at.
    """
    engine = asked.plumbline.engine
    assert control.observe is not None  # noqa: S101 -- for the type checker; the callers know
    state = control.observe(engine.aws.eyes(finding.target.account, finding.target.region), finding.target)
    rule = asked.plumbline.engine.rule(control.id)
    deviation = control.detect(state, rule.settings)
    if deviation is None:
        what = "It is in line now; the next sweep closes it." if finding.is_open else "It is in line."
        return Prospect(state, None, Plan(), what)
    known = engine.ledger.brief(control.id, finding.target, asked.now)
    current = known.finding if known.finding and known.finding.is_open else replace(finding, deviation=deviation)
    current = replace(current, deviation=deviation, grace_until=current.grace_until if graced else None)
    made = control.plan(finding.target, state, rule.settings, current.facts(asked.now))
    held = restraint(rule, engine.baseline, current, made, known, asked.now)
    now = f"With the next look, within the hour: it {made.summary}."
    return Prospect(state, deviation, made, _held(held, current, made) if held else now)


def _held(held: Restraint, finding: Finding, made: Plan) -> str:
    """Why nothing would be repaired with the next look, and what comes instead."""
    does, until = f"it {made.summary}.", wording.moment(held.until) if held.until else ""
    if held.exemption:
        one = held.exemption
        return f"Nothing: {one.owner} exempted it until {until}: {one.reason}. Then {does}"
    return {
        Why.NO_PLAN: f"Nothing: {made.refusal}.",
        Why.ALERT: "Nothing: Plumbline only tells about this.",
        Why.OBSERVE: f"Nothing: Plumbline observes only. It would: {does}",
        Why.NOT_DUE: f"On {until}: {does}",
        Why.PROPOSE: f"When a person types plumbline approve {finding.short}: {does}",
        Why.PAUSED: f"When the pause ends, on {until}: {does}",
        Why.TRIED: "Nothing: what was tried did not hold; a person has to look.",
        Why.FIGHT: "Nothing: it is a fight, somebody puts it back each time. To try again, type: plumbline resume",
        Why.SPENT: f"With the next clock hour, for this hour's repairs are used up: {does}",
    }[held.why]
