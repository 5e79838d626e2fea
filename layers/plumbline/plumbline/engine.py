"""settle: the one path that judges, repairs and tells. The only place where decisions meet effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from plumbline import clocks, wording
from plumbline.adoption import Adoption
from plumbline.baseline import Baseline, Breakers, Rule
from plumbline.core import (
    GLOBAL,
    AwsRefusal,
    Cause,
    Conflict,
    Control,
    Deviation,
    Origin,
    Plan,
    PlumblineError,
    Response,
    Scope,
    State,
    same,
    utc,
)
from plumbline.exemptions import Exemption, covering
from plumbline.findings import DIGEST, LEASE, Finding, Repair, Status, held, open_finding, refreshed, same_plan
from plumbline.ports import Alerts, Aws, Brief, Ledger
from plumbline.restraints import EVERY_CONTROL, MAX_ATTEMPTS, Restraint, Why, restraint, restraint_of_approval
from plumbline.surveying import survey
from plumbline.wakes import Wake
from plumbline.wording import Letter, Voice

RETRY_AFTER = timedelta(hours=1)
#: A repair that AWS shows later than this was not what put it right.
TAKES_EFFECT_WITHIN = timedelta(minutes=15)
#: How long after an event a target that is not there may still be about to appear.
VISIBLE_WITHIN = timedelta(minutes=1)
#: How long after a repair AWS may show the state before it.
OLD_VIEW_FOR = timedelta(seconds=10)
#: An event this much later than a repair's beginning is neither its cause nor its echo (CloudTrail counts seconds).
ECHOES_WITHIN = timedelta(seconds=3)
#: One alert a day for each control and error that keeps Plumbline from looking.
UNKNOWN_TOLD_FOR = timedelta(days=1)
#: Answers that another try will not change: telling is enough, the sweep asks again within the hour.
_LASTING = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"})
#: A finding in one of these may have been repaired in part without anybody having heard of it.
_UNTOLD = frozenset({Status.ACTING, Status.NOT_CONVERGED})
WEEKLY_TOLD_FOR = timedelta(days=6)


class Outcome(str, Enum):
    """How a settle ended."""

    COMPLIANT = "compliant"
    RESOLVED = "resolved"
    REPAIRED = "repaired"
    NOT_CONVERGED = "not converged"
    FAILED = "failed"
    TOLD = "told"
    LISTED = "listed"
    WAITING = "waiting"
    EXEMPT = "exempt"
    HELD = "held"
    STOPPED = "stopped"
    UNKNOWN = "unknown"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of one wake.

    Attributes:
        again: whether the queue should bring the wake back.
        reason: why, where the outcome alone does not say.
    """

    outcome: Outcome
    wake: Wake
    finding: Finding | None = None
    again: bool = False
    reason: str = ""


class CannotApprove(PlumblineError):
    """The proposal was not carried out; nothing was changed. The message says why and what to type instead."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the stack's parameters say.

    Attributes:
        home: the region Plumbline runs in.
        mode: ENFORCE, or OBSERVE for everything but the writes.
        adoption_grace: how long what the first sweep finds is left alone.
        voice: what e-mails need to name commands.
    """

    home: str
    mode: Response = Response.ENFORCE
    adoption_grace: timedelta = timedelta(days=7)
    voice: Voice = field(default_factory=Voice)


@dataclass(frozen=True, slots=True)
class Engine:
    """Settles wakes. Holds no state of its own: everything it knows is read for each wake."""

    controls: Mapping[str, Control]
    baseline: Baseline
    deployment: Deployment
    aws: Aws
    ledger: Ledger
    alerts: Alerts

    def settle(self, wake: Wake, *, now: datetime) -> Settled:
        """Look at one target with one control, and do what the baseline says.

        Args:
            wake: what to look at; not a pattern (see `expand`).
            now: the time, in UTC.

        Raises:
            LedgerDown: the ledger cannot be used; nothing was repaired.
            AwsRefusal: SNS did not take the alert; the wake must come back so that it is told.
        """
        control, rule = self.controls[wake.control], self.rule(wake.control)
        if rule.response is Response.OFF:
            return self._switched_off(wake, now)
        # The ledger before the target: what another settle repairs after this line, its write makes known as a
        # conflict. The other way round, a look from before its repair would be judged by what stands there after it.
        brief = self.ledger.brief(control.id, wake.target, now)
        try:
            state = self._observe(control, wake)
        except AwsRefusal as error:
            return self._unknown(wake, error, now)
        if state is None and _is_fresh(wake, now):
            return Settled(Outcome.UNKNOWN, wake, again=True, reason="AWS does not show the target yet, or no more")
        deviation = control.detect(state, rule.settings)
        if deviation is not None and _is_old_view(brief.finding, wake, state, now):
            return Settled(
                Outcome.HELD, wake, brief.finding, again=True, reason="AWS still shows the state before the repair"
            )
        try:
            if deviation is None:
                return self._compliant(control, wake, brief, state, now)
            return self._deviant(_Case(control, rule, wake, state, deviation, brief, now))
        except Conflict as error:
            return Settled(Outcome.HELD, wake, brief.finding, again=deviation is not None, reason=str(error))

    def _switched_off(self, wake: Wake, now: datetime) -> Settled:
        """Nobody looks any more, so nothing can stay open."""
        finding = self.ledger.brief(wake.control, wake.target, now).finding
        if finding is None or not finding.is_open or finding.is_leased(now):
            return Settled(Outcome.OFF, wake, finding)
        closed = replace(finding, status=Status.RESOLVED, closed_at=now, due=None, outbox="", lease=None, then="")
        return Settled(Outcome.OFF, wake, self.ledger.save(closed, now=now), reason="its control was switched off")

    def expand(self, wake: Wake, *, now: datetime) -> Sequence[Wake] | Settled:
        """The wakes that one for a pattern stands for: its deviating targets, and those that cannot be seen.

        The event named none of them, so what the control's first sweep would find has adoption's grace all the same.

        Args:
            wake: one whose target is a pattern.
            now: the time, in UTC.

        Raises:
            LedgerDown: the ledger cannot be used.
        """
        control, rule = self.controls[wake.control], self.rule(wake.control)
        if control.witness or rule.response is Response.OFF:
            return ()
        account, regions = wake.target.account, self._regions(control, wake.target.region)
        try:
            seen = [survey(control, self.aws.eyes(account, region)) for region in regions]
        except AwsRefusal as error:
            return self._unknown(wake, error, now)
        deviating = [
            target for one in seen for target, state in one.states.items() if control.detect(state, rule.settings)
        ]
        unreadable = [target for one in seen for target in one.unreadable]
        found = [one for one in (*deviating, *unreadable) if wake.target.covers(one)]
        if not found:
            return ()
        adoption = Adoption.from_json(self.ledger.adopted(account).get(control.id))
        origins = {one: adoption.origin_of(one, rule, wake.origin) for one in found}
        return tuple(
            replace(wake, target=one, origin=origin, cause=Cause() if origin is Origin.ADOPTION else wake.cause)
            for one, origin in origins.items()
        )

    def _regions(self, control: Control, named: str) -> Sequence[str]:
        """Where a control's targets are listed; `named` decides only for those that every region has of its own."""
        if control.scope is Scope.EACH:
            return self.baseline.regions or (self.deployment.home,) if named == GLOBAL else (named,)
        fixed = {Scope.GLOBAL: GLOBAL, Scope.HOME: self.deployment.home, Scope.BILLING: Scope.BILLING.value}
        return (fixed[control.scope],)

    def rule(self, control: str) -> Rule:
        """The baseline's rule, no bolder than the stack's mode."""
        rule = self.baseline.rules[control]
        if rule.response in (Response.ENFORCE, Response.PROPOSE):
            return replace(rule, response=max(rule.response, self.deployment.mode, key=lambda mode: mode.caution))
        return rule

    def _observe(self, control: Control, wake: Wake) -> State:
        if control.witness or control.observe is None:
            return wake.evidence
        return control.observe(self.aws.eyes(wake.target.account, wake.target.region), wake.target)

    def _unknown(self, wake: Wake, error: AwsRefusal, now: datetime) -> Settled:
        """Neither compliant nor deviant: tell once, never repair, look again."""
        letter = wording.unknown(self.controls[wake.control], wake, error, self.deployment.voice)
        self._send_once(f"unknown#{wake.control}#{error.code}", letter, now=now, within=UNKNOWN_TOLD_FOR)
        return Settled(Outcome.UNKNOWN, wake, again=error.code not in _LASTING, reason=str(error))

    def _compliant(self, control: Control, wake: Wake, brief: Brief, state: State, now: datetime) -> Settled:
        finding = brief.finding
        if finding is None or not finding.is_open:
            return Settled(Outcome.COMPLIANT, wake, finding)
        if finding.is_leased(now):  # our own repair's echo, or a second look: whoever holds the lease finishes
            return Settled(Outcome.HELD, wake, finding)
        if finding.status is Status.UNDOING:
            return self._undo_cut_short(control, wake, finding, state, now, deviant=False)
        if _is_ours(finding, now):
            claimed = self.ledger.save(replace(finding, lease=now + LEASE), now=now)
            return self._repaired(control, wake, claimed, state, brief, now)
        kept = finding.outbox if finding.awaits_digest and finding.repairs else ""  # it changed something: still told
        closed = replace(finding, status=Status.RESOLVED, closed_at=now, due=None, outbox=kept, lease=None)
        if finding.outbox and not finding.awaits_digest:  # a process died while it told: nobody may have heard
            claimed = self.ledger.save(replace(finding, lease=now + LEASE), now=now)
            self.alerts.send(wording.resolved(control, finding, state, self.deployment.voice))
            closed = replace(closed, told=(*closed.told, "resolved"), version=claimed.version)
        return Settled(Outcome.RESOLVED, wake, self.ledger.save(closed, now=now))

    def _deviant(self, case: _Case) -> Settled:
        now, wake = case.now, case.wake
        if case.brief.finding and case.brief.finding.is_leased(now):
            raise Conflict(f"another look at {wake.target} is under way")
        if case.brief.finding and case.brief.finding.status is Status.UNDOING:
            return self._undo_cut_short(case.control, wake, case.brief.finding, case.state, now, deviant=True)
        before, rest = case.brief.finding, case.deviation
        if before and _is_ours(before, now) and _only_spared(before, rest, now):  # the repair of what was new has held
            claimed = self.ledger.save(replace(before, lease=now + LEASE), now=now)
            return self._repaired(case.control, wake, claimed, case.state, case.brief, now, rest=rest)
        finding = replace(self._opened(case), under=case.rule.mark)
        if case.control.witness:
            exemption = covering((*case.brief.exemptions, *self.baseline.exemptions), wake.control, wake.target, now)
            return self._noted(case, finding) if exemption is None else self._let_pass(case, finding, exemption)
        plan = case.control.plan(wake.target, case.state, case.rule.settings, finding.facts(now))
        held = restraint(case.rule, self.baseline, finding, plan, case.brief, now)
        if held and held.exemption:
            return self._exempt(case, finding, held.exemption)
        if finding.status is Status.EXEMPT:
            finding = replace(finding, status=Status.OPEN)
        if held is None:
            return self._repair(case, finding, plan)
        if _is_half_told(finding):
            return self._half_way(case, replace(finding, status=Status.FAILED), held.until, Outcome.FAILED)
        if held.why in (Why.FIGHT, Why.SPENT):
            return self._stopped(case, finding, held)
        text = wording.held_back(held, finding, plan, now)
        finding = replace(finding, then=wording.then(held, plan))
        return self._tell_if_due(case, self._proposed(case, finding, plan), plan, text)

    def _exempt(self, case: _Case, finding: Finding, exemption: Exemption) -> Settled:
        exempt = replace(finding, status=Status.EXEMPT, due=exemption.until, then="", lease=None)
        if _is_half_told(finding):
            return self._half_way(case, exempt, exemption.until, Outcome.EXEMPT)
        return Settled(Outcome.EXEMPT, case.wake, self._save_news(case, exempt), reason=exemption.reason)

    def _half_way(self, case: _Case, finding: Finding, until: datetime | None, outcome: Outcome) -> Settled:
        """Something holds back the rest of an unfinished repair: what was done of it has to be told first."""
        if case.brief.finding and case.brief.finding.status is Status.NOT_CONVERGED:
            letter = wording.not_converged(case.control, finding, self.deployment.voice)
            seen = replace(
                finding, status=Status.EXEMPT if outcome is Outcome.EXEMPT else Status.NOT_CONVERGED, then=""
            )
            told = self._tell(case, seen, "not converged", letter, due=until or case.now)
            return Settled(outcome, case.wake, told, reason="still seen after the repair")
        *earlier, last = finding.repairs
        error = last.error or "Plumbline stopped before it could finish, and something holds it back now"
        # how far it came was never stored: every step may have been made, and every one is taken back by an undo
        stopped = replace(finding, repairs=(*earlier, replace(last, error=error, done=len(last.plan.steps))), then="")
        letter = wording.failed(case.control, stopped, "It is not tried again for now.", self.deployment.voice)
        told = self._tell(case, stopped, "failed", letter, due=until or case.now)
        return Settled(outcome, case.wake, told, reason=error)

    def _undo_cut_short(
        self, control: Control, wake: Wake, finding: Finding, state: State, now: datetime, *, deviant: bool
    ) -> Settled:
        """A person's undo died half-way, or before anybody was told: told now, and judged like anything else again."""
        claimed = self.ledger.save(replace(finding, lease=now + LEASE, due=now + LEASE), now=now)
        self.alerts.send(wording.undo_cut_short(control, finding, state, self.deployment.voice))
        status = Status.OPEN if deviant else Status.RESOLVED
        due = now if deviant else None
        told = replace(claimed, status=status, outbox="", lease=None, due=due, told=(*claimed.told, "undo cut short"))
        return Settled(Outcome.TOLD, wake, self.ledger.save(told, now=now, letter=True), reason="undo cut short")

    def _opened(self, case: _Case) -> Finding:
        """The open finding, refreshed; or a new life."""
        before, wake, now = case.brief.finding, case.wake, case.now
        if before is not None and case.control.witness:
            return refreshed(before, case.deviation, origin=wake.origin, cause=wake.cause, now=now)
        if before is not None and before.is_open:
            return self._looked_at_again(case, before)
        adoption = case.brief.adoption
        if before is not None:  # what the first sweep found here has been settled
            adoption = replace(adoption, pending=frozenset())
        origin = wake.origin
        if origin is Origin.EVENT:  # until the first sweep nobody knows what of it the event has brought about
            origin = adoption.origin_of(wake.target, case.rule, origin)
        finding = open_finding(
            case.control.id, wake.target, case.deviation, origin=origin, cause=wake.cause, now=now, before=before
        )
        if origin is Origin.ADOPTION and self.deployment.adoption_grace:
            grace = now + self.deployment.adoption_grace
            return replace(finding, grace_until=grace, adopted=case.deviation.items)
        if before is not None and before.status is Status.UNDONE:  # undoing what was new takes no grace from the rest
            kept = tuple(one for one in case.deviation.items if one in before.spared(now))
            return replace(finding, grace_until=before.grace_until if kept else None, adopted=kept)
        return finding

    def _looked_at_again(self, case: _Case, before: Finding) -> Finding:
        """The open finding after another look. A fact that it did not have has to be told like the first one."""
        wake, deviation = case.wake, case.deviation
        finding = refreshed(before, deviation, origin=wake.origin, cause=wake.cause, now=case.now)
        if set(deviation.items) <= set(before.deviation.items):
            return finding
        is_of_new_settings = wake.origin is Origin.ADOPTION and before.under and before.under != case.rule.mark
        if is_of_new_settings and self.deployment.adoption_grace:  # adopted like anything that they find
            grace = case.now + self.deployment.adoption_grace
            finding = replace(finding, grace_until=grace, adopted=deviation.items)
        return finding if finding.awaits_digest else _untold(finding)

    def _proposed(self, case: _Case, finding: Finding, plan: Plan) -> Finding:
        """The finding with its proposal, where a person decides; told afresh when what is proposed has changed."""
        acts = clocks.acts_at(case.rule, finding)
        if case.rule.response is not Response.PROPOSE or plan.refusal or acts is None or acts > case.now:
            return finding
        if finding.proposal is not None and same_plan(finding.proposal.plan, plan):
            return finding
        finding = replace(finding, proposal=Repair(at=case.now, plan=plan, before=case.state))
        return finding if finding.awaits_digest else _untold(finding)

    def approve(self, finding: Finding, *, now: datetime, by: str = "") -> Settled:
        """Carry out what was proposed to a person, if the target still is as it was then.

        Args:
            finding: one whose `proposal` waits.
            now: the time, in UTC.
            by: who approves, as that person's shell says.

        Raises:
            CannotApprove: nothing is proposed, something holds repairs back, or the target has changed; nothing was
                done.
            AwsRefusal: the target cannot be looked at.
        """
        short = finding.short
        control, rule = self.controls[finding.control], self.rule(finding.control)
        brief = self.ledger.brief(control.id, finding.target, now)
        current = brief.finding
        if current is None or current.id != finding.id or not current.is_open or current.proposal is None:
            raise CannotApprove(f"Nothing is proposed for {short}. Type: plumbline show {short}")
        if current.is_leased(now):
            raise CannotApprove(f"{short} is being settled at this moment. Type the same again in two minutes.")
        wake = Wake(control.id, finding.target, Origin.PERSON, current.cause)
        state = self._observe(control, wake)
        deviation = control.detect(state, rule.settings)
        plan = current.proposal.plan
        facts = replace(current, deviation=deviation or current.deviation).facts(now)
        if deviation is None or not same_plan(control.plan(finding.target, state, rule.settings, facts), plan):
            raise CannotApprove(
                f"{control.name(finding.target)} has changed since the repair was proposed, so nothing was done.\n"
                f"  then: {wording.clean(control.describe(current.proposal.before))}\n"
                f"  now:  {wording.clean(control.describe(state))}\n"
                "If it is still out of line, the next sweep proposes anew."
            )
        case = _Case(control, rule, wake, state, deviation, brief, now)
        held = restraint_of_approval(rule, self.baseline, current, plan, brief, now)
        if held is None:
            return self._repair(case, replace(current, proposal=None), plan, by=by)
        if held.why in (Why.FIGHT, Why.SPENT):
            return self._stopped(case, current, held)
        raise CannotApprove(f"{short} is not repaired now, approved or not. {wording.not_approved(held, short)}")

    def digest(self, account: str, *, now: datetime) -> int:
        """Tell, in one letter, all that waits for it; how many findings it tells of.

        SNS takes letters that nobody hears: the digest of a first sweep, minutes after the deployment, waits until
        somebody has clicked the link in AWS's own e-mail.

        Raises:
            LedgerDown: the ledger cannot be used.
            AwsRefusal: SNS did not take the letter; nothing counts as told.
        """
        waiting = self.ledger.awaiting_digest(account)
        if not waiting or not self.alerts.is_heard():
            return 0
        if not self.ledger.once(f"digest#{account}", now=now, within=LEASE):
            return 0
        try:
            self.alerts.send(wording.digest(self.controls, waiting, self.deployment.voice))
        except AwsRefusal:
            self.ledger.told(f"digest#{account}", now=now, within=timedelta(0))
            raise
        for finding in waiting:
            told = replace(finding, outbox="", told=(*finding.told, finding.outbox.removeprefix(DIGEST)))
            if told.is_open and told.status is not Status.EXEMPT and told.control in self.controls:
                # what came due while it waited comes with the next sweep
                told = replace(told, due=_next_due(self.rule(told.control), told, now) or told.due)
            try:
                self.ledger.save(told, now=now)
            except Conflict:  # settled while the letter was written, and the next digest may name it again; or buried
                current = self.ledger.brief(finding.control, finding.target, now).finding
                if current is not None and current.id != finding.id:
                    self.ledger.bury(told, now=now)
        return len(waiting)

    def weekly(self, account: str, *, now: datetime) -> int:
        """Tell how the week was; how many findings it tells of."""
        key = f"weekly#{account}#{now:%G-%V}"
        lives = self.ledger.lives(account)
        watched = sum(rule.response is not Response.OFF for rule in self.baseline.rules.values())
        letter = wording.weekly(self.controls, lives, self.deployment.voice, now, watched)
        self._send_once(key, letter, now=now, within=WEEKLY_TOLD_FOR)
        return len(lives)

    def _stopped(self, case: _Case, finding: Finding, held: Restraint) -> Settled:
        """The breakers: too many repairs in an hour, or of one target in a day."""
        now, voice = case.now, self.deployment.voice
        if held.why is Why.FIGHT:
            if "fight" in finding.told:
                saved = self._save_news(case, replace(finding, due=held.until, then=""))
                return Settled(Outcome.STOPPED, case.wake, saved, reason="fight")
            letter = wording.fight(case.control, finding, held.recent, voice)
            told = self._tell(case, finding, "fight", letter, due=held.until)
            return Settled(Outcome.STOPPED, case.wake, told, reason="fight")
        saved = self._save(case, replace(finding, due=held.until, then="", lease=None))
        limits = self.baseline.breakers
        letter = wording.breaker(case.control, saved, limits, in_all=held.of == EVERY_CONTROL, voice=voice)
        self._send_once(f"breaker#{held.of}#{now:%Y-%m-%dT%H}", letter, now=now, within=RETRY_AFTER)
        return Settled(Outcome.STOPPED, case.wake, saved, reason="breaker")

    def _tell_if_due(self, case: _Case, finding: Finding, plan: Plan, held: str) -> Settled:
        transition = clocks.due_telling(case.rule, finding, case.now)
        finding = replace(finding, due=_next_due(case.rule, finding, case.now))
        if not transition or (transition == "opened" and finding.awaits_digest):
            finding = self._save_news(case, finding)
            return Settled(Outcome.WAITING, case.wake, finding, reason=held)
        acts = clocks.acts_at(case.rule, finding)
        if transition == "opened" and case.rule.response is Response.OBSERVE and acts is not None and acts <= case.now:
            finding = replace(finding, told=(*finding.told, clocks.WOULD_HAVE))  # this letter says it
        folds = self._storm(case.brief) and transition != "escalated"  # a digest does not reach the escalation address
        # an event is told of at once, grace or not: somebody has just done something
        listed = transition == "opened" and finding.is_adopted and case.wake.origin is not Origin.EVENT
        if listed or folds:
            return Settled(Outcome.LISTED, case.wake, self._save(case, replace(finding, outbox=DIGEST + transition)))
        voice = self.deployment.voice
        last = clocks.is_last_reminder(case.rule, finding, case.now)
        letter = wording.found(case.control, finding, transition, case.state, plan, held, voice, last=last)
        return Settled(Outcome.TOLD, case.wake, self._tell(case, finding, transition, letter), reason=held)

    def _noted(self, case: _Case, finding: Finding) -> Settled:
        """What only events tell: told once, then closed; more events of the same session change nothing."""
        if "opened" in finding.told:
            return Settled(Outcome.WAITING, case.wake, finding)
        closing = replace(finding, status=Status.NOTED, closed_at=case.now)
        letter = wording.noted(case.control, closing, case.state, self.deployment.voice)
        return Settled(Outcome.TOLD, case.wake, self._tell(case, closing, "opened", letter))

    def _let_pass(self, case: _Case, finding: Finding, exemption: Exemption) -> Settled:
        """What only events tell, and a person expects: kept in the ledger, told to nobody."""
        if finding.status is not Status.NOTED:
            finding = self._save(case, replace(finding, status=Status.NOTED, closed_at=case.now))
        return Settled(Outcome.EXEMPT, case.wake, finding, reason=exemption.reason)

    def _repair(self, case: _Case, finding: Finding, plan: Plan, *, by: str = "") -> Settled:
        now, control, target = case.now, case.control, case.wake.target
        repair = Repair(at=now, plan=plan, before=case.state, by=by)
        # The write-ahead: before this line is stored nothing has been changed, after it everything can be taken back.
        acting = self._save(
            case,
            replace(
                finding,
                status=Status.ACTING,
                repairs=(*finding.repairs, repair),
                repaired_at=(*finding.recent_repairs(now), now),
                outbox="",
                lease=now + LEASE,
                due=now + LEASE,
            ),
            spend=self.baseline.breakers,
        )
        try:
            act = self.aws.hands(control, target, plan.resources)
            for step in plan.steps:
                act(step.do)
                repair = replace(repair, done=repair.done + 1)
        except AwsRefusal as error:
            begun = repair.done > 0 or error.call is None or error.call.service != "sts"  # else nothing was tried
            return self._failed(case, acting, replace(repair, error=str(error), begun=begun))
        try:
            after = self._observe(control, case.wake)
            still = control.detect(after, case.rule.settings)
        except AwsRefusal as error:
            return self._failed(case, acting, replace(repair, error=f"could not look again: {error}"))
        acting = replace(acting, repairs=(*acting.repairs[:-1], replace(repair, after=after, looked=True)))
        if still is None or _only_spared(finding, still, now):
            return self._repaired(control, case.wake, acting, after, case.brief, now, rest=still)
        return self._not_converged(case, acting)

    def _repaired(
        self,
        control: Control,
        wake: Wake,
        finding: Finding,
        state: State,
        brief: Brief,
        now: datetime,
        *,
        rest: Deviation | None = None,
    ) -> Settled:
        """Tell, then record. What adoption's grace still covers, the rest, stays open.

        While the lease is held nobody else can tell; if this process dies in between, whoever takes over finds the
        finding acting and tells again, so that no repair stays untold.
        """
        *earlier, last = finding.repairs
        last = replace(last, after=state, looked=True, held=True, done=len(last.plan.steps))
        closed = replace(
            finding,
            status=Status.REPAIRED,
            repairs=(*earlier, last),
            closed_at=now,
            lease=None,
            due=None,
        )
        told = closed if rest is None else replace(closed, status=Status.OPEN)
        letter = self._as_urgent_as_its_clock(closed, wording.repaired(control, told, self.deployment.voice), now)
        if rest is not None:
            closed = held(closed, rest, now=now)
            closed = replace(closed, due=_next_due(self.rule(control.id), closed, now))
        return Settled(Outcome.REPAIRED, wake, self._tell_held(closed, "repaired", letter, brief, now))

    def _failed(self, case: _Case, acting: Finding, repair: Repair) -> Settled:
        with suppress(AwsRefusal):  # how it was left decides whether an undo takes back this, or a person's work
            repair = replace(repair, after=self._observe(case.control, case.wake), looked=True)
        failed = replace(
            acting,
            status=Status.FAILED,
            repairs=(*acting.repairs[:-1], repair),
            repaired_at=acting.repaired_at[:-1],  # nobody had to put it back: no fight
            due=case.now + RETRY_AFTER,
            then="",
            lease=None,
        )
        tries = failed.tries
        again = "It is proposed anew with the next sweep; approve it when the cause is mended."
        if not repair.by:
            again = f"It tries again within the hour; this was try {tries} of {MAX_ATTEMPTS}."
        if tries >= MAX_ATTEMPTS:
            again = f"That was the last of {tries} tries. Mend the cause, then type: plumbline resume"
        letter = wording.failed(case.control, failed, again, self.deployment.voice)
        letter = self._as_urgent_as_its_clock(failed, letter, case.now)
        saved = self._tell_held(failed, "failed", letter, case.brief, case.now)
        return Settled(Outcome.FAILED, case.wake, saved, reason=repair.error)

    def _not_converged(self, case: _Case, acting: Finding) -> Settled:
        """Every write was accepted and the deviation is still seen.

        AWS may show old state for a while, so the first time the queue brings the wake back before anybody is told.
        """
        again = len(acting.repairs) == 1
        finding = replace(acting, status=Status.NOT_CONVERGED, lease=None, due=case.now + RETRY_AFTER)
        if again or "not converged" in finding.told:
            saved = self.ledger.save(finding, now=case.now)
        else:
            letter = wording.not_converged(case.control, finding, self.deployment.voice)
            saved = self._tell_held(finding, "not converged", letter, case.brief, case.now)
        return Settled(Outcome.NOT_CONVERGED, case.wake, saved, again=again, reason="still seen after the repair")

    def _send_once(self, key: str, letter: Letter, *, now: datetime, within: timedelta) -> None:
        """Claim, send, record, for letters that belong to no finding."""
        if self.ledger.once(key, now=now, within=LEASE):
            try:
                self.alerts.send(letter)
            except AwsRefusal:
                self.ledger.told(key, now=now, within=timedelta(0))  # give the claim back: the next try sends it
                raise
            self.ledger.told(key, now=now, within=within)

    def _tell(
        self, case: _Case, finding: Finding, transition: str, letter: Letter, *, due: datetime | None = None
    ) -> Finding:
        """Claim, send, record: a second process finds the claim; a crash in between leaves it to be taken over.

        Args:
            case: what is being settled.
            finding: what is told of.
            transition: what is told.
            letter: how.
            due: when to look again, where the clock does not say.
        """
        lease = case.now + LEASE
        claimed = self._save(case, replace(finding, outbox=transition, lease=lease, due=lease))
        self.alerts.send(letter)
        told = replace(claimed, told=(*claimed.told, transition), outbox="", lease=None)
        return self.ledger.save(
            replace(told, due=due or _next_due(case.rule, told, case.now)), now=case.now, letter=True
        )

    def _tell_held(self, finding: Finding, transition: str, letter: Letter, brief: Brief, now: datetime) -> Finding:
        """Tell of a finding whose lease this process holds, then record; in a storm, leave it for the digest."""
        if self._storm(brief):
            return self.ledger.save(replace(finding, outbox=DIGEST + transition), now=now)
        self.alerts.send(letter)
        return self.ledger.save(replace(finding, told=(*finding.told, transition), outbox=""), now=now, letter=True)

    def _as_urgent_as_its_clock(self, finding: Finding, letter: Letter, now: datetime) -> Letter:
        """A letter that the escalation address gets too, where its time has come and something else is told."""
        escalates = clocks.escalates_at(self.rule(finding.control), finding)
        if escalates is None or now < escalates:
            return letter
        return replace(letter, attributes={**letter.attributes, "escalation": "true"})

    def _storm(self, brief: Brief) -> bool:
        """Whether enough letters were sent in this clock hour."""
        return brief.letters >= self.baseline.letters.per_hour

    def _save_news(self, case: _Case, finding: Finding) -> Finding:
        """Write a finding unless all that is new is that somebody has looked again."""
        before = case.brief.finding
        if before is not None and finding == replace(before, last_seen=finding.last_seen):
            return before
        return self._save(case, finding)

    def _save(self, case: _Case, finding: Finding, *, spend: Breakers | None = None) -> Finding:
        before = case.brief.finding
        bury = before if before is not None and before.id != finding.id else None
        return self.ledger.save(finding, now=case.now, spend=spend, bury=bury)


@dataclass(frozen=True, slots=True)
class _Case:
    """One deviation on its way through `settle`."""

    control: Control
    rule: Rule
    wake: Wake
    state: State
    deviation: Deviation
    brief: Brief
    now: datetime


def _next_due(rule: Rule, finding: Finding, now: datetime) -> datetime | None:
    """When to look at a finding again; None when nothing more comes by itself."""
    if not finding.is_open:
        return None
    if "opened" in finding.told and not finding.awaits_digest and clocks.due_telling(rule, finding, now):
        return now  # one letter at a time: the next sweep sends what is due beside this one
    due = clocks.next_due(rule, finding, now)
    acts = clocks.acts_at(rule, finding)
    acts_by_itself = rule.response is Response.ENFORCE and finding.tries < MAX_ATTEMPTS
    if acts_by_itself and acts is not None and acts <= now:  # due, and held back for now
        return min(due or datetime.max.replace(tzinfo=acts.tzinfo), now + RETRY_AFTER)
    return due


def _untold(finding: Finding) -> Finding:
    """The finding as if nobody had heard of it yet: what was told before is not what it is now."""
    return replace(finding, told=tuple(one for one in finding.told if one != "opened"))


def _is_ours(finding: Finding, now: datetime) -> bool:
    """Whether it is our repair that put right what is in line now, rather than a person long after it had failed."""
    if not finding.repairs or finding.status not in (Status.ACTING, Status.NOT_CONVERGED):
        return False
    return finding.status.value not in finding.told or now - finding.repairs[-1].at < TAKES_EFFECT_WITHIN


def _only_spared(finding: Finding, deviation: Deviation, now: datetime) -> bool:
    """Whether all that is still wrong is in the grace of the finding's adoption."""
    spared = finding.spared(now)
    return bool(spared) and set(deviation.items) <= spared


def _is_half_told(finding: Finding) -> bool:
    """Whether a repair may have changed something of which nobody has heard: cut short, or its letter never left."""
    cut_short = finding.status in _UNTOLD and finding.status.value not in finding.told
    return bool(finding.repairs) and (cut_short or finding.outbox == "failed")


def _is_old_view(finding: Finding | None, wake: Wake, state: State, now: datetime) -> bool:
    """Whether a repair is so young that AWS may still show the very state before it, and no later event says otherwise.

    Without this, every copy of the event and the echo of the repair could be repaired, and told, once more.
    """
    if finding is None or not finding.repairs or finding.status not in (Status.REPAIRED, Status.OPEN):
        return False
    last = finding.repairs[-1]
    repaired_at = finding.closed_at or last.at
    if not last.held or now - repaired_at >= OLD_VIEW_FOR or not same(state, last.before):
        return False
    at = _happened(wake)
    return at is None or at - repaired_at <= ECHOES_WITHIN


def _happened(wake: Wake) -> datetime | None:
    """When the event that woke us happened; None where none did, or its time cannot be read."""
    try:
        return utc(wake.cause.at) if wake.origin is Origin.EVENT else None
    except (ValueError, TypeError):  # an event may carry any text where a time belongs
        return None


def _is_fresh(wake: Wake, now: datetime) -> bool:
    """Whether an event is so young that AWS may not show yet what it is about (eventual consistency)."""
    at = _happened(wake)
    return at is not None and now - at < VISIBLE_WITHIN
