"""Long lists, a page at a time: their order, how much one answer holds, and where the next page begins.

An order is made of what never changes while something is listed. So a page begins behind the last one that was shown,
whatever came and went meanwhile: nothing that stayed is left out, and nothing is shown twice.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from plumbline.alerts import wording
from plumbline.core.control import Severity
from plumbline.findings.finding import Finding
from plumbline.handlers.operate.asked import Asked, Refused, finding_of
from plumbline.handlers.operate.lists import severity_of
from plumbline.handlers.operate.typed import Typed

#: How many a person gets at once, and a script.
FOR_PEOPLE, FOR_SCRIPTS = 50, 500
#: Of a list in passing, such as that of `status`.
A_FEW = 20
#: Characters of JSON that one list takes of an answer. With --json it stands in it twice, once within a text, where
#: each quote takes two characters more.
ROOM = 200_000

_One = TypeVar("_One")


@dataclass(frozen=True, slots=True)
class Page(Generic[_One]):
    """A part of a long list.

    Attributes:
        shown: what stands on it.
        first: the number of its first one in the whole list, from 1.
        total: how long the whole list is.
    """

    shown: Sequence[_One]
    first: int
    total: int

    @property
    def last(self) -> int:
        """The number of its last one."""
        return self.first + len(self.shown) - 1

    @property
    def is_all(self) -> bool:
        """Whether nothing of the list stands elsewhere."""
        return len(self.shown) == self.total

    @property
    def left(self) -> int:
        """How many come after it."""
        return self.total - self.last

    def next(self, typed: Typed, behind: Callable[[_One], str]) -> tuple[str, ...]:
        """The command for the next page, word by word; nothing where this is the last.

        Args:
            typed: the command for this one.
            behind: what `--after` takes for one of the list.
        """
        if not self.shown or not self.left:
            return ()
        return typed.repeated(options={"after": behind(self.shown[-1])})

    def foot(self, typed: Typed, behind: Callable[[_One], str]) -> list[str]:
        """Which part of the list a page is, and how to get the next; nothing for the whole.

        Args:
            typed: the command for this one.
            behind: what `--after` takes for one of the list.
        """
        if self.is_all:
            return []
        if not self.shown:
            again = typed.again(without=("after",))
            return [f"Nothing comes after that: {self.total} are listed before it. To begin again, type: {again}"]
        which = f"{self.first} to {self.last} of {self.total}."
        if not self.left:
            return [f"{which} These were the last."]
        return [f"{which} For the next, type: {typed.again(options={'after': behind(self.shown[-1])})}"]


def page(found: Sequence[_One], begins: int, most: int) -> Page[_One]:
    """A part of a list.

    Args:
        found: the whole list.
        begins: how many come before it.
        most: how many it holds at most.
    """
    return Page(found[begins : begins + most], begins + 1, len(found))


def fitting(found: Sequence[_One], begins: int, entry: Callable[[_One], Any]) -> tuple[Page[_One], list[Any]]:
    """A part of a list for a script: as many as find room in an answer, one at least; and each of them as JSON.

    Args:
        found: the whole list.
        begins: how many come before it.
        entry: makes JSON-like data of one.
    """
    entries: list[Any] = []
    room = ROOM
    for one in found[begins : begins + FOR_SCRIPTS]:
        made = entry(one)
        room -= len(json.dumps(made))
        if entries and room < 0:
            break
        entries.append(made)
    return page(found, begins, len(entries)), entries


def place(asked: Asked, finding: Finding) -> tuple[int, datetime, str]:
    """Where a finding stands in a list that has pages: worst first, then what is open the longest.

    Nobody knows how bad the finding of a control is that this version does not have: it comes first.
    """
    control = asked.plumbline.engine.controls.get(finding.control)
    return (control.severity.rank if control else 0, finding.first_seen, finding.id)


def in_order(asked: Asked, found: Iterable[Finding]) -> list[Finding]:
    """Findings in the order of a list that has pages."""
    return sorted(found, key=lambda one: place(asked, one))


def begins(asked: Asked, typed: Typed, found: Sequence[Finding]) -> int:
    """How many findings of a list, which is in order, come before the page that a person asks for.

    The one behind `--after` may be closed by now, or may not be in this list: its place is known all the same.

    Raises:
        Refused: nobody knows a finding as the one behind `--after`, or more than one.
    """
    if "after" not in typed.options:
        return 0
    given = typed.options["after"]
    try:
        last = place(asked, finding_of(asked, given))
    except Refused as error:
        raise Refused(
            f"--after takes the id of the last finding on the page before, as that page says, and "
            f"'{wording.clean(given, 40)}' is none. To begin again, type: {typed.again(without=('after',))}"
        ) from error
    return bisect_right(found, last, key=lambda one: place(asked, one))


def by_severity(asked: Asked, found: Iterable[Finding]) -> dict[str, int]:
    """How many findings there are of each severity, worst first; `?` where their control is gone."""
    counted = Counter(severity_of(asked, one) for one in found)
    known = (*(one.value for one in Severity), "?")
    return {name: counted[name] for name in known if counted[name]}


def severities(asked: Asked, found: Iterable[Finding]) -> str:
    """How many findings there are of each severity, in words."""
    counted = by_severity(asked, found).items()
    return ", ".join(f"{count} {'of unknown severity' if name == '?' else name}" for name, count in counted)


def some(names: Sequence[str], most: int = A_FEW, more: str = "", between: str = ", ") -> str:
    """Names in one line: the first of them, and how many more.

    Args:
        names: all of them.
        most: how many are named.
        more: what is said of the others.
        between: what stands between two.
    """
    left = len(names) - most
    tail = [f"and {left} more{more}"] if left > 0 else []
    return between.join([*names[:most], *tail])
