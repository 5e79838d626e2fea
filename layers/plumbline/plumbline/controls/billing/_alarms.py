"""What makes an alarm on the account's estimated charges one that warns. Pure.

Sources: Amazon CloudWatch user guide, "Create a billing alarm to monitor your estimated AWS charges" and "Configuring
how CloudWatch alarms treat missing data"; CloudWatch API reference, PutMetricAlarm.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

REGION = "us-east-1"  # the only region that carries billing data
#: AWS publishes the figure several times a day, at least this often; shorter periods find gaps between readings.
PERIOD_SECONDS = 21_600
#: A warning that takes longer than this comes too late to be one.
_A_DAY = 86_400
#: What shows a rising charge. Sum, of several readings of a growing figure, shows it too soon rather than too late; a
#: trimmed or winsorized mean may trim away the very charge, and a count is no charge.
_STATISTICS = frozenset({"Maximum", "Average", "Minimum", "Sum"})
_PERCENTILE = re.compile(r"p(\d{1,2}(\.\d+)?|100(\.0+)?)")
#: The figure is published without a unit; an alarm on another one waits for data for ever.
_UNITS = ("None", None)
#: How gaps are treated where they cannot stand in for the readings an alarm waits for.
_GAPS_HELP_NOT = ("notBreaching", "ignore")
METRIC: Mapping[str, Any] = {
    "Namespace": "AWS/Billing",
    "MetricName": "EstimatedCharges",
    "Dimensions": [{"Name": "Currency", "Value": "USD"}],  # no ServiceName, no LinkedAccount: the whole bill
}
#: Everything PutMetricAlarm takes but tags, which it leaves as they are: enough to put an alarm back as it was.
_FIELDS = (
    "AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions",
    "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit",
    "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData",
    "EvaluateLowSampleCountPercentile", "Metrics", "ThresholdMetricId", "EvaluationWindow", "WarmUpConfiguration",
    "EvaluationCriteria", "EvaluationInterval", "ActionConfiguration",
)  # fmt: skip
_OWNERS = ("AlarmDescription", "OKActions", "InsufficientDataActions")

Alarm = Mapping[str, Any]
#: Topic -> how many subscriptions are confirmed; None where the topic is gone. Other accounts' topics are not in it.
Topics = Mapping[str, int | None]


def settings_of(alarm: Alarm) -> Alarm:
    """An alarm as PutMetricAlarm takes it, without what CloudWatch itself keeps about it."""
    return {name: alarm[name] for name in _FIELDS if alarm.get(name) not in (None, [], "")}


def watches_the_bill(alarm: Alarm, account: str = "") -> bool:
    """Whether an alarm is on the whole account's estimated charges.

    Args:
        alarm: the alarm.
        account: the account it is in; an alarm may also watch another account's metric.
    """
    return all(_plain(alarm, account).get(name) == value for name, value in METRIC.items())


def can_warn(alarm: Alarm, limit: float, account: str = "") -> bool:
    """Whether an alarm on estimated charges goes off once a day's readings, or fewer, are past the limit.

    Args:
        alarm: the alarm, as DescribeAlarms gives it.
        limit: the most it may wait for, in US dollars. A lower threshold is stricter, and fine.
        account: the account it is in.
    """
    return not _weaknesses(alarm, limit, account)


def faults(
    alarm: Alarm, topics: Topics, limit: float, trusted: str, account: str = "", *, forwarded: bool = False
) -> list[str]:
    """Why an alarm would not warn in time; worst first, empty when it would.

    Args:
        alarm: the alarm.
        topics: who listens to its topics.
        limit: the baseline's threshold in US dollars.
        trusted: a topic of another account that the baseline names; nobody here can see who listens to it.
        account: the account it is in.
        forwarded: whether a forwarder tells of it, whatever its actions are.
    """
    if not watches_the_bill(alarm, account):
        return ["watches something else"]
    told = alarm.get("AlarmActions", ())
    heard = forwarded or any(topics.get(one) or (one == trusted and one not in topics) for one in told)
    return [*([] if heard else ["tells nobody"]), *_weaknesses(alarm, limit, account)]


def _weaknesses(alarm: Alarm, limit: float, account: str) -> list[str]:
    """Why an alarm would not go off, whoever listens; worst first."""
    plain = _plain(alarm, account)
    if not watches_the_bill(alarm, account):
        return ["watches something else"]
    threshold, operator = plain.get("Threshold", -1), plain.get("ComparisonOperator")
    # Always over its threshold, it never passes it: only a change of state tells anybody.
    rises = (operator == "GreaterThanThreshold" and threshold >= 0) or (
        operator == "GreaterThanOrEqualToThreshold" and threshold > 0
    )
    needed = plain.get("DatapointsToAlarm") or plain.get("EvaluationPeriods", 1)
    waits = needed * plain.get("Period", 0)
    facts = {
        "has its actions switched off": plain.get("ActionsEnabled", True),
        f"warns above {threshold:g} USD, not {limit:g}": threshold <= limit,
        "does not warn when charges rise above its threshold": rises and _shows_charges(plain),
        f"waits for readings in {plain.get('Unit')}, and charges have no unit": plain.get("Unit") in _UNITS,
        f"warns only after {waits / _A_DAY:.2g} days": 0 < waits <= _A_DAY,
        f"waits for {needed} readings in a row that never come so close together": _enough_readings(plain, needed),
    }
    return [fault for fault, fine in facts.items() if not fine]


def _plain(alarm: Alarm, account: str) -> Alarm:
    """An alarm on one metric in the older words, where it is written as a list of one query.

    What an expression makes of charges cannot be judged without evaluating it: such an alarm watches something else.
    """
    queries = alarm.get("Metrics") or ()
    if not queries:
        return alarm
    query = queries[0] if len(queries) == 1 else {}
    stat = query.get("MetricStat") or {}
    if not stat or query.get("AccountId", account) != account or query.get("ReturnData") is False:
        return {}
    name = "Statistic" if stat.get("Stat") in {*_STATISTICS, "SampleCount"} else "ExtendedStatistic"
    told = {name: stat.get("Stat"), "Period": stat.get("Period", 0), "Unit": stat.get("Unit")}
    return {**alarm, **stat.get("Metric", {}), **told}


def _shows_charges(plain: Alarm) -> bool:
    if plain.get("Statistic"):
        return plain["Statistic"] in _STATISTICS
    # with few readings a day, one that passes over what is not significant never judges
    significant = plain.get("EvaluateLowSampleCountPercentile") != "ignore"
    return significant and _PERCENTILE.fullmatch(plain.get("ExtendedStatistic") or "") is not None


def _enough_readings(plain: Alarm, needed: int) -> bool:
    """Whether as many readings come as the alarm waits for; one is always enough, and so is one that gaps fill up."""
    if needed == 1 or plain.get("TreatMissingData", "missing") not in _GAPS_HELP_NOT:
        return True
    looked_at: int = plain.get("EvaluationPeriods", 1) * plain.get("Period", 0)
    return plain.get("Period", 0) >= PERIOD_SECONDS or looked_at // PERIOD_SECONDS >= needed


def repaired(alarm: Alarm | None, name: str, topic: str, limit: float, account: str = "") -> Alarm:
    """The alarm made whole: what its owner added (actions, description, a lower threshold) stays.

    Args:
        alarm: as it is; None where there is none.
        name: what it is called.
        topic: whom it tells; empty where a forwarder tells of it.
        limit: the most that it may wait for, in US dollars.
        account: the account it is in.
    """
    alarm = alarm or {}
    watches = watches_the_bill(alarm, account)
    lower = [alarm["Threshold"]] if watches and 0 <= alarm.get("Threshold", -1) < limit else []
    kept = {field: alarm[field] for field in _OWNERS if field in alarm}
    return {
        "AlarmDescription": "Estimated charges of the whole account; kept by Plumbline (billing-alarm).",
        **kept,
        **METRIC,
        "AlarmName": name,
        "ActionsEnabled": True,
        "AlarmActions": _with(alarm.get("AlarmActions", ()), topic),
        "Statistic": "Maximum",
        "Period": PERIOD_SECONDS,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "Threshold": float(min([limit, *lower])),
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "missing",
    }


def _with(actions: Sequence[str], topic: str) -> list[str]:
    return [one for one in (*(one for one in actions if one != topic), topic) if one][-5:]  # it has room for five
