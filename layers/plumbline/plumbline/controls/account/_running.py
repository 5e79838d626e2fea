"""What runs in a region and can be stopped: how it is listed, when it runs, what stops it and what starts it. Pure.

No API lists what has no tags, so this list is all that is looked at.

Sources: Amazon EC2 user guide, Stop and start Amazon EC2 instances (instance store, Spot); Amazon EC2 Auto Scaling user
guide, Set scaling limits; Amazon RDS user guide, Stopping an Amazon RDS DB instance temporarily (limitations); Amazon
Aurora user guide, Stopping and starting an Amazon Aurora DB cluster (limitations).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plumbline.core.calls import Ask, Call

Thing = Mapping[str, Any]
#: States that a thing leaves by itself, or has left: nothing of it runs, or will.
_OVER = frozenset({"deleting", "deleted", "stopped", "stopping", "terminated", "shutting-down", "inaccessible"})
#: Set by Auto Scaling, and by nobody else: AWS reserves what begins with aws:.
_GROUP = "aws:autoscaling:groupName"
_SERVERLESS = ("serverless", "parallelquery", "multimaster", "global")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing that runs.

    Attributes:
        listed: ask -> its things in the region, each as plain data with its `id`.
        runs: whether a thing runs, or is about to.
        stuck: why a thing cannot be stopped, as it reads after a colon; empty where it can.
        stop: the call that stops a thing.
        start: the call that starts it again, as it was.
        arn: the ARN of a thing, after partition, service and region.
        lost: what starting again does not bring back.
    """

    listed: Callable[[Ask], Iterator[dict[str, Any]]]
    runs: Callable[[Thing], bool]
    stuck: Callable[[Thing], str]
    stop: Callable[[Thing], Call]
    start: Callable[[Thing], Call]
    arn: str
    lost: str


# --- EC2 ------------------------------------------------------------------------------------------


def _instances(ask: Ask) -> Iterator[dict[str, Any]]:
    """Those that run, or are about to; what Auto Scaling keeps is its group's."""
    asked = {"Filters": [{"Name": "instance-state-name", "Values": ["pending", "running"]}]}
    for reservation in ask(Call("ec2", "DescribeInstances", asked))["Reservations"]:
        for one in reservation["Instances"]:
            if all(tag["Key"] != _GROUP for tag in one.get("Tags") or ()):
                yield {
                    "id": one["InstanceId"],
                    "status": one["State"]["Name"],
                    "root": one.get("RootDeviceType", ""),
                    "spot": one.get("InstanceLifecycle") == "spot",
                }


def _instance_stuck(one: Thing) -> str:
    if one["root"] == "instance-store":
        return "its root volume is an instance store, which is lost when it stops; only a person may terminate it"
    return "a Spot instance is terminated and not stopped; only a person may do that" if one["spot"] else ""


def _of_instance(operation: str) -> Callable[[Thing], Call]:
    gone = ("InvalidInstanceID.NotFound", "IncorrectInstanceState")
    return lambda one: Call("ec2", operation, {"InstanceIds": [one["id"]]}, absent=gone)


# --- Auto Scaling ---------------------------------------------------------------------------------


def _groups(ask: Ask) -> Iterator[dict[str, Any]]:
    for one in ask(Call("autoscaling", "DescribeAutoScalingGroups"))["AutoScalingGroups"]:
        yield {
            "id": one["AutoScalingGroupName"],
            "status": one.get("Status", ""),
            "sizes": [one["MinSize"], one["DesiredCapacity"], one["MaxSize"]],
        }


def _sized(sizes: Callable[[Thing], list[int]]) -> Callable[[Thing], Call]:
    def sized(one: Thing) -> Call:
        least, wanted, most = sizes(one)
        limits = {"MinSize": least, "DesiredCapacity": wanted, "MaxSize": most}
        return Call("autoscaling", "UpdateAutoScalingGroup", {"AutoScalingGroupName": one["id"], **limits})

    return sized


# --- RDS ------------------------------------------------------------------------------------------


def _databases(ask: Ask) -> Iterator[dict[str, Any]]:
    """Those of no cluster: a cluster is stopped as a whole."""
    for one in ask(Call("rds", "DescribeDBInstances"))["DBInstances"]:
        if not one.get("DBClusterIdentifier"):
            yield {
                "id": one["DBInstanceIdentifier"],
                "status": one["DBInstanceStatus"],
                "replica": bool(one.get("ReadReplicaSourceDBInstanceIdentifier")),
                "replicas": bool(one.get("ReadReplicaDBInstanceIdentifiers")),
                "mirrored": bool(one.get("MultiAZ")) and str(one.get("Engine", "")).startswith("sqlserver"),
            }


def _database_stuck(one: Thing) -> str:
    if one["replica"] or one["replicas"]:
        return "AWS stops no database that is a read replica or has one"
    return "AWS stops no SQL Server database in several zones" if one["mirrored"] else _waits(one)


def _clusters(ask: Ask) -> Iterator[dict[str, Any]]:
    for one in ask(Call("rds", "DescribeDBClusters"))["DBClusters"]:
        mode = str(one.get("EngineMode") or "")
        member = bool(one.get("GlobalClusterIdentifier") or one.get("GlobalWriteForwardingStatus") == "enabled")
        yield {"id": one["DBClusterIdentifier"], "status": one["Status"], "mode": "global" if member else mode}


def _cluster_stuck(one: Thing) -> str:
    return f"AWS stops no cluster of the kind {one['mode']}" if one["mode"] in _SERVERLESS else _waits(one)


def _waits(one: Thing) -> str:
    return "" if one["status"] == "available" else f"it is {one['status']}, and AWS stops only what is available"


def _of_database(operation: str) -> Callable[[Thing], Call]:
    gone = ("DBInstanceNotFound", "InvalidDBInstanceState")
    return lambda one: Call("rds", operation, {"DBInstanceIdentifier": one["id"]}, absent=gone)


def _of_cluster(operation: str) -> Callable[[Thing], Call]:
    gone = ("DBClusterNotFoundFault", "InvalidDBClusterStateFault")
    return lambda one: Call("rds", operation, {"DBClusterIdentifier": one["id"]}, absent=gone)


def _is_on(one: Thing) -> bool:
    return one["status"] not in _OVER


_MEMORY = "what its memory and its instance store volumes held"
KINDS: Mapping[str, Kind] = {
    "autoscaling-group": Kind(
        _groups,
        lambda one: bool(one["sizes"][1]),
        lambda one: "it is being deleted" if one["status"] else "",
        _sized(lambda _: [0, 0, 0]),
        _sized(lambda one: list(one["sizes"])),
        "autoscaling:{region}:{account}:autoScalingGroup:*:autoScalingGroupName/{id}",
        "its instances are terminated, with what only their own disks held",
    ),
    "ec2-instance": Kind(
        _instances, _is_on, _instance_stuck, _of_instance("StopInstances"), _of_instance("StartInstances"),
        "ec2:{region}:{account}:instance/{id}", _MEMORY,
    ),
    "rds-cluster": Kind(
        _clusters, _is_on, _cluster_stuck, _of_cluster("StopDBCluster"), _of_cluster("StartDBCluster"),
        "rds:{region}:{account}:cluster:{id}", "",
    ),
    "rds-database": Kind(
        _databases, _is_on, _database_stuck, _of_database("StopDBInstance"), _of_database("StartDBInstance"),
        "rds:{region}:{account}:db:{id}", "",
    ),
}  # fmt: skip
