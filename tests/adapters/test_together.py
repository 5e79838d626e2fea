"""Many findings in few calls: those that somebody else has written meanwhile are left, and all others are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from plumbline.adapters import dynamodb
from plumbline.core.cause import Origin
from plumbline.core.control import Deviation
from plumbline.findings.finding import DIGEST, Finding, open_finding
from tests.fakes import ACCOUNT, LAMP, MALLORY, NOW
from tests.table import Table


class Counted:
    """A ledger, and how often it is written to."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        double = Table("ledger", self._seen)
        self.table = dynamodb.Table(lambda *_: double, "ledger", "us-east-1")

    def _seen(self, operation: str, _request: Mapping[str, Any]) -> None:
        self.calls.append(operation)


def _found(number: int) -> Finding:
    return open_finding(
        "lamp-off", replace(LAMP, id=f"lamp-{number}"), Deviation("is on", ("a",)), origin=Origin.EVENT,
        cause=MALLORY, now=NOW, before=None,
    )  # fmt: skip


def test_a_hundred_and_twenty_are_three_calls() -> None:
    ledger = Counted()
    saved = ledger.table.save_all([_found(number) for number in range(120)], now=NOW)
    assert ["TransactWriteItems"] * 3 == ledger.calls
    assert [replace(_found(number), version=1) for number in range(120)] == saved
    assert 120 == len(ledger.table.open_findings(ACCOUNT))


def test_what_somebody_else_has_written_is_left_and_all_others_are_written() -> None:
    ledger = Counted()
    ledger.table.save(replace(_found(3), then="somebody else's"), now=NOW)
    saved = ledger.table.save_all([_found(number) for number in range(10)], now=NOW)
    assert {f"lamp-{number}" for number in range(10)} - {"lamp-3"} == {one.target.id for one in saved}
    (kept,) = (one for one in ledger.table.open_findings(ACCOUNT) if one.target.id == "lamp-3")
    assert "somebody else's" == kept.then


def test_two_lives_of_one_target_are_never_in_one_transaction() -> None:
    ledger = Counted()
    current = ledger.table.save(replace(_found(1), outbox=f"{DIGEST}opened"), now=NOW)
    earlier = replace(current, id="EARLIER", version=9)
    assert [current.id] == [one.id for one in ledger.table.save_all([earlier, current], now=NOW)]
