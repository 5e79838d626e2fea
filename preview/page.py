"""The preview as a page to send to somebody: one file, no script, nothing fetched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from html import escape

from preview.looking import Blind, Row, together

#: A name may be broken behind these; a long one without them between its words, as in VeryLongRoleName.
_SEAM = re.compile(r"([/:.,@_=-]+)(?=\w)")
_LONG_WORD, _INNER_SEAM = re.compile(r"[^\W_]{24,}"), re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])")
_WORST_FIRST = ("critical", "high", "medium", "low")
_STYLE = """
:root { --text: #1b1f24; --quiet: #57606a; --line: #d0d7de; --page: #fff; --card: #f6f8fa; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
       color: var(--text); background: var(--page); overflow-wrap: break-word; }
h1 { font-size: 1.5rem; line-height: 1.25; margin-bottom: .25rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
p.when { color: var(--quiet); margin-top: 0; } p.note, li { max-width: 46rem; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th, td { text-align: left; vertical-align: top; padding: .6rem .8rem .6rem 0; }
th { border-bottom: 2px solid var(--text); } td { border-bottom: 1px solid var(--line); }
th:nth-child(1) { width: 6rem; } th:nth-child(2) { width: 45%; } th:nth-child(4) { width: 9.5rem; }
small { display: block; color: var(--quiet); font-size: .85rem; }
.critical .severity { color: #a40e26; font-weight: 600; } .high .severity { color: #bc4c00; font-weight: 600; }
@media (max-width: 44rem) {
  body { margin: 1rem auto; }
  thead { display: none; } table, tbody, tr, td { display: block; }
  tr { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .4rem .9rem; }
  tr { margin: .8rem 0; }
  td { border: 0; padding: .35rem 0; }
  td[data-label]::before { content: attr(data-label); display: block; color: var(--quiet); font-size: .85rem; }
}
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --quiet: #9198a1; --line: #30363d; --page: #0d1117; --card: #161b22; }
  .critical .severity { color: #ff7b72; } .high .severity { color: #ffa657; }
}
@media print { body { max-width: none; } tr { break-inside: avoid; } }
"""


def render(rows: Sequence[Row], blind: Sequence[Blind], about: Sequence[str], account: str, now: datetime) -> str:
    """The page. Names from the account are escaped.

    Args:
        rows: what is out of line, in the order to show.
        blind: what could not be looked at.
        about: what else a person should know, a paragraph each.
        account: the account.
        now: when it was looked at, in UTC.
    """
    title = f"Account {escape(account)}: {len(rows) or 'nothing'} out of line"
    return f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{_STYLE}</style></head>
<body>
<h1>{title}</h1>
<p class="when">{_counts(rows)}Seen on {_day(now)}, {now:%H:%M} UTC. Nothing was changed.</p>
{_table(rows, now) if rows else "<p>Everything watched is in line with the baseline.</p>"}
{_list("Not seen", [f"{one.control} on {one.target}: {one.why}" for one in blind])}
{_list("Before you deploy", about)}
</body>
</html>
"""


def _table(rows: Sequence[Row], now: datetime) -> str:
    return f"""<table>
<thead><tr><th>Severity</th><th>What is out of line</th><th>What Plumbline would do</th><th>When</th></tr></thead>
<tbody>
{"".join(map(_row, together(rows)))}
</tbody>
</table>
<p class="note"><small>Dates count from {_day(now)}, as if you deployed today.</small></p>"""


def _row(row: Row) -> str:
    day = f"<small>{_day(date.fromisoformat(row.date))}</small>" if row.date else ""
    cells = (
        f'<td class="severity">{escape(row.severity)}</td>',
        f"<td>{_text(row.what)}<small>{_text(row.target)}</small><small>{_text(row.control)}</small></td>",
        f'<td data-label="What Plumbline would do">{_text(row.would)}</td>',
        f'<td data-label="When">{_text(row.when)}{day}</td>',
    )
    return f'<tr class="{escape(row.severity)}">{"".join(cells)}</tr>\n'


def _list(title: str, paragraphs: Sequence[str]) -> str:
    items = "".join(f"<li>{_text(one)}</li>" for one in paragraphs)
    return f"<h2>{title}</h2><ul>{items}</ul>" if items else ""


def _counts(rows: Sequence[Row]) -> str:
    counts = {one: sum(row.severity == one for row in rows) for one in _WORST_FIRST}
    told = ", ".join(f"{count} {one}" for one, count in counts.items() if count)
    return f"{told}. " if told else ""


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _text(text: str) -> str:
    """Text as text, with the places where a long name may go on in the next line."""
    seamed = _SEAM.sub("\\1\0", text.replace("\0", " "))
    seamed = _LONG_WORD.sub(lambda word: _INNER_SEAM.sub("\0", word[0]), seamed)
    return "<wbr>".join(map(escape, seamed.split("\0")))
