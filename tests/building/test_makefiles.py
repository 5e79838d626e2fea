"""Both makefiles work with GNU make 3.81, which is what macOS brings."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.building.machine import ROOT, THIS, Machine

MAKEFILES = [ROOT / "Makefile", ROOT / "layers" / "plumbline" / "Makefile"]
#: What came after 3.81, as its NEWS tells by version; 3.81 ignores some of it without a word.
NEWER = {
    ".ONESHELL": r"^\.ONESHELL",  # 3.82
    ".SHELLFLAGS": r"^\.SHELLFLAGS",  # 3.82
    ".RECIPEPREFIX": r"^\.RECIPEPREFIX",  # 3.82
    "define NAME =": r"^define\s+\S+\s*[:+?]?=",  # 3.82
    "undefine": r"^undefine\b",  # 3.82
    "private": r"^(\S+:\s*)?private\s",  # 3.82
    "NAME != command": r"^[A-Za-z_.]+\s*!=",  # 4.0
    "NAME ::= value": r"^[A-Za-z_.]+\s*:{2,3}=",  # 4.0
    "$(file ...)": r"\$[({]file\s",  # 4.0
    "$(guile ...)": r"\$[({]guile\s",  # 4.0
    "--output-sync": r"--output-sync|\s-O\s",  # 4.0
    ".EXTRA_PREREQS": r"^\.EXTRA_PREREQS",  # 4.3
    "grouped targets": r"^[^#\t=]*&:",  # 4.3
    "$(intcmp ...)": r"\$[({](intcmp|let)\s",  # 4.4
    ".WAIT": r"\.WAIT\b",  # 4.4
    ".NOTINTERMEDIATE": r"^\.NOTINTERMEDIATE",  # 4.4
}


@pytest.mark.parametrize("path", MAKEFILES, ids=lambda path: path.parent.name)
def test_nothing_newer_than_3_81_is_used(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert [] == [name for name, shape in NEWER.items() for line in lines if re.search(shape, line)]


def test_the_check_finds_what_it_looks_for() -> None:
    samples = [".ONESHELL:", "NOW != date", "X ::= 1", "a b &: c", "define x =", "y := $(file <z)", "undefine x"]
    missed = [one for one in samples if not any(re.search(shape, one) for shape in NEWER.values())]
    assert missed == []


@pytest.mark.parametrize("name", ["gnumake-3.81", "make-3.81", "make3.81"])
def test_a_real_make_3_81_reads_them(name: str) -> None:
    make = shutil.which(name)
    if make is None:
        pytest.skip(f"this machine has no {name}")
    done = subprocess.run([make, "help"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "make deploy" in done.stdout


def test_a_recipe_of_more_than_one_command_stops_at_the_first_that_fails() -> None:
    """Without .SHELLFLAGS the shell goes on after a `;`; it does not after `&&`, nor where a loop ends with an exit."""
    recipes = re.sub(r"\\\n\s*", " ", (ROOT / "Makefile").read_text())
    loose = [
        line
        for line in recipes.splitlines()
        if line.startswith("\t") and re.search(r"; (?!do |done|break|then|fi\b|exit|\}|esac|\\)", line)
    ]
    allowed = ("@for python in", "@for in in")  # the first asks until one answers; the second ends each round with exit
    assert [line for line in loose if not line.strip().startswith(allowed)] == []


def test_make_says_in_one_line_that_it_takes_a_newer_python_than_the_build(tmp_path: Path) -> None:
    machine = Machine.at(tmp_path)
    machine.has("python3", THIS, version="3, 10")
    done = machine.make("preview")
    assert done.returncode != 0
    line = (
        "This takes Python 3.11 or newer with venv and ensurepip: none was found; say which with: "
        "make PYTHON=python3.12 preview"
    )
    assert [line] == [one for one in done.stderr.splitlines() if not one.startswith("make")]


def test_make_baseline_takes_whatever_the_build_takes(tmp_path: Path) -> None:
    machine = Machine.at(tmp_path)
    machine.has("python3", THIS, version="3, 10")
    done = machine.make("baseline")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("baseline.yaml: fits; ")
