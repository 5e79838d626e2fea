"""What the tests deploy is built once: a build for another baseline differs in that baseline alone."""

from __future__ import annotations

from pathlib import Path

from local import deployment
from local.embedded import EmbeddedAWS
from tests import built


def test_what_is_deployed_with_another_baseline_is_what_sam_would_have_built_for_it(tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.yaml"
    baseline.write_text("regions: [eu-west-1]\n")
    with EmbeddedAWS.start(state=tmp_path / "aws") as aws:
        built.build(aws)  # whatever this session builds first
        built.build(aws, baseline=baseline)
        ours = _files(deployment.built_for(aws))
        deployment.build(aws, baseline=baseline)
    assert _files(deployment.built_for(aws)) == ours
    assert str(built.BASELINE) in ours


def _files(folder: Path) -> dict[str, bytes]:
    """All but what Python compiles, which is not the same byte for byte each time."""
    return {
        str(one.relative_to(folder)): one.read_bytes()
        for one in folder.rglob("*")
        if one.is_file() and one.suffix != ".pyc"
    }
