"""`sam build` runs make in layers/plumbline: with any Python from 3.10 on, or one line that says what to do."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from plumbline.controls import registry
from tests.building.machine import THIS, Machine, interpreter


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine.at(tmp_path)


def _said(stderr: str) -> list[str]:
    """What the build printed, without make's own last words."""
    return [line for line in stderr.splitlines() if not line.startswith("make")]


@pytest.mark.parametrize("version", ["3.10", "3.12", "3.13"])
def test_the_layer_is_built_by_a_bare_python_in_a_folder_with_a_space(machine: Machine, version: str) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"this machine has no Python {version}")
    machine.has_stub("python3.13")
    machine.has("python3", python)
    done = machine.build()
    assert done.returncode == 0, done.stderr
    package = machine.built / "python" / "plumbline"
    assert set(registry.load()) == set(json.loads((package / "controls" / "index.json").read_text()))
    assert set(registry.load()) == set(json.loads((package / "baseline" / "baseline.json").read_text())["controls"])
    assert (package / "sdk" / "roots.pem").exists()
    assert not (package / "baseline" / "compiler.py").exists()
    assert (machine.built / "python" / "aws_lambda_powertools").is_dir()


def test_a_broken_baseline_stops_the_build_with_its_own_line(machine: Machine) -> None:
    machine.has("python3", THIS)
    (machine.folder / "baseline.yaml").write_text("controls: {no-such-control: {}}")
    done = machine.build()
    assert done.returncode == 2
    assert "../../baseline.yaml:1: controls.no-such-control: there is no such control" in done.stderr
    assert not (machine.built / "python").exists()


@pytest.mark.parametrize(
    ("without", "version", "fault"),
    [
        ((), "3, 9", "python3 (3.9, {python}) is too old"),
        ((), "2, 7", "python3 (2.7, {python}) is too old"),
        (("pip", "ensurepip"), "", "python3 ({version}, {python}) lacks ensurepip"),
        (("yaml", "venv"), "", "python3 ({version}, {python}) lacks venv"),
    ],
)
def test_one_line_says_what_is_wrong_where_and_what_to_do(
    machine: Machine, without: tuple[str, ...], version: str, fault: str
) -> None:
    machine.has("python3", THIS, without=without, version=version)
    done = machine.build()
    found = fault.format(python=THIS, version=f"{sys.version_info[0]}.{sys.version_info[1]}")
    line = (
        f"Building takes Python 3.10 or newer with venv and ensurepip, and there is none: {found}. Install one "
        "(macOS: brew install python@3.13; Debian, Ubuntu: apt install python3-venv), or name one: "
        "PLUMBLINE_PYTHON=/path/to/python3 sam build"
    )
    assert [line] == _said(done.stderr)
    assert done.returncode != 0
    assert not (machine.built / "python").exists()


def test_a_real_python_3_9_is_told_apart(machine: Machine) -> None:
    python = interpreter("3.9")
    if python is None:
        pytest.skip("this machine has no Python 3.9")
    machine.has("python3", python)
    machine.has_stub("python3.12")
    done = machine.build()
    assert done.returncode != 0
    assert [line.count("python3 (3.9, ") for line in _said(done.stderr)] == [1]


def test_a_machine_without_python_is_told_so(machine: Machine) -> None:
    (line,) = _said(machine.build().stderr)
    assert "and there is none: no python3.13 python3.12 python3.11 python3.10 python3 python was found." in line


def test_a_better_python_behind_an_old_one_is_found_in_silence(machine: Machine) -> None:
    machine.has_stub("python3.13")
    machine.has("python3", THIS, version="3, 9")
    machine.has("python", THIS)
    done = machine.build()
    assert done.returncode == 0
    assert [line for line in _said(done.stderr) if "WARNING" not in line] == []


def test_a_python_that_is_named_is_taken_whatever_its_path(machine: Machine) -> None:
    machine.has("my own python", THIS)
    done = machine.build(PLUMBLINE_PYTHON=str(machine.path / "my own python"))
    assert done.returncode == 0, done.stderr
    (line,) = _said(machine.build(PLUMBLINE_PYTHON="/no/such/python").stderr)
    assert "no /no/such/python was found" in line


def test_a_build_elsewhere_than_in_the_sources_says_how_to_build(machine: Machine) -> None:
    machine.has("python3", THIS)
    (machine.folder / "baseline.yaml").unlink()
    assert _said(machine.build().stderr) == [
        "There is no ../../baseline.yaml to build from; build where template.yaml is: sam build --build-in-source"
    ]
