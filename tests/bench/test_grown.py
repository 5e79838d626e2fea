"""A registry grown by copies is one that the build takes, and that the measured event does not wake."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench import grown
from plumbline.controls import registry

ROOT = Path(__file__).parent.parent.parent
LAYER = ROOT / "layers" / "plumbline"


def test_every_control_there_is_is_found() -> None:
    found = [path.stem.replace("_", "-") for path in grown.controls(LAYER / "plumbline")]
    assert sorted(registry.load()) == sorted(found)


def test_a_copy_has_an_id_and_events_of_its_own() -> None:
    text = (
        "CONTROL = Control(\n"
        '    id="s3-public-acl",\n'
        '    aliases=("s3-acl", "acl"),\n'
        '    wakes_on=(On("s3.amazonaws.com", ("PutBucketAcl",), locate), On("", (), locate)),\n'
        ")\n"
    )
    assert (
        "CONTROL = Control(\n"
        '    id="s3-public-acl-2",\n'
        '    wakes_on=(On("s3.copy-2.amazonaws.com", ("PutBucketAcl",), locate), On("copy-2", (), locate)),\n'
        ")\n"
    ) == grown.copied(text, "s3_public_acl", 2)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with sixty controls."""
    copy = tmp_path_factory.mktemp("grown") / "plumbline"
    shutil.copytree(LAYER / "plumbline", copy, ignore=shutil.ignore_patterns("__pycache__"))
    grown.grow(copy, 60)
    return copy


def test_it_grows_to_the_size_asked_for_and_no_further(package: Path) -> None:
    assert 60 == len(grown.controls(package))
    assert 60 == grown.grow(package, 60)


def test_what_has_grown_is_indexed_and_woken_by_its_originals_events_alone(package: Path, tmp_path: Path) -> None:
    index = tmp_path / "index.json"
    subprocess.run(
        [sys.executable, "-m", "plumbline.controls.registry", index], cwd=package.parent, check=True, env={"PATH": ""}
    )
    entries = json.loads(index.read_text())
    woken = [
        name
        for name, entry in entries.items()
        for source, names, *_ in entry["wakes_on"]
        if source == "iam.amazonaws.com" and "CreateAccessKey" in names
    ]
    assert (60, ["iam-access-key-created", "root-access-keys"]) == (len(entries), woken)
