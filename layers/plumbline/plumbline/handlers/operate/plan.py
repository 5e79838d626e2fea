"""What would be done now, and why not: plan. Looks again, and changes nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from plumbline.alerts import wording
from plumbline.alerts.finding import spelled_out
from plumbline.alerts.shell import pasted
from plumbline.core.calls import Plan
from plumbline.core.cause import Origin
from plumbline.core.control import Control, Deviation
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import State
from plumbline.engine.case import Case
from plumbline.engine.opening import opened
from plumbline.engine.surveying import judged, look_at, survey
from plumbline.engine.unseen import come_to_light
from plumbline.findings.budgets import Budget
from plumbline.findings.finding import Finding
from plumbline.findings.restraints import Restraint, Why, restraint
from plumbline.handlers.operate.asked import Answer, Asked, Refused, finding_of
from plumbline.handlers.operate.lists import brief, name_of, table, wrapped
from plumbline.handlers.operate.pages import begins, in_order, page
from plumbline.handlers.operate.typed import Typed
from plumbline.handlers.operate.unmatched import unmatched
from plumbline.wakes.messages import Wake

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
        typed: what a person may type to change that, where there is something.
    """

    state: State
    deviation: Deviation | None
    plan: Plan
    what: str
    typed: str = ""


def plan(asked: Asked, typed: Typed) -> Answer:
    """What would be done now about one finding or all open ones; looks at each again."""
    if typed.words and typed.options:
        raise Refused(
            f"--after is for the plan of all that is open. For one of them type: {pasted('plan', typed.word)}"
        )
    found = [finding_of(asked, typed.word)] if typed.words else in_order(asked, asked.open_findings())
    idle, said = ([], "") if typed.words or typed.options else _unmatched(asked)
    if not found:
        nothing = "Nothing is open, so nothing would be done."
        none = {"plans": [], "unmatched": idle, "next": None}
        return Answer("\n\n".join(part for part in (nothing, said) if part), none)
    shown = page(found, begins(asked, typed, found), MOST_PLANS)
    parts, plans = [], []
    for one in shown.shown:
        control = asked.plumbline.engine.controls.get(one.control)
        if control is None or control.observe is None:
            what = "Nothing can be looked at again: only an event told of it."
            parts.append(f"{one.short}  {wording.clean(name_of(control, one))}\n{table({'Then': what})}")
            plans.append({**brief(asked, one), "what": what, "calls": []})
            continue
        try:
            seen = prospect(asked, one, control)
        except AwsRefusal as error:
            parts.append(f"{one.short}  {wording.clean(control.name(one.target))}\n{table({'Not known': str(error)})}")
            plans.append({**brief(asked, one), "what": f"not known: {error}", "calls": []})
            continue
        facts = {
            "Now": "" if one.target.is_pattern else control.describe(seen.state),
            "Then": seen.what,
            "Not repaired": spelled_out(seen.plan.left),
            "Not undone": seen.plan.irreversible,
            "Mind": seen.plan.means,
        }
        calls = [
            line
            for call in seen.plan.do
            for line in wrapped(
                f"{call.action} {wording.clean(json.dumps(dict(call.parameters), ensure_ascii=False), 400)}", "    "
            )
        ]
        lines = [f"{one.short}  {wording.clean(control.name(one.target))}", table(facts)]
        typed_next = [f"  Type: {seen.typed}"] if seen.typed else []
        parts.append("\n".join([*lines, *(["  Calls", *calls] if calls else []), *typed_next]))
        plans.append({**brief(asked, one), "what": seen.what, "calls": [call.to_json() for call in seen.plan.do]})
    parts += [*shown.foot(typed, _behind), *([said] if said else [])]
    more = list(shown.next(typed, _behind)) or None
    data: dict[str, Any] = {"plans": plans, "unmatched": idle, "next": more}
    return Answer("\n\n".join([*parts, "Nothing was changed."]), data)


def _behind(finding: Finding) -> str:
    return finding.id


def _unmatched(asked: Asked) -> tuple[list[dict[str, str]], str]:
    """Entries of baseline.yaml that fit nothing here: for scripts, and for people."""
    try:
        entries = unmatched(asked)
    except AwsRefusal as error:
        return [], f"Whether every name in baseline.yaml fits something here is not known: {error}"
    if not entries:
        return [], ""
    lines = [f"  {one.setting}: {one.name}" for one in entries]
    head = "Nothing in this account has these names of baseline.yaml; see whether they are written as they should be:"
    return [{"setting": one.setting, "name": one.name} for one in entries], "\n".join([head, *lines])


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
    eyes = engine.aws.eyes(finding.target.account, finding.target.region)
    if finding.target.is_pattern:
        survey(control, eyes)
        what = "It can be listed now; the next sweep says so, and judges what it finds."
        return Prospect(None, None, Plan(), what)
    state = look_at(control, eyes, finding.target)
    rule = asked.plumbline.engine.rule(control.id)
    deviation = judged(control, state, rule.settings)
    if deviation is None:
        what = "It is in line now; the next sweep closes it." if finding.is_open else "It is in line."
        return Prospect(state, None, Plan(), what)
    budget = Budget.of(control, finding.cause)
    told = engine.ears.informed(engine.ledger.brief(control.id, finding.target, asked.now, "", budget), asked.now)
    known = come_to_light(told, asked.now)
    current = known.finding if known.finding and known.finding.is_open else replace(finding, deviation=deviation)
    if (
        known.finding is not None and known.finding.is_blind and not known.finding.is_open
    ):  # it can be seen now, and begins a new life
        wake = Wake(control.id, finding.target, Origin.SWEEP)
        case = Case(control, rule, wake, state, deviation, known, asked.now)
        current = opened(case, engine.deployment.adoption_grace)
    current = replace(current, deviation=deviation)
    current = current if graced else replace(current, grace_until=None, unheard=False)
    made = control.plan(finding.target, state, rule.settings, current.facts(asked.now))
    held = restraint(rule, engine.baseline, current, made, known, asked.now)
    now = f"With the next look, within the hour: it {made.summary}."
    if held is None:
        return Prospect(state, deviation, made, now)
    return Prospect(state, deviation, made, _held(held, made), _typed(held, current))


def _typed(held: Restraint, finding: Finding) -> str:
    """What a person may type to let a repair go on."""
    commands = {
        Why.PROPOSE: ("approve", finding.short),
        Why.PAUSED: ("resume",),
        Why.TRIED: ("resume", finding.control, "--tries"),
        Why.FIGHT: ("resume", finding.control, "--fights"),
        Why.SPENT: ("resume", "--breakers"),
        Why.NOT_DUE: ("enforce", finding.short) if finding.grace_until else (),
    }
    words = commands.get(held.why, ())
    return pasted(*words) if words else ""


def _held(held: Restraint, made: Plan) -> str:
    """Why nothing would be repaired with the next look, and what comes instead."""
    does, until = f"it {made.summary}.", wording.moment(held.until) if held.until else ""
    if held.exemption:
        one = held.exemption
        return f"Nothing: {one.owner} exempted it until {until}: {one.reason}. Then {does}"
    return {
        Why.NO_PLAN: f"Nothing: {made.refusal}.",
        Why.ALERT: "Nothing: Plumbline only tells about this.",
        Why.OBSERVE: f"Nothing: Plumbline observes only. It would: {does}",
        Why.UNHEARD: f"Nothing: nobody has ever confirmed that he hears. It would: {does} Type: plumbline status",
        Why.UNTOLD: f"Nothing until somebody has heard of it in a digest; when its grace is over from then on: {does}",
        Why.NOT_DUE: f"On {until}: {does}",
        Why.PROPOSE: f"When a person approves it: {does}",
        Why.PAUSED: f"When the pause ends, on {until}: {does}",
        Why.TRIED: "Nothing: what was tried did not hold; a person has to look.",
        Why.FIGHT: "Nothing: it is a fight, somebody puts it back each time.",
        Why.SPENT: f"With the next clock hour, for this hour's repairs are used up: {does}",
    }[held.why]
