"""What stands in the ledger, or in a message, is believed only where somebody can have put it there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.core.cause import Origin
from plumbline.core.targets import Target
from plumbline.decisions.credible import believed, doubt, ends
from plumbline.decisions.exemptions import Exemption
from plumbline.decisions.pauses import Pause
from plumbline.findings.adoption import Adoption, mark
from plumbline.handlers import exemption_notices
from plumbline.wakes import messages
from plumbline.wakes.messages import Wake
from tests.fakes import CONTROL, LAMP, NOW, House

DAY = timedelta(days=1)
GRANTED = Exemption("lamp-off", str(LAMP), "ann", "party", NOW + 7 * DAY, "X7F3K")


@pytest.mark.parametrize(
    ("exemption", "why"),
    [
        (GRANTED, ""),
        (replace(GRANTED, until=NOW + 90 * DAY), ""),
        (replace(GRANTED, until=(NOW + 90 * DAY).replace(hour=23, minute=59, second=59)), ""),
        (replace(GRANTED, until=NOW + 91 * DAY), "it ends on 2026-06-01, and 90 days are the most that baseline.yaml"),
        (replace(GRANTED, until=NOW.replace(year=9999)), "it ends on 9999-03-02, and 90 days are the most"),
        (replace(GRANTED, owner=" "), "it has no owner"),
        (replace(GRANTED, reason=""), "it gives no reason"),
        (replace(GRANTED, owner="", until=NOW), ""),
    ],
)
def test_an_exemption_that_no_command_can_have_made_exempts_nothing(exemption: Exemption, why: str) -> None:
    assert doubt(exemption, 90, NOW).startswith(why)
    assert bool(why) == bool(doubt(exemption, 90, NOW))
    house = House()
    house.ledger.exemptions.append(exemption)
    assert ("repaired" if why or exemption.until <= NOW else "exempt") == house.settle()


@given(days=st.integers(1, 400), most=st.integers(1, 365), owner=st.text(max_size=3), reason=st.text(max_size=3))
def test_whatever_the_command_takes_is_believed_and_nothing_longer(
    days: int, most: int, owner: str, reason: str
) -> None:
    one = replace(GRANTED, until=NOW + days * DAY, owner=owner, reason=reason)
    can_be = bool(days <= most and owner.strip() and reason.strip())
    assert can_be == bool(believed([one], most, NOW))


@pytest.mark.parametrize(("days", "held"), [(7, True), (8, False), (3000, False)])
def test_a_pause_that_no_command_can_have_made_holds_nothing_back(days: int, held: bool) -> None:  # noqa: FBT001
    house = House()
    house.ledger.pauses["*"] = Pause(NOW + days * DAY, "x")
    assert held == bool(ends(house.ledger.pauses, 7, NOW))  # type: ignore[arg-type]
    assert ("told" if held else "repaired") == house.settle()


# --- it is told ------------------------------------------------------------------------------------------------------


def _written_by_hand(many: int = 1) -> House:
    house = House()
    for number in range(many):
        house.ledger.exemptions.append(replace(GRANTED, id=f"X{number:04}", until=NOW.replace(year=9999)))
    house.ledger.pauses["*"] = Pause(NOW.replace(year=2999), "x")
    return house


def test_what_is_not_believed_is_told_in_one_mail_that_names_it_all_once_a_week() -> None:
    house = _written_by_hand(many=30)
    assert 1 == exemption_notices.tell_due(house.plumbline, now=NOW)
    assert 0 == exemption_notices.tell_due(house.plumbline, now=NOW + 6 * DAY)
    assert 1 == exemption_notices.tell_due(house.plumbline, now=NOW + 7 * DAY)
    assert ["not believed: 31 decisions"] * 2 == house.alerts.subjects
    text = " ".join(house.alerts.letters[0].body.split())
    assert f"1. exemption X0000 of {LAMP} from lamp-off: it ends on 9999-03-02" in text
    assert "and 11 more" in text


def test_something_new_is_told_at_once() -> None:
    house = _written_by_hand()
    exemption_notices.tell_due(house.plumbline, now=NOW)
    house.ledger.exemptions.append(replace(GRANTED, id="XNEW", owner="", until=NOW + 30 * DAY))
    assert 1 == exemption_notices.tell_due(house.plumbline, now=NOW + DAY)
    assert "it has no owner" in " ".join(house.alerts.letters[-1].body.split())


def test_the_answers_say_so() -> None:
    house = _written_by_hand()
    status, listed = (" ".join(house.type(one).text.split()) for one in ("status", "exemptions"))
    assert "NOT BELIEVED" in status
    assert "pause of all repairs: it ends on 2999-03-02" in status
    assert "PAUSED" not in status
    assert "NOT BELIEVED, and so without effect: it ends on 9999-03-02" in listed
    house.settle()
    assert "Exempt" not in house.type("show", house.finding.short).text


def test_it_can_be_ended_like_any_other() -> None:
    house = _written_by_hand()
    assert house.type("unexempt", "X0000").ok
    assert house.type("resume").ok
    assert 0 == exemption_notices.tell_due(house.plumbline, now=NOW)


# --- what messages say of themselves ---------------------------------------------------------------------------------


def _swept(pending: frozenset[str] = frozenset()) -> House:
    house = House()
    house.ledger.marks["lamp-off"] = Adoption(mark(house.engine.rule("lamp-off")), pending).to_json()
    return house


def test_no_message_gives_a_grace_that_the_ledger_does_not_know_of() -> None:
    house = _swept()
    house.settle(origin=Origin.ADOPTION)
    assert (Origin.SWEEP, None) == (house.finding.origin, house.finding.grace_until)
    waits = _swept(frozenset({str(LAMP)}))
    waits.settle(origin=Origin.ADOPTION)
    assert (Origin.ADOPTION, True) == (waits.finding.origin, waits.finding.grace_until is not None)


def test_before_its_first_sweep_everything_of_a_control_has_the_grace() -> None:
    assert Adoption().knows(LAMP, House().engine.rule("lamp-off"))
    other = Adoption("another rule")
    assert other.knows(LAMP, House().engine.rule("lamp-off"))


def test_a_pattern_waits_while_any_target_does() -> None:
    rule, every = House().engine.rule("lamp-off"), Target(LAMP.account, LAMP.region, "*", "*")
    known = [Adoption(mark(rule), frozenset(pending)).knows(every, rule) for pending in ((), (str(LAMP),))]
    assert [False, True] == known


@pytest.mark.parametrize("claimed", list(Origin))
def test_only_awss_own_event_says_that_something_was_announced(claimed: Origin) -> None:
    body = Wake("lamp-off", LAMP, claimed).to_json()
    (wake,) = messages.read(body, {"lamp-off": CONTROL})
    assert (Origin.ADOPTION if claimed is Origin.ADOPTION else Origin.SWEEP) == wake.origin
