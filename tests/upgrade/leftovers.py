"""What is left in an account, region by region, after Plumbline is gone."""

from __future__ import annotations

from typing import Any

from local.embedded import EmbeddedAWS

#: What `sam deploy --resolve-s3` makes for itself, once for each region that anybody deploys to.
_OF_SAM = "aws-sam-cli-managed-default"


def left(aws: EmbeddedAWS, region: str) -> dict[str, list[str]]:
    """Everything in a region, by kind, but tables, and buckets, which are in no region's list."""

    def ask(service: str, operation: str, found: str, name: str, **given: Any) -> list[str]:
        client = aws.client(service, as_="root", region=region)
        return sorted(str(one[name]) for one in getattr(client, operation)(**given).get(found, ()))

    stacks = aws.client("cloudformation", as_="root", region=region).list_stacks()["StackSummaries"]
    buses = ask("events", "list_event_buses", "EventBuses", "Name")
    found = {
        "stacks": [one["StackName"] for one in stacks if one["StackStatus"] != "DELETE_COMPLETE"],
        "stack sets": ask("cloudformation", "list_stack_sets", "Summaries", "StackSetName", Status="ACTIVE"),
        "buses": [one for one in buses if one != "default"],
        "rules": [name for bus in buses for name in ask("events", "list_rules", "Rules", "Name", EventBusName=bus)],
        "queues": aws.client("sqs", as_="root", region=region).list_queues().get("QueueUrls", []),
        "topics": ask("sns", "list_topics", "Topics", "TopicArn"),
        "subscriptions": ask("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
        "functions": ask("lambda", "list_functions", "Functions", "FunctionName"),
        "layers": ask("lambda", "list_layers", "Layers", "LayerName"),
        "mappings": ask("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
        "alarms": ask("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        "logs": ask("logs", "describe_log_groups", "logGroups", "logGroupName"),
        "trails": ask("cloudtrail", "describe_trails", "trailList", "Name", includeShadowTrails=False),
    }
    if region == aws.region:  # what has no region
        found["roles"] = ask("iam", "list_roles", "Roles", "RoleName", PathPrefix="/plumbline/")
        found["policies"] = ask("iam", "list_policies", "Policies", "PolicyName", PathPrefix="/plumbline/")
    ours = {kind: [one for one in names if not one.startswith(_OF_SAM)] for kind, names in found.items()}
    return {kind: names for kind, names in ours.items() if names}


def everywhere(aws: EmbeddedAWS) -> dict[str, dict[str, list[str]]]:
    """What is left in each region that the account has switched on."""
    listed = aws.client("ec2").describe_regions()["Regions"]
    found = {one["RegionName"]: left(aws, one["RegionName"]) for one in listed}
    return {region: there for region, there in found.items() if there}


def forwarders(aws: EmbeddedAWS) -> dict[str, str]:
    """Region -> how its forwarder stands, as StackSets say."""
    listed = aws.client("cloudformation").list_stack_instances(StackSetName="plumbline-forwarders")
    return {one["Region"]: one["Status"] for one in listed["Summaries"]}
