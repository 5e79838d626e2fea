"""CloudTrail logs every management event in every region.

Holds: at least one trail is logging, covers every region and the global services, validates its log files, and records
management events, reads and writes. A trail is changed in its home region; where that is not Plumbline's own, no event
tells and the hourly sweep finds it.
Why: the trail is the account's memory and Plumbline's ears. Intruders stop it first, because whatever happens
afterwards leaves no record and wakes no alarm. While no trail logs, only the scheduled sweep still sees anything.
Repair: starts the trail again, and puts back what was taken from it: all regions, log file validation, management
events. Its bucket, key and data events stay as they are. A trail that is gone is created anew, on the bucket of the
baseline. An organisation's trail is left to a person in its management account: changing one takes permissions in AWS
Organizations that Plumbline does not hold.
Undo: none. Plumbline never switches an audit trail off.
Source: AWS CloudTrail user guide, Security best practices.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from plumbline.controls.detection._selectors import logs_management, with_management
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND_BY_SWEEP, Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.wakes import cloudtrail

KIND = "cloudtrail"
_EVERY_TRAIL = "trails"
#: A trail can be deleted between two reads; an organisation's trail answers its members only in part.
_GONE = ("TrailNotFoundException", "CloudTrailARNInvalidException")
_WHOLE = {"IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": True, "EnableLogFileValidation": True}

Trail = Mapping[str, Any]


def locate(detail: Event) -> Iterable[Target]:
    """The account's trails, all of them: which one the event was about does not matter while another one logs."""
    return cloudtrail.here(detail, KIND, _EVERY_TRAIL, region=GLOBAL)


def find(ask: Ask) -> Iterable[Target]:
    """The one target of the account."""
    yield Target(ask.account, GLOBAL, KIND, _EVERY_TRAIL)


def observe(ask: Ask, target: Target) -> State:
    """The trails of all regions. A trail of one region shows nowhere else, so the home region is asked as well."""
    seen: dict[str, Trail] = {}
    for region in (GLOBAL, ask.home):
        for trail in ask(Call("cloudtrail", "DescribeTrails", {"includeShadowTrails": True}, region))["trailList"]:
            seen[trail["TrailARN"]] = trail
    trails = [_trail(ask, seen[arn], target.account) for arn in sorted(seen)]
    return {"account": target.account, "home": ask.home, "trails": [one for one in trails if one]}


def detect(state: State, settings: Settings) -> Deviation | None:
    """No trail that misses nothing."""
    assert state is not None  # noqa: S101 - an account always has a state
    if any(not _missing(one) for one in state["trails"]):
        return None
    best = _best(state["trails"], settings)
    if best is None:
        return Deviation("is off: there is no trail", ("no trail",))
    missing = _missing(best)
    verdict = "is incomplete" if best["logging"] else "is off"
    return Deviation(f"{verdict}: trail {best['name']} {missing[0]}", tuple(f"{best['name']} {one}" for one in missing))


def describe(state: State) -> str:
    """Each trail and what it misses."""
    assert state is not None  # noqa: S101 - an account always has a state
    lines = [f"trail {one['name']} {', '.join(_missing(one)) or 'logs everything'}" for one in state["trails"]]
    return "; ".join(lines) or "there is no trail"


def plan(target: Target, state: State, settings: Settings, _facts: Container[str] = EVERY, /) -> Plan:
    """Give the best trail back what it misses; create one where there is none."""
    assert state is not None  # noqa: S101 - an account always has a state
    best = _best(state["trails"], settings)
    if best is None:
        calls, name, verb = _created(state, settings), settings["trail_name"], "creates"
    elif not best["own"]:
        return Plan(refusal=f"trail {best['name']} is the organisation's; its management account has to repair it")
    elif best["organisation"]:
        return Plan(
            refusal=f"trail {best['name']} is the organisation's, and changing it takes permissions in AWS "
            "Organizations that Plumbline does not hold; repair it by hand, in this account"
        )
    else:
        calls, name, verb = _repaired(best), best["name"], "repairs"
    return Plan(
        steps=tuple(map(Step, calls)),
        resources=(f"arn:*:cloudtrail:*:{target.account}:trail/{name}",),
        summary=f"{verb} trail {name}, so that it logs management events of every region",
        irreversible="Plumbline never switches an audit trail off again",
    )


def _trail(ask: Ask, trail: Trail, account: str) -> Trail | None:
    """What matters of one trail; None when it has gone since. Only its own account may ask for its selectors."""
    arn, region = trail["TrailARN"], trail["HomeRegion"]
    status = ask(Call("cloudtrail", "GetTrailStatus", {"Name": arn}, region, _GONE))
    own = arn.split(":")[4] == account
    selectors = ask(Call("cloudtrail", "GetEventSelectors", {"TrailName": arn}, region, _GONE)) if own else {}
    if status is None or selectors is None:
        return None
    return {
        "name": trail["Name"],
        "arn": arn,
        "own": own,
        "organisation": trail.get("IsOrganizationTrail", False),
        "region": region,
        "bucket": trail.get("S3BucketName", ""),
        "logging": status["IsLogging"],
        "every_region": trail.get("IsMultiRegionTrail", False),
        "global_services": trail.get("IncludeGlobalServiceEvents", False),
        "validation": trail.get("LogFileValidationEnabled", False),
        "basic": selectors.get("EventSelectors") or [],
        "advanced": selectors.get("AdvancedEventSelectors") or [],
    }


def _missing(trail: Trail) -> list[str]:
    """What a trail falls short of, worst first."""
    facts = {
        "is stopped": trail["logging"],
        "leaves out management events": logs_management(trail["basic"], trail["advanced"]),
        "covers one region only": trail["every_region"],
        "leaves out global services": trail["global_services"],
        "has no log file validation": trail["validation"],
    }
    return [fault for fault, holds in facts.items() if not holds]


def _best(trails: Sequence[Trail], settings: Settings) -> Trail | None:
    """The trail to repair: one that can be, the baseline's before others, then the one that misses least."""

    def rank(one: Trail) -> tuple[bool, bool, bool, int, str]:
        named = one["name"] == settings["trail_name"]
        return (not one["own"], one["organisation"], not named, len(_missing(one)), one["arn"])

    return min(trails, key=rank, default=None)


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
    reads=frozenset({"cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus"}),
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
            "description": "The trail to repair before any other, and to create when the account has none. "
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
    blinds=True,
    answers={"cis-7.0": ("4.1", "4.2", "5.5"), "moj": ("trail",), "ssb": ("ACCT.07",)},
)
