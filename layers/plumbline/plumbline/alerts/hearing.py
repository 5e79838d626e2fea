"""Alerts about whether alerts reach anybody. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

from plumbline.alerts.alert import ADDRESS, MAX_BODY_TEXT, Alert, Sender, how_to
from plumbline.alerts.harmless import harmless_command
from plumbline.alerts.wording import clean, moment, paragraph, subject_line, table
from plumbline.core.control import Severity
from plumbline.findings.hearing import Hearing

#: How long SNS keeps a subscription that nobody confirms. Source: AWS What's New, 10 May 2023, "Amazon SNS automatic
#: deletion of unconfirmed subscriptions".
FORGOTTEN_AFTER_HOURS = 48
#: What no address holds that SNS takes; whatever else stands in one is a name for people, not for a shell.
_NOT_KNOWN = "YOU@EXAMPLE.COM"
ONLY_ESCALATIONS = '{"FilterPolicy":"{\\"escalation\\":[\\"true\\"]}"}'


#: What has to be said before anything else.
NEVER = "NOBODY HAS EVER CONFIRMED: NOTHING IS REPAIRED"


def lost(hearing: Hearing) -> str:
    """That nobody hears any more, in one sentence."""
    since = f" since {moment(hearing.silent)}" if hearing.silent else ""
    return f"NOBODY HEARS Plumbline's e-mails any more{since}; it goes on repairing"


def not_confirmed(addresses: Sequence[str]) -> str:
    """Which addresses hear nothing yet, and until when they may be confirmed."""
    named = ", ".join(clean(one, 100) for one in addresses)
    return (
        f"Not confirmed yet, so that nothing reaches it: {named}. AWS forgets an address that nobody confirms within "
        f"{FORGOTTEN_AFTER_HOURS} hours; then it has to be subscribed again. How: plumbline status"
    )


def unheard(hearing: Hearing, unconfirmed: Sequence[str], topic: str, sender: Sender) -> Alert:
    """Nobody hears ordinary alerts. Carries `escalation`, so that whoever hears those only hears of it.

    Args:
        hearing: what is known of it.
        unconfirmed: the addresses that nobody has confirmed.
        topic: the ARN of the Alerts topic.
        sender: names commands and account.
    """
    if hearing.ever:
        lead = (
            f"{lost(hearing)}. The subscription was ended: by its owner, by somebody with rights over SNS, or by a "
            "mail scanner that followed the unsubscribe link. Subscribe again, with the commands below."
        )
    else:
        lead = (
            f"{NEVER}. Plumbline watches this account, and its e-mails reach nobody. Confirm the subscription, or "
            "subscribe again, with the commands below."
        )
    rows = {"Not confirmed": ", ".join(clean(one, 100) for one in unconfirmed), "Topic": topic}
    commands = "\n".join(f"  {line}" for line in subscribing(topic, sender.region, next(iter(unconfirmed), "")))
    tail = f"Plumbline, account {sender.account}"
    status = how_to(sender, {"status": "how things stand"})
    body = "\n\n".join([paragraph(lead, indent="  "), table(rows), commands, status, tail])
    what = "nobody hears any more" if hearing.ever else "nobody has ever confirmed, nothing is repaired"
    about = {"lead": clean(lead, MAX_BODY_TEXT)}
    return Alert(
        subject_line("unheard", what), body + "\n", _attributes("unheard", sender), about, ["plumbline status"]
    )


def heard_again(sender: Sender) -> Alert:
    """Somebody hears ordinary alerts, after it was told that nobody does.

    Args:
        sender: names commands and account.
    """
    lead = (
        "Somebody hears Plumbline's e-mails. What was found while nobody did comes in the next digest. Whether the "
        "right people hear, `plumbline status` says."
    )
    status = how_to(sender, {"status": "how things stand"})
    body = "\n\n".join([paragraph(lead, indent="  "), status, f"Plumbline, account {sender.account}"])
    about = {"lead": clean(lead, MAX_BODY_TEXT)}
    attributes = _attributes("heard", sender)
    return Alert(subject_line("heard", "somebody hears"), body + "\n", attributes, about, ["plumbline status"])


def _attributes(outcome: str, sender: Sender) -> dict[str, str]:
    return {
        "control": "*",
        "severity": Severity.CRITICAL.value,
        "account": sender.account,
        "region": sender.region,
        "outcome": outcome,
        "escalation": "true",
    }


def of_own_user(address: str) -> str:
    """What of a subscription lets through what is said to one person, as JSON.

    Args:
        address: the person's, in lower case.
    """
    return json.dumps({"FilterPolicy": json.dumps({ADDRESS: [address]})})


def subscribing(topic: str, region: str, address: str = "", *, only: str = "") -> Sequence[str]:
    """The commands that subscribe an address and confirm it so that a click on a link cannot end it. For a shell.

    Args:
        topic: the topic's ARN.
        region: where it is.
        address: the e-mail address; a stand-in where it is not known.
        only: the attributes of its subscription, as JSON; empty for none.

    Source: AWS CLI reference, `sns subscribe` and `sns confirm-subscription`.
    """
    arn, where = shlex.quote(topic), shlex.quote(region)
    to = harmless_command(shlex.quote(address[:320])) if address else _NOT_KNOWN
    attributes = f" \\\n  --attributes {harmless_command(shlex.quote(only))}" if only else ""
    return tuple(
        (
            f"aws sns subscribe --protocol email --region {where} \\\n"
            f"  --topic-arn {arn} \\\n"
            f"  --notification-endpoint {to}{attributes}\n"
            "# then, with the Token= of the link in AWS's e-mail, which nobody clicks:\n"
            f"aws sns confirm-subscription --region {where} \\\n"
            f"  --topic-arn {arn} \\\n"
            "  --authenticate-on-unsubscribe true --token TOKEN"
        ).split("\n")
    )
