"""What the functions read: one rule at a time, and none that cannot be read."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from plumbline.baseline.compiler import compile_text
from plumbline.baseline.rules import Rules, load
from plumbline.compose import from_environment
from plumbline.controls import registry
from plumbline.core.clock import Clock, Response
from plumbline.core.control import said_elsewhere
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


def test_a_clock_of_an_earlier_build_has_no_mode_of_its_own_and_reminds_of_nothing_again(tmp_path: Path) -> None:
    clock = {"remind": [24.0], "escalate": None, "act": 0.0}
    rules = load(_written(tmp_path, clocks={"default": clock})).rules
    assert {"default": Clock((timedelta(days=1),), None, timedelta(0))} == rules["iam-groups"].clocks


def test_the_default_bucket_is_the_one_that_the_stack_made(tmp_path: Path) -> None:
    made = "plumbline-trail-111122223333-us-east-1-1a2b3c4d"
    rules = load(_written(tmp_path), stack="plumbline", trail_bucket=made).rules
    assert {"trail_name": "plumbline", "bucket": made} == rules["cloudtrail-logging"].settings


def test_the_settings_of_a_stack_of_version_0_1_stay_the_very_same(tmp_path: Path) -> None:
    """Else its controls would adopt anew what they find."""
    rules = load(_written(tmp_path), stack="audit").rules
    assert "audit-trail-{account}-{region}" == rules["cloudtrail-logging"].settings["bucket"]


@pytest.mark.parametrize(
    ("bucket", "default"),
    [
        ("audit-trail-111122223333-us-east-1", "audit-trail-{account}-{region}"),
        ("plumbline-trail-111122223333-us-east-1-1a2b3c4d", "plumbline-trail-111122223333-us-east-1-1a2b3c4d"),
        ("", "audit-trail-{account}-{region}"),
    ],
)
def test_a_function_tells_the_bucket_of_version_0_1_from_a_new_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bucket: str, default: str
) -> None:
    path = _written(tmp_path)
    monkeypatch.setattr("plumbline.compose.load_baseline", lambda **named: load(path, **named))
    monkeypatch.setattr("plumbline.compose.load_index", registry.index)
    environment = {
        "PLUMBLINE_ACCOUNT": "111122223333",
        "PLUMBLINE_MODE": "enforce",
        "PLUMBLINE_ADOPTION_GRACE_DAYS": "7",
        "PLUMBLINE_TABLE": "audit-ledger",
        "PLUMBLINE_ALERTS_TOPIC": "arn:aws:sns:us-east-1:111122223333:audit-alerts",
        "PLUMBLINE_CHAT_TOPIC": "",
        "PLUMBLINE_PEOPLE_TOPIC": "",
        "PLUMBLINE_STACK": "audit",
        "PLUMBLINE_TRAIL_BUCKET": bucket,
        "PLUMBLINE_EXISTING_TRAIL": "",
        "PLUMBLINE_INLINE_POLICIES": "propose",
        "PLUMBLINE_EYES_ROLE": "arn:aws:iam::{account}:role/plumbline/audit-eyes",
        "AWS_REGION": "us-east-1",
    }
    plumbline = from_environment(lambda: datetime(2026, 3, 2, tzinfo=timezone.utc), environment)
    assert default == plumbline.engine.baseline.rules["cloudtrail-logging"].settings["bucket"]


def _reading_elsewhere(*, off: bool = False, allowed: tuple[str, ...] = ("eu-west-1",)) -> Rules:
    """A rule that judges by another control's setting too."""
    shown = {"mode": "off" if off else "alert", "clocks": {}, "settings": {"allowed": list(allowed), "more": 1}}
    own = {"mode": "enforce", "clocks": {}, "settings": {"x": 1}, "elsewhere": {"other": ["allowed"], "none": ["y"]}}
    return Rules({"own": own, "other": shown}, "plumbline")


def test_a_control_is_told_what_it_asks_of_anothers_settings_and_nothing_else() -> None:
    settings = _reading_elsewhere()["own"].settings
    assert {"x": 1, "elsewhere": {"other": {"allowed": ["eu-west-1"]}}} == settings
    assert ["eu-west-1"] == said_elsewhere(settings, "other", "allowed")


@pytest.mark.parametrize(("control", "name"), [("other", "more"), ("none", "y")])
def test_what_it_does_not_ask_and_what_there_is_not_says_nothing(control: str, name: str) -> None:
    assert () == said_elsewhere(_reading_elsewhere()["own"].settings, control, name)


def test_a_control_that_is_off_declares_nothing() -> None:
    assert () == said_elsewhere(_reading_elsewhere(off=True)["own"].settings, "other", "allowed")


def test_what_is_declared_elsewhere_makes_no_finding_a_new_one() -> None:
    marks = {_reading_elsewhere(allowed=one)["own"].mark for one in ((), ("eu-west-1",), ("eu-west-2",))}
    assert 1 == len(marks)
