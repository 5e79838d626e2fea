"""The ledger: one DynamoDB table, on demand. items.py says how it is laid out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from plumbline.adapters.clients import ClientFactory
from plumbline.adapters.counters import count, counted, counts_in, hour_key, keys_of, none_yet
from plumbline.adapters.exemptions import LIST, Exemptions, bearing_on, key_of_target, listed_in
from plumbline.adapters.items import (
    OWED,
    Renamed,
    account_key,
    adopted_key,
    adoption_in,
    adoption_items,
    adoptions_in,
    began,
    body_of,
    buried_item,
    epoch,
    finding_key,
    findings_in,
    follows,
    ids_of,
    item_of,
    key_of,
    key_today,
    latest,
    number,
    only_the_text,
    over_key,
    pauses_in,
    pieces_of,
    readable,
    string,
    unchanged,
    version_of,
)
from plumbline.adapters.sweeps import Sweeps
from plumbline.adapters.table_calls import TableCalls
from plumbline.adapters.together import save_all
from plumbline.baseline.rules import Patience
from plumbline.core.clock import utc
from plumbline.core.errors import Conflict, LedgerDown
from plumbline.core.targets import Target
from plumbline.decisions.credible import believed, ends
from plumbline.decisions.exemptions import Exemption
from plumbline.decisions.pauses import Pause
from plumbline.decisions.suspensions import Suspension
from plumbline.findings.brief import Brief
from plumbline.findings.budgets import Budget
from plumbline.findings.digested import Digested
from plumbline.findings.finding import Finding, with_room
from plumbline.findings.hearing import KEPT_AS, Hearing
from plumbline.findings.packed import body, checked, text_of

_HOUR = timedelta(hours=1)
#: Bytes of a finding whose repair begins, so that what is written later finds room.
_LARGEST_BEGUN = 390_000


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
        budget, account = budget or Budget(), target.account
        ids = ids_of(control, self.renamed)
        part = adopted.removeprefix(control)
        kept = [f"{one}{part}" for one in ids]
        lives, hours = [finding_key(one, target) for one in ids], keys_of(control, budget, now, self.letter_hours)
        items = self._calls.several(
            account,
            (*lives, LIST, key_of_target(target), "pauses", *hours, KEPT_AS, *(adopted_key(one) for one in kept)),
        )
        try:
            listed = listed_in(items.get(LIST), self.renamed)
            # Hardly ever is there more to read: a piece of an adoption, a pattern that fits.
            items |= self._calls.several(account, [*pieces_of(items, kept, target), *listed.fitting(ids, target, now)])
            return Brief(
                finding=latest(findings_in((items[sk] for sk in lives if sk in items), self.renamed)),
                exemptions=believed(
                    bearing_on(target, listed, items.values(), self.renamed), self.patience.exemption_days, now
                ),
                pauses=ends(pauses_in(items.get("pauses"), self.renamed), self.patience.pause_days, now),
                adoption=adoption_in(items, kept),
                hearing=Hearing.from_json(text_of(items[KEPT_AS]) if KEPT_AS in items else None),
                budget=budget,
                **counts_in(items, control, budget, now, self.letter_hours),
            )
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise LedgerDown(
                f"what the ledger holds about {target} cannot be read ({type(error).__name__}: {error}); "
                "nothing is repaired"
            ) from error

    def counted(self, known: Brief, control: str, account: str, budget: Budget, now: datetime, /) -> Brief:
        """See ports.Ledger."""
        items = self._calls.several(account, keys_of(control, budget, now, self.letter_hours))
        with readable("what was counted in this clock hour"):
            return replace(known, budget=budget, **counts_in(items, control, budget, now, self.letter_hours))

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
        counts = [*(spend or {}).items(), *([(alert, None)] if alert else [])]
        writes += count(self.name, finding.target.account, counts, now, self.letter_hours)
        self._write(writes, finding)
        return saved

    def save_all(self, findings: Sequence[Finding], *, now: datetime) -> Sequence[Finding]:
        """See ports.Ledger."""
        return save_all(self._calls, self.renamed, findings, now, lambda one: self.save(one, now=now))

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
        # what an earlier version wrote does not say whether it waits
        filtered = {"FilterExpression": f"attribute_not_exists({OWED}) OR {OWED} = :owed"}
        found = self._query("open", "#k = :k", {":k": string(account), ":owed": number(1)}, {"#k": "open"}, filtered)
        return [one for one in found if one.is_owed_a_digest]

    def _unfinished(self, account: str) -> Sequence[Finding]:
        return self._query("open", "#k = :k", {":k": string(account)}, {"#k": "open"})

    def recent(self, account: str, since: datetime) -> Sequence[Finding]:
        """See ports.Ledger."""
        values = {":k": string(over_key(account)), ":s": string(since.isoformat())}
        closed = self._query("open", "#k = :k AND due > :s", values, {"#k": "open"})
        return [*closed, *self._unfinished(account)]

    def lives(self, account: str) -> Sequence[Finding]:
        """Every life of every finding that is still kept, open or closed."""
        items = (item for one in ("finding#", "history#") for item in self._calls.beginning(account, one))
        return findings_in(items, self.renamed)

    def by_id(self, account: str, prefix: str) -> Sequence[Finding]:
        """The findings whose id begins with what a person typed, latest lives and earlier ones."""
        values = {":k": string(account_key(account)), ":id": string(prefix)}
        return self._query("ids", "pk = :k AND begins_with(id, :id)", values)

    @property
    def _exempt(self) -> Exemptions:
        return Exemptions(self._calls, self.renamed)

    def all_exemptions(self, account: str) -> tuple[Exemption, ...]:
        """See adapters.exemptions."""
        return self._exempt.all(account)

    def exempt(self, account: str, exemption: Exemption, now: datetime, *, instead: bool = False) -> None:
        """See adapters.exemptions."""
        self._exempt.add(account, exemption, now, instead=instead)

    def unexempt(self, account: str, exemption: Exemption, now: datetime) -> None:
        """See adapters.exemptions."""
        self._exempt.end(account, exemption, now)

    def note_exemption(self, account: str, exemption: Exemption, notice: str, now: datetime) -> None:
        """See adapters.exemptions."""
        self._exempt.told(account, exemption, notice, now)

    def move_exemptions(self, account: str, now: datetime) -> int:
        """See adapters.exemptions."""
        return self._exempt.move(account, now)

    def all_pauses(self, account: str) -> tuple[Mapping[str, Pause], int]:
        """All pauses, in force or not, by control or `*`, and the version they were read in; or raise LedgerDown."""
        item = self._calls.one(account, "pauses")
        with readable("the pauses"):
            return pauses_in(item, self.renamed), version_of(item)

    def save_pauses(self, account: str, pauses: Mapping[str, Pause], version: int) -> None:
        """Write all pauses over the version they were read in; or raise Conflict: somebody else wrote first."""
        self._calls.put_one(account, "pauses", {name: one.to_json() for name, one in pauses.items()}, version)

    def all_suspensions(self, account: str) -> tuple[tuple[Suspension, ...], int]:
        """All suspensions, and the version they were read in; see all_pauses."""
        item = self._calls.one(account, "suspensions")
        with readable("the suspensions"):
            return tuple(map(Suspension.from_json, body_of(item, []))), version_of(item)

    def save_suspensions(self, account: str, suspensions: Iterable[Suspension], version: int) -> None:
        """Write all suspensions over the version they were read in; see save_pauses."""
        self._calls.put_one(account, "suspensions", [one.to_json() for one in suspensions], version)

    def spent_in(self, account: str, now: datetime) -> Mapping[str, int]:
        """What was counted in this clock hour: repairs by control, of all as `*`, and letters."""
        item = self._calls.one(account, hour_key("", now, self.letter_hours))
        with readable("what was counted in this clock hour"):
            return counted(item)

    def forget_spent(self, account: str, name: str, now: datetime) -> None:
        """Begin to count the repairs of a control, or of all as `*`, of this clock hour anew."""
        key = key_of(account_key(account), hour_key(name, now, self.letter_hours))
        self._perform("UpdateItem", {"TableName": self.name, "Key": key, **none_yet(name, now + 2 * _HOUR)})

    def adopted(self, account: str) -> Mapping[str, str]:
        """The controls whose first sweep has begun, and how far it has come (see adoption.py)."""
        return adoptions_in(self._calls.beginning(account, "adopted#"), self.renamed)

    def adopt(self, account: str, control: str, mark: str) -> None:
        """Record how far the first sweep of a control has come; in pieces, where many targets wait for it."""
        for item in adoption_items(account_key(account), control, mark):
            self._perform("PutItem", {"TableName": self.name, "Item": item})

    def digested(self, account: str) -> Digested:
        """See ports.Ledger."""
        item = self._calls.one(account, "digest")
        with readable("what digests have told of"):
            return Digested.from_json(text_of(item) if item else None)

    def note_digested(self, account: str, digested: Digested) -> None:
        """See ports.Ledger."""
        item = {**key_of(account_key(account), "digest"), **body(digested.to_json())}
        self._perform("PutItem", {"TableName": self.name, "Item": checked(item, "what a digest tells of")})

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
        self,
        index: str,
        condition: str,
        values: Mapping[str, Any],
        names: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Sequence[Finding]:
        query = {
            "IndexName": index,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            **only_the_text(names or {}),
            **(more or {}),
        }
        return findings_in(self._calls.queried(query), self.renamed)

    def _write(self, writes: Sequence[Mapping[str, Any]], finding: Finding) -> None:
        try:
            self._calls.written(writes)
        except Conflict as conflict:
            raise Conflict(f"another look at {finding.target} wrote first, or others used up this hour") from conflict

    def _perform(self, operation: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401
        return self._calls.perform(operation, parameters)

    @property
    def _calls(self) -> TableCalls:
        return TableCalls(self.clients, self.name, self.region)
