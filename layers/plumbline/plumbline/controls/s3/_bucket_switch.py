"""A setting that each bucket has and that is one switch: one read, one write. Pure, but for `observe`.

What `_switch.py` is for the account, this is for buckets: a control made of one says what is read, where in the answer
its values stand, which are wanted of which bucket, and the call that sets them. The undo is that same call with the
values from before.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

from plumbline.controls._switch import Values, fact
from plumbline.controls.s3._buckets import KIND, arns, buckets, setting
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.control import EVERY, Deviation, Scope, Settings
from plumbline.core.targets import State, Target


@dataclass(frozen=True, slots=True)
class BucketSwitch:
    """One setting of each bucket.

    Attributes:
        read: the operation that answers it.
        none: the error codes that say that nothing is set.
        values: AWS's answer -> the values that are set, by their names.
        wanted: each value's name, with all that is strict enough; a repair sets the first.
        is_held: bucket, settings -> whether the baseline holds that bucket to it.
        write: bucket, values -> the call that sets exactly these; for None, the one that leaves nothing set.
        wrong: what is wrong, as it reads after the bucket's name.
        repair: what a repair does, in the present tense, before the bucket's name.
        unset: what a value is in effect where it is not set.
    """

    read: str
    none: tuple[str, ...]
    values: Callable[[Mapping[str, Any]], Values]
    wanted: Mapping[str, tuple[Any, ...]]
    is_held: Callable[[str, Settings], bool]
    write: Callable[[Target, Values | None], Call]
    wrong: str
    repair: str
    unset: Any = None

    @property
    def functions(self) -> dict[str, Any]:
        """What a control made of this switch takes from it, by their names in `Control`."""
        return {
            "kinds": (KIND,),
            "noun": "bucket {id}",
            "scope": Scope.GLOBAL,
            "find": buckets,
            "observe": self.observe,
            "detect": self.detect,
            "describe": self.describe,
            "plan": self.plan,
            "excepted": self.excepted,
        }

    def observe(self, ask: Ask, target: Target) -> State:
        """The values that are set, None where nothing is; no state where the bucket is gone, or not this account's."""
        answer = setting(ask, target, self.read, *self.none)
        if answer is None:
            return None
        return {"bucket": target.id, "values": self.values(answer) if answer else None}

    def detect(self, state: State, settings: Settings) -> Deviation | None:
        """Each value that is not strict enough."""
        if state is None or not self.is_held(state["bucket"], settings):
            return None
        items = tuple(self._weak(state).values())
        return Deviation(self.wrong, items) if items else None

    def describe(self, state: State) -> str:
        """Every value."""
        if state is None:
            return "the bucket does not exist"
        return ", ".join(fact(name, value) for name, value in self._in_effect(state).items())

    def plan(self, target: Target, state: State, _settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
        """One write that sets what is not strict enough, and leaves the other values as they are."""
        assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
        strict = {name: self.wanted[name][0] for name, one in self._weak(state).items() if one in facts}
        step = Step(
            do=self.write(target, {**(state["values"] or {}), **strict}),
            undo=(self.write(target, state["values"]),),
        )
        named = f" ({', '.join(strict)})" if len(self.wanted) > 1 else ""
        return Plan(steps=(step,), resources=arns(target), summary=f"{self.repair} bucket {target.id}{named}")

    def excepted(self, target: Target, settings: Settings) -> bool:
        """Whether the baseline leaves a bucket alone, whatever is set on it."""
        return not self.is_held(target.id, settings)

    def _weak(self, state: Mapping[str, Any]) -> Mapping[str, str]:
        """The names of the values that are not strict enough, each with its fact."""
        values = self._in_effect(state).items()
        return {name: fact(name, value) for name, value in values if value not in self.wanted[name]}

    def _in_effect(self, state: Mapping[str, Any]) -> Values:
        """The bucket's own values, or the account's where those are strict enough and outweigh them."""
        own, above = state["values"] or {}, state.get("account", {})
        return {
            name: above[name] if above.get(name) in strict else own.get(name, self.unset)
            for name, strict in self.wanted.items()
        }
