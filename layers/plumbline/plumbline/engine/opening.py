"""What a deviation is in the ledger: a new life, or an open one looked at again. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from plumbline.core.calls import Plan
from plumbline.core.cause import Cause, Origin
from plumbline.core.clock import Response, instant
from plumbline.engine.case import Case
from plumbline.findings import clocks
from plumbline.findings.finding import LEASE, Finding, Repair, Status, open_finding, refreshed
from plumbline.findings.stored import same_plan

#: The end of what a clock never ends.
FAR_AWAY = datetime(9999, 1, 1, tzinfo=timezone.utc)
#: Kept with what a finding has been told: a person's undo brought it back, and an e-mail has said so.
BROUGHT_BACK = "brought back"
#: What was hidden for no longer than this is as young as what an event tells of; and what was undone, as just now.
YOUNG = timedelta(days=1)


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
    origin = origin_of(case)
    cause = brought_back(case) or wake.cause
    finding = open_finding(
        case.control.id, wake.target, case.deviation, origin=origin, cause=cause, now=now, before=before
    )
    finding = replace(finding, restored=_is_restored(before, now))
    if _is_adopted(case, origin, grace):
        return _adopted(finding, now + grace)
    if before is not None and (before.status is Status.UNDONE or before.is_blind):
        # undoing what was new takes no grace from the rest, nor does what could not be looked at meanwhile
        kept = tuple(one for one in case.deviation.items if one in before.spared(now))
        waits = before.unheard and bool(kept)
        return replace(finding, grace_until=before.grace_until if kept else None, adopted=kept, unheard=waits)
    return finding


def _is_restored(before: Finding | None, now: datetime) -> bool:
    """Whether what is found now is what an undo has just brought back, which the next sweep sees."""
    if before is None or before.status is not Status.UNDONE or before.closed_at is None:
        return False
    return now - before.closed_at <= YOUNG


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
    deviation, origin = case.deviation, origin_of(case)
    finding = refreshed(before, deviation, origin=origin, cause=case.wake.cause, now=case.now)
    if not case.brief.hearing.ever and not before.unheard and not before.is_enforced:
        return _untold(_adopted(finding, case.now + grace))  # what was told of it before, nobody has heard
    if set(deviation.items) <= set(before.deviation.items):
        return finding
    finding = replace(finding, forgiven=len(finding.repairs))  # what could not be done of the others is no try at this
    if clocks.clock_of(case.rule, before).mode is Response.PROPOSE:
        # One more fact, whoever brought it about, does not take the decision about the others out of a person's hands.
        finding = replace(finding, origin=before.origin)
    is_of_other_settings = bool(before.under) and before.under != case.rule.mark
    is_anew = is_of_other_settings or case.wake.origin is Origin.EVENT or not case.brief.hearing.ever
    if is_anew and _is_adopted(case, origin, grace):
        finding = _adopted(finding, case.now + grace)
    finding = _still_waiting(case, before, finding)
    return finding if finding.awaits_digest else _untold(finding)


def _still_waiting(case: Case, before: Finding, finding: Finding) -> Finding:
    """The finding, whose facts from before wait as long as they would have without what an event has just added.

    What that event announced is repaired at once; it says nothing of what only a sweep had found, which may be in use.
    """
    waited, comes = clocks.acts_at(case.rule, before), clocks.acts_at(case.rule, finding)
    if finding.is_adopted or comes is None or (waited is not None and waited <= max(comes, case.now)):
        return finding
    kept = tuple(one for one in before.deviation.items if one in finding.deviation.items)
    return replace(finding, grace_until=waited or FAR_AWAY, adopted=kept) if kept else finding


def brought_back(case: Case) -> Cause | None:
    """Who took the repair back that put this right, where nothing is wrong but what that undo brought back.

    The undo's own calls are Plumbline's, and so are the events that they cause; whoever reads of them must not think
    that Plumbline did it of its own accord.
    """
    before = case.brief.finding
    undone = before and next((one for one in reversed(before.repairs) if one.undone), None)
    if not before or not undone or not undone.undone or before.status is not Status.UNDONE:
        return None
    if not set(case.deviation.items) <= set(before.deviation.items):
        return None
    if case.wake.cause.action and not _within(case.wake.cause.at, undone.undone):
        return None  # somebody else did something since
    name = undone.undone_by.rpartition("/")[2].rpartition(":")[2] or "a person"
    return Cause(f"plumbline undo {before.short}", name, undone.undone_by, undone.undone.isoformat())


def _within(at: str, undone: datetime) -> bool:
    """Whether an event is one of those that an undo causes: while the undo had the finding to itself."""
    happened = instant(at)
    return happened is not None and timedelta(0) <= happened - undone.replace(microsecond=0) <= LEASE


def origin_of(case: Case) -> Origin:
    """Where something new comes from. Until the first sweep nobody knows what of it an event has brought about.

    Nor of what comes to light with this look: what the first sweep could not see was there before Plumbline, and what
    was hidden for longer than a day is as old as nobody knows, whichever event it came to light with.
    """
    wake, adoption, before = case.wake, case.brief.adoption, case.brief.finding
    if case.control.witness:
        return wake.origin
    if not case.brief.hearing.ever:  # whatever is found before anybody has heard was there before he did
        return Origin.ADOPTION
    if before is not None and before.is_blind and before.closed_at == case.now:
        if before.origin is Origin.ADOPTION:
            return Origin.ADOPTION
        if wake.origin is Origin.EVENT and case.now - before.first_seen > YOUNG:
            return Origin.SWEEP
    if wake.origin is not Origin.EVENT:
        return wake.origin
    if before is not None:  # what the first sweep found here has been settled
        adoption = replace(adoption, pending=frozenset())
    return adoption.origin_of(wake.target, case.rule, wake.origin)


def proposed(case: Case, finding: Finding, plan: Plan) -> Finding:
    """The finding with its proposal, where a person decides; told afresh when what is proposed has changed."""
    acts = clocks.acts_at(case.rule, finding)
    if (
        not (plan.by_person or clocks.response_of(case.rule, finding) is Response.PROPOSE)
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
    return replace(finding, told=tuple(one for one in finding.told if one not in ("opened", BROUGHT_BACK)))
