"""Nothing runs where nothing is to run.

Holds: once the baseline says which regions are `allowed`, nothing of this list runs in another one: EC2 instances, Auto
Scaling groups, RDS databases and DB clusters (Aurora, Neptune and DocumentDB too). It is off until then. No API lists
everything that an account has, so whatever is not on the list is not seen. Looked at in each governed region; where a
forwarder hears that region, you are told at once, elsewhere by the next sweep. A region that is not switched on runs
nothing, and is not asked.
Why: whoever has stolen keys starts machines where nobody looks. A region that you do not use has none of your alarms,
and nobody's eyes, and its machines cost as much as anywhere.
Repair: twelve hours later, an Auto Scaling group is set to size zero, or it would start again what is stopped; an
instance, a database or a cluster is stopped. What cannot be stopped without losing it, such as an instance on instance
store, a Spot instance, a read replica or an Aurora Serverless cluster, is told. AWS starts a stopped database again
after seven days; then it is found again.
Undo: starts it again, or sets the group's earlier sizes. What lay in memory or on a group's own instances is gone.
Source: Amazon EC2, Amazon EC2 Auto Scaling, Amazon RDS and Amazon Aurora user guides, on stopping and their limits.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from datetime import timedelta

from plumbline.controls.account._running import KINDS
from plumbline.core.calls import Ask, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import State, Target
from plumbline.wakes import cloudtrail

_RUNNING = "running"


def locate_instances(detail: Event) -> Iterable[Target]:
    """Each instance that the event started; all of the region where it does not say."""
    started = cloudtrail.section(cloudtrail.section(detail.get("responseElements")).get("instancesSet")).get("items")
    named = [cloudtrail.section(one).get("instanceId") for one in started] if isinstance(started, list) else []
    ids = [one for one in named if isinstance(one, str) and one]
    for one in ids if len(ids) == len(named) and ids else ("",):
        yield from cloudtrail.here(detail, "ec2-instance", one)


def _locate(kind: str, *names: str) -> Callable[[Event], Iterable[Target]]:
    """The one thing that the event is about; all of its kind in the region where it does not say."""
    return lambda detail: cloudtrail.here(detail, kind, cloudtrail.parameter(detail, *names))


def find(ask: Ask) -> Iterable[Target]:
    """Everything on the list that there is in a region."""
    for name, kind in KINDS.items():
        for one in kind.listed(ask):
            if kind.runs(one):
                yield Target(ask.account, ask.region, name, one["id"])


def observe(ask: Ask, target: Target) -> State:
    """The thing as its list has it; None where it does not run, or is another's to stop."""
    kind = KINDS[target.kind]
    found = next((one for one in kind.listed(ask) if one["id"] == target.id), None)
    return {"region": target.region, "kind": target.kind, **found} if found else None


def detect(state: State, settings: Settings) -> Deviation | None:
    """Whatever runs, where the baseline allows nothing."""
    if state is None or not settings["allowed"] or state["region"] in settings["allowed"]:
        return None
    if not KINDS[state["kind"]].runs(state):
        return None
    return Deviation(f"runs in {state['region']}, where the baseline allows nothing", (_RUNNING,))


def describe(state: State) -> str:
    """How it is; a group by its sizes."""
    if state is None:
        return "it does not run"
    if "sizes" in state:
        least, wanted, most = state["sizes"]
        return f"it keeps {wanted} instances, {least} at least and {most} at most"
    return f"it is {state['status']}"


def plan(target: Target, state: State, _settings: Settings, _facts: Container[str] = EVERY, /) -> Plan:
    """Stop it, or set it to size zero; where it cannot be stopped, say why."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    kind = KINDS[target.kind]
    if why := kind.stuck(state):
        return Plan(refusal=why)
    arn = f"arn:*:{kind.arn.format(region=target.region, account=target.account, id=target.id)}"
    does = "sets {} to size zero" if "sizes" in state else "stops {}"
    return Plan(
        steps=(Step(kind.stop(state), (kind.start(state),)),),
        resources=(arn,),
        summary=f"{does.format(CONTROL.name(target))} in {target.region}",
        irreversible=kind.lost,
    )


def part(state: State, _plan: Plan) -> State:
    """Whether it runs, and how large it is: its state passes through others by itself."""
    if state is None or not KINDS[state["kind"]].runs(state):
        return {"runs": False}
    return {"runs": True, "sizes": state.get("sizes")}


def _database(*names: str) -> On:
    return On("rds.amazonaws.com", names, _locate("rds-database", "dBInstanceIdentifier", "targetDBInstanceIdentifier"))


CONTROL = Control(
    id="account-regions",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.HIGH,
    response=Response.ENFORCE,
    clocks={
        "default": Clock(remind=(timedelta(hours=6),), escalate=timedelta(days=1), act=timedelta(hours=12)),
    },
    scope=Scope.EACH,
    kinds=tuple(KINDS),
    needs="allowed",
    wakes_on=(
        On("ec2.amazonaws.com", ("RunInstances", "StartInstances"), locate_instances),
        On(
            "autoscaling.amazonaws.com",
            ("CreateAutoScalingGroup", "SetDesiredCapacity", "UpdateAutoScalingGroup"),
            _locate("autoscaling-group", "autoScalingGroupName"),
        ),
        _database(
            "CreateDBInstance", "RestoreDBInstanceFromDBSnapshot", "RestoreDBInstanceToPointInTime", "StartDBInstance"
        ),
        On(
            "rds.amazonaws.com",
            ("CreateDBCluster", "RestoreDBClusterFromSnapshot", "RestoreDBClusterToPointInTime", "StartDBCluster"),
            _locate("rds-cluster", "dBClusterIdentifier"),
        ),
    ),
    reads=frozenset(
        {
            "autoscaling:DescribeAutoScalingGroups",
            "ec2:DescribeInstances",
            "rds:DescribeDBClusters",
            "rds:DescribeDBInstances",
        }
    ),
    writes=frozenset(
        {
            "autoscaling:UpdateAutoScalingGroup",
            "ec2:StartInstances",
            "ec2:StopInstances",
            "rds:StartDBCluster",
            "rds:StartDBInstance",
            "rds:StopDBCluster",
            "rds:StopDBInstance",
        }
    ),
    noun="{kind} {id}",
    find=find,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    part=part,
    settings={
        "allowed": {
            "type": "array",
            "items": {
                "type": "string",
                "pattern": r"^[a-z]{2,4}(-[a-z]+)+-\d+$",
                "patternErrorMessage": "Write a region as AWS does, such as ap-southeast-2.",
            },
            "uniqueItems": True,
            "default": [],
            "examples": [["eu-west-1", "us-east-1"]],
            "description": "The regions in which things may run. While it is empty, this rule is off.",
        },
    },
    answers={"moj": ("regions", "regions-12h")},
)
