"""Plumbline's eyes and hands in each account: every read and write of the engine, each with its own role.

What a reader has been told it remembers for as long as it lives, so that the controls of one look share their reads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import RLock
from typing import Any, TypeVar

from plumbline.adapters.clients import IN_FLIGHT, ClientFactory, perform, telling
from plumbline.adapters.session_policy import Session, sessions
from plumbline.baseline.rules import STACK
from plumbline.core.calls import Call, Mended
from plumbline.core.control import Control
from plumbline.core.errors import AwsRefusal
from plumbline.core.giving import Maker
from plumbline.core.reach import Reach
from plumbline.core.recorded import Recorded
from plumbline.core.targets import GLOBAL, Target

#: Where IAM, account settings and other services without regions are asked, by partition.
_GLOBAL_HOME = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_S = TypeVar("_S")
_T = TypeVar("_T")
_RECORDED, _REACH = "recorded", "reach"
#: How many times as many are in line as run at a time, so that one which takes long holds up no other.
_IN_LINE = 4
#: Reads that are asked one after the other though they are known beforehand.
_FEW = 8
#: In how many forms a write is tried that AWS refuses for something in it.
_FORMS = 25


@dataclass(slots=True, eq=False)
class Reader:
    """The eyes role in one account and region.

    Remembers answers for as long as it lives: one settle, one sweep unit.
    """

    clients: ClientFactory
    account: str
    region: str
    home: str
    role: str
    now: datetime
    stack: str = STACK
    trail: str = ""
    recording: Callable[[], Recorded] = Recorded
    reaching: Callable[[], Reach] = Reach
    #: Of each service as IAM calls it, by the call's key.
    _answers: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    #: Which of them wide reads were told.
    _wide: set[str] = field(default_factory=set, repr=False)
    _made: dict[Callable[[Any], Any], Any] = field(default_factory=dict, repr=False)
    #: What the ledger knows of Plumbline's own parts and of regions, once it was read.
    _held: dict[str, Any] = field(default_factory=dict, repr=False)
    #: Several threads may ask: who asks what another is asking waits for his answer.
    _asking: dict[str, RLock] = field(default_factory=dict, repr=False)
    _making: RLock = field(default_factory=RLock, repr=False)
    #: The name of what this look is about, and what was read about it; empty where it is about everything.
    _name: str = ""
    _own: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def recorded(self) -> Recorded:
        """See core.Ask. Read when it is first asked for: one control asks."""
        if _RECORDED not in self._held:
            self._held[_RECORDED] = self.recording()
        found: Recorded = self._held[_RECORDED]
        return found

    @property
    def reach(self) -> Reach:
        """See core.Ask. Read when it is first asked for, as above."""
        if _REACH not in self._held:
            self._held[_REACH] = self.reaching()
        found: Reach = self._held[_REACH]
        return found

    def remember(self, services: Container[str]) -> None:
        """See ports.Eyes."""
        gone = [one for one in self._answers if one not in services]
        for one in gone:
            del self._answers[one]
        if gone or not services:
            self._made.clear()

    def afresh(self) -> Reader:
        """See ports.Eyes."""
        kept = {
            service: {key: answer for key, answer in answers.items() if key in self._wide}
            for service, answers in self._answers.items()
        }
        self.remember(())  # whoever made something of answers holds these eyes, and they hold what he made
        return replace(self, _answers=kept, _wide=set(self._wide), _made={}, _asking={}, _own={})

    def about(self, target: Target, /) -> Reader:
        """See ports.Eyes."""
        return replace(self, _name=target.id, _own={})

    def many(
        self, work: Callable[[_S], _T], items: Sequence[_S], more: Callable[[], bool], at_once: int, /
    ) -> list[_T]:
        """See ports.Eyes."""
        from concurrent.futures import Future, ThreadPoolExecutor  # only who sweeps has many to look at

        done: list[_T] = []
        waiting: deque[Future[_T]] = deque()
        with ThreadPoolExecutor(at_once) as threads:
            for item in items:
                if not more():
                    break
                waiting.append(threads.submit(work, item))
                if len(waiting) >= at_once * _IN_LINE:
                    done.append(waiting.popleft().result())
            done += [one.result() for one in waiting]
        return done

    def once(self, make: Callable[[Any], _T], /) -> _T:
        """See core.Ask. What is made is everybody's, whatever the look is about that asks first."""
        with self._making:
            if make not in self._made:
                self._made[make] = make(replace(self, _name="") if self._name else self)
            found: _T = self._made[make]
            return found

    def foresee(self, calls: Sequence[Call], /) -> None:
        """See core.Ask. A few are left to be asked one after the other: threads cost more than they save."""
        if len(calls) < _FEW:
            return
        refused: list[AwsRefusal] = []

        def ask(call: Call) -> None:
            try:
                self(call)
            except AwsRefusal as refusal:
                refused.append(refusal)

        self.many(ask, calls, lambda: not refused, IN_FLIGHT)

    def __call__(self, call: Call, /) -> Any:  # noqa: ANN401
        """Perform one read; see core.Ask."""
        key = call.key
        if self._name and self._name in call.parameters.values():
            if key not in self._own:
                self._own[key] = self._read(call)
            return self._own[key]
        answers = self._answers.setdefault(call.action.partition(":")[0], {})
        if key not in answers:
            with self._asking.setdefault(key, RLock()):
                if key not in answers:
                    answers[key] = self._read(call)
                    if call.wide:
                        self._wide.add(key)
            self._asking.pop(key, None)
        return answers[key]

    def _read(self, call: Call) -> Any:  # noqa: ANN401
        region = call.region or self.region
        region = global_region(self.home) if region == GLOBAL else region
        with telling(call):
            client = self.clients(self.account, region, call.service, self.role, "", "plumbline-eyes")
        return perform(client, call, self.account)


@dataclass(frozen=True, slots=True, eq=False)
class Accounts:
    """The engine's AWS: eyes and hands in each account. Which hands make a call, `core.giving` says.

    Attributes:
        clients: the client factory.
        home: the region Plumbline runs in.
        eyes_role: ARN of the read-only role, `{account}` standing for the account; empty to read with the process's
            own credentials (preview).
        hands_role: ARN of the role that takes rights away and tightens; empty where nothing may be written.
        giving_role: ARN of the role that attaches the few policies that Plumbline may give.
        house_role: ARN of the role that puts Plumbline's own parts back; empty but for the sweep's function.
        converts: whether Plumbline may turn inline policies into managed ones; see `core.giving.maker`.
        stack: the name of Plumbline's own stack, for controls that look for its topic.
        trail: the existing trail that the stack was told to use, by name or ARN; empty where it made its own.
        recording: reads what was recorded of Plumbline's own parts.
        reaching: reads what the last sweep saw of regions.
        clock: the time, in UTC.
    """

    clients: ClientFactory
    home: str
    eyes_role: str = ""
    hands_role: str = ""
    stack: str = STACK
    trail: str = ""
    giving_role: str = ""
    house_role: str = ""
    converts: bool = False
    recording: Callable[[], Recorded] = Recorded
    reaching: Callable[[], Reach] = Reach
    clock: Callable[[], datetime] = field(kw_only=True)

    def eyes(self, account: str, region: str) -> Reader:
        """See ports.Aws."""
        role = self.eyes_role.format(account=account)
        return Reader(
            self.clients,
            account,
            region,
            self.home,
            role,
            self.clock(),
            self.stack,
            self.trail,
            self.recording,
            self.reaching,
        )

    def renew(self, account: str, region: str, since: datetime) -> None:
        """See ports.Aws. These eyes nobody shares."""

    def anew(self, _account: str, _region: str, _now: datetime) -> bool:
        """See ports.Aws. These eyes nobody shares."""
        return False

    def hands(
        self, control: Control, target: Target, calls: Sequence[Call], resources: Sequence[str]
    ) -> Callable[[Call], Mended | bool]:
        """See ports.Aws. Each repair gets sessions of its own, named after the control, all before its first write."""
        needed = sessions(control, calls, resources, converts=self.converts)
        made = {call.key: client for one in needed for call, client in self._opened(one, target)}

        def client_of(call: Call, instead_of: Call) -> Any:  # noqa: ANN401
            if call.action != instead_of.action and call.key not in made:
                (session,) = sessions(control, [call], resources, converts=self.converts)
                made.update({one.key: client for one, client in self._opened(session, target)})
            return made.get(call.key) or made[instead_of.key]

        def act(call: Call) -> Mended | bool:
            try:
                return perform(client_of(call, call), call, target.account) is not None
            except AwsRefusal as refusal:
                tries = 0
                forms = deque(control.mend(call, refusal) if control.mend else ())
                while forms and tries < _FORMS:
                    form, tries = forms.popleft(), tries + 1
                    try:
                        perform(client_of(form.call, call), form.call, target.account)
                    except AwsRefusal as again:  # something else in it as well
                        less = control.mend(form.call, again) if control.mend else ()
                        forms.extend(replace(one, left_out=f"{form.left_out}; {one.left_out}") for one in less)
                    else:
                        return form
                raise

        return act

    def _opened(self, session: Session, target: Target) -> Iterator[tuple[Call, Any]]:
        """Each call of a session with the client that makes it."""
        call = session.calls[0]
        roles = {Maker.TAKING: self.hands_role, Maker.GIVING: self.giving_role, Maker.HOUSE: self.house_role}
        role = roles[session.by].format(account=target.account)
        region = global_region(self.home) if target.region == GLOBAL else target.region
        try:
            with telling(call):
                client = self.clients(
                    target.account, call.region or region, call.service, role, session.policy, session.control.id
                )
        except AwsRefusal as error:
            # STS packs policies, and how far shows only when it is asked. Source: STS API reference, AssumeRole.
            parts = session.parts() if error.code == "PackedPolicyTooLarge" else ()
            if not parts:
                raise
            for part in parts:
                yield from self._opened(part, target)
        else:
            yield from ((call, client) for call in session.calls)


def global_region(home: str) -> str:
    """The region that answers for services without one, in the partition of `home`."""
    partition = "aws-cn" if home.startswith("cn-") else "aws-us-gov" if home.startswith("us-gov-") else "aws"
    return _GLOBAL_HOME[partition]
