"""The JSON Schema of baseline.yaml and of profiles, made from the registry.

The build judges by it, and editors complete and explain by it: it is published as baseline.schema.json. It keeps to
what every draft since 7 understands in the same way, because most editors stop there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from plumbline.baseline.roster import ROSTER
from plumbline.baseline.roster import SCHEMA as ROSTER_SCHEMA
from plumbline.baseline.rules import Breakers, Letters, Patience
from plumbline.controls import registry
from plumbline.core.clock import RESTORED, UNSEEN, Clock, Response
from plumbline.core.control import Control

NO_DURATION = "is no duration; write hours or days, such as 12h or 7d, or 0 for at once"
DURATION = {
    "type": ["string", "integer"],
    "pattern": r"^\s*(0|\d+\s*[hd])\s*$",
    "patternErrorMessage": f"This {NO_DURATION}.",  # what VS Code shows instead of the pattern
    "maximum": 0,
    "minimum": 0,
}
MODES = [mode.value for mode in Response]
MOST_DAYS = 3650  # ten years: what is meant to be longer is meant to be never

_REMIND = "When you are told again, as a list such as [12h, 2d]; [] for never."
_EVERY = "How often you are reminded beside that, for as long as it is so, such as 1d; null for not again."
_ESCALATE = "When the escalation address is told as well, such as 3d; null for never."
_ACT = "When it is repaired, such as 7d; 0 for at once, null for never."
_DUE = "What is done when it is due: propose asks a person first; enforce does what the control's own mode says."
_CLOCK: dict[str, Any] = {
    "type": "object",
    "properties": {
        "remind": {"type": "array", "items": DURATION, "description": _REMIND, "examples": [["12h", "2d"]]},
        "every": {**DURATION, "type": ["string", "integer", "null"], "description": _EVERY},
        "escalate": {**DURATION, "type": ["string", "integer", "null"], "description": _ESCALATE},
        "act": {**DURATION, "type": ["string", "integer", "null"], "description": _ACT},
        "mode": {"enum": [Response.ENFORCE.value, Response.PROPOSE.value], "description": _DUE},
    },
    "additionalProperties": False,
}
#: Nothing is repaired, so nothing is due: of this one only who is told when can be said.
_UNSEEN = {**_CLOCK, "properties": {name: _CLOCK["properties"][name] for name in ("remind", "every", "escalate")}}
_MODE = {
    # The bare word `off` is false to YAML 1.1 and text to YAML 1.2; said in a way that editors take and do not offer.
    "anyOf": [
        {
            "enum": MODES,
            "description": "enforce: repair, then tell. propose: mail the repair and wait for approval. observe: tell "
            "what would be done. alert: tell; a person repairs. off: neither watch nor tell.",
        },
        {"not": {"not": {"const": False}}},
    ],
}
_CLOCKS = {
    "default": "Runs where no other clock does.",
    "found-by-sweep": "Runs for what no event announced, so that nobody knows how old it is.",
    RESTORED: "Runs for what a person's undo brought back: a new term.",
    "needless": "Runs for users who have MFA by now, and are still denied what comes without.",
    "untraced": "Runs for idle users who may be active in a way that AWS does not tell.",
    "copy": "Runs for users to whom nothing but what may be a copy of an inline policy is attached directly.",
    UNSEEN: "Runs while AWS refuses the reads that would show whether it is in line. Nothing unseen is repaired.",
    "unguarded": "Runs for roles and users to whom the guard cannot be attached.",
    "kept": "Runs for what only AWS, the organisation or CloudFormation should change.",
    "identity-center": "Runs for groups that are missing where people come through Identity Center.",
    "told": "Runs for roles while they are told of and not converted.",
    "unheld": "Runs for Plumbline's own copies that nobody holds any more.",
    "held-from-above": "Runs while a policy of the organisation fixes it, so that nothing here can change it.",
}
_BREAKERS = {
    "per_control": "Repairs of one control in one clock hour.",
    "in_all": "Repairs of all controls in one clock hour; critical controls have as many of their own.",
    "per_actor": "Repairs of what one principal did in one clock hour; of critical controls as many more.",
    "fight": "Repairs of one target in 24 hours after which somebody else evidently wants it otherwise.",
}
_LETTERS = {
    "per_hour": "E-mails in one clock hour; what comes after them is told in one digest.",
    "hours": "How many clock hours, from midnight UTC on, count as one.",
}


def schema(controls: Mapping[str, Control], profiles: Sequence[str] = ()) -> dict[str, Any]:
    """The JSON Schema of baseline.yaml.

    Args:
        controls: the registry.
        profiles: the names that `profile` may have.
    """
    patience = Patience()
    sections = {
        "profile": {
            "enum": list(profiles),
            "description": "A file of profiles/: modes, clocks and settings. What stands beside it wins, key by key.",
        },
        "controls": _controls(controls),
        "regions": {
            "type": ["array", "null"],
            "items": {
                "type": "string",
                "pattern": r"^[a-z]{2,4}(-[a-z]+)+-\d+$",
                "description": "A region reads like ap-southeast-2.",
            },
            "description": "Which regions are governed; every one that is switched on unless you name some.",
        },
        "operators": _people(
            "Who may command Plumbline: undo, approve, exempt, pause. The effective administrators and whoever holds "
            "the OperatorPolicy unless you say otherwise."
        ),
        ROSTER: dict(ROSTER_SCHEMA),
        "deployers": _people(
            "Who may change Plumbline itself: deploy it, or change what belongs to its stack. The effective "
            "administrators and the principal that deployed it unless you say otherwise."
        ),
        "breakers": _section(
            "How many repairs are too many.",
            {name: _whole(about, getattr(Breakers(), name)) for name, about in _BREAKERS.items()},
        ),
        "letters": _section(
            "How many e-mails are too many.",
            {name: _whole(about, getattr(Letters(), name)) for name, about in _LETTERS.items()},
        ),
        "exemptions": _section(
            "What is left alone, by whom, why and until when.",
            {
                "max_days": _days("The longest exemption that a person may type.", patience.exemption_days),
                "reviewed": {
                    "type": ["array", "null"],
                    "items": _exemption(controls),
                    "description": "What is meant to stay exempt; it is reviewed with this file, and may end later.",
                },
            },
        ),
        "pauses": _section(
            "How long a person may keep Plumbline from repairing.",
            {"max_days": _days("The longest pause that a person may type.", patience.pause_days)},
        ),
    }
    sections["letters"]["properties"]["hours"]["maximum"] = 24
    about = "What must hold in this account. Every control is on with its defaults; write what you want otherwise."
    return _whole_file("Plumbline's baseline.yaml", about, sections)


def profile_schema(controls: Mapping[str, Control]) -> dict[str, Any]:
    """The JSON Schema of a profile: the part of a baseline that is the same for many accounts."""
    return _whole_file("A profile of Plumbline", "What a kind of account wants otherwise than the defaults.",
                       {"controls": _controls(controls)})  # fmt: skip


def published(profiles: Sequence[str]) -> str:
    """The text of baseline.schema.json."""
    return json.dumps(schema(registry.load(), profiles), indent=1, ensure_ascii=False) + "\n"


def earlier_ids(controls: Mapping[str, Control]) -> dict[str, str]:
    """The id of today for each earlier one."""
    return {alias: one.id for one in controls.values() for alias in one.aliases}


def _whole_file(title: str, about: str, sections: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": about,
        "type": "object",
        "properties": sections,
        "additionalProperties": False,
        "$defs": {"clock": _CLOCK, "unseen": _UNSEEN, "mode": _MODE},
    }


def _section(about: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    """A part of the file; nothing below its name is as good as leaving it out."""
    return {"type": ["object", "null"], "description": about, "properties": dict(keys), "additionalProperties": False}


def _people(about: str) -> dict[str, Any]:
    """A list of users and roles. What an ARN may be is said in words by the build (`people.unfit`)."""
    return {
        "type": ["array", "null"],
        "items": {
            "type": "string",
            "minLength": 1,
            "maxLength": 2048,
            "description": "The ARN of a user or a role; * and ? are wildcards, and as the account's number * means "
            "the account that it is deployed in.",
        },
        "description": about,
        "examples": [["arn:aws:iam::111122223333:user/maria"]],
    }


def _whole(about: str, default: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": 1, "default": default, "description": about}


def _days(about: str, default: int) -> dict[str, Any]:
    return {**_whole(about, default), "maximum": MOST_DAYS}


def _exemption(controls: Mapping[str, Control]) -> dict[str, Any]:
    def text(about: str) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "description": about}

    return {
        "type": "object",
        "description": "One target, or a pattern of targets, that a control leaves alone.",
        "properties": {
            "control": {
                "enum": ["*", *controls, *earlier_ids(controls)],
                "description": "A control's id; '*' for all.",
            },
            "target": {**text("account/region/kind/id, or a pattern such as '*/s3-bucket/www-*'."), "maxLength": 1024},
            "owner": text("Who answers for it."),
            "reason": text("Why, for the next reader."),
            "until": {
                "type": "string",
                "pattern": r"^\d{4}-\d{2}-\d{2}$",
                "description": "The last day it holds; a day reads like 2027-01-31.",
            },
        },
        "required": ["control", "target", "owner", "reason", "until"],
        "additionalProperties": False,
    }


def _controls(controls: Mapping[str, Control]) -> dict[str, Any]:
    today = {one.id: _control(one) for one in controls.values()}
    earlier = {
        alias: {**today[now], "deprecated": True, "description": f"The earlier id of {now}; write that."}
        for alias, now in earlier_ids(controls).items()
    }
    return _section("What you want otherwise than the default, by control.", {**today, **earlier})


def _control(control: Control) -> dict[str, Any]:
    mode = control.response.value
    return _section(
        f"{control.prose['Title']} Severity {control.severity.value}, mode {mode} unless you say otherwise.",
        {
            "mode": {
                **_meaning("mode"),
                "default": mode,
                "description": f"What is done about a deviation; {mode} unless you say otherwise.",
            },
            "clocks": {
                "type": "object",
                "description": "When reminders, escalation and repair come.",
                "properties": {name: _clock(name, clock) for name, clock in control.every_clock.items()},
                "additionalProperties": False,
            },
            **control.settings,
        },
    )


def _clock(name: str, clock: Clock) -> dict[str, Any]:
    about = _CLOCKS.get(name, f"Runs for deviations of the kind {name}.")
    reminders = ", ".join(_duration(one) for one in clock.remind)
    mode = f", mode {clock.mode.value}" if clock.mode else ""
    often = f", every {_duration(clock.every)}" if clock.every else ""
    default = f"remind [{reminders}]{often}, escalate {_duration(clock.escalate)}"
    if name == UNSEEN:
        return {**_meaning("unseen"), "description": f"{about} Default: {default}."}
    return {**_meaning("clock"), "description": f"{about} Default: {default}, act {_duration(clock.act)}{mode}."}


def _meaning(name: str) -> dict[str, Any]:
    """What a key is, beside which more may be said of it: up to draft 7, nothing beside a bare `$ref` counts."""
    return {"allOf": [{"$ref": f"#/$defs/{name}"}]}


def _duration(value: timedelta | None) -> str:
    if value is None:
        return "null"
    hours = int(value.total_seconds() // 3600)
    return f"{hours // 24}d" if hours and hours % 24 == 0 else f"{hours}h" if hours else "0"
