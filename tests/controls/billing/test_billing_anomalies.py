"""billing-anomalies: what services cost is watched, and whom the baseline names is told; what exists is used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from plumbline.controls.billing.billing_anomalies import CONTROL, OURS, describe, detect, observe, plan, untold
from plumbline.core.control import Deviation
from plumbline.core.targets import GLOBAL, Target
from plumbline.engine.surveying import survey
from plumbline.wakes.messages import from_event
from tests.story import ACCOUNT, HOME, Story, World, defaults, world

WATCHES = Target(ACCOUNT, GLOBAL, "cost-anomaly-monitor", "services")
TELLS = Target(ACCOUNT, GLOBAL, "cost-anomaly-subscription", "services")
DECLARED = {"emails": ["bills@example.com"]}
SETTINGS = {**defaults(CONTROL), **DECLARED}
MONITOR = f"arn:aws:ce::{ACCOUNT}:anomalymonitor/1"
OF_SERVICES = {"MonitorName": "Default-Services-Monitor", "MonitorType": "DIMENSIONAL", "MonitorDimension": "SERVICE"}


def impact(key: str, least: float) -> dict[str, Any]:
    wanted = {"MatchOptions": ["GREATER_THAN_OR_EQUAL"], "Values": [f"{least:g}"]}
    return {"Dimensions": {"Key": f"ANOMALY_TOTAL_IMPACT_{key}", **wanted}}


def subscription(name: str = OURS, *emails: str, **changes: Any) -> dict[str, Any]:
    told = [{"Type": "EMAIL", "Address": one, "Status": "CONFIRMED"} for one in emails or ("bills@example.com",)]
    return {
        "SubscriptionArn": f"arn:aws:ce::{ACCOUNT}:anomalysubscription/{name}",
        "SubscriptionName": name,
        "Frequency": "DAILY",
        "MonitorArnList": [MONITOR],
        "ThresholdExpression": impact("ABSOLUTE", 100),
        "Subscribers": told,
        **changes,
    }


def state(*subscriptions: dict[str, Any]) -> dict[str, Any]:
    return {"monitor": MONITOR, "subscriptions": list(subscriptions)}


def _monitored(world: World) -> str:
    return str(world.client("ce").create_anomaly_monitor(AnomalyMonitor=OF_SERVICES)["MonitorArn"])


def _nobody_told(world: World) -> Target:
    _monitored(world)
    return TELLS


def _somebody_else_told(world: World) -> Target:
    made = subscription(OURS, "mallory@example.net", MonitorArnList=[_monitored(world)])
    made["ThresholdExpression"] = impact("ABSOLUTE", 1_000_000)
    for one in made["Subscribers"]:
        del one["Status"]
    del made["SubscriptionArn"]
    world.client("ce").create_anomaly_subscription(AnomalySubscription=made)
    return TELLS


STORIES = (
    Story("there is no monitor", CONTROL.id, lambda _: WATCHES, reset=False),
    Story("there is no subscription", CONTROL.id, _nobody_told, settings=DECLARED, reset=False),
    Story("the subscription tells somebody else, and too late", CONTROL.id, _somebody_else_told, settings=DECLARED),
)


def test_where_nobody_is_named_nobody_pays_to_know_who_is_told() -> None:
    """AWS may charge a cent for each answer."""
    nobody = defaults(CONTROL)
    with world() as here:
        found = survey(CONTROL, here.accounts.eyes(ACCOUNT, HOME), lambda one: untold(one, nobody))
    assert [WATCHES] == list(found.states)
    assert not untold(TELLS, SETTINGS)
    assert not untold(WATCHES, nobody)


def test_the_monitor_and_the_subscription_of_anybody_will_do() -> None:
    both = {"And": [impact("ABSOLUTE", 100), impact("PERCENTAGE", 40)]}  # as AWS makes it by itself
    assert detect(state(subscription("Default-Services-Subscription", ThresholdExpression=both)), SETTINGS) is None
    assert detect(state(), defaults(CONTROL)) is None, "nobody is named, so nobody is missed"


@pytest.mark.parametrize(
    "change",
    [
        {"ThresholdExpression": impact("ABSOLUTE", 101)},
        {"ThresholdExpression": {"And": [impact("ABSOLUTE", 50), impact("ABSOLUTE", 500)]}},
        {"ThresholdExpression": {"Or": []}},
        {"ThresholdExpression": {"Tags": {"Key": "team", "Values": ["data"]}}},
        {"MonitorArnList": [f"{MONITOR}-of-another"]},
        {"Subscribers": [{"Type": "EMAIL", "Address": "bills@example.com", "Status": "DECLINED"}]},
        {"Subscribers": [{"Type": "SNS", "Address": "arn:aws:sns:us-east-1:1:bills"}]},
    ],
)
def test_a_subscription_that_tells_late_or_somebody_else_counts_for_nothing(change: dict[str, Any]) -> None:
    assert detect(state(subscription(**change)), SETTINGS) == Deviation(
        "is incomplete: bills@example.com is not told", ("bills@example.com is not told",)
    )


@pytest.mark.parametrize(
    "change",
    [
        {"ThresholdExpression": {"Or": [impact("ABSOLUTE", 500), impact("ABSOLUTE", 20)]}},
        {"ThresholdExpression": impact("PERCENTAGE", 40)},
        {"Subscribers": [{"Type": "EMAIL", "Address": "Bills@Example.com"}]},
    ],
)
def test_a_subscription_that_tells_in_time_counts(change: dict[str, Any]) -> None:
    assert detect(state(subscription(**change)), SETTINGS) is None


def test_the_threshold_of_before_counts_as_dollars() -> None:
    older = subscription()
    del older["ThresholdExpression"]
    assert detect(state({**older, "Threshold": 100.0}), SETTINGS) is None
    assert detect(state({**older, "Threshold": 100.5}), SETTINGS) is not None


def test_without_a_monitor_one_is_made_and_nobody_is_missed_yet() -> None:
    assert detect({"monitor": ""}, SETTINGS) == Deviation(
        "is missing: nothing watches what services cost", ("no monitor",)
    )
    assert [call.operation for call in plan(WATCHES, {"monitor": ""}, SETTINGS).do] == ["CreateAnomalyMonitor"]
    assert detect({"monitor": "", "subscriptions": []}, SETTINGS) is None
    assert detect({"monitor": MONITOR}, SETTINGS) is None
    assert [describe({"monitor": one}) for one in ("", MONITOR)] == [
        "there is no monitor of services", "services are monitored",
    ]  # fmt: skip


def test_what_is_told_of_a_monitor_is_about_whom_it_tells_as_well() -> None:
    """So that the subscription follows as soon as the monitor is made."""
    folder = Path(__file__).parents[3] / "events" / "billing" / CONTROL.id
    woken = {
        one.stem: [wake.target.kind for wake in from_event(json.loads(one.read_text()), {CONTROL.id: CONTROL})]
        for one in folder.glob("Create*.json")
    }
    assert woken == {"CreateAnomalyMonitor": ["*"], "CreateAnomalySubscription": ["cost-anomaly-subscription"]}


def test_who_was_added_stays_and_the_undo_sets_the_earlier_subscription() -> None:
    ours = subscription(OURS, "ann@example.com", ThresholdExpression=impact("ABSOLUTE", 900))
    (step,) = plan(TELLS, state(ours), SETTINGS).steps
    named = {"SubscriptionArn": ours["SubscriptionArn"], "MonitorArnList": [MONITOR]}
    ann, new = ({"Type": "EMAIL", "Address": f"{one}@example.com"} for one in ("ann", "bills"))
    assert step.do.parameters == {
        **named, "Subscribers": [ann, new], "ThresholdExpression": impact("ABSOLUTE", 100),
    }  # fmt: skip
    (back,) = step.undo
    assert back.parameters == {
        **named, "Subscribers": [ann], "ThresholdExpression": impact("ABSOLUTE", 900),
    }  # fmt: skip


def test_a_lower_threshold_stays() -> None:
    ours = subscription(OURS, "ann@example.com", ThresholdExpression=impact("ABSOLUTE", 5))
    (step,) = plan(TELLS, state(ours), SETTINGS).steps
    assert step.do.parameters["ThresholdExpression"] == impact("ABSOLUTE", 5)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"Frequency": "IMMEDIATE"}, "takes no address beside it"),
        ({"Subscribers": [{"Type": "EMAIL", "Address": f"{n}@example.com"} for n in range(10)]}, "has 10 addresses"),
    ],
)
def test_a_subscription_that_takes_nobody_more_is_left_to_a_person(change: dict[str, Any], why: str) -> None:
    assert why in plan(TELLS, state(subscription(**change)), SETTINGS).refusal


def test_without_a_monitor_subscriptions_are_not_asked_for() -> None:
    with world() as here:
        assert observe(here.accounts.eyes(ACCOUNT, HOME), TELLS) == {"monitor": "", "subscriptions": []}
        assert [call.operation for call in here.calls] == ["GetAnomalyMonitors"]
