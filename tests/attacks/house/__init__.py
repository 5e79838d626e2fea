"""Plumbline as AWS has it, and the people around it: read by an administrator's plain calls, and put back by them.

No code of Plumbline's is asked. What is read here decides whether an attack changed anything, and whether a story has
cleaned up after itself.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.attacks.house import elsewhere, functions, memory, people, surroundings, wiring
from tests.attacks.house.facet import Clients, Difference, Facet, Seen, Written

#: In the order in which they are put back: what lets Plumbline see comes last, so that little of it is told.
FACETS: Mapping[str, Facet] = {
    **functions.FACETS,
    **wiring.FACETS,
    **memory.FACETS,
    **surroundings.FACETS,
    **people.FACETS,
    **elsewhere.FACETS,
    **wiring.LAST,
    **surroundings.LAST,
}


def kinds(written: Collection[Written]) -> set[str]:
    """The kinds of things that may have changed, where something was written."""
    return {kind for kind, facet in FACETS.items() if any(facet.is_written_by(one) for one in written)}


@dataclass(frozen=True, slots=True)
class House:
    """All of it at one moment."""

    seen: Mapping[str, Seen]

    @classmethod
    def of(cls, clients: Clients) -> House:
        """The house as it is now."""
        return cls({kind: facet.read(clients) for kind, facet in FACETS.items()})

    def again(self, clients: Clients, kinds: Iterable[str]) -> House:
        """The same, with some kinds of things read once more."""
        return House({**self.seen, **{kind: FACETS[kind].read(clients) for kind in set(kinds)}})

    def differences(self, before: House) -> list[Difference]:
        """What is not as it was, in this house."""
        return [
            (kind, name, before.seen[kind].get(name), now.get(name))
            for kind, now in self.seen.items()
            for name in sorted({*before.seen[kind], *now})
            if before.seen[kind].get(name) != now.get(name)
        ]


def put_back(clients: Clients, before: House, now: House) -> None:
    """Put back what is not as it was.

    Raises:
        AssertionError: there is something that nothing here can put back; says what.
    """
    for kind, name, was, is_now in now.differences(before):
        FACETS[kind].mend(clients, name, was, is_now)


def in_words(differences: Sequence[Difference]) -> str:
    """Differences as a failing test prints them: of two mappings only what differs."""
    return "\n".join(
        f"  {kind} {name}:\n    was {_short(was, now)}\n    is  {_short(now, was)}"
        for kind, name, was, now in differences
    )


def _short(one: Any, other: Any) -> str:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        one = {key: value for key, value in one.items() if other.get(key) != value}
    return json.dumps(one, default=str)[:600]
