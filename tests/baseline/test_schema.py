"""The published JSON Schema: the one that the build judges by, and that editors explain."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from plumbline.baseline import advice, profiles
from plumbline.baseline.compiler import compile_text
from plumbline.baseline.document import read
from plumbline.baseline.schema import schema
from plumbline.controls import registry
from plumbline.core.errors import BaselineError

ROOT = Path(__file__).parents[2]
PUBLISHED: Mapping[str, Any] = json.loads((ROOT / "baseline.schema.json").read_text())
TODAY = date(2026, 3, 2)


def _parts(schema: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every part of a schema that judges a value, with where it stands."""
    yield place, schema
    for name, part in {**schema.get("properties", {}), **schema.get("$defs", {})}.items():
        yield from _parts(part, f"{place}.{name}")
    for rule in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(rule), Mapping):
            yield from _parts(schema[rule], f"{place}.{rule}")


def test_the_published_one_is_the_one_the_build_judges_by() -> None:
    assert schema(registry.load(), profiles.names(profiles.SHIPPED)) == PUBLISHED


def test_it_is_a_schema_of_its_draft_and_of_the_one_that_most_editors_know() -> None:
    Draft202012Validator.check_schema(PUBLISHED)
    Draft7Validator.check_schema(PUBLISHED)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"controls": None, "regions": None, "exemptions": {"reviewed": None}},
        {"controls": {"iam-groups": {"mode": "off"}}},
        {"controls": {"iam-groups": {"mode": False}}},
        {"controls": {"iam-groups": None}},
        {"controls": {"iam-groups": {"mode": True}}},
        {"controls": {"iam-groups": {"mode": 0}}},
        {"controls": {"iam-groups": {"clocks": {"default": {"act": "soon", "remind": ["1d"]}}}}},
        {"controls": {"iam-groups": {"clocks": {"default": {"act": 0, "escalate": None}}}}},
        {"controls": {"iam-grups": {}}},
        {"profile": "no-such-profile"},
        {"breakers": {"per_control": 0}},
    ],
    ids=json.dumps,
)
def test_both_drafts_and_the_build_agree(data: Mapping[str, Any]) -> None:
    built = not advice.broken(read(yaml.safe_dump(data), "baseline.yaml"), PUBLISHED)
    assert [built] * 2 == [draft(PUBLISHED).is_valid(data) for draft in (Draft202012Validator, Draft7Validator)]


@pytest.mark.parametrize("word", ["off", "no", "'off'"])
def test_yamls_own_off_is_a_mode_to_both(word: str) -> None:
    text = f"controls: {{iam-groups: {{mode: {word}}}}}"
    assert Draft202012Validator(PUBLISHED).is_valid(yaml.safe_load(text))
    assert "off" == compile_text(text, name="", today=TODAY)["controls"]["iam-groups"]["mode"]


def test_everything_in_it_is_explained() -> None:
    """Each key, beside itself; what stands in a list or below a key of one's own is explained there."""
    keys = [
        (f"{place}.{name}", key)
        for place, part in _parts(PUBLISHED)
        for name, key in part.get("properties", {}).items()
    ]
    assert [] == [place for place, key in keys if not key.get("description", "").endswith(".")]


def test_it_offers_the_defaults() -> None:
    offered = {
        place: part["default"] for place, part in _parts(PUBLISHED["properties"]["controls"]) if "default" in part
    }
    expected = {f".{one.id}.mode": one.response.value for one in registry.load().values()} | {
        f".{one.id}.{name}": about["default"]
        for one in registry.load().values()
        for name, about in one.settings.items()
        if "default" in about
    }
    assert expected == {place: offered[place] for place in expected}


def test_no_rule_of_it_is_told_in_the_words_of_a_schema_library() -> None:
    """Each rule that a value may break has its own sentence, or stands beside a description that says what belongs."""
    silent = {
        "$schema",
        "$defs",
        "$ref",
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
        "patternErrorMessage",
    }
    told = {*advice._ADVICE, "type", "required", "enum", "pattern", "properties", "items", "additionalProperties",
            "propertyNames", "allOf", "anyOf", "uniqueItems"}  # fmt: skip
    assert set() == {rule for _, part in _parts(PUBLISHED) for rule in part} - silent - told


def test_the_baseline_that_is_shipped_begins_with_the_line_that_editors_read() -> None:
    first = (ROOT / "baseline.yaml").read_text().splitlines()[0]
    assert "# yaml-language-server: $schema=./baseline.schema.json" == first


_WORDS = st.sampled_from(
    ["off", "enforce", "1d", "0", "x", "*", "null", "7", "[]", "{}", "[x]", "{x: y}", "2026-09-01"]
)
_KEYS = st.sampled_from(
    ["controls", "profile", "exemptions", "reviewed", "control", "mode", "clocks", "default", "act", "remind", "groups",
     "iam-groups", "root-activity", "regions", "breakers", "per_control", "until", "owner", "max_days", "letters"]
)  # fmt: skip
_TEXTS = st.recursive(
    _WORDS,
    lambda one: (
        st.lists(one, max_size=3).map(lambda parts: f"[{', '.join(parts)}]")
        | st.dictionaries(_KEYS, one, max_size=3).map(
            lambda d: "{" + ", ".join(f"{k}: {v}" for k, v in d.items()) + "}"
        )
    ),
    max_leaves=12,
)


@given(_TEXTS)
def test_whatever_looks_like_a_baseline_is_refused_in_single_lines_or_taken(text: str) -> None:
    problems: tuple[str, ...] = ()
    try:
        compile_text(text, name="baseline.yaml", today=TODAY)
    except BaselineError as error:
        problems = error.problems
    assert [] == [one for one in problems if not one.startswith("baseline.yaml:") or "\n" in one]
