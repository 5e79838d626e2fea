"""billing-alarm: somebody hears of a rising bill."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from local import moto_billing
from plumbline.controls.billing._alarms import METRIC, repaired
from plumbline.controls.billing.billing_alarm import (
    CONTROL,
    OURS,
    describe,
    detect,
    find,
    locate,
    locate_preference,
    observe,
    plan,
)
from plumbline.core.calls import Call
from plumbline.core.control import Deviation
from plumbline.core.errors import AwsRefusal
from plumbline.core.reach import Reach, Region
from plumbline.core.targets import Target
from plumbline.wakes.messages import concerns
from tests.recorded import folder
from tests.story import ACCOUNT, Story, World, defaults, world

BILLING = "us-east-1"
ALARM = Target(ACCOUNT, "us-east-1", "cloudwatch-alarm", "billing-alarm")
DATA = Target(ACCOUNT, "us-east-1", "cloudwatch-metric", "billing-data")
PREFERENCE = Target(ACCOUNT, "us-east-1", "billing-preference", "billing-alerts")
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:plumbline-alerts"
CENTRAL = "arn:aws:sns:us-east-1:444455556666:security"
SETTINGS = defaults(CONTROL)
GOOD = dict(repaired(None, OURS, TOPIC, 10))


def state(*alarms: dict[str, Any], **topics: int | None) -> dict[str, Any]:
    return {
        "account": ACCOUNT,
        "alarms": list(alarms),
        "topics": {TOPIC: 1} | {"arn:" + one: n for one, n in topics.items()},
        "own_topic": TOPIC,
    }


def _topic(world: World) -> None:
    sns = world.client("sns")
    sns.create_topic(Name="plumbline-alerts")
    sns.subscribe(TopicArn=TOPIC, Protocol="sms", Endpoint="+15555550100")


def _missing(world: World) -> Target:
    _topic(world)
    return ALARM


def _altered(**changes: Any) -> Any:
    def alter(world: World) -> Target:
        _topic(world)
        world.client("cloudwatch").put_metric_alarm(**GOOD | {"OKActions": [TOPIC]} | changes)
        return ALARM

    return alter


def _switched_off(world: World) -> Target:
    _altered()(world)
    world.client("cloudwatch").disable_alarm_actions(AlarmNames=[OURS])
    return ALARM


def _others_alarm_is_useless(world: World) -> Target:
    _topic(world)
    others = GOOD | {"AlarmName": "bill", "Threshold": 10_000.0}
    world.client("cloudwatch").put_metric_alarm(**others)
    return ALARM


def _nobody_listens(world: World) -> Target:
    world.client("sns").create_topic(Name="plumbline-alerts")
    return ALARM


def _alerts_off(world: World) -> Target:
    _measured(world)
    moto_billing.preferences_of(world.account)[moto_billing.PREFERENCE] = "DISABLED"
    return PREFERENCE


def _measured(world: World) -> None:
    datum = {"MetricName": METRIC["MetricName"], "Dimensions": METRIC["Dimensions"], "Value": 1.0}
    world.client("cloudwatch").put_metric_data(Namespace="AWS/Billing", MetricData=[datum])


STORIES = (
    Story("there is no alarm", CONTROL.id, _missing),
    Story("its actions are switched off", CONTROL.id, _switched_off),
    Story("its threshold is raised", CONTROL.id, _altered(Threshold=5000.0)),
    Story("it is turned to another metric", CONTROL.id, _altered(Namespace="AWS/EC2", MetricName="CPUUtilization")),
    Story("it lost its topic", CONTROL.id, _altered(AlarmActions=[])),
    Story(
        "it watches one service only",
        CONTROL.id,
        _altered(Dimensions=[*METRIC["Dimensions"], {"Name": "ServiceName", "Value": "AmazonS3"}]),
    ),
    Story("it waits for charges in a unit, and they have none", CONTROL.id, _altered(Unit="Count")),
    Story("somebody else's alarm warns too late", CONTROL.id, _others_alarm_is_useless),
    Story("no topic", CONTROL.id, lambda _world: ALARM, alert_only=True),
    Story("a topic without subscriptions", CONTROL.id, _nobody_listens, alert_only=True),
    Story("there is no billing data", CONTROL.id, lambda _world: DATA, alert_only=True),
    Story("billing alerts are switched off", CONTROL.id, _alerts_off),
)


def test_any_alarm_that_warns_is_enough_and_a_stricter_one_too() -> None:
    assert detect(state(GOOD), SETTINGS) is None
    assert detect(state(GOOD | {"AlarmName": "mine", "Threshold": 5.0}), SETTINGS) is None
    assert detect(state(GOOD | {"Threshold": 500.0}, GOOD | {"AlarmName": "mine"}), SETTINGS) is None


def test_an_alarm_that_would_not_warn_deviates() -> None:
    useless = GOOD | {"ActionsEnabled": False, "Threshold": 500.0}
    expected = Deviation(
        "would not warn: plumbline-billing has its actions switched off",
        ("plumbline-billing has its actions switched off", "plumbline-billing warns above 500 USD, not 10"),
    )
    assert expected == detect(state(useless), SETTINGS)
    assert Deviation("is missing: nobody hears of a rising bill", ("no alarm",)) == detect(state(), SETTINGS)


def test_an_alarm_that_tells_nobody_deviates() -> None:
    assert detect(state(GOOD | {"AlarmActions": [CENTRAL]}), SETTINGS)
    assert detect(state(GOOD | {"AlarmActions": []}), SETTINGS)


def test_another_accounts_topic_counts_when_the_baseline_names_it() -> None:
    assert detect(state(GOOD | {"AlarmActions": [CENTRAL]}), SETTINGS | {"topic": CENTRAL}) is None


def test_a_topic_that_is_gone_or_unconfirmed_counts_for_nothing() -> None:
    assert detect({**state(GOOD), "topics": {TOPIC: None}}, SETTINGS)
    assert detect({**state(GOOD), "topics": {TOPIC: 0}}, SETTINGS)


def test_missing_data_has_a_clock_of_its_own_and_is_left_to_a_person() -> None:
    expected = Deviation("is missing: billing alerts are switched off", ("no data",), "no-data")
    assert expected == detect({"data": False}, SETTINGS)
    assert detect({"data": True}, SETTINGS) is None


def test_without_data_the_letter_says_where_to_switch_it_on_how_soon_it_comes_and_where_else_it_may_be() -> None:
    refusal = plan(DATA, {"data": False}, SETTINGS).refusal
    assert "Receive CloudWatch Billing Alerts" in refusal
    assert "about a quarter of an hour later" in refusal
    assert "switch billing-alarm off here and hold it there" in refusal


def test_the_repair_keeps_what_its_owner_added_and_a_stricter_threshold() -> None:
    page = f"arn:aws:sns:us-east-1:{ACCOUNT}:pager"
    before = GOOD | {
        "Threshold": 3.0,
        "AlarmActions": [page],
        "OKActions": [page],
        "AlarmDescription": "ours",
        "Period": 60,
    }
    repair = plan(ALARM, state(before), SETTINGS)
    after = GOOD | {"Threshold": 3.0, "AlarmActions": [page, TOPIC], "OKActions": [page], "AlarmDescription": "ours"}
    assert repair.do == (Call("cloudwatch", "PutMetricAlarm", after),)
    assert repair.undo == (Call("cloudwatch", "PutMetricAlarm", before),)
    assert repair.resources == (f"arn:*:cloudwatch:us-east-1:{ACCOUNT}:alarm:plumbline-billing",)


def test_undoing_a_created_alarm_deletes_it() -> None:
    gone = ("ResourceNotFound",)
    assert plan(ALARM, state(), SETTINGS).undo == (
        Call("cloudwatch", "DeleteAlarms", {"AlarmNames": [OURS]}, absent=gone),
    )


def test_a_repair_that_nobody_would_hear_is_refused_and_says_what_to_do() -> None:
    def refusal(topics: dict[str, int | None], topic: str = "") -> str:
        return plan(ALARM, {**state(), "topics": topics}, SETTINGS | {"topic": topic}).refusal

    assert f"there is no topic {TOPIC}; create one in us-east-1" in refusal({TOPIC: None})
    assert f"nobody has confirmed a subscription to {TOPIC}" in refusal({TOPIC: 0})
    assert "is not in us-east-1" in refusal({TOPIC: 1}, TOPIC.replace("us-east-1", "eu-west-1"))
    assert refusal({TOPIC: None}, CENTRAL) == ""


def test_the_words_before_and_after() -> None:
    assert describe(state(GOOD)) == "alarm plumbline-billing warns at 10 USD"
    assert describe(state(GOOD | {"ActionsEnabled": False})) == (
        "alarm plumbline-billing warns at 10 USD, its actions switched off"
    )
    assert describe(state(GOOD | {"Namespace": "AWS/EC2"})) == "alarm plumbline-billing watches something else"
    assert describe(state()) == "no alarm on estimated charges"
    assert describe({"data": False}) == "CloudWatch has no billing data"


def test_only_events_of_the_billing_region_matter() -> None:
    detail = {"recipientAccountId": ACCOUNT, "awsRegion": "us-east-1", "requestParameters": None}
    assert list(locate(detail)) == [ALARM]
    assert list(locate(detail | {"awsRegion": "eu-west-1"})) == []


def test_other_partitions_have_no_billing_metric() -> None:
    with world() as told:
        told.home = "cn-north-1"
        assert list(find(told.accounts.eyes(ACCOUNT, "us-east-1"))) == []


def test_data_counts_when_it_is_the_whole_accounts() -> None:
    def see(dimensions: list[dict[str, str]]) -> Any:
        with world() as told:
            datum = {"MetricName": "EstimatedCharges", "Dimensions": dimensions, "Value": 1.0}
            told.client("cloudwatch").put_metric_data(Namespace="AWS/Billing", MetricData=[datum])
            return CONTROL.observe and CONTROL.observe(told.accounts.eyes(ACCOUNT, "us-east-1"), DATA)

    assert see(METRIC["Dimensions"]) == {"data": True, "preferences": {}}
    part = [*METRIC["Dimensions"], {"Name": "ServiceName", "Value": "AmazonS3"}]
    assert see(part) == {"data": False, "preferences": {}}


def test_what_aws_answers_is_written_back_switched_on_whatever_it_is_called() -> None:
    seen = {"preferences": {"a/key": "DISABLED", "another": "ENABLED"}}
    assert detect(seen, SETTINGS) == Deviation(
        "is off: CloudWatch does not get the month's charges", ("billing alerts are off",)
    )
    found = plan(PREFERENCE, seen, SETTINGS)

    def to(value: str) -> Call:
        wanted = {"feature": "BILLING_ALERTS", "billingPreferencesPerKey": [{"key": "a/key", "value": value}]}
        return Call("billing", "UpdateBillingPreferences", wanted)

    assert (found.do, found.undo) == ((to("ENABLED"),), (to("DISABLED"),))
    assert [describe(seen), describe({**seen, "data": True})] == [
        "billing alerts are off", "CloudWatch has billing data; billing alerts are off",
    ]  # fmt: skip


def test_while_alerts_are_off_their_missing_data_is_no_finding_of_its_own() -> None:
    """So that switching them on is a whole repair, a quarter of an hour before the data comes."""
    assert detect({"data": False, "preferences": {"a/key": "DISABLED"}}, SETTINGS) is None


def test_a_preference_of_which_aws_tells_nothing_is_left_to_the_data() -> None:
    assert detect({"preferences": {}}, SETTINGS) is None
    assert describe({"preferences": {}}) == "AWS does not tell whether billing alerts are on"


def test_where_alerts_are_on_and_no_data_comes_nobody_is_told_to_switch_them_on() -> None:
    seen = {"data": False, "preferences": {"a/key": "ENABLED"}}
    assert detect(seen, SETTINGS) == Deviation("is missing: no data has come yet", ("no data",), "no-data")
    assert "tick" not in plan(DATA, seen, SETTINGS).refusal
    assert "in the account that pays" in plan(DATA, seen, SETTINGS).refusal


class _Eyes:
    """Eyes of an account with billing data, to which the preference is refused."""

    def __init__(self, code: str) -> None:
        self._code = code

    def __call__(self, call: Call) -> Any:
        if call.service == "billing":
            raise AwsRefusal(self._code, "no", call)
        return {"Metrics": [{"Dimensions": METRIC["Dimensions"]}]}


def test_an_event_about_the_preference_looks_at_it_and_not_at_the_data_which_comes_later() -> None:
    detail = {"recipientAccountId": ACCOUNT, "awsRegion": "us-east-1", "requestParameters": None}
    assert [PREFERENCE] == list(locate_preference(detail))


@pytest.mark.parametrize("code", ["UnknownOperation", "UnknownServiceError"])
def test_an_sdk_that_does_not_know_the_preference_leaves_the_data_to_tell(code: str) -> None:
    assert observe(_Eyes(code), DATA) == {"data": True, "preferences": {}}  # type: ignore[arg-type]


def test_a_preference_that_is_not_shown_is_no_verdict() -> None:
    with pytest.raises(AwsRefusal, match="AccessDenied"):
        observe(_Eyes("AccessDeniedException"), DATA)  # type: ignore[arg-type]


# --- in another home region ---------------------------------------------------------------------------

QUIET = {key: one for key, one in GOOD.items() if key != "AlarmActions"}


def _elsewhere(*alarms: dict[str, Any], heard: bool, **topics: int | None) -> dict[str, Any]:
    """The same for a home that is not us-east-1, whose forwarder there is heard, or is not."""
    confirmed = {f"arn:{one}": count for one, count in topics.items()}
    return {**state(*alarms), "topics": confirmed, "own_topic": "", "forwarded": heard}


def test_a_forwarder_that_is_heard_tells_of_our_alarm_without_any_topic() -> None:
    assert detect(_elsewhere({**QUIET, "AlarmName": OURS}, heard=True), SETTINGS) is None
    deviation = detect(_elsewhere({**QUIET, "AlarmName": OURS}, heard=False), SETTINGS)
    assert deviation
    assert "would not warn: plumbline-billing tells nobody" == deviation.summary


def test_a_forwarder_tells_of_no_alarm_but_ours() -> None:
    deviation = detect(_elsewhere({**QUIET, "AlarmName": "mine"}, heard=True), SETTINGS)
    assert deviation
    assert "would not warn: mine tells nobody" == deviation.summary


def test_an_alarm_that_somebody_hears_needs_no_forwarder() -> None:
    told = {**QUIET, "AlarmName": "mine", "AlarmActions": ["arn:bills"]}
    assert detect(_elsewhere(told, heard=False, bills=1), SETTINGS) is None


def test_where_a_forwarder_is_heard_the_alarm_is_made_without_an_action() -> None:
    made = plan(ALARM, _elsewhere(heard=True), SETTINGS).do[0].parameters
    assert ([], OURS, True) == (made["AlarmActions"], made["AlarmName"], made["ActionsEnabled"])
    named = plan(ALARM, _elsewhere(heard=True, bills=1), SETTINGS | {"topic": "arn:bills"}).do[0].parameters
    assert ["arn:bills"] == named["AlarmActions"], "the setting of version 0.1 holds"


def test_where_no_forwarder_is_heard_the_refusal_says_what_to_do() -> None:
    refusal = plan(ALARM, _elsewhere(heard=False), SETTINGS).refusal
    assert "the forwarder of us-east-1, which would tell of it, is not heard" in refusal
    assert "`plumbline status`" in refusal
    assert "topic in us-east-1 in the setting `topic`" in refusal


@pytest.mark.parametrize(
    ("home", "troubles", "expected"),
    [
        ("us-east-1", None, None),
        ("ap-southeast-2", None, None),
        ("ap-southeast-2", {}, True),
        ("ap-southeast-2", {"undelivered": "3 of them"}, True),
        ("ap-southeast-2", {"silent": ""}, False),
        ("ap-southeast-2", {"absent": ""}, False),
        ("ap-southeast-2", {"broken": "it failed"}, False),
    ],
)
def test_the_forwarder_counts_while_its_last_sign_of_life_is_fresh(
    home: str,
    troubles: Mapping[str, str] | None,
    expected: bool | None,  # noqa: FBT001 - one of a table
) -> None:
    """Where nobody has looked at regions, as before a first sweep, a topic is wanted as ever."""
    with world() as here:
        eyes = here.accounts.eyes(ACCOUNT, BILLING)
        seen = {} if troubles is None else {BILLING: Region(datetime(2026, 3, 1, tzinfo=timezone.utc), None, troubles)}
        ask = replace(eyes, home=home, reaching=lambda: Reach(None, seen))
        found = observe(ask, ALARM)
        assert found
        assert expected is found["forwarded"]
        assert bool(found["own_topic"]) is (expected is None)


@pytest.mark.parametrize(
    ("says", "wakes"),
    [
        ({"alarmName": "cpu", "namespace": "AWS/EC2", "metricName": "CPUUtilization"}, False),
        ({"alarmName": "TargetTracking-table/orders-AlarmHigh", "namespace": "AWS/DynamoDB"}, False),
        ({"alarmName": "bill", "namespace": "AWS/Billing", "metricName": "EstimatedCharges"}, True),
        ({"alarmName": OURS, "namespace": "AWS/EC2", "metricName": "CPUUtilization"}, True),
        ({"alarmName": "bill", "metrics": [{"id": "m", "metricStat": {"metric": {"namespace": "AWS/Billing"}}}]}, True),
        ({"alarmName": "bill"}, True),
    ],
)
def test_programs_that_put_alarms_on_other_metrics_wake_nobody(says: dict[str, str], *, wakes: bool) -> None:
    event = json.loads((folder(CONTROL.id) / "PutMetricAlarm.json").read_text())
    event["detail"]["requestParameters"] = says
    assert wakes is any(concerns(on, event) for on in CONTROL.wakes_on)
