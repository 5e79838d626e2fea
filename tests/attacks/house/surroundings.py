"""Alarms, logs, the trail and its bucket, the stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.attacks.house.facet import PREFIX, Clients, Facet, Seen, absent, without


def _alarms(clients: Clients) -> Seen:
    kept = ("ActionsEnabled", "OKActions", "AlarmActions", "Namespace", "MetricName", "Dimensions", "Statistic",
            "Period", "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData",
            "Metrics", "AlarmDescription", "Unit", "InsufficientDataActions")  # fmt: skip
    return {
        one["AlarmName"]: {key: one[key] for key in kept if one.get(key) not in (None, [], "")}
        for page in clients("cloudwatch").get_paginator("describe_alarms").paginate()
        for one in page["MetricAlarms"]
        if one["AlarmName"].startswith(PREFIX)
    }


def _mend_alarms(clients: Clients, name: str, was: Any, _now: Any) -> None:
    if was is None:
        clients("cloudwatch").delete_alarms(AlarmNames=[name])
    else:
        clients("cloudwatch").put_metric_alarm(AlarmName=name, **was)


def _logs(clients: Clients) -> Seen:
    client = clients("logs")
    return {
        one["logGroupName"]: {
            "retention": one.get("retentionInDays"),
            "key": one.get("kmsKeyId"),
            "filters": client.describe_subscription_filters(logGroupName=one["logGroupName"])["subscriptionFilters"],
        }
        for one in client.describe_log_groups()["logGroups"]
        if PREFIX in one["logGroupName"]
    }


def _mend_logs(clients: Clients, name: str, was: Any, now: Any) -> None:
    client = clients("logs")
    if was is None:
        client.delete_log_group(logGroupName=name)
        return
    if now is None:
        client.create_log_group(logGroupName=name)
    client.put_retention_policy(logGroupName=name, retentionInDays=was["retention"])
    for one in (now or {}).get("filters", ()):
        client.delete_subscription_filter(logGroupName=name, filterName=one["filterName"])


def _trails(clients: Clients) -> Seen:
    client = clients("cloudtrail")
    return {
        one["Name"]: {
            "settings": one,
            "logging": client.get_trail_status(Name=one["Name"])["IsLogging"],
            "selectors": without(client.get_event_selectors(TrailName=one["Name"]), "ResponseMetadata"),
        }
        for one in client.describe_trails()["trailList"]
    }


def _mend_trails(clients: Clients, name: str, was: Any, now: Any) -> None:
    client = clients("cloudtrail")
    if was is None:
        client.delete_trail(Name=name)
        return
    settings = was["settings"]
    given = {
        "S3BucketName": settings["S3BucketName"],
        "IsMultiRegionTrail": settings["IsMultiRegionTrail"],
        "IncludeGlobalServiceEvents": settings["IncludeGlobalServiceEvents"],
        "EnableLogFileValidation": settings["LogFileValidationEnabled"],
    }
    (client.update_trail if now else client.create_trail)(Name=name, **given)
    client.put_event_selectors(TrailName=name, EventSelectors=was["selectors"]["EventSelectors"])
    client.start_logging(Name=name)


def _bucket(clients: Clients) -> Seen:
    client = clients("s3")
    (name,) = [one["Name"] for one in client.list_buckets()["Buckets"] if one["Name"].startswith(f"{PREFIX}-trail")]
    policy = absent(client.get_bucket_policy, Bucket=name)
    return {
        f"{name} policy": json.loads(policy["Policy"]) if policy else None,
        f"{name} lifecycle": (absent(client.get_bucket_lifecycle_configuration, Bucket=name) or {}).get("Rules"),
        f"{name} versioning": client.get_bucket_versioning(Bucket=name).get("Status"),
        f"{name} access": (absent(client.get_public_access_block, Bucket=name) or {}).get(
            "PublicAccessBlockConfiguration"
        ),
    }


def _mend_bucket(clients: Clients, name: str, was: Any, _now: Any) -> None:
    client, (bucket, what) = clients("s3"), name.split(" ")
    if what == "policy":
        client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(was))
    elif what == "lifecycle" and was:
        client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": was})
    elif what == "lifecycle":
        client.delete_bucket_lifecycle(Bucket=bucket)
    elif what == "versioning":
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": was or "Suspended"})
    elif was:
        client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=was)
    else:
        client.delete_public_access_block(Bucket=bucket)


def _buckets(clients: Clients) -> Seen:
    return {one["Name"]: "there" for one in clients("s3").list_buckets()["Buckets"]}


def _mend_buckets(clients: Clients, name: str, was: Any, _now: Any) -> None:
    assert was is None, f"bucket {name} is gone; nothing here makes it again"
    clients("s3").delete_bucket(Bucket=name)


_ALL_ALLOWED = json.dumps({"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]})


def _stack(clients: Clients) -> Seen:
    client = clients("cloudformation")
    (one,) = client.describe_stacks(StackName=PREFIX)["Stacks"]
    stack_policy = absent(client.get_stack_policy, StackName=PREFIX)
    return {
        "parameters": {each["ParameterKey"]: each["ParameterValue"] for each in one["Parameters"]},
        "protection": one.get("EnableTerminationProtection", False),
        # One that was set cannot be taken away: one that allows everything is none.
        "policy": {} if stack_policy in (None, {}, {"StackPolicyBody": _ALL_ALLOWED}) else stack_policy,
        "updated": str(one.get("LastUpdatedTime", "")),
    }


def _mend_stack(clients: Clients, name: str, was: Any, _now: Any) -> None:
    client = clients("cloudformation")
    if name == "policy":
        client.set_stack_policy(StackName=PREFIX, StackPolicyBody=was.get("StackPolicyBody", _ALL_ALLOWED))
    elif name == "protection":
        client.update_termination_protection(StackName=PREFIX, EnableTerminationProtection=was)
    else:
        raise AssertionError(f"nothing here mends the stack's {name}")


FACETS: Mapping[str, Facet] = {
    "alarm": Facet(_alarms, _mend_alarms, "cloudwatch"),
    "log group": Facet(_logs, _mend_logs, "logs"),
    "bucket": Facet(_bucket, _mend_bucket, "s3"),
    "other bucket": Facet(_buckets, _mend_buckets, "s3"),
    "stack": Facet(_stack, _mend_stack, "cloudformation"),
}
LAST: Mapping[str, Facet] = {"trail": Facet(_trails, _mend_trails, "cloudtrail")}
