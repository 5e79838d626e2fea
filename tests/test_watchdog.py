"""Nothing is silent: whichever part of Plumbline fails, somebody is told, and by what and how soon is written down.

The table here is the one in docs/operating.md, and each line of it is held against the template, or against what the
sweep does. What may fail without anybody's code is told by an alarm of CloudWatch's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from plumbline.core.reach import BEAT, MISSED, SLACK
from plumbline.handlers import failures, late, reach, taking, unsettled
from tests.deployed import ROOT, logical, of_type, properties, text

GUIDE = ROOT / "docs" / "operating.md"
FUNCTIONS = {"ReactFunction", "SweepFunction", "OperateFunction", "AnnounceFunction"}
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
#: CloudWatch looks at an alarm each minute, and has figures of SQS some minutes late.
_LATE = 5 * MINUTE
#: How often Plumbline looks at itself.
_LOOKS = int(re.findall(r"\d+", properties("AWS::Events::Rule")["HouseSchedule"]["ScheduleExpression"])[0]) * MINUTE


@dataclass(frozen=True)
class Failure:
    """One way to fail.

    Attributes:
        what: as the guide says it.
        told: by what: an alarm's name, or the subject of the sweep's own e-mail, each in backticks.
        within: as the guide says it.
        holds: whether it is so, asked of the template or of the code.
    """

    what: str
    told: str
    within: str
    holds: Callable[[], bool]


def _alarm(name: str) -> Mapping[str, Any]:
    return next(
        one for one in properties("AWS::CloudWatch::Alarm").values() if text(one["AlarmName"]) == f"plumbline-{name}"
    )


def _watches(name: str, metric: str, queue: str) -> bool:
    alarm = _alarm(name)
    dimension, *others = alarm["Dimensions"]
    watched = (alarm["Namespace"], alarm["MetricName"], dimension["Name"], logical(dimension["Value"]))
    return watched == ("AWS/SQS", metric, "QueueName", queue) and not others


def _within(name: str, most: timedelta) -> bool:
    alarm = _alarm(name)
    return timedelta(seconds=alarm["Period"] * alarm["EvaluationPeriods"]) + _LATE <= most


def _waits() -> bool:
    """Whether the looks at Plumbline itself ask about the queue of wakes, often enough to see all that waits long."""
    named = properties("AWS::Lambda::Function")["SweepFunction"]["Environment"]["Variables"]["PLUMBLINE_WAKES_QUEUE"]
    asked = logical(named) == "WakesQueue" and _LOOKS <= late.LATE and 2 * _LOOKS + _LATE <= late.LOOKED_BACK
    return asked and late.LATE + _LOOKS + _LATE <= 30 * MINUTE


def _given_up(queue: str, most: timedelta) -> Callable[[], bool]:
    """Whether what fails too often goes from a queue into the dead letters in time, and the alarm is about these."""

    def holds() -> bool:
        of = properties("AWS::SQS::Queue")[queue]
        tries = of["RedrivePolicy"]["maxReceiveCount"] * timedelta(seconds=of["VisibilityTimeout"])
        return (
            logical(of["RedrivePolicy"]["deadLetterTargetArn"]) == "DeadLetterQueue"
            and _watches("dead-letters", "ApproximateNumberOfMessagesVisible", "DeadLetterQueue")
            and _within("dead-letters", most - tries)
        )

    return holds


def _given_up_by_looks() -> bool:
    """Whether what fails goes from the queue of pieces in time: a look takes it, each time the queue's time is over."""
    tries = properties("AWS::SQS::Queue")["UnitsQueue"]["RedrivePolicy"]["maxReceiveCount"]
    each = timedelta(seconds=properties("AWS::SQS::Queue")["UnitsQueue"]["VisibilityTimeout"])
    looked = -(-each // _LOOKS) * _LOOKS
    return taking.LOOKS_EACH == _LOOKS and _given_up("UnitsQueue", HOUR - tries * (looked - each))()


def _undelivered() -> bool:
    """Whether every rule of this stack gives up into the dead letters, but for those that call the sweep itself."""
    for rule in properties("AWS::Events::Rule").values():
        for target in rule["Targets"]:
            if logical(target["Arn"]) == "SweepFunction":
                continue
            if logical(target.get("DeadLetterConfig", {}).get("Arn", {"Ref": ""})) != "DeadLetterQueue":
                return False
    return True


def _unannounced() -> bool:
    stream = next(
        one
        for one in properties("AWS::Lambda::EventSourceMapping").values()
        if logical(one["FunctionName"]) == "AnnounceFunction"
    )
    given_up = logical(stream["DestinationConfig"]["OnFailure"]["Destination"])
    return (given_up, stream["MaximumRetryAttempts"]) == ("DeadLetterQueue", 10)


def _stopped() -> bool:
    """A sweep sends its pieces first, so a count of none for three hours is a sweep that does not begin."""
    alarm = _alarm("sweep-stopped")
    return (
        _watches("sweep-stopped", "NumberOfMessagesSent", "UnitsQueue")
        and (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == ("Sum", "LessThanThreshold", 1)
        and _within("sweep-stopped", 3 * HOUR + 10 * MINUTE)
    )


def _unheard() -> bool:
    """Whether a sweep of each hour tells, through a topic that has a subscription of its own."""
    topic = properties("AWS::Lambda::Function")["SweepFunction"]["Environment"]["Variables"]["PLUMBLINE_WATCHDOG_TOPIC"]
    subscribed = properties("AWS::SNS::Subscription")["WatchdogSubscription"]
    begins = properties("AWS::Events::Rule")["SweepSchedule"]["ScheduleExpression"]
    named = {"WatchdogTopic"} == {logical(topic), logical(subscribed["TopicArn"])}
    return named and begins == "rate(1 hour)"


def _counted() -> bool:
    """Whether every function's failures are asked for, in time for a sweep of each third hour to tell of them."""
    named = {f"plumbline-{one}" for one in failures._FUNCTIONS}
    deployed = properties("AWS::Lambda::Function")
    asked = {text(deployed[one]["FunctionName"]) for one in FUNCTIONS}
    until_asked = failures._WHOLE_AFTER + HOUR + failures._ASKED_EACH
    return named == asked and until_asked <= 4 * HOUR + 10 * MINUTE


FAILURES = (
    Failure("react is gone, switched off, without its trigger, or too slow", "`late wakes`", "30 minutes", _waits),
    Failure("react is throttled, or fails, at a message again and again", "`dead-letters`", "40 minutes",
            _given_up("WakesQueue", 40 * MINUTE)),
    Failure("a rule cannot deliver an event", "`dead-letters`", "24 hours, as long as EventBridge tries", _undelivered),
    Failure("announce fails at a batch eleven times", "`dead-letters`", "the eleventh try", _unannounced),
    Failure("a piece of a sweep fails three times, or is never taken", "`dead-letters`, or `not swept`",
            "1 hour, or 4 hours", _given_up_by_looks),
    Failure("the sweep's schedule is off; its function is gone, throttled, or fails before a sweep has begun",
            "`sweep-stopped`", "3 h 10 min", _stopped),
    Failure("no sweep begins, though something else uses its queue", "`not swept`", "3 h 10 min",
            lambda: unsettled.SWEPT_WITHIN + 10 * MINUTE <= 3 * HOUR + 10 * MINUTE),
    Failure("a sweep does not come to its end", "`not swept`", "4 hours",
            lambda: unsettled.SWEPT_WITHIN + HOUR <= 4 * HOUR),
    Failure("react runs and settles nothing of what the sweep reports", "`not settled`", "25 minutes after the sweep",
            lambda: unsettled.SETTLED_WITHIN + 10 * MINUTE <= 25 * MINUTE),
    Failure("a run of react, announce, operate or sweep fails, whatever comes of the next", "`function failed`",
            "4 h 10 min", _counted),
    Failure("a forwarder is dead, or cannot deliver", "`not heard`", "2 hours",
            lambda: BEAT * MISSED + SLACK + HOUR <= 2 * HOUR),
    Failure("a rule of a forwarder fails", "`not heard`", "7 hours",
            lambda: reach._ASKED_EACH + 1 <= 7),
    Failure("nobody hears the alerts", "`unheard`", "the hour", _unheard),
)  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.what)
def test_each_failure_is_told_by_what_the_guide_says(failure: Failure) -> None:
    assert failure.holds()


def test_the_guide_lists_these_failures_and_no_others() -> None:
    section = GUIDE.read_text().partition("## What fails, and who tells")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    expected = [f"| {one.what} | {one.told} | {one.within} |" for one in FAILURES]
    assert expected == lines[1:]


def test_every_alarm_tells_of_something_that_nothing_else_tells_of() -> None:
    """AWS charges for each alarm, each month; and for each metric that one reads, so it reads one.

    Source: Amazon CloudWatch pricing: an alarm on metric math costs what alarms on its metrics would, and a composite
    alarm as much as five.
    """
    alarms = properties("AWS::CloudWatch::Alarm")
    named = {text(one["AlarmName"]).removeprefix("plumbline-") for one in alarms.values()}
    assert named == {"dead-letters", "sweep-stopped"}
    assert all(any(f"`{name}`" in one.told for one in FAILURES) for name in named)
    assert all("Metrics" not in one and one["Period"] >= 60 for one in alarms.values())
    assert {} == of_type("AWS::CloudWatch::CompositeAlarm")


def test_alarms_speak_through_the_watchdog_and_never_through_the_alerts() -> None:
    for name, alarm in properties("AWS::CloudWatch::Alarm").items():
        assert ["WatchdogTopic"] == [logical(one) for one in alarm["AlarmActions"]], name
        assert "AlertsTopic" not in json.dumps(alarm)
        assert len(alarm["AlarmDescription"]) > 40, f"{name} says what to do"


def test_a_queue_that_is_gone_is_a_stopped_sweep_too_and_a_new_one_is_none() -> None:
    """SQS counts zero while a queue is in use, and nothing of one that is not there.

    Source: Amazon SQS developer guide, Available CloudWatch metrics: figures come while a queue is active, which it is
    for six hours after anything asked it; the look at Plumbline itself does every ten minutes. Amazon
    CloudWatch user guide, Configuring how CloudWatch alarms treat missing data: an alarm whose figures are all missing
    has too little data; Alarm states: it begins so, and a change of state is what runs an action.
    """
    alarm = _alarm("sweep-stopped")
    assert "missing" == alarm["TreatMissingData"]
    assert ["WatchdogTopic"] == [logical(one) for one in alarm["InsufficientDataActions"]]
    made_late = of_type("AWS::CloudWatch::Alarm")["SweepStoppedAlarm"]["DependsOn"]
    assert {"Forwarders", "ReactFunctionWakes"} <= set(made_late)
