"""The resource type AWS::CloudFormation::StackSet: what its handler asks of the deployer, and calls in his name.

Instances that somebody added through the API are nobody's to the handler: it neither changes nor deletes them, and
cannot delete the StackSet while there are any. What a handler began and could not finish, it takes back.

Source: AWS CloudFormation template reference, AWS::CloudFormation::StackSet; AWS CloudFormation user guide, "Grant
self-managed permissions" (iam:PassRole on a customized administration role); the handlers' permissions in the type's
schema (DescribeType).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import provisioners, stacks

from local import passed_roles, stack_set_calls, stack_set_operations, stack_sets
from local.cfn_types import Properties, ResourceFailed
from local.recorder import caller_key
from local.stack_sets import Instance, Operation, Refused, StackSet, Where

TYPE = "AWS::CloudFormation::StackSet"

Made = tuple[str, dict[str, Any]]

# Of these, a change is one of the StackSet itself and reaches all instances; the rest is about single instances.
_ITS_OWN = (
    "AdministrationRoleARN", "Capabilities", "Description", "ExecutionRoleName", "Parameters", "Tags", "TemplateBody",
    "TemplateURL",
)  # fmt: skip
_PASSED_TO = "cloudformation.amazonaws.com"


def register(loop: asyncio.AbstractEventLoop) -> None:
    """Teach the emulator's CloudFormation the type.

    Args:
        loop: on which stacks are deployed; the handler waits for them on a thread of its own.
    """

    def waiting(do: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        def wait(*given: Any) -> Any:  # noqa: ANN401
            try:
                return asyncio.run_coroutine_threadsafe(do(*given), loop).result()
            except Refused as refused:
                raise ResourceFailed(f'Resource handler returned message: "{refused}" ({refused.code})') from refused

        return wait

    provisioners._RESOURCE_HANDLERS[TYPE] = {
        "create": waiting(_create),
        "update": waiting(_update),
        "delete": waiting(_delete),
    }
    on_worker = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda kind: kind == TYPE or on_worker(kind)


async def _create(_logical_id: str, props: Properties, _stack: str) -> Made:
    stack_set = stack_set_calls.made(props)
    _ask("CreateStackSet", "*", passes=stack_set.administration_role)
    stack_sets.keep(stack_set)
    try:
        for group in props.get("StackInstancesGroup") or ():
            await _deploy(stack_set, props, group, stack_set_calls.targets(group))
    except Refused:
        # What cannot be taken back stays, as on AWS: the reason that is told is the first.
        with suppress(Refused):
            await _empty(stack_set, list(stack_set.instances.values()))
            stack_sets.delete(stack_set)
        raise
    return stack_set.id, {"StackSetId": stack_set.id}


async def _update(physical_id: str, old: Properties, new: Properties, stack: str) -> Made:
    if old.get("StackSetName") != new.get("StackSetName"):
        return await _create("", new, stack)
    stack_set = stack_sets.the(physical_id)
    before, after = _places(old), _places(new)
    gone = [stack_set.instances[one] for one in before if one not in after and one in stack_set.instances]
    if gone:
        _ask("DeleteStackInstances", stack_set.arn)
        await _empty(stack_set, gone, preferences=new.get("OperationPreferences"))
    if any(old.get(name) != new.get(name) for name in _ITS_OWN):
        _ask("UpdateStackSet", stack_set.arn, passes=str(new.get("AdministrationRoleARN") or ""))
        begun, chosen = stack_set_calls.change(stack_set, {"Tags": [], **new, "Accounts": (), "Regions": ()})
        await _done(stack_set, begun, chosen)
    for group in new.get("StackInstancesGroup") or ():
        accounts_of, regions_of = stack_set_calls.targets(group)
        added = [one for one in regions_of if any((account, one) not in before for account in accounts_of)]
        if added:
            await _deploy(stack_set, new, group, (accounts_of, added))
    return physical_id, {"StackSetId": physical_id}


async def _delete(physical_id: str, props: Properties) -> None:
    stack_set = stack_sets.find(physical_id)
    if stack_set is None:
        return
    ours = [stack_set.instances[one] for one in _places(props) if one in stack_set.instances]
    if ours:
        _ask("DeleteStackInstances", stack_set.arn)
        await _empty(stack_set, ours, preferences=props.get("OperationPreferences"))
    _ask("DeleteStackSet", stack_set.arn)
    stack_sets.delete(stack_set)


async def _deploy(
    stack_set: StackSet, props: Properties, group: Mapping[str, Any], where: tuple[list[str], list[str]]
) -> None:
    _ask("CreateStackInstances", stack_set.arn)
    accounts_of, regions_of = where
    asked = {**group, "DeploymentTargets": {"Accounts": accounts_of}, "Regions": regions_of}
    asked["OperationPreferences"] = props.get("OperationPreferences")
    chosen = stack_set_calls.new_instances(stack_set, asked)
    await _done(stack_set, stack_set_calls.operation("CREATE", asked, where), chosen)


async def _empty(stack_set: StackSet, chosen: Sequence[Instance], preferences: Mapping[str, Any] | None = None) -> None:
    if not chosen:
        return
    where = list(dict.fromkeys(one.account for one in chosen)), list(dict.fromkeys(one.region for one in chosen))
    asked = {"OperationPreferences": preferences or {}}
    await _done(stack_set, stack_set_calls.operation("DELETE", asked, where), chosen)


async def _done(stack_set: StackSet, operation: Operation, chosen: Sequence[Instance]) -> None:
    """Do an operation once no other is under way, to its end.

    Raises:
        Refused: it failed.
    """
    # Another's operation is waited for, as CloudFormation does; its end is told to nobody here.
    while stack_set.busy:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    await stack_set_operations.begin(stack_set, operation, chosen)
    if operation.status != "SUCCEEDED":
        reasons = [
            f"Account: {account}, Region: {region}: {result.reason}"
            for (account, region), result in operation.results.items()
            if result.status == "FAILED"
        ]
        raise Refused(
            "NotStabilized",
            f"Stack set operation [{operation.id}] was unexpectedly stopped or failed. status reason(s): {reasons}",
        )


def _places(props: Properties) -> list[Where]:
    return [
        (account, region)
        for group in props.get("StackInstancesGroup") or ()
        for accounts_of, regions_of in [stack_set_calls.targets(group)]
        for region in regions_of
        for account in accounts_of
    ]


def _ask(call: str, resource: str, passes: str = "") -> None:
    """Ask IAM whether the deployer may do this, as if he called it himself."""
    passed_roles.passed.set([(passes, _PASSED_TO)] if passes else [])
    passed_roles.refused.set("")
    action = f"cloudformation:{call}"
    denied = iam_evaluator.enforce(caller_key.get(), action, "cloudformation", get_region(), resource)
    if isinstance(denied, iam_evaluator.AuthError):
        raise Refused(denied.code, denied.message)
    if denied is not None:
        role = passed_roles.refused.get()
        what, on = ("iam:PassRole", role) if role else (action, resource)
        raise Refused(
            "AccessDenied",
            f"User: {denied.principal_arn} is not authorized to perform: {what} on resource: {on} in account "
            f"{get_account_id()}",
        )
