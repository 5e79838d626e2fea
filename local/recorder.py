"""Every API request the emulator saw, and every e-mail it would have sent, numbered from 1."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """One question put to IAM while a request was served."""

    action: str
    resource: str
    allowed: bool


# The checks of the request being served; the emulator's evaluator appends to it.
checks_of_request: ContextVar[list[Check] | None] = ContextVar("checks_of_request", default=None)

# The key that the request being served was signed with; what it sets going afterwards is done by the same caller.
caller_key: ContextVar[str] = ContextVar("caller_key", default="")


@dataclass(frozen=True, slots=True)
class KeyUse:
    """When, for what and where an access key last signed a request."""

    time: str
    service: str
    region: str


# By access key id; IAM answers GetAccessKeyLastUsed and the credential report from it.
key_uses: dict[str, KeyUse] = {}


class Journal:
    """An append-only list that is read from a number on."""

    def __init__(self) -> None:
        self._entries: list[Mapping[str, Any]] = []
        self._lock = threading.Lock()

    def append(self, entry: Mapping[str, Any]) -> None:
        """Add an entry, numbered and dated."""
        with self._lock:
            number = len(self._entries) + 1
            self._entries.append({"number": number, "time": datetime.now(UTC).isoformat(), **entry})

    def since(self, number: int) -> Sequence[Mapping[str, Any]]:
        """The entries after a number."""
        with self._lock:
            return self._entries[number:]


calls = Journal()
mail = Journal()

#: What trails logged of root users, the newest last: as much of CloudTrail's event history as anybody here asks for.
root_history: deque[Mapping[str, Any]] = deque(maxlen=10_000)
