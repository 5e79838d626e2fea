"""What a person can ask and tell Plumbline, from CloudShell: text for people, data for scripts."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from plumbline.alerts import wording
from plumbline.compose import Plumbline
from plumbline.core.errors import Conflict, PlumblineError
from plumbline.handlers.operate import exemptions, findings, pauses, plan, repairs, status
from plumbline.handlers.operate.asked import Answer, Asked, Connections, Refused
from plumbline.handlers.operate.lists import folded
from plumbline.handlers.operate.typed import Command, Typed

__all__ = ("COMMANDS", "Answer", "Connections", "Refused", "answer")

#: Understood by every command: the answer's text is the JSON that scripts get.
_JSON = "--json"
_LONGEST_NAME = 200
_COLUMN = 34


def answer(plumbline: Plumbline, request: Any, *, now: datetime, connections: Connections | None = None) -> Answer:  # noqa: ANN401 -- a person typed it
    """Do what a request says; a refusal is an answer too, never an exception.

    Args:
        plumbline: the account's Plumbline.
        request: `{"command": "undo 7F3K"}` or `{"command": ["undo", "7F3K"]}`; `by` may say who asks.
        now: the time, in UTC.
        connections: what of the stack only people's questions need.
    """
    as_json = False
    try:
        words = _words(request)
        as_json = _JSON in words
        asked = Asked(plumbline, connections or Connections(), _by(request), now)
        given = _given(asked, [word for word in words if word != _JSON])
    except Conflict:
        given = Answer(
            "Somebody is working on the same thing at this moment. Type the same again in two minutes.",
            {"error": "Conflict"},
            ok=False,
        )
    except PlumblineError as error:
        given = Answer(str(error), {"error": type(error).__name__, "message": str(error)}, ok=False)
    text = json.dumps(given.data, indent=2, default=str) if as_json else folded(given.text)
    return replace(given, text=text)


def _given(asked: Asked, words: Sequence[str]) -> Answer:
    name, arguments = (words[0], words[1:]) if words else ("help", [])
    command = COMMANDS.get(name)
    if command is None:
        raise Refused(f"there is no command '{wording.clean(name, 40)}'.\n\n{_all()}")
    return command.run(asked, command.read(arguments))


def _words(request: Any) -> list[str]:  # noqa: ANN401
    command = request.get("command", []) if isinstance(request, Mapping) else None
    if isinstance(command, str):
        try:
            return shlex.split(command)
        except ValueError as error:
            raise Refused(f"the command cannot be read ({error}); check its quotes") from error
    if isinstance(command, Sequence) and all(isinstance(word, str) for word in command):
        return list(command)
    raise Refused('say what to do as {"command": "status"} or {"command": ["undo", "7F3K"]}')


def _by(request: Any) -> str:  # noqa: ANN401
    """Who asks, as that person's shell says. A claim: what Lambda knows of its caller it does not tell the function."""
    by = request.get("by", "") if isinstance(request, Mapping) else ""
    return wording.clean(by, _LONGEST_NAME) if isinstance(by, str) else ""


def help_(_asked: Asked, typed: Typed) -> Answer:
    """What can be typed."""
    command = COMMANDS.get(typed.word)
    if command:
        example = f"\n\nFor example:\n  plumbline {command.example}" if command.example else ""
        text = f"plumbline {command.usage}\n  {command.gist}{example}"
        return Answer(text, {"usage": command.usage, "gist": command.gist, "example": command.example})
    return Answer(_all(), {"commands": {name: one.usage for name, one in COMMANDS.items()}})


def _all() -> str:
    lines = []
    for one in COMMANDS.values():
        if len(one.usage) < _COLUMN:
            lines.append(f"  plumbline {one.usage:<{_COLUMN}} {one.gist}")
        else:
            lines += [f"  plumbline {one.usage}", f"  {'':<{_COLUMN + 10}} {one.gist}"]
    return "\n".join(["Plumbline understands:", *lines, "", "With --json behind it, each answers for scripts."])


_UNTIL = "--days N|--until YYYY-MM-DD"

#: All that can be typed, in the order in which help lists it.
COMMANDS: Mapping[str, Command] = {
    "status": Command("status", "what is watched, open, exempt, paused, and who hears", status.status),
    "findings": Command("findings", "the open findings, worst first", findings.findings),
    "show": Command("show FINDING", "everything about one of them, such as 7F3K", findings.show, 1, 1),
    "plan": Command("plan [FINDING]", "what would be done now; changes nothing", plan.plan, 0, 1),
    "sweep": Command("sweep", "look through the account now", repairs.sweep),
    "undo": Command(
        "undo FINDING [--force]", "put back what was before its repair", repairs.undo, 1, 1, flags=("force",)
    ),
    "approve": Command("approve FINDING", "do what is proposed", repairs.approve, 1, 1),
    "enforce": Command(
        "enforce [CONTROL|FINDING] [--yes]",
        "end adoption's grace; lists first what it means",
        repairs.enforce,
        0,
        1,
        flags=("yes",),
    ),
    "exempt": Command(
        f"exempt FINDING|TARGET|PATTERN [--control ID|all] {_UNTIL} --owner WHO --reason WHY [--all]",
        "leave it alone until then",
        exemptions.exempt,
        1,
        1,
        ("control", "days", "until", "owner", "reason"),
        ("all",),
        exemptions.EXEMPT_EXAMPLE,
    ),
    "unexempt": Command(
        "unexempt NUMBER|FINDING|TARGET [--control ID]",
        "end an exemption before its time",
        exemptions.unexempt,
        1,
        1,
        ("control",),
    ),
    "exemptions": Command("exemptions", "all that is exempt, why and until when", exemptions.exemptions),
    "pause": Command(
        f"pause [CONTROL] --hours N|{_UNTIL} --reason WHY",
        "repair nothing until then; goes on watching and telling",
        pauses.pause,
        0,
        1,
        ("hours", "days", "until", "reason"),
        example=pauses.PAUSE_EXAMPLE,
    ),
    "resume": Command("resume [CONTROL]", "lift a pause, reset the breakers and fights", pauses.resume, 0, 1),
    "help": Command("help [COMMAND]", "this", help_, 0, 1),
}
