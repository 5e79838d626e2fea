"""The eyes while many look at once: what several ask is read once, what is about one target is forgotten with it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import datetime, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from plumbline.adapters.accounts import Reader
from plumbline.core.calls import Call
from plumbline.core.errors import AwsRefusal, LedgerDown
from plumbline.core.targets import GLOBAL, Target

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)
LIST = Call("s3", "ListBuckets")


def _about(name: str) -> Call:
    return Call("s3", "GetBucketAcl", {"Bucket": name})


def _target(name: str) -> Target:
    return Target("111122223333", GLOBAL, "s3-bucket", name)


class Slow:
    """A client of S3 whose answers take their time, and are counted."""

    def __init__(self, refused: int = 0) -> None:
        self.asked: Counter[str] = Counter()
        self.refused = refused
        self.meta = self
        self.service_model = self
        self.input_shape = self
        self.members: tuple[str, ...] = ()

    def operation_model(self, _name: str) -> Slow:
        """No operation takes an owner."""
        return self

    def can_paginate(self, _method: str) -> bool:
        """None has pages."""
        return False

    def list_buckets(self, **_asked: str) -> dict[str, Any]:
        """Slow."""
        return self._answer("list")

    def get_bucket_acl(self, **asked: str) -> dict[str, Any]:
        """Slow."""
        return self._answer(asked["Bucket"])

    def _answer(self, what: str) -> dict[str, Any]:
        time.sleep(0.002)
        self.asked[what] += 1
        if self.refused:
            self.refused -= 1
            raise ClientError({"Error": {"Code": "Throttling"}}, what)
        return {"said": what}


def _eyes(client: Slow) -> Reader:
    return Reader(lambda *_named: client, "111122223333", GLOBAL, "us-east-1", "", NOW)


def test_what_many_ask_at_once_is_read_once() -> None:
    client = Slow()
    eyes = _eyes(client)
    found = eyes.many(lambda _number: eyes(LIST), list(range(40)), lambda: True, 16)
    assert ([{"said": "list"}] * 40, {"list": 1}) == (found, client.asked)


def test_a_refusal_is_no_answer_and_the_next_one_asks() -> None:
    client = Slow(refused=1)
    eyes = _eyes(client)
    with pytest.raises(AwsRefusal):
        eyes(LIST)
    assert [eyes(LIST), eyes(LIST)] == [{"said": "list"}] * 2
    assert client.asked == {"list": 2}


def test_what_is_about_a_target_is_asked_once_while_it_is_looked_at_and_forgotten_with_it() -> None:
    client = Slow()
    eyes = _eyes(client)
    first = eyes.about(_target("acme"))
    for call in (_about("acme"), _about("acme"), _about("other"), LIST):
        first(call)
    eyes.about(_target("other"))(_about("other"))
    for call in (_about("acme"), _about("other"), LIST):
        eyes(call)
    assert {"acme": 2, "other": 2, "list": 1} == client.asked


@given(st.integers(0, 40), st.integers(1, 16), st.integers(0, 40))
def test_they_begin_in_order_and_what_comes_of_the_first_ones_is_given(count: int, at_once: int, time_for: int) -> None:
    begun: list[int] = []
    left = iter(range(time_for))

    def work(number: int) -> int:
        begun.append(number)
        return number * 2

    found = _eyes(Slow()).many(work, list(range(count)), lambda: next(left, None) is not None, at_once)
    assert found == [2 * number for number in range(min(count, time_for))]
    assert sorted(begun) == list(range(min(count, time_for)))


def test_so_many_run_at_a_time_and_no_more() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work(_number: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with lock:
            running -= 1

    _eyes(Slow()).many(work, list(range(60)), lambda: True, 16)
    assert 8 <= most <= 16


def test_what_goes_wrong_in_one_is_raised_when_the_others_are_done() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        if number == 3:
            raise LedgerDown("no")
        done.append(number)

    with pytest.raises(LedgerDown):
        _eyes(Slow()).many(work, list(range(80)), lambda: True, 4)
    assert 79 > len(done) >= 3


def test_one_that_takes_long_holds_up_no_other() -> None:
    slow, quick = threading.Event(), []

    def work(number: int) -> None:
        if number:
            quick.append(number)
            if len(quick) == 12:
                slow.set()
        else:
            assert slow.wait(10), "the others wait for it"

    _eyes(Slow()).many(work, list(range(13)), lambda: True, 4)
    assert 12 == len(quick)


def test_eyes_that_begin_afresh_keep_what_wide_reads_were_told_and_let_go_of_the_rest() -> None:
    client = Slow()
    eyes, wide = _eyes(client), Call("s3", "ListBuckets", wide=True)
    made = eyes.once(lambda ask: [ask(wide), ask(_about("ours"))])
    fresh = eyes.afresh()
    assert fresh.now == eyes.now
    assert made == [fresh(wide), fresh(_about("ours"))]
    assert client.asked == {"list": 1, "ours": 2}
    eyes(wide)
    assert client.asked["list"] == 2, "the eyes before hold nothing any more"


def test_what_is_foreseen_is_read_once_many_at_a_time_and_there_when_it_is_asked() -> None:
    client = Slow()
    eyes = _eyes(client)
    calls = [_about(f"bucket-{number}") for number in range(40)]
    eyes.foresee(calls)
    assert {f"bucket-{number}": 1 for number in range(40)} == dict(client.asked)
    assert [{"said": f"bucket-{number}"} for number in range(40)] == [eyes(call) for call in calls]
    assert 40 == client.asked.total()


def test_a_few_are_left_to_be_asked_one_after_the_other() -> None:
    client = Slow()
    _eyes(client).foresee([_about("one"), _about("two")])
    assert not client.asked


def test_what_aws_refuses_beforehand_is_found_out_by_whoever_asks_for_it() -> None:
    client = Slow(refused=300)
    eyes = _eyes(client)
    calls = [_about(f"bucket-{number}") for number in range(300)]
    eyes.foresee(calls)
    assert client.asked.total() < 150, "where one is refused those behind it in line are not asked"
    with pytest.raises(AwsRefusal):
        eyes(calls[-1])


def test_what_is_made_of_answers_while_one_target_is_looked_at_is_not_about_that_target() -> None:
    client = Slow()
    eyes = _eyes(client)
    eyes.about(_target("mine")).once(lambda ask: ask(_about("mine")))
    eyes(_about("mine"))
    assert {"mine": 1} == dict(client.asked)
