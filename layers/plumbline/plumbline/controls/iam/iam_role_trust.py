"""No role can be assumed by anybody.

Holds: no role's trust policy lets in whoever comes: `*`, or all but some, without a condition that fixes who; a public
identity provider, such as Amazon Cognito, without the application; a provider that serves everybody, such as GitHub's,
without the owner of the token (`sub`, and not as wide as `repo:*`). An external id does not narrow `*`. Another account
is let in only where `accounts` lists it, it is your organisation's management account, or a condition narrows it (here
an external id does, when its value is fixed); others you are told of once. What a Deny in the same trust keeps out is
not weighed. Roles of AWS's services and of IAM Identity Center, which nobody else can change, are left out. What an
administrator's role may do is `iam-admin-grants`' business; whom it lets in is judged here like any other's.
Why: a trust is a door, and whoever finds one that is open to all has the role's rights without any credential of yours.
It is how pipelines are taken over from a stranger's repository, and a back door that survives every changed password.
Repair: puts your account in the place of anybody, and leaves everybody whom the trust names. Who may change a trust may
make himself an administrator, so no role of Plumbline may: it is proposed, and made with the rights of whoever approves
it. A role that was made within the last day and never used is stopped meanwhile, where an event announced it, by
Plumbline's own policy that denies everything: no work of yours can rely on it yet. Whose tokens of a provider are meant
nobody can guess: there you are told what to add.
Undo: the earlier trust, with the rights of whoever undoes it and without users and roles that were deleted since, which
AWS takes no more; and the policy that denies is detached.
Source: IAM user guide, AWS JSON policy elements: Principal, and Identity-provider controls for shared OIDC providers;
Startup Security Baseline WKLD.02; CloudTrail CreateRole and UpdateAssumeRolePolicy.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from plumbline.controls.iam._machinery import management_account
from plumbline.controls.iam._principals import (
    EVERYTHING,
    GONE,
    MOST_ATTACHED,
    RESERVED,
    SERVICE_LINKED,
    by_name,
    own_policy,
    spell_principal,
)
from plumbline.controls.iam._suspending import SUSPENDED
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND_BY_SWEEP, Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.rights.documents import Document, document
from plumbline.rights.openings import SHARED, Kind, Opening, closed, deleted, openings, without
from plumbline.wakes import cloudtrail

KIND = "iam-role"
#: The clock of a role that lets in another account, and nobody else whom nobody knows.
FOREIGN = "foreign"
#: The fact that a role could be used before anybody has closed its trust.
_READY = "nothing keeps anybody from using it"
#: How long a role that nobody has used is new. AWS remembers a role's use for 400 days only, so an old one that seems
#: never to have been used may be. Source: IAM user guide, Refining permissions using last accessed information.
_NEW = timedelta(days=1)


def locate(detail: Event) -> Iterable[Target]:
    """The role that was made, or whose trust was changed; all of them where the event does not say which."""
    return cloudtrail.here(detail, KIND, cloudtrail.parameter(detail, "roleName"), region=GLOBAL)


def survey(ask: Ask) -> Mapping[Target, State]:
    """Every role, from the bulk read that the IAM controls share."""
    return {
        Target(ask.account, GLOBAL, KIND, one["RoleName"]): _state(
            ask, one, partial(_attached, one["AttachedManagedPolicies"])
        )
        for one in ask(EVERYTHING)["RoleDetailList"]
        if not _is_kept(one)
    }


def observe(ask: Ask, target: Target) -> State:
    """One role; None when it is gone, or one that nobody but AWS can change."""
    answer = ask(Call("iam", "GetRole", {"RoleName": target.id}, absent=GONE))
    if answer is None or _is_kept(answer["Role"]):
        return None

    def held() -> list[str]:
        attached = ask(Call("iam", "ListAttachedRolePolicies", {"RoleName": target.id}, absent=GONE))
        return _attached(attached["AttachedPolicies"] if attached else ())

    return _state(ask, answer["Role"], held)


def _attached(policies: Iterable[Mapping[str, str]]) -> list[str]:
    return [one["PolicyArn"] for one in policies]


def _is_kept(role: Mapping[str, Any]) -> bool:
    return str(role["Path"]).lstrip("/").startswith((SERVICE_LINKED, RESERVED))


def _state(ask: Ask, role: Mapping[str, Any], held: Callable[[], Sequence[str]]) -> dict[str, Any]:
    """The trust and whom it lets in; how new the role is, and what holds it, only where it is open to anybody."""
    trust = document(role.get("AssumeRolePolicyDocument"))
    found = openings(trust, ask.account)
    strangers = any(one.account for one in found)
    open_to_all = any(not one.account for one in found)
    is_new = open_to_all and _is_new(role, ask.now)
    attached = held() if is_new else []
    suspension = own_policy(ask, SUSPENDED)
    return {
        "name": role["Path"].lstrip("/") + role["RoleName"],
        "trust": trust,
        "open": [[one.kind.value, one.who, one.account] for one in found],
        "management": (ask.once(management_account) or "") if strangers else "",
        "new": is_new,
        "suspended": suspension in attached,
        "full": len(attached) >= MOST_ATTACHED,
        "suspension": suspension,
    }


def _is_new(role: Mapping[str, Any], now: datetime) -> bool:
    """Whether nobody has used a role, and it is too young for that to mean little."""
    used = (role.get("RoleLastUsed") or {}).get("LastUsedDate")
    return used is None and now - role["CreateDate"] < _NEW


def detect(state: State, settings: Settings) -> Deviation | None:
    """A role that is open to anybody, or to an account that the baseline does not name."""
    if state is None:
        return None
    found = _open(state, settings)
    if not found:
        return None
    items = tuple(one.who for one in found)
    summary = f"can be assumed by {found[0].who}"
    if found[0].kind is Kind.FOREIGN:
        return Deviation(f"{summary}, which the baseline does not name", items, FOREIGN)
    ready = (_READY,) if state["new"] and not state["suspended"] else ()
    return Deviation(summary, (*items, *ready))


def _open(state: Mapping[str, Any], settings: Settings) -> list[Opening]:
    """Whom the trust lets in and nobody wants, the widest first."""
    known = {*settings["accounts"], state["management"]}
    found = [Opening(Kind(kind), who, account) for kind, who, account in state["open"]]
    return [one for one in found if not one.account or one.account not in known]


def announced(_ask: Ask, detail: Event, state: State, _settings: Settings) -> str:
    """That a role was open to anybody, and is no more."""
    try:
        said = document(cloudtrail.parameter(detail, "policyDocument", "assumeRolePolicyDocument") or {})
        found = openings(said, cloudtrail.account(detail))
    except (ValueError, RecursionError, AttributeError, TypeError):
        return ""
    still = [who for _, who, _ in state["open"]] if state else []
    gone = [one.who for one in found if one.kind is not Kind.FOREIGN and one.who not in still]
    return f"could be assumed by {gone[0]}" if gone else ""


def describe(state: State) -> str:
    """Whom it lets in from outside."""
    if state is None:
        return "it does not exist"
    who = ", ".join(who for _, who, _ in state["open"]) or "nobody from outside"
    held = "; it is suspended" if state["suspended"] else "; nobody has used it yet" if state["new"] else ""
    return f"it lets in {who}{held}"


def plan(target: Target, state: State, settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """Stop what is new, and put the account in the place of anybody; of others a person has to decide."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    found = [one for one in _open(state, settings) if one.who in facts]
    left = {one.who: _why(one) for one in found if one.kind is not Kind.ANYBODY}
    steps: list[Step] = []
    if _READY in facts and state["new"] and not state["suspended"] and any(not one[2] for one in state["open"]):
        if state["full"]:
            left[_READY] = f"it holds {MOST_ATTACHED} managed policies, AWS's default quota; detach one, or delete it"
        else:
            steps.append(_stopped(target, state["suspension"]))
    trust, dead = state["trust"], deleted(state["trust"])
    anybody = [one.who for one in found if one.kind is Kind.ANYBODY]
    part_of = state["suspension"].split(":", 2)[1]
    steps += [_restricted(target, trust, dead, part_of, who) for who in anybody]
    name = f"--role-name {target.id} --policy-arn {state['suspension']}"
    return Plan.partly(
        tuple(steps),
        left,
        resources=by_name(target.account, "role", target.id),
        summary="; ".join(_words(steps, dead if anybody else ())),
        means=_STOPPED if _READY not in left and _is_stopped(steps) else "",
        later=(f"aws iam detach-role-policy {name}",) if _is_stopped(steps) else (),
    )


_STOPPED = (
    "A suspended role is denied everything, whoever assumes it. Once its trust is as it should be, detach the policy, "
    "or undo this."
)


def _why(one: Opening) -> str:
    """What a person has to do about whom the trust lets in."""
    if one.kind is Kind.FOREIGN:
        return "whose account that is only you can know; list it in accounts, or change the trust"
    issuer = one.who.rpartition(" ")[2]
    if issuer in SHARED:
        return f"whose tokens are meant only you can know; add a condition on {issuer}:{SHARED[issuer]} to its trust"
    return f"which application is meant only you can know; add a condition on {issuer}:aud to its trust"


def _stopped(target: Target, suspension: str) -> Step:
    held = {"RoleName": target.id, "PolicyArn": suspension}
    return Step(
        do=Call("iam", "AttachRolePolicy", held),
        undo=(Call("iam", "DetachRolePolicy", held, absent=GONE),),
        fact=_READY,
    )


def _restricted(target: Target, trust: Document, dead: tuple[str, ...], part_of: str, fact: str) -> Step:
    def to(policy: Document) -> Call:
        said = {"RoleName": target.id, "PolicyDocument": json.dumps(without(policy, dead), ensure_ascii=False)}
        return Call("iam", "UpdateAssumeRolePolicy", said, absent=GONE)

    return Step(do=to(closed(trust, target.account, part_of)), undo=(to(trust),), fact=fact)


def _is_stopped(steps: Sequence[Step]) -> bool:
    return any(step.fact == _READY for step in steps)


def _words(steps: Sequence[Step], dead: Sequence[str]) -> Iterator[str]:
    if _is_stopped(steps):
        yield "attaches Plumbline's policy that denies everything to the role, which nobody has used yet"
    if any(step.fact != _READY for step in steps):
        yield "puts this account in the place of anybody in the role's trust"
    if dead:
        yield f"{', '.join(dead)} stand for deleted users or roles, and AWS takes no trust that names them"


def part(state: State, repair: Plan) -> State:
    """The trust, and whether the role is stopped, as far as a repair is about them."""
    if state is None:
        return None
    made = {call.operation for call in repair.do}
    trust = without(state["trust"], deleted(state["trust"]))
    return ({"trust": trust} if "UpdateAssumeRolePolicy" in made else {}) | (
        {"suspended": state["suspended"]} if "AttachRolePolicy" in made else {}
    )


CONTROL = Control(
    id="iam-role-trust",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.HIGH,
    response=Response.ENFORCE,
    clocks={
        "default": AT_ONCE,
        FOUND_BY_SWEEP: Clock(
            remind=(timedelta(days=1), timedelta(days=3)),
            escalate=timedelta(days=7),
            act=timedelta(0),
            mode=Response.PROPOSE,
        ),
        FOREIGN: Clock(remind=(timedelta(days=7),), mode=Response.ALERT),
    },
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(On("iam.amazonaws.com", ("CreateRole", "UpdateAssumeRolePolicy"), locate),),
    reads=frozenset(
        {
            "iam:GetAccountAuthorizationDetails",
            "iam:GetRole",
            "iam:ListAttachedRolePolicies",
            "organizations:DescribeOrganization",
        }
    ),
    writes=frozenset({"iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:UpdateAssumeRolePolicy"}),
    noun="role {id}",
    survey=survey,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    part=part,
    announces=announced,
    spell=spell_principal,
    settings={
        "accounts": {
            "type": "array",
            "items": {
                "type": "string",
                "pattern": "^[0-9]{12}$",
                "patternErrorMessage": "Write the twelve digits of an account, in quotes.",
            },
            "default": [],
            "description": "Other accounts that roles may let in, such as a partner's or your tools'. Your "
            "organisation's management account needs no line.",
        },
    },
    answers={"ssb": ("WKLD.02",)},
)
