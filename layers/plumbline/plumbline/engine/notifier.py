"""Tells people, and records that they were told: each transition once, and none lost when a process dies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from plumbline.alerts import digest, weekly
from plumbline.alerts.alert import Alert, Sender
from plumbline.baseline.rules import Baseline, Breakers, Rule
from plumbline.core.clock import Response
from plumbline.core.control import Control
from plumbline.core.errors import AwsRefusal, Conflict
from plumbline.engine.case import Case
from plumbline.findings import clocks
from plumbline.findings.brief import Brief
from plumbline.findings.finding import DIGEST, LEASE, Finding, Status
from plumbline.ports import Alerts, Ledger

WEEKLY_TOLD_FOR = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Notifier:
    """Sends alerts and writes findings.

    Attributes:
        rule: control id -> what the baseline says of it, no bolder than the stack's mode.
        sender: what alerts need to name commands.
    """

    controls: Mapping[str, Control]
    baseline: Baseline
    rule: Callable[[str], Rule]
    ledger: Ledger
    alerts: Alerts
    sender: Sender

    def save(self, case: Case, finding: Finding, *, spend: Breakers | None = None) -> Finding:
        """Write a finding over what the case was read with; an earlier life that it follows goes into the history.

        Args:
            case: what is being settled.
            finding: what to write.
            spend: count one repair against these budgets.
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
        """Whether enough alerts were sent in this clock hour."""
        return brief.letters >= self.baseline.letters.per_hour

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
        self.alerts.send(alert)
        told = replace(claimed, told=(*claimed.told, transition), outbox="", lease=None)
        return self.ledger.save(
            replace(told, due=due or clocks.next_look(case.rule, told, case.now)), now=case.now, alert=True
        )

    def tell_held(self, finding: Finding, transition: str, alert: Alert, brief: Brief, now: datetime) -> Finding:
        """Tell of a finding whose lease this process holds, then record; in a storm, leave it for the digest."""
        if self.in_storm(brief):
            return self.ledger.save(replace(finding, outbox=DIGEST + transition), now=now)
        self.alerts.send(alert)
        return self.ledger.save(replace(finding, told=(*finding.told, transition), outbox=""), now=now, alert=True)

    def send_once(self, key: str, alert: Alert, *, now: datetime, within: timedelta) -> None:
        """Claim, send, record, for alerts that belong to no finding."""
        if self.ledger.once(key, now=now, within=LEASE):
            try:
                self.alerts.send(alert)
            except AwsRefusal:
                self.ledger.told(key, now=now, within=timedelta(0))  # give the claim back: the next try sends it
                raise
            self.ledger.told(key, now=now, within=within)

    def digest(self, account: str, *, now: datetime) -> int:
        """Tell, in one alert, all that waits for it; how many findings it tells of.

        SNS takes alerts that nobody hears: the digest of a first sweep, minutes after the deployment, waits until
        somebody has clicked the link in AWS's own e-mail.

        Raises:
            LedgerDown: the ledger cannot be used.
            AwsRefusal: SNS did not take the alert; nothing counts as told.
        """
        waiting = self.ledger.awaiting_digest(account)
        if not waiting or not self.alerts.is_heard():
            return 0
        if not self.ledger.once(f"digest#{account}", now=now, within=LEASE):
            return 0
        try:
            self.alerts.send(digest.digest(self.controls, waiting, self.sender))
        except AwsRefusal:
            self.ledger.told(f"digest#{account}", now=now, within=timedelta(0))
            raise
        for finding in waiting:
            told = replace(finding, outbox="", told=(*finding.told, finding.outbox.removeprefix(DIGEST)))
            if told.is_open and told.status is not Status.EXEMPT and told.control in self.controls:
                # what came due while it waited comes with the next sweep
                told = replace(told, due=clocks.next_look(self.rule(told.control), told, now) or told.due)
            try:
                self.ledger.save(told, now=now)
            except Conflict:  # settled while the alert was written, and the next digest may name it again; or buried
                current = self.ledger.brief(finding.control, finding.target, now).finding
                if current is not None and current.id != finding.id:
                    self.ledger.bury(told, now=now)
        return len(waiting)

    def weekly(self, account: str, *, now: datetime) -> int:
        """Tell how the week was; how many findings it tells of."""
        key = f"weekly#{account}#{now:%G-%V}"
        lives = self.ledger.lives(account)
        watched = sum(rule.response is not Response.OFF for rule in self.baseline.rules.values())
        alert = weekly.weekly(self.controls, lives, self.sender, now, watched)
        self.send_once(key, alert, now=now, within=WEEKLY_TOLD_FOR)
        return len(lives)
