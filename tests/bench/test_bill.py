"""What a month costs is counted from one hour, line by line, and nothing of a bill is left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
import yaml

from bench import bill, prices
from bench.bill import BUSY, HOURS, LARGE, QUIET, Item, Run, Watched
from plumbline.core.reach import BEAT
from plumbline.handlers import failures, reach, taking
from tests.deployed import ROOT, properties
from tests.generating import costs

RUN = Run(cpu=0.5, blocked=1.0, answer=0.010)
WATCHED = Watched(
    at="2026-03-02",
    runs=1,
    settles=0,
    swept={"cloudwatch DescribeAlarms": 2, "cloudwatch GetMetricData": 17, "dynamodb PutItem": 2, "dynamodb Query": 9,
           "iam ListUsers": 3, "s3 GetBucketAcl": 3, "s3 ListBuckets": 1, "sqs SendMessage": 4},
    looked={"dynamodb DescribeTable": 1, "dynamodb Query": 1, "sns GetTopicAttributes": 1, "sqs GetQueueAttributes": 4},
    log_bytes=2_100,
    look_log_bytes=100,
    alarms=2,
    forwarders=16,
    sweep=replace(RUN, cpu=2.0), look=RUN, wake=RUN, warm_wake=RUN,
    wake_calls={"dynamodb PutItem": 2, "dynamodb Query": 2, "iam UpdateAccessKey": 1},
)  # fmt: skip


def _line(price: prices.Price, account: bill.Account = QUIET, watched: Watched = WATCHED) -> Item:
    (found,) = (one for one in bill.month(watched, account) if one.price is price)
    return found


def test_a_run_takes_its_share_of_a_core_and_waits_as_long_as_aws_does() -> None:
    assert pytest.approx((0.5 * 1769 / 512 + 1.0 * 6) / 2) == RUN.gigabyte_seconds()
    assert pytest.approx((0.5 + 1.0 * 6) * 1769 / 1024) == RUN.gigabyte_seconds(bill.REACTS)
    asked_nothing = replace(RUN, blocked=0.3, answer=0.0)
    assert pytest.approx(0.5 * 1769 / 1024) == asked_nothing.gigabyte_seconds()


def test_what_is_free_is_taken_off_once() -> None:
    line = Item(prices.ALARMS, 12)
    assert pytest.approx([1.2, 0.2]) == [line.dollars, line.beyond_free]
    assert 0 == Item(prices.ALARMS, 5).beyond_free


def test_each_look_at_itself_is_counted_with_what_it_asks() -> None:
    assert 2 * HOURS == _line(prices.WATCHED).units, "alarms are read by each sweep"
    assert 6 * HOURS == _line(prices.TOPICS).units
    assert (9 + 6 * 1) * HOURS == _line(prices.READS).units
    assert (4 + 6 * 4) * HOURS == _line(prices.QUEUE).parts["calls"]


def test_how_long_work_waits_is_asked_where_there_is_some() -> None:
    asked = [_line(prices.METRICS, account).parts.get("late wakes", 0) for account in (QUIET, BUSY)]
    assert [0, 6 * HOURS] == asked


def test_a_sweep_of_a_quiet_account_is_one_run() -> None:
    parts = _line(prices.COMPUTE).parts
    assert pytest.approx(replace(RUN, cpu=2.0).gigabyte_seconds() * HOURS) == parts["sweeps"]
    assert pytest.approx(6 * RUN.gigabyte_seconds() * HOURS) == parts["looks at itself"]
    assert bill.read().sweep.seconds() * 1000 < taking.ALONE_MILLISECONDS, "else it calls others, which cost as well"


def test_idle_queues_are_what_a_quiet_account_pays_for_queues() -> None:
    queue = _line(prices.QUEUE)
    assert 5 * 3 * 60 * HOURS == queue.parts["idle polls"] == max(queue.parts.values())


def test_an_alarm_on_the_bill_is_one_more() -> None:
    assert 3 == _line(prices.ALARMS).units


def test_the_bench_counts_the_pollers_and_the_memory_that_the_template_has() -> None:
    served = [
        one["ScalingConfig"]["MaximumConcurrency"]
        for one in properties("AWS::Lambda::EventSourceMapping").values()
        if "ScalingConfig" in one
    ]
    assert [bill.AT_ONCE] * bill.POLLED == served
    functions = properties("AWS::Lambda::Function")
    others = {one["MemorySize"] for name, one in functions.items() if name not in ("NamesFunction", "ReactFunction")}
    assert ({bill.MEMORY}, bill.REACTS) == (others, functions["ReactFunction"]["MemorySize"])
    schedule = properties("AWS::Events::Rule")["HouseSchedule"]["ScheduleExpression"]
    assert f"rate({60 // bill.LOOKS} minutes)" == schedule


def test_the_bench_counts_signs_of_life_and_questions_as_often_as_plumbline_gives_and_asks_them() -> None:
    assert timedelta(hours=1) / BEAT == bill._BEATS
    assert (len(failures._FUNCTIONS), timedelta(days=1) / failures._ASKED_EACH) == (
        bill._FUNCTIONS_ASKED,
        bill._FUNCTIONS_ASKED_A_DAY,
    )
    assert bill._RULES_ASKED == 24 / reach._ASKED_EACH
    shipped = yaml.safe_load((ROOT / "baseline.yaml").read_text())["controls"].get("billing-anomalies") or {}
    assert bill._OF_SPENDING == (2 if shipped.get("emails") else 1)


def test_buckets_are_read_once_an_hour() -> None:
    assert LARGE.buckets * LARGE.reads * HOURS == _line(prices.SETTINGS, LARGE).parts["of the others"]
    assert 53 == round(_line(prices.SETTINGS, LARGE).dollars - 3 * HOURS * prices.SETTINGS.dollars)


def test_what_the_ledger_and_queues_are_told_is_no_management_event() -> None:
    assert (2 + 3 + 3 + 1 + 6 * (1 + 1 + 4)) * HOURS == bill.own_events(WATCHED, QUIET)
    copies, analysed = bill.beside(WATCHED, QUIET)
    assert copies.units == analysed.units == bill.own_events(WATCHED, QUIET)


@pytest.mark.parametrize("account", [BUSY, LARGE])
def test_a_larger_account_pays_at_least_as_much_on_each_line(account: bill.Account) -> None:
    quiet = {one.price: one.dollars for one in bill.month(WATCHED, QUIET)}
    assert [] == [one.price.what for one in bill.month(WATCHED, account) if one.dollars < quiet[one.price]]


def test_the_front_page_says_what_a_quiet_account_pays() -> None:
    items = bill.month(bill.read(), QUIET)
    free, without = sum(one.beyond_free for one in items), sum(one.dollars for one in items)
    said = " ".join((ROOT / "README.md").read_text().split())
    assert f"pays {free:.2f} USD a month with all 47 controls, or {without:.2f} where" in said


def test_every_price_is_on_the_page_once_with_aws_own_page_and_what_it_is() -> None:
    page = costs.page(WATCHED)
    charged = [one.price for one in (*bill.month(WATCHED, LARGE), *bill.beside(WATCHED, LARGE))]
    known = [one for one in vars(prices).values() if isinstance(one, prices.Price)]
    assert Counter(known) == Counter(charged)
    assert all(f"| {price.what} |" in page and price.page in page for price in known)
    assert "{" not in page.replace("{mode: off}", "")
