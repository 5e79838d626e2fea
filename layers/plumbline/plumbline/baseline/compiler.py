"""Checks baseline.yaml and turns it into the JSON that the functions read. Runs during `sam build`, never in AWS.

    python -m plumbline.baseline.compiler baseline.yaml baseline.json

Every problem is reported with its file, line, place and what to write instead, all of them at once.
"""

from __future__ import annotations

import difflib
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from plumbline.baseline.rules import Baseline, Breakers, Letters, Patience, completed
from plumbline.controls import registry
from plumbline.core.clock import Clock, duration
from plumbline.core.control import Control, Response
from plumbline.core.errors import BaselineError, PlumblineError
from plumbline.decisions.exemptions import ANY, covers_nothing, matches_everything

_DURATION = {"type": ["string", "integer"], "pattern": r"^\s*(0|\d+\s*[hd])\s*$", "maximum": 0, "minimum": 0}
_NO_DURATION = "is no duration; write hours or days, such as 12h or 7d, or 0 for at once"
_CLOCK = {
    "type": "object",
    "properties": {
        "remind": {"type": "array", "items": _DURATION},
        "escalate": {**_DURATION, "type": ["string", "integer", "null"]},
        "act": {**_DURATION, "type": ["string", "integer", "null"]},
    },
    "additionalProperties": False,
}
_MOST_DAYS = 3650  # ten years: what is meant to be longer is meant to be never
_DAYS = {"type": "integer", "minimum": 1, "maximum": _MOST_DAYS}
_BLANK = {
    "owner": "this must not be blank; write who answers for it",
    "reason": "this must not be blank; write why, for the next reader",
}
_OWN_KEYS = ("mode", "clocks")
_MODES = [mode.value for mode in Response]
_WORDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing (null)",
}

Path_ = tuple[str | int, ...]


def compile_file(path: Path, *, today: date) -> dict[str, Any]:
    """The compiled baseline of a YAML file.

    Args:
        path: the file.
        today: the day that expiries are judged by.

    Raises:
        BaselineError: with one line for each thing that is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BaselineError([f"{path}: cannot be read: {error}"]) from error
    return compile_text(text, name=str(path), today=today)


def compile_text(text: str, *, name: str, today: date) -> dict[str, Any]:
    """The compiled baseline of a YAML text; see `compile_file`."""
    controls = registry.load()
    lines: dict[Path_, int] = {}
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            raise BaselineError([f"{name}:1: the file is empty; write at least `controls: {{}}`"])
        problems = list(_doubled(node, ()))
        data = _meant(yaml.SafeLoader("").construct_document(node)) if not problems else {}
        _mark_lines(node, (), lines)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BaselineError([f"{name}:{line}: this is no YAML: {error.problem}"]) from error
    except (yaml.YAMLError, ValueError) as error:  # control characters; a date such as 2026-13-45
        raise BaselineError([f"{name}:1: this is no YAML: {error}"]) from error
    if not problems:
        validator = Draft202012Validator(schema(controls))
        broken = sorted(validator.iter_errors(_as_json(data)), key=lambda one: lines.get(tuple(one.absolute_path), 0))
        problems = [(tuple(one.absolute_path), _advice(one)) for one in broken]
    if not problems:
        problems = list(_clock_problems(data.get("controls") or {}))
        problems += _exemption_problems((data.get("exemptions") or {}).get("reviewed") or [], today, controls)
    compiled = {} if problems else _compiled(data, controls)
    problems += _clashes(compiled, controls) if compiled else []
    if problems:
        raise BaselineError([f"{name}:{_line(lines, path)}: {_place(path)}{advice}" for path, advice in problems])
    Baseline.from_json(json.loads(json.dumps(compiled)))  # what cannot be read back must not be shipped
    return compiled


def schema(controls: Mapping[str, Control]) -> dict[str, Any]:
    """The JSON Schema of baseline.yaml, made from the registry."""
    return {
        "type": "object",
        "properties": {
            "controls": {
                "type": "object",
                "properties": {one.id: _control_schema(one) for one in controls.values()},
                "additionalProperties": False,
            },
            "regions": {
                "type": "array",
                "items": {
                    "type": "string",
                    "pattern": r"^[a-z]{2}(-[a-z]+)+-\d+$",
                    "description": "such as ap-southeast-2",
                },
            },
            "breakers": {
                "type": "object",
                "properties": {one.name: {"type": "integer", "minimum": 1} for one in fields(Breakers)},
                "additionalProperties": False,
            },
            "letters": {
                "type": "object",
                "properties": {
                    one.name: {"type": "integer", "minimum": 1} | ({"maximum": 24} if one.name == "hours" else {})
                    for one in fields(Letters)
                },
                "additionalProperties": False,
            },
            "exemptions": {
                "type": "object",
                "properties": {"max_days": _DAYS, "reviewed": {"type": "array", "items": _exemption_schema(controls)}},
                "additionalProperties": False,
            },
            "pauses": {"type": "object", "properties": {"max_days": _DAYS}, "additionalProperties": False},
        },
        "additionalProperties": False,
    }


def _exemption_schema(controls: Mapping[str, Control]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "control": {"enum": ["*", *controls]},
            "target": {"type": "string", "minLength": 1},
            "owner": {"type": "string", "minLength": 1},
            "reason": {"type": "string", "minLength": 1},
            "until": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
        },
        "required": ["control", "target", "owner", "reason", "until"],
        "additionalProperties": False,
    }


def _control_schema(control: Control) -> dict[str, Any]:
    return {
        "type": ["object", "null"],
        "properties": {
            "mode": {"enum": _MODES},
            "clocks": {
                "type": "object",
                "properties": dict.fromkeys(control.clocks, _CLOCK),
                "additionalProperties": False,
            },
            **control.settings,
        },
        "additionalProperties": False,
    }


def _compiled(data: Mapping[str, Any], controls: Mapping[str, Control]) -> dict[str, Any]:
    wanted, exemptions = data.get("controls") or {}, data.get("exemptions") or {}
    return {
        "controls": {one.id: _compiled_control(one, wanted.get(one.id) or {}) for one in controls.values()},
        "regions": list(data.get("regions") or ()),
        "letters": {one.name: (data.get("letters") or {}).get(one.name, one.default) for one in fields(Letters)},
        "breakers": {one.name: (data.get("breakers") or {}).get(one.name, one.default) for one in fields(Breakers)},
        "exemptions": [
            {**one, "until": f"{one['until']}T23:59:59+00:00"} for one in (exemptions.get("reviewed") or ())
        ],
        "patience": {
            "exemption_days": exemptions.get("max_days", Patience().exemption_days),
            "pause_days": (data.get("pauses") or {}).get("max_days", Patience().pause_days),
        },
    }


def _clashes(compiled: Mapping[str, Any], controls: Mapping[str, Control]) -> list[tuple[Path_, str]]:
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


def _compiled_control(control: Control, wanted: Mapping[str, Any]) -> dict[str, Any]:
    clocks = {name: _clock_json(clock) for name, clock in control.clocks.items()}
    for name, clock in (wanted.get("clocks") or {}).items():
        for key, value in (clock or {}).items():
            clocks[name][key] = [_hours(one) for one in value] if key == "remind" else _hours(value)
    return {
        "mode": wanted.get("mode", control.response.value),
        "clocks": clocks,
        "settings": completed(control.settings, {k: v for k, v in wanted.items() if k not in _OWN_KEYS}),
    }


def _clock_json(clock: Clock) -> dict[str, Any]:
    def hours(value: timedelta | None) -> float | None:
        return None if value is None else value.total_seconds() / 3600

    return {"remind": [hours(one) for one in clock.remind], "escalate": hours(clock.escalate), "act": hours(clock.act)}


def _hours(value: Any) -> float | None:  # noqa: ANN401
    return None if value is None else duration(value).total_seconds() / 3600


def _clock_problems(controls: Mapping[str, Any]) -> Iterator[tuple[Path_, str]]:
    """Times that no schema can judge: too long to count with, or a reminder that reminds of nothing."""
    for control, rule in controls.items():
        for name, clock in ((rule or {}).get("clocks") or {}).items():
            for key, value in clock.items():
                place: Path_ = ("controls", control, "clocks", name, key)
                for number, one in enumerate(value if isinstance(value, list) else [value]):
                    advice = "" if one is None else _time_problem(one, reminds=key == "remind")
                    if advice:
                        yield (*place, number) if key == "remind" else place, advice


def _time_problem(value: Any, *, reminds: bool) -> str:  # noqa: ANN401
    if isinstance(value, float):  # 0.0 is a whole number to JSON Schema
        return f"{_shown(value)} {_NO_DURATION}"
    try:
        long = duration(value)
    except (OverflowError, ValueError):  # more than timedelta, or int, can hold
        long = timedelta.max
    if long > timedelta(days=_MOST_DAYS):
        return f"{_shown(value)} is too long; write at most {_MOST_DAYS}d"
    if reminds and not long:
        return "a reminder at once is the first letter itself; remove it, or write when to remind, such as 1d"
    return ""


def _exemption_problems(
    exemptions: Sequence[Mapping[str, Any]], today: date, controls: Mapping[str, Control]
) -> Iterator[tuple[Path_, str]]:
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
            f"{_shown(target)} fits no target: targets read account/region/kind/id; write it whole, or a pattern such "
            "as '*/s3-bucket/www-example-com'"
        )
    if control == ANY and matches_everything(target, _some_account(target)):
        return (
            f"{_shown(target)} exempts everything from every control, and nothing would be repaired; name a kind, as "
            "in '*/s3-bucket/www-*', or name the control; to repair nothing, set the stack's Mode to observe"
        )
    nothing = covers_nothing(control, target, controls)
    return f"{_shown(target)} covers nothing: {nothing}" if nothing else ""


def _some_account(target: str) -> str:
    """An account that a pattern may mean: the build does not know which it is for."""
    return re.sub(r"[*?]", "", target.split("/", maxsplit=1)[0]).ljust(12, "0")


def _advice(error: ValidationError) -> str:
    """What is wrong and what to write instead, for a person who knows YAML and no JSON Schema."""
    if error.validator in ("pattern", "minimum", "maximum") and _schema(error).get("pattern") == _DURATION["pattern"]:
        return f"{_shown(error.instance)} {_NO_DURATION}"
    advise = _ADVICE.get(str(error.validator))
    return advise(error) if advise else error.message


def _stranger(error: ValidationError) -> str:
    known = list(_schema(error).get("properties", ()))
    stranger = next(str(key) for key in _keys(error) if key not in known)
    what = "control" if tuple(error.absolute_path) == ("controls",) else "key"
    return f"there is no {what} '{stranger}'; {_nearest(stranger, known)}"


def _wrong_type(error: ValidationError) -> str:
    words = " or ".join(_WORDS[one] for one in _wanted(error))
    example = _example(_schema(error))
    return f"{_shown(error.instance)} stands where {words} belongs{f'; write {example}' if example else ''}"


def _missing(error: ValidationError) -> str:
    missing = next(key for key in _wanted(error) if key not in _keys(error))
    return f"'{missing}' is missing; add `{missing}: ...`"


def _not_listed(error: ValidationError) -> str:
    return f"{_shown(error.instance)} is not known here; {_nearest(str(error.instance), _wanted(error))}"


def _wrong_form(error: ValidationError) -> str:
    form = _schema(error).get("description", error.validator_value)
    return f"{_shown(error.instance)} has not the right form ({form})"


#: What is said of each JSON Schema rule that a baseline can break.
_ADVICE: Mapping[str, Callable[[ValidationError], str]] = {
    "additionalProperties": _stranger,
    "type": _wrong_type,
    "required": _missing,
    "enum": _not_listed,
    "pattern": _wrong_form,
    "minItems": lambda _: "this must not be empty; name at least one",
    "minProperties": lambda _: "this must not be empty; name at least one",
    "minLength": lambda _: "this must not be empty; write something",
    "minimum": lambda error: f"{_shown(error.instance)} is too small; write at least {error.validator_value}",
    "exclusiveMinimum": lambda error: f"{_shown(error.instance)} is too small; write more than {error.validator_value}",
    "maximum": lambda error: f"{_shown(error.instance)} is too large; write at most {error.validator_value}",
    "exclusiveMaximum": lambda error: f"{_shown(error.instance)} is too large; write less than {error.validator_value}",
}


def _wanted(error: ValidationError) -> list[str]:
    """What the broken rule lists, whether it lists one or many."""
    value = error.validator_value
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _keys(error: ValidationError) -> list[str]:
    """The keys that stand in the file where the rule was broken."""
    return list(error.instance) if isinstance(error.instance, Mapping) else []


def _schema(error: ValidationError) -> Mapping[str, Any]:
    return error.schema if isinstance(error.schema, Mapping) else {}


def _nearest(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean '{near[0]}'?" if near else f"write one of: {', '.join(known)}"


def _example(schema: Mapping[str, Any]) -> str:
    """A value of the right type, as it stands in YAML."""
    if "default" in schema and schema["default"] not in (None, "", [], {}):
        return f"for example {json.dumps(schema['default'])}"
    return {
        "array": "a list such as [one, two]",
        "boolean": "true or false",
        "integer": "a whole number such as 14",
    }.get(str(schema.get("type")), "")


def _shown(value: Any) -> str:  # noqa: ANN401
    text = "nothing" if value is None else json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004 - an error message fits on a line


def _doubled(node: yaml.Node, path: Path_) -> Iterator[tuple[Path_, str]]:
    """Keys written twice: YAML would silently keep the last."""
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                yield path, f"'{name}' is written twice, on lines {seen[name]} and {key.start_mark.line + 1}; keep one"
            seen[name] = key.start_mark.line + 1
            yield from _doubled(value, (*path, name))
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _doubled(value, (*path, number))


def _mark_lines(node: yaml.Node, path: Path_, lines: dict[Path_, int], line: int = 0) -> None:
    """Remember on which line (from 1) each place of the file begins."""
    lines[path] = line or node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _mark_lines(value, (*path, str(key.value)), lines, key.start_mark.line + 1)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _mark_lines(value, (*path, number), lines)


def _line(lines: Mapping[Path_, int], path: Path_) -> int:
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _place(path: Path_) -> str:
    return "".join(
        f"{'.' if number and isinstance(one, str) else ''}{one if isinstance(one, str) else f'[{one + 1}]'}"
        for number, one in enumerate(path)
    ) + (": " if path else "")


def _as_json(data: Any) -> Any:  # noqa: ANN401 - YAML gives dates where JSON has text
    if isinstance(data, Mapping):
        return {str(key): _as_json(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_as_json(value) for value in data]
    return str(data) if isinstance(data, date | datetime) else data


def _meant(data: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
    """The same data, in which the mode `off`, which YAML reads as false, is the word that was written."""
    controls = data.get("controls") if isinstance(data, Mapping) else None
    for rule in controls.values() if isinstance(controls, Mapping) else ():
        if isinstance(rule, dict) and rule.get("mode") is False:
            rule["mode"] = Response.OFF.value
    return data


def main(arguments: Sequence[str]) -> int:
    """Command line: baseline.yaml in, JSON out; exit code 1 and readable errors when it is broken."""
    source, destination = Path(arguments[0]), Path(arguments[1])
    try:
        compiled = compile_file(source, today=datetime.now(timezone.utc).date())
    except PlumblineError as error:
        sys.stderr.write(f"\nThe baseline cannot be used; nothing was built.\n\n{error}\n\n")
        return 1
    destination.write_text(json.dumps(compiled, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
