"""The ledger: one DynamoDB table, on demand, two string keys.

    pk                sk                              what
    account#ID        finding#CONTROL#TARGET          the latest life of a finding; has `open` while it lasts
    account#ID        history#CONTROL#TARGET#SEEN     its earlier lives
    account#ID        exemptions                      all exemptions, one item
    account#ID        pauses                          all pauses, one item
    account#ID        spent#CONTROL#HOUR              repairs in that clock hour; * for all, `letters` for letters
    account#ID        adopted#CONTROL                 when the first sweep of a control was done
    once              KEY                             somebody was told; not again before `expires`
    account#ID        swept                           when the last sweep was done

The index `open` (open, due) lists open findings; the index `ids` (pk, id) finds one by what was typed. A finding is
one JSON text in `body`: DynamoDB's own types would turn numbers into decimals and say nothing more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from plumbline.adapters.clients import ClientFactory, perform
from plumbline.baseline.rules import Breakers
from plumbline.core.calls import Call
from plumbline.core.clock import utc
from plumbline.core.errors import AwsRefusal, Conflict, LedgerDown
from plumbline.core.targets import Target
from plumbline.decisions.exemptions import Exemption, kept
from plumbline.decisions.pauses import Pause
from plumbline.findings.adoption import Adoption
from plumbline.findings.brief import Brief
from plumbline.findings.finding import Finding, from_json, to_json
from plumbline.findings.restraints import EVERY_CONTROL

Item = Mapping[str, Mapping[str, str]]

#: Guidance of the UK Ministry of Justice for internal services: 13 months.
KEPT_FOR = timedelta(days=395)
_HOUR = timedelta(hours=1)
_LETTERS = "letters"


@dataclass(frozen=True, slots=True)
class Table:
    """The engine's Ledger.

    Attributes:
        clients: the client factory.
        name: the table's name.
        region: where it is.
        letter_hours: how many clock hours count as one, for letters.
    """

    clients: ClientFactory
    name: str
    region: str
    letter_hours: int = 1

    def brief(self, control: str, target: Target, now: datetime) -> Brief:
        """See ports.Ledger. One consistent read of everything that bears on a wake."""
        pk = _account(target.account)
        names = {
            "finding": _finding_key(control, target),
            "exemptions": "exemptions",
            "pauses": "pauses",
            "spent": _spent_key(control, now),
            "spent_in_all": _spent_key(EVERY_CONTROL, now),
            "letters": self._letters_key(now),
            "adoption": _adopted_key(control),
        }
        request = {self.name: {"Keys": [_key(pk, sk) for sk in names.values()], "ConsistentRead": True}}
        answer = self._perform("BatchGetItem", {"RequestItems": request})
        if answer.get("UnprocessedKeys"):  # DynamoDB throttled a part: half a brief must not be taken for a whole one
            raise LedgerDown("the ledger answered in part only (throttled); nothing is repaired until it answers whole")
        items = {item["sk"]["S"]: item for item in answer["Responses"].get(self.name, ())}
        found = {name: items.get(sk) for name, sk in names.items()}
        try:
            return Brief(
                finding=_finding(found["finding"]),
                exemptions=tuple(Exemption.from_json(one) for one in _body(found["exemptions"], [])),
                pauses={name: one.until for name, one in _pauses(found["pauses"]).items()},
                spent=int(found["spent"]["n"]["N"]) if found["spent"] else 0,
                spent_in_all=int(found["spent_in_all"]["n"]["N"]) if found["spent_in_all"] else 0,
                letters=int(found["letters"]["n"]["N"]) if found["letters"] else 0,
                adoption=Adoption.from_json(found["adoption"]["body"]["S"] if found["adoption"] else None),
            )
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise LedgerDown(
                f"what the ledger holds about {target} cannot be read ({type(error).__name__}: {error}); "
                "nothing is repaired"
            ) from error

    def save(
        self,
        finding: Finding,
        *,
        now: datetime,
        spend: Breakers | None = None,
        letter: bool = False,
        bury: Finding | None = None,
    ) -> Finding:
        """See ports.Ledger."""
        saved = replace(finding, version=finding.version + 1)
        put = {"Put": {"TableName": self.name, "Item": _item(saved, now), **_unchanged(finding.version)}}
        writes: list[Mapping[str, Any]] = [put]
        if bury is not None:
            writes.append({"Put": {"TableName": self.name, "Item": _buried(bury, now)}})
        budgets = {finding.control: spend.per_control, EVERY_CONTROL: spend.in_all} if spend else {}
        pk = _account(finding.target.account)
        writes += [self._count(pk, _spent_key(name, now), now, most) for name, most in budgets.items()]
        if letter:
            writes.append(self._count(pk, self._letters_key(now), now))
        self._write(writes, finding)
        return saved

    def bury(self, finding: Finding, *, now: datetime) -> None:
        """See ports.Ledger."""
        self._perform("PutItem", {"TableName": self.name, "Item": _buried(finding, now)})

    def once(self, key: str, *, now: datetime, within: timedelta) -> bool:
        """See ports.Ledger."""
        item = {"pk": _text("once"), "sk": _text(key), "expires": _number(_epoch(now + within))}
        try:
            self._perform(
                "PutItem",
                {
                    "TableName": self.name,
                    "Item": item,
                    "ConditionExpression": "attribute_not_exists(pk) OR expires <= :now",  # TTL deletes days late
                    "ExpressionAttributeValues": {":now": _number(_epoch(now))},
                },
            )
        except Conflict:
            return False
        return True

    def told(self, key: str, *, now: datetime, within: timedelta) -> None:
        """See ports.Ledger."""
        item = {"pk": _text("once"), "sk": _text(key), "expires": _number(_epoch(now + within))}
        self._perform("PutItem", {"TableName": self.name, "Item": item})

    def open_findings(self, account: str) -> Sequence[Finding]:
        """Every open finding of an account. Read from an index, so a write of this second may be missing."""
        return [one for one in self._unfinished(account) if one.is_open]

    def told_of(self, prefix: str, now: datetime) -> frozenset[str]:
        """The keys beginning with `prefix` that are claimed, or kept as told, at this time."""
        items = self._list("pk = :k AND begins_with(sk, :p)", {":k": _text("once"), ":p": _text(prefix)})
        return frozenset(one["sk"]["S"] for one in items if int(one["expires"]["N"]) > _epoch(now))

    def awaiting_digest(self, account: str) -> Sequence[Finding]:
        """See ports.Ledger."""
        return [one for one in self._unfinished(account) if one.awaits_digest]

    def _unfinished(self, account: str) -> Sequence[Finding]:
        return self._query("open", "#k = :k", {":k": _text(account)}, {"#k": "open"})

    def lives(self, account: str) -> Sequence[Finding]:
        """Every life of every finding that is still kept, open or closed."""
        found: list[Finding] = []
        for prefix in ("finding#", "history#"):
            query = {
                "TableName": self.name,
                "KeyConditionExpression": "pk = :k AND begins_with(sk, :p)",
                "ExpressionAttributeValues": {":k": _text(_account(account)), ":p": _text(prefix)},
            }
            found += [from_json(item["body"]["S"]) for item in self._perform("Query", query)["Items"]]
        return found

    def by_id(self, account: str, prefix: str) -> Sequence[Finding]:
        """The findings whose id begins with what a person typed, latest lives and earlier ones."""
        values = {":k": _text(_account(account)), ":id": _text(prefix)}
        return self._query("ids", "pk = :k AND begins_with(id, :id)", values)

    def exempt(self, account: str, exemption: Exemption, now: datetime) -> None:
        """Add an exemption; those that have ended, and whose end was told, are dropped.

        Raises:
            Conflict: somebody else changed the exemptions at the same time.
        """
        before, version = self.all_exemptions(account)
        self.save_exemptions(account, (*kept(before, now), exemption), version)

    def all_exemptions(self, account: str) -> tuple[tuple[Exemption, ...], int]:
        """All exemptions, in force or not, and the version they were read in.

        Raises:
            LedgerDown: they cannot be read.
        """
        item = self._one(account, "exemptions")
        with _readable("the exemptions"):
            return tuple(Exemption.from_json(one) for one in _body(item, [])), _version(item)

    def save_exemptions(self, account: str, exemptions: Iterable[Exemption], version: int) -> None:
        """Write all exemptions over the version they were read in.

        Raises:
            Conflict: somebody else wrote first.
        """
        self._put_one(account, "exemptions", [one.to_json() for one in exemptions], version)

    def all_pauses(self, account: str) -> tuple[Mapping[str, Pause], int]:
        """All pauses, in force or not, by control or `*`, and the version they were read in.

        Raises:
            LedgerDown: they cannot be read.
        """
        item = self._one(account, "pauses")
        with _readable("the pauses"):
            return _pauses(item), _version(item)

    def save_pauses(self, account: str, pauses: Mapping[str, Pause], version: int) -> None:
        """Write all pauses over the version they were read in.

        Raises:
            Conflict: somebody else wrote first.
        """
        self._put_one(account, "pauses", {name: one.to_json() for name, one in pauses.items()}, version)

    def spent_in(self, account: str, now: datetime) -> Mapping[str, int]:
        """What was counted in this clock hour: repairs by control, of all as `*`, and letters."""
        values = {":k": _text(_account(account)), ":p": _text("spent#")}
        items = self._list("pk = :k AND begins_with(sk, :p)", values)
        keys = {item["sk"]["S"]: int(item["n"]["N"]) for item in items}
        hour = _spent_key("", now).removeprefix("spent#")
        return {
            key.removeprefix("spent#").removesuffix(hour): count for key, count in keys.items() if key.endswith(hour)
        }

    def forget_spent(self, account: str, name: str, now: datetime) -> None:
        """Begin to count the repairs of a control, or of all as `*`, of this clock hour anew."""
        self._perform(
            "UpdateItem",
            {
                "TableName": self.name,
                "Key": _key(_account(account), _spent_key(name, now)),
                "UpdateExpression": "SET n = :none, expires = :expires",
                "ExpressionAttributeValues": {":none": _number(0), ":expires": _number(_epoch(now + 2 * _HOUR))},
            },
        )

    def _one(self, account: str, sk: str) -> Item | None:
        """One item, consistently read; by Query, so that the sweep may read it too."""
        items = self._list("pk = :k AND sk = :s", {":k": _text(_account(account)), ":s": _text(sk)})
        return items[0] if items else None

    def _put_one(self, account: str, sk: str, body: Any, version: int) -> None:  # noqa: ANN401
        text = json.dumps(body, separators=(",", ":"))
        item = {**_key(_account(account), sk), "body": _text(text), "version": _number(version + 1)}
        self._perform("PutItem", {"TableName": self.name, "Item": item, **_unchanged(version)})

    def _list(self, condition: str, values: Mapping[str, Any]) -> Sequence[Item]:
        query = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
        }
        items: Sequence[Item] = self._perform("Query", query)["Items"]
        return items

    def adopted(self, account: str) -> Mapping[str, str]:
        """The controls whose first sweep has begun, and how far it has come (see adoption.py)."""
        values = {":k": _text(_account(account)), ":p": _text("adopted#")}
        items = self._list("pk = :k AND begins_with(sk, :p)", values)
        return {item["sk"]["S"].removeprefix("adopted#"): item["body"]["S"] for item in items}

    def adopt(self, account: str, control: str, mark: str) -> None:
        """Record how far the first sweep of a control has come."""
        item = {**_key(_account(account), _adopted_key(control)), "body": _text(mark)}
        self._perform("PutItem", {"TableName": self.name, "Item": item})

    def note_sweep(self, account: str, now: datetime) -> None:
        """Record that a sweep is done."""
        item = {**_key(_account(account), "swept"), "body": _text(now.isoformat())}
        self._perform("PutItem", {"TableName": self.name, "Item": item})

    def last_sweep(self, account: str) -> datetime | None:
        """When the last sweep was done."""
        key = _key(_account(account), "swept")
        item = self._perform("GetItem", {"TableName": self.name, "Key": key}).get("Item")
        return utc(item["body"]["S"]) if item else None

    def _query(
        self, index: str, condition: str, values: Mapping[str, Any], names: Mapping[str, str] | None = None
    ) -> Sequence[Finding]:
        query = {
            "TableName": self.name,
            "IndexName": index,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
        }
        if names:
            query["ExpressionAttributeNames"] = names
        return [from_json(item["body"]["S"]) for item in self._perform("Query", query)["Items"]]

    def _letters_key(self, now: datetime) -> str:
        return _spent_key(_LETTERS, now.replace(hour=now.hour - now.hour % self.letter_hours))

    def _count(self, pk: str, sk: str, now: datetime, most: int | None = None) -> Mapping[str, Any]:
        values = {":one": _number(1), ":expires": _number(_epoch(now + (self.letter_hours + 1) * _HOUR))}
        update = {"TableName": self.name, "Key": _key(pk, sk), "UpdateExpression": "ADD n :one SET expires = :expires"}
        if most is None:
            return {"Update": {**update, "ExpressionAttributeValues": values}}
        # Two settles at once read the same count; only as many as the budget has room for may write.
        room = {"ConditionExpression": "attribute_not_exists(n) OR n < :most"}
        return {"Update": {**update, **room, "ExpressionAttributeValues": {**values, ":most": _number(most)}}}

    def _write(self, writes: Sequence[Mapping[str, Any]], finding: Finding) -> None:
        try:
            if len(writes) == 1:
                self._perform("PutItem", writes[0]["Put"])
            else:
                self._perform("TransactWriteItems", {"TransactItems": list(writes)})
        except Conflict as conflict:
            raise Conflict(f"another look at {finding.target} wrote first, or others used up this hour") from conflict

    def _perform(self, operation: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401
        try:
            return perform(self.clients("", self.region, "dynamodb"), Call("dynamodb", operation, parameters))
        except AwsRefusal as error:
            lost = error.code == "ConditionalCheckFailedException" or (
                error.code == "TransactionCanceledException"
                and ("ConditionalCheckFailed" in str(error) or "TransactionConflict" in str(error))
            )
            if lost or error.code == "TransactionConflictException":
                raise Conflict(str(error)) from error
            raise LedgerDown(f"the ledger {self.name} could not be used: {error}") from error


def _account(account: str) -> str:
    return f"account#{account}"


def _finding_key(control: str, target: Target) -> str:
    return f"finding#{control}#{target}"


def _spent_key(control: str, now: datetime) -> str:
    return f"spent#{control}#{now:%Y-%m-%dT%H}"


def _adopted_key(control: str) -> str:
    return f"adopted#{control}"


def _key(pk: str, sk: str) -> dict[str, Mapping[str, str]]:
    return {"pk": _text(pk), "sk": _text(sk)}


def _text(value: str) -> Mapping[str, str]:
    return {"S": value}


def _number(value: int) -> Mapping[str, str]:
    return {"N": str(value)}


def _epoch(at: datetime) -> int:
    return int(at.timestamp())


def _unchanged(version: int) -> Mapping[str, Any]:
    """The condition that nobody has written since `version` was read."""
    if version == 0:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "version = :version",
        "ExpressionAttributeValues": {":version": _number(version)},
    }


def _item(finding: Finding, now: datetime) -> Item:
    item = _key(_account(finding.target.account), _finding_key(finding.control, finding.target)) | {
        "id": _text(finding.id),
        "body": _text(to_json(finding)),
        "version": _number(finding.version),
    }
    if finding.is_open or finding.awaits_digest:
        return item | {
            "open": _text(finding.target.account),
            "due": _text(finding.due.isoformat() if finding.due else "9999"),
        }
    return item | {"expires": _number(_epoch(now + KEPT_FOR))}


def _buried(finding: Finding, now: datetime) -> Item:
    seen = finding.first_seen.isoformat()
    # nobody was told of its end yet: the next digest finds it through the index
    waits = {"open": _text(finding.target.account), "due": _text("9999")} if finding.awaits_digest else {}
    return (
        waits
        | _key(_account(finding.target.account), f"history#{finding.control}#{finding.target}#{seen}")
        | {
            "id": _text(finding.id),
            "body": _text(to_json(finding)),
            "expires": _number(_epoch(now + KEPT_FOR)),
        }
    )


def _finding(item: Item | None) -> Finding | None:
    return from_json(item["body"]["S"]) if item else None


def _body(item: Item | None, empty: Any) -> Any:  # noqa: ANN401
    return json.loads(item["body"]["S"]) if item else empty


def _version(item: Item | None) -> int:
    return int(item["version"]["N"]) if item else 0


def _pauses(item: Item | None) -> Mapping[str, Pause]:
    return {name: Pause.from_json(one) for name, one in _body(item, {}).items()}


@contextmanager
def _readable(what: str) -> Iterator[None]:
    """What was written by hand, or by a later version, must not be taken for nothing."""
    try:
        yield
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise LedgerDown(
            f"{what} in the ledger cannot be read ({type(error).__name__}: {error}); nothing is repaired"
        ) from error
