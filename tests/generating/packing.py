"""What outgrows one of AWS's containers is divided among several. Here: how full one may be, and in which order.

What came first is placed first, each where there is room, so that a control which a new version adds moves none of
those that are deployed. (One that asks for more than before may move, and others after it: while the stack is updated
it may be refused for seconds, which is no verdict.) A fifth of every container stays free for what nobody foresaw.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from plumbline.core.control import Control


class CannotBePacked(Exception):
    """Something does not fit into what AWS takes. One line that names the control and says what to do."""


def room(limit: int) -> int:
    """The characters that may be used of a limit: a fifth is kept."""
    return limit * 4 // 5


def characters(document: Any) -> int:
    """How long AWS counts a JSON document: without the white space."""
    return len("".join(json.dumps(document, separators=(",", ":")).split()))


def by_arrival(controls: Iterable[Control]) -> list[Control]:
    """Controls in the order of the versions they came with, then of their ids."""
    return sorted(controls, key=lambda one: ([int(part) for part in one.since.split(".")], one.id))
