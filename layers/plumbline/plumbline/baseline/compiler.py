"""Checks baseline.yaml and turns it into the JSON that the functions read. Runs during `sam build`, never in AWS.

    python -m plumbline.baseline.compiler baseline.yaml baseline.json    # checks and compiles
    python -m plumbline.baseline.compiler baseline.yaml                  # checks alone, and says what it found

Every problem is reported with its file, line, place and what to write instead, all of them at once.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TextIO

from plumbline.baseline import profiles, regions, roster
from plumbline.baseline.changes import changed
from plumbline.baseline.checks import CHOSEN, clashes, judged, unchosen
from plumbline.baseline.document import Document, read, read_file
from plumbline.baseline.rules import Baseline, Breakers, Letters, Patience, completed
from plumbline.baseline.schema import MODES, schema
from plumbline.baseline.wishes import doubts
from plumbline.controls import registry
from plumbline.core.clock import FOUND_BY_SWEEP, Clock, Response, duration
from plumbline.core.control import ELSEWHERE, PEOPLE, Control
from plumbline.core.errors import BaselineError
from plumbline.core.roster import roster_of

_OWN_KEYS = ("mode", "clocks")


def compile_file(path: Path, *, today: date, folder: Path = profiles.SHIPPED) -> dict[str, Any]:
    """The compiled baseline of a YAML file.

    Args:
        path: the file.
        today: the day that expiries are judged by.
        folder: where the profiles are.

    Raises:
        BaselineError: with one line for each thing that is wrong.
    """
    return _compile(read_file(path, str(path)), today, folder, registry.load())


def compile_text(
    text: str,
    *,
    name: str,
    today: date,
    folder: Path = profiles.SHIPPED,
    controls: Mapping[str, Control] | None = None,
) -> dict[str, Any]:
    """The compiled baseline of a YAML text; see `compile_file`.

    Args:
        text: the YAML.
        name: what it is called in messages.
        today: the day that expiries are judged by.
        folder: where the profiles are.
        controls: the registry, unless it is another one.
    """
    return _compile(read(text, name), today, folder, registry.load() if controls is None else controls)


def fits(compiled: Mapping[str, Any]) -> str:
    """The line that says what a sound baseline comes to: how many controls in which mode, profile, exemptions."""
    modes = [rule["mode"] for rule in compiled["controls"].values()]
    counts = ", ".join(f"{modes.count(mode)} {mode}" for mode in MODES if mode in modes)
    parts = [f"{len(modes)} controls: {counts}"]
    if compiled["profile"]:
        parts.append(f"profile {compiled['profile']}")
    ends = sorted(one["until"][:10] for one in compiled["exemptions"])
    if ends:
        parts.append(
            f"1 exemption, until {ends[0]}" if len(ends) == 1 else f"{len(ends)} exemptions, first ends {ends[0]}"
        )
    return f"fits; {'; '.join(parts)}"


def _compile(document: Document, today: date, folder: Path, controls: Mapping[str, Control]) -> dict[str, Any]:
    data = judged(document, schema(controls, profiles.names(folder)), controls, today)
    profile = profiles.load(data["profile"], folder, controls, today) if "profile" in data else {}
    compiled = _compiled(data, profile, controls)
    fights = list(clashes(compiled, controls, document, profile))
    if fights:
        raise document.refused(fights)
    list(Baseline.from_json(json.loads(json.dumps(compiled))).rules.values())  # what cannot be read back is not shipped
    return compiled


def _compiled(data: Mapping[str, Any], profile: Mapping[str, Any], controls: Mapping[str, Control]) -> dict[str, Any]:
    wanted, exemptions, people = data["controls"], data["exemptions"], data.get(roster.ROSTER) or {}
    rules = {
        one.id: _compiled_control(one, profile.get(one.id, {}), wanted.get(one.id, {})) for one in controls.values()
    }
    roster.followed(rules, people)
    return {
        "profile": data.get("profile", ""),
        "controls": rules,
        roster.ROSTER: {one.name: one.to_json() for one in roster_of(people)},
        "regions": list(data.get("regions") or ()),
        "operators": list(data.get("operators") or ()),
        "deployers": list(data.get("deployers") or ()),
        "letters": {one.name: (data.get("letters") or {}).get(one.name, one.default) for one in fields(Letters)},
        "breakers": {one.name: (data.get("breakers") or {}).get(one.name, one.default) for one in fields(Breakers)},
        "exemptions": [{**one, "until": f"{one['until']}T23:59:59+00:00"} for one in exemptions["reviewed"]],
        "patience": {
            "exemption_days": exemptions.get("max_days", Patience().exemption_days),
            "pause_days": (data.get("pauses") or {}).get("max_days", Patience().pause_days),
        },
    }


def _compiled_control(control: Control, *layers: Mapping[str, Any]) -> dict[str, Any]:
    """One control: its defaults, and over them each layer, key by key."""
    mode = control.response.value
    clocks = {name: _clock_json(clock) for name, clock in control.every_clock.items()}
    for layer in layers:
        mode = layer.get("mode", mode) or "off"  # YAML reads the bare word as false
        written = layer.get("clocks", {})
        for name in sorted(written, key=lambda name: name != "default"):  # the default first: others build on it
            for key, value in written[name].items():
                clocks[name][key] = _CLOCK_KEYS[key](value)
            if name == "default" and FOUND_BY_SWEEP in clocks:
                clocks[FOUND_BY_SWEEP] = _no_bolder(clocks[FOUND_BY_SWEEP], clocks[name])
    settings = ({key: value for key, value in layer.items() if key not in _OWN_KEYS} for layer in layers)
    complete = completed(control.settings, *settings)
    if control.needs and not complete[control.needs]:
        mode = Response.OFF.value
    rule: dict[str, Any] = {"mode": mode, "clocks": clocks, "settings": complete}
    if control.people:
        rule[PEOPLE] = True
    if control.elsewhere:
        rule[ELSEWHERE] = {one: list(names) for one, names in control.elsewhere.items()}
    return rule


def _no_bolder(found: Mapping[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    """The clock of what a sweep found, no bolder than the default: who wrote a patient default meant it for both."""
    modes = [Response(clock["mode"]) for clock in (found, default) if clock["mode"]]
    mode = max(modes, key=lambda one: one.caution).value if modes else None
    never = float("inf")
    acts = [never if clock["act"] is None else clock["act"] for clock in (found, default)]
    return {**(default if acts[1] > acts[0] else found), "mode": mode}


def _clock_json(clock: Clock) -> dict[str, Any]:
    def hours(value: timedelta | None) -> float | None:
        return None if value is None else value.total_seconds() / 3600

    return {
        "remind": [hours(one) for one in clock.remind],
        "escalate": hours(clock.escalate),
        "act": hours(clock.act),
        "mode": clock.mode and clock.mode.value,
        "every": hours(clock.every),
    }


def _hours(value: Any) -> float | None:  # noqa: ANN401
    return None if value is None else duration(value).total_seconds() / 3600


#: How what is written under each key of a clock stands in the compiled file.
_CLOCK_KEYS: Mapping[str, Callable[[Any], Any]] = {
    "remind": lambda value: [_hours(one) for one in value],
    "escalate": _hours,
    "act": _hours,
    "mode": str,
    "every": _hours,
}


def main(arguments: Sequence[str]) -> int:
    """Command line: baseline.yaml in, JSON or one line out; exit code 1 and readable errors when it is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="the baseline")
    parser.add_argument("destination", type=Path, nargs="?", help="where the JSON goes; left out, it is only checked")
    parser.add_argument("--profiles", type=Path, default=profiles.SHIPPED, help="the folder of profiles")
    wanted = parser.parse_args(arguments)
    try:
        compiled = compile_file(wanted.source, today=datetime.now(timezone.utc).date(), folder=wanted.profiles)
        document = read_file(wanted.source, str(wanted.source))
        if refused := list(unchosen(compiled, os.environ.get(CHOSEN, ""))):
            raise document.refused(refused)
    except BaselineError as error:
        if wanted.destination:
            sys.stderr.write("\nThe baseline cannot be used; nothing was built.\n\n")
        for problem in error.problems:
            _print(problem, sys.stderr)
        return 1
    for one in filter(None, map(regions.caution, compiled["regions"])):
        _print(f"{wanted.source}: {one}", sys.stderr)
    # What an old file says now, and what may be a slip: said, and nothing is stopped by it.
    made = compiled["controls"]["iam-groups"]["settings"]["groups"]
    for line in document.refused([*changed(document), *doubts(document), *roster.doubts(document, [*made])]).problems:
        _print(line, sys.stderr)
    if wanted.destination:
        wanted.destination.write_text(json.dumps(compiled, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    else:
        _print(f"{wanted.source}: {fits(compiled)}", sys.stdout)
    return 0


def _print(line: str, out: TextIO) -> None:
    """One line; where a person looks on, it is folded between words, so that a terminal does not cut them."""
    if out.isatty():
        width = shutil.get_terminal_size().columns
        line = textwrap.fill(line, width, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    out.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
