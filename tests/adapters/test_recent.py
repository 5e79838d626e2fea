"""What the week's e-mail asks for: what is open, and what was closed in two weeks, however much was before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import boto3

from plumbline.adapters.dynamodb import Table
from plumbline.core.cause import Origin
from plumbline.core.control import Deviation
from plumbline.findings.finding import DIGEST, Finding, Status, open_finding
from tests.fakes import ACCOUNT, LAMP, MALLORY, NOW

DAY = timedelta(days=1)


def _found(name: str, days_ago: int, before: Finding | None = None) -> Finding:
    return open_finding(
        "lamp-off", replace(LAMP, id=name), Deviation("is on", ("a",)), origin=Origin.EVENT, cause=MALLORY,
        now=NOW - days_ago * DAY, before=before,
    )  # fmt: skip


def _closed(table: Table, found: Finding, days_ago: int) -> Finding:
    at = NOW - days_ago * DAY
    return table.save(replace(table.save(found, now=at), status=Status.REPAIRED, closed_at=at, due=None), now=at)


def test_what_was_closed_lately_and_what_is_open_is_told_and_nothing_else(table: Table) -> None:
    _closed(table, _found("long ago", 40), 30)
    _closed(table, _found("lately", 40), 3)
    earlier = _closed(table, _found("again", 10), 9)
    table.save(_found("again", 1, earlier), now=NOW, bury=earlier)
    table.save(_found("old and open", 90), now=NOW)
    found = table.recent(ACCOUNT, NOW - 14 * DAY)
    assert ["again", "again", "lately", "old and open"] == sorted(one.target.id for one in found)
    assert ["again", "old and open"] == sorted(one.target.id for one in table.open_findings(ACCOUNT))


def test_what_is_over_and_waits_for_a_digest_is_told_too(table: Table) -> None:
    over = replace(_found("hall", 90), status=Status.RESOLVED, closed_at=NOW - 80 * DAY, outbox=f"{DIGEST}resolved")
    table.save(over, now=NOW)
    assert ["hall"] == [one.target.id for one in table.recent(ACCOUNT, NOW - 14 * DAY)]
    assert ["hall"] == [one.target.id for one in table.awaiting_digest(ACCOUNT)]


def test_only_what_waits_for_a_digest_is_read_for_it_and_what_an_earlier_version_wrote(table: Table) -> None:
    for name, outbox in (("waits", f"{DIGEST}opened"), ("told", "")):
        table.save(replace(_found(name, 1), outbox=outbox), now=NOW)
    client = boto3.client("dynamodb", region_name="us-east-1")
    items = {one["sk"]["S"].rpartition("/")[2]: one for one in client.scan(TableName="ledger")["Items"]}
    assert {"waits": {"N": "1"}, "told": {"N": "0"}} == {name: one["owed"] for name, one in items.items()}
    assert ["waits"] == [one.target.id for one in table.awaiting_digest(ACCOUNT)]
    for item in items.values():
        client.put_item(TableName="ledger", Item={name: value for name, value in item.items() if name != "owed"})
    assert ["waits"] == [one.target.id for one in table.awaiting_digest(ACCOUNT)]
