"""Nothing is repaired before anybody has heard; afterwards a lost subscription stops no repair, and is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.core.cause import Cause, Origin
from plumbline.core.clock import AT_ONCE, Clock, Response
from plumbline.findings.finding import DIGEST, Finding, Status
from plumbline.findings.hearing import Hearing
from plumbline.findings.stored import from_json, to_json
from plumbline.wakes.messages import Wake
from tests.fakes import LAMP, NOW, House, Letterbox, Memory

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def _unheard(heard: bool | None = False, **more: Any) -> House:  # noqa: FBT001, FBT002 -- what SNS answers
    return House(alerts=Letterbox(heard=heard, unconfirmed=("security@example.com",)), **more)


def _sweep(house: House, now: Any, origin: Origin = Origin.SWEEP) -> str:
    return house.settle(origin=origin, cause=Cause(), now=now)


@pytest.mark.parametrize("heard", [False, None])
def test_while_nobody_has_ever_confirmed_it_is_told_and_not_repaired(heard: bool | None) -> None:  # noqa: FBT001
    house = _unheard(heard)
    assert ["told", "waiting", "waiting"] == [house.settle(now=NOW + days * DAY) for days in (0, 8, 90)]
    assert [] == house.aws.writes
    (alert,) = house.alerts.letters
    body = " ".join(alert.body.split())
    assert "Nobody has ever confirmed that these e-mails reach him, so Plumbline repairs nothing." in body
    assert "it switches off lamp hall" in body


def test_once_somebody_has_confirmed_a_digest_tells_and_its_grace_begins_then() -> None:
    house = _unheard()
    house.settle()
    house.alerts.heard = True
    heard_at = NOW + 30 * DAY
    assert "waiting" == _sweep(house, heard_at - HOUR), "nobody has heard of it yet"
    assert 1 == house.engine.digest(LAMP.account, now=heard_at)
    body = " ".join(house.alerts.letters[-1].body.split())
    assert "2026-04-08 09:30 UTC: Plumbline switches off lamp hall" in body
    assert "waiting" == _sweep(house, heard_at + 7 * DAY - HOUR)
    assert "repaired" == _sweep(house, heard_at + 7 * DAY)
    assert ["found", "digest", "repaired"] == [one.split(":")[0] for one in house.alerts.subjects]


def test_what_a_person_is_to_decide_is_said_to_be_proposed_also_where_nobody_had_heard_of_it() -> None:
    house = _unheard(response=Response.PROPOSE)
    _sweep(house, NOW, Origin.ADOPTION)
    assert "when its grace is over: proposed: Plumbline switches off lamp hall" in house.finding.then
    house.alerts.heard = True
    house.engine.digest(LAMP.account, now=NOW + HOUR)
    body = " ".join(house.alerts.letters[-1].body.split())
    assert "2026-03-09 10:30 UTC: proposed: Plumbline switches off lamp hall" in body


def test_without_days_of_grace_what_was_adopted_is_due_when_it_was_heard_and_not_before() -> None:
    house = House()
    engine = house.engine
    engine = replace(engine, deployment=replace(engine.deployment, adoption_grace=timedelta(0)))

    def look(days: int, origin: Origin = Origin.SWEEP) -> str:
        return engine.settle(Wake(house.control.id, LAMP, origin), now=NOW + days * DAY).outcome.value

    assert ["listed", "waiting"] == [look(0, Origin.ADOPTION), look(9)]
    assert 1 == engine.digest(LAMP.account, now=NOW + 9 * DAY)
    assert NOW + 9 * DAY == house.finding.due
    assert "No time of grace was asked for" in " ".join(house.alerts.letters[-1].body.split())
    assert "repaired" == look(9)


def test_what_happens_after_somebody_has_confirmed_is_repaired_at_once() -> None:
    house = _unheard()
    house.alerts.heard = True
    assert "repaired" == house.settle()
    assert Hearing(NOW) == house.ledger.heard, "the ledger knows it from then on"


def test_sns_is_asked_only_until_the_ledger_knows() -> None:
    house = House()
    for hours in range(4):
        house.aws.lamps["hall"]["on"] = ["a"]
        house.settle(now=NOW + 10 * hours * HOUR)
    assert 1 == house.alerts.asked


@pytest.mark.parametrize("heard", [False, None])
def test_losing_the_subscription_later_stops_no_repair(heard: bool | None) -> None:  # noqa: FBT001
    house = _unheard(heard, ledger=Memory(heard=Hearing(NOW - DAY)))
    assert "repaired" == house.settle()


def test_what_was_repaired_while_nobody_heard_is_told_again_by_the_first_digest_that_somebody_hears() -> None:
    house = _unheard(ledger=Memory(heard=Hearing(NOW - DAY, NOW - HOUR)))
    assert "repaired" == house.settle()
    assert (1, 0) == (len(house.alerts.letters), house.engine.digest(LAMP.account, now=NOW + HOUR))
    house.alerts.heard = True
    assert 1 == house.engine.digest(LAMP.account, now=NOW + 2 * HOUR)
    assert ("repaired",) == house.finding.told
    assert Hearing(NOW - DAY) == house.ledger.heard


def test_a_digest_waits_for_somebody_who_hears_and_its_findings_with_it() -> None:
    house = House(ledger=Memory(heard=Hearing(NOW - DAY)))
    _sweep(house, NOW, Origin.ADOPTION)
    house.alerts.heard = False
    assert 0 == house.engine.digest(LAMP.account, now=NOW)
    assert "waiting" == _sweep(house, NOW + 60 * DAY)
    house.alerts.heard = True
    house.engine.digest(LAMP.account, now=NOW + 60 * DAY)
    assert ["waiting", "repaired"] == [_sweep(house, NOW + days * DAY) for days in (66, 67)]


def test_a_person_who_ends_the_grace_has_heard_of_it() -> None:
    house = House()
    _sweep(house, NOW, Origin.ADOPTION)
    assert house.type("enforce", house.finding.short, "--yes", now=NOW + HOUR).ok
    assert "repaired" == _sweep(house, NOW + HOUR)


def test_nobody_may_approve_while_nobody_has_ever_confirmed() -> None:
    house = House(response=Response.PROPOSE, clocks={"default": AT_ONCE})
    house.settle()
    house.ledger.heard, house.alerts.heard = Hearing(), False
    answer = house.type("approve", house.finding.short)
    assert (False, []) == (answer.ok, house.aws.writes)
    assert "Nobody has ever confirmed that he hears" in " ".join(answer.text.split())


def test_plan_says_what_it_waits_for_and_writes_nothing() -> None:
    house = _unheard()
    house.settle()
    house.ledger.saves.clear()
    assert "Nothing: nobody has ever confirmed that he hears." in " ".join(house.type("plan").text.split())
    house.alerts.heard = True
    assert "Nothing until somebody has heard of it in a digest" in " ".join(house.type("plan").text.split())
    assert ([], Hearing()) == (house.ledger.saves, house.ledger.heard)


# --- ledgers of version 0.1 --------------------------------------------------------------------------------------


def _of_0_1(house: House, **more: Any) -> Finding:
    """What the first sweep of version 0.1 found, as that version stored it."""
    _sweep(house, NOW, Origin.ADOPTION)
    text = to_json(replace(house.finding, **more)).replace('"unheard":true,', "").replace('"unheard":false,', "")
    finding = from_json(text)
    house.ledger.findings[(house.control.id, LAMP)] = finding
    return finding


def test_what_0_1_has_told_keeps_its_grace_exactly() -> None:
    house = House()
    until = NOW + 3 * DAY
    found = _of_0_1(house, outbox="", told=("opened",), grace_until=until)
    assert (False, until) == (found.unheard, found.grace_until)
    assert ["waiting", "repaired"] == [_sweep(house, until - HOUR), _sweep(house, until)]


def test_what_0_1_found_and_had_not_told_waits_until_it_is_heard() -> None:
    house = House()
    assert _of_0_1(house, outbox=f"{DIGEST}opened").unheard
    assert "waiting" == _sweep(house, NOW + 30 * DAY)
    house.engine.digest(LAMP.account, now=NOW + 30 * DAY)
    assert "repaired" == _sweep(house, NOW + 37 * DAY)


def test_what_0_1_told_into_the_void_is_told_again_before_anything_is_repaired() -> None:
    house = _unheard()
    _of_0_1(house, outbox="", told=("opened",), adopted=(), grace_until=None, origin=Origin.EVENT)
    _sweep(house, NOW + DAY)
    house.alerts.heard = True
    assert 1 == house.engine.digest(LAMP.account, now=NOW + 2 * DAY)
    assert ["waiting", "repaired"] == [_sweep(house, NOW + days * DAY) for days in (8, 9)]


# --- who is told that nobody hears ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "says"),
    [
        (Hearing(), "NOBODY HAS EVER CONFIRMED: NOTHING IS REPAIRED."),
        (Hearing(NOW - DAY, NOW), "NOBODY HEARS Plumbline's e-mails any more since Monday 2 March 2026, 09:30 UTC"),
    ],
)
def test_whoever_hears_escalations_is_told_once_a_day_that_nobody_hears_the_rest(before: Hearing, says: str) -> None:
    house = _unheard(ledger=Memory(heard=before))
    assert [1, 1, 1] == [house.engine.unheard(LAMP.account, now=NOW + hours * HOUR) for hours in (0, 1, 24)]
    first, _second = house.alerts.letters
    assert ("true", "unheard", "*") == tuple(first.attributes[one] for one in ("escalation", "outcome", "control"))
    assert says in " ".join(first.body.split())
    assert r"--notification-endpoint security@example\.com" in first.body
    assert "--authenticate-on-unsubscribe true" in first.body


def test_nothing_is_told_of_it_while_somebody_hears() -> None:
    house = House()
    assert (0, []) == (house.engine.unheard(LAMP.account, now=NOW), house.alerts.letters)


@given(st.lists(st.sampled_from([True, False, None]), max_size=8))
def test_whoever_has_heard_once_has_heard_for_ever(answers: list[bool | None]) -> None:
    known = Hearing()
    for number, hears in enumerate(answers):
        known = known.after(hears, NOW + number * HOUR)
    assert (True in answers) == known.ever
    certain = [one for one in answers if one is not None]
    assert bool(answers) == (known.silent is not None or known.ever)
    assert (known.silent is None) == ((not answers) or (bool(certain) and True in answers and certain[-1]))
    assert known == Hearing.from_json(known.to_json())


def test_reminders_wait_with_the_digest() -> None:
    house = _unheard(clocks={"default": Clock(remind=(DAY,), escalate=2 * DAY, act=3 * DAY)})
    assert ["told", "waiting", "waiting"] == [house.settle(now=NOW + days * DAY) for days in (0, 1, 2)]
    assert (Status.OPEN, 1) == (house.finding.status, len(house.alerts.letters))


def test_an_escalation_does_not_wait_for_a_digest_that_nobody_hears() -> None:
    """Whoever was told of it before is gone; the escalation address is another one."""
    lost = Memory(heard=Hearing(NOW - DAY, NOW - HOUR))
    house = _unheard(ledger=lost, clocks={"default": Clock(escalate=2 * DAY)})
    told = [house.settle(now=NOW), *(_sweep(house, NOW + days * DAY) for days in (1, 2, 3, 9))]
    assert ["told", "waiting", "told", "waiting", "waiting"] == told
    assert ["found", "escalated"] == [one.split(":")[0] for one in house.alerts.subjects]
    assert house.finding.awaits_digest, "the first digest that somebody hears still names it"


def test_an_escalation_that_was_missed_does_not_wait_for_that_digest_either() -> None:
    """The sweeps did not happen while it came due, and what an event adds then is told into the void."""
    house = House(clocks={"default": Clock(escalate=2 * DAY)})
    house.settle(now=NOW)
    house.alerts.heard, house.ledger.heard = False, Hearing(NOW, NOW + HOUR)
    house.aws.lamps["hall"]["on"] = ["a", "b"]
    later = NOW + 3 * DAY
    assert ("told", later) == (house.settle(now=later), house.finding.due), "the next sweep looks at it again"
    assert ["told", "waiting"] == [_sweep(house, later + hours * HOUR) for hours in (1, 2)]
    assert ["found", "found", "escalated"] == [one.split(":")[0] for one in house.alerts.subjects]


def test_what_an_escalation_has_told_is_not_told_once_more_as_found() -> None:
    lost = Memory(heard=Hearing(NOW - DAY, NOW - HOUR))
    house = _unheard(ledger=lost, clocks={"default": Clock(escalate=2 * DAY)})
    house.settle(origin=Origin.ADOPTION, cause=Cause())
    house.ledger.save(replace(house.finding, unheard=False, grace_until=None), now=NOW)  # a person ended its grace
    assert _sweep(house, NOW + 2 * DAY) == "told"
    house.alerts.heard = True
    assert house.engine.digest(LAMP.account, now=NOW + 3 * DAY) == 1
    assert _sweep(house, NOW + 4 * DAY) == "waiting"
    assert ["escalated", "digest"] == [one.split(":")[0] for one in house.alerts.subjects]
