"""Whether an alarm can warn: judged by what CloudWatch does with it, and not by how alarms usually look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.controls.billing._alarms import METRIC, can_warn, faults, repaired, watches_the_bill
from tests.story import ACCOUNT

LIMIT = 10.0
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:plumbline-alerts"
GOOD = dict(repaired(None, "plumbline-billing", TOPIC, LIMIT))
HOUR, DAY = 3_600, 86_400
USD = {"Name": "Currency", "Value": "USD"}


def _query(**changes: Any) -> dict[str, Any]:
    """The same alarm as the console writes it once a person has looked at its metric's graph: a list of one query."""
    metric = {"Namespace": "AWS/Billing", "MetricName": "EstimatedCharges", "Dimensions": [USD]}
    stat = {"Metric": metric, "Period": 6 * HOUR, "Stat": "Maximum"}
    rest = {name: value for name, value in GOOD.items() if name not in {*METRIC, "Statistic", "Period"}}
    return rest | {"Metrics": [{"Id": "m1", "MetricStat": stat | changes, "ReturnData": True}]}


def _math(expression: str) -> dict[str, Any]:
    alarm = _query()
    made = {"Id": "e1", "Expression": expression, "ReturnData": True}
    return alarm | {"Metrics": [alarm["Metrics"][0] | {"ReturnData": False}, made]}


#: What differs from a good alarm, and why the alarm warns all the same. Unless said otherwise the page is the API
#: reference of PutMetricAlarm.
WARNS: dict[str, dict[str, Any]] = {
    "as the user guide makes it": {},
    "a stricter threshold": {"Threshold": 0.5},
    "above nothing at all": {"Threshold": 0.0},
    "at the threshold": {"ComparisonOperator": "GreaterThanOrEqualToThreshold"},
    "a day's period": {"Period": DAY},
    "a short period": {"Period": 300},
    "a minute": {"Period": 60},
    "gaps count as fine": {"TreatMissingData": "notBreaching"},
    "gaps count as over": {"TreatMissingData": "breaching"},
    "gaps change nothing": {"TreatMissingData": "ignore"},
    "nothing is said of gaps": {"TreatMissingData": None},
    "the day's average": {"Period": DAY, "Statistic": "Average"},
    "the least": {"Statistic": "Minimum"},
    "the sum": {"Statistic": "Sum"},
    "a percentile": {"Statistic": None, "ExtendedStatistic": "p99.9"},
    "unit None": {"Unit": "None"},
    "two readings": {"EvaluationPeriods": 2, "DatapointsToAlarm": 2},
    "nothing is said of how many": {"DatapointsToAlarm": None},
    "one of three days": {"Period": DAY, "EvaluationPeriods": 3, "DatapointsToAlarm": 1},
    "four readings of six hours, gaps fine": {
        "EvaluationPeriods": 4,
        "DatapointsToAlarm": 4,
        "TreatMissingData": "notBreaching",
    },
    "three hours in a row, gaps filled by what is there": {
        "Period": HOUR,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 3,
    },
    "two of a day's hours, gaps fine": {
        "Period": HOUR,
        "EvaluationPeriods": 24,
        "DatapointsToAlarm": 2,
        "TreatMissingData": "notBreaching",
    },
    "other actions beside": {"OKActions": [TOPIC], "InsufficientDataActions": [TOPIC]},
}
#: What differs from a good alarm, and the first fault that this is.
NEVER_WARNS: dict[str, tuple[dict[str, Any], str]] = {
    "a unit": ({"Unit": "Count"}, "waits for readings in Count, and charges have no unit"),
    "any other unit": ({"Unit": "Bytes/Second"}, "waits for readings in Bytes/Second, and charges have no unit"),
    "actions off": ({"ActionsEnabled": False}, "has its actions switched off"),
    "too high": ({"Threshold": 10.01}, "warns above 10.01 USD, not 10"),
    "always over": ({"Threshold": -1.0}, "does not warn when charges rise above its threshold"),
    "always at it": (
        {"Threshold": 0.0, "ComparisonOperator": "GreaterThanOrEqualToThreshold"},
        "does not warn when charges rise above its threshold",
    ),
    "when they fall": (
        {"ComparisonOperator": "LessThanThreshold"},
        "does not warn when charges rise above its threshold",
    ),
    "when they fall or stay": (
        {"ComparisonOperator": "LessThanOrEqualToThreshold"},
        "does not warn when charges rise above its threshold",
    ),
    "outside a band": (
        {"ComparisonOperator": "GreaterThanUpperThreshold", "Threshold": None, "ThresholdMetricId": "ad1"},
        "does not warn when charges rise above its threshold",
    ),
    "how many readings": ({"Statistic": "SampleCount"}, "does not warn when charges rise above its threshold"),
    "what is trimmed may be the charge": (
        {"Statistic": None, "ExtendedStatistic": "TM(:10)"},
        "does not warn when charges rise above its threshold",
    ),
    "a percentile that needs many readings": (
        {"Statistic": None, "ExtendedStatistic": "p90", "EvaluateLowSampleCountPercentile": "ignore"},
        "does not warn when charges rise above its threshold",
    ),
    "two days": ({"Period": DAY, "EvaluationPeriods": 2, "DatapointsToAlarm": 2}, "warns only after 2 days"),
    "a week": ({"Period": 7 * DAY}, "warns only after 7 days"),
    "three hours in a row, gaps fine": (
        {"Period": HOUR, "EvaluationPeriods": 3, "DatapointsToAlarm": 3, "TreatMissingData": "notBreaching"},
        "waits for 3 readings in a row that never come so close together",
    ),
    "three hours in a row, gaps change nothing": (
        {"Period": HOUR, "EvaluationPeriods": 3, "DatapointsToAlarm": None, "TreatMissingData": "ignore"},
        "waits for 3 readings in a row that never come so close together",
    ),
    "one service": ({"Dimensions": [USD, {"Name": "ServiceName", "Value": "AmazonS3"}]}, "watches something else"),
    "one member account": (
        {"Dimensions": [USD, {"Name": "LinkedAccount", "Value": ACCOUNT}]},
        "watches something else",
    ),
    "no currency": ({"Dimensions": []}, "watches something else"),
    "another currency": ({"Dimensions": [{"Name": "Currency", "Value": "CNY"}]}, "watches something else"),
    "another metric": ({"MetricName": "EstimatedCharge"}, "watches something else"),
    "another namespace": ({"Namespace": "aws/billing"}, "watches something else"),
}


def _with(changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (GOOD | changes).items() if value is not None}


@pytest.mark.parametrize("name", WARNS)
def test_it_can_warn(name: str) -> None:
    assert [] == faults(_with(WARNS[name]), {TOPIC: 1}, LIMIT, "")


@pytest.mark.parametrize("name", NEVER_WARNS)
def test_it_can_not(name: str) -> None:
    changes, fault = NEVER_WARNS[name]
    assert [fault] == faults(_with(changes), {TOPIC: 1}, LIMIT, "")
    assert not can_warn(_with(changes), LIMIT)


def test_an_alarm_that_nobody_hears_has_that_fault_first() -> None:
    assert faults(_with({"Unit": "Count"}), {TOPIC: 0}, LIMIT, "")[0] == "tells nobody"


def test_an_alarm_written_as_a_query_is_judged_like_any_other() -> None:
    assert can_warn(_query(), LIMIT)
    assert can_warn(_query(Period=DAY, Stat="p50", Unit="None"), LIMIT)
    assert not can_warn(_query(Unit="Count"), LIMIT)
    assert not can_warn(_query(Stat="SampleCount"), LIMIT)
    assert not can_warn(_query(Period=2 * DAY), LIMIT)


def test_what_an_expression_makes_of_the_charges_is_something_else() -> None:
    assert [watches_the_bill(_math(one)) for one in ("m1", "RATE(m1)", "m1/100")] == [False] * 3


def test_another_accounts_charges_are_something_else() -> None:
    def of(account: str) -> dict[str, Any]:
        alarm = _query()
        return alarm | {"Metrics": [alarm["Metrics"][0] | {"AccountId": account}]}

    assert can_warn(of(ACCOUNT), LIMIT, ACCOUNT)
    assert not can_warn(of("444455556666"), LIMIT, ACCOUNT)


# --- against a small CloudWatch, written from "Configuring how CloudWatch alarms treat missing data" ------------------


def _readings(gap: int, jump: int) -> Iterator[tuple[int, float]]:
    """What AWS publishes: a figure every few hours, which passes the limit at one moment and goes on growing."""
    for at in range(0, 8 * DAY, gap):
        yield at, (0.0 if at < jump else 1_000.0 + at / DAY)


def _value(statistic: str, values: list[float]) -> float:
    every = {"Maximum": max(values), "Minimum": min(values), "Sum": sum(values), "Average": sum(values) / len(values)}
    return every[statistic]


def _goes_off(alarm: dict[str, Any], readings: list[tuple[int, float]]) -> list[int]:
    """The moments at which an alarm is in the state ALARM."""
    period, periods, needed = alarm["Period"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]
    treat, off, state = alarm["TreatMissingData"], [], "INSUFFICIENT_DATA"
    for now in sorted({(at // period + 1 + later) * period for at, _ in readings for later in (0, 1, periods)}):
        points: list[bool | None] = []
        for step in range(periods):
            window = [value for at, value in readings if now - (step + 1) * period <= at < now - step * period]
            points.append(_value(alarm["Statistic"], window) > alarm["Threshold"] if window else None)
        there = [point for point in points if point is not None]
        over, gaps = sum(there), len(points) - len(there)
        if over >= needed or (treat == "breaching" and over + gaps >= needed):
            state = "ALARM"
        elif treat == "missing" and len(there) < needed:
            state = "INSUFFICIENT_DATA" if not there else "ALARM" if all(there) else "OK"
        elif treat != "ignore" or len(there) >= needed:
            state = "OK"
        if state == "ALARM":
            off.append(now)
    return off


@given(
    period=st.sampled_from([60, 300, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY]),
    periods=st.integers(1, 8),
    needed=st.integers(1, 8),
    treat=st.sampled_from(["missing", "ignore", "breaching", "notBreaching"]),
    statistic=st.sampled_from(["Maximum", "Minimum", "Average", "Sum"]),
    threshold=st.floats(0, 2 * LIMIT, allow_nan=False),
    gap=st.integers(2, 6),
    jump=st.integers(0, 3 * 24),
)
def test_whatever_can_warn_does_once_charges_are_past_the_limit(
    period: int, periods: int, needed: int, treat: str, statistic: str, threshold: float, gap: int, jump: int
) -> None:
    alarm = GOOD | {
        "Period": period,
        "EvaluationPeriods": max(periods, needed),
        "DatapointsToAlarm": needed,
        "TreatMissingData": treat,
        "Statistic": statistic,
        "Threshold": threshold,
    }
    if not can_warn(alarm, LIMIT):
        return
    moment = jump * HOUR
    off = _goes_off(alarm, list(_readings(gap * HOUR, moment)))
    # a reading comes within six hours, a period that it falls into is over within a day, and so are those waited for
    assert [at for at in off if moment < at <= moment + 6 * HOUR + 2 * DAY]
