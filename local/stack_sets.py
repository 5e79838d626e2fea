"""StackSets with self-managed permissions: one template, deployed as a stack of its own in each region and account.

The emulator has none. Instances are deployed by its own CloudFormation, in their region and in the execution role. An
operation works through the regions in their order and stops at the first where more accounts fail than it may
tolerate; what is left is cancelled.

Source: AWS CloudFormation user guide, "StackSets concepts" (status codes), "StackSet operation options" and "Grant
self-managed permissions"; AWS CloudFormation API reference, StackSetOperationPreferences.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, now_iso, set_request_account_id, set_request_region
from ministack.services import cloudformation
from ministack.services.cloudformation import handlers

from local import execution_role, regions, roles, stack_events
from local.roles import Role

_ACTIVE, _DELETED = "ACTIVE", "DELETED"
_RUNNING, _SUCCEEDED, _FAILED, _CANCELLED = "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"
_CURRENT, _OUTDATED, _INOPERABLE = "CURRENT", "OUTDATED", "INOPERABLE"
_POLL = 0.01
_ERROR = 400
_MESSAGE = re.compile(r"<Message>(.*?)</Message>", re.DOTALL)
_UNCHANGED = "No updates are to be performed."
#: A stack in one of these was never made, and has to go before it can be made again.
_NEVER_MADE = frozenset({"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"})

ADMINISTRATION = "AWSCloudFormationStackSetAdministrationRole"
EXECUTION = "AWSCloudFormationStackSetExecutionRole"

Parameters = Sequence[Mapping[str, str]]
Where = tuple[str, str]


class Refused(Exception):
    """A call that AWS refuses.

    Attributes:
        code: as the API reference names it.
        status: of the HTTP answer.
    """

    def __init__(self, code: str, message: str, status: int = _ERROR) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(slots=True)
class Instance:
    """A stack of a StackSet in one account and region, deployed or about to be."""

    account: str
    region: str
    stack_name: str
    overrides: Parameters = ()
    stack_id: str = ""
    status: str = _OUTDATED
    detailed: str = "PENDING"
    reason: str = ""
    operation: str = ""

    @property
    def where(self) -> Where:
        """The account and the region."""
        return self.account, self.region


@dataclass(slots=True)
class Result:
    """What an operation came to in one account and region."""

    status: str = "PENDING"
    reason: str = ""


@dataclass(slots=True)
class Operation:
    """One operation on a StackSet."""

    id: str
    action: str
    accounts: Sequence[str]
    regions: Sequence[str]
    preferences: Mapping[str, Any] = field(default_factory=dict)
    retain: bool = False
    status: str = _RUNNING
    created: str = field(default_factory=now_iso)
    ended: str = ""
    results: dict[Where, Result] = field(default_factory=dict)

    @property
    def failures(self) -> int:
        """In how many accounts and regions it failed."""
        return sum(one.status == _FAILED for one in self.results.values())

    @property
    def tolerance(self) -> int:
        """How many accounts of a region may fail before it stops."""
        share = int(self.preferences.get("FailureTolerancePercentage", 0))
        return int(self.preferences.get("FailureToleranceCount", len(self.accounts) * share // 100))

    @property
    def order(self) -> list[str]:
        """The regions in which it works, in its order."""
        first = [one for one in self.preferences.get("RegionOrder", ()) if one in self.regions]
        return [*first, *(one for one in self.regions if one not in first)]


@dataclass(slots=True)
class StackSet:
    """A StackSet in the account and region it is administered from."""

    account: str
    region: str
    name: str
    template: str
    parameters: Parameters = ()
    capabilities: Sequence[str] = ()
    tags: Sequence[Mapping[str, str]] = ()
    description: str = ""
    administration_role: str = ""
    execution_role: str = EXECUTION
    status: str = _ACTIVE
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    instances: dict[Where, Instance] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Its id, as the API and `Ref` give it."""
        return f"{self.name}:{self.uuid}"

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:cloudformation:{self.region}:{self.account}:stackset/{self.id}"

    @property
    def busy(self) -> bool:
        """Whether an operation is under way."""
        return any(one.status == _RUNNING for one in self.operations.values())


#: The StackSets that there are, by name; what was deleted stays under its id.
stack_sets = AccountRegionScopedDict()

_tell: list[stack_events.Deliver] = []
# Kept until they end, or nothing else would hold them.
_tasks: set[asyncio.Task[None]] = set()


def install(deliver: stack_events.Deliver) -> None:
    """Let StackSets tell of their status.

    Args:
        deliver: puts an event on the bus of its account and region, as AWS itself does.
    """
    _tell.append(deliver)
    execution_role.install()


def find(name: str) -> StackSet | None:
    """The StackSet of a name, an id or an ARN in the account and region of the request; None where there is none."""
    plain = name.rpartition(":stackset/")[2].partition(":")[0]
    found: StackSet | None = stack_sets.get(plain)
    return found if found and name in {found.name, found.id, found.arn} else None


def the(name: str) -> StackSet:
    """The StackSet of a name, an id or an ARN.

    Raises:
        Refused: there is none.
    """
    found = find(name)
    if found is None:
        raise Refused("StackSetNotFoundException", f"StackSet {name} not found", 404)
    return found


def keep(stack_set: StackSet) -> None:
    """Let there be a StackSet.

    Raises:
        Refused: there is one of this name already.
    """
    if stack_set.name in stack_sets:
        raise Refused("NameAlreadyExistsException", f"StackSet {stack_set.name} already exists", 409)
    stack_sets[stack_set.name] = stack_set
    _say_status(stack_set)


def delete(stack_set: StackSet) -> None:
    """Delete a StackSet.

    Raises:
        Refused: it has instances, or an operation is under way.
    """
    refuse_while_busy(stack_set)
    if stack_set.instances:
        raise Refused("StackSetNotEmptyException", "StackSet is not empty", 409)
    stack_set.status = _DELETED
    stack_sets[stack_set.id] = stack_sets.pop(stack_set.name)
    _say_status(stack_set)


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
        one.status = one.status if one.status == _INOPERABLE else _OUTDATED
        _say_instance(stack_set, operation, one)
    _say_operation(stack_set, operation)
    task = asyncio.get_running_loop().create_task(_perform(stack_set, operation, list(instances)))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return task


def refuse_while_busy(stack_set: StackSet) -> None:
    """Refuse a second operation.

    Raises:
        Refused: one is under way.
    """
    if stack_set.busy:
        raise Refused(
            "OperationInProgressException",
            f"Another Operation on StackSet {stack_set.arn} is in progress",
            409,
        )


async def _perform(stack_set: StackSet, operation: Operation, instances: Sequence[Instance]) -> None:
    exceeded = False
    if operation.preferences.get("RegionConcurrencyType") == "PARALLEL":
        await asyncio.gather(*(_begin_one(stack_set, operation, one) for one in instances))
        exceeded = any(_failed(operation, region) > operation.tolerance for region in operation.regions)
    else:
        for region in operation.order:
            for one in (one for one in instances if one.region == region):
                if exceeded:
                    _end(stack_set, operation, one, _CANCELLED, "Cancelled since failure tolerance has exceeded")
                    continue
                await _begin_one(stack_set, operation, one)
                exceeded = _failed(operation, region) > operation.tolerance
    operation.status = _FAILED if exceeded else _SUCCEEDED
    operation.ended = now_iso()
    _say_operation(stack_set, operation)


def _failed(operation: Operation, region: str) -> int:
    return sum(one.status == _FAILED for (_, where), one in operation.results.items() if where == region)


def _begin_one(stack_set: StackSet, operation: Operation, instance: Instance) -> asyncio.Task[None]:
    # A task has a context of its own, in which the account and the region of the instance hold.
    return asyncio.get_running_loop().create_task(_one(stack_set, operation, instance))


async def _one(stack_set: StackSet, operation: Operation, instance: Instance) -> None:
    set_request_account_id(instance.account)
    set_request_region(instance.region)
    operation.results[instance.where].status = instance.detailed = _RUNNING
    _say_instance(stack_set, operation, instance)
    removes = operation.action == "DELETE"
    try:
        if not (removes and operation.retain):
            role = _role(stack_set, operation, instance)
            await (_remove(role, instance) if removes else _deploy(stack_set, role, instance))
    except Refused as refused:
        left = removes and (_stack(instance) or {}).get("StackStatus") == "DELETE_FAILED"
        instance.status = _INOPERABLE if left else _OUTDATED
        _end(stack_set, operation, instance, _FAILED, str(refused))
        return
    if removes:
        del stack_set.instances[instance.where]
    instance.status = _CURRENT
    _end(stack_set, operation, instance, _SUCCEEDED, "")


def _end(stack_set: StackSet, operation: Operation, instance: Instance, status: str, reason: str) -> None:
    operation.results[instance.where] = Result(status, reason)
    instance.detailed, instance.reason = status, reason
    _say_instance(stack_set, operation, instance)


def _role(stack_set: StackSet, operation: Operation, instance: Instance) -> Role:
    """The execution role of an instance, which the administration role may become.

    In a region that accounts have to opt into, CloudFormation comes as the service of that region.
    """
    if not regions.is_enabled(instance.account, instance.region):
        raise Refused(_FAILED, "The security token included in the request is invalid.")
    administration = roles.find(stack_set.administration_role, session=operation.id)
    of_region = f".{instance.region}" if regions.asks_to_opt_in(instance.region) else ""
    asked_for = {"aws:SourceArn": stack_set.arn, "aws:SourceAccount": stack_set.account}
    if administration is None or not administration.trusts_service(
        f"cloudformation{of_region}.amazonaws.com", asked_for
    ):
        raise Refused(
            _FAILED,
            f"Account {stack_set.account} should have '{stack_set.administration_role.rpartition('/')[2]}' role with "
            "trust relationship to CloudFormation service.",
        )
    role = roles.named(instance.account, stack_set.execution_role, session=operation.id)
    if role is None or not role.trusts(administration):
        raise Refused(
            _FAILED,
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
        raise Refused(_FAILED, said)
    made = cloudformation._stacks[instance.stack_name]
    instance.stack_id = made["StackId"]
    with execution_role.acting(made, role):
        ended = await _settled(made)
    if ended not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        raise Refused(_FAILED, _why(made))


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
        raise Refused(_FAILED, unescape((_MESSAGE.search(body.decode()) or ["", body.decode()])[1]))
    if ended != "DELETE_COMPLETE":
        raise Refused(_FAILED, _why(stack))


def _stack(instance: Instance) -> dict[str, Any] | None:
    stack: dict[str, Any] | None = cloudformation._stacks.get(instance.stack_name)
    return None if stack is None or stack["StackStatus"] == "DELETE_COMPLETE" else stack


def _ask(role: Role, action: str, instance: Instance) -> None:
    arn = f"arn:aws:cloudformation:{instance.region}:{instance.account}:stack/{instance.stack_name}/*"
    if not role.may(action, arn):
        raise Refused(_FAILED, f"User: {role.acts_as} is not authorized to perform: {action} on resource: {arn}")


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
        elif status.endswith("_FAILED"):
            said = (
                f"ResourceLogicalId:{event['LogicalResourceId']}, ResourceType:{event['ResourceType']}, "
                f"ResourceStatusReason:{event['ResourceStatusReason']}."
            )
    return said


# --- events ---------------------------------------------------------------------------------------
# Source: AWS CloudFormation user guide, StackSet Status Change, StackSet Stack Instance Status Change and StackSet
# Operation Status Change event detail.


def _say_status(stack_set: StackSet) -> None:
    _say(stack_set, "CloudFormation StackSet Status Change", {"status-details": {"status": stack_set.status}})


def _say_operation(stack_set: StackSet, operation: Operation) -> None:
    detail = {
        "stack-set-operation-id": operation.id,
        "action": operation.action,
        "status-details": {"status": operation.status},
    }
    _say(stack_set, "CloudFormation StackSet Operation Status Change", detail)


def _say_instance(stack_set: StackSet, operation: Operation, instance: Instance) -> None:
    detail = {
        "stack-id": instance.stack_id,
        "action": operation.action,
        "status-details": {
            "status": instance.status,
            "status-reason": instance.reason,
            "detailed-status": instance.detailed,
        },
    }
    _say(stack_set, "CloudFormation StackSet StackInstance Status Change", detail)


def _say(stack_set: StackSet, kind: str, detail: Mapping[str, Any]) -> None:
    event = stack_events.event(
        stack_set.account, stack_set.region, stack_set.arn, kind, {"stack-set-arn": stack_set.arn, **detail}
    )
    for deliver in _tell:
        deliver(event)
