"""No bucket can be made public, but those that are so on purpose.

Holds: the four public-access switches are on for each bucket, by its own block or by the account's, which outweighs it:
public ACLs are refused and ignored, public policies are refused and restricted. AWS switches on all four when it makes
a bucket. Buckets in `allowed_buckets` are left alone.
Why: a bucket becomes public in two steps: its block is taken off, and then a policy or an ACL opens it. Where the block
is on, the second step fails, whoever tries it and for whatever reason.
Repair: switches on those of the bucket's four that are off, the others stay. At once where an event announced it; what
was so before is told, and closed a week later, for a website may be served from it.
Undo: sets the four as they were, or leaves nothing configured where nothing was.
Source: Amazon S3 user guide, Blocking public access to your Amazon S3 storage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plumbline.controls._switch import Values
from plumbline.controls.account.account_s3_public_access import FOUR
from plumbline.controls.account.account_s3_public_access import SWITCH as OF_ACCOUNT
from plumbline.controls.s3._bucket_switch import BucketSwitch
from plumbline.controls.s3._buckets import ALLOWED, every_bucket, is_allowed, located, on
from plumbline.core.calls import Ask, Call
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, Response
from plumbline.core.control import Control, On, Settings, Severity
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


CONTROL = Control(
    id="s3-public-access-block",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.MEDIUM,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND},
    wakes_on=(
        On(
            "s3.amazonaws.com",
            ("CreateBucket", "DeleteBucketPublicAccessBlock", "PutBucketPublicAccessBlock"),
            located,
        ),
        On("s3.amazonaws.com", ("DeleteAccountPublicAccessBlock", "PutAccountPublicAccessBlock"), every_bucket),
    ),
    reads=frozenset(
        {
            "s3:GetAccountPublicAccessBlock",
            "s3:GetBucketLocation",
            "s3:GetBucketPublicAccessBlock",
            "s3:ListAllMyBuckets",
        }
    ),
    writes=frozenset({"s3:PutBucketPublicAccessBlock"}),
    announces=announced,
    settings={"allowed_buckets": ALLOWED},
    answers={"cis-7.0": ("3.1.4",), "moj": ("world-storage", "world-storage-7d"), "ssb": ("ACCT.08",)},
    **{**SWITCH.functions, "observe": observe},
)
