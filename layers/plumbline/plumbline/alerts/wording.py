"""Text as people read it: made harmless, dated, laid out. Pure.

Whatever came from an event or is a name in the account is cleaned before it is used.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from plumbline.alerts.harmless import harmless

MAX_SUBJECT = 99


_MAX_TEXT = 300

#: What was before and what is now is told to where the two differ; what an event says need not be as long.
_OF_STATES, _MAX_STATE = frozenset({"Before", "Before the repair", "Now"}), 900


_TWO_DAYS_HOURS = 48


WIDTH = 78


_ELLIPSIS = "..."


def clean(text: str, limit: int = _MAX_TEXT) -> str:
    """Hostile text made harmless: one line, printable, no link a mail program would turn into a click, not too long."""
    dead = harmless(text[: limit * 4])
    return dead if len(dead) <= limit else dead[: limit - len(_ELLIPSIS)] + _ELLIPSIS


def moment(at: datetime) -> str:
    """An instant as a person reads it, always in UTC and saying so."""
    utc_at = at.astimezone(timezone.utc)
    return f"{utc_at:%A} {utc_at.day} {utc_at:%B %Y, %H:%M} UTC"


def away(time: timedelta) -> str:
    """How far away something is, as a person says it."""
    hours = max(1, round(time.total_seconds() / 3600))
    count, unit = (round(hours / 24), "day") if hours >= _TWO_DAYS_HOURS else (hours, "hour")
    return f"in {count} {unit}{'s' * (count != 1)}"


def said(by: str) -> str:
    """Who typed a command, as STS has proven it; what version 0.1 wrote down was a claim. Empty for nobody."""
    return clean(by, 200)


def table(rows: Mapping[str, str], width: int = WIDTH) -> str:
    """Labels and their texts in two columns; empty texts are left out."""
    column = max((len(label) for label, text in rows.items() if text), default=0) + 2
    lines: list[str] = []
    for label, text in rows.items():
        if text:
            first, *rest = wrapped(
                clean(text, _MAX_STATE if label in _OF_STATES else _MAX_TEXT), width - column - 2
            ) or [""]
            lines += [f"  {label:<{column}}{first}", *(" " * (column + 2) + line for line in rest)]
    return "\n".join(lines)


def subject_line(verb: str, what: str, who: str = "") -> str:
    """A subject line that SNS takes: printable ASCII, one line, under 100 characters; who did it is never cut off."""
    head = f"[Plumbline] {verb}: "
    tail = f" (by {ascii_(who, 24)})" if who else ""
    return f"{head}{ascii_(what, MAX_SUBJECT - len(head) - len(tail))}{tail}"


def ascii_(text: str, limit: int) -> str:
    """Printable ASCII of at most `limit` characters; what is too long ends with a whole clause where it has one."""
    plain = unicodedata.normalize("NFKD", clean(text)).encode("ascii", "replace").decode()
    if len(plain) <= limit:
        return plain
    clause = max(plain.rfind(mark, limit // 2, limit + 1) for mark in (": ", "; ", ", "))
    return plain[:clause] if clause > 0 else plain[: limit - len(_ELLIPSIS)].rstrip() + _ELLIPSIS


def paragraph(text: str, indent: str = "") -> str:
    """Text folded to the width of an e-mail."""
    return "\n".join(indent + line for line in wrapped(text, WIDTH - len(indent)))


def indented(text: str) -> str:
    """Text two columns to the right."""
    return "\n".join(f"  {line}" for line in text.splitlines())


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width`; a longer word stands alone so that ARNs and commands stay whole."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
