"""What the baseline gives on a bucket, told in another way than the control makes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def allowed(
    said: Mapping[str, Any], name: str, groups: Sequence[str], level: str, what: str, *, ended: bool, keeps: bool
) -> bool:
    """Whether somebody may do something with a key, or list a prefix.

    Args:
        said: of the bucket.
        name: the user's.
        groups: his.
        level: of the matrix; `overwrite` is to write where something is.
        what: a key, or the prefix that is listed.
        ended: whether it is after the day until which he himself was given something.
        keeps: whether the bucket keeps versions.
    """
    held = list(_held(said, name, groups, ended=ended))

    def has(wanted: str, key: str) -> bool:
        return any(level_ == wanted and key.startswith(place) for place, level_ in held)

    if level == "overwrite":
        new_only = [
            place
            for place, level_ in held
            if level_ == "write" and not any(two == "delete" and place.startswith(one) for one, two in held)
        ]
        return has("write", what) and (keeps or not any(what.startswith(place) for place in new_only))
    return has(level, what)


def _held(said: Mapping[str, Any], name: str, groups: Sequence[str], *, ended: bool) -> Iterator[tuple[str, str]]:
    """Where somebody has which level."""
    mine = [one.lower() for one in groups]
    for prefix, given in said["prefixes"].items():
        for group, levels in given.items():
            if group.lower() in mine:
                yield from _each(prefix, levels, name)
    personal = said["people"].get(name)
    if personal and not ended:
        for prefix, levels in personal["prefixes"].items():
            yield from _each(prefix, levels, name)


def _each(prefix: str, levels: Sequence[str], name: str) -> Iterator[tuple[str, str]]:
    place = "" if prefix == "/" else f"{prefix}/"
    for level in levels:
        if level == "own":
            yield from ((f"{place}{name}/", one) for one in ("list", "read", "write", "delete"))
        else:
            yield place, level
