"""Whether a bucket keeps earlier versions of its objects. Pure.

Source: Amazon S3 user guide, Retaining multiple versions of objects with S3 Versioning; Configuring MFA delete.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from plumbline.controls._switch import Values
from plumbline.controls.s3._bucket_switch import BucketSwitch
from plumbline.controls.s3._buckets import is_named, on
from plumbline.core.calls import Ask, Call, Plan
from plumbline.core.cause import Event
from plumbline.core.control import EVERY, Settings
from plumbline.core.targets import State, Target
from plumbline.wakes import cloudtrail

_ROOT_ALONE = (
    "MFA delete is on for this bucket, so that root alone can switch versioning on, with a code of its MFA device"
)


def write(target: Target, values: Values | None) -> Call:
    """On or suspended: AWS knows no third."""
    status = (values or {}).get("Versioning") or "Suspended"
    return on(target, "PutBucketVersioning", VersioningConfiguration={"Status": status})


SWITCH = BucketSwitch(
    read="GetBucketVersioning",
    none=(),
    values=lambda answer: {"Versioning": answer.get("Status"), "MFADelete": answer.get("MFADelete", "Disabled")},
    wanted={"Versioning": ("Enabled",)},
    is_held=lambda bucket, settings: is_named(bucket, settings["buckets"]),
    write=write,
    wrong="does not keep versions",
    repair="switches on versioning for",
)


def plan(target: Target, state: State, settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """Switch it on, where that does not take root."""
    values = (state or {}).get("values")
    if values and values["MFADelete"] == "Enabled":
        return Plan(refusal=_ROOT_ALONE)
    return replace(
        SWITCH.plan(target, state, settings, facts),
        irreversible="" if values else "AWS can suspend versioning, and not make a bucket as one that never had any",
        means="S3 keeps, and charges for, what is overwritten or deleted until a lifecycle rule expires old versions.",
    )


def announced(_ask: Ask, detail: Event, _state: State, _settings: Settings) -> str:
    """That an event suspended what is on again."""
    given = cloudtrail.section(cloudtrail.section(detail.get("requestParameters")).get("VersioningConfiguration"))
    return "kept no versions for a while" if given.get("Status") == "Suspended" else ""
