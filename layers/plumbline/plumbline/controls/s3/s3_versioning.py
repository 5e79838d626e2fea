"""Buckets that you name keep earlier versions of what is overwritten or deleted.

Holds: versioning is on for each bucket in `buckets`. None is held to it until you name some, and where MFA delete is
on, root alone can change it.
Why: in a bucket without versions, whoever overwrites or deletes an object destroys it: a program with a mistake in it,
or somebody who asks for ransom. With versions, what was there before can be had back.
Repair: switches versioning on. At once where an event announced that it is off; what was so before is told, and
switched on a week later.
Undo: suspends it, and versions that were kept stay. AWS knows no way back to a bucket that never had any.
Source: Amazon S3 user guide, Retaining multiple versions of objects with S3 Versioning; Configuring MFA delete.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from plumbline.controls._switch import Values
from plumbline.controls.s3._bucket_switch import BucketSwitch
from plumbline.controls.s3._buckets import NAMED, is_named, located, on
from plumbline.core.calls import Ask, Call, Plan
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, Response
from plumbline.core.control import EVERY, Control, On, Settings, Severity
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


CONTROL = Control(
    id="s3-versioning",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.MEDIUM,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND},
    wakes_on=(On("s3.amazonaws.com", ("CreateBucket", "PutBucketVersioning"), located),),
    reads=frozenset({"s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:ListAllMyBuckets"}),
    writes=frozenset({"s3:PutBucketVersioning"}),
    announces=announced,
    settings={"buckets": NAMED},
    **{**SWITCH.functions, "plan": plan},
)
