"""One alert for many findings: what the first sweep found, or what came too fast. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from plumbline.alerts.alert import Alert, Sender, how_to
from plumbline.alerts.hearing import not_confirmed
from plumbline.alerts.listing import alike, entry
from plumbline.alerts.reach import unheard
from plumbline.alerts.wording import WIDTH, clean, moment, paragraph, subject_line, wrapped
from plumbline.core.control import Control, Severity
from plumbline.findings.finding import DIGEST, Finding, Status

#: Some five hundred findings, far below what SNS takes: whoever has more of them needs the command line.
_DIGEST_CHARACTERS = 150_000


def digest(
    controls: Mapping[str, Control],
    findings: Sequence[Finding],
    sender: Sender,
    *,
    now: datetime | None = None,
    unconfirmed: Sequence[str] = (),
    commanders: str = "",
) -> Alert:
    """One alert for many findings: what the first sweep found, or what came too fast. Worst first.

    Args:
        controls: the registry.
        findings: what it tells of.
        sender: names commands and account.
        now: the time, in UTC, for graces that are over at once; None where there are none.
        unconfirmed: the addresses that nobody has confirmed yet.
        commanders: who may command Plumbline, in a sentence; empty where that is not told here.
    """
    ordered = sorted(findings, key=lambda one: (_rank(controls, one), one.control, str(one.target)))
    known = [one for one in ordered if one.control in controls]
    waiting = [one for one in known if one.is_open and one.status is not Status.EXEMPT]
    adopted = [one for one in waiting if one.is_adopted]
    commands = {
        f"show {ordered[0].short if ordered else '7F3K'}": "all about it",
        f"exempt {waiting[0].short} --days 30 --owner ME --reason WHY" if waiting else "": "leave it alone",
        "enforce" if adopted else "": "end the grace",
        "findings": "all that is open",
    }
    hidden = [one for one in waiting if one.is_unseen]
    lead = _unseen_lead(ordered, adopted, hidden) if hidden else _digest_lead(ordered, adopted, now)
    body = "\n\n".join(
        [
            paragraph(lead, indent="  "),
            *([paragraph(not_confirmed(unconfirmed), indent="  ")] if unconfirmed else []),
            _listed(controls, ordered),
            *([paragraph(commanders, indent="  ")] if commanders else []),
            how_to(sender, {one: what for one, what in commands.items() if one}),
            *([paragraph(deaf, indent="  ")] if (deaf := unheard(sender.region)) else []),
            f"Plumbline, account {sender.account}",
        ]
    )
    worst = controls[known[0].control].severity.value if known else ""
    attributes = {
        "severity": worst,
        "account": sender.account,
        "region": sender.region,
        "outcome": "digest",
        "escalation": "true" if any(one.outbox == f"{DIGEST}escalated" for one in findings) else "false",
    }
    attributes = {name: text for name, text in attributes.items() if text or name != "severity"}
    judged = f", the worst is {worst}" if len(ordered) > 1 else f", severity {worst}"
    subject = f"{_things(len(ordered))}{_digest_title(ordered, adopted, hidden)}{judged if worst else ''}"
    return Alert(subject_line("digest", subject), body + "\n", attributes)


def _listed(controls: Mapping[str, Control], findings: Sequence[Finding]) -> str:
    """Findings under the titles of their controls, as many as one alert holds."""
    lines: list[str] = []
    heading, room, told = "", _DIGEST_CHARACTERS, 0
    for group in alike(controls, findings):
        if room < 0:
            lines += ["", f"  and {len(findings) - told} more. All of them: plumbline findings"]
            break
        added, told = entry(controls, group), told + len(group)
        if group[0].control != heading:
            heading = group[0].control
            added = ["", *(f"  {line}" for line in wrapped(_title(controls, heading), WIDTH - 2)), *added]
        lines += added
        room -= sum(len(line) + 1 for line in added)
    return "\n".join(lines).strip("\n")


def _digest_lead(findings: Sequence[Finding], adopted: Sequence[Finding], now: datetime | None) -> str:
    """Why these are told together; that they were there before, and are left alone, only of those it is true of."""
    things, one = _things(len(findings)), len(adopted) == 1
    order = " Worst first:" if len(findings) > 1 else ""
    if not any(each.grace_until for each in findings):
        stand = "stand here together" if len(findings) != 1 else "stands here"
        return f"{things} came after the limit of e-mails, and {stand}.{order}"
    if not adopted:
        return f"{things} to tell of: what became of {'each' if len(findings) > 1 else 'it'} stands below.{order}"
    ends = {each.grace_until for each in adopted if each.grace_until}
    until = f"{'at least ' if len(ends) > 1 else ''}until {moment(min(ends))}"
    advice = (
        "Until then put right what you would rather put right yourself, and exempt, or write into baseline.yaml, what "
        f"is meant to be so.{order}"
    )
    if now is not None and max(ends) <= now:
        return (
            f"{things} to tell of, there before Plumbline looked for the first time. No time of grace was asked for, "
            f"so each is repaired when its clock says so, from the next sweep on.{order}"
        )
    before = f"{'was' if one else 'were'} there before Plumbline looked for the first time"
    alone = f"{'it is' if one else 'they are'} left alone {until}"
    if len(adopted) == len(findings):
        are = "is" if one else "are"
        return f"{things} {are} out of line with the baseline. {'It' if one else 'They'} {before}, so {alone}. {advice}"
    some = f"{len(adopted)} of them {before}, and {alone}"
    return f"{things} to tell of. {some}. What became of the others stands below. {advice}"


def _unseen_lead(findings: Sequence[Finding], adopted: Sequence[Finding], hidden: Sequence[Finding]) -> str:
    """Why these are told together, where some of them cannot be looked at."""
    it, order = ("it" if len(hidden) == 1 else "them"), " Worst first:" if len(findings) > 1 else ""
    if len(hidden) == len(findings):
        they = "it is" if len(hidden) == 1 else "they are"
        return (
            f"{_things(len(hidden))} cannot be looked at: Plumbline is refused what would show whether {they} in line, "
            f"so nothing of {it} is repaired. Plumbline tries again every hour. Let its reading role look, or "
            f"exempt what is meant to be so.{order}"
        )
    some = f"{len(hidden)} of them cannot be looked at, so nothing of {it} is repaired until Plumbline can see {it}."
    ends = [one.grace_until for one in adopted if one.grace_until]
    old = f" What was there before Plumbline is left alone, at least until {moment(min(ends))}." if ends else ""
    return f"{_things(len(findings))} to tell of. {some}{old}{order}"


def _digest_title(findings: Sequence[Finding], adopted: Sequence[Finding], hidden: Sequence[Finding]) -> str:
    if hidden:
        return f"{'' if len(hidden) == len(findings) else f', {len(hidden)} that'} cannot be looked at"
    if adopted:
        return f"{'' if len(adopted) == len(findings) else f', {len(adopted)}'} there before Plumbline"
    return "" if any(one.grace_until for one in findings) else " in one hour"


def _things(count: int) -> str:
    return f"{count} thing{'s' * (count != 1)}"


def _rank(controls: Mapping[str, Control], finding: Finding) -> int:
    """How bad a finding is; one whose control is gone comes last."""
    return controls[finding.control].severity.rank if finding.control in controls else len(Severity)


def _title(controls: Mapping[str, Control], control: str) -> str:
    if control not in controls:
        return f"no longer a rule: {clean(control)}"
    return f"{controls[control].severity.value}: {controls[control].prose['Title'] or control} ({control})"
