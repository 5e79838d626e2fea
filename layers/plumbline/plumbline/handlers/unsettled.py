"""What the sweep has reported and react has not settled: told by the sweep's function, whatever has become of react.

Its code may have been replaced, its trigger switched off, its concurrency used up: nobody has to know which. What was
reported is written down with its time; a quarter of an hour later there is a finding of it, or it is in line, or react
does not answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from plumbline.compose import Plumbline
from plumbline.core.clock import utc
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import Target
from plumbline.engine.surveying import judged, look_at
from plumbline.findings.finding import Finding
from plumbline.ports import Alerts
from plumbline.sweep.looking import Look
from plumbline.sweep.units import Unit

#: How long react may take: its queue brings a message back for as long.
SETTLED_WITHIN = timedelta(minutes=15)
#: How long a sweep may take before somebody hears of it: by then three others have begun.
SWEPT_WITHIN = timedelta(hours=3)
#: Of one control in one region; who has more of them is told of these.
_MOST = 100
_LOOKED_AT = 25
_TOLD_FOR = timedelta(days=7)
Reported = Mapping[str, Mapping[str, str]]


class Memory(Protocol):
    """What the sweep has reported; see adapters/house.py."""

    def reported(self) -> Reported:
        """Control and region -> target -> since when it has been reported, or raise."""

    def report(self, key: str, targets: Mapping[str, str]) -> None:
        """Write that of one control in one region, or raise."""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Compares what the sweep has reported with what became of it.

    Attributes:
        plumbline: looks, and remembers what was settled.
        memory: what was reported.
        alerts: where what is about Plumbline itself is told.
    """

    plumbline: Plumbline
    memory: Memory
    alerts: Alerts
    clock: Callable[[], datetime]

    def note(self, unit: Unit, look: Look, before: dict[str, Mapping[str, str]], *, at: datetime) -> None:
        """Write down what one control has just reported; what it reports no more is forgotten.

        Args:
            unit: where it looked.
            look: what it saw, of all its targets or on a stretch of them; its wakes are on their way.
            before: what was reported earlier; gets what is reported now.
            at: when its wakes were sent, or just before.
        """
        where, now = f"{look.control}@{unit.region}", at.isoformat()
        key = f"{where}#{unit.part}" if unit.part else where  # parts are looked through at the same time
        family = [one for one in before if one.partition("#")[0] == where]
        since = {target: at for one in family for target, at in before[one].items()}
        known = before.get(key, {})
        named = [str(wake.target) for wake in look.wakes if not wake.target.is_pattern]
        elsewhere = [one for one in known if one not in look.stretch]
        reported = {one: since.get(one, now) for one in (*elsewhere, *named)[:_MOST]}
        if reported != known:
            before[key] = reported
            self.memory.report(key, reported)
        for other in family:
            if other != key and before[other] and not _are_parts_of_one(other, key):
                before[other] = {}
                self.memory.report(other, {})

    def tell(self) -> int:
        """Tell of what waits for longer than a quarter of an hour, once for each time react does not answer.

        Returns:
            How much that is.

        Raises:
            LedgerDown: what was settled cannot be read.
            AwsRefusal: nobody took the alert.
        """
        waiting = sorted(self._waiting(), key=lambda one: (self._severity(one[0]), one[1]))
        if not waiting:
            return 0
        from plumbline.alerts.house import unsettled  # an exception; no look pays for it

        engine, since = self.plumbline.engine, min(at for _, at, _ in waiting)
        notifier = replace(engine, alerts=self.alerts).notifier
        alert = unsettled([text for _, _, text in waiting], since, engine.deployment.sender)
        notifier.send_once(f"unsettled#{since:%Y-%m-%dT%H}", alert, now=self.clock(), within=_TOLD_FOR)
        return len(waiting)

    def tell_of_sweeps(self) -> None:
        """Tell of sweeps that do not come to their end, and of none that begins, once of each.

        An alarm counts what is put into the queue of pieces, and tells the same without code of ours; but what an event
        has react hand over counts there as well.

        Raises:
            LedgerDown: how far they have come cannot be read.
            AwsRefusal: nobody took the alert.
        """
        engine, now = self.plumbline.engine, self.clock()
        known = self.plumbline.ledger.sweeps.known(self.plumbline.account)
        latest = max((one.began for one in known), default=now)
        notifier = replace(engine, alerts=self.alerts).notifier
        if now - latest >= SWEPT_WITHIN:
            from plumbline.alerts.house import unbegun  # an exception; no look pays for it

            alert = unbegun(latest, engine.deployment.sender)
            notifier.send_once(f"unbegun#{latest.isoformat()}", alert, now=now, within=_TOLD_FOR)
        for sweep in (one for one in known if not one.is_through and now - one.began >= SWEPT_WITHIN):
            from plumbline.alerts.house import unended

            alert = unended(sweep, engine.deployment.sender)
            notifier.send_once(f"unended#{sweep.name}", alert, now=now, within=_TOLD_FOR)

    def _severity(self, control: str) -> int:
        return self.plumbline.index.entries[control].severity.rank

    def _waiting(self) -> Iterator[tuple[str, datetime, str]]:
        """The control, since when, and what deviates, in words."""
        late = [
            (key.partition("@")[0], Target.parse(target), utc(since))
            for key, targets in self.memory.reported().items()
            for target, since in targets.items()
            if self.clock() - utc(since) >= SETTLED_WITHIN
        ]
        for control, target, since in late[:_LOOKED_AT]:
            if control in self.plumbline.index.entries and (text := self._left(control, target, since)):
                yield control, since, text

    def _left(self, control_id: str, target: Target, since: datetime) -> str:
        """What is still wrong with a target that nobody has settled since; empty where that is nothing."""
        engine, now = self.plumbline.engine, self.clock()
        if _is_settled(engine.ledger.brief(control_id, target, now).finding, since):
            return ""
        control = engine.controls[control_id]
        try:
            state = look_at(control, engine.aws.eyes(target.account, target.region), target)
            deviation = judged(control, state, engine.rule(control_id).settings)
        except AwsRefusal as error:
            return f"{control.name(target)} cannot be looked at: {error}"
        return f"{control.name(target)} {deviation.summary}" if deviation else ""


def _are_parts_of_one(key: str, other: str) -> bool:
    """Whether what two keys stand for was split at the same places; else one of them is of an earlier sweep."""
    own, others = (one.partition("#")[2].partition("_")[2] for one in (key, other))
    return bool(own) and own == others


def _is_settled(finding: Finding | None, since: datetime) -> bool:
    """Whether react has looked at a target after it was reported: it writes a finding, and when it is due next."""
    if finding is None:
        return False
    if not finding.is_open:
        return finding.closed_at is not None and finding.closed_at >= since
    return finding.due is None or finding.due > since
