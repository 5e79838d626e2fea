"""No user, group or role carries an inline policy.

Holds: rights stand in managed policies, which can be listed, versioned, compared and reused. Roles are told of and left
to those who made them, unless `roles: convert` says otherwise: CloudFormation, CDK, SAM and Terraform keep a role's
inline policies as their own. Roles that IAM Identity Center keeps are left out, and so are AWS's own quarantine of a
compromised key, and an inline policy that makes an administrator: iam-admin-grants judges those.
Why: an inline policy hides inside one user, group or role. No list of policies shows it, no earlier version of it is
kept, and it is gone with its owner. It is where rights that nobody agreed to survive a review.
Repair: is proposed, and made with the rights of whoever approves it, because its text may give anything; with `mode:
enforce` it is made at once where the stack's parameter `InlinePolicies` is `enforce` too. A customer managed policy
with the same document under the path /plumbline/ is attached, and then the inline one deleted, so that no right is
missing for a moment. An earlier copy of the same inline policy is taken away with it, so that no wider one stays. A
policy too long for a managed one, or an owner that already holds ten (AWS's default quota, even where yours was
raised), is left to a person. Copies that nobody holds are removed after a day. A reviewed one-to-one link is listed in
`keep_inline`. Whoever deletes the owner has to detach the copy first: the e-mail has the command.
Undo: puts the inline policy back, with the rights of whoever undoes it, and makes again what was an earlier copy.
Source: AWS IAM user guide, choosing between managed and inline policies; IAM quotas.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping
from datetime import timedelta
from typing import Any

from plumbline.controls.iam._copies import description, earlier, is_copy, may_be_copy, name_of
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
    may_keep_inline,
    named,
    partition,
    principal,
    principals,
    spell_principal,
)
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.clock import AT_ONCE, NEVER, Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.names import fits
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.rights.administrators import admin_reason
from plumbline.rights.counted import is_of_aws, size
from plumbline.rights.documents import Document, document

#: Characters of a managed policy, white space not counted. Source: IAM quotas.
LONGEST = 6144
#: The kind of the place where copies lie, and what its one target is called.
PATH, OWN = "iam-path", OWN_PATH.strip("/")
COPIES = Call("iam", "ListPolicies", {"Scope": "Local", "PathPrefix": OWN_PATH})
_FIRST_VERSION = "v1"


def survey(ask: Ask) -> Mapping[Target, State]:
    """Every principal's inline policies, and the copies that nobody holds, from one bulk read."""
    policies = ask(EVERYTHING)["Policies"]
    own = {one["Arn"]: default_document(one) for one in policies}
    return {target: _state(ask, found, own) for target, found in principals(ask).items()} | {
        Target(ask.account, GLOBAL, PATH, OWN): _unheld(ask, [one for one in policies if one["Path"] == OWN_PATH])
    }


def observe(ask: Ask, target: Target) -> State:
    """One principal's inline policies, what stands under the names they would get, and their earlier copies."""
    if target.kind == PATH:
        return _unheld(ask, ask(COPIES)["Policies"]) if target.id == OWN else None
    found = principal(ask, target)
    if found is None:
        return None
    becomes = _becomes(ask, found)
    held = [arn for arn in found["attached"] if becomes and may_be_copy(arn)]
    own = {arn: said for arn in {*becomes.values(), *held} if (said := _document(ask, arn)) is not None}
    return _state(ask, found, own)


def spell(target: Target, state: State) -> Target:
    """The principal under AWS's own spelling."""
    return target if target.kind == PATH else spell_principal(target, state)


def detect(state: State, settings: Settings) -> Deviation | None:
    """An inline policy that no reviewed exception covers; copies that nobody holds."""
    if state is None:
        return None
    if state["kind"] == "path":
        unheld = tuple(state["copies"])
        many = "copies of inline policies" if len(unheld) > 1 else "a copy of an inline policy"
        return Deviation(f"has {many} that nobody holds any more", unheld, clock="unheld") if unheld else None
    names = tuple(state["becomes"])
    if not names or fits(f"{state['kind']}/{state['name']}", settings["keep_inline"]):
        return None
    clock = ("role" if settings["roles"] == "convert" else "told") if state["kind"] == "role" else "default"
    return Deviation(f"has {f'{len(names)} inline policies' if len(names) > 1 else 'an inline policy'}", names, clock)


def describe(state: State) -> str:
    """The names of the inline policies, or of the copies."""
    if state is None:
        return "it does not exist"
    if state["kind"] == "path":
        return f"copies that nobody holds: {', '.join(map(_short, state['copies'])) or 'none'}"
    return (
        f"inline policies: {', '.join(state['inline']) or 'none'}; managed policies attached: {len(state['attached'])}"
    )


def plan(target: Target, state: State, settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """The same document as a managed policy, attached before the inline one goes."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    if state["kind"] == "path":
        return _removal(target, state, facts)
    becomes = {name: arn for name, arn in state["becomes"].items() if name in facts}
    if state["kind"] == "role" and settings["roles"] == "tell":
        return Plan(refusal=_TOLD)
    left = _left(state, becomes)
    mine = {name: arn for name, arn in becomes.items() if name not in left}
    whose = f"{state['kind']} {target.id}"
    return Plan.partly(
        tuple(step for name, arn in mine.items() for step in _steps(target, state, name, arn)),
        left,
        resources=(
            *by_name(target.account, state["kind"], target.id),
            f"arn:*:iam::{target.account}:policy{OWN_PATH}*",
        ),
        summary=f"makes managed policies of the same content out of inline {', '.join(mine)}",
        means=_MEANS[state["kind"]].format(whose=whose),
        later=[
            f"aws iam detach-{state['kind']}-policy --{state['kind']}-name {target.id} --policy-arn {arn}"
            for arn in mine.values()
        ],
    )


_TOLD = (
    "a role's inline policies belong to whoever made the role, as a rule a template, which would fail or put them "
    "back; move them there, keep them with keep_inline, or have roles converted with `roles: convert`"
)
_DELETED = "Before {whose} is deleted, the copy has to be detached, or AWS answers DeleteConflict"
_MEANS = {
    "user": "The user has the same rights as before, now attached to the user directly; a group is the better place. "
    f"{_DELETED}.",
    "group": f"The group gives the same rights as before. {_DELETED}.",
    "role": f"The role has the same rights as before. {_DELETED}: a stack that made it cannot be deleted until then.",
}


def part(state: State, repair: Plan) -> State:
    """The inline policies and copies that a repair is about; what else the owner has comes and goes."""
    if state is None:
        return None
    said = [call.parameters for call in repair.do]
    arns = {one["PolicyArn"] for one in said if "PolicyArn" in one}
    if state["kind"] == "path":
        return {"copies": {arn: copy for arn, copy in state["copies"].items() if arn in arns}}
    names = {one["PolicyName"] for one in said if "PolicyName" in one}
    return {
        "inline": {name: text for name, text in state["inline"].items() if name in names},
        "attached": [arn for arn in state["attached"] if arn in arns],
    }


def _steps(target: Target, state: Mapping[str, Any], name: str, arn: str) -> Iterator[Step]:
    spelled, owner = PRINCIPALS[target.kind], named(target)
    text, said = _text(state["inline"][name]), description(state["kind"], target.id, name)
    managed, inline = {"PolicyArn": arn}, {**owner, "PolicyName": name}
    superseded = {old: _text(text) for old, (of, text) in state["earlier"].items() if of == name}

    def attach(which: str) -> Call:
        return Call("iam", f"Attach{spelled}Policy", {**owner, "PolicyArn": which})

    def detach(which: str) -> Call:
        return Call("iam", f"Detach{spelled}Policy", {**owner, "PolicyArn": which}, absent=GONE)

    if arn not in state["standing"]:
        yield Step(
            do=_created(arn, text, said),
            undo=(Call("iam", "DeletePolicy", managed, absent=(*GONE, "DeleteConflict")),),
            fact=name,
        )
    for old in superseded:  # first, for ten is the most: what it gives, and the inline one does not, is to go
        yield Step(do=detach(old), undo=(attach(old),), fact=name)
    if arn not in state["attached"]:
        yield Step(do=attach(arn), undo=(detach(arn),), fact=name)
    yield Step(
        do=Call("iam", f"Delete{spelled}Policy", inline, absent=GONE),
        undo=(Call("iam", f"Put{spelled}Policy", {**inline, "PolicyDocument": text}, absent=GONE),),
        fact=name,
    )
    for old, once in superseded.items():
        yield _removed(old, once, said, fact=name)


def _removal(target: Target, state: Mapping[str, Any], facts: Container[str]) -> Plan:
    copies = {arn: copy for arn, copy in state["copies"].items() if arn in facts}
    return Plan(
        steps=tuple(
            _removed(arn, _text(copy["document"]), copy["description"], fact=arn) for arn, copy in copies.items()
        ),
        resources=(f"arn:*:iam::{target.account}:policy{OWN_PATH}*",),
        summary=f"deletes {', '.join(map(_short, copies))}",
    )


def _created(arn: str, text: str, said: str) -> Call:
    copy = {"PolicyName": _short(arn), "Path": OWN_PATH, "PolicyDocument": text, "Description": said}
    return Call("iam", "CreatePolicy", copy, absent=("EntityAlreadyExists",))


def _removed(arn: str, text: str, said: str, *, fact: str) -> Step:
    """A copy deleted, unless somebody else holds it."""
    delete = Call("iam", "DeletePolicy", {"PolicyArn": arn}, absent=(*GONE, "DeleteConflict"))
    return Step(do=delete, undo=(_created(arn, text, said),), fact=fact)


def _left(state: Mapping[str, Any], becomes: Mapping[str, str]) -> dict[str, str]:
    """The inline policies that cannot be converted, and why."""
    left: dict[str, str] = {}
    held = set(state["attached"])
    for name, arn in becomes.items():
        superseded = {old for old, (of, _) in state["earlier"].items() if of == name}
        if size(state["inline"][name]) > LONGEST:
            left[name] = f"it has more than the {LONGEST:,} characters a managed policy may have; split it"
        elif state["standing"].get(arn, state["inline"][name]) != state["inline"][name]:
            left[name] = f"{arn} exists and says something else; look at who made it"
        elif len((held - superseded) | {arn}) > max(MOST_ATTACHED, len(held)):
            left[name] = (
                f"it would hold more than {MOST_ATTACHED} managed policies, AWS's default quota; merge some first"
            )
        else:
            held = (held - superseded) | {arn}
    return left


def _state(ask: Ask, found: Mapping[str, Any], own: Mapping[str, Document]) -> State:
    becomes = _becomes(ask, found)
    held = {arn: own[arn] for arn in found["attached"] if arn in own and arn not in becomes.values()}
    return {
        **{key: found[key] for key in ("kind", "name", "inline", "attached")},
        "becomes": becomes,
        "standing": {arn: own[arn] for arn in becomes.values() if arn in own},
        "earlier": {arn: [of, own[arn]] for arn, of in sorted(earlier(found, becomes, held).items())},
    }


def _becomes(ask: Ask, found: Mapping[str, Any]) -> dict[str, str]:
    """Inline policy -> ARN of the managed policy it becomes."""
    below = f"arn:{partition(ask)}:iam::{ask.account}:policy{OWN_PATH}"
    return {
        name: below + name_of(found["kind"], found["name"], name, policy)
        for name, policy in found["inline"].items()
        if not (found["name"].startswith(RESERVED) or admin_reason(policy) or is_of_aws(name, policy))
    }


def _unheld(ask: Ask, policies: list[Mapping[str, Any]]) -> State:
    """The copies that nobody holds and nobody has changed."""
    copies = {}
    for one in sorted(policies, key=lambda one: str(one["Arn"])):
        arn, held = one["Arn"], one.get("AttachmentCount", 0) + one.get("PermissionsBoundaryUsageCount", 0)
        if held or one["DefaultVersionId"] != _FIRST_VERSION or not may_be_copy(arn):
            continue
        whole, text = ask(Call("iam", "GetPolicy", {"PolicyArn": arn}, absent=GONE)), _document(ask, arn)
        said = str(whole["Policy"].get("Description", "")) if whole else ""
        if text is not None and is_copy(arn, text, said):
            copies[arn] = {"document": text, "description": said}
    return {"kind": "path", "name": OWN_PATH, "copies": copies}


def _document(ask: Ask, arn: str) -> Document | None:
    policy = ask(Call("iam", "GetPolicy", {"PolicyArn": arn}, absent=GONE))
    if policy is None:
        return None
    version = {"PolicyArn": arn, "VersionId": policy["Policy"]["DefaultVersionId"]}
    return document(ask(Call("iam", "GetPolicyVersion", version))["PolicyVersion"]["Document"])


def _text(policy: Document) -> str:
    return json.dumps(policy, separators=(",", ":"), ensure_ascii=False)


def _short(arn: str) -> str:
    return arn.rpartition("/")[2]


CONTROL = Control(
    id="iam-inline-policies",
    doc=__doc__ or "",
    since="0.1",
    severity=Severity.MEDIUM,
    response=Response.PROPOSE,
    clocks={
        "default": AT_ONCE,
        "role": Clock(remind=(timedelta(days=1), timedelta(days=3), timedelta(days=6)), act=timedelta(days=7)),
        "told": NEVER,
        "unheld": Clock(act=timedelta(days=1)),
    },
    scope=Scope.GLOBAL,
    kinds=(*PRINCIPALS, PATH),
    wakes_on=(
        On(
            "iam.amazonaws.com",
            # Names decide what `keep_inline` covers.
            ("PutUserPolicy", "PutGroupPolicy", "PutRolePolicy", "UpdateGroup", "UpdateUser"),
            locate_principal,
        ),
    ),
    reads=PRINCIPAL_READS | {"iam:ListPolicies"},
    writes=PRINCIPAL_WRITES | {"iam:CreatePolicy", "iam:DeletePolicy"},
    noun="{kind} {id}",
    survey=survey,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    excepted=may_keep_inline,
    part=part,
    spell=spell,
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
        "roles": {
            "type": "string",
            "enum": ["tell", "convert"],
            "default": "tell",
            "description": "What is done about roles: `tell` of them, once; or `convert` theirs too, which templates "
            "that own the roles put back, and which keeps stacks from being deleted until the copy is detached.",
        },
    },
    answers={"cis-7.0": ("2.13", "5.4"), "ssb": ("ACCT.04",)},
)
