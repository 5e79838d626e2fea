"""How a baseline writes who has which level on which prefix of a bucket: the setting of s3-group-access."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plumbline.controls.s3._levels import LEVELS

_LEVELS: Mapping[str, Any] = {
    "type": "array",
    "items": {"enum": list(LEVELS)},
    "minItems": 1,
    "uniqueItems": True,
}
_PREFIX: Mapping[str, Any] = {
    "pattern": r"^(/|[\w.=+@:,!()'-]+( [\w.=+@:,!()'-]+)*(/[\w.=+@:,!()'-]+( [\w.=+@:,!()'-]+)*)*/?)$",
    "patternErrorMessage": "Write how keys begin, as in raw or raw/2026; / stands for the whole bucket.",
}
_NAME: Mapping[str, Any] = {
    "pattern": r"^[\w+=,.@-]{1,128}$",
    "patternErrorMessage": "Write the name of a group or a user: up to 128 letters, digits and +=,.@_-.",
}
_DAY: Mapping[str, Any] = {
    "type": "string",
    "pattern": r"^\d{4}-\d{2}-\d{2}$",
    "patternErrorMessage": "Write the last day, as 2027-01-31.",
    "description": "The last day on which it holds.",
}
BUCKETS: Mapping[str, Any] = {
    "type": "object",
    "propertyNames": {
        "pattern": r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        "patternErrorMessage": "Write the name of a bucket: 3 to 63 small letters, digits, dots and hyphens.",
    },
    "additionalProperties": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "region": {
                "type": "string",
                "pattern": r"^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$",
                "patternErrorMessage": "Write a region, as eu-west-1.",
                "description": "Where the bucket is made, if it is not there; home unless you say so.",
            },
            "prefixes": {
                "type": "object",
                "description": "Prefix -> group -> levels; `/` is the whole bucket.",
                "propertyNames": _PREFIX,
                "additionalProperties": {
                    "type": "object",
                    "propertyNames": _NAME,
                    "additionalProperties": _LEVELS,
                    "minProperties": 1,
                },
            },
            "people": {
                "type": "object",
                "description": "User -> what one person has beside his groups, until a day.",
                "propertyNames": _NAME,
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["prefixes", "until"],
                    "properties": {
                        "until": _DAY,
                        "prefixes": {
                            "type": "object",
                            "description": "Prefix -> levels.",
                            "propertyNames": _PREFIX,
                            "additionalProperties": _LEVELS,
                            "minProperties": 1,
                        },
                    },
                },
            },
        },
    },
    "default": {},
    "description": "Bucket -> `region` where it is to be made (home, unless you say so), `prefixes` (prefix -> group "
    "-> levels) and `people` (user -> `until` and `prefixes`). Levels are list, read, write, delete, and own: all of "
    "them in a folder below the prefix that is called like the user. The prefix `/` is the whole bucket.",
}
