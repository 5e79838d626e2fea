"""One alert for what an upgrade brought: each new rule, what it does, and what it found. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from plumbline.alerts.alert import Alert, Sender, how_to
from plumbline.alerts.listing import alike, entry
from plumbline.alerts.wording import WIDTH, clean, moment, paragraph, subject_line, wrapped
from plumbline.baseline.rules import Rule
from plumbline.core.clock import FOUND_BY_SWEEP, Clock, Response
from plumbline.core.control import Control
from plumbline.findings.finding import Finding

#: Characters of all lists together, far below what SNS takes.
_ROOM = 150_000


def news(
    controls: Mapping[str, Control],
    rules: Mapping[str, Rule],
    findings: Sequence[Finding],
    sender: Sender,
    *,
    now: datetime,
) -> Alert:
    """What is new in this version, worst first.

    Args:
        controls: the registry.
        rules: what the baseline says of each new control, by id.
        findings: what these found, as this e-mail tells of it: with the grace that begins with it.
        sender: names commands and account.
        now: the time, in UTC.
    """
    ordered = sorted(rules, key=lambda one: (controls[one].severity.rank, one))
    lines, room = list[str](), _ROOM
    for count, control in enumerate(ordered):
        if room < 0:
            lines += ["", f"  and {len(ordered) - count} more rules: docs/controls.md lists them all"]
            break
        added = [
            "",
            *_of(controls[control], rules[control], [one for one in findings if one.control == control], controls),
        ]
        room -= sum(len(line) + 1 for line in added)
        lines += added
    graces = [one.grace_until for one in findings if one.grace_until and one.grace_until > now]
    commands = {
        f"show {findings[0].short}" if findings else "": "all about it",
        f"exempt {findings[0].short} --days 30 --owner ME --reason WHY" if findings else "": "leave it alone",
        "enforce" if graces else "": "end the grace",
        "findings": "all that is open",
    }
    body = "\n\n".join(
        [
            paragraph(_lead(len(ordered), len(findings), graces), indent="  "),
            "\n".join(lines).strip("\n"),
            paragraph(_HOW, indent="  "),
            how_to(sender, {one: what for one, what in commands.items() if one}),
            f"Plumbline, account {sender.account}",
        ]
    )
    worst = min((controls[one.control].severity for one in findings), key=lambda one: one.rank, default=None)
    attributes = {
        "severity": worst.value if worst else "low",
        "account": sender.account,
        "region": sender.region,
        "outcome": "new-in-this-version",
        "escalation": "false",
    }
    subject = f"{_rules(len(ordered))}, {_things(len(findings))} out of line"
    return Alert(subject_line("new in this version", subject), body + "\n", attributes)


_HOW = (
    "Whatever you want otherwise stands in baseline.yaml, a line for each rule, as in "
    "`RULE: {mode: observe}` below controls: observe tells what it would do, off neither watches nor tells. "
    "docs/controls.md says why each rule is there."
)


def does(rule: Rule) -> str:
    """What a rule does about what is out of line, in a few words.

    Args:
        rule: as the baseline has it.
    """
    if rule.response is Response.ALERT:
        return "tells; a person repairs"
    if rule.response is Response.OBSERVE:
        return "tells what it would repair, and repairs nothing"
    if rule.response is Response.PROPOSE:
        return "mails each repair, and waits for your approval"
    default = rule.clocks["default"]
    first = _acts(default, "what happens from now on")
    found = rule.clocks.get(FOUND_BY_SWEEP)
    return f"{first}; {_acts(found, 'what was there before')}" if found and found != default else first


def _acts(clock: Clock, what: str) -> str:
    if clock.act is None:
        return f"tells of {what}"
    when = f"after {_long(clock.act)}" if clock.act else "at once"
    verb = "proposes to repair" if clock.mode is Response.PROPOSE else "repairs"
    return f"{verb} {what} {when}"


def _long(time: timedelta) -> str:
    hours = int(time.total_seconds() // 3600)
    number, unit = (hours // 24, "day") if hours % 24 == 0 else (hours, "hour")
    return f"{number} {unit}{'s' * (number != 1)}"


def _of(control: Control, rule: Rule, found: Iterable[Finding], controls: Mapping[str, Control]) -> list[str]:
    """One rule: what it holds, what it does, what it found."""
    title = f"{control.severity.value}: {control.prose['Title'] or control.id}"
    head = [f"  {line}" for line in wrapped(clean(title), WIDTH - 2)]
    head += [f"    {line}" for line in wrapped(f"{control.id} {does(rule)}.", WIDTH - 4)]
    listed = [line for group in alike(controls, list(found)) for line in entry(controls, group)]
    return [*head, *(listed or ["    Nothing is out of line."])]


def _lead(rules: int, things: int, graces: Sequence[datetime]) -> str:
    came = f"This version of Plumbline holds {_rules(rules)} that the one before did not."
    if not things:
        return f"{came} Nothing is out of line with {'it' if rules == 1 else 'them'}. Worst first:"
    was, they = ("it was", "it is") if things == 1 else ("they were", "they are")
    alone = f"{they} left alone until {moment(min(graces))} at least" if graces else "no time of grace was asked for"
    out = f"{_things(things)} {'is' if things == 1 else 'are'} out of line: {was} so before, and {alone}."
    return f"{came} {out} Nothing that a new rule finds was repaired before this e-mail. Worst first:"


def _rules(count: int) -> str:
    return f"{count} rule{'s' * (count != 1)}"


def _things(count: int) -> str:
    return f"{count} thing{'s' * (count != 1)}"
