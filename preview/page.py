"""The preview as a page to send to somebody: one file, no script, nothing fetched."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

from preview.looking import Blind, Row

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1b1f24; }
h1 { font-size: 1.4rem; } p.when { color: #57606a; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .6rem .8rem; }
th { border-bottom: 2px solid #1b1f24; } td { border-bottom: 1px solid #d0d7de; overflow-wrap: anywhere; }
small { color: #57606a; } .critical { color: #a40e26; font-weight: 600; } .high { color: #bc4c00; font-weight: 600; }
@media (prefers-color-scheme: dark) {
  body { background: #0d1117; color: #e6edf3; } th { border-color: #e6edf3; } td { border-color: #30363d; }
  small, p.when { color: #8b949e; } .critical { color: #ff7b72; } .high { color: #ffa657; }
}
"""


def render(rows: Sequence[Row], blind: Sequence[Blind], account: str, now: datetime) -> str:
    """The page. Names from the account are escaped.

    Args:
        rows: what is out of line, in the order to show.
        blind: what could not be looked at.
        account: the account.
        now: when it was looked at, in UTC.
    """
    title = f"Account {escape(account)}: {len(rows) or 'nothing'} out of line"
    body = "\n".join(_row(one) for one in rows)
    unseen = "".join(f"<li>{escape(f'{one.control} on {one.target}: {one.why}')}</li>" for one in blind)
    return f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{_STYLE}</style></head>
<body>
<h1>{title}</h1>
<p class="when">What Plumbline would find and do, seen on {now:%Y-%m-%d %H:%M} UTC. Nothing was changed.</p>
<table>
<thead><tr><th>Severity</th><th>What is out of line</th><th>What Plumbline would do</th><th>When</th></tr></thead>
<tbody>
{body}
</tbody>
</table>
{f"<h2>Not seen</h2><ul>{unseen}</ul>" if blind else ""}
</body>
</html>
"""


def _row(row: Row) -> str:
    cells = (
        f'<td class="{escape(row.severity)}">{escape(row.severity)}</td>',
        f"<td>{escape(row.what)}<br><small>{escape(row.control)}</small></td>",
        f"<td>{escape(row.would)}</td>",
        f"<td>{escape(row.when)}</td>",
    )
    return f"<tr>{''.join(cells)}</tr>"
