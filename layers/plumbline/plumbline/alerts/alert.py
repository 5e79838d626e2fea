"""An alert: one e-mail, ready for SNS. Pure.

SNS takes a subject of ASCII without line breaks, under 100 characters, and a message of at most 256 KB.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from plumbline.alerts import shell
from plumbline.alerts.harmless import harmless_command
from plumbline.alerts.wording import WIDTH, clean, indented, paragraph, subject_line, table
from plumbline.baseline.rules import STACK
from plumbline.core.control import Control, Severity

MAX_BODY_TEXT = 1000
#: What letters to people carry for filters; see functions/names/people.py, which subscribes them.
ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Sender:
    """What alerts need to name the account and its commands.

    Attributes:
        account: the account Plumbline runs in.
        region: the region of the operate function.
        stack: the name of the stack; its function is called after it.
        alias: what the account is called by its owners; may be empty.
    """

    account: str = ""
    region: str = "us-east-1"
    stack: str = STACK
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Personal:
    """What the person is told whose user an alert is about, beside the account's owner.

    Attributes:
        address: where the person hears, in lower case; subscriptions filter on it.
        subject: ASCII, one line, under 100 characters.
        body: plain text.
    """

    address: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Alert:
    """One e-mail, ready for SNS.

    Attributes:
        subject: ASCII, one line, under 100 characters.
        body: plain text.
        attributes: SNS message attributes that subscriptions filter on.
        about: what other programs want to know: the target, the deviation, who did it. Cleaned.
        commands: what can be typed.
        personal: what the people are told whose users it is about.
    """

    subject: str
    body: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    commands: Sequence[str] = ()
    personal: Sequence[Personal] = ()


def command(sender: Sender) -> str:
    """The shell function that makes `plumbline ...` work in CloudShell."""
    return shell.function(sender.account, sender.region, f"{sender.stack}-operate")


def notice(
    verb: str,
    what: str,
    *,
    control: str,
    lead: str,
    rows: Mapping[str, str],
    commands: Mapping[str, str],
    sender: Sender,
) -> Alert:
    """An alert about what a person decided, or forgot: an exemption, a pause.

    It carries a control, or `*` for all, and a severity, so that who filters by them hears what people decide.
    """
    tail = f"Plumbline, account {sender.account}"
    body = "\n\n".join([paragraph(lead, indent="  "), table(rows), how_to(sender, commands), tail])
    attributes = {
        "control": control,
        "severity": Severity.MEDIUM.value,
        "account": sender.account,
        "region": sender.region,
        "outcome": verb.replace(" ", "-"),
        "escalation": "false",
    }
    about = {"lead": clean(lead, MAX_BODY_TEXT)}
    typed = [f"plumbline {one}" for one in commands]
    return Alert(subject_line(verb, what), body + "\n", attributes, about, typed)


def body_of(
    lead: str,
    rows: Mapping[str, str],
    control: Control,
    sender: Sender,
    commands: Mapping[str, str],
    later: Sequence[str] = (),
) -> str:
    """The text of an alert about one control: what, in a table too, why the rule exists, and what can be typed."""
    why = control.prose.get("Why", "")
    needed = "\n".join(f"  {harmless_command(one[:MAX_BODY_TEXT])}" for one in later)  # each on one line, to be pasted
    return (
        "\n\n".join(
            [
                # Only Plumbline's own headings begin a line: text from the account, folded, could pass for one.
                paragraph(lead, indent="  "),
                table(rows),
                *([f"What you may need because of it, in AWS CloudShell\n{needed}"] if later else []),
                "Why this rule exists\n" + paragraph(why, indent="  "),
                how_to(sender, commands),
                f"Plumbline, rule {control.id}, severity {control.severity.value}, account {sender.account}",
            ]
        )
        + "\n"
    )


def how_to(sender: Sender, commands: Mapping[str, str]) -> str:
    """The last part of an alert: what can be typed, in CloudShell. Nothing in it comes from an event."""
    width = max(len(one) for one in commands)
    beside = width + max(len(what) for what in commands.values()) <= WIDTH - len("  plumbline   # ")
    can = f"What you can do, in AWS CloudShell in {sender.region}:"
    paste = "Where the shell does not know `plumbline` yet, paste this first:"
    lines = "\n".join(
        f"  plumbline {one:<{width}}  # {what}" if beside else f"  # {what}\n  plumbline {one}"
        for one, what in commands.items()
    )
    return "\n\n".join([can, lines, paste, indented(command(sender))])


def attributes_of(
    control: Control, account: str, region: str, outcome: str, *, escalation: bool = False
) -> dict[str, str]:
    """What subscriptions filter on."""
    return {
        "control": control.id,
        "severity": control.severity.value,
        "account": account,
        "region": region,
        "outcome": outcome.replace(" ", "-"),
        "escalation": "true" if escalation else "false",
    }
