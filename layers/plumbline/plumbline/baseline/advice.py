"""What is wrong with a baseline and what to write instead, for a person who knows YAML and no JSON Schema."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jsonschema.exceptions import ValidationError

from plumbline.baseline.schema import DURATION

NO_DURATION = "is no duration; write hours or days, such as 12h or 7d, or 0 for at once"
_WORDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing (null)",
}


def advice(error: ValidationError) -> str:
    """What is wrong and what to write instead, for a person who knows YAML and no JSON Schema."""
    if error.validator in ("pattern", "minimum", "maximum") and _schema(error).get("pattern") == DURATION["pattern"]:
        return f"{shown(error.instance)} {NO_DURATION}"
    advise = _ADVICE.get(str(error.validator))
    return advise(error) if advise else error.message


def _stranger(error: ValidationError) -> str:
    known = list(_schema(error).get("properties", ()))
    stranger = next(str(key) for key in _keys(error) if key not in known)
    what = "control" if tuple(error.absolute_path) == ("controls",) else "key"
    return f"there is no {what} '{stranger}'; {_nearest(stranger, known)}"


def _wrong_type(error: ValidationError) -> str:
    words = " or ".join(_WORDS[one] for one in _wanted(error))
    example = _example(_schema(error))
    return f"{shown(error.instance)} stands where {words} belongs{f'; write {example}' if example else ''}"


def _missing(error: ValidationError) -> str:
    missing = next(key for key in _wanted(error) if key not in _keys(error))
    return f"'{missing}' is missing; add `{missing}: ...`"


def _not_listed(error: ValidationError) -> str:
    return f"{shown(error.instance)} is not known here; {_nearest(str(error.instance), _wanted(error))}"


def _wrong_form(error: ValidationError) -> str:
    form = _schema(error).get("description", error.validator_value)
    return f"{shown(error.instance)} has not the right form ({form})"


#: What is said of each JSON Schema rule that a baseline can break.
_ADVICE: Mapping[str, Callable[[ValidationError], str]] = {
    "additionalProperties": _stranger,
    "type": _wrong_type,
    "required": _missing,
    "enum": _not_listed,
    "pattern": _wrong_form,
    "minItems": lambda _: "this must not be empty; name at least one",
    "minProperties": lambda _: "this must not be empty; name at least one",
    "minLength": lambda _: "this must not be empty; write something",
    "minimum": lambda error: f"{shown(error.instance)} is too small; write at least {error.validator_value}",
    "exclusiveMinimum": lambda error: f"{shown(error.instance)} is too small; write more than {error.validator_value}",
    "maximum": lambda error: f"{shown(error.instance)} is too large; write at most {error.validator_value}",
    "exclusiveMaximum": lambda error: f"{shown(error.instance)} is too large; write less than {error.validator_value}",
}


def _wanted(error: ValidationError) -> list[str]:
    """What the broken rule lists, whether it lists one or many."""
    value = error.validator_value
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _keys(error: ValidationError) -> list[str]:
    """The keys that stand in the file where the rule was broken."""
    return list(error.instance) if isinstance(error.instance, Mapping) else []


def _schema(error: ValidationError) -> Mapping[str, Any]:
    return error.schema if isinstance(error.schema, Mapping) else {}


def _nearest(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean '{near[0]}'?" if near else f"write one of: {', '.join(known)}"


def _example(schema: Mapping[str, Any]) -> str:
    """A value of the right type, as it stands in YAML."""
    if "default" in schema and schema["default"] not in (None, "", [], {}):
        return f"for example {json.dumps(schema['default'])}"
    return {
        "array": "a list such as [one, two]",
        "boolean": "true or false",
        "integer": "a whole number such as 14",
    }.get(str(schema.get("type")), "")


def shown(value: Any) -> str:  # noqa: ANN401
    text = "nothing" if value is None else json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004 - an error message fits on a line
