"""An alarm tells when the month's bill passes a limit.

Holds: in us-east-1, where billing data lives, an alarm watches the estimated charges of the whole account, goes off
once a day's readings at most are past the baseline's threshold or a lower one, and reaches at least one person who
confirmed the subscription. Where Plumbline's home is another region, nothing there can subscribe: the alarm
plumbline-billing is told of by the forwarder of us-east-1, which counts while it gives signs of life; a topic in
us-east-1 that the setting `topic` names does as well. How an alarm warns is its owner's business: any period, statistic
and treatment of missing data will do with which it can. An alarm on a unit cannot, because charges have none; nor one
on a part of the bill, or on what an expression makes of it. Billing alerts are switched on among the billing
preferences, without which there is no data, and there is data. The data of an organisation's
member accounts is in the account that pays: switch this control off in the members, and hold it in the payer. A click
on the unsubscribe link of an e-mail makes no event; the hourly sweep finds it, as it finds an alarm of another name
that is made to watch something else: programs put alarms all day, so what they say of other metrics wakes nobody. Not
judged: alarm mute rules, filter policies of subscriptions, the topic's own policy.
Why: the bill is the one alarm no attacker can avoid. Stolen keys are used to mine coins at thousands of dollars a day,
and a forgotten machine costs the same way, slowly. Without this alarm the first news is the invoice.
Repair: creates the alarm plumbline-billing, or puts it right; actions and descriptions added to it stay. Other alarms
are not touched. Switches billing alerts on, where AWS answers the preference by its key; where it answers none, only a
person can: the e-mail says where.
Undo: puts the earlier alarm back, or deletes it where there was none; switches billing alerts off again.
Source: Amazon CloudWatch user guide, Create a billing alarm; AWS Billing API reference, UpdateBillingPreferences; AWS
Well-Architected, COST02-BP05.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from datetime import timedelta
from typing import Any

from plumbline.controls.billing import _alerts
from plumbline.controls.billing._alarms import METRIC, REGION, faults, repaired, settings_of, watches_the_bill
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import State, Target
from plumbline.wakes import cloudtrail

ALARM = ("cloudwatch-alarm", "billing-alarm")
DATA = ("cloudwatch-metric", "billing-data")
PREFERENCE = ("billing-preference", "billing-alerts")
OURS = "plumbline-billing"
#: Programs put alarms all day. What one says of another metric matters where it makes ours anew; one that is written as
#: a list of queries names no metric. Source: Amazon CloudWatch user guide, Logging CloudWatch API operations with AWS
#: CloudTrail, where the entry of PutMetricAlarm has both names.
_OF_THE_BILL = [
    {"requestParameters": {"namespace": [METRIC["Namespace"]]}},
    {"requestParameters": {"namespace": [{"exists": False}]}},
    {"requestParameters": {"alarmName": [OURS]}},
]
_PARTITIONS_WITHOUT = ("cn-", "us-gov-", "us-iso", "eusc-")


#: A hundred to the page, which is the most; fifty where nothing is said.
_EVERY_ALARM = Call("cloudwatch", "DescribeAlarms", {"AlarmTypes": ["MetricAlarm"], "MaxRecords": 100})


def locate(detail: Event) -> Iterable[Target]:
    """The one alarm target, whichever alarm or topic of us-east-1 the event was about."""
    return cloudtrail.here(detail, *ALARM) if detail.get("awsRegion") == REGION else ()


def locate_preference(detail: Event) -> Iterable[Target]:
    """Whether charges are measured; not the data itself, which follows a quarter of an hour later."""
    return cloudtrail.here(detail, *PREFERENCE, region=REGION)


def find(ask: Ask) -> Iterable[Target]:
    """The alarm, the data it needs, and the preference that the data needs. Other partitions have no billing metric."""
    if not ask.home.startswith(_PARTITIONS_WITHOUT):
        yield Target(ask.account, REGION, *ALARM)
        yield Target(ask.account, REGION, *DATA)
        yield Target(ask.account, REGION, *PREFERENCE)


def observe(ask: Ask, target: Target) -> State:
    """The preference, or the data; or the alarms on it, our own whatever it watches, and who listens to them."""
    if (target.kind, target.id) == PREFERENCE:
        return _alerts.preference(ask)
    if (target.kind, target.id) == DATA:
        return _alerts.data(ask)
    found = ask(_EVERY_ALARM).get("MetricAlarms", ())
    alarms = [settings_of(one) for one in found if one["AlarmName"] == OURS or watches_the_bill(one, target.account)]
    topics = {one for alarm in alarms for one in alarm.get("AlarmActions", ()) if _is_topic_of(one, target.account)}
    # What a forwarder could tell of needs no topic; where there is none, Plumbline's own topic is the one here.
    forwards = ask.home != REGION and REGION in ask.reach.regions
    own = "" if forwards else f"arn:aws:sns:{REGION}:{target.account}:{ask.stack}-alerts"
    return {
        "account": target.account,
        "alarms": sorted(alarms, key=lambda one: (one["AlarmName"] != OURS, one["AlarmName"])),
        "topics": {one: _confirmed(ask, one) for one in sorted(topics | ({own} if own else set()))},
        "own_topic": own,
        "forwarded": ask.reach.hears(REGION) if forwards else None,
    }


def detect(state: State, settings: Settings) -> Deviation | None:
    """No alarm without a fault; or no billing data, or billing alerts that are off."""
    assert state is not None  # noqa: S101 - an account always has a state
    if "alarms" not in state:
        return _alerts.deviation(state)
    every = _every_fault(state, settings)
    if not all(every.values()):
        return None
    if not every:
        return Deviation("is missing: nobody hears of a rising bill", ("no alarm",))
    name = min(every, key=lambda one: len(every[one]))
    return Deviation(f"would not warn: {name} {every[name][0]}", tuple(f"{name} {one}" for one in every[name]))


def describe(state: State) -> str:
    """Each alarm with its threshold; or whether there is data, or will be."""
    assert state is not None  # noqa: S101 - an account always has a state
    if "alarms" not in state:
        return _alerts.described(state)
    return "; ".join(_words(one, state["account"]) for one in state["alarms"]) or "no alarm on estimated charges"


def plan(target: Target, state: State, settings: Settings, _facts: Container[str] = EVERY, /) -> Plan:
    """Put our alarm, and only it; where somebody will hear it."""
    assert state is not None  # noqa: S101 - an account always has a state
    if "alarms" not in state:
        return _alerts.planned(state)
    topic = settings["topic"] or state["own_topic"]
    forwarded = state.get("forwarded")
    refusal = "" if forwarded else _unheard(topic, state["topics"], named=bool(settings["topic"]))
    if refusal:
        return Plan(refusal=refusal)
    before = next((one for one in state["alarms"] if one["AlarmName"] == OURS), None)
    after = repaired(before, OURS, topic, settings["threshold_usd"], target.account)
    delete = Call("cloudwatch", "DeleteAlarms", {"AlarmNames": [OURS]}, absent=("ResourceNotFound",))
    undo = Call("cloudwatch", "PutMetricAlarm", before) if before else delete
    return Plan(
        steps=(Step(Call("cloudwatch", "PutMetricAlarm", after), (undo,)),),
        resources=(f"arn:*:cloudwatch:{REGION}:{target.account}:alarm:{OURS}",),
        summary=f"sets alarm {OURS} to warn when the month's charges pass {after['Threshold']:g} USD",
    )


def part(state: State, _plan: Plan) -> State:
    """Our own alarm: the others are other people's. Or the preference."""
    if state and "alarms" not in state:
        return state
    alarms = state.get("alarms", ()) if state else ()
    return {"alarm": next((one for one in alarms if one["AlarmName"] == OURS), None)}


def _unheard(topic: str, topics: Mapping[str, Any], *, named: bool) -> str:
    """Why an alarm on this topic would reach nobody; empty when it would, or when only trying can tell."""
    if not topic:
        return (
            f"the forwarder of {REGION}, which would tell of it, is not heard: `plumbline status` says why; or name a "
            f"topic in {REGION} in the setting `topic` of billing-alarm"
        )
    if f":sns:{REGION}:" not in topic:
        return f"topic {topic} is not in {REGION}, and a billing alarm can only tell a topic there"
    if topics.get(topic, 0) is None or (not named and topic not in topics):
        return (
            f"there is no topic {topic}; create one in {REGION}, confirm its subscription, and name it in the setting "
            "`topic` of billing-alarm"
        )
    if topics.get(topic) == 0:
        return f"nobody has confirmed a subscription to {topic}; follow the link in the mail from AWS Notifications"
    return ""


def _every_fault(state: Mapping[str, Any], settings: Settings) -> Mapping[str, list[str]]:
    limit, trusted, account = settings["threshold_usd"], settings["topic"], state["account"]
    forwarded = {OURS} if state.get("forwarded") else set[str]()
    return {
        one["AlarmName"]: faults(one, state["topics"], limit, trusted, account, forwarded=one["AlarmName"] in forwarded)
        for one in state["alarms"]
    }


def _confirmed(ask: Ask, topic: str) -> int | None:
    """How many confirmed subscriptions a topic has; None when it is gone. One that waits has no ARN yet."""
    answer = ask(Call("sns", "ListSubscriptionsByTopic", {"TopicArn": topic}, absent=("NotFound",)))
    if answer is None:
        return None
    return sum(str(one["SubscriptionArn"]).startswith("arn:") for one in answer.get("Subscriptions", ()))


def _is_topic_of(action: str, account: str) -> bool:
    return action.startswith(f"arn:aws:sns:{REGION}:{account}:")


def _words(alarm: Mapping[str, Any], account: str) -> str:
    if not watches_the_bill(alarm, account):
        return f"alarm {alarm['AlarmName']} watches something else"
    off = "" if alarm.get("ActionsEnabled", True) else ", its actions switched off"
    return f"alarm {alarm['AlarmName']} warns at {alarm.get('Threshold', 0):g} USD{off}"


CONTROL = Control(
    id="billing-alarm",
    doc=__doc__ or "",
    since="0.1",
    severity=Severity.MEDIUM,
    response=Response.ENFORCE,
    clocks={
        "default": AT_ONCE,
        FOUND_BY_SWEEP: FOUND,
        "no-data": Clock(remind=(timedelta(days=2), timedelta(days=7))),
    },
    scope=Scope.BILLING,
    kinds=(ALARM[0], DATA[0], PREFERENCE[0]),
    wakes_on=(
        On(
            "monitoring.amazonaws.com",
            ("DeleteAlarms", "DisableAlarmActions"),
            locate,
            match={"awsRegion": [REGION]},
        ),
        On("monitoring.amazonaws.com", ("PutMetricAlarm",), locate, match={"awsRegion": [REGION], "$or": _OF_THE_BILL}),
        On("sns.amazonaws.com", ("DeleteTopic", "Unsubscribe"), locate, match={"awsRegion": [REGION]}),
        # By the one name in EventBridge's reference, by the other in the Billing user guide's list of the console's.
        On("billing.amazonaws.com", ("UpdateBillingPreferences",), locate_preference),
        On("billingconsole.amazonaws.com", ("UpdateBillingPreferences",), locate_preference),
    ),
    reads=frozenset(
        {
            "billing:GetBillingPreferences",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:ListMetrics",
            "sns:ListSubscriptionsByTopic",
        }
    ),
    writes=frozenset({"billing:UpdateBillingPreferences", "cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm"}),
    noun="the {kind} on the bill",
    find=find,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    part=part,
    settings={
        "threshold_usd": {
            "type": "number",
            "exclusiveMinimum": 0,
            "default": 10,
            "description": "Warn when the month's estimated charges pass this many US dollars.",
        },
        "topic": {
            "type": "string",
            "pattern": "^(arn:aws:sns:us-east-1:[0-9]{12}:[A-Za-z0-9_-]{1,256})?$",
            "patternErrorMessage": "Write a topic's ARN in us-east-1, as arn:aws:sns:us-east-1:111122223333:bills.",
            "default": "",
            "description": "The SNS topic in us-east-1 that the alarm tells. Empty: Plumbline's own Alerts topic.",
        },
    },
    answers={"ssb": ("ACCT.10",)},
)
