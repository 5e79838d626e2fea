"""settle: the one path that judges, repairs and tells. The only place where decisions meet effects."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from plumbline.alerts import deviations
from plumbline.alerts.held import held_back, next_step
from plumbline.baseline.rules import Baseline, Rule
from plumbline.core.calls import Plan
from plumbline.core.cause import Origin
from plumbline.core.clock import Response
from plumbline.core.control import Control, Deviation
from plumbline.core.errors import AwsRefusal, Conflict, TooLarge
from plumbline.core.targets import State, Target
from plumbline.decisions.exemptions import Exemption, covering
from plumbline.engine.case import Case, Outcome, Settled
from plumbline.engine.deployment import Deployment
from plumbline.engine.ears import Ears
from plumbline.engine.expanding import Expanding, Most
from plumbline.engine.freshness import is_old_view, shown_by
from plumbline.engine.holding import Holding
from plumbline.engine.looks import since
from plumbline.engine.notifier import Notifier
from plumbline.engine.opening import opened, proposed
from plumbline.engine.planning import planned
from plumbline.engine.repairing import Repairer, is_half_told, is_ours, only_left
from plumbline.engine.surveying import is_excepted, judged, observed
from plumbline.engine.unseen import Unseeing, come_to_light, over
from plumbline.engine.unwritable import unwritable
from plumbline.findings import clocks
from plumbline.findings.adoption import kept_as
from plumbline.findings.brief import Brief
from plumbline.findings.budgets import Budget
from plumbline.findings.finding import DIGEST, LEASE, Finding, Status
from plumbline.findings.restraints import Restraint, Why, restraint
from plumbline.findings.tickets import lapsed
from plumbline.ports import Alerts, Aws, Ledger
from plumbline.wakes.messages import Wake


@dataclass(frozen=True, slots=True)
class Engine:
    """Settles wakes. Holds no state of its own: everything it knows is read for each wake."""

    controls: Mapping[str, Control]
    baseline: Baseline
    deployment: Deployment
    aws: Aws
    ledger: Ledger
    alerts: Alerts

    def settle(self, wake: Wake, *, now: datetime, afresh: bool = False) -> Settled:
        """Look at one target with one control, and do what the baseline says.

        Args:
            wake: what to look at; not a pattern (see `expand`).
            now: the time, in UTC.
            afresh: whether what the settles of a batch share was forgotten just now, so that this look is its own.

        Raises:
            LedgerDown: the ledger cannot be used; nothing was repaired.
            AwsRefusal: SNS did not take the alert; the wake must come back so that it is told.
        """
        control, rule = self.controls[wake.control], self.rule(wake.control)
        if rule.response is Response.OFF:
            return self._switched_off(wake, now)
        # The ledger before the target: what another settle repairs after this line, its write makes known as a
        # conflict. The other way round, a look from before its repair would be judged by what stands there after it.
        adopted, budget = kept_as(control.id, control.scope, wake.target.region), Budget.of(control, wake.cause)
        brief = self.ledger.brief(control.id, wake.target, now, adopted, budget)
        wake = _believed(wake, rule, brief)
        nothing_open = brief.finding is None or not brief.finding.is_open
        if nothing_open and control.by_name and is_excepted(control, rule, wake.target):  # in line, however it is
            return Settled(Outcome.COMPLIANT, wake, brief.finding)
        try:
            state = self._seen(control, wake, None if afresh else since(brief.finding, now))
            deviation = judged(control, state, rule.settings)
        except AwsRefusal as error:
            return self.unseeing.settle(control, rule, wake, brief, error, now)
        if (spelled := control.spell(wake.target, state)) != wake.target:
            self._switched_off(wake, now)  # what was kept under another spelling of the name is one with it
            return self.settle(replace(wake, target=spelled), now=now, afresh=afresh)
        if state is None and (until := shown_by(brief.finding, wake, now)):
            return self._not_shown(control, rule, wake, brief, until, now)
        if deviation is not None and is_old_view(brief.finding, wake, state, now):
            return Settled(
                Outcome.HELD, wake, brief.finding, again=True, reason="AWS still shows the state before the repair"
            )
        try:
            if deviation is None:
                return self._came_and_went(control, rule, wake, brief, state, now) or self._compliant(
                    control, wake, brief, state, now
                )
            known = come_to_light(self.ears.noted(brief, wake.target.account, now), now)
            case = Case(control, rule, wake, state, deviation, known, now, afresh)
            try:
                return self._deviant(case)
            except TooLarge as error:
                return unwritable(self.notifier, case, error)
        except Conflict as error:
            return Settled(Outcome.HELD, wake, brief.finding, again=deviation is not None, reason=str(error))

    def _seen(self, control: Control, wake: Wake, begun: datetime | None) -> State:
        """The target of a wake, in a look that began at that moment at the earliest."""
        if begun is not None:
            self.aws.renew(wake.target.account, wake.target.region, begun)
        return observed(self.aws, control, wake)

    def _switched_off(self, wake: Wake, now: datetime) -> Settled:
        """Nobody looks any more, or not under this name, so nothing can stay open."""
        finding = self.ledger.brief(wake.control, wake.target, now).finding
        if finding is None or not finding.is_open or finding.is_leased(now):
            return Settled(Outcome.OFF, wake, finding)
        closed = replace(finding, status=Status.RESOLVED, closed_at=now, due=None, outbox="", lease=None, then="")
        return Settled(Outcome.OFF, wake, self.ledger.save(closed, now=now), reason="nobody looks at it any more")

    def expand(self, wake: Wake, *, now: datetime, most: Most | None = None) -> Sequence[Wake] | Settled:
        """The wakes that one for a pattern stands for: its deviating targets, and those that cannot be seen.

        Args:
            wake: one whose target is a pattern.
            now: the time, in UTC.
            most: what may be looked at and settled here; whatever there is when None.

        Raises:
            LedgerDown: the ledger cannot be used.
            TooMuch: it is more than `most`.
        """
        control, rule = self.controls[wake.control], self.rule(wake.control)
        if control.witness:
            return ()
        if rule.response is Response.OFF:
            return self._switched_off(wake, now)
        return self.expanding.expand(control, rule, wake, most, now)

    def rule(self, control: str) -> Rule:
        """The baseline's rule, no bolder than the stack's mode."""
        rule = self.baseline.rules[control]
        if rule.response in (Response.ENFORCE, Response.PROPOSE):
            return replace(rule, response=max(rule.response, self.deployment.mode, key=lambda mode: mode.caution))
        return rule

    def planned(self, control: Control, target: Target, state: State, facts: Container[str]) -> Plan:
        """The repair of these facts, divided by whose rights it takes; see `planning`."""
        return planned(control, target, state, self.rule(control.id).settings, facts, converts=self.deployment.converts)

    @property
    def notifier(self) -> Notifier:
        """Tells people, and records that they were told."""
        grace, sender = self.deployment.adoption_grace, self.deployment.sender
        return Notifier(self.controls, self.baseline, self.rule, self.ledger, self.alerts, sender, grace)

    @property
    def ears(self) -> Ears:
        """Who hears."""
        return Ears(self.ledger, self.alerts)

    @property
    def repairer(self) -> Repairer:
        """Changes the account."""
        return Repairer(self.aws, self.notifier)

    @property
    def holding(self) -> Holding:
        """Holds repairs back."""
        return Holding(self.notifier)

    @property
    def unseeing(self) -> Unseeing:
        """Keeps what cannot be looked at."""
        return Unseeing(self.aws, self.repairer, self.ears)

    @property
    def expanding(self) -> Expanding:
        """Finds the targets of a wake that names none."""
        return Expanding(self.baseline, self.deployment.home, self.unseeing)

    def _not_shown(
        self, control: Control, rule: Rule, wake: Wake, brief: Brief, until: datetime, now: datetime
    ) -> Settled:
        """It is looked at again. Whoever waits to hear that it came and went need not wait so long."""
        gone = self._came_and_went(control, rule, wake, brief, None, now)
        if gone is None:
            why = "AWS does not show the target yet, or no more"
            return Settled(Outcome.UNKNOWN, wake, again=True, shown_by=until, reason=why)
        return gone if gone.again else replace(gone, again=True, shown_by=until)

    def _came_and_went(
        self, control: Control, rule: Rule, wake: Wake, brief: Brief, state: State, now: datetime
    ) -> Settled | None:
        """What only an event told of; see Gone. An open finding has told of it, or tells when it is closed."""
        if wake.event is None or (brief.finding is not None and brief.finding.is_open):
            return None
        from plumbline.engine.gone import Gone  # hardly ever; no other wake pays for it

        return Gone(self.aws, self.notifier, self.ears).told(
            Case(control, rule, wake, state, Deviation(""), brief, now)
        )

    def _compliant(self, control: Control, wake: Wake, brief: Brief, state: State, now: datetime) -> Settled:
        finding = brief.finding
        if finding is None or not finding.is_open:
            return Settled(Outcome.COMPLIANT, wake, finding)
        if finding.is_leased(
            now
        ):  # our own repair's echo, or a second look: whoever holds the lease finishes, if he lives
            return Settled(Outcome.HELD, wake, finding, again=True, reason="another look at it is under way")
        if finding.status is Status.UNDOING:
            return self.repairer.undo_cut_short(control, wake, finding, state, now, deviant=False)
        if is_ours(finding, now):
            claimed = self.ledger.save(replace(finding, lease=now + LEASE, ticket="", proposal=None), now=now)
            return self.repairer.repaired(control, wake, claimed, state, brief, now)
        closed = over(finding, now)
        if finding.outbox and not finding.awaits_digest:  # a process died while it told: nobody may have heard
            claimed = self.ledger.save(replace(finding, lease=now + LEASE), now=now)
            self.notifier.send(deviations.resolved(control, finding, state, self.deployment.sender), [closed])
            closed = replace(closed, told=(*closed.told, "resolved"), version=claimed.version)
        return Settled(Outcome.RESOLVED, wake, self.ledger.save(closed, now=now))

    def _deviant(self, case: Case) -> Settled:
        now, wake, before = case.now, case.wake, case.brief.finding
        if before and before.is_leased(now):
            if before.ticket:  # minutes, which no queue has to wait for: whoever ends it looks again
                return Settled(Outcome.HELD, wake, before, reason="a person is at work on it")
            raise Conflict(f"another look at {wake.target} is under way")
        if before and before.status is Status.UNDOING:
            return self.repairer.undo_cut_short(case.control, wake, before, case.state, now, deviant=True)
        if before and before.ticket:
            free = self.ledger.save(lapsed(before, case.state), now=now)
            case = replace(case, brief=replace(case.brief, finding=free))
        return self._judged(case)

    def _judged(self, case: Case) -> Settled:
        now, wake, before, rest = case.now, case.wake, case.brief.finding, case.deviation
        if before and is_ours(before, now) and only_left(before, rest, now):  # the repair of what was new has held
            claimed = self.ledger.save(replace(before, lease=now + LEASE), now=now)
            return self.repairer.repaired(case.control, wake, claimed, case.state, case.brief, now, rest=rest)
        finding = replace(opened(case, self.deployment.adoption_grace), under=case.rule.mark)
        case = self._of_its_actor(case, finding)
        if case.control.witness:
            exemption = covering((*case.brief.exemptions, *self.baseline.exemptions), wake.control, wake.target, now)
            return self.holding.witnessed(case, finding, exemption)
        plan = self.planned(case.control, wake.target, case.state, finding.facts(now))
        held = restraint(case.rule, self.baseline, finding, plan, case.brief, now)
        if held and held.exemption:
            return self._exempt(case, finding, plan, held.exemption)
        if finding.status is Status.EXEMPT:
            finding = replace(finding, status=Status.OPEN)
        if held is None:
            # What is written is planned from what is read for it, not for another one of its batch.
            if not case.afresh and self.aws.anew(wake.target.account, wake.target.region, now):
                return self.settle(wake, now=now, afresh=True)
            return self.repairer.repair(case, finding, plan)
        if is_half_told(finding):
            return self.repairer.half_way(case, replace(finding, status=Status.FAILED), held.until, Outcome.FAILED)
        if held.why in (Why.FIGHT, Why.SPENT):
            return self.holding.stopped(case, finding, plan, held)
        return self._held_back(case, finding, plan, held)

    def _of_its_actor(self, case: Case, finding: Finding) -> Case:
        """The case with the counters of whoever brought the finding about, where something else made Plumbline look."""
        known, budget = case.brief, Budget.of(case.control, finding.cause)
        if budget == known.budget:
            return case
        return replace(
            case, brief=self.ledger.counted(known, case.control.id, finding.target.account, budget, case.now)
        )

    def _exempt(self, case: Case, finding: Finding, plan: Plan, exemption: Exemption) -> Settled:
        if is_half_told(finding):
            told = (*finding.told, "opened")  # the alert about what was done of it says that it is open
            exempt = replace(finding, status=Status.EXEMPT, due=exemption.until, then="", lease=None, told=told)
            return self.repairer.half_way(case, exempt, exemption.until, Outcome.EXEMPT)
        return self.holding.exempt(case, finding, plan, exemption)

    def digest(self, account: str, *, now: datetime, commanders: Callable[[], str] = str) -> int:
        """See Digests."""
        from plumbline.engine.digests import Digests  # an hour's task, if at all: no wake pays for it

        return Digests(self.notifier).digest(account, now=now, commanders=commanders)

    def unheard(self, account: str, *, now: datetime) -> int:
        """See Notifier."""
        return self.notifier.unheard(account, now=now)

    def weekly(self, account: str, *, now: datetime) -> int:
        """See Notifier."""
        return self.notifier.weekly(account, now=now)

    def _held_back(self, case: Case, finding: Finding, plan: Plan, held: Restraint) -> Settled:
        said = finding
        if held.why is Why.UNTOLD and self.notifier.is_heard_of_now(case, finding):
            said = finding.heard(case.now, self.deployment.adoption_grace)
            held = restraint(case.rule, self.baseline, said, plan, case.brief, case.now) or held
        text = held_back(held, said, plan, case.now)
        finding = replace(finding, then=next_step(held, plan))
        return self._tell_if_due(case, proposed(case, finding, plan), plan, text)

    def _tell_if_due(self, case: Case, finding: Finding, plan: Plan, held: str) -> Settled:
        transition = clocks.due_telling(case.rule, finding, case.now)
        finding = replace(finding, due=clocks.next_look(case.rule, finding, case.now))
        if not transition or (transition == "opened" and finding.awaits_digest):
            finding = self.notifier.save_news(case, finding)
            return Settled(Outcome.WAITING, case.wake, finding, reason=held)
        acts = clocks.acts_at(case.rule, finding)
        if transition == "opened" and case.rule.response is Response.OBSERVE and acts is not None and acts <= case.now:
            finding = replace(finding, told=(*finding.told, clocks.WOULD_HAVE))  # this alert says it
        # a digest does not reach the escalation address
        folds = self.notifier.in_storm(case.brief) and transition != "escalated"
        # an event is told of at once, grace or not: somebody has just done something
        waits = transition == "opened" and finding.is_adopted and case.wake.origin is not Origin.EVENT
        if waits or folds:
            listed = replace(finding, outbox=DIGEST + transition)
            listed = replace(listed, due=clocks.next_look(case.rule, listed, case.now))
            return Settled(Outcome.LISTED, case.wake, self.notifier.save(case, listed))
        sender = self.deployment.sender
        last = clocks.is_last_reminder(case.rule, finding, case.now) and not plan.refusal
        alert = deviations.found(case.control, finding, transition, case.state, plan, held, sender, last=last)
        return Settled(Outcome.TOLD, case.wake, self.notifier.tell(case, finding, transition, alert), reason=held)


def _believed(wake: Wake, rule: Rule, brief: Brief) -> Wake:
    """A wake as the ledger knows it: that says what waits for its adoption, and no message does."""
    if wake.origin is Origin.ADOPTION and not brief.adoption.knows(wake.target, rule):
        return replace(wake, origin=Origin.SWEEP)
    return wake
