"""Which of the template's rules an event wakes, by moto's matcher (the one its EventBridge runs)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from moto.events.models import EventPattern

from tests.deployed import STACK, as_deployed, logical, source


@cache
def patterns() -> Mapping[str, EventPattern]:
    """The template's rules on the default bus that wake `react`, by logical id."""
    return {
        name: EventPattern.load(json.dumps(as_deployed(resource["Properties"]["EventPattern"], {}, STACK)))
        for name, resource in source()["Resources"].items()
        if resource["Type"] == "AWS::Events::Rule" and "EventPattern" in resource["Properties"] and _wakes(resource)
    }


def _wakes(rule: Mapping[str, Any]) -> bool:
    return "EventBusName" not in rule["Properties"] and any(
        logical(target["Arn"]) == "WakesQueue" for target in rule["Properties"]["Targets"]
    )


def rules_woken(event: Mapping[str, Any]) -> list[str]:
    """The rules that put an event onto the wakes queue."""
    return [name for name, pattern in patterns().items() if pattern.matches_event(dict(event))]


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether one pattern matches one event."""
    return bool(EventPattern.load(json.dumps(pattern)).matches_event(dict(event)))
