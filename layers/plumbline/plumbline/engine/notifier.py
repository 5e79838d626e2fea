"""Tells people, and records that they were told: each transition once, and none lost when a process dies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from plumbline.alerts.alert import Alert, Sender
from plumbline.baseline.rules import Baseline, Rule
from plumbline.core.cause import Origin
from plumbline.core.clock import Response
from plumbline.core.control import Control
from plumbline.core.errors import AwsRefusal, LedgerDown, TooLarge
from plumbline.engine.case import Case
from plumbline.findings import clocks
from plumbline.findings.brief import Brief
from plumbline.findings.budgets import ALONE, Budget
from plumbline.findings.finding import DIGEST, LEASE, Finding
from plumbline.ports import Alerts, Ledger

WEEKLY_TOLD_FOR = timedelta(days=6)
#: The week, and the one before it to compare with.
WEEKLY_LOOKS_BACK = timedelta(days=14)
UNHEARD_TOLD_FOR = timedelta(hours=23)


@dataclass(frozen=True, slots=True)
class Notifier:
    """Sends alerts and writes findings.

    Attributes:
        rule: control id -> what the baseline says of it, no bolder than the stack's mode.
        sender: what alerts need to name commands.
        grace: how long what was there before Plumbline is left alone once somebody has heard of it.
    """

    controls: Mapping[str, Control]
    baseline: Baseline
    rule: Callable[[str], Rule]
    ledger: Ledger
    alerts: Alerts
    sender: Sender
    grace: timedelta = timedelta(days=7)

    def save(self, case: Case, finding: Finding, *, spend: Mapping[str, int] | None = None) -> Finding:
        """Write a finding over what the case was read with; an earlier life that it follows goes into the history.

        Args:
            case: what is being settled.
            finding: what to write.
            spend: count one repair in each of these counters, which have room for so many.
        """
        before = case.brief.finding
        bury = before if before is not None and before.id != finding.id else None
        return self.ledger.save(finding, now=case.now, spend=spend, bury=bury)

    def save_news(self, case: Case, finding: Finding) -> Finding:
        """Write a finding unless all that is new is that somebody has looked again."""
        before = case.brief.finding
        if before is not None and finding == replace(before, last_seen=finding.last_seen):
            return before
        return self.save(case, finding)

    def in_storm(self, brief: Brief) -> bool:
        """Whether enough alerts were sent in this clock hour; about critical findings, enough of one actor."""
        if brief.budget.critical:
            return brief.letters > ALONE
        return brief.letters >= self.baseline.letters.per_hour

    def _in_full(self, alert: Alert, finding: Finding, brief: Brief) -> Alert:
        """The alert; the last of its own for a critical finding of this actor names all else that is his."""
        if not brief.budget.critical or brief.letters != ALONE:
            return alert
        from plumbline.alerts.actors import and_all_else  # an exception; no wake pays for it

        account, actor = finding.target.account, brief.budget.actor
        found = {one.id: one for one in (*self.ledger.open_findings(account), *self.ledger.awaiting_digest(account))}
        his = [
            one
            for one in found.values()
            if one.id != finding.id
            and one.control in self.controls
            and one.cause.actor == actor
            and (actor or Budget.of(self.controls[one.control], one.cause).critical)
        ]
        return and_all_else(alert, self.controls, finding, his)

    def send(self, alert: Alert, findings: Sequence[Finding]) -> None:
        """Send an alert, and with it a letter to each person whose user it is about, where an address is known."""
        roster = self.baseline.roster
        if any(one.email for one in roster):
            from plumbline.alerts.personal import personal  # where nobody has an address no wake pays for it

            alert = replace(alert, personal=personal(findings, self.controls, roster, self.sender))
        self.alerts.send(alert)

    def as_urgent(self, finding: Finding, alert: Alert, now: datetime) -> Alert:
        """An alert that the escalation address gets too, where its time has come and something else is told."""
        escalates = clocks.escalates_at(self.rule(finding.control), finding)
        if escalates is None or now < escalates:
            return alert
        return replace(alert, attributes={**alert.attributes, "escalation": "true"})

    def tell(
        self, case: Case, finding: Finding, transition: str, alert: Alert, *, due: datetime | None = None
    ) -> Finding:
        """Claim, send, record: a second process finds the claim; a crash in between leaves it to be taken over.

        Args:
            case: what is being settled.
            finding: what is told of.
            transition: what is told.
            alert: how.
            due: when to look again, where the clock does not say.
        """
        lease = case.now + LEASE
        claimed = self.save(case, replace(finding, outbox=transition, lease=lease, due=lease))
        self.send(self._in_full(alert, finding, case.brief), [finding])
        told = self._told_of(case, claimed, transition)
        told = replace(told, due=due or clocks.next_look(case.rule, told, case.now))
        return self.ledger.save(told, now=case.now, alert=case.brief.budget.letters)

    def _told_of(self, case: Case, claimed: Finding, transition: str) -> Finding:
        """What was just told of; where nobody heard, it counts as not told, or the next digest tells of it again."""
        hearing, done = case.brief.hearing, replace(claimed, outbox="", lease=None)
        heard = hearing.now
        if heard and claimed.unheard:  # a time of grace begins with it, so what was known an hour ago is not enough
            heard = hearing.after(self.alerts.is_heard(), case.now).now
        if not heard and transition == "opened" and (claimed.unheard or not hearing.ever):
            return replace(done, outbox=DIGEST + transition)
        told = replace(done, told=told_as_well(claimed.told, transition), outbox="" if heard else DIGEST + transition)
        return told.heard(case.now, self.grace) if transition == "opened" else told

    def is_heard_of_now(self, case: Case, finding: Finding) -> bool:
        """Whether somebody is about to hear of what was there before, by an alert of its own: its grace begins then."""
        is_told = case.wake.origin is Origin.EVENT and "opened" not in finding.told and not finding.awaits_digest
        if not is_told or self.in_storm(case.brief):
            return False
        return case.brief.hearing.after(self.alerts.is_heard(), case.now).now

    def tell_held(self, finding: Finding, transition: str, alert: Alert, brief: Brief, now: datetime) -> Finding:
        """Tell of a finding whose lease this process holds, then record; in a storm, leave it for the digest."""
        if self.in_storm(brief):
            return self.keep(replace(finding, outbox=DIGEST + transition), now=now)
        self.send(self._in_full(alert, finding, brief), [finding])
        # where nobody heard it, the first digest that somebody hears tells of it again
        outbox = DIGEST + transition if brief.hearing.silent else ""
        told = replace(finding, told=(*finding.told, transition), outbox=outbox)
        return self.keep(told, now=now, alert=brief.budget.letters)

    def keep(self, finding: Finding, *, now: datetime, alert: str = "") -> Finding:
        """Write a finding after its repair. What was seen after it is left out where it does not fit.

        An undo then asks for `--force`, as wherever nobody could look again. The undo itself was stored before.
        """
        try:
            return self.ledger.save(finding, now=now, alert=alert)
        except TooLarge:
            *earlier, last = finding.repairs
            less = replace(finding, repairs=(*earlier, replace(last, after=None, looked=False)))
            return self.ledger.save(less, now=now, alert=alert)

    def send_once(self, key: str, alert: Alert | Callable[[], Alert], *, now: datetime, within: timedelta) -> bool:
        """Claim, send, record, for alerts that belong to no finding; whether it was sent now.

        Args:
            key: what is claimed.
            alert: what to send, or what makes it once it is known that it is to be sent.
            now: the time, in UTC.
            within: for how long it counts as told.
        """
        if not self.ledger.once(key, now=now, within=LEASE):
            return False
        try:
            self.alerts.send(alert if isinstance(alert, Alert) else alert())
        except (AwsRefusal, LedgerDown):
            self.ledger.told(key, now=now, within=timedelta(0))  # give the claim back: the next try sends it
            raise
        self.ledger.told(key, now=now, within=within)
        return True

    def unheard(self, account: str, *, now: datetime) -> int:
        """Tell whoever hears escalations, or reads the twin for chat tools, that nobody hears the rest; once a day."""
        hearing = self.ledger.hearing(account).after(self.alerts.is_heard(), now)
        if not hearing.silent:
            return 0
        from plumbline.alerts.hearing import unheard  # an exception; no wake pays for it

        alert = unheard(hearing, self.alerts.waiting(), self.alerts.arn, self.sender)
        self.send_once(f"unheard#{account}", alert, now=now, within=UNHEARD_TOLD_FOR)
        return 1

    def weekly(self, account: str, *, now: datetime) -> int:
        """Tell how the week was; how many findings it tells of."""
        key = f"weekly#{account}#{now:%G-%V}"
        lives = self.ledger.recent(account, now - WEEKLY_LOOKS_BACK)
        watched = sum(rule.response is not Response.OFF for rule in self.baseline.rules.values())
        from plumbline.alerts.weekly import weekly  # once a week: no wake pays for it

        alert = weekly(self.controls, lives, self.sender, now, watched, self.alerts.waiting())
        self.send_once(key, alert, now=now, within=WEEKLY_TOLD_FOR)
        return len(lives)


def told_as_well(told: Sequence[str], transition: str) -> tuple[str, ...]:
    """What has been told, each once; an escalation says that it is open, where nothing has said so before.

    Of reminders the last is kept: they may come for as long as a finding is open, and the ledger has to hold it.
    """
    if transition.startswith(clocks.REMINDED):
        told = [one for one in told if not one.startswith(clocks.REMINDED)]
    return tuple(dict.fromkeys((*told, *(("opened",) if transition == "escalated" else ()), transition)))
