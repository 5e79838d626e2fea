"""settle: the order of work, and what it refuses to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from plumbline.baseline.rules import Breakers, Letters
from plumbline.core.calls import Call
from plumbline.core.cause import Cause, Origin
from plumbline.core.clock import Clock, Response
from plumbline.core.errors import AwsRefusal, LedgerDown
from plumbline.decisions.exemptions import Exemption
from plumbline.engine.approving import CannotApprove, approve
from plumbline.findings import clocks
from plumbline.findings.adoption import Adoption, mark
from plumbline.findings.budgets import Budget
from plumbline.findings.finding import LEASE, Status
from plumbline.wakes.messages import Wake
from tests.fakes import CONTROL, LAMP, MALLORY, NOW, House

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
WEEK = Clock(remind=(DAY, 3 * DAY, 6 * DAY), escalate=7 * DAY, act=7 * DAY)


def test_a_compliant_target_costs_nothing_but_a_look() -> None:
    house = House()
    house.aws.lamps["hall"]["on"] = []
    assert house.settle() == "compliant"
    assert (house.ledger.saves, house.alerts.letters, house.aws.writes) == ([], [], [])


def test_what_the_settings_leave_alone_by_its_name_is_not_looked_at() -> None:
    house = House()
    house.control = replace(CONTROL, excepted=lambda target, _settings: target.id == "hall", by_name=True)
    assert house.settle() == "compliant"
    assert (house.aws.calls, house.ledger.saves, house.alerts.letters) == ([], [], [])


def test_a_name_alone_settles_nothing_where_only_a_look_tells_whom_it_stands_for() -> None:
    """A role of an allowed name in another path; an allowed user who carries what he needs no more."""
    house = House()
    house.control = replace(CONTROL, excepted=lambda target, _settings: target.id == "hall")
    assert house.settle() == "repaired"


def test_what_the_settings_leave_alone_since_its_finding_is_looked_at_once_more_and_the_finding_closed() -> None:
    house = House(response=Response.ALERT)
    assert house.settle() == "told"
    house.control = replace(
        CONTROL,
        excepted=lambda target, _settings: target.id == "hall",
        by_name=True,
        detect=lambda _state, _settings: None,
    )
    assert house.settle(now=NOW + HOUR) == "resolved"
    house.aws.calls.clear()
    assert house.settle(now=NOW + 2 * HOUR) == "compliant"
    assert house.aws.calls == []


def test_a_deviation_that_is_due_is_repaired_and_told_once() -> None:
    house = House()
    assert house.settle() == "repaired"
    assert house.aws.writes == ["SwitchOff a"]
    assert house.alerts.subjects == ["repaired: lamp hall was on (by mallory)"]
    assert house.settle() == "compliant"
    assert (len(house.aws.writes), len(house.alerts.letters)) == (1, 1)


def test_the_undo_is_stored_before_the_first_write() -> None:
    house = House()
    seen = []
    house.aws.on_write = lambda: seen.append((house.finding.status, house.finding.repairs[-1].plan.undo))
    house.settle()
    ((status, undo),) = seen
    assert status is Status.ACTING
    assert [call.operation for call in undo] == ["SwitchOn"]


def test_what_was_seen_before_and_after_is_kept() -> None:
    house = House()
    house.settle()
    repair = house.finding.repairs[-1]
    assert (repair.before, repair.after, repair.done) == ({"on": ["a"]}, {"on": []}, 1)


def test_a_refused_read_is_not_a_verdict() -> None:
    house = House()
    house.aws.fails["GetLamp"] = ["AccessDenied", "AccessDenied"]
    assert [house.settle(), house.settle()] == ["unknown", "unknown"]
    assert (house.finding.is_blind, house.aws.writes) == (True, [])
    assert house.alerts.subjects == ["cannot look: lamp hall, lamps:GetLamp is refused (AccessDenied) (by mallory)"]


def test_a_throttled_read_comes_back_and_a_denied_one_waits_for_the_sweep() -> None:
    house = House()
    house.aws.fails["GetLamp"] = ["Throttling", "AccessDenied"]
    wake = _wake(house)
    assert [house.engine.settle(wake, now=NOW).again for _ in range(2)] == [True, False]


def test_nothing_is_repaired_while_the_ledger_is_down() -> None:
    house = House()
    house.ledger.down = True
    with pytest.raises(LedgerDown):
        house.settle()
    assert house.aws.writes == []


def test_first_seen_never_moves() -> None:
    house = House(clocks={"default": WEEK})
    house.settle()
    house.settle(now=NOW + 2 * DAY)
    assert house.finding.first_seen == NOW


def test_a_deviation_that_is_not_due_is_told_reminded_and_then_repaired() -> None:
    house = House(clocks={"default": WEEK})
    outcomes = [house.settle(now=NOW + days * DAY) for days in (0, 0, 1, 2, 3, 6, 7)]
    assert outcomes == ["told", "waiting", "told", "waiting", "told", "told", "repaired"]
    assert [subject.split(":")[0] for subject in house.alerts.subjects] == [
        "found",
        "reminder",
        "reminder",
        "last reminder",
        "repaired",
    ]


def test_a_finding_that_closes_and_comes_back_starts_afresh() -> None:
    house = House(clocks={"default": WEEK})
    house.settle()
    first = house.finding
    house.aws.lamps["hall"]["on"] = []
    assert house.settle(now=NOW + 6 * DAY) == "resolved"
    house.aws.lamps["hall"]["on"] = ["a"]
    assert house.settle(now=NOW + 8 * DAY) == "told"
    assert house.finding.first_seen == NOW + 8 * DAY
    assert house.finding.id != first.id
    assert [one.id for one in house.ledger.history] == [first.id]


def test_a_reminder_that_came_due_before_the_digest_comes_with_the_next_sweep() -> None:
    house = House(clocks={"default": WEEK})
    house.settle(origin=Origin.ADOPTION)
    house.engine.digest(LAMP.account, now=NOW + 30 * HOUR)
    assert house.finding.due == NOW + 30 * HOUR
    assert house.settle(now=NOW + 31 * HOUR) == "told"
    assert house.alerts.subjects[1:] == ["reminder: lamp hall is on (by mallory)"]


def test_a_digest_that_sns_does_not_take_is_told_later() -> None:
    house = House()
    house.settle(origin=Origin.ADOPTION, cause=Cause())
    house.alerts.down = True
    with pytest.raises(AwsRefusal):
        house.engine.digest(LAMP.account, now=NOW)
    house.alerts.down = False
    assert house.engine.digest(LAMP.account, now=NOW + LEASE) == 1


def test_a_storm_folds_into_a_digest() -> None:
    house = House(letters=Letters(per_hour=2))
    for name in "abcd":
        house.aws.lamps[name] = {"on": [name]}
        house.engine.settle(replace(_wake(house), target=replace(LAMP, id=name)), now=NOW)
    assert len(house.alerts.letters) == 2
    assert house.engine.digest(LAMP.account, now=NOW) == 2
    assert house.alerts.subjects[-1] == "digest: 2 things in one hour, the worst is high"
    assert {one.told for one in house.ledger.findings.values()} == {("repaired",)}


def test_what_is_proposed_waits_for_a_person_and_is_done_when_he_says_so() -> None:
    house = House(response=Response.PROPOSE)
    house.settle()
    assert f"plumbline approve {house.finding.short}" in house.alerts.letters[0].body
    assert approve(house.engine, house.finding, now=NOW + HOUR).outcome.value == "repaired"
    assert house.aws.writes == ["SwitchOff a"]


def test_an_approval_is_refused_when_the_target_has_changed() -> None:
    house = House(response=Response.PROPOSE)
    house.settle()
    house.aws.lamps["hall"]["on"] = ["a", "b"]
    with pytest.raises(CannotApprove, match="has changed since the repair was proposed"):
        approve(house.engine, house.finding, now=NOW + HOUR)
    assert house.aws.writes == []
    assert house.settle(now=NOW + HOUR) == "told", "what is proposed now is told afresh"
    assert approve(house.engine, house.finding, now=NOW + HOUR).outcome.value == "repaired"


@pytest.mark.parametrize("what", ["pause", "exemption", "mode"])
def test_an_approval_does_not_get_past_what_a_person_said_otherwise(what: str) -> None:
    house = House(response=Response.PROPOSE)
    house.settle()
    if what == "pause":
        house.ledger.pauses["*"] = NOW + DAY
    elif what == "exemption":
        house.exemptions = (Exemption("*", str(LAMP), "ann", "why", NOW + DAY),)
    else:
        house.mode = Response.OBSERVE
    said = {"pause": "paused until .* plumbline resume", "exemption": "exempt until", "mode": "only observes"}[what]
    with pytest.raises(CannotApprove, match=said):
        approve(house.engine, house.finding, now=NOW + HOUR)
    assert house.aws.writes == []


def test_an_approved_repair_says_who_approved_it() -> None:
    house = House(response=Response.PROPOSE)
    house.settle()
    approve(house.engine, house.finding, now=NOW + HOUR, by="arn:aws:iam::111122223333:user/ann")
    assert house.finding.repairs[-1].by.endswith("/ann")
    assert "Approved by arn:aws:iam::111122223333:user/ann" in " ".join(house.alerts.letters[-1].body.split())


def test_nothing_proposed_nothing_to_approve() -> None:
    house = House(response=Response.ALERT)
    house.settle()
    with pytest.raises(CannotApprove, match="Nothing is proposed"):
        approve(house.engine, house.finding, now=NOW)


def test_a_finding_that_is_back_says_so() -> None:
    house = House(clocks={"default": WEEK})
    house.settle()
    house.aws.lamps["hall"]["on"] = []
    house.settle(now=NOW + DAY)
    house.aws.lamps["hall"]["on"] = ["a"]
    house.settle(now=NOW + 2 * DAY)
    assert "put right on Tuesday 3 March 2026, 09:30 UTC, and is back" in " ".join(
        house.alerts.letters[-1].body.split()
    )


def test_a_letter_half_told_when_the_process_died_is_made_good_when_all_is_well_again() -> None:
    house = House(clocks={"default": WEEK})
    house.alerts.down = True
    with pytest.raises(AwsRefusal):
        house.settle()
    house.alerts.down = False
    house.aws.lamps["hall"]["on"] = []
    assert house.settle(now=NOW + LEASE) == "resolved"
    assert house.alerts.subjects == ["resolved: lamp hall was on (by mallory)"]


def test_an_event_runs_another_clock_than_a_discovery() -> None:
    clocks = {"default": Clock(act=timedelta(0)), "found-by-sweep": WEEK}
    assert House(clocks=clocks).settle(origin=Origin.SWEEP, cause=Cause()) == "told"
    assert House(clocks=clocks).settle(origin=Origin.EVENT) == "repaired"


@pytest.mark.parametrize(
    ("response", "mode"), [(Response.ENFORCE, Response.OBSERVE), (Response.OBSERVE, Response.ENFORCE)]
)
def test_observing_does_everything_but_the_writes(response: Response, mode: Response) -> None:
    house = House(response=response, mode=mode)
    assert house.settle() == "told"
    assert house.aws.writes == []
    assert "would have repaired" in house.alerts.letters[0].body


@pytest.mark.parametrize("response", [Response.ALERT, Response.PROPOSE])
def test_what_a_person_has_to_decide_is_only_told(response: Response) -> None:
    house = House(response=response)
    assert [house.settle(), house.settle()] == ["told", "waiting"]
    assert (house.aws.writes, len(house.alerts.letters)) == ([], 1)


def test_a_control_that_is_off_does_not_even_look() -> None:
    house = House(response=Response.OFF)
    assert house.settle() == "off"
    assert house.aws.calls == []


def test_an_exempt_target_is_watched_and_left_alone() -> None:
    house = House(exemptions=(Exemption("lamp-off", str(LAMP), "ann", "party", NOW + timedelta(hours=12)),))
    assert house.settle() == "exempt"
    assert (house.finding.status, house.aws.writes, house.alerts.letters) == (Status.EXEMPT, [], [])
    assert house.settle(now=NOW + DAY) == "repaired"


def test_a_pause_stops_repairs_and_not_telling() -> None:
    house = House()
    house.ledger.pauses["*"] = NOW + DAY
    assert house.settle() == "told"
    assert house.aws.writes == []
    assert house.settle(now=NOW + DAY) == "repaired"


def test_a_plan_that_refuses_is_told_with_its_reason() -> None:
    house = House()
    house.aws.lamps["hall"]["stuck"] = True
    assert house.settle() == "told"
    assert "the switch is stuck" in house.alerts.letters[0].body


def test_a_write_that_is_refused_is_failed_told_and_can_be_undone() -> None:
    house = House()
    house.aws.lamps["hall"]["on"] = ["a", "b"]
    house.aws.fails["SwitchOff"] = ["", "AccessDenied"]
    assert house.settle() == "failed"
    repair = house.finding.repairs[-1]
    assert (house.finding.status, repair.done, len(repair.undo)) == (Status.FAILED, 1, 2)
    assert house.alerts.subjects == ["repair failed: lamp hall is on (by mallory)"]
    assert "1 of 2 changes was made" in " ".join(house.alerts.letters[0].body.split())


def test_without_hands_nothing_was_done_and_nothing_can_be_undone() -> None:
    house = House()
    house.aws.fails["AssumeRole"] = ["AccessDenied"]
    assert house.settle() == "failed"
    (alert,) = house.alerts.letters
    assert house.finding.repairs[-1].undo == ()
    assert "none of 1 change was made" in " ".join(alert.body.split())
    assert "undo" not in alert.body


@pytest.mark.parametrize("when", ["before the claim", "after it"])
def test_a_failed_repair_of_what_became_exempt_is_told_though_its_letter_never_left(when: str) -> None:
    house = House()
    house.alerts.down = True
    with pytest.raises(AwsRefusal):
        house.settle()
    house.aws.lamps["hall"]["on"] = ["a"]
    house.exemptions = (Exemption("*", str(LAMP), "ann", "why", NOW + DAY),)
    if when == "after it":  # the letter was claimed, the topic refused it, and the claim ran out
        with pytest.raises(AwsRefusal):
            house.settle(now=NOW + LEASE)
    house.alerts.down = False
    assert house.settle(now=NOW + 3 * LEASE) == "exempt"
    assert house.settle(now=NOW + 6 * LEASE) == "exempt"
    assert house.alerts.subjects == ["repair failed: lamp hall is on (by mallory)"]


def test_a_failing_repair_is_given_up_after_three_tries() -> None:
    house = House()
    house.aws.fails["SwitchOff"] = ["AccessDenied"] * 9
    hours = [NOW + timedelta(hours=hour) for hour in range(5)]
    assert [house.settle(now=at) for at in hours] == ["failed", "failed", "failed", "told", "waiting"]
    assert "tried 3 times" in house.alerts.letters[-1].body


def test_a_repair_that_does_not_take_is_looked_at_again_before_anybody_is_told() -> None:
    house = House()
    house.aws.sticky = True
    settled = house.engine.settle(_wake(house), now=NOW)
    assert (settled.outcome.value, settled.again, house.alerts.letters) == ("not converged", True, [])
    assert house.settle(now=NOW + timedelta(minutes=1)) == "not converged"
    assert house.alerts.subjects == ["not converged: lamp hall is on (by mallory)"]


def test_an_old_view_right_after_the_repair_ends_as_repaired() -> None:
    house = House()
    house.aws.sticky = True
    house.settle()
    house.aws.lamps["hall"]["on"] = []
    assert house.settle(now=NOW + timedelta(minutes=1)) == "repaired"
    assert house.alerts.subjects == ["repaired: lamp hall was on (by mallory)"]


def test_a_process_that_dies_between_writing_and_telling_is_taken_over() -> None:
    house = House()
    house.alerts.down = True
    with pytest.raises(AwsRefusal):
        house.settle()
    assert house.finding.status is Status.ACTING
    house.alerts.down = False
    assert house.settle(now=NOW + timedelta(seconds=5)) == "held"
    assert house.settle(now=NOW + LEASE) == "repaired"
    assert (house.aws.writes, house.alerts.subjects) == (["SwitchOff a"], ["repaired: lamp hall was on (by mallory)"])


def test_two_processes_at_once_make_one_repair_and_one_letter() -> None:
    house = House()
    second = []

    def meanwhile() -> None:
        house.aws.on_write = lambda: None
        second.append(house.engine.settle(_wake(house), now=NOW))

    house.aws.on_write = meanwhile
    assert house.settle() == "repaired"
    assert [(one.outcome.value, one.again) for one in second] == [("held", True)]
    assert (house.aws.writes, len(house.alerts.letters)) == (["SwitchOff a"], 1)


def test_a_look_from_before_anothers_repair_is_no_new_deviation() -> None:
    """Both look, one repairs and is done; the other's view is now older than what the ledger says."""
    house = House()
    second: list[str] = []
    read = house.aws.read

    def slow(call: Call) -> Any:
        house.aws.read = read  # type: ignore[method-assign]
        seen = read(call)
        second.append(house.settle())
        return seen

    house.aws.read = slow  # type: ignore[method-assign]
    assert (house.settle(), second) == ("held", ["repaired"])
    assert (house.aws.writes, len(house.alerts.letters)) == (["SwitchOff a"], 1)


@pytest.mark.parametrize(
    ("origin", "happened", "outcome"),
    [
        (Origin.EVENT, "09:30:01", "held"),  # a copy of the event, or the echo of our own write
        (Origin.SWEEP, "", "held"),
        (Origin.EVENT, "soon", "held"),
        (Origin.EVENT, "09:30:05", "repaired"),  # somebody did it again
    ],
)
def test_an_old_view_after_the_repair_is_looked_at_again_and_news_is_not(
    origin: Origin, happened: str, outcome: str
) -> None:
    house = House()
    house.settle()
    house.aws.lamps["hall"]["on"] = ["a"]
    cause = replace(MALLORY, at=f"2026-03-02T{happened}Z" if happened[:1].isdigit() else happened)
    assert house.settle(origin=origin, cause=cause, now=NOW + timedelta(seconds=6)) == outcome
    assert house.settle(now=NOW + timedelta(seconds=20)) == ("repaired" if outcome == "held" else "compliant")


def test_a_lost_race_for_the_first_write_repairs_nothing() -> None:
    house = House()
    engine = house.engine
    brief = house.ledger.brief("lamp-off", LAMP, NOW)
    house.settle()
    house.aws.lamps["hall"]["on"] = ["a"]
    house.ledger.brief = lambda *_: brief  # type: ignore[method-assign]
    assert engine.settle(_wake(house), now=NOW).outcome.value == "held"
    assert house.aws.writes == ["SwitchOff a"]


def test_a_budget_that_others_use_up_meanwhile_holds_back_the_repair() -> None:
    house = House(breakers=Breakers(per_control=1))
    budget = Budget.of(CONTROL, MALLORY)
    brief = house.ledger.brief("lamp-off", LAMP, NOW, "", budget)
    house.ledger.spent = {"lamp-off#2026-03-02T09": 1}
    asked = [brief, house.ledger.brief("lamp-off", LAMP, NOW, "", budget)]
    house.ledger.brief = lambda *_: asked.pop(0)  # type: ignore[method-assign]
    settled = house.engine.settle(_wake(house), now=NOW)
    assert (settled.outcome.value, settled.again, house.aws.writes) == ("held", True, [])
    assert (house.settle(), house.aws.writes) == ("stopped", [])
    assert house.alerts.subjects == ["stopped: 1 repair of lamp-off in one hour, 1 thing left"]


def test_too_many_repairs_in_an_hour_stop_and_are_told_once() -> None:
    house = House(breakers=Breakers(per_control=2))
    outcomes = []
    for minute in range(5):
        house.aws.lamps["hall"]["on"] = ["a"]
        house.ledger.findings.clear()
        outcomes.append(house.settle(now=NOW + timedelta(minutes=minute)))
    assert outcomes == ["repaired", "repaired", "stopped", "stopped", "stopped"]
    assert house.alerts.subjects[2:] == ["stopped: 2 repairs of lamp-off in one hour, 1 thing left"]
    assert house.settle(now=NOW + timedelta(hours=1)) == "repaired"


def test_a_fight_is_recognised_and_told_once_with_the_other_side() -> None:
    house = House()
    outcomes = []
    for hour in range(5):
        house.aws.lamps["hall"]["on"] = ["a"]
        outcomes.append(house.settle(now=NOW + timedelta(hours=hour)))
    assert outcomes == ["repaired"] * 3 + ["stopped"] * 2
    assert house.alerts.subjects[3:] == ["fight: lamp hall is on (by mallory)"]
    assert "AWS CLI 2" in house.alerts.letters[-1].body
    assert house.finding.due == NOW + 24 * HOUR, "it tries again when the first repair is a day old"


def test_where_what_is_right_changes_every_day_it_takes_ten_times_as_many_repairs_to_be_a_fight() -> None:
    house = House(control=replace(CONTROL, follows=True), breakers=Breakers(fight=1, per_control=20, per_actor=20))
    outcomes = []
    for minute in range(12):
        house.aws.lamps["hall"]["on"] = ["a"]
        outcomes.append(house.settle(now=NOW + timedelta(minutes=5 * minute)))
    assert outcomes == ["repaired"] * 10 + ["stopped"] * 2


def test_a_target_that_is_gone_resolves_its_finding() -> None:
    house = House(clocks={"default": WEEK})
    house.settle()
    del house.aws.lamps["hall"]
    assert house.settle(now=NOW + DAY) == "resolved"


def test_a_target_that_an_event_names_and_aws_does_not_show_yet_comes_back() -> None:
    house = House()
    del house.aws.lamps["hall"]
    fresh, old = (house.engine.settle(_wake(house), now=NOW + timedelta(seconds=late)) for late in (5, 120))
    assert [(one.outcome.value, one.again) for one in (fresh, old)] == [("unknown", True), ("compliant", False)]


def test_no_state_leaks_from_one_target_to_the_next() -> None:
    together, apart = House(), House()
    for house in (together, apart):
        house.aws.lamps["attic"] = {"on": ["z"]}
    attic = replace(LAMP, id="attic")
    engine = together.engine
    for target in (LAMP, attic):
        engine.settle(replace(_wake(together), target=target), now=NOW)
    apart.engine.settle(_wake(apart), now=NOW)
    apart.engine.settle(replace(_wake(apart), target=attic), now=NOW)
    assert together.ledger.findings == apart.ledger.findings


def _wake(house: House) -> Wake:
    return Wake(house.control.id, LAMP, Origin.EVENT, MALLORY)


@pytest.mark.parametrize("swept", [False, True])
def test_an_event_that_names_nothing_does_not_take_the_grace_from_what_was_there_before(*, swept: bool) -> None:
    house = House()
    if swept:
        house.ledger.marks["lamp-off"] = Adoption(mark(house.engine.baseline.rules["lamp-off"])).to_json()
    everything = Wake("lamp-off", replace(LAMP, id="*"), Origin.EVENT, MALLORY)
    wakes = house.engine.expand(everything, now=NOW)
    expected = Wake("lamp-off", LAMP, Origin.EVENT, MALLORY) if swept else Wake("lamp-off", LAMP, Origin.ADOPTION)
    assert wakes == (expected,)


def _swept(house: House, now: datetime) -> list[str]:
    """A whole sweep and all it wakes, an hour after the last."""
    return [one.outcome.value for one in house.plumbline.sweep_and_settle(now=now)]


def test_a_finding_is_judged_anew_when_its_rule_changes() -> None:
    """Observe first, enforce later: what was found meanwhile is repaired, though nothing else has changed."""
    house = House(mode=Response.OBSERVE)
    house.settle()
    assert [_swept(house, NOW + hours * HOUR) for hours in (1, 2)] == [[], []]
    house.mode = Response.ENFORCE
    assert _swept(house, NOW + 3 * HOUR) == ["repaired"]


def test_a_shorter_clock_holds_for_what_is_open_already() -> None:
    house = House(clocks={"default": WEEK})
    house.settle(origin=Origin.SWEEP)
    house.clocks = {"default": Clock(act=HOUR)}
    assert _swept(house, NOW + 2 * HOUR) == ["repaired"]


def test_a_fact_that_is_new_on_a_known_finding_is_told() -> None:
    house = House(response=Response.ALERT)
    house.settle()
    house.aws.lamps["hall"]["on"] = ["a", "b"]
    assert [house.settle(now=NOW + HOUR), house.settle(now=NOW + 2 * HOUR)] == ["told", "waiting"]


def test_a_proposal_that_comes_later_is_promised_as_one_and_told_when_it_is_made() -> None:
    house = House(response=Response.PROPOSE, clocks={"default": Clock(act=DAY)})
    house.settle()
    assert "will propose a repair of this in 24 hours" in " ".join(house.alerts.letters[0].body.split())
    assert _swept(house, NOW + DAY) == ["told"]
    assert f"plumbline approve {house.finding.short}" in house.alerts.letters[1].body


def test_a_proposal_that_no_longer_fits_is_made_anew_by_the_sweep() -> None:
    house = House(response=Response.PROPOSE)
    house.settle()
    house.aws.lamps["hall"]["on"] = ["b"]
    assert _swept(house, NOW + HOUR) == ["told"]
    assert approve(house.engine, house.finding, now=NOW + 2 * HOUR).outcome.value == "repaired"


@pytest.mark.parametrize("held", ["pause", "observe"])
def test_half_a_repair_is_told_though_the_rest_is_held_back(held: str) -> None:
    house = House()
    house.alerts.down = True
    with pytest.raises(AwsRefusal):
        house.settle()
    house.alerts.down = False
    house.aws.lamps["hall"]["on"] = ["a"]
    if held == "pause":
        house.ledger.pauses["*"] = NOW + DAY
    else:
        house.mode = Response.OBSERVE
    house.settle(now=NOW + LEASE)
    assert house.alerts.subjects == ["repair failed: lamp hall is on (by mallory)"]
    assert "undo" in house.alerts.letters[0].body


def test_what_a_person_put_right_long_after_a_repair_failed_is_not_claimed() -> None:
    house = House()
    house.aws.sticky = True
    house.settle()
    house.settle(now=NOW + timedelta(minutes=1))
    house.aws.lamps["hall"]["on"] = []
    assert house.settle(now=NOW + 30 * DAY) == "resolved"


def test_an_escalation_is_never_folded_into_a_digest() -> None:
    house = House(clocks={"default": WEEK}, letters=Letters(per_hour=1))
    house.settle()
    house.ledger.spent[f"letters#{NOW + 7 * DAY - HOUR:%Y-%m-%dT%H}"] = 9
    house.response = Response.ALERT
    assert house.settle(now=NOW + 7 * DAY - HOUR) != "told"
    house.ledger.spent[f"letters#{NOW + 7 * DAY:%Y-%m-%dT%H}"] = 9
    house.engine.digest(LAMP.account, now=NOW + 7 * DAY)
    assert house.settle(now=NOW + 7 * DAY) == "told"
    assert house.alerts.letters[-1].attributes["escalation"] == "true"


def test_a_life_that_waits_for_a_digest_is_told_though_another_has_begun() -> None:
    house = House(letters=Letters(per_hour=1))
    house.ledger.spent["letters#2026-03-02T09"] = 1
    house.settle()
    house.aws.lamps["hall"]["on"] = ["b"]
    house.settle(now=NOW + timedelta(minutes=5))
    first = house.ledger.history[0]
    assert house.engine.digest(LAMP.account, now=NOW + timedelta(minutes=6)) == 2
    assert first.short in house.alerts.letters[-1].body
    assert house.engine.digest(LAMP.account, now=NOW + timedelta(minutes=9)) == 0


def test_an_observed_repair_is_told_when_it_would_have_been_made() -> None:
    house = House(response=Response.OBSERVE, clocks={"default": Clock(act=DAY)})
    house.settle()
    house.settle(now=NOW + DAY)
    house.settle(now=NOW + 2 * DAY)
    assert [one.split(":")[0] for one in house.alerts.subjects] == ["found", "would have repaired"]


def test_what_is_open_of_a_control_that_is_switched_off_is_closed() -> None:
    house = House(clocks={"default": WEEK})
    house.settle()
    house.response = Response.OFF
    assert house.settle(now=NOW + HOUR) == "off"
    assert house.finding.status is Status.RESOLVED


def test_after_three_tries_resume_lets_it_be_tried_again() -> None:
    house = House()
    house.aws.fails["SwitchOff"] = ["AccessDenied"] * 3
    for hours in range(3):
        house.settle(now=NOW + hours * HOUR)
    assert "plumbline resume lamp-off --tries" in house.alerts.letters[-1].commands
    assert house.finding.short in house.type("resume", "lamp-off", "--tries", now=NOW + 4 * HOUR).text
    assert house.settle(now=NOW + 5 * HOUR) == "repaired"


# --- what is repaired at once, and is not ---------------------------------------------------------------------------


@pytest.mark.parametrize("held", ["paused", "tried", "proposed", "told only"])
def test_what_is_still_there_a_day_after_its_repair_was_due_is_escalated(held: str) -> None:
    modes = {"proposed": Response.PROPOSE, "told only": Response.ALERT}
    house = House(response=modes.get(held, Response.ENFORCE))
    if held == "paused":
        house.ledger.pauses["*"] = NOW + 6 * DAY
    if held == "tried":
        house.aws.fails["SwitchOff"] = ["AccessDenied"] * 9
    for hours in range(26):
        house.settle(now=NOW + hours * HOUR, origin=Origin.SWEEP, cause=Cause())
    assert house.alerts.subjects[-1] == "escalated: lamp hall is on"
    assert [one.subject for one in house.alerts.letters if one.attributes["escalation"] == "true"] == [
        "[Plumbline] escalated: lamp hall is on"
    ]


def test_what_would_have_been_repaired_at_once_is_not_escalated_while_it_is_only_observed() -> None:
    house = House(mode=Response.OBSERVE)
    for hours in range(50):
        house.settle(now=NOW + hours * HOUR, origin=Origin.SWEEP, cause=Cause())
    assert house.alerts.subjects == ["found: lamp hall is on"]


def test_adoptions_grace_delays_an_escalation_as_it_delays_the_repair() -> None:
    house = House()
    house.settle(origin=Origin.ADOPTION, cause=Cause())
    house.engine.digest(LAMP.account, now=NOW)
    told = []
    for days in range(1, 10):
        house.ledger.pauses["*"] = NOW + (days + 1) * DAY  # paused anew: no pause lasts longer than a week
        told.append(house.settle(now=NOW + days * DAY, origin=Origin.SWEEP, cause=Cause()))
    assert told == ["waiting"] * 7 + ["told", "waiting"]
    assert house.alerts.subjects[-1] == "escalated: lamp hall is on"


def test_a_repair_at_the_end_of_the_grace_is_no_business_of_the_escalation_address() -> None:
    house = House()
    house.settle(origin=Origin.ADOPTION, cause=Cause())
    house.engine.digest(LAMP.account, now=NOW)
    assert house.settle(now=NOW + 7 * DAY, origin=Origin.SWEEP, cause=Cause()) == "repaired"
    assert house.alerts.letters[-1].attributes["escalation"] == "false"


# --- the last reminder -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("remind", "response", "last"),
    [
        ((6 * DAY, 6 * DAY + 12 * HOUR), Response.ENFORCE, [False, True]),  # within a day of the repair, both
        ((DAY, 8 * DAY), Response.ENFORCE, [True, False]),  # days before it, and none comes between
        ((6 * DAY,), Response.PROPOSE, [False]),
        ((6 * DAY,), Response.ALERT, [False]),
    ],
)
def test_a_reminder_is_the_last_when_the_repair_comes_before_another(
    remind: tuple[timedelta, ...], response: Response, last: list[bool]
) -> None:
    house = House(clocks={"default": Clock(remind=remind, act=7 * DAY)}, response=response)
    house.settle()
    rule = house.engine.rule(house.control.id)
    assert [clocks.is_last_reminder(rule, house.finding, NOW + after) for after in remind] == last


def test_a_clock_that_reminds_again_and_again_reminds_each_time_once_and_the_ledger_does_not_grow() -> None:
    house = House(clocks={"default": Clock(remind=(HOUR,), every=DAY, escalate=7 * DAY)}, response=Response.ALERT)
    hours = (0, 1, 2, 24, 25, 24 * 3, 24 * 3 + 1, 24 * 7, 24 * 7 + 1, 24 * 8, 24 * 400)
    outcomes = [house.settle(now=NOW + hour * HOUR) for hour in hours]
    assert outcomes == [
        "told", "told", "waiting", "told", "waiting", "told", "waiting", "told", "waiting", "told", "told",
    ]  # fmt: skip
    assert [one.split(":")[0] for one in house.alerts.subjects] == [
        "found", "reminder", "reminder", "reminder", "escalated", "reminder", "reminder",
    ]  # fmt: skip
    assert house.finding.told == ("opened", "escalated", "reminded 9600h")
    assert house.finding.due == NOW + 401 * DAY


def test_of_a_clock_that_reminds_each_day_the_reminder_before_the_repair_is_the_last() -> None:
    house = House(clocks={"default": Clock(every=DAY, act=3 * DAY)})
    house.settle()
    rule = house.engine.rule(house.control.id)
    days = (NOW + DAY, NOW + 2 * DAY)
    assert [False, True] == [clocks.is_last_reminder(rule, house.finding, day) for day in days]


def test_no_reminder_is_the_last_where_there_is_no_repair() -> None:
    house = House(clocks={"default": Clock(remind=(DAY,), act=7 * DAY)})
    house.aws.lamps["hall"]["stuck"] = True
    house.settle()
    house.settle(now=NOW + DAY)
    assert house.alerts.subjects[-1] == "reminder: lamp hall is on (by mallory)"
