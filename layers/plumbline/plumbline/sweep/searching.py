"""Looking for what an event meant without naming it, where that is more than react can look through.

Everybody's buckets, say, when the account's access block was taken away. It goes along the targets in stretches as a
look through a unit does, can be cut off likewise, and ends in wakes, each with the event that led there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from plumbline.baseline.rules import Rule
from plumbline.core.control import Control
from plumbline.core.stretch import Stretch
from plumbline.engine.expanding import Expanding, meant
from plumbline.engine.surveying import Survey, Visit, look_along, sorted_out, survey
from plumbline.ports import Eyes
from plumbline.sweep.looking import STRETCH
from plumbline.sweep.units import Unit
from plumbline.wakes.messages import Wake


@dataclass(frozen=True, slots=True)
class Found:
    """What was found on a stretch.

    Attributes:
        wakes: for what is out of line there, and what could not be seen.
        left: what is still to be looked at; None where that is nothing.
    """

    wakes: tuple[Wake, ...]
    left: Unit | None


@dataclass(frozen=True, slots=True)
class Search:
    """A look for the targets that a wake stands for.

    Attributes:
        expanding: says which those are, and with which origin each is woken.
        control: what is looked with.
        rule: what the baseline says of it.
        wake: the wake.
        eyes: of the unit's region.
        more: whether there is time for one more target.
        at_once: how many of them are looked at at a time.
    """

    expanding: Expanding
    control: Control
    rule: Rule
    wake: Wake
    eyes: Eyes
    more: Callable[[], bool]
    at_once: int

    def through(self, unit: Unit) -> Iterator[Found]:
        """Stretch after stretch, behind where the unit has come already.

        Raises:
            AwsRefusal: the targets could not be listed. The queue brings the unit again, and the sweep looks as well.
        """
        if self.control.survey is not None:
            yield Found(self._wakes(survey(self.control, self.eyes)), None)
            return
        targets = sorted(meant(self.control, self.rule, self.wake, self.eyes), key=str)
        targets = [one for one in targets if one in Stretch(unit.after)]
        while targets:
            some = {one: [Visit(self.control)] for one in targets[:STRETCH]}
            along = look_along(some, self.eyes, self.more, at_once=self.at_once)
            if not along.count:
                return
            self._raise(along.broken)
            last, targets = targets[along.count - 1], targets[along.count :]
            seen = along.seen.get(self.control.id, Survey({}))
            yield Found(self._wakes(seen), replace(unit, after=str(last)) if targets else None)
        if not targets:
            yield Found((), None)

    def _raise(self, broken: Mapping[str, Exception]) -> None:
        if self.control.id in broken:
            raise broken[self.control.id]

    def _wakes(self, seen: Survey) -> tuple[Wake, ...]:
        deviating, unjudged = sorted_out(self.control, self.rule, seen)
        return self.expanding.wakes(self.control, self.rule, self.wake, deviating, unjudged)
