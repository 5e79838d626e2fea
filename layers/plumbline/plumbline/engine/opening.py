"""What a deviation is in the ledger: a new life, or an open one looked at again. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

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
    if origin is Origin.ADOPTION and grace:
        return replace(finding, grace_until=now + grace, adopted=case.deviation.items)
    if before is not None and before.status is Status.UNDONE:  # undoing what was new takes no grace from the rest
        kept = tuple(one for one in case.deviation.items if one in before.spared(now))
        return replace(finding, grace_until=before.grace_until if kept else None, adopted=kept)
    return finding


def _looked_at_again(case: Case, before: Finding, grace: timedelta) -> Finding:
    """The open finding after another look. A fact that it did not have has to be told like the first one."""
    deviation, origin = case.deviation, _origin(case)
    finding = refreshed(before, deviation, origin=origin, cause=case.wake.cause, now=case.now)
    if set(deviation.items) <= set(before.deviation.items):
        return finding
    finding = replace(finding, forgiven=len(finding.repairs))  # what could not be done of the others is no try at this
    if clocks.clock_of(case.rule, before).mode is Response.PROPOSE:
        # One more fact, whoever brought it about, does not take the decision about the others out of a person's hands.
        finding = replace(finding, origin=before.origin)
    is_of_other_settings = bool(before.under) and before.under != case.rule.mark
    if origin is Origin.ADOPTION and grace and (is_of_other_settings or case.wake.origin is Origin.EVENT):
        finding = replace(finding, grace_until=case.now + grace, adopted=deviation.items)
    return finding if finding.awaits_digest else _untold(finding)


def _origin(case: Case) -> Origin:
    """Where something new comes from. Until the first sweep nobody knows what of it an event has brought about."""
    wake, adoption = case.wake, case.brief.adoption
    if wake.origin is not Origin.EVENT or case.control.witness:
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
    ):
        return finding
    if finding.proposal is not None and same_plan(finding.proposal.plan, plan):
        return finding
    finding = replace(finding, proposal=Repair(at=case.now, plan=plan, before=case.state))
    return finding if finding.awaits_digest else _untold(finding)


def _untold(finding: Finding) -> Finding:
    """The finding as if nobody had heard of it yet: what was told before is not what it is now."""
    return replace(finding, told=tuple(one for one in finding.told if one != "opened"))
