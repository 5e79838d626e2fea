"""A model of DynamoDB, as far as a ledger needs it: conditions, transactions, batches, stale indexes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from tests.simulation.weather import Refused

Item = dict[str, dict[str, str]]
Key = tuple[str, str]
_TOKEN = re.compile(r"\s*(<=|>=|<>|[=<>(),]|[#:]?\w+)")
_INDEX_LAG = timedelta(seconds=3)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda one, other: one == other,
    "<>": lambda one, other: one != other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}


@dataclass
class Dynamo:
    """One table. `watch` is told of every item that is written, with what was there before."""

    clock: Callable[[], datetime]
    watch: Callable[[Item | None, Item], None]
    items: dict[Key, Item] = field(default_factory=dict)
    before: dict[Key, tuple[datetime, Item | None]] = field(default_factory=dict)
    writes: int = 0

    def get(self, key: Key) -> Item | None:
        """An item, as a consistent read shows it."""
        return self.items.get(key)

    def put(self, item: Item) -> None:
        """Write an item."""
        key = (item["pk"]["S"], item["sk"]["S"])
        old = self.items.get(key)
        self.before[key] = (self.clock(), old)
        self.writes += 1
        self.items[key] = item
        self.watch(old, item)

    def holds(self, key: Key, request: Mapping[str, Any]) -> bool:
        """Whether the request's condition holds."""
        text = request.get("ConditionExpression")
        return text is None or _matches(text, self.items.get(key) or {}, request)

    def write(self, requests: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """All of them, or none."""
        keys = [_key(request.get("Item") or request["Key"]) for _, request in requests]
        if len(set(keys)) != len(keys):
            raise Refused("ValidationException")
        if not all(self.holds(key, request) for key, (_, request) in zip(keys, requests, strict=True)):
            raise Refused("ConditionalCheckFailedException" if len(requests) == 1 else "TransactionCanceledException")
        for key, (kind, request) in zip(keys, requests, strict=True):
            if kind == "Put":
                self.put(dict(request["Item"]))
            elif kind == "Update":
                self.put(_updated(self.items.get(key) or dict(request["Key"]), request))
            elif kind == "Delete":
                self.items.pop(key, None)
            elif kind != "ConditionCheck":
                raise AssertionError(kind)

    def query(self, request: Mapping[str, Any], *, stale: bool) -> list[Item]:
        """The items that fulfil the key condition; an index may be some seconds behind."""
        shown = dict(self.items)
        if stale and "IndexName" in request:
            for key, (at, old) in self.before.items():
                if self.clock() - at < _INDEX_LAG:
                    shown.pop(key, None)
                    if old is not None:
                        shown[key] = old
        wanted = {"open": "open", "ids": "id"}.get(request.get("IndexName", ""))
        if wanted:
            near = [one for one in shown.values() if wanted in one]
        else:
            prefix = request["ExpressionAttributeValues"].get(":p", {}).get("S", "")
            near = [one for key, one in shown.items() if key[1].startswith(prefix)]
        found = [one for one in near if _matches(request["KeyConditionExpression"], one, request)]
        if "FilterExpression" in request:
            found = [one for one in found if _matches(request["FilterExpression"], one, request)]
        order = {"open": "due", "ids": "id"}.get(request.get("IndexName", ""), "sk")
        found.sort(key=lambda one: one.get(order, {}).get("S", ""), reverse=not request.get("ScanIndexForward", True))
        return found[: request["Limit"]] if "Limit" in request else found


def _key(item: Mapping[str, Any]) -> Key:
    return (item["pk"]["S"], item["sk"]["S"])


def plain(value: Mapping[str, str] | None) -> Any:
    """A DynamoDB value as Python's own."""
    if value is None:
        return None
    ((kind, text),) = value.items()
    return int(text) if kind == "N" else text


def _matches(text: str, item: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
    return _condition(text)(item, request)


Condition = Callable[[Mapping[str, Any], Mapping[str, Any]], bool]


@cache
def _condition(text: str) -> Condition:
    """A condition expression, ready to be asked."""
    tokens = _TOKEN.findall(text)
    assert "".join(tokens) == re.sub(r"\s+", "", text), f"the model does not know the condition {text!r}"
    rest = _Tokens(tokens)
    found = _any_of(rest)
    assert rest.peek() == "", f"the model does not know the condition {text!r}"
    return found


@dataclass
class _Tokens:
    tokens: list[str]
    at: int = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token


def _any_of(rest: _Tokens) -> Condition:
    parts = [_all_of(rest)]
    while rest.peek().upper() == "OR":
        rest.take()
        parts.append(_all_of(rest))
    return lambda item, request: any(part(item, request) for part in parts)


def _all_of(rest: _Tokens) -> Condition:
    parts = [_one(rest)]
    while rest.peek().upper() == "AND":
        rest.take()
        parts.append(_one(rest))
    return lambda item, request: all(part(item, request) for part in parts)


def _one(rest: _Tokens) -> Condition:
    first = rest.take()
    if first == "(":
        inner = _any_of(rest)
        assert rest.take() == ")"
        return inner
    if first.upper() == "NOT":
        negated = _one(rest)
        return lambda item, request: not negated(item, request)
    if rest.peek() == "(":
        rest.take()
        arguments = [rest.take()]
        while rest.peek() == ",":
            rest.take()
            arguments.append(rest.take())
        assert rest.take() == ")"
        return _function(first, arguments)
    comparison, second = rest.take(), rest.take()

    def compared(item: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
        one, other = _value(first, item, request), _value(second, item, request)
        return one is not None and other is not None and _COMPARE[comparison](one, other)

    return compared


def _function(name: str, arguments: Sequence[str]) -> Condition:
    if name == "attribute_not_exists":
        return lambda item, request: _value(arguments[0], item, request) is None
    if name == "attribute_exists":
        return lambda item, request: _value(arguments[0], item, request) is not None
    assert name == "begins_with", name
    return lambda item, request: str(_value(arguments[0], item, request) or "").startswith(
        _value(arguments[1], item, request)
    )


def _value(token: str, item: Mapping[str, Any], request: Mapping[str, Any]) -> Any:
    if token.startswith(":"):
        return plain(request["ExpressionAttributeValues"][token])
    name = request["ExpressionAttributeNames"][token] if token.startswith("#") else token
    return plain(item.get(name))


def _updated(item: Item, request: Mapping[str, Any]) -> Any:
    """An item after `ADD a :b`, `SET a = :b, ...` and `REMOVE a, ...`."""
    updated: dict[str, Any] = dict(item)
    values = request.get("ExpressionAttributeValues", {})
    names = request.get("ExpressionAttributeNames", {})
    pieces = re.split(r"\b(ADD|SET|REMOVE)\b", request["UpdateExpression"])
    for action, clauses in zip(pieces[1::2], pieces[2::2], strict=True):
        for clause in clauses.split(","):
            words = clause.replace("=", " ").split()
            name = names.get(words[0], words[0])
            if action == "REMOVE":
                updated.pop(name, None)
            elif action == "SET":
                assert len(words) == 2, clause
                updated[name] = values[words[1]]
            elif "SS" in (given := values[words[1]]):
                updated[name] = {"SS": sorted({*updated.get(name, {}).get("SS", ()), *given["SS"]})}
            else:
                updated[name] = {"N": str((plain(updated.get(name)) or 0) + plain(given))}
    return updated
