"""What IAM is asked about for a call: on which resources, and with which condition keys.

Stock, the emulator takes the first name it meets for the resource, so that attaching a policy to a group is asked of
the policy, leaves paths out of ARNs, and asks of `*` where a name is called otherwise. Here the facts are data, in
`authorization.json`: the resource type of each action and the form of its ARN, by service, with the page of the Service
Authorization Reference that says so. What is not in there is left to the emulator (S3 and DynamoDB above all, which it
knows well).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import cloudformation, dynamodb_streams, iam

from local import passed_roles, shapes, stack_sets, triggers
from local.entities import spelled
from local.wire import Request, operation_of

_FACTS = Path(__file__).with_name("authorization.json")
_USERS_OF_THE_CALLER = "user/"
# Batches take the permission for the single call; there is no other.
# Source: Amazon SQS API permissions, in its developer guide; Amazon SNS API reference, PublishBatch.
_BATCH = "Batch"
_BATCHES = ("sqs:", "sns:")
_NAMED_AS_CALLED = "lambda:"
# AWS asks for one right to see budgets and one to change them, whatever the call.
# Source: Service Authorization Reference, AWS Budget Service.
_BUDGETS = "budgets:"
_STATEMENTS = frozenset({"dynamodb:ExecuteStatement"})
_STATEMENT = re.compile(
    r"""\s*(?P<verb>select|insert|update|delete)\b(?:.*?\b(?:from|into)\b)?\s*"?(?P<table>[\w.-]+)""",
    re.IGNORECASE | re.DOTALL,
)


class Asked(str):
    """The first resource that IAM is asked about, with the others: a call is allowed on all of them or refused.

    Attributes:
        others: the resources after the first.
        refused: the one that decided; the first where none was refused.
    """

    __slots__ = ("others", "refused")
    others: tuple[str, ...]
    refused: str

    @classmethod
    def about(cls, arns: Sequence[str]) -> Asked:
        """The resources of one call, of which there is at least one."""
        made = cls(arns[0])
        made.others = tuple(arns[1:])
        made.refused = arns[0]
        return made


@dataclass(frozen=True, slots=True)
class Scope:
    """How the resources of an action are named: the form of the ARN, and where parameters may hold the name."""

    kind: str
    arn: str
    named: tuple[str, ...]


@cache
def facts() -> Mapping[str, Any]:
    """What `authorization.json` says, by service as IAM names it."""
    return dict(json.loads(_FACTS.read_text(encoding="utf-8")))


@cache
def _scopes() -> Mapping[str, Scope]:
    return {
        f"{service}:{action}": Scope(kind, one["arn"], tuple(one["named"]))
        for service, fact in facts().items()
        for kind, one in fact["resources"].items()
        for action in one["actions"]
    }


@cache
def _unscoped() -> frozenset[str]:
    return frozenset(f"{service}:{action}" for service, fact in facts().items() for action in fact["unscoped"])


@cache
def _conditions() -> Mapping[str, Mapping[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for service, fact in facts().items():
        for key, one in fact["conditions"].items():
            for action in one["actions"]:
                found.setdefault(f"{service}:{action}", {})[key] = one["named"]
    return found


def install() -> None:
    """Let the emulator ask IAM as `authorization.json` says."""
    _name_batches_by_their_single_call()
    _ask_of_the_right_resources()
    _tell_the_condition_keys()
    _name_the_resource_in_refusals()


def _name_batches_by_their_single_call() -> None:
    extract = iam_actions.extract_iam_action

    def single(*request: Any) -> str | None:  # noqa: ANN401
        action: str | None = extract(*request)
        if action in _STATEMENTS:
            return _by_statement(action or "", request[4])
        if action and action.startswith(_BUDGETS):
            return f"{_BUDGETS}{'ViewBudget' if action.startswith(f'{_BUDGETS}Describe') else 'ModifyBudget'}"
        if action and action.startswith(_NAMED_AS_CALLED):
            action = _as_called(action, Request(request[1], request[2], request[5], request[3], request[4], client=""))
        return action.removesuffix(_BATCH) if action and action.startswith(_BATCHES) else action

    iam_actions.extract_iam_action = single


def _by_statement(action: str, body: bytes) -> str:
    """Stock: a statement in PartiQL is asked as its call. AWS: as what it does, on its table.

    Source: Amazon DynamoDB developer guide, "Use IAM security policies with PartiQL for DynamoDB".
    """
    found = _STATEMENT.match(str(json.loads(body or b"{}").get("Statement", "")))
    return f"dynamodb:PartiQL{found['verb'].title()}" if found else action


def _as_called(action: str, request: Request) -> str:
    """Stock: taking a limit of concurrency off is asked as putting one. AWS names Lambda's actions as its calls."""
    operation = operation_of(request)
    if operation is None or operation.name.startswith("Invoke"):
        return action
    return f"lambda:{operation.name}"


def _ask_of_the_right_resources() -> None:
    stock = iam_actions.extract_resource_arn

    def extract(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: dict[str, list[str]],
        region: str,
        account: str,
    ) -> str:
        action = iam_actions.extract_iam_action(service, method, path, headers, body, query)
        scope = _scopes().get(action or "")
        request = Request(method, path, query, headers, body, client="")
        asked_besides = passed_roles.passes(action or "") or triggers.concerns(action or "")
        parameters = _parameters(request) if scope or asked_besides else {}
        passed_roles.remember(action or "", parameters)
        triggers.remember(action or "", parameters, region, account)
        if action in _unscoped():
            return "*"
        if (action or "").startswith("dynamodb:PartiQL"):
            found = _STATEMENT.match(str(json.loads(body).get("Statement", "")))
            return f"arn:aws:dynamodb:{region}:{account}:table/{found['table']}" if found else "*"
        if scope is None:
            return str(stock(service, method, path, headers, body, query, region, account))
        return Asked.about(list(_arns(scope, parameters, region, account)))

    iam_actions.extract_resource_arn = extract


def _tell_the_condition_keys() -> None:
    stock = iam_actions.request_tag_context

    def context(service: str, iam_action: str, body: bytes, query: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = stock(service, iam_action, body, query)
        keys = _conditions().get(iam_action, {})
        asked = {name: values[0] for name, values in query.items() if isinstance(values, list) and values}
        for key, name in keys.items():
            value = asked.get(name) or (_boundary(asked) if key == "iam:PermissionsBoundary" else None)
            if value:
                found[key] = value
        if triggers.function.get():
            found[triggers.KEY] = triggers.function.get()
        return found

    iam_actions.request_tag_context = context


def _name_the_resource_in_refusals() -> None:
    """Stock: a refusal does not say on what. AWS names the resource it was asked about."""
    stock = iam_actions.access_denied_response

    def refuse(service: str, action: str, principal: str, request_id: str, **said: Any) -> Any:  # noqa: ANN401
        resource = said.get("resource_arn", "*")
        said["resource_arn"] = resource = getattr(resource, "refused", resource)
        if passed_roles.refused.get():
            action, resource = "iam:PassRole", passed_roles.refused.get()
            said["resource_arn"] = resource
        explicit = said.get("explicit_deny", False)
        by_a_policy_of_the_resource = explicit and said.get("resource_policy_arn")
        if not (said.get("error_code") or said.get("message") or by_a_policy_of_the_resource):
            said["message"] = iam_actions.identity_denial_message(action, principal, resource, explicit)
        return stock(service, action, principal, request_id, **said)

    iam_actions.access_denied_response = refuse


def _parameters(request: Request) -> Mapping[str, Any]:
    """The parameters of a call by their names in camel case, whatever its protocol."""
    operation = operation_of(request)
    return (shapes.request_parameters(operation, request) or {}) if operation else {}


def _arns(scope: Scope, parameters: Mapping[str, Any], region: str, account: str) -> Iterator[str]:
    names = [name for key in scope.named for name in _listed(_at(parameters, key))]
    if not names and scope.kind == "user":
        names = [_user_of(parameters)]
    for name in names or ["*"]:
        yield _arn(scope, name, parameters).replace("{region}", region).replace("{account}", account)


def _at(parameters: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401
    """What stands at a dotted path of names, written as the API reference writes them."""
    value: Any = parameters
    for key in path.split("."):
        value = value.get(key[0].lower() + key[1:]) if isinstance(value, Mapping) else None
    return value


def _arn(scope: Scope, name: str, parameters: Mapping[str, Any]) -> str:
    if name.startswith("arn:"):
        # A subscription is judged by its topic, whose ARN it begins with.
        return name.rpartition(":")[0] if scope.kind == "topic" and name.count(":") > _COLONS_OF_A_TOPIC else name
    if scope.kind in {"group", "policy", "role", "user"}:
        entity = spelled(scope.kind, name)
        arn: str = entity["Arn"] if entity else scope.arn.format(f"{_path(parameters)}{name}", account="{account}")
        return arn
    if scope.kind == "stack":
        stack = cloudformation._stacks.get(name)
        return str(stack["StackId"]) if stack else _filled(scope, f"{name}/*")
    if scope.kind == "stackset":
        known = stack_sets.find(name)
        return known.arn if known else _filled(scope, f"{name}:*")
    if scope.kind == "stream":
        # An iterator is a stream's, and says so to nobody but the service.
        return str((dynamodb_streams._decode_iterator(name) or {}).get("arn", "*"))
    if scope.kind == "log-stream":
        return _filled(scope, f"{name}:log-stream:{parameters.get('logStreamName') or ''}")
    bus = str(parameters.get("eventBusName") or "default").rpartition("/")[2]
    return _filled(scope, name if bus == "default" else f"{bus}/{name}")


_COLONS_OF_A_TOPIC = 5


def _filled(scope: Scope, name: str) -> str:
    return scope.arn.replace("{}", name)


def _path(parameters: Mapping[str, Any]) -> str:
    return str(parameters.get("path") or "/").removeprefix("/")


def _listed(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(one) for one in value]
    return [str(value)] if value else []


def _user_of(parameters: Mapping[str, Any]) -> str:
    """Whom a call is about that names no user: the owner of the key it names, or else the caller."""
    key = iam._access_keys.get(parameters.get("accessKeyId", ""))
    if key:
        return str(key["UserName"])
    _, marker, name = iam_evaluator.caller_arn().partition(f":{_USERS_OF_THE_CALLER}")
    return name.rpartition("/")[2] if marker else "*"


def _boundary(asked: Mapping[str, str]) -> str | None:
    """The permissions boundary of the user or role that a call is about."""
    for kind, name in (("user", asked.get("UserName")), ("role", asked.get("RoleName"))):
        if name:
            return (spelled(kind, name) or {}).get("PermissionsBoundary")
    return None
