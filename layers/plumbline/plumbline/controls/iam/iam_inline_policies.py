"""No user, group or role carries an inline policy.

Holds: rights stand in managed policies, which can be listed, versioned, compared and reused. Roles that IAM Identity
Center keeps are left out, and so is an inline policy that makes an administrator: iam-admin-grants judges those.
Why: an inline policy hides inside one user, group or role. No list of policies shows it, no earlier version of it is
kept, and it is gone with its owner. It is where rights that nobody agreed to survive a review.
Repair: makes a customer managed policy with the same document under the path /plumbline/, attaches it, and then deletes
the inline one, so that no right is missing for a moment. A policy too long for a managed one, or an owner that already
holds ten (AWS's default quota, even where yours was raised), is left to a person. A reviewed one-to-one link is listed
in `keep_inline`.
Undo: puts the inline policy back, detaches the managed one and deletes it.
Source: AWS IAM user guide, choosing between managed and inline policies; IAM quotas.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterator, Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from plumbline.controls.iam._principals import (
    EVERYTHING,
    GONE,
    MOST_ATTACHED,
    OWN_PATH,
    PRINCIPAL_READS,
    PRINCIPAL_WRITES,
    PRINCIPALS,
    RESERVED,
    by_name,
    default_document,
    locate_principal,
    named,
    partition,
    principal,
    principals,
)
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.clock import AT_ONCE, Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import State, Target
from plumbline.rights.documents import Document, admin_reason, document

#: Characters of a managed policy, white space not counted. Source: IAM quotas.
LONGEST = 6144
_LONGEST_NAME = 128


def survey(ask: Ask) -> Mapping[Target, State]:
    """Every principal's inline policies, from one bulk read."""
    own = {one["Arn"]: default_document(one) for one in ask(EVERYTHING)["Policies"]}
    return {target: _state(ask, found, own) for target, found in principals(ask).items()}


def observe(ask: Ask, target: Target) -> State:
    """One principal's inline policies, and what already stands under the names they would get."""
    found = principal(ask, target)
    if found is None:
        return None
    own: dict[str, Document] = {}
    for arn in _becomes(ask, found).values():
        policy = ask(Call("iam", "GetPolicy", {"PolicyArn": arn}, absent=GONE))
        if policy:
            version = {"PolicyArn": arn, "VersionId": policy["Policy"]["DefaultVersionId"]}
            own[arn] = document(ask(Call("iam", "GetPolicyVersion", version))["PolicyVersion"]["Document"])
    return _state(ask, found, own)


def detect(state: State, settings: Settings) -> Deviation | None:
    """An inline policy that no reviewed exception covers."""
    if state is None or not state["becomes"]:
        return None
    if any(fnmatchcase(f"{state['kind']}/{state['name']}", kept) for kept in settings["keep_inline"]):
        return None
    names = tuple(state["becomes"])
    many = f"{len(names)} inline policies" if len(names) > 1 else "an inline policy"
    return Deviation(f"has {many}", names, clock="role" if state["kind"] == "role" else "default")


def describe(state: State) -> str:
    """The names of the inline policies."""
    if state is None:
        return "it does not exist"
    return (
        f"inline policies: {', '.join(state['inline']) or 'none'}; managed policies attached: {len(state['attached'])}"
    )


def plan(target: Target, state: State, _settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """The same document as a managed policy, attached before the inline one goes."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    becomes = {name: arn for name, arn in state["becomes"].items() if name in facts}
    refusal = _refusal(state, becomes)
    if refusal:
        return Plan(refusal=refusal)
    names = ", ".join(becomes)
    return Plan(
        steps=tuple(step for name, arn in becomes.items() for step in _steps(target, state, name, arn)),
        resources=(
            *by_name(target.account, state["kind"], target.id),
            f"arn:*:iam::{target.account}:policy{OWN_PATH}*",
        ),
        summary=f"makes managed policies of the same content out of inline {names}",
    )


def _steps(target: Target, state: Mapping[str, Any], name: str, arn: str) -> Iterator[Step]:
    spelled, owner = PRINCIPALS[target.kind], named(target)
    text = _text(state["inline"][name])
    managed, inline = {"PolicyArn": arn}, {**owner, "PolicyName": name}
    if arn not in state["standing"]:
        create = {
            "PolicyName": arn.rpartition("/")[2],
            "Path": OWN_PATH,
            "PolicyDocument": text,
            "Description": f"Inline policy {name} of {state['kind']} {target.id}, made a managed one by Plumbline",
        }
        yield Step(
            do=Call("iam", "CreatePolicy", create, absent=("EntityAlreadyExists",)),
            undo=(Call("iam", "DeletePolicy", managed, absent=(*GONE, "DeleteConflict")),),
        )
    if arn not in state["attached"]:
        yield Step(
            do=Call("iam", f"Attach{spelled}Policy", {**owner, **managed}),
            undo=(Call("iam", f"Detach{spelled}Policy", {**owner, **managed}, absent=GONE),),
        )
    yield Step(
        do=Call("iam", f"Delete{spelled}Policy", inline, absent=GONE),
        undo=(Call("iam", f"Put{spelled}Policy", {**inline, "PolicyDocument": text}, absent=GONE),),
    )


def _refusal(state: Mapping[str, Any], becomes: Mapping[str, str]) -> str:
    long = [name for name in becomes if len(_text(state["inline"][name])) > LONGEST]
    if long:
        return f"{', '.join(long)} has more than the {LONGEST:,} characters a managed policy may have; split it"
    taken = [
        arn
        for name, arn in becomes.items()
        if state["standing"].get(arn, state["inline"][name]) != state["inline"][name]
    ]
    if taken:
        return f"{', '.join(taken)} exists and says something else; look at who made it"
    if len(state["attached"]) + len(set(becomes.values()) - set(state["attached"])) > MOST_ATTACHED:
        return f"it would hold more than {MOST_ATTACHED} managed policies, AWS's default quota; merge some first"
    return ""


def _state(ask: Ask, found: Mapping[str, Any], own: Mapping[str, Document]) -> State:
    becomes = _becomes(ask, found)
    return {**found, "becomes": becomes, "standing": {arn: own[arn] for arn in becomes.values() if arn in own}}


def _becomes(ask: Ask, found: Mapping[str, Any]) -> dict[str, str]:
    """Inline policy -> ARN of the managed policy it becomes.

    The name holds a hash of the document, so what stands there after a crash half-way is the same policy.
    """
    if found["name"].startswith(RESERVED):
        return {}
    becomes = {}
    for name, policy in found["inline"].items():
        if not admin_reason(policy):
            whole = json.dumps([found["kind"], found["name"], name, policy], sort_keys=True)
            tail = "-" + hashlib.sha256(whole.encode()).hexdigest()[:12]
            short = found["name"].rpartition("/")[2]
            head = f"{found['kind']}-{short}-{name}"[: _LONGEST_NAME - len(tail)]
            becomes[name] = f"arn:{partition(ask)}:iam::{ask.account}:policy{OWN_PATH}{head}{tail}"
    return becomes


def _text(policy: Document) -> str:
    return json.dumps(policy, separators=(",", ":"))


CONTROL = Control(
    id="iam-inline-policies",
    doc=__doc__ or "",
    since="0.1",
    severity=Severity.MEDIUM,
    response=Response.ENFORCE,
    clocks={
        "default": AT_ONCE,
        "role": Clock(remind=(timedelta(days=1), timedelta(days=3), timedelta(days=6)), act=timedelta(days=7)),
    },
    scope=Scope.GLOBAL,
    kinds=tuple(PRINCIPALS),
    wakes_on=(
        On(
            "iam.amazonaws.com",
            # Names decide what `keep_inline` covers.
            ("PutUserPolicy", "PutGroupPolicy", "PutRolePolicy", "UpdateGroup", "UpdateUser"),
            locate_principal,
        ),
    ),
    reads=PRINCIPAL_READS,
    writes=PRINCIPAL_WRITES | {"iam:CreatePolicy", "iam:DeletePolicy"},
    noun="{kind} {id}",
    survey=survey,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    settings={
        "keep_inline": {
            "type": "array",
            "items": {
                "type": "string",
                "pattern": "^(user|group|role)/.+$",
                "patternErrorMessage": "Write user/NAME, group/NAME or role/NAME.",
            },
            "default": [],
            "description": "Reviewed one-to-one links: `role/deploy` or `user/ci-*` may keep their inline policies. "
            "A role is written with its path.",
        },
    },
    answers={"cis-7.0": ("2.13", "5.4"), "ssb": ("ACCT.04",)},
)
