"""What is open, and all that is known of one finding: findings, show."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from plumbline.alerts import wording
from plumbline.alerts.finding import spelled_out, what_happened
from plumbline.alerts.listing import what_next
from plumbline.alerts.shell import pasted
from plumbline.core.calls import Plan
from plumbline.core.control import Control, Severity
from plumbline.decisions.credible import believed
from plumbline.decisions.exemptions import ANY, covering
from plumbline.findings.finding import CUT_SHORT, Finding, Repair, Status
from plumbline.findings.stored import to_json
from plumbline.handlers.operate.asked import Answer, Asked, Refused, control_of, finding_of
from plumbline.handlers.operate.lists import brief, is_fight, name_of, rows, severity_of, table, wrapped
from plumbline.handlers.operate.typed import Typed

EXAMPLE = "findings --severity high --target '*/s3-bucket/*'"


def findings(asked: Asked, typed: Typed) -> Answer:
    """What is open, worst first, and what is exempt; all of it or what a person asks for."""
    everything = asked.open_findings()
    found = _asked_for(asked, typed, everything)
    waiting = [one for one in found if one.status is not Status.EXEMPT]
    exempt = [one for one in found if one.status is Status.EXEMPT]
    data = {"findings": [brief(asked, one) for one in (*waiting, *exempt)]}
    if not everything:
        return Answer("Nothing is open: everything watched is in line with the baseline.", data)
    if not found:
        return Answer(f"Nothing like that is open. For all there is, type: {pasted('findings')}", data)
    counted = ", ".join(
        f"{len(those)} {what}" for those, what in ((waiting, "open"), (exempt, "exempt")) if those
    )  # fmt: skip
    some = f" of {len(everything)}" if len(found) < len(everything) else ""
    left_alone = ["", "Exempt, and so left alone:", *rows(asked, exempt)] if exempt else []
    lines = [f"{counted}{some}.", *rows(asked, waiting), *left_alone, ""]
    return Answer("\n".join([*lines, f"Type: {pasted('show', found[0].short)}"]), data)


def _asked_for(asked: Asked, typed: Typed, found: Sequence[Finding]) -> list[Finding]:
    """The findings that fit every option; of open, exempt and fight, those that fit one."""
    wanted: list[Callable[[Finding], bool]] = []
    if "control" in typed.options:
        control = control_of(asked, typed.options["control"])
        wanted.append(lambda one: control in (ANY, one.control))
    if "severity" in typed.options:
        severity = _severity(typed)
        wanted.append(lambda one: severity_of(asked, one) == severity)
    if "target" in typed.options:
        pattern = typed.options["target"]
        wanted.append(lambda one: fnmatchcase(str(one.target), pattern) or pattern in str(one.target))
    states: dict[str, Callable[[Finding], bool]] = {
        "open": lambda one: one.status is not Status.EXEMPT,
        "exempt": lambda one: one.status is Status.EXEMPT,
        "fight": is_fight,
    }
    some = [fits for name, fits in states.items() if name in typed.flags]
    return [one for one in found if all(fits(one) for fits in wanted) and (not some or any(fits(one) for fits in some))]


def _severity(typed: Typed) -> str:
    given, known = typed.options["severity"].lower(), [one.value for one in Severity]
    if given in known:
        return given
    near = difflib.get_close_matches(given, known, n=1) or [Severity.HIGH.value]
    raise Refused(
        f"'{wording.clean(given, 40)}' is no severity; write one of: {', '.join(known)}. "
        f"Type: {typed.again(options={'severity': near[0]})}"
    )


def show(asked: Asked, typed: Typed) -> Answer:
    """Everything about one finding."""
    finding = finding_of(asked, typed.word)
    control = asked.plumbline.engine.controls.get(finding.control)
    facts = {
        "What": f"{name_of(control, finding)} {finding.deviation.summary}",
        "Status": f"{finding.status.value}, a FIGHT: somebody puts back what Plumbline repairs"
        if is_fight(finding)
        else finding.status.value,
        "Severity": severity_of(asked, finding),
        "Control": finding.control,
        "Target": str(finding.target),
        "First seen": wording.moment(finding.first_seen),
        "Last seen": wording.moment(finding.last_seen),
        "Back": f"it was put right on {wording.moment(finding.back_since)}, and is back" if finding.back_since else "",
        "Closed": wording.moment(finding.closed_at) if finding.closed_at else "",
        "Unseen since": wording.moment(finding.unseen.since) if finding.unseen else "",
        "Because": finding.unseen.said if finding.unseen else "",
        "Next": what_next(finding) if finding.is_open else "",
        "Exempt": _exempt(asked, finding),
        "Grace until": wording.moment(finding.grace_until) if finding.is_open and finding.grace_until else "",
        "Grace ended by": wording.said(finding.enforced_by),
        "Found by": finding.origin.value,
        **what_happened(finding),
        "Told": ", ".join(finding.told),
    }
    parts = [f"Finding {finding.id}", table(facts)]
    parts += [_repair_text(control, finding, one) for one in finding.repairs]
    if finding.is_open and finding.proposal:
        parts.append("\n".join(["  Proposed", *_calls(finding.proposal.plan, lambda _: "not made")]))
    if control:
        parts.append("\n".join(["Why this rule exists", *wrapped(control.prose.get("Why", ""), "  ")]))
    if finding.is_open and finding.proposal:
        parts.append(f"To do what is proposed, type: {pasted('approve', finding.short)}")
    if finding.undoable:
        parts.append(f"To take the repair back, type: {pasted('undo', finding.short)}")
    if is_fight(finding):
        again = pasted("resume", finding.control, "--fights")
        parts.append(f"When the other side is settled with, to have it repaired again, type: {again}")
    if finding.is_open:
        parts.append(f"To see what would be done now, type: {pasted('plan', finding.short)}")
    return Answer("\n\n".join(parts), json.loads(to_json(finding)))


def _exempt(asked: Asked, finding: Finding) -> str:
    """The exemption in force, in the words of who made it."""
    days = asked.plumbline.engine.baseline.patience.exemption_days
    own = believed(asked.plumbline.ledger.all_exemptions(asked.account)[0], days, asked.now)
    both = (*own, *asked.plumbline.engine.baseline.exemptions)
    one = covering(both, finding.control, finding.target, asked.now) if finding.is_open else None
    if one is None:
        return ""
    return f"{one.id or 'baseline.yaml'}, until {wording.moment(one.until)}, by {one.owner}: {one.reason}"


def _repair_text(control: Control | None, finding: Finding, repair: Repair) -> str:
    facts = {
        "Repair": f"{wording.moment(repair.at)}: Plumbline {repair.plan.summary}",
        "Before": control.describe(repair.before) if control else "",
        "After": control.describe(repair.after) if control and repair.after is not None else "",
        "Error": repair.error,
        "Approved by": wording.said(repair.by),
        "Undone": wording.moment(repair.undone) if repair.undone else "",
        "Undone by": wording.said(repair.undone_by),
        "No undo for": repair.plan.irreversible,
        "Not repaired": spelled_out(repair.plan.left),
        "Mind": repair.plan.means,
    }
    running = finding.status is Status.ACTING and repair is finding.repairs[-1]
    calls = _calls(repair.plan, lambda step: _made(repair, step, running=running))
    later = [line for one in repair.plan.later for line in wrapped(wording.clean(one, 1000), "    ")]
    needed = ["  What you may need because of it", *later] if later else []
    return "\n".join([table(facts), "  Calls", *calls, *needed])


def _made(repair: Repair, step: int, *, running: bool) -> str:
    """What became of one step of a repair, as far as it is known."""
    if not repair.begun:
        return "not made"
    if running or repair.error.startswith(CUT_SHORT):  # how far it came was never stored
        return "perhaps made"
    if repair.refused:  # each of the others was tried
        return "refused" if step in repair.refused else "made"
    if step < repair.done:
        return "made"
    if repair.error:
        return "refused" if step == repair.done else "not made"
    return "perhaps made"


def _calls(plan: Plan, made: Callable[[int], str]) -> list[str]:
    """The calls of a plan, each with what became of it."""
    lines = []
    for number, step in enumerate(plan.steps):
        parameters = wording.clean(json.dumps(dict(step.do.parameters), ensure_ascii=False), 400)
        first, *rest = wrapped(f"{step.do.action} {parameters}", " " * 18)
        lines += [f"    {made(number):<14}{first[18:]}", *rest]
    return lines
