"""A YAML file as plain data, with the line and the spelling of each of its places."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from plumbline.baseline.grammar import misread, unreadable
from plumbline.core.errors import BaselineError

#: Where something stands: keys, and positions in lists, from the outside in.
Place = tuple[str | int, ...]
#: A place and what is wrong there, with what to write instead.
Problem = tuple[Place, str]

_TAG = "tag:yaml.org,2002:"
_TEXT = (f"{_TAG}str", f"{_TAG}timestamp", f"{_TAG}value")  # a day stays as it was written, and so can be told of
_VALUES = tuple(f"{_TAG}{one}" for one in ("null", "bool", "int", "float"))
#: The parser takes a second for as much; a baseline with five hundred exemptions has half of it.
_LONGEST = 100_000
#: More than any setting counts to, and nothing that JSON, or Python, writes otherwise.
_MOST = 10**15
#: More than any baseline needs; what goes beyond contains itself, or unfolds without end.
_DEEPEST, _LARGEST = 20, 100_000


@dataclass(frozen=True, slots=True)
class Document:
    """One file, as data that JSON could hold.

    Attributes:
        name: what the file is called in messages.
        data: what stands in it.
        lines: the line, from 1, on which each place begins.
        spelled: how values that are no text were written: `off` where the data has False.
    """

    name: str
    data: Any
    lines: Mapping[Place, int]
    spelled: Mapping[Place, str]

    def refused(self, problems: Iterable[Problem]) -> BaselineError:
        """The error that tells of each problem with file, line and place, in the order of the file."""
        told = sorted(dict.fromkeys(problems), key=lambda one: self._line(one[0]))
        lines = (f"{self.name}:{self._line(place)}: {_words(place)}{what}" for place, what in told)
        return BaselineError([_one_line(one) for one in lines])

    def _line(self, place: Place) -> int:
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read(text: str, name: str) -> Document:
    """The document that a YAML text holds.

    Args:
        text: the YAML.
        name: what the file is called in messages.

    Raises:
        BaselineError: it is no YAML, or holds what no baseline can hold: a key twice, itself, a tag, no number.
    """
    if len(text) > _LONGEST:
        much = f"this has more than {_LONGEST:,} characters, and no baseline needs as many"
        raise BaselineError([f"{name}:1: {much}; write patterns instead of long lists"])
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        walk = _Walk()
        data = walk.value(node, (), 1) if node is not None else None
    except yaml.MarkedYAMLError as error:
        line, what = misread(error)
        raise BaselineError([_one_line(f"{name}:{line}: {what}")]) from error
    except yaml.YAMLError as error:  # control characters
        line, what = unreadable(error, text)
        raise BaselineError([_one_line(f"{name}:{line}: {what}")]) from error
    except (RecursionError, _TooMuch) as error:
        limits = f"{_DEEPEST} levels, or more than {_LARGEST} values"
        raise BaselineError([f"{name}:1: this unfolds to more than {limits}; write it plainly"]) from error
    if node is None:
        raise BaselineError([f"{name}:1: the file is empty; write at least `controls: {{}}`"])
    document = Document(name, data, walk.lines, walk.spelled)
    if walk.problems:
        raise document.refused(walk.problems)
    return document


def read_file(path: Path, name: str) -> Document:
    """The document that a file holds; see `read`."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BaselineError([f"{name}:1: this file cannot be read ({error.strerror}); write its path"]) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise BaselineError([f"{name}:{line}: this is no UTF-8 text; save the file as UTF-8"]) from error
    return read(text, name)


class _TooMuch(Exception):
    """An anchor that contains itself, or a few of them that unfold to millions of values."""


class _Walk:
    """One walk over the nodes of a YAML text."""

    def __init__(self) -> None:
        self.lines: dict[Place, int] = {}
        self.spelled: dict[Place, str] = {}
        self.problems: list[Problem] = []
        self._merged: set[int] = set()
        self._loader = yaml.SafeLoader("")

    def value(self, node: yaml.Node, place: Place, line: int) -> Any:  # noqa: ANN401 - whatever stands there
        """The data of a node and of all below it."""
        if len(place) > _DEEPEST or len(self.lines) > _LARGEST:
            raise _TooMuch
        self.lines[place] = line
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.value(one, (*place, number), one.start_mark.line + 1) for number, one in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.tag in _TEXT:
            return str(node.value)
        if isinstance(node, yaml.ScalarNode) and node.tag in _VALUES:
            return self._scalar(node, place)
        self._refuse(place, f"the tag {node.tag.replace(_TAG, '!!')} is not known here; write the value without it")
        return None

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        if id(node) not in self._merged:
            self._merged.add(id(node))
            self._twice(node, place)
            self._loader.flatten_mapping(node)  # `<<`: what the mapping says itself comes last, and so wins
        data: dict[str, Any] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                name = str(key.value)
                data[name] = self.value(value, (*place, name), key.start_mark.line + 1)
            else:
                self._refuse(place, "a list or a mapping stands where a key belongs; write a word")
        return data

    def _twice(self, node: yaml.MappingNode, place: Place) -> None:
        """YAML would silently keep the last."""
        seen: dict[str, int] = {}
        for key, _ in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                self._refuse((*place, name), f"this is written twice, on lines {seen[name]} and {line}; keep one")
            seen[name] = line

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> Any:  # noqa: ANN401 - null, true, a number
        self.spelled[place] = node.value
        try:
            value = self._loader.construct_object(node)
        except (ValueError, KeyError, IndexError):  # more digits than Python reads; a tag promises what nobody wrote
            value = math.nan
        if isinstance(value, int | float) and not abs(value) <= _MOST:
            self._refuse(place, f"{_short(node.value)} is no number that can be used; write one such as 14")
        return value

    def _refuse(self, place: Place, what: str) -> None:
        self.problems.append((place, what))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004 - an error message fits on a line


def _one_line(text: str) -> str:
    """The text without what would break a line or move a cursor: keys and owners may be any text."""
    return "".join(char if char.isprintable() else " " for char in text)


def _words(place: Place) -> str:
    """A place as a person reads it, with positions from 1: `exemptions.reviewed[2].until: `."""
    return "".join(
        f"{'.' if number and isinstance(one, str) else ''}{one if isinstance(one, str) else f'[{one + 1}]'}"
        for number, one in enumerate(place)
    ) + (": " if place else "")
