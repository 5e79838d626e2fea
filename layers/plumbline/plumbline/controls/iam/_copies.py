"""The managed policies that Plumbline makes of inline ones, and how it knows them again. Pure.

A copy lies below OWN_PATH, and its name ends with a hash of whose inline policy it was, of what name, and what it says.
So a copy proves by itself that it is one, as long as nobody has changed it: nobody can make a policy pass for a copy
of another text.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from plumbline.controls.iam._principals import OWN_PATH
from plumbline.core.names import same_name
from plumbline.rights.documents import Document

_LONGEST_NAME = 128
_NAME = re.compile(r"(?P<kind>user|group|role)-(?P<rest>.+)-[0-9a-f]{12}")
_DESCRIPTION = "Inline policy {inline} of {kind} {owner}, made a managed one by Plumbline"
_DESCRIBED = re.compile(r"Inline policy (?P<inline>\S+) of (user|group|role) (?P<owner>\S+), made a .* by Plumbline")


def name_of(kind: str, owner: str, inline: str, policy: Document) -> str:
    """The name of the copy of an inline policy: the same for the same text, whichever try or version makes it.

    Args:
        kind: `user`, `group` or `role`.
        owner: whose it is, a role with its path.
        inline: the inline policy's name.
        policy: what it says.
    """
    whole = json.dumps([kind, owner, inline, policy], sort_keys=True)
    tail = "-" + hashlib.sha256(whole.encode()).hexdigest()[:12]
    return f"{kind}-{owner.rpartition('/')[2]}-{inline}"[: _LONGEST_NAME - len(tail)] + tail


def description(kind: str, owner: str, inline: str) -> str:
    """What a copy says of itself; `owner` without a path."""
    return _DESCRIPTION.format(kind=kind, owner=owner, inline=inline)


def earlier(found: Mapping[str, Any], inline: Iterable[str], documents: Mapping[str, Document]) -> dict[str, str]:
    """Earlier copies of these inline policies of this owner -> the inline policy's name.

    Args:
        found: the owner: `kind` and `name`.
        inline: names of inline policies that the owner has now.
        documents: what the policies say that the owner holds, by ARN.
    """
    path, _, own = found["name"].rpartition("/")
    before = f"{path}/" if path else ""
    copies: dict[str, str] = {}
    for arn, policy in documents.items():
        name = arn.rpartition("/")[2]
        for one in inline:
            spellings = {own, *(owner for owner, _ in _splits(name, found["kind"]) if same_name(owner, own))}
            if any(name == name_of(found["kind"], before + owner, one, policy) for owner in spellings):
                copies[arn] = one
    return copies


def is_copy(arn: str, policy: Document, said: str) -> bool:
    """Whether a policy is a copy that nobody has changed, whoever it was made of.

    A role's path is part of the hash and not of the name: of those with a path, the description decides.

    Args:
        arn: the policy's.
        policy: what it says.
        said: its description.
    """
    name = arn.rpartition("/")[2]
    form = _NAME.fullmatch(name)
    if form is None or f":policy{OWN_PATH}{name}" not in arn:
        return False
    kind = form["kind"]
    if any(name == name_of(kind, owner, inline, policy) for owner, inline in _splits(name, kind)):
        return True
    told = _DESCRIBED.fullmatch(said)
    if told is None or said != description(kind, told["owner"], told["inline"]):
        return False
    named = name_of(kind, told["owner"], told["inline"], policy)
    return name == named or (kind == "role" and name.rpartition("-")[0] == named.rpartition("-")[0])


def may_be_copy(arn: str) -> bool:
    """Whether a policy lies where copies lie and is called as they are."""
    name = arn.rpartition("/")[2]
    return f":policy{OWN_PATH}{name}" in arn and _NAME.fullmatch(name) is not None


def _splits(name: str, kind: str) -> Iterator[tuple[str, str]]:
    """Each owner and inline policy that a copy's name may stand for: either may hold dashes."""
    form = _NAME.fullmatch(name)
    if form is None or form["kind"] != kind:
        return
    rest = form["rest"]
    yield from ((rest[:at], rest[at + 1 :]) for at, char in enumerate(rest) if char == "-")
