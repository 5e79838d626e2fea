"""What sweep does: cut a sweep into pieces, take pieces that wait, mind the house. Never writes to the account."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime

from plumbline.compose import Plumbline
from plumbline.core.errors import PlumblineError
from plumbline.core.reach import Reach
from plumbline.core.targets import GLOBAL
from plumbline.engine.digests import Digests
from plumbline.findings.sweeps import Sweep
from plumbline.handlers import upgrade
from plumbline.handlers.failures import Failures
from plumbline.handlers.house import Housekeeper
from plumbline.handlers.late import Late
from plumbline.handlers.pieces import Pieces
from plumbline.handlers.reach import Lookout
from plumbline.handlers.react import Log, Outlet
from plumbline.handlers.silence import Silence
from plumbline.handlers.turns import due
from plumbline.handlers.unsettled import Unsettled
from plumbline.sweep.units import Unit, numbered


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
    _pieces: Pieces = field(init=False, repr=False)

    def __post_init__(self) -> None:
        pieces = Pieces(
            self.plumbline,
            self.units,
            self.wakes,
            self.logger,
            self.clock,
            self.remaining,
            self.silence,
            self.unsettled,
        )
        object.__setattr__(self, "_pieces", pieces)

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

    def piece(self, body: str) -> bool:
        """Do what one message of the units queue asks for.

        Args:
            body: the message.

        Returns:
            whether parts of the piece were sent, for others to look through.

        Raises:
            PlumblineError: the unit cannot be read, or ledger or queue are down; the message comes back.
        """
        unit = Unit.from_json(body).understood(self.plumbline.index)
        if not unit.asked and self._is_of_the_house(unit):
            self._look_at_the_house_in(unit)
            return False
        return self._pieces.done(unit)
