"""What a person can ask and tell Plumbline, from CloudShell: text for people, data for scripts."""

from __future__ import annotations

import difflib
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from plumbline import __version__
from plumbline.alerts import wording
from plumbline.alerts.shell import pasted
from plumbline.compose import Plumbline
from plumbline.core.errors import Conflict, PlumblineError
from plumbline.handlers.operate import (
    callers,
    dead_letters,
    exemptions,
    findings,
    held,
    pauses,
    plan,
    repairs,
    status,
    suspensions,
    who,
)
from plumbline.handlers.operate.asked import Answer, Asked, Connections, Refused
from plumbline.handlers.operate.lists import columns, folded
from plumbline.handlers.operate.typed import Command, Typed, usage_of

__all__ = ("COMMANDS", "Answer", "Connections", "Refused", "answer")

#: Understood by every command: the answer's text is the JSON that scripts get.
_JSON = "--json"
_HELP = ("--help", "-h")
_VERSION = "--version"
_LONGEST_SHOWN = 200
#: Characters of a whole answer, as JSON. A function may answer with six million bytes. Source: Lambda Developer Guide,
#: "Lambda quotas".
LONGEST = 1_000_000
_BEGINNING = 100_000
_TOO_LONG = "This is more than one answer holds, so the rest is left out. Ask for less, or in text instead of JSON."
_COLUMN, _GIST = 22, 43


def answer(plumbline: Plumbline, request: Any, *, now: datetime, connections: Connections | None = None) -> Answer:  # noqa: ANN401 -- a person typed it
    """Do what a request says; a refusal is an answer too, never an exception.

    Args:
        plumbline: the account's Plumbline.
        request: `{"command": "status"}` or `{"command": ["show", "7F3K"]}`; for a command that changes something also
            `proof` and `nonce` (see proof.py).
        now: the time, in UTC.
        connections: what of the stack only people's questions need.
    """
    as_json = False
    try:
        words = _words(request)
        as_json = _JSON in words
        asked = Asked(plumbline, connections or Connections(), "", now)
        given = _given(asked, words, request)
    except Conflict:
        given = Answer(
            "Somebody is working on the same thing at this moment. Type the same again in two minutes.",
            {"error": "Conflict"},
            ok=False,
        )
    except PlumblineError as error:
        given = Answer(str(error), {"error": type(error).__name__, "message": str(error)}, ok=False)
    if not as_json:
        return _bounded(replace(given, text=folded(given.text)))
    more = given.data.get("next")
    text = json.dumps(given.data, indent=2, default=str)
    return _bounded(replace(given, text=text, next=(*more, _JSON) if more else ()))


def _bounded(given: Answer) -> Answer:
    """The answer, if a function may give one as long; else without what it says twice, or the beginning of it.

    What was done is done: an answer that cannot be given would say nothing of it.
    """
    if _size(given) <= LONGEST:
        return given
    alone = replace(given, data={"error": "TooLong", "message": _TOO_LONG})
    if _size(alone) <= LONGEST:
        return alone
    is_json = given.text.startswith("{")
    text = json.dumps(alone.data) if is_json else f"{given.text[:_BEGINNING]}\n\n{_TOO_LONG}"
    return replace(alone, text=text)


def _size(given: Answer) -> int:
    return len(json.dumps(given.to_json(), default=str))


def _given(asked: Asked, received: Sequence[str], request: Mapping[str, Any]) -> Answer:
    words = [word for word in received if word != _JSON]
    if any(word in _HELP for word in words) or not words:
        return help_(asked, Typed([word for word in words if not word.startswith("-")][:1], command="help"))
    if _VERSION in words:
        return version(asked, Typed(command="version"))
    name, arguments = words[0].lower(), words[1:]
    command = COMMANDS.get(name)
    if command is None:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"; did you mean {near[0]}? Type: {pasted(near[0], *arguments)}" if near else f".\n\n{_all()}"
        raise Refused(f"there is no command '{wording.clean(words[0], 40)}'{hint}")
    typed = command.read(arguments)
    if command.changes:
        asked = callers.proven(asked, received, request.get("proof"), request.get("nonce"))
    return command.run(asked, typed)


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


def shown(request: Any) -> str:  # noqa: ANN401
    """The command of a request, for a log. Never the rest: with a proof somebody could say once more what was typed."""
    return str(request.get("command") if isinstance(request, Mapping) else None)[:_LONGEST_SHOWN]


def help_(_asked: Asked, typed: Typed) -> Answer:
    """What can be typed."""
    command = COMMANDS.get(typed.word.lower())
    if command:
        example = f"\n\nFor example, type: plumbline {command.example}"
        text = "\n".join([*usage_of(command.usage), f"    {command.gist}"]).strip() + example
        return Answer(text, {"usage": command.usage, "gist": command.gist, "example": command.example})
    return Answer(_all(), {"commands": {name: one.usage for name, one in COMMANDS.items()}})


def version(asked: Asked, _typed: Typed) -> Answer:
    """Which Plumbline answers, and where."""
    where = f"account {asked.account}, {asked.plumbline.engine.deployment.home}"
    return Answer(f"Plumbline {__version__}, {where}", {"version": __version__, "account": asked.account})


def _all() -> str:
    lines = []
    for one in COMMANDS.values():
        if len(one.usage) <= _COLUMN and columns(one.gist) <= _GIST:
            lines.append(f"  plumbline {one.usage:<{_COLUMN}} {one.gist}")
        else:
            lines += [*usage_of(one.usage), f"        {one.gist}"]
    tail = "With --help behind it a command is explained; with --json it answers for scripts."
    return "\n".join(["Plumbline understands:", *lines, "", tail])


_UNTIL = "--days N|--until YYYY-MM-DD"

#: All that can be typed, in the order in which help lists it.
COMMANDS: Mapping[str, Command] = {
    one.name: one
    for one in (
        Command("status", "what is watched, open, exempt, paused, and who hears", status.status, example="status"),
        Command(
            "findings [--control ID|PATTERN] [--severity LEVEL] [--target PATTERN] [--open] [--exempt] [--fight] "
            "[--after FINDING]",
            "what is open, worst first, and what is exempt; of a severity and worse",
            findings.findings,
            options=("control", "severity", "target", "after"),
            flags=("open", "exempt", "fight"),
            example=findings.EXAMPLE,
        ),
        Command("show FINDING", "everything about one of them", findings.show, 1, 1, example="show 7F3K"),
        Command(
            "plan [FINDING] [--after FINDING]",
            "what would be done now; changes nothing",
            plan.plan,
            0,
            1,
            options=("after",),
            example="plan 7F3K",
        ),
        Command(
            "who BUCKET [--page N]",
            "who can do what in a bucket, and through what",
            who.who,
            1,
            1,
            options=("page",),
            example="who acme-data",
        ),
        Command("sweep", "look through the account now", repairs.sweep, example="sweep", changes=True),
        Command(
            "undo FINDING [--force]",
            "put back what was before its repair",
            repairs.undo,
            1,
            1,
            flags=("force",),
            example="undo 7F3K",
            changes=True,
        ),
        Command("approve FINDING", "do what is proposed", repairs.approve, 1, 1, example="approve 7F3K", changes=True),
        Command(
            "done FINDING TICKET [--failed N]",
            "go on after what took your own rights; the shell function types it",
            repairs.done,
            2,
            2,
            options=("failed",),
            example="done 7F3K 0B61C4",
            changes=True,
        ),
        Command(
            "enforce [CONTROL|FINDING] [--yes]",
            "end adoption's grace; lists first what it means",
            repairs.enforce,
            0,
            1,
            flags=("yes",),
            example="enforce 7F3K",
            changes=True,
        ),
        Command(
            f"exempt FINDING|TARGET|PATTERN [--control ID|all] {_UNTIL} --owner WHO --reason WHY [--all]",
            "leave it alone until then",
            exemptions.exempt,
            1,
            1,
            ("control", "days", "until", "owner", "reason"),
            ("all",),
            exemptions.EXEMPT_EXAMPLE,
            changes=True,
        ),
        Command(
            "unexempt NUMBER|FINDING|TARGET [--control ID]",
            "end an exemption before its time",
            exemptions.unexempt,
            1,
            1,
            ("control",),
            example="unexempt X7F3K",
            changes=True,
        ),
        Command(
            "exemptions [--after PLACE]",
            "all that is exempt, why and until when",
            exemptions.exemptions,
            options=("after",),
            example="exemptions",
        ),
        Command(
            f"pause [CONTROL] --hours N|{_UNTIL} --reason WHY",
            "repair nothing until then; goes on watching and telling",
            pauses.pause,
            0,
            1,
            ("hours", "days", "until", "reason"),
            example=pauses.PAUSE_EXAMPLE,
            changes=True,
        ),
        Command(
            "resume [CONTROL] [--breakers] [--fights] [--tries] [--all]",
            "lift a pause; with an option, let go on what else stands still",
            pauses.resume,
            0,
            1,
            flags=pauses.KINDS,
            example="resume --all",
            changes=True,
        ),
        Command(
            "suspend USER|ROLE|FINDING [--days N|--until YYYY-MM-DD] --reason WHY",
            "let somebody do nothing until you release him",
            suspensions.suspend,
            1,
            1,
            ("days", "until", "reason"),
            example=suspensions.EXAMPLE,
            changes=True,
        ),
        Command(
            "release NUMBER|USER|ROLE",
            "let somebody who is suspended act again",
            suspensions.release,
            1,
            1,
            example="release S7F3K",
            changes=True,
        ),
        Command(
            "suspensions [--after PLACE]",
            "who is suspended, by whom and why",
            held.suspensions,
            options=("after",),
            example="suspensions",
        ),
        Command(
            "redrive [--drop]",
            "bring back what failed too often; says what it was",
            dead_letters.redrive,
            flags=("drop",),
            example="redrive",
            changes=True,
        ),
        Command("help [COMMAND]", "this", help_, 0, 1, example="help exempt"),
    )
}
