"""What the ledger keeps of Plumbline itself: its parts as they were deployed, and what its sweep has reported."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from plumbline.adapters.clients import ClientFactory
from plumbline.adapters.items import account_key, key_of, string, version_of
from plumbline.adapters.table_calls import TableCalls
from plumbline.core.errors import LedgerDown
from plumbline.core.recorded import Recorded
from plumbline.findings.packed import body, compact, text_of

_KEPT_AS = "house"
_REPORTED = "reported#"


@dataclass(frozen=True, slots=True)
class House:
    """Plumbline's own parts, as the ledger remembers them.

    Attributes:
        clients: the client factory.
        table: the ledger's name.
        region: where it is.
        account: the account that Plumbline runs in.
    """

    clients: ClientFactory
    table: str
    region: str
    account: str

    def recorded(self) -> tuple[Recorded, int]:
        """What was recorded last, and the version that it was read in; nothing yet in version 0.

        Raises:
            LedgerDown: it cannot be read.
        """
        item = self._calls.one(self.account, _KEPT_AS)
        if item is None:
            return Recorded(), 0
        try:
            return Recorded.from_json(json.loads(text_of(item))), version_of(item)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise LedgerDown(f"what was recorded of Plumbline itself cannot be read ({error})") from error

    def last(self) -> Recorded:
        """What was recorded last."""
        return self.recorded()[0]

    def record(self, recorded: Recorded, version: int) -> None:
        """Write it over the version that was read.

        Raises:
            Conflict: somebody else wrote first.
        """
        self._calls.put_one(self.account, _KEPT_AS, recorded.to_json(), version)

    def reported(self) -> Mapping[str, Mapping[str, str]]:
        """What the sweep has reported: control and region -> target -> since when.

        Raises:
            LedgerDown: it cannot be read.
        """
        values = {":k": string(account_key(self.account)), ":p": string(_REPORTED)}
        items = self._calls.listed("pk = :k AND begins_with(sk, :p)", values)
        try:
            return {one["sk"]["S"].removeprefix(_REPORTED): json.loads(text_of(one)) for one in items}
        except (KeyError, ValueError, TypeError) as error:
            raise LedgerDown(f"what the sweep has reported cannot be read ({error})") from error

    def report(self, key: str, targets: Mapping[str, str]) -> None:
        """Write what one control has reported in one region."""
        item = {**key_of(account_key(self.account), f"{_REPORTED}{key}"), **body(compact(targets))}
        self._calls.perform("PutItem", {"TableName": self.table, "Item": item})

    @property
    def _calls(self) -> TableCalls:
        return TableCalls(self.clients, self.table, self.region)
