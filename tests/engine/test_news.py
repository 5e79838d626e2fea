"""New in this version: what an upgrade brings is told in one e-mail, and does nothing before somebody has heard it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from plumbline.core.cause import Cause, Origin
from plumbline.core.clock import FOUND, FOUND_BY_SWEEP, Clock, Response
from plumbline.findings.adoption import Adoption, in_pieces, mark, whole
from plumbline.findings.news import PATIENCE, can_be_told, new_controls, once_heard
from plumbline.handlers import upgrade
from plumbline.sweep.units import Unit
from plumbline.wakes.messages import Wake
from tests.fakes import ACCOUNT, LAMP, MALLORY, NOW, House, Memory

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UNIT = Unit(ACCOUNT, "global", ("lamp-off",), last=True)
#: What a sweep looks with when two controls are there, of which one is known.
BOTH = Unit(ACCOUNT, "global", ("lamp-off", "of-before"), last=True)
CAME = NOW.isoformat()


def _upgraded(**more: object) -> House:
    """A lamp whose rule the version before did not have; another one's first sweep was made long ago."""
    house = House(ledger=Memory(never_swept=True), **more)  # type: ignore[arg-type]
    house.ledger.marks["of-before"] = Adoption("mark").to_json()
    assert 1 == upgrade.meet(house.plumbline, [BOTH], now=NOW)
    return house


def _sweep(house: House, at: timedelta = timedelta(0)) -> list[str]:
    (look,) = house.plumbline.look(UNIT, now=NOW + at)
    outcomes = [one.outcome.value for one in house.plumbline.settle(look.wakes, now=NOW + at)]
    house.plumbline.looked(UNIT, look)
    return outcomes


def test_a_first_installation_brings_nothing_that_is_new() -> None:
    house = House(ledger=Memory(never_swept=True))
    assert 1 == upgrade.meet(house.plumbline, [UNIT], now=NOW)
    assert {"lamp-off": Adoption().to_json()} == house.ledger.marks
    assert 0 == upgrade.meet(house.plumbline, [UNIT], now=NOW + HOUR)


def test_a_first_installation_has_looked_at_itself_before() -> None:
    house = House(ledger=Memory(never_swept=True))
    house.ledger.marks["house-integrity"] = Adoption("mark").to_json()
    upgrade.meet(house.plumbline, [UNIT], now=NOW)
    assert frozenset() == new_controls(house.ledger.marks)


def test_what_could_not_be_listed_by_the_first_sweep_is_not_new_to_the_second() -> None:
    house = House(ledger=Memory(never_swept=True))
    upgrade.meet(house.plumbline, [UNIT], now=NOW)
    house.ledger.marks["of-before"] = Adoption("mark").to_json()
    assert 0 == upgrade.meet(house.plumbline, [UNIT], now=NOW + HOUR)
    assert frozenset() == new_controls(house.ledger.marks)


def test_one_that_is_off_is_known_from_then_on_and_told_of_by_nobody() -> None:
    house = _upgraded(response=Response.OFF)
    assert frozenset() == new_controls(house.ledger.marks)


def test_one_e_mail_says_what_is_new_what_it_found_and_what_it_will_do() -> None:
    house = _upgraded(clocks={"default": Clock(act=timedelta(0)), FOUND_BY_SWEEP: FOUND})
    assert ["listed"] == _sweep(house)
    assert 2 == house.engine.digest(ACCOUNT, now=NOW + HOUR)
    assert ["new in this version: 1 rule, 1 thing out of line"] == house.alerts.subjects
    words = " ".join(house.alerts.letters[0].body.split())
    assert (
        "This version of Plumbline holds 1 rule that the one before did not. 1 thing is out of line: it was so before, "
        "and it is left alone until Monday 9 March 2026, 10:30 UTC at least. Nothing that a new rule finds was "
        "repaired before this e-mail. Worst first:"
    ) in words
    does = "lamp-off repairs what happens from now on at once; repairs what was there before after 7 days."
    assert f"high: Lamps are off. {does} {house.finding.short} lamp hall is on" in words
    assert "new-in-this-version" == house.alerts.letters[0].attributes["outcome"]


def test_it_is_told_once() -> None:
    house = _upgraded()
    _sweep(house)
    assert [2, 0] == [house.engine.digest(ACCOUNT, now=NOW + hours * HOUR) for hours in (1, 2)]
    assert frozenset() == new_controls(house.ledger.marks)
    swept = Adoption(mark(house.engine.rule("lamp-off")), frozenset({str(LAMP)}))
    assert swept.to_json() == house.ledger.marks["lamp-off"]


def test_a_rule_that_found_nothing_is_told_of_too() -> None:
    house = _upgraded()
    house.aws.lamps["hall"]["on"] = []
    _sweep(house)
    assert 1 == house.engine.digest(ACCOUNT, now=NOW + HOUR)
    assert ["new in this version: 1 rule, 0 things out of line"] == house.alerts.subjects
    assert "Nothing is out of line." in house.alerts.letters[0].body


def test_nothing_of_it_acts_before_somebody_has_heard() -> None:
    """Nor what an event announces, however bold the rule is: nobody knows yet that it is there."""
    house = _upgraded()
    house.aws.lamps["hall"]["on"] = []
    _sweep(house)
    house.alerts.heard = False
    assert 0 == house.engine.digest(ACCOUNT, now=NOW + HOUR)
    house.aws.lamps["hall"]["on"] = ["b"]
    assert "told" == house.settle(now=NOW + 2 * HOUR)
    assert [] == house.aws.writes
    house.alerts.heard = True
    assert house.engine.digest(ACCOUNT, now=NOW + 3 * HOUR)
    assert [] == house.aws.writes
    house.aws.lamps["attic"] = {"on": ["z"]}
    attic = replace(LAMP, id="attic")
    (settled,) = house.plumbline.settle([Wake(house.control.id, attic, Origin.EVENT, MALLORY)], now=NOW + 4 * HOUR)
    assert "repaired" == settled.outcome.value, "from then on it is a rule like any other"


def test_nor_where_no_time_of_grace_was_asked_for() -> None:
    house = _upgraded()
    house.aws.lamps["hall"]["on"] = []
    _sweep(house)
    house.aws.lamps["hall"]["on"] = ["b"]
    outcomes = []
    for hours in (2, 3):
        engine = replace(house.engine, deployment=replace(house.engine.deployment, adoption_grace=timedelta(0)))
        wake = Wake(house.control.id, LAMP, Origin.EVENT, MALLORY)
        outcomes.append(engine.settle(wake, now=NOW + hours * HOUR).outcome.value)
    assert (["told", "waiting"], []) == (outcomes, house.aws.writes)
    house.engine.digest(ACCOUNT, now=NOW + 4 * HOUR)
    engine = replace(house.engine, deployment=replace(house.engine.deployment, adoption_grace=timedelta(0)))
    settled = engine.settle(Wake(house.control.id, LAMP, Origin.SWEEP), now=NOW + 5 * HOUR)
    assert ("repaired", ["SwitchOff b"]) == (settled.outcome.value, house.aws.writes)


def test_the_grace_of_what_it_found_begins_with_the_e_mail() -> None:
    house = _upgraded()
    _sweep(house)
    house.engine.digest(ACCOUNT, now=NOW + 2 * DAY)
    assert NOW + 9 * DAY == house.finding.grace_until
    assert "repaired" == house.settle(origin=Origin.SWEEP, cause=Cause(), now=NOW + 9 * DAY)


def test_what_waits_for_a_digest_beside_it_comes_in_a_digest_of_its_own() -> None:
    house = _upgraded()
    _sweep(house)
    other = replace(house.finding, id="F" * 26, control="of-before", target=replace(LAMP, id="cellar"))
    house.ledger.findings[("of-before", other.target)] = other
    assert 3 == house.engine.digest(ACCOUNT, now=NOW + HOUR)
    assert 2 == len(house.alerts.letters)
    assert house.alerts.subjects[0].startswith("new in this version: ")
    assert house.alerts.subjects[1].startswith("digest: ")


def test_it_waits_until_every_new_rule_has_looked_but_not_for_ever() -> None:
    """A rule may be refused what it wants to look at for days; the others are told of meanwhile."""
    swept, unswept = Adoption("mark", new=CAME).to_json(), Adoption(new=CAME).to_json()
    assert [True, False, True] == [
        can_be_told({"a": swept}, NOW),
        can_be_told({"a": swept, "b@eu-west-1": unswept}, NOW + HOUR),
        can_be_told({"a": swept, "b@eu-west-1": unswept}, NOW + PATIENCE),
    ]


def test_until_then_what_new_rules_found_stays_out_of_digests() -> None:
    house = _upgraded()
    _sweep(house)
    house.ledger.marks["lamp-off@elsewhere"] = Adoption(new=CAME).to_json()
    assert 0 == house.engine.digest(ACCOUNT, now=NOW + HOUR)
    assert house.finding.awaits_digest
    assert 2 == house.engine.digest(ACCOUNT, now=NOW + PATIENCE)


def test_what_is_new_is_kept_beside_however_many_targets() -> None:
    many = Adoption("mark", frozenset(f"{ACCOUNT}/global/lamp/{number}" for number in range(3_000)), CAME)
    head, pieces = in_pieces(many.to_json())
    assert many.to_json() == whole(head, pieces.values())
    assert {"a": replace(many, new="").to_json()} == once_heard({"a": many.to_json(), "b": Adoption("mark").to_json()})


def test_what_version_0_1_wrote_is_not_new() -> None:
    text = '{"mark": "x", "pending": []}'
    assert (text, "") == (Adoption("x").to_json(), Adoption.from_json(text).new)
