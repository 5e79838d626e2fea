"""Adoption: what was there before Plumbline is left alone for a while, fact by fact; what is new beside it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from plumbline.core.cause import Cause, Origin
from plumbline.core.clock import Clock, Response
from plumbline.core.errors import AwsRefusal
from plumbline.findings.adoption import Adoption, mark
from plumbline.findings.finding import LEASE, Status
from plumbline.findings.stored import from_json, to_json
from plumbline.wakes.messages import Wake
from tests.fakes import CONTROL, LAMP, MALLORY, NOW, House

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
GRACE = NOW + 7 * DAY
LATER = NOW + 2 * DAY


def _adopted(**more: Any) -> House:
    """A lamp whose bulb `a` was lit before Plumbline came, and of which everybody was told."""
    house = House(**more)
    house.settle(origin=Origin.ADOPTION, cause=Cause())
    house.engine.digest(LAMP.account, now=NOW)
    house.alerts.letters.clear()
    return house


def _lit(house: House, *bulbs: str) -> None:
    house.aws.lamps["hall"]["on"] = list(bulbs)


def _sweep(house: House, now: datetime) -> str:
    return house.settle(origin=Origin.SWEEP, cause=Cause(), now=now)


def test_adoption_ends_by_itself() -> None:
    house = _adopted()
    assert _sweep(house, GRACE) == "repaired"


def test_what_adoption_finds_is_told_in_one_digest_and_once() -> None:
    house = House()
    house.aws.lamps["attic"] = {"on": ["z"]}
    for name in ("hall", "attic"):
        wake = Wake(house.control.id, replace(LAMP, id=name), Origin.ADOPTION)
        house.engine.settle(wake, now=NOW)
    assert house.alerts.letters == []
    assert [house.engine.digest(LAMP.account, now=NOW + hours * HOUR) for hours in (0, 1)] == [2, 0]
    assert house.alerts.subjects == ["digest: 2 things there before Plumbline, the worst is high"]
    body = house.alerts.letters[0].body
    assert "lamp attic is on 2026-03-09 09:30 UTC: Plumbline switches off lamp attic" in " ".join(body.split())
    assert {one.told for one in house.ledger.findings.values()} == {("opened",)}


def test_the_digest_waits_until_somebody_has_confirmed_that_he_hears() -> None:
    house = House()
    house.settle(origin=Origin.ADOPTION, cause=Cause())
    house.alerts.heard = False
    assert house.engine.digest(LAMP.account, now=NOW) == 0
    assert (house.alerts.letters, house.finding.told) == ([], ())
    house.alerts.heard = True
    assert house.engine.digest(LAMP.account, now=NOW + HOUR) == 1


def test_of_what_is_new_beside_what_was_there_only_the_new_is_repaired() -> None:
    house = _adopted()
    _lit(house, "a", "b")
    assert house.settle(now=LATER) == "repaired"
    assert house.aws.writes == ["SwitchOff b"]
    assert _sweep(house, LATER + HOUR) == "waiting"
    assert _sweep(house, GRACE) == "repaired"
    assert house.aws.writes == ["SwitchOff b", "SwitchOff a"]
    assert house.finding.status is Status.REPAIRED


def test_the_letter_says_what_is_left_alone_and_until_when() -> None:
    house = _adopted()
    _lit(house, "a", "b")
    house.settle(now=LATER)
    (alert,) = house.alerts.letters
    assert alert.subject == "[Plumbline] repaired: lamp hall was on (by mallory)"
    body = " ".join(alert.body.split())
    assert "Plumbline has put right what was new." in body
    assert "Left alone a; until Monday 9 March 2026, 09:30 UTC, for it was there before" in body
    for command in ("undo", "enforce", "exempt"):
        assert f"plumbline {command} {house.finding.short}" in body


def test_the_finding_goes_on_as_if_the_new_had_never_been() -> None:
    house = _adopted()
    before = house.finding
    _lit(house, "a", "b")
    house.settle(now=LATER)
    after = house.finding
    assert (after.id, after.status, after.origin) == (before.id, Status.OPEN, Origin.ADOPTION)
    assert (after.deviation, after.grace_until, after.due) == (before.deviation, GRACE, GRACE)
    assert (after.cause, after.tries, after.told) == (Cause(), 0, ("opened", "repaired"))
    assert from_json(to_json(after)) == after


def test_a_later_undo_takes_back_the_last_repair_and_not_the_one_before() -> None:
    house = _adopted()
    _lit(house, "a", "b")
    house.settle(now=LATER)
    _sweep(house, GRACE)
    house.aws.calls.clear()
    answer = house.type("undo", house.finding.short, now=GRACE + HOUR)
    assert answer.ok, answer.text
    assert house.aws.writes == ["SwitchOn a"]
    assert [one.undone is not None for one in house.finding.repairs] == [False, True]
    again = house.type("undo", house.finding.short, now=GRACE + HOUR)
    assert "has been undone already" in again.text


def test_undoing_what_was_new_takes_no_grace_from_what_was_there() -> None:
    house = _adopted()
    _lit(house, "a", "b")
    house.settle(now=LATER)
    assert house.type("undo", house.finding.short, now=LATER + HOUR).ok
    assert house.aws.lamps["hall"]["on"] == ["a", "b"]
    house.aws.calls.clear()
    house.ledger.exemptions.clear()  # its day is over
    assert _sweep(house, LATER + 2 * DAY) == "repaired"
    assert (house.aws.writes, house.finding.grace_until) == (["SwitchOff b"], GRACE)
    assert _sweep(house, GRACE) == "repaired"


def test_what_was_put_right_and_comes_back_is_new() -> None:
    house = _adopted()
    _lit(house, "b")
    house.aws.fails["SwitchOff"] = ["AccessDenied"]
    assert house.settle(now=LATER) == "failed"
    _lit(house, "a", "b")
    assert house.settle(now=LATER + 2 * HOUR) == "repaired"
    assert house.aws.writes == ["SwitchOff a", "SwitchOff b"]


def test_when_a_person_puts_right_what_was_new_the_rest_is_as_before() -> None:
    house = _adopted(response=Response.PROPOSE)
    _lit(house, "a", "b")
    assert house.settle(now=LATER) == "told"
    assert house.finding.proposal is not None
    assert house.finding.proposal.plan.summary == "switches off lamp hall"
    assert [call.parameters["Bulb"] for call in house.finding.proposal.plan.do] == ["b"]
    _lit(house, "a")
    assert _sweep(house, LATER + HOUR) == "waiting"
    assert (house.finding.origin, house.finding.cause, house.finding.due) == (Origin.ADOPTION, Cause(), GRACE)
    assert house.finding.proposal is None


def test_a_person_approves_what_is_new_and_nothing_else() -> None:
    house = _adopted(response=Response.PROPOSE)
    _lit(house, "a", "b")
    house.settle(now=LATER)
    assert house.type("approve", house.finding.short, now=LATER + HOUR).ok
    assert house.aws.writes == ["SwitchOff b"]
    assert (house.finding.status, house.finding.proposal) == (Status.OPEN, None)


def test_an_end_of_the_grace_is_one_for_all_its_facts() -> None:
    house = _adopted()
    assert house.type("enforce", house.finding.short, "--yes", now=LATER).ok
    _lit(house, "a", "b")
    assert house.settle(now=LATER) == "repaired"
    assert house.aws.writes == ["SwitchOff a", "SwitchOff b"]


def test_a_repair_of_the_new_that_nobody_could_record_is_told_by_whoever_looks_next() -> None:
    house = _adopted()
    _lit(house, "a", "b")
    house.alerts.down = True
    with pytest.raises(AwsRefusal):
        house.settle(now=LATER)
    house.alerts.down = False
    assert house.finding.status is Status.ACTING
    assert _sweep(house, LATER + LEASE) == "repaired"
    assert house.alerts.subjects == ["repaired: lamp hall was on (by mallory)"]
    assert house.aws.writes == ["SwitchOff b"]
    assert (house.finding.status, house.finding.due) == (Status.OPEN, GRACE)


def test_an_old_view_of_what_was_new_is_not_repaired_twice() -> None:
    house = _adopted()
    _lit(house, "a", "b")
    house.settle(now=LATER)
    _lit(house, "a", "b")  # as AWS may still show it
    assert house.settle(now=LATER + timedelta(seconds=5), cause=replace(MALLORY, at=LATER.isoformat())) == "held"
    assert house.aws.writes == ["SwitchOff b"]


def test_the_same_new_fact_three_times_in_a_day_is_a_fight() -> None:
    house = _adopted()
    outcomes = []
    for hours in range(4):
        _lit(house, "a", "b")
        at = LATER + hours * HOUR
        outcomes.append(house.settle(now=at, cause=replace(MALLORY, at=at.isoformat())))
    assert outcomes == ["repaired", "repaired", "repaired", "stopped"]
    assert house.alerts.subjects[-1] == "fight: lamp hall is on (by mallory)"


def test_in_a_storm_the_repair_of_the_new_is_told_with_the_digest() -> None:
    house = _adopted()
    house.ledger.spent[f"letters#{LATER:%Y-%m-%dT%H}"] = 1000
    _lit(house, "a", "b")
    assert house.settle(now=LATER) == "repaired"
    assert house.alerts.letters == []
    assert house.engine.digest(LAMP.account, now=LATER + HOUR) == 1
    body = " ".join(house.alerts.letters[0].body.split())
    assert "what was new is repaired; what was there before is left alone until 2026-03-09 09:30 UTC" in body
    assert (house.finding.told, house.finding.due) == (("opened", "repaired"), GRACE)


def test_the_week_counts_a_repair_of_what_was_new() -> None:
    house = _adopted()
    _lit(house, "a", "b")
    house.settle(now=LATER)
    house.engine.weekly(LAMP.account, now=LATER + DAY)
    assert house.alerts.subjects[-1] == "week: 1 repaired, 1 open, 0 exempt"


# --- before the first sweep ------------------------------------------------------------------------------------------


def _unswept(**more: Any) -> House:
    house = House(**more)
    house.ledger.never_swept = True
    return house


def test_before_the_first_sweep_nobody_knows_what_an_event_brought_about_so_it_is_told_and_left_alone() -> None:
    house = _unswept()
    assert house.settle() == "told"
    assert (house.aws.writes, house.finding.origin, house.finding.due) == ([], Origin.ADOPTION, GRACE)
    (alert,) = house.alerts.letters
    assert alert.subject == "[Plumbline] found: lamp hall is on (by mallory)"
    body = " ".join(alert.body.split())
    assert "It may have been so for long, and something may rely on it, so it is left alone for now." in body
    assert (
        "In 7 days, on Monday 9 March 2026, 09:30 UTC, Plumbline makes its repair: it switches off lamp hall." in body
    )
    assert f"plumbline enforce {house.finding.short}" in body


def test_what_the_first_sweep_saw_and_nobody_has_settled_has_the_grace_even_if_an_event_comes_first() -> None:
    house = House()
    rule = house.engine.rule(house.control.id)
    house.ledger.marks[house.control.id] = Adoption(mark(rule), frozenset({str(LAMP)})).to_json()
    assert house.settle() == "told"
    assert house.finding.grace_until == GRACE


def test_what_the_first_sweep_saw_and_was_settled_since_has_no_grace() -> None:
    house = House()
    rule = house.engine.rule(house.control.id)
    house.ledger.marks[house.control.id] = Adoption(mark(rule), frozenset({str(LAMP)})).to_json()
    house.settle(origin=Origin.ADOPTION, cause=Cause())
    _lit(house)
    assert _sweep(house, NOW + HOUR) == "resolved"
    _lit(house, "a")
    assert house.settle(now=NOW + 2 * HOUR) == "repaired"


def test_other_settings_are_adopted_before_events_are_enforced() -> None:
    house = House(clocks={"default": Clock(act=timedelta(0))})
    house.ledger.marks[house.control.id] = Adoption("of other settings").to_json()
    assert house.settle() == "told"
    assert house.aws.writes == []


def test_without_a_grace_an_event_is_enforced_from_the_beginning() -> None:
    house = _unswept()
    engine = house.engine
    engine = replace(engine, deployment=replace(engine.deployment, adoption_grace=timedelta(0)))
    assert engine.settle(Wake(house.control.id, LAMP, Origin.EVENT, MALLORY), now=NOW).outcome.value == "repaired"


def test_a_control_that_is_switched_on_again_adopts_what_happened_while_it_was_off() -> None:
    house = House()
    house.ledger.never_swept = True
    _lit(house)
    assert _swept(house, NOW) == []
    house.response = Response.OFF
    _lit(house, "a")
    assert _swept(house, NOW + HOUR) == []
    house.response = Response.ENFORCE
    assert house.settle(now=NOW + 2 * HOUR, origin=Origin.EVENT) == "told"
    _lit(house)
    house.settle(now=NOW + 2 * HOUR)
    _lit(house, "a")
    assert _swept(house, NOW + 3 * HOUR) == ["listed"]
    assert house.finding.grace_until == NOW + 3 * HOUR + 7 * DAY


def _swept(house: House, now: datetime) -> list[str]:
    return [one.outcome.value for one in house.plumbline.sweep_and_settle(now=now)]


def test_what_is_left_is_escalated_of_its_own_after_what_was_new_was() -> None:
    house = _adopted()
    _lit(house, "a", "b")
    house.aws.fails["SwitchOff"] = ["AccessDenied"] * 3
    for hours in range(3):
        house.settle(now=LATER + hours * HOUR)
    assert [_sweep(house, LATER + hours * HOUR) for hours in (3, 4)] == ["told", "told"]
    house.type("resume", "--tries", now=LATER + DAY)
    assert _sweep(house, LATER + DAY + HOUR) == "repaired"
    house.ledger.pauses["*"] = GRACE + 7 * DAY
    assert _sweep(house, GRACE + DAY) == "told"
    assert [one.split(":")[0] for one in house.alerts.subjects if one.startswith("escalated")] == ["escalated"] * 2


def test_a_later_repair_that_is_not_seen_yet_comes_back_before_anybody_is_told() -> None:
    house = _adopted()
    _lit(house, "a", "b")
    house.settle(now=LATER)
    house.aws.sticky = True
    settled = house.engine.settle(Wake(house.control.id, LAMP, Origin.SWEEP), now=GRACE)
    assert (settled.outcome.value, settled.again) == ("not converged", True)
    house.aws.sticky = False
    assert _sweep(house, GRACE + HOUR) == "repaired"
    assert [one.split(":")[0] for one in house.alerts.subjects] == ["repaired", "repaired"]


def test_what_only_events_can_tell_is_never_adopted() -> None:
    house = _unswept(control=replace(CONTROL, witness=lambda detail: detail, observe=None, find=None))
    evidence = {"on": ["a"]}
    house.engine.settle(Wake(house.control.id, LAMP, Origin.EVENT, MALLORY, evidence), now=NOW)
    assert (house.finding.origin, house.finding.grace_until) == (Origin.EVENT, None)
    assert house.alerts.subjects == ["seen: lamp hall is on (by mallory)"]


def test_a_letter_speaks_of_the_grace_only_while_it_lasts() -> None:
    house = _adopted(clocks={"default": Clock(remind=(2 * DAY, 8 * DAY), act=10 * DAY)})
    assert [_sweep(house, NOW + days * DAY) for days in (2, 8)] == ["told", "told"]
    said = ["It may have been so for long" in " ".join(one.body.split()) for one in house.alerts.letters]
    assert said == [True, False]
