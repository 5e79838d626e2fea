"""The bench's virtual clock: what a sweep of a drawn account asks, and how long that takes."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from bench import large
from bench.drawn import Drawn, Shape
from bench.unhurried import Account, Clock, Eyes
from plumbline.core.calls import Call

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def _eyes() -> Eyes:
    return Eyes(Account(Drawn(Shape(1), NOW)), Clock(), 0.1, Counter(), NOW)


def _key(number: int) -> Call:
    return Call("iam", "ListAccessKeys", {"UserName": f"user-{number:05}"})


def test_a_list_takes_a_read_for_each_page_and_is_whole() -> None:
    eyes = _eyes()
    users = eyes(Call("iam", "ListUsers", {"MaxItems": 100}))["Users"]
    assert (250, 0.3) == (len(users), round(eyes.clock.now, 3))


def test_what_is_known_takes_no_time() -> None:
    eyes = _eyes()
    eyes(_key(1)), eyes(_key(1))
    assert 0.1 == eyes.clock.now


def test_so_many_at_a_time_take_the_time_of_one() -> None:
    eyes = _eyes()
    eyes.many(lambda number: eyes(_key(number)), list(range(1, 33)), lambda: True, 16)
    assert 0.2 == round(eyes.clock.now, 3)


def test_one_that_takes_long_holds_up_those_in_line_and_no_others() -> None:
    eyes = _eyes()

    def work(number: int) -> None:
        for one in range(20 if not number else 1):
            eyes(_key(100 * number + one + 1 if not number else number + 30))

    eyes.many(work, list(range(16)), lambda: True, 4)
    assert 2.0 == round(eyes.clock.now, 3)


def test_two_in_one_another_wait_for_what_is_on_its_way() -> None:
    eyes = _eyes()
    eyes.many(lambda _number: eyes(_key(1)), list(range(8)), lambda: True, 4)
    assert (0.1, 1) == (eyes.clock.now, eyes.asked[_key(1).key])


def test_a_middling_account_is_swept_with_the_reads_that_its_shape_asks_for() -> None:
    for found in large.sweep("1x", 60):
        assert abs(found.reads - found.floor) <= found.floor * 0.05
        assert (0, True, True) == (found.twice, found.longest < found.within, found.swept < 30)
        assert found.wakes > 50


def test_the_time_is_the_templates() -> None:
    assert 300 == large.timeout()
