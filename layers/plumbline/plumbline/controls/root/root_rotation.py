"""After each use of root, its password or its MFA device is changed.

Holds: since root last signed in with its password, it has got a new password or a new MFA device. When it signed in is
said by IAM's credential report, which AWS makes every four hours at most; whether something was changed since, by
CloudTrail's event history, which shows what happened some minutes later and remembers it for 90 days: after that nobody
can tell, and nothing is held. A change that the history does not show, such as one that AWS Support has made, is
recorded by an exemption, with a reason and an end; the next use is told again when that is over.
Why: whoever needed root had its password in his hands, perhaps read out on the telephone. A password that is new after
each use is good for nobody else, and shows that somebody answers for the use.
Repair: none; nobody but root can change either. You are told with what to choose where, reminded, and after seven days
it is escalated.
Undo: none; nothing is changed.
Source: IAM user guide, Generate credential reports for your AWS account; AWS Account Management reference guide, Update
root user password; AWS CloudTrail user guide, AWS Management Console sign-in events; CloudTrail API reference,
LookupEvents.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from plumbline.controls.iam._report import ORDER, REPORT, Row, rows_of
from plumbline.controls.root._root import SIGN_IN, found, its_own
from plumbline.core.calls import Ask, Call, Plan
from plumbline.core.clock import Clock, Response, instant
from plumbline.core.control import EVERY, Control, Deviation, Scope, Settings, Severity
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.wakes import cloudtrail

KIND = "root-rotation"
#: The report's name of root. Source: IAM user guide, Generate credential reports for your AWS account.
_IN_REPORT = "<root_account>"
#: What changes what root signs in with, the likeliest first: AWS answers two of these questions in a second.
_CHANGES = ("PasswordUpdated", "EnableMFADevice", "PasswordRecoveryCompleted")
#: For how long the event history remembers, and a day of room: what is asked of before that, it may not know.
_REMEMBERED = timedelta(days=89)


def find(ask: Ask) -> Iterable[Target]:
    """The account has one root user."""
    return found(ask, KIND)


def observe(ask: Ask, _target: Target) -> State:
    """When root last signed in, as far as anybody can judge it, and what was changed since."""
    used = _last_used(_report(ask))
    if used is None or ask.now - used > _REMEMBERED:
        return {"used": "", "changed": ""}
    return {"used": f"{used:%Y-%m-%d %H:%M} UTC", "changed": _changed(ask, used)}


def _report(ask: Ask) -> Sequence[Row]:
    """The credential report.

    Raises:
        AwsRefusal: there is none yet, or none young enough, and IAM is making one: nothing is known until it is there.
    """
    report = ask(REPORT)
    if report is None:
        ask(ORDER)
        report = ask(replace(REPORT, region=GLOBAL))  # the same question, and not the same answer any more
    if report is None:
        raise AwsRefusal("ReportInProgress", "IAM is making the credential report, and is asked again", REPORT)
    return rows_of(report)


def _last_used(report: Sequence[Row]) -> datetime | None:
    """When root last signed in with its password; None where the report has no such time."""
    said = next((row.get("password_last_used") for row in report if row.get("user") == _IN_REPORT), None)
    return instant(said)


def _changed(ask: Ask, used: datetime) -> str:
    """What of root's was changed since, by the name of its event; empty where nothing was."""
    for name in _CHANGES:
        asked = {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": name}]}
        listed = ask(Call("cloudtrail", "LookupEvents", {**asked, "StartTime": used.isoformat()}))
        if any(_is_roots(one.get("CloudTrailEvent", ""), used) for one in listed.get("Events") or ()):
            return name
    return ""


def _is_roots(record: str, used: datetime) -> bool:
    """Whether an event changed something of root's own, and did not fail."""
    try:
        detail = cloudtrail.section(json.loads(record))
    except ValueError:
        return False
    at = instant(detail.get("eventTime"))
    failed = detail.get("errorCode") or "Failure" in cloudtrail.section(detail.get("responseElements")).values()
    return bool(at and at >= used and not failed and cloudtrail.is_root(detail) and [*its_own(detail, KIND)])


def detect(state: State, _settings: Settings) -> Deviation | None:
    """A use after which nothing was changed."""
    assert state is not None  # noqa: S101 - an account always has a root user
    if not state["used"] or state["changed"]:
        return None
    return Deviation(
        f"has neither a new password nor a new MFA device since it signed in on {state['used']}",
        (f"used on {state['used']}",),
    )


def describe(state: State) -> str:
    """The last use, and what was changed since."""
    assert state is not None  # noqa: S101 - an account always has a root user
    if not state["used"]:
        return "no use of root's password in the last 89 days is known"
    return f"root signed in on {state['used']}; changed since: {_WORDS.get(state['changed'], 'nothing')}"


_WORDS: Mapping[str, Any] = {
    "PasswordUpdated": "its password",
    "PasswordRecoveryCompleted": "its password",
    "EnableMFADevice": "its MFA device",
}


def plan(_target: Target, _state: State, _settings: Settings, _facts: Container[str] = EVERY, /) -> Plan:
    """Only root can: what to choose where."""
    return Plan(
        refusal=f"only root can. {SIGN_IN}; under Multi-factor authentication (MFA) choose Assign MFA device, and "
        "remove the old one. Or choose Account there, by Account details Actions and Update email address and "
        "password, and by Password Edit (AWS Account Management reference guide, Update root user password). If that "
        "was done and AWS's event history does not show it, record it by an exemption, as below"
    )


CONTROL = Control(
    id="root-rotation",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.MEDIUM,
    response=Response.ALERT,
    clocks={
        "default": Clock(
            remind=(timedelta(days=3), timedelta(days=6)), every=timedelta(days=7), escalate=timedelta(days=7)
        )
    },
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    # What is asked shows events minutes after they could wake: the sweep asks each hour.
    wakes_on=(),
    reads=frozenset({"cloudtrail:LookupEvents", "iam:GenerateCredentialReport", "iam:GetCredentialReport"}),
    writes=frozenset(),
    noun="the root user",
    find=find,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    answers={"moj": ("identity-root-cycle",)},
)
