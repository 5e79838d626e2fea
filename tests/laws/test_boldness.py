"""Boldness: Plumbline acts at once only on what an event has just announced, and never against a stack's template."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from plumbline.alerts.finding import what_happened
from plumbline.controls import registry
from plumbline.core.cause import Cause, Origin
from plumbline.core.clock import AT_ONCE, Clock, Response
from plumbline.core.control import Control, Deviation
from plumbline.core.targets import Target
from plumbline.engine.case import Outcome
from plumbline.findings import clocks
from plumbline.findings.finding import Finding, open_finding
from tests.rig import CAUSE, NOW, Broken, own_rules

#: Nobody's workload relies on how somebody has left Plumbline's own parts, and its stack wants what the repair brings
#: back: the house is put right at once, whoever found it.
REPAIRING = [one for one in registry.load().values() if one.response is Response.ENFORCE and not one.house]
#: Calls that stop what runs. A control may make them after a notice, or when a person has agreed; never at once.
STOPS = frozenset(
    {
        "autoscaling:UpdateAutoScalingGroup",
        "ec2:StopInstances",
        "ec2:TerminateInstances",
        "ecs:UpdateService",
        "lambda:DeleteFunction",
        "lambda:PutFunctionConcurrency",
        "rds:StopDBCluster",
        "rds:StopDBInstance",
    }
)
OF_A_STACK = Cause(
    "PutRolePolicy", "the AWS service cloudformation.amazonaws.com", service="cloudformation.amazonaws.com"
)


def _found(control: Control, clock: str, origin: Origin, cause: Cause = CAUSE) -> Finding:
    target = Target("111122223333", "global", control.kinds[0], "it")
    deviation = Deviation("is wrong", ("fact",), clock)
    return open_finding(control.id, target, deviation, origin=origin, cause=cause, now=NOW, before=None)


def _acts_at_once(control: Control, finding: Finding) -> bool:
    rule = own_rules()[control.id]
    due = clocks.acts_at(rule, finding)
    return clocks.response_of(rule, finding) is Response.ENFORCE and due is not None and due <= NOW


@pytest.mark.parametrize("control", REPAIRING, ids=repr)
@pytest.mark.parametrize("origin", [Origin.SWEEP, Origin.ADOPTION])
def test_what_no_event_announced_is_told_before_it_is_repaired(control: Control, origin: Origin) -> None:
    assert [] == [name for name in control.clocks if _acts_at_once(control, _found(control, name, origin))]


@pytest.mark.parametrize("control", REPAIRING, ids=repr)
def test_what_a_stack_has_asked_for_is_told_before_it_is_repaired(control: Control) -> None:
    finding = _found(control, "default", Origin.EVENT, OF_A_STACK)
    assert not _acts_at_once(control, finding)


@pytest.mark.parametrize("control", REPAIRING, ids=repr)
def test_what_stops_a_workload_is_never_done_at_once(control: Control) -> None:
    if control.writes & STOPS:
        assert not [name for name in control.clocks if _acts_at_once(control, _found(control, name, Origin.EVENT))]


def test_an_e_mail_says_that_a_stack_did_it() -> None:
    control = registry.load()["iam-groups"]
    rows = what_happened(_found(control, "default", Origin.EVENT, OF_A_STACK))
    assert rows["Template"] == "a stack asked for this and brings it back: change its template"
    assert not what_happened(_found(control, "default", Origin.EVENT))["Template"]


def test_what_runs_for_a_person_at_the_console_is_no_stack() -> None:
    assert OF_A_STACK.is_of_a_stack
    assert not replace(OF_A_STACK, service="").is_of_a_stack
    assert not Cause(tool="cloudformation.amazonaws.com", source="cloudformation.amazonaws.com").is_of_a_stack


def test_a_clock_of_the_sweep_never_shortens_another() -> None:
    """A deviation with a clock of its own keeps it, whoever found it."""
    control = registry.load()["iam-inline-policies"]
    rule = replace(own_rules()[control.id], clocks={"default": AT_ONCE, "own": Clock(act=timedelta(days=30))})
    assert clocks.acts_at(rule, _found(control, "own", Origin.SWEEP)) == NOW + timedelta(days=30)


def test_what_a_sweep_finds_is_told_and_left_for_now(broken: Broken) -> None:
    control = broken.story.rule
    if control.house:
        return
    rule = replace(own_rules()[control.id], settings=broken.story.all_settings)
    plumbline = broken.rig.install({control.id: rule})
    wake = replace(broken.wake(Cause()), origin=Origin.SWEEP)
    settled = plumbline.engine.settle(wake, now=NOW)
    assert (Outcome.TOLD, [], 1) == (settled.outcome, broken.rig.writes, len(broken.rig.letters))
