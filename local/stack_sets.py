"""StackSets with self-managed permissions: one template, deployed as a stack of its own in each region and account.

The emulator has none. Here is what there is of them, and what they tell; what is done about them is in
`stack_set_operations.py`.

Source: AWS CloudFormation user guide, "StackSets concepts" (status codes); AWS CloudFormation API reference, StackSet,
StackInstance, StackSetOperation.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, now_iso

from local import execution_role, stack_events

_ACTIVE, _DELETED = "ACTIVE", "DELETED"
RUNNING, SUCCEEDED, FAILED, CANCELLED = "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"
STOPPING, STOPPED = "STOPPING", "STOPPED"
CURRENT, OUTDATED, INOPERABLE = "CURRENT", "OUTDATED", "INOPERABLE"
_ERROR = 400

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
    status: str = OUTDATED
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
    status: str = RUNNING
    created: str = field(default_factory=now_iso)
    ended: str = ""
    results: dict[Where, Result] = field(default_factory=dict)

    @property
    def failures(self) -> int:
        """In how many accounts and regions it failed."""
        return sum(one.status == FAILED for one in self.results.values())

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
        return any(one.status in {RUNNING, STOPPING} for one in self.operations.values())


#: The StackSets that there are, by name; what was deleted stays under its id.
stack_sets = AccountRegionScopedDict()

_tell: list[stack_events.Deliver] = []


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


# --- events ---------------------------------------------------------------------------------------
# Source: AWS CloudFormation user guide, StackSet Status Change, StackSet Stack Instance Status Change and StackSet
# Operation Status Change event detail.


def _say_status(stack_set: StackSet) -> None:
    _say(stack_set, "CloudFormation StackSet Status Change", {"status-details": {"status": stack_set.status}})


def say_operation(stack_set: StackSet, operation: Operation) -> None:
    """Tell the status of an operation."""
    detail = {"stack-set-operation-id": operation.id, "status-details": {"status": operation.status}}
    _say(stack_set, "CloudFormation StackSet Operation Status Change", detail)


def say_instance(stack_set: StackSet, operation: Operation, instance: Instance) -> None:
    """Tell the status of an instance."""
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
