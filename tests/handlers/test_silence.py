"""That nobody hears is told through the watchdog's topic: when it begins, once a day, and when it is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from plumbline.core.errors import AwsRefusal, LedgerDown
from plumbline.findings.hearing import Hearing
from plumbline.handlers.silence import Silence
from tests.fakes import ACCOUNT, NOW, House, Letterbox

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEVER, LOST, HEARS = Hearing(None, NOW), Hearing(NOW - 9 * DAY, NOW), Hearing(NOW - 9 * DAY)


def _told(house: House, watchdog: Letterbox, *seen: tuple[timedelta, Hearing]) -> list[str]:
    silence = Silence(house.engine, watchdog)
    for after, hearing in seen:
        silence.tell(hearing, ACCOUNT, NOW + after)
    return watchdog.subjects


def test_it_is_told_when_it_begins_and_each_day_but_not_by_each_sweep() -> None:
    sweeps = [(hours * HOUR, LOST) for hours in range(49)]
    assert ["unheard: nobody hears any more"] * 3 == _told(House(), Letterbox(), *sweeps)


def test_who_reads_it_can_mend_it_and_the_alerts_topic_is_left_to_react() -> None:
    house, watchdog = House(alerts=Letterbox(unconfirmed=("security@example.com",))), Letterbox()
    _told(house, watchdog, (HOUR, NEVER))
    (letter,) = watchdog.letters
    assert "NOBODY HAS EVER CONFIRMED" in letter.body
    assert "--notification-endpoint security@example\\.com" in letter.body
    assert f"--topic-arn {house.alerts.arn}" in letter.body
    assert [] == house.alerts.letters


def test_that_somebody_hears_again_is_told_once_and_what_begins_anew_is_told_at_once() -> None:
    seen = [(0 * HOUR, LOST), (HOUR, HEARS), (2 * HOUR, HEARS), (3 * HOUR, LOST), (4 * HOUR, HEARS)]
    lost, again = "unheard: nobody hears any more", "heard: somebody hears"
    assert [lost, again, lost, again] == _told(House(), Letterbox(), *seen)


def test_somebody_who_hears_is_not_told_of_where_it_was_never_told_that_nobody_does() -> None:
    house, watchdog = House(), Letterbox()
    assert [] == _told(house, watchdog, (HOUR, HEARS))


def test_what_the_topic_does_not_take_is_told_by_the_next_sweep_its_end_too() -> None:
    house, watchdog = House(), Letterbox(down=True)
    with pytest.raises(AwsRefusal):
        _told(house, watchdog, (HOUR, LOST))
    watchdog.down = False
    _told(house, watchdog, (2 * HOUR, LOST))
    watchdog.down = True
    with pytest.raises(AwsRefusal):
        _told(house, watchdog, (3 * HOUR, HEARS))
    watchdog.down = False
    said = ["unheard: nobody hears any more", "heard: somebody hears"]
    assert said == _told(house, watchdog, (4 * HOUR, HEARS), (5 * HOUR, HEARS))


def test_a_ledger_that_is_down_has_the_piece_come_back() -> None:
    house = House()
    house.ledger.down = True
    with pytest.raises(LedgerDown):
        _told(house, Letterbox(), (HOUR, LOST))
