"""Users who are no longer there cannot come in.

Holds: every user who has a console password or an active access key has used one of them within `idle_days`, or is
suspended. What was never used counts from the day on which it was made. The credential report, which AWS makes every
four hours at most, and the list of users tell of all; before anybody is suspended his credentials are asked afresh.
Users in `allowed_users`, such as one for emergencies, may be idle.
Why: whoever has left, and whoever a machine was replaced for, still has a way in, and nobody misses it when somebody
else uses that. Most of what is found in leaked lists of credentials was forgotten long ago.
Repair: fifteen days after the notice, with reminders in between, suspends the user: the stack's policy that denies
everything is attached. It ends his keys, his console sessions and what is made of them within minutes; he may still
sign in, and can do nothing. A user who holds ten managed policies already has his active access keys deactivated
instead, and his console password is named as left. An administrator, or a user who may become one by assuming a role,
is left while without him no person would remain who is an administrator by the baseline and can come in: you are told
instead, and why. Whoever has a key for Git over SSH or a credential of one service, whose use AWS does not tell, is
proposed and never suspended without you. An operator whom baseline.yaml names is told of, and stays.
Undo: lets the user act again, for a new term of 45 days on the clock `restored`; while a person has suspended him too,
it is refused and says how to end that. A suspension that somebody lifts by hand begins fifteen days.
Source: UK Ministry of Justice, Baseline for AWS accounts (30 idle days); CIS AWS Foundations Benchmark 7.0, 2.11 (45
days); IAM user guide, Get credential reports for your AWS account.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from datetime import timedelta
from typing import Any

from plumbline.controls.iam._activity import (
    IDLE,
    Activity,
    asked,
    by_report,
    leaves_no_trace,
    leaves_no_trace_among_all,
    row_of,
    rows_by_arn,
)
from plumbline.controls.iam._last import administrators_without
from plumbline.controls.iam._matters import WAY_IN_READS
from plumbline.controls.iam._principals import (
    GONE,
    USERS,
    locate_principal,
    named,
    spell_principal,
    users_in_bulk,
    users_that,
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
from plumbline.core.calls import Ask, Call, Plan
from plumbline.core.clock import RESTORED, Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.names import fits
from plumbline.core.targets import GLOBAL, State, Target

KIND = "iam-user"
#: How long after the notice a user is suspended; and how long after an undo.
NOTICE, TERM = timedelta(days=15), timedelta(days=45)
#: The clock of a user who may be active in a way that leaves no trace: a person decides.
UNTRACED = "untraced"


def find(ask: Ask) -> Iterable[Target]:
    """Every user."""
    return (Target(ask.account, GLOBAL, KIND, name) for name in ask.once(_users))


def glance(ask: Ask, target: Target) -> Mapping[Target, State]:
    """One user, by the list of users, the credential report and the bulk read; asked for while there is no report.

    A user whom the report does not know, or knows as somebody else's, was made or moved since, and is asked for.
    """
    user, in_bulk = ask.once(_users)[target.id], ask.once(users_in_bulk).get(target.id, {})
    row = row_of(ask.once(rows_by_arn), user)
    known = by_report(user, row) if row else asked(ask, user)
    attached = in_bulk.get("AttachedManagedPolicies") or ()
    return {target: _state(ask, user, attached, known, administrators_without(ask), leaves_no_trace_among_all)}


def _users(ask: Ask) -> Mapping[str, Mapping[str, Any]]:
    """Each user as the list shows him, which knows when his password was used."""
    return {user["UserName"]: user for user in ask(USERS)["Users"]}


def observe(ask: Ask, target: Target) -> State:
    """One user, asked afresh; None when he is gone."""
    user = ask(Call("iam", "GetUser", named(target), absent=GONE))
    attached = ask(Call("iam", "ListAttachedUserPolicies", named(target), absent=GONE))
    if user is None or attached is None:
        return None
    known = asked(ask, user["User"])
    return _state(ask, user["User"], attached["AttachedPolicies"], known, administrators_without(ask), leaves_no_trace)


def _state(
    ask: Ask,
    user: Mapping[str, Any],
    attached: Iterable[Mapping[str, str]],
    known: Activity,
    without: Without,
    untraced: Callable[[Ask, str], bool],
) -> State:
    idle = known.come_to(ask.now)
    arns = [one["PolicyArn"] for one in attached]
    found = standing(ask, user, arns, without, weighs=bool(idle))
    return {
        "name": user["UserName"],
        "idle": idle,
        "since": f"{known.last:%Y-%m-%d}" if idle else "",
        "used": known.last > known.made if idle else True,
        "untraced": bool(idle) and not is_suspended(found) and untraced(ask, user["UserName"]),
        "standing": found,
    }


def detect(state: State, settings: Settings) -> Deviation | None:
    """Somebody who has not come in for too long, and still could."""
    if state is None or state["idle"] < settings["idle_days"] or is_suspended(state["standing"]):
        return None
    if fits(state["name"], settings["allowed_users"]):
        return None
    since = f"has not been active since {state['since']}" if state["used"] else f"was made on {state['since']}, unused"
    return Deviation(f"{since}, and could still come in", facts(state["standing"]), _clock(state))


def _clock(state: Mapping[str, Any]) -> str:
    return UNTRACED if state["untraced"] else "default"


def excepted(target: Target, settings: Settings) -> bool:
    """A user who may be idle."""
    return fits(target.id, settings["allowed_users"])


def describe(state: State) -> str:
    """When the user was last active, and whether he is suspended."""
    if state is None:
        return "the user does not exist"
    active = (
        f"last active on {state['since']}" if state["idle"] else f"active within {IDLE[0]} days, or without a way in"
    )
    return f"{active}; {described(state['standing'])}"


def plan(target: Target, state: State, settings: Settings, of: Container[str] = EVERY, /) -> Plan:
    """Suspend the user."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    means = f"{_MEANS} {_UNTRACED}" if state["untraced"] else _MEANS
    return suspension(target, state["standing"], settings, of, means=means)


_MEANS = (
    "Before that, a sign-in to the console or a call with a key of this user ends it by itself; after that an undo "
    "lets the user act again. Nothing is deleted."
)
_UNTRACED = "The user has an SSH key or a credential of one service, whose use AWS does not tell."


def part(state: State, repair: Plan) -> State:
    """Whether the user is suspended; when he was active, and who is an administrator, comes and goes."""
    return state and {"name": state["name"], **held_by(state["standing"], repair)}


CONTROL = Control(
    id="iam-idle-users",
    doc=__doc__ or "",
    yourself=(
        "If you still need this user, sign in to the console or use its access key once before then. If you do not, "
        "say so, and it can be deleted."
    ),
    since="0.2",
    severity=Severity.MEDIUM,
    response=Response.ENFORCE,
    clocks={
        "default": Clock(remind=(timedelta(days=7), timedelta(days=12), timedelta(days=14)), act=NOTICE),
        RESTORED: Clock(remind=(timedelta(days=30), timedelta(days=38), timedelta(days=44)), act=TERM),
        UNTRACED: Clock(remind=(timedelta(days=7),), act=NOTICE, mode=Response.PROPOSE),
    },
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    # Days pass without an event; of these a suspension is lifted by hand, or the settings name somebody else.
    wakes_on=(On("iam.amazonaws.com", ("DetachUserPolicy", "UpdateUser"), locate_principal),),
    reads=WAY_IN_READS
    | SUSPENDING_READS
    | {
        "iam:GenerateCredentialReport",
        "iam:GetAccessKeyLastUsed",
        "iam:GetCredentialReport",
        "iam:GetUser",
        "iam:ListAttachedUserPolicies",
        "iam:ListSSHPublicKeys",
        "iam:ListServiceSpecificCredentials",
        "iam:ListUsers",
    },
    writes=SUSPENDING_WRITES,
    noun="user {id}",
    find=find,
    glance=glance,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    part=part,
    people=True,
    excepted=excepted,
    spell=spell_principal,
    settings={
        "idle_days": {
            "type": "integer",
            "enum": list(IDLE),
            "default": 30,
            "description": "After how many days without a sign-in or a use of a key you are told of a user.",
        },
        "allowed_users": users_that("may be idle, such as one for emergencies"),
    },
    answers={"cis-7.0": ("2.11",), "moj": ("identity-idle",)},
)
