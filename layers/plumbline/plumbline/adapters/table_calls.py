"""Single calls to the ledger's table, and what it means when DynamoDB refuses one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plumbline.adapters.clients import ClientFactory, perform
from plumbline.adapters.items import account_key, key_of, number, string, unchanged
from plumbline.core.calls import Call
from plumbline.core.errors import AwsRefusal, Conflict, LedgerDown, TooLarge
from plumbline.findings.packed import LARGEST, Item, body, checked, compact
from plumbline.findings.schema import items_of, refuse_later, stamped_all

#: Refused for what is written, not for what stands there or how the service is. Another try changes nothing.
_NEVER_TAKEN = "ValidationException"
_CANCELLED = "TransactionCanceledException"


@dataclass(frozen=True, slots=True)
class TableCalls:
    """Makes calls to one table.

    Attributes:
        clients: the client factory.
        name: the table's name.
        region: where it is.
    """

    clients: ClientFactory
    name: str
    region: str

    def perform(self, operation: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Make one call; of a list it reads one page, of a megabyte at most. See `queried`.

        Raises:
            Conflict: a condition did not hold, or somebody else wrote at the same time.
            TooLarge: what is written can never be written.
            LedgerDown: anything else; also what a later version of Plumbline wrote.
        """
        call = Call("dynamodb", operation, stamped_all(operation, parameters))
        try:
            answer = perform(self.clients("", self.region, "dynamodb"), call, to_the_end=False)
        except AwsRefusal as error:
            lost = error.code == "ConditionalCheckFailedException" or (
                error.code == _CANCELLED
                and ("ConditionalCheckFailed" in str(error) or "TransactionConflict" in str(error))
            )
            if lost or error.code == "TransactionConflictException":
                raise Conflict(str(error)) from error
            writes = operation in ("PutItem", "TransactWriteItems")
            cancelled = error.code == _CANCELLED and "ValidationError" in str(error)
            if writes and (cancelled or (error.code == _NEVER_TAKEN and _is_about_size(str(error)))):
                raise TooLarge(f"what was written ({error})", 0, LARGEST) from error
            raise LedgerDown(f"the ledger {self.name} could not be used: {error}") from error
        refuse_later(items_of(answer or {}))
        return answer

    def queried(self, parameters: Mapping[str, Any]) -> Iterator[Item]:
        """All items that a query finds, to its last page. No more than one page is held at a time.

        Raises:
            LedgerDown: it cannot be read to its end; nobody may take what came before for all.
        """
        begin: Mapping[str, Any] = {}
        while True:
            answer = self.perform("Query", {"TableName": self.name, **parameters, **begin})
            yield from answer["Items"]
            if not answer.get("LastEvaluatedKey"):
                return
            begin = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def several(self, account: str, keys: Iterable[str]) -> dict[str, Item]:
        """Those of some items that are there, by sort key, consistently read in one call.

        Raises:
            LedgerDown: DynamoDB left some out: half an answer must not be taken for a whole one.
        """
        wanted = [key_of(account_key(account), sk) for sk in dict.fromkeys(keys)]
        if not wanted:
            return {}
        request = {self.name: {"Keys": wanted, "ConsistentRead": True}}
        answer = self.perform("BatchGetItem", {"RequestItems": request})
        if answer.get("UnprocessedKeys"):
            raise LedgerDown("the ledger answered in part only (throttled); nothing is repaired until it answers whole")
        return {item["sk"]["S"]: item for item in answer["Responses"].get(self.name, ())}

    def written(self, writes: Sequence[Mapping[str, Any]]) -> None:
        """Make all of some writes, or none; a single put without a transaction's price."""
        if len(writes) == 1 and "Put" in writes[0]:
            self.perform("PutItem", writes[0]["Put"])
        else:
            self.perform("TransactWriteItems", {"TransactItems": list(writes)})

    def put(self, item: Item, condition: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """One write of a transaction, that of an item."""
        return {"Put": {"TableName": self.name, "Item": item, **(condition or {})}}

    def listed(self, condition: str, values: Mapping[str, Any]) -> Sequence[Item]:
        """All items that a condition on their keys fits, consistently read."""
        query = {"KeyConditionExpression": condition, "ExpressionAttributeValues": values, "ConsistentRead": True}
        return list(self.queried(query))

    def beginning(self, account: str, prefix: str) -> Sequence[Item]:
        """All items of an account whose sort key begins so, consistently read."""
        return self.listed(
            "pk = :k AND begins_with(sk, :p)", {":k": string(account_key(account)), ":p": string(prefix)}
        )

    def one(self, account: str, sk: str) -> Item | None:
        """One item, consistently read; by Query, so that the sweep may read it too."""
        items = self.listed("pk = :k AND sk = :s", {":k": string(account_key(account)), ":s": string(sk)})
        return items[0] if items else None

    def put_one(self, account: str, sk: str, data: Any, version: int, largest: int = LARGEST) -> None:  # noqa: ANN401
        """Write an item over the version it was read in.

        Raises:
            Conflict: somebody else wrote first.
            TooLarge: it would be larger than `largest`, in bytes.
        """
        item = {**key_of(account_key(account), sk), **body(compact(data)), "version": number(version + 1)}
        checked(item, f"the list of {sk}", largest)
        self.perform("PutItem", {"TableName": self.name, "Item": item, **unchanged(version)})


def _is_about_size(text: str) -> bool:
    """Whether DynamoDB finds an item, a key or a transaction too large. Source: its API reference, PutItem."""
    return "size" in text.lower()
