"""Plumbline installed in a story's world: a ledger of the template's shape, a topic, every request seen.

Any request can be made to fail: `rig.refuse` is asked before each one and answers with AWS's error code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cache
from itertools import count
from typing import Any
from uuid import uuid4

import boto3
from botocore.exceptions import ClientError

from plumbline.adapters.accounts import Accounts
from plumbline.adapters.house import House
from plumbline.alerts.alert import Alert, Sender
from plumbline.baseline.rules import Baseline, Breakers, Rule
from plumbline.compose import Plumbline, in_one_process
from plumbline.controls import registry
from plumbline.controls.index import Index
from plumbline.core.calls import Call, Plan
from plumbline.core.cause import Cause, Origin
from plumbline.core.clock import AT_ONCE, Clock, Response
from plumbline.core.control import Control, Scope
from plumbline.core.recorded import Recorded
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.engine.by_person import done
from plumbline.engine.deployment import Deployment
from plumbline.engine.surveying import survey
from plumbline.engine.undoing import Undone, undo
from plumbline.findings.adoption import Adoption, kept_as, mark
from plumbline.findings.finding import Finding
from plumbline.findings.hearing import Hearing
from plumbline.wakes.messages import Wake
from tests.deployed import ledger_table
from tests.story import HOME, Story, World, defaults, stories, world
from tests.table import Table

#: Regions whose settings stories change; the first sweep has been made in each.
REGIONS = ("us-east-1", HOME, "us-west-2")
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)
CAUSE = Cause(
    action="SomeCall",
    who="mallory",
    principal="arn:aws:iam::123456789012:user/mallory",
    at="2026-03-02T09:29:58Z",
    source="198.51.100.7",
    tool="aws-cli/2.17.20",
    event_id="13deef86-ab10-41d0-b646-e1f40a097c97",
)
#: The roles that write.
HANDS = ("hands", "giving", "house")
#: What our own repair looks like when the trail tells of it.
ECHO = replace(
    CAUSE, who="plumbline-hands (session iam)", principal="arn:aws:sts::123456789012:assumed-role/plumbline-hands/x"
)


@dataclass(frozen=True)
class Request:
    """One request as it leaves: by which role, where, and for what."""

    role: str
    region: str
    service: str
    operation: str
    parameters: Mapping[str, Any]


@dataclass
class _Wire:
    """A client and the rig that it reports to. boto3 takes a while to make one, so it serves every world in turn."""

    client: Any
    rig: Rig | None = None


@cache
def _wire(region: str, service: str, role: str) -> _Wire:
    wire = _Wire(boto3.client(service, region_name=region))

    def seen(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        assert wire.rig is not None
        wire.rig.pass_on(Request(role, region, service, model.name, dict(params)))

    wire.client.meta.events.register("before-parameter-build", seen)
    return wire


@dataclass(repr=False)
class Rig:
    """A world with Plumbline in it.

    Attributes:
        world: the account.
        requests: every request that was not refused, in order.
        sessions: role and session policy of every client that was asked for.
        refuse: asked before each request; an error code refuses it, None lets it pass.
        in_moto: whether the ledger is a table of moto's, which is nearer to AWS and takes ten times as long.
    """

    world: World
    requests: list[Request] = field(default_factory=list)
    sessions: list[tuple[str, str]] = field(default_factory=list)
    refuse: Callable[[Request], str | None] = lambda _request: None
    in_moto: bool = False
    table: Table | None = None

    def install(
        self,
        rules: Mapping[str, Rule],
        *,
        mode: Response = Response.ENFORCE,
        controls: Mapping[str, Control] | None = None,
        converts: bool = True,
    ) -> Plumbline:
        """A Plumbline that holds these rules, whose first sweep found nothing, and that somebody hears.

        It may turn inline policies into managed ones unless told otherwise, so that what repairs do is seen whole.
        """
        name = f"ledger-{uuid4()}"
        if self.in_moto:
            self.client("", self.world.home, "dynamodb").create_table(**ledger_table(name))
        else:
            self.table = Table(name, self._pass_on_to_the_table)
        topic = self.client("", self.world.home, "sns").create_topic(Name="alerts")["TopicArn"]
        self.forget()
        sender = Sender(account=self.world.account, region=self.world.home)
        plumbline = in_one_process(
            account=self.world.account,
            region=self.world.home,
            table=name,
            topic=topic,
            clients=self.client,
            clock=self.world.clock,
            eyes_role="eyes",
            hands_role="hands",
            giving_role="giving",
            house_role="house",
            baseline=Baseline(rules, breakers=Breakers(1000, 1000, 1000, 1000)),
            index=None if controls is None else Index.of(controls),
            deployment=Deployment(home=self.world.home, mode=mode, sender=sender, converts=converts),
        )
        for name, rule in rules.items():
            scope = plumbline.index.entries[name].scope if name in plumbline.index else Scope.GLOBAL
            for region in REGIONS:
                kept = kept_as(name, scope, region)
                plumbline.ledger.adopt(self.world.account, kept, Adoption(mark(rule)).to_json())
        plumbline.ledger.note_hearing(self.world.account, Hearing(NOW))
        ledger = plumbline.ledger.name
        House(self.client, ledger, self.world.home, self.world.account).record(Recorded("", self.world.recorded), 0)
        self.forget()
        return plumbline

    def client(
        self, _account: str, region: str, service: str, role: str = "", policy: str = "", session: str = ""
    ) -> Any:
        """Plumbline's client factory."""
        assert bool(policy) == (role in HANDS), "hands, and only hands, are limited by a session policy"
        assert session or not role, "a role is assumed under a name"
        self.sessions.append((role, policy))
        if self.table and service == "dynamodb" and not role:
            return self.table
        wire = _wire(region, service, role)
        wire.rig = self
        return wire.client

    def pass_on(self, request: Request) -> None:
        """See a request, and let it pass or not."""
        code = self.refuse(request)
        if code:
            raise ClientError({"Error": {"Code": code, "Message": "refused by the test"}}, request.operation)
        self.requests.append(request)

    def _pass_on_to_the_table(self, operation: str, parameters: Mapping[str, Any]) -> None:
        self.pass_on(Request("", self.world.home, "dynamodb", operation, dict(parameters)))

    @contextmanager
    def refusing(
        self, wanted: Callable[[Request], bool], *, number: int | None = None, code: str = "ThrottlingException"
    ) -> Iterator[None]:
        """Refuse the requests that are `wanted`; only the `number`-th of them (from 1) when it is given."""
        seen = count(1)
        self.refuse = lambda request: code if wanted(request) and (number is None or next(seen) == number) else None
        try:
            yield
        finally:
            self.refuse = lambda _request: None

    @property
    def writes(self) -> list[Request]:
        """What hands did."""
        return [one for one in self.requests if is_write(one)]

    @property
    def letters(self) -> list[Alert]:
        """What was told."""
        sent = [one.parameters for one in self.requests if is_letter(one)]
        return [Alert(one["Subject"], one["Message"], _plain(one["MessageAttributes"])) for one in sent]

    def forget(self) -> None:
        """Begin to count afresh."""
        self.requests.clear()
        self.sessions.clear()


def _plain(attributes: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {name: value["StringValue"] for name, value in attributes.items()}


def is_read(request: Request) -> bool:
    """Whether eyes asked it."""
    return request.role == "eyes"


def is_write(request: Request) -> bool:
    """Whether hands did it."""
    return request.role in HANDS


def is_letter(request: Request) -> bool:
    """Whether it tells somebody."""
    return not request.role and request.operation == "Publish"


def is_ledger(request: Request) -> bool:
    """Whether it reads or writes what Plumbline remembers."""
    return not request.role and request.service == "dynamodb"


@dataclass(repr=False)
class Broken:
    """A world in which a story has happened, and Plumbline's rig in it."""

    story: Story
    rig: Rig
    target: Target
    before: State

    @classmethod
    def tell(cls, story: Story, world: World) -> Broken:
        """Let the story happen in a fresh world."""
        target = story.happens(world)
        broken = cls(story, Rig(world), target, None)
        broken.before = broken.state()
        return broken

    def state(self) -> State:
        """The target as it is."""
        assert self.story.rule.observe is not None
        world = self.rig.world
        accounts = Accounts(
            self.rig.client,
            world.home,
            "a person's eyes",
            recording=lambda: Recorded("", world.recorded),
            clock=world.clock,
        )
        return self.story.rule.observe(accounts.eyes(self.target.account, self.target.region), self.target)

    def undone(self, plumbline: Plumbline, finding: Finding, *, now: datetime, force: bool = False) -> Undone:
        """Undo as a person types it, who makes with rights of his own what no role of Plumbline may."""
        undone = undo(plumbline.engine, plumbline.ledger, finding, now=now, force=force)
        if not undone.asks:
            return undone
        self.rig.world.perform(self.story.rule, self.target, undone.asks, ())
        came = done(plumbline.engine, undone.finding, undone.finding.ticket, now=now)
        assert isinstance(came, Undone)
        return came

    def install(self, *, mode: Response = Response.ENFORCE) -> Plumbline:
        """A Plumbline that repairs at once, whatever the control's own mode and clocks are; nothing counted yet."""
        return self.rig.install({self.story.control: at_once(self.story.rule, self.story.all_settings)}, mode=mode)

    def wake(self, cause: Cause = CAUSE) -> Wake:
        """What the event that broke it would wake."""
        return Wake(self.story.control, self.target, Origin.EVENT, cause)


def at_once(control: Control, settings: Mapping[str, Any] | None = None) -> Rule:
    """The rule that repairs at once."""
    clocks: dict[str, Clock] = dict.fromkeys(control.clocks, AT_ONCE)
    return Rule(Response.ENFORCE, clocks, defaults(control) if settings is None else settings)


def own_rules() -> dict[str, Rule]:
    """The rules that hold when the baseline says nothing."""
    return {one.id: Rule(one.response, one.clocks, defaults(one)) for one in registry.load().values()}


@dataclass(frozen=True)
class Journal:
    """What one story showed: the state it left, the repair of it, and every read that finding and observing took."""

    story: Story
    target: Target
    before: State
    plan: Plan
    reads: tuple[Request, ...]

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every write of the repair and of its undo."""
        return (*self.plan.do, *self.plan.undo)


def journal(story: Story) -> Journal:
    """A story lived through once, without a repair."""
    return _journal(str(story))


@cache
def _journal(name: str) -> Journal:
    (story,) = (one for one in stories() if str(one) == name)
    with world() as told:
        broken = Broken.tell(story, told)
        engine = broken.install().engine
        region = GLOBAL if story.rule.scope is Scope.GLOBAL else broken.target.region
        survey(story.rule, engine.aws.eyes(broken.target.account, region))
        assert story.rule.observe is not None
        before = story.rule.observe(engine.aws.eyes(broken.target.account, broken.target.region), broken.target)
        plan = story.rule.plan(broken.target, before, story.all_settings)
        return Journal(story, broken.target, before, plan, tuple(filter(is_read, broken.rig.requests)))
