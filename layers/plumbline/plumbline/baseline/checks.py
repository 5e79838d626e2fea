"""What no schema can judge: times, exemptions, and rules that would fight."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from plumbline.baseline.advice import NO_DURATION, shown
from plumbline.baseline.document import Place
from plumbline.baseline.schema import MOST_DAYS
from plumbline.core.clock import duration
from plumbline.core.control import Control, Response
from plumbline.decisions.exemptions import ANY, covers_nothing, matches_everything

_BLANK = {
    "owner": "this must not be blank; write who answers for it",
    "reason": "this must not be blank; write why, for the next reader",
}


def clashes(compiled: Mapping[str, Any], controls: Mapping[str, Control]) -> list[tuple[Place, str]]:
    """What one enforced rule would do and another take back."""
    enforced = {
        one: rule["settings"]
        for one, rule in compiled["controls"].items()
        if rule["mode"] in (Response.ENFORCE.value, Response.PROPOSE.value)
    }
    return [
        (("controls", one, *path), advice)
        for one in enforced
        for path, advice in (controls[one].clashes or (lambda _: ()))(enforced)
    ]


def clock_problems(controls: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Times that no schema can judge: too long to count with, or a reminder that reminds of nothing."""
    for control, rule in controls.items():
        for name, clock in ((rule or {}).get("clocks") or {}).items():
            for key, value in clock.items():
                place: Place = ("controls", control, "clocks", name, key)
                for number, one in enumerate(value if isinstance(value, list) else [value]):
                    advice = "" if one is None else _time_problem(one, reminds=key == "remind")
                    if advice:
                        yield (*place, number) if key == "remind" else place, advice


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
        return "a reminder at once is the first letter itself; remove it, or write when to remind, such as 1d"
    return ""


def exemption_problems(
    exemptions: Sequence[Mapping[str, Any]], today: date, controls: Mapping[str, Control]
) -> Iterator[tuple[Place, str]]:
    for number, one in enumerate(exemptions):
        for key, advice in (
            ("until", _end_problem(one, today)),
            *((key, "" if one[key].strip() else _BLANK[key]) for key in _BLANK),
            ("target", _target_problem(one["control"], one["target"], controls)),
        ):
            if advice:
                yield ("exemptions", "reviewed", number, key), advice


def _end_problem(exemption: Mapping[str, Any], today: date) -> str:
    try:
        until = date.fromisoformat(str(exemption["until"]))
    except ValueError:
        return f"'{exemption['until']}' is no day of the calendar; write one such as {today + timedelta(days=30)}"
    if until < today:
        owner = exemption["owner"]
        return f"this exemption ended on {until}; remove it, or agree on a new day with its owner ({owner})"
    return ""


def _target_problem(control: str, target: str, controls: Mapping[str, Control]) -> str:
    """Why a pattern of targets would exempt nothing, or everything from every control."""
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
    return f"{shown(target)} covers nothing: {nothing}" if nothing else ""


def _some_account(target: str) -> str:
    """An account that a pattern may mean: the build does not know which it is for."""
    return re.sub(r"[*?]", "", target.split("/", maxsplit=1)[0]).ljust(12, "0")
