"""Access control lists are off in every bucket whose own list gives nothing to others.

Holds: object ownership is `BucketOwnerEnforced`, so that policies alone say who may do what, for each bucket whose ACL
grants nothing but to its owner. A bucket whose ACL grants something to others, such as log delivery, needs it, and is
left alone.
Why: with ACLs on, each object has a list of its own, which no policy shows: a single file can be open to everybody, and
one that another account writes belongs to that account. AWS makes buckets with ACLs off since April 2023.
Repair: switches ACLs off, once you approve. What objects' own lists give ends with it, uploads that name an ACL other
than `bucket-owner-full-control` are refused, and AWS shows who relies on either in access logs alone (`aclRequired`).
Undo: sets the ownership that was, and the objects' own lists count again.
Source: Amazon S3 user guide, Controlling ownership of objects and disabling ACLs for your bucket; Prerequisites for
disabling ACLs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from plumbline.controls._switch import Values
from plumbline.controls.s3._bucket_switch import BucketSwitch
from plumbline.controls.s3._buckets import every_bucket, located, on, seen
from plumbline.core.calls import Ask, Call
from plumbline.core.clock import Clock, Response
from plumbline.core.control import Control, Deviation, On, Settings, Severity
from plumbline.core.targets import State, Target

_OFF = "BucketOwnerEnforced"


def read(answer: Mapping[str, Any]) -> Values:
    """Who owns what others write."""
    return {"ObjectOwnership": answer["OwnershipControls"]["Rules"][0]["ObjectOwnership"]}


def write(target: Target, values: Values | None) -> Call:
    """One of AWS's three; without values, nothing is configured, and whoever writes an object owns it."""
    if values is None:
        return on(target, "DeleteBucketOwnershipControls")
    rule = {"ObjectOwnership": values["ObjectOwnership"]}
    return on(target, "PutBucketOwnershipControls", OwnershipControls={"Rules": [rule]})


SWITCH = BucketSwitch(
    read="GetBucketOwnershipControls",
    none=("OwnershipControlsNotFoundError",),
    values=read,
    wanted={"ObjectOwnership": (_OFF,)},
    is_held=lambda _bucket, _settings: True,
    write=write,
    wrong="lets access control lists count",
    repair="switches access control lists off in",
    unset="ObjectWriter",
)


def observe(ask: Ask, target: Target) -> State:
    """The bucket's ownership, and where ACLs count, how many grants of its own are for others."""
    state = SWITCH.observe(ask, target)
    if state is None or (state["values"] or {}).get("ObjectOwnership") == _OFF:
        return state
    acl = seen(ask, on(target, "GetBucketAcl"))
    if acl is None:
        return None
    others = [one for one in acl["Grants"] if one.get("Grantee", {}).get("ID") != acl["Owner"]["ID"]]
    return {**state, "others": len(others)}


def detect(state: State, settings: Settings) -> Deviation | None:
    """ACLs that count, and that the bucket itself does not need."""
    return None if state is None or state.get("others") else SWITCH.detect(state, settings)


def describe(state: State) -> str:
    """The ownership, and whom the bucket's own ACL is for."""
    others = (state or {}).get("others", 0)
    needs = f"; its own list has {others} grant{'s' * (others != 1)} to others" if others else ""
    return f"{SWITCH.describe(state)}{needs}"


CONTROL = Control(
    id="s3-object-ownership",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.LOW,
    response=Response.PROPOSE,
    clocks={"default": Clock(act=timedelta(0))},
    wakes_on=(
        On(
            "s3.amazonaws.com",
            (
                "CreateBucket",
                "DeleteBucketOwnershipControls",
                "DeleteBucketPublicAccessBlock",
                "PutBucketAcl",
                "PutBucketOwnershipControls",
                "PutBucketPublicAccessBlock",
            ),
            located,
        ),
        On("s3.amazonaws.com", ("DeleteAccountPublicAccessBlock", "PutAccountPublicAccessBlock"), every_bucket),
    ),
    reads=frozenset(
        {"s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketOwnershipControls", "s3:ListAllMyBuckets"}
    ),
    writes=frozenset({"s3:PutBucketOwnershipControls"}),
    **{**SWITCH.functions, "observe": observe, "detect": detect, "describe": describe, "excepted": None},
)
