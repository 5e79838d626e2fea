"""Alerts about what is out of line and not repaired now: found, reminded of, escalated, stopped. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from plumbline.alerts.alert import Alert, Sender, attributes_of, body_of
from plumbline.alerts.finding import about, sentence, spelled_out, what_happened
from plumbline.alerts.wording import clean, moment, subject_line
from plumbline.baseline.rules import Breakers
from plumbline.core.calls import Plan
from plumbline.core.control import Control
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import State
from plumbline.findings.clocks import WOULD_HAVE
from plumbline.findings.finding import Finding
from plumbline.wakes.messages import Wake


def found(
    control: Control,
    finding: Finding,
    transition: str,
    state: State,
    plan: Plan,
    held: str,
    sender: Sender,
    *,
    last: bool = False,
) -> Alert:
    """A deviation that is not repaired now, and why; or the reminder of one."""
    verb = {"opened": "found", "escalated": "escalated", WOULD_HAVE: "would have repaired"}.get(
        transition, "last reminder" if last else "reminder"
    )
    lead = f"{sentence(control, finding)} {held}"
    if verb != "found":
        lead = f"{sentence(control, finding)} It has been so since {moment(finding.first_seen)}. {held}"
    rows = what_happened(finding) | {
        "Now": control.describe(state),
        "Back": f"it was put right on {moment(finding.back_since)}, and is back" if finding.back_since else "",
        "Not undone": plan.irreversible,
        "Not repaired": spelled_out(plan.left),
        "Mind": plan.means,
    }
    escalation, later = transition == "escalated", plan.later
    return about(verb, control, finding, sender, lead=lead, rows=rows, escalation=escalation, later=later)


def resolved(control: Control, finding: Finding, state: State, sender: Sender) -> Alert:
    """Something that was told of by half, and is over."""
    lead = f"{sentence(control, finding, past=True)} It is in line again, and Plumbline did not have to act."
    rows = what_happened(finding) | {"Now": control.describe(state)}
    return about("resolved", control, finding, sender, lead=lead, rows=rows, past=True)


def noted(control: Control, finding: Finding, state: State, sender: Sender) -> Alert:
    """Something only an event could tell."""
    lead = f"{sentence(control, finding)} Plumbline only tells about this; it changed nothing."
    rows = what_happened(finding) | {"Seen": control.describe(state)}
    return about("seen", control, finding, sender, lead=lead, rows=rows)


def fight(control: Control, finding: Finding, repairs: Sequence[datetime], sender: Sender) -> Alert:
    """Somebody keeps putting a deviation back."""
    other = "the other side, named below" if finding.cause.action else "the other side, whom CloudTrail's history names"
    lead = (
        f"{sentence(control, finding)} Plumbline has repaired it {len(repairs)} times in 24 hours and somebody puts "
        f"it back each time, so it has stopped. Settle it with {other}: change their pipeline, or the baseline. "
        "Plumbline tries again when the first of these repairs is a day old."
    )
    rows = what_happened(finding) | {"Repaired": "; ".join(f"{moment(at)}" for at in repairs)}
    return about("fight", control, finding, sender, lead=lead, rows=rows, resume=True)


def breaker(control: Control, finding: Finding, limits: Breakers, *, in_all: bool, sender: Sender) -> Alert:
    """Too many repairs in one hour."""
    limit = limits.in_all if in_all else limits.per_control
    of_what = "in all" if in_all else f"of {control.id}"
    lead = (
        f"Plumbline has made {_repairs(limit)} {of_what} within this clock hour, its limit, and has stopped repairing "
        "until the next. It keeps watching, and every deviation is written down. So many at once are usually a "
        "deployment or a mistake in the baseline. Look before the next hour begins."
    )
    rows = {"First one left": f"{control.name(finding.target)} {finding.deviation.summary}"}
    return about(
        "stopped",
        control,
        finding,
        sender,
        lead=lead,
        rows=rows,
        resume=True,
        subject=f"{_repairs(limit)} {of_what} in one hour",
    )


def _repairs(count: int) -> str:
    return f"{count} repair{'s' * (count != 1)}"


def unknown(control: Control, wake: Wake, error: AwsRefusal, sender: Sender) -> Alert:
    """Plumbline could not look."""
    what = "the targets" if wake.target.is_pattern else control.name(wake.target)
    lead = (
        f"Plumbline could not look at {clean(what)} for {control.id}. It has judged nothing and changed nothing, and "
        "looks again by itself. While this lasts, this rule is not held. You hear of it at most once a day."
    )
    rows = {"AWS said": str(error), "Account": wake.target.account, "Region": wake.target.region}
    body = body_of(lead, rows, control, sender, commands={"status": "how things stand"})
    subject = subject_line("cannot look", f"{control.id}: {error.code}")
    return Alert(subject, body, attributes_of(control, wake.target.account, wake.target.region, "unknown"))
