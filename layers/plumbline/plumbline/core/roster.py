"""The people of an account as its baseline lists them: who has an IAM user, in which groups, and until when. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from plumbline.core.names import among, same_name
from plumbline.core.targets import Target

#: Stands where a list of users would be empty, and empty would mean anybody. IAM lets no user bear such a name.
NOBODY = "*nobody*"


@dataclass(frozen=True, slots=True)
class Person:
    """One IAM user who belongs here: a person, or a program that has a user.

    Attributes:
        name: of the user.
        groups: all the groups he is in.
        email: whom to ask about his user; empty for nobody.
        keys: whether he may have active access keys.
        until: the last day on which he belongs here; None for no end.
    """

    name: str
    groups: tuple[str, ...] = ()
    email: str = ""
    keys: bool = False
    until: date | None = None

    def has_left(self, today: date) -> bool:
        """Whether his last day is over.

        Args:
            today: in UTC.
        """
        return self.until is not None and today > self.until

    def to_json(self) -> dict[str, Any]:
        """Plain data for the compiled baseline."""
        return {
            "groups": list(self.groups),
            "email": self.email,
            "keys": self.keys,
            "until": self.until and self.until.isoformat(),
        }

    @classmethod
    def from_json(cls, name: str, data: Mapping[str, Any]) -> Person:
        """The person that `to_json`, or a baseline's author, wrote.

        Raises:
            ValueError: `until` is no day of the calendar.
        """
        until = data.get("until")
        return cls(
            name,
            tuple(data.get("groups") or ()),
            data.get("email") or "",
            bool(data.get("keys", False)),
            date.fromisoformat(until) if until else None,
        )


def roster_of(data: Mapping[str, Any]) -> tuple[Person, ...]:
    """The people of a roster, in its order.

    Args:
        data: name -> what stands below it.

    Raises:
        ValueError: an `until` is no day of the calendar.
    """
    return tuple(Person.from_json(name, one or {}) for name, one in data.items())


def of(name: str, roster: Sequence[Person]) -> Person | None:
    """The person of a name, in whatever spelling; None where the roster has none."""
    return next((one for one in roster if same_name(one.name, name)), None)


#: Kinds of targets that are a user, or belong to one: their ids begin with the user's name.
OF_USERS = ("iam-user", "iam-access-key", "iam-login-profile", "iam-service-credential")


def address_of(target: Target, roster: Sequence[Person]) -> str:
    """Where the person hears whose user a target is, or belongs to.

    Args:
        target: whatever it is.
        roster: the people.

    Returns:
        An address in lower case, by which SNS filters; empty where none is known, or the target is nobody's.
    """
    if target.kind not in OF_USERS or target.is_pattern:
        return ""
    person = of(target.id.partition("/")[0], roster)
    return person.email.lower() if person else ""


def with_keys(roster: Sequence[Person]) -> list[str]:
    """Who may have active access keys."""
    return [one.name for one in roster if one.keys]


def administrators(roster: Sequence[Person], groups: Sequence[str]) -> list[str]:
    """Whom the roster makes administrators: never an empty list, which would mean whoever is in the groups.

    Args:
        roster: the people.
        groups: the groups of administrators.
    """
    return [one.name for one in roster if any(among(group, groups) for group in one.groups)] or [NOBODY]
