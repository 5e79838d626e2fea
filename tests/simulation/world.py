"""The model account: time, effects that may fail, toys with eventual consistency, queues, topics, invocations."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from plumbline.core.calls import Call
from plumbline.core.control import Control
from plumbline.core.errors import AwsRefusal
from plumbline.core.reach import Reach
from plumbline.core.recorded import Recorded
from plumbline.core.targets import Target
from plumbline.findings.finding import Status
from plumbline.findings.packed import text_of
from plumbline.findings.stored import from_json
from plumbline.handlers.heartbeat import HIDDEN_FOR
from tests.fakes import NOBODY_AT_ALL, Plain
from tests.simulation.dynamo import Dynamo, Item
from tests.simulation.hearing import Ears
from tests.simulation.oracle import Oracle
from tests.simulation.toys import ACCOUNT, HOME, SOURCE
from tests.simulation.weather import Killed, Refused, Weather

T = TypeVar("T")
START = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)
TABLE = "plumbline-ledger"
_TIMEOUTS = {"react": 45, "sweep": 300, "operate": 45}
#: Seconds: react hides what it receives for less than its queue does; see handlers/heartbeat.py.
_VISIBILITY = {"wakes": HIDDEN_FOR, "units": 360}
_RECEIVES = {"wakes": 5, "units": 3}
_DEEPEST = 3
_LEDGER_BREAKS = ("ProvisionedThroughputExceededException", "InternalServerError", "TransactionConflict")


@dataclass
class Invocation:
    """One run of a Lambda function.

    Attributes:
        now: the last time it read from its clock.
        subject: the finding's key in the ledger that it last read or wrote.
        sees: what its last brief saw of exemptions, pauses and budgets.
    """

    function: str
    started: datetime
    now: datetime
    command: str = ""
    subject: tuple[str, str] = ("", "")
    sees: dict[str, Any] = field(default_factory=dict)


@dataclass
class Message:
    """A message in a queue."""

    body: str
    visible: datetime
    handle: str
    receives: int = 0


@dataclass
class Toy:
    """A resource with its past: (when, facts, stuck); facts None where it does not exist."""

    kind: str
    name: str
    past: list[tuple[datetime, dict[str, str] | None, bool]]
    writes: list[tuple[str, dict[str, str] | None, datetime]] = field(default_factory=list)

    @property
    def facts(self) -> dict[str, str] | None:
        """As it truly is."""
        return self.past[-1][1]

    @property
    def stuck(self) -> bool:
        """Whether it has no safe repair."""
        return self.past[-1][2]

    def seen(self, at: datetime) -> dict[str, Any] | None:
        """As it was at some time, as AWS answers."""
        when = next((one for one in reversed(self.past) if one[0] <= at), self.past[0])
        if when[1] is None:
            return None
        return {"kind": self.kind, "name": self.name, "facts": dict(when[1]), "stuck": when[2]}


@dataclass(frozen=True)
class Fat:
    """A finding that the ledger has no room for, as its target's state is so large.

    Attributes:
        until: the state is smaller from then on.
        takes: what of it there is room for: `all` but the undo of a repair, a `stub` without its facts, or `nothing`.
    """

    until: datetime
    takes: str


@dataclass
class World:
    """Everything outside Plumbline."""

    rng: random.Random
    weather: Weather
    oracle: Oracle
    now: datetime = START
    toys: dict[tuple[str, str], Toy] = field(default_factory=dict)
    queues: dict[str, list[Message]] = field(default_factory=lambda: {"wakes": [], "units": []})
    dead: list[str] = field(default_factory=list)
    events: list[tuple[datetime, str]] = field(default_factory=list)
    hidden: dict[tuple[str, str], tuple[datetime, datetime]] = field(default_factory=dict)
    refused: dict[tuple[str, str], datetime] = field(default_factory=dict)
    outages: dict[str, datetime] = field(default_factory=dict)
    running: list[Invocation] = field(default_factory=list)
    letters: list[Mapping[str, Any]] = field(default_factory=list)
    journal: list[str] = field(default_factory=list)
    count: Counter[str] = field(default_factory=Counter)
    meanwhile: Callable[[], None] = lambda: None
    number: int = 0
    ears: Ears = field(default_factory=Ears)
    fat: dict[tuple[str, str], Fat] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.table = Dynamo(lambda: self.now, self._stored)

    def note(self, text: str) -> None:
        """A line of the history."""
        depth = "  " * len(self.running)
        self.journal.append(f"{self.now:%d %H:%M:%S} {depth}{text}")

    def clock(self) -> datetime:
        """The time as a function reads it."""
        if self.running:
            self.running[-1].now = self.now
        return self.now

    def fattens(self, toy: tuple[str, str]) -> None:
        """The state of a toy grows, for hours or for good."""
        takes = self.rng.choice(("all", "stub", "nothing"))
        self.fat[toy] = Fat(self.now + timedelta(hours=self.rng.choice((1, 9, 900))), takes)
        self.note(f"! of {toy[0]} {toy[1]} the ledger takes {takes} until {self.fat[toy].until:%d %H:%M}")

    # --- effects ----------------------------------------------------------------------------------

    def effect(self, service: str, what: str, perform: Callable[[], T], *, write: bool = True) -> T:
        """Do something outside the process: here it is met, refused, lost or killed."""
        rng, weather, inside = self.rng, self.weather, self.running[-1] if self.running else None
        self.now += timedelta(milliseconds=30)
        dies = 0.0
        if inside:
            if weather.meet and len(self.running) < _DEEPEST and rng.random() < weather.meet:
                self.count["met"] += 1
                self.now += timedelta(seconds=rng.choice((0, 1, 10, 25)))
                self.meanwhile()
            if self.now - inside.started > timedelta(seconds=_TIMEOUTS[inside.function]):
                self._die("timed out", what)
            dies = rng.random() / weather.kill if weather.kill else 1.0
            if dies < 0.5:
                self._die("killed before", what)
        code = self._refusal(service)
        if code:
            self.count[f"{service} refused"] += 1
            self._fault(f"{what}: {code}", told=service != "toys")
            raise Refused(code)
        result = perform()
        if inside and dies < 1:
            self._die("killed after", what)
        if inside and write and weather.lost_answer and rng.random() < weather.lost_answer:
            self.count[f"{service} answer lost"] += 1
            self._fault(f"{what}: answer lost", told=service != "toys")
            raise Refused("InternalError")
        return result

    def _die(self, how: str, what: str) -> None:
        self.count[how] += 1
        self._fault(f"{how}: {what}", told=True)
        raise Killed(how)

    def _fault(self, text: str, *, told: bool) -> None:
        self.note(f"! {text}")
        if told and self.running:
            self.oracle.fault(self.running[-1].subject)

    def _refusal(self, service: str) -> str:
        until = self.outages.get(service)
        if until and until > self.now:
            return "ServiceUnavailable"
        if not self.running:
            return ""
        rng, weather = self.rng, self.weather
        if weather.throttle and rng.random() < weather.throttle:
            return rng.choice(_LEDGER_BREAKS) if service == "dynamodb" else "Throttling"
        if service == "toys" and weather.deny and rng.random() < weather.deny:
            return "AccessDenied"
        return ""

    # --- the account ------------------------------------------------------------------------------

    def change(self, key: tuple[str, str], who: str, fact: str, value: str) -> None:
        """Set one fact of a toy; the trail tells of it."""
        toy = self.toys[key]
        if toy.facts is None:
            raise Refused("NoSuchToy")
        toy.writes.append((who, dict(toy.facts), self.now))
        toy.past.append((self.now, {**toy.facts, fact: value}, toy.stuck))
        self.announce(f"Set{key[0].title()}", {"kind": key[0], "name": key[1], "fact": fact, "value": value}, who)

    def announce(self, name: str, parameters: Mapping[str, Any] | str | None, who: str, error: str = "") -> None:
        """CloudTrail's record of a call, on its uncertain way."""
        rng, weather = self.rng, self.weather
        if weather.lost and rng.random() < weather.lost:
            self.count["event lost"] += 1
            return
        if weather.vague and rng.random() < weather.vague:
            self.count["event vague"] += 1
            parameters = rng.choice((None, "null", ""))
        self.number += 1
        detail = {
            "eventSource": SOURCE,
            "eventName": name,
            "eventTime": self.now.isoformat().replace("+00:00", "Z"),
            "eventID": f"e-{self.number}",
            "awsRegion": HOME,
            "recipientAccountId": ACCOUNT,
            "userIdentity": _identity(who),
            "sourceIPAddress": "198.51.100.7",
            "userAgent": "aws-cli/2",
            "requestParameters": parameters,
        }
        if error:
            detail["errorCode"] = error
        if weather.junk and rng.random() < weather.junk:
            detail["eventTime"] = rng.choice(("", "soon", "2026-03-02T09:30:00", "0001-01-01T00:00:00+14:00"))
            self.count["event hostile"] += 1
        envelope = {"source": "aws.toys", "detail-type": "AWS API Call via CloudTrail", "account": ACCOUNT}
        body = json.dumps({**envelope, "detail": detail})
        for _ in range(2 if weather.double and rng.random() < weather.double else 1):
            delay = rng.expovariate(1 / 30)
            if weather.late and rng.random() < weather.late:
                self.count["event late"] += 1
                delay = rng.uniform(300, 10_000)
            self.events.append((self.now + timedelta(seconds=delay), body))

    def read(self, call: Call, memory: dict[str, Any]) -> Any:
        """One read by the eyes: as it was some seconds ago, at worst."""
        if call.key in memory:
            return memory[call.key]
        if call.operation == "DescribeAlarms":
            return self._of_the_account(call, lambda: {"MetricAlarms": []}, write=False)
        if call.operation == "GetAccountAuthorizationDetails":
            return self._of_the_account(call, lambda: NOBODY_AT_ALL, write=False)
        since, until = self.hidden.get((call.parameters["kind"], call.parameters.get("name", "")), (START, START))
        if since <= self.now < until:
            self.count["read hidden"] += 1
            self.refused[(call.parameters["kind"], call.parameters.get("name", ""))] = self.now
            raise AwsRefusal("AccessDenied", "no", call)
        lag = timedelta(seconds=self.rng.uniform(0, self.weather.stale) if self.weather.stale else 0)

        def look() -> Any:
            kind, at = call.parameters["kind"], self.now - lag
            if call.operation == "GetToy":
                toy = self.toys.get((kind, call.parameters["name"]))
                state = toy.seen(at) if toy else None
                if lag and toy and state != toy.seen(self.now):
                    self.count["read stale"] += 1
                return state
            mine = {toy.name: toy.seen(at) for (its, _), toy in self.toys.items() if its == kind}
            there = {name: state for name, state in mine.items() if state is not None}
            return there if call.operation == "GetToys" else list(there)

        memory[call.key] = self._of_the_account(call, look, write=False)
        return memory[call.key]

    def _of_the_account(self, call: Call, perform: Callable[[], T], *, write: bool) -> T:
        try:
            return self.effect("toys", f"{call.operation} {call.parameters.get('name', '*')}", perform, write=write)
        except Refused as refused:
            if not write and "kind" in call.parameters:
                self.refused[(call.parameters["kind"], call.parameters.get("name", ""))] = self.now
            raise AwsRefusal(refused.code, "no", call) from refused

    def eyes(self, account: str, region: str) -> Eyes:
        """See ports.Aws."""
        return Eyes(self, account, region, now=self.now)

    def renew(self, account: str, region: str, since: datetime) -> None:
        """See ports.Aws."""

    def anew(self, _account: str, _region: str, _now: datetime) -> bool:
        """See ports.Aws."""
        return False

    def hands(
        self, control: Control, target: Target, calls: Sequence[Call], resources: Sequence[str]
    ) -> Callable[[Call], None]:
        """See ports.Aws. The oracle judges before every write."""
        inside = self.running[-1]
        self._of_the_account(Call("sts", "AssumeRole"), lambda: None, write=False)
        session = self.oracle.hands(self, inside, control.id, target)

        def act(call: Call) -> None:
            key = (call.parameters["kind"], call.parameters["name"])
            fact, value = call.parameters["fact"], call.parameters["value"]

            def write() -> None:
                self.oracle.write(self, inside, session, call)
                self.note(f"writes {key[1]}.{fact}={value}")
                self.change(key, f"plumbline:{session.life}", fact, value)

            try:
                self._of_the_account(call, write, write=True)
            except AwsRefusal as error:
                self.announce(call.operation, call.parameters, "plumbline", error.code)
                raise

        return act

    # --- clients of the adapters --------------------------------------------------------------------

    def client(self, _account: str, _region: str, service: str, _role: str = "", _policy: str = "", _session: str = "",
               /) -> Client:  # fmt: skip
        """See adapters.clients.ClientFactory."""
        return Client(self, service)

    def _stored(self, old: Item | None, new: Item) -> None:
        self.oracle.stored(self, old, new)

    def dynamodb(self, operation: str, request: Mapping[str, Any]) -> Any:
        """One call to the table."""
        table, rng = self.table, self.rng
        if operation == "batch_get_item":
            keys = [(one["pk"]["S"], one["sk"]["S"]) for one in request["RequestItems"][TABLE]["Keys"]]
            if self.weather.partial and rng.random() < self.weather.partial:
                self.count["ledger partial"] += 1
                return {"Responses": {TABLE: []}, "UnprocessedKeys": {TABLE: {"Keys": []}}}
            if self.running and any(sk == "pauses" for _, sk in keys):  # the read that settle judges by
                self.oracle.briefed(self, self.running[-1])
            found = [table.items[key] for key in keys if key in table.items]
            return {"Responses": {TABLE: found}, "UnprocessedKeys": {}}
        if operation == "get_item":
            item = table.get((request["Key"]["pk"]["S"], request["Key"]["sk"]["S"]))
            return {"Item": item} if item else {}
        if operation == "query":
            return {"Items": table.query(request, stale=bool(self.weather.stale) and rng.random() < 0.5)}
        self._refuse_for_size(request)
        if operation == "transact_write_items":
            table.write([next(iter(one.items())) for one in request["TransactItems"]])
        else:
            table.write([({"put_item": "Put", "update_item": "Update", "delete_item": "Delete"}[operation], request)])
        if request.get("ReturnValues") == "ALL_NEW":
            key = request["Key"]
            return {"Attributes": dict(table.get((key["pk"]["S"], key["sk"]["S"])) or {})}
        return {}

    def _refuse_for_size(self, request: Mapping[str, Any]) -> None:
        """What has begun has room for its end, and what is there for less; see `with_room` of findings/stored.py."""
        items = [one["Put"]["Item"] for one in request.get("TransactItems", ()) if "Put" in one]
        for item in (*items, *([request["Item"]] if "Item" in request else ())):
            if not item["sk"]["S"].startswith("finding#"):
                continue
            after = from_json(text_of(item))
            key, toy = (after.control, str(after.target)), (after.target.kind, after.target.id)
            fat, before = self.fat.get(toy), self.oracle.finding(self, key)
            if fat is None or self.now >= fat.until:
                continue
            goes_on = before is not None and before.id == after.id and before.status.is_open
            if before is not None and before.status in (Status.ACTING, Status.UNDOING):
                continue
            news = not goes_on or (before is not None and len(after.deviation.items) > len(before.deviation.items))
            whole = not any("too many to keep" in one for one in after.deviation.items)
            if after.status is Status.ACTING or (news and (fat.takes == "nothing" or (fat.takes == "stub" and whole))):
                self.count[f"too large, takes {fat.takes}"] += 1
                self.note(f"! too large: {key[0]} {toy[1]} {after.status.value}")
                raise Refused("TooLarge")

    def sns(self, operation: str, request: Mapping[str, Any]) -> Any:
        """A letter, or the question who hears."""
        if operation != "publish":
            return self.ears.answer(operation, request, self.now)
        self.letters.append(request)
        self.count["letters"] += 1
        self.note(f"letter: {request['Subject']}")
        self.oracle.alert(self, request)
        return {}

    def sqs(self, operation: str, request: Mapping[str, Any]) -> Any:
        """A message sent, or one that comes back sooner."""
        name = request["QueueUrl"]
        if operation == "send_message_batch":
            for entry in request["Entries"]:
                self.send(name, entry["MessageBody"], entry.get("DelaySeconds", 0))
        elif operation == "change_message_visibility":
            for message in self.queues[name]:
                if message.handle == request["ReceiptHandle"]:
                    message.visible = self.now + timedelta(seconds=request["VisibilityTimeout"])
        else:
            raise AssertionError(operation)
        return {}

    # --- queues -----------------------------------------------------------------------------------

    def send(self, queue: str, body: str, delay: float = 0) -> None:
        """A message enters a queue."""
        self.number += 1
        self.queues[queue].append(Message(body, self.now + timedelta(seconds=delay), f"r-{self.number}"))

    def receive(self, queue: str, most: int) -> list[Message]:
        """Up to `most` visible messages; those received too often go to the dead-letter queue instead."""
        taken: list[Message] = []
        waiting = list(self.queues[queue])
        if self.weather.double:  # a standard queue keeps no order
            self.rng.shuffle(waiting)
        for message in waiting:
            if message.visible > self.now or len(taken) == most:
                continue
            if message.receives >= _RECEIVES[queue]:
                self.queues[queue].remove(message)
                self.dead.append(message.body)
                self.count["dead letters"] += 1
                self.note(f"dead letter: {message.body[:60]}")
                continue
            message.receives += 1
            message.visible = self.now + timedelta(seconds=_VISIBILITY[queue])
            taken.append(message)
        return taken

    def done(self, queue: str, message: Message) -> None:
        """A message is deleted; now and then it is delivered once more all the same."""
        if message in self.queues[queue]:
            self.queues[queue].remove(message)
        if self.weather.double and self.rng.random() < self.weather.double / 4:
            self.count["message doubled"] += 1
            self.queues[queue].append(Message(message.body, self.now + timedelta(seconds=40), message.handle + "d"))


def _identity(who: str) -> dict[str, str]:
    """A user, or the role with which Plumbline writes."""
    if who.startswith("plumbline"):
        return {"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/plumbline-hands/toys"}
    return {"type": "IAMUser", "userName": who, "arn": f"arn:aws:iam::{ACCOUNT}:user/{who}"}


@dataclass
class Eyes(Plain):
    """See core.Ask."""

    world: World
    account: str
    region: str
    home: str = HOME
    stack: str = "plumbline"
    trail: str = ""
    now: datetime = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)
    recorded: Recorded = field(default_factory=Recorded)
    reach: Reach = field(default_factory=Reach)
    memory: dict[str, Any] = field(default_factory=dict)

    def afresh(self) -> Eyes:
        """See ports.Eyes. No toy is read with others."""
        return replace(self, memory={})

    def __call__(self, call: Call, /) -> Any:
        """One read; the same question gets the same answer."""
        return self.world.read(call, self.memory)


@dataclass(frozen=True)
class Client:
    """What the adapters take for a botocore client."""

    world: World
    service: str

    def can_paginate(self, _method: str) -> bool:
        """Every list fits on one page here."""
        return False

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            handler = getattr(self.world, self.service, None)
            subject = self.world.running[-1] if self.world.running else None
            if self.service == "dynamodb" and subject:
                found = _finding_key(request)
                subject.subject = found or subject.subject
            try:
                return self.world.effect(
                    self.service,
                    f"{self.service}:{operation}",
                    lambda: handler(operation, request) if handler else {},
                    write=not operation.startswith(("get", "list", "query", "batch_get")),
                )
            except Refused as refused:
                if self.service == "sns":
                    self.world.ears.unknown = self.world.now
                text = "TransactionConflict" if refused.code == "TransactionConflict" else "ConditionalCheckFailed"
                code = "TransactionCanceledException" if text == "TransactionConflict" else refused.code
                if refused.code == "TooLarge":
                    code, text = "ValidationException", "Item size has exceeded the maximum allowed size"
                raise ClientError({"Error": {"Code": code, "Message": f"no: {text}"}}, operation) from refused

        return call


def _finding_key(request: Mapping[str, Any]) -> tuple[str, str] | None:
    """(control, target) of the finding that a request is about."""
    keys = request.get("RequestItems", {}).get(TABLE, {}).get("Keys", ())
    items = [next(iter(one.values())).get("Item", {}) for one in request.get("TransactItems", ())]
    for one in (*keys, *items, request.get("Item", {})):
        sk = one.get("sk", {}).get("S", "")
        if sk.startswith("finding#"):
            _, control, target = sk.split("#", 2)
            return (control, target)
    return None
