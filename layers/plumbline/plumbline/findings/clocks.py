"""When something is due. Pure: the time is always an argument."""

from __future__ import annotations

from datetime import datetime, timedelta

from plumbline.baseline.rules import Rule
from plumbline.core.cause import Origin
from plumbline.core.clock import CANNOT_BE_LOOKED_AT, FOUND_BY_SWEEP, RESTORED, UNSEEN, Clock, Response
from plumbline.findings.finding import MAX_ATTEMPTS, Finding

#: How soon what is due, and was held back, is looked at again.
RETRY_AFTER = timedelta(hours=1)
#: How the transition of a reminder begins.
REMINDED = "reminded"
#: Told when a repair that is only observed would have been made.
WOULD_HAVE = "would have"


def clock_of(rule: Rule, finding: Finding) -> Clock:
    """The clock that runs for a finding; see `clock_named`."""
    name = clock_named(rule, finding)
    return rule.clocks.get(UNSEEN, CANNOT_BE_LOOKED_AT) if name == UNSEEN else rule.clocks[name]


def clock_named(rule: Rule, finding: Finding) -> str:
    """The clock that runs for a finding: the one its deviation names, or the sweep's where it may be in use.

    What an event has just announced nobody relies on yet. What only a sweep found may have been so for long; and what a
    stack's template asked for is somebody's considered work, which the stack would bring back. What a person's undo
    brought back is judged by a term of its own, where the control has one.
    """
    name = finding.deviation.clock
    if name == UNSEEN:
        return name
    if name == "default" and finding.restored and RESTORED in rule.clocks:
        name = RESTORED
    may_be_in_use = finding.origin in (Origin.SWEEP, Origin.ADOPTION) or finding.cause.is_of_a_stack
    if name == "default" and may_be_in_use and FOUND_BY_SWEEP in rule.clocks:
        name = FOUND_BY_SWEEP
    return name if name in rule.clocks else "default"


def response_of(rule: Rule, finding: Finding) -> Response:
    """What is done about a finding when it is due: the more careful of what its control's mode and its clock's say.

    A clock has a mode of its own where deviations are not all alike: what an event announced is repaired, and what was
    there for nobody knows how long, and may be in use, is proposed.
    """
    return max(rule.response, clock_of(rule, finding).mode or rule.response, key=lambda one: one.caution)


def acts_at(rule: Rule, finding: Finding) -> datetime | None:
    """When the repair of a finding is due; None when its clock never acts. Adoption's grace delays it."""
    act = clock_of(rule, finding).act
    if act is None:
        return None
    due = finding.first_seen + act
    return max(due, finding.grace_until) if finding.grace_until and finding.is_adopted else due


def escalates_at(rule: Rule, finding: Finding) -> datetime | None:
    """When the escalation address is told; None for never.

    It moves with the repair that adoption's grace delays. While a control is only observed, what its repair would have
    put right before is nobody's to escalate.
    """
    clock, acts = clock_of(rule, finding), acts_at(rule, finding)
    if clock.escalate is None:
        return None
    at = finding.first_seen + clock.escalate
    if clock.act is None or acts is None:
        return at
    if rule.response is Response.OBSERVE and clock.act < clock.escalate:
        return None
    return at + (acts - finding.first_seen - clock.act)


def next_due(rule: Rule, finding: Finding, now: datetime) -> datetime | None:
    """When, after now, the clock next wants something of this finding; None when nothing more comes by itself."""
    clock = clock_of(rule, finding)
    reminder = clock.next_reminder(now - finding.first_seen)
    moments = [] if reminder is None else [finding.first_seen + reminder]
    escalates = escalates_at(rule, finding)
    if escalates is not None and "escalated" not in finding.told:
        moments.append(escalates)
    act = acts_at(rule, finding)
    if act is not None:
        moments.append(act)
    return min((at for at in moments if at > now), default=None)


def next_look(rule: Rule, finding: Finding, now: datetime) -> datetime | None:
    """When to look at a finding again; None when nothing more comes by itself."""
    if not finding.is_open:
        return None
    telling = due_telling(rule, finding, now)
    # One alert at a time: the next sweep sends what is due beside this one. What waits for a digest waits with all that
    # is due, but for the escalation: its address hears though nobody else does.
    if telling == "escalated" or (telling and "opened" in finding.told and not finding.awaits_digest):
        return now
    due = next_due(rule, finding, now)
    acts = acts_at(rule, finding)
    acts_by_itself = response_of(rule, finding) is Response.ENFORCE and finding.tries < MAX_ATTEMPTS
    acts_by_itself = acts_by_itself and finding.proposal is None  # what gives rights waits for a person in any mode
    if acts_by_itself and acts is not None and acts <= now:  # due, and held back for now
        return min(due or datetime.max.replace(tzinfo=acts.tzinfo), now + RETRY_AFTER)
    return due


def due_telling(rule: Rule, finding: Finding, now: datetime) -> str:
    """The transition a person should be told of now; empty when none is. The most urgent one wins."""
    clock = clock_of(rule, finding)
    escalates = escalates_at(rule, finding)
    escalated = escalates is not None and now >= escalates and "escalated" not in finding.told
    if "opened" not in finding.told:
        # A digest that nobody hears waits for somebody; the escalation address is another one, and does not.
        return "escalated" if escalated and finding.awaits_digest and not finding.unheard else "opened"
    if escalated:
        return "escalated"
    acts = acts_at(rule, finding)
    observed = rule.response is Response.OBSERVE and acts is not None and finding.first_seen < acts <= now
    if observed and WOULD_HAVE not in finding.told:
        return WOULD_HAVE
    reminder = clock.last_reminder(now - finding.first_seen)
    if reminder is None or _hours(reminder) <= _reminded(finding):  # by another clock, which it ran on before, as well
        return ""
    said_more = clock.escalate is not None and "escalated" in finding.told and reminder <= clock.escalate
    return "" if said_more else _reminder(reminder)


def is_last_reminder(rule: Rule, finding: Finding, now: datetime) -> bool:
    """Whether nobody is reminded again before Plumbline itself repairs it."""
    acts = acts_at(rule, finding)
    if acts is None or acts <= now or response_of(rule, finding) is not Response.ENFORCE:
        return False
    reminder = clock_of(rule, finding).next_reminder(now - finding.first_seen)
    return reminder is None or finding.first_seen + reminder >= acts


def _reminder(after: timedelta) -> str:
    return f"{REMINDED} {_hours(after)}h"


def _hours(after: timedelta) -> int:
    return int(after.total_seconds() // 3600)


def _reminded(finding: Finding) -> int:
    """After how many hours somebody was reminded of a finding last; -1 where nobody was."""
    said = (one.removeprefix(f"{REMINDED} ").removesuffix("h") for one in finding.told if one.startswith(REMINDED))
    return max((int(one) for one in said if one.isdigit()), default=-1)
