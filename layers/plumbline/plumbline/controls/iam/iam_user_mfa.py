"""Whoever has a console password has MFA.

Holds: every user with a console password has an MFA device of any kind: a passkey or security key, an authenticator
app, or a hardware token. The credential report, which AWS makes every four hours at most, says who may lack one, and
IAM is asked about each of these; a password that is made and a device that is taken away are looked at within seconds.
Why: a password can be guessed, reused and phished, and the console of a user without a second factor is open to whoever
has it, from anywhere.
Repair: fourteen days after you were told, with reminders, the stack's policy `STACK-without-mfa` is attached to the
user. It denies everything but MFA self-service for as long as a request comes without MFA. So the user cures it
himself, in the console; his access keys stop as well, unless he begins a session with MFA. Once he has a device
Plumbline takes the policy off again. It gives nothing: a user who may not manage his own devices needs an administrator
to assign him one. An administrator, or a user who may become one by assuming a role, is left while without him no
person would remain who is an administrator by the baseline and can come in: you are told instead, and why.
Undo: takes the policy off; the fourteen days begin anew.
Source: UK Ministry of Justice, Baseline for AWS accounts; CIS AWS Foundations Benchmark 7.0, 2.10; IAM user guide, IAM:
Allows IAM users to self-manage an MFA device, and Assign a virtual MFA device in the AWS Management Console.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from plumbline.controls.iam._activity import row_of, rows_by_arn
from plumbline.controls.iam._entitled import administrators, locked_out
from plumbline.controls.iam._last import administrators_without
from plumbline.controls.iam._matters import WAY_IN_READS
from plumbline.controls.iam._principals import (
    GONE,
    MOST_ATTACHED,
    by_name,
    named,
    own_policy,
    spell_principal,
    users_in_bulk,
    users_that,
)
from plumbline.controls.iam._report import Row
from plumbline.controls.iam._suspending import SUSPENDED, Without, attached
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.names import fits
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.wakes import cloudtrail

KIND = "iam-user"
#: How the name of the policy ends that leaves nothing but MFA self-service.
WITHOUT_MFA = "without-mfa"
#: The clock of a user who carries it and needs it no more.
NEEDLESS = "needless"
_TERM = timedelta(days=14)
_REMINDERS = (timedelta(days=7), timedelta(days=11), timedelta(days=13))


def locate(detail: Event) -> Iterable[Target]:
    """The user whose password, devices, policies or name an event changed; all where it does not say which."""
    name = cloudtrail.parameter(detail, "newUserName", "userName")
    return cloudtrail.here(detail, KIND, name, region=GLOBAL)


def find(ask: Ask) -> Iterable[Target]:
    """Every user."""
    return (Target(ask.account, GLOBAL, KIND, name) for name in ask.once(users_in_bulk))


def glance(ask: Ask, target: Target) -> Mapping[Target, State]:
    """One user, by the credential report and the bulk read; asked for while there is no report.

    A user whom the report does not know, or knows as somebody else's, was made or moved since, and is asked for.
    """
    user = ask.once(users_in_bulk)[target.id]
    row = row_of(ask.once(rows_by_arn), user)
    password = _says(row, "password_enabled") if row else _has_password(ask, target.id)
    is_safe = row is not None and password and _says(row, "mfa_active")
    arns = [one["PolicyArn"] for one in user.get("AttachedManagedPolicies") or ()]
    return {target: _state(ask, user, arns, administrators_without(ask), password=password, is_safe=is_safe)}


def observe(ask: Ask, target: Target) -> State:
    """One user, asked afresh; None when he is gone."""
    user = ask(Call("iam", "GetUser", named(target), absent=GONE))
    held = ask(Call("iam", "ListAttachedUserPolicies", named(target), absent=GONE))
    if user is None or held is None:
        return None
    arns, password = [one["PolicyArn"] for one in held["AttachedPolicies"]], _has_password(ask, target.id)
    return _state(ask, user["User"], arns, administrators_without(ask), password=password)


def _says(row: Row, column: str) -> bool:
    return row[column] == "true"


def _has_password(ask: Ask, user: str) -> bool:
    return ask(Call("iam", "GetLoginProfile", {"UserName": user}, absent=GONE)) is not None


def _state(
    ask: Ask,
    user: Mapping[str, Any],
    arns: Sequence[str],
    without: Without,
    *,
    password: bool,
    is_safe: bool = False,
) -> State:
    """What decides: who has no password and carries nothing is asked nothing more.

    Args:
        ask: the eyes.
        user: as IAM shows him.
        arns: of the managed policies that are attached to him.
        without: see `_last.administrators_without`.
        password: whether he has a console password.
        is_safe: whether it is known already that he has MFA.
    """
    name, policy = user["UserName"], own_policy(ask, WITHOUT_MFA)
    carries, suspended = policy in arns, own_policy(ask, SUSPENDED) in arns
    mfa = is_safe
    if not is_safe and (password or carries):
        devices = ask(Call("iam", "ListMFADevices", {"UserName": name}, absent=GONE)) or {}
        mfa = bool(devices.get("MFADevices"))
    lacks = password and not mfa
    left = without(name, user["Arn"]) if lacks and not (carries or suspended) else None
    return {
        "name": name,
        "password": password,
        "mfa": mfa,
        "policy": policy,
        "carries": carries,
        "suspended": suspended,
        "full": lacks and not carries and len(arns) >= MOST_ATTACHED,
        "left": left if left is None else list(left),
    }


def detect(state: State, settings: Settings) -> Deviation | None:
    """A password without MFA; or the policy on somebody who needs it no more."""
    if state is None or state["suspended"]:
        return None
    allowed = fits(state["name"], settings["allowed_users"])
    lacks = state["password"] and not state["mfa"]
    if state["carries"]:
        why = "has MFA" if state["mfa"] else "needs no MFA" if lacks else "has no console password any more"
        needless = Deviation(f"{why}, and is still denied what comes without MFA", (WITHOUT_MFA,), NEEDLESS)
        return None if lacks and not allowed else needless
    return Deviation("has a console password and no MFA", ("no MFA",)) if lacks and not allowed else None


def excepted(target: Target, settings: Settings) -> bool:
    """A user who needs none; whether he carries the policy cannot be said without a look."""
    return fits(target.id, settings["allowed_users"])


def describe(state: State) -> str:
    """Password, MFA, and whether everything else is denied."""
    if state is None:
        return "the user does not exist"
    has = f"{'a' if state['password'] else 'no'} console password"
    if state["password"]:
        has += f", {'with' if state['mfa'] else 'without'} MFA"
    return f"{has}{'; all but MFA self-service is denied without MFA' if state['carries'] else ''}"


def plan(target: Target, state: State, settings: Settings, _facts: Container[str] = EVERY, /) -> Plan:
    """Deny everything but MFA self-service while MFA is absent; or end that."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    policy, resources = state["policy"], by_name(target.account, "user", target.id)
    if state["carries"]:
        return Plan(
            steps=(_taken_off(target.id, policy),),
            resources=resources,
            summary=f"takes {_short(policy)} off user {target.id} again",
        )
    if state["full"]:
        return Plan(refusal=_FULL)
    if state["left"] is not None and (why := locked_out({"administrators": state["left"]}, administrators(settings))):
        return Plan(refusal=why)
    return Plan(
        steps=(attached(target.id, policy),),
        resources=resources,
        summary=f"attaches {_short(policy)} to user {target.id}: all but MFA self-service is denied without MFA",
        irreversible="sessions of roles that the user has assumed before live on until they expire",
        means=_CURE,
    )


_FULL = (
    f"the user holds {MOST_ATTACHED} managed policies, AWS's default quota, so the one that denies what comes without "
    "MFA cannot be attached; detach one of them, or give the user MFA"
)
#: In the console's own words. Source: IAM user guide, Assign a virtual MFA device in the AWS Management Console.
_CURE = (
    "The user cures it, before and after: in the console his name at the upper right, Security credentials, "
    "Multi-factor authentication (MFA), Assign MFA device; then he signs out and in again. Once he carries the policy, "
    "his access keys are denied as well until then."
)


def _taken_off(user: str, policy: str) -> Step:
    step = attached(user, policy)
    return Step(do=step.undo[0], undo=(step.do,))


def part(state: State, _plan: Plan) -> State:
    """Whether the user carries the policy; his password and devices are his own."""
    return state and {"name": state["name"], "carries": state["carries"]}


def _short(arn: str) -> str:
    return arn.rpartition("/")[2]


CONTROL = Control(
    id="iam-user-mfa",
    doc=__doc__ or "",
    yourself=(
        "Sign in to the console, choose your user name on the upper right and Security credentials, and under "
        "Multi-factor authentication (MFA) choose Assign MFA device. Then sign out, and sign in with it. If the "
        "console does not let you, ask whoever runs Plumbline to assign you one."
    ),
    since="0.2",
    severity=Severity.HIGH,
    response=Response.ENFORCE,
    clocks={
        "default": Clock(remind=_REMINDERS, act=_TERM),
        # Told first, like all that a sweep finds; who has signed in with MFA is not held by it meanwhile.
        NEEDLESS: Clock(act=timedelta(hours=1)),
    },
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(
        On(
            "iam.amazonaws.com",
            ("CreateLoginProfile", "DeactivateMFADevice", "DetachUserPolicy", "EnableMFADevice", "UpdateUser"),
            locate,
        ),
    ),
    reads=WAY_IN_READS
    | {
        "iam:GenerateCredentialReport",
        "iam:GetCredentialReport",
        "iam:GetUser",
        "iam:ListAttachedUserPolicies",
    },
    writes=frozenset({"iam:AttachUserPolicy", "iam:DetachUserPolicy"}),
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
        "allowed_users": users_that("may have a console password without MFA"),
    },
    answers={"cis-7.0": ("2.10",), "moj": ("identity-mfa",), "ssb": ("ACCT.05",)},
)
