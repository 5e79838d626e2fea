"""A digest of very many: marked before it is sent, told once, and written down in as many goes as it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from plumbline.core.cause import Origin
from plumbline.core.errors import AwsRefusal, LedgerDown
from plumbline.engine import digests
from plumbline.engine.digests import Digests
from plumbline.findings.digested import Digested
from plumbline.findings.finding import DIGEST, LEASE, Finding
from tests.fakes import LAMP, NOW, House, Letterbox, Memory

HOUR = timedelta(hours=1)


class Killed(BaseException):
    """The process is gone."""


class Mortal(Memory):
    """A ledger whose user is killed before one of his writes."""

    writes_left = 10**9

    def _dies(self) -> None:
        self.writes_left -= 1
        if self.writes_left < 0:
            raise Killed

    def save(self, finding: Finding, **how: object) -> Finding:
        """See Memory."""
        self._dies()
        return super().save(finding, **how)  # type: ignore[arg-type]

    def note_digested(self, _account: str, digested: Digested) -> None:
        """See Memory."""
        self._dies()
        super().note_digested(_account, digested)


@pytest.fixture
def house() -> House:
    """Ten lamps of which a digest has to tell."""
    house = House(ledger=Mortal())
    house.settle(origin=Origin.SWEEP)
    (one,) = house.ledger.findings.values()
    for number in range(10):
        target = replace(LAMP, id=f"lamp-{number}")
        waits = replace(
            one, id=f"F{number:09}", target=target, outbox=f"{DIGEST}opened", told=(), version=1, lease=None
        )
        house.ledger.findings[(one.control, target)] = waits
    del house.ledger.findings[(one.control, LAMP)]
    house.alerts.letters.clear()
    return house


def _digest(house: House, after: timedelta = timedelta(0)) -> int:
    return house.engine.digest(LAMP.account, now=NOW + after)


def _untold(house: House) -> int:
    return sum(one.awaits_digest for one in house.ledger.findings.values())


@pytest.mark.parametrize("writes", range(13))
def test_it_comes_once_wherever_the_process_dies_and_twice_where_nobody_knows_that_it_was_sent(
    house: House, writes: int
) -> None:
    house.ledger.writes_left = writes  # type: ignore[attr-defined]
    with pytest.raises(Killed) if writes < 12 else _nothing():
        _digest(house)
    house.ledger.writes_left = 10**9  # type: ignore[attr-defined]
    for hours in (1, 2, 3):
        _digest(house, hours * HOUR)
    assert (2 if writes == 1 else 1) == len(house.alerts.letters), "between the letter and the note of it is one write"
    assert 0 == _untold(house)
    assert {("opened",)} == {one.told for one in house.ledger.findings.values()}


class _nothing:  # noqa: N801 - stands where pytest.raises stands
    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, *_: object) -> None:
        """Nothing."""


def test_one_call_writes_down_as_many_as_it_has_time_for_and_the_next_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "MOST_RECORDED", 4)
    assert [10, 0, 0] == [_digest(house, hours * HOUR) for hours in range(3)]
    recorder = Digests(house.engine.notifier)
    recorder.recorded(LAMP.account, now=NOW + 3 * HOUR, most=4)
    recorder.recorded(LAMP.account, now=NOW + 4 * HOUR, most=4)
    assert (1, 0) == (len(house.alerts.letters), _untold(house))
    recorder.recorded(LAMP.account, now=NOW + 5 * HOUR)
    assert Digested() == house.ledger.digested(LAMP.account)


def test_what_comes_while_the_last_one_is_written_down_is_told_by_itself(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "MOST_RECORDED", 2)
    assert 10 == _digest(house)
    key = next(iter(house.ledger.findings))
    fresh = replace(house.ledger.findings[key], id="NEW", target=replace(LAMP, id="new"), outbox=f"{DIGEST}opened")
    house.ledger.findings[(key[0], fresh.target)] = replace(fresh, told=(), version=7)
    assert 1 == _digest(house, HOUR)
    assert ["digest: 10 things", "digest: 1 thing"] == [
        one.partition(" in")[0].partition(",")[0] for one in house.alerts.subjects
    ]


def test_the_grace_begins_with_the_letter_however_late_it_is_written_down(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, one in house.ledger.findings.items():
        adopted = replace(one, adopted=one.deviation.items, unheard=True, grace_until=NOW + HOUR)
        house.ledger.findings[key] = adopted
    monkeypatch.setattr(digests, "MOST_RECORDED", 3)
    for hours in range(8):
        _digest(house, hours * HOUR)
    grace = house.engine.notifier.grace
    assert {NOW + grace} == {one.grace_until for one in house.ledger.findings.values()}


@pytest.mark.parametrize(
    ("breaks", "error"), [(lambda house: setattr(house.alerts, "down", True), AwsRefusal)], ids=["sns"]
)
def test_what_was_marked_and_not_sent_is_told_by_the_next(
    house: House, breaks: Callable[[House], None], error: type[Exception]
) -> None:
    breaks(house)
    with pytest.raises(error):
        _digest(house)
    assert 10 == _untold(house)
    house.alerts.down = False
    assert 10 == _digest(house, LEASE)
    assert 1 == len(house.alerts.letters)


def test_what_cannot_be_marked_is_not_sent(house: House) -> None:
    class Broken(Letterbox):
        """A topic that nobody may reach."""

    house.alerts = Broken()
    house.ledger.note_digested = _refuse  # type: ignore[method-assign,assignment]
    with pytest.raises(LedgerDown):
        _digest(house)
    assert [] == house.alerts.letters


def _refuse(_account: str, _digested: Digested) -> None:
    raise LedgerDown("no")


def test_what_is_settled_between_the_letter_and_the_note_is_told_as_it_is_by_then(house: House) -> None:
    house.ledger.writes_left = 4  # type: ignore[attr-defined]
    with pytest.raises(Killed):
        _digest(house)
    house.ledger.writes_left = 10**9  # type: ignore[attr-defined]
    key, one = next((key, one) for key, one in house.ledger.findings.items() if one.awaits_digest)
    house.ledger.findings[key] = replace(one, version=one.version + 1, outbox=f"{DIGEST}escalated")
    assert 1 == _digest(house, HOUR)
    assert (2, 0) == (len(house.alerts.letters), _untold(house))
