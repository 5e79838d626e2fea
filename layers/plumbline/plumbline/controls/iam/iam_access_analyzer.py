"""IAM Access Analyzer looks for access from outside, in each region.

Holds: in each governed region there is an analyzer of external access that works. One that is there already counts,
whatever it is called and whoever made it, your organisation's too where it can be seen from this account; analyzers of
unused and of internal access look for something else. It costs nothing.
Why: it reads every policy of buckets, roles, keys, queues, functions and secrets as AWS itself does, and says which of
them lets in somebody from outside. Where it does not run, nobody is told.
Repair: creates an analyzer of this account, named after Plumbline's stack. For the first one AWS makes the role of its
own that the analyzer reads with. What a deleted one had found is found anew, what was archived of it is not archived
any more. One that is there and has failed is told of: a region has only one of a type, so delete it, and Plumbline
makes another.
Undo: deletes the analyzer that Plumbline made, and with it what it has found and what was archived of that.
Source: IAM user guide, Getting started with IAM Access Analyzer, and its quotas; CloudTrail CreateAnalyzer and
DeleteAnalyzer.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from plumbline.controls.iam._analyzers import ANALYZERS, WORKING, external
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import State, Target
from plumbline.wakes import cloudtrail

KIND = "access-analyzer"
_EXTERNAL = "external-access"


def locate(detail: Event) -> Iterable[Target]:
    """The region in which an analyzer was deleted: which kind it was of, the event does not say."""
    return cloudtrail.here(detail, KIND, _EXTERNAL)


def find(ask: Ask) -> Iterable[Target]:
    """Each region has one."""
    yield Target(ask.account, ask.region, KIND, _EXTERNAL)


def observe(ask: Ask, _target: Target) -> State:
    """The best of the region's analyzers of external access, and what ours would be called."""
    found = next(iter(external(ask)), None)
    taken = {one["name"] for one in ask(ANALYZERS)["analyzers"]}
    names = (f"{ask.stack}-{_EXTERNAL}{more}" for more in ("", *(f"-{number}" for number in range(2, len(taken) + 2))))
    return {
        "name": found["name"] if found else "",
        "status": found["status"] if found else "",
        "ours": next(one for one in names if one not in taken),
    }


def part(state: State, _plan: Plan) -> State:
    """The analyzer itself; how ours would be called follows from what others are."""
    return state and {name: state[name] for name in ("name", "status")}


def detect(state: State, _settings: Settings) -> Deviation | None:
    """None that works."""
    assert state is not None  # noqa: S101 - a region always has a state
    if not state["name"]:
        return Deviation("is not there: nobody looks for access from outside", ("no analyzer",))
    if state["status"] not in WORKING:
        return Deviation(f"does not work: {state['name']} is {state['status']}", (state["status"],))
    return None


def describe(state: State) -> str:
    """Which one, and how it is."""
    assert state is not None  # noqa: S101 - a region always has a state
    return f"{state['name']} is {state['status']}" if state["name"] else "there is none"


def plan(target: Target, state: State, _settings: Settings, _facts: Container[str] = EVERY, /) -> Plan:
    """One of our own, where there is none."""
    assert state is not None  # noqa: S101 - a region always has a state
    if state["name"]:
        return Plan(
            refusal=f"a region has one analyzer of a type, and {state['name']} is {state['status']}; see why, or "
            "delete it, and Plumbline makes another"
        )
    name = {"analyzerName": state["ours"]}
    return Plan(
        steps=(
            Step(
                # a name that nobody had a moment ago: it is ours, made by a function that was cut short
                do=Call("accessanalyzer", "CreateAnalyzer", {**name, "type": "ACCOUNT"}, absent=("ConflictException",)),
                undo=(Call("accessanalyzer", "DeleteAnalyzer", name, absent=("ResourceNotFoundException",)),),
            ),
        ),
        resources=(f"arn:*:access-analyzer:{target.region}:{target.account}:analyzer/{state['ours']}",),
        summary=f"creates analyzer {state['ours']}",
        means="What it finds, access-analyzer-findings tells you, as a rule within half an hour.",
    )


CONTROL = Control(
    id="iam-access-analyzer",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.MEDIUM,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND},
    scope=Scope.EACH,
    kinds=(KIND,),
    wakes_on=(On("access-analyzer.amazonaws.com", ("DeleteAnalyzer",), locate),),
    reads=frozenset({"access-analyzer:ListAnalyzers"}),
    writes=frozenset({"access-analyzer:CreateAnalyzer", "access-analyzer:DeleteAnalyzer"}),
    noun="the analyzer of external access in {region}",
    find=find,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    part=part,
    answers={"cis-7.0": ("2.18",), "moj": ("analyzer",), "ssb": ("ACCT.11",)},
)
