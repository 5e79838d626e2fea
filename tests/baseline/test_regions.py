"""Which regions a baseline may name."""

from __future__ import annotations

import json
import re
from pathlib import Path

import botocore
import pytest

from plumbline.baseline import compiler, regions
from plumbline.baseline.schema import schema
from plumbline.controls import registry


def _of_the_sdk() -> set[str]:
    """The regions of every partition, by the SDK's own list."""
    listed = json.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_text())
    return {one for partition in listed["partitions"] for one in partition["regions"] if "global" not in one}


def test_every_region_that_the_sdk_knows_is_known() -> None:
    assert set() == _of_the_sdk() - regions.KNOWN


@pytest.mark.parametrize("region", sorted(regions.KNOWN))
def test_a_region_that_exists_may_be_named(region: str) -> None:
    pattern = schema(registry.load())["properties"]["regions"]["items"]["pattern"]
    assert re.match(pattern, region)
    assert ("", "") == (regions.impossible(region), regions.caution(region))


@pytest.mark.parametrize("region", ["xx-nowhere-9", "us-eats-1", "eu-1", "us-east-0", "us-east-11", "aws-global-1"])
def test_what_no_region_can_be_called_is_refused_with_what_to_write(region: str) -> None:
    said = re.fullmatch(rf"{region} is no region of AWS; write one such as (\S+)", regions.impossible(region))
    assert said
    assert said[1] in regions.KNOWN


def test_one_that_aws_may_have_opened_since_is_taken_with_a_word_of_caution(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "baseline.yaml"
    file.write_text("regions: [ap-southeast-2, eu-west-4]\n")
    assert 0 == compiler.main([str(file)])
    assert (
        f"{file}: regions: eu-west-4 was no region of AWS when this version was made. If AWS has opened it since, all "
        "is well; if not, write eu-west-3, or every sweep will say that it cannot look there\n"
    ) == capsys.readouterr().err
