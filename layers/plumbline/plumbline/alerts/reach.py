"""Which regions are governed, and what of them is not heard. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from plumbline.alerts.alert import MAX_BODY_TEXT, Alert, Sender, how_to
from plumbline.alerts.wording import clean, paragraph, subject_line
from plumbline.core.control import Severity

#: How the regions of a partition begin that hand no events to each other, and where AWS tells of IAM and of root there;
#: empty where that is not known, and nothing is claimed.
#: Source: AWS Compute Blog, Expanding cross-Region event routing with Amazon EventBridge; AWS GovCloud (US) user guide,
#: CloudTrail.
_APART = {"us-gov-": "us-gov-west-1", "cn-": ""}


def told_in(home: str) -> str:
    """The region where AWS tells of IAM and of root, for a home region that is not told by it; empty for any other."""
    return next((where for begins, where in _APART.items() if home.startswith(begins) and home != where), "")


def unheard(home: str) -> str:
    """What a person has to know who deployed where no other region can be heard; empty for whoever did not.

    Args:
        home: the region that Plumbline is deployed in.
    """
    where = told_in(home)
    if not where:
        return ""
    return (
        f"Changes in IAM are not heard in {home}, for AWS tells of them in {where} only, and hands no events from one "
        "region to another here: the hourly sweep finds them. Root's sign-ins are not told of at all."
    )


def added(regions: Sequence[str], sender: Sender) -> Alert:
    """Regions were switched on, and are governed now.

    Args:
        regions: their names.
        sender: names commands and account.
    """
    lead = (
        f"This account has switched on {', '.join(regions)}, and Plumbline governs what is there from now on: a "
        "forwarder is being made that tells of it here, and the sweep looks there. What it finds was there before, and "
        "has its time of grace. To leave a region out, name the others in baseline.yaml, under regions, and deploy."
    )
    what = regions[0] if len(regions) == 1 else f"{len(regions)} regions"
    return _alert("governed", f"{what} switched on", lead, (), Severity.MEDIUM, sender)


def troubled(lines: Sequence[str], sender: Sender) -> Alert:
    """Regions are not heard, or not whole.

    Args:
        lines: a region and what is wrong with it, in a person's words.
        sender: names commands and account.
    """
    lead = (
        "Plumbline hears less of other regions than it should. What the sweep can see there is found within the hour "
        f"all the same. A forwarder is a stack of the StackSet {sender.stack}-forwarders; docs/operating.md says how "
        'one is made anew, under "When somebody changes Plumbline itself". This is told once.'
    )
    what = f"{len(lines)} thing{'s' * (len(lines) != 1)} wrong with the forwarders of other regions"
    return _alert("not heard", what, lead, lines, Severity.HIGH, sender)


def _alert(verb: str, what: str, lead: str, listed: Sequence[str], severity: Severity, sender: Sender) -> Alert:
    parts = [paragraph(lead, indent="  "), "\n".join(f"  {clean(one, MAX_BODY_TEXT)}" for one in listed)]
    status = how_to(sender, {"status": "how things stand"})
    body = "\n\n".join(one for one in (*parts, status, f"Plumbline, account {sender.account}") if one)
    attributes = {
        "control": "house-integrity",
        "severity": severity.value,
        "account": sender.account,
        "region": sender.region,
        "outcome": verb.replace(" ", "-"),
        "escalation": "false",
    }
    about = {"lead": clean(lead, MAX_BODY_TEXT)}
    return Alert(subject_line(verb, what), body + "\n", attributes, about, ["plumbline status"])
