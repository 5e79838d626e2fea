"""Editing a bucket's policy: one statement put in or taken out, all others letter for letter. Pure, but for `read`.

Several controls write into one policy. Each reads it afresh and writes the whole back, for S3 knows no other way; each
knows its own statement by its Sid, and none touches another's. An undo puts back the text that was, and is refused once
anybody has written to the policy since.

Source: Amazon S3 user guide, Policies and permissions in Amazon S3, "bucket policies are limited to 20 KB in size"; IAM
user guide, AWS JSON policy elements: Principal.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from plumbline.controls.s3._buckets import GONE, on, seen
from plumbline.core.calls import Ask, Call, Mended, Plan, Step
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import State, Target
from plumbline.rights import public
from plumbline.rights.documents import Document, Statement, document, listed, matches, matches_exactly, statements

NO_POLICY = ("NoSuchBucketPolicy", *GONE)
#: Bytes.
LONGEST = 20 * 1024
#: How the names of regions begin outside AWS's first partition. Source: the SDK's list of partitions.
_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "eusc-": "aws-eusc",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
}
_EMPTY: Document = {"Version": "2012-10-17", "Statement": []}

Test = Callable[[Mapping[str, Any]], bool]


def read(ask: Ask, target: Target) -> Mapping[str, Any] | None:
    """A bucket's policy as data and as text; None where there is none, or no bucket of this account."""
    answer = seen(ask, on(target, "GetBucketPolicy", absent=NO_POLICY))
    return answer and {"policy": document(answer["Policy"]), "text": answer["Policy"]}


def arns_in(target: Target) -> list[str]:
    """The bucket and all that is in it, as a policy names them."""
    partition = next((one for begin, one in _PARTITIONS.items() if target.region.startswith(begin)), "aws")
    return [f"arn:{partition}:s3:::{target.id}", f"arn:{partition}:s3:::{target.id}/*"]


def with_statement(policy: Document | None, statement: Statement) -> Document:
    """A policy in which the statement stands once, the last of all where its Sid is new."""
    every = statements(policy or _EMPTY)
    if any(one.get("Sid") == statement["Sid"] for one in every):
        every = [statement if one.get("Sid") == statement["Sid"] else one for one in every]
    else:
        every = [*every, statement]
    return {**(policy or _EMPTY), "Statement": every}


def step(target: Target, policy: Document | None, text: str, after: Document, fact: str = "") -> Step:
    """The write of a policy, and the one that puts back what was; both without users and roles that were deleted.

    Args:
        target: the bucket.
        policy: what it has; None for none.
        text: the same as AWS gave it.
        after: what it shall have; deleted where no statement is left.
        fact: see `Step`.
    """
    dead = public.deleted(policy or _EMPTY)
    before = json.dumps(public.without(policy or _EMPTY, dead)) if dead else text
    undo = on(target, "PutBucketPolicy", Policy=before) if policy else _none(target.id, target.region)
    return Step(do=_write(target, public.without(after, dead)), undo=(undo,), fact=fact)


def too_long(after: Document) -> str:
    """Why S3 would not take a policy; empty where it takes it."""
    size = len(json.dumps(after).encode())
    if size <= LONGEST:
        return ""
    return f"its policy would have {size} bytes, and S3 takes {LONGEST}; make room in it, and the next sweep repairs it"


def dead_words(policy: Document | None) -> Iterator[str]:
    """What a repair says of users and roles that the policy names and that were deleted."""
    if dead := public.deleted(policy or _EMPTY):
        yield f"{', '.join(dead)} stand for deleted users or roles, and AWS takes no policy that names them"


def denies_everybody(policy: Document, action: str, resources: Iterable[str], when: Test) -> bool:
    """Whether a policy denies an action to everybody, on each of some resources.

    Args:
        policy: a bucket's.
        action: the action; `s3:*` for every one.
        resources: ARNs.
        when: what says of the conditions of a denial that nobody is spared whom it should reach.
    """
    denying = [
        one
        for one in statements(policy)
        if one.get("Effect") == "Deny" and _is_for_everybody(one) and _is_about(one, action) and when(_conditions(one))
    ]
    return all(any(_covers(one, resource) for one in denying) for resource in resources)


def is_test_of(conditions: Mapping[str, Any], operators: Sequence[str], key: str, value: str) -> bool:
    """Whether nothing is asked but whether a key has a value; or nothing at all.

    Args:
        conditions: those of a statement.
        operators: which will do, in lower case.
        key: the condition key, in lower case.
        value: in lower case.
    """
    asked = [
        (str(operator).lower(), str(name).lower(), [str(one).lower() for one in listed(values)])
        for operator, tests in conditions.items()
        for name, values in (tests or {}).items()
    ]
    return not asked or (len(asked) == 1 and asked[0][0] in operators and asked[0][1:] == (key, [value]))


def part(state: State, _plan: Plan) -> State:
    """The policy as AWS takes it: without users and roles that were deleted, however it is laid out."""
    policy = (state or {}).get("policy") or {}
    return {"policy": public.without(policy, public.deleted(policy))}


def mend(call: Call, refusal: AwsRefusal) -> Sequence[Mended]:
    """The policy without the principal that AWS does not know; without one or another where it does not say which."""
    if refusal.code != "MalformedPolicy" or "principal" not in str(refusal) or call.operation != "PutBucketPolicy":
        return ()
    known = public.principals(document(call.parameters["Policy"]))
    named = [one for one in known if f'"{one}"' in refusal.about or one == refusal.about]
    return [_without(call, one) for one in named[:1] or (() if refusal.about else known)]


def _without(call: Call, principal: str) -> Mended:
    less = public.without(document(call.parameters["Policy"]), (principal,))
    write = replace(call, parameters={**call.parameters, "Policy": json.dumps(less)})
    if not less["Statement"]:
        write = _none(call.parameters["Bucket"], call.region)
    return Mended(write, f"{principal} does not exist any more, and AWS takes no policy that names it")


def _write(target: Target, policy: Document) -> Call:
    if policy["Statement"]:
        return on(target, "PutBucketPolicy", Policy=json.dumps(policy))
    return _none(target.id, target.region)


def _none(bucket: str, region: str) -> Call:
    return Call("s3", "DeleteBucketPolicy", {"Bucket": bucket}, region, NO_POLICY)


def _conditions(statement: Statement) -> Mapping[str, Any]:
    return statement.get("Condition") or {}


def _is_for_everybody(statement: Statement) -> bool:
    principal = statement.get("Principal")
    return "*" in listed(principal.get("AWS") if isinstance(principal, Mapping) else principal)


def _is_about(statement: Statement, action: str) -> bool:
    return any(matches(str(one), action) for one in listed(statement.get("Action")))


def _covers(statement: Statement, resource: str) -> bool:
    """Whether a statement is about a resource, whatever partition it names."""
    plain = resource.rpartition(":::")[2]
    return any(matches_exactly(str(one).rpartition(":::")[2], plain) for one in listed(statement.get("Resource")))
