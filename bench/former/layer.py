"""Version 0.1's layer, built without a package index: its own code, and the packages that are built for today's."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.former import history
from bench.processes import PYTHON, NotMeasured
from local.embedded import ROOT

_REQUIREMENTS = "layers/plumbline/requirements.txt"
_BASELINE = "controls: {}\n"


@dataclass(frozen=True, slots=True)
class Layer:
    """A built layer.

    Attributes:
        python: what is on the path.
        function: react's own folder.
        adopted: by control, what the ledger keeps of a first sweep that is over.
    """

    python: Path
    function: Path
    adopted: Mapping[str, str]


def built(today: Path, to: Path) -> Layer:
    """Build it.

    Args:
        today: the layer of today as it is built, whose packages are the same.
        to: a folder, which is made anew.

    Raises:
        NotMeasured: version 0.1's code is not there, cannot be built, or asks for other packages.
    """
    folder = history.unpacked()
    if (folder / _REQUIREMENTS).read_text() != (ROOT / _REQUIREMENTS).read_text():
        raise NotMeasured("version 0.1 has other packages in its layer than today's, and none are fetched")
    shutil.rmtree(to, ignore_errors=True)
    python = to / "python"
    shutil.copytree(today / "python", python, ignore=shutil.ignore_patterns("plumbline"))
    own = python / "plumbline"
    shutil.copytree(
        folder / "layers/plumbline/plumbline", own, ignore=shutil.ignore_patterns("compile.py", "__pycache__")
    )
    source = to / "baseline.yaml"
    source.write_text(_BASELINE)
    adopted = _run([*history.line("build", str(source), str(own / "baseline.json"))], history.environment(folder))
    _run([str(PYTHON), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(own)], None)
    return Layer(python, folder / "functions" / "react", json.loads(adopted))


def _run(line: list[str], environment: Mapping[str, str] | None) -> str:
    done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    if done.returncode:
        raise NotMeasured(f"version 0.1 could not be built: {done.stderr[-2000:]}")
    return done.stdout
