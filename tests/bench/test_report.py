"""What is told of what was measured, and which goals are met."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from bench import report, wakes
from bench.account import Key
from bench.processes import Sample
from bench.report import Results
from bench.sizes import Size
from bench.wakes import Contest, Trial

SIDES = (
    wakes.FLOOR, wakes.BARE, wakes.BY_HAND, wakes.BY_HAND_OUR_ROOTS, wakes.BY_HAND_NO_GC, wakes.PLUMBLINE, wakes.GROWN,
    wakes.WARM, wakes.CUSTODIAN, wakes.CUSTODIAN_AS_DEPLOYED,
)  # fmt: skip
STEPS = [
    {"make": "iam", "region": "us-east-1", "assumed": 1},
    {"client": 0, "operation": "UpdateAccessKey", "parameters": {"UserName": "intruder-1", "AccessKeyId": "AKIA1"}},
    {"make": "iam", "region": "us-east-1", "assumed": 1},
    {"make": "iam", "region": "us-east-1", "assumed": 4},
    {"make": "sts", "region": "us-east-1", "assumed": None},
]
TRIAL = Trial(Key("intruder-1", "AKIA1"), json.dumps(STEPS), frozenset({"plumbline", "plumbline.compose"}))


def _results(cpu: Mapping[str, float], *, grown: Trial = TRIAL, read: float = 0.004) -> Results:
    samples = {name: [Sample(one, one, 0.0), Sample(2 * one, 2 * one, 0.0)] for name, one in cpu.items()}
    contest = Contest((), TRIAL, grown, {})
    return Results(samples, [], [], Size("c7n", 1, 0, 1), contest, {wakes.PLUMBLINE: read, wakes.BOTO3: 0.04}, [])


EQUAL = dict.fromkeys(SIDES, 1.0)


@pytest.mark.parametrize(
    ("goal", "good", "bad"),
    [
        ("60 controls, CPU", {wakes.GROWN: 1.02}, {wakes.GROWN: 1.04}),
        ("cold wake, CPU: at most 0.8 x by hand", {wakes.BY_HAND: 1.26}, {wakes.BY_HAND: 1.2}),
        ("warm wake", {wakes.WARM: 0.29}, {wakes.WARM: 0.31}),
        ("cold wake, CPU: at most 1.3 x floor", {wakes.FLOOR: 0.8}, {wakes.FLOOR: 0.7}),
        ("cold wake, own time: below Custodian", {wakes.CUSTODIAN: 1.1}, {wakes.CUSTODIAN: 0.9}),
    ],
)
def test_a_goal_is_met_on_one_side_of_its_mark_and_missed_on_the_other(
    goal: str, good: Mapping[str, float], bad: Mapping[str, float]
) -> None:
    found = [
        next(one.met for one in report.goals(_results({**EQUAL, **changed})) if one.text.startswith(goal))
        for changed in (good, bad)
    ]
    assert [True, False] == found


def test_a_module_more_with_more_controls_is_a_goal_missed() -> None:
    more = replace(TRIAL, modules=TRIAL.modules | {"plumbline.controls.s3.s3_public_acl"})
    goals = [report.goals(_results(EQUAL, grown=grown))[0] for grown in (TRIAL, more)]
    assert [("2 and 2", True), ("2 and 3", False)] == [(one.found, one.met) for one in goals]


def test_a_bucket_read_that_takes_longer_than_it_may_is_a_goal_missed() -> None:
    found = [
        (one.found, one.met)
        for read in (0.0049, 0.0051)
        for one in report.goals(_results(EQUAL, read=read))
        if one.text.startswith("a bucket read")
    ]
    assert [("4.9 ms", True), ("5.1 ms", False)] == found


def test_every_line_fits_a_terminal() -> None:
    assert [] == [line for line in report.lines(_results(EQUAL)) if len(line) > report.WIDTH]


def test_the_floor_makes_each_client_once() -> None:
    assert [("iam", 1), ("iam", 4), ("sts", None)] == [(one["make"], one["assumed"]) for one in TRIAL.clients]


def test_a_trial_is_played_again_about_another_key() -> None:
    (call,) = [one for one in TRIAL.about(Key("intruder-2", "AKIA2")) if "operation" in one]
    assert {"UserName": "intruder-2", "AccessKeyId": "AKIA2"} == call["parameters"]
