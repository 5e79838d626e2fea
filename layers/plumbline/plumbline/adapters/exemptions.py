"""People's exemptions in the ledger: those of one target in an item of their own, and a list of the patterns there are.

    account#ID   exempt#TARGET    the exemptions of one target, in full
    account#ID   exempt#*#PATTERN those of one pattern
    account#ID   exemptions       the list: which patterns there are, and until when

A wake reads the list and its target's item in the one call that reads all else, and the item of a pattern only where
that fits the target, which is rare. So what it pays hardly grows with what is exempt: of a pattern the list holds no
more than that tells whether it may fit.

Each change is conditional on the version of the item it changes. Who changes a pattern changes the list as well, in one
transaction; who was in the way of somebody else's pattern tries again.

Version 0.1 kept all of them in the list, in full. They are read there until they are moved (`move`): first into items
of their own, then, an hour later, out of the list. What stands in both meanwhile counts once. A wake that reads both
at that moment finds it in one of them. The list says that it no longer holds all (`schema.ITEM_EACH`), so that an
earlier version repairs nothing rather than what is exempt.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from plumbline.adapters.items import (
    Renamed,
    account_key,
    body_of,
    epoch,
    key_of,
    number,
    readable,
    unchanged,
    version_of,
)
from plumbline.adapters.table_calls import TableCalls
from plumbline.core.errors import Conflict
from plumbline.core.names import folded
from plumbline.core.targets import Target
from plumbline.decisions.exemptions import ANY, Exemption, each_once, fits_target, kept, literal
from plumbline.findings.packed import Item, body, checked, compact
from plumbline.findings.schema import ITEM_EACH, NAME

LIST = "exemptions"
_EACH = "exempt#"
#: So that a pattern never stands with the target that reads like it: the list says nothing of targets.
_BY_PATTERN = f"{_EACH}*#"
#: How often a change is tried where somebody else is changing the same item.
_TRIES = 5
#: Bytes of a sort key that a target takes as it is. Source: DynamoDB Developer Guide, quotas: 1,024 in all.
_LONGEST = 900
#: Bytes of the list, and of an item, so that what is told of each still finds room when no more are taken.
_LARGEST = 360_000
#: An item of which nothing has to be told any more is forgotten so long after the last end in it.
_FORGOTTEN_AFTER = timedelta(days=1)


def key_for(pattern: str) -> str:
    """Where the exemptions of a pattern stand, or of the one target that it covers."""
    one = literal(pattern)
    return _key(_BY_PATTERN, pattern) if one is None else _key(_EACH, folded(one))


def key_of_target(target: Target) -> str:
    """Where the exemptions of exactly one target stand, however its name is spelled."""
    return _key(_EACH, folded(str(target)))


def _key(begins: str, text: str) -> str:
    return f"{begins}{text if len(text.encode()) <= _LONGEST else hashlib.sha256(text.encode()).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Listed:
    """The list.

    Attributes:
        patterns: by control, each pattern and until when an exemption of it lasts, in seconds since 1970.
        earlier: what stands in it in full, as earlier versions wrote it.
        version: the one it was read in; 0 where there is none.
        is_old: whether an earlier version wrote it, which takes it for all there is.
    """

    patterns: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    earlier: tuple[Exemption, ...] = ()
    version: int = 0
    is_old: bool = False

    def fitting(self, controls: Iterable[str], target: Target, now: datetime) -> Iterator[str]:
        """Where the exemptions stand whose pattern fits a target, from one of these controls or from all."""
        for control in (ANY, *controls):
            for pattern, until in self.patterns.get(control, {}).items():
                if until > epoch(now) and fits_target(pattern, target):
                    yield key_for(pattern)

    def with_those_of(self, pattern: str, exemptions: Sequence[Exemption], now: datetime) -> Listed:
        """The list, with what there is now of a pattern, and without what is over; of one target it says nothing."""
        if literal(pattern) is not None:
            return self
        ends: dict[str, int] = {}
        for one in exemptions:
            if one.target == pattern:
                ends[one.control] = max(ends.get(one.control, 0), math.ceil(one.until.timestamp()))
        others = {
            control: {name: until for name, until in patterns.items() if name != pattern and until > epoch(now)}
            for control, patterns in self.patterns.items()
        }
        for control, until in ends.items():
            others.setdefault(control, {})[pattern] = until
        return replace(self, patterns={control: patterns for control, patterns in others.items() if patterns})

    def to_json(self) -> dict[str, Any]:
        """As the ledger keeps it."""
        return {"patterns": self.patterns, "earlier": [one.to_json() for one in self.earlier]}


def listed_in(item: Item | None, renamed: Renamed) -> Listed:
    """The list in an item, from the ids that controls have today; that of version 0.1 holds nothing else.

    Raises:
        KeyError, ValueError, TypeError, AttributeError: it is unreadable; the caller must then repair nothing.
    """
    found = body_of(item, {})
    if isinstance(found, list):
        return Listed(earlier=_read(found, renamed), version=version_of(item), is_old=True)
    return Listed(found.get("patterns", {}), _read(found.get("earlier", ()), renamed), version_of(item))


def exemptions_in(item: Item | None, renamed: Renamed) -> tuple[Exemption, ...]:
    """The exemptions in the item of a target or pattern; see `listed_in`."""
    return _read(body_of(item, []), renamed)


def bearing_on(target: Target, listed: Listed, items: Iterable[Item], renamed: Renamed) -> tuple[Exemption, ...]:
    """What may exempt a target: of those in the list what fits it, and what stands in the items that were read."""
    earlier = (one for one in listed.earlier if fits_target(one.target, target))
    own = (one for item in items if item["sk"]["S"].startswith(_EACH) for one in exemptions_in(item, renamed))
    return each_once((*earlier, *own))


@dataclass(frozen=True, slots=True)
class Exemptions:
    """All exemptions of an account that people have typed.

    Attributes:
        calls: to the ledger's table.
        renamed: earlier id of a control -> the one it has today.
    """

    calls: TableCalls
    renamed: Renamed

    def all(self, account: str) -> tuple[Exemption, ...]:
        """All of them, in force or not, what ends soonest first.

        Raises:
            LedgerDown: they cannot be read.
        """
        # The list first: what is moved out of it in between is in its own item by then.
        listed = self._listed(self.calls.one(account, LIST))
        items = self.calls.beginning(account, _EACH)
        with readable("the exemptions"):
            found = each_once((*listed.earlier, *(one for item in items for one in exemptions_in(item, self.renamed))))
        return tuple(sorted(found, key=lambda one: (one.until, one.id, one.control, one.target)))

    def add(self, account: str, exemption: Exemption, now: datetime, *, instead: bool = False) -> None:
        """Add one; those of the same target that are over, and whose end was told, are dropped.

        Args:
            account: whose.
            exemption: the new one.
            now: the time, in UTC.
            instead: whether it takes the place of those in force from the same control, of the same target.

        Raises:
            Conflict: others change the same item again and again.
            TooLarge: there are so many that no more find room.
        """

        def added(before: Sequence[Exemption]) -> Iterable[Exemption]:
            wanted = (exemption.control, exemption.target)
            same = [one for one in before if (one.control, one.target) == wanted and one.until > now and instead]
            return (*(one for one in kept(before, now) if one not in same), exemption)

        self._change(account, exemption.target, added, now)

    def end(self, account: str, exemption: Exemption, now: datetime) -> None:
        """End one before its time: it is forgotten.

        Raises:
            Conflict: it is not there any more, or others change the same item again and again.
        """

        def left(before: Sequence[Exemption]) -> Iterable[Exemption]:
            others = [one for one in before if not _is(one, exemption)]
            if len(others) == len(before):
                raise Conflict(f"the exemption {exemption.id} was changed or ended by somebody else")
            return kept(others, now)

        self._change(account, exemption.target, left, now)

    def told(self, account: str, exemption: Exemption, notice: str, now: datetime) -> None:
        """Record that people were told of one; one that is over is forgotten after that."""

        def marked(before: Sequence[Exemption]) -> Iterable[Exemption]:
            return kept((replace(one, told=(*one.told, notice)) if _is(one, exemption) else one for one in before), now)

        self._change(account, exemption.target, marked, now)

    def move(self, account: str, now: datetime) -> int:
        """Bring what earlier versions wrote into its own items; how many exemptions the list still holds in full.

        What has been brought there by an earlier call leaves the list, then the next is brought there: so there is
        an hour between the two. May stop anywhere, and goes on where it stopped.

        Raises:
            Conflict: others change the same item again and again.
            LedgerDown: the ledger cannot be used.
        """
        listed = self._listed(self.calls.one(account, LIST))
        if not listed.earlier:
            return 0
        there = self.all_in_items(account)
        moved = [one for one in listed.earlier if any(_is(one, other) for other in there.get(key_for(one.target), ()))]
        if moved:
            left = tuple(one for one in listed.earlier if one not in moved)
            shrunk = replace(listed, earlier=left, is_old=False)
            for pattern in {one.target for one in moved}:
                shrunk = shrunk.with_those_of(pattern, there[key_for(pattern)], now)
            self.calls.written([self._put_list(account, shrunk)])
            listed = shrunk
        for target in dict.fromkeys(one.target for one in listed.earlier):
            self._bring(account, target, listed.earlier, now)
        return len(listed.earlier)

    def all_in_items(self, account: str) -> Mapping[str, Sequence[Exemption]]:
        """What stands in the items of targets and patterns, by their keys."""
        items = self.calls.beginning(account, _EACH)
        with readable("the exemptions"):
            return {item["sk"]["S"]: exemptions_in(item, self.renamed) for item in items}

    def _bring(self, account: str, target: str, earlier: Sequence[Exemption], now: datetime) -> None:
        """Write what the list holds of a target into the target's own item as well."""
        sk = key_for(target)
        item = self.calls.several(account, [sk]).get(sk)
        with readable("the exemptions"):
            before = exemptions_in(item, self.renamed)
        own = [one for one in earlier if key_for(one.target) == sk]
        self.calls.written([self._put(account, sk, each_once((*own, *before)), version_of(item), now)])

    def _change(
        self,
        account: str,
        target: str,
        change: Callable[[Sequence[Exemption]], Iterable[Exemption]],
        now: datetime,
    ) -> None:
        """Change the exemptions of a target or pattern, and the list with them where that has to know."""
        sk = key_for(target)
        for tries_left in reversed(range(_TRIES)):
            items = self.calls.several(account, (LIST, sk))
            listed, item = self._listed(items.get(LIST)), items.get(sk)
            with readable("the exemptions"):
                own = exemptions_in(item, self.renamed)
            before = each_once((*(one for one in listed.earlier if key_for(one.target) == sk), *own))
            after = tuple(change(before))
            if after == before == own:
                return
            writes = [self._put(account, sk, after, version_of(item), now)]
            # its own item holds all of them from now on, and an earlier version would not look for it there
            left = tuple(one for one in listed.earlier if key_for(one.target) != sk)
            now_listed = replace(listed, earlier=left, is_old=False).with_those_of(target, after, now)
            if now_listed != listed or LIST not in items:
                writes.append(self._put_list(account, now_listed))
            try:
                self.calls.written(writes)
            except Conflict:
                if not tries_left:
                    raise
            else:
                return

    def _listed(self, item: Item | None) -> Listed:
        with readable("the exemptions"):
            return listed_in(item, self.renamed)

    def _put_list(self, account: str, listed: Listed) -> Mapping[str, Any]:
        item = {
            **key_of(account_key(account), LIST),
            **body(compact(listed.to_json())),
            "version": number(listed.version + 1),
            NAME: number(ITEM_EACH),
        }
        return self.calls.put(
            checked(item, "the list of patterns that are exempt", _LARGEST), unchanged(listed.version)
        )

    def _put(
        self, account: str, sk: str, exemptions: Sequence[Exemption], version: int, now: datetime
    ) -> Mapping[str, Any]:
        item: dict[str, Any] = {
            **key_of(account_key(account), sk),
            **body(json.dumps([one.to_json() for one in exemptions])),
            "version": number(version + 1),
        }
        if all("expired" in one.told for one in exemptions):  # nobody is told of them any more, who would drop them
            last = max((one.until for one in exemptions), default=now)
            item["expires"] = number(epoch(last + _FORGOTTEN_AFTER))
        return self.calls.put(checked(item, "what is exempt of one target", _LARGEST), unchanged(version))


def _read(found: Iterable[Any], renamed: Renamed) -> tuple[Exemption, ...]:
    read = (Exemption.from_json(one) for one in found)
    return tuple(replace(one, control=renamed.get(one.control, one.control)) for one in read)


def _is(one: Exemption, other: Exemption) -> bool:
    """Whether two are the same exemption, whatever was told of it meanwhile."""
    return (one.id, one.control, one.target, one.until) == (other.id, other.control, other.target, other.until)
