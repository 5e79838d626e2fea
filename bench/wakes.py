"""The two measurements that wake somebody: how long a cold wake takes, and how many AWS calls a wake is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.account import Account, Key
from bench.custodian import Packed
from bench.processes import Command, NotMeasured, Sample, once, started
from bench.sizes import LAYER

FLOOR, FLOOR_WITHOUT_GC, BARE, PLUMBLINE, CUSTODIAN, CUSTODIAN_AS_DEPLOYED = (
    "floor",
    "floor, no gc",
    "bare calls",
    "Plumbline",
    "Custodian",
    "Custodian as deployed",
)


#: How many AWS calls a wake may be.
_REPAIR_GOAL, _WELL_GOAL = 9, 4


@dataclass(frozen=True, slots=True)
class Side:
    """One contestant.

    Attributes:
        command: the process.
        event: what it is handed for a key.
        repairs: whether the key has to be Inactive afterwards.
    """

    name: str
    command: Command
    event: Callable[[Key], Any]
    repairs: bool = True


@dataclass(frozen=True, slots=True)
class Counted:
    """The AWS calls of one wake, in order, as `role Operation`; without a goal it is the peer's."""

    wake: str
    calls: Sequence[str]
    goal: int | None = None


def sides(account: Account, packed: Packed) -> list[Side]:
    """All contestants, in the order of the table; the floor is what Plumbline is seen to do in a trial run."""
    plumbline = _plumbline(account)
    steps = _recorded(account, plumbline)
    react, custodian = plumbline.environment, account.custodian_environment()
    custodian |= {"TMPDIR": str(packed.archive.parent)}  # it leaves folders behind
    clients = [step for step in steps.of(steps.key) if "make" in step]
    return [
        Side(FLOOR, Command("bare", (), react), lambda _: clients, repairs=False),
        Side(FLOOR_WITHOUT_GC, Command("bare", ("--no-gc",), react), lambda _: clients, repairs=False),
        Side(BARE, Command("bare", (), react), steps.of),
        Side(PLUMBLINE, plumbline, lambda key: in_sqs(account.event(key))),
        Side(CUSTODIAN, Command("wake_custodian", (str(packed.compiled),), custodian), account.event),
        Side(CUSTODIAN_AS_DEPLOYED, Command("wake_custodian", (str(packed.as_deployed),), custodian), account.event),
    ]


def race(account: Account, contestants: Sequence[Side], rounds: int) -> Mapping[str, list[Sample]]:
    """Run every contestant once in each round, each round beginning with another.

    Raises:
        NotMeasured: a contestant did not put its key right.
    """
    samples: dict[str, list[Sample]] = {side.name: [] for side in contestants}
    for turn in range(rounds):
        first = turn % len(contestants)
        for side in (*contestants[first:], *contestants[:first]):
            key = account.key()
            sample = once(side.command, side.event(key))
            if side.repairs and account.is_active(key):
                raise NotMeasured(f"{side.name} left the key of {key.user} active; it returned {sample.returned}")
            samples[side.name].append(sample)
    return samples


def count(account: Account, contestants: Sequence[Side]) -> list[Counted]:
    """The AWS calls of a repair and of a wake that finds all well, cold and warm; and of Custodian's repair."""
    sides_by_name = {side.name: side for side in contestants}
    plumbline, peer = sides_by_name[PLUMBLINE], sides_by_name[CUSTODIAN]
    counted = []
    for name, goal, well in (("key repaired", _REPAIR_GOAL, False), ("all well", _WELL_GOAL, True)):
        with started(plumbline.command) as handle:
            for warmth in ("cold", "warm"):
                calls = _calls(account, plumbline, handle, well=well)
                counted.append(Counted(f"{name}, {warmth}", calls, goal))
    with started(peer.command) as handle:
        return [*counted, Counted("Custodian, key repaired, cold", _calls(account, peer, handle, well=False))]


def _calls(account: Account, side: Side, handle: Callable[[Any], Sample], *, well: bool) -> list[str]:
    key = account.key()
    if well:
        account.deactivate(key)
    since = account.last_call()
    handle(side.event(key))
    calls = [f"{call.role.removeprefix('plumbline-')} {call.operation}" for call in account.calls(since)]
    if account.is_active(key):
        raise NotMeasured(f"the key of {key.user} is still active after the calls {calls}")
    return calls


def in_sqs(event: Mapping[str, Any]) -> dict[str, Any]:
    """What Lambda hands to react for one message of the wakes queue."""
    record = {
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": json.dumps(event),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:plumbline-wakes",
        "awsRegion": "us-east-1",
    }
    return {"Records": [record]}


@dataclass(frozen=True, slots=True)
class _Recorded:
    """What Plumbline did about one key, to be played again about others."""

    key: Key
    text: str

    def of(self, key: Key) -> list[dict[str, Any]]:
        """The same steps about another key."""
        steps: list[dict[str, Any]] = json.loads(
            self.text.replace(self.key.user, key.user).replace(self.key.id, key.id)
        )
        return steps


def _recorded(account: Account, command: Command) -> _Recorded:
    key = account.key()
    recording = Command(command.script, (*command.arguments, "--record"), command.environment)
    sample = once(recording, in_sqs(account.event(key)))
    if account.is_active(key):
        raise NotMeasured(f"Plumbline left the key of {key.user} active; it returned {sample.returned}")
    return _Recorded(key, json.dumps(list(sample.steps)))


def _plumbline(account: Account) -> Command:
    where = (str(account.built / "ReactFunction"), str(account.built / LAYER / "python"))
    return Command("wake_plumbline", where, account.react_environment())
