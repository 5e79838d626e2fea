"""Puts the pieces together: a whole Plumbline from a client factory, with or without queues.

A sweep and all it calls for, in one process:

    clients = Clients("us-east-1", clock)
    plumbline = in_one_process(
        account="111122223333", region="us-east-1", table="ledger", topic=topic_arn, clients=clients, clock=clock
    )
    for settled in plumbline.sweep_and_settle(now=clock()):
        print(settled.outcome, settled.wake.target)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from plumbline.adapters.accounts import Accounts
from plumbline.adapters.clients import PATIENT, ClientFactory, Clients
from plumbline.alerts.alert import Sender
from plumbline.baseline.rules import STACK, TRAIL_BUCKET, Baseline
from plumbline.baseline.rules import load as load_baseline
from plumbline.controls.index import Index
from plumbline.controls.index import load as load_index
from plumbline.core.cause import Origin
from plumbline.core.clock import Response
from plumbline.core.control import Scope
from plumbline.core.errors import PlumblineError
from plumbline.core.reach import Reach
from plumbline.core.targets import GLOBAL
from plumbline.engine.case import Settled
from plumbline.engine.deployment import Deployment
from plumbline.engine.settle import Engine
from plumbline.findings.adoption import Adoption, kept_as, mark
from plumbline.wakes.messages import Wake, read

if TYPE_CHECKING:
    from plumbline.adapters.dynamodb import Table
    from plumbline.sweep.knowing import Knowing
    from plumbline.sweep.looking import Look
    from plumbline.sweep.searching import Found
    from plumbline.sweep.units import Unit

_MODES = {"enforce": Response.ENFORCE, "observe": Response.OBSERVE}


class NotConfigured(PlumblineError):
    """The function's environment lacks something that the template gives it."""


@dataclass(frozen=True, slots=True)
class Plumbline:
    """Everything that runs in one account, ready to use.

    Attributes:
        engine: settles wakes.
        ledger: the same ledger the engine uses, for what only people and the sweep ask.
        clients: the client factory.
        account: the account this runs in.
        index: what is known of every control without importing it.
        reach: reads what the last sweep saw of regions.
    """

    engine: Engine
    ledger: Table
    clients: ClientFactory
    account: str
    index: Index
    reach: Callable[[], Reach] = Reach

    def settle(self, wakes: Sequence[Wake], *, now: datetime) -> Iterator[Settled]:
        """Settle wakes one by one; a wake for a pattern becomes one for each of its targets first."""
        for wake in wakes:
            if not wake.target.is_pattern:
                yield self.engine.settle(wake, now=now)
                continue
            expanded = self.engine.expand(wake, now=now)
            if isinstance(expanded, Settled):
                yield expanded
            else:
                yield from (self.engine.settle(one, now=now) for one in expanded)

    def units(self, reach: Reach | None = None) -> Sequence[Unit]:
        """The pieces of a sweep of this account.

        Args:
            reach: which regions are governed; what the last sweep saw of them when None.
        """
        from plumbline.sweep.units import units  # react, which settles, never sweeps

        swept = (self.reach() if reach is None else reach).swept
        return units(self.account, self.engine.deployment.home, self.index.entries, self.engine.baseline, swept)

    def governs(self, wake: Wake) -> bool:
        """Whether a wake is about a region that is governed.

        An event may tell of one that the baseline leaves out: the forwarder of services without a region stands in one,
        whatever it names.
        """
        named, entry = self.engine.baseline.regions, self.index.entries.get(wake.control)
        if not named or entry is None or entry.scope is not Scope.EACH:
            return True
        return wake.target.region in (*named, self.engine.deployment.home, GLOBAL)

    def look(
        self,
        unit: Unit,
        *,
        now: datetime,
        more: Callable[[], bool] = lambda: True,
        at_once: int = 1,
        knowing: Knowing | None = None,
    ) -> Iterator[Look]:
        """Look through a unit; reads are shared, nothing is written to the account. See sweep/looking.py.

        Args:
            unit: where, and with which controls.
            now: the time, in UTC.
            more: whether there is time for one more target, where they are looked at one by one.
            at_once: how many of them are looked at at a time.
            knowing: what the ledger knows; it is asked anew when None.
        """
        from plumbline.sweep.looking import Looking  # react, which settles, never sweeps

        engine, eyes = self.engine, self.engine.aws.eyes(unit.account, unit.region)
        known = (knowing or self.knowing()).of(unit, now)
        yield from Looking(engine.controls, engine.rule, eyes, known, now, more, at_once).through(unit)

    def search(self, unit: Unit, *, more: Callable[[], bool] = lambda: True, at_once: int = 1) -> Iterator[Found]:
        """Look for what the message meant, without naming it, that made react send a unit; see sweep/searching.py.

        Args:
            unit: where, with which control, and the message.
            more: whether there is time for one more target.
            at_once: how many of them are looked at at a time.
        """
        from plumbline.sweep.searching import Search  # react, which settles, never sweeps

        engine, index, asked = self.engine, self.index, unit.asked
        found = read(asked, index, index.concerned, index.renamed, self.account)
        wakes = (one for one in found if one.control in unit.controls and one.target.is_pattern)
        for wake in wakes:
            control, rule = engine.controls[wake.control], engine.rule(wake.control)
            eyes = engine.aws.eyes(unit.account, unit.region)
            if rule.response is not Response.OFF:
                named = replace(wake, asked=asked)
                yield from Search(engine.expanding, control, rule, named, eyes, more, at_once).through(unit)

    def knowing(self) -> Knowing:
        """What the ledger knows, for pieces of a sweep that follow each other closely."""
        from plumbline.sweep.knowing import Knowing  # react, which settles, never sweeps

        return Knowing(self.engine, self.ledger)

    def looked(self, unit: Unit, look: Look) -> None:
        """Record how far a control's first sweep has come, and what lasts. Called after its wakes are on their way."""
        if look.adoption != look.before:
            scope = self.index.entries[look.control].scope
            self.ledger.adopt(unit.account, kept_as(look.control, scope, unit.region), look.adoption.to_json())
        if look.lasts is not None:
            self.ledger.sweeps.keep(unit.account, look.control, look.lasts)

    def switched_off(self, account: str) -> list[Wake]:
        """The wakes that close what is open of controls that nobody looks with any more.

        What is wrong by the time such a control is switched on again is adopted, however long ago its first sweep was.
        """
        off = {name: rule for name, rule in self.engine.baseline.rules.items() if rule.response is Response.OFF}
        if not off:
            return []
        adopted = self.ledger.adopted(account)
        for kept, text in adopted.items():
            rule = off.get(kept.partition("@")[0])
            if rule is not None and Adoption.from_json(text).mark != mark(rule):
                self.ledger.adopt(account, kept, Adoption(mark(rule)).to_json())
        found = self.ledger.open_findings(account)
        return [Wake(one.control, one.target, Origin.SWEEP) for one in found if one.control in off]

    def sweep_and_settle(self, *, now: datetime) -> Iterator[Settled]:
        """A whole sweep and all it calls for, in this process."""
        broken: list[Exception] = []
        for unit in self.units():
            for look in self.look(unit, now=now):
                broken += [look.error] if look.error else []
                yield from self.settle(look.wakes, now=now)
                self.looked(unit, look)
        yield from self.settle(self.switched_off(self.account), now=now)
        self.ledger.note_sweep(self.account, now)
        if broken:  # the other controls have been looked with
            raise broken[0]


def in_one_process(
    *,
    account: str,
    region: str,
    table: str,
    topic: str,
    clients: ClientFactory,
    clock: Callable[[], datetime],
    eyes_role: str = "",
    hands_role: str = "",
    giving_role: str = "",
    house_role: str = "",
    chat: str = "",
    people: str = "",
    baseline: Baseline | None = None,
    index: Index | None = None,
    deployment: Deployment | None = None,
    stack: str = STACK,
    trail_bucket: str = "",
    trail: str = "",
) -> Plumbline:
    """A Plumbline without queues: for tests, the bench, the preview and people who script it.

    Args:
        account: the account to hold to the baseline.
        region: the home region.
        table: the ledger's table name.
        topic: ARN of the Alerts topic.
        clients: makes every AWS client, such as `adapters.clients.Clients`.
        clock: the time, in UTC.
        eyes_role: role to read with; the process's own credentials when empty.
        hands_role: role to take rights away with, and to tighten.
        giving_role: role to attach the few policies with that Plumbline may give.
        house_role: role to put Plumbline's own parts back with.
        chat: ARN of a topic for chat tools; none when empty.
        people: ARN of the topic that people hear of their own users by; none when empty.
        baseline: what must hold; the compiled one in the layer when None.
        index: the controls; all of the registry when None.
        deployment: mode, grace and wording; the defaults when None.
        stack: what the names of Plumbline's own resources begin with, for what the baseline says of them.
        trail_bucket: the bucket of the stack's trail, where it is called otherwise than `TRAIL_BUCKET` says.
        trail: the existing trail that the stack was told to use, by name or ARN; empty where it made its own.

    Raises:
        BaselineError: there is no readable baseline.
    """
    from plumbline.adapters.dynamodb import Table
    from plumbline.adapters.house import House
    from plumbline.adapters.sns import Topic

    deployment = deployment or Deployment(home=region, sender=Sender(account=account, region=region))
    baseline = baseline or load_baseline(stack=stack, trail_bucket=trail_bucket)
    if index is None:
        from plumbline.controls import registry  # imports every control: not for a function

        index = registry.index()

    def reach() -> Reach:
        from plumbline.adapters.reach import Memory  # most that settles never asks

        return Memory(clients, table, region, account).reach()

    ledger = Table(clients, table, region, baseline.letters.hours, index.renamed, baseline.patience)
    engine = Engine(
        controls=index,
        baseline=baseline,
        deployment=deployment,
        aws=Accounts(
            clients,
            region,
            eyes_role,
            hands_role,
            stack,
            trail,
            giving_role,
            house_role,
            deployment.converts,
            House(clients, table, region, account).last,
            reach,
            clock=clock,
        ),
        ledger=ledger,
        alerts=Topic(clients, topic, region, chat, people),
    )
    return Plumbline(engine, ledger, clients, account, index, reach)


def from_environment(
    clock: Callable[[], datetime], environment: Mapping[str, str] = os.environ, *, patient: bool = False
) -> Plumbline:
    """The Plumbline of a deployed function, from the variables that template.yaml sets.

    Args:
        clock: the time, in UTC.
        environment: the function's variables.
        patient: whether there are minutes to wait where AWS throttles.

    Raises:
        NotConfigured: a variable is missing or has a value the template does not allow.
        BaselineError: the layer holds no readable baseline.
        IndexMissing: the layer holds no readable index of the controls.
    """
    try:
        account, region = environment["PLUMBLINE_ACCOUNT"], environment["AWS_REGION"]
        mode = _MODES[environment["PLUMBLINE_MODE"]]
        grace = timedelta(days=int(environment["PLUMBLINE_ADOPTION_GRACE_DAYS"]))
        table, topic = environment["PLUMBLINE_TABLE"], environment["PLUMBLINE_ALERTS_TOPIC"]
        stack, trail_bucket = environment["PLUMBLINE_STACK"], environment["PLUMBLINE_TRAIL_BUCKET"]
        trail = environment["PLUMBLINE_EXISTING_TRAIL"]
        eyes = environment["PLUMBLINE_EYES_ROLE"]
        hands, giving, house = (environment.get(f"PLUMBLINE_{name}_ROLE", "") for name in ("HANDS", "GIVING", "HOUSE"))
        converts = {"propose": False, "enforce": True}[environment["PLUMBLINE_INLINE_POLICIES"]]
        chat, people = environment["PLUMBLINE_CHAT_TOPIC"], environment["PLUMBLINE_PEOPLE_TOPIC"]
    except (KeyError, ValueError) as error:
        raise NotConfigured(
            f"the function's environment lacks or misspells {error}; deploy the template again"
        ) from error
    # A stack of version 0.1 keeps its bucket, and its settings must stay the very same: a control whose settings change
    # adopts anew what it finds.
    if trail_bucket == TRAIL_BUCKET.format(stack=stack, account=account, region=region):
        trail_bucket = ""
    sender = Sender(account=account, region=region, stack=stack)
    return in_one_process(
        account=account,
        region=region,
        table=table,
        topic=topic,
        clients=Clients(region, clock, attempts=PATIENT) if patient else Clients(region, clock),
        clock=clock,
        eyes_role=eyes,
        hands_role=hands,
        giving_role=giving,
        house_role=house,
        chat=chat,
        people=people,
        index=load_index(),
        deployment=Deployment(home=region, mode=mode, adoption_grace=grace, sender=sender, converts=converts),
        stack=stack,
        trail_bucket=trail_bucket,
        trail=trail,
    )
