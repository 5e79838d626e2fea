"""The two measurements that wake somebody: how long a cold wake takes, and how many AWS calls a wake is."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import grown
from bench.account import STATE, Account, Key
from bench.custodian import Packed
from bench.former import history
from bench.former.layer import built
from bench.processes import PYTHON, Command, NotMeasured, Sample, once, started
from bench.sizes import LAYER

FLOOR, BARE = "floor", "bare calls"
BY_HAND, BY_HAND_OUR_ROOTS, BY_HAND_NO_GC = "by hand", "by hand, our roots", "by hand, ours, no gc"
PLUMBLINE, GROWN, WARM = "Plumbline", "Plumbline, grown", "Plumbline, warm"
BOTO3, FORMER = "boto3 as it comes", "version 0.1"
CUSTODIAN, CUSTODIAN_AS_DEPLOYED = "Custodian", "Custodian as deployed"
#: How often a round runs everybody, where nothing else is asked for; the cheapest run counts.
TRIES = 2
#: How many times as many tries the two get whose difference is a matter of hundredths.
_OFTEN = 4
#: Buckets that are read in one go.
_BUCKETS = 40
#: To how many controls the registry is grown.
SIZE = 60

#: How many AWS calls a wake may be.
_REPAIR_GOAL, _WELL_GOAL = 9, 4


@dataclass(frozen=True, slots=True)
class Side:
    """One contestant.

    Attributes:
        command: the process.
        event: what it is handed for a key.
        repairs: whether the key has to be Inactive afterwards.
        warm: under which name a second wake in the same process is measured, too; none when empty.
        often: how many times as many tries as the others it gets: a difference of a few hundredths needs more of them
            than a ratio of a third.
    """

    name: str
    command: Command
    event: Callable[[Key], Any]
    repairs: bool = True
    warm: str = ""
    often: int = 1


@dataclass(frozen=True, slots=True)
class Counted:
    """The AWS calls of one wake, in order, as `role Operation`; without a goal it is the peer's."""

    wake: str
    calls: Sequence[str]
    goal: int | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What one wake did, seen in a process that is not timed.

    Attributes:
        key: what it was about.
        steps: the clients made and the calls performed, to be played again about other keys.
        modules: Plumbline's own that were imported.
    """

    key: Key
    steps: str
    modules: frozenset[str]

    @property
    def clients(self) -> list[dict[str, Any]]:
        """The distinct clients: one of each service, region and role."""
        made = [step for step in json.loads(self.steps) if "make" in step]
        return list({(one["make"], one["region"], one["assumed"]): one for one in made}.values())

    def about(self, key: Key) -> list[dict[str, Any]]:
        """The same steps about another key."""
        told = self.steps.replace(self.key.user, key.user).replace(self.key.id, key.id)
        steps: list[dict[str, Any]] = json.loads(told)
        return steps


@dataclass(frozen=True, slots=True)
class Contest:
    """Who is measured, in the order of the table, and what was seen of Plumbline before.

    Attributes:
        sides: the contestants.
        today: a wake with the controls there are.
        grown: a wake with as many as `SIZE`.
        readers: who reads buckets, by name.
    """

    sides: Sequence[Side]
    today: Trial
    grown: Trial
    readers: Mapping[str, Command]


def contest(account: Account, packed: Packed) -> Contest:
    """All contestants, made ready. The floors are what Plumbline is seen to do in a trial run."""
    variables = account.react_environment()
    trust = Trust(account.front.certificates.root.read_text())
    few = trust.few(account.built / LAYER, STATE / "today")
    plumbline = _plumbline(account, STATE / "today", variables)
    trust.few(grown.build(STATE / "grown", SIZE), STATE / "sixty")
    sixty = _plumbline(account, STATE / "sixty", variables)
    today = trial(account, plumbline)
    own, all_roots = variables | {"AWS_CA_BUNDLE": str(few)}, {"AWS_CA_BUNDLE": str(trust.all(STATE / "tls"))}
    usual = variables | all_roots
    custodian = account.custodian_environment() | all_roots
    custodian |= {"TMPDIR": str(packed.archive.parent)}  # it leaves folders behind

    def queued(key: Key) -> dict[str, Any]:
        return in_sqs(account.event(key))

    sides = [
        Side(FLOOR, Command("bare", (), usual), lambda _: today.clients, repairs=False),
        Side(BARE, Command("bare", (), usual), today.about),
        Side(BY_HAND, Command("wake_by_hand", (), usual), queued),
        Side(BY_HAND_OUR_ROOTS, Command("wake_by_hand", (), own), queued),
        Side(BY_HAND_NO_GC, Command("wake_by_hand", ("--no-gc",), own), queued),
        Side(PLUMBLINE, plumbline, queued, warm=WARM, often=_OFTEN),
        Side(GROWN, sixty, queued, often=_OFTEN),
        Side(CUSTODIAN, Command("wake_custodian", (str(packed.compiled),), custodian), account.event),
        Side(CUSTODIAN_AS_DEPLOYED, Command("wake_custodian", (str(packed.as_deployed),), custodian), account.event),
    ]
    return Contest(sides, today, trial(account, sixty), readers(account))


def readers(account: Account) -> Mapping[str, Command]:
    """Who reads buckets, by name; version 0.1 where the history is there that its code is in."""
    variables = account.react_environment()
    trust = Trust(account.front.certificates.root.read_text())
    if not (STATE / "today").exists():
        trust.few(account.built / LAYER, STATE / "today")
    usual = variables | {"AWS_CA_BUNDLE": str(trust.all(STATE / "tls"))}
    found = {
        PLUMBLINE: Command("read_buckets", (str(STATE / "today" / "python"),), variables),
        BOTO3: Command("read_buckets", ("--boto3",), usual),
    }
    if why := history.missing():
        sys.stderr.write(f"not measured: {why}\n")
        return found
    layer = built(account.built / LAYER, STATE / "former")
    return found | {FORMER: Command("read_buckets_former", (str(layer.python),), usual)}


@dataclass(frozen=True, slots=True)
class Trust:
    """Who trusts the run's own authority: everybody, in a bundle otherwise as long as it is on AWS."""

    root: str

    def few(self, layer: Path, to: Path) -> Path:
        """A copy of a built layer whose own certificates have the run's as well; their file."""
        shutil.copytree(layer, to)
        (bundle,) = to.rglob("roots.pem")
        bundle.write_text(bundle.read_text() + self.root)
        return bundle

    def all(self, folder: Path) -> Path:
        """The bundle of botocore, and the run's certificate."""
        asked = [str(PYTHON), "-c", "import botocore.httpsession; print(botocore.httpsession.where())"]
        where = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
        bundle = folder / "all.pem"
        bundle.write_text(Path(where).read_text() + self.root)
        return bundle


def race(account: Account, contestants: Sequence[Side], rounds: int, tries: int = TRIES) -> Mapping[str, list[Sample]]:
    """Run every contestant in each round, there and back; of its runs the one that took least CPU counts.

    Each round begins with another. What disturbs a run makes it dearer, never cheaper.

    Args:
        account: where.
        contestants: who.
        rounds: how many samples each gets.
        tries: of how many runs each sample is the cheapest.

    Raises:
        NotMeasured: a contestant did not put its key right.
    """
    names = [name for side in contestants for name in (side.name, side.warm) if name]
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % len(contestants)
        order = [*contestants[first:], *contestants[:first]]
        runs: dict[str, list[Sample]] = {name: [] for name in names}
        for run in range(tries * max(side.often for side in contestants)):
            for side in order if run % 2 == 0 else reversed(order):
                if run >= tries * side.often:
                    continue
                with started(side.command) as handle:
                    for name in filter(None, (side.name, side.warm)):
                        runs[name].append(_wake(account, side, handle))
        for name in names:
            samples[name].append(min(runs[name], key=lambda sample: sample.cpu))
    return samples


def read_buckets(account: Account, readers: Mapping[str, Command]) -> Mapping[str, float]:
    """CPU seconds that each reader takes for a bucket, once it has begun."""
    buckets = account.buckets(_BUCKETS)
    found: dict[str, float] = {}
    for name, command in readers.items():
        with started(command) as handle:
            handle(buckets[:1])
            found[name] = min(handle(buckets).cpu for _ in range(TRIES)) / len(buckets)
    return found


def _wake(account: Account, side: Side, handle: Callable[[Any], Sample]) -> Sample:
    key = account.key()
    sample = handle(side.event(key))
    if side.repairs and account.is_active(key):
        raise NotMeasured(f"{side.name} left the key of {key.user} active; it returned {sample.returned}")
    return sample


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


def trial(account: Account, command: Command) -> Trial:
    """Let Plumbline settle one key, and write down what it does.

    Raises:
        NotMeasured: it did not put the key right.
    """
    key = account.key()
    recording = Command(command.script, (*command.arguments, "--record"), command.environment)
    sample = once(recording, in_sqs(account.event(key)))
    if account.is_active(key):
        raise NotMeasured(f"Plumbline left the key of {key.user} active; it returned {sample.returned}")
    own = frozenset(name for name in sample.modules if name.split(".")[0] == "plumbline")
    return Trial(key, json.dumps(list(sample.steps)), own)


def _plumbline(account: Account, layer: Path, variables: Mapping[str, str]) -> Command:
    return Command("wake_plumbline", (str(account.built / "ReactFunction"), str(layer / "python")), variables)
