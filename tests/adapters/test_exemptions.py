"""Exemptions, an item each: a wake sees what covers its target and pays little, and nothing is lost on the way there.

DynamoDB Developer Guide, "DynamoDB reads and writes": a strongly consistent read of up to 4 KB is a unit, of a batch
each item is rounded up for itself, and so is one that is not there.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.adapters import dynamodb
from plumbline.core.cause import Origin
from plumbline.core.errors import Conflict, LedgerDown
from plumbline.core.targets import GLOBAL, Target
from plumbline.decisions.exemptions import ANY, Exemption, covering, exactly, literal
from plumbline.engine.case import Outcome
from plumbline.findings.adoption import Adoption, mark
from plumbline.findings.budgets import Budget
from plumbline.findings.hearing import Hearing
from plumbline.findings.packed import size_of
from plumbline.handlers import exemption_notices, upgrade
from tests.fakes import ACCOUNT, CONTROL, LAMP, MALLORY, NOW, House
from tests.table import Table

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_UNIT = 4_096


class Ledger:
    """A ledger on the double of the table, with what each of its reads has cost."""

    def __init__(
        self, seen: Callable[[str, Mapping[str, Any]], None] = lambda *_: None, renamed: Mapping[str, str] | None = None
    ) -> None:
        self.double = Table("ledger", self._count)
        self.table = dynamodb.Table(lambda *_: self.double, "ledger", "us-east-1", renamed=renamed or {})
        self.batches: list[int] = []
        self._seen = seen

    def _count(self, operation: str, request: Mapping[str, Any]) -> None:
        self._seen(operation, request)
        if operation == "BatchGetItem":
            keys = [(one["pk"]["S"], one["sk"]["S"]) for one in request["RequestItems"]["ledger"]["Keys"]]
            self.batches.append(sum(_units(self.items.get(key)) for key in keys))

    @property
    def items(self) -> Mapping[tuple[str, str], Any]:
        """What stands in the table."""
        return self.double.items

    def put(self, sk: str, **attributes: Mapping[str, str]) -> None:
        """Write an item as somebody else would."""
        item = {"pk": {"S": f"account#{ACCOUNT}"}, "sk": {"S": sk}, **attributes}
        self.double.put_item(TableName="ledger", Item=item)

    def of_version_0_1(self, exemptions: Sequence[Exemption]) -> None:
        """All in one item, as version 0.1 wrote it."""
        told = json.dumps([one.to_json() for one in exemptions])
        self.put("exemptions", body={"S": told}, version={"N": "3"})

    def covers(self, control: str, target: Target, now: datetime = NOW) -> Exemption | None:
        """What exempts a target, as a settle sees it."""
        return covering(self.table.brief(control, target, now).exemptions, control, target, now)

    @property
    def all(self) -> tuple[Exemption, ...]:
        """All that is exempt."""
        return self.table.all_exemptions(ACCOUNT)


def _units(item: Any) -> int:
    return max(1, math.ceil(size_of(item) / _UNIT)) if item else 1


def _exemption(target: str, control: str = "lamp-off", days: float = 30, id_: str = "X123") -> Exemption:
    return Exemption(control, target, "ann", "moves in May", NOW + timedelta(days=days), id_, by="arn:ann")


# --- what a wake sees ------------------------------------------------------------------------------------------------


_NAMES = ("bob", "Bob", "a*b", "[x]", "b?b", "hall")
_TARGETS = tuple(Target(ACCOUNT, GLOBAL, kind, name) for kind in ("lamp", "iam-user") for name in _NAMES)
_patterns = st.one_of(
    st.sampled_from(_TARGETS).map(exactly),
    st.sampled_from(_TARGETS).map(str),
    st.sampled_from(
        ("*", "*/lamp/*", "*/iam-user/B*", "*/IAM-USER/bob", "*/lamp/?ob", "*/lamp/[bB]ob", "*[[]x]", "no")
    ),
)
_exemptions = st.builds(
    _exemption,
    target=_patterns,
    control=st.sampled_from(("lamp-off", "lamp-out", "other", ANY)),
    days=st.sampled_from((-1, 0, 0.25, 7, 80)),
    id_=st.sampled_from(("X1", "X2", "X3", "")),
)
_steps = st.lists(
    st.tuples(st.sampled_from(("exempt", "exempt", "instead", "unexempt", "note", "move")), _exemptions), max_size=12
)


@settings(max_examples=300)
@given(before=st.lists(_exemptions, max_size=6), steps=_steps)
def test_a_wake_sees_exactly_what_covers_its_target(
    before: Sequence[Exemption], steps: Sequence[tuple[str, Exemption]]
) -> None:
    """However they came there: by the earlier layout, by the new one, or on the way from one to the other."""
    ledger = Ledger(renamed={"lamp-out": "lamp-off"})
    if before:
        ledger.of_version_0_1(before)
    known = list(dict.fromkeys(replace(one, control=_today(one.control)) for one in before))
    for step, one in steps:
        _do(ledger, step, one, known)
    assert sorted(map(_said, known)) == sorted(map(_said, ledger.all))
    for target in _TARGETS:
        for control in ("lamp-off", "other"):
            seen, everything = ledger.covers(control, target), covering(ledger.all, control, target, NOW)
            assert (everything is None) == (seen is None), (control, target)
            assert everything is None or seen is None or everything.until == seen.until


def _do(ledger: Ledger, step: str, one: Exemption, known: list[Exemption]) -> None:
    """A step of somebody's, and what is known to be exempt after it."""
    one = replace(one, control=_today(one.control))
    if step in ("exempt", "instead"):
        ledger.table.exempt(ACCOUNT, one, NOW, instead=step == "instead")
        if step == "instead":
            known[:] = [other for other in known if not (_same_place(one, other) and other.until > NOW)]
        if not any(_is(one, other) for other in known):  # typed twice is exempt once
            known.append(one)
    elif step == "move":
        ledger.table.move_exemptions(ACCOUNT, NOW)
    elif known:
        chosen = next((other for other in known if _same_place(one, other)), known[0])
        if step == "unexempt":
            ledger.table.unexempt(ACCOUNT, chosen, NOW)
            known[:] = [other for other in known if not _is(chosen, other)]
        else:
            ledger.table.note_exemption(ACCOUNT, chosen, "expiring", NOW)
            told = (*chosen.told, "expiring")
            known[:] = [
                replace(other, told=tuple(dict.fromkeys(told))) if _is(chosen, other) else other for other in known
            ]


def _same_place(one: Exemption, other: Exemption) -> bool:
    return (one.control, one.target) == (other.control, other.target)


def _is(one: Exemption, other: Exemption) -> bool:
    return (_same_place(one, other), one.id, one.until) == (True, other.id, other.until)


def _today(control: str) -> str:
    return "lamp-off" if control == "lamp-out" else control


def _said(one: Exemption) -> tuple[str, ...]:
    return (one.control, one.target, one.id, one.until.isoformat(), *dict.fromkeys(one.told))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("a", "a"), ("a[*]b", "a*b"), ("[[]x]", "[x]"), ("a*", None), ("a[bc]", None), ("a[", None), ("[[*]", None)],
)
def test_what_covers_one_text_alone_is_told_from_what_may_cover_others(pattern: str, expected: str | None) -> None:
    assert expected == literal(pattern)


# --- what a wake pays ------------------------------------------------------------------------------------------------


def _a_ledger_in_use(exemptions: Sequence[Exemption]) -> Ledger:
    """A finding as they are, somebody who is known, counters that count, people who hear, and what is exempt."""
    ledger = Ledger()
    house = House(ledger=ledger.table)  # type: ignore[arg-type]
    ledger.table.adopt(ACCOUNT, CONTROL.id, Adoption(mark(house.engine.rule(CONTROL.id))).to_json())
    ledger.table.note_hearing(ACCOUNT, Hearing(NOW))
    ledger.table.save_pauses(ACCOUNT, {}, 0)
    assert Outcome.REPAIRED.value == house.settle()
    for one in exemptions:
        ledger.table.exempt(ACCOUNT, one, NOW)
    ledger.batches.clear()
    return ledger


_EXACT = [_exemption(f"{ACCOUNT}/global/lamp/attic-{number}", id_=f"X{number:04}") for number in range(500)]
_CHANCE = random.Random(7)  # noqa: S311 - repeatable, not secret
_WIDE = [
    _exemption(f"*/lamp/{_CHANCE.randbytes(4).hex()}-*", days=_CHANCE.uniform(8, 80), id_=f"X{number:04}")
    for number in range(500)
]
_OF_ALL = _exemption(str(LAMP), ANY)
_MOST = 10
_SPREAD = [replace(one, control=f"control-{number % 40}") for number, one in enumerate(_WIDE)]


@pytest.mark.parametrize(
    ("exemptions", "units"),
    [((), 7), (_EXACT, 7), (_SPREAD, _MOST), (_WIDE, _MOST), ((*_EXACT, *_WIDE), _MOST), ((_OF_ALL, *_EXACT), 7)],
    ids=["none", "exact", "patterns of many rules", "patterns of one rule", "both", "of this very target"],
)
def test_a_settle_reads_once_for_ten_units_at_most(exemptions: Sequence[Exemption], units: int) -> None:
    ledger = _a_ledger_in_use(exemptions)
    ledger.table.brief(CONTROL.id, LAMP, NOW, CONTROL.id, Budget.of(CONTROL, MALLORY))
    (paid,) = ledger.batches
    assert paid <= units


def test_what_fits_is_read_after_the_list_of_patterns_alone() -> None:
    ledger = _a_ledger_in_use([*_WIDE, _exemption("*/lamp/h*")])
    assert "X123" == getattr(ledger.covers(CONTROL.id, LAMP), "id", "")
    assert ([1], True) == (ledger.batches[1:], ledger.batches[0] <= _MOST)


def test_a_piece_of_an_adoption_is_read_where_there_are_pieces_alone() -> None:
    ledger = Ledger()
    many = frozenset(f"{ACCOUNT}/global/lamp/{number}" for number in range(3_000))
    ledger.table.adopt(ACCOUNT, "lamp-off", Adoption("m", many).to_json())
    ledger.batches.clear()
    waiting = replace(LAMP, id="4")
    assert str(waiting) in ledger.table.brief("lamp-off", waiting, NOW).adoption.pending
    assert 2 == len(ledger.batches)


# --- people ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("others", ["111122223333/global/lamp/attic", "*/lamp/attic-*"])
def test_two_who_exempt_different_things_at_once_are_not_in_each_others_way(others: str) -> None:
    """The second types while the first is between reading and writing."""
    typed: list[str] = []

    def meanwhile(operation: str, _request: Mapping[str, Any]) -> None:
        if operation in ("PutItem", "TransactWriteItems") and not typed:
            typed.append(others)
            ledger.table.exempt(ACCOUNT, _exemption(others, id_="X2"), NOW)

    ledger = Ledger(meanwhile)
    ledger.table.exempt(ACCOUNT, _exemption("*/lamp/hall-*", id_="X1"), NOW)
    assert {"X1", "X2"} == {one.id for one in ledger.all}
    assert ledger.covers("lamp-off", replace(LAMP, id="hall-1")) is not None
    assert ledger.covers("lamp-off", replace(LAMP, id=others.rpartition("/")[2].replace("*", "1"))) is not None


def test_what_somebody_else_has_ended_is_not_ended_twice() -> None:
    ledger = Ledger()
    ledger.table.exempt(ACCOUNT, one := _exemption("*/lamp/*"), NOW)
    ledger.table.unexempt(ACCOUNT, one, NOW)
    with pytest.raises(Conflict, match="was changed or ended by somebody else"):
        ledger.table.unexempt(ACCOUNT, one, NOW)
    assert ((), None) == (ledger.all, ledger.covers("lamp-off", LAMP))


def test_the_longest_counts_and_what_is_over_is_dropped_once_its_end_was_told() -> None:
    ledger = Ledger()
    short, long = _exemption(str(LAMP), days=0.1), _exemption(str(LAMP), ANY, id_="X9")
    for one in (short, long):
        ledger.table.exempt(ACCOUNT, one, NOW)
    assert long == ledger.covers("lamp-off", LAMP)
    ledger.table.exempt(ACCOUNT, _exemption(str(LAMP), "other"), NOW + DAY)
    assert 3 == len(ledger.all), "nobody was told of its end yet"
    ledger.table.note_exemption(ACCOUNT, short, "expired", NOW + DAY)
    assert {"X9", "X123"} == {one.id for one in ledger.all}
    assert 2 == len(ledger.all)


def test_what_nobody_is_told_of_any_more_is_forgotten_by_the_table_itself() -> None:
    ledger = Ledger()
    after_an_undo = replace(_exemption(str(LAMP), days=1), told=("expiring", "expired"))
    ledger.table.exempt(ACCOUNT, after_an_undo, NOW)
    item = ledger.items[(f"account#{ACCOUNT}", f"exempt#{LAMP}")]
    assert {"N": str(int((NOW + 2 * DAY).timestamp()))} == item["expires"]
    ledger.table.exempt(ACCOUNT, _exemption(str(LAMP)), NOW)
    assert "expires" not in ledger.items[(f"account#{ACCOUNT}", f"exempt#{LAMP}")]


def test_a_name_that_iam_takes_for_the_same_is_exempt_as_well() -> None:
    ledger = Ledger()
    ledger.table.exempt(ACCOUNT, _exemption(f"{ACCOUNT}/global/iam-user/Bob"), NOW)
    assert ledger.covers("lamp-off", Target(ACCOUNT, GLOBAL, "iam-user", "bOB")) is not None
    assert ledger.covers("lamp-off", Target(ACCOUNT, GLOBAL, "lamp", "bob")) is None


# --- what earlier versions wrote -------------------------------------------------------------------------------------


def _earlier() -> list[Exemption]:
    return [*_EXACT[:40], *_WIDE[:40], _exemption(str(LAMP), id_="XHALL")]


def test_what_version_0_1_wrote_is_read_moved_in_steps_and_counts_once() -> None:
    ledger = Ledger()
    ledger.of_version_0_1(_earlier())
    wide = replace(LAMP, id=f"{_WIDE[3].target.removeprefix('*/lamp/').removesuffix('*')}x")
    ids = sorted(one.id for one in _earlier())
    for moved in (None, 81, 0, 0):
        assert moved is None or moved == ledger.table.move_exemptions(ACCOUNT, NOW)
        assert ids == sorted(one.id for one in ledger.all)
        assert ["XHALL", _WIDE[3].id] == [getattr(ledger.covers("lamp-off", one), "id", "") for one in (LAMP, wide)]
        assert ledger.covers("lamp-off", replace(LAMP, id="shed")) is None
    body = json.loads(ledger.items[(f"account#{ACCOUNT}", "exemptions")]["body"]["S"])
    assert ([], 40) == (body["earlier"], len(body["patterns"]["lamp-off"]))


class _Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("at", range(12))
def test_a_move_that_is_killed_anywhere_goes_on_where_it_stopped(at: int) -> None:
    writes = [at]

    def kill(operation: str, _request: Mapping[str, Any]) -> None:
        if operation in ("PutItem", "TransactWriteItems"):
            writes[0] -= 1
            if not writes[0]:
                raise _Killed

    ledger = Ledger()
    ledger.of_version_0_1(_earlier()[-10:])
    ledger._seen = kill
    for _ in range(4):
        with suppress(_Killed):
            ledger.table.move_exemptions(ACCOUNT, NOW)
        assert 10 == len(ledger.all)
        assert "XHALL" == getattr(ledger.covers("lamp-off", LAMP), "id", "")
    assert 0 == ledger.table.move_exemptions(ACCOUNT, NOW)


def test_the_first_sweep_after_an_upgrade_moves_them_and_whoever_types_meanwhile_is_no_trouble() -> None:
    ledger = Ledger()
    ledger.of_version_0_1(_earlier())
    plumbline = House(ledger=ledger.table).plumbline  # type: ignore[arg-type]
    assert 81 == upgrade.bring(plumbline, now=NOW)
    ledger.table.unexempt(ACCOUNT, _EXACT[7], NOW)
    ledger.table.exempt(ACCOUNT, replace(_WIDE[7], id="XNEW"), NOW, instead=True)
    assert 0 == upgrade.bring(plumbline, now=NOW + HOUR)
    expected = {one.id for one in _earlier()} - {_EXACT[7].id, _WIDE[7].id} | {"XNEW"}
    assert expected == {one.id for one in ledger.all}


@pytest.mark.parametrize("moves", range(3))
def test_the_end_of_one_that_version_0_1_wrote_is_told_once(moves: int) -> None:
    ledger = Ledger()
    ended = replace(_exemption(str(LAMP), days=-1), told=("expiring",))
    ledger.of_version_0_1([ended, *_EXACT[:3]])
    for _ in range(moves):
        ledger.table.move_exemptions(ACCOUNT, NOW)
    house = House(ledger=ledger.table)  # type: ignore[arg-type]
    assert [1, 0, 0] == [exemption_notices.tell_due(house.plumbline, now=NOW + n * HOUR) for n in range(3)]
    assert 3 == len(ledger.all)


@pytest.mark.parametrize("began", [(), tuple(_EXACT[:2])])
def test_an_earlier_version_repairs_nothing_rather_than_what_is_exempt_elsewhere(began: Sequence[Exemption]) -> None:
    """It would look for all exemptions in the list. A later form than it knows makes it stop: see schema.py."""
    ledger = Ledger()
    if began:
        ledger.of_version_0_1(began)
    ledger.table.exempt(ACCOUNT, _exemption(str(LAMP)), NOW)
    assert {"N": "2"} == ledger.items[(f"account#{ACCOUNT}", "exemptions")]["v"]


def test_a_list_of_a_later_version_is_refused() -> None:
    ledger = Ledger()
    ledger.put("exemptions", body={"S": "{}"}, v={"N": "3"})
    with pytest.raises(LedgerDown, match="a later version of Plumbline wrote exemptions"):
        ledger.covers("lamp-off", LAMP)


def test_a_finding_of_an_exempt_target_is_settled_as_exempt() -> None:
    ledger = Ledger()
    house = House(ledger=ledger.table)  # type: ignore[arg-type]
    ledger.table.exempt(ACCOUNT, _exemption("*/lamp/h*"), NOW)
    assert "exempt" == house.settle(origin=Origin.SWEEP)
    assert ["exempt"] == [one.status.value for one in ledger.table.open_findings(ACCOUNT)]
