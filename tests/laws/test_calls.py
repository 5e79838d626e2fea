"""What leaves Plumbline is what AWS takes: parameters, permissions, and the limits of each writing session."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from cfnlint.data import AdditionalSpecs
from cfnlint.helpers import load_resource

from plumbline.adapters.session_policy import LONGEST, named_by, sessions
from plumbline.controls import registry
from plumbline.core.calls import Call
from plumbline.core.control import Control
from plumbline.core.giving import linking, takes_a_person
from tests.rig import Request, journal
from tests.story import Story, stories

STORIES = [pytest.param(story, id=str(story)) for story in stories()]
REPAIRED = [pytest.param(story, id=str(story)) for story in stories() if not story.alert_only]
CONTROLS = [pytest.param(one, id=one.id) for one in registry.load().values()]


@cache
def _service(name: str) -> Any:
    return botocore.session.get_session().get_service_model(name)


@cache
def _permissions() -> Mapping[str, Any]:
    """Every IAM action there is, by service, in lower case; from the Service Authorization Reference."""
    known: Mapping[str, Any] = load_resource(AdditionalSpecs, "Policies.json")
    return known


#: What is limited in another way, as good or better, and why its ARN does not serve.
_OTHERWISE = {
    "lambda:UpdateEventSourceMapping": "its ARN is an id; the role's own policy names the functions whose it may be",
}


def _resource_formats(action: str) -> list[str]:
    """The ARN formats an action can be limited to; none when it cannot, or is limited otherwise."""
    if action in _OTHERWISE:
        return []
    service, _, name = action.partition(":")
    known = _permissions()[service]
    kinds = known["Actions"][name.lower()].get("Resources", ())
    named = (kind.rstrip("*") for kind in kinds)
    resources = known["Resources"]
    return [  # a few are written in two ways
        pattern
        for kind in named
        for pattern in resources.get(kind, resources.get(kind.lower(), {})).get("ARNFormats", ())
    ]


def _fits(arn: str, pattern: str) -> bool:
    """Whether an ARN (IAM wildcards allowed) is one of a format such as `arn:${Partition}:s3:::${BucketName}`."""
    expression = "".join(
        piece if piece == ".*" else ".*" if piece.startswith("${") else re.escape(piece)
        for piece in re.split(r"(\$\{\w+\}|\.\*)", pattern)
    )
    return re.fullmatch(expression, arn) is not None


def _problems(service: str, operation: str, parameters: Mapping[str, Any]) -> str:
    shape = _service(service).operation_model(operation).input_shape
    return "" if shape is None else ParamValidator().validate(dict(parameters), shape).generate_report()


@pytest.mark.parametrize("story", STORIES)
def test_every_call_has_the_parameters_that_aws_takes(story: Story) -> None:
    told = journal(story)
    made: tuple[Call | Request, ...] = (*told.calls, *told.reads)
    asked = [(one.service, one.operation, one.parameters) for one in made]
    assert [] == [problem for one in asked if (problem := _problems(*one))]


@pytest.mark.parametrize("story", REPAIRED)
def test_every_call_survives_the_ledger(story: Story) -> None:
    for call in journal(story).calls:
        stored = Call.from_json(json.loads(json.dumps(call.to_json(), default=str)))
        assert "" == _problems(stored.service, stored.operation, stored.parameters)
        assert json.loads(json.dumps(call.to_json(), default=str)) == stored.to_json(), (
            "an undo from the ledger is the undo"
        )


@pytest.mark.parametrize("control", CONTROLS)
def test_every_permission_it_names_exists(control: Control) -> None:
    def exists(action: str) -> bool:
        service, _, name = action.partition(":")
        return name.lower() in _permissions().get(service, {}).get("Actions", {})

    assert [] == [one for one in sorted(control.reads | control.writes) if not exists(one)]


@pytest.mark.parametrize("story", REPAIRED)
def test_a_writing_session_is_limited_to_this_control_and_this_target(story: Story) -> None:
    plan = journal(story).plan
    for calls in (plan.do, plan.undo):
        ours = [one for one in calls if not takes_a_person([one])]
        for session in sessions(story.rule, ours, plan.resources):
            assert len(session.policy) <= LONGEST
            statement, *beside = json.loads(session.policy)["Statement"]
            assert linking(statement["Action"]) == beside
            assert set(statement["Action"]) <= story.rule.writes, "nothing but what the control declares"
            assert {call.action for call in session.calls} == set(statement["Action"]), (
                "what this session does, no more"
            )
            assert set(statement["Resource"]) <= set(plan.resources)


@pytest.mark.parametrize("story", REPAIRED)
def test_a_session_of_one_call_reaches_what_that_call_writes_to(story: Story) -> None:
    """Where a repair is too long for one session, each call keeps the ARNs that its parameters name."""
    told = journal(story)
    for call in told.calls:
        formats, reached = _resource_formats(call.action), named_by([call], told.plan.resources)
        needed = [arn for arn in told.plan.resources if any(_fits(arn, pattern) for pattern in formats)]
        assert bool(needed) == bool([arn for arn in reached if arn in needed]), f"{call.action} on {reached}"


@pytest.mark.parametrize("story", REPAIRED)
def test_a_writing_session_reaches_everything_only_where_aws_knows_no_narrower(story: Story) -> None:
    told = journal(story)
    formats = {call.action: _resource_formats(call.action) for call in told.calls}
    unlimited = {action for action, known in formats.items() if not known}
    assert bool(unlimited) == ("*" in told.plan.resources), f"cannot be limited: {sorted(unlimited) or 'none'}"
    for action, known in formats.items():
        fitting = [arn for arn in told.plan.resources if any(_fits(arn, pattern) for pattern in known)]
        assert not known or fitting, f"{action} takes {known}, the session is limited to {told.plan.resources}"


@pytest.mark.parametrize("story", REPAIRED)
def test_the_session_reaches_no_other_target(story: Story) -> None:
    """An ARN of a session holds wildcards only for the partition, a path, or below the target itself."""
    for arn in journal(story).plan.resources:
        if arn != "*":
            assert not re.search(r"\*", arn.split(":", 5)[5].split("/")[-1]) or "/" in arn, arn
            assert arn.split(":", 5)[5] not in ("*", "user/*", "group/*", "role/*", "policy/*"), arn


@pytest.mark.parametrize("story", REPAIRED)
def test_a_repair_says_what_it_does(story: Story) -> None:
    plan = journal(story).plan
    assert plan.summary
    assert not plan.summary.endswith(".")
    assert all(step.undo for step in plan.steps) or plan.irreversible, "what cannot be undone is said before"


@pytest.mark.parametrize("story", STORIES)
def test_pure_means_pure(story: Story) -> None:
    """Asked twice the same, a control answers the same, and it does not change what it was given."""
    told, control, settings = journal(story), story.rule, story.all_settings
    given = json.dumps([told.before, settings], sort_keys=True, default=str)
    first = [
        control.detect(told.before, settings),
        control.describe(told.before),
        control.plan(told.target, told.before, settings),
    ]
    again = [
        control.detect(told.before, settings),
        control.describe(told.before),
        control.plan(told.target, told.before, settings),
    ]
    assert first == again
    assert given == json.dumps([told.before, settings], sort_keys=True, default=str)
