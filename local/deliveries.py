"""How events reach the targets of rules, and where they go that cannot.

Stock: what cannot be delivered is dropped, any rule reaches any bus of its region, whatever its role, and none reaches
a bus elsewhere. AWS: EventBridge sends to a bus in the role of the target, which must trust it and be allowed to put
events there, as the bus's own policy agrees. The event arrives as it was, with the region it comes from. It may cross
into another region once, and from bus to bus within one once. What is refused for good goes to the target's dead-letter
queue at once, if the queue lets EventBridge send.

Source: Amazon EventBridge user guide, "Sending and receiving events between Regions", "Sending and receiving events
between event buses in the same account and Region", "Using dead-letter queues to process undelivered events" and
"Monitoring Amazon EventBridge". A target that does not exist is NO_RESOURCE by that guide; that a bus which does not
exist swallows events of an authorised role in silence has been observed, and is documented nowhere.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import md5
from typing import Any
from uuid import uuid4

from ministack.core.arn import Arn, ArnParseError, parse_arn
from ministack.core.concurrency import esm_wake
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudwatch, eventbridge, lambda_svc, sns, sqs

from local import regions, roles
from local.relay import HEARS_READS, READ

Event = dict[str, Any]

_BUS = "event-bus/"
_SERVICE = "events.amazonaws.com"
# What an event has been through; buses count each on its own.
_CROSSED_REGION, _CROSSED_BUS = "_CrossedRegion", "_CrossedBus"
_HEARS = frozenset({HEARS_READS, "ENABLED"})
# Each is a process with a cold start of its own, and this machine may have two processors.
_BATCHES_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an event did not reach a target, in the words of its dead-letter queue."""

    code: str
    message: str


def install() -> None:
    """Deliver as AWS does."""
    _invoke_asynchronously()
    _take_batches_from_queues()
    eventbridge._dispatch_event = dispatch
    stock = eventbridge._invoke_target

    def invoke_target(target: Mapping[str, Any], event: Event, rule: Mapping[str, Any], view: Any = None) -> None:  # noqa: ANN401
        view = view or eventbridge._pattern_event_view(event)
        failure = _hindrance(target, event, rule)
        if failure is None and _is_bus(target):
            _put_on_bus(parse_arn(target["Arn"]), event)
        elif failure is None:
            stock(target, event, rule, view)
        else:
            _give_up(failure, target, _payload(target, rule, view), rule)

    eventbridge._invoke_target = invoke_target


def dispatch(event: Event, view: Any = None) -> None:  # noqa: ANN401
    """Send an event to the targets of the rules of its bus that it matches.

    Stock: only rules that are ENABLED hear anything, and they hear all that is put on the bus.
    AWS: a rule in the state ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS hears reads as well, others do not.
    Source: Amazon EventBridge API reference, PutRule, State.
    """
    hears = frozenset({HEARS_READS}) if event.get(READ) else _HEARS
    view = view or eventbridge._pattern_event_view(event)
    for key, rule in list(eventbridge._rules.items()):
        here = rule.get("EventBusName", "default") == event.get("EventBusName", "default")
        waits = here and rule.get("State") in hears and rule.get("EventPattern")
        if waits and eventbridge._matches_pattern_view(rule["EventPattern"], view, f"rule {key}"):
            for target in list(eventbridge._targets.get(key, [])):
                eventbridge._invoke_target(target, event, rule, view)


def fire(account: str, region: str, name: str) -> int:
    """Let the schedule of a rule come round now; returns how many targets heard of it."""
    with request_scope(account, region):
        key = eventbridge._rule_key(name, "default")
        rule = eventbridge._rules.get(key)
        if rule is None or rule.get("State") == "DISABLED" or not rule.get("ScheduleExpression"):
            return 0
        event = {
            "EventId": str(uuid4()),
            "Source": "aws.events",
            "DetailType": "Scheduled Event",
            "Detail": "{}",
            "EventBusName": "default",
            "Time": int(time.time()),
            "Resources": [rule["Arn"]],
            "Account": account,
            "Region": region,
        }
        targets = list(eventbridge._targets.get(key, []))
        for target in targets:
            eventbridge._invoke_target(target, event, rule)
        return len(targets)


def _invoke_asynchronously() -> None:
    """Stock: a rule runs its function once. AWS: an asynchronous invocation, retried twice, then its DLQ."""

    def dispatch_to_lambda(arn: str, payload: str) -> None:
        function, config, _ = lambda_svc._get_func_record_for_ref(arn)
        lambda_svc.invoke_async_with_retry(
            lambda_svc._execution_record_for_config(function, config), json.loads(payload)
        )

    eventbridge._dispatch_to_lambda = dispatch_to_lambda


def _take_batches_from_queues() -> None:
    """Stock and AWS: as many at once as the template allows, as soon as there are as many. Here two, or fewer."""
    stock = lambda_svc._sqs_esm_concurrency
    lambda_svc._sqs_esm_concurrency = lambda *given: min(_BATCHES_AT_ONCE, stock(*given))


def _is_bus(target: Mapping[str, Any]) -> bool:
    return f":{_BUS}" in target.get("Arn", "") and ":events:" in target.get("Arn", "")


def _hindrance(target: Mapping[str, Any], event: Event, rule: Mapping[str, Any]) -> Failure | None:
    """What keeps an event from a target; None where nothing does."""
    try:
        to = parse_arn(target.get("Arn", ""))
    except ArnParseError:
        return Failure("INVALID_PARAMETER", "The target's ARN is not in correct format.")
    if _is_bus(target):
        return _hindrance_on_bus(to, target, event, rule)
    here = (to.account_id, to.region) == (get_account_id(), get_region())
    there = {
        "lambda": lambda: bool(lambda_svc._get_func_record_for_ref(str(to))[0]),
        "sns": lambda: sns._topic_by_arn_any_scope(str(to)) is not None,
        "sqs": lambda: sqs._queue_by_arn(str(to)) is not None,
    }.get(to.service)
    if there is None or (here and there()):
        return None
    return Failure("NO_RESOURCE", f"The target {to} does not exist in {get_region()}.")


def _hindrance_on_bus(to: Arn, target: Mapping[str, Any], event: Event, rule: Mapping[str, Any]) -> Failure | None:
    crosses = to.region != get_region()
    if event.get(_CROSSED_REGION if crosses else _CROSSED_BUS):
        return Failure(
            "THIRD_REGION_HOP_DETECTED" if crosses else "THIRD_ACCOUNT_HOP_DETECTED",
            f"Event ingestion rejected for event {event.get('EventId')}: it was delivered to an event bus target "
            "before, and can be only once.",
        )
    if not _may_put(to, target, event, rule):
        return Failure("NO_PERMISSIONS", "Lack of permissions to invoke cross account target.")
    if not regions.is_enabled(to.account_id, to.region):
        return Failure("CROSS_REGION_INGESTION_FAILED", f"The Region {to.region} is not enabled.")
    name = to.resource.removeprefix(_BUS)
    if name != "default" and not eventbridge._event_buses.contains_scoped(to.account_id, to.region, name):
        return Failure("NO_RESOURCE", f"Event bus {name} does not exist.")
    return None


def _may_put(to: Arn, target: Mapping[str, Any], event: Event, rule: Mapping[str, Any]) -> bool:
    role = roles.find(target.get("RoleArn", ""), session=str(event.get("EventId", "session")))
    context = {"aws:SourceArn": rule["Arn"], "aws:SourceAccount": get_account_id()}
    if role is None or not role.trusts_service(_SERVICE, context):
        return False
    said = {
        "events:source": event.get("Source", ""),
        "events:detail-type": event.get("DetailType", ""),
        "events:eventBusInvocation": "true",
    }
    name = to.resource.removeprefix(_BUS)
    policy = eventbridge._event_bus_policies.get_scoped(to.account_id, to.region, name)
    return role.may("events:PutEvents", str(to), said, policy=policy)


def _put_on_bus(to: Arn, event: Event) -> None:
    passed = _CROSSED_REGION if to.region != get_region() else _CROSSED_BUS
    with request_scope(to.account_id, to.region):
        arrived = {**event, "EventBusName": to.resource.removeprefix(_BUS), passed: True}
        eventbridge._dispatch_event(arrived)
        eventbridge._archive_event(arrived)


def _payload(target: Mapping[str, Any], rule: Mapping[str, Any], view: Any) -> str:  # noqa: ANN401
    """What the target would have been sent."""
    if target.get("InputTransformer"):
        return str(eventbridge._apply_input_transformer(target["InputTransformer"], rule, view))
    return str(target.get("Input") or json.dumps(view.event_with_detail()))


def _give_up(failure: Failure, target: Mapping[str, Any], payload: str, rule: Mapping[str, Any]) -> None:
    eventbridge.logger.warning("rule %s: %s: %s", rule["Arn"], failure.code, failure.message)
    _count(rule, ["FailedInvocations"])
    letters = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not letters:
        return
    queue = sqs._queue_by_arn(letters) if letters.split(":")[3] == get_region() else None
    if queue is None or not sqs.queue_policy_allows(letters, _SERVICE, rule["Arn"], get_account_id()):
        _count(rule, ["InvocationsFailedToBeSentToDlq"])
        return
    _count(rule, ["InvocationsSentToDlq"])
    attributes = {
        "ERROR_CODE": failure.code,
        "ERROR_MESSAGE": failure.message,
        "RULE_ARN": rule["Arn"],
        "TARGET_ARN": target["Arn"],
    }
    message = {
        "id": str(uuid4()),
        "body": payload,
        "md5_body": md5(payload.encode(), usedforsecurity=False).hexdigest(),
        "message_attributes": {
            name: {"StringValue": value, "DataType": "String"} for name, value in attributes.items()
        },
    }
    sqs._ensure_msg_fields(message)
    message["md5_attrs"] = sqs._md5_msg_attrs(message["message_attributes"])
    queue["messages"].append(message)
    esm_wake.set()


def _count(rule: Mapping[str, Any], metrics: Iterable[str]) -> None:
    """Count in AWS/Events, by rule and, on a bus of one's own, by bus."""
    bus = rule.get("EventBusName", "default")
    dimensions = {"RuleName": rule["Name"]} | ({} if bus == "default" else {"EventBusName": bus})
    for metric in metrics:
        cloudwatch._store_datum("AWS/Events", metric, dimensions, time.time(), "Count", 1, None, None, None)
