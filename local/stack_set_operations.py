"""Operations on StackSets: region by region, each instance a stack of its own, in the roles that were given for it.

An operation works through the regions in their order and stops at the first where more accounts fail than it may
tolerate; what is left is cancelled.

Source: AWS CloudFormation user guide, "StackSet operation options" and "Grant self-managed permissions"; AWS
CloudFormation API reference, StackSetOperationPreferences.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any

from ministack.core.responses import now_iso, set_request_account_id, set_request_region
from ministack.services import cloudformation
from ministack.services.cloudformation import handlers

from local import execution_role, regions, roles
from local.roles import Role
from local.stack_sets import (
    CANCELLED,
    CURRENT,
    FAILED,
    INOPERABLE,
    OUTDATED,
    RUNNING,
    STOPPED,
    STOPPING,
    SUCCEEDED,
    Instance,
    Operation,
    Refused,
    Result,
    StackSet,
    refuse_while_busy,
    say_instance,
    say_operation,
)

_POLL = 0.01
_ERROR = 400
_MESSAGE = re.compile(r"<Message>(.*?)</Message>", re.DOTALL)
_UNCHANGED = "No updates are to be performed."
#: A stack in one of these was never made, and has to go before it can be made again.
_NEVER_MADE = frozenset({"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"})

# Kept until they end, or nothing else would hold them.
_tasks: set[asyncio.Task[None]] = set()


def begin(stack_set: StackSet, operation: Operation, instances: Sequence[Instance]) -> asyncio.Task[None]:
    """Begin an operation on instances; those that are new belong to the StackSet from now on.

    Returns:
        The task that ends with the operation.

    Raises:
        Refused: another operation is under way, or there was one of this id.
    """
    refuse_while_busy(stack_set)
    if operation.id in stack_set.operations:
        raise Refused("OperationIdAlreadyExistsException", f"Operation {operation.id} already exists", 409)
    stack_set.operations[operation.id] = operation
    for one in instances:
        stack_set.instances.setdefault(one.where, one)
        operation.results[one.where] = Result()
        one.operation, one.detailed, one.reason = operation.id, "PENDING", "User Initiated"
        one.status = one.status if one.status == INOPERABLE else OUTDATED
        say_instance(stack_set, operation, one)
    say_operation(stack_set, operation)
    task = asyncio.get_running_loop().create_task(_perform(stack_set, operation, list(instances)))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return task


def stop(stack_set: StackSet, operation: Operation) -> None:
    """Let an operation begin with nothing more.

    Raises:
        Refused: it has ended.
    """
    if operation.status != RUNNING:
        raise Refused("InvalidOperationException", f"Operation {operation.id} is not running")
    operation.status = STOPPING
    say_operation(stack_set, operation)


async def _perform(stack_set: StackSet, operation: Operation, instances: Sequence[Instance]) -> None:
    exceeded = False
    if operation.preferences.get("RegionConcurrencyType") == "PARALLEL":
        await asyncio.gather(*(_begin_one(stack_set, operation, one) for one in instances))
        exceeded = any(_failed(operation, region) > operation.tolerance for region in operation.regions)
    else:
        for one in sorted(instances, key=lambda one: operation.order.index(one.region)):
            if exceeded or operation.status == STOPPING:
                why = "Cancelled since failure tolerance has exceeded" if exceeded else "Cancelled by user"
                _end(stack_set, operation, one, CANCELLED, why)
                continue
            await _begin_one(stack_set, operation, one)
            exceeded = _failed(operation, one.region) > operation.tolerance
    ended = FAILED if exceeded else SUCCEEDED
    operation.status = STOPPED if operation.status == STOPPING else ended
    operation.ended = now_iso()
    say_operation(stack_set, operation)


def _failed(operation: Operation, region: str) -> int:
    return sum(one.status == FAILED for (_, where), one in operation.results.items() if where == region)


def _begin_one(stack_set: StackSet, operation: Operation, instance: Instance) -> asyncio.Task[None]:
    # A task has a context of its own, in which the account and the region of the instance hold.
    return asyncio.get_running_loop().create_task(_one(stack_set, operation, instance))


async def _one(stack_set: StackSet, operation: Operation, instance: Instance) -> None:
    set_request_account_id(instance.account)
    set_request_region(instance.region)
    operation.results[instance.where].status = instance.detailed = RUNNING
    say_instance(stack_set, operation, instance)
    removes = operation.action == "DELETE"
    try:
        if not (removes and operation.retain):
            role = _role(stack_set, operation, instance)
            await (_remove(role, instance) if removes else _deploy(stack_set, role, instance))
    except Refused as refused:
        left = removes and (_stack(instance) or {}).get("StackStatus") == "DELETE_FAILED"
        instance.status = INOPERABLE if left else OUTDATED
        _end(stack_set, operation, instance, FAILED, str(refused))
        return
    if removes:
        del stack_set.instances[instance.where]
    instance.status = CURRENT
    _end(stack_set, operation, instance, SUCCEEDED, "")


def _end(stack_set: StackSet, operation: Operation, instance: Instance, status: str, reason: str) -> None:
    operation.results[instance.where] = Result(status, reason)
    instance.detailed, instance.reason = status, reason
    say_instance(stack_set, operation, instance)


def _role(stack_set: StackSet, operation: Operation, instance: Instance) -> Role:
    """The execution role of an instance, which the administration role may become.

    In a region that accounts have to opt into, CloudFormation comes as the service of that region.
    """
    if not regions.is_enabled(instance.account, instance.region):
        raise Refused(FAILED, "The security token included in the request is invalid.")
    administration = roles.find(stack_set.administration_role, session=operation.id)
    of_region = f".{instance.region}" if regions.asks_to_opt_in(instance.region) else ""
    asked_for = {"aws:SourceArn": stack_set.arn, "aws:SourceAccount": stack_set.account}
    if administration is None or not administration.trusts_service(
        f"cloudformation{of_region}.amazonaws.com", asked_for
    ):
        raise Refused(
            FAILED,
            f"Account {stack_set.account} should have '{stack_set.administration_role.rpartition('/')[2]}' role with "
            "trust relationship to CloudFormation service.",
        )
    role = roles.named(instance.account, stack_set.execution_role, session=operation.id)
    if role is None or not role.trusts(administration):
        raise Refused(
            FAILED,
            f"Account {instance.account} should have '{stack_set.execution_role}' role with trust relationship to "
            f"Role '{administration.name}'.",
        )
    return role


async def _deploy(stack_set: StackSet, role: Role, instance: Instance) -> None:
    stack = _stack(instance)
    if stack and stack["StackStatus"] in _NEVER_MADE:
        await _remove(role, instance)
        stack = None
    verb, call = ("Update", handlers._update_stack) if stack else ("Create", handlers._create_stack)
    _ask(role, f"cloudformation:{verb}Stack", instance)
    _ask(role, "cloudformation:DescribeStacks", instance)
    status, _, body = call(_request(stack_set, instance))
    if status >= _ERROR:
        said = unescape((_MESSAGE.search(body.decode()) or ["", body.decode()])[1])
        if said == _UNCHANGED:
            return
        raise Refused(FAILED, said)
    made = cloudformation._stacks[instance.stack_name]
    instance.stack_id = made["StackId"]
    with execution_role.acting(made, role):
        ended = await _settled(made)
    if ended not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        raise Refused(FAILED, _why(made))


async def _remove(role: Role, instance: Instance) -> None:
    stack = _stack(instance)
    if stack is None:
        return
    _ask(role, "cloudformation:DeleteStack", instance)
    with execution_role.acting(stack, role):
        status, _, body = handlers._delete_stack({"StackName": [stack["StackId"]]})
        # Deleting begins on the next turn of the loop, and says so only then.
        await asyncio.sleep(_POLL)
        ended = await _settled(stack)
    if status >= _ERROR:
        raise Refused(FAILED, unescape((_MESSAGE.search(body.decode()) or ["", body.decode()])[1]))
    if ended != "DELETE_COMPLETE":
        raise Refused(FAILED, _why(stack))


def _stack(instance: Instance) -> dict[str, Any] | None:
    stack: dict[str, Any] | None = cloudformation._stacks.get(instance.stack_name)
    return None if stack is None or stack["StackStatus"] == "DELETE_COMPLETE" else stack


def _ask(role: Role, action: str, instance: Instance) -> None:
    arn = f"arn:aws:cloudformation:{instance.region}:{instance.account}:stack/{instance.stack_name}/*"
    if not role.may(action, arn):
        raise Refused(FAILED, f"User: {role.acts_as} is not authorized to perform: {action} on resource: {arn}")


def _request(stack_set: StackSet, instance: Instance) -> dict[str, list[str]]:
    overridden = {one["ParameterKey"]: one for one in [*stack_set.parameters, *instance.overrides]}
    request = {"StackName": [instance.stack_name], "TemplateBody": [stack_set.template]}
    for number, one in enumerate(overridden.values(), 1):
        request[f"Parameters.member.{number}.ParameterKey"] = [one["ParameterKey"]]
        request[f"Parameters.member.{number}.ParameterValue"] = [one.get("ParameterValue", "")]
    for number, capability in enumerate(stack_set.capabilities, 1):
        request[f"Capabilities.member.{number}"] = [capability]
    for number, tag in enumerate(stack_set.tags, 1):
        request[f"Tags.member.{number}.Key"] = [tag["Key"]]
        request[f"Tags.member.{number}.Value"] = [tag["Value"]]
    return request


async def _settled(stack: Mapping[str, Any]) -> str:
    # The emulator's stacks are dictionaries, which tell nobody that they changed.
    while str(stack["StackStatus"]).endswith("IN_PROGRESS"):  # noqa: ASYNC110
        await asyncio.sleep(_POLL)
    return str(stack["StackStatus"])


def _why(stack: Mapping[str, Any]) -> str:
    """What stopped a stack, as StackSets put it: the first resource that failed since somebody began to change it."""
    said = str(stack.get("StackStatusReason") or stack["StackStatus"])
    for event in reversed(cloudformation._stack_events.get(stack["StackId"], ())):
        status = event["ResourceStatus"]
        if event["LogicalResourceId"] == stack["StackName"]:
            if status in {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"}:
                break
        elif status.endswith("FAILED"):
            said = (
                f"ResourceLogicalId:{event['LogicalResourceId']}, ResourceType:{event['ResourceType']}, "
                f"ResourceStatusReason:{event['ResourceStatusReason']}."
            )
    return said
