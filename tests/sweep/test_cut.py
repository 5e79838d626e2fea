"""A sweep that is cut off: between any two targets, as often as one likes, its pieces in any order and twice."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.baseline.rules import Rule
from plumbline.compose import Plumbline
from plumbline.controls.index import Index
from plumbline.core.calls import Ask, Call
from plumbline.core.cause import Origin
from plumbline.core.clock import Response
from plumbline.core.control import Control
from plumbline.core.errors import LedgerDown, PlumblineError
from plumbline.core.targets import ALL, State, Target
from plumbline.findings.adoption import Adoption
from plumbline.findings.sweeps import Sweep
from plumbline.handlers.sweep import Sweeper
from plumbline.sweep import looking
from plumbline.sweep.units import Unit, numbered
from plumbline.wakes.messages import Wake
from tests.fakes import ACCOUNT, CONTROL, NOW, House, Lamps
from tests.handlers.test_react import Log, Outlet

UNIT = Unit(ACCOUNT, "global", ("lamp-off", "lamp-cold"), last=True)
#: The same lamps, looked at for something else as well.
CONTROLS: dict[str, Control] = {"lamp-off": CONTROL, "lamp-cold": replace(CONTROL, id="lamp-cold")}
LAMPS = [f"lamp-{number:03}" for number in range(12)]


def _bulbs(ask: Ask, lamp: Target) -> dict[Target, State]:
    """Each lamp has two bulbs, of which AWS tells lamp by lamp."""
    state = ask(Call("lamps", "GetLamp", {"Name": lamp.id.partition("/")[0]}))
    return {replace(lamp, id=lamp.id.replace(ALL, bulb)): state for bulb in ("a", "b")}


def _lamps(ask: Ask) -> list[Target]:
    return [replace(one, id=f"{one.id}/{ALL}") for one in ask(Call("lamps", "ListLamps"))]


#: The same controls, whose targets are the bulbs of lamps.
GLANCING = {name: replace(one, find=_lamps, glance=_bulbs) for name, one in CONTROLS.items()}


@dataclass
class Place:
    """Lamps that two controls look at, and a sweep whose time can be over after any question for it."""

    house: House = field(default_factory=lambda: House(aws=Lamps({name: {"on": ["a"]} for name in LAMPS})))
    units: Outlet = field(default_factory=Outlet)
    wakes: Outlet = field(default_factory=Outlet)
    questions: int = -1
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def plumbline(self) -> Plumbline:
        """Both controls over the same ledger."""
        one = self.house.plumbline
        rules = {name: Rule(self.house.response, self.house.clocks, self.settings) for name in CONTROLS}
        engine = replace(one.engine, controls=CONTROLS, baseline=replace(one.engine.baseline, rules=rules))
        return replace(one, engine=engine, index=Index.of(CONTROLS))

    def look(self, unit: Unit, questions: int = -1) -> None:
        """One invocation; after so many questions for the time it is over, for ever where it is -1."""
        self.questions = questions
        self.sweeper().piece(unit.to_json())

    def sweeper(self) -> Sweeper:
        """A run of the function."""
        return Sweeper(self.plumbline, self.units, self.wakes, Log(), lambda: NOW, self._remaining)

    def _remaining(self) -> int:
        self.questions -= self.questions > 0
        return 1_000 if not self.questions else 300_000

    def sent_back(self) -> Unit | None:
        """What is left of the last unit."""
        return Unit.from_json(self.units.bodies.pop()) if self.units.bodies else None

    @property
    def woken(self) -> list[tuple[str, str, str]]:
        """Control, target and origin of each wake."""
        found = [json.loads(body) for body in self.wakes.bodies]
        return [(one["control"], one["target"], one["origin"]) for one in found if "control" in one]

    @property
    def adoptions(self) -> dict[str, Adoption]:
        """How far each control's first sweep has come."""
        return {name: Adoption.from_json(text) for name, text in self.house.ledger.marks.items()}


def _whole() -> Place:
    place = Place()
    place.look(UNIT)
    return place


@given(st.lists(st.integers(1, 30), max_size=12), st.integers(1, 5))
def test_wherever_a_look_is_cut_all_is_seen_once_and_adopted(cuts: list[int], stretch: int) -> None:
    whole, place = _whole(), Place()
    left: Unit | None = UNIT
    with mock.patch.object(looking, "STRETCH", stretch):
        while left is not None:
            try:
                place.look(left, cuts.pop() if cuts else -1)
            except PlumblineError:  # not one target: the queue brings the same unit again
                continue
            left = place.sent_back()
    assert sorted(place.woken) == sorted(whole.woken)
    assert place.adoptions == whole.adoptions
    assert (place.house.ledger.swept, whole.house.ledger.swept) == (NOW, NOW)


@given(st.lists(st.integers(1, 30), max_size=12), st.integers(1, 5))
def test_wherever_a_look_is_cut_what_hangs_on_each_thing_listed_is_seen_once_and_adopted(
    cuts: list[int], stretch: int
) -> None:
    """A bulk look whose list tells of things on which targets hang, as keys on users: it goes from user to user."""
    with mock.patch.dict(CONTROLS, GLANCING), mock.patch.object(looking, "STRETCH", stretch):
        whole, place = _whole(), Place()
        left: Unit | None = UNIT
        while left is not None:
            try:
                place.look(left, cuts.pop() if cuts else -1)
            except PlumblineError:
                continue
            left = place.sent_back()
    assert 2 * 2 * len(LAMPS) == len(place.woken)
    assert sorted(place.woken) == sorted(whole.woken)
    assert place.adoptions == whole.adoptions
    assert not [one.upto for one in place.adoptions.values() if one.upto]


def test_what_hangs_on_a_thing_that_is_seen_already_is_known_and_what_hangs_on_the_next_has_the_grace() -> None:
    with mock.patch.dict(CONTROLS, GLANCING):
        place = Place()
        place.look(UNIT, 7)
        left = place.sent_back()
        assert left is not None
        adoption, rule = place.adoptions["lamp-off"], place.plumbline.engine.rule("lamp-off")
    assert left.after.endswith("/*")
    seen, last = {one.rpartition("/")[0] for _, one, _ in place.woken}, f"{left.after[:-2]}/new-bulb"
    behind = next(name for name in LAMPS if not any(one.endswith(name) for one in seen))
    assert [False, True] == [
        adoption.knows(one, rule) for one in (Target.parse(last), Target(ACCOUNT, "global", "lamp", f"{behind}/a"))
    ]


def test_where_aws_refuses_what_hangs_on_one_thing_all_of_it_counts_as_not_listed() -> None:
    """As where it refuses the list: settle looks, and tells; what is open goes on."""
    with mock.patch.dict(CONTROLS, GLANCING):
        place = Place()
        place.house.aws.fails["GetLamp"] = [*[""] * 8, "Throttling"]
        place.look(UNIT)
        wakes = [one for one in place.woken if one[1].endswith("*")]
        assert [("lamp-off", f"{ACCOUNT}/global/*/*", "adoption")] == wakes
        assert place.adoptions.keys() == {"lamp-cold"}, "its first sweep has not been made"
        assert place.house.ledger.swept == NOW


def test_what_has_a_finding_and_is_in_no_list_is_looked_at_within_the_time_as_well() -> None:
    """Thousands that were deleted take as long as thousands that are there: the look at them is cut likewise."""
    place = Place()
    place.house.response = Response.ALERT
    place.look(UNIT)
    for target in sorted({target for _, target, _ in place.woken}):
        place.house.engine.settle(Wake("lamp-off", Target.parse(target), Origin.SWEEP), now=NOW)
    place.wakes.bodies, place.house.aws.listed = [], LAMPS[:2]
    place.house.aws.calls = []
    place.look(UNIT, 7)
    left = place.sent_back()
    assert left is not None
    assert len([one for one in place.house.aws.calls if one.operation == "GetLamp"]) < len(LAMPS)
    place.look(left)
    looked = {one.parameters["Name"] for one in place.house.aws.calls if one.operation == "GetLamp"}
    assert set(LAMPS) == looked


def test_what_a_first_sweep_has_not_seen_yet_has_the_grace_and_what_it_has_seen_in_line_has_not() -> None:
    place = Place()
    place.house.aws.lamps[LAMPS[0]]["on"] = []
    rule = place.plumbline.engine.rule("lamp-off")
    place.look(UNIT, 7)
    left = place.sent_back()
    assert left is not None
    adoption = place.adoptions["lamp-off"]
    targets = {name: Target(ACCOUNT, "global", "lamp", name) for name in LAMPS}
    seen = [name for name, one in targets.items() if str(one) <= left.after]
    assert 1 < len(seen) < len(LAMPS)
    assert [adoption.knows(one, rule) for one in targets.values()] == [name != LAMPS[0] for name in LAMPS]
    assert adoption.knows(Target(ACCOUNT, "global", "*", "*"), rule)
    place.look(left)
    assert place.adoptions["lamp-off"].upto == ""
    assert not place.adoptions["lamp-off"].knows(Target(ACCOUNT, "global", "lamp", "lamp-new"), rule)


def test_a_first_sweep_that_is_never_finished_goes_on_where_it_was() -> None:
    """The next sweep begins with the first target: what was seen before is not adopted again."""
    place = Place()
    place.look(UNIT, 7)
    place.house.aws.lamps[LAMPS[0]]["on"] = []
    before, place.wakes.bodies = place.adoptions["lamp-off"], []
    place.house.aws.lamps["lamp-000-new"] = {"on": ["z"]}
    place.look(replace(UNIT))
    origins = {target.rpartition("/")[2]: origin for control, target, origin in place.woken if control == "lamp-off"}
    assert (origins["lamp-000-new"], origins[LAMPS[-1]]) == ("sweep", "adoption")
    assert before.upto
    assert not place.adoptions["lamp-off"].upto


def test_other_settings_in_the_middle_begin_anew_with_the_next_sweep() -> None:
    place = Place()
    place.look(UNIT, 7)
    left = place.sent_back()
    assert left is not None
    old = place.house.ledger.marks["lamp-off"]
    place.settings = {"bulbs": "cold ones"}
    rule = place.plumbline.engine.rule("lamp-off")
    place.look(left)
    assert place.house.ledger.marks["lamp-off"] == old, "nobody has looked at the first ones by these settings"
    assert place.adoptions["lamp-off"].knows(Target(ACCOUNT, "global", "lamp", LAMPS[0]), rule)


@given(st.data())
def test_a_sweep_is_over_when_each_piece_is_done_in_whatever_order_and_however_often(
    data: st.DataObject,
) -> None:
    pieces = numbered(
        [replace(UNIT, region=region) for region in ("global", "eu-west-1", "us-east-1")], NOW.isoformat()
    )
    once = data.draw(st.permutations(pieces))
    order = data.draw(
        st.lists(st.sampled_from(pieces), max_size=4).flatmap(lambda more: st.permutations([*once, *more]))
    )
    place = Place()
    done: set[int] = set()
    for piece in order:
        place.look(piece)
        done.add(piece.number)
        assert (place.house.ledger.swept is not None) == (len(done) == len(pieces))
    assert place.house.ledger.sweeps.known(ACCOUNT) == [Sweep(NOW.isoformat(), 3, frozenset({"0", "1", "2"}))]


def test_a_piece_that_goes_on_is_not_done_and_says_where_it_is() -> None:
    (piece,) = numbered([UNIT], NOW.isoformat())
    place = Place()
    place.look(piece, 7)
    left = place.sent_back()
    assert left is not None
    (sweep,) = place.house.ledger.sweeps.known(ACCOUNT)
    assert place.house.ledger.swept is None
    assert sweep.told == f"0 of 1 piece done; global goes on with lamp-off behind {left.after}"
    place.look(left)
    assert place.house.ledger.swept == NOW


def test_what_a_piece_could_not_look_with_is_known_of_the_sweep() -> None:
    def broken(_ask: object, _target: object) -> State:
        raise LedgerDown("no")

    place = Place()
    controls = {**CONTROLS, "lamp-off": replace(CONTROL, observe=broken)}
    (piece,) = numbered([UNIT], NOW.isoformat())
    with mock.patch.dict(CONTROLS, controls), pytest.raises(PlumblineError, match="lamp-off could not look"):
        place.look(piece)
    (sweep,) = place.house.ledger.sweeps.known(ACCOUNT)
    assert (sweep.is_through, sorted(sweep.blind)) == (True, ["lamp-off in global"])
    assert {"lamp-cold"} == {control for control, *_ in place.woken}, "the others have looked"


def test_what_could_not_look_before_the_cut_is_known_when_the_rest_is_done() -> None:
    def broken(_ask: object, _target: object) -> State:
        raise LedgerDown("no")

    (piece,) = numbered([UNIT], NOW.isoformat())
    place = Place()
    with mock.patch.dict(CONTROLS, {"lamp-off": replace(CONTROL, observe=broken)}), pytest.raises(PlumblineError):
        place.look(piece, 7)
    left = place.sent_back()
    assert left is not None
    place.look(left)
    (sweep,) = place.house.ledger.sweeps.known(ACCOUNT)
    assert (sweep.is_through, sorted(sweep.blind)) == (True, ["lamp-off in global"])


def test_who_has_time_and_comes_nowhere_is_told_of_by_the_queue() -> None:
    with pytest.raises(PlumblineError, match="could not look at a single target"):
        Place().look(UNIT, 2)


def test_what_is_deleted_between_two_pieces_is_gone_and_nothing_else_is() -> None:
    place = Place()
    place.look(UNIT, 7)
    left = place.sent_back()
    assert left is not None
    for name in (LAMPS[0], left.after.rpartition("/")[2], LAMPS[-1]):
        del place.house.aws.lamps[name]
    place.look(left)
    assert set(LAMPS[:-1]) == {target.rpartition("/")[2] for _, target, _ in place.woken}


@pytest.mark.parametrize("after", ["", "zzz", "nowhere/at/all", "111122223333/global/lamp/"])
def test_a_place_from_elsewhere_leaves_out_what_lies_before_it_and_ends(after: str) -> None:
    """Such as one that another version wrote; the next sweep begins anew."""
    place = Place()
    place.look(replace(UNIT, after=after))
    assert place.house.ledger.swept == NOW
    assert place.sent_back() is None


def test_a_unit_of_an_earlier_version_is_understood() -> None:
    body = {"plumbline-unit": 1, "account": ACCOUNT, "region": "global", "controls": ["lamp-off"], "last": True}
    assert Unit.from_json(json.dumps(body)) == Unit(ACCOUNT, "global", ("lamp-off",), last=True)


_NAMES, _NUMBERS = st.text(), st.integers(0, 99)
_UNITS = st.builds(
    Unit, st.just(ACCOUNT), _NAMES, st.tuples(_NAMES), st.booleans(), after=_NAMES, upto=_NAMES, sweep=_NAMES,
    number=_NUMBERS, of=_NUMBERS, part=_NAMES, asked=_NAMES,
)  # fmt: skip


@given(_UNITS)
def test_a_unit_reads_what_it_wrote(unit: Unit) -> None:
    assert Unit.from_json(unit.to_json()) == unit
