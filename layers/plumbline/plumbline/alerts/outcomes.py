"""Alerts about what came of a repair, or of its undo. Pure."""

from __future__ import annotations

from datetime import datetime

from plumbline.alerts.alert import Alert, Sender
from plumbline.alerts.finding import about, past_tense, sentence, spelled_out, what_happened
from plumbline.alerts.wording import clean, moment, said
from plumbline.core.control import Control
from plumbline.core.targets import State
from plumbline.findings.finding import Finding
from plumbline.findings.unseen import MADE, Unseen

#: What no role of Plumbline may give, a person gives.
_OWN_RIGHTS = ", with rights of that person's own"


def repaired(control: Control, finding: Finding, sender: Sender) -> Alert:
    """A repair that held.

    What of the deviation adoption's grace still covers is left alone, and what no plan can put right is left to a
    person: the alert says so.
    """
    last = finding.repairs[-1]
    beyond = last.plan.left if finding.is_open else {}
    old = [one for one in finding.deviation.items if finding.is_open and one in finding.adopted and one not in beyond]
    until = f"until {moment(finding.grace_until)}" if finding.grace_until else ""
    if finding.unheard:
        until = "until a digest has told of it, and for its grace from then on"
    left = f"{', '.join(old)}; {until}" if old and until else ""
    rows = what_happened(finding) | {
        "Before": control.describe(last.before),
        "Now": control.describe(last.after),
        "Repair": f"{'It' if last.made_by else 'Plumbline'} {last.plan.summary}.",
        "Approved by": said(last.by),
        "Made by": f"{clean(last.made_by)}{_OWN_RIGHTS}" if last.made_by else "",
        "Not undone": last.plan.irreversible,
        "Left alone": f"{left}, for it was there before" if left else "",
        "Not repaired": spelled_out(beyond),
        "Mind": last.plan.means,
    }
    right = "Plumbline has put right what was new." if left else "Plumbline has put it right."
    if last.made_by:
        right = "A person has put it right, as Plumbline had proposed."
    if beyond:
        right = f"Plumbline has put right {'what was new and ' if left else ''}what it can; the rest needs a person."
    lead = f"{sentence(control, finding, past=True)} {right}"
    verb = "repaired in part" if beyond else "repaired"
    undo, later = bool(last.plan.undo), last.plan.later
    return about(verb, control, finding, sender, lead=lead, rows=rows, past=True, undo=undo, later=later)


def failed(control: Control, finding: Finding, again: str, sender: Sender, *, last_try: bool = False) -> Alert:
    """A repair that was not finished.

    Args:
        control: the rule.
        finding: with the repair.
        again: whether and when it is tried again, one sentence.
        sender: names commands and account.
        last_try: whether it is not tried again until a person says so.
    """
    last = finding.repairs[-1]
    total = len(last.plan.steps)
    made = f"at most {last.done} of {total} change{'s' * (total != 1)} {'were' if last.done > 1 else 'was'} made"
    if not last.done:
        made = f"none of {total} change{'s' * (total != 1)} was made"
    lead = (
        f"{sentence(control, finding)} Plumbline began to repair it and could not finish: {made}. {again}"
        f"{' What it did can be undone.' if last.undo and last.done else ''}"
    )
    rows = what_happened(finding) | {
        "Error": last.error,
        "Before": control.describe(last.before),
        "Repair": f"Plumbline {last.plan.summary}.",
        "Not repaired": spelled_out(last.plan.left),
    }
    resume = f"{control.id} --tries" if last_try else ""
    return about("repair failed", control, finding, sender, lead=lead, rows=rows, undo=bool(last.undo), resume=resume)


def unseen(control: Control, finding: Finding, why: Unseen, sender: Sender) -> Alert:
    """A repair that was made, every write of it, and that nobody could look at."""
    last = finding.repairs[-1]
    lead = (
        f"{sentence(control, finding)} Plumbline repaired it, AWS accepted every change, and does not show how it is "
        "now. Plumbline looks again within the hour, and you hear when it has seen that it is put right, or that it is "
        "not. What it did can be undone."
    )
    rows = what_happened(finding) | {
        "Refused": why.action,
        "AWS said": why.said,
        "Before": control.describe(last.before),
        "Repair": f"Plumbline {last.plan.summary}.",
        "Not undone": last.plan.irreversible,
        "Not repaired": spelled_out(last.plan.left),
        "Mind": last.plan.means,
    }
    undo, later = bool(last.plan.undo), last.plan.later
    return about(MADE, control, finding, sender, lead=lead, rows=rows, undo=undo, later=later)


def not_converged(control: Control, finding: Finding, sender: Sender) -> Alert:
    """A repair that AWS accepted and that changed nothing."""
    last = finding.repairs[-1]
    lead = (
        f"{sentence(control, finding)} Plumbline repaired it, AWS accepted every change, and it is still so. "
        "Something else may be putting it back. A person should look."
    )
    rows = what_happened(finding) | {
        "Before": control.describe(last.before),
        "Now": control.describe(last.after),
        "Repair": f"Plumbline {last.plan.summary}.",
    }
    return about("not converged", control, finding, sender, lead=lead, rows=rows, undo=bool(last.plan.undo))


def undone(
    control: Control,
    finding: Finding,
    state: State,
    until: datetime,
    sender: Sender,
    by: str = "",
    *,
    why_not: str = "",
    own_rights: bool = False,
) -> Alert:
    """A person took a repair back.

    Args:
        control: the rule.
        finding: with the repair.
        state: the target after it.
        until: how long it is left alone.
        sender: names commands and account.
        by: who typed it.
        why_not: what became of it where AWS did not show what was before.
        own_rights: whether that person made it with rights of that person's own, for it gives some.
    """
    before = finding.last_repairs[0].before
    now = why_not or "it is as it was before"
    lead = (
        f"A person took back Plumbline's repair of {clean(control.name(finding.target))}: {now}. "
        f"Plumbline leaves it alone until {moment(until)}, and then judges it afresh."
    )
    rows = {
        "It was found because it": finding.deviation.summary,
        "Before the repair": control.describe(before) if why_not else "",
        "Now": control.describe(state),
        "Undone by": f"{said(by)}{_OWN_RIGHTS if own_rights and by else ''}",
    }
    what = f"{control.name(finding.target)} {past_tense(finding.deviation.summary)}"
    return about("undone", control, finding, sender, lead=lead, rows=rows, past=True, subject=what)


def not_restored(in_vain: int, calls: int, *, gone: bool) -> str:
    """What became of an undo that did not bring back what was, one clause.

    Args:
        in_vain: how many of its calls AWS had nothing to make on.
        calls: how many there were.
        gone: whether the target does not exist any more.
    """
    if gone:
        return "it does not exist any more, so nothing of it could be brought back"
    if in_vain:
        changes = f"{in_vain} of {calls} change{'s' * (calls != 1)}"
        return f"AWS had nothing to make {changes} on, gone as it is or so already, and it is not as it was"
    return "AWS took every change, and it is still not as it was"


def undo_cut_short(control: Control, finding: Finding, state: State, sender: Sender) -> Alert:
    """A person's undo that was not finished, or that nobody was told of."""
    cut_short = "the function that did it was cut short"
    if finding.ticket:
        cut_short = "nobody has reported that what takes rights of that person's own was done"
    lead = (
        f"A person began to take back Plumbline's repair of {clean(control.name(finding.target))}, and {cut_short}. "
        "Below stands how it is now. To take back what is left of the repair, undo it again."
    )
    now = f"it cannot be looked at: {finding.unseen.said}" if finding.unseen else control.describe(state)
    rows = {"Before the repair": control.describe(finding.last_repairs[0].before), "Now": now}
    return about("undo cut short", control, finding, sender, lead=lead, rows=rows, past=True, undo=True)


def undo_failed(control: Control, finding: Finding, error: str, until: datetime, sender: Sender, by: str = "") -> Alert:
    """A person's undo that AWS refused."""
    lead = (
        f"A person wanted to take back Plumbline's repair of {clean(control.name(finding.target))}, and AWS refused a "
        f"part of it. Plumbline leaves it alone until {moment(until)}. Mend the cause, then undo it once more."
    )
    return about("undo failed", control, finding, sender, lead=lead, rows={"Error": error, "By": said(by)}, undo=True)
