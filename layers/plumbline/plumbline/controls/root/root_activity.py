"""The root user is not used.

Holds: nobody signs in as root and nothing is called as root, not even in vain: whoever makes a call that AWS refuses
holds root's keys all the same. The first sign-in or call of each session tells at once. A sign-in that fails does not
tell, for whoever knows root's e-mail address can fail to sign in, and could fill your mailbox; whoever gets past the
password is asked for the second factor, and that tells. Root's sign-ins, and its calls to IAM and other global
services, are recorded in us-east-1, and its other calls in the region called: the forwarder of each governed region
passes them on.
Why: root can do everything, no policy of the account limits it, and nearly nothing needs it. Either somebody who may
broke the rule, or somebody who may not holds the keys to the whole account. If it was not you, act now: choose Forgot
password? on the sign-in page and set a new one; then sign in as root, choose the account's name at the upper right and
then Security credentials, remove every access key and MFA device that you do not know, and call AWS Support.
Repair: none; no API takes a session away from root.
Undo: nothing to undo.
Source: IAM user guide, Root user best practices, and Reset a lost or forgotten root user password; AWS CloudTrail user
guide, CloudTrail userIdentity element, and AWS Management Console sign-in events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any

from plumbline.core.cause import Event
from plumbline.core.clock import NEVER, Response, instant
from plumbline.core.control import Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.wakes import cloudtrail

KIND = "root-session"
#: What sign-in events mean; their names are no API's.
_SIGN_INS = {
    "CheckMfa": "was asked for the second factor",
    "ConsoleLogin": "signed in to the console",
    "PasswordRecoveryRequested": "asked for a new password",
    "PasswordRecoveryCompleted": "got a new password",
    "PasswordUpdated": "changed the password",
}
_MFA = {"yes": "with MFA", "true": "with MFA", "no": "without MFA", "false": "without MFA"}


def locate(detail: Event) -> Iterable[Target]:
    """The session the event belongs to; none when it was not root itself, or a sign-in did not succeed.

    A session is told apart by the hour it began and the address it comes from, so that one sign-in with 500 calls tells
    once, and a second person tells again. A sign-in event carries no session yet; its own time is seconds away from the
    session's, so that only a sign-in across the full hour, or a change of address, tells twice.
    """
    if not cloudtrail.is_root(detail) or "Failure" in cloudtrail.section(detail.get("responseElements")).values():
        return ()
    return cloudtrail.here(detail, KIND, _hour(detail), *_address(detail), region=GLOBAL)


def witness(detail: Event) -> State:
    """What was done or tried first, and with which kind of credentials."""
    used = cloudtrail.section(detail.get("additionalEventData")).get("MFAUsed")
    key = cloudtrail.section(detail.get("userIdentity")).get("accessKeyId")
    return {
        "service": str(detail.get("eventSource", "")).removesuffix(".amazonaws.com"),
        "event": str(detail.get("eventName", "")),
        "mfa": _MFA.get(str(_session(detail).get("mfaAuthenticated") or used).lower(), ""),
        "key": str(key).startswith("AKIA"),  # made to last; those of sessions begin with ASIA
        "error": str(detail.get("errorCode") or ""),
    }


def detect(state: State, _settings: Settings) -> Deviation | None:
    """Whatever was seen deviates."""
    if state is None:
        return None
    how = " with an access key" if state["key"] else " without MFA" if state["mfa"] == "without MFA" else ""
    refused = f", and was refused: {state['error']}" if state["error"] else ""
    return Deviation(f"{_done(state)}{how}{refused}", (f"{state['service']}:{state['event']}",))


def describe(state: State) -> str:
    """What was done or tried, with which kind of credentials."""
    if state is None:
        return "no use of root"
    if state["event"] == "CheckMfa":
        return f"root {_done(state)}; a sign-in that succeeds belongs to this session, and is not told again"
    how = "with an access key" if state["key"] else state["mfa"] or "the event does not say whether with MFA"
    refused = f"; AWS refused it: {state['error']}" if state["error"] else ""
    return f"root {_done(state)}, {how}{refused}"


def _done(state: Mapping[str, Any]) -> str:
    if state["service"] == "signin":
        return _SIGN_INS.get(state["event"], f"did {state['event']} at sign-in")
    return f"called {state['service']}:{state['event']}"


def _session(detail: Event) -> Event:
    context = cloudtrail.section(cloudtrail.section(detail.get("userIdentity")).get("sessionContext"))
    return cloudtrail.section(context.get("attributes"))


def _hour(detail: Event) -> str:
    at = instant(_session(detail).get("creationDate")) or instant(detail.get("eventTime"))
    return f"{at:%Y-%m-%dT%H}" if at else "unknown-hour"


def _address(detail: Event) -> tuple[str, ...]:
    try:
        return (str(ip_address(str(detail.get("sourceIPAddress")))),)
    except ValueError:  # the console's own services appear by name
        return ()


CONTROL = Control(
    id="root-activity",
    doc=__doc__ or "",
    since="0.1",
    severity=Severity.HIGH,
    response=Response.ALERT,
    clocks={"default": NEVER},
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(
        On(
            "signin.amazonaws.com",
            (),
            locate,
            detail_type="AWS Console Sign In via CloudTrail",
            match={"userIdentity": {"type": ["Root"]}},
        ),
        On(
            "",
            (),
            locate,
            match={
                "userIdentity": {"type": ["Root"], "invokedBy": [{"exists": False}, *cloudtrail.CONSOLE]},
                "eventType": [{"anything-but": "AwsServiceEvent"}],
            },
            reads_too=True,  # for root, reading is using,
            failed_too=True,  # and so is trying
        ),
    ),
    reads=frozenset(),
    writes=frozenset(),
    noun="the root user",
    detect=detect,
    describe=describe,
    witness=witness,
    answers={"cis-7.0": ("2.7", "5.3"), "moj": ("identity-root",), "ssb": ("ACCT.02",)},
)
