"""Checks baseline.yaml and turns it into the JSON that the functions read. Runs during `sam build`, never in AWS.

    python -m plumbline.baseline.compiler baseline.yaml baseline.json

Every problem is reported with its file, line, place and what to write instead, all of them at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from plumbline.baseline.advice import advice
from plumbline.baseline.checks import clashes, clock_problems, exemption_problems
from plumbline.baseline.document import Place, as_json, doubled, line_of, mark_lines, meant, place
from plumbline.baseline.rules import Baseline, Breakers, Letters, Patience, completed
from plumbline.baseline.schema import schema
from plumbline.controls import registry
from plumbline.core.clock import Clock, duration
from plumbline.core.control import Control
from plumbline.core.errors import BaselineError, PlumblineError

_OWN_KEYS = ("mode", "clocks")


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
    lines: dict[Place, int] = {}
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            raise BaselineError([f"{name}:1: the file is empty; write at least `controls: {{}}`"])
        problems = list(doubled(node, ()))
        data = meant(yaml.SafeLoader("").construct_document(node)) if not problems else {}
        mark_lines(node, (), lines)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BaselineError([f"{name}:{line}: this is no YAML: {error.problem}"]) from error
    except (yaml.YAMLError, ValueError) as error:  # control characters; a date such as 2026-13-45
        raise BaselineError([f"{name}:1: this is no YAML: {error}"]) from error
    if not problems:
        validator = Draft202012Validator(schema(controls))
        broken = sorted(validator.iter_errors(as_json(data)), key=lambda one: lines.get(tuple(one.absolute_path), 0))
        problems = [(tuple(one.absolute_path), advice(one)) for one in broken]
    if not problems:
        problems = list(clock_problems(data.get("controls") or {}))
        problems += exemption_problems((data.get("exemptions") or {}).get("reviewed") or [], today, controls)
    compiled = {} if problems else _compiled(data, controls)
    problems += clashes(compiled, controls) if compiled else []
    if problems:
        raise BaselineError([f"{name}:{line_of(lines, path)}: {place(path)}{words}" for path, words in problems])
    Baseline.from_json(json.loads(json.dumps(compiled)))  # what cannot be read back must not be shipped
    return compiled


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
