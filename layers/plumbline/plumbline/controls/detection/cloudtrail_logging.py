"""CloudTrail logs every management event in every region.

Holds: at least one trail is logging, covers every region and the global services, validates its log files, and records
management events, reads and writes. An organisation's trail will do; which events it leaves out only its own account
can see. A trail is changed in its home region; where that is not Plumbline's own, no event tells and the hourly sweep
finds it. Whether its records arrive is the rule `cloudtrail-delivery`.
Why: the trail is the account's memory and Plumbline's ears. Intruders stop it first, because whatever happens
afterwards leaves no record and wakes no alarm. While no trail logs, only the scheduled sweep still sees anything.
Repair: starts the baseline's trail again, and puts back what was taken from it: all regions, log file validation,
management events. That is the trail called `trail_name` in the home region, and the one that the stack was told to use
(`ExistingTrailName`). Its bucket, key and data events stay as they are. Where it is gone it is created anew, on the
stack's own bucket. Another trail is touched only where it records all management events of every region already and
lacks a detail; what it records, and where, is its owner's business. An organisation's trail is left to a person in its
management account: changing one takes permissions in AWS Organizations that Plumbline does not hold. Where the stack
was told to use a trail that does not exist, there is no bucket for another: a person has to make it, or deploy again.
Undo: none. Plumbline never switches an audit trail off.
Source: AWS CloudTrail user guide, Security best practices.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from datetime import timedelta
from typing import Any

from plumbline.controls.detection._selectors import logs_management, with_management
from plumbline.controls.detection._trails import READS, Trail, has_name, missing, read
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND_BY_SWEEP, Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.rights.documents import listed
from plumbline.wakes import cloudtrail

KIND = "cloudtrail"
_EVERY_TRAIL = "trails"
#: What may be given to a trail that is not the baseline's: it changes neither what is recorded nor where it goes.
_DETAILS = frozenset({"leaves out global services", "has no log file validation"})
#: The same as an event's parameters call it.
_MUST_BE_ON = ("isMultiRegionTrail", "includeGlobalServiceEvents", "enableLogFileValidation")
_WHOLE = {"IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": True, "EnableLogFileValidation": True}


def locate(detail: Event) -> Iterable[Target]:
    """The account's trails, all of them: which one the event was about does not matter while another one logs."""
    return cloudtrail.here(detail, KIND, _EVERY_TRAIL, region=GLOBAL)


def find(ask: Ask) -> Iterable[Target]:
    """The one target of the account."""
    yield Target(ask.account, GLOBAL, KIND, _EVERY_TRAIL)


def observe(ask: Ask, target: Target) -> State:
    """The trails of all regions, and what the stack was told of them."""
    return {
        "account": target.account,
        "home": ask.home,
        "stack": ask.stack,
        "existing": ask.trail,
        "trails": list(read(ask, target.account)),
    }


def detect(state: State, settings: Settings) -> Deviation | None:
    """No trail that misses nothing."""
    assert state is not None  # noqa: S101 - an account always has a state
    if any(not missing(one) for one in state["trails"]):
        return None
    ours = _ours(state, settings) or _theirs(state, settings)
    if ours is None and not state["trails"]:
        return Deviation("is off: there is no trail", ("no trail",))
    if ours is None:
        name = state["existing"] or settings["trail_name"]
        return Deviation(f"is off: there is no trail {name}, and no other one records everything", ("no trail",))
    faults = missing(ours)
    verdict = "is incomplete" if ours["logging"] else "is off"
    return Deviation(f"{verdict}: trail {ours['name']} {faults[0]}", tuple(f"{ours['name']} {one}" for one in faults))


def announced(_ask: Ask, detail: Event, state: State, _settings: Settings) -> str:
    """That an event took away the one trail that records everything, which does so again."""
    name = cloudtrail.parameter(detail, "name", "trailName")
    whole = [one for one in (state or {}).get("trails", ()) if not missing(one)]
    if not any(has_name(one, name) for one in whole) or not all(has_name(one, name) for one in whole):
        return ""  # another one went on, or it was never the one that counts
    given, event = cloudtrail.section(detail.get("requestParameters")), detail.get("eventName")
    off = [one for one in _MUST_BE_ON if given.get(one) is False]
    blind = bool(given.get("eventSelectors")) and not any(map(_has_everything, listed(given["eventSelectors"])))
    what = {
        "StopLogging": "stopped",
        "DeleteTrail": "deleted",
        "UpdateTrail": f"narrowed ({', '.join(off)} switched off)" if off else "",
        "PutEventSelectors": "told to leave out management events" if blind else "",
    }.get(str(event), "")
    return f"was off for a while: trail {whole[0]['name']} was {what}" if what else ""


def _has_everything(selector: Any) -> bool:  # noqa: ANN401 - records hold anything
    """Whether a selector of an event has all management events in it."""
    one = cloudtrail.section(selector)
    return bool(one.get("includeManagementEvents", True)) and one.get("readWriteType", "All") == "All"


def describe(state: State) -> str:
    """Each trail and what it misses."""
    assert state is not None  # noqa: S101 - an account always has a state
    lines = [f"trail {one['name']} {', '.join(missing(one)) or _everything(one)}" for one in state["trails"]]
    return "; ".join(lines) or "there is no trail"


def plan(target: Target, state: State, settings: Settings, _facts: Container[str] = EVERY, /) -> Plan:
    """Give the baseline's trail back what it misses; create it where it is gone."""
    assert state is not None  # noqa: S101 - an account always has a state
    refusal = _refusal(state, settings)
    if refusal:
        return Plan(refusal=refusal)
    ours = _ours(state, settings)
    calls = _repaired(ours) if ours else _created(state, settings)
    name, verb = (ours["name"], "repairs") if ours else (settings["trail_name"], "creates")
    others = [one["name"] for one in state["trails"] if one is not ours]
    untouched = f"; {', '.join(others)} stays as it is" if others and not ours else ""
    return Plan(
        steps=tuple(map(Step, calls)),
        resources=(f"arn:*:cloudtrail:*:{target.account}:trail/{name}",),
        summary=f"{verb} trail {name}, so that it logs management events of every region{untouched}",
        irreversible="Plumbline never switches an audit trail off again",
    )


def _everything(trail: Trail) -> str:
    seen = trail.get("selectors_seen", True)  # not in what version 0.1 stored
    return "logs everything" if seen else "logs; which events it leaves out only its own account can see"


def _ours(state: Mapping[str, Any], settings: Settings) -> Trail | None:
    """The trail to repair: the baseline's; else one that lacks no more than a detail."""
    mine: list[Trail] = [one for one in state["trails"] if one["own"] and not one["organisation"]]
    return (
        _first(mine, lambda one: has_name(one, state["existing"]))
        or _first(mine, lambda one: _is_the_baselines(one, state, settings))
        or _first(mine, lambda one: _DETAILS >= set(missing(one)))
    )


def _theirs(state: Mapping[str, Any], settings: Settings) -> Trail | None:
    """The organisation's trail that stands for the baseline's: the stack was told to use it, or it has its name."""
    return _first(state["trails"], lambda one: has_name(one, state["existing"])) or _first(
        state["trails"], lambda one: one["own"] and _is_the_baselines(one, state, settings)
    )


def _is_the_baselines(trail: Trail, state: Mapping[str, Any], settings: Settings) -> bool:
    """Whether it is the trail that the stack makes: one of its name in another region is another trail."""
    return has_name(trail, settings["trail_name"]) and trail["region"] == state["home"]


def _first(trails: Iterable[Trail], fits: Callable[[Trail], bool]) -> Trail | None:
    return next(filter(fits, trails), None)


def _refusal(state: Mapping[str, Any], settings: Settings) -> str:
    """Why only a person can put it right; empty where Plumbline can."""
    if _ours(state, settings):
        return ""
    theirs = _theirs(state, settings)
    if theirs is None:
        has_bucket = not state["existing"] or settings["bucket"] != _bucket_of_the_stack(state)
        return "" if has_bucket else _nowhere_to_log(state)
    if not theirs["own"]:
        return f"trail {theirs['name']} is the organisation's; its management account has to repair it"
    return (
        f"trail {theirs['name']} is the organisation's, and changing it takes permissions in AWS Organizations that "
        "Plumbline does not hold; repair it by hand, in this account"
    )


def _bucket_of_the_stack(state: Mapping[str, Any]) -> str:
    return f"{state['stack']}-trail-{{account}}-{{region}}"


def _nowhere_to_log(state: Mapping[str, Any]) -> str:
    return (
        f"this stack was told to use the trail {state['existing']}, which does not exist, so it has no bucket for one "
        "of its own: make that trail again, or deploy with another ExistingTrailName; with an empty one the stack "
        "makes a trail"
    )


def _repaired(trail: Trail) -> Iterable[Call]:
    """The calls that change something: hearing again comes first. A trail can be changed in its home region only."""
    if not trail["logging"]:
        yield Call("cloudtrail", "StartLogging", {"Name": trail["arn"]}, trail["region"])
    if not (trail["every_region"] and trail["global_services"] and trail["validation"]):
        yield Call("cloudtrail", "UpdateTrail", {"Name": trail["arn"], **_WHOLE}, trail["region"])
    if not logs_management(trail["basic"], trail["advanced"]):
        selectors = with_management(trail["basic"], trail["advanced"])
        yield Call("cloudtrail", "PutEventSelectors", {"TrailName": trail["arn"], **selectors}, trail["region"])


def _created(state: Mapping[str, Any], settings: Settings) -> Iterable[Call]:
    name, home = settings["trail_name"], state["home"]
    bucket = settings["bucket"].replace("{account}", state["account"]).replace("{region}", home)
    made = {"Name": name, "S3BucketName": bucket, **_WHOLE}
    yield Call("cloudtrail", "CreateTrail", made, home, ("TrailAlreadyExistsException",))
    yield Call("cloudtrail", "StartLogging", {"Name": name}, home)


CONTROL = Control(
    id="cloudtrail-logging",
    doc=__doc__ or "",
    since="0.1",
    severity=Severity.CRITICAL,
    response=Response.ENFORCE,
    # An hour to be told first: until it logs again, nothing else is heard, and to start it stops nothing.
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: Clock(escalate=timedelta(days=1), act=timedelta(hours=1))},
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(
        On("cloudtrail.amazonaws.com", ("StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors"), locate),
    ),
    reads=READS,
    writes=frozenset(
        {"cloudtrail:CreateTrail", "cloudtrail:PutEventSelectors", "cloudtrail:StartLogging", "cloudtrail:UpdateTrail"}
    ),
    noun="CloudTrail",
    find=find,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    settings={
        "trail_name": {
            "type": "string",
            "pattern": "^([A-Za-z0-9]|\\{stack\\})([A-Za-z0-9._-]{1,126}[A-Za-z0-9])?$",
            "patternErrorMessage": "Write the name of a trail: 3 to 128 letters, digits, dots, _ and -.",
            "default": "{stack}",
            "description": "The trail to repair, and to create when the account has none. "
            "`{stack}` stands for the name of Plumbline's own stack.",
        },
        "bucket": {
            "type": "string",
            "minLength": 3,
            "default": "{stack}-trail-{account}-{region}",
            "description": "The bucket of a trail that has to be created; its policy must let CloudTrail write. "
            "`{account}`, `{region}` and `{stack}` stand for the account, the home region and Plumbline's own stack; "
            "the default stands for the bucket that the stack made, whatever it is called.",
        },
    },
    announces=announced,
    blinds=True,
    answers={"cis-7.0": ("4.1", "4.2", "5.5"), "moj": ("trail",), "ssb": ("ACCT.07",)},
)
