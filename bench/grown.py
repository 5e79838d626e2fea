"""A layer with more controls than there are yet: copies under other ids, to see whether a wake pays for them.

A copy is its original in all but its id and the events that wake it, which no event carries. The layer is built by the
layer's own Makefile, so that everything the build makes of the controls is made of the copies, too.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from itertools import count, cycle
from pathlib import Path

from bench.processes import PYTHON, NotMeasured
from local.embedded import ROOT

_SOURCE = re.compile(r'"([a-z0-9-]+)\.amazonaws\.com"')
_ANY_SOURCE = re.compile(r'On\(\s*""')
_ALIASES = re.compile(r"^    aliases=\([^)]*\),\n", re.MULTILINE)


def controls(package: Path) -> list[Path]:
    """The modules below controls/ that hold a control, in the order of their ids."""
    found = (path for path in (package / "controls").rglob("*.py") if not path.name.startswith("_"))
    return sorted(
        (path for path in found if re.search(r"^CONTROL\b", path.read_text(), re.MULTILINE)), key=lambda path: path.name
    )


def grow(package: Path, to: int) -> int:
    """Copy controls beside their originals until a package has as many as asked for.

    Returns:
        How many it has now.
    """
    originals = controls(package)
    missing = to - len(originals)
    rounds = count(2)
    number = 0
    for path in cycle(originals):
        if missing <= 0:
            break
        if path == originals[0]:
            number = next(rounds)
        path.with_name(f"{path.stem}_{number}.py").write_text(copied(path.read_text(), path.stem, number))
        missing -= 1
    return len(controls(package))


def copied(text: str, stem: str, number: int) -> str:
    """A control's module under another id, woken by events that there are none of.

    Args:
        text: the module.
        stem: its name, as in `s3_public_acl`.
        number: what the copy's id ends in.
    """
    control_id = stem.replace("_", "-")
    renamed = text.replace(f'"{control_id}"', f'"{control_id}-{number}"')
    elsewhere = _SOURCE.sub(rf'"\1.copy-{number}.amazonaws.com"', renamed)
    return _ALIASES.sub("", _ANY_SOURCE.sub(f'On("copy-{number}"', elsewhere))


def build(folder: Path, to: int) -> Path:
    """Grow a copy of the layer's sources in a folder and build it there as `sam build` does.

    Returns:
        The built layer.

    Raises:
        NotMeasured: it could not be built, or not grown to the size.
    """
    source, built = folder / "layers" / "plumbline", folder / "built"
    shutil.copytree(ROOT / "layers" / "plumbline", source, ignore=shutil.ignore_patterns("__pycache__"))
    for beside in ("baseline.yaml", "profiles"):
        if (ROOT / beside).is_dir():
            shutil.copytree(ROOT / beside, folder / beside)
        elif (ROOT / beside).exists():
            shutil.copy(ROOT / beside, folder / beside)
    grown = grow(source / "plumbline", to)
    if grown != to:
        raise NotMeasured(f"the registry has {grown} controls, and not the {to} that were to be measured")
    built.mkdir()
    done = subprocess.run(
        ["make", "--silent", "build-PlumblineLayer", f"ARTIFACTS_DIR={built}"],
        cwd=source,
        env={
            "PATH": f"{ROOT / '.venv/sam/bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "HOME": os.environ.get("HOME", str(folder)),
            "PLUMBLINE_LAMBDA_PYTHON": str(PYTHON),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotMeasured(f"the grown layer could not be built:\n{done.stderr[-2000:]}")
    return built
