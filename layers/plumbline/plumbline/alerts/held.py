"""Why nothing is repaired now, in words. Pure."""

from __future__ import annotations

from datetime import datetime

from plumbline.alerts.shell import pasted
from plumbline.alerts.wording import away, clean, moment
from plumbline.core.calls import Plan
from plumbline.findings.finding import Finding
from plumbline.findings.restraints import Restraint, Why
from plumbline.findings.unseen import Unseen

#: Begins what comes next for what nobody has heard of yet; no day can be named before somebody has.
_AFTER_GRACE = "when its grace is over: "


def held_back(held: Restraint, finding: Finding, plan: Plan, now: datetime) -> str:
    """Why nothing is repaired now, as it stands in an e-mail."""
    acts = held.until or now
    if held.why in (Why.EXEMPT, Why.SPENT):
        return _left(held, plan, acts)
    if held.why is Why.NO_PLAN:
        return f"Plumbline does not repair this: {plan.refusal}."
    if held.why is Why.OBSERVE:
        when = "have repaired this now" if acts <= now else f"repair this on {moment(acts)}"
        return f"Plumbline observes only. It would {when}: it {plan.summary}."
    if held.why is Why.UNHEARD:
        when = "have repaired this now" if acts <= now else f"repair this on {moment(acts)}"
        return (
            f"Nobody has ever confirmed that these e-mails reach him, so Plumbline repairs nothing. It would {when}: "
            f"it {plan.summary}. Once the subscription is confirmed it is told again, and has its time of grace."
        )
    if held.why is Why.UNTOLD:
        does = f"{'proposes' if held.proposes else 'makes'} its repair: it {plan.summary}"
        return (
            "It may have been there before Plumbline looked for the first time, so it is left alone until somebody has "
            f"heard of it, and for its time of grace from then on. Then Plumbline {does}."
        )
    if held.why is Why.NOT_DUE:
        return _not_due(held, finding, plan, now)
    if held.why is Why.PROPOSE:
        own = " That gives rights, so it takes those of whoever approves it." if plan.by_person else ""
        return f"Plumbline proposes a repair and waits for a person: it {plan.summary}.{own}"
    if held.why is Why.PAUSED:
        return f"Repairs are paused until {moment(acts)}. Then Plumbline {plan.summary}."
    if held.why is Why.TRIED:
        tries = "once" if len(finding.repairs) == 1 else f"{len(finding.repairs)} times"
        return f"Plumbline tried {tries} and stopped; a person has to look."
    return "Plumbline only tells about this; it changes nothing."


def _left(held: Restraint, plan: Plan, until: datetime) -> str:
    """That a person, or a breaker, has it left alone."""
    if held.exemption:
        return (
            f"It is exempt until {moment(until)}, so Plumbline does not repair it: "
            f"{clean(held.exemption.reason, 120)} ({clean(held.exemption.owner, 60)}). It is told all the same: no "
            "exemption silences what is critical, and one of many things nothing that is grave."
        )
    return (
        f"This clock hour's repairs are used up, so Plumbline leaves it until {moment(until)}. "
        f"Then Plumbline {plan.summary}."
    )


def _not_due(held: Restraint, finding: Finding, plan: Plan, now: datetime) -> str:
    acts = held.until or now
    when = f"{away(acts - now)}, on {moment(acts)}"
    what = "propose a repair of this" if held.proposes else "repair this"
    if finding.is_adopted and finding.spared(now):
        does = f"{'proposes' if held.proposes else 'makes'} its repair: it {plan.summary}"
        return (
            "It may have been so for long, and something may rely on it, so it is left alone for now. "
            f"{when[0].upper()}{when[1:]}, Plumbline {does}. Until then you can do it, exempt it, or end its grace."
        )
    return f"Plumbline will {what} {when}: it {plan.summary}. Until then you can do it, or exempt it."


def next_step(held: Restraint, plan: Plan) -> str:
    """What comes next and when, as it stands in lists."""
    at = f"{held.until:%Y-%m-%d %H:%M} UTC" if held.until else ""
    does = f"Plumbline {plan.summary}"
    then = f"proposed: {does}" if held.proposes else does
    return {
        Why.NO_PLAN: not_repaired(plan.refusal),
        Why.OBSERVE: f"only observed; on {at} {does}, if it may",
        Why.UNHEARD: f"once somebody has confirmed that he hears, {_AFTER_GRACE}{then}",
        Why.UNTOLD: f"{_AFTER_GRACE}{then}",
        Why.NOT_DUE: f"{at}: {then}",
        Why.PROPOSE: f"waits for approval: {does}",
        Why.PAUSED: f"paused until {at}; then {does}",
        Why.SPENT: f"this hour's repairs are used up; {at}: {does}",
        Why.TRIED: "a person has to look: several tries did not hold",
    }.get(held.why, "only told: a person has to put it right")


def not_repaired(why: str) -> str:
    """What comes next of what no repair can put right, as it stands in lists."""
    return f"not repaired: {why}"


def not_seen(unseen: Unseen) -> str:
    """What comes next of a repair that was made and that nobody could look at, as it stands in lists."""
    return f"repaired, and unseen since {unseen.since:%Y-%m-%d %H:%M} UTC ({unseen.code}): looked at again every hour"


def redated(then: str, before: datetime, after: datetime) -> str:
    """What comes next, once the grace has begun.

    Args:
        then: what `next_step` said before.
        before: when the repair would have been due.
        after: when it is.
    """
    _, waited, does = then.partition(_AFTER_GRACE)
    if waited:
        return f"{after:%Y-%m-%d %H:%M} UTC: {does}"
    return then.replace(f"{before:%Y-%m-%d %H:%M} UTC", f"{after:%Y-%m-%d %H:%M} UTC")


def not_approved(held: Restraint) -> str:
    """Why an approval changes nothing, and what to type."""
    if held.exemption:
        mine = held.exemption.id
        end = f"Type: {pasted('unexempt', mine)}" if mine else "Remove it from baseline.yaml and deploy"
        return f"It is exempt until {moment(held.exemption.until)}. {end}"
    if held.why is Why.UNHEARD:
        return f"Nobody has ever confirmed that he hears; do that, and approve it anew. Type: {pasted('status')}"
    if held.why is Why.PAUSED and held.until:
        return f"Repairs are paused until {moment(held.until)}; end that, and approve it anew. Type: {pasted('resume')}"
    return "Its control, or the whole of Plumbline, only observes or tells now; see baseline.yaml and the stack's Mode"
