"""Repairs, and finishes what a cut-short repair or undo has left. No write without its undo in the ledger."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from plumbline.alerts import outcomes
from plumbline.alerts.held import not_repaired, not_seen
from plumbline.core.calls import Mended, Plan, reasons
from plumbline.core.cause import Cause
from plumbline.core.control import Control, Deviation
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import State
from plumbline.engine.case import Case, Outcome, Settled
from plumbline.engine.notifier import Notifier
from plumbline.engine.surveying import observed
from plumbline.findings import clocks
from plumbline.findings.brief import Brief
from plumbline.findings.budgets import LETTERS
from plumbline.findings.finding import CUT_SHORT, LEASE, MAX_ATTEMPTS, Finding, Repair, Status, held
from plumbline.findings.restraints import is_left
from plumbline.findings.unseen import MADE, TOLD, Unseen, refused
from plumbline.ports import Aws
from plumbline.wakes.messages import Wake

#: Why a write that a policy from above the account denies is not tried again.
HELD_FROM_ABOVE = (
    "A policy of your organisation, above this account, denies the change, so it is not tried again. When that policy "
    "is lifted, let it be tried again, as below."
)
#: Why a write to what AWS keeps to itself is not tried again.
KEPT_BY_AWS = "AWS lets nobody but the service that keeps it change it, so it is not tried again."
#: A repair that AWS shows later than this was not what put it right.
TAKES_EFFECT_WITHIN = timedelta(minutes=15)
#: A finding in one of these may have been repaired in part without anybody having heard of it.
_UNTOLD = frozenset({Status.ACTING, Status.NOT_CONVERGED})


@dataclass(frozen=True, slots=True)
class Repairer:
    """Changes the account, with hands of its own for each repair, and has it told."""

    aws: Aws
    notifier: Notifier

    def repair(self, case: Case, finding: Finding, plan: Plan, *, by: str = "") -> Settled:
        """Carry out a plan, look again, and have it told.

        Args:
            case: what is being settled.
            finding: what deviates.
            plan: what to do about it.
            by: who approved it, as that person's shell said; empty where the clock decided.
        """
        now, control, target = case.now, case.control, case.wake.target
        repair = Repair(at=now, plan=plan, before=case.state, by=by)
        # The write-ahead: before this line is stored nothing has been changed, after it everything can be taken back.
        acting = self.notifier.save(
            case,
            acting_on(finding, repair, now),
            spend=case.brief.budget.most(control.id, self.notifier.baseline.breakers, left=is_left(finding, now)),
        )
        barred: dict[str, str] = {}  # facts that nobody in this account may put right -> why
        try:
            act = self.aws.hands(control, target, plan.do, plan.resources)
            for number, step in enumerate(plan.steps):
                try:
                    if step.fact not in barred:
                        made = _as_made(repair.plan, number, act(step.do))
                        repair = replace(repair, plan=made, done=repair.done + 1)
                        continue
                except AwsRefusal as error:
                    why = barred_by(control, error)
                    if not (why and step.fact):
                        raise
                    barred[step.fact] = why
                    repair = replace(repair, error=repair.error or str(error))
                repair = replace(repair, refused=(*repair.refused, number))
        except AwsRefusal as error:
            begun = repair.done > 0 or error.call is None or error.call.service != "sts"  # else nothing was tried
            repair = replace(repair, error=str(error), begun=begun, refused=())
            return self._failed(case, acting, repair, final=barred_by(control, error))
        if barred:
            return self._failed(case, acting, repair, final=" ".join(dict.fromkeys(barred.values())))
        return self._looked_again(case, acting, repair)

    def go_on(self, case: Case, acting: Finding, rest: Plan, *, refused: str = "") -> Settled:
        """Finish a repair of which a person has made his part, with rights of that person's own.

        Args:
            case: what is being settled.
            acting: the finding, whose last repair is the one.
            rest: what is left to make.
            refused: what AWS refused to the person; then nothing more is made.
        """
        repair, steps = acting.repairs[-1], len(acting.repairs[-1].plan.steps)
        # Which of them were made nobody has counted, and an undo of what was not made is harmless.
        stopped = replace(repair, done=steps - 1)
        if refused:
            return self._failed(case, acting, replace(stopped, error=refused))
        try:
            if rest.do:
                act = self.aws.hands(case.control, case.wake.target, rest.do, rest.resources)
                for call in rest.do:
                    act(call)
        except AwsRefusal as error:
            return self._failed(case, acting, replace(stopped, error=str(error)), final=barred_by(case.control, error))
        return self._looked_again(case, acting, replace(repair, done=steps))

    def _looked_again(self, case: Case, acting: Finding, repair: Repair) -> Settled:
        now, control = case.now, case.control
        try:
            after = observed(self.aws, control, case.wake)
            still = control.detect(after, case.rule.settings)
        except AwsRefusal as error:
            return self._not_seen(case, acting, repair, error)
        acting = replace(acting, repairs=(*acting.repairs[:-1], replace(repair, after=after, looked=True)))
        if still is None or only_left(acting, still, now):
            return self.repaired(control, case.wake, acting, after, case.brief, now, rest=still)
        return self._not_converged(case, acting)

    def repaired(
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
        """Tell, then record. The rest stays open: what adoption's grace still covers, and what the plan could not do.

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
            unseen=None,
        )
        told = closed if rest is None else replace(closed, status=Status.OPEN)
        alert = self.notifier.as_urgent(closed, outcomes.repaired(control, told, self.notifier.sender), now)
        if rest is not None:
            closed = held(closed, rest, now=now)
            if left := {fact: last.plan.left[fact] for fact in rest.items if fact in last.plan.left}:
                closed = replace(closed, then=not_repaired(reasons(left)))
            closed = replace(closed, due=clocks.next_look(self.notifier.rule(control.id), closed, now))
        return Settled(Outcome.REPAIRED, wake, self.notifier.tell_held(closed, "repaired", alert, brief, now))

    def _failed(self, case: Case, acting: Finding, repair: Repair, *, final: str = "") -> Settled:
        """A repair that was not finished: tried again, unless `final` says why nobody in this account can make it."""
        with suppress(AwsRefusal):  # how it was left decides whether an undo takes back this, or a person's work
            repair = replace(repair, after=observed(self.aws, case.control, case.wake), looked=True)
        failed = replace(
            acting,
            status=Status.FAILED,
            repairs=(*acting.repairs[:-1], repair),
            repaired_at=acting.repaired_at[:-1],  # nobody had to put it back: no fight
            due=case.now + clocks.RETRY_AFTER,
            then="",
            lease=None,
        )
        if final:  # no further try: what it says now is all there is to say, until a person says resume
            failed = replace(failed, forgiven=len(failed.repairs) - MAX_ATTEMPTS, told=(*failed.told, "opened"))
            failed = replace(failed, due=clocks.next_look(case.rule, failed, case.now))
        tries = failed.tries
        again = "It is proposed anew with the next sweep; approve it when the cause is mended."
        if not repair.by:
            again = f"It tries again within the hour; this was try {tries} of {MAX_ATTEMPTS}."
        if final:
            again = final
        elif tries >= MAX_ATTEMPTS:
            again = f"That was the last of {tries} tries. Mend the cause, then let it be tried again, as below."
        last_try = bool(final) or tries >= MAX_ATTEMPTS
        alert = outcomes.failed(case.control, failed, again, self.notifier.sender, last_try=last_try)
        alert = self.notifier.as_urgent(failed, alert, case.now)
        saved = self.notifier.tell_held(failed, "failed", alert, case.brief, case.now)
        return Settled(Outcome.FAILED, case.wake, saved, reason=repair.error)

    def _not_converged(self, case: Case, acting: Finding) -> Settled:
        """Every write was accepted and the deviation is still seen.

        AWS may show old state for a while, so the first time the queue brings the wake back before anybody is told.
        """
        again = acting.tries == 1
        finding = replace(acting, status=Status.NOT_CONVERGED, lease=None, due=case.now + clocks.RETRY_AFTER)
        if again or "not converged" in finding.told:
            saved = self.notifier.keep(finding, now=case.now)
        else:
            alert = outcomes.not_converged(case.control, finding, self.notifier.sender)
            saved = self.notifier.tell_held(finding, "not converged", alert, case.brief, case.now)
        return Settled(Outcome.NOT_CONVERGED, case.wake, saved, again=again, reason="still seen after the repair")

    def _not_seen(self, case: Case, acting: Finding, repair: Repair, error: AwsRefusal) -> Settled:
        """Every write was accepted and AWS does not show what came of it: told as that, and open until it is seen."""
        now = case.now
        unseen = refused(error, None, case.wake.cause if case.is_announced else Cause(), now)
        made = replace(
            acting,
            status=Status.NOT_CONVERGED,
            repairs=(*acting.repairs[:-1], repair),
            unseen=unseen,
            told=(*acting.told, "opened", TOLD),  # the alert says both
            then=not_seen(unseen),
            lease=None,
            due=now + clocks.RETRY_AFTER,
        )
        alert = outcomes.unseen(case.control, made, unseen, self.notifier.sender)
        saved = self.notifier.tell_held(made, MADE, self.notifier.as_urgent(made, alert, now), case.brief, now)
        return Settled(Outcome.UNSEEN, case.wake, saved, again=not unseen.lasts(now), reason=str(error))

    def half_way(self, case: Case, finding: Finding, until: datetime | None, outcome: Outcome) -> Settled:
        """Something holds back the rest of an unfinished repair: what was done of it has to be told first."""
        if case.brief.finding and case.brief.finding.status is Status.NOT_CONVERGED:
            alert = outcomes.not_converged(case.control, finding, self.notifier.sender)
            seen = replace(
                finding, status=Status.EXEMPT if outcome is Outcome.EXEMPT else Status.NOT_CONVERGED, then=""
            )
            told = self.notifier.tell(case, seen, "not converged", alert, due=until or case.now)
            return Settled(outcome, case.wake, told, reason="still seen after the repair")
        *earlier, last = finding.repairs
        error = last.error or f"{CUT_SHORT}, and something holds it back now"
        # how far it came was never stored: every step may have been made, and every one is taken back by an undo
        stopped = replace(finding, repairs=(*earlier, replace(last, error=error, done=len(last.plan.steps))), then="")
        alert = outcomes.failed(case.control, stopped, "It is not tried again for now.", self.notifier.sender)
        told = self.notifier.tell(case, stopped, "failed", alert, due=until or case.now)
        return Settled(outcome, case.wake, told, reason=error)

    def undo_cut_short(
        self,
        control: Control,
        wake: Wake,
        finding: Finding,
        state: State,
        now: datetime,
        *,
        deviant: bool,
        unseen: Unseen | None = None,
    ) -> Settled:
        """A person's undo died half-way, or before anybody was told: told now, and judged like anything else again."""
        finding = replace(finding, unseen=unseen)
        claimed = self.notifier.ledger.save(replace(finding, lease=now + LEASE, due=now + LEASE), now=now)
        self.notifier.alerts.send(outcomes.undo_cut_short(control, finding, state, self.notifier.sender))
        status = Status.OPEN if deviant else Status.RESOLVED
        due = now if deviant else None
        told = replace(claimed, status=status, outbox="", lease=None, due=due, ticket="")
        told = replace(told, told=(*claimed.told, "undo cut short"))
        return Settled(
            Outcome.TOLD, wake, self.notifier.ledger.save(told, now=now, alert=LETTERS), reason="undo cut short"
        )


def acting_on(finding: Finding, repair: Repair, now: datetime) -> Finding:
    """The finding while a repair is being made: leased to whoever makes it, with all that takes it back."""
    return replace(
        finding,
        status=Status.ACTING,
        repairs=(*finding.repairs, repair),
        repaired_at=(*finding.recent_repairs(now), now),
        outbox="",
        lease=now + LEASE,
        due=now + LEASE,
        left=None,
    )


def barred_by(control: Control, error: AwsRefusal) -> str:
    """Why a refused write is not tried again; empty where a later try may succeed."""
    if error.code in control.held_by or error.is_from_above:
        return HELD_FROM_ABOVE
    return KEPT_BY_AWS if error.is_aws_own else ""


def _as_made(plan: Plan, number: int, made: object) -> Plan:
    """The plan as it was carried out: a write that AWS took only in part says what is missing."""
    if not isinstance(made, Mended):
        return plan
    steps = (*plan.steps[:number], replace(plan.steps[number], do=made.call), *plan.steps[number + 1 :])
    return replace(plan, steps=steps, summary=f"{plan.summary}; {made.left_out}")


def is_ours(finding: Finding, now: datetime) -> bool:
    """Whether it is our repair that put right what is in line now, rather than a person long after it had failed."""
    if not finding.repairs or finding.status not in (Status.ACTING, Status.NOT_CONVERGED):
        return False
    known = finding.status.value in finding.told and not finding.is_made_unseen
    return not known or now - finding.repairs[-1].at < TAKES_EFFECT_WITHIN


def only_left(finding: Finding, deviation: Deviation, now: datetime) -> bool:
    """Whether all that is still wrong was to be left by the last repair: graced by adoption, or beyond its plan."""
    left = finding.spared(now) | set(finding.repairs[-1].plan.left)
    return bool(left) and set(deviation.items) <= left


def is_half_told(finding: Finding) -> bool:
    """Whether a repair may have changed something of which nobody has heard: cut short, or its alert never left."""
    if finding.is_made_unseen:
        return False
    cut_short = finding.status in _UNTOLD and finding.status.value not in finding.told
    return bool(finding.repairs) and (cut_short or finding.outbox == "failed")
