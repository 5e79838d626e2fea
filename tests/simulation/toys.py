"""Six toy controls over an account of toys: one for each way a deviation can live.

A toy has facts, each `safe`, `locked` (stricter), `open` or `wild`; the last two are deviations, unless the setting
`tolerates` lists them. A `stuck` toy has no safe repair.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import timedelta
from typing import Any

from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, NEVER, UNSEEN, Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.wakes.cloudtrail import here, parameter

ACCOUNT = "111122223333"
#: What e-mails about toys quote.
DOC = "Toys are kept.\n\nWhy: it is a simulation."
HOME = "us-east-1"
SOURCE = "toys.amazonaws.com"
WRONG = ("open", "wild")
RIGHT = ("safe", "locked")
#: What is looked at by bulk reads: gates all at once, and signs one after the other.
BULK = ("gate", "sign")

FACTS: Mapping[str, tuple[str, ...]] = {
    "door": ("latch",),
    "lamp": ("bulb", "shade"),
    "tap": ("valve", "hose"),
    "sign": ("text",),
    "gate": ("bar", "bolt", "chain", "hinge"),
}
REGIONS = {"door": GLOBAL, "lamp": GLOBAL, "tap": HOME, "sign": GLOBAL, "gate": GLOBAL, "visit": GLOBAL}


def _hours(*hours: int) -> tuple[timedelta, ...]:
    return tuple(timedelta(hours=one) for one in hours)


_CLOCKS: Mapping[str, Mapping[str, Clock]] = {
    "door": {"default": AT_ONCE},
    "lamp": {
        "default": Clock(_hours(3, 5), timedelta(hours=8), timedelta(hours=12)),
        "wild": Clock(_hours(2), None, timedelta(hours=4)),
    },
    "tap": {"default": AT_ONCE, "found-by-sweep": Clock(_hours(2), None, timedelta(hours=6))},
    "sign": {"default": Clock(_hours(3, 6), timedelta(hours=10), None)},
    "gate": {"default": AT_ONCE},
    "visit": {"default": NEVER},
}
#: Of what cannot be looked at: short enough to be met.
UNSEEN_CLOCK = Clock(_hours(2, 4), timedelta(hours=7))
CLOCKS: Mapping[str, Mapping[str, Clock]] = {
    kind: clocks if kind == "visit" else {**clocks, UNSEEN: UNSEEN_CLOCK} for kind, clocks in _CLOCKS.items()
}


def wrong(facts: Mapping[str, str], settings: Settings) -> list[str]:
    """The facts that are deviations."""
    return sorted(
        name for name, value in facts.items() if value in WRONG and value not in settings.get("tolerates", ())
    )


def target(kind: str, name: str) -> Target:
    """The target of a toy."""
    return Target(ACCOUNT, REGIONS[kind], kind, name)


def control_of(kind: str) -> str:
    """The control that judges toys of a kind."""
    return f"{kind}-kept"


def _item(fact: str, value: str) -> str:
    return f"{fact}={value}"


def _detect(state: State, settings: Settings) -> Deviation | None:
    if not state or not wrong(state["facts"], settings):
        return None
    facts, names = state["facts"], wrong(state["facts"], settings)
    wild = state["kind"] == "lamp" and "wild" in [facts[name] for name in names]
    return Deviation("is loose", tuple(_item(name, facts[name]) for name in names), "wild" if wild else "default")


def _plan(at: Target, state: State, settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    if state is None or state.get("stuck"):
        return Plan(refusal="it is stuck")

    def put(fact: str, value: str) -> Call:
        return Call("toys", f"Set{at.kind.title()}", {"kind": at.kind, "name": at.id, "fact": fact, "value": value})

    now = state["facts"]
    mended = [fact for fact in wrong(now, settings) if _item(fact, now[fact]) in facts]
    steps = tuple(Step(put(fact, "safe"), (put(fact, now[fact]),)) for fact in mended)
    return Plan(steps, (f"arn:toy/{at.id}",), f"makes it safe: {', '.join(mended)}")


def _observe(ask: Ask, at: Target) -> State:
    state: State = ask(Call("toys", "GetToy", {"kind": at.kind, "name": at.id}))
    return state


def _listing(kind: str) -> Any:
    def find(ask: Ask) -> list[Target]:
        return [target(kind, name) for name in ask(Call("toys", "ListToys", {"kind": kind}))]

    return find


def _in_bulk(ask: Ask, kind: str) -> dict[Target, State]:
    return {target(kind, name): state for name, state in ask(Call("toys", "GetToys", {"kind": kind})).items()}


def _glancing(ask: Ask, at: Target) -> dict[Target, State]:
    """One toy, by the bulk read."""
    everything = _in_bulk(ask, at.kind)
    return {at: everything[at]} if at in everything else {}


def _surveying(kind: str) -> Any:
    return lambda ask: _in_bulk(ask, kind)


def _locating(kind: str) -> Any:
    def locate(detail: Event) -> tuple[Target, ...]:
        return here(detail, kind, parameter(detail, "name"), region=REGIONS[kind])

    return locate


def _announced(_ask: Ask, detail: Event, state: State, _settings: Settings) -> str:
    fact, value = parameter(detail, "fact"), parameter(detail, "value")
    there = (state or {}).get("facts", {})
    return f"was loose: {fact} {value}" if value in WRONG and there.get(fact) != value else ""


def _judged(kind: str, severity: Severity, response: Response = Response.ENFORCE) -> Control:
    return Control(
        doc=DOC,
        id=control_of(kind),
        severity=severity,
        response=response,
        clocks=CLOCKS[kind],
        scope=Scope.EACH if kind == "tap" else Scope.GLOBAL,
        kinds=(kind,),
        wakes_on=(On(SOURCE, (f"Set{kind.title()}",), _locating(kind)),),
        reads=frozenset({"toys:GetToy"}),
        writes=frozenset({f"toys:Set{kind.title()}"}),
        noun=f"{kind} {{id}}",
        detect=_detect,
        describe=lambda state: str(state["facts"]) if state else "gone",
        plan=_plan,
        find=None if kind == "gate" else _surveying(kind) if kind == "sign" else _listing(kind),
        observe=_observe,
        survey=_surveying(kind) if kind == "gate" else None,
        glance=_glancing if kind == "sign" else None,
        announces=_announced if kind == "door" else None,
        blinds=kind == "door",
    )


VISIT = Control(
    doc=DOC,
    id=control_of("visit"),
    severity=Severity.CRITICAL,
    response=Response.ALERT,
    clocks=CLOCKS["visit"],
    scope=Scope.GLOBAL,
    kinds=("visit",),
    wakes_on=(On(SOURCE, ("Visit",), _locating("visit")),),
    reads=frozenset(),
    writes=frozenset(),
    noun="visit {id}",
    detect=lambda state, _settings: Deviation("happened", (str(state["name"]),)) if state else None,
    describe=lambda state: "a visit" if state else "nothing",
    witness=lambda detail: {"name": parameter(detail, "name")},
)

CONTROLS: Mapping[str, Control] = {
    one.id: one
    for one in (
        _judged("door", Severity.CRITICAL),
        _judged("lamp", Severity.HIGH),
        _judged("tap", Severity.MEDIUM),
        _judged("sign", Severity.LOW, Response.ALERT),
        _judged("gate", Severity.HIGH),
        VISIT,
    )
}
