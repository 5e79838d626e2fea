"""Alerts about all that one actor did, and about what breakers leave: worst first, each by its id. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from plumbline.alerts.alert import Alert, Sender
from plumbline.alerts.finding import about, what_happened
from plumbline.alerts.listing import below, hanging, named, what_next
from plumbline.alerts.wording import clean, paragraph
from plumbline.baseline.rules import Breakers
from plumbline.core.control import Control, Severity
from plumbline.findings.budgets import ALONE, EVERY_CONTROL, EVERY_CRITICAL, is_of_actor
from plumbline.findings.finding import Finding
from plumbline.findings.restraints import Restraint

#: So many are named; whoever has more of them needs the command line.
_NAMED = 200
_NAME = 60


def worst_first(controls: Mapping[str, Control], findings: Sequence[Finding]) -> list[Finding]:
    """Findings in the order in which a person should look at them: the worst first, of these the oldest."""

    def rank(one: Finding) -> tuple[int, str, str]:
        control = controls.get(one.control)
        return (control.severity.rank if control else len(Severity), one.first_seen.isoformat(), one.id)

    return sorted(findings, key=rank)


def breaker(
    controls: Mapping[str, Control],
    finding: Finding,
    limits: Breakers,
    held: Restraint,
    left: Sequence[Finding],
    sender: Sender,
) -> Alert:
    """Too many repairs in one hour: one e-mail that names all that is left.

    Args:
        controls: the registry.
        finding: the first one left.
        limits: of the baseline.
        held: the breaker.
        left: all that is left, `finding` among it.
        sender: names commands and account.
    """
    control, who = controls[finding.control], clean(finding.cause.who, _NAME)
    of_all = held.of in (EVERY_CONTROL, EVERY_CRITICAL)
    limit = limits.per_actor if is_of_actor(held.of) else limits.in_all if of_all else limits.per_control
    made = f"{limit} {'critical ' if held.of.startswith(EVERY_CRITICAL) else ''}repair{'s' * (limit != 1)}"
    of_what = f"of {control.id}"
    if of_all:
        of_what = "in all"
    elif is_of_actor(held.of):
        of_what = f"of what {who} did"
    lead = (
        f"Plumbline has made {made} {of_what} within this clock hour, its limit, and has stopped repairing "
        "these until the next. It keeps watching, and what is left stands below, worst first. "
    )
    if is_of_actor(held.of):
        lead += (
            "Critical rules have a limit of their own, and so has what others do. If this is no deployment of yours, "
            "somebody may be covering up one deed with many: look at the worst first, and suspend who did it."
        )
    else:
        lead += (
            "So many at once are usually a deployment or a mistake in the baseline. Look before the next hour begins."
        )
    rows = what_happened(finding) | {"First one left": f"{control.name(finding.target)} {finding.deviation.summary}"}
    alert = about(
        "stopped",
        control,
        finding,
        sender,
        lead=lead,
        rows=rows,
        suspend=is_of_actor(held.of),
        resume=f"{control.id} --breakers" if not of_all and not is_of_actor(held.of) else "--breakers",
        subject=f"{made} {of_what} in one hour, {_things(len(left))} left",
    )
    return _above(alert, listed(controls, left))


def and_all_else(alert: Alert, controls: Mapping[str, Control], finding: Finding, others: Sequence[Finding]) -> Alert:
    """The alert about a critical finding of somebody who has caused many within an hour: it names all that is his.

    Args:
        alert: about that finding.
        controls: the registry.
        finding: the critical one.
        others: all else that is open, or waits to be told, of the same actor.
    """
    who = clean(finding.cause.who, _NAME) if finding.cause.action else "nobody that an event names"
    lead = (
        f"This is critical finding number {ALONE + 1} within this clock hour of {who}. Each of the first {ALONE} had "
        "an e-mail of its own. What comes after this one within the hour is told together, every ten minutes."
    )
    if finding.cause.actor:
        lead += f" To let {who} do nothing until you know more, type: plumbline suspend {finding.short} --reason WHY"
    return _above(alert, paragraph(lead, indent="  ") + "\n\n" + listed(controls, [finding, *others]))


def listed(controls: Mapping[str, Control], findings: Sequence[Finding]) -> str:
    """Findings, worst first, each with its id."""
    ordered = worst_first(controls, findings)
    lines = [f"All that is left, {_things(len(ordered))}, worst first:"]
    for one in ordered[:_NAMED]:
        control = controls.get(one.control)
        grade = control.severity.value if control else ""
        lines += [*hanging(f"{one.short}  {grade}: {named(controls, one)}"), *below(what_next(one))]
    if len(ordered) > _NAMED:
        lines.append(f"    and {len(ordered) - _NAMED} more. All of them: plumbline findings")
    return "\n".join(lines)


def _above(alert: Alert, text: str) -> Alert:
    """The alert with more to say, before all that can be typed."""
    lead, _, rest = alert.body.partition("\n\n")
    return replace(alert, body=f"{lead}\n\n{text}\n\n{rest}")


def _things(count: int) -> str:
    return f"{count} thing{'s' * (count != 1)}"
