"""The roster of a baseline: what may stand in it, and what follows from it for controls. Build time only.

Once there is a roster, it is the one place that says who has a user, which groups he is in, and whether he may have
keys. The settings that say the same without one are filled from it; a file that has both is refused, because two places
that say one thing are two things by and by.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from plumbline.baseline.document import Document, Place, Problem
from plumbline.core.names import among, folded
from plumbline.core.roster import Person, administrators, roster_of, with_keys

#: Its key in baseline.yaml.
ROSTER = "roster"
_ABOUT = (
    "The IAM users of this account, by name: the one place for who belongs here. `make roster` writes it from the "
    "account as it is. Left out, nothing is judged by it."
)
#: An empty roster would make a stranger of everybody.
EMPTY = (
    "a roster without people would make everybody a stranger; name your users below it (`make roster` writes them), "
    "or remove this line: without a roster nobody is judged by one"
)
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "description": _ABOUT,
    "propertyNames": {
        "pattern": r"^[\w+=,.@-]{1,64}$",
        "patternErrorMessage": "Write the name of a user: up to 64 letters, digits and +=,.@_-.",
    },
    "additionalProperties": {
        "type": ["object", "null"],
        "description": "One IAM user.",
        "examples": [{"groups": ["administrators"], "email": "maria@example.com"}],
        "properties": {
            "groups": {
                "type": "array",
                "items": {
                    "type": "string",
                    "pattern": r"^[\w+=,.@-]{1,128}$",
                    "patternErrorMessage": "Write the name of a group: up to 128 letters, digits and +=,.@_-.",
                },
                "uniqueItems": True,
                "default": [],
                "description": "All the groups the user is in; [] for none.",
            },
            "email": {
                "type": "string",
                "pattern": r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
                "patternErrorMessage": "Write one e-mail address, such as maria@example.com.",
                "maxLength": 254,
                "description": "Where the person hears of this user, once he has confirmed what AWS sends.",
            },
            "keys": {
                "type": "boolean",
                "default": False,
                "description": "Whether the user may have active access keys, of IAM and of single services.",
            },
            "until": {
                "type": "string",
                "pattern": r"^\d{4}-\d{2}-\d{2}$",
                "description": "The last day the user belongs here; a day reads like 2027-01-31.",
            },
        },
        "additionalProperties": False,
    },
    "examples": [{"maria": {"groups": ["administrators"], "email": "maria@example.com"}}],
}


@dataclass(frozen=True, slots=True)
class Follows:
    """A setting that follows from the roster.

    Attributes:
        control: whose setting.
        path: where it stands below the control.
        value: roster, the control's settings -> what it is.
        instead: what to write into the roster, as it reads after a comma.
    """

    control: str
    path: tuple[str, ...]
    value: Callable[[Sequence[Person], Mapping[str, Any]], Any]
    instead: str


def _all(roster: Sequence[Person], _settings: Mapping[str, Any]) -> list[str]:
    return [one.name for one in roster]


def _keys(roster: Sequence[Person], _settings: Mapping[str, Any]) -> list[str]:
    return with_keys(roster)


def _administrators(roster: Sequence[Person], settings: Mapping[str, Any]) -> list[str]:
    return administrators(roster, settings["administrators"]["groups"])


FOLLOWING = (
    Follows("iam-access-key-created", ("allowed_users",), _keys, "write `keys: true` below whoever may have keys"),
    Follows("iam-service-credentials", ("allowed_users",), _keys, "write `keys: true` below whoever may have keys"),
    Follows("iam-login-profiles", ("allowed_users",), _all, "name there whoever may have a console password"),
    Follows(
        "iam-admin-grants",
        ("administrators", "users"),
        _administrators,
        "write one of administrators.groups below `groups` of whoever is one",
    ),
)


def problems(document: Document) -> Iterator[Problem]:
    """What no schema can judge of a roster, and what the file says beside it a second time.

    Args:
        document: a baseline that fits the schema.
    """
    listed: Mapping[str, Any] = document.data.get(ROSTER) or {}
    if not listed:
        return
    first: dict[str, str] = {}
    for name, person in listed.items():
        other = first.setdefault(folded(name), name)
        if other != name:
            yield (ROSTER, name), f"IAM takes {name} and {other} for one name; write one of them"
        if until := (person or {}).get("until"):
            try:
                date.fromisoformat(until)
            except ValueError:
                yield (ROSTER, name, "until"), f"'{until}' is no day of the calendar; write one such as 2027-01-31"
    for one in FOLLOWING:
        place: Place = ("controls", one.control, *one.path)
        if place in document.lines:
            line = document.lines[(ROSTER,)]
            yield place, f"the roster on line {line} says this, and wins; remove this line, and {one.instead}"


def doubts(document: Document, groups: Sequence[str]) -> Iterator[Problem]:
    """Groups of a roster that may be slips: nearly, and not quite, one that the baseline makes.

    Args:
        document: a baseline that fits.
        groups: those that the baseline makes.
    """
    for name, person in (document.data.get(ROSTER) or {}).items():
        for number, group in enumerate((person or {}).get("groups") or ()):
            near = [] if among(group, groups) else difflib.get_close_matches(group, groups, n=1, cutoff=0.8)
            if near:
                yield (
                    (ROSTER, name, "groups", number),
                    f"the baseline makes no group '{group}'; did you mean '{near[0]}'?",
                )


def followed(controls: dict[str, dict[str, Any]], data: Mapping[str, Any]) -> None:
    """Fill the compiled controls' settings with what follows from a roster.

    Args:
        controls: the compiled rules by control; changed in place. Those that are not there are passed over.
        data: the roster as the file has it; nothing follows from an empty one.
    """
    if not data:
        return
    roster = roster_of(data)
    for one in FOLLOWING:
        rule = controls.get(one.control)
        if rule is None:
            continue
        settings = rule["settings"]
        value = one.value(roster, settings)
        *outer, last = one.path
        for key in outer:  # never into what the registry holds as a default
            settings[key] = dict(settings[key])
            settings = settings[key]
        settings[last] = value
