"""Every control there is, found by walking the families below controls/; no list to keep by hand.

What a function meets in AWS is the index made from it (see index.py), so that a wake imports its own control alone.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from plumbline import controls
from plumbline.controls.index import Index
from plumbline.core.control import Control
from plumbline.core.errors import PlumblineError


class MisnamedControl(PlumblineError):
    """A file below controls/ does not hold the control its name promises."""


class AmbiguousControl(PlumblineError):
    """An id, of today or an earlier one, could mean more than one control."""


@cache
def modules() -> Mapping[str, str]:
    """The module of each control, by its id; nothing is imported but the families' packages.

    Raises:
        MisnamedControl: two families hold a file of the same name, or a family's folder is no package.
    """
    for folder in sorted({path.parent for path in Path(controls.__file__).parent.glob("*/*.py")}):
        if not (folder / "__init__.py").exists():
            raise MisnamedControl(f"controls/{folder.name} has no __init__.py; a family is a package, of one line")
    found: dict[str, str] = {}
    for family in pkgutil.iter_modules(controls.__path__, f"{controls.__name__}."):
        if not family.ispkg:
            continue
        for module in pkgutil.iter_modules(importlib.import_module(family.name).__path__):
            if module.name.startswith("_"):
                continue
            name, control_id = f"{family.name}.{module.name}", module.name.replace("_", "-")
            if control_id in found:
                raise MisnamedControl(f"{name} and {found[control_id]} hold the same control; an id is there once")
            found[control_id] = name
    return dict(sorted(found.items()))


@cache
def load() -> Mapping[str, Control]:
    """All controls by id, in the order of their ids.

    Raises:
        MisnamedControl: a file holds no `CONTROL`, or one whose id is not the file's name in kebab-case.
        AmbiguousControl: an earlier id of one is used twice.
    """
    found: dict[str, Control] = {}
    for control_id, name in modules().items():
        control = getattr(importlib.import_module(name), "CONTROL", None)
        if not isinstance(control, Control) or control.id != control_id:
            raise MisnamedControl(f"{name.replace('.', '/')}.py must define CONTROL with id '{control_id}'")
        found[control_id] = control
    check_aliases(found.values())
    return found


def check_aliases(controls: Iterable[Control]) -> None:
    """See to it that each id, of today or an earlier one, means one control.

    Raises:
        AmbiguousControl: one does not; says which, and which controls claim it.
    """
    today = {one.id: one for one in controls}
    claimed: dict[str, str] = {}
    for control in today.values():
        for alias in control.aliases:
            if alias == control.id:
                raise AmbiguousControl(f"{control.id} names its own id as an earlier one; remove it from its aliases")
            if alias in today:
                raise AmbiguousControl(
                    f"{control.id} names {alias} as its earlier id, which is another control's today"
                )
            if claimed.get(alias) == control.id:
                raise AmbiguousControl(f"{control.id} names its earlier id {alias} twice; keep one")
            if alias in claimed:
                raise AmbiguousControl(f"{claimed[alias]} and {control.id} both name {alias} as their earlier id")
            claimed[alias] = control.id


@cache
def index() -> Index:
    """What a function meets of all this in AWS."""
    return Index.of(load(), modules())


def family(control_id: str) -> str:
    """The family a control belongs to: its folder's name."""
    return modules()[control_id].split(".")[-2]


def main(arguments: Sequence[str]) -> int:
    """Command line: writes the index that functions read (index.py). What is wrong with a control is one line."""
    try:
        text = json.dumps(index().to_json(), indent=1, sort_keys=True)
    except (MisnamedControl, AmbiguousControl) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    Path(arguments[0]).write_text(f"{text}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
