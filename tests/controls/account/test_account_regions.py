"""account-regions: what runs where nothing is to run is told, stopped twelve hours later, and started again."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from plumbline.baseline.compiler import compile_text
from plumbline.baseline.rules import Baseline
from plumbline.controls.account._running import KINDS
from plumbline.controls.account.account_regions import CONTROL, describe, detect, find, locate_instances, observe, plan
from plumbline.core.calls import Call
from plumbline.core.clock import Response
from plumbline.core.control import Deviation
from plumbline.core.errors import BaselineError
from plumbline.core.targets import Target
from tests.story import ACCOUNT, HOME, Story, World, defaults, world

FAR = HOME
DECLARED = {"allowed": ["us-east-1"]}
SETTINGS = {**defaults(CONTROL), **DECLARED}


def thing(kind: str, name: str) -> Target:
    return Target(ACCOUNT, FAR, kind, name)


def _instance(world: World) -> Target:
    ec2 = world.client("ec2", FAR)
    image = ec2.register_image(Name="mine", Architecture="x86_64", RootDeviceName="/dev/sda1")["ImageId"]
    (made,) = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"]
    return thing("ec2-instance", made["InstanceId"])


def _group(world: World) -> Target:
    ec2, scaling = world.client("ec2", FAR), world.client("autoscaling", FAR)
    image = ec2.register_image(Name="mine", Architecture="x86_64", RootDeviceName="/dev/sda1")["ImageId"]
    scaling.create_launch_configuration(LaunchConfigurationName="mine", ImageId=image, InstanceType="t3.micro")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="miners",
        LaunchConfigurationName="mine",
        MinSize=1,
        DesiredCapacity=2,
        MaxSize=4,
        AvailabilityZones=[f"{FAR}a"],
    )
    return thing("autoscaling-group", "miners")


def _database(world: World) -> Target:
    world.client("rds", FAR).create_db_instance(
        DBInstanceIdentifier="scratch", DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20
    )
    return thing("rds-database", "scratch")


def _cluster(world: World) -> Target:
    world.client("rds", FAR).create_db_cluster(
        DBClusterIdentifier="lake",
        Engine="aurora-postgresql",
        MasterUsername="ann",
        MasterUserPassword="not-a-secret-1",
    )
    return thing("rds-cluster", "lake")


def _serverless(world: World) -> Target:
    world.client("rds", FAR).create_db_cluster(
        DBClusterIdentifier="small",
        Engine="aurora-postgresql",
        EngineMode="serverless",
        MasterUsername="ann",
        MasterUserPassword="not-a-secret-1",
    )
    return thing("rds-cluster", "small")


STORIES = (
    Story("an instance is started", CONTROL.id, _instance, settings=DECLARED),
    Story("a group keeps instances", CONTROL.id, _group, settings=DECLARED),
    Story("a database is made", CONTROL.id, _database, settings=DECLARED),
    Story("a cluster is made", CONTROL.id, _cluster, settings=DECLARED),
    Story("a cluster that cannot be stopped is made", CONTROL.id, _serverless, settings=DECLARED, alert_only=True),
)
RUNNING = {"region": FAR, "kind": "ec2-instance", "id": "i-1", "status": "running", "root": "ebs", "spot": False}
DATABASE = {
    "region": FAR, "kind": "rds-database", "id": "scratch", "status": "available",
    "replica": False, "replicas": False, "mirrored": False,
}  # fmt: skip


def test_it_is_off_until_regions_are_declared_and_on_from_then() -> None:
    def mode(text: str) -> Response:
        return Baseline.from_json(compile_text(text, name="b", today=date(2026, 3, 2))).rules[CONTROL.id].response

    assert mode("controls: {}") is Response.OFF
    assert mode("controls: {account-regions: {mode: enforce}}") is Response.OFF
    assert mode("controls: {account-regions: {allowed: [eu-west-1]}}") is Response.ENFORCE
    assert mode("controls: {account-regions: {allowed: [eu-west-1], mode: alert}}") is Response.ALERT
    assert detect(RUNNING, defaults(CONTROL)) is None


def test_a_region_that_is_none_stops_the_build() -> None:
    with pytest.raises(BaselineError, match="Write a region as AWS does, such as ap-southeast-2"):
        compile_text("controls: {account-regions: {allowed: [Sydney]}}", name="b", today=date(2026, 3, 2))


def test_what_runs_elsewhere_deviates_and_what_runs_where_it_may_does_not() -> None:
    expected = Deviation("runs in eu-west-1, where the baseline allows nothing", ("running",))
    assert detect(RUNNING, SETTINGS) == expected
    assert detect({**RUNNING, "region": "us-east-1"}, SETTINGS) is None
    assert detect({**RUNNING, "status": "stopping"}, SETTINGS) is None
    assert detect(None, SETTINGS) is None
    assert describe(RUNNING) == "it is running"


def test_nothing_is_stopped_before_twelve_hours() -> None:
    assert {clock.act for clock in CONTROL.clocks.values()} == {timedelta(hours=12)}


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ({**RUNNING, "root": "instance-store"}, "its root volume is an instance store"),
        ({**RUNNING, "spot": True}, "a Spot instance is terminated and not stopped"),
        ({**DATABASE, "replica": True}, "a read replica or has one"),
        ({**DATABASE, "replicas": True}, "a read replica or has one"),
        ({**DATABASE, "mirrored": True}, "SQL Server database in several zones"),
        ({**DATABASE, "status": "modifying"}, "it is modifying, and AWS stops only what is available"),
        (
            {"region": FAR, "kind": "rds-cluster", "id": "g", "status": "available", "mode": "global"},
            "AWS stops no cluster of the kind global",
        ),
    ],
)
def test_what_cannot_be_stopped_is_told_with_the_reason(state: dict[str, Any], why: str) -> None:
    assert detect(state, SETTINGS) is not None
    assert why in plan(thing(state["kind"], state["id"]), state, SETTINGS).refusal


def test_a_group_is_set_to_size_zero_and_gets_its_sizes_back() -> None:
    state = {"region": FAR, "kind": "autoscaling-group", "id": "miners", "status": "", "sizes": [1, 2, 4]}
    (step,) = plan(thing("autoscaling-group", "miners"), state, SETTINGS).steps

    def sized(least: int, wanted: int, most: int) -> Call:
        sizes = {"MinSize": least, "DesiredCapacity": wanted, "MaxSize": most}
        return Call("autoscaling", "UpdateAutoScalingGroup", {"AutoScalingGroupName": "miners", **sizes})

    assert (step.do, step.undo) == (sized(0, 0, 0), (sized(1, 2, 4),))
    assert detect({**state, "sizes": [0, 0, 4]}, SETTINGS) is None
    assert describe(state) == "it keeps 2 instances, 1 at least and 4 at most"


def test_the_instances_of_a_group_are_its_groups_to_stop() -> None:
    with world() as here:
        _group(here)
        eyes = here.accounts.eyes(ACCOUNT, FAR)
        assert [one.kind for one in find(eyes)] == ["autoscaling-group"]
        for reservation in here.client("ec2", FAR).describe_instances()["Reservations"]:
            for one in reservation["Instances"]:
                assert observe(eyes, thing("ec2-instance", one["InstanceId"])) is None


def _started(*ids: Any) -> dict[str, Any]:
    items = [{"instanceId": one} for one in ids]
    return {"recipientAccountId": ACCOUNT, "awsRegion": FAR, "responseElements": {"instancesSet": {"items": items}}}


@pytest.mark.parametrize(
    ("ids", "found"), [(("i-1", "i-2"), ["i-1", "i-2"]), ((), ["*"]), (("i-1", None), ["*"]), ((7,), ["*"])]
)
def test_every_instance_that_an_event_names_is_looked_at_and_all_where_it_does_not(ids: Any, found: list[str]) -> None:
    assert [one.id for one in locate_instances(_started(*ids))] == found


def test_each_kind_that_is_listed_is_a_kind_of_target() -> None:
    assert CONTROL.kinds == tuple(KINDS)
