"""What a trail's event selectors leave out. Pure.

A trail has basic selectors, advanced ones, or none: then it logs every management event.
Source: CloudTrail API reference, EventSelector and AdvancedEventSelector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Selector = Mapping[str, Any]

#: Busy services whose management events an owner may leave out; no rule of the baseline needs them.
_OPTIONAL = frozenset({"kms.amazonaws.com", "rdsdata.amazonaws.com"})
_BOTH = frozenset({"read", "write"})
_KINDS = {"All": _BOTH, "ReadOnly": frozenset({"read"}), "WriteOnly": frozenset({"write"})}
_MOST_BASIC = 5  # selectors a trail may have


def logs_management(basic: Sequence[Selector], advanced: Sequence[Selector]) -> bool:
    """Whether all management events, reads and writes, are logged."""
    if not basic and not advanced:
        return True
    return frozenset().union(*map(_advanced_kinds, advanced), *map(_basic_kinds, basic)) == _BOTH


def with_management(basic: Sequence[Selector], advanced: Sequence[Selector]) -> Mapping[str, Any]:
    """The parameters of PutEventSelectors that log all management events and keep every selector of data events."""
    if advanced:
        others = [one for one in advanced if not _is_management(one)]
        left_out = sorted({name for one in advanced for name in _left_out(one)} & _OPTIONAL)
        narrowed = [{"Field": "eventSource", "NotEquals": left_out}] if left_out else []
        fields = [{"Field": "eventCategory", "Equals": ["Management"]}, *narrowed]
        return {"AdvancedEventSelectors": [{"Name": "Management events", "FieldSelectors": fields}, *others]}
    everything = {
        "ReadWriteType": "All",
        "IncludeManagementEvents": True,
        "DataResources": [],
        "ExcludeManagementEventSources": sorted(
            {name for one in basic for name in one.get("ExcludeManagementEventSources", ())} & _OPTIONAL
        ),
    }
    data = [one for one in basic if one.get("DataResources")]
    if len(data) == _MOST_BASIC:  # no room for one more: the first takes it on, and logs more data events than before
        return {"EventSelectors": [{**everything, "DataResources": data[0]["DataResources"]}, *data[1:]]}
    return {"EventSelectors": [everything, *data]}


def _basic_kinds(selector: Selector) -> frozenset[str]:
    if not selector.get("IncludeManagementEvents", True):
        return frozenset()
    return _KINDS.get(selector.get("ReadWriteType", "All"), frozenset())


def _advanced_kinds(selector: Selector) -> frozenset[str]:
    if not _is_management(selector):
        return frozenset()
    kinds = _BOTH
    for field in selector["FieldSelectors"]:
        if field["Field"] == "readOnly" and set(field) == {"Field", "Equals"}:
            kinds &= {"read" if value == "true" else "write" for value in field["Equals"]}
        elif field["Field"] != "eventCategory" and not _leaves_out_optional(field):
            return frozenset()  # any other field narrows it in ways not worth telling apart
    return kinds


def _leaves_out_optional(field: Mapping[str, Any]) -> bool:
    if field["Field"] != "eventSource" or set(field) != {"Field", "NotEquals"}:
        return False
    return set(field["NotEquals"]) <= _OPTIONAL


def _is_management(selector: Selector) -> bool:
    return {"Field": "eventCategory", "Equals": ["Management"]} in selector["FieldSelectors"]


def _left_out(selector: Selector) -> Sequence[str]:
    fields = selector["FieldSelectors"] if _is_management(selector) else ()
    return [name for field in fields if field["Field"] == "eventSource" for name in field.get("NotEquals", ())]
