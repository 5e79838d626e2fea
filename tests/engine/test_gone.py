"""What an event announced and the look finds no more is told, once; what was known, or is Plumbline's own, is not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from plumbline.core.cause import Cause, Origin
from plumbline.core.control import Severity
from plumbline.decisions.exemptions import Exemption
from plumbline.findings.finding import LEASE, Status
from plumbline.wakes.messages import Wake
from tests.fakes import ACCOUNT, CONTROL, LAMP, MALLORY, NOW, House

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
HANDS = f"arn:aws:sts::{ACCOUNT}:assumed-role/plumbline-hands/lamp-off"


def _announced(_ask: Any, detail: Any, state: Any, _settings: Any) -> str:
    bulb = detail.get("bulb")
    return f"was lit with {bulb}" if bulb and bulb not in (state or {}).get("on", ()) else ""


ANNOUNCES = replace(CONTROL, announces=_announced)


@dataclass
class Night:
    """A lamp that is off, and events that say it was lit."""

    house: House = field(default_factory=lambda: House(control=ANNOUNCES))

    def __post_init__(self) -> None:
        self.house.aws.lamps["hall"]["on"] = []

    def hears(self, bulb: str = "a", *, after: timedelta = MINUTE, number: int = 1, cause: Cause = MALLORY) -> str:
        """An event arrives some time after it happened; how it was settled."""
        at = replace(cause, at=(NOW + timedelta(seconds=number)).isoformat(), event_id=f"e-{number}")
        wake = Wake(self.house.control.id, LAMP, Origin.EVENT, at, event={"bulb": bulb})
        settled = self.house.engine.settle(wake, now=NOW + after)
        return f"{settled.outcome.value}{' again' if settled.again else ''}"


def test_what_came_and_went_is_told_once_with_who_did_it() -> None:
    night = Night()
    assert ["told", "compliant"] == [night.hears(), night.hears(after=2 * MINUTE)]
    (alert,) = night.house.alerts.letters
    assert "[Plumbline] came and went: lamp hall was lit with a, and it was over when Plumbline... (by mallory)" == (
        alert.subject
    )
    assert f"arn:aws:iam::{ACCOUNT}:user/mallory" in alert.body
    assert (Status.NOTED, []) == (night.house.finding.status, night.house.aws.writes)


def test_what_an_event_has_just_announced_may_not_show_yet() -> None:
    night = Night()
    assert "unknown again" == night.hears(after=timedelta(seconds=20))
    assert [] == night.house.alerts.letters
    night.house.aws.lamps["hall"]["on"] = ["a"]
    assert "repaired" == night.hears(after=timedelta(seconds=40))


def test_what_is_gone_altogether_is_told_as_soon_and_looked_for_once_more() -> None:
    night, half = Night(), timedelta(seconds=30)
    lamp = night.house.aws.lamps.pop("hall")
    assert ["unknown again", "told again"] == [night.hears(after=half), night.hears(after=half + timedelta(seconds=1))]
    assert 1 == len(night.house.alerts.letters)
    assert "unknown again" == night.hears(after=timedelta(seconds=50))
    night.house.aws.lamps["hall"] = lamp | {"on": ["a"]}  # AWS was slow to show it
    assert ("repaired", 2) == (night.hears(after=timedelta(seconds=61)), len(night.house.alerts.letters))


def test_an_event_that_announced_nothing_wrong_is_nobodys_business() -> None:
    night = Night()
    assert ("compliant", []) == (night.hears(""), night.house.alerts.letters)


def test_what_was_found_and_repaired_is_not_told_once_more_when_its_event_comes_again() -> None:
    night = Night()
    night.house.aws.lamps["hall"]["on"] = ["a"]
    assert ["repaired", "compliant"] == [night.hears(), night.hears(after=3 * MINUTE)]
    assert 1 == len(night.house.alerts.letters)


def test_what_is_done_after_the_repair_is_told() -> None:
    night = Night()
    night.house.aws.lamps["hall"]["on"] = ["a"]
    night.hears()
    assert "told" == night.hears(number=120, after=5 * MINUTE)


def test_two_deeds_between_two_looks_are_two_alerts_and_neither_is_told_again() -> None:
    night = Night()
    assert ["told", "told"] == [night.hears("a"), night.hears("b", number=2)]
    assert ["compliant", "compliant"] == [night.hears("a", after=2 * MINUTE), night.hears("b", number=2)]
    assert 2 == len(night.house.alerts.letters)


def test_plumblines_own_undo_announces_nothing() -> None:
    night = Night()
    cause = replace(MALLORY, principal=HANDS)
    assert ("compliant", []) == (night.hears(cause=cause), night.house.alerts.letters)


@pytest.mark.parametrize(
    "principal",
    [
        f"arn:aws:iam::{ACCOUNT}:user/plumbline-hands",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/plumbline-hands-x/lamp-off",
        "arn:aws:sts::999988887777:assumed-role/plumbline-hands/lamp-off",
    ],
)
def test_who_only_bears_the_name_of_its_hands_is_told_of(principal: str) -> None:
    assert "told" == Night().hears(cause=replace(MALLORY, principal=principal))


def test_a_refused_alert_comes_with_the_wake_that_comes_back() -> None:
    night = Night()
    night.house.alerts.down = True
    with pytest.raises(Exception, match="InternalError"):
        night.hears()
    night.house.alerts.down = False
    assert ["told", "compliant"] == [night.hears(after=MINUTE), night.hears(after=2 * MINUTE)]
    assert 1 == len(night.house.alerts.letters)


def test_a_look_that_died_before_it_had_told_is_made_good_by_the_next() -> None:
    night = Night()
    ledger = night.house.ledger
    ledger.once(f"telling-gone#{CONTROL.id}#{LAMP}#e-1", now=NOW + MINUTE, within=LEASE)
    assert ["held again", "told"] == [night.hears(after=MINUTE), night.hears(after=MINUTE + 2 * LEASE)]


@pytest.mark.parametrize(
    ("severity", "target", "told"),
    [
        (Severity.CRITICAL, str(LAMP), 1),
        (Severity.CRITICAL, "*", 1),
        (Severity.HIGH, "*", 1),
        (Severity.HIGH, str(LAMP), 0),
        (Severity.MEDIUM, "*", 0),
    ],
)
def test_an_exemption_holds_back_no_more_than_elsewhere(severity: Severity, target: str, told: int) -> None:
    night = Night(House(control=replace(ANNOUNCES, severity=severity)))
    night.house.exemptions = (Exemption(CONTROL.id, target, "ann", "because", NOW + DAY),)
    night.hears()
    assert told == len(night.house.alerts.letters)


def test_of_many_critical_deeds_of_one_actor_the_rest_comes_in_one_digest() -> None:
    night = Night(House(control=replace(ANNOUNCES, severity=Severity.CRITICAL)))
    outcomes = [night.hears(number=one, after=5 * MINUTE + timedelta(seconds=one)) for one in range(8)]
    assert ["told"] * 6 + ["listed"] * 2 == outcomes
    assert 2 == night.house.engine.digest(ACCOUNT, now=NOW + 10 * MINUTE)
