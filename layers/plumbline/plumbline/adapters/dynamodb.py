"""The ledger: one DynamoDB table, on demand. items.py says how it is laid out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from plumbline.adapters.clients import ClientFactory
from plumbline.adapters.items import (
    Renamed,
    account_key,
    adopted_key,
    adoption_in,
    adoption_items,
    adoptions_in,
    began,
    body_of,
    buried_item,
    count_of,
    counters,
    counts_in,
    epoch,
    exemptions_in,
    finding_key,
    findings_in,
    follows,
    ids_of,
    item_of,
    key_of,
    key_today,
    latest,
    letters_key,
    number,
    pauses_in,
    piece_key,
    readable,
    spent_key,
    string,
    unchanged,
    version_of,
)
from plumbline.adapters.sweeps import Sweeps
from plumbline.adapters.table_calls import TableCalls
from plumbline.baseline.rules import Patience
from plumbline.core.clock import utc
from plumbline.core.errors import Conflict, LedgerDown
from plumbline.core.targets import Target
from plumbline.decisions.credible import believed, ends
from plumbline.decisions.exemptions import Exemption, kept
from plumbline.decisions.pauses import Pause
from plumbline.decisions.suspensions import Suspension
from plumbline.findings.adoption import piece_of
from plumbline.findings.brief import Brief
from plumbline.findings.budgets import Budget
from plumbline.findings.finding import Finding, with_room
from plumbline.findings.hearing import KEPT_AS, Hearing
from plumbline.findings.packed import checked, text_of

_HOUR = timedelta(hours=1)
#: Bytes of a finding whose repair begins, so that what is written later finds room.
_LARGEST_BEGUN = 390_000
#: Bytes of the exemptions, so that what is told of each still finds room when no more are taken.
_LARGEST_LIST = 360_000


@dataclass(frozen=True, slots=True)
class Table:
    """The engine's Ledger. Whatever is written may be refused as TooLarge; see packed.py.

    Attributes:
        clients: the client factory.
        name: the table's name.
        region: where it is.
        letter_hours: how many clock hours count as one, for letters.
        renamed: earlier id of a control -> the one it has today. What is read bears today's.
        patience: what a person can have typed; what is longer is not believed.
    """

    clients: ClientFactory
    name: str
    region: str
    letter_hours: int = 1
    renamed: Renamed = field(default_factory=dict)
    patience: Patience = field(default_factory=Patience)

    def brief(
        self, control: str, target: Target, now: datetime, adopted: str = "", budget: Budget | None = None, /
    ) -> Brief:
        """See ports.Ledger. One consistent read of everything that bears on a wake."""
        pk, budget = account_key(target.account), budget or Budget()
        ids = ids_of(control, self.renamed)
        lives, part = [finding_key(one, target) for one in ids], adopted.removeprefix(control)
        adoptions = {adopted_key(f"{one}{part}"): piece_key(f"{one}{part}", piece_of(str(target))) for one in ids}
        names = {
            "exemptions": "exemptions",
            "pauses": "pauses",
            **counters(control, budget, now, self.letter_hours),
            "heard": KEPT_AS,
        }
        keys = [key_of(pk, sk) for sk in (*lives, *names.values(), *adoptions, *adoptions.values())]
        request = {self.name: {"Keys": keys, "ConsistentRead": True}}
        answer = self._perform("BatchGetItem", {"RequestItems": request})
        if answer.get("UnprocessedKeys"):  # DynamoDB throttled a part: half a brief must not be taken for a whole one
            raise LedgerDown("the ledger answered in part only (throttled); nothing is repaired until it answers whole")
        items = {item["sk"]["S"]: item for item in answer["Responses"].get(self.name, ())}
        found = {name: items.get(sk) for name, sk in names.items()}
        try:
            return Brief(
                finding=latest(findings_in((items[sk] for sk in lives if sk in items), self.renamed)),
                exemptions=believed(
                    exemptions_in(found["exemptions"], self.renamed), self.patience.exemption_days, now
                ),
                pauses=ends(pauses_in(found["pauses"], self.renamed), self.patience.pause_days, now),
                adoption=adoption_in(items, adoptions),
                hearing=Hearing.from_json(text_of(found["heard"]) if found["heard"] else None),
                budget=budget,
                **counts_in(found),
            )
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise LedgerDown(
                f"what the ledger holds about {target} cannot be read ({type(error).__name__}: {error}); "
                "nothing is repaired"
            ) from error

    def counted(self, known: Brief, control: str, account: str, budget: Budget, now: datetime, /) -> Brief:
        """See ports.Ledger."""
        names = counters(control, budget, now, self.letter_hours)
        found = {name: self._calls.one(account, sk) for name, sk in names.items()}
        with readable("what was counted in this clock hour"):
            return replace(known, budget=budget, **counts_in(found))

    def save(
        self,
        finding: Finding,
        *,
        now: datetime,
        spend: Mapping[str, int] | None = None,
        alert: str = "",
        bury: Finding | None = None,
    ) -> Finding:
        """See ports.Ledger."""
        saved = replace(finding, version=finding.version + 1)
        stored, buried = began(saved, self.renamed), began(bury, self.renamed) if bury else None
        # An earlier life under an earlier id stands where nothing takes its place: it is its own history.
        elsewhere = buried is not None and buried.control != stored.control
        condition = follows(finding.version) if elsewhere else unchanged(finding.version)
        name = f"what is known of {finding.target} for {finding.control}"
        if spend is not None:  # the write-ahead: what is seen after the repair has to find room as well
            checked(item_of(with_room(stored), now), name, _LARGEST_BEGUN)
        writes: list[Mapping[str, Any]] = [self._calls.put(checked(item_of(stored, now), name), condition)]
        if buried is not None and not elsewhere:
            writes.append(self._calls.put(buried_item(buried, now)))
        pk, until = account_key(finding.target.account), now + (self.letter_hours + 1) * _HOUR
        counts: list[tuple[str, int | None]] = [(spent_key(name, now), most) for name, most in (spend or {}).items()]
        counts += [(letters_key(alert, now, self.letter_hours), None)] if alert else []
        writes += [{"Update": {"TableName": self.name, **count_of(key_of(pk, sk), until, most)}} for sk, most in counts]
        self._write(writes, finding)
        return saved

    def bury(self, finding: Finding, *, now: datetime) -> None:
        """See ports.Ledger."""
        self._perform("PutItem", self._calls.put(buried_item(began(finding, self.renamed), now))["Put"])

    def once(self, key: str, *, now: datetime, within: timedelta) -> bool:
        """See ports.Ledger."""
        item = {"pk": string("once"), "sk": string(key), "expires": number(epoch(now + within))}
        try:
            self._perform(
                "PutItem",
                {
                    "TableName": self.name,
                    "Item": item,
                    "ConditionExpression": "attribute_not_exists(pk) OR expires <= :now",  # TTL deletes days late
                    "ExpressionAttributeValues": {":now": number(epoch(now))},
                },
            )
        except Conflict:
            return False
        return True

    def told(self, key: str, *, now: datetime, within: timedelta) -> None:
        """See ports.Ledger."""
        item = {"pk": string("once"), "sk": string(key), "expires": number(epoch(now + within))}
        self._perform("PutItem", {"TableName": self.name, "Item": item})

    def open_findings(self, account: str) -> Sequence[Finding]:
        """Every open finding of an account. Read from an index, so a write of this second may be missing."""
        return [one for one in self._unfinished(account) if one.is_open]

    def told_of(self, prefix: str, now: datetime) -> frozenset[str]:
        """The keys beginning with `prefix` that are claimed, or kept as told, at this time."""
        items = self._calls.listed("pk = :k AND begins_with(sk, :p)", {":k": string("once"), ":p": string(prefix)})
        told = (one["sk"]["S"] for one in items if int(one["expires"]["N"]) > epoch(now))
        return frozenset(key_today(one, self.renamed) for one in told)

    def awaiting_digest(self, account: str) -> Sequence[Finding]:
        """See ports.Ledger."""
        return [one for one in self._unfinished(account) if one.is_owed_a_digest]

    def _unfinished(self, account: str) -> Sequence[Finding]:
        return self._query("open", "#k = :k", {":k": string(account)}, {"#k": "open"})

    def lives(self, account: str) -> Sequence[Finding]:
        """Every life of every finding that is still kept, open or closed."""
        query = "pk = :k AND begins_with(sk, :p)"
        keys = [{":k": string(account_key(account)), ":p": string(one)} for one in ("finding#", "history#")]
        return findings_in((item for one in keys for item in self._calls.listed(query, one)), self.renamed)

    def by_id(self, account: str, prefix: str) -> Sequence[Finding]:
        """The findings whose id begins with what a person typed, latest lives and earlier ones."""
        values = {":k": string(account_key(account)), ":id": string(prefix)}
        return self._query("ids", "pk = :k AND begins_with(id, :id)", values)

    def exempt(self, account: str, exemption: Exemption, now: datetime) -> None:
        """Add an exemption; those that have ended, and whose end was told, are dropped.

        Raises:
            Conflict: somebody else changed the exemptions at the same time.
            TooLarge: there are so many that no more find room.
        """
        before, version = self.all_exemptions(account)
        body = [one.to_json() for one in (*kept(before, now), exemption)]
        self._calls.put_one(account, "exemptions", body, version, _LARGEST_LIST)

    def all_exemptions(self, account: str) -> tuple[tuple[Exemption, ...], int]:
        """All exemptions, in force or not, and the version they were read in.

        Raises:
            LedgerDown: they cannot be read.
        """
        item = self._calls.one(account, "exemptions")
        with readable("the exemptions"):
            return exemptions_in(item, self.renamed), version_of(item)

    def save_exemptions(self, account: str, exemptions: Iterable[Exemption], version: int) -> None:
        """Write all exemptions over the version they were read in.

        Raises:
            Conflict: somebody else wrote first.
        """
        self._calls.put_one(account, "exemptions", [one.to_json() for one in exemptions], version)

    def all_pauses(self, account: str) -> tuple[Mapping[str, Pause], int]:
        """All pauses, in force or not, by control or `*`, and the version they were read in.

        Raises:
            LedgerDown: they cannot be read.
        """
        item = self._calls.one(account, "pauses")
        with readable("the pauses"):
            return pauses_in(item, self.renamed), version_of(item)

    def save_pauses(self, account: str, pauses: Mapping[str, Pause], version: int) -> None:
        """Write all pauses over the version they were read in.

        Raises:
            Conflict: somebody else wrote first.
        """
        self._calls.put_one(account, "pauses", {name: one.to_json() for name, one in pauses.items()}, version)

    def all_suspensions(self, account: str) -> tuple[tuple[Suspension, ...], int]:
        """All suspensions, and the version they were read in; see all_exemptions."""
        item = self._calls.one(account, "suspensions")
        with readable("the suspensions"):
            return tuple(map(Suspension.from_json, body_of(item, []))), version_of(item)

    def save_suspensions(self, account: str, suspensions: Iterable[Suspension], version: int) -> None:
        """Write all suspensions over the version they were read in; see save_exemptions."""
        self._calls.put_one(account, "suspensions", [one.to_json() for one in suspensions], version)

    def spent_in(self, account: str, now: datetime) -> Mapping[str, int]:
        """What was counted in this clock hour: repairs by control, of all as `*`, and letters."""
        values = {":k": string(account_key(account)), ":p": string("spent#")}
        items = self._calls.listed("pk = :k AND begins_with(sk, :p)", values)
        keys = {item["sk"]["S"]: int(item["n"]["N"]) for item in items}
        hour = spent_key("", now).removeprefix("spent#")
        return {
            key.removeprefix("spent#").removesuffix(hour): count for key, count in keys.items() if key.endswith(hour)
        }

    def forget_spent(self, account: str, name: str, now: datetime) -> None:
        """Begin to count the repairs of a control, or of all as `*`, of this clock hour anew."""
        self._calls.count_anew(key_of(account_key(account), spent_key(name, now)), now + 2 * _HOUR)

    def adopted(self, account: str) -> Mapping[str, str]:
        """The controls whose first sweep has begun, and how far it has come (see adoption.py)."""
        values = {":k": string(account_key(account)), ":p": string("adopted#")}
        return adoptions_in(self._calls.listed("pk = :k AND begins_with(sk, :p)", values), self.renamed)

    def adopt(self, account: str, control: str, mark: str) -> None:
        """Record how far the first sweep of a control has come; in pieces, where many targets wait for it."""
        for item in adoption_items(account_key(account), control, mark):
            self._perform("PutItem", {"TableName": self.name, "Item": item})

    def hearing(self, account: str) -> Hearing:
        """See ports.Ledger."""
        item = self._calls.one(account, KEPT_AS)
        with readable("who hears"):
            return Hearing.from_json(text_of(item) if item else None)

    def note_hearing(self, account: str, hearing: Hearing) -> None:
        """See ports.Ledger."""
        item = {**key_of(account_key(account), KEPT_AS), "body": string(hearing.to_json())}
        self._perform("PutItem", {"TableName": self.name, "Item": item})

    @property
    def sweeps(self) -> Sweeps:
        """How far the sweeps of the last days have come."""
        return Sweeps(self._calls)

    def note_sweep(self, account: str, now: datetime) -> None:
        """Record that a sweep is done."""
        item = {**key_of(account_key(account), "swept"), "body": string(now.isoformat())}
        self._perform("PutItem", {"TableName": self.name, "Item": item})

    def last_sweep(self, account: str) -> datetime | None:
        """When the last sweep was done."""
        item = self._calls.one(account, "swept")
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
        return findings_in(self._perform("Query", query)["Items"], self.renamed)

    def _write(self, writes: Sequence[Mapping[str, Any]], finding: Finding) -> None:
        try:
            if len(writes) == 1:
                self._perform("PutItem", writes[0]["Put"])
            else:
                self._perform("TransactWriteItems", {"TransactItems": list(writes)})
        except Conflict as conflict:
            raise Conflict(f"another look at {finding.target} wrote first, or others used up this hour") from conflict

    def _perform(self, operation: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401
        return self._calls.perform(operation, parameters)

    @property
    def _calls(self) -> TableCalls:
        return TableCalls(self.clients, self.name, self.region)
