"""A piece with many targets is split into parts, which several runs look through in any order, twice or not."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.core.errors import PlumblineError
from plumbline.core.targets import Target
from plumbline.findings.adoption import Adoption, mark
from plumbline.findings.sweeps import Sweep, label_of, parts
from plumbline.sweep import looking
from plumbline.sweep.units import Unit, numbered
from tests.fakes import ACCOUNT, NOW
from tests.sweep.test_cut import CONTROLS, GLANCING, LAMPS, UNIT, Place

#: One piece of a numbered sweep, and another control behind those that go along the lamps.
PIECE = numbered([UNIT], NOW.isoformat())[0]


def _settled(place: Place | None = None) -> Place:
    """A place whose first sweeps are through, and what they found is settled."""
    place = place or Place()
    for name in CONTROLS:
        place.house.ledger.marks[name] = Adoption(mark(place.plumbline.engine.rule(name))).to_json()
    return place


def _sent(place: Place) -> list[Unit]:
    found = [Unit.from_json(body) for body in place.units.bodies]
    place.units.bodies = []
    return found


def _whole() -> Place:
    place = _settled()
    place.look(PIECE)
    return place


@given(st.integers(0, 10_000))
def test_in_whatever_order_however_often_and_wherever_cut_parts_see_what_the_whole_sees(seed: int) -> None:
    whole, place, chance = _whole(), _settled(), random.Random(seed)  # noqa: S311 -- repeatable, not secret
    with mock.patch.object(looking, "PART", chance.randint(1, 6)), mock.patch.object(looking, "STRETCH", 2):
        place.look(PIECE)
        waiting = _sent(place)
        assert len(waiting) > 1
        assert place.woken == []
        wanted = {one.part for one in waiting}
        done: set[str] = set()
        while waiting:
            assert (place.house.ledger.swept is not None) == (done == wanted)
            one = waiting.pop(chance.randrange(len(waiting)))
            try:
                place.look(one, chance.choice([-1, -1, 3, 9]))
            except PlumblineError:
                waiting.append(one)
                continue
            left = _sent(place)
            done |= {one.part} if not left else set()
            waiting += left
            waiting += [one] if chance.random() < 0.1 else []
    assert set(place.woken) == set(whole.woken)
    assert place.house.ledger.swept == NOW
    assert place.adoptions == whole.adoptions


def test_a_part_looks_at_its_own_and_each_is_looked_at_once() -> None:
    place = _settled()
    with mock.patch.object(looking, "PART", 4):
        place.look(PIECE)
        seen = []
        for one in _sent(place):
            place.house.aws.calls.clear()
            place.look(one)
            seen.append({call.parameters["Name"] for call in place.house.aws.calls if call.operation == "GetLamp"})
    assert [4, 4, 4] == [len(one) for one in seen]
    assert sorted(LAMPS) == sorted(name for one in seen for name in one)


@given(st.data())
def test_who_splits_a_piece_twice_is_done_when_one_of_the_splits_is(data: st.DataObject) -> None:
    """The first run died behind its split, and a lamp came meanwhile, so that the second one cuts elsewhere."""
    place = _settled()
    with mock.patch.object(looking, "PART", 4):
        place.look(PIECE)
        first = _sent(place)
        place.house.aws.lamps["lamp-000a"] = {"on": ["a"]}
        place.look(PIECE)
        second = _sent(place)
        assert {one.part for one in first}.isdisjoint(one.part for one in second)
        for one in data.draw(st.permutations([*first[1:], *second])):
            assert place.house.ledger.swept is None or second == []
            place.look(one)
            second = [other for other in second if other != one]
    assert place.house.ledger.swept == NOW
    assert {target.rpartition("/")[2] for _, target, _ in place.woken} == {*LAMPS, "lamp-000a"}


def test_what_is_not_done_of_a_split_is_told_by_where_its_parts_are() -> None:
    place = _settled()
    with mock.patch.object(looking, "PART", 6), mock.patch.object(looking, "STRETCH", 2):
        place.look(PIECE)
        one, _other = _sent(place)
        place.look(one, 5)
    (sweep,) = place.house.ledger.sweeps.known(ACCOUNT)
    (left,) = _sent(place)
    assert left.part == one.part
    assert sweep.told == f"0 of 1 piece done; global goes on with lamp-off behind {left.after}"


@pytest.mark.parametrize(
    "piece",
    [UNIT, replace(PIECE, part="1_2_abc"), replace(PIECE, upto=f"{ACCOUNT}/global/lamp/lamp-003", part="1_2_abc")],
    ids=["no sweep counts it", "a part", "the first part"],
)
def test_what_is_a_part_or_is_counted_by_no_sweep_is_not_split(piece: Unit) -> None:
    place = _settled()
    with mock.patch.object(looking, "PART", 2):
        place.look(piece)
    assert [] == _sent(place)


def test_a_first_sweep_is_not_split_nor_what_it_found_until_that_is_settled() -> None:
    """How far it has come is one place, which parts would write over each other; so are the targets that wait."""
    place = Place()
    with mock.patch.object(looking, "PART", 2):
        place.look(PIECE)
        assert [] == _sent(place)
        assert [one for one in place.adoptions.values() if one.pending]
        place.look(PIECE)
        assert [] == _sent(place)


def test_what_is_read_in_bulk_is_not_split_for_each_part_would_read_it_anew() -> None:
    with mock.patch.dict(CONTROLS, GLANCING), mock.patch.object(looking, "PART", 2):
        place = _settled()
        place.look(PIECE)
        assert [] == _sent(place)


@pytest.mark.parametrize(
    ("targets", "parts_of_them"), [(0, 0), (1_279, 0), (1_280, 2), (3_200, 5), (20_000, 16), (100_000, 16)]
)
def test_parts_are_about_as_long_as_each_other_and_not_too_many(targets: int, parts_of_them: int) -> None:
    place = _settled()
    look = looking.Looking(
        CONTROLS, place.plumbline.engine.rule, place.house.plumbline.engine.aws.eyes(ACCOUNT, "global"),
        place.plumbline.knowing().of(UNIT, NOW), NOW, lambda: True, 1,
    )  # fmt: skip
    lamps = [Target(ACCOUNT, "global", "lamp", f"{number:06}") for number in range(targets)]
    cuts = look._cuts(PIECE, list(CONTROLS.values()), lamps)
    ends = [-1, *(int(one.rpartition("/")[2]) for one in cuts), targets - 1]
    lengths = [end - begin for begin, end in pairwise(ends)]
    assert (parts_of_them or 1) == len(lengths)
    assert max(lengths) - min(lengths) <= 1


_SPLITS = st.tuples(st.integers(0, 3), st.integers(1, 4), st.sampled_from("ab"))


@given(st.lists(_SPLITS, max_size=6), st.data())
def test_a_piece_is_done_in_one_or_in_all_parts_of_one_split(splits: list[tuple[int, int, str]], data: object) -> None:
    labels = [label_of(number, part) for number, count, which in splits for part in parts(count, which)]
    left_out = data.draw(st.sets(st.sampled_from(labels))) if labels else set()  # type: ignore[attr-defined]
    whole = {
        number for number, count, which in splits
        if not left_out & {label_of(number, part) for part in parts(count, which)}
    }  # fmt: skip
    done = frozenset(labels) - left_out | {"7"}
    assert Sweep("2026-03-02T06:00:00+00:00", 9, done).pieces_done == len(whole) + 1
