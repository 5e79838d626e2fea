"""How far sweeps have come, one item each: their pieces end in any order, and add to it what they have done.

And what they need not look at again yet: one item for each control that says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from plumbline.adapters.items import account_key, epoch, key_of, number, readable, string
from plumbline.adapters.table_calls import TableCalls
from plumbline.core.errors import TooLarge
from plumbline.findings.packed import Item, body, checked, text_of
from plumbline.findings.schema import ITS_VALUE, SAYS_IT
from plumbline.findings.sweeps import Lasts, Sweep

#: Longer than any sweep goes on, or anybody wants to know of it.
_KEPT = timedelta(days=2)
_PREFIX, _PLACE, _LASTING = "sweep#", "at", "lasting#"


@dataclass(frozen=True, slots=True)
class Sweeps:
    """The sweeps of the last two days.

    Attributes:
        calls: to the ledger's table.
    """

    calls: TableCalls

    def goes_on(self, account: str, sweep: Sweep) -> Sweep:
        """Add to what is known of a sweep; adding twice is adding once.

        Args:
            account: whose.
            sweep: its name and the count of its pieces; what has become done or blind, and where pieces are.

        Returns:
            all that is known of it now.

        Raises:
            LedgerDown: it cannot be written.
        """
        request = {
            "TableName": self.calls.name,
            "Key": key_of(account_key(account), f"{_PREFIX}{sweep.name}"),
            **_update(sweep),
            "ReturnValues": "ALL_NEW",
        }
        return _sweep_in(self.calls.perform("UpdateItem", request)["Attributes"], sweep.name)

    def known(self, account: str) -> Sequence[Sweep]:
        """Each, the latest first.

        Raises:
            LedgerDown: they cannot be read.
        """
        items = self.calls.beginning(account, _PREFIX)
        found = [_sweep_in(one, one["sk"]["S"].removeprefix(_PREFIX)) for one in items]
        return sorted(found, key=lambda one: one.name, reverse=True)

    def lasting(self, account: str, control: str) -> Lasts:
        """What a control's sweeps need not look at again yet; nothing before its first one.

        Raises:
            LedgerDown: it cannot be read.
        """
        item = self.calls.one(account, f"{_LASTING}{control}")
        if item is None:
            return Lasts()
        with readable(f"what {control} need not look at"):
            return Lasts.from_json(text_of(item))

    def keep(self, account: str, control: str, lasts: Lasts) -> None:
        """Write that over what was there. What does not fit is looked at each time, as if nobody remembered.

        Raises:
            LedgerDown: it cannot be written.
        """
        item = {**key_of(account_key(account), f"{_LASTING}{control}"), **body(lasts.to_json())}
        with suppress(TooLarge):
            self.calls.perform("PutItem", {"TableName": self.calls.name, "Item": checked(item, _LASTING)})


def _update(sweep: Sweep) -> dict[str, Any]:
    sets = ["#of = :of", "expires = :expires", SAYS_IT]
    values: dict[str, Any] = {":of": number(sweep.of), ":expires": number(epoch(sweep.began + _KEPT)), **ITS_VALUE}
    for piece, where in sweep.places.items():
        sets.append(f"{_PLACE}{piece} = :{_PLACE}{piece}")
        values[f":{_PLACE}{piece}"] = string(where)
    adds = []
    for name, found in (("done", sorted(sweep.done)), ("blind", sorted(sweep.blind))):
        if found:
            adds.append(f"{name} :{name}")
            values[f":{name}"] = {"SS": found}
    return {
        "UpdateExpression": f"SET {', '.join(sets)}{' ADD ' if adds else ''}{', '.join(adds)}",
        "ExpressionAttributeNames": {"#of": "of"},  # a word of DynamoDB's own
        "ExpressionAttributeValues": values,
    }


def _sweep_in(item: Item, name: str) -> Sweep:
    with readable(f"the sweep of {name}"):
        return Sweep(
            name=name,
            of=int(item["of"]["N"]),
            done=frozenset(item.get("done", {}).get("SS", ())),
            blind=frozenset(item.get("blind", {}).get("SS", ())),
            places={key.removeprefix(_PLACE): one["S"] for key, one in item.items() if _is_place(key)},
        )


def _is_place(key: str) -> bool:
    return key.startswith(_PLACE) and key.removeprefix(_PLACE).partition("_")[0].isdigit()
