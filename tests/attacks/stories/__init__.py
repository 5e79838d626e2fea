"""Every story, in the order in which they are told: noise comes last, for it uses up an hour's budgets."""

from __future__ import annotations

from collections.abc import Mapping

from tests.attacks.attack import Attack
from tests.attacks.stories import bus, commands, decoys, elsewhere, functions, identities, memory, sets, telling, wiring

#: By chapter of docs/trust.md.
CHAPTERS: Mapping[str, tuple[Attack, ...]] = {
    "Its functions and their rights": functions.STORIES,
    "What wakes it": wiring.STORIES,
    "Its forwarders in other regions": elsewhere.STORIES,
    "The bus that they lead to": bus.STORIES,
    "The StackSet that makes them, and its roles": sets.STORIES,
    "Who hears of it": telling.STORIES,
    "What it remembers": memory.STORIES,
    "What can be typed": commands.STORIES,
    "IAM, its roles and the people": identities.STORIES,
    "Noise": decoys.STORIES,
}
ALL = tuple(one for stories in CHAPTERS.values() for one in stories)
