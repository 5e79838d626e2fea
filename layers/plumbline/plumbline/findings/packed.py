"""The text in an item: plain while it is short, compressed where it would not be. Pure.

DynamoDB takes items of 400 KB, names included, and charges by size. A state that tells of hundreds of holders is long
and repeats itself, so that it compresses to a tenth. What is short stays readable for whoever looks into the table.
Source: DynamoDB Developer Guide, "Quotas in Amazon DynamoDB" and "DynamoDB item sizes and formats".
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any

from plumbline.core.errors import TooLarge

Item = Mapping[str, Mapping[str, Any]]

#: Bytes of an item. The documentation's limit, read as thousands: what lies between is not worth being wrong about.
LARGEST = 400_000
#: Characters up to which a text stays as it is: two units of a consistent read.
_PLAIN = 8_000
_BODY, _PACKED = "body", "packed"


def body(text: str) -> dict[str, Mapping[str, Any]]:
    """A text as an attribute of an item."""
    if len(text) <= _PLAIN:
        return {_BODY: {"S": text}}
    return {_PACKED: {"B": zlib.compress(text.encode(), 6)}}


def text_of(item: Item) -> str:
    """The text in an item, as a client gives it or as a stream delivers it to a function.

    Raises:
        KeyError, ValueError: there is none, or it cannot be unpacked.
    """
    if _BODY in item:
        text: str = item[_BODY]["S"]
        return text
    packed = item[_PACKED]["B"]
    # A function gets the stream's binary values in base64. Source: Lambda Developer Guide, "DynamoDB Streams".
    data = base64.b64decode(packed) if isinstance(packed, str) else bytes(packed)
    try:
        return zlib.decompress(data).decode()
    except zlib.error as error:
        raise ValueError(f"the packed body cannot be unpacked: {error}") from error


def size_of(item: Item) -> int:
    """The bytes of an item as DynamoDB counts them: names and values, numbers by their digits."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def checked(item: Item, what: str, largest: int = LARGEST) -> Item:
    """The item, if DynamoDB takes one as large.

    Args:
        item: what is about to be written.
        what: what it is, for people.
        largest: bytes that it may take.

    Raises:
        TooLarge: it does not.
    """
    size = size_of(item)
    if size > largest:
        raise TooLarge(what, size, largest)
    return item


def compact(data: Any) -> str:  # noqa: ANN401 - JSON-like
    """JSON without spaces."""
    return json.dumps(data, separators=(",", ":"))


def _size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "N":
        return len(content) // 2 + 2
    return len(content) if isinstance(content, bytes) else len(content.encode())
