"""Charges that are out of the ordinary are found, and told to whom you name.

Holds: Cost Anomaly Detection watches every AWS service of the account: there is a monitor of services, whoever made it;
an account has one at most. Where the baseline names `emails`, subscriptions to that monitor tell each of them of an
anomaly of `threshold_usd` at the latest. A threshold in percent beside it, as AWS's own subscription has it, is left
alone. While nobody is named, only the monitor is held. It is looked at once a week, since AWS may charge a cent for
each question, of which there is one, and two where somebody is named; and at once when an event tells of a change; who
declines to be told makes none.
Why: a machine that mines coins, or a loop that somebody forgot, shows as a charge that the account never had, days
before the month's total is remarkable. The detection costs nothing, and somebody has to hear of what it finds.
Repair: makes the monitor, and the subscription plumbline-anomalies, or adds to that one who is missing and lowers its
threshold; who was added to it stays. Other subscriptions are not touched. Where the monitor has to be made, the
subscription follows once the event has told of it: AWS names a monitor only once there is one.
Undo: sets our own subscription as it was. What was made stays, because AWS names it only once it is made; it costs
nothing, and is deleted in the console under Billing and Cost Management, Cost Anomaly Detection.
Source: AWS Cost Management user guide, Detecting unusual spend with AWS Cost Anomaly Detection; AWS Cost Explorer API
reference, CreateAnomalyMonitor and CreateAnomalySubscription.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any

from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, Response
from plumbline.core.control import EVERY, Control, Deviation, Looks, On, Scope, Settings, Severity
from plumbline.core.targets import ALL, GLOBAL, State, Target
from plumbline.wakes import cloudtrail

#: Two targets, for nobody can be told before there is a monitor, and until then nothing is wrong with that.
MONITOR_KIND, SUBSCRIPTION_KIND = "cost-anomaly-monitor", "cost-anomaly-subscription"
MONITOR, OURS = "plumbline-services", "plumbline-anomalies"
#: An account has one monitor of services; by either code AWS says that it is there already.
_THERE = ("LimitExceededException", "ValidationException")
_ABSOLUTE, _PERCENTAGE = "ANOMALY_TOTAL_IMPACT_ABSOLUTE", "ANOMALY_TOTAL_IMPACT_PERCENTAGE"
_NEVER = float("inf")
_AT_ONCE = "IMMEDIATE"  # which takes a topic, and no address
_MOST_ADDRESSES = 10
_STAYS = (
    "what is made stays, for AWS names it only then; it costs nothing, and Billing and Cost Management, Cost Anomaly "
    "Detection, deletes it"
)


def locate_monitor(detail: Event) -> Iterable[Target]:
    """Both: a subscription is to a monitor."""
    return cloudtrail.here(detail, ALL, "", region=GLOBAL)


def locate_subscription(detail: Event) -> Iterable[Target]:
    """Who is told, whichever subscription it was about."""
    return cloudtrail.here(detail, SUBSCRIPTION_KIND, "services", region=GLOBAL)


def find(ask: Ask) -> Iterable[Target]:
    """The account has one monitor of services, and those whom it tells."""
    yield Target(ask.account, GLOBAL, MONITOR_KIND, "services")
    yield Target(ask.account, GLOBAL, SUBSCRIPTION_KIND, "services")


def untold(target: Target, settings: Settings) -> bool:
    """Whether nobody is to be told, so that nobody has to ask who is: AWS may charge for the answer."""
    return target.kind == SUBSCRIPTION_KIND and not settings["emails"]


def observe(ask: Ask, target: Target) -> State:
    """The monitor of services; or the subscriptions to it, and our own whatever it is to."""
    listed = ask(Call("ce", "GetAnomalyMonitors")).get("AnomalyMonitors") or ()
    arns = [one["MonitorArn"] for one in listed if one.get("MonitorDimension") == "SERVICE"]
    monitor = arns[0] if arns else ""
    if target.kind == MONITOR_KIND:
        return {"monitor": monitor}
    found = ask(Call("ce", "GetAnomalySubscriptions")).get("AnomalySubscriptions") or () if monitor else ()
    kept = [one for one in found if monitor in one["MonitorArnList"] or one["SubscriptionName"] == OURS]
    kept.sort(key=lambda one: (one["SubscriptionName"] != OURS, one["SubscriptionArn"]))
    return {"monitor": monitor, "subscriptions": [_plain(one) for one in kept]}


def _plain(subscription: Mapping[str, Any]) -> dict[str, Any]:
    names = ("SubscriptionArn", "SubscriptionName", "Frequency", "MonitorArnList", "ThresholdExpression", "Threshold")
    return {
        **{name: subscription[name] for name in names if subscription.get(name) is not None},
        "Subscribers": [dict(one) for one in subscription["Subscribers"]],
    }


def detect(state: State, settings: Settings) -> Deviation | None:
    """No monitor; or somebody whom no subscription tells, though there is one."""
    assert state is not None  # noqa: S101 - observe always answers
    if "subscriptions" not in state:
        missing = Deviation("is missing: nothing watches what services cost", ("no monitor",))
        return None if state["monitor"] else missing
    untold = tuple(_untold(one) for one in _missing(state, settings)) if state["monitor"] else ()
    return Deviation(f"is incomplete: {', '.join(untold)}", untold) if untold else None


def describe(state: State) -> str:
    """The monitor, or who hears."""
    assert state is not None  # noqa: S101 - observe always answers
    if not state["monitor"]:
        return "there is no monitor of services"
    if "subscriptions" not in state:
        return "services are monitored"
    told = [address for one in state["subscriptions"] for address in _addresses(one)]
    return f"services are monitored; {', '.join(dict.fromkeys(told)) or 'no address'} is told"


def plan(_target: Target, state: State, settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """Make the monitor; or our own subscription, or what it lacks."""
    assert state is not None  # noqa: S101 - observe always answers
    if "subscriptions" not in state:
        makes = "makes a monitor of what each AWS service costs"
        return Plan(steps=(Step(_monitor()),), resources=("*",), summary=makes, irreversible=_STAYS)
    missing = [one for one in _missing(state, settings) if _untold(one) in facts]
    whom = f"has {', '.join(missing)} told of anomalies from {settings['threshold_usd']:g} USD on"
    ours = next((one for one in state["subscriptions"] if one["SubscriptionName"] == OURS), None)
    if ours is None:
        step = Step(_subscription(state["monitor"], missing, settings))
        return Plan(steps=(step,), resources=("*",), summary=whom, irreversible=_STAYS)
    if ours["Frequency"] == _AT_ONCE or _too_many(ours, missing):
        why = f"it has {_MOST_ADDRESSES} addresses, the most there can be"
        why = "it tells a topic at once, and takes no address beside it" if ours["Frequency"] == _AT_ONCE else why
        return Plan(refusal=f"subscription {OURS} cannot tell them: {why}; change it, or rename it, so that it is made")
    kept = {name: ours[name] for name in ("MonitorArnList", "ThresholdExpression") if name in ours}
    before = {**kept, "Subscribers": [_written(one) for one in ours["Subscribers"]]}
    after = {
        "MonitorArnList": [*ours["MonitorArnList"], *({state["monitor"]} - {*ours["MonitorArnList"]})],
        "Subscribers": [*map(_written, _others(ours, missing)), *map(_by_mail, missing)],
        "ThresholdExpression": _expression(settings) if _least(ours) > settings["threshold_usd"]
        else ours.get("ThresholdExpression") or _expression(settings),
    }  # fmt: skip
    step = Step(_update(ours["SubscriptionArn"], after), (_update(ours["SubscriptionArn"], before),))
    return Plan(steps=(step,), resources=(ours["SubscriptionArn"],), summary=whom)


def part(state: State, _plan: Plan) -> State:
    """The monitor, and our own subscription: the others are other people's."""
    ours = [one for one in state.get("subscriptions", ()) if one["SubscriptionName"] == OURS] if state else []
    return {"monitor": state and state["monitor"], "ours": ours}


def _missing(state: Mapping[str, Any], settings: Settings) -> list[str]:
    """Whom no subscription tells in time."""
    told = {
        address.casefold()
        for one in state["subscriptions"]
        if state["monitor"] in one["MonitorArnList"] and _least(one) <= settings["threshold_usd"]
        for address in _addresses(one)
    }
    return [one for one in settings["emails"] if one.casefold() not in told]


def _untold(email: str) -> str:
    return f"{email} is not told"


def _addresses(subscription: Mapping[str, Any]) -> list[str]:
    """The e-mail addresses that it tells; who has declined hears nothing."""
    return [
        one["Address"]
        for one in subscription["Subscribers"]
        if one.get("Type") == "EMAIL" and one.get("Status") != "DECLINED"
    ]


def _others(subscription: Mapping[str, Any], missing: list[str]) -> list[Mapping[str, Any]]:
    new = {one.casefold() for one in missing}
    return [one for one in subscription["Subscribers"] if str(one.get("Address")).casefold() not in new]


def _too_many(subscription: Mapping[str, Any], missing: list[str]) -> bool:
    return len(_others(subscription, missing)) + len(missing) > _MOST_ADDRESSES


def _least(subscription: Mapping[str, Any]) -> float:
    """From how many dollars on a subscription tells; never, where its condition is one that nobody here knows."""
    if "ThresholdExpression" in subscription:
        return _dollars(subscription["ThresholdExpression"])
    return float(subscription.get("Threshold", 0))


def _dollars(expression: Mapping[str, Any]) -> float:
    if "And" in expression:
        return max(map(_dollars, expression["And"]), default=_NEVER)
    if "Or" in expression:
        return min(map(_dollars, expression["Or"]), default=_NEVER)
    of = expression.get("Dimensions") or {}
    if of.get("Key") == _PERCENTAGE:
        return 0.0
    return float(of["Values"][0]) if of.get("Key") == _ABSOLUTE and of.get("Values") else _NEVER


def _expression(settings: Settings) -> dict[str, Any]:
    least = f"{settings['threshold_usd']:g}"
    return {"Dimensions": {"Key": _ABSOLUTE, "MatchOptions": ["GREATER_THAN_OR_EQUAL"], "Values": [least]}}


def _monitor() -> Call:
    wanted = {"MonitorName": MONITOR, "MonitorType": "DIMENSIONAL", "MonitorDimension": "SERVICE"}
    return Call("ce", "CreateAnomalyMonitor", {"AnomalyMonitor": wanted}, absent=_THERE)


def _subscription(monitor: str, emails: list[str], settings: Settings) -> Call:
    wanted = {
        "SubscriptionName": OURS,
        "MonitorArnList": [monitor],
        "Subscribers": [_by_mail(one) for one in emails],
        "Frequency": "DAILY",
        "ThresholdExpression": _expression(settings),
    }
    return Call("ce", "CreateAnomalySubscription", {"AnomalySubscription": wanted})


def _update(arn: str, what: Mapping[str, Any]) -> Call:
    gone = ("UnknownSubscriptionException",)
    return Call("ce", "UpdateAnomalySubscription", {"SubscriptionArn": arn, **what}, absent=gone)


def _written(subscriber: Mapping[str, Any]) -> dict[str, Any]:
    """Whether somebody takes part he says himself."""
    return {name: value for name, value in subscriber.items() if name != "Status"}


def _by_mail(email: str) -> dict[str, str]:
    return {"Type": "EMAIL", "Address": email}


CONTROL = Control(
    id="billing-anomalies",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.LOW,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND},
    scope=Scope.GLOBAL,
    kinds=(MONITOR_KIND, SUBSCRIPTION_KIND),
    looks=Looks.WEEKLY,
    wakes_on=(
        On(
            "ce.amazonaws.com",
            ("CreateAnomalyMonitor", "DeleteAnomalyMonitor", "UpdateAnomalyMonitor"),
            locate_monitor,
        ),
        On(
            "ce.amazonaws.com",
            ("CreateAnomalySubscription", "DeleteAnomalySubscription", "UpdateAnomalySubscription"),
            locate_subscription,
        ),
    ),
    reads=frozenset({"ce:GetAnomalyMonitors", "ce:GetAnomalySubscriptions"}),
    writes=frozenset({"ce:CreateAnomalyMonitor", "ce:CreateAnomalySubscription", "ce:UpdateAnomalySubscription"}),
    noun="the {kind} of cost anomalies",
    find=find,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    part=part,
    excepted=untold,
    settings={
        "emails": {
            "type": "array",
            "items": {
                "type": "string",
                "maxLength": 254,
                "pattern": r"^[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>]+$",
                "patternErrorMessage": "Write an e-mail address alone, as bills@example.com.",
            },
            "maxItems": _MOST_ADDRESSES,
            "uniqueItems": True,
            "default": [],
            "description": "Who is told of anomalies, each day on which there are some; nobody while it is empty.",
        },
        "threshold_usd": {
            "type": "number",
            "exclusiveMinimum": 0,
            "default": 100,
            "description": "Tell of an anomaly that costs this many US dollars, or more.",
        },
    },
    answers={"ssb": ("ACCT.16",)},
)
