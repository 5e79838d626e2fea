"""The calls of StackSets: what they take, answer and refuse.

Parameters are mappings by the names of the API reference, which are those of the resource type as well.

Source: AWS CloudFormation API reference, the operations named here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import unescape
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import engine, handlers, helpers

from local import regions, shapes, stack_set_operations, stack_sets
from local.stack_sets import ADMINISTRATION, EXECUTION, Instance, Operation, Refused, StackSet
from local.wire import service_model

Asked = Mapping[str, Any]
Response = tuple[int, dict[str, str], bytes]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
_ACCOUNT = re.compile(r"\d{12}")
_FOUND = re.compile(r"<Code>(.*?)</Code>.*?<Message>(.*?)</Message>", re.DOTALL)
_PAGE = 100


def install() -> None:
    """Stock: InvalidAction."""
    for name, answer in _ANSWERS.items():
        handlers._ACTION_HANDLERS[name] = partial(_answered, name, answer)


def _answered(name: str, answer: Callable[[Asked], Asked], params: Mapping[str, list[str]]) -> Response:
    model = service_model("cloudformation")
    assert model is not None  # noqa: S101 -- botocore knows CloudFormation
    fields = {key: value[0] if isinstance(value, list) else value for key, value in params.items()}
    try:
        said = answer(shapes.form_parameters(model.operation_model(name), fields))
    except Refused as refused:
        return helpers._error(refused.code, str(refused), refused.status)  # type: ignore[no-any-return]
    return helpers._xml(200, f"{name}Response", f"<{name}Result>{_xml(said)}</{name}Result>")  # type: ignore[no-any-return]


# --- what is deployed, and where ------------------------------------------------------------------


def made(asked: Asked) -> StackSet:
    """A StackSet as CreateStackSet or the resource type describes it, which is kept nowhere yet.

    Raises:
        Refused: something of it is not as AWS takes it.
    """
    name = str(asked.get("StackSetName") or "")
    if not _NAME.fullmatch(name):
        raise Refused(
            "ValidationError",
            f"1 validation error detected: Value '{name}' at 'stackSetName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*",
        )
    if asked.get("PermissionModel", "SELF_MANAGED") != "SELF_MANAGED":
        raise Refused("ValidationError", "You must enable organizations access to operate a service managed stack set")
    account = get_account_id()
    stack_set = StackSet(account, get_region(), name, template="", administration_role="")
    _describe(stack_set, asked)
    return stack_set


def _describe(stack_set: StackSet, asked: Asked) -> None:
    """Let a StackSet be as it is asked to be from now on."""
    template = stack_set.template if _true(asked.get("UsePreviousTemplate")) else _template(asked)
    before = {one["ParameterKey"]: one for one in stack_set.parameters}
    parameters = [_valued(one, before) for one in asked.get("Parameters") or ()]
    _check(template, parameters, asked.get("Capabilities") or ())
    stack_set.template, stack_set.parameters = template, parameters
    stack_set.capabilities = list(asked.get("Capabilities") or ())
    stack_set.description = str(asked.get("Description") or "")
    stack_set.administration_role = str(
        asked.get("AdministrationRoleARN") or f"arn:aws:iam::{stack_set.account}:role/{ADMINISTRATION}"
    )
    stack_set.execution_role = str(asked.get("ExecutionRoleName") or EXECUTION)
    if "Tags" in asked:
        stack_set.tags = list(asked["Tags"] or ())


def _template(asked: Asked) -> str:
    request = {key: [str(asked[key])] for key in ("TemplateBody", "TemplateURL") if asked.get(key)}
    body, refusal = helpers._resolve_template(request)
    if refusal:
        raise _refused(refusal)
    if not body:
        raise Refused("ValidationError", "Either Template URL or Template Body must be specified.")
    return str(body)


def _check(template: str, parameters: Sequence[Asked], capabilities: Sequence[str]) -> None:
    try:
        read = engine._parse_template(template)
        given = [{"Key": one["ParameterKey"], "Value": one.get("ParameterValue", "")} for one in parameters]
        engine._resolve_parameters(read, given)
    except ValueError as wrong:
        raise Refused("ValidationError", str(wrong)) from wrong
    request = {f"Capabilities.member.{number}": [one] for number, one in enumerate(capabilities, 1)}
    refusal = handlers._check_capabilities(read, read, request)
    if refusal:
        raise _refused(refusal)


def _valued(one: Asked, before: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    if _true(one.get("UsePreviousValue")) and one["ParameterKey"] in before:
        return before[one["ParameterKey"]]
    return {"ParameterKey": str(one["ParameterKey"]), "ParameterValue": str(one.get("ParameterValue", ""))}


def _refused(answer: Response) -> Refused:
    status, _, body = answer
    found = _FOUND.search(body.decode())
    code, message = found.groups() if found else ("ValidationError", body.decode())
    return Refused(code, unescape(message), status)


def targets(asked: Asked) -> tuple[list[str], list[str]]:
    """The accounts and regions that a call or a group of the resource type names.

    Raises:
        Refused: it names none, or one that cannot be.
    """
    chosen = (asked.get("DeploymentTargets") or {}).get("Accounts") or asked.get("Accounts") or ()
    where = [str(one) for one in chosen], [str(one) for one in asked.get("Regions") or ()]
    if not all(where):
        raise Refused(
            "ValidationError", "Accounts and Regions are required for a StackSet with self-managed permissions"
        )
    wrong = [one for one in where[0] if not _ACCOUNT.fullmatch(one)]
    wrong += [one for one in where[1] if not regions.exists(one)]
    if wrong:
        raise Refused("ValidationError", f"Not an account or a Region: {', '.join(wrong)}")
    return where


def operation(action: str, asked: Asked, where: tuple[Sequence[str], Sequence[str]]) -> Operation:
    """An operation as a call or the resource type asks for it."""
    wanted = dict(asked.get("OperationPreferences") or {})
    name = str(asked.get("OperationId") or uuid4())
    return Operation(name, action, *where, preferences=wanted, retain=_true(asked.get("RetainStacks")))


def new_instances(stack_set: StackSet, asked: Asked) -> list[Instance]:
    """The instances that a call names, those that there are and those that are to be."""
    accounts_of, regions_of = targets(asked)
    overrides = _overrides(stack_set, asked, {})
    return [
        stack_set.instances.get((account, region))
        or Instance(account, region, f"StackSet-{stack_set.name}-{uuid4()}", overrides)
        for region in regions_of
        for account in accounts_of
    ]


def _overrides(
    stack_set: StackSet, asked: Asked, before: Mapping[str, Mapping[str, str]]
) -> Sequence[Mapping[str, str]]:
    wanted = [_valued(one, before) for one in asked.get("ParameterOverrides") or ()]
    known = engine._parse_template(stack_set.template).get("Parameters", {})
    unknown = [one["ParameterKey"] for one in wanted if one["ParameterKey"] not in known]
    if unknown:
        raise Refused("ValidationError", f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    return wanted


def instances(stack_set: StackSet, asked: Asked) -> list[Instance]:
    """The instances that a call names, all of which there must be.

    Raises:
        Refused: there is none in one of the accounts and regions.
    """
    accounts_of, regions_of = targets(asked)
    wanted = [(account, region) for region in regions_of for account in accounts_of]
    for account, region in wanted:
        if (account, region) not in stack_set.instances:
            raise Refused("StackInstanceNotFoundException", f"StackInstance not found for {account} in {region}", 404)
    return [stack_set.instances[one] for one in wanted]


def change(stack_set: StackSet, asked: Asked) -> tuple[Operation, list[Instance]]:
    """Let a StackSet be otherwise, and what is to be done about its instances for it.

    Raises:
        Refused: something is not as AWS takes it, or an operation is under way.
    """
    stack_sets.refuse_while_busy(stack_set)
    custom = not stack_set.administration_role.endswith(f":role/{ADMINISTRATION}")
    if custom and not asked.get("AdministrationRoleARN"):
        raise Refused("ValidationError", "You must specify the customized administrator role of this StackSet")
    chosen = instances(stack_set, asked) if asked.get("Regions") else list(stack_set.instances.values())
    _describe(stack_set, asked)
    for one in stack_set.instances.values():
        one.status = one.status if one.status == "INOPERABLE" else "OUTDATED"
    where = list(dict.fromkeys(one.account for one in chosen)), list(dict.fromkeys(one.region for one in chosen))
    return operation("UPDATE", asked, where), chosen


def _true(value: object) -> bool:
    return value is True or str(value).lower() == "true"


# --- the answers ----------------------------------------------------------------------------------


def _create_stack_set(asked: Asked) -> Asked:
    stack_set = made(asked)
    stack_sets.keep(stack_set)
    return {"StackSetId": stack_set.id}


def _update_stack_set(asked: Asked) -> Asked:
    stack_set = stack_sets.the(asked["StackSetName"])
    begun, chosen = change(stack_set, asked)
    stack_set_operations.begin(stack_set, begun, chosen)
    return {"OperationId": begun.id}


def _delete_stack_set(asked: Asked) -> Asked:
    # What is not there is deleted: only the other calls know StackSetNotFoundException.
    stack_set = stack_sets.find(asked["StackSetName"])
    if stack_set is not None:
        stack_sets.delete(stack_set)
    return {}


def _create_stack_instances(asked: Asked) -> Asked:
    stack_set = stack_sets.the(asked["StackSetName"])
    chosen = new_instances(stack_set, asked)
    begun = operation("CREATE", asked, targets(asked))
    stack_set_operations.begin(stack_set, begun, chosen)
    return {"OperationId": begun.id}


def _update_stack_instances(asked: Asked) -> Asked:
    stack_set = stack_sets.the(asked["StackSetName"])
    chosen = instances(stack_set, asked)
    stack_sets.refuse_while_busy(stack_set)
    for one in chosen:
        if "ParameterOverrides" in asked:
            one.overrides = _overrides(stack_set, asked, {each["ParameterKey"]: each for each in one.overrides})
    begun = operation("UPDATE", asked, targets(asked))
    stack_set_operations.begin(stack_set, begun, chosen)
    return {"OperationId": begun.id}


def _delete_stack_instances(asked: Asked) -> Asked:
    stack_set = stack_sets.the(asked["StackSetName"])
    chosen = instances(stack_set, asked)
    begun = operation("DELETE", asked, targets(asked))
    stack_set_operations.begin(stack_set, begun, chosen)
    return {"OperationId": begun.id}


def _stop_stack_set_operation(asked: Asked) -> Asked:
    stack_set = stack_sets.the(asked["StackSetName"])
    stack_set_operations.stop(stack_set, _operation_of(stack_set, asked))
    return {}


def _describe_stack_set(asked: Asked) -> Asked:
    one = stack_sets.the(asked["StackSetName"])
    return {
        "StackSet": {
            **_summary(one),
            "StackSetARN": one.arn,
            "TemplateBody": one.template,
            "Parameters": one.parameters,
            "Capabilities": one.capabilities,
            "Tags": one.tags,
            "AdministrationRoleARN": one.administration_role,
            "ExecutionRoleName": one.execution_role,
            "Regions": list(dict.fromkeys(region for _, region in one.instances)),
        }
    }


def _list_stack_sets(asked: Asked) -> Asked:
    wanted = asked.get("Status")
    return _page([_summary(one) for one in stack_sets.stack_sets.values() if wanted in {None, one.status}], asked)


def _summary(one: StackSet) -> Asked:
    return {
        "StackSetName": one.name,
        "StackSetId": one.id,
        "Description": one.description,
        "Status": one.status,
        "PermissionModel": "SELF_MANAGED",
        "ManagedExecution": {"Active": False},
    }


def _list_stack_instances(asked: Asked) -> Asked:
    stack_set = stack_sets.the(asked["StackSetName"])
    detailed = {
        status
        for one in asked.get("Filters") or ()
        if one.get("Name") == "DETAILED_STATUS"
        for status in str(one.get("Values")).split(",")
    }
    chosen = [
        _instance(stack_set, one)
        for one in stack_set.instances.values()
        if asked.get("StackInstanceAccount") in {None, one.account}
        and asked.get("StackInstanceRegion") in {None, one.region}
        and (not detailed or one.detailed in detailed)
    ]
    return _page(chosen, asked)


def _describe_stack_instance(asked: Asked) -> Asked:
    stack_set = stack_sets.the(asked["StackSetName"])
    where = {"Accounts": [asked["StackInstanceAccount"]], "Regions": [asked["StackInstanceRegion"]]}
    (one,) = instances(stack_set, where)
    return {"StackInstance": {**_instance(stack_set, one), "ParameterOverrides": one.overrides}}


def _instance(stack_set: StackSet, one: Instance) -> Asked:
    return {
        "StackSetId": stack_set.id,
        "Region": one.region,
        "Account": one.account,
        **({"StackId": one.stack_id} if one.stack_id else {}),
        "Status": one.status,
        "StackInstanceStatus": {"DetailedStatus": one.detailed},
        **({"StatusReason": one.reason} if one.reason else {}),
        "DriftStatus": "NOT_CHECKED",
        "LastOperationId": one.operation,
    }


def _list_stack_set_operations(asked: Asked) -> Asked:
    stack_set = stack_sets.the(asked["StackSetName"])
    return _page([_operation(one) for one in reversed(stack_set.operations.values())], asked)


def _describe_stack_set_operation(asked: Asked) -> Asked:
    stack_set = stack_sets.the(asked["StackSetName"])
    one = _operation_of(stack_set, asked)
    return {
        "StackSetOperation": {
            **_operation(one),
            "StackSetId": stack_set.id,
            **({"RetainStacks": one.retain} if one.action == "DELETE" else {}),
            "AdministrationRoleARN": stack_set.administration_role,
            "ExecutionRoleName": stack_set.execution_role,
            "DeploymentTargets": {"Accounts": one.accounts},
        }
    }


def _list_stack_set_operation_results(asked: Asked) -> Asked:
    one = _operation_of(stack_sets.the(asked["StackSetName"]), asked)
    results = [
        {"Account": account, "Region": region, "Status": result.status, "StatusReason": result.reason}
        for (account, region), result in one.results.items()
    ]
    return _page(results, asked)


def _operation_of(stack_set: StackSet, asked: Asked) -> Operation:
    found = stack_set.operations.get(asked["OperationId"])
    if found is None:
        raise Refused("OperationNotFoundException", f"Operation {asked['OperationId']} not found", 404)
    return found


def _operation(one: Operation) -> Asked:
    return {
        "OperationId": one.id,
        "Action": one.action,
        "Status": one.status,
        "CreationTimestamp": one.created,
        **({"EndTimestamp": one.ended} if one.ended else {}),
        "StatusDetails": {"FailedStackInstancesCount": one.failures},
        "OperationPreferences": one.preferences,
    }


def _page(listed: Sequence[Asked], asked: Asked) -> Asked:
    start, size = int(asked.get("NextToken") or 0), int(asked.get("MaxResults") or _PAGE)
    more = {"NextToken": str(start + size)} if start + size < len(listed) else {}
    return {"Summaries": listed[start : start + size], **more}


def _xml(value: object) -> str:
    if isinstance(value, Mapping):
        return "".join(f"<{name}>{_xml(item)}</{name}>" for name, item in value.items())
    if isinstance(value, list | tuple):
        return "".join(f"<member>{_xml(item)}</member>" for item in value)
    return escape(str(value).lower() if isinstance(value, bool) else str(value))


_ANSWERS: Mapping[str, Callable[[Asked], Asked]] = {
    "CreateStackInstances": _create_stack_instances,
    "CreateStackSet": _create_stack_set,
    "DeleteStackInstances": _delete_stack_instances,
    "DeleteStackSet": _delete_stack_set,
    "DescribeStackInstance": _describe_stack_instance,
    "DescribeStackSet": _describe_stack_set,
    "DescribeStackSetOperation": _describe_stack_set_operation,
    "ListStackInstances": _list_stack_instances,
    "ListStackSetOperationResults": _list_stack_set_operation_results,
    "ListStackSetOperations": _list_stack_set_operations,
    "ListStackSets": _list_stack_sets,
    "StopStackSetOperation": _stop_stack_set_operation,
    "UpdateStackInstances": _update_stack_instances,
    "UpdateStackSet": _update_stack_set,
}
