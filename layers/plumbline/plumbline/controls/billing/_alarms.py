"""What makes an alarm on the account's estimated charges one that warns. Pure.

Source: Amazon CloudWatch user guide, Create a billing alarm to monitor your estimated AWS charges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

REGION = "us-east-1"  # the only region that carries billing data
#: AWS publishes the figure several times a day; a shorter period would find gaps.
PERIOD_SECONDS = 21_600
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


def watches_the_bill(alarm: Alarm) -> bool:
    """Whether an alarm is on the whole account's estimated charges."""
    return all(alarm.get(name) == value for name, value in METRIC.items())


def faults(alarm: Alarm, topics: Topics, limit: float, trusted: str) -> list[str]:
    """Why an alarm would not warn in time; worst first, empty when it would.

    Args:
        alarm: the alarm.
        topics: who listens to its topics.
        limit: the baseline's threshold in US dollars. A lower one is stricter, and fine.
        trusted: a topic of another account that the baseline names; nobody here can see who listens to it.
    """
    if not watches_the_bill(alarm):
        return ["watches something else"]
    heard = any(topics.get(one) or (one == trusted and one not in topics) for one in alarm.get("AlarmActions", ()))
    over = alarm.get("ComparisonOperator") in ("GreaterThanThreshold", "GreaterThanOrEqualToThreshold")
    facts = {
        "has its actions switched off": alarm.get("ActionsEnabled", True),
        "tells nobody": heard,
        f"warns above {alarm.get('Threshold', 0):g} USD, not {limit:g}": 0 <= alarm.get("Threshold", -1) <= limit,
        "does not warn when charges rise above its threshold": over and alarm.get("Statistic") == "Maximum",
        "looks at the wrong period": alarm.get("Period") == PERIOD_SECONDS,
        "waits for more than one reading": alarm.get("EvaluationPeriods") == alarm.get("DatapointsToAlarm", 1) == 1,
        "takes missing readings for good or bad ones": alarm.get("TreatMissingData", "missing") == "missing",
    }
    return [fault for fault, fine in facts.items() if not fine]


def repaired(alarm: Alarm | None, name: str, topic: str, limit: float) -> Alarm:
    """The alarm made whole: what its owner added (actions, description, a lower threshold) stays."""
    alarm = alarm or {}
    lower = [alarm["Threshold"]] if watches_the_bill(alarm) and 0 <= alarm.get("Threshold", -1) < limit else []
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
    return [*(one for one in actions if one != topic), topic][-5:]  # an alarm has room for five
