"""What is known of every control without importing one: which module holds it, what wakes it, where the sweep looks.

`sam build` writes it into the layer (registry.py), so that a wake imports the controls that its event concerns and no
other: a start imports the same modules with ten controls and with sixty.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plumbline.core.cause import Event
from plumbline.core.control import Control, Looks, On, Scope, Severity
from plumbline.core.errors import PlumblineError
from plumbline.core.targets import Target
from plumbline.wakes.messages import concerns

WRITTEN = Path(__file__).with_name("index.json")
_AGAIN = "run `sam build` and deploy again"


class IndexMissing(PlumblineError):
    """The layer was built without an index of its controls, or with one that cannot be read."""


class IndexMismatch(PlumblineError):
    """The index names a control that the layer does not hold."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One control as the index knows it.

    Attributes:
        module: the module that holds it.
        family: the folder below controls/ that it lives in.
        severity: how bad a deviation is.
        scope: where the sweep looks.
        wakes_on: the events that make Plumbline look at once. Where to look only the control itself knows.
        blinds: whether its deviation blinds Plumbline.
        house: whether it watches Plumbline's own parts: the sweep settles what it finds.
        is_swept: whether there is anything to look at, or only events can tell.
        aliases: its earlier ids.
        looks: which sweeps look.
    """

    module: str
    family: str
    severity: Severity
    scope: Scope
    wakes_on: tuple[On, ...]
    blinds: bool
    is_swept: bool
    aliases: tuple[str, ...] = ()
    house: bool = False
    looks: Looks = Looks.EACH_SWEEP

    @classmethod
    def of(cls, control: Control, module: str = "") -> Entry:
        """What the index keeps of a control; `module` holds it, and stands in its family's package."""
        return cls(
            module=module,
            family=module.split(".")[-2] if "." in module else "",
            severity=control.severity,
            scope=control.scope,
            wakes_on=control.wakes_on,
            blinds=control.blinds,
            is_swept=control.witness is None,
            aliases=control.aliases,
            house=control.house,
            looks=control.looks,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data, without what can be told from the module's name."""
        return {
            "module": self.module,
            "severity": self.severity.value,
            "scope": self.scope.value,
            "wakes_on": [
                [on.source, list(on.names), on.detail_type, dict(on.match), on.reads_too, on.failed_too]
                for on in self.wakes_on
            ],
            "blinds": self.blinds,
            "is_swept": self.is_swept,
            "aliases": list(self.aliases),
            "house": self.house,
            "looks": self.looks.value,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Entry:
        """The entry that `to_json` wrote."""
        return cls(
            module=data["module"],
            family=data["module"].split(".")[-2],
            severity=Severity(data["severity"]),
            scope=Scope(data["scope"]),
            wakes_on=tuple(
                On(source, tuple(names), _nowhere, kind, match, reads_too, failed_too)
                for source, names, kind, match, reads_too, failed_too in data["wakes_on"]
            ),
            blinds=data["blinds"],
            is_swept=data["is_swept"],
            aliases=tuple(data["aliases"]),
            house=data["house"],
            looks=Looks(data["looks"]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Index(Mapping[str, Control]):
    """All controls by id, each imported when it is first asked for.

    Attributes:
        entries: what is known of each without importing it.
    """

    entries: Mapping[str, Entry]
    _imported: dict[str, Control] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, controls: Mapping[str, Control], modules: Mapping[str, str] | None = None) -> Index:
        """The index of controls that are imported already; `modules` hold them, where that is known."""
        held = modules or {}
        return cls({name: Entry.of(one, held.get(name, "")) for name, one in controls.items()}, dict(controls))

    def to_json(self) -> dict[str, Any]:
        """Plain data; `load` reads it."""
        return {name: one.to_json() for name, one in self.entries.items()}

    def __getitem__(self, control_id: str) -> Control:
        """One control.

        Raises:
            KeyError: there is none of this id.
            IndexMismatch: the layer does not hold what the index names.
        """
        if control_id not in self._imported:
            entry = self.entries[control_id]
            try:
                control = importlib.import_module(entry.module).CONTROL
            except (ImportError, AttributeError) as error:
                raise IndexMismatch(
                    f"the index names the control {control_id} in {entry.module}, which the layer does not hold "
                    f"({error}); {_AGAIN}"
                ) from error
            if control.id != control_id:
                raise IndexMismatch(
                    f"the index names the control {control_id} in {entry.module}, which holds {control.id}; {_AGAIN}"
                )
            self._imported[control_id] = control
        return self._imported[control_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def renamed(self) -> Mapping[str, str]:
        """Earlier id of a control -> the one it has today."""
        return {earlier: name for name, one in self.entries.items() for earlier in one.aliases}

    def concerned(self, event: Event) -> Iterable[str]:
        """The ids of the controls that an event may wake, none of which is imported for that."""
        return (name for name, one in self.entries.items() if any(concerns(on, event) for on in one.wakes_on))


def load(path: Path = WRITTEN) -> Index:
    """The index in the layer.

    Args:
        path: the file.

    Raises:
        IndexMissing: it is missing or unreadable.
    """
    try:
        return Index({name: Entry.from_json(one) for name, one in json.loads(path.read_text()).items()})
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise IndexMissing(
            f"the index of the controls cannot be read ({error}): the layer was built without {path.name}; {_AGAIN}"
        ) from error


def _nowhere(_detail: Event) -> Iterable[Target]:
    raise AssertionError("only the control itself knows where to look")
