"""Which of the template's rules an event wakes, by moto's matcher (the one its EventBridge runs)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
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
    """Whether one pattern matches one event.

    EventBridge looks into lists of objects, one of which must fit as a whole; moto looks into none.
    Source: Amazon EventBridge user guide, "Creating event patterns", arrays in patterns.
    """
    loaded = EventPattern.load(json.dumps(pattern))
    return any(loaded.matches_event(one) for one in _flat(dict(event)))


def _flat(value: Any) -> Iterator[Any]:
    """A value as often as it has ways of taking one object of each list of objects in it."""
    if isinstance(value, Mapping):
        for several in product(*(_flat(one) for one in value.values())):
            yield dict(zip(value, several, strict=True))
    elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        for one in value:
            yield from _flat(one)
    else:
        yield value
