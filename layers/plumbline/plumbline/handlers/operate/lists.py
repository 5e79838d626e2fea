"""How answers are laid out: tables, lists and paragraphs as wide as a window of 80 columns. Pure."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from plumbline.alerts import listing, wording
from plumbline.alerts.listing import what_next
from plumbline.core.control import Control
from plumbline.findings.finding import Finding, Status
from plumbline.findings.unseen import MADE
from plumbline.handlers.operate.asked import Asked

NOT_TO_WAIT = "Not to wait for it, type: plumbline sweep"
_WIDTH = 78
_INDENT = " " * 6
#: Of what a control says is wrong, in a list for scripts; `show` has all of it.
_LONGEST_SUMMARY = 2000
#: What follows it, to the end of the paragraph, can be pasted.
_TYPE = "ype: plumbline "


def name_of(control: Control | None, finding: Finding) -> str:
    """A finding's target as a person would call it."""
    return control.name(finding.target) if control else str(finding.target)


def is_fight(finding: Finding) -> bool:
    """Whether somebody puts back what Plumbline repairs, so that it has stopped."""
    return "fight" in finding.told and finding.is_open and finding.status is not Status.EXEMPT


def severity_of(asked: Asked, finding: Finding) -> str:
    """How bad a finding is; `?` where its control is gone."""
    control = asked.plumbline.engine.controls.get(finding.control)
    return control.severity.value if control else "?"


def brief(asked: Asked, finding: Finding) -> dict[str, Any]:
    """A finding as scripts get it in lists."""
    return {
        "id": finding.id,
        "control": finding.control,
        "severity": severity_of(asked, finding),
        "target": str(finding.target),
        "status": finding.status.value,
        "fight": is_fight(finding),
        "summary": _short(finding.deviation.summary),
        "first_seen": finding.first_seen.isoformat(),
        "due": finding.due.isoformat() if finding.due else None,
        "unseen_since": finding.unseen.since.isoformat() if finding.unseen and finding.is_unseen else None,
        "next": what_next(finding),
    }


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SUMMARY else f"{text[:_LONGEST_SUMMARY]}..."


def rows(asked: Asked, found: Sequence[Finding], among: Sequence[Finding] = ()) -> list[str]:
    """Findings as people get them in lists, some lines each; those that only their region tells apart, together.

    Args:
        asked: who asks, and of what.
        found: what is listed.
        among: the whole of which that is a part: a row says of how many regions it names some.
    """
    controls = asked.plumbline.engine.controls
    regions = Counter(listing.but_for_its_region(controls, one) for one in among)
    lines = []
    for group in listing.alike(controls, found):
        one, which = group[0], listing.each_region(group)
        of = regions[listing.but_for_its_region(controls, one)]
        state = "FIGHT" if is_fight(one) else MADE if one.is_made_unseen else one.status.value
        lines += [
            f"{one.short}  {severity_of(asked, one):<8}  {state}, {_due(group)}",
            *wrapped(listing.named_together(controls, group, of), _INDENT),
            *(wrapped(wording.clean(one.then, listing.NEXT), _INDENT) if one.then else ()),
            *(wrapped(which, _INDENT) if which else ()),
        ]
    return lines


def _due(group: Sequence[Finding]) -> str:
    """When something is done about it next; of several, the first time."""
    one, times = group[0], [each.due for each in group if each.due]
    if one.status is Status.EXEMPT:
        return f"until {min(times):%Y-%m-%d %H:%M} UTC" if times else "until somebody ends it"
    if one.unheard:
        return "left alone until somebody has heard of it"
    return f"next step {min(times):%Y-%m-%d %H:%M} UTC" if times else "waits for a person"


def table(facts: Mapping[str, str]) -> str:
    """Labels and their texts in two columns; empty texts are left out."""
    column = max((len(label) for label, text in facts.items() if text), default=0) + 4
    lines: list[str] = []
    for label, text in facts.items():
        if text:
            first, *rest = wrapped(wording.clean(text, listing.NEXT), " " * column) or [" " * column]
            lines += [f"  {label:<{column - 2}}{first[column:]}", *rest]
    return "\n".join(lines)


def paragraphs(*parts: str) -> str:
    """Parts of an answer, those that are empty left out."""
    return "\n".join(part for part in parts if part)


def folded(text: str) -> str:
    """An answer as wide as a window. A command that can be pasted stays whole, on its own line where it is long."""
    return "\n".join(part for line in text.split("\n") for part in _folded(line))


def _folded(line: str) -> Sequence[str]:
    if columns(line) <= _WIDTH or line.lstrip().startswith(("plumbline ", "aws ")):
        return [line]
    said, types, command = line.partition(_TYPE)
    if types:
        return [*wrapped(f"{said}ype:"), f"  plumbline {command}"]
    indent = line[: len(line) - len(line.lstrip())]
    return wrapped(line, indent)


def wrapped(text: str, indent: str = "") -> list[str]:
    """Lines as wide as a window; a word that is wider than all of it, such as a long name, goes on in the next line."""
    room = _WIDTH - len(indent)
    lines: list[str] = []
    for word in text.split():
        if lines and columns(lines[-1]) + 1 + columns(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines += _cut(word, room)
    return [f"{indent}{line}" for line in lines]


def _cut(word: str, room: int) -> list[str]:
    pieces = [""]
    for char in word:
        if columns(pieces[-1]) + columns(char) > room:
            pieces.append("")
        pieces[-1] += char
    return pieces


def columns(text: str) -> int:
    """How wide a terminal shows a text: Chinese, Japanese and Korean characters take two columns, accents none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(one) else 1 + (unicodedata.east_asian_width(one) in "WF") for one in text)
