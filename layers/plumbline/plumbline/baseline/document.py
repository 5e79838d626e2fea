"""A YAML text with the line of each of its places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

import yaml

from plumbline.core.control import Response

Place = tuple[str | int, ...]


def doubled(node: yaml.Node, path: Place) -> Iterator[tuple[Place, str]]:
    """Keys written twice: YAML would silently keep the last."""
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                yield path, f"'{name}' is written twice, on lines {seen[name]} and {key.start_mark.line + 1}; keep one"
            seen[name] = key.start_mark.line + 1
            yield from doubled(value, (*path, name))
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from doubled(value, (*path, number))


def mark_lines(node: yaml.Node, path: Place, lines: dict[Place, int], line: int = 0) -> None:
    """Remember on which line (from 1) each place of the file begins."""
    lines[path] = line or node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            mark_lines(value, (*path, str(key.value)), lines, key.start_mark.line + 1)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            mark_lines(value, (*path, number), lines)


def line_of(lines: Mapping[Place, int], path: Place) -> int:
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def place(path: Place) -> str:
    return "".join(
        f"{'.' if number and isinstance(one, str) else ''}{one if isinstance(one, str) else f'[{one + 1}]'}"
        for number, one in enumerate(path)
    ) + (": " if path else "")


def as_json(data: Any) -> Any:  # noqa: ANN401 - YAML gives dates where JSON has text
    if isinstance(data, Mapping):
        return {str(key): as_json(value) for key, value in data.items()}
    if isinstance(data, list):
        return [as_json(value) for value in data]
    return str(data) if isinstance(data, date | datetime) else data


def meant(data: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
    """The same data, in which the mode `off`, which YAML reads as false, is the word that was written."""
    controls = data.get("controls") if isinstance(data, Mapping) else None
    for rule in controls.values() if isinstance(controls, Mapping) else ():
        if isinstance(rule, dict) and rule.get("mode") is False:
            rule["mode"] = Response.OFF.value
    return data
