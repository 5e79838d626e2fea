"""What an event announced and the look finds no more: told, with who did it. Nothing is judged or repaired by it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from plumbline.alerts import deviations
from plumbline.core.cause import Origin
from plumbline.core.clock import instant
from plumbline.core.control import Deviation
from plumbline.core.errors import AwsRefusal, Conflict
from plumbline.decisions.exemptions import covering
from plumbline.engine.case import Case, Outcome, Settled
from plumbline.engine.ears import Ears
from plumbline.engine.holding import is_told_all_the_same
from plumbline.engine.notifier import Notifier
from plumbline.engine.surveying import is_excepted
from plumbline.findings.finding import DIGEST, LEASE, Status, open_finding
from plumbline.ports import Aws
from plumbline.wakes.messages import Wake

#: AWS may show for so long what was before an event; only then is what it announced believed gone.
_SHOWN_WITHIN = timedelta(seconds=30)
#: CloudTrail delivers an event more than once, and hours late.
_TOLD_FOR = timedelta(days=2)
_OVER = "and it was over when Plumbline looked"
#: The roles with which Plumbline writes, after the stack's name: nobody else can assume them.
_HANDS = ("hands", "hands-giving", "hands-house")


@dataclass(frozen=True, slots=True)
class Gone:
    """Tells of what came and went."""

    aws: Aws
    notifier: Notifier
    ears: Ears

    def told(self, case: Case) -> Settled | None:
        """Tell of what the event announced, where nothing of it is left; None where there is nothing to tell.

        Args:
            case: a target that is in line, whose last life, if any, is over.

        Raises:
            LedgerDown: the ledger cannot be used.
            AwsRefusal: SNS did not take the alert; the wake must come back.
        """
        wake, now = case.wake, case.now
        if not self._may_tell(case):
            return None
        said = self._announced(case)
        if not said:
            return None
        at = instant(wake.cause.at)
        if at is not None and now - at < _SHOWN_WITHIN:
            why = "what the event announced is not there; AWS may not show it yet"
            shown_by = at + _SHOWN_WITHIN
            return Settled(Outcome.UNKNOWN, wake, case.brief.finding, again=True, shown_by=shown_by, reason=why)
        ledger, event = self.notifier.ledger, f"{case.control.id}#{wake.target}#{wake.cause.event_id or wake.cause.at}"
        if ledger.told_of(f"gone#{event}", now):
            return None
        if not ledger.once(f"telling-gone#{event}", now=now, within=LEASE):
            return Settled(
                Outcome.HELD, wake, case.brief.finding, again=True, reason="another look is about to tell it"
            )
        try:
            heard = self.ears.noted(case.brief, wake.target.account, now)
            settled = self._told(replace(case, brief=heard), said)
        except (AwsRefusal, Conflict):
            ledger.told(f"telling-gone#{event}", now=now, within=timedelta(0))  # the next try tells it
            raise
        ledger.told(f"gone#{event}", now=now, within=_TOLD_FOR)
        return settled

    def _may_tell(self, case: Case) -> bool:
        """Whether an event says something that no life of the finding has told of."""
        wake, before = case.wake, case.brief.finding
        if case.control.announces is None or wake.event is None or wake.origin is not Origin.EVENT:
            return False
        if self._is_ours(wake) or is_excepted(case.control, case.rule, wake.target):
            return False
        at = instant(wake.cause.at)
        if before is None or before.status is Status.NOTED or before.closed_at is None or at is None:
            return True
        return at > before.closed_at  # else that life was about it

    def _announced(self, case: Case) -> str:
        wake, announces = case.wake, case.control.announces
        if announces is None or wake.event is None:
            return ""
        ask = self.aws.eyes(wake.target.account, wake.target.region)
        return announces(ask, wake.event, case.state, case.rule.settings)

    def _is_ours(self, wake: Wake) -> bool:
        """Whether Plumbline's own hands made the call."""
        stack, actor = self.notifier.sender.stack, wake.cause.actor
        own = {f"{stack}-{one}" for one in _HANDS}
        return f":{wake.target.account}:role/" in actor and actor.rpartition("/")[2] in own

    def _told(self, case: Case, said: str) -> Settled:
        control, now, before = case.control, case.now, case.brief.finding
        deviation = Deviation(f"{said}, {_OVER}", (said,))
        new = open_finding(
            control.id, case.wake.target, deviation, origin=Origin.EVENT, cause=case.wake.cause, now=now, before=before
        )
        noted = replace(new, status=Status.NOTED, closed_at=now, back_since=None, under=case.rule.mark)
        exemptions = (*case.brief.exemptions, *self.notifier.baseline.exemptions)
        exemption = covering(exemptions, control.id, case.wake.target, now)
        if exemption is not None and not is_told_all_the_same(control, noted, exemption):
            return Settled(Outcome.EXEMPT, case.wake, self.notifier.save(case, noted), reason=exemption.reason)
        if self.notifier.in_storm(case.brief):
            listed = self.notifier.save(case, replace(noted, outbox=f"{DIGEST}opened"))
            return Settled(Outcome.LISTED, case.wake, listed)
        alert = deviations.gone(control, noted, case.state, self.notifier.sender)
        return Settled(Outcome.TOLD, case.wake, self.notifier.tell(case, noted, "opened", alert), reason=_OVER)
