"""Regions that are switched on are governed, and one that is not heard is missed, told once, and stops no other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from plumbline.core.calls import Call
from plumbline.core.control import Scope
from plumbline.core.errors import AwsRefusal
from plumbline.core.reach import Reach
from plumbline.handlers.operate import commands
from plumbline.handlers.reach import Lookout
from plumbline.handlers.sweep import Sweeper
from plumbline.sweep.units import Unit
from tests.fakes import ACCOUNT, CONTROL, NOW, House, Letterbox
from tests.handlers.test_react import Log, Outlet

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
HOME, IRELAND, SYDNEY, EMIRATES = "us-east-1", "eu-west-1", "ap-southeast-2", "me-central-1"
SCP = AwsRefusal(
    "AccessDenied",
    "User: arn:aws:sts::111122223333:assumed-role/plumbline-sweep/x is not authorized to perform: "
    "sqs:GetQueueAttributes with an explicit deny in a service control policy",
    Call("sqs", "GetQueueAttributes"),
)


@dataclass
class World:
    """What AWS says of regions."""

    on: list[str] = field(default_factory=lambda: [HOME, IRELAND, SYDNEY])
    stacks: dict[str, str] = field(default_factory=lambda: {IRELAND: "", SYDNEY: ""})
    beats: dict[str, datetime] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    failed: dict[str, list[str]] = field(default_factory=dict)
    asked: list[tuple[str, datetime]] = field(default_factory=list)
    refused: dict[str, Exception] = field(default_factory=dict)
    made: list[list[str]] = field(default_factory=list)

    def usable(self) -> Sequence[str]:
        """See handlers.reach.Regions."""
        return self.on

    def forwarders(self) -> Mapping[str, str]:
        """See handlers.reach.Regions."""
        return self.stacks

    def forward(self, regions: Sequence[str]) -> None:
        """See handlers.reach.Regions."""
        self.made.append(list(regions))

    def signs(self) -> Mapping[str, datetime]:
        """See handlers.reach.Regions."""
        beats, self.beats = self.beats, {}
        return beats

    def undelivered(self, region: str) -> int:
        """See handlers.reach.Regions."""
        if region in self.refused:
            raise self.refused[region]
        return self.left.get(region, 0)

    def failing(self, region: str, now: datetime) -> Sequence[str]:
        """See handlers.reach.Regions."""
        self.asked.append((region, now))
        return self.failed.get(region, ())


@dataclass
class Kept:
    """What the ledger keeps of regions."""

    item: Reach = field(default_factory=Reach)
    writes: int = 0

    def reach(self) -> Reach:
        """See handlers.reach.Memory."""
        return Reach.from_json(self.item.to_json())

    def keep(self, reach: Reach) -> None:
        """See handlers.reach.Memory."""
        self.item, self.writes = reach, self.writes + 1


@dataclass
class Watch:
    """Sweeps, an hour from each other."""

    world: World = field(default_factory=World)
    kept: Kept = field(default_factory=Kept)
    told: Letterbox = field(default_factory=Letterbox)
    house: House = field(default_factory=House)
    regions: tuple[str, ...] = ()

    def lookout(self, at: datetime = NOW) -> Lookout:
        """What looks at a time."""
        engine = self.house.engine
        engine = replace(engine, baseline=replace(engine.baseline, regions=self.regions))
        return Lookout(engine, self.world, self.kept, self.told, Log(), lambda: at)

    def hour(self, number: int, *, alive: Sequence[str] = (IRELAND, SYDNEY)) -> Reach:
        """One look, minutes after these regions gave a sign of life."""
        at = NOW + number * HOUR
        self.world.beats |= dict.fromkeys(alive, at - 5 * MINUTE)
        return self.lookout(at).look()

    def troubles(self) -> dict[str, list[str]]:
        """What is wrong with each region."""
        return {name: list(one.troubles) for name, one in self.kept.item.regions.items() if one.troubles}


def test_every_region_that_is_switched_on_is_governed_and_written_down_once() -> None:
    watch = Watch()
    reach = watch.hour(0)
    assert (SYDNEY, IRELAND, HOME) == reach.swept
    assert {HOME: False, IRELAND: True, SYDNEY: True} == {name: one.forwards for name, one in reach.regions.items()}
    watch.hour(1)
    assert (2, [], {}) == (watch.kept.writes, watch.told.letters, watch.troubles())


def test_three_missed_signs_of_life_are_told_once_and_two_are_not() -> None:
    watch = Watch()
    watch.hour(0)
    watch.hour(1, alive=[IRELAND])
    assert {SYDNEY: ["silent"]} == watch.troubles()
    watch.hour(2, alive=[IRELAND])
    assert ["not heard: 1 thing wrong with the forwarders of other regions"] == watch.told.subjects
    watch.hour(3)
    assert {} == watch.troubles()
    watch.hour(4, alive=[IRELAND])
    assert 2 == len(watch.told.letters), "another time"


def test_a_sign_of_life_that_was_made_up_keeps_no_forwarder_alive() -> None:
    """One of years ahead would, until then; and one that comes once more, out of an archive, makes none silent."""
    watch = Watch()
    watch.hour(0)
    watch.world.beats[SYDNEY] = NOW + timedelta(days=10_000)
    watch.hour(1, alive=[IRELAND])
    assert {SYDNEY: ["silent"]} == watch.troubles()
    watch.hour(2)
    watch.world.beats |= {SYDNEY: NOW, IRELAND: NOW}
    watch.lookout(NOW + 2 * HOUR + 30 * MINUTE).look()
    assert {} == watch.troubles()


def test_what_was_just_made_has_its_time_to_give_a_sign() -> None:
    watch = Watch()
    watch.hour(0, alive=[])
    watch.lookout(NOW + 50 * MINUTE).look()
    assert {} == watch.troubles()
    watch.lookout(NOW + 56 * MINUTE).look()
    assert {IRELAND: ["silent"], SYDNEY: ["silent"]} == watch.troubles()
    assert 1 == len(watch.told.letters), "one e-mail for all of them"


def test_a_region_that_is_switched_on_gets_a_forwarder_and_an_e_mail() -> None:
    watch = Watch()
    watch.hour(0)
    watch.world.on.append(EMIRATES)
    assert EMIRATES in watch.hour(1).swept
    assert [[EMIRATES]] == watch.world.made
    assert ["governed: me-central-1 switched on"] == watch.told.subjects
    watch.world.stacks[EMIRATES] = ""
    watch.hour(2, alive=[IRELAND, SYDNEY, EMIRATES])
    assert ([[EMIRATES]], 1, {}) == (watch.world.made, len(watch.told.letters), watch.troubles())


def test_a_forwarder_that_does_not_come_is_told_and_tried_again_each_hour() -> None:
    watch = Watch()
    watch.world.stacks.pop(SYDNEY)
    watch.hour(0)
    watch.hour(1)
    assert ({SYDNEY: ["absent"]}, [[SYDNEY], [SYDNEY]]) == (watch.troubles(), watch.world.made)
    assert 1 == len(watch.told.letters)


def test_one_that_cloudformation_could_not_make_is_told_and_made_anew_once_a_day() -> None:
    watch = Watch()
    watch.world.stacks[SYDNEY] = "Cancelled since failure tolerance has exceeded"
    for number in (0, 1, 2, 24):
        watch.hour(number)
    assert [[SYDNEY], [SYDNEY]] == watch.world.made
    assert {SYDNEY: ["broken"]} == watch.troubles()
    assert 1 == len(watch.told.letters)
    assert "Cancelled since failure tolerance has exceeded" in watch.told.letters[0].body


def test_what_a_policy_of_the_organisation_denies_is_covered_told_once_and_stops_no_other() -> None:
    watch = Watch()
    watch.world.refused[SYDNEY], watch.world.left[IRELAND] = SCP, 3
    for number in (0, 1):
        assert (IRELAND, HOME) == watch.hour(number, alive=[IRELAND]).swept
    assert {SYDNEY: ["covered by denial"], IRELAND: ["undelivered"]} == watch.troubles()
    assert 1 == len(watch.told.letters)


def test_what_is_refused_for_another_reason_cannot_be_looked_at_and_is_swept_all_the_same() -> None:
    watch = Watch()
    watch.world.refused[SYDNEY] = AwsRefusal("InternalError", "try later")
    assert SYDNEY in watch.hour(0).swept
    assert {SYDNEY: ["unseen"]} == watch.troubles()


def test_a_region_that_was_switched_off_and_that_the_baseline_names_is_covered() -> None:
    watch = Watch(regions=(IRELAND, EMIRATES))
    assert (IRELAND,) == watch.hour(0).swept
    assert {EMIRATES: ["covered by denial"]} == watch.troubles()


def test_a_baseline_narrows_the_regions_but_for_where_aws_tells_of_iam() -> None:
    watch = Watch(regions=(IRELAND,), house=House(home=SYDNEY))
    watch.world.stacks = {IRELAND: "", HOME: ""}
    reach = watch.hour(0)
    assert (IRELAND,) == reach.swept
    assert [(HOME, False)] == [(name, one.governed) for name, one in reach.regions.items() if not one.governed]


def test_which_rules_failed_is_asked_four_times_a_day_and_known_in_between() -> None:
    """AWS charges for each region. The sweep of half past eleven is the last before the next look."""
    watch = Watch()
    watch.world.failed[IRELAND] = ["plumbline-s3"]
    asked = []
    for hours in range(9):
        watch.hour(hours)
        asked.append(len(watch.world.asked))
        watch.world.failed.clear()
        watch.world.asked.clear()
        assert ["failing"] * (hours < 3) == watch.troubles().get(IRELAND, []), hours
    assert [2, 0, 0, 2, 0, 0, 0, 0, 0] == asked


def test_a_region_that_is_new_is_asked_about_at_once() -> None:
    watch = Watch()
    watch.hour(0)
    watch.world.asked.clear()
    watch.world.on.append(EMIRATES)
    watch.world.stacks[EMIRATES] = ""
    watch.hour(1, alive=(IRELAND, SYDNEY, EMIRATES))
    assert [EMIRATES] == [region for region, _ in watch.world.asked]


def test_rules_that_fail_are_named() -> None:
    watch = Watch()
    watch.world.failed[IRELAND] = ["plumbline-s3"]
    watch.hour(0)
    assert "eu-west-1 has rules of its forwarder that failed" in watch.told.letters[0].body
    assert "plumbline-s3" in watch.told.letters[0].body


@pytest.mark.parametrize("home", ["cn-north-1", "us-gov-east-1"])
def test_where_no_event_crosses_a_border_nobody_waits_for_one(home: str) -> None:
    watch = Watch(house=House(home=home))
    watch.world.on = [home]
    assert [] == [name for name, one in watch.hour(0).regions.items() if one.forwards]


def test_while_the_list_of_regions_cannot_be_had_the_last_one_holds() -> None:
    watch = Watch()
    watch.hour(0)

    def refused() -> Sequence[str]:
        raise AwsRefusal("RequestLimitExceeded", "later")

    watch.world.usable = refused  # type: ignore[method-assign]
    assert (SYDNEY, IRELAND, HOME) == watch.hour(1).swept


def test_an_opt_in_sends_the_new_regions_units_and_no_others() -> None:
    watch, units = Watch(house=House(control=replace(CONTROL, scope=Scope.EACH))), Outlet()
    watch.hour(0)
    watch.world.on.append(EMIRATES)
    sweeper = Sweeper(
        watch.house.plumbline, units, Outlet(), Log(), lambda: NOW, lambda: 300_000, lookout=watch.lookout(NOW + HOUR)
    )
    sweeper.look_at_regions()
    assert [Unit(ACCOUNT, EMIRATES, (CONTROL.id,))] == [Unit.from_json(one) for one in units.bodies]


def test_a_region_that_is_switched_off_is_told_at_once_and_sends_nothing() -> None:
    watch, units = Watch(house=House(control=replace(CONTROL, scope=Scope.EACH))), Outlet()
    watch.hour(0)
    watch.world.on.remove(IRELAND)
    sweeper = Sweeper(
        watch.house.plumbline, units, Outlet(), Log(), lambda: NOW, lambda: 300_000, lookout=watch.lookout(NOW + MINUTE)
    )
    sweeper.look_at_regions()
    (letter,) = watch.told.letters
    said = (
        "eu-west-1 is covered by denial: nobody here can do anything there, and Plumbline cannot either: it is switched"
    )
    assert [] == units.bodies
    assert said in " ".join(letter.body.split())
    reach = watch.hour(1)
    assert ((SYDNEY, HOME), 1) == (reach.swept, len(watch.told.letters)), "left out, and told once"


def test_a_region_that_was_switched_off_is_forgotten_with_its_forwarder_and_governed_when_it_is_on_again() -> None:
    watch = Watch()
    watch.hour(0)
    watch.world.on.remove(IRELAND)
    watch.hour(1)
    watch.world.on.append(IRELAND)
    assert IRELAND in watch.hour(2).swept
    watch.world.on.remove(IRELAND)
    watch.world.stacks.pop(IRELAND)
    assert IRELAND not in watch.hour(3).regions


def test_a_sweep_looks_where_there_is_something_to_see_and_goes_on_where_that_is_not_known() -> None:
    watch, units = Watch(house=House(control=replace(CONTROL, scope=Scope.EACH))), Outlet()
    watch.world.refused[SYDNEY] = SCP
    sweeper = Sweeper(watch.house.plumbline, units, Outlet(), Log(), lambda: NOW, lambda: 1, lookout=watch.lookout())
    sweeper.begin()
    assert [IRELAND, HOME] == [Unit.from_json(one).region for one in units.bodies]
    watch.world.on, watch.kept.item, units.bodies = [], Reach(), []

    def refused() -> Sequence[str]:
        raise AwsRefusal("RequestLimitExceeded", "later")

    watch.world.usable = refused  # type: ignore[method-assign]
    sweeper.begin()
    assert [HOME] == [Unit.from_json(one).region for one in units.bodies]


@dataclass
class Keeper:
    """Who looks at Plumbline itself: what he was asked to look at; see handlers.house.Housekeeper."""

    home: list[Unit] = field(default_factory=list)
    elsewhere: list[Unit] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)

    def look(self, unit: Unit, left_out: Collection[str] = ()) -> None:
        """See handlers.house.Housekeeper."""
        self.home.append(unit)
        self.left_out.update(left_out)

    def look_elsewhere(self, unit: Unit) -> None:
        """See handlers.house.Housekeeper."""
        self.elsewhere.append(unit)


def _minding(watch: Watch, keeper: Keeper, units: Outlet) -> Sweeper:
    """The sweep's function, with somebody who minds the house."""
    return Sweeper(
        watch.house.plumbline,
        units,
        Outlet(),
        Log(),
        lambda: NOW,
        lambda: 300_000,
        house=keeper,  # type: ignore[arg-type] # of the real one these two are asked
        lookout=watch.lookout(NOW),
    )


def _own() -> Watch:
    """What is watched with one control of Plumbline's own."""
    return Watch(house=House(control=replace(CONTROL, scope=Scope.HOME, house=True)))


def test_a_sweep_has_each_forwarder_that_is_there_compared_by_a_unit_of_its_own() -> None:
    watch, keeper, units = _own(), Keeper(), Outlet()
    watch.world.refused[SYDNEY] = SCP
    sweeper = _minding(watch, keeper, units)
    sweeper.begin()
    (sent,) = units.bodies
    assert (Unit(ACCOUNT, IRELAND, (CONTROL.id,)), []) == (Unit.from_json(sent), keeper.elsewhere)
    assert [Unit(ACCOUNT, HOME, (CONTROL.id,), last=True)] == keeper.home, "home's own is looked at first, and here"
    assert set() == keeper.left_out, "a sweep looks at all of it"
    sweeper.piece(sent)
    assert [Unit(ACCOUNT, IRELAND, (CONTROL.id,))] == keeper.elsewhere


def test_what_aws_tells_of_a_forwarder_has_it_compared_at_once_and_of_a_region_without_one_nothing() -> None:
    watch, keeper = _own(), Keeper()
    watch.hour(0)
    sweeper = _minding(watch, keeper, Outlet())
    assert [{"units": 1}, {"units": 0}, {"units": 0}] == [
        sweeper.look_at_forwarder(name) for name in (IRELAND, EMIRATES, HOME)
    ]
    assert [Unit(ACCOUNT, IRELAND, (CONTROL.id,))] == keeper.elsewhere


def test_status_says_of_each_region_whether_it_is_whole_and_when_it_was_heard() -> None:
    watch = Watch()
    watch.world.left[IRELAND] = 3
    watch.hour(0)
    plumbline = replace(watch.house.plumbline, reach=watch.kept.reach)
    answer = commands.answer(plumbline, {"command": "status"}, now=NOW)
    assert [
        "Regions",
        "  ap-southeast-2  whole, heard 5 min ago, swept never yet",
        "  eu-west-1       undelivered, heard 5 min ago, swept never yet",
        "  us-east-1       home, swept never yet",
    ] == answer.text.partition("\n\n")[2].splitlines()[:4]
    assert "NOT WHOLE eu-west-1 has events that its forwarder could not deliver" in " ".join(answer.text.split())
    assert {SYDNEY, IRELAND, HOME} == set(answer.data["coverage"])
