"""What no repair can put right does not hold up the rest: the rest is repaired, and the finding stays open for it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta

import pytest

from plumbline.baseline.rules import Letters
from plumbline.core.calls import Call, Plan, Step, reasons
from plumbline.core.cause import Cause, Origin
from plumbline.core.clock import Response
from plumbline.findings.finding import LEASE, Status
from plumbline.findings.stored import from_json, to_json
from tests.fakes import LAMP, NOW, House, Lamps

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def _house(*, lit: Iterable[str] = ("a", "b"), welded: Iterable[str] = ("b",), **more: object) -> House:
    return House(aws=Lamps({"hall": {"on": list(lit), "welded": list(welded)}}), **more)  # type: ignore[arg-type]


def _sweep(house: House, now: object) -> str:
    return house.settle(origin=Origin.SWEEP, cause=Cause(), now=now)  # type: ignore[arg-type]


def _body(house: House, number: int = -1) -> str:
    return " ".join(house.alerts.letters[number].body.split())


def test_what_can_be_repaired_is_and_the_finding_stays_open_for_the_rest() -> None:
    house = _house()
    assert house.settle() == "repaired"
    assert house.aws.writes == ["SwitchOff a"]
    assert (house.finding.status, house.finding.deviation.items) == (Status.OPEN, ("b",))
    assert house.finding.then == "not repaired: it is welded in"


def test_one_letter_says_what_was_done_what_is_left_and_why() -> None:
    house = _house()
    house.settle()
    assert house.alerts.subjects == ["repaired in part: lamp hall was on (by mallory)"]
    assert "Plumbline has put right what it can; the rest needs a person." in _body(house)
    assert "Not repaired b: it is welded in" in _body(house)


def test_what_is_left_is_neither_tried_nor_told_again_but_escalated_once() -> None:
    house = _house()
    house.settle()
    for hours in (1, 2, 3, 23, 24, 25, 72):
        assert _sweep(house, NOW + hours * HOUR) in ("waiting", "told")
    assert house.aws.writes == ["SwitchOff a"]
    assert [one.split(":")[0] for one in house.alerts.subjects] == ["repaired in part", "escalated"]
    assert "Plumbline does not repair this: it is welded in." in _body(house)


def test_where_nothing_can_be_repaired_it_is_told_as_ever() -> None:
    house = _house(lit=("b",))
    assert house.settle() == "told"
    assert (house.aws.writes, house.finding.repairs) == ([], ())
    assert "Plumbline does not repair this: it is welded in." in _body(house)


def test_what_is_left_and_put_right_by_a_person_closes_the_finding() -> None:
    house = _house()
    house.settle()
    house.aws.lamps["hall"]["on"] = []
    assert _sweep(house, NOW + HOUR) == "resolved"
    assert len(house.alerts.letters) == 1


def test_what_is_new_beside_what_is_left_is_repaired_alone() -> None:
    house = _house()
    house.settle()
    house.aws.lamps["hall"]["on"] = ["b", "c"]
    assert house.settle(now=NOW + HOUR) == "repaired"
    assert house.aws.writes == ["SwitchOff a", "SwitchOff c"]
    assert house.finding.deviation.items == ("b",)


def test_an_undo_takes_back_what_was_repaired() -> None:
    house = _house()
    house.settle()
    answer = house.type("undo", house.finding.short, now=NOW + HOUR)
    assert answer.ok, answer.text
    assert house.aws.writes == ["SwitchOff a", "SwitchOn a"]
    assert house.finding.status is Status.UNDONE


def test_a_repair_that_died_before_it_was_told_is_told_by_the_next_look() -> None:
    house = _house()
    house.alerts.down = True
    with pytest.raises(Exception, match="refused"):
        house.settle()
    house.alerts.down = False
    assert _sweep(house, NOW + LEASE) == "repaired"
    assert house.aws.writes == ["SwitchOff a"]
    assert house.alerts.subjects == ["repaired in part: lamp hall was on (by mallory)"]
    assert "Not repaired b: it is welded in" in _body(house)


def test_what_was_there_before_keeps_its_grace_beside_what_is_left() -> None:
    house = _house(lit=("old",), welded=("b",))
    house.settle(origin=Origin.ADOPTION, cause=Cause())
    house.engine.digest(LAMP.account, now=NOW)
    house.aws.lamps["hall"]["on"] = ["a", "b", "old"]
    assert house.settle(now=NOW + HOUR) == "repaired"
    assert house.aws.writes == ["SwitchOff a"]
    assert "put right what was new and what it can" in _body(house)
    assert "Left alone old; until" in _body(house)
    assert _sweep(house, NOW + DAY) in ("waiting", "told")
    assert _sweep(house, NOW + 7 * DAY) == "repaired"
    assert house.aws.writes == ["SwitchOff a", "SwitchOff old"]
    assert house.finding.deviation.items == ("b",)


def test_a_proposal_is_carried_out_as_far_as_it_goes() -> None:
    house = _house(response=Response.PROPOSE)
    assert house.settle() == "told"
    assert "Not repaired b: it is welded in" in _body(house)
    answer = house.type("approve", house.finding.short, now=NOW + HOUR)
    assert answer.ok, answer.text
    assert "Not repaired: b: it is welded in" in " ".join(answer.text.split())
    assert house.aws.writes == ["SwitchOff a"]
    assert (house.finding.status, house.finding.deviation.items) == (Status.OPEN, ("b",))
    assert _sweep(house, NOW + 2 * HOUR) in ("waiting", "told")
    assert house.finding.proposal is None


def test_what_would_be_done_names_what_is_left() -> None:
    house = _house(response=Response.OBSERVE)
    house.settle()
    assert "Not repaired b: it is welded in" in _body(house)
    text = " ".join(house.type("plan", house.finding.short, now=NOW + HOUR).text.split())
    assert "Not repaired b: it is welded in" in text
    shown = _house()
    shown.settle()
    assert "Not repaired b: it is welded in" in " ".join(shown.type("show", shown.finding.short).text.split())


def test_in_a_storm_the_digest_says_what_is_left() -> None:
    house = _house(letters=Letters(per_hour=0))
    house.settle()
    house.engine.digest(LAMP.account, now=NOW + HOUR)
    assert "what can be repaired is; not repaired: it is welded in" in _body(house)


def test_the_ledger_keeps_it_and_reads_what_was_kept_before_there_was_such_a_thing() -> None:
    house = _house()
    house.settle()
    kept = to_json(house.finding)
    assert from_json(kept) == house.finding
    earlier = json.loads(kept)
    del earlier["repairs"][0]["left"]
    assert from_json(json.dumps(earlier)).repairs[0].plan.left == {}


def test_a_reason_that_all_share_is_given_once() -> None:
    assert reasons({"a": "too long", "b": "too long"}) == "too long"
    assert reasons({"a": "too long", "b": "gone", "c": "too long"}) == "a, c: too long; b: gone"


def test_a_plan_of_nothing_but_what_is_left_is_a_refusal() -> None:
    step = Step(Call("lamps", "SwitchOff"))
    assert Plan.partly((), {"a": "too long"}) == Plan(refusal="too long")
    assert Plan.partly((step,), {"a": "too long"}, summary="x") == Plan((step,), summary="x", left={"a": "too long"})


DENIED = "AccessDenied: not authorized to perform: x with an explicit deny in a service control policy"
BARRED = [DENIED, "UnmodifiableEntity: only the service may"]


@pytest.mark.parametrize("refusal", BARRED)
def test_what_nobody_here_may_change_is_tried_once_and_holds_up_no_other_fact(refusal: str) -> None:
    house = _house(lit=("a", "b", "c"), welded=())
    house.aws.fails["SwitchOff"] = ["", refusal, ""]
    assert house.settle() == "failed"
    assert house.aws.writes == ["SwitchOff a", "SwitchOff c"]
    for hours in (1, 2, 3):
        _sweep(house, NOW + hours * HOUR)
    assert house.aws.writes == ["SwitchOff a", "SwitchOff c"]
    (subject,) = house.alerts.subjects
    assert subject.startswith("repair failed: ")
    assert "at most 2 of 3 changes were made" in _body(house)
    assert "so it is not tried again" in _body(house)


def test_its_undo_leaves_out_what_was_barred() -> None:
    house = _house(lit=("a", "b"), welded=())
    house.aws.fails["SwitchOff"] = [DENIED, ""]
    house.settle()
    assert house.finding.repairs[0].refused == (0,)
    assert from_json(to_json(house.finding)) == house.finding
    assert house.type("undo", house.finding.short, now=NOW + HOUR).ok
    assert house.aws.writes == ["SwitchOff b", "SwitchOn b"]


def test_what_is_new_beside_what_was_barred_is_repaired() -> None:
    house = _house(lit=("a",), welded=())
    house.aws.fails["SwitchOff"] = [DENIED]
    house.settle()
    house.aws.lamps["hall"]["on"] = ["a", "b"]
    house.aws.fails["SwitchOff"] = [DENIED, ""]
    house.settle(now=NOW + HOUR)
    assert house.aws.writes == ["SwitchOff b"]
    assert [one.split(":")[0] for one in house.alerts.subjects] == ["repair failed", "repair failed"]


def test_a_denial_that_may_end_is_tried_again_as_ever() -> None:
    house = _house(lit=("a",), welded=())
    house.aws.fails["SwitchOff"] = ["AccessDenied: no identity-based policy allows it"]
    assert house.settle() == "failed"
    assert _sweep(house, NOW + HOUR) == "repaired"
