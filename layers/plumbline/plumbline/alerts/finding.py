"""The shape of an alert about one finding: what happened, who did it, what can be typed. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from plumbline.alerts.alert import MAX_BODY_TEXT, Alert, Sender, attributes_of, body_of
from plumbline.alerts.wording import clean, moment, subject_line
from plumbline.core.cause import Cause
from plumbline.core.clock import instant
from plumbline.core.control import Control
from plumbline.core.giving import takes_a_person
from plumbline.core.targets import GLOBAL
from plumbline.findings.finding import Finding

_SHORT_TEXT = 60


_CONSOLE = "the AWS console, in a browser"


#: What a user agent contains, and what people call the tool. The first that fits: Terraform carries an SDK's name too.
_TOOLS = {
    "terraform": "Terraform",
    "cloudformation": "CloudFormation",
    "pulumi": "Pulumi",
    "aws-cli": "AWS CLI",
    "boto3": "Boto3 (Python)",
    "botocore": "Botocore (Python)",
    "aws-sdk-go-v2": "AWS SDK for Go",
    "aws-sdk-js": "AWS SDK for JavaScript",
    "aws-sdk-java": "AWS SDK for Java",
    "console.amazonaws.com": _CONSOLE,
    "signin.amazonaws.com": _CONSOLE,
    "mozilla": _CONSOLE,
}


def what_happened(finding: Finding) -> dict[str, str]:
    """Where, who, when, from where and with which tool, as rows of a table."""
    cause, target = finding.cause, finding.target
    return {
        "Where": f"account {target.account}" + ("" if target.region == GLOBAL else f", {target.region}"),
        "Who": _who(cause),
        "When": _when(cause, finding),
        "From": cause.source,
        "With": _tool(cause.tool),
        "Template": "a stack asked for this and brings it back: change its template" if cause.is_of_a_stack else "",
    }


def _tool(user_agent: str) -> str:
    """The tool behind a user agent, in the words of whoever runs it; what is unknown is shown as it is, shortened."""
    for name, tool in _TOOLS.items():
        if found := re.search(rf"(?i){name}(/[\w.]+)?", user_agent):
            return f"{tool}{found[1].replace('/', ' ')}" if found[1] and tool != _CONSOLE else tool
    return clean(user_agent, _SHORT_TEXT)


def _who(cause: Cause) -> str:
    if not cause.action:
        return "not known: a scheduled sweep found it, no event announced it"
    return f"{cause.who}, {cause.principal}" if cause.principal and cause.principal != cause.who else cause.who


def _when(cause: Cause, finding: Finding) -> str:
    if not cause.action:
        return f"first seen {moment(finding.first_seen)}"
    happened = instant(cause.at)
    return f"{moment(happened) if happened else cause.at}, by {cause.action}"


def sentence(control: Control, finding: Finding, *, past: bool = False) -> str:
    """The deviation as one sentence that begins with a capital and ends with a full stop."""
    text = clean(
        f"{control.name(finding.target)} {past_tense(finding.deviation.summary) if past else finding.deviation.summary}"
    )
    return text[0].upper() + text[1:].rstrip(".") + "."


def _back(finding: Finding) -> str:
    """What an undo does, and whose rights it takes."""
    calls = [call for one in finding.undoable for call in one.undo]
    return "put it back, with your rights" if takes_a_person(calls) else "put it back"


def past_tense(summary: str) -> str:
    """A summary as it reads once it is over: "was public"."""
    for now, then in (
        ("is ", "was "),
        ("are ", "were "),
        ("has ", "had "),
        ("does ", "did "),
        ("cannot ", "could not "),
    ):
        if summary.startswith(now):
            return then + summary.removeprefix(now)
    return summary


def spelled_out(left: Mapping[str, str]) -> str:
    """The facts that no repair can put right, those of one reason together; empty where there are none."""
    of: dict[str, list[str]] = {}
    for fact, why in left.items():
        of.setdefault(why, []).append(fact)
    return "; ".join(f"{', '.join(facts)}: {why}" for why, facts in of.items())


def about(
    verb: str,
    control: Control,
    finding: Finding,
    sender: Sender,
    *,
    lead: str,
    rows: Mapping[str, str],
    past: bool = False,
    undo: bool = False,
    escalation: bool = False,
    resume: str = "",
    suspend: bool = False,
    subject: str = "",
    later: Sequence[str] = (),
) -> Alert:
    """An alert about one finding.

    Args:
        verb: what happened, as its subject begins.
        control: the rule.
        finding: the deviation.
        sender: names commands and account.
        lead: the first paragraph.
        rows: the table below it.
        past: whether the deviation is over.
        undo: whether an undo can be typed.
        escalation: whether the escalation address gets it too.
        resume: what kind of resume lets it be repaired again, as `CONTROL --fights`; empty where none does.
        suspend: whether whoever did it is proposed to be suspended, where an event names him.
        subject: what its subject says instead of the deviation.
        later: shell commands that a person may need because of the repair.
    """
    summary = past_tense(finding.deviation.summary) if past else finding.deviation.summary
    what = subject or f"{control.name(finding.target)} {summary}"
    who = finding.cause.who if finding.cause.action and not subject else ""
    short = finding.short
    commands = {
        f"suspend {short} --reason WHY": "let who did it do nothing" if suspend and finding.cause.actor else "",
        f"undo {short}": _back(finding) if undo else "",
        f"approve {short}": "do what is proposed" if finding.proposal else "",
        f"resume {resume}": "repair again now" if resume else "",
        f"enforce {short}": "end its grace" if finding.is_open and finding.spared(finding.last_seen) else "",
        f"exempt {short} --days 7 --owner ME --reason WHY": "leave it alone" if finding.is_open or undo else "",
        f"show {short}": "all about it",
        "status": "how things stand",
    }
    commands = {one: what for one, what in commands.items() if what}
    return Alert(
        subject_line(verb, what, who),
        body_of(lead, rows, control, sender, commands, later),
        attributes_of(control, finding.target.account, finding.target.region, verb, escalation=escalation)
        | {"finding": finding.id},
        about={
            "target": clean(str(finding.target)),
            "deviation": clean(finding.deviation.summary),
            "status": finding.status.value,
            "who": clean(finding.cause.who),
            "action": clean(finding.cause.action),
            "lead": clean(lead, MAX_BODY_TEXT),
        },
        commands=[f"plumbline {one}" for one in commands],
    )
