"""Where a call may write a name in any case, one thing has one finding, under the name that AWS spells."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.core.calls import Ask
from plumbline.core.cause import Cause, Origin
from plumbline.core.control import Control
from plumbline.core.names import among, fits, folded, same_name
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.decisions.exemptions import Exemption, exactly
from plumbline.findings.finding import Status
from plumbline.wakes.messages import Wake
from tests.fakes import ACCOUNT, CONTROL, LAMP, MALLORY, NOW, House

HOUR = timedelta(hours=1)
SHOUTED = replace(LAMP, id="HALL")
#: The letters of IAM's names. Source: IAM API reference, CreateUser, UserName.
NAMES = st.text("abcxyzABCXYZ019+=,.@-_", min_size=1, max_size=12)


def _observe(ask: Ask, target: Target) -> State:
    assert CONTROL.observe
    state = CONTROL.observe(ask, replace(target, id=target.id.lower()))
    return {**state, "name": target.id.lower()} if state else None


CASELESS: Control = replace(
    CONTROL,
    observe=_observe,
    spell=lambda target, state: replace(target, id=state["name"]) if state else target,
)


def _settle(house: House, target: Target, now: object = NOW) -> str:
    return house.engine.settle(Wake(CASELESS.id, target, Origin.EVENT, MALLORY), now=now).outcome.value  # type: ignore[arg-type]


def test_an_event_that_spells_it_otherwise_is_about_the_same_thing() -> None:
    house = House(control=CASELESS)
    assert _settle(house, SHOUTED) == "repaired"
    assert [target.id for _, target in house.ledger.findings] == ["hall"]
    assert [call.parameters["Name"] for call in house.aws.calls if call.operation == "SwitchOff"] == ["hall"]
    assert "lamp hall" in house.alerts.subjects[0]


def test_what_was_kept_under_another_spelling_is_closed_and_found_again_under_the_right_one() -> None:
    house = House(control=replace(CASELESS, spell=CONTROL.spell), clocks=CONTROL.clocks)
    house.aws.fails["SwitchOff"] = ["Throttling"]
    _settle(house, SHOUTED)
    house.control = CASELESS
    house.engine.settle(Wake(CASELESS.id, SHOUTED, Origin.SWEEP, Cause()), now=NOW + HOUR)
    kept = {target.id: one.status for (_, target), one in house.ledger.findings.items()}
    assert kept == {"HALL": Status.RESOLVED, "hall": Status.REPAIRED}


def test_what_is_not_there_is_not_renamed() -> None:
    house = House(control=CASELESS)
    house.aws.lamps.clear()
    assert _settle(house, SHOUTED, NOW + HOUR) == "compliant"


@pytest.mark.parametrize(
    "pattern", ["*/iam-user/CI-Deploy", "*/IAM-user/ci-*", exactly(Target(ACCOUNT, GLOBAL, "iam-user", "CI-DEPLOY"))]
)
def test_an_exemption_of_an_iam_name_covers_it_in_any_spelling(pattern: str) -> None:
    exemption = Exemption("*", pattern, "ann", "why", NOW + HOUR)
    assert exemption.covers("x", Target(ACCOUNT, GLOBAL, "iam-user", "ci-deploy"))


def test_an_exemption_of_what_aws_tells_apart_by_case_does_not() -> None:
    exemption = Exemption("*", "*/trail/Main", "ann", "why", NOW + HOUR)
    assert not exemption.covers("x", Target(ACCOUNT, "eu-west-1", "trail", "main"))


@given(NAMES, NAMES)
def test_two_names_are_one_exactly_where_only_case_differs(one: str, other: str) -> None:
    assert same_name(one, one.swapcase())
    assert same_name(one, other) == (folded(one) == folded(other)) == among(one, [other])
    assert fits(one.swapcase(), [one])
    assert fits(one, [f"{one.upper()[:1]}*"])
