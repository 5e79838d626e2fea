"""The ledger's table: two string keys, and how what is remembered stands in its items. Pure.

    pk                sk                              what
    account#ID        finding#CONTROL#TARGET          the latest life of a finding; has `open` while it lasts
    account#ID        history#CONTROL#TARGET#SEEN     its earlier lives
    account#ID        exempt#TARGET                   the exemptions of one target, or of one pattern (exemptions.py)
    account#ID        exemptions                      which patterns there are, one item
    account#ID        pauses                          all pauses, one item
    account#ID        suspensions                     who is suspended, one item
    account#ID        spent#HOUR                      what was repaired and told in that clock hour (counters.py)
    account#ID        adopted#CONTROL                 how far the first sweep of a control has come
    account#ID        adopted#CONTROL#NN              of the targets it found, those of a piece, where they are many
    account#ID        heard                           whether anybody ever confirmed that alerts reach him, and does now
    once              KEY                             somebody was told; not again before `expires`
    account#ID        digest                          what was told together (findings/digested.py), one item
    account#ID        swept                           when the last sweep was done
    account#ID        lasting#CONTROL                 what its sweeps need not look at again yet (sweeps.py)
    account#ID        sweep#BEGUN                     how far a sweep has come (sweeps.py), for two days
    account#ID        reach                           which regions are governed and heard (core/reach.py), one item

The index `open` (open, due) lists open findings and, under a name of their own, closed ones by when they were closed;
the index `ids` (pk, id) finds one by what was typed. A finding is one JSON text in `body`, or compressed in `packed`
(findings/packed.py): DynamoDB's own types would turn numbers into decimals and say nothing more.

Each says in `v` which form it has (findings/schema.py).

A control may have had other ids. A finding keeps the one it began under, in its key and its body, for as long as it is
kept: nothing is moved, an older version still finds what it wrote, and the stream tells of no second finding. Whoever
reads gets today's id, from the functions here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from plumbline.core.errors import LedgerDown
from plumbline.core.targets import Target
from plumbline.decisions.pauses import Pause
from plumbline.findings.adoption import Adoption, in_pieces, is_in_pieces, piece_of, whole
from plumbline.findings.finding import Finding
from plumbline.findings.ids import finding_id
from plumbline.findings.packed import Item, body, text_of
from plumbline.findings.schema import NAME
from plumbline.findings.stored import from_json, to_json

#: Earlier id of a control -> the one it has today.
Renamed = Mapping[str, str]


#: Whether the next digest names a finding. The table leaves out the others where that is asked.
OWED = "owed"
#: Guidance of the UK Ministry of Justice for internal services: 13 months.
KEPT_FOR = timedelta(days=395)


def account_key(account: str) -> str:
    """The partition of an account."""
    return f"account#{account}"


def finding_key(control: str, target: Target) -> str:
    """Where the latest life of a finding stands."""
    return f"finding#{control}#{target}"


def adopted_key(control: str) -> str:
    """Where it stands how far a control's first sweep has come."""
    return f"adopted#{control}"


def key_of(pk: str, sk: str) -> dict[str, Mapping[str, str]]:
    """The key of an item."""
    return {"pk": string(pk), "sk": string(sk)}


def string(value: str) -> Mapping[str, str]:
    """A text as DynamoDB takes it."""
    return {"S": value}


def number(value: int) -> Mapping[str, str]:
    """A number as DynamoDB takes it."""
    return {"N": str(value)}


def epoch(at: datetime) -> int:
    """An instant as DynamoDB counts the time to live: in seconds since 1970."""
    return int(at.timestamp())


def ids_of(control: str, renamed: Renamed) -> Sequence[str]:
    """Every id that a control has had, today's first."""
    return (control, *(earlier for earlier, today in renamed.items() if today == control))


def began(finding: Finding, renamed: Renamed) -> Finding:
    """A finding under the id that its control had when it began, which is the one its own id was made of."""
    then = (
        one
        for one in ids_of(finding.control, renamed)
        if finding.id == finding_id(one, finding.target, finding.first_seen)
    )
    return replace(finding, control=next(then, finding.control)) if renamed else finding


def unchanged(version: int) -> Mapping[str, Any]:
    """The condition that nobody has written since `version` was read."""
    if version == 0:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "version = :version",
        "ExpressionAttributeValues": {":version": number(version)},
    }


def follows(version: int) -> Mapping[str, Any]:
    """The condition of a life that follows one under another key: since that was read, nobody has begun one."""
    return {
        "ConditionExpression": "attribute_not_exists(pk) OR version <= :version",
        "ExpressionAttributeValues": {":version": number(version)},
    }


def item_of(finding: Finding, now: datetime) -> Item:
    """A finding as an item; with `open` and `due`, for the index, while it lasts."""
    item = key_of(account_key(finding.target.account), finding_key(finding.control, finding.target)) | {
        "id": string(finding.id),
        **body(to_json(finding)),
        "version": number(finding.version),
    }
    if finding.is_open or finding.awaits_digest:
        return item | {
            "open": string(finding.target.account),
            "due": string(finding.due.isoformat() if finding.due else "9999"),
            OWED: number(int(finding.is_owed_a_digest)),
        }
    return item | _over(finding) | {"expires": number(epoch(now + KEPT_FOR))}


def buried_item(finding: Finding, now: datetime) -> Item:
    """An earlier life of a finding as an item of the history."""
    seen = finding.first_seen.isoformat()
    # nobody was told of its end yet: the next digest finds it through the index
    waits = {"open": string(finding.target.account), "due": string("9999"), OWED: number(1)}
    return (
        (waits if finding.awaits_digest else _over(finding))
        | key_of(account_key(finding.target.account), f"history#{finding.control}#{finding.target}#{seen}")
        | {
            "id": string(finding.id),
            **body(to_json(finding)),
            "expires": number(epoch(now + KEPT_FOR)),
        }
    )


def only_the_text(names: Mapping[str, str]) -> dict[str, Any]:
    """Of a query for findings: leave out all attributes that no finding is read from. botocore takes long for each.

    Args:
        names: those that the query's conditions speak of.
    """
    read = {"#body": "body", "#packed": "packed", "#form": NAME}
    return {"ProjectionExpression": ", ".join(("sk", *read)), "ExpressionAttributeNames": {**read, **names}}


def over_key(account: str) -> str:
    """The partition of the index in which an account's closed lives stand, by when they were closed."""
    return f"closed#{account}"


def _over(finding: Finding) -> dict[str, Mapping[str, str]]:
    """What lists a closed life in the index: the week's e-mail asks what was closed since, and for nothing else."""
    closed = finding.closed_at or finding.last_seen
    return {"open": string(over_key(finding.target.account)), "due": string(closed.isoformat())}


def findings_in(items: Iterable[Item], renamed: Renamed) -> list[Finding]:
    """The findings in items, under the ids their controls have today."""
    found = (from_json(text_of(item)) for item in items)
    return [replace(one, control=renamed[one.control]) if one.control in renamed else one for one in found]


def latest(findings: Iterable[Finding]) -> Finding | None:
    """Of the lives that stand under a control's ids, today's first, the one that goes on or was the last."""
    return max(findings, key=lambda one: (one.is_open, one.version), default=None)


def body_of(item: Item | None, empty: Any) -> Any:  # noqa: ANN401
    """The JSON in an item; `empty` where there is none."""
    return json.loads(text_of(item)) if item else empty


def version_of(item: Item | None) -> int:
    """The version of an item; 0 where there is none."""
    return int(item["version"]["N"]) if item else 0


def pauses_in(item: Item | None, renamed: Renamed) -> Mapping[str, Pause]:
    """All pauses, by today's id of a control or `*`; of two of one control the longer."""
    found = sorted(
        ((name, Pause.from_json(one)) for name, one in body_of(item, {}).items()), key=lambda one: one[1].until
    )
    return {renamed.get(name, name): one for name, one in found}


def adoption_items(pk: str, kept: str, text: str) -> Iterator[Item]:
    """What is written for the adoption of a control, the one that makes the rest valid last."""
    head, pieces = in_pieces(text)
    for piece, part in pieces.items():
        yield {**key_of(pk, piece_key(kept, piece)), **body(part)}
    yield {**key_of(pk, adopted_key(kept)), **body(head)}


def adoption_in(items: Mapping[str, Item], kept: Iterable[str]) -> Adoption:
    """The adoption of a control, as far as one target is concerned, under the first of its ids that has one.

    Args:
        items: what was read, by sort key; of the pieces of an adoption those that tell of the target.
        kept: what the adoption is kept under, by each id of the control, today's first.
    """
    head = next((one for one in kept if adopted_key(one) in items), None)
    if head is None:
        return Adoption()
    pieces = [text_of(item) for sk, item in items.items() if sk.startswith(f"{adopted_key(head)}#")]
    return Adoption.from_json(whole(text_of(items[adopted_key(head)]), pieces))


def pieces_of(items: Mapping[str, Item], kept: Iterable[str], target: Target) -> list[str]:
    """Where the piece of an adoption stands that tells of a target; nowhere for one that is not in pieces.

    Args:
        items: what was read, by sort key.
        kept: what the adoption is kept under, by each id of the control, today's first.
        target: what is looked at.
    """
    head = next((one for one in kept if adopted_key(one) in items), None)
    if head is None or not is_in_pieces(text_of(items[adopted_key(head)])):
        return []
    return [piece_key(head, piece_of(str(target)))]


def piece_key(kept: str, piece: str) -> str:
    """Where a piece of an adoption stands."""
    return f"{adopted_key(kept)}#{piece}"


def adoptions_in(items: Iterable[Item], renamed: Renamed) -> Mapping[str, str]:
    """The adoptions in items, whole again, by today's id of a control."""
    heads: dict[str, str] = {}
    pieces: dict[str, list[str]] = {}
    for item in items:
        kept, piece = item["sk"]["S"].removeprefix("adopted#").partition("#")[::2]
        if piece:
            pieces.setdefault(kept, []).append(text_of(item))
        else:
            heads[kept] = text_of(item)
    return by_control({kept: whole(head, pieces.get(kept, ())) for kept, head in heads.items()}, renamed)


def by_control(bodies: Mapping[str, str], renamed: Renamed) -> Mapping[str, str]:
    """What is kept for each control, `CONTROL` or `CONTROL@REGION`, by today's id; what stands under that one wins."""

    def today(name: str) -> str:
        control, at, region = name.partition("@")
        return f"{renamed.get(control, control)}{at}{region}"

    return {today(name): bodies[name] for name in sorted(bodies, key=lambda name: name == today(name))}


def key_today(key: str, renamed: Renamed) -> str:
    """A key that somebody was told under, `WHAT#CONTROL#...`, with the id its control has today."""
    what, *rest = key.split("#")
    return "#".join([what, *(renamed.get(one, one) for one in rest[:1]), *rest[1:]])


@contextmanager
def readable(what: str) -> Iterator[None]:
    """What was written by hand, or by a later version, must not be taken for nothing."""
    try:
        yield
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise LedgerDown(
            f"{what} in the ledger cannot be read ({type(error).__name__}: {error}); nothing is repaired"
        ) from error
