"""What a person types, and what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from plumbline import operate
from plumbline.core import Clock
from plumbline.findings import Status
from tests.fakes import LAMP, NOW, House, lamp_prose

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _prose() -> Iterator[None]:
    with lamp_prose():
        yield


@pytest.fixture
def repaired() -> House:
    house = House()
    house.settle()
    return house


def test_undo_puts_back_what_was_and_tells() -> None:
    house = House()
    house.settle()
    answer = house.type("undo", house.finding.short)
    assert answer.ok, answer.text
    assert house.aws.lamps["hall"]["on"] == ["a"]
    assert house.finding.status is Status.UNDONE
    assert house.alerts.subjects[-1] == "undone: lamp hall was on (by mallory)"


def test_what_was_undone_is_left_alone_for_a_day_and_then_judged_afresh(repaired: House) -> None:
    repaired.type("undo", repaired.finding.short)
    assert [repaired.settle(now=NOW + 23 * HOUR), repaired.settle(now=NOW + 24 * HOUR)] == ["exempt", "repaired"]


@pytest.mark.parametrize("typed", ["lower", "spaced"])
def test_an_id_may_be_typed_as_it_was_heard(repaired: House, typed: str) -> None:
    short = repaired.finding.short
    heard = {"lower": short.lower(), "spaced": f" {short} "}[typed].replace("0", "o").replace("1", "l")
    assert repaired.type("undo", heard).ok


def test_undo_is_refused_when_the_target_changed_since(repaired: House) -> None:
    repaired.aws.lamps["hall"]["on"] = ["b"]
    answer = repaired.type("undo", repaired.finding.short)
    assert not answer.ok
    assert "as Plumbline left it: no bulb lit" in answer.text
    assert "as it is now:         b lit" in answer.text
    assert f"plumbline undo {repaired.finding.short} --force" in answer.text
    assert repaired.aws.writes == ["SwitchOff a"]


def test_force_undoes_all_the_same(repaired: House) -> None:
    repaired.aws.lamps["hall"]["on"] = ["b"]
    assert repaired.type("undo", repaired.finding.short, "--force").ok
    assert repaired.aws.lamps["hall"]["on"] == ["b", "a"]


def test_undo_twice_says_so(repaired: House) -> None:
    repaired.type("undo", repaired.finding.short)
    answer = repaired.type("undo", repaired.finding.short)
    assert (answer.ok, "has been undone already" in answer.text) == (False, True)


def test_half_a_repair_can_be_undone() -> None:
    house = House()
    house.aws.lamps["hall"]["on"] = ["a", "b", "c"]
    house.aws.fails["SwitchOff"] = ["", "AccessDenied"]
    house.settle()
    assert house.aws.lamps["hall"]["on"] == ["b", "c"]
    assert house.type("undo", house.finding.short).ok
    assert sorted(house.aws.lamps["hall"]["on"]) == ["a", "b", "c"]


def test_an_undo_that_aws_refuses_half_way_says_what_stands(repaired: House) -> None:
    repaired.aws.fails["SwitchOn"] = ["AccessDenied"]
    answer = repaired.type("undo", repaired.finding.short)
    assert not answer.ok
    assert "AWS refused a part of the undo" in answer.text
    assert repaired.type("undo", repaired.finding.short, "--force").ok


def test_nothing_repaired_nothing_to_undo() -> None:
    house = House(clocks={"default": Clock()})
    house.settle()
    answer = house.type("undo", house.finding.short)
    assert (answer.ok, "has repaired nothing" in answer.text) == (False, True)


def test_an_earlier_life_cannot_be_undone(repaired: House) -> None:
    first = repaired.finding
    repaired.aws.lamps["hall"]["on"] = ["a"]
    repaired.settle(now=NOW + HOUR)
    answer = repaired.type("undo", first.id)
    assert not answer.ok
    assert f"plumbline show {repaired.finding.short}" in answer.text


def test_an_undo_during_a_repair_waits() -> None:
    house = House()
    answers = []
    house.aws.on_write = lambda: answers.append(house.type("undo", house.finding.short))
    house.settle()
    assert "being settled at this moment" in answers[0].text


def test_the_exemption_stands_before_the_undo_writes(repaired: House) -> None:
    seen = []
    repaired.aws.on_write = lambda: seen.append(bool(repaired.ledger.exemptions))
    repaired.type("undo", repaired.finding.short)
    assert seen == [True]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("undo",), "type: plumbline undo FINDING [--force]"),
        (("undo", "7F"), "is no finding's id"),
        (("undo", "7F3K"), "there is no finding 7F3K"),
        (("show", "$(rm -rf)"), "is no finding's id"),
        (("findings", "all"), "type: plumbline findings"),
        (("explode",), "there is no command 'explode'"),
        ((), "Plumbline understands:"),
    ],
)
def test_what_cannot_be_done_says_what_to_type(words: tuple[str, ...], says: str) -> None:
    assert says in House().type(*words).text


@pytest.mark.parametrize("request_", [None, 7, [], {"command": 7}, {"command": [1]}, {"command": "show 'x"}, "status"])
def test_no_request_at_all_is_an_answer_and_never_a_crash(request_: object) -> None:
    answer = operate.answer(House().plumbline, request_, now=NOW)
    assert answer.text
    assert answer.ok is False


def test_a_ledger_that_is_down_is_an_answer_too() -> None:
    house = House()
    house.ledger.down = True
    answer = house.type("status")
    assert (answer.ok, answer.text) == (False, "the ledger is down")


def test_two_ids_that_begin_alike_ask_for_more(repaired: House) -> None:
    from dataclasses import replace

    other = replace(repaired.finding, id=repaired.finding.short + "ZZZZZZ")
    repaired.ledger.history.append(other)
    answer = repaired.type("show", repaired.finding.short)
    assert not answer.ok
    assert repaired.finding.id in answer.text
    assert other.id in answer.text


def test_status_says_what_is_watched_swept_and_open() -> None:
    house = House(clocks={"default": Clock(act=48 * HOUR)})
    house.settle()
    house.ledger.swept = NOW - timedelta(minutes=12)
    answer = house.type("status")
    assert answer.text.splitlines() == [
        "Plumbline, account 111122223333, us-east-1, mode enforce",
        "  controls    1: 1 enforce",
        "  last sweep  12 minutes ago, Monday 2 March 2026, 09:18 UTC",
        "  open        1",
        "",
        f"{house.finding.short}  high      open, next step 2026-03-04 09:30 UTC",
        "      lamp hall is on",
    ]
    assert answer.data["open"][0]["target"] == str(LAMP)


def test_status_says_when_the_sweep_is_late() -> None:
    house = House()
    house.ledger.swept = NOW - 5 * HOUR
    assert "LATE" in house.type("status").text


def test_show_tells_everything(repaired: House) -> None:
    text = repaired.type("show", repaired.finding.short).text
    for fact in (
        "lamp hall is on",
        "repaired",
        "mallory",
        "198.51.100.7",
        "a lit",
        "no bulb lit",
        "lamps:SwitchOff",
        "undo",
    ):
        assert fact in text


def test_findings_of_a_quiet_house() -> None:
    assert House().type("findings").text == "Nothing is open: everything watched is in line with the baseline."
