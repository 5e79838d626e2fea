"""Buckets refuse plain HTTP.

Holds: the policy of each bucket denies everybody everything that comes without TLS, whichever statement of it says so.
Why: what goes over plain HTTP is read and changed by whoever sits on the way, and a link signed for one object is as
good as the object. S3 answers plain HTTP to whoever asks, until a policy denies it.
Repair: appends one statement (Sid `TlsOnlyByPlumbline`) to the bucket's policy, and keeps every other one letter for
letter. At once where the bucket has no policy yet and an event announced it, as that of its creation does; where
somebody has written one, a week later. Of a bucket that serves a website, which S3 does over plain HTTP alone, and of
one that a CloudFormation stack made, whose template would take the statement out again, it is proposed. AWS takes no
policy that names a deleted user or role, so these are left out of what is written, and the e-mail says so.
Undo: puts the earlier policy back, letter for letter; a bucket that had none has none again.
Source: Amazon S3 user guide, Security best practices for Amazon S3, "Enforce encryption of data in transit"; Website
endpoints, "Amazon S3 website endpoints do not support HTTPS".
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from datetime import timedelta

from plumbline.controls.s3 import _policies as policies
from plumbline.controls.s3._buckets import KIND, arns, buckets, located, setting
from plumbline.core.calls import Ask, Plan
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import State, Target
from plumbline.rights.documents import Document, Statement, statements

SID = "TlsOnlyByPlumbline"
#: The clocks of what somebody relies on: a policy that is somebody's, a website, what a template asks for.
WRITTEN, WEBSITE, STACK = "written", "website", "of-a-stack"
_FACT = "plain HTTP is not denied"
_PROPOSED = replace(FOUND, act=timedelta(0), mode=Response.PROPOSE)
#: The tag that CloudFormation puts on what it makes.
_OF_STACK = "aws:cloudformation:stack-name"
_TESTS = ("bool", "boolifexists", "stringequals", "stringequalsignorecase")


def observe(ask: Ask, target: Target) -> State:
    """The bucket's policy; where that lets plain HTTP in, whose the bucket is. None when it is gone, or another's."""
    held = policies.read(ask, target) or {"policy": None, "text": ""}
    state = {"bucket": target.id, **held}
    if held["policy"] and is_tls_only(held["policy"], target):
        return {**state, "tls_only": True}
    site = setting(ask, target, "GetBucketWebsite", "NoSuchWebsiteConfiguration")
    tags = setting(ask, target, "GetBucketTagging", "NoSuchTagSet")
    if site is None or tags is None:
        return None
    stack = next((one["Value"] for one in tags.get("TagSet", ()) if one["Key"] == _OF_STACK), "")
    return {**state, "tls_only": False, "website": bool(site), "stack": stack}


def detect(state: State, _settings: Settings) -> Deviation | None:
    """A policy that lets plain HTTP in, or none, on the clock of who relies on it."""
    if state is None or state["tls_only"]:
        return None
    if state["website"]:
        return Deviation("takes plain HTTP, as websites of S3 do", (_FACT,), WEBSITE)
    if state["stack"]:
        return Deviation(f"takes plain HTTP, and is of the stack {state['stack']}", (_FACT,), STACK)
    return Deviation("takes plain HTTP", (_FACT,), WRITTEN if state["policy"] else "default")


def describe(state: State) -> str:
    """Whether plain HTTP is denied, and how much else the policy says."""
    if state is None:
        return "the bucket does not exist"
    verdict = "plain HTTP is denied" if state["tls_only"] else _FACT
    number = len(statements(state["policy"])) if state["policy"] else 0
    return (
        f"{verdict}; its policy has {number} statement{'s' * (number != 1)}"
        if number
        else f"{verdict}; it has no policy"
    )


def plan(target: Target, state: State, _settings: Settings, _facts: Container[str] = EVERY, /) -> Plan:
    """Append the denial; whoever relies on plain HTTP hears of it before."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    after = policies.with_statement(state["policy"], denial(target))
    if refusal := policies.too_long(after):
        return Plan(refusal=refusal)
    words = f"lets the policy of bucket {target.id} deny plain HTTP; every other statement stays"
    return Plan(
        steps=(policies.step(target, state["policy"], state["text"], after),),
        resources=arns(target),
        summary="; ".join((words, *policies.dead_words(state["policy"]))),
        means="Its website is not served any more: S3 serves those over plain HTTP alone." if state["website"] else "",
    )


def is_tls_only(policy: Document, target: Target) -> bool:
    """Whether a policy denies everybody everything that comes without TLS."""
    return policies.denies_everybody(
        policy,
        "s3:*",
        policies.arns_in(target),
        lambda conditions: policies.is_test_of(conditions, _TESTS, "aws:securetransport", "false"),
    )


def denial(target: Target) -> Statement:
    """The statement that does."""
    return {
        "Sid": SID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": policies.arns_in(target),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


CONTROL = Control(
    id="s3-tls-only",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.MEDIUM,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND, WRITTEN: FOUND, WEBSITE: _PROPOSED, STACK: _PROPOSED},
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(On("s3.amazonaws.com", ("CreateBucket", "DeleteBucketPolicy", "PutBucketPolicy"), located),),
    reads=frozenset(
        {
            "s3:GetBucketLocation",
            "s3:GetBucketPolicy",
            "s3:GetBucketTagging",
            "s3:GetBucketWebsite",
            "s3:ListAllMyBuckets",
        }
    ),
    writes=frozenset({"s3:DeleteBucketPolicy", "s3:PutBucketPolicy"}),
    noun="bucket {id}",
    find=buckets,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    part=policies.part,
    mend=policies.mend,
    answers={"cis-7.0": ("3.1.1",), "ssb": ("WKLD.13",)},
)
