"""The JSON Schema of baseline.yaml, made from the registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from plumbline.baseline.rules import Breakers, Letters
from plumbline.core.control import Control, Response

DURATION = {"type": ["string", "integer"], "pattern": r"^\s*(0|\d+\s*[hd])\s*$", "maximum": 0, "minimum": 0}
_CLOCK = {
    "type": "object",
    "properties": {
        "remind": {"type": "array", "items": DURATION},
        "escalate": {**DURATION, "type": ["string", "integer", "null"]},
        "act": {**DURATION, "type": ["string", "integer", "null"]},
    },
    "additionalProperties": False,
}
MOST_DAYS = 3650  # ten years: what is meant to be longer is meant to be never
_DAYS = {"type": "integer", "minimum": 1, "maximum": MOST_DAYS}
_MODES = [mode.value for mode in Response]


def schema(controls: Mapping[str, Control]) -> dict[str, Any]:
    """The JSON Schema of baseline.yaml, made from the registry."""
    return {
        "type": "object",
        "properties": {
            "controls": {
                "type": "object",
                "properties": {one.id: _control_schema(one) for one in controls.values()},
                "additionalProperties": False,
            },
            "regions": {
                "type": "array",
                "items": {
                    "type": "string",
                    "pattern": r"^[a-z]{2}(-[a-z]+)+-\d+$",
                    "description": "such as ap-southeast-2",
                },
            },
            "breakers": {
                "type": "object",
                "properties": {one.name: {"type": "integer", "minimum": 1} for one in fields(Breakers)},
                "additionalProperties": False,
            },
            "letters": {
                "type": "object",
                "properties": {
                    one.name: {"type": "integer", "minimum": 1} | ({"maximum": 24} if one.name == "hours" else {})
                    for one in fields(Letters)
                },
                "additionalProperties": False,
            },
            "exemptions": {
                "type": "object",
                "properties": {"max_days": _DAYS, "reviewed": {"type": "array", "items": _exemption_schema(controls)}},
                "additionalProperties": False,
            },
            "pauses": {"type": "object", "properties": {"max_days": _DAYS}, "additionalProperties": False},
        },
        "additionalProperties": False,
    }


def _exemption_schema(controls: Mapping[str, Control]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "control": {"enum": ["*", *controls]},
            "target": {"type": "string", "minLength": 1},
            "owner": {"type": "string", "minLength": 1},
            "reason": {"type": "string", "minLength": 1},
            "until": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
        },
        "required": ["control", "target", "owner", "reason", "until"],
        "additionalProperties": False,
    }


def _control_schema(control: Control) -> dict[str, Any]:
    return {
        "type": ["object", "null"],
        "properties": {
            "mode": {"enum": _MODES},
            "clocks": {
                "type": "object",
                "properties": dict.fromkeys(control.clocks, _CLOCK),
                "additionalProperties": False,
            },
            **control.settings,
        },
        "additionalProperties": False,
    }
