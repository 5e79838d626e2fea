"""What an exemption or a breaker holds back: the repair, and lesser alerts; never that of a critical finding."""

from __future__ import annotations

from dataclasses import dataclass, replace

from plumbline.alerts import deviations
from plumbline.alerts.alert import Alert
from plumbline.alerts.held import held_back, next_step
from plumbline.core.calls import Plan
from plumbline.core.control import Control, Severity
from plumbline.decisions.exemptions import Exemption
from plumbline.engine.case import Case, Outcome, Settled
from plumbline.engine.notifier import Notifier
from plumbline.engine.opening import BROUGHT_BACK, brought_back
from plumbline.findings import clocks
from plumbline.findings.budgets import EVERY_CONTROL, EVERY_CRITICAL, is_of_actor
from plumbline.findings.finding import DIGEST, Finding, Status
from plumbline.findings.restraints import Restraint, Why


def is_told_all_the_same(control: Control, finding: Finding, exemption: Exemption) -> bool:
    """Whether what is exempt is told of once: who may exempt everything must not silence everything.

    A critical finding that is new always is. One of high severity is where nobody has decided about that very thing: an
    exemption of many things, or from every rule, is no decision about each.
    """
    if "opened" in finding.told or BROUGHT_BACK in finding.told or finding.awaits_digest:
        return False
    if control.severity is Severity.CRITICAL:
        return True
    return control.severity is Severity.HIGH and not exemption.is_of_one


def _by(exemption: Exemption) -> Restraint:
    return Restraint(Why.EXEMPT, exemption.until, exemption)


@dataclass(frozen=True, slots=True)
class Holding:
    """Holds repairs back, and has told what must be told all the same."""

    notifier: Notifier

    def exempt(self, case: Case, finding: Finding, plan: Plan, exemption: Exemption) -> Settled:
        """A deviation that is not repaired because a person said so.

        Args:
            case: what is being settled.
            finding: of which no repair is under way.
            plan: what would be done.
            exemption: the one in force.
        """
        reason, until = exemption.reason, exemption.until
        exempt = replace(finding, status=Status.EXEMPT, due=until, then="", lease=None)
        if brought_back(case) is not None:  # an e-mail has told that a person took the repair back
            exempt = replace(exempt, told=(*exempt.told, BROUGHT_BACK))
        if not is_told_all_the_same(case.control, exempt, exemption):
            return Settled(Outcome.EXEMPT, case.wake, self.notifier.save_news(case, exempt), reason=reason)
        if self.notifier.in_storm(case.brief) or (exempt.is_adopted and not case.is_announced):
            listed = self.notifier.save(case, replace(exempt, outbox=f"{DIGEST}opened"))
            return Settled(Outcome.EXEMPT, case.wake, listed, reason=reason)
        text, sender = held_back(_by(exemption), exempt, plan, case.now), self.notifier.sender
        alert = deviations.found(case.control, exempt, "opened", case.state, plan, text, sender)
        told = self.notifier.tell(case, exempt, "opened", alert, due=until)
        return Settled(Outcome.EXEMPT, case.wake, told, reason=reason)

    def witnessed(self, case: Case, finding: Finding, exemption: Exemption | None) -> Settled:
        """What only events tell: told once, then closed; more events of the same session change nothing.

        What a person expects is kept in the ledger, and told to nobody unless it must be.
        """
        if exemption is not None and not is_told_all_the_same(case.control, finding, exemption):
            if finding.status is not Status.NOTED:
                finding = self.notifier.save(case, replace(finding, status=Status.NOTED, closed_at=case.now))
            return Settled(Outcome.EXEMPT, case.wake, finding, reason=exemption.reason)
        if "opened" in finding.told or finding.awaits_digest:
            return Settled(Outcome.WAITING, case.wake, finding)
        closing = replace(finding, status=Status.NOTED, closed_at=case.now)
        if case.control.severity is Severity.CRITICAL and self.notifier.in_storm(case.brief):
            return Settled(
                Outcome.LISTED, case.wake, self.notifier.save(case, replace(closing, outbox=f"{DIGEST}opened"))
            )
        but = held_back(_by(exemption), finding, Plan(), case.now) if exemption else ""
        alert = deviations.noted(case.control, closing, case.state, self.notifier.sender, but)
        return Settled(Outcome.TOLD, case.wake, self.notifier.tell(case, closing, "opened", alert))

    def stopped(self, case: Case, finding: Finding, plan: Plan, held: Restraint) -> Settled:
        """The breakers: too many repairs in an hour, or of one target in a day.

        Args:
            case: what is being settled.
            finding: what is not repaired for now.
            plan: what would be done.
            held: the breaker.
        """
        if held.why is Why.FIGHT:
            return self._fought_over(case, finding, held)
        now, critical = case.now, case.control.severity is Severity.CRITICAL
        finding = replace(finding, due=held.until, then=next_step(held, plan), lease=None, left=finding.left or now)
        told_here = self._told_of_all_left(case, finding, held)
        if "opened" in finding.told or finding.awaits_digest:
            saved = self.notifier.save(case, finding)
        elif told_here and case.brief.hearing.now:
            saved = self.notifier.save(case, replace(finding, told=(*finding.told, "opened")))
        elif critical and not self.notifier.in_storm(case.brief):
            text, sender = held_back(held, finding, plan, now), self.notifier.sender
            alert = deviations.found(case.control, finding, "opened", case.state, plan, text, sender)
            saved = self.notifier.tell(case, finding, "opened", alert, due=held.until)
        else:
            saved = self.notifier.save(case, replace(finding, outbox=f"{DIGEST}opened"))
        return Settled(Outcome.STOPPED, case.wake, saved, reason="breaker")

    def _told_of_all_left(self, case: Case, finding: Finding, held: Restraint) -> bool:
        """Send the one e-mail of this breaker and this hour; whether it is this look that sent it."""
        from plumbline.alerts.actors import breaker  # an exception; no wake pays for it

        notifier, limits = self.notifier, self.notifier.baseline.breakers

        def made() -> Alert:
            found = notifier.ledger.open_findings(finding.target.account)
            left = [finding, *(one for one in found if one.id != finding.id and self._is_left(one, finding, held.of))]
            return breaker(notifier.controls, finding, limits, held, left, notifier.sender)

        key = f"breaker#{held.of}#{case.now:%Y-%m-%dT%H}"
        return notifier.send_once(key, made, now=case.now, within=clocks.RETRY_AFTER)

    def _is_left(self, one: Finding, finding: Finding, counter: str) -> bool:
        """Whether a finding is among what a breaker leaves: all of an actor, else what was to be repaired."""
        if is_of_actor(counter):
            return one.cause.actor == finding.cause.actor
        return one.left is not None and (counter in (EVERY_CONTROL, EVERY_CRITICAL) or one.control == counter)

    def _fought_over(self, case: Case, finding: Finding, held: Restraint) -> Settled:
        if "fight" in finding.told:
            saved = self.notifier.save_news(case, replace(finding, due=held.until, then=""))
            return Settled(Outcome.STOPPED, case.wake, saved, reason="fight")
        alert = deviations.fight(case.control, finding, held.recent, self.notifier.sender)
        told = self.notifier.tell(case, finding, "fight", alert, due=held.until)
        return Settled(Outcome.STOPPED, case.wake, told, reason="fight")
