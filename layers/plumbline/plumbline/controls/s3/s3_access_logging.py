"""Who reads and writes in the buckets that you name, and in a trail's, stands in one log bucket.

Holds: S3 logs each access to the buckets in `buckets`, and to those that a trail delivers to, into `log_bucket`, whose
policy lets S3 write there, and which is not logged itself. Nothing is held until you name a log bucket; make it
yourself, private, encrypted with SSE-S3 and without a retention by Object Lock, for S3 delivers to no other.
Why: a trail as Plumbline makes it shows who changed a bucket, and not who read from it. Where records were read or
deleted, or data went out, the access log tells who did it, from where and when.
Repair: switches logging on into the log bucket, below the bucket's own name, and appends one statement (Sid
`AccessLogsByPlumbline`) to the log bucket's policy, of which every other statement stays letter for letter. At once
where an event announced it; what was so before is told, the log bucket is made ready the next day, and the others
follow after a week.
Undo: sets the logging that was, or none, and puts the earlier policy back.
Source: Amazon S3 user guide, Logging requests with server access logging; Enabling Amazon S3 server access logging,
"Permissions for log delivery".
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from plumbline.controls.detection._trails import buckets_of_trails
from plumbline.controls.s3 import _policies as policies
from plumbline.controls.s3._buckets import KIND, NAMED, arns, buckets, every_bucket, is_named, located, on, setting
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, FOUND_OPEN, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import State, Target
from plumbline.rights.documents import Statement, allows, listed, statements
from plumbline.wakes import cloudtrail

SID = "AccessLogsByPlumbline"
#: The clock of the log bucket: what lets S3 write into it stops nothing, and the others wait for it.
LOG_BUCKET = "log-bucket"
_SERVICE = "logging.s3.amazonaws.com"
_MAY_NOT, _ITSELF = "S3 may not write logs into it", "it is logged itself"
_NARROWING = ("aws:sourceaccount", "aws:sourcearn")


def observe(ask: Ask, target: Target) -> State:
    """Where the bucket's accesses are logged, whether a trail delivers to it, and its policy; None when it is gone."""
    answer = setting(ask, target, "GetBucketLogging")
    if answer is None:
        return None
    return {
        "bucket": target.id,
        "region": target.region,
        "account": target.account,
        "logging": answer.get("LoggingEnabled") or {},
        "trail": target.id in buckets_of_trails(ask),
        **(policies.read(ask, target) or {"policy": None, "text": ""}),
    }


def detect(state: State, settings: Settings) -> Deviation | None:
    """A log bucket that is not ready, or a bucket that is not logged into it."""
    log = _log_bucket(state, settings)
    if state is None or not log:
        return None
    if state["bucket"] == log:
        facts = _of_log_bucket(state)
        return Deviation(f"does not serve as the log bucket: {facts[0]}", facts, LOG_BUCKET) if facts else None
    into = state["logging"].get("TargetBucket", "")
    if into == log or not (state["trail"] or is_named(state["bucket"], settings["buckets"])):
        return None
    if not into:
        return Deviation("has no access log", ("accesses are not logged",))
    return Deviation(f"has its access log in {into}", (f"accesses are logged into {into}",))


def describe(state: State) -> str:
    """Where accesses are logged, and whether logs of other buckets may come."""
    if state is None:
        return "the bucket does not exist"
    into = state["logging"].get("TargetBucket")
    logged = f"accesses are logged into {into}" if into else "accesses are not logged"
    return f"{logged}; S3 may write logs into it" if _lets_deliver(state) else logged


def plan(target: Target, state: State, settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """Make the log bucket ready, or let the bucket log into it."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    log = _log_bucket(state, settings)
    if state["bucket"] != log:
        into = {"TargetPrefix": f"{target.id}/", **state["logging"], "TargetBucket": log}
        return Plan(
            steps=(_logging(target, into, state["logging"]),),
            resources=arns(target),
            summary=f"lets S3 log the accesses to bucket {target.id} into {log}",
        )
    steps: list[Step] = []
    left: dict[str, str] = {}
    meant = [one for one in _of_log_bucket(state) if one in facts]
    if _ITSELF in meant:
        steps.append(_logging(target, {}, state["logging"]))
    if _MAY_NOT in meant:
        after = policies.with_statement(state["policy"], _delivery(target))
        if refusal := policies.too_long(after):
            left[_MAY_NOT] = refusal
        else:
            steps.append(policies.step(target, state["policy"], state["text"], after))
    dead = policies.dead_words(state["policy"]) if _MAY_NOT in meant else ()
    summary = "; ".join((f"makes bucket {target.id} ready for the access logs of others", *dead))
    return Plan.partly(steps, left, resources=arns(target), summary=summary)


def part(state: State, _plan: Plan) -> State:
    """Where accesses are logged, and the policy as AWS takes it."""
    return {"logging": (state or {}).get("logging"), **(policies.part(state, Plan()) or {})}


def excepted(_target: Target, settings: Settings) -> bool:
    """No bucket is held to anything while there is no log bucket; which ones trails deliver to, no setting says."""
    return not settings["log_bucket"]


def announced(_ask: Ask, detail: Event, state: State, settings: Settings) -> str:
    """That an event ended the log of a bucket, which goes on."""
    is_ours = state is not None and (state["trail"] or is_named(state["bucket"], settings["buckets"]))
    given = cloudtrail.section(detail.get("requestParameters")).get("BucketLoggingStatus")
    if not is_ours or detail.get("eventName") != "PutBucketLogging" or not isinstance(given, Mapping):
        return ""
    return "" if given.get("LoggingEnabled") else "had no access log for a while"


def _log_bucket(state: State, settings: Settings) -> str:
    """The log bucket for buckets of a region; empty where none is named."""
    named = str(settings["log_bucket"])
    return named.replace("{region}", state["region"]).replace("{account}", state["account"]) if state else named


def _of_log_bucket(state: Mapping[str, Any]) -> tuple[str, ...]:
    """What keeps a bucket from being the log bucket."""
    return (*(() if _lets_deliver(state) else (_MAY_NOT,)), *((_ITSELF,) if state["logging"] else ()))


def _lets_deliver(state: Mapping[str, Any]) -> bool:
    """Whether a statement lets S3 write the logs of this account into the whole bucket."""
    return any(
        one.get("Effect") == "Allow"
        and isinstance(one.get("Principal"), Mapping)
        and _SERVICE in listed(one["Principal"].get("Service"))
        and allows(one, "s3:PutObject")
        and policies.covers(one, f"arn:aws:s3:::{state['bucket']}/*")
        and all(_is_met_here(*test, state["account"]) for test in policies.tests(one))
        for one in statements(state["policy"] or {})
    )


def _is_met_here(_operator: str, key: str, values: list[str], account: str) -> bool:
    """Whether a condition lets this account's logs pass; one on the ARNs of buckets is taken for one that fits."""
    return key in _NARROWING and (key != "aws:sourceaccount" or account in values)


def _delivery(target: Target) -> Statement:
    return {
        "Sid": SID,
        "Effect": "Allow",
        "Principal": {"Service": _SERVICE},
        "Action": "s3:PutObject",
        "Resource": policies.arns_in(target)[1],
        "Condition": {"StringEquals": {"aws:SourceAccount": target.account}},
    }


def _logging(target: Target, after: Mapping[str, Any], before: Mapping[str, Any]) -> Step:
    def to(where: Mapping[str, Any]) -> Call:
        return on(target, "PutBucketLogging", BucketLoggingStatus={"LoggingEnabled": where} if where else {})

    return Step(do=to(after), undo=(to(before),))


CONTROL = Control(
    id="s3-access-logging",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.MEDIUM,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND, LOG_BUCKET: FOUND_OPEN},
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(
        On("s3.amazonaws.com", ("CreateBucket", "DeleteBucketPolicy", "PutBucketLogging", "PutBucketPolicy"), located),
        On("cloudtrail.amazonaws.com", ("CreateTrail", "DeleteTrail", "UpdateTrail"), every_bucket),
    ),
    reads=frozenset(
        {
            "cloudtrail:DescribeTrails",
            "s3:GetBucketLocation",
            "s3:GetBucketLogging",
            "s3:GetBucketPolicy",
            "s3:ListAllMyBuckets",
        }
    ),
    writes=frozenset({"s3:DeleteBucketPolicy", "s3:PutBucketLogging", "s3:PutBucketPolicy"}),
    noun="bucket {id}",
    find=buckets,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    part=part,
    mend=policies.mend,
    excepted=excepted,
    announces=announced,
    settings={
        "buckets": NAMED,
        "log_bucket": {
            "type": "string",
            "pattern": "^$|^([a-z0-9.-]|\\{region\\}|\\{account\\}){3,63}$",
            "patternErrorMessage": "Write the name of a bucket, such as acme-logs-{account}-{region}.",
            "default": "",
            "description": "The bucket that takes the logs; empty for none. S3 delivers within a region alone: write "
            "`{region}` for that of the logged bucket where there are several, and `{account}` for the account.",
        },
    },
    answers={"cis-7.0": ("4.4",)},
)
