"""Looking through a unit: one control after another, or several along the same targets. Writes nothing to the account.

Controls that list the same kind of thing and read each by itself, such as those of buckets, go along their targets
together, a stretch at a time: what is read of one target is read once, whoever asks, and forgotten with it. A look can
be cut between any two targets; the rest of the unit says where to go on. Controls that glance at each of their targets
(see `Control.glance`) go along theirs likewise, and what they have read in bulk stays. Only what a control makes of
bulk reads alone, such as who is an administrator, cannot be cut: IAM's quotas bound it.

Where many targets are read one by one, a piece of a sweep is split into parts, which several runs look through at the
same time. A first sweep is not: how far it has come is one place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from plumbline.baseline.rules import Rule
from plumbline.core.control import Control
from plumbline.core.errors import AwsRefusal
from plumbline.core.stretch import WHOLE, Stretch
from plumbline.core.targets import Target
from plumbline.engine.surveying import Survey, Visit, goes_one_by_one, is_excepted, listed, look_along
from plumbline.findings.adoption import Adoption
from plumbline.findings.sweeps import Lasts
from plumbline.ports import Eyes
from plumbline.sweep.lasting import found_to_last
from plumbline.sweep.look import Known, Looked, compared, look, out_of_sight, unlisted
from plumbline.sweep.units import Unit, split
from plumbline.wakes.messages import Wake

#: Targets that are looked at before anything is sent: twenty times sixteen, for at the end of each stretch all wait for
#: the last one. At sixty milliseconds a read and eight reads each, so many take ten seconds.
STRETCH = 320
#: A piece with targets for two parts or more is split. Of 20,000 buckets each part has as many as one run of the
#: function looks through at 140 milliseconds a read. Each asks for the list once more, so they are not too many.
PART, _FEWEST_PARTS, _MOST_PARTS = 640, 2, 16


@dataclass(frozen=True, slots=True)
class Look:
    """What one control saw in one unit, or on a stretch of its targets.

    Attributes:
        before: how far its first sweep had come.
        adoption: how far it has come now.
        error: what went wrong in the control itself, where something did.
        unseen: how many of its targets could not be looked at.
        stretch: which of its targets this is about.
        left: what of the unit is still to be looked at after this; None while that is not said: others look along the
            same stretch.
        parts: what of the unit others are to look at, at the same time; then nothing has been looked at yet.
        lasts: what is known by now to last, what was before among it; None where it is as it was.
    """

    control: str
    wakes: list[Wake]
    before: Adoption
    adoption: Adoption
    error: Exception | None = None
    unseen: int = 0
    stretch: Stretch = WHOLE
    left: Unit | None = None
    parts: tuple[Unit, ...] = ()
    lasts: Lasts | None = None

    @property
    def adopts(self) -> bool:
        """Whether there is something that was there before Plumbline and is not settled yet."""
        return bool(self.adoption.pending)


@dataclass(frozen=True, slots=True)
class Looking:
    """A look through a unit.

    Attributes:
        controls: by id.
        rule: what the baseline says of a control, by its id.
        eyes: what is read with.
        known: what the ledger knows of each control.
        now: the time, in UTC.
        more: whether there is time for one more target, where they are looked at one by one.
        at_once: how many of them are looked at at a time.
    """

    controls: Mapping[str, Control]
    rule: Callable[[str], Rule]
    eyes: Eyes
    known: Mapping[str, Known]
    now: datetime
    more: Callable[[], bool]
    at_once: int

    def through(self, unit: Unit) -> Iterator[Look]:
        """Each control's look, the unit's first control first. Whoever takes no more has the rest in `Look.left`."""
        while unit.controls:
            self.eyes.remember({service for one in unit.controls for service in self._read_by(one)})
            first = self.controls[unit.controls[0]]
            together = [one for one in unit.controls if self._goes_along(first, one)] or [first.id]
            rest = replace(unit, controls=tuple(one for one in unit.controls if one not in together), after="", upto="")
            if goes_one_by_one(first):
                for one in self._along([self.controls[one] for one in together], unit, rest):
                    yield one
                    rest = one.left if one.parts and one.left is not None else rest
            else:
                look_all = lambda first=first: look(  # noqa: E731
                    first,
                    self.rule(first.id),
                    self.eyes,
                    self.known[first.id],
                    self.more,
                    now=self.now,
                    at_once=self.at_once,
                )
                yield replace(self._made(first, look_all), left=rest)
            unit = rest

    def _goes_along(self, control: Control, other: str) -> bool:
        """Whether another control looks at the same kind of thing, and both look at one after the other."""
        one = self.controls[other]
        return one.kinds == control.kinds and goes_one_by_one(one) and goes_one_by_one(control)

    def _read_by(self, control: str) -> frozenset[str]:
        """The services that a control asks."""
        return frozenset(read.partition(":")[0] for read in self.controls[control].reads)

    def _along(self, together: Sequence[Control], unit: Unit, rest: Unit) -> Iterator[Look]:
        """Stretch after stretch of what these controls look at, behind where the unit has come already."""
        whose, listing, looks = self._listed(together)
        yield from looks[:-1] if not listing else looks
        if not listing:
            yield replace(looks[-1], left=rest)
            return
        adoptions = {one.id: self.known[one.id].adoption for one in listing}
        targets = [one for one in sorted(whose, key=str) if one in unit.stretch]
        if cuts := self._cuts(unit, listing, targets):
            remainder, parts = split(unit, rest, cuts)
            first, as_it_was = listing[0].id, adoptions[listing[0].id]
            yield Look(first, [], as_it_was, as_it_was, left=remainder, parts=tuple(parts))
            return
        lasts = {one.id: self.known[one.id].lasts for one in listing}
        open_ = {one.id: sorted(self.known[one.id].findings, key=lambda found: str(found.target)) for one in listing}
        named = {name: [str(one.target) for one in findings] for name, findings in open_.items()}
        begin = unit.after
        while True:
            some = {one: whose[one] for one in targets[:STRETCH]}
            along = look_along(some, self.eyes, self.more, at_once=self.at_once)
            stretch = Stretch(begin, str(targets[along.count - 1]) if along.count < len(targets) else unit.upto)
            if targets and not along.count:  # no time for a single one
                return
            targets = targets[along.count :]
            listing, refused = self._still_listing(listing, along.broken, adoptions)
            yield from refused[:-1] if not listing else refused
            if not listing:
                yield replace(refused[-1], left=rest)
                return
            going_on = replace(unit, controls=(*(one.id for one in listing), *rest.controls), after=stretch.upto)
            for control in listing:
                findings = open_[control.id][stretch.among(named[control.id])]
                known = replace(self.known[control.id], findings=findings, adoption=adoptions[control.id])
                seen = along.seen.get(control.id, Survey({}))
                found = self._made(
                    control, self._comparing(control, seen, known, stretch, along.broken), known, stretch
                )
                adoptions[control.id] = found.adoption
                if control.id not in along.broken:
                    lasts[control.id] = self._lasting(control, lasts[control.id], [*some][: along.count], whose, seen)
                is_last = control is listing[-1]
                left = (going_on if targets else rest) if is_last else None
                changed = lasts[control.id] != self.known[control.id].lasts
                yield replace(found, left=left, lasts=lasts[control.id] if changed else None)
            if not targets:
                return
            begin = stretch.upto

    def _cuts(self, unit: Unit, listing: Sequence[Control], targets: Sequence[Target]) -> list[str]:
        """Where to split a piece, as the last target of each part but the last; nowhere where that gains nothing."""
        count = min(_MOST_PARTS, len(targets) // PART)
        if count < _FEWEST_PARTS or not unit.sweep or unit.part:
            return []
        if any(one.glance or self.known[one.id].adoption.goes_on(self.rule(one.id)) for one in listing):
            return []  # each part would read the same in bulk; or write where the others' first sweep has come
        return [str(targets[len(targets) * number // count - 1]) for number in range(1, count)]

    def _still_listing(
        self, listing: Sequence[Control], broken: Mapping[str, Exception], adoptions: Mapping[str, Adoption]
    ) -> tuple[list[Control], list[Look]]:
        """The controls that go on; and what comes of those to whom AWS refused a part of their list."""
        refused = [one for one in listing if isinstance(broken.get(one.id), AwsRefusal)]
        looks = []
        for control in refused:
            known = replace(self.known[control.id], adoption=adoptions[control.id])
            nothing = unlisted(control, self.rule(control.id), self.eyes, known)
            looks.append(self._made(control, lambda nothing=nothing: nothing, known))  # type: ignore[misc]
        return [one for one in listing if one not in refused], looks

    def _listed(self, together: Sequence[Control]) -> tuple[dict[Target, list[Visit]], list[Control], list[Look]]:
        """Each target with the looks at it; these controls; and what came of those that list nothing."""
        whose: dict[Target, list[Visit]] = {}
        listing: list[Control] = []
        looks: list[Look] = []
        for control in together:
            rule, known = self.rule(control.id), self.known[control.id]
            with_finding = {one.target for one in known.findings}
            try:
                found = listed(control, self.eyes)
            except AwsRefusal:
                nothing = unlisted(control, rule, self.eyes, known)
                looks.append(self._made(control, lambda nothing=nothing: nothing))  # type: ignore[misc]
                continue
            except Exception as error:  # noqa: BLE001 -- as in `_made`
                looks.append(Look(control.id, [], known.adoption, known.adoption, error))
                continue
            listing.append(control)
            found = self._worth_a_glance(control, found)
            for target in found:
                # nobody has to know how it is, so no read is spent on it
                if control.glance or target in with_finding or not is_excepted(control, rule, target):
                    whose.setdefault(target, []).append(Visit(control))
            for target in out_of_sight(control, self.eyes, known, found):
                whose.setdefault(target, []).append(Visit(control, listed=False))
        return whose, listing, looks

    def _worth_a_glance(self, control: Control, found: list[Target]) -> list[Target]:
        """What a control that glances has to read at all: not who is in line by his name, nor what is for some time.

        What has a finding is looked at by itself then, being in no list.
        """
        rule, lasts = self.rule(control.id), self.known[control.id].lasts
        if control.glance is None:
            return found
        if control.by_name and control.excepted is not None:
            found = [one for one in found if not control.excepted(one, rule.settings)]
        if control.lasting is None or not lasts.days:
            return found
        who = self.eyes.once(control.lasting.who)
        return [one for one in found if not lasts.spares(who.get(one, ""), rule, self.now)]

    def _lasting(
        self,
        control: Control,
        before: Lasts,
        some: Sequence[Target],
        whose: Mapping[Target, Sequence[Visit]],
        seen: Survey,
    ) -> Lasts:
        """What is known to last once a control has looked along a stretch."""
        if control.lasting is None:
            return before
        mine = [one for one in some if any(visit.control is control and visit.listed for visit in whose[one])]
        shown = [one for one in mine if one not in seen.unreadable]
        who, rule = self.eyes.once(control.lasting.who), self.rule(control.id)
        found = found_to_last(control.lasting, who, shown, seen.states, rule, self.now)
        return before.after(rule, found, self.now)

    def _comparing(
        self, control: Control, seen: Survey, known: Known, stretch: Stretch, broken: Mapping[str, Exception]
    ) -> Callable[[], Looked]:
        def compare() -> Looked:
            if control.id in broken:
                raise broken[control.id]
            return compared(control, self.rule(control.id), self.eyes.region, seen, known, stretch, now=self.now)

        return compare

    def _made(
        self, control: Control, looks: Callable[[], Looked], known: Known | None = None, stretch: Stretch = WHOLE
    ) -> Look:
        before = (known or self.known[control.id]).adoption
        try:
            found = looks()
        except Exception as error:  # noqa: BLE001 -- one control's mistake must not hide what the others see
            return Look(control.id, [], before, before, error, stretch=stretch)
        return Look(control.id, list(found.wakes), before, found.adoption, unseen=found.unseen, stretch=stretch)
