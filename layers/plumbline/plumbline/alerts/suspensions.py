"""Alerts about who may do nothing for now. Pure. What a person typed is cleaned like anything else."""

from __future__ import annotations

from plumbline.alerts import alert, wording
from plumbline.alerts.alert import Alert, Sender
from plumbline.decisions.exemptions import ANY
from plumbline.decisions.suspensions import Suspension

_SHOWN = 120


def suspended(one: Suspension, sender: Sender) -> Alert:
    """Somebody suspended a user or a role."""
    lead = (
        f"A person suspended {_named(one)}: from now on it may do nothing in this account, with any password, key or "
        f"session. It stays so until a person releases it; on {wording.moment(one.until)} you are asked about it."
    )
    return _about("suspended", one, lead, sender)


def released(one: Suspension, by: str, sender: Sender, *, left: str = "") -> Alert:
    """Somebody released a user or a role.

    Args:
        one: what is over.
        by: who said so, as proven.
        sender: what the e-mail needs to name commands.
        left: what keeps it from acting all the same, in whole sentences.
    """
    lead = left or "it may do again what its other policies say."
    lead = f"A person released {_named(one)}: {lead}"
    return _about("released", one, lead, sender, by=by)


def still_suspended(one: Suspension, sender: Sender) -> Alert:
    """The day has come on which it is asked whether a suspension goes on."""
    lead = (
        f"{_named(one)} is suspended since {wording.moment(one.made)} and may do nothing. Release it, or delete it, or "
        "leave it as it is: then you are asked again in a week. Plumbline lifts nothing by itself."
    )
    return _about("still suspended", one, lead, sender)


def _about(verb: str, one: Suspension, lead: str, sender: Sender, *, by: str = "") -> Alert:
    rows = {
        "Who": one.arn,
        "Since": wording.moment(one.made),
        "Reason": one.reason,
        "Suspended by": wording.clean(one.by, 200),
        "Finding": one.finding[:4],
        "Released by": wording.clean(by, 200),
    }
    commands = {
        f"release {one.id}": "let it act again" if verb != "released" else "",
        f"suspend {one.id} --days 30 --reason WHY": "ask later" if verb == "still suspended" else "",
        f"show {one.finding[:4]}": "what led there" if one.finding else "",
        "status": "how things stand",
    }
    kept = {typed: gist for typed, gist in commands.items() if gist}
    return alert.notice(verb, _named(one), control=ANY, lead=lead, rows=rows, commands=kept, sender=sender)


def _named(one: Suspension) -> str:
    return f"{one.kind} {wording.clean(one.name, _SHOWN)}"
