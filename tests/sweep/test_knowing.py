"""What the ledger knows is read once for pieces that follow each other, and again when something was written."""

from __future__ import annotations

from datetime import timedelta

from plumbline.findings.adoption import Adoption
from plumbline.sweep.knowing import Knowing
from tests.fakes import NOW
from tests.sweep.test_cut import LAMPS, UNIT, Place

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


class _Asked:
    """A ledger that counts how often it is asked what is open."""

    def __init__(self, place: Place) -> None:
        self.ledger, self.times = place.house.ledger, 0

    def __getattr__(self, name: str) -> object:
        self.times += name == "open_findings"
        return getattr(self.ledger, name)


def test_it_is_read_once_a_minute_and_when_the_clock_has_jumped() -> None:
    place = Place()
    asked = _Asked(place)
    knowing = Knowing(place.plumbline.engine, asked)  # type: ignore[arg-type]
    found = []
    for at in (NOW, NOW + 59 * SECOND, NOW + MINUTE, NOW + MINUTE - SECOND, NOW + MINUTE):
        knowing.of(UNIT, at)
        found.append(asked.times)
    assert found == [1, 1, 2, 3, 3]


def test_what_one_piece_has_written_the_next_one_knows() -> None:
    """The first sweep of a control has come as far as that; a run that did not know it would begin anew."""
    place = Place()
    knowing = place.plumbline.knowing()
    assert knowing.of(UNIT, NOW)["lamp-off"].adoption == Adoption()
    place.look(UNIT)
    assert knowing.of(UNIT, NOW)["lamp-off"].adoption == Adoption()
    knowing.forget()
    assert len(LAMPS) == len(knowing.of(UNIT, NOW)["lamp-off"].adoption.pending)


def test_a_run_that_has_written_reads_it_again_for_its_next_piece() -> None:
    place = Place()
    sweeper = place.sweeper()
    sweeper.piece(UNIT.to_json())
    place.house.aws.lamps["lamp-000"]["on"] = []
    sweeper.piece(UNIT.to_json())
    assert len(LAMPS) - 1 == len(place.adoptions["lamp-off"].pending), "what is in line by now no longer waits"
