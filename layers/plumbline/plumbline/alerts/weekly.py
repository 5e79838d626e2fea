"""How the week was. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from plumbline.alerts.alert import Alert, Sender, how_to
from plumbline.alerts.hearing import not_confirmed
from plumbline.alerts.listing import alike, entry
from plumbline.alerts.wording import moment, paragraph, subject_line, table
from plumbline.core.control import Control
from plumbline.findings.finding import Finding, Status

_WEEKLY_ROWS = 20


def weekly(
    controls: Mapping[str, Control],
    lives: Sequence[Finding],
    sender: Sender,
    now: datetime,
    watched: int,
    unconfirmed: Sequence[str] = (),
) -> Alert:
    """How the week was: what was repaired, what is open and due next, what is exempt, and which way it goes."""
    week, before = now - timedelta(days=7), now - timedelta(days=14)
    latest = {
        one.id: one for one in sorted(lives, key=lambda one: one.version)
    }  # an undo may bring an earlier one back
    known = [one for one in latest.values() if one.control in controls]
    repaired = [(at, one) for one in known if (at := _last_repaired(one))]
    closed = [one for at, one in repaired if at > week]
    earlier = [one for at, one in repaired if before < at <= week]
    found = [one for one in known if one.first_seen > week]
    exempt = [one for one in known if one.status is Status.EXEMPT]
    waiting = sorted(
        (one for one in known if one.is_open and one.status is not Status.EXEMPT),
        key=lambda one: (controls[one.control].severity.rank, one.due or now + timedelta(days=9999), one.id),
    )
    rows = {
        "Held": f"{watched} controls watched",
        "Found": f"{len(found)} new",
        "Repaired": f"{len(closed)}, and {len(earlier)} the week before ({_trend(len(closed), len(earlier))})",
        "Open": f"{len(waiting)}",
        "Exempt": f"{len(exempt)}",
        "Addresses": not_confirmed(unconfirmed) if unconfirmed else "",
    }
    parts = [paragraph(f"The week up to {moment(now)}.", indent="  "), table(rows)]
    for title, shown in (("Repaired this week", closed), ("Open, worst first", waiting)):
        groups = list(alike(controls, shown))
        lines = [line for group in groups[:_WEEKLY_ROWS] for line in entry(controls, group, next_step=group[0].is_open)]
        if lines:
            left = sum(len(group) for group in groups[_WEEKLY_ROWS:])
            parts.append(f"{title}\n" + "\n".join(lines) + (f"\n    and {left} more" if left else ""))
    parts += [how_to(sender, {"findings": "all that is open", "status": "how things stand"})]
    subject = subject_line("week", f"{len(closed)} repaired, {len(waiting)} open, {len(exempt)} exempt")
    attributes = {"account": sender.account, "region": sender.region, "outcome": "week", "escalation": "false"}
    return Alert(subject, "\n\n".join([*parts, f"Plumbline, account {sender.account}"]) + "\n", attributes)


def _last_repaired(finding: Finding) -> datetime | None:
    """When Plumbline last put something of it right for good."""
    if finding.status is Status.REPAIRED:
        return finding.closed_at
    return max((one.at for one in finding.repairs if one.held and not one.undone), default=None)


def _trend(now: int, before: int) -> str:
    return "no change" if now == before else "more than before" if now > before else "fewer than before"
