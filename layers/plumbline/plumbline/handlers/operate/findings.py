"""What is open, and all that is known of one finding: findings, show."""

from __future__ import annotations

import json

from plumbline.alerts import wording
from plumbline.alerts.finding import spelled_out
from plumbline.core.control import Control
from plumbline.findings.finding import Repair
from plumbline.findings.stored import to_json
from plumbline.handlers.operate.asked import Answer, Asked, finding_of
from plumbline.handlers.operate.lists import brief, name_of, rows
from plumbline.handlers.operate.typed import Typed


def findings(asked: Asked, _typed: Typed) -> Answer:
    """The open findings, worst first."""
    found = asked.open_findings()
    if not found:
        return Answer("Nothing is open: everything watched is in line with the baseline.", {"findings": []})
    text = "\n".join([*rows(asked, found), "", f"Type: plumbline show {found[0].short}"])
    return Answer(text, {"findings": [brief(one) for one in found]})


def show(asked: Asked, typed: Typed) -> Answer:
    """Everything about one finding."""
    finding = finding_of(asked, typed.word)
    control = asked.plumbline.engine.controls.get(finding.control)
    facts = {
        "What": f"{name_of(control, finding)} {finding.deviation.summary}",
        "Status": finding.status.value,
        "Control": finding.control,
        "Target": str(finding.target),
        "First seen": wording.moment(finding.first_seen),
        "Closed": wording.moment(finding.closed_at) if finding.closed_at else "",
        "Next step": wording.moment(finding.due) if finding.due and finding.is_open else "",
        "Found by": finding.origin.value,
        "Who": f"{finding.cause.who} {finding.cause.principal}".strip(),
        "Did": f"{finding.cause.action} {finding.cause.at}".strip(),
        "From": f"{finding.cause.source} {finding.cause.tool}".strip(),
        "Told": ", ".join(finding.told),
        "Grace ended by": wording.said(finding.enforced_by),
    }
    parts = [f"Finding {finding.id}", wording.table(facts)]
    parts += [_repair_text(control, one) for one in finding.repairs]
    if control:
        parts.append(f"Why this rule exists\n  {control.prose.get('Why', '')}")
    if finding.is_open and finding.proposal:
        parts.append(f"To do what is proposed, type: plumbline approve {finding.short}")
    if finding.undoable:
        parts.append(f"To take the repair back, type: plumbline undo {finding.short}")
    if finding.is_open:
        parts.append(f"To see what would be done now, type: plumbline plan {finding.short}")
    return Answer("\n\n".join(parts), json.loads(to_json(finding)))


def _repair_text(control: Control | None, repair: Repair) -> str:
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
    calls = "\n".join(
        f"    {call.action} {wording.clean(json.dumps(dict(call.parameters)), 200)}" for call in repair.plan.do
    )
    later = "\n".join(f"    {wording.clean(one, 1000)}" for one in repair.plan.later)
    needed = f"\n  What you may need because of it\n{later}" if later else ""
    return f"{wording.table(facts)}\n  Calls made\n{calls}{needed}"
