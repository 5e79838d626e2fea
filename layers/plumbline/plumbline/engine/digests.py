"""Digests: one alert for all that waits for it, marked before it is sent, told once however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from plumbline.alerts.alert import Alert
from plumbline.alerts.held import redated
from plumbline.core.control import Severity
from plumbline.core.errors import AwsRefusal
from plumbline.engine.ears import Ears
from plumbline.engine.notifier import Notifier, told_as_well
from plumbline.findings import clocks
from plumbline.findings.digested import Digested
from plumbline.findings.finding import DIGEST, LEASE, Finding, Status
from plumbline.findings.news import can_be_told, new_controls, once_heard

#: Findings that one digest tells of, so that the mark of it fits into an item. The next one tells of the rest.
MOST_TOLD = 10_000
#: Findings of which one call writes down that they were told. React has 45 seconds, and may go on with an earlier
#: digest as well; the sweep, which goes on with the others every ten minutes, has 300.
MOST_RECORDED, MOST_BY_SWEEP = 1_000, 5_000


@dataclass(frozen=True, slots=True)
class Digests:
    """Tells of many at once.

    A digest is written down before it is sent, and that it was sent right after; only then is each finding brought up
    to it. Whatever ends the process, the next one goes on: what was sent is recorded and not told again, what nobody
    knows to be sent is told, so that at worst one digest comes twice.

    Attributes:
        notifier: sends, and knows the rules.
    """

    notifier: Notifier

    def digest(self, account: str, *, now: datetime, commanders: Callable[[], str] = str) -> int:
        """Tell, in one alert, all that waits for it; how many findings it tells of.

        SNS takes alerts that nobody hears: the digest of a first sweep, minutes after the deployment, waits until
        somebody has clicked the link in AWS's own e-mail.

        Args:
            account: whose.
            now: the time, in UTC.
            commanders: says who may command Plumbline, for whoever is to decide what was there before it.

        Raises:
            LedgerDown: the ledger cannot be used.
            AwsRefusal: SNS did not take the alert; nothing counts as told.
        """
        one, ledger = self.notifier, self.notifier.ledger
        known, everything = self.recorded(account, now=now)
        waiting, brought = self._what_waits(everything, account, now)
        waiting = [one for one in waiting if known.told_at(one) is None][:MOST_TOLD]
        if not (waiting or brought) or not Ears(ledger, one.alerts).looked(account, now).now:
            return 0
        if not ledger.once(f"digest#{account}", now=now, within=LEASE):
            return 0
        marked = known.still(everything).about_to_tell(waiting, brought, now)
        ledger.note_digested(account, marked)
        try:
            told, new = [self._told(each, now) for each in waiting], new_controls(brought)
            if new:
                brand_new = [each for each in told if each.control in new]
                one.send(self._news(new, brand_new, now), brand_new)
            if rest := [each for each in told if each.control not in new]:
                one.send(self._of_the_rest(rest, now, commanders), rest)
        except AwsRefusal:
            ledger.told(f"digest#{account}", now=now, within=timedelta(0))
            raise
        ledger.note_digested(account, marked.sent())
        self._record(account, marked.sent(), waiting, now, MOST_RECORDED)
        return len(waiting) + len(new)

    def recorded(self, account: str, *, now: datetime, most: int = MOST_RECORDED) -> tuple[Digested, Sequence[Finding]]:
        """Go on with writing down what was told; what is told and not yet written down, and all that waits.

        Args:
            account: whose.
            now: the time, in UTC.
            most: how many findings it is written down for.

        Raises:
            LedgerDown: the ledger cannot be used.
        """
        ledger = self.notifier.ledger
        known, waiting = ledger.digested(account), ledger.awaiting_digest(account)
        if not known.told and not known.brought:
            return known, waiting
        self._record(account, known, waiting, now, most)
        left = known.still(one for one in waiting if known.told_at(one) is not None)
        if not left.told and known.about is None:  # all of it is written down
            ledger.note_digested(account, left)
        return known, waiting

    def critical(self, account: str, *, now: datetime) -> int:
        """The digest at once, where it would tell of something critical that an event announced.

        Whoever did it has used up the e-mails of his own, and what is meant may be hidden behind them.

        Raises:
            LedgerDown: the ledger cannot be used.
            AwsRefusal: SNS did not take the alert; nothing counts as told.
        """
        known, waiting = self.recorded(account, now=now, most=MOST_BY_SWEEP)
        urgent = any(self._is_urgent(one) for one in waiting if known.told_at(one) is None)
        return self.digest(account, now=now) if urgent else 0

    def _what_waits(
        self, everything: Sequence[Finding], account: str, now: datetime
    ) -> tuple[Sequence[Finding], Mapping[str, str]]:
        """What waits for a digest; and how far the first sweeps of controls have come that an upgrade brought.

        All of these are told of in one e-mail, so none is while one of them is still to look for the first time.
        """
        adopted = self.notifier.ledger.adopted(account)
        new = new_controls(adopted) & self.notifier.controls.keys()
        brought = {kept: text for kept, text in adopted.items() if kept.partition("@")[0] in new}
        if can_be_told(brought, now):
            return everything, brought
        return [one for one in everything if one.control not in new], {}

    def _of_the_rest(self, findings: Sequence[Finding], now: datetime, commanders: Callable[[], str]) -> Alert:
        from plumbline.alerts.digest import digest  # an hour's task, if at all: no wake pays for it

        one = self.notifier
        who = commanders() if any(each.is_adopted and each.is_open for each in findings) else ""
        unconfirmed = one.alerts.waiting()
        return digest(one.controls, findings, one.sender, now=now, unconfirmed=unconfirmed, commanders=who)

    def _news(self, new: Iterable[str], findings: Sequence[Finding], now: datetime) -> Alert:
        from plumbline.alerts.news import news  # once an upgrade

        one = self.notifier
        return news(one.controls, {each: one.rule(each) for each in new}, findings, one.sender, now=now)

    def _is_urgent(self, finding: Finding) -> bool:
        controls = self.notifier.controls
        is_critical = finding.control in controls and controls[finding.control].severity is Severity.CRITICAL
        return is_critical and bool(finding.cause.action) and not finding.is_adopted and not finding.is_unseen

    def _told(self, finding: Finding, at: datetime) -> Finding:
        """A finding as a digest of that moment tells of it: the grace of what was there before begins then."""
        heard = finding.heard(at, self.notifier.grace)
        if heard is finding or finding.control not in self.notifier.controls:
            return heard
        rule = self.notifier.rule(finding.control)
        before, after = clocks.acts_at(rule, finding), clocks.acts_at(rule, heard)
        if before is None or after is None:
            return heard
        return replace(heard, then=redated(finding.then, before, after))

    def _record(self, account: str, digested: Digested, waiting: Sequence[Finding], now: datetime, most: int) -> None:
        """Bring each finding up to what was told of it, as many as there is time for."""
        ledger = self.notifier.ledger
        if digested.brought and digested.about is None:
            adopted = ledger.adopted(account)
            told_of = {kept: adopted[kept] for kept in digested.brought if kept in adopted}
            for kept, text in once_heard(told_of).items():
                ledger.adopt(account, kept, text)
        told = [(one, at) for one in waiting if (at := digested.told_at(one)) is not None]
        done = [self._as_told(one, at, now) for one, at in told[:most]]
        saved = {one.id for one in ledger.save_all(done, now=now)}
        for one in done:
            if one.id not in saved:  # settled while the alert was written, so the next digest may name it; or buried
                current = ledger.brief(one.control, one.target, now).finding
                if current is not None and current.id != one.id:
                    ledger.bury(one, now=now)

    def _as_told(self, finding: Finding, at: datetime, now: datetime) -> Finding:
        """A finding once a digest of some moment was sent."""
        told = self._told(finding, at)
        transition = finding.outbox.removeprefix(DIGEST) or "opened"
        done = replace(told, outbox="", told=told_as_well(told.told, transition))
        if done.is_open and done.status is not Status.EXEMPT and done.control in self.notifier.controls:
            # what came due while it waited, or was made due by a person, comes with the next sweep
            rule = self.notifier.rule(done.control)
            acts = clocks.acts_at(rule, done)
            was_due = finding.due is not None and finding.due <= now
            is_due = was_due or (finding.unheard and acts is not None and acts <= now)
            done = replace(done, due=now if is_due else clocks.next_look(rule, done, now) or done.due)
        return done
