"""The baseline as the functions read it: what must hold, in which mode, on which clock.

A person edits baseline.yaml; `sam build` checks it (compiler.py) and puts it into the layer as JSON, so that a broken
file never reaches AWS and the functions parse no YAML.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from plumbline.core.clock import UNSEEN, Clock, Response
from plumbline.core.control import ELSEWHERE, PEOPLE
from plumbline.core.errors import BaselineError
from plumbline.core.roster import Person, roster_of
from plumbline.decisions.exemptions import Exemption

#: What the stack is called unless whoever deploys it says otherwise.
STACK = "plumbline"
#: How a baseline writes the bucket of the trail that the stack makes. In a stack of version 0.1 it is called so.
TRAIL_BUCKET = "{stack}-trail-{account}-{region}"
_AGAIN = "run `sam build` and deploy again"
COMPILED = Path(__file__).with_name("baseline.json")


@dataclass(frozen=True, slots=True)
class Rule:
    """One control as this account wants it.

    Attributes:
        settings: what the control judges by; under `PEOPLE` and `ELSEWHERE`, where it asks for that, what the baseline
            says elsewhere.
    """

    response: Response
    clocks: Mapping[str, Clock]
    settings: Mapping[str, Any]

    @property
    def own(self) -> Mapping[str, Any]:
        """Its own settings: what is said elsewhere makes nobody's findings new ones."""
        return {name: one for name, one in self.settings.items() if name not in (PEOPLE, ELSEWHERE)}

    @property
    def mark(self) -> str:
        """Changes with anything in the rule: what was judged under another mark has to be judged anew.

        Without the clock of what cannot be looked at: nothing is judged by it.
        """
        clocks = {
            # What was not always there counts only where it says something: an upgrade makes no rule another one.
            name: f"{one}{one.mode.value if one.mode else ''}{one.every or ''}"
            for name, one in self.clocks.items()
            if name != UNSEEN
        }
        text = json.dumps([self.response, clocks, self.own], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True, eq=False)
class Rules(Mapping[str, Rule]):
    """The rules as compiler.py wrote them, each read when it is first asked for: a wake needs one of them.

    Attributes:
        written: control -> its rule as plain data.
        stack: what the names of Plumbline's own resources begin with.
        trail_bucket: the bucket of the stack's trail, where it is called otherwise than `TRAIL_BUCKET` says.
        operators: see `Baseline`.
        deployers: see `Baseline`.
        roster: name -> what the baseline says of the person, as plain data.
    """

    written: Mapping[str, Any]
    stack: str
    trail_bucket: str = ""
    operators: Sequence[str] = ()
    deployers: Sequence[str] = ()
    roster: Mapping[str, Any] = field(default_factory=dict)
    _read: dict[str, Rule] = field(default_factory=dict, repr=False)

    def __getitem__(self, control: str) -> Rule:
        """The rule of a control.

        Raises:
            KeyError: there is none.
            BaselineError: it cannot be read; then nothing of it may be repaired.
        """
        if control not in self._read:
            rule = self.written[control]
            try:
                self._read[control] = Rule(
                    response=Response(rule["mode"]),
                    clocks={name: _clock(clock) for name, clock in rule["clocks"].items()},
                    settings=in_stack(rule["settings"], self.stack, self.trail_bucket)
                    | ({PEOPLE: self._people()} if rule.get(PEOPLE) else {})
                    | ({ELSEWHERE: self._elsewhere(rule[ELSEWHERE])} if rule.get(ELSEWHERE) else {}),
                )
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                message = f"the rule of {control} in the compiled baseline cannot be read ({error}); {_AGAIN}"
                raise BaselineError([message]) from error
        return self._read[control]

    def _people(self) -> Mapping[str, Any]:
        """Whom the baseline names: administrators, by kind of name, operators and deployers, by ARN, the roster."""
        named = self.written["iam-admin-grants"]["settings"]["administrators"]
        return {
            "administrators": in_stack(named, self.stack),
            "operators": list(self.operators),
            "deployers": list(self.deployers),
            "roster": dict(self.roster),
        }

    def _elsewhere(self, asked: Mapping[str, Sequence[str]]) -> Mapping[str, Any]:
        """Settings of other controls; none of one that is off, or that there is not."""
        there = {one: self.written[one] for one in asked if one in self.written}
        return {
            one: in_stack({name: rule["settings"].get(name) for name in asked[one]}, self.stack, self.trail_bucket)
            for one, rule in there.items()
            if rule["mode"] != Response.OFF.value
        }

    def __iter__(self) -> Iterator[str]:
        return iter(self.written)

    def __len__(self) -> int:
        return len(self.written)


@dataclass(frozen=True, slots=True)
class Breakers:
    """How many repairs are too many.

    Attributes:
        per_control: repairs of one control in one clock hour.
        in_all: repairs of all controls in one clock hour, critical ones apart.
        fight: repairs of one target in 24 hours after which somebody else evidently wants it otherwise.
        per_actor: repairs of what one principal did in one clock hour, critical controls apart.
    """

    per_control: int = 10
    in_all: int = 25
    fight: int = 3
    per_actor: int = 10


@dataclass(frozen=True, slots=True)
class Letters:
    """How many letters are too many.

    Attributes:
        per_hour: letters in one clock hour; what comes after them is folded into one digest.
        hours: how many clock hours, from midnight on, count as one; 1 to 24.
    """

    per_hour: int = 20
    hours: int = 1


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a person may keep Plumbline from repairing.

    Attributes:
        exemption_days: the longest exemption from the command line.
        pause_days: the longest pause.
    """

    exemption_days: int = 90
    pause_days: int = 7


@dataclass(frozen=True, slots=True)
class Baseline:
    """What must hold in this account.

    Attributes:
        exemptions: those of baseline.yaml, reviewed with it; people's own are in the ledger.
        profile: the name of the profile it builds on; empty for none.
        operators: ARN patterns of the users and roles who may command Plumbline; empty for the effective administrators
            and whoever holds the OperatorPolicy. Those of other accounts stand here too: see `people.of_account`.
        deployers: the same of those who may change Plumbline itself; empty for the effective administrators and the
            principal that deployed.
        roster: the account's people; empty where the baseline does not list them.
    """

    rules: Mapping[str, Rule]
    regions: tuple[str, ...] = ()
    breakers: Breakers = field(default_factory=Breakers)
    exemptions: tuple[Exemption, ...] = ()
    letters: Letters = field(default_factory=Letters)
    patience: Patience = field(default_factory=Patience)
    profile: str = ""
    operators: tuple[str, ...] = ()
    deployers: tuple[str, ...] = ()
    roster: tuple[Person, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any], stack: str = STACK, trail_bucket: str = "") -> Baseline:
        """The baseline that compiler.py wrote, as it is meant in a stack of this name."""
        controls = dict(data["controls"])
        # An earlier build wrote none of these.
        people = dict(data.get("roster", {}))
        operators, deployers = tuple(data.get("operators", ())), tuple(data.get("deployers", ()))
        return cls(
            rules=Rules(controls, stack, trail_bucket, operators, deployers, people),
            regions=tuple(data["regions"]),
            breakers=Breakers(**data["breakers"]),
            letters=Letters(**data["letters"]),
            exemptions=tuple(Exemption.from_json(one) for one in data["exemptions"]),
            patience=Patience(**data["patience"]),
            profile=data["profile"],
            operators=operators,
            deployers=deployers,
            roster=roster_of(people),
        )


def completed(settings: Mapping[str, Mapping[str, Any]], *wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A control's settings: what a person wants, and the default of whatever he leaves out.

    Args:
        settings: JSON Schema of each, as a control declares them. In a mapping with named keys, each key has its own
            default, where the mapping has one; one with free keys, and a list, is taken as a whole.
        wanted: what stands in the profile and in the file; what comes later wins.
    """
    complete = {name: schema["default"] for name, schema in settings.items() if "default" in schema}
    for name, value in (one for layer in wanted for one in layer.items()):
        keyed = "properties" in settings.get(name, {}) and isinstance(value, Mapping)
        complete[name] = {**(complete.get(name) or {}), **value} if keyed else value
    return complete


def in_stack(value: Any, stack: str, trail_bucket: str = "") -> Any:  # noqa: ANN401 - settings are JSON-like
    """Settings in which `{stack}` has become the stack's name, as in `{stack}-alerts`.

    `TRAIL_BUCKET` becomes the bucket that the stack made, where that is called otherwise.
    """
    if isinstance(value, str):
        return trail_bucket if trail_bucket and value == TRAIL_BUCKET else value.replace("{stack}", stack)
    if isinstance(value, Mapping):
        return {key: in_stack(one, stack, trail_bucket) for key, one in value.items()}
    return [in_stack(one, stack, trail_bucket) for one in value] if isinstance(value, list | tuple) else value


def load(path: Path = COMPILED, *, stack: str = STACK, trail_bucket: str = "") -> Baseline:
    """The compiled baseline in the layer.

    Args:
        path: the file.
        stack: what the names of Plumbline's own resources begin with, for what the baseline says of them.
        trail_bucket: the bucket of the stack's trail, where it is called otherwise than `TRAIL_BUCKET` says.

    Raises:
        BaselineError: it is missing or unreadable; then nothing may be repaired.
    """
    try:
        return Baseline.from_json(json.loads(path.read_text()), stack, trail_bucket)
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"the compiled baseline {path.name} cannot be read ({error}); {_AGAIN}"
        raise BaselineError([message]) from error


def _clock(data: Mapping[str, Any]) -> Clock:
    def hours(value: float | None) -> timedelta | None:
        return None if value is None else timedelta(hours=value)

    return Clock(
        remind=tuple(timedelta(hours=value) for value in data["remind"]),
        escalate=hours(data["escalate"]),
        act=hours(data["act"]),
        mode=Response(data["mode"]) if data.get("mode") else None,  # an earlier build wrote none
        every=hours(data.get("every")),  # nor this
    )
