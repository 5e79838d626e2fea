"""A control is documented where it is written, tested beside its name, and its events are kept."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from plumbline.controls import registry
from plumbline.core.clock import Response
from plumbline.core.control import SECTIONS, Control, no_plan
from plumbline.core.targets import Target
from tests.generated import ROOT
from tests.generating import frameworks
from tests.recorded import EVENTS, folder, records
from tests.rig import journal
from tests.story import stories

CONTROLS = [pytest.param(one, id=one.id) for one in registry.load().values()]
pytestmark = pytest.mark.parametrize("control", CONTROLS)


def _file(control: Control) -> str:
    return control.id.replace("-", "_")


def test_the_docstring_says_what_holds_why_what_is_repaired_and_undone_and_who_says_so(control: Control) -> None:
    prose = control.prose
    assert ["Title", *SECTIONS] == list(prose)
    assert all(prose.values()), "every heading has a text"
    assert prose["Title"].endswith("."), "the title is a sentence"


def test_the_id_is_the_files_name(control: Control) -> None:
    module = sys.modules[registry.modules()[control.id]]
    assert control is module.CONTROL
    assert control.id == Path(module.__file__ or "").stem.replace("_", "-")


def test_its_noun_names_a_target(control: Control) -> None:
    targets = [Target("111122223333", "eu-west-1", "thing", one) for one in ("ann", "ann/AKIA", "*", "{id}", "a/b/c")]
    assert all(name and "\n" not in name for name in map(control.name, targets))


def test_its_noun_tells_targets_apart(control: Control) -> None:
    """Where it has several in one place, as its stories or its kept events show."""
    told = {(one.region, one.kind, one.id): control.name(one) for one in _targets(control) if control.witness is None}
    spoken = {(region, name) for (region, _kind, _id), name in told.items()}
    assert len(told) == len(spoken), "two targets in one region have one name: write {id} into `noun`"


def test_an_event_and_the_sweep_give_a_target_the_same_id(control: Control) -> None:
    """KMS names a key by id or by ARN: one key by two ids would be two findings."""
    told = {one.id.startswith("arn:") for one in _targets(control, events=False)}
    heard = {one.target().id.startswith("arn:") for one in records() if one.control == control.id}
    assert control.witness or heard <= told, "`locate` and `find` disagree whether the id is an ARN"


def _targets(control: Control, *, events: bool = True) -> list[Target]:
    told = [journal(one).target for one in stories() if one.control == control.id]
    return told + [one.target() for one in records() if one.control == control.id and events]


def test_it_says_since_when(control: Control) -> None:
    """The changelog's versions, of which the uppermost is the one to come."""
    versions = re.findall(r"(?m)^## (\d+\.\d+)\.\d+", (ROOT / "CHANGELOG.md").read_text())
    assert control.since in versions, f'write the version it comes with: since="{versions[0]}"'


def test_what_it_answers_is_what_the_sources_say(control: Control) -> None:
    problems = frameworks.problems(frameworks.load(ROOT / "sources"), registry.load())
    assert [] == [one for one in problems if control.id in one]


def test_every_setting_has_a_type_a_description_and_a_default_that_it_allows(control: Control) -> None:
    for name, schema in control.settings.items():
        assert {"type", "default", "description"} <= set(schema), name
        Draft202012Validator.check_schema(schema)
        Draft202012Validator(schema).validate(schema["default"])
        assert schema["description"].endswith("."), f"{name}: a description is a sentence"


def test_no_setting_hides_what_every_control_has(control: Control) -> None:
    assert set() == {"mode", "clocks"} & set(control.settings)


def test_it_has_a_clock_for_whatever_no_other_clock_is_for(control: Control) -> None:
    assert "default" in control.clocks


def test_it_can_see(control: Control) -> None:
    """By events alone, by a survey, or by finding and looking at each; and one can always be looked at afresh."""
    if control.witness:
        assert (None, None, None) == (control.find, control.observe, control.survey)
    else:
        assert control.observe
        assert bool(control.find) != bool(control.survey)
        assert control.find or not control.glance


def test_what_writes_has_a_plan_and_what_has_none_only_tells(control: Control) -> None:
    """What only tells may have a plan all the same: one that says what a person can do."""
    assert not (control.plan is no_plan and control.writes)
    assert control.writes or control.response is Response.ALERT


def test_it_is_tested_beside_its_name(control: Control) -> None:
    module = importlib.import_module(f"tests.controls.{registry.family(control.id)}.test_{_file(control)}")
    told = [one for one in stories() if one.control == control.id]
    assert any(name.startswith("test_") for name in vars(module))
    assert bool(told) == (control.witness is None), "every control tells its stories, unless only events can"


def test_every_event_that_wakes_it_is_kept(control: Control) -> None:
    kept = {one.path.stem for one in records() if one.control == control.id}
    named = {name for on in control.wakes_on for name in on.names}
    assert named <= kept, f"missing below {folder(control.id)}: {', '.join(sorted(named - kept))}"
    for on in control.wakes_on:
        if not on.names:
            assert any(on in one.ons() for one in records() if one.control == control.id), (
                f"no record of {on.detail_type}"
            )


def test_no_kept_event_is_a_stranger(control: Control) -> None:
    assert [] == [str(one) for one in records() if one.control == control.id and not one.ons()]
    kept = {one.relative_to(EVENTS) for one in EVENTS.glob("*/*")}
    assert kept <= {folder(one).relative_to(EVENTS) for one in registry.load()}
