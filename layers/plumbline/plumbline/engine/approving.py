"""approve: carries out what was proposed to a person, if the target still is as it was then.

What gives rights is not carried out but handed to whoever approves it: see by_person.py.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from plumbline.alerts import wording
from plumbline.alerts.held import not_approved
from plumbline.core.calls import Plan
from plumbline.core.cause import Origin
from plumbline.core.errors import PlumblineError
from plumbline.engine.case import Case, Outcome, Settled
from plumbline.engine.repairing import acting_on
from plumbline.engine.settle import Engine
from plumbline.engine.surveying import observed
from plumbline.findings.budgets import Budget
from plumbline.findings.finding import Finding, Repair
from plumbline.findings.restraints import Why, restraint_of_approval
from plumbline.findings.stored import same_plan
from plumbline.findings.tickets import handed_out, lapsed, of_a_person
from plumbline.wakes.messages import Wake

#: Who makes what only a person may, where nobody has said who he is.
SOMEBODY = "a person"


class CannotApprove(PlumblineError):
    """The proposal was not carried out; nothing was changed. The message says why and what to type instead."""


def approve(engine: Engine, finding: Finding, *, now: datetime, by: str = "") -> Settled:
    """Carry out what was proposed to a person, if the target still is as it was then.

    Args:
        engine: to observe, act and tell with.
        finding: one whose `proposal` waits.
        now: the time, in UTC.
        by: who approves, as that person's shell says.

    Returns:
        What came of it; `BEGUN` where the person has to make something first, with rights of his own.

    Raises:
        CannotApprove: nothing is proposed, something holds repairs back, or the target has changed; nothing was
            done.
        AwsRefusal: the target cannot be looked at.
    """
    short = finding.short
    control, rule = engine.controls[finding.control], engine.rule(finding.control)
    budget = Budget.of(control, finding.cause)
    known = engine.ledger.brief(control.id, finding.target, now, "", budget)
    brief = engine.ears.noted(known, finding.target.account, now)
    current = brief.finding
    if current is None or current.id != finding.id or not current.is_open or current.proposal is None:
        raise CannotApprove(f"Nothing is proposed for {short}. Type: plumbline show {short}")
    if current.is_leased(now) and not current.ticket:
        raise CannotApprove(f"{short} is being settled at this moment. Type the same again in two minutes.")
    wake = Wake(control.id, finding.target, Origin.PERSON, current.cause)
    state = observed(engine.aws, control, wake)
    deviation = control.detect(state, rule.settings)
    current = lapsed(current, state)  # who has been asked and comes back is asked again
    if current.proposal is None:
        raise CannotApprove(f"A part of what is proposed for {short} has been made. Type: plumbline plan {short}")
    facts = replace(current, deviation=deviation or current.deviation).facts(now)
    plan = engine.planned(control, finding.target, state, facts) if deviation else Plan()
    if deviation is None or not same_plan(plan, current.proposal.plan):
        raise CannotApprove(
            f"{control.name(finding.target)} has changed since the repair was proposed, so nothing was done.\n"
            f"  then: {wording.clean(control.describe(current.proposal.before))}\n"
            f"  now:  {wording.clean(control.describe(state))}\n"
            "If it is still out of line, the next sweep proposes anew."
        )
    case = Case(control, rule, wake, state, deviation, brief, now)
    held = restraint_of_approval(rule, engine.baseline, current, plan, brief, now)
    if held is None and plan.by_person:
        acting = handed_out(
            acting_on(current, Repair(at=now, plan=plan, before=state, by=by, made_by=by or SOMEBODY), now), now
        )
        asks = of_a_person(plan.do, converts=engine.deployment.converts)
        return Settled(Outcome.BEGUN, wake, engine.ledger.save(acting, now=now), asks=asks)
    if held is None:
        return engine.repairer.repair(case, replace(current, proposal=None), plan, by=by)
    if held.why in (Why.FIGHT, Why.SPENT):
        return engine.holding.stopped(case, current, plan, held)
    raise CannotApprove(f"{short} is not repaired now, approved or not. {not_approved(held)}")
