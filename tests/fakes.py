"""Fakes at the rim: an AWS of lamps, a ledger in memory, and a letterbox. The engine between them is the real one.

A lamp is `on` or `off`; the control `lamp-off` wants it off.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from itertools import takewhile
from typing import Any, Self, cast

from plumbline.adapters.dynamodb import Table
from plumbline.alerts.alert import Alert, Sender
from plumbline.baseline.rules import Baseline, Breakers, Letters, Patience, Rule
from plumbline.compose import Plumbline
from plumbline.controls.index import Index
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Cause, Origin
from plumbline.core.clock import AT_ONCE, Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, Scope, Settings, Severity
from plumbline.core.errors import AwsRefusal, Conflict, LedgerDown
from plumbline.core.reach import Reach
from plumbline.core.recorded import Recorded
from plumbline.core.roster import Person
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.decisions.credible import believed, ends
from plumbline.decisions.exemptions import Exemption, kept
from plumbline.decisions.pauses import Pause
from plumbline.decisions.suspensions import Suspension
from plumbline.engine.deployment import Deployment
from plumbline.engine.settle import Engine
from plumbline.findings.adoption import Adoption
from plumbline.findings.brief import Brief
from plumbline.findings.budgets import Budget
from plumbline.findings.digested import Digested
from plumbline.findings.finding import Finding
from plumbline.findings.hearing import Hearing
from plumbline.findings.sweeps import Lasts, Sweep
from plumbline.handlers.operate import commands
from plumbline.handlers.operate.asked import Connections
from plumbline.wakes.messages import Wake
from tests.proofs import Signatures, request

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)
ACCOUNT = "111122223333"
#: Who may type every command, and of whom nothing has to be read.
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
LAMP = Target(ACCOUNT, GLOBAL, "lamp", "hall")
MALLORY = Cause(
    "SwitchOn",
    "mallory",
    "arn:aws:iam::111122223333:user/mallory",
    "2026-03-02T09:29:58Z",
    "198.51.100.7",
    "aws-cli/2",
    "e-1",
)


def _observe(ask: Ask, target: Target) -> State:
    state: State = ask(Call("lamps", "GetLamp", {"Name": target.id}))
    return state


def _detect(state: State, _settings: Settings) -> Deviation | None:
    return Deviation("is on", tuple(state["on"]), state.get("clock", "default")) if state and state["on"] else None


def _plan(target: Target, state: State, _settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    if state and state.get("stuck"):
        return Plan(refusal="the switch is stuck")
    steps = tuple(
        Step(
            Call("lamps", "SwitchOff", {"Name": target.id, "Bulb": bulb}),
            (Call("lamps", "SwitchOn", {"Name": target.id, "Bulb": bulb}),),
            fact=bulb,
        )
        for bulb in (state or {}).get("on", ())
        if bulb in facts and bulb not in (state or {}).get("welded", ())
    )
    welded = {bulb: "it is welded in" for bulb in (state or {}).get("welded", ()) if bulb in facts}
    return Plan.partly(steps, welded, resources=(f"arn:lamp/{target.id}",), summary=f"switches off lamp {target.id}")


CONTROL = Control(
    doc="Lamps are off.\n\nWhy: light costs money.",
    id="lamp-off",
    severity=Severity.HIGH,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE},
    scope=Scope.GLOBAL,
    kinds=("lamp",),
    wakes_on=(),
    reads=frozenset({"lamps:GetLamp"}),
    writes=frozenset({"lamps:SwitchOff", "lamps:SwitchOn"}),
    noun="lamp {id}",
    find=lambda ask: ask(Call("lamps", "ListLamps")),
    observe=_observe,
    detect=_detect,
    describe=lambda state: f"{', '.join(state['on']) or 'no bulb'} lit" if state else "gone",
    plan=_plan,
)


@dataclass
class Lamps:
    """The engine's Aws.

    `fails` maps an operation to the errors that it answers with, one for each call, as `code` or `code: message`;
    `listed` is what an old list shows; `buckets` are there, private, and without a policy.
    """

    lamps: dict[str, dict[str, Any]] = field(default_factory=dict)
    fails: dict[str, list[str]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    sticky: bool = False
    alarms: list[str] = field(default_factory=list)
    subscriptions: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    on_write: Callable[[], None] = lambda: None
    listed: list[str] | None = None
    buckets: tuple[str, ...] = ()

    def eyes(self, account: str, region: str) -> LampEyes:
        """Reads."""
        return LampEyes(self, account, region)

    def renew(self, account: str, region: str, since: datetime) -> None:
        """Nobody shares these eyes."""

    def anew(self, _account: str, _region: str, _now: datetime) -> bool:
        """Nobody shares these eyes."""
        return False

    def read(self, call: Call) -> Any:
        """What a lamp, or the list of them, answers."""
        self._maybe_fail(call)
        if call.service == "iam":
            return _nobody_in_particular(call)
        if call.operation == "DescribeAlarms":
            return {"MetricAlarms": [{"AlarmName": name} for name in self.alarms]}
        if call.service.startswith("s3"):
            return _of_a_bucket(call, self.buckets)
        if call.operation == "ListSubscriptionsByTopic":
            return {"Subscriptions": self.subscriptions.get(call.parameters["TopicArn"], [])}
        self.calls.append(call)
        if call.operation == "ListLamps":
            names = self.lamps if self.listed is None else self.listed
            return [Target(ACCOUNT, GLOBAL, "lamp", name) for name in names]
        lamp = self.lamps.get(call.parameters["Name"])
        return lamp and {**lamp, "on": sorted(lamp["on"])}

    def hands(
        self, _control: Control, _target: Target, _calls: Sequence[Call], _resources: Sequence[str]
    ) -> Callable[[Call], bool]:
        """Writes; False where there is no such lamp any more."""
        self._maybe_fail(Call("sts", "AssumeRole"))

        def act(call: Call) -> bool:
            self.on_write()
            self._maybe_fail(call)
            self.calls.append(call)
            if call.service == "iam":
                return True
            if call.parameters["Name"] not in self.lamps:
                return False
            on = self.lamps[call.parameters["Name"]]["on"]
            bulb = call.parameters["Bulb"]
            if call.operation == "SwitchOff" and bulb in on and not self.sticky:
                on.remove(bulb)
            if call.operation == "SwitchOn" and bulb not in on:
                on.append(bulb)
            return True

        return act

    @property
    def writes(self) -> list[str]:
        """The writes so far, in order."""
        return [
            f"{call.operation} {call.parameters['Bulb']}" for call in self.calls if call.operation.startswith("Switch")
        ]

    def _maybe_fail(self, call: Call) -> None:
        codes = self.fails.get(call.operation)
        if codes:
            code = codes.pop(0)
            if code:
                code, _, message = code.partition(": ")
                raise AwsRefusal(code, message or "no", call)


class Plain:
    """What eyes do beside reading: without a memory, and one thing after the other."""

    def once(self, make: Callable[[Any], Any], /) -> Any:
        """See core.Ask."""
        return make(self)

    def foresee(self, calls: Sequence[Any], /) -> None:
        """See core.Ask; each is asked when it is asked."""

    def remember(self, services: Container[str], /) -> None:
        """See ports.Eyes."""

    def afresh(self) -> Self:
        """See ports.Eyes."""
        return self

    def about(self, _target: Target, /) -> Self:
        """See ports.Eyes."""
        return self

    def many(
        self, work: Callable[[Any], Any], items: Sequence[Any], more: Callable[[], bool], _at_once: int
    ) -> list[Any]:
        """See ports.Eyes; one after the other."""
        return [work(one) for one in takewhile(lambda _one: more(), items)]


@dataclass
class LampEyes(Plain):
    """The engine's Ask, in the world of some lamps."""

    lamps: Lamps
    account: str
    region: str
    home: str = "us-east-1"
    stack: str = "plumbline"
    trail: str = ""
    now: datetime = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)
    recorded: Recorded = field(default_factory=Recorded)
    reach: Reach = field(default_factory=Reach)

    def __call__(self, call: Call, /) -> Any:
        """See core.Ask."""
        return self.lamps.read(call)


class Told(Plain):
    """An Ask that is told other answers than it would read: by operation, an answer or the refusal to raise."""

    def __init__(self, eyes: Ask, **answers: Any) -> None:
        self.eyes, self.answers = eyes, answers
        self.account, self.region, self.home, self.now = eyes.account, eyes.region, eyes.home, eyes.now
        self.stack, self.trail, self.recorded, self.reach = eyes.stack, eyes.trail, eyes.recorded, eyes.reach

    def __call__(self, call: Call, /) -> Any:
        """See core.Ask."""
        if call.operation not in self.answers:
            return self.eyes(call)
        answer = self.answers[call.operation]
        if isinstance(answer, str):
            raise AwsRefusal(answer, "no", call)
        return answer


class Swept(Adoption):
    """That of a control whose first sweep was made long ago, under whatever rule."""

    def knows(self, target: Target, rule: Rule) -> bool:
        """Whatever a wake says of a target is so."""
        return True

    def origin_of(self, target: Target, rule: Rule, otherwise: Origin) -> Origin:
        """See Adoption."""
        return otherwise


@dataclass
class Sweeps:
    """Of the engine's ledger: how far sweeps have come."""

    seen: dict[str, Sweep] = field(default_factory=dict)
    lasts: dict[str, Lasts] = field(default_factory=dict)

    def lasting(self, _account: str, control: str) -> Lasts:
        """See adapters.sweeps.Sweeps."""
        return self.lasts.get(control, Lasts())

    def keep(self, _account: str, control: str, lasts: Lasts) -> None:
        """See adapters.sweeps.Sweeps."""
        self.lasts[control] = Lasts.from_json(lasts.to_json())

    def goes_on(self, _account: str, sweep: Sweep) -> Sweep:
        """See adapters.sweeps.Sweeps."""
        before = self.seen.get(sweep.name, sweep)
        done, blind = before.done | sweep.done, before.blind | sweep.blind
        self.seen[sweep.name] = replace(sweep, done=done, blind=blind, places={**before.places, **sweep.places})
        return self.seen[sweep.name]

    def known(self, _account: str) -> list[Sweep]:
        """See adapters.sweeps.Sweeps."""
        return sorted(self.seen.values(), key=lambda one: one.name, reverse=True)


@dataclass
class Memory:
    """The engine's Ledger, with the same conditions as the table.

    `never_swept` makes controls that are not in `marks` ones without a first sweep.
    """

    findings: dict[tuple[str, Target], Finding] = field(default_factory=dict)
    history: list[Finding] = field(default_factory=list)
    exemptions: list[Exemption] = field(default_factory=list)
    pauses: dict[str, Pause | datetime] = field(default_factory=dict)
    suspended: list[Suspension] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    spent: dict[str, int] = field(default_factory=dict)
    claims: dict[str, datetime] = field(default_factory=dict)
    down: bool = False
    saves: list[Finding] = field(default_factory=list)
    marks: dict[str, str] = field(default_factory=dict)
    swept: datetime | None = None
    sweeps: Sweeps = field(default_factory=Sweeps)
    never_swept: bool = False
    heard: Hearing = field(default_factory=Hearing)
    told_together: str | None = None

    def brief(
        self, control: str, target: Target, now: datetime, adopted: str = "", budget: Budget | None = None, /
    ) -> Brief:
        """See ports.Ledger."""
        self._up()
        known = Brief(
            self.findings.get((control, target)),
            believed(self.exemptions, Patience().exemption_days, now),
            ends(self._pauses(), Patience().pause_days, now),
            adoption=self._adoption(adopted or control),
            hearing=self.heard,
        )
        return self.counted(known, control, target.account, budget or Budget(), now)

    def counted(self, known: Brief, control: str, _account: str, budget: Budget, now: datetime, /) -> Brief:
        """See ports.Ledger."""
        self._up()
        hour = f"{now:%Y-%m-%dT%H}"
        return replace(
            known,
            spent=self.spent.get(f"{control}#{hour}", 0),
            spent_in_all=self.spent.get(f"{budget.of_all}#{hour}", 0),
            spent_by_actor=self.spent.get(f"{budget.of_actor}#{hour}", 0),
            letters=self.spent.get(f"{budget.letters}#{hour}", 0),
            budget=budget,
        )

    def _adoption(self, control: str) -> Adoption:
        if self.never_swept or control in self.marks:
            return Adoption.from_json(self.marks.get(control))
        return Swept()

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
        self._up()
        key = (finding.control, finding.target)
        current = self.findings.get(key)
        if (current.version if current else 0) != finding.version:
            raise Conflict("somebody else wrote first")
        hour = f"{now:%Y-%m-%dT%H}"
        budgets = spend or {}
        if any(self.spent.get(f"{name}#{hour}", 0) >= most for name, most in budgets.items()):
            raise Conflict("others used up this hour")
        if bury:
            self.history.append(bury)
        for name in (*budgets, *((alert,) if alert else ())):
            self.spent[f"{name}#{hour}"] = self.spent.get(f"{name}#{hour}", 0) + 1
        saved = self.findings[key] = replace(finding, version=finding.version + 1)
        self.saves.append(saved)
        return saved

    def save_all(self, findings: Sequence[Finding], *, now: datetime) -> list[Finding]:
        """See ports.Ledger."""
        saved = []
        for one in findings:
            with suppress(Conflict):
                saved.append(self.save(one, now=now))
        return saved

    def bury(self, finding: Finding, *, now: datetime) -> None:
        """See ports.Ledger."""
        self._up()
        self.history[:] = [finding if one.id == finding.id else one for one in self.history]

    def once(self, key: str, *, now: datetime, within: timedelta) -> bool:
        """See ports.Ledger."""
        self._up()
        if key in self.claims and self.claims[key] > now:
            return False
        self.claims[key] = now + within
        return True

    def told(self, key: str, *, now: datetime, within: timedelta) -> None:
        """See ports.Ledger."""
        self._up()
        self.claims[key] = now + within

    def told_of(self, prefix: str, now: datetime) -> frozenset[str]:
        """The keys that are claimed."""
        self._up()
        return frozenset(key for key, until in self.claims.items() if key.startswith(prefix) and until > now)

    def exempt(self, _account: str, exemption: Exemption, now: datetime, *, instead: bool = False) -> None:
        """See adapters.exemptions.Exemptions.add."""
        self._up()
        wanted = (exemption.control, exemption.target)
        same = [one for one in self.exemptions if instead and (one.control, one.target) == wanted and one.until > now]
        others = [one for one in kept(self.exemptions, now) if one not in same]
        self.exemptions[:] = [*others, Exemption.from_json(exemption.to_json())]

    def unexempt(self, _account: str, exemption: Exemption, now: datetime) -> None:
        """See adapters.exemptions.Exemptions.end."""
        self._up()
        if exemption not in self.exemptions:
            raise Conflict("somebody else ended it")
        self.exemptions[:] = kept((one for one in self.exemptions if one != exemption), now)

    def note_exemption(self, _account: str, exemption: Exemption, notice: str, now: datetime) -> None:
        """See adapters.exemptions.Exemptions.told."""
        self._up()
        marked = [replace(one, told=(*one.told, notice)) if one == exemption else one for one in self.exemptions]
        self.exemptions[:] = kept(marked, now)

    def move_exemptions(self, _account: str, _now: datetime) -> int:
        """See adapters.exemptions.Exemptions.move."""
        return 0

    def all_exemptions(self, _account: str) -> tuple[Exemption, ...]:
        """All exemptions."""
        self._up()
        return tuple(self.exemptions)

    def all_pauses(self, _account: str) -> tuple[Mapping[str, Pause], int]:
        """All pauses and their version."""
        self._up()
        return self._pauses(), self.versions.get("pauses", 0)

    def save_pauses(self, _account: str, pauses: Mapping[str, Pause], version: int) -> None:
        """Write all pauses."""
        self._write_over("pauses", version)
        self.pauses = {name: Pause.from_json(one.to_json()) for name, one in pauses.items()}

    def all_suspensions(self, _account: str) -> tuple[tuple[Suspension, ...], int]:
        """All suspensions and their version."""
        self._up()
        return tuple(self.suspended), self.versions.get("suspensions", 0)

    def save_suspensions(self, _account: str, suspensions: Iterable[Suspension], version: int) -> None:
        """Write all suspensions."""
        self._write_over("suspensions", version)
        self.suspended = [Suspension.from_json(one.to_json()) for one in suspensions]

    def spent_in(self, _account: str, now: datetime) -> dict[str, int]:
        """What was counted in this clock hour."""
        self._up()
        hour = f"#{now:%Y-%m-%dT%H}"
        return {key.removesuffix(hour): count for key, count in self.spent.items() if key.endswith(hour)}

    def forget_spent(self, _account: str, name: str, now: datetime) -> None:
        """Count anew."""
        self._up()
        self.spent[f"{name}#{now:%Y-%m-%dT%H}"] = 0

    def open_findings(self, _account: str) -> list[Finding]:
        """Every open finding."""
        self._up()
        return [one for one in self.findings.values() if one.is_open]

    def awaiting_digest(self, _account: str) -> list[Finding]:
        """See ports.Ledger."""
        self._up()
        return [one for one in (*self.findings.values(), *self.history) if one.is_owed_a_digest]

    def digested(self, _account: str) -> Digested:
        """See ports.Ledger."""
        self._up()
        return Digested.from_json(self.told_together)

    def note_digested(self, _account: str, digested: Digested) -> None:
        """See ports.Ledger."""
        self._up()
        self.told_together = digested.to_json()

    def hearing(self, _account: str) -> Hearing:
        """See ports.Ledger."""
        self._up()
        return self.heard

    def note_hearing(self, _account: str, hearing: Hearing) -> None:
        """See ports.Ledger."""
        self._up()
        self.heard = hearing

    def lives(self, _account: str) -> list[Finding]:
        """See ports.Ledger."""
        self._up()
        return [*self.findings.values(), *self.history]

    def recent(self, _account: str, since: datetime) -> list[Finding]:
        """See ports.Ledger."""
        self._up()
        return [
            one
            for one in (*self.findings.values(), *self.history)
            if one.is_open or one.awaits_digest or (one.closed_at or one.last_seen) > since
        ]

    def by_id(self, _account: str, prefix: str) -> list[Finding]:
        """The findings whose id begins so."""
        return [one for one in (*self.findings.values(), *self.history) if one.id.startswith(prefix)]

    def adopted(self, _account: str) -> dict[str, str]:
        """The controls whose first sweep is done."""
        return dict(self.marks)

    def adopt(self, _account: str, control: str, mark: str) -> None:
        """Record that a first sweep is done."""
        self.marks[control] = mark

    def note_sweep(self, _account: str, now: datetime) -> None:
        """Record that a sweep is done."""
        self.swept = now

    def last_sweep(self, _account: str) -> datetime | None:
        """When the last sweep was done."""
        return self.swept

    def _pauses(self) -> dict[str, Pause]:
        return {name: one if isinstance(one, Pause) else Pause(one) for name, one in self.pauses.items()}

    def _write_over(self, what: str, version: int) -> None:
        self._up()
        if self.versions.get(what, 0) != version:
            raise Conflict("somebody else wrote first")
        self.versions[what] = version + 1

    def _up(self) -> None:
        if self.down:
            raise LedgerDown("the ledger is down")


@dataclass
class Letterbox:
    """The engine's Alerts."""

    letters: list[Alert] = field(default_factory=list)
    down: bool = False
    heard: bool | None = True
    unconfirmed: tuple[str, ...] = ()
    arn: str = "arn:aws:sns:us-east-1:111122223333:plumbline-alerts"
    asked: int = 0

    def is_heard(self) -> bool | None:
        """See ports.Alerts."""
        self.asked += 1
        return self.heard

    def waiting(self) -> tuple[str, ...]:
        """See ports.Alerts."""
        return self.unconfirmed

    def send(self, alert: Alert) -> None:
        """Keep the letter."""
        if self.down:
            raise AwsRefusal("InternalError", "no")
        self.letters.append(alert)

    @property
    def subjects(self) -> list[str]:
        """What stands in the inbox."""
        return [alert.subject.removeprefix("[Plumbline] ") for alert in self.letters]


@dataclass
class House:
    """An engine between fakes, with one lamp that is on."""

    aws: Lamps = field(default_factory=lambda: Lamps({"hall": {"on": ["a"]}}))
    ledger: Memory = field(default_factory=Memory)
    alerts: Letterbox = field(default_factory=Letterbox)
    control: Control = CONTROL
    clocks: Mapping[str, Clock] = field(default_factory=lambda: {"default": AT_ONCE})
    response: Response = Response.ENFORCE
    mode: Response = Response.ENFORCE
    home: str = "us-east-1"
    breakers: Breakers = field(default_factory=Breakers)
    letters: Letters = field(default_factory=Letters)
    exemptions: tuple[Exemption, ...] = ()
    connections: Connections = field(default_factory=Connections)
    reach: Reach = field(default_factory=Reach)
    sts: Signatures = field(default_factory=Signatures)
    operators: tuple[str, ...] = (f"arn:aws:iam::{ACCOUNT}:user/*",)
    roster: tuple[Person, ...] = ()
    typed: int = 0

    @property
    def engine(self) -> Engine:
        """The engine as it is configured now."""
        rules = {self.control.id: Rule(self.response, self.clocks, {})}
        return Engine(
            controls={self.control.id: self.control},
            baseline=Baseline(
                rules, (), self.breakers, self.exemptions, self.letters, operators=self.operators, roster=self.roster
            ),
            deployment=Deployment(home=self.home, mode=self.mode, sender=Sender(account=ACCOUNT)),
            aws=self.aws,
            ledger=self.ledger,
            alerts=self.alerts,
        )

    @property
    def plumbline(self) -> Plumbline:
        """The whole, as functions and people use it."""
        return Plumbline(
            self.engine,
            cast("Table", self.ledger),
            _no_clients,
            ACCOUNT,
            Index.of(self.engine.controls),
            reach=lambda: self.reach,
        )

    def type(self, *words: str, now: datetime = NOW, by: str = ROOT) -> commands.Answer:
        """A command as a person types it, with a proof that it is he."""
        return self.answer(self.proven(*words, now=now, by=by), now=now)

    def proven(self, *words: str, now: datetime = NOW, by: str = ROOT) -> dict[str, Any]:
        """What the shell function sends for a command that changes something."""
        self.typed += 1
        return request(self.plumbline, *words, now=now, by=by, number=self.typed)

    def answer(self, asked: Any, *, now: datetime = NOW) -> commands.Answer:
        """What operate answers to a request."""
        connections = replace(self.connections, sts=self.connections.sts or self.sts)
        return commands.answer(self.plumbline, asked, now=now, connections=connections)

    def settle(self, *, origin: Origin = Origin.EVENT, now: datetime = NOW, cause: Cause = MALLORY) -> str:
        """Wake the engine for the lamp; the outcome's name."""
        return self.engine.settle(Wake(self.control.id, LAMP, origin, cause), now=now).outcome.value

    @property
    def finding(self) -> Finding:
        """What the ledger holds about the lamp."""
        return self.ledger.findings[(self.control.id, LAMP)]


#: The bulk read of an account without users, groups and roles.
NOBODY_AT_ALL = dict.fromkeys(("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"), ())


def _nobody_in_particular(call: Call) -> Any:
    """A user or role of any name, without a right to anything."""
    if call.operation == "GetAccountAuthorizationDetails":
        return NOBODY_AT_ALL
    name = str(call.parameters.get("UserName", call.parameters.get("RoleName")))
    kind = "Role" if "RoleName" in call.parameters else "User"
    itself = {f"{kind}Name": name, "Path": "/", "Arn": f"arn:aws:iam::{ACCOUNT}:{kind.lower()}/{name}"}
    empty: dict[str, list[Any]] = {"Groups": [], "PolicyNames": [], "AttachedPolicies": []}
    return {kind: itself} if call.operation == f"Get{kind}" else empty


def _of_a_bucket(call: Call, buckets: Iterable[str]) -> Any:
    """What S3 tells of buckets that nobody but their owner may use."""
    if call.operation == "ListBuckets":
        return {"Buckets": [{"Name": name, "BucketRegion": "us-east-1"} for name in buckets]}
    return {"Owner": {"ID": "us"}, "Grants": []} if call.operation == "GetBucketAcl" else None


def _no_clients(*_: str) -> Any:
    raise AssertionError("a fake makes no client")
