"""A setting of the whole account, or of each region of it, that is one switch: one read, one write. Pure.

A control made of one says what is read, where in the answer the values stand, which are wanted, and the call that sets
them. The undo is that same call with the values from before.

What an organisation holds from above is a verdict of its own. Where its policy is at least as strict, the account is in
line, whoever holds it. Where it is not, nothing is written in vain: the deviation has the clock `HELD`, which never
acts, reminds or escalates, so that it is told once; and once the organisation lets go, the clock is another, and the
sweep repairs it like any other.

Source: Amazon EC2 API reference, `ManagedBy` in the answers about account-level settings.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.control import EVERY, Deviation, Scope, Settings
from plumbline.core.targets import State, Target
from plumbline.wakes import cloudtrail

#: The clock of a deviation that only the organisation can end.
HELD = "held-from-above"
#: What `ManagedBy` says where nobody but the account itself decides.
_OUR_OWN = (None, "", "account")
_WORDS = {"True": "on", "False": "off", "None": "not set"}

#: The setting's values by name; one that is not set is left out.
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Switch:
    """One setting.

    Attributes:
        kind: the kind of its target.
        read: the call that answers it; where an error code in `absent` is the answer, nothing is configured.
        path: where in the answer its values stand; empty for the answer itself.
        wanted: each value's name, with all that is strict enough; a repair sets the first.
        write: the call that sets exactly these values; for None, the one that leaves nothing configured.
        wrong: what is wrong, as it reads after the target's name.
        repair: what a repair does, in the present tense.
        region: `global` for a setting of the whole account; empty where each region has its own.
        unset: what a value is in effect where it is not set.
    """

    kind: str
    read: Call
    path: tuple[str, ...]
    wanted: Mapping[str, tuple[Any, ...]]
    write: Callable[[Values | None], Call]
    wrong: str
    repair: str
    region: str = ""
    unset: Any = None

    @property
    def functions(self) -> dict[str, Any]:
        """What a control made of this switch takes from it: kind, scope and functions, by their names in `Control`."""
        return {
            "kinds": (self.kind,),
            "scope": Scope.GLOBAL if self.region else Scope.EACH,
            "find": self.find,
            "observe": self.observe,
            "detect": self.detect,
            "describe": self.describe,
            "plan": self.plan,
        }

    def locate(self, detail: Event) -> Iterable[Target]:
        """Where the event happened: nothing else in it says which setting it is about."""
        return cloudtrail.here(detail, self.kind, "account", region=self.region)

    def find(self, ask: Ask) -> Iterable[Target]:
        """The account has one, or each region has."""
        yield Target(ask.account, self.region or ask.region, self.kind, "account")

    def observe(self, ask: Ask, _target: Target) -> State:
        """The values that are set, None where nothing is configured; and who holds it from above, empty for nobody."""
        answer = ask(_of(ask.account, self.read))
        here: Mapping[str, Any] = answer or {}
        for name in self.path:
            here = here.get(name) or {}
        held = here.get("ManagedBy")
        return {
            "values": None if answer is None else {name: here[name] for name in self.wanted if name in here},
            "held_by": "" if held in _OUR_OWN else str(held),
            "message": str(here.get("ManagedExceptionMessage") or ""),
        }

    def detect(self, state: State, _settings: Settings) -> Deviation | None:
        """Each value that is not strict enough."""
        assert state is not None  # noqa: S101 - observe always answers
        items = tuple(self._weak(state).values())
        if not items:
            return None
        if state["held_by"]:
            return Deviation(f"{self.wrong}, and the organisation's {_name(state)} holds it so", items, HELD)
        return Deviation(self.wrong, items)

    def describe(self, state: State) -> str:
        """Every value, and who holds it."""
        assert state is not None  # noqa: S101 - observe always answers
        facts = ", ".join(fact(name, value) for name, value in self._in_effect(state).items())
        words = "nothing is configured" if state["values"] is None else facts
        said = f", which says: {state['message']}" if state["message"] else ""
        return f"{words}; held by the organisation's {_name(state)}{said}" if state["held_by"] else words

    def plan(self, target: Target, state: State, _settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
        """One write that sets what is not strict enough, and leaves the other values as they are."""
        assert state is not None  # noqa: S101 - observe always answers
        if state["held_by"]:
            return Plan(
                refusal=f"the organisation's {_name(state)} holds it; when it lets go, the next sweep repairs it"
            )
        strict = {name: self.wanted[name][0] for name, one in self._weak(state).items() if one in facts}
        step = Step(
            do=_of(target.account, self.write({**(state["values"] or {}), **strict})),
            undo=(_of(target.account, self.write(state["values"])),),
        )
        named = f" ({', '.join(strict)})" if len(self.wanted) > 1 else ""
        return Plan(steps=(step,), resources=("*",), summary=f"{self.repair}{named}")

    def _weak(self, state: Mapping[str, Any]) -> Mapping[str, str]:
        """The names of the values that are not strict enough, each with its fact."""
        values = self._in_effect(state).items()
        return {name: fact(name, value) for name, value in values if value not in self.wanted[name]}

    def _in_effect(self, state: Mapping[str, Any]) -> Values:
        return {name: (state["values"] or {}).get(name, self.unset) for name in self.wanted}


def fact(name: str, value: object) -> str:
    """One value in words: that it is on, off, not set, or what it is."""
    return f"{name} is {_WORDS.get(str(value), value)}"


def _name(state: Mapping[str, Any]) -> str:
    """`declarative-policy`, as a person writes it."""
    return str(state["held_by"]).replace("-", " ")


def _of(account: str, call: Call) -> Call:
    """The call as AWS takes it: S3 Control wants to be told the account whose setting it is."""
    if call.service != "s3control":
        return call
    return Call(call.service, call.operation, {"AccountId": account, **call.parameters}, call.region, call.absent)
