"""What is counted in a clock hour: one item an hour, and an attribute of it for each counter. Pure.

A wake asks for four counters, and each item that it asks for costs a unit of a consistent read, also one that is not
there. In one item they cost one, and all that a repair counts in is one write with one condition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from plumbline.adapters.items import account_key, epoch, key_of, number
from plumbline.findings.budgets import LETTERS, Budget
from plumbline.findings.packed import Item
from plumbline.findings.schema import ITS_VALUE, SAYS_IT

#: Begins the attribute of each counter, so that none is taken for another attribute of the item.
_COUNT = "n#"


def hour_key(counter: str, now: datetime, letter_hours: int) -> str:
    """Where a counter of this clock hour stands; of alerts several hours may count as one (see Letters.hours)."""
    hours = letter_hours if counter == LETTERS else 1
    return f"spent#{now.replace(hour=now.hour - now.hour % hours):%Y-%m-%dT%H}"


def keys_of(control: str, budget: Budget, now: datetime, letter_hours: int) -> Sequence[str]:
    """Where the counters that bear on a wake stand, each item once."""
    names = (one for one in _names(control, budget).values() if one)
    return tuple(dict.fromkeys(hour_key(name, now, letter_hours) for name in names))


def counts_in(
    items: Mapping[str, Item], control: str, budget: Budget, now: datetime, letter_hours: int
) -> dict[str, Any]:
    """What the counters that bear on a wake say, by the names that a Brief gives them."""
    return {
        name: counted(items.get(hour_key(counter, now, letter_hours))).get(counter, 0)
        for name, counter in _names(control, budget).items()
    }


def counted(item: Item | None) -> dict[str, int]:
    """All that was counted in an hour, by counter."""
    return {
        name.removeprefix(_COUNT): int(value["N"]) for name, value in (item or {}).items() if name.startswith(_COUNT)
    }


def count(
    table: str, account: str, counts: Iterable[tuple[str, int | None]], now: datetime, letter_hours: int
) -> list[dict[str, Any]]:
    """The writes of a transaction that count one more in each counter, where each has room for it.

    Args:
        table: the ledger's name.
        account: whose counters.
        counts: each with the most that it may come to, the one more included; None where that is any number.
        now: the time, in UTC.
        letter_hours: how many clock hours count as one, for alerts.
    """
    together: dict[str, list[tuple[str, int | None]]] = {}
    for name, most in counts:
        together.setdefault(hour_key(name, now, letter_hours), []).append((name, most))
    until = number(epoch(now + timedelta(hours=letter_hours + 1)))
    return [
        {"Update": {"TableName": table, "Key": key_of(account_key(account), sk), **_one_more(counters, until)}}
        for sk, counters in together.items()
    ]


def none_yet(counter: str, until: datetime) -> dict[str, Any]:
    """The update after which a counter begins anew; the item is kept until then."""
    return {
        "UpdateExpression": f"SET #c = :none, expires = :expires, {SAYS_IT}",
        "ExpressionAttributeNames": {"#c": f"{_COUNT}{counter}"},
        "ExpressionAttributeValues": {":none": number(0), ":expires": number(epoch(until)), **ITS_VALUE},
    }


def _names(control: str, budget: Budget) -> dict[str, str]:
    return {
        "spent": control,
        "spent_in_all": budget.of_all,
        "spent_by_actor": budget.of_actor,
        "letters": budget.letters,
    }


def _one_more(counters: Sequence[tuple[str, int | None]], until: Mapping[str, str]) -> dict[str, Any]:
    names = {f"#c{place}": f"{_COUNT}{name}" for place, (name, _) in enumerate(counters)}
    adds = ", ".join(f"{one} :one" for one in names)
    # Two settles at once read the same count; only as many as the budget has room for may write.
    room = {place: most for place, (_, most) in enumerate(counters) if most is not None}
    conditions = [f"(attribute_not_exists(#c{place}) OR #c{place} < :m{place})" for place in room]
    return {
        "UpdateExpression": f"ADD {adds} SET expires = :expires, {SAYS_IT}",
        **({"ConditionExpression": " AND ".join(conditions)} if conditions else {}),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {
            ":one": number(1),
            ":expires": until,
            **{f":m{place}": number(most) for place, most in room.items()},
            **ITS_VALUE,
        },
    }
