"""Alerts about what is out of line and not repaired now: found, reminded of, escalated, stopped. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from plumbline.alerts.alert import Alert, Sender
from plumbline.alerts.finding import about, sentence, spelled_out, what_happened
from plumbline.alerts.wording import moment
from plumbline.core.calls import Plan
from plumbline.core.control import Control, Severity
from plumbline.core.errors import TooLarge
from plumbline.core.targets import State
from plumbline.findings.clocks import WOULD_HAVE
from plumbline.findings.finding import Finding


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


def noted(control: Control, finding: Finding, state: State, sender: Sender, but: str = "") -> Alert:
    """Something only an event could tell; `but` says why somebody may think that it would not be told."""
    lead = f"{sentence(control, finding)} {but or 'Plumbline only tells about this; it changed nothing.'}"
    rows = what_happened(finding) | {"Seen": control.describe(state)}
    return about("seen", control, finding, sender, lead=lead, rows=rows)


def gone(control: Control, finding: Finding, state: State, sender: Sender) -> Alert:
    """Something that an event announced, and that was over when Plumbline looked."""
    lead = (
        f"{sentence(control, finding)} Plumbline changed nothing. Whoever could use it meanwhile may have done so: "
        "look in CloudTrail's event history at what was done with it from the time below on."
    )
    rows = what_happened(finding) | {"Target": str(finding.target), "Now": control.describe(state)}
    return about("came and went", control, finding, sender, lead=lead, rows=rows, suspend=True)


def fight(control: Control, finding: Finding, repairs: Sequence[datetime], sender: Sender) -> Alert:
    """Somebody keeps putting a deviation back."""
    other = "the other side, named below" if finding.cause.action else "the other side, whom CloudTrail's history names"
    lead = (
        f"{sentence(control, finding)} Plumbline has repaired it {len(repairs)} times in 24 hours and somebody puts "
        f"it back each time, so it has stopped. Settle it with {other}: change their pipeline, or the baseline. "
        "Plumbline tries again when the first of these repairs is a day old."
    )
    rows = what_happened(finding) | {"Repaired": "; ".join(f"{moment(at)}" for at in repairs)}
    grave = control.severity is Severity.CRITICAL
    resume = f"{control.id} --fights"
    return about("fight", control, finding, sender, lead=lead, rows=rows, resume=resume, suspend=grave)


def too_large(control: Control, finding: Finding, error: TooLarge, sender: Sender, *, escalated: bool = False) -> Alert:
    """Something that the ledger cannot hold, so that a repair of it could not be taken back.

    Args:
        control: the rule.
        finding: the deviation.
        error: what did not fit.
        sender: names commands and account.
        escalated: whether it was told before, and the escalation address hears of it now.
    """
    lead = (
        f"{sentence(control, finding)} Plumbline does not repair it: what it would have to remember, to be able to "
        "take the repair back, does not fit into its ledger. A person has to put it right, or to make it smaller."
    )
    size = f"{error.size:,} bytes, and {error.limit:,} are the most" if error.size else f"over {error.limit:,} bytes"
    rows = what_happened(finding) | {"Target": str(finding.target), "Size": size}
    verb = "escalated" if escalated else "too large"
    return about(verb, control, finding, sender, lead=lead, rows=rows, escalation=escalated)
