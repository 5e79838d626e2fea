"""What the functions read: one rule at a time, and none that cannot be read."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from plumbline.baseline.compiler import compile_text
from plumbline.baseline.rules import load
from plumbline.core.clock import Clock, Response
from plumbline.core.errors import BaselineError


def _written(tmp_path: Path, **change: Any) -> Path:
    """A compiled baseline in which the rule of iam-groups is otherwise."""
    compiled = compile_text("controls: {}", name="baseline.yaml", today=date(2026, 3, 2))
    compiled["controls"]["iam-groups"] |= change
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps(compiled))
    return path


@pytest.mark.parametrize("change", [{"mode": "bold"}, {"clocks": None}, {"clocks": {"default": {}}}])
def test_a_rule_that_cannot_be_read_is_refused_when_it_is_asked_for_and_hides_no_other(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    rules = load(_written(tmp_path, **change)).rules
    with pytest.raises(BaselineError, match=r"the rule of iam-groups .* cannot be read .* run `sam build`"):
        rules["iam-groups"]
    assert rules["s3-public-acl"].response is Response.ENFORCE


def test_there_is_no_rule_of_what_is_no_control(tmp_path: Path) -> None:
    rules = load(_written(tmp_path)).rules
    assert (None, False) == (rules.get("gone"), "gone" in rules)


@pytest.mark.parametrize("text", ["", "[]", '{"controls": []}', '{"controls": 7}'])
def test_a_baseline_that_cannot_be_read_is_refused_whole(tmp_path: Path, text: str) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(text)
    with pytest.raises(BaselineError, match=r"the compiled baseline baseline\.json cannot be read"):
        load(path)


def test_a_clock_of_an_earlier_build_has_no_mode_of_its_own(tmp_path: Path) -> None:
    clock = {"remind": [24.0], "escalate": None, "act": 0.0}
    rules = load(_written(tmp_path, clocks={"default": clock})).rules
    assert {"default": Clock((timedelta(days=1),), None, timedelta(0))} == rules["iam-groups"].clocks
