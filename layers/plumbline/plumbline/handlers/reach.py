"""Which regions are governed, and whether each of them is heard: looked at first in every sweep.

No alarm stands in another region, and nothing there has to report that it is broken: here it is missed. What is wrong
is told once, whichever region it is in, and keeps no other from being looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from plumbline.core.errors import AwsRefusal
from plumbline.core.reach import TROUBLES, Reach, Region, forwarding, governed, news, opened
from plumbline.engine.settle import Engine
from plumbline.handlers.react import Log
from plumbline.ports import Alerts

_AT_ONCE = 8
#: A forwarder that CloudFormation could not make is made anew so often: who denies it, denies it for long.
_AGAIN = timedelta(days=1)
_TOLD_FOR = timedelta(days=7)
#: How often CloudWatch is asked which rules of a forwarder failed, for it charges for each region. A forwarder that is
#: dead gives no sign of life, and what it could not deliver waits in its queue: both are looked at by every sweep.
_ASKED_EACH = 6
#: How AWS refuses somebody whose region is switched off, by service.
_SWITCHED_OFF = ("AuthFailure", "InvalidClientTokenId", "OptInRequired", "UnrecognizedClientException")


_Answer = TypeVar("_Answer")


class Regions(Protocol):
    """What AWS says of regions and forwarders; see adapters/reach.py."""

    def usable(self) -> Sequence[str]:
        """The regions that the account has switched on, or raise."""

    def forwarders(self) -> Mapping[str, str]:
        """Region -> what is wrong with its forwarder as a stack, or raise."""

    def forward(self, regions: Sequence[str]) -> None:
        """Have the forwarders of some regions made, or raise."""

    def signs(self) -> Mapping[str, datetime]:
        """Region -> its last sign of life since they were asked for, or raise."""

    def undelivered(self, region: str) -> int:
        """How many events its forwarder could not deliver, or raise."""

    def failing(self, region: str, now: datetime) -> Sequence[str]:
        """The rules of its forwarder that failed lately, or raise."""


class Memory(Protocol):
    """What is kept of regions; see adapters/reach.py."""

    def reach(self) -> Reach:
        """What the last sweep saw, or raise."""

    def keep(self, reach: Reach) -> None:
        """Write what this one saw, or raise."""


@dataclass(frozen=True, slots=True)
class Lookout:
    """One look at all regions.

    Attributes:
        engine: says where home is and what the baseline names, and claims what is told.
        regions: AWS.
        memory: what was seen last.
        alerts: where what is about Plumbline itself is told.
    """

    engine: Engine
    regions: Regions
    memory: Memory
    alerts: Alerts
    logger: Log
    clock: Callable[[], datetime]

    def look(self) -> Reach:
        """See which regions are governed and heard, add what is missing, tell what is new, and write it down.

        Raises:
            AwsRefusal: not even the list of regions could be had, and nobody had it before; or an alert was not taken.
            LedgerDown: what was seen cannot be read or written.
        """
        now, before = self.clock(), self.memory.reach()
        usable = self._usable(before)
        nothing: Mapping[str, datetime] = {}
        signs = self._asked(self.regions.signs, nothing)
        stacks: Mapping[str, str] | None = self._asked(self.regions.forwarders, None)
        wanted = set(self.engine.baseline.regions)
        names = wanted or usable | _left_behind(before, usable, stacks)
        known = governed(before, names, forwarding(self.engine.deployment.home, names, usable), now)
        seen = {
            name: replace(one.hearing(signs.get(name), now), troubles=_switched_off(name, usable))
            for name, one in known.items()
        }
        if stacks is not None:
            seen = self._with_forwarders(before, seen, stacks, now)
        reach = Reach(now, self._looked(seen, now, before))
        self._tell(before, reach, now)
        self.memory.keep(reach)
        return reach

    def _usable(self, before: Reach) -> set[str]:
        try:
            return set(self.regions.usable())
        except AwsRefusal as error:
            if not before.regions:
                raise
            self.logger.error("regions not listed", extra={"reason": str(error)})
            return {name for name, one in before.regions.items() if not one.is_denied}

    def _asked(self, ask: Callable[[], _Answer], otherwise: _Answer) -> _Answer:
        """An answer, and what stands for one that AWS refuses: the regions are looked at all the same."""
        try:
            return ask()
        except AwsRefusal as error:
            self.logger.error("regions not asked about", extra={"reason": str(error)})
            return otherwise

    def _with_forwarders(
        self, before: Reach, seen: Mapping[str, Region], stacks: Mapping[str, str], now: datetime
    ) -> dict[str, Region]:
        """The regions, with what is wrong with their forwarders as stacks; those that are missing are on their way."""
        ours = {name: one for name, one in seen.items() if one.forwards and not one.is_denied}
        absent = [name for name in ours if name not in stacks]
        broken = [name for name in ours if stacks.get(name)]
        due = [name for name in broken if (tried := ours[name].tried) is None or now - tried >= _AGAIN]
        if absent or due:
            self._asked(lambda: self.regions.forward([*absent, *due]), None)
        made = dict(seen)
        for name in absent:
            waited = before.regions.get(name, made[name]).troubles.keys() & {"absent", "coming"}
            made[name] = replace(made[name], troubles={"absent" if waited else "coming": ""})
        for name in broken:
            tried = now if name in due else made[name].tried
            made[name] = replace(made[name], tried=tried, troubles={"broken": stacks[name]})
        return made

    def _looked(self, seen: Mapping[str, Region], now: datetime, before: Reach) -> dict[str, Region]:
        """The regions, with what is seen there; each by itself."""
        there = [name for name, one in seen.items() if one.forwards and not one.troubles]

        def look(name: str) -> dict[str, str]:
            known = before.regions.get(name)
            return self._look_into(name, seen[name], now, None if _has_to_ask(before.at, now) else known)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = dict(zip(there, pool.map(look, there), strict=True))
        return {name: replace(one, troubles={**one.troubles, **found.get(name, {})}) for name, one in seen.items()}

    def _look_into(self, name: str, one: Region, now: datetime, known: Region | None) -> dict[str, str]:
        """What is wrong with a forwarder; which rules failed is asked, where it is not known from some hours ago."""
        troubles = {"silent": ""} if one.is_silent(now) else {}
        try:
            if left := self.regions.undelivered(name):
                troubles["undelivered"] = f"{left} of them"
            if known is not None and known.forwards and not known.is_denied:
                failing = known.troubles.get("failing", "")
            else:
                failing = ", ".join(self.regions.failing(name, now))
            if failing:
                troubles["failing"] = failing
        except AwsRefusal as error:
            if error.is_from_above or error.code in _SWITCHED_OFF:
                return {"covered by denial": str(error)}
            troubles["unseen"] = str(error)
        return troubles

    def _tell(self, before: Reach, reach: Reach, now: datetime) -> None:
        """Told, then written down: a process that dies in between tells once more, and nothing stays untold."""
        added, wrong = opened(before, reach), news(before, reach)
        if not (added or wrong):
            return
        from plumbline.alerts import reach as alerts  # an exception; no look pays for it

        notifier, sender = replace(self.engine, alerts=self.alerts).notifier, self.engine.deployment.sender
        if added:
            notifier.send_once(f"governed#{','.join(added)}", alerts.added(added, sender), now=now, within=_TOLD_FOR)
        if wrong:
            lines = [f"{name} {TROUBLES[trouble]}{f': {said}' if said else ''}" for name, trouble, said in wrong]
            key = ",".join(sorted(f"{name}/{trouble}" for name, trouble, _ in wrong))
            notifier.send_once(
                f"reach#{key}@{now:%Y-%m-%dT%H}", alerts.troubled(lines, sender), now=now, within=_TOLD_FOR
            )


def _has_to_ask(before: datetime | None, now: datetime) -> bool:
    """Whether this is the first sweep of the next some hours: no sweep has to remember what another has asked."""
    if before is None or now - before >= timedelta(hours=_ASKED_EACH):
        return True
    return before.hour // _ASKED_EACH != now.hour // _ASKED_EACH


def _left_behind(before: Reach, usable: set[str], stacks: Mapping[str, str] | None) -> set[str]:
    """The regions that were governed and were switched off since, for as long as a forwarder of theirs is on the books.

    Nobody can take it away there, and whoever switches a region off may have a reason to want it unheard.
    """
    gone = {name for name, one in before.regions.items() if one.governed} - usable
    return gone if stacks is None else gone & stacks.keys()


def _switched_off(name: str, usable: set[str]) -> dict[str, str]:
    return {} if name in usable else {"covered by denial": "it is switched off"}
