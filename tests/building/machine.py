"""Another machine, as far as the build sees one: a copy of the sources, and a path with chosen tools on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
#: What a POSIX machine has beside Python and make.
_TOOLS = (
    "sh",
    "bash",
    "awk",
    "cat",
    "cp",
    "dirname",
    "env",
    "find",
    "grep",
    "ls",
    "mkdir",
    "mv",
    "rm",
    "test",
    "touch",
)
#: Where version managers and packages put interpreters that are not on the path.
_ELSEWHERE = (Path.home() / ".pyenv" / "versions", Path("/opt/homebrew/bin"), Path("/usr/local/bin"))


def interpreter(version: str) -> Path | None:
    """A real Python of a version such as `3.10`, with venv and ensurepip; None where this machine has none."""
    managed = sorted(_ELSEWHERE[0].glob(f"{version}.*/bin/python{version}"))
    named = shutil.which(f"python{version}", path=os.pathsep.join([*map(str, _ELSEWHERE[1:]), os.environ["PATH"]]))
    for one in [*managed, *([Path(named)] if named else [])]:
        asked = [str(one), "-c", f"import sys; assert sys.version.startswith('{version}.')"]
        if subprocess.run(asked, capture_output=True, check=False).returncode == 0:
            return one
    return None


@dataclass(frozen=True)
class Machine:
    """A machine with chosen Pythons.

    Attributes:
        folder: where the sources are; has a space in its name.
        path: the folder that is all of its PATH.
    """

    folder: Path
    path: Path

    @classmethod
    def at(cls, folder: Path) -> Machine:
        """One with the sources and without any Python."""
        sources, path = folder / "my projects" / "plumbline", folder / "bin"
        kept_out = shutil.ignore_patterns("__pycache__", ".aws-sam")
        for one in ("layers", "profiles", "requirements"):
            shutil.copytree(ROOT / one, sources / one, ignore=kept_out)
        for one in ("baseline.yaml", "Makefile"):
            shutil.copy(ROOT / one, sources / one)
        path.mkdir()
        for one in (*_TOOLS, "make"):
            (path / one).symlink_to(str(shutil.which(one)))
        return cls(sources, path)

    def has(self, name: str, python: Path, *, without: tuple[str, ...] = (), version: str = "") -> None:
        """Put a Python on the path.

        Args:
            name: the command's name.
            python: the interpreter that answers to it.
            without: modules that it has not got.
            version: the version it says it is, where that is not its own.
        """
        hidden = self.path.parent / f"hidden from {name}"
        hidden.mkdir()
        lines = [f"sys.modules[{one!r}] = None" for one in without]
        lines += [f"sys.version_info = ({version.replace('.', ', ')}, 0, 'final', 0)"] if version else []
        (hidden / "sitecustomize.py").write_text("import sys\n" + "\n".join(lines) + "\n")
        script = self.path / name
        environment = f'PYTHONPATH="{hidden}${{PYTHONPATH:+:$PYTHONPATH}}" ' if lines else ""
        script.write_text(f'#!/bin/sh\n{environment}exec "{python}" "$@"\n')
        script.chmod(0o755)

    def has_stub(self, name: str) -> None:
        """Put a version manager's stub on the path, for a version that is not installed."""
        (self.path / name).write_text(f"#!/bin/sh\necho 'pyenv: {name}: command not found' >&2\nexit 127\n")
        (self.path / name).chmod(0o755)

    def make(self, *arguments: str, within: str = ".", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run make."""
        return subprocess.run(
            ["make", "--silent", *arguments],
            cwd=self.folder / within,
            env=self._environment(variables),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def build(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Build the layer, as `sam build` has make do it."""
        (self.built).mkdir(exist_ok=True)
        return self.make("build-PlumblineLayer", f"ARTIFACTS_DIR={self.built}", within="layers/plumbline", **variables)

    @property
    def built(self) -> Path:
        """Where the layer goes."""
        return self.folder.parent / "what is built"

    def _environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        index = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "HTTP"))}
        return {"PATH": str(self.path), "HOME": str(Path.home()), **index, **variables}


THIS = Path(sys.executable)
