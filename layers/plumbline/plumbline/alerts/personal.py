"""What a person is told whose user is out of line, where the roster knows an address. Pure.

The account's owner is told the same, and more: who did it, and how to undo it, is not in here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from plumbline.alerts.alert import Personal, Sender
from plumbline.alerts.finding import past_tense, sentence
from plumbline.alerts.listing import what_next
from plumbline.alerts.wording import clean, paragraph, subject_line, table
from plumbline.core.control import Control
from plumbline.core.roster import Person, address_of
from plumbline.findings.finding import Finding, Status

#: A person has few users and keys; the rest is the owner's to tell.
_MOST_TOLD = 10
_ASKS_NOTHING = (
    "Whoever runs Plumbline in this account was told the same, and answers your questions. You get this because the "
    "account's list of people names your address. Nobody asks you for a password, a code or a key because of it."
)


def personal(
    findings: Sequence[Finding], controls: Mapping[str, Control], roster: Sequence[Person], sender: Sender
) -> Sequence[Personal]:
    """One e-mail for each person of the roster whose users are among what the owner is told of.

    Args:
        findings: what the owner is told of, as it is after the telling.
        controls: the registry.
        roster: the people.
        sender: names the account.
    """
    of: dict[str, list[Finding]] = {}
    for one in findings:
        if one.control in controls and (address := address_of(one.target, roster)):
            of.setdefault(address, []).append(one)
    return [_to(address, his, controls, sender) for address, his in of.items()]


def _to(address: str, findings: Sequence[Finding], controls: Mapping[str, Control], sender: Sender) -> Personal:
    first, *more = findings
    account = f"{sender.account} ({clean(sender.alias, 60)})" if sender.alias else sender.account
    parts = [paragraph(f"This is about your own access to the AWS account {account}.", indent="  ")]
    told: dict[str, list[Finding]] = {}
    for one in findings[:_MOST_TOLD]:
        told.setdefault(one.control, []).append(one)
    for name, his in told.items():
        control = controls[name]
        for one in his:
            parts += [paragraph(sentence(control, one, past=one.status is Status.RESOLVED), indent="  "), _row(one)]
        if control.yourself and any(one.status is not Status.RESOLVED for one in his):
            parts.append("What you can do\n" + paragraph(control.yourself, indent="  "))
        parts.append("Why this rule exists\n" + paragraph(control.prose.get("Why", ""), indent="  "))
    if len(findings) > _MOST_TOLD:
        parts.append(paragraph(f"And {len(findings) - _MOST_TOLD} more of your own.", indent="  "))
    rules = ", ".join(told)
    parts += [paragraph(_ASKS_NOTHING), f"Plumbline, rule{'s' * (len(told) > 1)} {rules}, account {sender.account}"]
    what = f"{controls[first.control].name(first.target)} {_summary(first)}"
    subject = subject_line("yours", f"{what}, and {len(more)} more" if more else what)
    return Personal(address, subject, "\n\n".join(filter(None, parts)) + "\n")


def _summary(finding: Finding) -> str:
    return past_tense(finding.deviation.summary) if finding.status is Status.RESOLVED else finding.deviation.summary


def _row(finding: Finding) -> str:
    """What comes next, what was done, or how it ended."""
    if finding.is_open:
        return table({"What comes next": what_next(finding)})
    if finding.status is Status.REPAIRED and finding.repairs:
        return table({"What was done": f"Plumbline {finding.repairs[-1].plan.summary}"})
    ended = {Status.RESOLVED: "it is in line again", Status.UNDONE: "a person took back what Plumbline did"}
    return table({"Now": ended.get(finding.status, "")})
