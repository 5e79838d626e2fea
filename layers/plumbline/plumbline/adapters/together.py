"""Many findings written at once: a command that changes a thousand has no time for a thousand calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime

from plumbline.adapters.items import Renamed, began, item_of, unchanged
from plumbline.adapters.table_calls import TableCalls
from plumbline.core.errors import Conflict, TooLarge
from plumbline.findings.finding import Finding, next_version
from plumbline.findings.packed import Item, size_of

#: Writes and bytes of one transaction. Source: DynamoDB API reference, TransactWriteItems: 100 and 4 MB.
_MOST, _LARGEST = 50, 2_000_000


def save_all(
    calls: TableCalls,
    renamed: Renamed,
    findings: Sequence[Finding],
    now: datetime,
    save: Callable[[Finding], Finding],
) -> list[Finding]:
    """Write findings over the versions they were read in; those that nobody else has written meanwhile.

    Args:
        calls: to the ledger's table.
        renamed: earlier id of a control -> the one it has today.
        findings: what to write.
        now: the time of the write.
        save: writes one, where a transaction failed because of any of them.

    Raises:
        LedgerDown: the ledger cannot be used; some may have been written.
    """
    saved: list[Finding] = []
    items = {one.id: item_of(began(next_version(one), renamed), now) for one in findings}
    for together in _divided(findings, items):
        try:
            calls.written([calls.put(items[one.id], unchanged(one.version)) for one in together])
            saved += map(next_version, together)
        except (Conflict, TooLarge):
            for one in together:
                with suppress(Conflict):
                    saved.append(save(one))
    return saved


def _divided(findings: Sequence[Finding], items: dict[str, Item]) -> Iterator[list[Finding]]:
    """As many at a time as one transaction takes."""
    together: list[Finding] = []
    keys: set[str] = set()
    size = 0
    for one in findings:
        item = items[one.id]
        # of one target two lives may wait for a digest, and a transaction writes no item twice
        is_full = len(together) == _MOST or size + size_of(item) > _LARGEST or item["sk"]["S"] in keys
        if together and is_full:
            yield together
            together, keys, size = [], set(), 0
        together.append(one)
        keys.add(item["sk"]["S"])
        size += size_of(item)
    if together:
        yield together
