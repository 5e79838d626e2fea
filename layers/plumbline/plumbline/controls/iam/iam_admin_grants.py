"""Administrator rights are held by the administrators, and by nobody else.

Holds: no user, group or role that is not named in `administrators` can give itself any right: by everything, all of
IAM, or a part of IAM that is enough to rewrite itself, by all of its policies together; nobody whom the baseline does
not name joins an administrators group, or any other group that makes administrators; and no customer managed policy
that others hold turns into such a policy. Nor is there a way for anybody else to become an administrator through what
there is in the account. The published ones are known (`rights/paths.py`): to pass a strong role to new work, to change
work that runs with one, to assume one, to make keys of an administrator. What is denied counts, and so do conditions
that restrict, and a permissions boundary for as long as its holder cannot take it off. As long as the baseline names
no users, whoever is in an administrators group is told about and left alone. Service-linked roles are left out, and so
are AWS's own policies for service roles on a role. Where Plumbline does not read what runs with a role, the evidence
is that it trusts the service. What an organisation denies from above is not seen. A role that nobody can use but the
organisation's management account belongs to the organisation, whatever it is called. What only IAM Identity Center can
change, and a role that nobody but CloudFormation works with, as CDK's and StackSets' are, is told once and never
repaired: change the permission set or the template, or name the role in `administrators`. So is a role that one other
account can use while AWS does not say whether that is the management account. Names are compared as IAM does, without
case.
Why: with administrator rights an intruder can do anything, and remove every trace and every other rule on this list.
Handing them to an account he already has takes one call, and it is the call he makes first.
Repair: detaches the managed policy, deletes the inline one, or takes the user out of the group. A policy that was
turned into an administrator's is detached from all others: a person sets it back to an earlier version, because who may
do that may set it to the one that makes administrators as well, and no role of Plumbline may. A way through what there
is in the account is told at once with its path, and proposed: to take away the policies that open it; of a group, whose
policies the baseline may give, it is told only, and the strong role is what to narrow. Nothing is taken from anyone
unless a person is left who is an administrator by the baseline and can come in: a user with a console password and MFA,
a role of IAM Identity Center, or one that people use through a SAML or OpenID Connect provider of the account, from the
organisation's management account, or as such a user. A key, and a role that another account or a machine uses, are no
person; then you are told instead, and why. What is detached stays in the account, and can be attached again.
Undo: attaches, puts back or joins again, which takes the rights of whoever undoes it.
Source: AWS IAM best practices (least privilege); pathfinding.cloud; Rhino Security Labs, AWS IAM privilege escalation;
CloudTrail event names of IAM.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

from plumbline.controls.iam._administrators import POLICY, observe, survey
from plumbline.controls.iam._announced import announced
from plumbline.controls.iam._entitled import ADMINISTRATORS, excess, holder, locked_out, others, trusted
from plumbline.controls.iam._led import PROPOSED, WAY, could, taken
from plumbline.controls.iam._machinery import HAS, WHY_KEPT, Keeper
from plumbline.controls.iam._matters import WAY_IN_READS
from plumbline.controls.iam._principals import (
    PRINCIPAL_READS,
    PRINCIPAL_WRITES,
    PRINCIPALS,
    by_names,
    locate_everybody,
    locate_principal,
    spell_policy,
    spell_principal,
)
from plumbline.controls.iam._steps import detached, member, outside, without_inline
from plumbline.core.calls import Plan
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND_BY_SWEEP, FOUND_OPEN, NEVER, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.names import among
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.wakes import cloudtrail


def locate_policy(detail: Event) -> Iterable[Target]:
    """The policy an event is about, by its path and name."""
    name = cloudtrail.parameter(detail, "policyArn").partition(":policy/")[2]
    return cloudtrail.here(detail, POLICY, name, region=GLOBAL)


def spell(target: Target, state: State) -> Target:
    """The principal or policy under AWS's own spelling."""
    return (spell_policy if target.kind == POLICY else spell_principal)(target, state)


def detect(state: State, settings: Settings) -> Deviation | None:
    """Administrator rights, or the way to them, with somebody the baseline does not name."""
    if state is None:
        return None
    who = settings["administrators"]
    if state["kind"] == "policy":
        found = others(state, who)
        clock = KEPT if all(one["keeper"] for one in found) else "default"
        items = tuple(map(holder, found))
        return (
            Deviation("makes administrators of others than those the baseline names", items, clock) if items else None
        )
    inline, attached, joined = excess(state, who)
    if not (inline or attached or joined):
        return None if trusted(state, who) else could(state)
    items = (*inline, *attached, *map(member, joined))
    if state["keeper"]:
        return Deviation(HAS[Keeper(state["keeper"])], items, KEPT)
    if not who["users"] and any(among(group, who["groups"]) for group in joined):
        return Deviation("is an administrator whom the baseline does not name", items)
    return Deviation("has administrator rights it should not have", items)


#: The clock of what is told once, because nobody but its keeper should change it.
KEPT = "kept"


def excepted(target: Target, settings: Settings) -> bool:
    """A principal that the baseline names; of a role only the name is known, and of a policy not who holds it."""
    kind = target.kind.removeprefix("iam-")
    one = {"kind": kind, "name": target.id, "groups": (), "keeper": ""}
    return kind != "policy" and trusted(one, settings["administrators"])


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
        f"it {'; it '.join(state['ways'])}" if state.get("ways") else "",
    ]
    return "; ".join(part for part in parts if part) or "no administrator rights of its own"


def plan(target: Target, state: State, settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """Take away what makes administrators of others; nothing when that would leave none."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    who = settings["administrators"]
    if state["kind"] == "policy":
        return _policy_plan(target, state, who, facts)
    inline, attached, joined = excess(state, who)
    if not (inline or attached or joined):
        return _led_plan(target, state, facts)
    inline, attached = [one for one in inline if one in facts], [one for one in attached if one in facts]
    joined = [group for group in joined if member(group) in facts]
    left: dict[str, str] = {}
    if not who["users"]:
        left |= {member(group): _NO_USERS for group in joined if among(group, who["groups"])}
        joined = [group for group in joined if member(group) not in left]
    why = WHY_KEPT.get(state["keeper"], "") or locked_out(state, who)
    if why:  # who leaves a group that gives nothing loses no right
        granting = [group for group in joined if group in state["through"]]
        left |= dict.fromkeys((*inline, *attached, *map(member, granting)), why)
        inline, attached, joined = [], [], [group for group in joined if group not in granting]
    return Plan.partly(
        (
            *(without_inline(target, name, state["inline"][name]) for name in inline),
            *(detached(state["kind"], target.id, arn, fact=arn) for arn in attached),
            *(outside(target.id, group) for group in joined),
        ),
        left,
        resources=by_names(target.account, [(state["kind"], target.id), *(("group", group) for group in joined)]),
        summary=", and ".join(_words(inline, attached, joined)),
        means=_STAYS if attached else "",
        later=[_delete(arn) for arn in attached if ":iam::aws:" not in arn],
    )


def _led_plan(target: Target, state: Mapping[str, Any], facts: Container[str]) -> Plan:
    """Take away what opens a way; nobody loses administrator rights by it, for nobody had them."""
    inline, attached, left = taken(state, facts)
    return Plan.partly(
        (
            *(without_inline(target, name, state["leading"]["inline"][name]) for name in inline),
            *(detached(state["kind"], target.id, arn, fact=arn) for arn in attached),
        ),
        left,
        resources=by_names(target.account, [(state["kind"], target.id)]),
        summary=", and ".join(_words(inline, attached, [])),
        means=_STAYS if attached else "",
    )


_NO_USERS = "the baseline names no users under administrators; once it names some, others are removed"
_STAYS = (
    "What was detached is still there, and whoever may attach policies can attach it again. Delete what is yours and "
    "nobody needs; AWS's own policies cannot be deleted."
)


def _delete(arn: str) -> str:
    return f"aws iam delete-policy --policy-arn {arn}"


def _policy_plan(
    target: Target, state: Mapping[str, Any], who: Mapping[str, Sequence[str]], facts: Container[str]
) -> Plan:
    """The policy detached from those meant, with what sets it back to a harmless version where there is one."""
    meant = [one for one in others(state, who) if holder(one) in facts]
    if why := locked_out(state, who):
        return Plan(refusal=why)
    free = [one for one in meant if not one["keeper"]]
    names = [(one["kind"], one["name"].rpartition("/")[2]) for one in free]
    return Plan.partly(
        tuple(
            detached(kind, name, state["name"], fact=holder(one)) for one, (kind, name) in zip(free, names, strict=True)
        ),
        {holder(one): WHY_KEPT[one["keeper"]] for one in meant if one["keeper"]},
        resources=by_names(target.account, names),
        summary=f"detaches the policy from {', '.join(f'{kind} {name}' for kind, name in names)}",
        means=_STAYS,
        later=_set_back(state, names) if state["back_to"] else (_delete(state["name"]),),
    )


def _set_back(state: Mapping[str, Any], names: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The commands that bring back the rights that the policy gave before it made administrators."""
    arn = f"--policy-arn {state['name']}"
    return (
        f"aws iam set-default-policy-version {arn} --version-id {state['back_to']}",
        *(f"aws iam attach-{kind}-policy --{kind}-name {name} {arn}" for kind, name in names),
    )


def part(state: State, _plan: Plan) -> State:
    """The target's own rights, or the policy and its holders; who else is an administrator comes and goes."""
    if state is None:
        return None
    held = {"holders": [holder(one) for one in state["holders"]]} if "holders" in state else {}
    return {name: state[name] for name in _OWN if name in state} | held


#: What the state tells of the target itself. The rest tells of other things of the account: it decides whether a repair
#: is safe, and no repair changes it.
_OWN = ("kind", "name", "groups", "inline", "attached", "leading", "version", "back_to")


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
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND_OPEN, KEPT: NEVER, WAY: PROPOSED},
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
                "UpdateUser",  # the baseline names administrators, so who is renamed may become one, or be one no more
                # what denied, or held rights within bounds, is gone
                "DeleteGroupPolicy",
                "DeleteRolePermissionsBoundary",
                "DeleteRolePolicy",
                "DeleteUserPermissionsBoundary",
                "DeleteUserPolicy",
                "DetachGroupPolicy",
                "DetachRolePolicy",
                "DetachUserPolicy",
                "PutRolePermissionsBoundary",
                "PutUserPermissionsBoundary",
            ),
            locate_principal,
        ),
        On("iam.amazonaws.com", ("UpdateAssumeRolePolicy", "UpdateGroup"), locate_everybody),
        On("iam.amazonaws.com", ("CreatePolicyVersion", "SetDefaultPolicyVersion"), locate_policy),
    ),
    reads=PRINCIPAL_READS | WAY_IN_READS | {"iam:ListGroupsForUser", "iam:ListPolicies"},
    writes=PRINCIPAL_WRITES | {"iam:AddUserToGroup", "iam:RemoveUserFromGroup"},
    noun="{kind} {last}",
    survey=survey,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    excepted=excepted,
    announces=announced,
    part=part,
    spell=spell,
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
