"""What CloudFormation says while a stack changes: events on the default bus, and the status of a resource that goes.

Stock, the emulator sends no events, so that nothing happens after a deployment, and a resource that is being deleted
still says that it is complete. No trail is needed for the events.

Source: AWS CloudFormation user guide, "Stack Status Change event detail"; AWS CloudFormation API reference,
StackResourceDetail, ResourceStatus.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ministack.services.cloudformation import changesets, handlers, stacks

Deliver = Callable[[Mapping[str, Any]], None]

_STACK = "AWS::CloudFormation::Stack"
_GOING = "DELETE_IN_PROGRESS"


def install(deliver: Deliver) -> None:
    """Send an event for each status of a stack, and let what is being deleted say so.

    Args:
        deliver: puts an event on the bus of its account and region, as AWS itself does.
    """
    record = stacks._add_event

    def record_and_tell(
        stack_id: str,
        stack_name: str,
        logical_id: str,
        resource_type: str,
        status: str,
        reason: str = "",
        physical_id: str = "",
        detailed_status: str = "",
    ) -> None:
        record(stack_id, stack_name, logical_id, resource_type, status, reason, physical_id, detailed_status)
        if status == _GOING and resource_type != _STACK:
            stack = handlers._resolve_stack(stack_id) or {}
            if logical_id in stack.get("_resources", {}):
                stack["_resources"][logical_id]["ResourceStatus"] = status
        if resource_type == _STACK and logical_id == stack_name:
            deliver(_event(stack_id, status, reason, stacks.CLIENT_REQUEST_TOKEN.get()))

    for module in (changesets, handlers, stacks):
        module._add_event = record_and_tell


def _event(stack_id: str, status: str, reason: str, token: str) -> dict[str, Any]:
    _, _, _, region, account, _ = stack_id.split(":", 5)
    detail = {
        "stack-id": stack_id,
        "status-details": {"status": status, "status-reason": reason},
        "client-request-token": token,
    }
    return event(account, region, stack_id, "CloudFormation Stack Status Change", detail)


def event(account: str, region: str, arn: str, kind: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    """An event of CloudFormation's own.

    Args:
        account: whose it is.
        region: where it is put on the bus.
        arn: what it is about.
        kind: its detail-type.
        detail: what it says.
    """
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "source": "aws.cloudformation",
        "account": account,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [arn],
        "detail-type": kind,
        "detail": dict(detail),
    }
