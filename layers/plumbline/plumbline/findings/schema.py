"""Which form an item of the ledger has: each says so, and one of a later form is refused rather than misread. Pure.

An upgrade changes what functions read while the items stay. What has no version was written by version 0.1 of
Plumbline, whose form is the first. Whoever deploys an earlier version over a later one finds items that it cannot know;
taken for what it knows, a repair could be lost, or made twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from plumbline.core.errors import LedgerDown
from plumbline.findings.packed import Item

#: The form of an item that says nothing else.
VERSION = 1
#: That of the list of exemptions, since each of them has an item of its own: who looked for all of them in the list
#: would repair what is exempt. One more whenever an item gets a meaning that earlier versions would misread.
ITEM_EACH = 2
_KNOWN = max(VERSION, ITEM_EACH)
#: The attribute; DynamoDB charges by names as well.
NAME = "v"
VALUE: Mapping[str, str] = {"N": str(VERSION)}


def stamped(item: Item) -> Item:
    """An item that says which form it has: the first, where it does not say it already."""
    return {NAME: VALUE, **item}


def stamped_all(operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """A call of DynamoDB whose items say which form they have. Updates say it themselves: see `SAYS_IT`."""
    if operation == "PutItem":
        return {**parameters, "Item": stamped(parameters["Item"])}
    if operation == "TransactWriteItems":
        writes = [
            {"Put": {**one["Put"], "Item": stamped(one["Put"]["Item"])}} if "Put" in one else one
            for one in parameters["TransactItems"]
        ]
        return {**parameters, "TransactItems": writes}
    return parameters


#: What an update sets beside its own, and the value that belongs to it.
SAYS_IT, ITS_VALUE = f"{NAME} = :{NAME}", {f":{NAME}": VALUE}


def refuse_later(items: Iterable[Item]) -> None:
    """Refuse items that a later version of Plumbline wrote.

    Args:
        items: as DynamoDB gives them, or its stream; those of version 0.1 say nothing of their form.

    Raises:
        LedgerDown: one of them has a later form.
    """
    for one in items:
        if int(one.get(NAME, VALUE)["N"]) > _KNOWN:
            raise LedgerDown(
                f"a later version of Plumbline wrote {one['sk']['S'] if 'sk' in one else 'an item'} into the ledger, "
                f"in form {one[NAME]['N']}, and this one knows {_KNOWN}; nothing is repaired. Deploy the later version"
                " again"
            )


def items_of(answer: Mapping[str, Any]) -> Iterable[Item]:
    """The items in an answer of GetItem, BatchGetItem or Query."""
    yield from answer.get("Items", ())
    yield from ([answer["Item"]] if "Item" in answer else ())
    for found in answer.get("Responses", {}).values():
        yield from found
