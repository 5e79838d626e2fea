"""What cannot be looked at: a finding of its own, or a part of the life of one that is open. Nothing is repaired here.

Two kinds. Where nothing is known but that a target cannot be looked at, that is the finding, on its own clock; once the
target can be seen, this life is over, and what is wrong with it begins a new one, so that nobody's notice is shortened
by a time in which nobody could know. Where a finding is open already, its life and clocks go on, and its e-mails say
that it cannot be seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from plumbline.alerts import unseen as alerts
from plumbline.baseline.rules import Rule
from plumbline.core.cause import Cause, Origin
from plumbline.core.clock import Response
from plumbline.core.control import Control
from plumbline.core.errors import AwsRefusal, Conflict, TooLarge
from plumbline.core.targets import ALL, Target
from plumbline.decisions.exemptions import covering
from plumbline.engine.case import Case, Outcome, Settled
from plumbline.engine.ears import Ears
from plumbline.engine.holding import is_told_all_the_same
from plumbline.engine.opening import origin_of
from plumbline.engine.repairing import Repairer, is_half_told
from plumbline.engine.surveying import is_excepted
from plumbline.engine.unwritable import unwritable
from plumbline.findings import clocks
from plumbline.findings.brief import Brief
from plumbline.findings.finding import DIGEST, MAX_ATTEMPTS, Finding, Status, open_finding
from plumbline.findings.unseen import TOLD, UNMADE, Unseen, refused
from plumbline.ports import Aws
from plumbline.wakes.messages import Wake

if TYPE_CHECKING:
    from plumbline.engine.notifier import Notifier


def all_of(control: Control, account: str, region: str) -> Target:
    """The target that stands for what a control would list in a region."""
    kind = control.kinds[0] if len(control.kinds) == 1 else ALL
    return Target(account, region, kind, ALL)


def come_to_light(brief: Brief, now: datetime) -> Brief:
    """What is known, once a target has been seen that could not be looked at: that life is over."""
    finding = brief.finding
    if finding is None or not finding.is_open or not finding.is_blind or finding.is_leased(now):
        return brief
    return replace(brief, finding=over(finding, now))


def over(finding: Finding, now: datetime) -> Finding:
    """A finding that ends without Plumbline having done anything."""
    kept = finding.outbox if finding.awaits_digest and finding.repairs else ""  # it changed something: still told
    return replace(finding, status=Status.RESOLVED, closed_at=now, due=None, outbox=kept, lease=None, then="")


@dataclass(frozen=True, slots=True)
class Unseeing:
    """Keeps what cannot be looked at in the ledger, and has it told."""

    aws: Aws
    repairer: Repairer
    ears: Ears

    @property
    def notifier(self) -> Notifier:
        """Tells people."""
        return self.repairer.notifier

    def settle(
        self, control: Control, rule: Rule, wake: Wake, brief: Brief, error: AwsRefusal, now: datetime
    ) -> Settled:
        """Neither compliant nor deviant: written down, told, never repaired, looked at again.

        Args:
            control: what could not look.
            rule: what the baseline says of it.
            wake: what it was to look at.
            brief: what the ledger knows.
            error: the refusal.
            now: the time, in UTC.
        """
        try:
            return self._settled(control, rule, wake, brief, error, now)
        except Conflict as conflict:
            return Settled(Outcome.HELD, wake, brief.finding, again=True, reason=str(conflict))

    def _settled(
        self, control: Control, rule: Rule, wake: Wake, brief: Brief, error: AwsRefusal, now: datetime
    ) -> Settled:
        before = brief.finding if brief.finding and brief.finding.is_open else None
        if before and before.is_leased(now):
            raise Conflict(f"another look at {wake.target} is under way")
        unsure = before is not None and (
            before.status is Status.UNDOING or before.is_made_unseen or is_half_told(before)
        )
        if not unsure and is_excepted(control, rule, wake.target):
            if before is None:
                return Settled(Outcome.COMPLIANT, wake, brief.finding, reason="the settings leave it alone by its name")
            return Settled(Outcome.RESOLVED, wake, self.notifier.ledger.save(over(before, now), now=now))
        brief = self.ears.noted(brief, wake.target.account, now)
        cause = wake.cause if wake.origin is Origin.EVENT else Cause()
        unseen = refused(error, before.unseen if before else None, cause, now)
        if not unseen.lasts(now) and wake.origin is Origin.EVENT:
            # the next sweep looks as well; what it meets too, and only that, is written down
            return Settled(Outcome.UNKNOWN, wake, brief.finding, again=True, reason=str(error))
        deviation = unseen.deviation if before is None or before.is_blind else before.deviation
        case = Case(control, rule, wake, None, deviation, brief, now)
        finding = _with(case, before, unseen)
        if unseen.lasts(now):
            try:
                return self._lasting(case, finding, unseen)
            except TooLarge as too_large:
                return unwritable(self.notifier, case, too_large)
        if before is None:
            finding = replace(finding, due=clocks.next_due(rule, finding, now))
        return Settled(Outcome.UNKNOWN, wake, self.notifier.save_news(case, finding), again=True, reason=str(error))

    def _lasting(self, case: Case, finding: Finding, unseen: Unseen) -> Settled:
        exemptions = (*case.brief.exemptions, *self.notifier.baseline.exemptions)
        exemption = covering(exemptions, case.control.id, case.wake.target, case.now)
        if finding.status is Status.UNDOING:
            return self.repairer.undo_cut_short(
                case.control, case.wake, finding, None, case.now, deviant=True, unseen=unseen
            )
        if is_half_told(finding):
            stopped = finding if finding.status is Status.NOT_CONVERGED else _stopped(finding, unseen)
            until = exemption.until if exemption else case.now + clocks.RETRY_AFTER
            outcome = Outcome.EXEMPT if exemption else Outcome.FAILED
            status = Status.EXEMPT if exemption else Status.FAILED
            return self.repairer.half_way(case, replace(stopped, status=status), until, outcome)
        if exemption:
            exempt = replace(finding, status=Status.EXEMPT, due=exemption.until, then="", lease=None)
            if finding.is_blind and is_told_all_the_same(case.control, finding, exemption):
                exempt = replace(exempt, outbox=f"{DIGEST}opened")
            return Settled(Outcome.EXEMPT, case.wake, self.notifier.save_news(case, exempt), reason=exemption.reason)
        if finding.status is Status.EXEMPT:
            finding = replace(finding, status=Status.OPEN)
        return self._tell_if_due(case, finding, unseen)

    def _tell_if_due(self, case: Case, finding: Finding, unseen: Unseen) -> Settled:
        rule, now, announced = case.rule, case.now, case.wake.origin is Origin.EVENT
        transition, said = _due(rule, finding, now)
        finding = replace(finding, due=clocks.next_due(rule, finding, now), then=alerts.next_step(finding, unseen))
        listed = finding.awaits_digest and (
            transition in ("opened", TOLD, UNMADE) or finding.outbox.endswith(transition)
        )
        if not transition or listed:
            saved = self.notifier.save_news(case, finding)
            return Settled(Outcome.UNKNOWN, case.wake, saved, reason=unseen.said)
        finding = replace(finding, told=(*finding.told, *said))  # this e-mail says it too
        # What a sweep finds unseen comes together: whatever denies one thing to the eyes denies many.
        folds = not announced and (finding.is_blind or transition == TOLD)
        if folds or (self.notifier.in_storm(case.brief) and transition != "escalated"):
            saved = self.notifier.save(case, replace(finding, outbox=DIGEST + transition))
            return Settled(Outcome.LISTED, case.wake, saved, reason=unseen.said)
        alert = alerts.cannot_look(
            case.control, finding, unseen, transition, self.notifier.sender, waits=_waits(case.rule, finding, now)
        )
        told = self.notifier.tell(case, finding, transition, alert, due=finding.due)
        return Settled(Outcome.UNKNOWN, case.wake, told, reason=unseen.said)


def _with(case: Case, before: Finding | None, unseen: Unseen) -> Finding:
    """The finding that goes on, unseen; or a new life, of which nothing else is known."""
    if before is not None and before.is_blind:
        known = replace(before, deviation=case.deviation, unseen=unseen, cause=unseen.cause)
        return replace(known, under=case.rule.mark, last_seen=case.now)
    if before is not None:
        return replace(before, unseen=unseen)
    earlier, wake = case.brief.finding, case.wake
    new = open_finding(
        case.control.id,
        wake.target,
        case.deviation,
        origin=origin_of(case),
        cause=unseen.cause,
        now=case.now,
        before=earlier,
    )
    if earlier is not None and (earlier.status is Status.UNDONE or earlier.is_blind):  # see opening.opened
        new = replace(new, grace_until=earlier.grace_until, adopted=earlier.adopted, unheard=earlier.unheard)
    return replace(new, unseen=unseen, under=case.rule.mark)


def _stopped(finding: Finding, unseen: Unseen) -> Finding:
    """A finding whose repair was cut short, and whose target nobody can look at."""
    *earlier, last = finding.repairs
    error = f"Plumbline stopped before it could finish, and cannot look at it now: {unseen.said}"
    return replace(finding, repairs=(*earlier, replace(last, error=last.error or error)))


def _due(rule: Rule, finding: Finding, now: datetime) -> tuple[str, tuple[str, ...]]:
    """The transition to be told of now, and what else its e-mail says; empty when nothing is to be told."""
    due = clocks.due_telling(rule, finding, now)
    if due == clocks.WOULD_HAVE:  # nobody knows what would have been done
        due = clocks.due_telling(rule, replace(finding, told=(*finding.told, due)), now)
    if finding.is_blind:
        return due, ()
    news = [TOLD, *([UNMADE] if _waits(rule, finding, now) else [])]
    left = [one for one in news if one not in finding.told]
    transition = due if due in ("opened", "escalated") or not left else left[0]
    return transition, tuple(one for one in left if one != transition) if transition else ()


def _waits(rule: Rule, finding: Finding, now: datetime) -> bool:
    """Whether a repair would be made, or proposed, now, if somebody could see."""
    acts, does = clocks.acts_at(rule, finding), clocks.response_of(rule, finding)
    may = does is Response.ENFORCE or (does is Response.PROPOSE and finding.proposal is None)
    may = may and not finding.is_made_unseen
    return may and not finding.is_blind and acts is not None and acts <= now and finding.tries < MAX_ATTEMPTS
