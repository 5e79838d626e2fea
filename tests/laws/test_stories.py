"""The laws that every control keeps, run over every story."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from itertools import combinations

import pytest

from plumbline.controls import registry
from plumbline.core.calls import Call, Plan
from plumbline.core.control import Control
from plumbline.core.targets import State, Target
from plumbline.engine.surveying import survey
from tests.rig import Broken
from tests.story import Story, World, stories, world

STORIES = [pytest.param(story, id=str(story)) for story in stories()]


def _state(told: World, story: Story, target: Target) -> State:
    assert story.rule.observe is not None
    return story.rule.observe(told.accounts.eyes(target.account, target.region), target)


def _told(told: World, story: Story) -> tuple[Target, State, tuple[str, ...]]:
    """What a story breaks, how it is then, and the facts that are wrong."""
    target = story.happens(told)
    before = _state(told, story, target)
    deviation = story.rule.detect(before, story.all_settings)
    assert deviation is not None, "the story breaks nothing"
    assert deviation.items, "name the single facts that are wrong in `Deviation.items`: adoption's grace hangs on them"
    return target, before, deviation.items


def _wrong(told: World, story: Story, target: Target) -> set[str]:
    """The facts that are wrong now."""
    left = story.rule.detect(_state(told, story, target), story.all_settings)
    return set(left.items) if left else set()


def _perform(told: World, story: Story, target: Target, plan: Plan, calls: tuple[Call, ...]) -> None:
    told.perform(story.rule, target, calls, plan.resources)


@pytest.mark.parametrize("story", STORIES)
def test_break_observe_do_compliant_undo_as_before(story: Story) -> None:
    with world() as told:
        target, before, _ = _told(told, story)
        plan = story.rule.plan(target, before, story.all_settings)
        if story.alert_only:
            assert plan.refusal
            return
        _perform(told, story, target, plan, plan.do)
        assert _wrong(told, story, target) == set(plan.left)
        _perform(told, story, target, plan, plan.do)  # a crash makes the same writes come twice
        assert _wrong(told, story, target) == set(plan.left)
        _perform(told, story, target, plan, plan.undo)
        if story.reset:
            assert before == _state(told, story, target), "the undo does not bring back the state before"
        _perform(told, story, target, plan, plan.undo)  # an undo is harmless when there is nothing to undo


#: What their facts are about is one thing, put right in whole.
TOGETHER = frozenset({"billing-alarm", "billing-anomalies", "cloudtrail-logging", "iam-role-trust"})


def _some(items: tuple[str, ...]) -> list[frozenset[str]]:
    """Each part of the facts; of many, each one alone, and all but each one."""
    if len(items) <= FEW:
        return [frozenset(part) for size in range(1, len(items) + 1) for part in combinations(items, size)]
    return [frozenset({one}) for one in items] + [frozenset(items) - {one} for one in items]


FEW = 3


@pytest.mark.parametrize("story", STORIES)
def test_any_part_of_the_facts_can_be_repaired_and_leaves_the_others_as_they_are(story: Story) -> None:
    with world() as told:
        target, before, items = _told(told, story)
        assert len(set(items)) == len(items), "two facts under one name"
        alone = {one: story.rule.plan(target, before, story.all_settings, frozenset({one})) for one in items}
        for facts in _some(items):
            plan = story.rule.plan(target, before, story.all_settings, facts)
            assert bool(plan.steps) != bool(plan.refusal)
            assert bool(plan.steps) == any(alone[one].steps for one in facts), "what cannot be repaired blocks the rest"
            assert set(plan.left) <= facts
            assert plan.steps or not plan.left, "where nothing is repaired, `refusal` says why; see `Plan.partly`"
            if plan.refusal:
                continue
            _perform(told, story, target, plan, plan.do)
            still = _wrong(told, story, target)
            if story.control not in TOGETHER:
                assert still - facts == set(items) - facts
            assert still & facts == set(plan.left)
            if not story.reset:
                return
            _perform(told, story, target, plan, plan.undo)
            assert before == _state(told, story, target)


@pytest.mark.parametrize("story", STORIES)
def test_a_repair_of_all_facts_by_name_is_the_repair_of_all(story: Story) -> None:
    with world() as told:
        target, before, items = _told(told, story)
        named = story.rule.plan(target, before, story.all_settings, frozenset(items))
        assert named == story.rule.plan(target, before, story.all_settings)


@pytest.mark.parametrize("story", STORIES)
def test_what_a_repair_is_about_is_not_as_before_after_it_and_is_again_after_its_undo(story: Story) -> None:
    with world() as told:
        target, before, _ = _told(told, story)
        plan = story.rule.plan(target, before, story.all_settings)
        _perform(told, story, target, plan, plan.do)
        after = _state(told, story, target)
        assert bool(plan.steps) == (story.rule.part(before, plan) != story.rule.part(after, plan))
        if story.reset and plan.undo:
            _perform(told, story, target, plan, plan.undo)
            assert story.rule.part(before, plan) == story.rule.part(_state(told, story, target), plan)


@pytest.mark.parametrize("story", STORIES)
def test_the_survey_sees_what_a_single_look_sees(story: Story) -> None:
    with world() as told:
        target = story.happens(told)
        region = target.region if story.rule.scope.value in ("each", "us-east-1", "home") else "global"
        seen = survey(story.rule, told.accounts.eyes(target.account, region)).states
        assert target in seen, f"the story breaks {target}; `find` or `survey` gives {[*map(str, seen)]}"
        assert seen[target] == _state(told, story, target)


@pytest.mark.parametrize(
    "control", [one for one in registry.load().values() if not one.witness], ids=lambda one: one.id
)
def test_calls_made_are_the_permissions_declared(control: Control) -> None:
    reads: set[str] = set()
    writes: set[str] = set()
    mine = [story for story in stories() if story.control == control.id]
    assert mine, f"no story is told for {control.id}"
    for story in mine:
        with world() as told:
            target = story.happens(told)
            ask = told.accounts.eyes(target.account, target.region)
            survey(story.rule, ask)
            plan = story.rule.plan(target, _state(told, story, target), story.all_settings)
            _perform(told, story, target, plan, plan.do + plan.undo)
            reads |= told.actions("eyes")
            writes |= told.actions("hands", "giving", "house", "person")
    assert {} == _differing({"reads": control.reads, "writes": control.writes}, {"reads": reads, "writes": writes})


def _differing(
    declared: Mapping[str, AbstractSet[str]], called: Mapping[str, AbstractSet[str]]
) -> dict[str, list[str]]:
    """What is called and not declared, and what is declared and never called, in words."""
    missing = {f"called, but not in `{kind}`": sorted(called[kind] - declared[kind]) for kind in declared}
    spare = {f"in `{kind}`, but never called": sorted(declared[kind] - called[kind]) for kind in declared}
    return {what: actions for what, actions in (missing | spare).items() if actions}


def test_a_target_is_of_a_kind_that_its_control_names(broken: Broken) -> None:
    assert broken.target.kind in broken.story.rule.kinds
