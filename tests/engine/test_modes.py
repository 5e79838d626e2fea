"""A clock with a mode of its own; and what an organisation holds from above, as far as only a refused write tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from plumbline.core.cause import Cause, Origin
from plumbline.core.clock import AT_ONCE, NEVER, Clock, Response
from plumbline.engine.approving import approve
from plumbline.findings.finding import Status
from tests.fakes import CONTROL, LAMP, MALLORY, NOW, House, Lamps

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: As of a setting that somebody may rely on: repaired when an event announced it, else a person decides.
CLOCKS = {"default": AT_ONCE, "found-by-sweep": Clock(act=timedelta(0), mode=Response.PROPOSE)}
HELD = replace(CONTROL, held_by=frozenset({"AccessDenied"}))


def test_what_an_event_announced_is_repaired_at_once() -> None:
    house = House(clocks=CLOCKS)
    assert (house.settle(), house.aws.writes) == ("repaired", ["SwitchOff a"])


def test_what_a_sweep_found_is_proposed_and_done_when_a_person_says_so() -> None:
    house = House(clocks=CLOCKS)
    assert (house.settle(origin=Origin.SWEEP), house.aws.writes) == ("told", [])
    assert f"plumbline approve {house.finding.short}" in house.alerts.letters[0].body
    assert approve(house.engine, house.finding, now=NOW + HOUR).outcome.value == "repaired"
    house.aws.lamps["hall"]["on"] = ["a"]
    assert house.settle(now=NOW + DAY) == "repaired", "once agreed, what an event announces is repaired at once"


def test_one_more_fact_does_not_take_the_decision_out_of_a_persons_hands() -> None:
    house = House(aws=Lamps({"hall": {"on": ["a"]}}), clocks=CLOCKS)
    house.settle(origin=Origin.SWEEP)
    house.aws.lamps["hall"]["on"] = ["a", "b"]
    assert (house.settle(now=NOW + HOUR), house.aws.writes) == ("told", [])
    assert (Origin.SWEEP, MALLORY) == (house.finding.origin, house.finding.cause), "told with who did it"
    assert approve(house.engine, house.finding, now=NOW + 2 * HOUR).outcome.value == "repaired"
    assert house.aws.writes == ["SwitchOff a", "SwitchOff b"]


@pytest.mark.parametrize(
    ("response", "expected"), [(Response.OBSERVE, "observes only"), (Response.ALERT, "only tells about this")]
)
def test_the_more_careful_of_control_and_clock_decides(response: Response, expected: str) -> None:
    house = House(clocks=CLOCKS, response=response)
    house.settle(origin=Origin.SWEEP)
    assert expected in " ".join(house.alerts.letters[0].body.split())
    assert (None, []) == (house.finding.proposal, house.aws.writes)


def test_a_clock_cannot_make_a_control_bolder() -> None:
    house = House(clocks={"default": replace(AT_ONCE, mode=Response.ENFORCE)}, response=Response.PROPOSE)
    assert (house.settle(), house.aws.writes) == ("told", [])


def _held_house() -> House:
    house = House(control=HELD)
    house.aws.fails["SwitchOff"] = ["AccessDenied"] * 9
    return house


def test_what_an_organisation_holds_is_tried_once_and_told_once() -> None:
    house = _held_house()
    assert house.settle() == "failed"
    for hours in (1, 2, 5, 20):
        house.settle(origin=Origin.SWEEP, now=NOW + hours * HOUR)
    assert len(house.finding.repairs) == 1
    (said,) = house.alerts.letters
    assert "A policy of your organisation, above this account, denies the change" in " ".join(said.body.split())
    assert house.alerts.subjects[0].startswith("repair failed: ")


def test_what_an_organisation_holds_past_its_time_is_escalated_once() -> None:
    house = _held_house()
    house.settle()
    for days in (1, 2, 3, 10):
        house.settle(origin=Origin.SWEEP, now=NOW + days * DAY)
    assert ["repair failed", "escalated"] == [one.split(":")[0] for one in house.alerts.subjects]


def test_when_the_organisation_lets_go_a_person_says_so_and_it_is_repaired() -> None:
    house = _held_house()
    house.settle()
    house.aws.fails.clear()
    assert house.type("resume", "lamp-off", "--tries", now=NOW + HOUR).ok
    assert house.settle(origin=Origin.SWEEP, now=NOW + 2 * HOUR) == "repaired"


def test_another_refusal_is_tried_again_as_ever() -> None:
    house = House(control=HELD)
    house.aws.fails["SwitchOff"] = ["Throttling"]
    assert house.settle() == "failed"
    assert house.settle(origin=Origin.SWEEP, now=NOW + HOUR) == "repaired"


def test_a_deviation_that_nobody_here_can_end_is_told_once() -> None:
    """The clock of a switch that is held from above: it never acts, reminds or escalates."""
    house = House(clocks={"default": NEVER})
    for days in (0, 1, 7, 30):
        house.settle(origin=Origin.SWEEP, now=NOW + days * DAY)
    assert (1, []) == (len(house.alerts.letters), house.aws.writes)
    assert LAMP == house.finding.target


#: As of what may be in use: repaired when an event announced it, else a week after it was told.
WAITS = {"default": AT_ONCE, "found-by-sweep": Clock(act=7 * DAY)}


def test_what_an_event_adds_is_repaired_alone_and_what_a_sweep_had_found_waits_for_its_time() -> None:
    house = House(clocks=WAITS)
    assert house.settle(origin=Origin.SWEEP, cause=Cause()) == "told"
    house.aws.lamps["hall"]["on"] = ["a", "b"]
    assert (house.settle(now=NOW + DAY), house.aws.writes) == ("repaired", ["SwitchOff b"])
    assert (house.finding.status, house.finding.deviation.items) == (Status.OPEN, ("a",))
    assert "Left alone a; until Monday 9 March 2026, 09:30 UTC" in " ".join(house.alerts.letters[-1].body.split())
    assert house.settle(origin=Origin.SWEEP, cause=Cause(), now=NOW + 6 * DAY) == "waiting"
    assert house.settle(origin=Origin.SWEEP, cause=Cause(), now=NOW + 7 * DAY) == "repaired"
    assert house.aws.writes == ["SwitchOff b", "SwitchOff a"]


def test_what_a_clock_never_repairs_stays_though_an_event_adds_to_it() -> None:
    house = House(clocks=WAITS | {"found-by-sweep": Clock()})
    house.settle(origin=Origin.SWEEP, cause=Cause())
    house.aws.lamps["hall"]["on"] = ["a", "b"]
    assert house.settle(now=NOW + DAY) == "repaired"
    house.settle(origin=Origin.SWEEP, cause=Cause(), now=NOW + 3650 * DAY)
    assert house.aws.writes == ["SwitchOff b"]


def test_what_a_stack_brought_about_waits_and_what_a_person_adds_does_not() -> None:
    house = House(clocks=WAITS)
    stack = replace(MALLORY, service="cloudformation.amazonaws.com")
    assert house.settle(cause=stack) == "told"
    house.aws.lamps["hall"]["on"] = ["a", "b"]
    assert (house.settle(now=NOW + HOUR), house.aws.writes) == ("repaired", ["SwitchOff b"])
    assert house.settle(origin=Origin.SWEEP, cause=Cause(), now=NOW + 7 * DAY) == "repaired"
