"""No bucket is opened to everybody by its access control list.

Holds: no grant to the groups AllUsers (anyone) or AuthenticatedUsers (anyone with any AWS account) is in force on a
bucket. One that an access block or the bucket's object ownership keeps from working is not in force, and S3 does not
show it; whatever ends that, on the bucket or for the whole account, makes Plumbline look at once.
Why: a grant to one of these groups hands the bucket to the whole internet, and search engines for open buckets find it
within hours. READ lets strangers list every file name, WRITE lets them add, replace and delete, at your cost.
Repair: takes those grants off the ACL. Every other grant (the owner's, other accounts', log delivery) stays as it is. A
grant that AWS refuses because the account it names was closed is left out as well, and the e-mail says so.
Undo: puts the earlier ACL back, as far as AWS takes it.
Source: Amazon S3 user guide, Access control list overview, "Amazon S3 predefined groups"; Blocking public access to
your Amazon S3 storage, on what GetBucketAcl shows.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from plumbline.controls.s3._buckets import (
    ALLOWED,
    KIND,
    arns,
    buckets,
    closed_to_all,
    every_bucket,
    excepted,
    is_allowed,
    located,
    on,
    seen,
)
from plumbline.core.calls import Ask, Call, Mended, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND_BY_SWEEP, Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import State, Target
from plumbline.rights.documents import listed
from plumbline.wakes import cloudtrail

_GROUPS = {
    "http://acs.amazonaws.com/groups/global/AllUsers": "anyone",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": "anyone with an AWS account",
}
#: What a permission on a bucket lets its holder do; worst first.
_MEANS = {
    "FULL_CONTROL": "do everything with it",
    "WRITE_ACP": "change its permissions",
    "WRITE": "write and delete files",
    "READ": "list it",
    "READ_ACP": "read its permissions",
}

#: Canned ACLs that let everybody in, and what they let him do.
_CANNED = {
    "public-read-write": "anyone might list it, write and delete files",
    "public-read": "anyone might list it",
    "authenticated-read": "anyone with an AWS account might list it",
}

Grant = Mapping[str, Any]


def observe(ask: Ask, target: Target) -> State:
    """The bucket's ACL as far as it is in force; None when the bucket is gone, or not this account's."""
    acl = seen(ask, on(target, "GetBucketAcl"))
    return acl and {"bucket": target.id, "owner": acl["Owner"], "grants": acl["Grants"]}


def detect(state: State, settings: Settings) -> Deviation | None:
    """A grant to everybody on a bucket that is not public on purpose."""
    if state is None or is_allowed(state["bucket"], settings):
        return None
    public = sorted((one for one in state["grants"] if is_public(one)), key=_rank)
    if not public:
        return None
    return Deviation(f"is public: {_words(public[0])}", tuple(map(_fact, public)))


def announced(_ask: Ask, detail: Event, _state: State, _settings: Settings) -> str:
    """That an event made a bucket public by its ACL, spelt out or by the name of a canned one.

    Source: Amazon S3 user guide, Access control list (ACL) overview: canned ACLs.
    """
    given = cloudtrail.section(detail.get("requestParameters"))
    canned = next((str(one) for one in listed(given.get("x-amz-acl")) if str(one) in _CANNED), "")
    grants = cloudtrail.section(cloudtrail.section(given.get("AccessControlPolicy")).get("AccessControlList"))
    spelt = [
        f"{_GROUPS[group]} might {_MEANS[right]}"
        for grant in map(cloudtrail.section, listed(grants.get("Grant")))
        if (group := str(cloudtrail.section(grant.get("Grantee")).get("URI"))) in _GROUPS
        and (right := str(grant.get("Permission"))) in _MEANS
    ]
    words = _CANNED[canned] if canned else next(iter(spelt), "")
    return f"was made public: {words}" if words else ""


def describe(state: State) -> str:
    """Who may do what, in words."""
    if state is None:
        return "the bucket does not exist"
    public = sorted((one for one in state["grants"] if is_public(one)), key=_rank)
    others = len(state["grants"]) - len(public)
    return "; ".join((*map(_words, public), f"{others} grant{'s' * (others != 1)} to named accounts or AWS services"))


def plan(target: Target, state: State, _settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """Put the ACL back without the public grants."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist

    def to(grants: Sequence[Grant]) -> Call:
        return on(target, "PutBucketAcl", AccessControlPolicy={"Owner": state["owner"], "Grants": list(grants)})

    taken = [one for one in state["grants"] if is_public(one) and _fact(one) in facts]
    left = [one for one in state["grants"] if one not in taken]
    every = not any(map(is_public, left))
    what = "the public grants" if every else f"what is new of the public grants ({'; '.join(map(_words, taken))})"
    return Plan(
        steps=(Step(do=to(left), undo=(to(state["grants"]),)),),
        resources=arns(target),
        summary=f"takes {what} off bucket {target.id}",
    )


def mend(call: Call, refusal: AwsRefusal) -> Sequence[Mended]:
    """The ACL without the account that AWS does not know; without one or another where it does not say which."""
    acl = call.parameters.get("AccessControlPolicy")
    if refusal.code != "InvalidArgument" or "Invalid id" not in str(refusal) or acl is None:
        return ()
    known = dict.fromkeys(one["Grantee"]["ID"] for one in acl["Grants"] if "ID" in one["Grantee"])
    known.pop(acl["Owner"]["ID"], None)
    named = [one for one in known if one in refusal.about.split()]
    return [_without(call, one) for one in named[:1] or (() if refusal.about else known)]


def _without(call: Call, account: str) -> Mended:
    acl = call.parameters["AccessControlPolicy"]
    left = [one for one in acl["Grants"] if one["Grantee"].get("ID") != account]
    write = replace(call, parameters={**call.parameters, "AccessControlPolicy": {**acl, "Grants": left}})
    return Mended(write, f"the account of the canonical id {account} does not exist any more, so its grant is left out")


def is_public(grant: Grant) -> bool:
    """Whether a grant is to everybody, or to everybody with an AWS account."""
    return grant.get("Grantee", {}).get("URI") in _GROUPS


def _fact(grant: Grant) -> str:
    return f"{grant['Grantee']['URI'].rpartition('/')[2]} {grant['Permission']}"


def _rank(grant: Grant) -> int:
    return list(_MEANS).index(grant["Permission"])


def _words(grant: Grant) -> str:
    return f"{_GROUPS[grant['Grantee']['URI']]} may {_MEANS[grant['Permission']]}"


CONTROL = Control(
    id="s3-public-acl",
    doc=__doc__ or "",
    since="0.1",
    severity=Severity.HIGH,
    response=Response.ENFORCE,
    clocks={
        "default": AT_ONCE,
        # What a sweep finds may have been public for years: somebody may rely on it.
        FOUND_BY_SWEEP: Clock(
            remind=(timedelta(days=1), timedelta(days=3), timedelta(days=6)),
            escalate=timedelta(days=7),
            act=timedelta(days=7),
        ),
    },
    scope=Scope.GLOBAL,
    kinds=(KIND,),
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
    reads=frozenset({"s3:GetBucketAcl", "s3:GetBucketLocation", "s3:ListAllMyBuckets"}),
    writes=frozenset({"s3:PutBucketAcl"}),
    noun="bucket {id}",
    find=buckets,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    excepted=excepted,
    announces=announced,
    mend=mend,
    clashes=partial(closed_to_all, "s3-public-acl"),
    settings={"allowed_buckets": ALLOWED},
    answers={"cis-7.0": ("5.8",), "moj": ("world-storage", "world-storage-7d"), "ssb": ("ACCT.08",)},
)
