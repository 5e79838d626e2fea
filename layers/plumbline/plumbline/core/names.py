"""What IAM takes for the same name. Pure.

Names of users, groups, roles and managed policies are kept as they were written and told apart without case: where
there is a group `Administrators`, nobody can make `administrators`, and a call may write either.

Source: IAM API reference, CreateUser, CreateGroup, CreateRole and CreatePolicy: names are not distinguished by case.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase


def folded(name: str) -> str:
    """A name as IAM compares it: two spellings of one name give the same."""
    return name.lower()


def is_caseless(kind: str) -> bool:
    """Whether targets of a kind bear names that IAM tells apart without case."""
    return kind.startswith("iam-")


def same_name(one: str, other: str) -> bool:
    """Whether two names are one to IAM."""
    return folded(one) == folded(other)


def among(name: str, names: Iterable[str]) -> bool:
    """Whether a name stands in a list, in whatever spelling."""
    return any(same_name(name, one) for one in names)


def fits(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name fits one of the patterns (`*`, `?`), in whatever spelling."""
    return any(fnmatchcase(folded(name), folded(pattern)) for pattern in patterns)
