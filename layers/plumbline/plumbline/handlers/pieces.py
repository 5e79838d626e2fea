"""What sweep does with one piece of a sweep, or with a search: looks, sends wakes, and hands back what is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from plumbline.compose import Plumbline
from plumbline.core.errors import AwsRefusal, PlumblineError
from plumbline.findings import news
from plumbline.findings.sweeps import Sweep
from plumbline.handlers import exemption_notices, suspension_notices
from plumbline.handlers.react import Log, Outlet
from plumbline.handlers.silence import Silence
from plumbline.handlers.taking import ENOUGH_MILLISECONDS
from plumbline.handlers.unsettled import Unsettled
from plumbline.sweep.knowing import Knowing
from plumbline.sweep.looking import Look
from plumbline.sweep.units import Unit
from plumbline.wakes.messages import Task

#: A unit with less time left than this sends the rest of itself back. A read that AWS throttles may take half a minute,
#: see `clients.PATIENT`, and one control's bulk read takes seconds.
_ENOUGH_MILLISECONDS = 45_000
#: Targets that are looked at at a time; AWS's limits of most reads are a few hundred a second, and botocore slows down
#: where AWS says so.
_AT_ONCE = 16
#: `react` settles at least so many findings each second; the digest waits for them, within SQS's longest delay.
_SETTLED_EACH_SECOND = 5
_DIGEST_AFTER_SECONDS, _MOST_SECONDS = 30, 900


@dataclass(slots=True)
class Pieces:
    """Looks through pieces, one after another; what the ledger knows is read once for those that follow each other.

    Attributes:
        remaining: milliseconds until Lambda stops this invocation.
        units: takes what is left of a piece, and its parts.
        wakes: takes what has to be looked at.
        silence: tells elsewhere that nobody hears; None where nobody does.
        unsettled: remembers what is reported; None where nobody does.
    """

    plumbline: Plumbline
    units: Outlet
    wakes: Outlet
    logger: Log
    clock: Callable[[], datetime]
    remaining: Callable[[], int]
    silence: Silence | None = None
    unsettled: Unsettled | None = None
    _knowing: Knowing | None = None
    _reported: dict[str, Mapping[str, str]] | None = None

    def done(self, unit: Unit) -> bool:
        """Do what a piece asks for, for as long as there is time; what is left of it is on its way back then.

        Returns:
            whether parts of it were sent, for others to look through.

        Raises:
            PlumblineError: ledger or queue are down, or a control broke; the piece is to come back.
        """
        if unit.asked:
            self._search(unit)
            return False
        left, told_together, broken, was_split = self._look_through(unit)
        if left.controls:
            self._send_back(left, broken)
        through = not left.controls and self._is_through(left, broken)
        if told_together or (through and self._has_a_digest(unit.account)):
            # react settles what was found in the meantime; what comes later is told by the next sweep's digest
            delay = min(_DIGEST_AFTER_SECONDS + told_together // _SETTLED_EACH_SECOND, _MOST_SECONDS)
            self.wakes.send([Task.DIGEST.to_json()], delay=delay)
        if through and self._has_to_tell_of_decisions(unit.account):
            self.wakes.send([Task.EXEMPTIONS.to_json()])
        if through:
            self.wakes.send([wake.to_json() for wake in self.plumbline.switched_off(unit.account)])
            self._listen(unit.account)
            self.plumbline.ledger.note_sweep(unit.account, self.clock())
        if broken:  # the others are done with; this comes back, and its alarm tells
            names = ", ".join(dict.fromkeys(look.control for look in broken))
            raise PlumblineError(f"{names} could not look in {unit.region}; see the log") from broken[0].error
        return was_split

    def _search(self, unit: Unit) -> None:
        """Look for what an event meant without naming it, for as long as there is time; react settles what is found."""
        left: Unit | None = unit
        for found in self.plumbline.search(unit, more=self._has_time, at_once=_AT_ONCE):
            self.wakes.send([wake.to_json() for wake in found.wakes])
            left = found.left
            self.logger.info("searched", extra={"control": unit.controls[0], "wakes": len(found.wakes)})
        if left is not None:
            self.units.send([left.to_json()])

    def _look_through(self, unit: Unit) -> tuple[Unit, int, list[Look], bool]:
        """Look for as long as there is time, and send what that finds.

        Returns:
            what is left of the unit; how much is told together: what the first sweep finds, and what cannot be looked
            at; the looks that broke; and whether parts of it were sent.

        Raises:
            PlumblineError: there was time, and not one target could be looked at; or ledger or queue are down.
        """
        left, told_together, was_split = unit, 0, False
        broken: list[Look] = []
        looks: dict[str, Look] = {}
        if self._knowing is None:
            self._knowing = self.plumbline.knowing()
        began = self.remaining()
        found = self.plumbline.look(
            unit, now=self.clock(), more=self._has_time, at_once=_AT_ONCE, knowing=self._knowing
        )
        at_a_cut = True  # all that look along a stretch say what they saw of it
        while left.controls and (not at_a_cut or self._has_time()) and (look := next(found, None)) is not None:
            if look.parts:
                self.units.send([one.to_json() for one in look.parts])
                self.logger.info("split", extra={"controls": look.parts[0].controls, "parts": len(look.parts)})
                was_split = True
            else:
                self._report(unit, look, broken)
                told_together += len(look.wakes) if look.adopts else look.unseen
                looks[look.control] = replace(look, before=looks.get(look.control, look).before)
            if not look.stretch.upto and not look.parts:  # its last target, or there is nothing to go along
                self._looked(unit, looks.pop(look.control))
                extra = {"control": look.control, "region": unit.region, "wakes": len(look.wakes)}
                self.logger.info("looked", extra=extra)
            at_a_cut, left = look.left is not None, look.left or left
        if left.controls and left == unit and began > ENOUGH_MILLISECONDS:
            raise PlumblineError(
                f"{', '.join(unit.controls)} could not look at a single target in {unit.region} in time"
            )
        for look in looks.values():
            self._looked(unit, look)
        return left, told_together, broken, was_split

    def _report(self, unit: Unit, look: Look, broken: list[Look]) -> None:
        """Send the wakes of one look, and write down what it reported."""
        if look.error is not None:
            broken.append(look)
            reason = f"{type(look.error).__name__}: {look.error}"
            self.logger.error("not looked", extra={"control": look.control, "region": unit.region, "reason": reason})
        sent = self.clock()  # before it is sent: react may be quicker than the note of it
        self.wakes.send([wake.to_json() for wake in look.wakes])
        if self.unsettled is not None:
            if self._reported is None:
                self._reported = dict(self.unsettled.memory.reported())
            self.unsettled.note(unit, look, self._reported, at=sent)

    def _looked(self, unit: Unit, look: Look) -> None:
        self.plumbline.looked(unit, look)
        if (look.adoption != look.before or look.lasts is not None) and self._knowing is not None:
            self._knowing.forget()

    def _has_time(self) -> bool:
        return self.remaining() > _ENOUGH_MILLISECONDS

    def _send_back(self, left: Unit, broken: Sequence[Look]) -> None:
        """Let what is left of a unit be looked at in another invocation, and write down how far this one has come."""
        self.units.send([left.to_json()])
        self.logger.info(
            "unit sent back", extra={"controls": list(left.controls), "region": left.region, "after": left.after}
        )
        if left.sweep:
            behind = f" behind {left.after}" if left.after else ""
            where = f"{left.region} goes on with {left.controls[0]}{behind}"
            sweep = Sweep(left.sweep, left.of, blind=_blind(left, broken), places={left.label: where})
            self.plumbline.ledger.sweeps.goes_on(left.account, sweep)

    def _is_through(self, unit: Unit, broken: Sequence[Look]) -> bool:
        """Whether a sweep is over, now that this piece of it is done: pieces end in any order, and some twice."""
        if not unit.sweep:
            return unit.last
        done = Sweep(unit.sweep, unit.of, frozenset({unit.label}), _blind(unit, broken))
        return self.plumbline.ledger.sweeps.goes_on(unit.account, done).is_through

    def _listen(self, account: str) -> None:
        """See whether anybody hears; what else can tell that nobody does is told."""
        hearing = self.plumbline.engine.ears.looked(account, self.clock())
        if hearing.silent:
            self.wakes.send([Task.UNHEARD.to_json()])
        try:
            if self.silence is not None:
                self.silence.tell(hearing, account, self.clock())
        except AwsRefusal as error:  # the other ways tell as well, and the next sweep tries again
            self.logger.error("not told that nobody hears", extra={"reason": str(error)})

    def _has_a_digest(self, account: str) -> bool:
        """Whether something waits for it, or rules that an upgrade brought have to be told of."""
        ledger = self.plumbline.ledger
        return bool(ledger.awaiting_digest(account) or news.new_controls(ledger.adopted(account)))

    def _has_to_tell_of_decisions(self, account: str) -> bool:
        """Whether an exemption has to be told of, or a suspension asked about."""
        reviewed = self.plumbline.engine.baseline.exemptions
        ledger, now = self.plumbline.ledger, self.clock()
        if exemption_notices.doubts(ledger, self.plumbline.engine.baseline.patience, account, now):
            return True
        if any(True for _ in exemption_notices.due(ledger, reviewed, account, now)):
            return True
        return bool(suspension_notices.due(ledger, account, now))


def _blind(unit: Unit, broken: Sequence[Look]) -> frozenset[str]:
    """What could not look, as the ledger keeps it of a sweep."""
    return frozenset(f"{look.control} in {unit.region}" for look in broken)
