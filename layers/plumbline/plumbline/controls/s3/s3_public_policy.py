"""No bucket is opened to everybody by its policy.

Holds: no statement of a bucket's policy is public by Amazon S3's own definition: it allows anybody, whoever signs in at
Facebook or another identity provider that is open to all among them, and no condition fixes who that is: an account, an
organisation, a VPC, a principal or a network that is not half the internet. What is public by that definition and lets
nobody in from outside all the same, such as a fixed `aws:VpceAccount`, is told once and never taken out. A public
statement counts whether or not an access block keeps it from working: the block may be gone tomorrow.
Why: one such statement lets strangers read, or even replace, what is in the bucket, without a password and often
without a trace. Most large leaks of cloud data began with a single line like this one.
Repair: takes the public out of the policy. What a public statement gives to those it names, by principal or by
condition, stays; so does every other statement, every Deny above all. A policy with nothing left is deleted. AWS takes
no policy that names a deleted user or role, so these are left out of what is written, and the e-mail says so.
Undo: puts the earlier policy back, letter for letter; without deleted users and roles, for AWS takes it no other way.
Source: Amazon S3 user guide, Blocking public access, "The meaning of public"; IAM user guide, AWS JSON policy elements,
Principal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Sequence
from datetime import timedelta
from functools import partial

from plumbline.controls.s3 import _policies as policies
from plumbline.controls.s3._buckets import (
    ALLOWED,
    KIND,
    arns,
    buckets,
    closed_to_all,
    excepted,
    is_allowed,
    located,
)
from plumbline.core.calls import Ask, Plan
from plumbline.core.cause import Event
from plumbline.core.clock import NEVER, Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import State, Target
from plumbline.rights import public
from plumbline.rights.documents import Document, Statement, document, listed, statements
from plumbline.rights.public import Verdict, is_public, verdict
from plumbline.wakes import cloudtrail

#: The clock of what is public in name only: told, and no more.
CLOSED = "closed-by-other-means"
_WHY_LEFT = (
    "such a statement lets nobody in from outside, so it stays; a fixed key of Amazon's list in it, such as "
    "aws:PrincipalOrgID, makes it no longer count as public"
)


def observe(ask: Ask, target: Target) -> State:
    """The bucket's policy as data and as text; None when there is none, or no bucket of this account."""
    held = policies.read(ask, target)
    return held and {"bucket": target.id, **held}


def detect(state: State, settings: Settings) -> Deviation | None:
    """A statement that is public, if only in name, in the policy of a bucket that is not public on purpose."""
    if state is None or is_allowed(state["bucket"], settings):
        return None
    open_to_all = [one for one in statements(state["policy"]) if is_public(one)]
    in_name = [one for one in statements(state["policy"]) if verdict(one) is Verdict.CLOSED]
    items = tuple(map(_fact, (*open_to_all, *in_name)))
    if open_to_all:
        return Deviation(f"is public: its policy allows anyone {_actions(open_to_all[0])}", items)
    if in_name:
        summary = "is public by Amazon's definition, though its policy lets nobody in from outside"
        return Deviation(summary, items, CLOSED)
    return None


def announced(_ask: Ask, detail: Event, _state: State, _settings: Settings) -> str:
    """That an event gave a bucket a policy that lets everybody in."""
    try:
        policy = document(cloudtrail.section(detail.get("requestParameters")).get("bucketPolicy"))
        open_to_all = [one for one in statements(policy) if is_public(one)]
    except (ValueError, RecursionError, AttributeError, TypeError):
        return ""
    return f"was made public: its policy allowed anyone {_actions(open_to_all[0])}" if open_to_all else ""


def describe(state: State) -> str:
    """How many statements there are, and what the public ones allow."""
    if state is None:
        return "the bucket has no policy"
    every = statements(state["policy"])
    told = [f"anyone is allowed {_actions(one)}" for one in every if is_public(one)]
    told += [f"{_actions(one)} is public in name only" for one in every if verdict(one) is Verdict.CLOSED]
    others = len(every) - len(told)
    rest = "1 statement that is not public" if others == 1 else f"{others} statements that are not public"
    return "; ".join((*told, rest))


def without_public(policy: Document, facts: Container[str] = EVERY) -> Document:
    """The policy without the public in its statements, or in those of them that are meant, and nothing else changed."""
    return {**policy, "Statement": [left for one in statements(policy) for left in _kept(one, facts)]}


def plan(target: Target, state: State, _settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """Put the policy back without the public in it; delete it when nothing is left."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    policy = state["policy"]
    taken = [one for one in statements(policy) if is_public(one) and _fact(one) in facts]
    after = without_public(policy, facts)
    return Plan.partly(
        (policies.step(target, policy, state["text"], after),) if taken else (),
        {_fact(one): _WHY_LEFT for one in statements(after) if verdict(one) is Verdict.CLOSED},
        resources=arns(target),
        summary=_summary(target, policy, taken),
    )


def _kept(statement: Statement, facts: Container[str]) -> Sequence[Statement]:
    """What becomes of a statement."""
    return public.closed(statement) if is_public(statement) and _fact(statement) in facts else (statement,)


def _summary(target: Target, policy: Document, taken: Sequence[Statement]) -> str:
    which = "the new" if len(taken) < sum(map(is_public, statements(policy))) else "the"
    return "; ".join(
        (
            f"takes {which} public statements out of the policy of bucket {target.id}",
            *(
                f"what {one.get('Sid') or 'a statement without a Sid'} gives to those it names stays"
                for one in taken
                if public.closed(one)
            ),
            *policies.dead_words(policy),
        )
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
        ),
        CLOSED: NEVER,
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
    announces=announced,
    part=policies.part,
    mend=policies.mend,
    clashes=partial(closed_to_all, "s3-public-policy"),
    settings={"allowed_buckets": ALLOWED},
    answers={"cis-7.0": ("2.21", "5.8"), "moj": ("world-storage", "world-storage-7d"), "ssb": ("ACCT.08", "WKLD.02")},
)
