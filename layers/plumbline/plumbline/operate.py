"""What a person can ask and tell Plumbline, from CloudShell: text for people, data for scripts."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from plumbline import registry, wording
from plumbline.adapters.ledger import closed_last
from plumbline.compose import Plumbline
from plumbline.core import Conflict, PlumblineError, Response
from plumbline.findings import SHORT, Finding, Repair, spoken, to_json
from plumbline.undoing import undo

#: A sweep runs every hour; two missed ones are worth a word, three raise the alarm.
_LATE = timedelta(hours=2)


class Refused(PlumblineError):
    """What was typed cannot be done. The message says why and what to type instead."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answers.

    Attributes:
        text: for people.
        data: the same for scripts, JSON-like.
        ok: whether what was asked was done.
    """

    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    ok: bool = True


def answer(plumbline: Plumbline, request: Any, *, now: datetime) -> Answer:  # noqa: ANN401 - a person typed it
    """Do what a request says; a refusal is an answer too, never an exception.

    Args:
        plumbline: the account's Plumbline.
        request: `{"command": "undo 7F3K"}` or `{"command": ["undo", "7F3K"]}`.
        now: the time, in UTC.
    """
    try:
        words = _words(request)
        name, arguments = (words[0], words[1:]) if words else ("help", [])
        command = _COMMANDS.get(name)
        if command is None:
            raise Refused(f"there is no command '{wording.clean(name, 40)}'.\n\n{_HELP}")
        return command(plumbline, arguments, now)
    except Conflict:
        return Answer(
            "Somebody is working on the same thing at this moment. Type the same again in two minutes.", ok=False
        )
    except PlumblineError as error:
        return Answer(str(error), {"error": type(error).__name__, "message": str(error)}, ok=False)


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


def status(plumbline: Plumbline, arguments: Sequence[str], now: datetime) -> Answer:
    """What is watched, when it was last looked at, and what is open."""
    _expect(arguments, 0, "status")
    findings = _by_urgency(plumbline, plumbline.ledger.open_findings(plumbline.account))
    swept = plumbline.ledger.last_sweep(plumbline.account)
    rules = plumbline.engine.baseline.rules
    modes = {name: sum(rule.response is name for rule in rules.values()) for name in Response}
    data = {
        "account": plumbline.account,
        "region": plumbline.engine.deployment.home,
        "mode": plumbline.engine.deployment.mode.value,
        "controls": {name.value: count for name, count in modes.items() if count},
        "last_sweep": swept.isoformat() if swept else None,
        "open": [_brief(one) for one in findings],
    }
    deployment = plumbline.engine.deployment
    watching = ", ".join(f"{count} {name.value}" for name, count in modes.items() if count)
    lines = [
        f"Plumbline, account {plumbline.account}, {deployment.home}, mode {deployment.mode.value}",
        f"  controls    {len(rules)}: {watching}",
        f"  last sweep  {_swept(swept, now)}",
        f"  open        {len(findings) or 'nothing'}",
    ]
    return Answer("\n".join([*lines, *(["", *_rows(plumbline, findings)] if findings else [])]), data)


def findings(plumbline: Plumbline, arguments: Sequence[str], _now: datetime) -> Answer:
    """The open findings, worst first."""
    _expect(arguments, 0, "findings")
    found = _by_urgency(plumbline, plumbline.ledger.open_findings(plumbline.account))
    if not found:
        return Answer("Nothing is open: everything watched is in line with the baseline.", {"findings": []})
    text = "\n".join([*_rows(plumbline, found), "", f"Type: plumbline show {found[0].short}"])
    return Answer(text, {"findings": [_brief(one) for one in found]})


def show(plumbline: Plumbline, arguments: Sequence[str], _now: datetime) -> Answer:
    """Everything about one finding."""
    _expect(arguments, 1, "show FINDING")
    finding = _finding(plumbline, arguments[0])
    control = plumbline.engine.controls.get(finding.control)
    name = control.name(finding.target) if control else str(finding.target)
    rows = {
        "What": f"{name} {finding.deviation.summary}",
        "Status": finding.status.value,
        "Control": finding.control,
        "Target": str(finding.target),
        "First seen": wording.moment(finding.first_seen),
        "Closed": wording.moment(finding.closed_at) if finding.closed_at else "",
        "Next step": wording.moment(finding.due) if finding.due and finding.is_open else "",
        "Found by": finding.origin.value,
        "Who": f"{finding.cause.who} {finding.cause.principal}".strip(),
        "Did": f"{finding.cause.action} {finding.cause.at}".strip(),
        "From": f"{finding.cause.source} {finding.cause.tool}".strip(),
        "Told": ", ".join(finding.told),
    }
    parts = [f"Finding {finding.id}", wording.table(rows)]
    parts += [_repair_text(plumbline, finding, one) for one in finding.repairs]
    if control:
        parts.append(f"Why this rule exists\n  {registry.prose(control.id).get('Why', '')}")
    if any(one.undone is None and one.undo for one in finding.repairs):
        parts.append(f"To take the repair back, type: plumbline undo {finding.short}")
    return Answer("\n\n".join(parts), json.loads(to_json(finding)))


def take_back(plumbline: Plumbline, arguments: Sequence[str], now: datetime) -> Answer:
    """Put back what was before a repair."""
    force = "--force" in arguments
    names = [one for one in arguments if one != "--force"]
    _expect(names, 1, "undo FINDING [--force]")
    finding = _finding(plumbline, names[0])
    done = undo(plumbline.engine, plumbline.ledger, finding, now=now, force=force)
    control = plumbline.engine.controls[finding.control]
    last = finding.repairs[-1].plan
    rows = {
        "Now": control.describe(done.state),
        "Left alone": f"until {wording.moment(done.until)}; after that it is judged afresh",
        "Not undone": last.irreversible,
    }
    text = f"Undone: {wording.clean(control.name(finding.target))} is as it was before the repair {finding.short}."
    return Answer(f"{text}\n{wording.table(rows)}", {"finding": done.finding.id, "until": done.until.isoformat()})


def help_(_plumbline: Plumbline, _arguments: Sequence[str], _now: datetime) -> Answer:
    """What can be typed."""
    return Answer(_HELP, {"commands": sorted(_COMMANDS)})


_HELP = """Plumbline understands:
  plumbline status                   what is watched, when it was last looked at, what is open
  plumbline findings                 the open findings, worst first
  plumbline show FINDING             everything about one of them, such as 7F3K
  plumbline undo FINDING [--force]   put back what was before its repair"""

_COMMANDS: Mapping[str, Callable[[Plumbline, Sequence[str], datetime], Answer]] = {
    "status": status,
    "findings": findings,
    "show": show,
    "undo": take_back,
    "help": help_,
}


def _expect(arguments: Sequence[str], count: int, usage: str) -> None:
    if len(arguments) != count:
        raise Refused(f"type: plumbline {usage}")


def _finding(plumbline: Plumbline, typed: str) -> Finding:
    prefix = spoken(typed)
    if len(prefix) < SHORT or not prefix.isalnum():
        raise Refused(
            f"'{wording.clean(typed, 40)}' is no finding's id; ids have {SHORT} or more letters or digits, as 7F3K. "
            "Type: plumbline findings"
        )
    found = closed_last({one.id: one for one in plumbline.ledger.by_id(plumbline.account, prefix)}.values())
    if not found:
        raise Refused(f"there is no finding {prefix}. Ids stand in the e-mails and in: plumbline findings")
    if len(found) > 1:
        longer = "\n".join(f"  {one.id}  {one.control}  {wording.clean(str(one.target), 60)}" for one in found)
        raise Refused(f"{len(found)} findings begin with {prefix}; type more of its id:\n{longer}")
    return found[0]


def _by_urgency(plumbline: Plumbline, found: Sequence[Finding]) -> list[Finding]:
    """Worst first, then what is due soonest."""
    never = datetime.max.replace(tzinfo=timezone.utc)

    def rank(one: Finding) -> tuple[int, datetime, str]:
        control = plumbline.engine.controls.get(one.control)
        return (control.severity.rank if control else 0, one.due or never, one.id)

    return sorted(found, key=rank)


def _brief(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "control": finding.control,
        "target": str(finding.target),
        "status": finding.status.value,
        "summary": finding.deviation.summary,
        "first_seen": finding.first_seen.isoformat(),
        "due": finding.due.isoformat() if finding.due else None,
    }


def _rows(plumbline: Plumbline, found: Sequence[Finding]) -> list[str]:
    lines = []
    for one in found:
        control = plumbline.engine.controls.get(one.control)
        name = control.name(one.target) if control else str(one.target)
        severity = control.severity.value if control else "?"
        due = f"next step {one.due:%Y-%m-%d %H:%M} UTC" if one.due else "waits for a person"
        lines += [
            f"{one.short}  {severity:<8}  {one.status.value}, {due}",
            f"      {wording.clean(f'{name} {one.deviation.summary}', 140)}",
        ]
    return lines


def _repair_text(plumbline: Plumbline, finding: Finding, repair: Repair) -> str:
    control = plumbline.engine.controls.get(finding.control)
    rows = {
        "Repair": f"{wording.moment(repair.at)}: Plumbline {repair.plan.summary}",
        "Before": control.describe(repair.before) if control else "",
        "After": control.describe(repair.after) if control and repair.after is not None else "",
        "Error": repair.error,
        "Undone": wording.moment(repair.undone) if repair.undone else "",
        "No undo for": repair.plan.irreversible,
    }
    calls = "\n".join(
        f"    {call.action} {wording.clean(json.dumps(dict(call.parameters)), 200)}" for call in repair.plan.do
    )
    return f"{wording.table(rows)}\n  Calls made\n{calls}"


def _swept(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "not yet; the first one follows the deployment within the hour"
    ago = int((now - at).total_seconds() // 60)
    late = "  LATE: it should run every hour; see the alarms" if now - at > _LATE else ""
    return f"{ago} minute{'s' * (ago != 1)} ago, {wording.moment(at)}{late}"
