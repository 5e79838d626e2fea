"""The CloudTrail records kept in events/, one file for each event that wakes a control."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plumbline.controls import registry
from plumbline.core.control import Control, On
from plumbline.core.targets import Target
from plumbline.wakes import messages

EVENTS = Path(__file__).parent.parent / "events"


@dataclass(frozen=True)
class Recorded:
    """One record.

    Attributes:
        control: the id of the control it wakes.
        path: its file.
    """

    control: str
    path: Path

    def __str__(self) -> str:
        return f"{self.control}/{self.path.stem}"

    @property
    def rule(self) -> Control:
        """The control it wakes."""
        return registry.load()[self.control]

    def event(self) -> dict[str, Any]:
        """The event as EventBridge delivers it; a fresh copy each time."""
        event: dict[str, Any] = json.loads(self.path.read_text())
        return event

    def ons(self, event: Mapping[str, Any] | None = None) -> list[On]:
        """The wakes of its control that it (or a mutilated copy) concerns."""
        event = event or self.event()
        return [on for on in self.rule.wakes_on if messages.concerns(on, event)]

    def target(self) -> Target:
        """The one target it is about."""
        detail = messages.detail_of(self.event())
        (target,) = {target for on in self.ons() for target in on.locate(detail)}
        return target


def folder(control: str) -> Path:
    """Where the records that wake a control are kept."""
    return EVENTS / registry.family(control) / control


def records() -> list[Recorded]:
    """Every record of every control in the registry."""
    return [Recorded(control, path) for control in registry.load() for path in sorted(folder(control).glob("*.json"))]


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path to every value below an object, containers included."""
    inside = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inside:
        yield (*path, name)
        yield from places(one, (*path, name))


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    """The value at a path."""
    for name in path:
        value = value[name]
    return value


def put(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """A copy with the value at a path replaced."""
    value = copy.deepcopy(value)
    at(value, path[:-1])[path[-1]] = new
    return value


def without(value: Any, path: tuple[str | int, ...]) -> Any:
    """A copy with the value at a path left out."""
    value = copy.deepcopy(value)
    del at(value, path[:-1])[path[-1]]
    return value
