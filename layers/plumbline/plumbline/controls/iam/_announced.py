"""What an event says of administrator rights that are not there any more: only told, never judged by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plumbline.controls.iam._entitled import trusted
from plumbline.controls.iam._principals import GONE, principal
from plumbline.core.calls import Ask, Call
from plumbline.core.cause import Event
from plumbline.core.control import Settings
from plumbline.core.errors import AwsRefusal
from plumbline.core.names import among
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.rights.administrators import AWS_ADMIN_POLICIES, admin_reason
from plumbline.rights.documents import document
from plumbline.wakes import cloudtrail

_BY_AWS = ":iam::aws:policy/"
_UNKNOWN = "and nobody can read any more what it allowed"


def announced(ask: Ask, detail: Event, state: State, settings: Settings) -> str:
    """The administrator rights that an event gave and that its target holds no more; empty where it gave none.

    Args:
        ask: reads what an attached policy says, where the event does not.
        detail: the CloudTrail record.
        state: what was just seen of the target, in line with the rule.
        settings: the control's.

    Returns:
        what happened, as it reads after the target's name.
    """
    held: Mapping[str, Any] = state or {}
    event = str(detail.get("eventName"))
    if held.get("kind") != "policy" and held and trusted(held, settings["administrators"]):
        return ""
    if event.startswith("Put"):
        return _of_inline(detail, held)
    if event.startswith("Attach"):
        return _of_attached(ask, detail, held)
    if event == "AddUserToGroup":
        return _of_joined(ask, detail, held, settings)
    if event == "CreatePolicyVersion" and not held.get("reasons"):
        why = _reason(cloudtrail.parameter(detail, "policyDocument"))
        is_default = cloudtrail.section(detail.get("requestParameters")).get("setAsDefault") is True
        return (
            f"got a version that made administrators of whoever held it: {_clause(why)}" if why and is_default else ""
        )
    return ""


def _of_inline(detail: Event, held: Mapping[str, Any]) -> str:
    name, why = cloudtrail.parameter(detail, "policyName"), _reason(cloudtrail.parameter(detail, "policyDocument"))
    return f"was given inline policy {name}: {_clause(why)}" if why and name not in held.get("inline", ()) else ""


def _of_attached(ask: Ask, detail: Event, held: Mapping[str, Any]) -> str:
    arn = cloudtrail.parameter(detail, "policyArn")
    if not arn or arn in held.get("attached", ()):
        return ""
    why, name = _attached(ask, arn), arn.partition(":policy/")[2]
    if why == _UNKNOWN:
        return f"was given policy {name}, {why}"
    return f"was given policy {name}: {_clause(why)}" if why else ""


def _of_joined(ask: Ask, detail: Event, held: Mapping[str, Any], settings: Settings) -> str:
    group, account = cloudtrail.parameter(detail, "groupName"), cloudtrail.account(detail)
    who = settings["administrators"]
    if not group or any(among(group, (one,)) for one in held.get("groups", ())):
        return ""
    if among(group, who["groups"]):
        return f"was made a member of {group}, whose members are administrators"
    try:
        found = principal(ask, Target(account, GLOBAL, "iam-group", group))
    except AwsRefusal:
        return f"was made a member of {group}, {_UNKNOWN}"
    if found is None:
        return ""
    reasons = [*map(admin_reason, found["inline"].values()), *(_attached(ask, arn) for arn in found["attached"])]
    why = next((one for one in reasons if one and one != _UNKNOWN), "")
    return f"was made a member of {group}: {_clause(why)}" if why else ""


def _attached(ask: Ask, arn: str) -> str:
    """Why a managed policy makes an administrator; empty where it does not."""
    if _BY_AWS in arn:
        name = arn.partition(_BY_AWS)[2]
        return "makes an administrator" if name in AWS_ADMIN_POLICIES else ""
    try:
        policy = ask(Call("iam", "GetPolicy", {"PolicyArn": arn}, absent=GONE))
        if policy is None:
            return _UNKNOWN
        version = {"PolicyArn": arn, "VersionId": policy["Policy"]["DefaultVersionId"]}
        found = ask(Call("iam", "GetPolicyVersion", version, absent=GONE))
    except AwsRefusal:
        return _UNKNOWN
    return admin_reason(document(found["PolicyVersion"]["Document"])) if found else _UNKNOWN


def _clause(why: str) -> str:
    return why if why.startswith("its holder") else f"it {why}"


def _reason(text: str) -> str:
    """Why a policy in an event makes an administrator; empty where it does not, or cannot be read."""
    try:
        return admin_reason(document(text)) if text else ""
    except (ValueError, RecursionError, AttributeError, TypeError):
        return ""
