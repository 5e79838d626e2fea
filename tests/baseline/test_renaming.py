"""A control has another name: what people wrote under its earlier ones still holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from plumbline.baseline.compiler import compile_text
from plumbline.baseline.schema import schema
from plumbline.controls import registry
from plumbline.core.control import Control
from plumbline.core.errors import BaselineError

TODAY = date(2026, 3, 2)


def _renamed(old: str, new: str, *more: str) -> Mapping[str, Control]:
    """The registry in which a control bears a new name."""
    controls = dict(registry.load())
    return {new: replace(controls.pop(old), id=new, aliases=(old, *more)), **controls}


CONTROLS = _renamed("s3-public-acl", "bucket-acl", "s3-acl")
RULE = "{mode: propose, allowed_buckets: [www]}"


def _compiled(text: str, folder: Path = Path("none"), controls: Mapping[str, Control] = CONTROLS) -> dict[str, Any]:
    return compile_text(text, name="baseline.yaml", today=TODAY, folder=folder, controls=controls)


def _problems(text: str, controls: Mapping[str, Control] = CONTROLS) -> tuple[str, ...]:
    with pytest.raises(BaselineError) as caught:
        _compiled(text, controls=controls)
    return caught.value.problems


@pytest.mark.parametrize("name", ["s3-public-acl", "s3-acl"])
def test_an_earlier_id_means_the_control_of_today(name: str) -> None:
    today, earlier = (_compiled(f"controls:\n  {one}: {RULE}") for one in ("bucket-acl", name))
    assert "propose" == earlier["controls"]["bucket-acl"]["mode"]
    assert today == earlier


@pytest.mark.parametrize("name", ["s3-public-acl", "s3-acl"])
def test_an_exemption_from_it_goes_on(name: str) -> None:
    text = (
        "exemptions:\n  reviewed:\n"
        f"  - {{control: {name}, target: '*/s3-bucket/www', owner: ann, reason: x, until: 2027-01-31}}"
    )
    (one,) = _compiled(text)["exemptions"]
    assert "bucket-acl" == one["control"]


def test_a_profile_may_be_older_than_the_name(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text("controls:\n  s3-acl: {mode: alert, allowed_buckets: [www]}")
    rule = _compiled("profile: old\ncontrols:\n  bucket-acl: {mode: observe}", tmp_path)["controls"]["bucket-acl"]
    assert ("observe", {"allowed_buckets": ["www"]}) == (rule["mode"], rule["settings"])


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("s3-public-acl", "bucket-acl"), "bucket-acl: bucket-acl and s3-public-acl"),
        (("bucket-acl", "s3-acl"), "s3-acl: s3-acl and bucket-acl"),
        (("s3-public-acl", "s3-acl"), "s3-acl: s3-acl and s3-public-acl"),
    ],
)
def test_two_of_its_ids_in_one_file_stop_the_build(names: tuple[str, str], expected: str) -> None:
    text = "controls:\n" + "".join(f"  {name}: {{}}\n" for name in names)
    words = f"baseline.yaml:3: controls.{expected} are the same control by two of its ids; write only bucket-acl"
    assert (words,) == _problems(text)


def test_what_is_wrong_is_told_where_it_stands_and_under_the_name_that_stands_there() -> None:
    assert (
        'baseline.yaml:2: controls.s3-acl.clocks.default.act: "9999d" is too long; write at most 3650d',
    ) == _problems("controls:\n  s3-acl: {clocks: {default: {act: 9999d}}}")
    controls = dict(registry.load())
    controls["iam-groups"] = replace(controls["iam-groups"], aliases=("teams",))
    (clash,) = _problems("controls:\n  teams:\n    groups:\n      ops: [IAMFullAccess]", controls)
    assert clash.startswith("baseline.yaml:4: controls.teams.groups.ops: IAMFullAccess makes administrators")


def test_who_mistypes_is_shown_the_name_of_today() -> None:
    assert ("baseline.yaml:1: controls.bucket-alc: there is no such control; did you mean 'bucket-acl'?",) == _problems(
        "controls: {bucket-alc: {}}"
    )
    (problem,) = _problems("controls: {s3-acll: {}}")
    assert "'s3-acl'" not in problem


def test_editors_take_the_earlier_id_and_say_what_to_write() -> None:
    published = schema(CONTROLS)
    assert Draft202012Validator(published).is_valid({"controls": {"s3-acl": {"mode": "off"}}})
    rule = published["properties"]["controls"]["properties"]["s3-acl"]
    assert (True, "The earlier id of bucket-acl; write that.") == (rule["deprecated"], rule["description"])
