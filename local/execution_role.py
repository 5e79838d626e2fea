"""What CloudFormation asks of the role that it acts in while it changes the resources of a StackSet's instance.

The emulator's CloudFormation makes what it likes. On AWS each instance of a StackSet is made by the execution role, and
what that role may not do fails, as if somebody had called it. The calls of a type are in `resource_actions.json`.

Source: AWS CloudFormation user guide, "Grant self-managed permissions"; the handlers' permissions in the schema of each
resource type (DescribeType).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudformation
from ministack.services.cloudformation import stacks

from local.roles import Role

_FACTS = Path(__file__).with_name("resource_actions.json")
_MARK = "_execution_role"


class NotAllowed(ValueError):
    """The execution role may not do what a resource takes; CloudFormation shows the message as the status reason."""


def install() -> None:
    """Ask the execution role before a resource of its stack is made, changed or deleted."""
    provision, update, delete = stacks._provision_resource, stacks._update_resource, stacks._delete_resource

    def provision_if_allowed(kind: str, logical_id: str, props: dict[str, Any], stack: str) -> Any:  # noqa: ANN401
        _ask(stack, kind, "create", _name(kind, props) or f"{stack}-{logical_id}-XXXXXXXXXXXX", props)
        return provision(kind, logical_id, props, stack)

    def update_if_allowed(
        kind: str,
        physical_id: str,
        old: dict[str, Any],
        new: dict[str, Any],
        stack: str,
        *more: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        if old != new:
            _ask(stack, kind, "update", physical_id, new)
        return update(kind, physical_id, old, new, stack, *more)

    def delete_if_allowed(kind: str, physical_id: str, props: dict[str, Any], stack: str = "", *more: Any) -> Any:  # noqa: ANN401
        _ask(stack, kind, "delete", physical_id, props)
        return delete(kind, physical_id, props, stack, *more)

    stacks._provision_resource = provision_if_allowed
    stacks._update_resource = update_if_allowed
    stacks._delete_resource = delete_if_allowed


@contextmanager
def acting(stack: dict[str, Any], role: Role) -> Iterator[None]:
    """Let CloudFormation change a stack's resources in this role only, until the end of the block."""
    stack[_MARK] = role
    try:
        yield
    finally:
        del stack[_MARK]


@cache
def _facts() -> Mapping[str, Any]:
    return dict(json.loads(_FACTS.read_text(encoding="utf-8")))


def _ask(stack: str, kind: str, verb: str, name: str, props: Mapping[str, Any]) -> None:
    role: Role | None = (cloudformation._stacks.get(stack) or {}).get(_MARK)
    if role is None:
        return
    fact = _facts().get(kind)
    if fact is None:
        known = ", ".join(_facts())
        raise NotAllowed(
            f"The embedded account does not know which calls a StackSet's execution role makes for {kind}: add them "
            f"to local/resource_actions.json. It knows {known}."
        )
    for action, resource, context in [*_calls(fact, verb, name, props), *_passed(fact, verb, props)]:
        if not role.may(action, resource, context):
            raise NotAllowed(
                f"User: {role.acts_as} is not authorized to perform: {action} on resource: {resource} because no "
                f"identity-based policy allows the {action} action"
            )


def _calls(
    fact: Mapping[str, Any], verb: str, name: str, props: Mapping[str, Any]
) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    listed = props.get(fact["named"])
    for one in listed if isinstance(listed, list) else [name]:
        for action in fact[verb]:
            yield action, _arn(fact, str(one), str(props.get("EventBusName") or "")), {}


def _passed(
    fact: Mapping[str, Any], verb: str, props: Mapping[str, Any]
) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    for service, names in fact.get("passes", {}).items() if verb != "delete" else ():
        for name in names:
            value = props.get(name)
            given = [one.get("RoleArn") for one in value] if isinstance(value, list) else [value]
            for role in given:
                if role:
                    yield "iam:PassRole", str(role), {"iam:PassedToService": service}


def _name(kind: str, props: Mapping[str, Any]) -> str:
    value = props.get(_facts().get(kind, {}).get("named", ""))
    return value if isinstance(value, str) else ""


def _arn(fact: Mapping[str, Any], name: str, bus: str) -> str:
    if fact["arn"] == "*":
        return "*"
    if name.startswith("arn:"):
        return name
    # A queue is known by its URL.
    plain = name.rpartition("/")[2]
    bus = bus.rpartition("/")[2]
    inside = f"{bus}/{plain}" if ":rule/" in fact["arn"] and bus not in {"", "default"} else plain
    form: str = fact["arn"]
    return form.replace("{}", inside).replace("{region}", get_region()).replace("{account}", get_account_id())
