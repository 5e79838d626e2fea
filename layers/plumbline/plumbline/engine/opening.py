"""What a deviation is in the ledger: a new life, or an open one looked at again. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from plumbline.core.calls import Plan
from plumbline.core.cause import Origin
from plumbline.core.clock import Response
from plumbline.engine.case import Case
from plumbline.findings import clocks
from plumbline.findings.finding import Finding, Repair, Status, open_finding, refreshed
from plumbline.findings.stored import same_plan


def opened(case: Case, grace: timedelta) -> Finding:
    """The open finding, refreshed; or a new life.

    Args:
        case: what deviates, and what is known of it.
        grace: how long what was there before Plumbline is left alone.
    """
    before, wake, now = case.brief.finding, case.wake, case.now
    if before is not None and case.control.witness:
        return refreshed(before, case.deviation, origin=wake.origin, cause=wake.cause, now=now)
    if before is not None and before.is_open:
        return _looked_at_again(case, before, grace)
    origin = _origin(case)
    finding = open_finding(
        case.control.id, wake.target, case.deviation, origin=origin, cause=wake.cause, now=now, before=before
    )
    if _is_adopted(case, origin, grace):
        return _adopted(finding, now + grace)
    if before is not None and before.status is Status.UNDONE:  # undoing what was new takes no grace from the rest
        kept = tuple(one for one in case.deviation.items if one in before.spared(now))
        waits = before.unheard and bool(kept)
        return replace(finding, grace_until=before.grace_until if kept else None, adopted=kept, unheard=waits)
    return finding


def _adopted(finding: Finding, until: datetime) -> Finding:
    """A finding all of which was there before. Its grace begins when somebody has heard of it, at the earliest now."""
    return replace(finding, grace_until=until, adopted=finding.deviation.items, unheard=True)


def _is_adopted(case: Case, origin: Origin, grace: timedelta) -> bool:
    """Whether what is new was there before, or came while nobody had ever confirmed that he hears.

    An event is told of at once. So without a grace what it announces is not adopted, if somebody hears.
    """
    if origin is not Origin.ADOPTION:
        return False
    return bool(grace) or case.wake.origin is not Origin.EVENT or not case.brief.hearing.ever


def _looked_at_again(case: Case, before: Finding, grace: timedelta) -> Finding:
    """The open finding after another look. A fact that it did not have has to be told like the first one."""
    deviation, origin = case.deviation, _origin(case)
    finding = refreshed(before, deviation, origin=origin, cause=case.wake.cause, now=case.now)
    if not case.brief.hearing.ever and not before.unheard and not before.is_enforced:
        return _untold(_adopted(finding, case.now + grace))  # what was told of it before, nobody has heard
    if set(deviation.items) <= set(before.deviation.items):
        return finding
    if clocks.clock_of(case.rule, before).mode is Response.PROPOSE:
        # One more fact, whoever brought it about, does not take the decision about the others out of a person's hands.
        finding = replace(finding, origin=before.origin)
    is_of_other_settings = bool(before.under) and before.under != case.rule.mark
    is_anew = is_of_other_settings or case.wake.origin is Origin.EVENT or not case.brief.hearing.ever
    if is_anew and _is_adopted(case, origin, grace):
        finding = _adopted(finding, case.now + grace)
    return finding if finding.awaits_digest else _untold(finding)


def _origin(case: Case) -> Origin:
    """Where something new comes from. Until the first sweep nobody knows what of it an event has brought about."""
    wake, adoption = case.wake, case.brief.adoption
    if case.control.witness:
        return wake.origin
    if not case.brief.hearing.ever:  # whatever is found before anybody has heard was there before he did
        return Origin.ADOPTION
    if wake.origin is not Origin.EVENT:
        return wake.origin
    if case.brief.finding is not None:  # what the first sweep found here has been settled
        adoption = replace(adoption, pending=frozenset())
    return adoption.origin_of(wake.target, case.rule, wake.origin)


def proposed(case: Case, finding: Finding, plan: Plan) -> Finding:
    """The finding with its proposal, where a person decides; told afresh when what is proposed has changed."""
    acts = clocks.acts_at(case.rule, finding)
    if (
        clocks.response_of(case.rule, finding) is not Response.PROPOSE
        or plan.refusal
        or acts is None
        or acts > case.now
        or (finding.unheard and finding.is_adopted)
        or not case.brief.hearing.ever
    ):
        return finding
    if finding.proposal is not None and same_plan(finding.proposal.plan, plan):
        return finding
    finding = replace(finding, proposal=Repair(at=case.now, plan=plan, before=case.state))
    return finding if finding.awaits_digest else _untold(finding)


def _untold(finding: Finding) -> Finding:
    """The finding as if nobody had heard of it yet: what was told before is not what it is now."""
    return replace(finding, told=tuple(one for one in finding.told if one != "opened"))
