"""Every control there is, found by walking the families below controls/; no list to keep by hand.

What a function meets in AWS is the index made from it (see index.py), so that a wake imports its own control alone.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from plumbline import controls
from plumbline.core.control import Control
from plumbline.core.errors import PlumblineError


class MisnamedControl(PlumblineError):
    """A file below controls/ does not hold the control its name promises."""


@cache
def modules() -> Mapping[str, str]:
    """The module of each control, by its id; nothing is imported but the families' packages.

    Raises:
        MisnamedControl: two families hold a file of the same name.
    """
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
    """
    found: dict[str, Control] = {}
    for control_id, name in modules().items():
        control = getattr(importlib.import_module(name), "CONTROL", None)
        if not isinstance(control, Control) or control.id != control_id:
            raise MisnamedControl(f"{name.replace('.', '/')}.py must define CONTROL with id '{control_id}'")
        found[control_id] = control
    return found


def family(control_id: str) -> str:
    """The family a control belongs to: its folder's name."""
    return modules()[control_id].split(".")[-2]
