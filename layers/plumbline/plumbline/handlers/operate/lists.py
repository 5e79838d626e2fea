"""How answers are laid out: lists, paragraphs, folded to a window."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from plumbline.alerts import wording
from plumbline.core.control import Control
from plumbline.findings.finding import Finding
from plumbline.handlers.operate.asked import Asked

NOT_TO_WAIT = "Not to wait for it, type: plumbline sweep"
_WIDTH = 78


def name_of(control: Control | None, finding: Finding) -> str:
    """A finding's target as a person would call it."""
    return control.name(finding.target) if control else str(finding.target)


def brief(finding: Finding) -> dict[str, Any]:
    """A finding as scripts get it in lists."""
    return {
        "id": finding.id,
        "control": finding.control,
        "target": str(finding.target),
        "status": finding.status.value,
        "summary": finding.deviation.summary,
        "first_seen": finding.first_seen.isoformat(),
        "due": finding.due.isoformat() if finding.due else None,
    }


def rows(asked: Asked, found: Sequence[Finding]) -> list[str]:
    """Findings as people get them in lists, two lines each."""
    lines = []
    for one in found:
        control = asked.plumbline.engine.controls.get(one.control)
        severity = control.severity.value if control else "?"
        due = f"next step {one.due:%Y-%m-%d %H:%M} UTC" if one.due else "waits for a person"
        due = "left alone until somebody has heard of it" if one.unheard else due
        what = wording.clean(f"{name_of(control, one)} {one.deviation.summary}", 140)
        lines += [
            f"{one.short}  {severity:<8}  {one.status.value}, {due}",
            *wrapped(what, " " * 6),
            *(wrapped(wording.clean(one.then, 200), " " * 6) if one.then else ()),
        ]
    return lines


def paragraphs(*parts: str) -> str:
    """Parts of an answer, those that are empty left out."""
    return "\n".join(part for part in parts if part)


def folded(text: str) -> str:
    """An answer as wide as a window: sentences are folded; tables, lists and commands stay whole."""
    return "\n".join(part for line in text.split("\n") for part in _folded(line))


def _folded(line: str) -> Sequence[str]:
    if len(line) <= _WIDTH or line.startswith((" ", "plumbline ")):
        return [line]
    said, types, command = line.partition("ype: plumbline ")
    if types:
        return [*wrapped(f"{said}ype:"), f"  plumbline {command}"]
    return wrapped(line)


def wrapped(text: str, indent: str = "") -> Sequence[str]:
    """Lines as wide as a window, in which ARNs and long names stay whole."""
    return textwrap.wrap(
        text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
