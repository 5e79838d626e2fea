"""The four public-access switches of each bucket. Pure, but for `observe`.

Source: Amazon S3 user guide, Blocking public access to your Amazon S3 storage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plumbline.controls._switch import Values
from plumbline.controls.account._access_block import FOUR
from plumbline.controls.account._access_block import SWITCH as OF_ACCOUNT
from plumbline.controls.s3._bucket_switch import BucketSwitch
from plumbline.controls.s3._buckets import is_allowed, on
from plumbline.core.calls import Ask, Call
from plumbline.core.cause import Event
from plumbline.core.control import Settings
from plumbline.core.targets import State, Target
from plumbline.wakes import cloudtrail


def read(answer: Mapping[str, Any]) -> Values:
    """The four as a bucket has them."""
    block: Mapping[str, Any] = answer["PublicAccessBlockConfiguration"]
    return {name: bool(block.get(name)) for name in FOUR}


def write(target: Target, values: Values | None) -> Call:
    """All four together, since a call switches off what it leaves out; without values, nothing is configured."""
    if values is None:
        return on(target, "DeletePublicAccessBlock")
    block = {name: bool(values.get(name)) for name in FOUR}
    return on(target, "PutPublicAccessBlock", PublicAccessBlockConfiguration=block)


SWITCH = BucketSwitch(
    read="GetPublicAccessBlock",
    none=("NoSuchPublicAccessBlockConfiguration",),
    values=read,
    wanted=dict.fromkeys(FOUR, (True,)),
    is_held=lambda bucket, settings: not is_allowed(bucket, settings),
    write=write,
    wrong="can be made public: its public access block is not wholly on",
    repair="switches on what is off of the public access block of",
    unset=False,
)


def observe(ask: Ask, target: Target) -> State:
    """The bucket's own four, and the account's where the bucket's leave something open."""
    state = SWITCH.observe(ask, target)
    if state is None or (state["values"] and all(state["values"].values())):
        return state
    account = OF_ACCOUNT.observe(ask, target)
    return {**state, "account": (account and account["values"]) or {}}


def announced(_ask: Ask, detail: Event, _state: State, _settings: Settings) -> str:
    """That an event switched off some of a bucket's four, all of which are on again."""
    if detail.get("eventName") == "DeleteBucketPublicAccessBlock":
        return "lost its public access block"
    block = cloudtrail.section(
        cloudtrail.section(detail.get("requestParameters")).get("PublicAccessBlockConfiguration")
    )
    if detail.get("eventName") != "PutBucketPublicAccessBlock" or not block:
        return ""
    off = [name for name in FOUR if block.get(name) in (False, "false", None)]
    return f"lost a part of its public access block: {', '.join(off)}" if off else ""
