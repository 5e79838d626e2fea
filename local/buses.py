"""Event buses of one's own: their policies, their rules and targets, and their resource types.

Stock: a policy is kept and asked of nobody, rules take a bus by its name only, targets anything, and CloudFormation
knows neither a bus's policy nor whether there is the bus.

Source: Amazon EventBridge API reference, PutPermission, RemovePermission, PutRule, DeleteRule, PutTargets,
DeleteEventBus, DescribeEventBus; Amazon EventBridge user guide, "Permissions for event buses" and "Transforming
events" (not for buses); AWS CDK API reference, EventBusProps of aws-events-targets (no retry policy for buses); AWS
CloudFormation template reference, AWS::Events::EventBus, AWS::Events::EventBusPolicy.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import eventbridge
from ministack.services.cloudformation import provisioners

from local import regions
from local.cfn_types import Properties, ResourceFailed

Body = Mapping[str, Any]
Response = tuple[int, dict[str, str], bytes]
Handler = Callable[[Body], Response]

_BUS = "event-bus/"
_ERROR = 400
# Calls that name a bus, by its name or its ARN.
_ON_A_BUS = (
    "_delete_rule", "_describe_rule", "_disable_rule", "_enable_rule", "_list_rules", "_list_targets_by_rule",
    "_put_permission", "_put_rule", "_put_targets", "_remove_permission", "_remove_targets",
)  # fmt: skip
_MODIFIED = ("Input", "InputPath", "InputTransformer")


def install() -> None:
    """Let buses be as on AWS."""
    for name in _ON_A_BUS:
        setattr(eventbridge, name, _on_a_bus(getattr(eventbridge, name)))
    eventbridge._put_rule = _on_the_default_bus_only(eventbridge._put_rule)
    eventbridge._put_targets = _with_targets_checked(eventbridge._put_targets)
    eventbridge._delete_rule = _without_targets(eventbridge._delete_rule)
    eventbridge._put_permission = _on_a_bus(_put_permission)
    eventbridge._remove_permission = _on_a_bus(_of_a_statement(eventbridge._remove_permission))
    eventbridge._describe_event_bus = _by_arn_too(eventbridge._describe_event_bus)
    eventbridge._delete_event_bus = _delete_event_bus(eventbridge._delete_event_bus)
    # The module's own name, where the evaluator looks for policies of resources.
    eventbridge.bus_policy_for_arn = _policy_of
    iam_evaluator._RESOURCE_POLICY_LOOKUPS["events"] = ("eventbridge", "bus_policy_for_arn")
    _register_types()


# --- calls ----------------------------------------------------------------------------------------


def _on_a_bus(handle: Handler) -> Handler:
    """Take a bus by its ARN too, and refuse one of another region."""

    def handled(body: Body) -> Response:
        name = str(body.get("EventBusName") or "default")
        if name.startswith("arn:"):
            bus = parse_arn(name)
            if bus.region != get_region():
                return _refuse("ValidationException", "Cross-region api call is not allowed.")
            name = bus.resource.removeprefix(_BUS)
        eventbridge._ensure_default_bus()
        if name not in eventbridge._event_buses:
            return _refuse("ResourceNotFoundException", f"Event bus {name} does not exist.")
        return handle({**body, "EventBusName": name})

    return handled


def _on_the_default_bus_only(put_rule: Handler) -> Handler:
    def put(body: Body) -> Response:
        bus = str(body.get("EventBusName") or "default").rpartition("/")[2]
        if bus != "default" and body.get("ScheduleExpression"):
            return _refuse("ValidationException", "ScheduleExpression is supported only on the default event bus.")
        return put_rule(body)

    return put


def _with_targets_checked(put_targets: Handler) -> Handler:
    def put(body: Body) -> Response:
        wrong = wrong_with(body.get("Targets", ()), str(body.get("EventBusName") or "default").rpartition("/")[2])
        return _refuse("ValidationException", wrong) if wrong else put_targets(body)

    return put


def wrong_with(targets: Any, bus: str) -> str | None:  # noqa: ANN401
    """What AWS finds wrong with targets that are buses, of a rule on a bus; None where nothing is."""
    for target in targets:
        arn = str(target.get("Arn", ""))
        if f":{_BUS}" not in arn or ":events:" not in arn:
            continue
        try:
            to = parse_arn(arn)
        except ArnParseError:
            to = None
        if to is None or not regions.exists(to.region):
            return f"Parameter {arn} is not valid. Reason: Provided Arn is not in correct format."
        if not target.get("RoleArn"):
            return f"RoleArn is required for target {arn}."
        if any(target.get(name) for name in _MODIFIED):
            return f"Modifying the input for target {target.get('Id')} is not supported."
        if target.get("RetryPolicy"):
            return f"RetryPolicy is not supported for target {target.get('Id')}: it is an event bus."
        here = (to.account_id, to.region, to.resource)
        if here == (get_account_id(), get_region(), f"{_BUS}{bus}"):
            return "Source EventBus and Target EventBus must not be the same."
    return None


def _without_targets(delete_rule: Handler) -> Handler:
    def delete(body: Body) -> Response:
        bus = str(body.get("EventBusName") or "default").rpartition("/")[2]
        if eventbridge._targets.get(eventbridge._rule_key(body.get("Name"), bus)):
            return _refuse("ValidationException", "Rule can't be deleted since it has targets.")
        return delete_rule(body)

    return delete


def _put_permission(body: Body) -> Response:
    bus = body["EventBusName"]
    if body.get("Policy"):
        try:
            document = json.loads(body["Policy"])
        except ValueError:
            return _refuse("ValidationException", "The policy is not valid JSON.")
        eventbridge._event_bus_policies[bus] = document
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, b"{}"
    principal, condition = str(body.get("Principal", "")), body.get("Condition")
    statement = {
        "Sid": body.get("StatementId"),
        "Effect": "Allow",
        "Principal": principal if principal == "*" else {"AWS": f"arn:aws:iam::{principal}:root"},
        "Action": body.get("Action", "events:PutEvents"),
        "Resource": _arn(bus),
        **({"Condition": {condition["Type"]: {condition["Key"]: condition["Value"]}}} if condition else {}),
    }
    keep_statement(bus, statement)
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, b"{}"


def keep_statement(bus: str, statement: Mapping[str, Any]) -> None:
    """Let a bus's policy hold a statement, in the place of the one of its id."""
    policy = eventbridge._event_bus_policies.get(bus) or {"Version": "2012-10-17", "Statement": []}
    others = [one for one in policy["Statement"] if one.get("Sid") != statement.get("Sid")]
    eventbridge._event_bus_policies[bus] = {**policy, "Statement": [*others, dict(statement)]}


def _of_a_statement(remove_permission: Handler) -> Handler:
    def remove(body: Body) -> Response:
        policy = eventbridge._event_bus_policies.get(body["EventBusName"]) or {"Statement": []}
        known = [one.get("Sid") for one in policy["Statement"]]
        if not body.get("RemoveAllPermissions") and body.get("StatementId") not in known:
            return _refuse("ResourceNotFoundException", f"Statement {body.get('StatementId')} does not exist.")
        return remove_permission(body)

    return remove


def _by_arn_too(describe: Handler) -> Handler:
    def described(body: Body) -> Response:
        name = str(body.get("Name") or "default")
        plain = name.rpartition("/")[2] if name.startswith("arn:") else name
        if plain not in eventbridge._event_buses:
            return _refuse("ResourceNotFoundException", f"Event bus {plain} does not exist.")
        return describe({**body, "Name": plain})

    return described


def _delete_event_bus(delete: Handler) -> Handler:
    def deleted(body: Body) -> Response:
        name = body.get("Name")
        if any(rule.get("EventBusName") == name for rule in eventbridge._rules.values()):
            return _refuse("ValidationException", "EventBus can't be deleted since it has rules.")
        answer = delete(body)
        if answer[0] < _ERROR:
            eventbridge._event_bus_policies.pop(name, None)
        return answer

    return deleted


def _policy_of(arn: str) -> tuple[Any, str] | None:
    """The policy of a bus and whose it is, for the evaluator; None for what is no bus, or has none."""
    if f":{_BUS}" not in arn:
        return None
    bus = parse_arn(arn)
    policy = eventbridge._event_bus_policies.get_scoped(bus.account_id, bus.region, bus.resource.removeprefix(_BUS))
    return (policy or "", bus.account_id)


def _arn(bus: str) -> str:
    return f"arn:aws:events:{get_region()}:{get_account_id()}:{_BUS}{bus}"


def _refuse(code: str, message: str) -> Response:
    return error_response_json(code, message, _ERROR)  # type: ignore[no-any-return]


# --- resource types -------------------------------------------------------------------------------


def _register_types() -> None:
    handlers = provisioners._RESOURCE_HANDLERS
    bus = handlers["AWS::Events::EventBus"]
    create, update, delete = bus["create"], bus["update"], bus["delete"]

    def create_bus(logical_id: str, props: Properties, stack: str) -> Any:  # noqa: ANN401
        name, attributes = create(logical_id, props, stack)
        _keep_properties(name, props)
        return name, {**attributes, "Policy": json.dumps(props.get("Policy") or {})}

    def update_bus(name: str, old: Properties, new: Properties, stack: str) -> Any:  # noqa: ANN401
        now, attributes = update(name, old, new, stack)
        if old.get("Policy") and not new.get("Policy"):
            eventbridge._event_bus_policies.pop(now, None)
        _keep_properties(now, new)
        return now, {**attributes, "Policy": json.dumps(new.get("Policy") or {})}

    def delete_bus(name: str, props: Properties) -> None:
        if any(rule.get("EventBusName") == name for rule in eventbridge._rules.values()):
            raise ResourceFailed("EventBus can't be deleted since it has rules.")
        delete(name, props)
        eventbridge._event_bus_policies.pop(name, None)

    bus.update({"create": create_bus, "update": update_bus, "delete": delete_bus})
    handlers["AWS::Events::EventBusPolicy"] = {
        "create": _create_policy,
        "update": lambda _id, old, new, stack: _replace_policy(old, new, stack),
        "delete": _delete_policy,
    }
    _check_rules(handlers["AWS::Events::Rule"])


def _keep_properties(bus: str, props: Properties) -> None:
    for name in ("DeadLetterConfig", "KmsKeyIdentifier"):
        if name in props:
            eventbridge._event_buses[bus][name] = props[name]
    if props.get("Policy"):
        document = props["Policy"]
        eventbridge._event_bus_policies[bus] = json.loads(document) if isinstance(document, str) else document


def _create_policy(_logical_id: str, props: Properties, _stack: str) -> tuple[str, dict[str, Any]]:
    bus, sid = str(props.get("EventBusName") or "default").rpartition("/")[2], str(props["StatementId"])
    eventbridge._ensure_default_bus()
    if bus not in eventbridge._event_buses:
        raise ResourceFailed(f"Event bus {bus} does not exist.")
    statement = props.get("Statement")
    if statement:
        keep_statement(bus, {**statement, "Sid": sid})
    else:
        named = {name: props[name] for name in ("Action", "Condition", "Principal") if name in props}
        eventbridge._put_permission({"EventBusName": bus, "StatementId": sid, **named})
    return f"{bus}|{sid}", {"Id": f"{bus}|{sid}"}


def _replace_policy(old: Properties, new: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    made = _create_policy("", new, stack)
    if _place(old) != _place(new):
        _delete_policy("", old)
    return made


def _delete_policy(_physical_id: str, props: Properties) -> None:
    bus, sid = _place(props)
    # What is gone already is deleted.
    eventbridge._remove_permission({"EventBusName": bus, "StatementId": sid})


def _place(props: Properties) -> tuple[str, str]:
    return str(props.get("EventBusName") or "default").rpartition("/")[2], str(props["StatementId"])


def _check_rules(rule: dict[str, Any]) -> None:
    """Stock: a rule is made on a bus that there is not, with targets that PutTargets refuses."""
    create = rule["create"]

    def create_rule(logical_id: str, props: Properties, stack: str) -> Any:  # noqa: ANN401
        bus = provisioners._eb_rule_bus_name(props)
        eventbridge._ensure_default_bus()
        if bus not in eventbridge._event_buses:
            raise ResourceFailed(f"Event bus {bus} does not exist.")
        if bus != "default" and props.get("ScheduleExpression"):
            raise ResourceFailed("ScheduleExpression is supported only on the default event bus.")
        wrong = wrong_with(props.get("Targets") or (), bus)
        if wrong:
            raise ResourceFailed(wrong)
        return create(logical_id, props, stack)

    rule["create"] = create_rule
