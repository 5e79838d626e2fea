"""The ledger's table without DynamoDB behind it: what the adapters take for a botocore client.

It answers as tests/simulation/dynamo.py models it. Each request is asked of botocore first, as its own client does.
tests/adapters shows the ledger on moto's DynamoDB, and so do the laws about many targets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from functools import cache
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError
from botocore.validate import ParamValidator

from tests.simulation.dynamo import Dynamo, Item, Key
from tests.simulation.weather import Refused

_BEGAN = datetime(2026, 3, 2, tzinfo=timezone.utc)
_WRITES = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete"}
_OPERATIONS = {xform_name(one): one for one in (*_WRITES, "BatchGetItem", "GetItem", "Query", "TransactWriteItems")}


class Table:
    """One table, empty at first.

    Args:
        name: the table's name; requests name no other.
        seen: told of each request before it is answered, its operation and parameters; it may refuse.
    """

    def __init__(self, name: str, seen: Callable[[str, Mapping[str, Any]], None]) -> None:
        self.name, self._seen = name, seen
        self._table = Dynamo(lambda: _BEGAN, lambda _old, _new: None)

    @property
    def items(self) -> Mapping[Key, Item]:
        """What stands in it."""
        return self._table.items

    def can_paginate(self, _method: str) -> bool:
        """Every list fits on one page here."""
        return False

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method not in _OPERATIONS:
            raise AttributeError(method)
        operation = _OPERATIONS[method]

        def call(**request: Any) -> Any:
            self._seen(operation, request)
            report = ParamValidator().validate(request, _input(operation))
            if report.has_errors():
                raise ParamValidationError(report=report.generate_report())
            try:
                return self._answer(operation, request)
            except Refused as refused:
                said = {"Code": refused.code, "Message": "ConditionalCheckFailed"}
                raise ClientError({"Error": said}, operation) from refused

        return call

    def _answer(self, operation: str, request: Mapping[str, Any]) -> Any:
        if operation == "BatchGetItem":
            found = [self._table.get(_key(one)) for one in request["RequestItems"][self.name]["Keys"]]
            return {"Responses": {self.name: [_copy(one) for one in found if one]}, "UnprocessedKeys": {}}
        if operation == "TransactWriteItems":
            writes = [next(iter(one.items())) for one in request["TransactItems"]]
            assert {self.name} == {one["TableName"] for _, one in writes}
            self._table.write(writes)
            return {}
        assert self.name == request["TableName"]
        if operation == "GetItem":
            item = self._table.get(_key(request["Key"]))
            return {"Item": _copy(item)} if item else {}
        if operation == "Query":
            return {"Items": [_copy(one) for one in self._table.query(request, stale=False)]}
        self._table.write([(_WRITES[operation], request)])
        return {}


@cache
def _input(operation: str) -> Any:
    return botocore.session.get_session().get_service_model("dynamodb").operation_model(operation).input_shape


def _key(item: Mapping[str, Any]) -> Key:
    return (item["pk"]["S"], item["sk"]["S"])


def _copy(item: Item) -> Item:
    return {name: dict(value) for name, value in item.items()}
