"""Whether the account has its charges measured at all: a preference of the bill, and the data that follows. Pure.

They are two targets: data comes a quarter of an hour after the preference was switched on, and until then nothing is
wrong with that.

The key of the preference AWS documents nowhere; what it answers is written back. Where it answers none, or where the
SDK at hand does not know the call, only a person can switch it on.

Source: AWS Billing API reference, GetBillingPreferences and UpdateBillingPreferences (feature BILLING_ALERTS); AWS
Billing user guide, Billing preferences.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plumbline.controls.billing._alarms import METRIC
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.control import Deviation
from plumbline.core.errors import AwsRefusal

_FEATURE = "BILLING_ALERTS"
_ON, _OFF = "ENABLED", "DISABLED"
#: What an SDK says that is older than the call, or than the service; nobody asked AWS.
_UNKNOWN_HERE = ("UnknownOperation", "UnknownServiceError")
_WITHOUT_DATA = (
    "only a person can switch billing alerts on: open Billing and Cost Management, Billing Preferences, by Alert "
    "preferences choose Edit, tick 'Receive CloudWatch Billing Alerts' and choose Save preferences; data arrives about "
    "a quarter of an hour later. In a member account of an organisation the data is in the account that pays: switch "
    "billing-alarm off here and hold it there"
)
_ON_WITHOUT_DATA = (
    "billing alerts are on, and data arrives about a quarter of an hour after that. In a member account of an "
    "organisation it is in the account that pays: switch billing-alarm off here and hold it there"
)


def preference(ask: Ask) -> dict[str, Any]:
    """The preference's keys with their values; none where none is told."""
    return {"preferences": {one["key"]: one["value"] for one in _preferences(ask)}}


def data(ask: Ask) -> dict[str, Any]:
    """Whether there is data on the whole bill, and the preference that it follows from."""
    metrics = ask(Call("cloudwatch", "ListMetrics", dict(METRIC))).get("Metrics", ())
    return {"data": any(one["Dimensions"] == METRIC["Dimensions"] for one in metrics), **preference(ask)}


def _preferences(ask: Ask) -> list[Mapping[str, str]]:
    try:
        answer = ask(Call("billing", "GetBillingPreferences", {"features": [_FEATURE]}))
    except AwsRefusal as error:
        if error.code not in _UNKNOWN_HERE:
            raise
        return []
    return [one for one in answer.get("billingPreferences") or () if one.get("feature") == _FEATURE]


def deviation(state: Mapping[str, Any]) -> Deviation | None:
    """Switched off, which can be seen; or no data although it is not, whatever the reason."""
    off = tuple(sorted(_off(state)))
    if "data" not in state:
        what = "is off: CloudWatch does not get the month's charges"
        return Deviation(what, ("billing alerts are off",)) if off else None
    if state["data"] or off:
        return None
    why = "no data has come yet" if state.get("preferences") else "billing alerts are switched off"
    return Deviation(f"is missing: {why}", ("no data",), clock="no-data")


def described(state: Mapping[str, Any]) -> str:
    """What AWS tells of both, or of the preference alone."""
    known = state.get("preferences")
    switch = "" if not known else f"billing alerts are {'off' if _off(state) else 'on'}"
    if "data" not in state:
        return switch or "AWS does not tell whether billing alerts are on"
    return f"CloudWatch has {'' if state['data'] else 'no '}billing data{switch and f'; {switch}'}"


def planned(state: Mapping[str, Any]) -> Plan:
    """Write back what AWS answered, switched on; where data is missing, say what to choose where."""
    if "data" in state:
        return Plan(refusal=_ON_WITHOUT_DATA if state.get("preferences") else _WITHOUT_DATA)
    off = sorted(_off(state))
    return Plan(
        steps=(Step(_set(off, _ON), (_set(off, _OFF),)),),
        resources=("*",),
        summary="switches billing alerts on, so that CloudWatch gets the account's charges",
    )


def _off(state: Mapping[str, Any]) -> list[str]:
    return [key for key, value in (state.get("preferences") or {}).items() if value == _OFF]


def _set(keys: list[str], value: str) -> Call:
    wanted = [{"key": key, "value": value} for key in keys]
    return Call("billing", "UpdateBillingPreferences", {"feature": _FEATURE, "billingPreferencesPerKey": wanted})
