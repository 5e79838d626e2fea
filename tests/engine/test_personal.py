"""Whatever the owner is told of somebody's user, that person is told too, where the roster knows an address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from plumbline.alerts.alert import Alert
from plumbline.baseline.rules import Letters
from plumbline.core import roster
from plumbline.core.clock import Clock, Response
from plumbline.core.roster import Person
from tests.fakes import LAMP, NOW, House, Lamps

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
HALL = (Person("hall", email="Hall@example.com"),)


@pytest.fixture(autouse=True)
def _lamps_are_somebodys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster, "OF_USERS", (LAMP.kind,))


def _waits(**more: object) -> House:
    clock = Clock(remind=(DAY,), escalate=2 * DAY, act=3 * DAY)
    return House(clocks={"default": clock}, roster=HALL, **more)  # type: ignore[arg-type]


def _told_by_stages(house: House) -> None:
    for days in range(4):
        house.settle(now=NOW + days * DAY)


def _undone(house: House) -> None:
    house.settle()
    house.type("undo", house.finding.short, now=NOW + HOUR)


def _once(house: House) -> None:
    house.settle()


def _after_the_limit(house: House) -> None:
    house.settle()
    house.engine.digest("111122223333", now=NOW + HOUR)


STORIES: list[tuple[str, Callable[[], House], Callable[[House], None], list[str]]] = [
    (
        "told by stages",
        _waits,
        _told_by_stages,
        ["found", "last reminder", "escalated", "repaired"],
    ),
    ("repaired and undone", lambda: House(roster=HALL), _undone, ["repaired", "undone"]),
    ("observed", lambda: House(roster=HALL, response=Response.OBSERVE), _once, ["found"]),
    ("in a digest", lambda: _waits(letters=Letters(per_hour=0)), _after_the_limit, ["digest"]),
]


@pytest.mark.parametrize(("made", "happens", "outcomes"), [one[1:] for one in STORIES], ids=[one[0] for one in STORIES])
def test_the_person_is_told_whatever_the_owner_is(
    made: Callable[[], House], happens: Callable[[House], None], outcomes: list[str]
) -> None:
    house = made()
    happens(house)
    assert outcomes == [alert.attributes["outcome"].replace("-", " ") for alert in house.alerts.letters]
    assert [["hall@example.com"]] * len(outcomes) == [_whom(alert) for alert in house.alerts.letters]


def _whom(alert: Alert) -> list[str]:
    return [one.address for one in alert.personal]


@pytest.mark.parametrize("people", [(), (Person("hall"),), (Person("porch", email="porch@example.com"),)])
def test_where_no_address_of_his_is_known_only_the_owner_is_told(people: tuple[Person, ...]) -> None:
    house = House(roster=people)
    house.settle()
    assert [[]] == [_whom(alert) for alert in house.alerts.letters]


def test_each_hears_of_his_own_alone() -> None:
    house = House(
        aws=Lamps({"hall": {"on": ["a"]}, "porch": {"on": ["a"]}}), roster=(*HALL, Person("porch", email="p@x.y"))
    )
    house.settle()
    (alert,) = house.alerts.letters
    assert ["hall@example.com"] == _whom(alert)
