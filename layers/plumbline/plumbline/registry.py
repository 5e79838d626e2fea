"""Every control there is, found by walking controls/; no list to keep by hand."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from collections.abc import Mapping
from functools import cache

from plumbline import controls
from plumbline.core import Control, PlumblineError

SECTIONS = ("Holds", "Why", "Repair", "Undo", "Source")
_SECTION = re.compile(rf"^({'|'.join(SECTIONS)}):[ \n]", re.MULTILINE)


class MisnamedControl(PlumblineError):
    """A file below controls/ does not hold the control its name promises."""


@cache
def load() -> Mapping[str, Control]:
    """All controls by id, in the order of their ids.

    Raises:
        MisnamedControl: a file holds no `CONTROL`, or one whose id is not the file's name in kebab-case.
    """
    found: dict[str, Control] = {}
    for module in sorted(pkgutil.iter_modules(controls.__path__), key=lambda one: one.name):
        if module.name.startswith("_"):
            continue
        control = getattr(importlib.import_module(f"{controls.__name__}.{module.name}"), "CONTROL", None)
        if not isinstance(control, Control) or control.id != module.name.replace("_", "-"):
            message = f"controls/{module.name}.py must define CONTROL with id '{module.name.replace('_', '-')}'"
            raise MisnamedControl(message)
        found[control.id] = control
    return found


@cache
def prose(control_id: str) -> Mapping[str, str]:
    """A control's documentation by heading: `Title`, then those of `SECTIONS`; one paragraph each.

    Source: the docstring of its module.
    """
    module = sys.modules[f"{controls.__name__}.{control_id.replace('-', '_')}"]
    title, *rest = _SECTION.split((module.__doc__ or "").strip())
    return {"Title": " ".join(title.split())} | {
        name: _sentence(text) for name, text in zip(rest[::2], rest[1::2], strict=True)
    }


def _sentence(text: str) -> str:
    plain = " ".join(text.split())
    return plain[:1].upper() + plain[1:]
