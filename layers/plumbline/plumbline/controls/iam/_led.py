"""What is said and proposed of principals that could become administrators through what there is in their account."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import timedelta
from typing import Any

from plumbline.controls.iam._machinery import WHY_KEPT
from plumbline.core.clock import Clock, Response
from plumbline.core.control import Deviation

#: The clock of ways to administrator rights: told at once, and a person decides.
WAY = "way"
#: A day later a person is asked to decide.
PROPOSED = Clock(remind=(timedelta(days=7),), escalate=timedelta(days=14), act=timedelta(days=1), mode=Response.PROPOSE)
_GROUP = (
    "what a group has is given to many and often by the baseline, so that it is not taken for what it could lead to; "
    "narrow the role, or who may use it"
)
_OF_GROUPS = "it comes from its groups; see there"


def could(state: Mapping[str, Any]) -> Deviation | None:
    """What a principal could do to become an administrator; None where nothing leads there."""
    ways = tuple(state.get("ways", ()))
    return Deviation("could become an administrator", ways, WAY) if ways else None


def taken(state: Mapping[str, Any], facts: Container[str]) -> tuple[list[str], list[str], dict[str, str]]:
    """The inline policies and the managed ones without which facts would end, and the facts that stay, with why."""
    inline: list[str] = []
    attached: list[str] = []
    left: dict[str, str] = {}
    for fact, sources in state.get("ways", {}).items():
        if fact not in facts:
            continue
        why = WHY_KEPT.get(state["keeper"], _why(state["kind"], sources))
        if why:
            left[fact] = why
            continue
        inline += [one.removeprefix("inline ") for one in sources if one.startswith("inline ")]
        attached += [one for one in sources if not one.startswith("inline ")]
    return list(dict.fromkeys(inline)), list(dict.fromkeys(attached)), left


def _why(kind: str, sources: Sequence[str]) -> str:
    if kind == "group":
        return _GROUP
    return "" if sources else _OF_GROUPS
