"""No bucket is opened to everybody by its policy.

Holds: no statement of a bucket's policy is public by Amazon S3's own definition: it allows anybody, and no condition
narrows it to an account, an organisation, a VPC, a principal or a network that is not half the internet.
Why: one such statement lets strangers read, or even replace, what is in the bucket, without a password and often
without a trace. Most large leaks of cloud data began with a single line like this one.
Repair: takes the public statements out of the policy; every other statement, every Deny above all, stays as it is. A
policy with nothing left is deleted.
Undo: puts the earlier policy back, letter for letter.
Source: Amazon S3 user guide, Blocking public access, "The meaning of public".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container
from datetime import timedelta

from plumbline.controls.s3._buckets import ALLOWED, GONE, KIND, arns, buckets, excepted, exists, is_allowed, located, on
from plumbline.core.calls import Ask, Plan, Step
from plumbline.core.clock import Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import State, Target
from plumbline.rights.documents import Document, Statement, document, is_public, listed, statements

_NO_POLICY = ("NoSuchBucketPolicy", *GONE)


def observe(ask: Ask, target: Target) -> State:
    """The bucket's policy as data and as text; None when there is none, or no bucket."""
    answer = ask(on(target, "GetBucketPolicy", absent=_NO_POLICY))
    return answer and {"bucket": target.id, "policy": document(answer["Policy"]), "text": answer["Policy"]}


def detect(state: State, settings: Settings) -> Deviation | None:
    """A public statement in the policy of a bucket that is not public on purpose."""
    if state is None or is_allowed(state["bucket"], settings):
        return None
    public = [one for one in statements(state["policy"]) if is_public(one)]
    if not public:
        return None
    return Deviation(f"is public: its policy allows anyone {_actions(public[0])}", tuple(map(_fact, public)))


def describe(state: State) -> str:
    """How many statements there are, and what the public ones allow."""
    if state is None:
        return "the bucket has no policy"
    every = statements(state["policy"])
    public = [f"anyone is allowed {_actions(one)}" for one in every if is_public(one)]
    others = len(every) - len(public)
    rest = "1 statement that is not public" if others == 1 else f"{others} statements that are not public"
    return "; ".join((*public, rest))


def without_public(policy: Document, facts: Container[str] = EVERY) -> Document:
    """The policy with its public statements, or those of them that are meant, taken out, and nothing else changed."""
    kept = [one for one in statements(policy) if not is_public(one) or _fact(one) not in facts]
    return {**policy, "Statement": kept}


def plan(target: Target, state: State, _settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """Put the policy back without its public statements; delete it when none is left."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    left = without_public(state["policy"], facts)
    which = "the new" if any(map(is_public, left["Statement"])) else "the"
    if left["Statement"]:
        do = on(target, "PutBucketPolicy", Policy=json.dumps(left))
    else:
        do = on(target, "DeleteBucketPolicy", absent=_NO_POLICY)
    return Plan(
        steps=(Step(do=do, undo=(on(target, "PutBucketPolicy", Policy=state["text"]),)),),
        resources=arns(target),
        summary=f"takes {which} public statements out of the policy of bucket {target.id}",
    )


def _fact(statement: Statement) -> str:
    """A statement by its Sid and a mark of what it says: one that says something else is another, whatever its Sid."""
    says = json.dumps(statement, sort_keys=True, default=str)
    return f"{statement.get('Sid') or 'statement'} {hashlib.sha256(says.encode()).hexdigest()[:8]}"


def _actions(statement: Statement) -> str:
    if "NotAction" in statement:
        return "nearly everything"
    first, *more = listed(statement.get("Action")) or ["nothing"]
    return f"{first}{f' and {len(more)} more' if more else ''}"


CONTROL = Control(
    id="s3-public-policy",
    doc=__doc__ or "",
    since="0.1",
    severity=Severity.HIGH,
    response=Response.ENFORCE,
    # A site may be served from it: a week to say so, told four times.
    clocks={
        "default": Clock(
            remind=(timedelta(days=1), timedelta(days=3), timedelta(days=6)),
            escalate=timedelta(days=7),
            act=timedelta(days=7),
        )
    },
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(On("s3.amazonaws.com", ("PutBucketPolicy",), located),),
    reads=frozenset({"s3:GetBucketLocation", "s3:GetBucketPolicy", "s3:ListAllMyBuckets"}),
    writes=frozenset({"s3:DeleteBucketPolicy", "s3:PutBucketPolicy"}),
    noun="bucket {id}",
    find=buckets,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    excepted=excepted,
    exists=exists,
    settings={"allowed_buckets": ALLOWED},
    answers={"cis-7.0": ("2.21", "5.8"), "moj": ("world-storage", "world-storage-7d"), "ssb": ("ACCT.08", "WKLD.02")},
)
