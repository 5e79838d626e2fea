"""docs/first-hour.md and its pictures, from what `make first-hour` has recorded.

The pictures are drawn by rich. Nothing in them is fetched: whoever looks sees the letters in a font of his own,
stretched to the columns that they were recorded in.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.terminal_theme import SVG_EXPORT_THEME, TerminalTheme
from rich.text import Text

from local import first_hour
from local.first_hour import COLUMNS, ELLIPSIS, GUIDE, RECORDED, Block
from local.reading import LEFT_OUT, without_the_function

__all__ = ["GUIDE", "PICTURED", "commands", "pictures", "recorded", "written"]

#: Which screens and which e-mails are drawn, with what a reader who cannot see them is told first.
PICTURED = {
    "preview": "The terminal after make preview",
    "deploy": "The terminal after make deploy",
    "status": "The terminal after plumbline status",
    "groups": "The terminal after plumbline enforce",
    "who": "The terminal after plumbline who",
    "undo": "The terminal after plumbline undo",
    "root": "An e-mail of Plumbline",
    "digest": "An e-mail of Plumbline",
    "widened": "An e-mail of Plumbline",
}
_FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" class="rich-terminal">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
#: Screens that are folded otherwise than to the width of a window: `make deploy` folds what it says itself.
_WIDTHS = {"deploy": 100}
#: Of a table that is longer, so many lines are drawn, and what stands below it.
_LINES_OF_A_TABLE, _END_OF_A_TABLE = 52, "\u2514"
#: Rich's own frame is drawn for dark pages; this one is seen on light ones as well.
_EDGE, _EVERYWHERE = 'stroke="rgba(255,255,255,0.35)"', 'stroke="#8b949e"'
_PAPER = TerminalTheme(
    (255, 255, 255),
    (31, 35, 40),
    [(36, 41, 47), (207, 34, 46), (17, 99, 41), (77, 45, 0), (9, 105, 218), (130, 80, 223), (27, 124, 131),
     (110, 119, 129)],
)  # fmt: skip
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def recorded() -> Mapping[str, Any]:
    """What was recorded last."""
    found: Mapping[str, Any] = json.loads(RECORDED.read_text(encoding="utf-8"))
    return found


def written(guide: str, record: Mapping[str, Any]) -> str:
    """The guide with the ids of the record, and with what its screens showed where it quotes them.

    Args:
        guide: the guide as it is.
        record: what was recorded.
    """
    made = guide
    for block in first_hour.blocks(guide):
        screen = record["screens"].get(block.name)
        if block.kind == "shown" and screen:
            said = "\n".join(_plain(one).strip("\n") for one in screen["shown"])
            made = _put(made, block, f"{said}\n")
        elif block.kind == "play" and screen:
            typed = [_with_id_of(one, other) for one, other in zip(block.commands, screen["commands"], strict=False)]
            made = _put(made, block, "".join(f"{one}\n" for one in [*typed, *block.commands[len(typed) :]]))
    return made


def commands(guide: str) -> Mapping[str, Sequence[str]]:
    """The commands that the guide prints, by the names of their blocks."""
    return {one.name: one.commands for one in first_hour.blocks(guide) if one.kind == "play"}


def pictures(record: Mapping[str, Any]) -> Mapping[str, str]:
    """Each picture, by the name of its file.

    Args:
        record: what was recorded.
    """
    return {f"{name}.svg": _picture(name, title, record) for name, title in PICTURED.items()}


def _picture(name: str, title: str, record: Mapping[str, Any]) -> str:
    console = Console(
        record=True,
        width=_WIDTHS.get(name, COLUMNS),
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    if name in record["letters"]:
        _write(console, record["letters"][name])
        theme, window = _PAPER, "Inbox"
    else:
        _show(console, record["screens"][name])
        theme, window = SVG_EXPORT_THEME, "Terminal"
    drawn = console.export_svg(title=window, theme=theme, code_format=_FRAME, unique_id="t")
    drawn = drawn.replace(_EDGE, _EVERYWHERE)
    return drawn.replace("\n<style>", f"\n<title>{title}</title>\n<style>", 1)


def _show(console: Console, screen: Mapping[str, Any]) -> None:
    for typed, shown in zip(screen["commands"], screen["shown"], strict=True):
        console.print(Text.assemble(("$ ", "bold green"), (typed, "bold")))
        console.print(Text.from_ansi(_shortened(shown.strip("\n"))))


def _shortened(shown: str) -> str:
    """A screen, with an ellipsis in a long table."""
    lines = shown.splitlines()
    ends = [number for number, line in enumerate(lines) if line.startswith(_END_OF_A_TABLE)]
    if not ends or ends[0] <= _LINES_OF_A_TABLE:
        return shown
    return "\n".join([*lines[:_LINES_OF_A_TABLE], f"\u2502{ELLIPSIS.rstrip()}", *lines[ends[0] :]])


def _write(console: Console, letter: Mapping[str, str]) -> None:
    console.print(Text(letter["subject"], style="bold"))
    console.print(Text(f"From  Plumbline <no-reply@sns.amazonaws.com>\nTo    {letter['to']}", style="bright_black"))
    console.print(Rule(style="bright_black"))
    for line in without_the_function(letter["text"]).rstrip().splitlines():
        console.print(Text(line, style="bright_black" if line == LEFT_OUT else ""))


def _plain(shown: str) -> str:
    return _ANSI.sub("", shown)


def _with_id_of(printed: str, typed: str) -> str:
    """A command as it was typed, where only an id is another; else as it is printed."""
    return typed if first_hour.but_for_ids(printed) == first_hour.but_for_ids(typed) else printed


def _put(guide: str, block: Block, text: str) -> str:
    pattern = re.compile(rf"(?ms)(^<!-- {block.kind} {re.escape(block.name)} -->\n+```\w*\n).*?(^```$)")
    return pattern.sub(lambda found: f"{found[1]}{text}{found[2]}", guide, count=1)
