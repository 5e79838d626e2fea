"""A repair whose second look AWS refuses: told as made and not seen, open until it is seen, and never lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from plumbline.baseline.rules import Letters
from plumbline.core.cause import Origin
from plumbline.core.clock import Clock
from plumbline.core.errors import AwsRefusal
from plumbline.decisions.exemptions import Exemption
from plumbline.findings.finding import LEASE, Status
from plumbline.wakes.messages import Wake
from tests.fakes import LAMP, MALLORY, NOW, House

HOUR = timedelta(hours=1)
AT_ONCE = {"default": Clock(escalate=timedelta(hours=2), act=timedelta(0))}


def _made(code: str = "Throttling", **more: object) -> House:
    """The write succeeds, and the look after it is refused."""
    house = House(**more)  # type: ignore[arg-type]
    house.aws.fails["GetLamp"] = ["", code]
    assert house.settle() == "repaired unseen"
    return house


def _told(house: House) -> list[str]:
    return [subject.split(":")[0] for subject in house.alerts.subjects]


@pytest.mark.parametrize(("code", "again"), [("Throttling", True), ("AccessDenied", False)])
def test_it_is_told_as_made_with_its_undo_and_stays_open(code: str, again: bool) -> None:  # noqa: FBT001
    house = House()
    house.aws.fails["GetLamp"] = ["", code]
    settled = house.engine.settle(Wake("lamp-off", LAMP, Origin.EVENT, MALLORY), now=NOW)
    (alert,) = house.alerts.letters
    body = " ".join(alert.body.split())
    assert ("repaired unseen: lamp hall is on (by mallory)", "repaired-unseen") == (
        house.alerts.subjects[0], alert.attributes["outcome"],
    )  # fmt: skip
    assert "AWS accepted every change, and does not show how it is now." in body
    assert f"plumbline undo {house.finding.short}" in body
    assert (again, True, NOW + HOUR) == (settled.again, house.finding.is_open, house.finding.due)
    (repair,) = house.finding.repairs
    assert (1, 1, "", False) == (repair.done, len(repair.undo), repair.error, repair.looked)
    assert f"({code}): looked at again every hour" in house.finding.then


def test_once_it_is_seen_in_line_it_is_told_as_repaired_and_closed() -> None:
    house = _made()
    assert house.settle(now=NOW + 9 * HOUR) == "repaired"
    assert (Status.REPAIRED, None) == (house.finding.status, house.finding.unseen)
    assert ["repaired unseen", "repaired"] == _told(house)
    assert ["SwitchOff a"] == house.aws.writes
    assert house.type("undo", house.finding.id).ok


def test_once_it_is_seen_to_be_still_so_it_is_repaired_again() -> None:
    house = _made()
    house.aws.lamps["hall"]["on"] = ["a"]
    assert house.settle(now=NOW + HOUR) == "repaired"
    assert (["SwitchOff a"] * 2, 2) == (house.aws.writes, len(house.finding.repairs))
    assert ["repaired unseen", "repaired"] == _told(house)


def test_where_it_is_still_so_and_something_holds_it_back_it_is_told_as_not_converged() -> None:
    house = _made()
    house.aws.lamps["hall"]["on"] = ["a"]
    house.exemptions = (Exemption("*", str(LAMP), "ann", "why", NOW + 99 * HOUR),)
    assert house.settle(now=NOW + HOUR) == "exempt"
    assert ["repaired unseen", "not converged"] == _told(house)


def test_as_long_as_nobody_can_look_it_stays_made_and_is_escalated_in_its_time() -> None:
    house = _made("AccessDenied", clocks=AT_ONCE)
    house.aws.fails["GetLamp"] = ["AccessDenied"] * 99
    outcomes = [house.settle(origin=Origin.SWEEP, now=NOW + hours * HOUR) for hours in (1, 3, 4)]
    assert (["unknown"] * 3, True) == (outcomes, house.finding.is_made_unseen)
    assert ["repaired unseen", "escalated"] == _told(house)
    last = house.alerts.letters[-1]
    assert "nobody has been able to look at it since" in " ".join(last.body.split())
    assert f"plumbline undo {house.finding.short}" in last.body
    house.aws.fails.clear()
    assert house.settle(now=NOW + 9 * HOUR) == "repaired"
    assert ["SwitchOff a"] == house.aws.writes


def test_where_the_alert_does_not_leave_whoever_takes_over_tells() -> None:
    house = House()
    house.aws.fails["GetLamp"] = ["", "Throttling"]
    house.alerts.down = True
    with pytest.raises(AwsRefusal):
        house.settle()
    house.alerts.down = False
    assert house.settle(now=NOW + LEASE) == "repaired"
    assert (["SwitchOff a"], ["repaired"]) == (house.aws.writes, _told(house))


def test_where_it_waits_for_the_digest_it_is_made_unseen_all_the_same() -> None:
    house = House(letters=Letters(per_hour=0))
    house.aws.fails["GetLamp"] = ["", "Throttling"]
    assert house.settle() == "repaired unseen"
    assert ([], True, True) == (_told(house), house.finding.awaits_digest, house.finding.is_made_unseen)
    assert house.settle(now=NOW + HOUR) == "repaired"


def test_a_second_try_that_nobody_saw_is_told_as_repaired_however_long_ago_the_first_was_told_as_in_vain() -> None:
    house = House()
    house.aws.sticky = True
    assert [house.settle(now=NOW + timedelta(minutes=one)) for one in (0, 1)] == ["not converged"] * 2
    house.aws.sticky = False
    house.aws.fails["GetLamp"] = ["", "Throttling"]
    assert house.settle(now=NOW + 2 * HOUR) == "repaired unseen"
    assert house.settle(now=NOW + 9 * HOUR) == "repaired"
    assert ["not converged", "repaired unseen", "repaired"] == _told(house)
