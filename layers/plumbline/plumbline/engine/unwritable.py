"""What the ledger cannot hold: told, listed by what of it fits, never repaired, for no undo could be kept.

Nobody repairs it, so the escalation address hears of it as well, once, where its clock has a time for that.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from plumbline.alerts import deviations
from plumbline.alerts.alert import Alert
from plumbline.alerts.wording import clean
from plumbline.core.control import Deviation
from plumbline.core.errors import TooLarge
from plumbline.decisions.exemptions import covering
from plumbline.engine.case import Case, Outcome, Settled
from plumbline.engine.notifier import Notifier
from plumbline.engine.opening import opened
from plumbline.findings import clocks
from plumbline.findings.finding import Finding

#: What the finding has been told of then.
TOO_LARGE = "too large"
#: It is tried again.
_AGAIN_AFTER = timedelta(days=1)
#: Begins the key that it is told under where not even a part of it can be kept, and for how long: as long as it stays,
#: every sweep finds it anew, and nobody has to hear of it each day.
NOT_KEPT = "too-large#"
_TOLD_FOR = timedelta(days=30)
#: Begin the keys of what the escalation address is still to hear of, and has heard of.
_WAITS, _ESCALATED = "too-large-waits#", "too-large-escalated#"
_NOW = timedelta(0)
_SUMMARY = 200


def unwritable(notifier: Notifier, case: Case, error: TooLarge) -> Settled:
    """Tell of a deviation that the ledger does not hold as it is; others go on.

    Args:
        notifier: tells, and records.
        case: what is being settled; nothing of it has been changed.
        error: what did not fit.

    Raises:
        AwsRefusal: SNS did not take the alert; the wake must come back.
    """
    before = case.brief.finding
    whole = before if before is not None and before.is_open else opened(case, notifier.grace)
    whole = replace(whole, proposal=None, under=case.rule.mark, then="not repaired: it does not fit into the ledger")
    escalates = None if _is_exempt(notifier, case) else clocks.escalates_at(case.rule, whole)
    large = _Large(notifier, case, error, escalates)
    for finding in (whole, _stub(whole)):
        with suppress(TooLarge):
            return Settled(Outcome.TOLD, case.wake, large.told(finding), reason=str(error))
    large.told_unkept(whole)
    return Settled(Outcome.TOLD, case.wake, reason=str(error))


@dataclass(frozen=True, slots=True)
class _Large:
    """What does not fit: told once, and once more where its clock has a time for the escalation address.

    Attributes:
        notifier: tells, and records.
        case: what is being settled.
        error: what did not fit.
        escalates: when the escalation address hears of it; None for never.
    """

    notifier: Notifier
    case: Case
    error: TooLarge
    escalates: datetime | None

    def _alert(self, finding: Finding, *, escalated: bool = False, urgent: bool = False) -> Alert:
        """The e-mail; `urgent` where the escalation address gets the first one too."""
        alert = deviations.too_large(self.case.control, finding, self.error, self.notifier.sender, escalated=escalated)
        return replace(alert, attributes={**alert.attributes, "escalation": "true"}) if urgent else alert

    def told(self, finding: Finding) -> Finding:
        """The finding once it is told and stored; of each told once in its life."""
        now, is_due = self.case.now, self.escalates is not None and self.escalates <= self.case.now
        again = now + _AGAIN_AFTER
        if self.escalates is not None and not is_due:
            again = min(again, self.escalates)
        if TOO_LARGE not in finding.told:
            said = ("opened", *(("escalated",) if is_due else ()))  # its e-mail says it too
            told = replace(finding, told=tuple(dict.fromkeys((*finding.told, *said))))
            return self.notifier.tell(self.case, told, TOO_LARGE, self._alert(told, urgent=is_due), due=again)
        if is_due and "escalated" not in finding.told:
            alert = self._alert(finding, escalated=True)
            return self.notifier.tell(self.case, finding, "escalated", alert, due=again)
        return self.notifier.save_news(self.case, replace(finding, due=again))

    def told_unkept(self, finding: Finding) -> None:
        """Tell of what cannot be kept even in part: that it was told is all that the ledger knows, for a month.

        So how long the escalation address waits is kept as a claim too, which runs out when its time has come.
        """
        notifier, now = self.notifier, self.case.now
        key = hashlib.sha256(f"{self.case.control.id}|{self.case.wake.target}".encode()).hexdigest()[:32]
        wait = None if self.escalates is None else max(self.escalates - now, _NOW)
        if notifier.send_once(f"{NOT_KEPT}{key}", self._alert(finding, urgent=wait == _NOW), now=now, within=_TOLD_FOR):
            if wait is not None:
                waits = (_ESCALATED, _TOLD_FOR) if wait == _NOW else (_WAITS, wait)
                notifier.ledger.told(f"{waits[0]}{key}", now=now, within=waits[1])
        elif wait is not None and not notifier.ledger.told_of(f"{_WAITS}{key}", now):
            escalated = self._alert(finding, escalated=True)
            notifier.send_once(f"{_ESCALATED}{key}", escalated, now=now, within=_TOLD_FOR)


def _is_exempt(notifier: Notifier, case: Case) -> bool:
    """Whether somebody has decided about it, so that it is nobody's to escalate."""
    exemptions = (*case.brief.exemptions, *notifier.baseline.exemptions)
    return covering(exemptions, case.control.id, case.wake.target, case.now) is not None


def _stub(finding: Finding) -> Finding:
    """What is left of a finding when its facts are left out: enough to list it and to exempt it."""
    facts = finding.deviation.items
    left_out = f"{len(facts)} facts, too many to keep"
    short = Deviation(clean(finding.deviation.summary, _SUMMARY), (left_out,), finding.deviation.clock)
    return replace(finding, deviation=short, adopted=(left_out,) if finding.adopted else ())
