"""Nothing in the account's S3 can be made public, whatever a bucket says.

Holds: the account's four public-access switches are on: public ACLs are refused and ignored, public policies are
refused and restricted.
Why: one bucket made public by mistake shows its contents to everybody. These switches outweigh what any bucket, old or
new, says for itself.
Repair: switches on those that are off, the others stay. Where an event announced who loosened them, at once. What was
so before is proposed: a website that S3 serves to everybody is cut off then, and so is whoever reads a bucket from
another account by a policy that is public as well, and only a person knows.
Undo: sets the four as they were, or leaves nothing configured where nothing was.
Source: Amazon S3 user guide, Blocking public access to your Amazon S3 storage.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from plumbline.controls._switch import HELD
from plumbline.controls.account._access_block import FOUR, SWITCH
from plumbline.core.calls import Ask
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, NEVER, Response
from plumbline.core.control import Control, On, Settings, Severity
from plumbline.core.targets import State
from plumbline.wakes import cloudtrail


def announced(_ask: Ask, detail: Event, _state: State, _settings: Settings) -> str:
    """That an event switched off some of the four, all of which are on again."""
    if detail.get("eventName") == "DeleteAccountPublicAccessBlock":
        return "was taken away"
    block = cloudtrail.section(
        cloudtrail.section(detail.get("requestParameters")).get("PublicAccessBlockConfiguration")
    )
    off = [name for name in FOUR if block and block.get(name) in (False, "false", None)]
    return f"was switched off in part: {', '.join(off)}" if off else ""


CONTROL = Control(
    id="account-s3-public-access",
    since="0.2",
    doc=__doc__ or "",
    severity=Severity.HIGH,
    response=Response.ENFORCE,
    clocks={
        "default": AT_ONCE,
        # Nobody knows who reads what has been public for long: a person decides, and from then on it is held.
        FOUND_BY_SWEEP: replace(FOUND, act=timedelta(0), mode=Response.PROPOSE),
        HELD: NEVER,
    },
    wakes_on=(
        On("s3.amazonaws.com", ("DeleteAccountPublicAccessBlock", "PutAccountPublicAccessBlock"), SWITCH.locate),
    ),
    reads=frozenset({"s3:GetAccountPublicAccessBlock"}),
    writes=frozenset({"s3:PutAccountPublicAccessBlock"}),
    announces=announced,
    held_by=frozenset({"AccessDenied"}),  # its session may do it, so only an organisation's policy denies it
    noun="the account's S3 public access block",
    answers={"cis-7.0": ("3.1.4",), "moj": ("world-storage", "world-storage-7d"), "ssb": ("ACCT.08",)},
    **SWITCH.functions,
)
