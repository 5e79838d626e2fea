"""CloudFormation resource types that the emulator lacks, and properties it drops, made through its own services."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudtrail, dynamodb, iam, lambda_svc, s3
from ministack.services.cloudformation import changesets, engine, handlers, provisioners, stacks

Properties = Mapping[str, Any]

_TRAIL_SETTINGS = (
    "EnableLogFileValidation", "IncludeGlobalServiceEvents", "IsMultiRegionTrail", "IsOrganizationTrail", "KMSKeyId",
    "S3BucketName", "S3KeyPrefix", "SnsTopicName",
)  # fmt: skip


class ResourceFailed(ValueError):
    """A resource that could not be made; CloudFormation shows the message as the status reason."""


def register() -> None:
    """Teach the emulator's CloudFormation the missing types."""
    provisioners._RESOURCE_HANDLERS["AWS::CloudTrail::Trail"] = {
        "create": create_trail,
        "update": update_trail,
        "delete": delete_trail,
    }

    after_create("AWS::DynamoDB::Table", _keep_table_settings)
    _know_pseudo_parameters_in_conditions()
    _protect_tables()
    _keep_full_buckets()
    _take_metric_math()
    after_create("AWS::Lambda::Function", _keep_function_settings)
    after_create("AWS::IAM::Role", _keep_boundary)
    _call_rules_by_their_bus()


def after_create(resource_type: str, then: Callable[[str, Properties], object]) -> None:
    """Do something to each new resource of a type, given its physical id and its properties."""
    handler = provisioners._RESOURCE_HANDLERS[resource_type]
    create = handler["create"]

    def create_then(logical_id: str, props: Properties, stack_name: str) -> tuple[str, dict[str, Any]]:
        physical_id, attributes = create(logical_id, props, stack_name)
        then(physical_id, props)
        return physical_id, attributes

    handler["create"] = create_then


def _call_rules_by_their_bus() -> None:
    """Stock: a rule's physical id is its name, whichever bus it is on.

    AWS: that of a rule on another bus than the default one begins with the bus's name and a bar, for two buses may have
    rules of one name. Source: AWS CloudFormation template reference, AWS::Events::Rule, return values.
    """
    handler = provisioners._RESOURCE_HANDLERS["AWS::Events::Rule"]
    create, update, delete = handler["create"], handler["update"], handler["delete"]

    def called(name: str, props: Properties) -> str:
        bus = provisioners._eb_rule_bus_name(props)
        return name if bus == "default" else f"{bus}|{name}"

    def plain(physical_id: str) -> str:
        return physical_id.rpartition("|")[2]

    def create_called(logical_id: str, props: Properties, stack_name: str) -> tuple[str, dict[str, Any]]:
        name, attributes = create(logical_id, props, stack_name)
        return called(name, props), attributes

    def update_called(
        physical_id: str, old: Properties, new: Properties, *more: str, **named: str
    ) -> tuple[str, dict[str, Any]]:
        name, attributes = update(plain(physical_id), old, new, *more, **named)
        return called(name, new), attributes

    handler.update(
        create=create_called,
        update=update_called,
        delete=lambda physical_id, props: delete(plain(physical_id), props),
    )


def _know_pseudo_parameters_in_conditions() -> None:
    """Stock: `AWS::Region` is its own name in a condition, which is so true or false in every region.

    Source: AWS CloudFormation template reference, "Pseudo parameters reference".
    """
    evaluate = engine._evaluate_conditions

    def evaluate_conditions(template: Mapping[str, Any], params: Mapping[str, Any]) -> Any:  # noqa: ANN401
        here = {"AWS::AccountId": get_account_id(), "AWS::Partition": "aws", "AWS::Region": get_region()}
        return evaluate(template, {**{name: {"Value": value} for name, value in here.items()}, **params})

    for module in (changesets, engine, handlers, stacks):
        module._evaluate_conditions = evaluate_conditions


def _protect_tables() -> None:
    """Stock: CloudFormation deletes a protected table, and takes the text "false" for true.

    AWS: DeleteTable refuses, so the resource fails to delete. Source: Amazon DynamoDB developer guide, deletion
    protection.
    """
    handler = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]
    create, update, delete = handler["create"], handler["update"], handler["delete"]

    def read(props: Properties) -> Properties:
        return {key: _true(one) if key == "DeletionProtectionEnabled" else one for key, one in props.items()}

    def delete_unless_protected(name: str, props: Properties) -> None:
        if dynamodb._tables.get(name, {}).get("DeletionProtectionEnabled"):
            raise ResourceFailed(f"Resource cannot be deleted as it is currently protected against deletion: {name}")
        delete(name, props)

    def update_with_policy(name: str, old: Properties, new: Properties, stack: str, *more: object) -> object:
        done = update(name, read(old), read(new), stack, *more)
        _keep_table_policy(name, new)
        return done

    handler["create"] = lambda logical_id, props, stack: create(logical_id, read(props), stack)
    handler["update"] = update_with_policy
    handler["delete"] = delete_unless_protected


def _keep_full_buckets() -> None:
    """Stock: CloudFormation deletes a bucket with what is in it. AWS: a bucket with objects fails to delete.

    Source: Amazon S3 API reference, DeleteBucket.
    """
    handler = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    delete = handler["delete"]

    def delete_when_empty(name: str, props: Properties) -> None:
        if s3._buckets.get(name, {}).get("objects"):
            raise ResourceFailed(f"The bucket you tried to delete is not empty: {name}")
        delete(name, props)

    handler["delete"] = delete_when_empty


def _take_metric_math() -> None:
    """Stock: an alarm on metric math is refused. Here it is kept as one on the first metric of its expression."""
    record = provisioners._cw_metric_alarm_record

    def record_of_first(name: str, props: Properties) -> dict[str, Any]:
        stats = [one["MetricStat"] for one in props.get("Metrics", ()) if "MetricStat" in one]
        if not stats:
            return dict(record(name, props))
        plain = {key: one for key, one in props.items() if key != "Metrics"}
        return dict(
            record(name, {**plain, **stats[0]["Metric"], "Period": stats[0]["Period"], "Statistic": stats[0]["Stat"]})
        )

    provisioners._cw_metric_alarm_record = record_of_first


def _keep_table_policy(name: str, props: Properties) -> None:
    """Stock: a table's resource policy is dropped."""
    document = props.get("ResourcePolicy", {}).get("PolicyDocument")
    if document:
        arn = dynamodb._tables[name]["TableArn"]
        _done(dynamodb._put_resource_policy({"ResourceArn": arn, "Policy": json.dumps(document)}))


def _keep_table_settings(name: str, props: Properties) -> None:
    """Stock: point-in-time recovery and time to live are dropped."""
    _keep_table_policy(name, props)
    recovery, lifetime = props.get("PointInTimeRecoverySpecification"), props.get("TimeToLiveSpecification")
    if recovery:
        enabled = _true(recovery.get("PointInTimeRecoveryEnabled"))
        specification = {"PointInTimeRecoveryEnabled": enabled}
        _done(
            dynamodb._update_continuous_backups({"TableName": name, "PointInTimeRecoverySpecification": specification})
        )
    if lifetime:
        specification = {
            "Enabled": _true(lifetime.get("Enabled")),
            "AttributeName": lifetime["AttributeName"],
        }
        _done(dynamodb._update_ttl({"TableName": name, "TimeToLiveSpecification": specification}))


def _keep_function_settings(name: str, props: Properties) -> None:
    """Stock: reserved concurrency and the dead-letter queue are dropped."""
    function = lambda_svc._functions[name]
    if "ReservedConcurrentExecutions" in props:
        function["concurrency"] = int(props["ReservedConcurrentExecutions"])
    if "DeadLetterConfig" in props:
        function["config"]["DeadLetterConfig"] = dict(props["DeadLetterConfig"])


def _keep_boundary(name: str, props: Properties) -> None:
    """Stock: a role's permissions boundary is dropped, and the role may do more than on AWS."""
    if "PermissionsBoundary" in props:
        iam._roles[name]["PermissionsBoundary"] = props["PermissionsBoundary"]


def create_trail(logical_id: str, props: Properties, stack_name: str) -> tuple[str, dict[str, Any]]:
    """AWS::CloudTrail::Trail: its Ref is the name, and it logs at once when IsLogging says so."""
    name = props.get("TrailName") or provisioners._physical_name(stack_name, logical_id, max_len=128)
    _done(cloudtrail._create_trail({"Name": name, **_settings(props)}))
    _configure(name, props)
    return name, {"Arn": cloudtrail._trail_arn(name)}


def update_trail(
    physical_id: str, old_props: Properties, new_props: Properties, _stack_name: str
) -> tuple[str, dict[str, Any]]:
    """The settings of a trail change in place; its name does not."""
    _done(cloudtrail._update_trail({"Name": physical_id, **_settings(new_props)}))
    if old_props != new_props:
        _configure(physical_id, new_props)
    return physical_id, {"Arn": cloudtrail._trail_arn(physical_id)}


def delete_trail(physical_id: str, _props: Properties) -> None:
    """Deleting a trail that is gone already is done."""
    cloudtrail._delete_trail({"Name": physical_id})


def _configure(name: str, props: Properties) -> None:
    if props.get("AdvancedEventSelectors"):
        _done(
            cloudtrail._put_event_selectors(
                {"TrailName": name, "AdvancedEventSelectors": props["AdvancedEventSelectors"]}
            )
        )
    elif props.get("EventSelectors"):
        _done(cloudtrail._put_event_selectors({"TrailName": name, "EventSelectors": props["EventSelectors"]}))
    change = cloudtrail._start_logging if _true(props.get("IsLogging")) else cloudtrail._stop_logging
    _done(change({"Name": name}))


def _settings(props: Properties) -> dict[str, Any]:
    settings = {key: props[key] for key in _TRAIL_SETTINGS if key in props}
    # Templates carry booleans as text once a parameter or a condition has been through them.
    settings |= {key: _true(value) for key, value in settings.items() if key.startswith(("Is", "Enable", "Include"))}
    if "KMSKeyId" in settings:
        settings["KmsKeyId"] = settings.pop("KMSKeyId")
    return settings


def _true(value: object) -> bool:
    return value is True or str(value).lower() == "true"


def _done(answer: tuple[int, Mapping[str, str], bytes]) -> None:
    status, _, body = answer
    if status >= 400:  # noqa: PLR2004 -- the HTTP boundary between success and error
        raise ResourceFailed(json.loads(body).get("message", body.decode()))
