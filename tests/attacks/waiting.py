"""Stories that cannot hold before the piece they wait for is there. One that holds fails until it is off the list."""

from __future__ import annotations

from collections.abc import Mapping

_HOUSE = "the house look at forwarders and the home bus"
WAITING_FOR: Mapping[str, str] = {
    "a forwarder's rule switched off, and put back by Plumbline": _HOUSE,
    "a forwarder's rule deleted, and made again by Plumbline": _HOUSE,
    "a forwarder's rule turned elsewhere, and turned back by Plumbline": _HOUSE,
    "every tripwire of another region switched off in one script": _HOUSE,
    "every rule of another region but its sign of life switched off in one script": _HOUSE,
    "a policy of the bus that keeps the forwarders out, as the house look sees it": _HOUSE,
    "the bus's rule that wakes Plumbline switched off, and put back by Plumbline": _HOUSE,
    "the bus's rule that tells of other regions deleted, and made again by Plumbline": _HOUSE,
}
