"""What is wrong with a baseline and what to write instead, for a person who knows YAML and no JSON Schema."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from plumbline.baseline.document import Document, Place, Problem
from plumbline.baseline.roster import EMPTY, ROSTER
from plumbline.baseline.schema import DURATION, MODES, NO_DURATION

_WORDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
#: What people write who want a control to do nothing.
_MEAN_OFF = ("no", "false", "none", "never", "disabled", "disable", "ignore", "skip")
_LONGEST = 60  # of a value that is repeated in a message
_FEW = 12  # names that a message may list


def broken(document: Document, schema: Mapping[str, Any]) -> list[Problem]:
    """Every place of a document that the schema does not accept, each with what to write instead."""
    errors = Draft202012Validator(schema).iter_errors(document.data)
    return [problem for error in errors for problem in _told(error, document, schema)]


def shown(value: Any, spelled: str | None = None) -> str:  # noqa: ANN401
    """A value as it stands in the file, cut where it is long.

    Args:
        value: the data.
        spelled: how the file writes it, where that is known.
    """
    text = "nothing" if value is None else spelled or json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def nearest(word: str, known: Sequence[str]) -> str:
    """What somebody meant who wrote a word that is not known."""
    near = difflib.get_close_matches(word, known, n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"write one of: {', '.join(known)}" if len(known) <= _FEW else "docs/controls.md lists them all"


def _told(error: ValidationError, document: Document, schema: Mapping[str, Any]) -> Iterator[Problem]:
    """One broken rule of the schema, as problems."""
    place: Place = tuple(error.absolute_path)
    written = shown(error.instance, document.spelled.get(place))
    rule = str(error.validator)
    if rule == "additionalProperties":
        yield from _strangers(error, place)
    elif "propertyNames" in error.schema_path:
        yield (*place, str(error.instance)), f"this name {_UNFIT}. {_explained(error, schema)}"
    elif place == (ROSTER,) and (rule == "minProperties" or error.instance is None):
        yield place, EMPTY
    elif place == ("profile",):
        yield place, _no_profile(error.instance, written, _wanted(error))
    elif _rule(error).get("pattern") == DURATION["pattern"]:
        yield place, f"{written} {NO_DURATION}"
    elif rule in ("type", "required", "enum"):
        yield place, {"type": _wrong_type, "required": _missing, "enum": _not_listed}[rule](error, place, written)
    elif rule == "uniqueItems":
        yield from _twice(error, place)
    elif rule == "anyOf":  # the first way is the one to be told of
        yield from _told(error.context[0], document, schema)
    elif rule in _ADVICE:
        yield place, _ADVICE[rule](written, error.validator_value)
    else:  # a pattern, and whatever a control's settings may ask for one day
        yield place, f"{written} {_UNFIT}. {_explained(error, schema)}".rstrip()


_UNFIT = "has not the right form"

#: What is said of each JSON Schema rule that needs no more than the value and the rule's own.
_ADVICE: Mapping[str, Callable[[str, Any], str]] = {
    "minItems": lambda _, least: f"this must not be empty; name at least {_number(least)}",
    "minProperties": lambda _, least: f"this must not be empty; name at least {_number(least)}",
    "minLength": lambda _, least: (
        "this must not be empty; write something"
        if least == 1
        else f"this is too short; write at least {least} characters"
    ),
    "maxItems": lambda _, most: f"these are too many; name at most {most}",
    "maxProperties": lambda _, most: f"these are too many; name at most {most}",
    "maxLength": lambda _, most: f"this is too long; write at most {most} characters",
    "minimum": lambda written, least: f"{written} is too small; write at least {least}",
    "exclusiveMinimum": lambda written, least: f"{written} is too small; write more than {least}",
    "maximum": lambda written, most: f"{written} is too large; write at most {most}",
    "exclusiveMaximum": lambda written, most: f"{written} is too large; write less than {most}",
}


def _strangers(error: ValidationError, place: Place) -> Iterator[Problem]:
    known = _rule(error).get("properties", {})
    current = [key for key, one in known.items() if not one.get("deprecated")]
    what = "control" if place == ("controls",) else "key"
    for key in _keys(error):
        if key not in known:
            yield (*place, key), f"there is no such {what}; {nearest(key, current)}"


def _twice(error: ValidationError, place: Place) -> Iterator[Problem]:
    """Each that stands in a list once more."""
    listed: Any = error.instance
    for number, one in enumerate(listed):
        if one in listed[:number]:
            yield (*place, number), f"{shown(one)} stands in this list twice; name it once"


def _no_profile(value: object, written: str, known: Sequence[str]) -> str:
    if not known:
        return "there are no profiles here; remove this line"
    if value is None:
        return f"this must not be empty; write one of {' and '.join(known)}, or remove this line"
    word = value.rpartition("/")[2].partition(".")[0].lower() if isinstance(value, str) else ""
    near = difflib.get_close_matches(word, known, n=1)
    instead = f"did you mean '{near[0]}'?" if near else "write one of these, or remove this line"
    return f"there is no profile {written}, only {' and '.join(known)}; {instead}"


def _wrong_type(error: ValidationError, place: Place, written: str) -> str:
    wanted = _wanted(error)
    words = " or ".join(_WORDS[one] for one in wanted if one in _WORDS)
    example = _example(_rule(error), place, written)
    if wanted == ["string"] and isinstance(error.instance, bool | int | float):
        example = f"it in quotes: '{written}'"
    elif "array" in wanted and isinstance(error.instance, str) and _is_plain(error.instance):
        example = f"a list: [{error.instance}]"
    elif not place:
        example = "`controls: {}`, and in it what you want otherwise than the defaults"
    elif wanted[0] == "object" and isinstance(error.instance, str) and ":" in error.instance:
        example = "a space behind the ':', and the key on a line of its own"
    elif not example:
        example = {"string": "some text", "object": "`key: value` lines below it"}.get(wanted[0], "")
    return f"{written} stands where {words} belongs{f'; write {example}' if example else ''}"


def _is_plain(text: str) -> bool:
    """Whether a text may stand in a YAML list without quotes."""
    return bool(re.fullmatch(r"[\w@./=+-]+", text, re.ASCII))


def _missing(error: ValidationError, _place: Place, _written: str) -> str:
    missing = [key for key in _wanted(error) if key not in _keys(error)]
    verb = "is" if len(missing) == 1 else "are"
    quoted, lines = (" and ".join(form.format(key) for key in missing) for form in ("'{}'", "`{}: ...`"))
    return f"{quoted} {verb} missing; add {lines}"


def _not_listed(error: ValidationError, _place: Place, written: str) -> str:
    what = "this must not be empty" if error.instance is None else f"{written} is not known here"
    return f"{what}; {nearest(str(error.instance), _wanted(error))}"


def _wanted(error: ValidationError) -> list[str]:
    """What the broken rule lists, whether it lists one or many."""
    value = error.validator_value
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _keys(error: ValidationError) -> list[str]:
    """The keys that stand in the file where the rule was broken."""
    return list(error.instance) if isinstance(error.instance, Mapping) else []


def _rule(error: ValidationError) -> Mapping[str, Any]:
    """The part of the schema that was broken."""
    return error.schema if isinstance(error.schema, Mapping) else {}


def _explained(error: ValidationError, schema: Mapping[str, Any]) -> str:
    """What belongs there: what the schema says of a wrong form, else its innermost description around it."""
    if form := _rule(error).get("patternErrorMessage"):
        return str(form)
    found, part = "", schema
    for step in error.absolute_schema_path:
        part = schema["$defs"][part["$ref"].rpartition("/")[2]] if step == "$ref" else part[step]  # type: ignore[index]
        if isinstance(part, Mapping) and isinstance(part.get("description"), str):
            found = part["description"]
    return found


def _example(schema: Mapping[str, Any], place: Place, written: str) -> str:
    """A value of the right type, as it stands in YAML."""
    if place[:1] == ("controls",) and len(place) == 2:  # noqa: PLR2004 - a control's own line
        mode = written.strip('"').lower()
        mode = "off" if mode in _MEAN_OFF else mode
        return f"`{place[1]}: {{mode: {mode if mode in MODES else 'observe'}}}`"
    if "examples" in schema:
        return f"for example {json.dumps(schema['examples'][0])}"
    default = json.dumps(schema.get("default"))
    if default not in ("null", '""', "[]", "{}") and len(default) <= _LONGEST:
        return f"for example {default}"
    return {
        "array": "a list such as [one, two]",
        "boolean": "true or false",
        "integer": "a whole number such as 14",
    }.get(_one_type(schema), "")


def _one_type(schema: Mapping[str, Any]) -> str:
    """The type of a value that is there."""
    kind = schema.get("type")
    kinds = [one for one in (kind if isinstance(kind, list) else [kind]) if one != "null"]
    return str(kinds[0]) if len(kinds) == 1 else ""


def _number(least: int) -> str:
    return "one" if least == 1 else str(least)
