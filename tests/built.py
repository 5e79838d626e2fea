"""What the tests deploy: `sam build` runs once a session; for other baselines only the baseline is compiled anew.

Builds of the same sources differ in the baseline's JSON alone: tests/building/test_once.py builds two to show it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import deployment
from local.embedded import ROOT, EmbeddedAWS, EmbeddedAWSError

#: Names the folder that all workers of a session share; tests/conftest.py makes it.
FOLDER = "PLUMBLINE_TESTS_BUILT"
_LAYER = ROOT / "layers" / "plumbline"
#: In a build.
BASELINE = Path("PlumblineLayer", "python", "plumbline", "baseline", "baseline.json")


def build(aws: EmbeddedAWS, *, baseline: Path | None = None) -> None:
    """As `deployment.build` does it, with its errors.

    Args:
        aws: where it will be deployed.
        baseline: another baseline.yaml than the project's.
    """
    here, kept = deployment.built_for(aws), Path(os.environ[FOLDER])
    with _alone(kept / "lock"):
        if not (kept / "build").exists():
            deployment.build(aws, baseline=baseline)
            shutil.copytree(here, kept / "half", symlinks=True)
            (kept / "half").rename(kept / "build")
            return
    compiled = _compiled(baseline or ROOT / "baseline.yaml")
    shutil.rmtree(here, ignore_errors=True)
    shutil.copytree(kept / "build", here, symlinks=True)
    (here / BASELINE).write_bytes(compiled)


def _compiled(baseline: Path) -> bytes:
    """A baseline as layers/plumbline/build.sh compiles it."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "baseline.json")
        words = [
            "-m",
            "plumbline.baseline.compiler",
            "--profiles",
            "../../profiles",
            str(baseline.resolve()),
            str(made),
        ]
        done = subprocess.run([sys.executable, *words], cwd=_LAYER, capture_output=True, text=True, check=False)
        if done.returncode:
            raise EmbeddedAWSError(f"{baseline} could not be compiled:\n{done.stderr}")
        return made.read_bytes()


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
