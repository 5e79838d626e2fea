"""redrive: brings back what failed too often, and what could not be delivered from other regions.

People's own redrive would be refused by the queues' policies.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from plumbline.alerts import wording
from plumbline.alerts.shell import pasted
from plumbline.core.errors import AwsRefusal, MalformedWake
from plumbline.handlers.operate.asked import Answer, Asked, DeadLetters, Refused
from plumbline.handlers.operate.lists import paragraphs, wrapped
from plumbline.handlers.operate.typed import Typed
from plumbline.ports import Message
from plumbline.sweep.units import Unit
from plumbline.wakes import messages

#: Messages of one command: a call brings ten, and a command has a minute.
_MOST = 100
_SHOWN = 25
_LONGEST = 160


@dataclass(frozen=True, slots=True)
class _Read:
    """What a dead letter is.

    Attributes:
        what: in words.
        queue: where it belongs: `wakes` or `units`; empty where nothing can be made of it.
    """

    what: str
    queue: str = ""


def redrive(asked: Asked, typed: Typed) -> Answer:
    """Bring back what failed too often, and say what it was and who had sent it.

    A message is sent to where it came from before it leaves the dead letters: cut short in between, it is there twice,
    and whatever is settled twice is settled once.
    """
    connections = asked.connections
    if connections.dead is None or connections.wakes is None or connections.units is None:
        raise Refused("there is no queue for dead letters here")
    queues = {"wakes": connections.wakes, "units": connections.units}
    back: list[str] = []
    left: list[str] = []
    unasked: list[str] = []
    seen: set[str] = set()
    drops = "drop" in typed.flags
    for region, dead in _everywhere(asked, connections.dead):
        where = f", in {region}" if region else ""
        try:
            for letter in _letters(dead, seen):
                read = _read(asked, letter.body)
                if read.queue:
                    queues[read.queue].send([letter.body])
                if read.queue or drops:
                    dead.delete(letter.receipt)
                (back if read.queue else left).append(_said(letter, read) + where)
        except AwsRefusal as error:
            if not region:
                raise
            unasked.append(f"{region}: {error}")
    return _answer(back, left, unasked, drops=drops, more=len(seen) >= _MOST)


def _everywhere(asked: Asked, home: DeadLetters) -> Iterator[tuple[str, DeadLetters]]:
    """The queue at home, under no name, and each region's where the last sweep saw what could not be delivered."""
    yield "", home
    undelivered = asked.connections.undelivered
    if undelivered is not None:
        for region, one in sorted(asked.plumbline.reach().regions.items()):
            if "undelivered" in one.troubles:
                yield region, undelivered(region)


def _letters(dead: DeadLetters, seen: set[str]) -> Iterator[Message]:
    """The letters of one queue that were not seen yet, as many as a command has time for."""
    while len(seen) < _MOST:
        letters = [one for one in dead.receive() if one.id not in seen]
        if not letters:
            return
        for letter in letters:
            seen.add(letter.id)
            yield letter


def _answer(back: list[str], left: list[str], unasked: list[str], *, drops: bool, more: bool) -> Answer:
    if not back and not left and not unasked:
        return Answer("There are no dead letters.", {"redriven": [], "left": []})
    parts = []
    if back:
        parts.append("\n".join([f"Brought back, and tried again within a minute or two: {len(back)}.", *_listed(back)]))
    if left:
        became = "thrown away" if drops else "left where they are"
        head = f"Nothing can be made of these, and they are {became}: {len(left)}."
        parts.append("\n".join([head, *_listed(left)]))
    if unasked:
        parts.append("\n".join(["What could not be delivered from these regions cannot be had.", *_listed(unasked)]))
    end = "" if drops or not left else f"To throw those away, type: {pasted('redrive', '--drop')}"
    again = f"There are more. Type: {pasted('redrive')}" if more else ""
    data = {"redriven": back, "dropped" if drops else "left": left}
    return Answer(paragraphs(*parts, end, again), data, ok=not unasked and (drops or not left))


def _listed(texts: list[str]) -> list[str]:
    lines = [line for one in texts[:_SHOWN] for line in wrapped(one, " " * 2)]
    return [*lines, *([f"  and {len(texts) - _SHOWN} more"] if len(texts) > _SHOWN else [])]


def _said(letter: Message, read: _Read) -> str:
    sent = f"{letter.sent:%Y-%m-%d %H:%M} UTC" if letter.sent else "nobody knows when"
    return f"{wording.clean(read.what, _LONGEST)}; sent by {wording.clean(letter.sender, 80) or 'nobody known'}, {sent}"


def _read(asked: Asked, body: str) -> _Read:
    index = asked.plumbline.index
    try:
        unit = Unit.from_json(body)
    except MalformedWake:
        pass
    else:
        what = "a search for what an event meant" if unit.asked else "a piece of a sweep"
        return _Read(f"{what} in {unit.region}: {', '.join(map(str, unit.controls))}", "units")
    try:
        task = messages.task(body)
        if task is not None:
            return _Read(f"the task {task.value}", "wakes")
        wakes = messages.read(body, index, index.concerned, index.renamed, asked.account)
    except MalformedWake as error:
        return _Read(_announcement(body) or str(error))
    if wakes and wakes[0].cause.action:
        who = wakes[0].cause.who or "somebody"
        return _Read(
            f"the event {wakes[0].cause.action} of {who}, for {', '.join(one.control for one in wakes)}", "wakes"
        )
    if wakes:
        return _Read(f"a look at {wakes[0].target} for {wakes[0].control}", "wakes")
    return _Read("an event that concerns nothing here any more", "wakes")


def _announcement(body: str) -> str:
    """What Lambda writes of a batch of the ledger's stream: it has not the records themselves."""
    try:
        message = json.loads(body)
    except ValueError:
        return ""
    batch = message.get("DDBStreamBatchInfo") if isinstance(message, Mapping) else None
    return f"{batch.get('batchSize', 'some')} events that were not announced" if isinstance(batch, Mapping) else ""
