"""Alerts about Plumbline itself: what a deployment changed; nobody settles, work waits, no sweep ends, a run failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from plumbline.alerts.alert import MAX_BODY_TEXT, Alert, Sender, how_to
from plumbline.alerts.wording import clean, moment, paragraph, subject_line, table
from plumbline.core.control import Severity
from plumbline.findings.sweeps import Sweep

#: Lines of a list; the rest is counted.
_MOST = 60


def deployed(differences: Sequence[str], at: datetime, sender: Sender) -> Alert:
    """Plumbline's stack was deployed, and what it is made of is not what it was.

    Args:
        differences: part by part, what is another.
        at: when the deployment began.
        sender: names commands and account.
    """
    lead = (
        f"Plumbline's stack was deployed on {moment(at)}, and {_parts(len(differences))} of Plumbline "
        f"{_are(differences)} not as before. From now on it is held to be as listed here. If you did not deploy it, "
        "or this is not what you changed, somebody else has changed Plumbline: deploy it again from your own copy."
    )
    return _alert("deployed", f"{_parts(len(differences))} of Plumbline changed", lead, {}, differences, sender)


def unsettled(waiting: Sequence[str], since: datetime, sender: Sender) -> Alert:
    """The sweep has reported deviations, and react has not settled them.

    Args:
        waiting: what deviates, the worst first.
        since: since when the longest of them waits.
        sender: names commands and account.
    """
    lead = (
        f"The sweep has reported what is listed here, the first of it on {moment(since)}, and it is still so: "
        "Plumbline's react function, which repairs and tells, has settled none of it. It may be switched off, without "
        "its trigger, throttled, or changed. Nothing is repaired until it runs. Its log and its queue say more."
    )
    rows = {"Function": f"{sender.stack}-react", "Queue": f"{sender.stack}-wakes"}
    waits = "1 deviation waits" if len(waiting) == 1 else f"{len(waiting)} deviations wait"
    return _alert("not settled", f"react does not answer, {waits}", lead, rows, waiting, sender)


def late(oldest: timedelta, sender: Sender) -> Alert:
    """Wakes have waited for too long.

    Args:
        oldest: for how long the oldest of them.
        sender: names commands and account.
    """
    lead = (
        "Wakes wait longer than a quarter of an hour: react is not running, is throttled, or its ledger is down. "
        "Nothing is repaired meanwhile, and nothing is lost."
    )
    rows = {"Function": f"{sender.stack}-react", "Queue": f"{sender.stack}-wakes"}
    return _alert("late wakes", f"one has waited for {_minutes(oldest)}", lead, rows, (), sender)


def late_no_more(sender: Sender) -> Alert:
    """No wake waits any more that has waited for too long.

    Args:
        sender: names commands and account.
    """
    lead = "For half an hour no wake has waited longer than a quarter of an hour."
    return _alert("late wakes", "over, react keeps up again", lead, {}, (), sender)


def unended(sweep: Sweep, sender: Sender) -> Alert:
    """A sweep does not come to its end, so that parts of the account were not looked at.

    Args:
        sweep: how far it has come.
        sender: names commands and account.
    """
    lead = (
        f"A sweep began on {moment(sweep.began)} and has not come to its end. What it has not looked at is looked at "
        "only where an event tells of it. A piece of it may have failed again and again: then its message is among the "
        "dead letters; or the account is so large, or AWS slows its answers so much, that a sweep takes longer than "
        "there are hours between them."
    )
    rows = {"Function": f"{sender.stack}-sweep", "Queue": f"{sender.stack}-units", "So far": sweep.told}
    return _alert("not swept", f"a sweep does not end: {sweep.told.partition(';')[0]}", lead, rows, (), sender)


def unbegun(latest: datetime, sender: Sender) -> Alert:
    """No sweep has begun for hours.

    Args:
        latest: when the last one began.
        sender: names commands and account.
    """
    lead = (
        f"The last look through the account began at {moment(latest)}, and one should begin each hour. Events are "
        "still answered; what they miss is not found. Is the rule that begins it switched on, and does the log of the "
        "sweep's function say why it does not?"
    )
    rows = {"Last begun": moment(latest), "Begins": f"the rule {sender.stack}-sweep, each hour"}
    return _alert("not swept", "no sweep begins", lead, rows, (), sender)


def failed(functions: Mapping[str, int], hour: datetime, sender: Sender) -> Alert:
    """Runs of Plumbline's functions failed within an hour.

    Args:
        functions: how many of which function.
        hour: when it began.
        sender: names commands and account.
    """
    runs = sum(functions.values())
    lead = (
        f"Within the hour from {moment(hour)} on, Lambda counted {_runs(runs)} of Plumbline's functions that failed. "
        "What came to react and to the sweep's pieces is tried again, and is given up into the dead letters only after "
        "some tries, of which an alarm tells; the next sweep looks through the account whatever failed. The functions' "
        "logs say why."
    )
    rows = {name: f"{_runs(count)}, log group /aws/lambda/{name}" for name, count in sorted(functions.items())}
    names = ", ".join(name.removeprefix(f"{sender.stack}-") for name in sorted(functions))
    return _alert("function failed", f"{names}, {_runs(runs)} within an hour", lead, rows, (), sender)


def _alert(verb: str, what: str, lead: str, rows: Mapping[str, str], listed: Sequence[str], sender: Sender) -> Alert:
    lines = [f"  {clean(one, MAX_BODY_TEXT)}" for one in listed[:_MOST]]
    lines += [f"  and {len(listed) - _MOST} more"] if len(listed) > _MOST else []
    parts = [paragraph(lead, indent="  "), table(rows) if rows else "", "\n".join(lines)]
    status = how_to(sender, {"status": "how things stand"})
    body = "\n\n".join(one for one in (*parts, status, f"Plumbline, account {sender.account}") if one)
    attributes = {
        "control": "house-integrity",
        "severity": Severity.CRITICAL.value,
        "account": sender.account,
        "region": sender.region,
        "outcome": verb.replace(" ", "-"),
        "escalation": "false",
    }
    about = {"lead": clean(lead, MAX_BODY_TEXT)}
    return Alert(subject_line(verb, what), body + "\n", attributes, about, ["plumbline status"])


def _runs(count: int) -> str:
    return f"{count} run{'s' * (count != 1)}"


def _minutes(time: timedelta) -> str:
    return f"{time // timedelta(minutes=1)} minutes"


def _parts(count: int) -> str:
    return f"{count} part{'s' * (count != 1)}"


def _are(listed: Sequence[str]) -> str:
    return "is" if len(listed) == 1 else "are"
