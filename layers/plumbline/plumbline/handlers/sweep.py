"""What sweep does: cut a sweep into units, look through a unit, send wakes. Never writes to the account."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from plumbline.compose import Plumbline
from plumbline.core.errors import AwsRefusal, PlumblineError
from plumbline.core.reach import Reach
from plumbline.core.targets import GLOBAL
from plumbline.engine.digests import Digests
from plumbline.findings import news
from plumbline.findings.sweeps import Sweep
from plumbline.handlers import exemption_notices, suspension_notices, upgrade
from plumbline.handlers.failures import Failures
from plumbline.handlers.house import Housekeeper
from plumbline.handlers.late import Late
from plumbline.handlers.reach import Lookout
from plumbline.handlers.react import Log, Outlet
from plumbline.handlers.silence import Silence
from plumbline.handlers.turns import due
from plumbline.handlers.unsettled import Unsettled
from plumbline.sweep.looking import Look
from plumbline.sweep.units import Unit, numbered
from plumbline.wakes.messages import Task

#: A unit with less time left than this sends the rest of itself back. A read that AWS throttles may take half a minute,
#: see `clients.PATIENT`, and one control's bulk read takes seconds.
_ENOUGH_MILLISECONDS = 45_000
#: Who had more than this when he began, and has come nowhere, never comes further.
_MUCH_MILLISECONDS = 120_000
#: Targets that are looked at at a time; AWS's limits of most reads are a few hundred a second, and botocore slows down
#: where AWS says so.
_AT_ONCE = 16
#: `react` settles at least so many findings each second; the digest waits for them, within SQS's longest delay.
_SETTLED_EACH_SECOND = 5
_DIGEST_AFTER_SECONDS, _MOST_SECONDS = 30, 900


@dataclass(frozen=True, slots=True)
class Sweeper:
    """One invocation of sweep.

    Attributes:
        remaining: milliseconds until Lambda stops this invocation.
        silence: tells elsewhere that nobody hears; None where nobody does.
        house: looks at Plumbline itself; None where nobody does.
        unsettled: remembers what is reported, and tells what react does not settle; None where nobody does.
        lookout: sees which regions are governed and heard; None where nobody does.
        failures: tells which functions failed; None where nobody does.
        late: tells of work that waits for react; None where nobody does.
    """

    plumbline: Plumbline
    units: Outlet
    wakes: Outlet
    logger: Log
    clock: Callable[[], datetime]
    remaining: Callable[[], int]
    silence: Silence | None = None
    house: Housekeeper | None = None
    unsettled: Unsettled | None = None
    lookout: Lookout | None = None
    failures: Failures | None = None
    late: Late | None = None

    def begin(self) -> dict[str, int]:
        """Look at Plumbline itself, and send the units of a new sweep on their way, whatever that has shown."""
        try:
            self.look_at_the_house()
        finally:
            self._tell_of_failures()
            reach = self._reach()
            units = [unit for unit in self.plumbline.units(reach) if not self._is_of_the_house(unit)]
            upgrade.bring(self.plumbline, now=self.clock())
            upgrade.meet(self.plumbline, units, now=self.clock())
            units = numbered([due(self.plumbline, one, self.clock()) for one in units], self.clock().isoformat())
            if units:
                self.plumbline.ledger.sweeps.goes_on(self.plumbline.account, Sweep(units[0].sweep, units[0].of))
            units = [*(self._of_forwarders(reach) if reach else ()), *units]
            self.units.send([unit.to_json() for unit in units])
            self.logger.info("sweep begun", extra={"units": len(units)})
        return {"units": len(units)}

    def _tell_of_failures(self) -> None:
        """Tell which functions failed; where that cannot be asked, the next sweep asks about the same hours."""
        try:
            if self.failures is not None:
                self.failures.tell()
        except PlumblineError as error:
            self.logger.error("not asked which functions failed", extra={"reason": str(error)})

    def look_at_regions(self) -> dict[str, int]:
        """See which regions are governed, and send the units of those that are new on their way.

        Raises:
            PlumblineError: the regions could not be looked at, or not be told of.
        """
        if self.lookout is None:
            return {"units": 0}
        before = set(self.lookout.memory.reach().swept)
        units = self.plumbline.units(self.lookout.look())
        new = [unit for unit in units if unit.region not in (*before, GLOBAL) and not self._is_of_the_house(unit)]
        self.units.send([replace(unit, last=False).to_json() for unit in new])
        return {"units": len(new)}

    def look_at_forwarder(self, region: str) -> dict[str, int]:
        """Compare a region's forwarder with how it was deployed, here and now: AWS has told that somebody changed it.

        Args:
            region: which; one that has no forwarder is not looked at, whatever an event says.

        Raises:
            PlumblineError: it could not be looked at, or not be told of.
        """
        units = self._of_forwarders(self.lookout.memory.reach()) if self.lookout is not None else []
        units = [unit for unit in units if unit.region == region]
        for unit in units:
            if self.house is not None:
                self.house.look_elsewhere(unit)
        return {"units": len(units)}

    def _of_forwarders(self, reach: Reach) -> list[Unit]:
        """The controls of the house in each region whose forwarder is there and can be looked at."""
        home = self.plumbline.engine.deployment.home
        units = [unit for unit in self.plumbline.units(reach) if self._is_of_the_house(unit) and unit.region == home]
        return [replace(unit, region=region, last=False) for region in reach.forwarding for unit in units]

    def _reach(self) -> Reach | None:
        """What is seen of regions now; what is known of them, where they cannot be looked at: the sweep goes on."""
        if self.lookout is None:
            return None
        try:
            return self.lookout.look()
        except PlumblineError as error:
            self.logger.error("regions not looked at", extra={"reason": str(error)})
            return None

    def look_at_the_house(self, left_out: Collection[str] = ()) -> dict[str, int]:
        """Look at Plumbline itself, here and now, and tell what waits.

        Waiting for answers is most of what it costs, so what does not hang on the look goes beside it.

        Args:
            left_out: kinds of its parts that are not looked at this time.

        Raises:
            PlumblineError: it could not be looked at, or not be told of.
        """
        here = self.plumbline.units(Reach())  # which other regions there are, nobody has to know
        units = [unit for unit in here if self._is_of_the_house(unit)]
        now, critical = self.clock(), Digests(self.plumbline.engine.notifier).critical
        with ThreadPoolExecutor() as threads, ExitStack() as rest:  # whatever one of them raises, the others are told
            rest.callback(critical, self.plumbline.account, now=now)  # what the look has found may be among it
            beside = [threads.submit(one) for one in self._what_waits()]
            for one in beside:
                rest.callback(one.result)
            for unit in units:
                if self.house is not None:
                    self.house.look(unit, left_out)
        self.logger.info("house looked at", extra={"units": len(units)})
        return {"units": len(units)}

    def _look_at_the_house_in(self, unit: Unit) -> None:
        """Look at a forwarder; or at all of home: a person has asked for a sweep."""
        if unit.region in (self.plumbline.engine.deployment.home, GLOBAL) or self.house is None:
            self.look_at_the_house()
        else:
            self.house.look_elsewhere(unit)

    def _what_waits(self) -> Iterator[Callable[[], object]]:
        """What tells that react has left something, or not begun, and that sweeps do not end or begin."""
        if self.late is not None:
            yield self.late.tell
        if self.unsettled is not None:
            yield from (self.unsettled.tell, self.unsettled.tell_of_sweeps)

    def _is_of_the_house(self, unit: Unit) -> bool:
        return any(self.plumbline.index.entries[one].house for one in unit.controls)

    def record(self, record: Any) -> None:  # noqa: ANN401 - an SQS record: Powertools' type or a plain dict
        """Look through the unit that one SQS record names.

        Raises:
            PlumblineError: the unit cannot be read, or ledger or queue are down; the record comes back.
        """
        unit = Unit.from_json(record["body"]).understood(self.plumbline.index)
        if unit.asked:
            self._search(unit)
            return
        if self._is_of_the_house(unit):
            self._look_at_the_house_in(unit)
            return
        left, told_together, broken = self._look_through(unit)
        if left.controls:
            self._send_back(unit, left, broken)
        through = not left.controls and self._is_through(unit, broken)
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

    def _search(self, unit: Unit) -> None:
        """Look for what an event meant without naming it, for as long as there is time; react settles what is found."""
        left: Unit | None = unit
        for found in self.plumbline.search(unit, more=self._has_time, at_once=_AT_ONCE):
            self.wakes.send([wake.to_json() for wake in found.wakes])
            left = found.left
            self.logger.info("searched", extra={"control": unit.controls[0], "wakes": len(found.wakes)})
        if left is not None:
            self.units.send([left.to_json()])

    def _look_through(self, unit: Unit) -> tuple[Unit, int, list[Look]]:
        """Look for as long as there is time, and send what that finds.

        Returns:
            what is left of the unit; how much is told together: what the first sweep finds, and what cannot be looked
            at; and the looks that broke.

        Raises:
            PlumblineError: there was time, and not one target could be looked at; or ledger or queue are down.
        """
        left, told_together = unit, 0
        broken: list[Look] = []
        looks: dict[str, Look] = {}
        reported = dict(self.unsettled.memory.reported()) if self.unsettled is not None else {}
        began = self.remaining()
        found = self.plumbline.look(unit, now=self.clock(), more=self._has_time, at_once=_AT_ONCE)
        at_a_cut = True  # all that look along a stretch say what they saw of it
        while left.controls and (not at_a_cut or self._has_time()) and (look := next(found, None)) is not None:
            if look.error is not None:
                broken.append(look)
                reason = f"{type(look.error).__name__}: {look.error}"
                self.logger.error(
                    "not looked", extra={"control": look.control, "region": unit.region, "reason": reason}
                )
            sent = self.clock()  # before it is sent: react may be quicker than the note of it
            self.wakes.send([wake.to_json() for wake in look.wakes])
            if self.unsettled is not None:
                self.unsettled.note(unit, look, reported, at=sent)
            told_together += len(look.wakes) if look.adopts else look.unseen
            looks[look.control] = replace(look, before=looks.get(look.control, look).before)
            if not look.stretch.upto:  # its last target, or there is nothing to go along
                self.plumbline.looked(unit, looks.pop(look.control))
                extra = {"control": look.control, "region": unit.region, "wakes": len(look.wakes)}
                self.logger.info("looked", extra=extra)
            at_a_cut, left = look.left is not None, look.left or left
        if left.controls and left == unit and began > _MUCH_MILLISECONDS:
            raise PlumblineError(
                f"{', '.join(unit.controls)} could not look at a single target in {unit.region} in time"
            )
        for look in looks.values():
            self.plumbline.looked(unit, look)
        return left, told_together, broken

    def _has_time(self) -> bool:
        return self.remaining() > _ENOUGH_MILLISECONDS

    def _send_back(self, unit: Unit, left: Unit, broken: Sequence[Look]) -> None:
        """Let what is left of a unit be looked at in another invocation, and write down how far this one has come."""
        self.units.send([left.to_json()])
        self.logger.info(
            "unit sent back", extra={"controls": list(left.controls), "region": unit.region, "after": left.after}
        )
        if unit.sweep:
            behind = f" behind {left.after}" if left.after else ""
            where = f"{unit.region} goes on with {left.controls[0]}{behind}"
            sweep = Sweep(unit.sweep, unit.of, blind=_blind(unit, broken), places={unit.number: where})
            self.plumbline.ledger.sweeps.goes_on(unit.account, sweep)

    def _is_through(self, unit: Unit, broken: Sequence[Look]) -> bool:
        """Whether a sweep is over, now that this piece of it is done: pieces end in any order, and some twice."""
        if not unit.sweep:
            return unit.last
        done = Sweep(unit.sweep, unit.of, frozenset({unit.number}), _blind(unit, broken))
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
