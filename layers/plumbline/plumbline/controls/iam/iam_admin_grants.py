"""Administrator rights are held by the administrators, and by nobody else.

Holds: no user, group or role that is not named in `administrators` has a policy, inline or managed, that allows
everything, all of IAM, or a way to take any right (see `policies.admin_reason`); nobody whom the baseline does not name
joins an administrators group; and no customer managed policy that others hold turns into such a policy. As long as the
baseline names no users, whoever is in an administrators group is told about and left alone. A permissions boundary
makes no difference, for it can be taken away. Service-linked roles are left out, and so are AWS's own policies for
service roles on a role.
Why: with administrator rights an intruder can do anything, and remove every trace and every other rule on this list.
Handing them to an account he already has takes one call, and it is the call he makes first.
Repair: detaches the managed policy, deletes the inline one, or takes the user out of the group. A policy that was
turned into an administrator's goes back to its newest version that is none; where administrators hold it too, or
somebody who is left alone for now, or there is no such version, it is detached from the others. Nothing is taken from
anyone while nobody would be left who is an administrator by the baseline: you are told instead.
Undo: attaches, puts back or joins again; sets the default version that was.
Source: AWS IAM best practices (least privilege); Rhino Security Labs, AWS IAM privilege escalation; CloudTrail event
names of IAM.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from plumbline.controls.iam._administrators import POLICY, observe, survey
from plumbline.controls.iam._principals import (
    GONE,
    PRINCIPAL_READS,
    PRINCIPAL_WRITES,
    PRINCIPALS,
    RESERVED,
    by_names,
    locate_principal,
    named,
)
from plumbline.core.calls import Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND_BY_SWEEP, FOUND_OPEN, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.rights.documents import Document
from plumbline.wakes import cloudtrail

#: Each key is used where a baseline leaves it out, so that naming the users does not unname the roles.
ADMINISTRATORS: Mapping[str, Sequence[str]] = {
    "groups": ("administrators",),
    "users": (),
    # IAM lets nobody but AWS make roles below aws-reserved/; the next two are how an organisation reaches its members.
    "roles": (
        "aws-reserved/sso.amazonaws.com/*AWSReservedSSO_AdministratorAccess_*",
        "OrganizationAccountAccessRole",
        "AWSControlTowerExecution",
        # Plumbline's own writing role, exactly: a pattern over its path would be a place to hide.
        "plumbline/{stack}-hands",
    ),
}


def locate_policy(detail: Event) -> Iterable[Target]:
    """The policy an event is about, by its path and name."""
    name = cloudtrail.parameter(detail, "policyArn").partition(":policy/")[2]
    return cloudtrail.here(detail, POLICY, name, region=GLOBAL)


def detect(state: State, settings: Settings) -> Deviation | None:
    """Administrator rights, or the way to them, with somebody the baseline does not name."""
    if state is None:
        return None
    who = settings["administrators"]
    if state["kind"] == "policy":
        others = tuple(map(_holder, _others(state, who)))
        return Deviation("makes administrators of others than those the baseline names", others) if others else None
    inline, attached, joined = _excess(state, who)
    if not (inline or attached or joined):
        return None
    items = (*inline, *attached, *map(_member, joined))
    if joined and not who["users"]:
        return Deviation("is an administrator whom the baseline does not name", items)
    return Deviation("has administrator rights it should not have", items)


def excepted(target: Target, settings: Settings) -> bool:
    """A principal that the baseline names; of a role only the name is known, and of a policy not who holds it."""
    kind = target.kind.removeprefix("iam-")
    return kind != "policy" and _trusted({"kind": kind, "name": target.id, "groups": ()}, settings["administrators"])


def describe(state: State) -> str:
    """What makes an administrator, and why."""
    if state is None:
        return "it does not exist"
    why = "; ".join(state["reasons"])
    if state["kind"] == "policy":
        held = ", ".join(f"{one['kind']} {one['name']}" for one in state["holders"]) or "nobody"
        return f"version {state['version']} {why or 'makes no administrator'}" + (f"; held by {held}" if why else "")
    parts = [
        f"inline: {', '.join(state['inline'])}" if state["inline"] else "",
        f"attached: {', '.join(state['attached'])}" if state["attached"] else "",
        f"groups: {', '.join(state['groups'])}" if state["groups"] else "",
        f"({why})" if why else "",
    ]
    return "; ".join(part for part in parts if part) or "no administrator rights of its own"


def _trusted(one: Mapping[str, Any], who: Mapping[str, Sequence[str]]) -> bool:
    """Whether the baseline makes this principal an administrator."""
    if one["kind"] == "user":
        return one["name"] in who["users"] or (
            not who["users"] and any(group in who["groups"] for group in one["groups"])
        )
    if one["kind"] == "group":
        return one["name"] in who["groups"]
    return any(fnmatchcase(one["name"], pattern) for pattern in who["roles"])


def _excess(state: Mapping[str, Any], who: Mapping[str, Sequence[str]]) -> tuple[list[str], list[str], list[str]]:
    """Inline policies, attached policies and memberships that the baseline does not give."""
    joined = [] if state["name"] in who["users"] else [group for group in state["groups"] if group in who["groups"]]
    if _trusted(state, who):
        return [], [], joined
    return list(state["inline"]), list(state["attached"]), joined


def _member(group: str) -> str:
    return f"member of {group}"


def _holder(one: Mapping[str, Any]) -> str:
    return f"{one['kind']}/{one['name']}"


def _others(state: Mapping[str, Any], who: Mapping[str, Sequence[str]]) -> list[Mapping[str, Any]]:
    return [one for one in state["holders"] if not _trusted(one, who)]


def _remaining(state: Mapping[str, Any], who: Mapping[str, Sequence[str]]) -> bool:
    """Whether somebody is an administrator by the baseline, and so stays one whatever is repaired."""
    return any(
        _trusted(one, who) and (one["direct"] or any(group in who["groups"] for group in one["through"]))
        for one in state["administrators"]
    )


def plan(target: Target, state: State, settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """Take away what makes administrators of others; nothing when that would leave none."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    who = settings["administrators"]
    if state["kind"] == "policy":
        return _policy_plan(target, state, who, facts)
    inline, attached, joined = _excess(state, who)
    inline, attached = [one for one in inline if one in facts], [one for one in attached if one in facts]
    joined = [group for group in joined if _member(group) in facts]
    if joined and not who["users"]:
        return Plan(refusal="the baseline names no users under administrators; once it names some, others are removed")
    harmless = joined and not (inline or attached or set(joined) & set(state["through"]))
    if not harmless and not _remaining(state, who):
        return Plan(refusal=_LOCKED_OUT)
    if state["name"].startswith(RESERVED):
        return Plan(refusal=_KEPT)
    return Plan(
        steps=(
            *(_without_inline(target, name, state["inline"][name]) for name in inline),
            *(_detached(state["kind"], target.id, arn) for arn in attached),
            *(_outside(target.id, group) for group in joined),
        ),
        resources=by_names(target.account, [(state["kind"], target.id), *(("group", group) for group in joined)]),
        summary=", and ".join(_words(inline, attached, joined)),
    )


_LOCKED_OUT = (
    "nobody the baseline names as administrator would be left, and you might be locked out; "
    "name your administrators in the baseline, or put one into an administrators group"
)
_KEPT = "IAM Identity Center keeps this role; change its permission set there"


def _policy_plan(
    target: Target, state: Mapping[str, Any], who: Mapping[str, Sequence[str]], facts: Container[str]
) -> Plan:
    """The policy back to a harmless version, where that touches nobody but those meant; else detached from them."""
    others = [one for one in _others(state, who) if _holder(one) in facts]
    if not _remaining(state, who):
        return Plan(refusal=_LOCKED_OUT)
    if state["back_to"] and len(others) == len(state["holders"]):

        def to(version: str) -> Call:
            return Call("iam", "SetDefaultPolicyVersion", {"PolicyArn": state["name"], "VersionId": version})

        return Plan(
            steps=(Step(do=to(state["back_to"]), undo=(to(state["version"]),)),),
            resources=(state["name"],),
            summary=f"sets the policy's default version from {state['version']} back to {state['back_to']}",
        )
    if any(one["name"].startswith(RESERVED) for one in others):
        return Plan(refusal=_KEPT)
    names = [(one["kind"], one["name"].rpartition("/")[2]) for one in others]
    return Plan(
        steps=tuple(_detached(kind, name, state["name"]) for kind, name in names),
        resources=by_names(target.account, names),
        summary=f"detaches the policy from {', '.join(f'{kind} {name}' for kind, name in names)}",
    )


def part(state: State, _plan: Plan) -> State:
    """The target's own rights, or the policy and its holders; who else is an administrator comes and goes."""
    if state is None:
        return None
    held = {"holders": [_holder(one) for one in state["holders"]]} if "holders" in state else {}
    return {name: value for name, value in state.items() if name not in _OF_OTHERS} | held


#: What the state tells of the rest of the account: it decides whether a repair is safe, and no repair changes it.
_OF_OTHERS = frozenset({"administrators", "through", "reasons"})


def _without_inline(target: Target, name: str, text: Document) -> Step:
    spelled, policy = PRINCIPALS[target.kind], {**named(target), "PolicyName": name}
    whole = json.dumps(text, separators=(",", ":"))
    return Step(
        do=Call("iam", f"Delete{spelled}Policy", policy, absent=GONE),
        undo=(Call("iam", f"Put{spelled}Policy", {**policy, "PolicyDocument": whole}, absent=GONE),),
    )


def _detached(kind: str, name: str, arn: str) -> Step:
    spelled = kind.capitalize()
    both = {f"{spelled}Name": name, "PolicyArn": arn}
    return Step(
        do=Call("iam", f"Detach{spelled}Policy", both, absent=GONE),
        undo=(Call("iam", f"Attach{spelled}Policy", both, absent=GONE),),
    )


def _outside(user: str, group: str) -> Step:
    both = {"GroupName": group, "UserName": user}
    return Step(
        do=Call("iam", "RemoveUserFromGroup", both, absent=GONE),
        undo=(Call("iam", "AddUserToGroup", both, absent=GONE),),
    )


def _words(inline: Sequence[str], attached: Sequence[str], joined: Sequence[str]) -> Iterator[str]:
    if inline:
        yield f"deletes inline policy {', '.join(inline)}"
    if attached:
        yield f"detaches {', '.join(arn.partition(':policy/')[2] for arn in attached)}"
    if joined:
        yield f"removes the user from group {', '.join(joined)}"


def _names(default: Sequence[str], description: str) -> dict[str, Any]:
    return {
        "type": "array",
        "items": {"type": "string", "minLength": 1},
        "default": list(default),
        "description": description,
    }


CONTROL = Control(
    id="iam-admin-grants",
    doc=__doc__ or "",
    since="0.1",
    severity=Severity.CRITICAL,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND_OPEN},
    scope=Scope.GLOBAL,
    kinds=(*PRINCIPALS, POLICY),
    wakes_on=(
        On(
            "iam.amazonaws.com",
            (
                "AddUserToGroup",
                "AttachGroupPolicy",
                "AttachRolePolicy",
                "AttachUserPolicy",
                "PutGroupPolicy",
                "PutRolePolicy",
                "PutUserPolicy",
                "RemoveUserFromGroup",
                "UpdateGroup",  # the baseline names administrators, so who is renamed may become one, or be one no more
                "UpdateUser",
            ),
            locate_principal,
        ),
        On("iam.amazonaws.com", ("CreatePolicyVersion", "SetDefaultPolicyVersion"), locate_policy),
    ),
    reads=PRINCIPAL_READS | {"iam:ListGroupsForUser"},
    writes=PRINCIPAL_WRITES | {"iam:AddUserToGroup", "iam:RemoveUserFromGroup", "iam:SetDefaultPolicyVersion"},
    noun="{kind} {last}",
    survey=survey,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    excepted=excepted,
    part=part,
    settings={
        "administrators": {
            "type": "object",
            "properties": {
                "groups": _names(ADMINISTRATORS["groups"], "Groups that make their members administrators."),
                "users": _names(
                    ADMINISTRATORS["users"],
                    "The people who are administrators. Once one is named, all others are taken out of those groups.",
                ),
                "roles": _names(
                    ADMINISTRATORS["roles"],
                    "Roles that are administrators, with their path, as `cicd/deploy`; `*` and `?` are wildcards.",
                ),
            },
            "additionalProperties": False,
            "default": {name: list(names) for name, names in ADMINISTRATORS.items()},
            "description": "Who may hold administrator rights. What is left out keeps its default.",
        },
    },
    answers={"cis-7.0": ("2.14", "5.4")},
)
