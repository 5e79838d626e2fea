"""Version 0.1's code: unpacked from this repository's history, never from a network."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bench.processes import NotMeasured
from local.embedded import ROOT

#: The last commit of version 0.1, before the package got its rooms.
COMMIT = "b9daa4ad764e03ae912af621f13f364b55f46435"
#: Beside the folders of the embedded AWS, each of which is emptied when one starts.
FOLDER = ROOT / ".plumbline" / "version-0.1"
#: What of it is run. Its `bench` and `local` stay where they are: those of today measure both.
_PARTS = ("layers/plumbline", "functions/react", "tests", "template.yaml")
#: The template that the tests keep of it; whoever has that one has version 0.1.
_TEMPLATE = ROOT / "tests" / "upgrade" / "version_0_1" / "template.yaml"
_LAYER = "layers/plumbline"


def unpacked(commit: str = COMMIT, folder: Path = FOLDER) -> Path:
    """The folder with version 0.1's code, unpacked anew where it is not there.

    Args:
        commit: which one it is.
        folder: where to.

    Raises:
        NotMeasured: the history is not there, or what it holds is not version 0.1.
    """
    if not (folder / _PARTS[-1]).exists():
        packed = io.BytesIO(_archive(commit))
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(dir=folder.parent, ignore_cleanup_errors=True) as made,
            tarfile.open(fileobj=packed, mode="r:") as archive,
        ):
            archive.extractall(made, filter="data")
            with suppress(OSError):  # somebody else has just unpacked the same
                Path(made).rename(folder)
    if (folder / _PARTS[-1]).read_text() != _TEMPLATE.read_text():
        raise NotMeasured(f"{folder} does not hold version 0.1: its template is another one; remove it, and try again")
    return folder


def missing() -> str:
    """Why it is not there, in words; empty where it is."""
    try:
        unpacked()
    except NotMeasured as error:
        return str(error)
    return ""


def _archive(commit: str) -> bytes:
    line = ["git", "-C", str(ROOT), "archive", "--format=tar", commit, *_PARTS]
    try:
        return subprocess.run(line, check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        said = error.stderr.decode().strip() if isinstance(error, subprocess.CalledProcessError) else str(error)
        raise NotMeasured(
            f"version 0.1 is commit {commit[:12]} of this repository's history, which is not there ({said}); a shallow "
            "clone lacks it: `git fetch --unshallow` brings it"
        ) from error


def environment(folder: Path) -> dict[str, str]:
    """The environment in which `plumbline` and `tests` are version 0.1's, and `bench` and `local` today's."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (folder / _LAYER, folder, ROOT)))}


def line(script: str, *arguments: str) -> list[str]:
    """The command line of a process beside version 0.1's code; `-P`, or today's code would come first."""
    return [sys.executable, "-P", "-m", f"bench.former.own.{script}", *arguments]


def controls(folder: Path) -> Sequence[str]:
    """The ids of its controls."""
    found = (folder / _LAYER / "plumbline" / "controls").glob("[!_]*.py")
    return sorted(one.stem.replace("_", "-") for one in found)


def number(folder: Path, section: str, name: str) -> int:
    """A number that its template gives a resource, such as the `Timeout` of `SweepFunction`."""
    text = (folder / "template.yaml").read_text().partition(f"\n  {section}:")[2]
    own = re.split(r"\n  \S", text, maxsplit=1)[0]
    (found,) = re.findall(rf"\n +{name}: (\d+)", own)
    return int(found)
