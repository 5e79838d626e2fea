"""The account's users are those of the roster, in the groups that it says.

Holds: every IAM user stands in the `roster` of baseline.yaml, in whatever case, and his last day there is not over; he
is in exactly the groups that it names for him; and everybody in it has a user. Groups that make administrators are left
to `iam-admin-grants`, which goes by the roster as well. Where the baseline has no roster, nothing is judged.
Why: accounts of people who left, and users that somebody once made for a test, are the ways in that nobody misses. One
list says who belongs here, and whoever is not on it has to be explained.
Repair: none unless you set the mode; it is told, reminded of and escalated. With `mode: enforce`, whoever is a stranger
or has left is suspended after a week: the stack's policy that denies everything is attached, and nothing is deleted.
Groups that are too many are left, and groups that are missing are proposed, for joining one gives rights. The last who
could come in as an administrator is left: you are told instead, and why.
Undo: lets the user act again, and puts him back into groups, which takes the rights of whoever undoes it.
Source: UK Ministry of Justice, Baseline for AWS accounts (joiners and leavers); AWS Startup Security Baseline, ACCT.03.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from plumbline.controls.iam._entitled import administrators
from plumbline.controls.iam._last import administrators_without
from plumbline.controls.iam._matters import WAY_IN_READS
from plumbline.controls.iam._principals import (
    EVERYTHING,
    GONE,
    USERS,
    by_names,
    locate_principal,
    named,
    spell_principal,
)
from plumbline.controls.iam._suspending import (
    SUSPENDING_READS,
    SUSPENDING_WRITES,
    Without,
    described,
    facts,
    held_by,
    is_suspended,
    standing,
    suspension,
)
from plumbline.core import roster
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.clock import Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.names import among
from plumbline.core.roster import Person, roster_of
from plumbline.core.targets import GLOBAL, State, Target

KIND = "iam-user"
#: The kind of what stands for all of the roster: who has no user cannot be found among users.
ROSTER = "iam-roster"


def survey(ask: Ask) -> Mapping[Target, State]:
    """Every user with his groups, and who there is, from the bulk read that all IAM controls share."""
    users, without = ask(EVERYTHING)["UserDetailList"], administrators_without(ask)
    states: dict[Target, State] = {
        Target(ask.account, GLOBAL, KIND, user["UserName"]): _state(
            ask, user, user.get("GroupList") or (), user.get("AttachedManagedPolicies") or (), without
        )
        for user in users
    }
    return {**states, Target(ask.account, GLOBAL, ROSTER, "people"): _people(ask, users)}


def observe(ask: Ask, target: Target) -> State:
    """One user, asked afresh; or who there is."""
    if target.kind == ROSTER:
        return _people(ask, ask(USERS)["Users"])
    user = ask(Call("iam", "GetUser", named(target), absent=GONE))
    groups = ask(Call("iam", "ListGroupsForUser", named(target), absent=GONE))
    attached = ask(Call("iam", "ListAttachedUserPolicies", named(target), absent=GONE))
    if user is None or groups is None or attached is None:
        return None
    names = [group["GroupName"] for group in groups["Groups"]]
    return _state(ask, user["User"], names, attached["AttachedPolicies"], administrators_without(ask))


def _people(ask: Ask, users: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {"today": f"{ask.now:%Y-%m-%d}", "users": sorted(user["UserName"] for user in users)}


def _state(
    ask: Ask,
    user: Mapping[str, Any],
    groups: Iterable[str],
    attached: Iterable[Mapping[str, str]],
    without: Without,
) -> dict[str, Any]:
    return {
        "today": f"{ask.now:%Y-%m-%d}",
        "name": user["UserName"],
        "groups": sorted(groups),
        "standing": standing(ask, user, [one["PolicyArn"] for one in attached], without),
    }


def detect(state: State, settings: Settings) -> Deviation | None:
    """A stranger, somebody who has left, or somebody in other groups; or people without a user."""
    people = _roster(settings)
    if state is None or not people:
        return None
    if "users" in state:
        return _without_user(state, people)
    person = roster.of(state["name"], people)
    if why := _is_no_one(state, person):
        return None if is_suspended(state["standing"]) else Deviation(why, facts(state["standing"]))
    assert person is not None  # noqa: S101 - whoever is in no roster is no one
    extra, missing = _groups(state, person, settings)
    items = (*map(_too_many, extra), *map(_too_few, missing))
    return Deviation("is not in the groups that the roster says", items) if items else None


def _roster(settings: Settings) -> tuple[Person, ...]:
    return roster_of(settings.get("people", {}).get("roster", {}))


def _without_user(state: Mapping[str, Any], people: Sequence[Person]) -> Deviation | None:
    today = date.fromisoformat(state["today"])
    missing = [one.name for one in people if not among(one.name, state["users"]) and not one.has_left(today)]
    return Deviation(f"have no user: {', '.join(missing)}", tuple(missing)) if missing else None


def _is_no_one(state: Mapping[str, Any], person: Person | None) -> str:
    """Why a user does not belong here; empty where he does."""
    if person is None:
        return "is in no line of the roster"
    if person.has_left(date.fromisoformat(state["today"])):
        return f"was to leave on {person.until}"
    return ""


def _groups(state: Mapping[str, Any], person: Person, settings: Settings) -> tuple[list[str], list[str]]:
    """The groups that a user is in and should not be, and those that he should be in and is not."""
    others = administrators(settings)["groups"]
    extra = [one for one in state["groups"] if not among(one, person.groups) and not among(one, others)]
    return extra, [one for one in person.groups if not among(one, state["groups"])]


def describe(state: State) -> str:
    """The user's groups, and whether he is suspended; or how many users there are."""
    if state is None:
        return "the user does not exist"
    if "users" in state:
        return f"{len(state['users'])} users"
    groups = f"in {', '.join(state['groups'])}" if state["groups"] else "in no group"
    return f"{groups}; {described(state['standing'])}"


def plan(target: Target, state: State, settings: Settings, of: Container[str] = EVERY, /) -> Plan:
    """Suspend who does not belong here; else leave and join groups."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    if "users" in state:
        return Plan(refusal="Plumbline makes no users; make them, or take them out of the roster in baseline.yaml")
    person = roster.of(state["name"], _roster(settings))
    if person is None or _is_no_one(state, person):
        return suspension(target, state["standing"], administrators(settings), of, means=_MEANS)
    extra, missing = _groups(state, person, settings)
    left = [one for one in extra if _too_many(one) in of]
    joined = [one for one in missing if _too_few(one) in of]
    said = [*(f"out of group {one}" for one in left), *(f"into group {one}" for one in joined)]
    return Plan(
        steps=(
            *(Step(_leaves(target, one), (_joins(target, one),), _too_many(one)) for one in left),
            *(Step(_joins(target, one), (_leaves(target, one),), _too_few(one)) for one in joined),
        ),
        resources=by_names(target.account, [("user", target.id), *(("group", one) for one in (*left, *joined))]),
        summary=f"takes user {target.id} {', '.join(said)}",
    )


_MEANS = (
    "Who belongs here stands in the roster of baseline.yaml. Nothing is deleted: an undo lets the user act again, a "
    "line in the roster keeps it so."
)


def _leaves(target: Target, group: str) -> Call:
    return Call("iam", "RemoveUserFromGroup", {"GroupName": group, "UserName": target.id}, absent=GONE)


def _joins(target: Target, group: str) -> Call:
    return Call("iam", "AddUserToGroup", {"GroupName": group, "UserName": target.id}, absent=GONE)


def _too_many(group: str) -> str:
    return f"in group {group}"


def _too_few(group: str) -> str:
    return f"not in group {group}"


def part(state: State, repair: Plan) -> State:
    """Whether the user is suspended, or in the groups that a repair was about."""
    if state is None or "users" in state:
        return state
    about = {call.parameters["GroupName"] for call in repair.do if "GroupName" in call.parameters}
    if about:
        return {"name": state["name"], "groups": [one for one in sorted(about) if among(one, state["groups"])]}
    return {"name": state["name"], **held_by(state["standing"], repair)}


def spell(target: Target, state: State) -> Target:
    """A user under the name that AWS keeps."""
    return target if target.kind == ROSTER else spell_principal(target, state)


CONTROL = Control(
    id="account-roster",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.MEDIUM,
    response=Response.ALERT,
    clocks={
        "default": Clock(
            remind=(timedelta(days=1), timedelta(days=3), timedelta(days=6)),
            escalate=timedelta(days=7),
            act=timedelta(days=7),
        ),
    },
    scope=Scope.GLOBAL,
    kinds=(KIND, ROSTER),
    wakes_on=(
        On(
            "iam.amazonaws.com",
            ("AddUserToGroup", "CreateUser", "DetachUserPolicy", "RemoveUserFromGroup", "UpdateUser"),
            locate_principal,
        ),
    ),
    reads=WAY_IN_READS
    | SUSPENDING_READS
    | {
        "iam:GetUser",
        "iam:ListAttachedUserPolicies",
        "iam:ListGroupsForUser",
        "iam:ListUsers",
    },
    writes=SUSPENDING_WRITES | {"iam:AddUserToGroup", "iam:RemoveUserFromGroup"},
    noun="{kind} {id}",
    survey=survey,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    part=part,
    spell=spell,
    people=True,
    answers={"moj": ("identity-new-accounts", "identity-truth"), "ssb": ("ACCT.03",)},
)
