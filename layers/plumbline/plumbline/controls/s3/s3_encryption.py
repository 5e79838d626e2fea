"""New objects are encrypted with the kind of key that you want.

Holds: what a bucket encrypts new objects with is of the kinds in `algorithms`, with the key in `kms_key` where KMS does
it and you name one, and with a bucket key where you ask for `bucket_key`; the kinds in `blocked` are refused. Amazon S3
itself has encrypted every new object since January 2023, so by default each kind will do, and no bucket deviates until
you say more. Objects that are there already stay as they are.
Why: under a key of your own in KMS, who may read an object is asked a second time, and each use leaves a record. A key
that the caller brings with each request (SSE-C) leaves none: who holds your objects for ransom encrypts with his own.
Repair: one write that sets what is wrong and keeps the rest. Where nobody chose anything but what AWS gives each new
bucket, and an event announced it, at once; what somebody chose, or was so before, is told and escalated after a week,
for whoever reads and writes the bucket may hold no right to the other key.
Undo: puts back what the bucket encrypted with before. Objects written since stay under the key they were written with.
Source: Amazon S3 user guide, Setting default server-side encryption behavior for Amazon S3 buckets; Blocking or
unblocking SSE-C for a general purpose bucket; Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import timedelta
from typing import Any

from plumbline.controls._switch import fact
from plumbline.controls.s3._buckets import KIND, arns, buckets, located, on, setting
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND_BY_SWEEP, Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import State, Target
from plumbline.rights.documents import listed
from plumbline.wakes import cloudtrail

#: The clock of what somebody chose, and who knows why.
CHOSEN = "chosen"
_TOLD = Clock(escalate=timedelta(days=7))
_OURS = "AES256"
_KINDS = ("AES256", "aws:kms", "aws:kms:dsse")
_KMS = ("aws:kms", "aws:kms:dsse")
_BY_DEFAULT = "ApplyServerSideEncryptionByDefault"
#: What a bucket has of which nothing was ever set.
_OF_AWS: Mapping[str, Any] = {_BY_DEFAULT: {"SSEAlgorithm": _OURS}}
_UNBLOCKED = "NONE"

Rule = Mapping[str, Any]


def observe(ask: Ask, target: Target) -> State:
    """What the bucket encrypts with; None when it is gone, or not this account's."""
    answer = setting(ask, target, "GetBucketEncryption", "ServerSideEncryptionConfigurationNotFoundError")
    if answer is None:
        return None
    rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules") or [_OF_AWS]
    return {"bucket": target.id, "region": target.region, "account": target.account, "rule": rules[0]}


def detect(state: State, settings: Settings) -> Deviation | None:
    """What of a bucket's encryption is not as the baseline wants it."""
    wrong = _wrong(state, settings) if state else {}
    if state is None or not wrong:
        return None
    is_aws_own = _algorithm(state["rule"]) == _OURS and _UNBLOCKED not in _blocked(state["rule"])
    return Deviation("encrypts otherwise than you want", tuple(wrong), "default" if is_aws_own else CHOSEN)


def describe(state: State) -> str:
    """The kind of key, the key, and what is refused."""
    if state is None:
        return "the bucket does not exist"
    rule = state["rule"]
    return ", ".join(
        (
            f"encrypts with {_algorithm(rule)}",
            *([f"key {_key(rule) or 'of AWS'}"] if _algorithm(rule) in _KMS else ()),
            *(["bucket key"] if rule.get("BucketKeyEnabled") else ()),
            *(f"refuses {one}" for one in _blocked(rule) if one != _UNBLOCKED),
        )
    )


def plan(target: Target, state: State, settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """One write of the whole rule: a call takes away what it leaves out."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    rule: Rule = state["rule"]
    wanted = rule
    for one, part in _wrong(state, settings).items():
        if one in facts:
            wanted = {**wanted, **part}

    def to(what: Rule) -> Call:
        return on(target, "PutBucketEncryption", ServerSideEncryptionConfiguration={"Rules": [what]})

    return Plan(
        steps=(Step(do=to(wanted), undo=(to(rule),)),),
        resources=arns(target),
        summary=f"lets bucket {target.id} encrypt new objects as the baseline wants",
    )


def announced(_ask: Ask, detail: Event, _state: State, settings: Settings) -> str:
    """That an event let a bucket encrypt otherwise, which it does no more."""
    given = cloudtrail.section(detail.get("requestParameters")).get("ServerSideEncryptionConfiguration")
    rules = listed(cloudtrail.section(given).get("Rule"))
    kind = cloudtrail.section(cloudtrail.section(rules[0] if rules else None).get(_BY_DEFAULT)).get("SSEAlgorithm")
    if not isinstance(kind, str) or kind not in _KINDS or kind in settings["algorithms"]:
        return ""
    return f"encrypted new objects with {kind} for a while"


def _wrong(state: Mapping[str, Any], settings: Settings) -> Mapping[str, Rule]:
    """Each fact that is wrong, with the part of a rule that puts it right."""
    rule, found = state["rule"], {}
    kinds = settings["algorithms"]
    key = settings["kms_key"].replace("{region}", state["region"]).replace("{account}", state["account"])
    kind = _algorithm(rule) if _algorithm(rule) in kinds else kinds[0]
    by_default = {"SSEAlgorithm": kind, **({"KMSMasterKeyID": key} if key and kind in _KMS else {})}
    if kind != _algorithm(rule):
        part = {_BY_DEFAULT: by_default, "BucketKeyEnabled": settings["bucket_key"] and kind == "aws:kms"}
        found[fact("SSEAlgorithm", _algorithm(rule))] = part
    elif kind in _KMS and key and _key(rule) != key:
        found[fact("KMSMasterKeyID", _key(rule) or None)] = {_BY_DEFAULT: by_default}
    if kind == _algorithm(rule) == "aws:kms" and settings["bucket_key"] and not rule.get("BucketKeyEnabled"):
        found[fact("BucketKeyEnabled", value=False)] = {"BucketKeyEnabled": True}
    if missing := [one for one in settings["blocked"] if one not in _blocked(rule)]:
        also = [one for one in _blocked(rule) if one != _UNBLOCKED]
        found[f"{', '.join(missing)} is not blocked"] = {
            "BlockedEncryptionTypes": {"EncryptionType": [*also, *missing]}
        }
    return found


def _algorithm(rule: Rule) -> str:
    return str(rule.get(_BY_DEFAULT, {}).get("SSEAlgorithm", _OURS))


def _key(rule: Rule) -> str:
    return str(rule.get(_BY_DEFAULT, {}).get("KMSMasterKeyID", ""))


def _blocked(rule: Rule) -> list[str]:
    return [*rule.get("BlockedEncryptionTypes", {}).get("EncryptionType", ())]


CONTROL = Control(
    id="s3-encryption",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.MEDIUM,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: _TOLD, CHOSEN: _TOLD},
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(On("s3.amazonaws.com", ("CreateBucket", "DeleteBucketEncryption", "PutBucketEncryption"), located),),
    reads=frozenset({"s3:GetBucketLocation", "s3:GetEncryptionConfiguration", "s3:ListAllMyBuckets"}),
    writes=frozenset({"s3:PutEncryptionConfiguration"}),
    noun="bucket {id}",
    find=buckets,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    announces=announced,
    settings={
        "algorithms": {
            "type": "array",
            "items": {"enum": list(_KINDS)},
            "minItems": 1,
            "uniqueItems": True,
            "default": list(_KINDS),
            "description": "Kinds of encryption that will do, as AWS calls them; a repair sets the first.",
        },
        "kms_key": {
            "type": "string",
            "pattern": "^$|^arn:[\\w-]+:kms:([a-z0-9-]+|\\{region\\}):(\\d{12}|\\{account\\}):(key|alias)/[\\w/-]+$",
            "patternErrorMessage": "Write the ARN of a key or of an alias, such as "
            "arn:aws:kms:{region}:{account}:alias/data.",
            "default": "",
            "description": "The key of buckets that KMS encrypts; empty for any. A bucket takes one of its own region: "
            "`{region}` stands for that, `{account}` for the account.",
        },
        "bucket_key": {
            "type": "boolean",
            "default": False,
            "description": "Whether buckets that KMS encrypts use a bucket key, which saves calls to KMS.",
        },
        "blocked": {
            "type": "array",
            "items": {"enum": ["SSE-C"]},
            "uniqueItems": True,
            "default": [],
            "description": "Kinds of encryption that buckets refuse. SSE-C takes a key that the caller brings: block "
            "it where nobody uses it.",
        },
    },
    answers={"moj": ("encryption", "encryption-s3-7d")},
)
