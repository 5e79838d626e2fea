"""Whether a document is a baseline, or a profile: the schema, and what no schema can judge."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from plumbline.baseline import regions, roster
from plumbline.baseline.advice import broken, shown
from plumbline.baseline.document import Document, Place, Problem
from plumbline.baseline.schema import MOST_DAYS, NO_DURATION, earlier_ids
from plumbline.baseline.wishes import misunderstood
from plumbline.core.clock import Response, duration
from plumbline.core.control import Control
from plumbline.decisions.exemptions import ANY, covers_nothing, kinds_of, matches_everything

_BLANK = {
    "owner": "this must not be blank; write who answers for it",
    "reason": "this must not be blank; write why, for the next reader",
}


def judged(
    document: Document, schema: Mapping[str, Any], controls: Mapping[str, Control], today: date
) -> dict[str, Any]:
    """What a document says, every control under its id of today.

    Args:
        document: a baseline or a profile.
        schema: what it must fit.
        controls: the registry.
        today: the day that ends of exemptions are judged by.

    Raises:
        BaselineError: with one line for each thing that is wrong.
    """
    problems = broken(document, schema) or [
        *misunderstood(document),
        *_named_twice(document.data, controls),
        *_clock_problems(document.data),
        *_region_problems(document.data),
        *roster.problems(document),
        *_exemption_problems(document.data, controls, today),
    ]
    if problems:
        raise document.refused(problems)
    today_ids = earlier_ids(controls)
    rules, exemptions = document.data.get("controls") or {}, document.data.get("exemptions") or {}
    return {
        **document.data,
        "controls": {today_ids.get(name, name): rule or {} for name, rule in rules.items()},
        "exemptions": {
            **exemptions,
            "reviewed": [
                {**one, "control": today_ids.get(one["control"], one["control"])}
                for one in exemptions.get("reviewed") or ()
            ],
        },
    }


def clashes(
    compiled: Mapping[str, Any], controls: Mapping[str, Control], document: Document, profile: Mapping[str, Any]
) -> Iterator[Problem]:
    """What one enforced rule would do and another take back.

    Args:
        compiled: the baseline as the functions would read it.
        controls: the registry.
        document: the file that it was made of.
        profile: what the profile says of controls, by id.
    """
    enforced = {
        one: rule["settings"]
        for one, rule in compiled["controls"].items()
        if rule["mode"] in (Response.ENFORCE.value, Response.PROPOSE.value)
    }
    for one in enforced:
        named = next((name for name in (one, *controls[one].aliases) if ("controls", name) in document.lines), one)
        for path, advice in (controls[one].clashes or (lambda _: ()))(enforced):
            place = ("controls", named, *path)
            by_profile = place not in document.lines and path[0] in profile.get(one, {})
            yield place, f"{advice} (profile {compiled['profile']} sets this)" if by_profile else advice


def _named_twice(data: Mapping[str, Any], controls: Mapping[str, Control]) -> Iterator[Problem]:
    """A control under two of its ids: nobody can say which of the two is meant."""
    first: dict[str, str] = {}
    today = earlier_ids(controls)
    for name in data.get("controls") or {}:
        other = first.setdefault(today.get(name, name), name)
        if other != name:
            now = today.get(name, name)
            yield ("controls", name), f"{name} and {other} are the same control by two of its ids; write only {now}"


#: The control whose repair may give anything, so that enforcing it is a choice of the deployment, and where a build
#: learns what was chosen.
CONVERTS, CHOSEN = "iam-inline-policies", "PLUMBLINE_INLINE_POLICIES"


def unchosen(compiled: Mapping[str, Any], chosen: str) -> Iterator[Problem]:
    """What the file asks for and the deployment does not allow: to turn inline policies into managed ones at once.

    Args:
        compiled: the baseline.
        chosen: the stack's parameter InlinePolicies, as far as the build was told; empty for its default.
    """
    if compiled["controls"][CONVERTS]["mode"] == Response.ENFORCE.value and chosen != Response.ENFORCE.value:
        advice = (
            "Plumbline may do this by itself only where the stack's parameter InlinePolicies is enforce, for one of "
            "its roles can then give anything to anybody. Write 'propose', and approve each, or deploy with: "
            "make deploy PARAMETERS=InlinePolicies=enforce (for sam build alone, "
            f"set {CHOSEN}=enforce)"
        )
        yield ("controls", CONVERTS, "mode"), advice


def _clock_problems(data: Mapping[str, Any]) -> Iterator[Problem]:
    """Times that no schema can judge: too long to count with, or a reminder that reminds of nothing."""
    for control, rule in (data.get("controls") or {}).items():
        for name, clock in ((rule or {}).get("clocks") or {}).items():
            for key, value in clock.items():
                if key == "mode":
                    continue
                place: Place = ("controls", control, "clocks", name, key)
                for number, one in enumerate(value if isinstance(value, list) else [value]):
                    advice = "" if one is None else _time_problem(one, reminds=key in ("remind", "every"))
                    if advice:
                        yield (*place, number) if key == "remind" else place, advice


def _region_problems(data: Mapping[str, Any]) -> Iterator[Problem]:
    for number, one in enumerate(data.get("regions") or ()):
        if advice := regions.impossible(one):
            yield ("regions", number), advice


def _time_problem(value: Any, *, reminds: bool) -> str:  # noqa: ANN401
    if isinstance(value, float):  # 0.0 is a whole number to JSON Schema
        return f"{shown(value)} {NO_DURATION}"
    try:
        long = duration(value)
    except (OverflowError, ValueError):  # more than timedelta, or int, can hold
        long = timedelta.max
    if long > timedelta(days=MOST_DAYS):
        return f"{shown(value)} is too long; write at most {MOST_DAYS}d"
    if reminds and not long:
        return "a reminder at once is the first e-mail itself; remove it, or write when to remind, such as 1d"
    return ""


def _exemption_problems(data: Mapping[str, Any], controls: Mapping[str, Control], today: date) -> Iterator[Problem]:
    ids = earlier_ids(controls)
    for number, one in enumerate((data.get("exemptions") or {}).get("reviewed") or ()):
        for key, advice in (
            ("until", _end_problem(one, today)),
            *((key, "" if one[key].strip() else _BLANK[key]) for key in _BLANK),
            ("target", _target_problem(ids.get(one["control"], one["control"]), one["target"], controls)),
        ):
            if advice:
                yield ("exemptions", "reviewed", number, key), advice


def _end_problem(exemption: Mapping[str, Any], today: date) -> str:
    try:
        until = date.fromisoformat(exemption["until"])
    except ValueError:
        return f"'{exemption['until']}' is no day of the calendar; write one such as {today + timedelta(days=30)}"
    if until < today:
        owner = exemption["owner"]
        return f"this exemption ended on {until}; remove it, or agree on a new day with its owner ({owner})"
    return ""


def _target_problem(control: str, target: str, controls: Mapping[str, Control]) -> str:
    """Why a pattern of targets would exempt nothing, or everything from every control."""
    if target.startswith("arn:"):
        return "this is an ARN; targets read account/region/kind/id, so write a pattern such as '*/s3-bucket/NAME'"
    if not any(char in target for char in "/*"):
        return (
            f"{shown(target)} fits no target: targets read account/region/kind/id; write it whole, or a pattern such "
            "as '*/s3-bucket/www-example-com'"
        )
    if control == ANY and matches_everything(target, _some_account(target)):
        return (
            f"{shown(target)} exempts everything from every control, and nothing would be repaired; name a kind, as "
            "in '*/s3-bucket/www-*', or name the control; to repair nothing, set the stack's Mode to observe"
        )
    nothing = covers_nothing(control, target, controls)
    if not nothing:
        return ""
    kind = next(iter(sorted(kinds_of(control, controls))), "s3-bucket")
    return f"{shown(target)} covers nothing: {nothing}; write a pattern such as '*/{kind}/NAME'"


def _some_account(target: str) -> str:
    """An account that a pattern may mean: the build does not know which it is for."""
    return re.sub(r"[*?]", "", target.split("/", maxsplit=1)[0]).ljust(12, "0")
