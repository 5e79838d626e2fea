"""A ledger's table behind HTTP, as DynamoDB serves it: pages of a megabyte, and what each read costs.

Conditions and updates are those of the tests' model (tests/simulation/dynamo.py); what a read costs follows the
Developer Guide, "DynamoDB reads and writes": 4 KB a unit, half of it where an older state will do, each item of a batch
rounded up for itself, a page of a query as a whole.
"""

from __future__ import annotations

import json
import math
from bisect import bisect, bisect_left, insort
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from threading import Thread
from typing import Any

from tests.simulation.dynamo import Dynamo, Item, Key, _matches
from tests.simulation.weather import Refused

_PAGE, _UNIT = 1_000_000, 4_096
#: How each index is sorted, and by which attribute it is parted; the table's own name is empty.
_INDEXES = {"": ("pk", "sk"), "open": ("open", "due"), "ids": ("pk", "id")}
_WRITES = {"PutItem": "Put", "UpdateItem": "Update"}


class Served:
    """One table, with what was asked of it.

    Attributes:
        units: read so far.
        calls: made so far, by operation.
    """

    def __init__(self) -> None:
        self.table = Dynamo(lambda: datetime.now(timezone.utc), self._written)
        self.units, self.calls, self.writes = 0.0, 0, 0
        self._sorted: dict[tuple[str, str], list[tuple[str, Key]]] = {}
        self._sizes: dict[Key, int] = {}

    def answer(self, operation: str, request: Mapping[str, Any]) -> Any:
        """What DynamoDB answers."""
        self.calls += 1
        if operation == "Query":
            return self._page(request)
        if operation == "BatchGetItem":
            ((name, asked),) = request["RequestItems"].items()
            keys = [(one["pk"]["S"], one["sk"]["S"]) for one in asked["Keys"]]
            self.units += sum(max(1, math.ceil(self._sizes.get(key, 0) / _UNIT)) for key in keys)
            found = [item for key in keys if (item := self.table.get(key))]
            return {"Responses": {name: found}, "UnprocessedKeys": {}}
        if operation == "GetItem":
            key = (request["Key"]["pk"]["S"], request["Key"]["sk"]["S"])
            units = max(1, math.ceil(self._sizes.get(key, 0) / _UNIT))
            self.units += units if request.get("ConsistentRead") else units / 2
            return {"Item": item} if (item := self.table.get(key)) else {}
        writes = [next(iter(one.items())) for one in request.get("TransactItems", ())]
        writes = writes or [(_WRITES[operation], request)]
        self.writes += len(writes)
        self.table.write(writes)
        if request.get("ReturnValues") == "ALL_NEW":
            return {"Attributes": self.table.get((request["Key"]["pk"]["S"], request["Key"]["sk"]["S"]))}
        return {}

    def _written(self, old: Item | None, new: Item) -> None:
        key = (new["pk"]["S"], new["sk"]["S"])
        self._sizes[key] = _size(new)
        for index, (part, sort) in _INDEXES.items():
            for item, is_new in ((old, False), (new, True)):
                if item is None or part not in item or sort not in item:
                    continue
                place = self._sorted.setdefault((index, item[part]["S"]), [])
                entry = (item[sort]["S"], key)
                if is_new:
                    insort(place, entry)
                elif (at := bisect_left(place, entry)) < len(place) and place[at] == entry:
                    del place[at]

    def _page(self, request: Mapping[str, Any]) -> Any:
        index, values = request.get("IndexName", ""), request["ExpressionAttributeValues"]
        begins = values.get(":p", {}).get("S", "")
        found: list[Item] = []
        size, last = 0, None
        after = _place(request["ExclusiveStartKey"], index) if "ExclusiveStartKey" in request else None
        place = self._sorted.get((index, values[":k"]["S"]), [])
        for entry in islice(
            place, bisect_left(place, (begins, ("", ""))) if after is None else bisect(place, after), None
        ):
            if begins and not entry[0].startswith(begins):
                break
            item = self.table.items[entry[1]]
            if not _matches(request["KeyConditionExpression"], item, request):
                continue
            size += self._sizes[entry[1]]
            if "FilterExpression" not in request or _matches(request["FilterExpression"], item, request):
                found.append(_projected(item, request))
            if size > _PAGE:
                last = {name: item[name] for name in dict.fromkeys(("pk", "sk", *_INDEXES[index]))}
                break
        units = max(1, math.ceil(size / _UNIT))
        self.units += units if request.get("ConsistentRead") else units / 2
        return {"Items": found, "Count": len(found), **({"LastEvaluatedKey": last} if last else {})}


def _place(key: Item, index: str) -> tuple[str, Key]:
    return key[_INDEXES[index][1]]["S"], (key["pk"]["S"], key["sk"]["S"])


def _projected(item: Item, request: Mapping[str, Any]) -> Item:
    if "ProjectionExpression" not in request:
        return item
    names = request.get("ExpressionAttributeNames", {})
    wanted = {names.get(one, one) for one in request["ProjectionExpression"].split(", ")}
    return {name: value for name, value in item.items() if name in wanted}


def _size(item: Item) -> int:
    return sum(len(name) + sum(len(str(part)) for part in value.values()) for name, value in item.items())


@contextmanager
def serving(served: Served) -> Iterator[str]:
    """The address at which it answers meanwhile."""

    class Handler(BaseHTTPRequestHandler):
        """Speaks as much of DynamoDB's protocol as botocore asks for."""

        protocol_version = "HTTP/1.1"
        wbufsize = -1  # else the answer waits for an acknowledgement of its headers

        def do_POST(self) -> None:
            """Answer one request."""
            operation = self.headers["X-Amz-Target"].partition(".")[2]
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                status, answer = 200, served.answer(operation, request)
            except Refused as refused:
                reasons = "ConditionalCheckFailed"
                status, answer = 400, {"__type": f"com.amazonaws.dynamodb#{refused.code}", "message": reasons}
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - as http.server calls it
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
