"""Stories that cannot hold before the piece they wait for is there. One that holds fails until it is off the list."""

from __future__ import annotations

from collections.abc import Mapping

WAITING_FOR: Mapping[str, str] = {}
