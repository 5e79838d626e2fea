"""Findings as they stand in lists within an alert. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from plumbline.alerts.wording import WIDTH, clean, wrapped
from plumbline.core.control import Control
from plumbline.findings.finding import DIGEST, Finding, Status


def named(controls: Mapping[str, Control], finding: Finding) -> str:
    """A finding in one line: its target and what is wrong with it."""
    control = controls.get(finding.control)
    return clean(f"{control.name(finding.target) if control else finding.target} {finding.deviation.summary}", 200)


def what_next(finding: Finding) -> str:
    """What comes next for a finding, or what became of it."""
    if not finding.is_open:
        return finding.status.value
    if finding.status is Status.EXEMPT:
        return f"exempt until {finding.due:%Y-%m-%d %H:%M} UTC" if finding.due else "exempt"
    if finding.outbox == f"{DIGEST}repaired" and finding.repairs[-1].plan.left:
        return clean(f"what can be repaired is; {finding.then}", 200)
    if finding.outbox == f"{DIGEST}repaired":
        at = f" until {finding.grace_until:%Y-%m-%d %H:%M} UTC" if finding.grace_until else ""
        return f"what was new is repaired; what was there before is left alone{at}"
    if finding.then:
        return clean(finding.then, 200)
    if finding.due is None:
        return "waits for a person"
    return f"next step {finding.due:%Y-%m-%d %H:%M} UTC"


def hanging(text: str) -> list[str]:
    """A row of a list, its further lines indented."""
    first, *rest = wrapped(text, WIDTH - 10)
    return [f"    {first}", *(f"          {line}" for line in rest)]


def below(text: str) -> list[str]:
    """What stands below a row of a list."""
    return [f"          {line}" for line in wrapped(text, WIDTH - 10)]
