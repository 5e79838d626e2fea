"""What is open, and all that is known of one finding: findings, show."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from plumbline.alerts import wording
from plumbline.alerts.finding import spelled_out, what_happened
from plumbline.alerts.listing import what_next
from plumbline.alerts.shell import pasted
from plumbline.core.calls import Plan
from plumbline.core.control import Control, Severity
from plumbline.decisions.credible import believed
from plumbline.decisions.exemptions import ANY, covering, fits_target
from plumbline.findings.finding import CUT_SHORT, Finding, Repair, Status
from plumbline.findings.stored import to_json
from plumbline.handlers.operate.asked import Answer, Asked, Refused, control_of, finding_of
from plumbline.handlers.operate.lists import brief, is_fight, name_of, rows, severity_of, table, wrapped
from plumbline.handlers.operate.pages import FOR_PEOPLE, ROOM, begins, by_severity, fitting, in_order, page, severities
from plumbline.handlers.operate.typed import Typed

EXAMPLE = "findings --severity high --target '*/s3-bucket/*'"
_WILD = "*?["
#: What narrows a list down, beside the three states.
_FILTERS = ("control", "severity", "target")


def findings(asked: Asked, typed: Typed) -> Answer:
    """What is open, worst first, and what is exempt; all of it or what a person asks for, a page at a time."""
    everything = asked.open_findings()
    found = in_order(asked, _asked_for(asked, typed, everything))
    waiting = [one for one in found if one.status is not Status.EXEMPT]
    exempt = [one for one in found if one.status is Status.EXEMPT]
    at = begins(asked, typed, found)
    shown = page(found, at, FOR_PEOPLE)
    part, entries = fitting(found, at, lambda one: brief(asked, one))
    more = part.next(typed, _behind)
    data = {
        "findings": sorted(entries, key=lambda one: one["status"] == Status.EXEMPT.value),
        "listed": len(entries),
        "count": len(found),
        "counts": {"open": by_severity(asked, waiting), "exempt": by_severity(asked, exempt)},
        "next": list(more) or None,
    }
    if not everything:
        return Answer("Nothing is open: everything watched is in line with the baseline.", data)
    if not found:
        return Answer(f"Nothing like that is open. For all there is, type: {pasted('findings')}", data)
    head = [*_counted(asked, waiting, "open"), *_counted(asked, exempt, "exempt")]
    head += [f"There are {len(everything)} in all."] if len(found) < len(everything) else []
    left_alone = [one for one in shown.shown if one.status is Status.EXEMPT]
    lines = [*head, "", *rows(asked, [one for one in shown.shown if one.status is not Status.EXEMPT], found)]
    lines += ["", "Exempt, and so left alone:", *rows(asked, left_alone, found)] if left_alone else []
    lines += ["", *shown.foot(typed, _behind)]
    lines += [f"Type: {pasted('show', shown.shown[0].short)}"] if shown.shown else []
    return Answer("\n".join(lines), data)


def _behind(finding: Finding) -> str:
    """What the next page begins behind: the whole id, for of so many two may begin alike."""
    return finding.id


def _counted(asked: Asked, found: Sequence[Finding], what: str) -> list[str]:
    """How many there are, and how bad they are; nothing for none."""
    return [f"{len(found)} {what}: {severities(asked, found)}"] if found else []


def _asked_for(asked: Asked, typed: Typed, found: Sequence[Finding]) -> list[Finding]:
    """The findings that fit every option; of open, exempt and fight, those that fit one."""
    fits = {"control": _of_control, "severity": _as_bad_as, "target": _on_target}
    wanted = [fits[name](asked, typed, found) for name in _FILTERS if name in typed.options]
    states: dict[str, Callable[[Finding], bool]] = {
        "open": lambda one: one.status is not Status.EXEMPT,
        "exempt": lambda one: one.status is Status.EXEMPT,
        "fight": is_fight,
    }
    some = [fits for name, fits in states.items() if name in typed.flags]
    return [one for one in found if all(fits(one) for fits in wanted) and (not some or any(fits(one) for fits in some))]


def _of_control(asked: Asked, typed: Typed, found: Sequence[Finding]) -> Callable[[Finding], bool]:
    """Whether a finding is of a control that was named, or whose id fits a pattern."""
    given, there = typed.options["control"], {one.control for one in found}
    if given in there:  # of a control that this version does not have, too
        return lambda one: one.control == given
    if not any(char in given for char in _WILD) or given == ANY:
        control = control_of(asked, given)
        return lambda one: control in (ANY, one.control)
    meant = {one for one in {*asked.plumbline.engine.controls, *there} if fnmatchcase(one, given)}
    if not meant:
        known = ", ".join(sorted(asked.plumbline.engine.controls))
        raise Refused(f"no control is called like '{wording.clean(given, 60)}'; write one of: all, {known}")
    return lambda one: one.control in meant


def _as_bad_as(asked: Asked, typed: Typed, _found: Sequence[Finding]) -> Callable[[Finding], bool]:
    """Whether a finding is of a severity or worse; one whose control is gone may be."""
    given, known = typed.options["severity"].lower(), [one.value for one in Severity]
    if given not in known:
        near = difflib.get_close_matches(given, known, n=1) or [Severity.HIGH.value]
        raise Refused(
            f"'{wording.clean(given, 40)}' is no severity; write one of: {', '.join(known)}. "
            f"Type: {typed.again(options={'severity': near[0]})}"
        )
    meant = {*known[: known.index(given) + 1], "?"}
    return lambda one: severity_of(asked, one) in meant


def _on_target(_asked: Asked, typed: Typed, _found: Sequence[Finding]) -> Callable[[Finding], bool]:
    """Whether a finding's target fits a pattern, as an exemption's would, or has a text in it."""
    given = typed.options["target"]
    pattern = given if any(char in given for char in _WILD) else f"*{given}*"
    return lambda one: fits_target(pattern, one.target)


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
    return Answer("\n\n".join(parts), _stored(finding))


def _stored(finding: Finding) -> dict[str, Any]:
    """A finding as the ledger has it, for scripts; without the states before and after its repairs where it is long."""
    text = to_json(finding)
    data: dict[str, Any] = json.loads(text)
    if len(text) > ROOM:
        for one in filter(None, (*data["repairs"], data["proposal"])):
            long = {name: len(json.dumps(one[name])) for name in ("before", "after") if one.get(name)}
            one |= {name: {"left_out": f"{length} characters"} for name, length in long.items()}
    return data


def _exempt(asked: Asked, finding: Finding) -> str:
    """The exemption in force, in the words of who made it."""
    days = asked.plumbline.engine.baseline.patience.exemption_days
    own = believed(asked.plumbline.ledger.all_exemptions(asked.account), days, asked.now)
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
