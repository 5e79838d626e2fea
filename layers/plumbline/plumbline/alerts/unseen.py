"""Alerts about what cannot be looked at. Pure."""

from __future__ import annotations

from dataclasses import replace

from plumbline.alerts.alert import Alert, Sender
from plumbline.alerts.finding import about, sentence, what_happened
from plumbline.alerts.held import not_seen
from plumbline.alerts.wording import clean, moment, subject_line
from plumbline.core.control import Control
from plumbline.findings.finding import Finding
from plumbline.findings.unseen import LASTING, Unseen

#: What AWS's words say of the policy that denies, and where it is found.
#: Source: IAM user guide, Troubleshoot access denied error messages.
_DENIED_BY = {
    "explicit deny in a service control policy": "your organisation's service control policies",
    "explicit deny in a resource control policy": "your organisation's resource control policies",
    "explicit deny in a resource-based policy": "the target's own policy",
    "explicit deny in a permissions boundary": "the permissions boundary of that role",
    "explicit deny in a VPC endpoint policy": "the policy of the VPC endpoint",
    "explicit deny in a session policy": "the policy of the session",
    "explicit deny in an identity-based policy": "the policies of that role",
}
#: The same where nothing denies and nothing allows.
_NOT_ALLOWED_BY = {
    "no service control policy allows": "your organisation's service control policies",
    "no resource control policy allows": "your organisation's resource control policies",
    "no permissions boundary allows": "the permissions boundary of that role",
    "no identity-based policy allows": "the policies of that role; docs/operating.md says what brings them back",
}


def cannot_look(
    control: Control, finding: Finding, unseen: Unseen, transition: str, sender: Sender, *, waits: bool
) -> Alert:
    """A target that cannot be looked at: the first e-mail, a reminder, an escalation.

    Args:
        control: the rule.
        finding: what is known; its deviation is the one from before, unless nothing else is known.
        unseen: what keeps Plumbline from looking.
        transition: what is told.
        sender: names commands and account.
        waits: whether its repair is due, and waits until somebody can see.
    """
    name, why = control.name(finding.target), finding.deviation.summary
    verb = "reminder" if transition.startswith("reminded") else "cannot look"
    verb = transition if transition == "escalated" else verb
    rows = what_happened(finding) | {
        "Unseen after": "" if finding.is_blind else _event(finding, unseen),
        "Refused": unseen.action,
        "Mistake" if unseen.by_mistake else "AWS said": unseen.said,
        "What to do": _advice(unseen, f"{sender.stack}-eyes"),
    }
    lead = (
        _of_the_unseen(finding, unseen, name) if finding.is_blind else _of_an_open_one(control, finding, unseen, waits)
    )
    made = finding.is_made_unseen
    alert = about(verb, control, finding, sender, lead=lead, rows=rows, escalation=transition == "escalated", undo=made)
    what = f"{name}, {why.removeprefix('cannot be looked at: ')}" if finding.is_blind else f"{name} {why}"
    return replace(alert, subject=subject_line(verb, what, unseen.cause.who if unseen.cause.action else ""))


def next_step(finding: Finding, unseen: Unseen) -> str:
    """What comes next, as it stands in lists."""
    since = f"{unseen.since:%Y-%m-%d %H:%M} UTC"
    if finding.is_blind:
        return f"unseen since {since}; looked at again every hour, and judged when it can be seen"
    if finding.is_made_unseen:
        return not_seen(unseen)
    return f"unseen since {since} ({unseen.code}): nothing of it is repaired until it can be seen"


def _of_the_unseen(finding: Finding, unseen: Unseen, name: str) -> str:
    does = "list" if finding.target.is_pattern else "look at"
    return (
        f"Plumbline cannot {does} {clean(name)} since {moment(unseen.since)}. Nobody knows whether it is in line with "
        "this rule, and nothing of it is repaired. Plumbline tries again every hour, and judges it when it can."
    )


def _of_an_open_one(control: Control, finding: Finding, unseen: Unseen, waits: bool) -> str:  # noqa: FBT001
    if finding.is_made_unseen:
        return (
            f"{sentence(control, finding)} So it was when it was last seen. Plumbline repaired it at "
            f"{moment(finding.repairs[-1].at)}, AWS accepted every change, and nobody has been able to look at it "
            "since. It tries again every hour. Its clock goes on."
        )
    due = (
        "Its repair is due, and waits until it can be seen"
        if waits
        else "Nothing of it is repaired until it can be seen"
    )
    return (
        f"{sentence(control, finding)} So it was when it was last seen. Since {moment(unseen.since)} Plumbline cannot "
        f"look at it, and tries again every hour. Its clock goes on. {due}."
    )


def _event(finding: Finding, unseen: Unseen) -> str:
    """The event that led there, in one line."""
    cause = unseen.cause
    return f"{what_happened(replace(finding, cause=cause))['When']} of {cause.who}" if cause.action else ""


def _advice(unseen: Unseen, role: str) -> str:
    """Which statement to look for, and where."""
    if unseen.by_mistake:
        return "report the line above to whoever maintains this rule; until then exempt it, or switch the rule off"
    if unseen.code not in LASTING:
        return "nothing, if AWS is down; else raise the limit that the answer names"
    exempt = "Or exempt it, if it is meant to be so"
    for words, where in _NOT_ALLOWED_BY.items():
        if words in unseen.said:
            return f"let the role {role} make this call: what does not allow it is in {where}. {exempt}"
    found = (where for words, where in _DENIED_BY.items() if words in unseen.said)
    where = next(
        found, "the target's own policy, your organisation's policies, or the permissions boundary of that role"
    )
    return f"let the role {role} make this call: look for a statement that denies it in {where}. {exempt}"
