"""The root user has a second factor, or no credentials at all.

Holds: root has MFA. An account whose root has neither password nor access key nor signing certificate, because its
organisation manages root access centrally, needs none. AWS tells whether root has MFA and which virtual devices it has,
and nothing of passkeys and other hardware; so `not_virtual` tells of a root that has a virtual device, and
`second_device` of one that AWS shows a single virtual device of: another kind beside it nobody can see.
Why: root can do everything, no policy of the account limits it, and its password is a password like any other: it is
guessed, reused, or asked for by a mail that looks like AWS's. With a second factor the password alone opens nothing.
Repair: none; nobody but root can set up its MFA. You are told each day, with what to choose where.
Undo: none; nothing is changed.
Source: IAM user guide, Multi-factor authentication for AWS account root user; IAM API reference, GetAccountSummary and
ListVirtualMFADevices; CIS AWS Foundations Benchmark, 2.5 and 2.6.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from datetime import timedelta
from typing import Any

from plumbline.controls.root._root import BY_ROOT, CENTRALLY, SIGN_IN, credentials, found, its_own
from plumbline.core.calls import Ask, Call, Plan
from plumbline.core.cause import Event
from plumbline.core.clock import Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import State, Target

KIND = "root-mfa"
#: The clock of a second factor that is there, and not of the kind that the baseline wants.
OTHER = "other-device"
_DEVICES = Call("iam", "ListVirtualMFADevices", {"AssignmentStatus": "Assigned", "MaxItems": 1000})
_ASSIGN = f"only root can. {SIGN_IN}; under Multi-factor authentication (MFA) choose Assign MFA device"


def locate(detail: Event) -> Iterable[Target]:
    """The root user, where it is about a device of its own."""
    return its_own(detail, KIND)


def find(ask: Ask) -> Iterable[Target]:
    """The account has one."""
    return found(ask, KIND)


def observe(ask: Ask, target: Target) -> State:
    """Which credentials root has, and how many virtual devices; they are asked for only where there is any."""
    known = credentials(ask)
    devices = ask(_DEVICES)["VirtualMFADevices"] if known["mfa"] else ()
    mine = [one for one in devices if str(one.get("User", {}).get("Arn", "")).endswith(f":{target.account}:root")]
    return {**known, "virtual": len(mine)}


def detect(state: State, settings: Settings) -> Deviation | None:
    """No second factor where there is something to sign in with; or one of another kind than the baseline wants."""
    assert state is not None  # noqa: S101 - an account always has a root user
    if not state["mfa"]:
        signs_in = any(state[name] for name in ("password", "keys", "certificates"))
        return Deviation("has no second factor (MFA)", ("no MFA",)) if signs_in else None
    if settings["not_virtual"] and state["virtual"]:
        return Deviation("has a virtual MFA device, and the baseline wants another kind", ("virtual device",), OTHER)
    if settings["second_device"] and state["virtual"] == 1:
        return Deviation("has a single virtual MFA device, as far as AWS tells", ("single device",), OTHER)
    return None


def describe(state: State) -> str:
    """Whether it has MFA and what AWS tells of it; or what it has to sign in with."""
    assert state is not None  # noqa: S101 - an account always has a root user
    if not state["mfa"]:
        return f"root has no MFA; {_has(state)}"
    if not state["virtual"]:
        return "root has MFA, with no virtual device"
    return f"root has MFA, with {state['virtual']} virtual device{'s' * (state['virtual'] != 1)}"


def plan(_target: Target, state: State, settings: Settings, _facts: Container[str] = EVERY, /) -> Plan:
    """Only root can: what to choose where."""
    assert state is not None  # noqa: S101 - an account always has a root user
    if not state["mfa"]:
        return Plan(
            refusal=f"{_ASSIGN}, type a Device name, choose its kind and then Next (IAM user guide, Multi-factor "
            f"authentication for AWS account root user). Or {CENTRALLY}"
        )
    if settings["not_virtual"] and state["virtual"]:
        return Plan(
            refusal=f"{_ASSIGN}, and a passkey or security key, or a hardware TOTP token; then remove the virtual "
            "device there"
        )
    return Plan(
        refusal=f"{_ASSIGN}, up to eight in all. Where another kind is beside it, which AWS does "
        "not show, exempt this or take `second_device` out of the baseline"
    )


def _has(state: Mapping[str, Any]) -> str:
    words = {"password": "a password", "keys": "an access key", "certificates": "a signing certificate"}
    return f"it has {', '.join(text for name, text in words.items() if state[name]) or 'no credentials at all'}"


CONTROL = Control(
    id="root-mfa",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.HIGH,
    response=Response.ALERT,
    clocks={
        "default": Clock(every=timedelta(days=1), escalate=timedelta(days=7)),
        OTHER: Clock(remind=(timedelta(days=7),)),
    },
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(On("iam.amazonaws.com", ("DeactivateMFADevice", "EnableMFADevice"), locate, match=BY_ROOT),),
    reads=frozenset({"iam:GetAccountSummary", "iam:ListVirtualMFADevices"}),
    writes=frozenset(),
    noun="the root user",
    find=find,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    settings={
        "not_virtual": {
            "type": "boolean",
            "default": False,
            "description": "Root's device is to be none that is an app: a passkey, a security key or a hardware token.",
        },
        "second_device": {
            "type": "boolean",
            "default": False,
            "description": "Root is to have another device where AWS shows a single virtual one.",
        },
    },
    answers={"cis-7.0": ("2.5", "2.6"), "ssb": ("ACCT.02", "ACCT.05")},
)
