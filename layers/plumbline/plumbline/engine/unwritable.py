"""What the ledger cannot hold: told, listed by what of it fits, never repaired, for no undo could be kept."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from plumbline.alerts import deviations
from plumbline.alerts.alert import Alert
from plumbline.alerts.wording import clean
from plumbline.core.control import Deviation
from plumbline.core.errors import TooLarge
from plumbline.engine.case import Case, Outcome, Settled
from plumbline.engine.notifier import Notifier
from plumbline.engine.opening import opened
from plumbline.findings.finding import Finding

#: What the finding has been told of then.
TOO_LARGE = "too large"
#: It is tried again.
_AGAIN_AFTER = timedelta(days=1)
#: Begins the key that it is told under where not even a part of it can be kept, and for how long: as long as it stays,
#: every sweep finds it anew, and nobody has to hear of it each day.
NOT_KEPT = "too-large#"
_TOLD_FOR = timedelta(days=30)
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
    alert = deviations.too_large(case.control, whole, error, notifier.sender)
    for finding in (whole, _stub(whole)):
        with suppress(TooLarge):
            return Settled(Outcome.TOLD, case.wake, _told(notifier, case, finding, alert), reason=str(error))
    key = hashlib.sha256(f"{case.control.id}|{case.wake.target}".encode()).hexdigest()[:32]
    notifier.send_once(f"{NOT_KEPT}{key}", alert, now=case.now, within=_TOLD_FOR)
    return Settled(Outcome.TOLD, case.wake, reason=str(error))


def _told(notifier: Notifier, case: Case, finding: Finding, alert: Alert) -> Finding:
    """The finding once it is told and stored; told once in its life."""
    again = case.now + _AGAIN_AFTER
    if TOO_LARGE in finding.told:
        return notifier.save_news(case, replace(finding, due=again))
    told = tuple(dict.fromkeys((*finding.told, "opened")))
    return notifier.tell(case, replace(finding, told=told), TOO_LARGE, alert, due=again)


def _stub(finding: Finding) -> Finding:
    """What is left of a finding when its facts are left out: enough to list it and to exempt it."""
    facts = finding.deviation.items
    left_out = f"{len(facts)} facts, too many to keep"
    short = Deviation(clean(finding.deviation.summary, _SUMMARY), (left_out,), finding.deviation.clock)
    return replace(finding, deviation=short, adopted=(left_out,) if finding.adopted else ())
