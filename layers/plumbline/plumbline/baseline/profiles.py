"""Profiles: modes, clocks and settings that many accounts share, as files of a folder."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from plumbline.baseline.checks import judged
from plumbline.baseline.document import read_file
from plumbline.baseline.schema import profile_schema
from plumbline.core.control import Control

#: Those that come with the project. The package is compiled in its source folder, and never looks here in AWS.
SHIPPED = Path(__file__).parents[4] / "profiles"


def names(folder: Path) -> list[str]:
    """The profiles there are, by name."""
    return sorted(one.stem for one in folder.glob("*.yaml"))


def load(name: str, folder: Path, controls: Mapping[str, Control], today: date) -> Mapping[str, Any]:
    """What a profile says of controls, by their ids of today.

    Raises:
        BaselineError: it names what no control has; each line begins with the profile's file.
    """
    document = read_file(folder / f"{name}.yaml", f"{folder.name}/{name}.yaml")
    rules: Mapping[str, Any] = judged(document, profile_schema(controls), controls, today)["controls"]
    return rules
