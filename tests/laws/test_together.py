"""Several targets at once: a survey sees each as a single look does, and nothing leaks from one to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from plumbline.controls import registry
from plumbline.core.cause import Origin
from plumbline.core.control import Control, Scope
from plumbline.core.targets import GLOBAL, Target
from plumbline.engine.case import Outcome
from plumbline.engine.planning import planned
from plumbline.engine.surveying import survey
from plumbline.wakes.messages import Wake
from tests.rig import CAUSE, NOW, Rig, at_once
from tests.story import Story, stories, world

TOLD = {
    one.id: [story for story in stories() if story.control == one.id]
    for one in registry.load().values()
    if not one.witness
}


@dataclass
class Crowd:
    """A world in which all stories of one control have happened, as far as they do not collide."""

    control: Control
    rig: Rig
    broken: dict[Target, Story]


@pytest.fixture(scope="module", params=[pytest.param(name, id=name) for name in TOLD])
def crowd(request: pytest.FixtureRequest) -> Iterator[Crowd]:
    """One world for each control."""
    with world() as told:
        crowd = Crowd(registry.load()[request.param], Rig(told, in_moto=True), {})
        for story in TOLD[request.param]:
            try:
                target = story.breaks(told)
            except ClientError:  # two stories of one name do not fit into one world
                continue
            crowd.broken[target] = story
        assert crowd.broken, f"no story is told for {request.param}"
        yield crowd


def test_a_survey_sees_what_single_looks_see(crowd: Crowd) -> None:
    accounts = crowd.rig.install({crowd.control.id: at_once(crowd.control)}).engine.aws
    for target in crowd.broken:
        region = GLOBAL if crowd.control.scope is Scope.GLOBAL else target.region
        survey_of_it = survey(crowd.control, accounts.eyes(target.account, region))
        seen = survey_of_it.states
        assert target in seen
        assert () == survey_of_it.unreadable
        assert crowd.control.observe
        assert {one: crowd.control.observe(accounts.eyes(one.account, one.region), one) for one in seen} == dict(seen)


def test_what_does_not_exist_is_looked_at_without_a_word(crowd: Crowd) -> None:
    """A stale event names what is gone: that is compliant or deviant, and no error either way."""
    engine = crowd.rig.install({crowd.control.id: at_once(crowd.control)}).engine
    for target in crowd.broken:
        gone = replace(target, id=f"{target.id[:-1]}{'0' if target.id[-1] != '0' else '1'}")
        assert crowd.control.observe
        state = crowd.control.observe(engine.aws.eyes(gone.account, gone.region), gone)
        crowd.control.detect(state, at_once(crowd.control).settings)
        assert crowd.control.describe(state)


def _without_owner(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A request as the plan has it: whose bucket it means is added to every one on its way."""
    return {name: value for name, value in parameters.items() if name != "ExpectedBucketOwner"}


def test_settled_together_each_target_gets_its_own_repair_and_nothing_else(crowd: Crowd) -> None:
    settings = next(iter(crowd.broken.values())).all_settings
    alike = [
        target for target, story in crowd.broken.items() if story.all_settings == settings and not story.alert_only
    ]
    plumbline = crowd.rig.install({crowd.control.id: at_once(crowd.control, settings)})
    for target in alike:
        assert crowd.control.observe
        state = crowd.control.observe(plumbline.engine.aws.eyes(target.account, target.region), target)
        if crowd.control.detect(state, settings) is None:  # repaired together with an earlier one
            continue
        own = planned(crowd.control, target, state, settings, converts=True)
        crowd.rig.forget()
        settled = plumbline.engine.settle(Wake(crowd.control.id, target, Origin.EVENT, CAUSE), now=NOW)
        made = [(one.service, one.operation, _without_owner(one.parameters)) for one in crowd.rig.writes]
        assert Outcome.REPAIRED is settled.outcome
        assert [(call.service, call.operation, dict(call.parameters)) for call in own.do] == made
        (alert,) = crowd.rig.letters
        others = {one.id for one in crowd.broken} - {target.id}
        what = alert.body.partition("\n\n")[0]
        assert not [one for one in others if one not in target.id and one in what.split()]
