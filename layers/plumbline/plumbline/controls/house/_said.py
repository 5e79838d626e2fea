"""What AWS says of a part, as it is compared: some of its fields, and documents by what they say. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from plumbline.core.recorded import Part


def chosen(of: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Some fields of an answer, where they say anything; JSON in them as what it says."""
    # A filter that was taken off a trigger again leaves an empty list of them.
    kept = {name: of[name] for name in names if of.get(name) not in (None, "", [], {}, {"Filters": []})}
    return {name: document(one) if str(one).startswith("{") and isinstance(one, str) else one
            for name, one in kept.items()}  # fmt: skip


def document(text: Any) -> Any:  # noqa: ANN401 - a policy, as text or as what botocore made of it
    """A policy's document, the same for all that say the same: no order of principals, actions, statements."""
    return _unordered(json.loads(text) if isinstance(text, str) and text else text or None)


def _unordered(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping):
        return {key: _unordered(one) for key, one in value.items()}
    if isinstance(value, list):
        return sorted((_unordered(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    return value


def plain(part: Part) -> Iterator[tuple[str, Any]]:
    """A part as the ledger gives it back."""
    yield from json.loads(json.dumps(part, default=str, sort_keys=True)).items()
