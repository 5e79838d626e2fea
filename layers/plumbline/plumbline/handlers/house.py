"""What the sweep's function does for Plumbline itself, every ten minutes and first in every sweep.

It writes down how Plumbline's parts are once CloudFormation says that a deployment of the stack is over, and e-mails
what that has changed; else it compares, puts back what house hands may, and tells. All of it runs here: react cannot
mend the trigger that it hangs on. The forwarders of other regions are compared one region at a time, by the sweep's
units and whenever AWS tells of a change of one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from plumbline.compose import Plumbline
from plumbline.core.control import Control
from plumbline.core.errors import AwsRefusal, Conflict, PlumblineError
from plumbline.core.reach import GLOBAL_REGION
from plumbline.core.recorded import Deployed, Part, Parts, Recorded, common
from plumbline.engine.case import Settled
from plumbline.handlers.react import Log
from plumbline.ports import Alerts
from plumbline.sweep.knowing import Knowing
from plumbline.sweep.looking import Look
from plumbline.sweep.units import Unit

#: While a stack is being changed its parts are neither old nor new. Whoever keeps it so for longer hides nothing.
DEPLOYING_FOR = timedelta(hours=1)
#: Kinds of parts that only the look of each sweep compares: CloudWatch charges for each question about alarms, of whose
#: changes a tripwire tells within a minute, and they count hours.
SELDOM = ("cloudwatch-alarm",)
_TOLD_FOR = timedelta(days=30)
#: So long CloudTrail is asked who deployed: its event history is some minutes late.
_KNOWN_WITHIN = timedelta(hours=2)
_AT_ONCE = 16


class Stack(Protocol):
    """The stack that Plumbline was deployed with; see adapters/cloudformation.py."""

    def deployment(self) -> Deployed:
        """Its last deployment, or raise."""

    def resources(self) -> Sequence[tuple[str, str]]:
        """The type and the physical id of everything that it holds, or raise."""

    def deployer(self, since: datetime) -> str:
        """The ARN of who began the deployment of that time, empty where nobody knows yet, or raise."""


class Forwarders(Protocol):
    """The forwarders of other regions; see adapters/reach.py."""

    def forwarders(self) -> Mapping[str, str]:
        """Region -> what is wrong with its forwarder as a stack, or raise."""


class Memory(Protocol):
    """What was recorded of Plumbline itself; see adapters/house.py."""

    def recorded(self) -> tuple[Recorded, int]:
        """What was recorded last, and its version, or raise."""

    def record(self, recorded: Recorded, version: int) -> None:
        """Write over the version that was read, or raise."""


@dataclass(frozen=True, slots=True)
class Housekeeper:
    """One look at Plumbline itself.

    Attributes:
        plumbline: settles what is found.
        stack: CloudFormation's own word on the stack.
        forwarders: CloudFormation's word on what there is in other regions.
        memory: what was recorded.
        alerts: where what is about Plumbline itself is told.
    """

    plumbline: Plumbline
    stack: Stack
    forwarders: Forwarders
    memory: Memory
    alerts: Alerts
    logger: Log
    clock: Callable[[], datetime]
    #: Forwarders are looked at one after another, and the ledger knows the same of each.
    _knowing: Knowing = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_knowing", self.plumbline.knowing())

    def look(self, unit: Unit, left_out: Collection[str] = ()) -> None:
        """Record a deployment that is over; else compare with the last one, put back and tell.

        Args:
            unit: the piece of a sweep that holds the controls of the house.
            left_out: kinds of parts that are not compared this time, but where something is known to be wrong.

        Raises:
            PlumblineError: it could not be looked at, or not be told. The function fails, so that its alarm tells.
        """
        now = self.clock()
        deployment = self.stack.deployment()
        recorded, version = self.memory.recorded()
        if not deployment.is_over and now - deployment.since < DEPLOYING_FOR:
            self.logger.info("house not looked at", extra={"stack": deployment.status})
            return
        if deployment.is_over and deployment.mark != recorded.deployment:
            self._record(deployment, recorded, version, now)
        elif recorded.deployer_of != recorded.deployment and now - deployment.since < _KNOWN_WITHIN:
            who = self._deployer(deployment, recorded)
            if who.deployer_of:
                self._keep(replace(recorded, deployer=who.deployer, deployer_of=who.deployer_of), version)
        self._compare(unit, now, left_out)

    def look_elsewhere(self, unit: Unit) -> None:
        """Compare a forwarder with how it was deployed, put back and tell; nothing while anything is being deployed.

        Args:
            unit: the controls of the house, in another region than home.

        Raises:
            PlumblineError: as above.
        """
        now, deployment = self.clock(), self.stack.deployment()
        if not deployment.is_over or deployment.mark != self.memory.recorded()[0].deployment:
            self.logger.info("forwarder not looked at", extra={"stack": deployment.status, "region": unit.region})
            return
        self._compare(unit, now)

    def _compare(self, unit: Unit, now: datetime, left_out: Collection[str] = ()) -> None:
        known = self.plumbline.engine.controls
        controls = {one: _without(known[one], left_out) for one in unit.controls} if left_out else known
        engine = replace(self.plumbline.engine, alerts=self.alerts, controls=controls)
        plumbline = replace(self.plumbline, engine=engine)
        broken: list[Look] = []
        looks = plumbline.look(unit, now=now, at_once=_AT_ONCE, knowing=self._knowing)  # waiting is what a look costs
        for look in looks:
            broken += [look] if look.error else []
            if look.wakes or look.adoption != look.before:
                self._knowing.forget()
            for wake in look.wakes:  # each with a time of its own: a lease begins with it
                for settled in plumbline.settle([wake], now=self.clock()):
                    self._report(settled)
            plumbline.looked(unit, look)
        if broken:
            raise PlumblineError("Plumbline could not look at itself; see the log") from broken[0].error

    def _report(self, settled: Settled) -> None:
        extra = {"target": str(settled.wake.target), "outcome": settled.outcome.value, "reason": settled.reason}
        self.logger.info("house settled", extra=extra)

    def _record(self, deployment: Deployed, before: Recorded, version: int, now: datetime) -> None:
        """Told, then recorded: a process that dies in between tells once more, and nothing holds untold."""
        from plumbline.alerts.house import deployed  # once for each deployment

        parts, elsewhere = self._parts(), self._parts_elsewhere()
        differences = list(_differences(before.parts, parts)) if before.parts else []
        if differences:
            engine = self.plumbline.engine
            notifier = replace(engine, alerts=self.alerts).notifier
            alert = deployed(differences, deployment.since, engine.deployment.sender)
            notifier.send_once(f"house#{deployment.mark}", alert, now=now, within=_TOLD_FOR)
        who = self._deployer(deployment, before)
        if not self._keep(replace(who, deployment=deployment.mark, parts=parts, elsewhere=elsewhere), version):
            return
        self.logger.info("house recorded", extra={"deployment": deployment.mark, "differences": len(differences)})

    def _deployer(self, deployment: Deployed, before: Recorded) -> Recorded:
        """What was recorded before, with who deployed now; with who did before where nobody can say yet."""
        try:
            who = self.stack.deployer(deployment.since)
        except AwsRefusal as error:  # whom the guard would be given is all that hangs on it, and that is proposed
            self.logger.error("deployer not known", extra={"reason": str(error)})
            who = ""
        return replace(before, deployer=who or before.deployer, deployer_of=deployment.mark if who else "")

    def _keep(self, recorded: Recorded, version: int) -> bool:
        """Write it down; whether it was this look that did."""
        try:
            self.memory.record(recorded, version)
        except Conflict:  # another look was at it, and has told and recorded the same
            return False
        return True

    def _parts(self) -> Parts:
        """Every part of the stack, as it is, but for what would leave Plumbline deaf or dumb."""
        from plumbline.controls.house import _parts as house  # once for each deployment
        from plumbline.controls.house.house_integrity import sound

        ask = self.plumbline.engine.aws.eyes(self.plumbline.account, self.plumbline.engine.deployment.home)
        found: dict[str, dict[str, Part]] = {}
        for kind, named in house.placed(ask, self.stack.resources()).items():
            for name, place in named.items():
                part = house.read(ask, kind, name, place)
                if part is not None:
                    found.setdefault(kind, {})[name] = {**place, **sound(kind, part)}
        return found

    def _parts_elsewhere(self) -> Mapping[str, Parts]:
        """What the forwarders are made of. One that cannot be read is left out: they are all alike."""
        from plumbline.controls.house import _parts as house  # once for each deployment
        from plumbline.controls.house.house_integrity import sound

        def seen(region: str) -> Parts:
            try:
                parts = house.forwarder(self.plumbline.engine.aws.eyes(self.plumbline.account, region))
            except AwsRefusal as error:
                self.logger.error("forwarder not recorded", extra={"region": region, "reason": str(error)})
                return {}
            return {kind: {name: sound(kind, one) for name, one in named.items()} for kind, named in parts.items()}

        # Where no event crosses a border the StackSet has a stack at home alone, whose rules are home's own.
        home = self.plumbline.engine.deployment.home
        there = [region for region, wrong in self.forwarders.forwarders().items() if not wrong and region != home]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = dict(zip(there, pool.map(seen, there), strict=True))
        return common({region: parts for region, parts in found.items() if parts}, GLOBAL_REGION)


def _without(control: Control, kinds: Collection[str]) -> Control:
    """A control that does not list some kinds of what it looks at; what has a finding is looked at all the same."""
    find = control.find
    return (
        control
        if find is None
        else replace(control, find=lambda ask: (one for one in find(ask) if one.kind not in kinds))
    )


def _differences(before: Parts, after: Parts) -> Iterator[str]:
    """What is another now, part by part, in a person's words."""
    from plumbline.controls.house.house_integrity import CONTROL, changed, said

    for kind in sorted({*before, *after}):
        old, new = before.get(kind, {}), after.get(kind, {})
        for name in sorted({*old, *new}):
            what = CONTROL.noun.format(kind=kind.rpartition("-")[2], id=name)
            if name not in old:
                yield f"{what} is new"
            elif facts := changed(old[name], new.get(name)):
                yield f"{what} " + ", ".join(said(kind, one) for one in facts)
