"""Console passwords exist only for the users the baseline lists.

Holds: every user with a console password is named in `allowed_users`, in whatever case. As long as you list nobody,
everybody may have one, and nothing is told. The sweep reads the credential report, which AWS makes every four hours at
most, so that a password that was given while its event was lost is seen within some five hours; a user whom the report
does not know is asked for.
Why: a console password outlives the person it was made for, and works from anywhere. Giving one to a quiet user, or
setting another for a user who has one, is how an intruder comes back by the front door.
Repair: you are told, and no more, unless you switch it to `enforce`: then the password is deleted a week after you were
told. That of an administrator, or of a user who may become one by assuming a role, stays while no person would be left
who is an administrator by the baseline and can come in. Access keys of the user stay.
Undo: none, for nobody can bring a password back; whoever is to sign in again gets a new one.
Source: IAM user guide, Manage passwords for IAM users; Startup Security Baseline ACCT.03; CloudTrail CreateLoginProfile
and UpdateLoginProfile.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from plumbline.controls.iam._entitled import administrators, locked_out
from plumbline.controls.iam._matters import WAY_IN_READS, administrators_where_it_matters
from plumbline.controls.iam._principals import GONE, by_name, user_names, users_that
from plumbline.controls.iam._report import rows
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.names import fits, same_name
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.wakes import cloudtrail

KIND = "iam-login-profile"
_YES = "true"


def locate(detail: Event) -> Iterable[Target]:
    """The user whose password it is, under his new name; nobody where a session of root's own is about root's.

    Source: IAM API reference, CreateLoginProfile: without a user's name it is the caller's.
    """
    session = cloudtrail.section(cloudtrail.section(detail.get("userIdentity")).get("sessionContext"))
    user = cloudtrail.parameter(detail, "newUserName", "userName")
    if not user and str(session.get("assumedRoot", "")).lower() == "true":
        return ()
    return cloudtrail.here(detail, KIND, user, region=GLOBAL)


def find(ask: Ask) -> Iterable[Target]:
    """Everybody with a password by the credential report, and who is not in it."""
    known = ask.once(_passwords)
    return (Target(ask.account, GLOBAL, KIND, user) for user in user_names(ask) if known.get(user, True))


def glance(ask: Ask, target: Target) -> Mapping[Target, State]:
    """One of them, if he has a password: who is not in the credential report, or nobody is yet, is asked for."""
    if target.id not in ask.once(_passwords) and not _has_password(ask, target.id):
        return {}
    return {target: {"user": target.id, "administrators": administrators_where_it_matters(ask)(target.id)}}


def _passwords(ask: Ask) -> Mapping[str, bool]:
    """Whether each user has a password, by the credential report; of nobody where there is none."""
    return {row["user"]: row.get("password_enabled") == _YES for row in ask.once(rows) or ()}


def observe(ask: Ask, target: Target) -> State:
    """Whether the user has a password; None where he has none, or is gone."""
    profile = ask(Call("iam", "GetLoginProfile", {"UserName": target.id}, absent=GONE))
    if profile is None:
        return None
    user = profile["LoginProfile"]["UserName"]
    return {"user": user, "administrators": administrators_where_it_matters(ask)(user)}


def _has_password(ask: Ask, user: str) -> bool:
    return ask(Call("iam", "GetLoginProfile", {"UserName": user}, absent=GONE)) is not None


def spell(target: Target, state: State) -> Target:
    """The user under the name that AWS keeps."""
    return replace(target, id=state["user"]) if state and same_name(state["user"], target.id) else target


def part(state: State, _plan: Plan) -> State:
    """The password itself; who is an administrator comes and goes."""
    return state and {"user": state["user"]}


def detect(state: State, settings: Settings) -> Deviation | None:
    """A password of a user that no name or pattern in the baseline covers."""
    if state is None or fits(state["user"], settings["allowed_users"]):
        return None
    return Deviation("has a console password, and the baseline lists none for this user", ("console password",))


def excepted(target: Target, settings: Settings) -> bool:
    """A user that the baseline covers."""
    return fits(target.id, settings["allowed_users"])


def announced(_ask: Ask, detail: Event, state: State, settings: Settings) -> str:
    """A password that was given, and is there no more."""
    user = cloudtrail.parameter(detail, "userName")
    gone = state is None and detail.get("eventName") == "CreateLoginProfile"
    if not gone or not user or fits(user, settings["allowed_users"]):
        return ""
    return "was given a console password, though the baseline lists none for this user"


def describe(state: State) -> str:
    """Whether there is one."""
    return "the user has a console password" if state else "the user has no console password"


def plan(target: Target, state: State, settings: Settings, _facts: Container[str] = EVERY, /) -> Plan:
    """Delete the password, and nothing else of the user."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    if state.get("administrators") and (why := locked_out(state, administrators(settings))):
        return Plan(refusal=why)
    user: dict[str, Any] = {"UserName": state["user"]}
    return Plan(
        steps=(Step(do=Call("iam", "DeleteLoginProfile", user, absent=GONE)),),
        resources=by_name(target.account, "user", state["user"]),
        summary=f"deletes the console password of user {state['user']}",
        irreversible="nobody can bring the password back; whoever is to sign in again gets a new one",
    )


CONTROL = Control(
    id="iam-login-profiles",
    doc=__doc__ or "",
    yourself="If you need to sign in to the console with this user, say so before then; if you do not, do nothing.",
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
    kinds=(KIND,),
    wakes_on=(
        # A password that is set anew is a new one; users are allowed by name, so who is renamed is looked at too.
        On("iam.amazonaws.com", ("CreateLoginProfile", "UpdateLoginProfile", "UpdateUser"), locate),
    ),
    reads=WAY_IN_READS
    | {
        "iam:GenerateCredentialReport",
        "iam:GetCredentialReport",
        "iam:ListUsers",
    },
    writes=frozenset({"iam:DeleteLoginProfile"}),
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
    by_name=True,
    announces=announced,
    spell=spell,
    settings={
        "allowed_users": users_that(
            "may have a console password",
            ("*",),
            minItems=1,
            description="Everybody may until you list some; where nobody may, list a name that no user has.",
        ),
    },
    answers={"ssb": ("ACCT.03",)},
)
