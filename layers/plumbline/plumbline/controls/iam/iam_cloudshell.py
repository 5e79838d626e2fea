"""All of CloudShell is for those whom the baseline names.

Holds: only whom `allowed` names, and the administrators, operators and deployers of the baseline, hold a policy that
names CloudShell and lets files go in and out of it: AWS's own `AWSCloudShellFullAccess`, or one of your own that allows
`cloudshell:*` or the two calls for it. What is denied counts, where the same user, group or role holds the denial. A
policy that allows everything of every service makes an administrator, and is `iam-admin-grants`' business. AWS's
`AWSManagementConsoleBasicUserAccess` lets nobody move files, and is fine. Policies that are changed without being
attached anew are seen by the next sweep.
Why: CloudShell is a computer with the rights of whoever opens it, a way to the internet and files to upload and
download: a quiet way out for data, past whatever watches your own network and machines.
Repair: none; whether somebody needs it for his work is for you. Detach the policy, name him in `allowed`, or give him
CloudShell without file transfer, as AWS's guide shows it.
Undo: none; nothing is changed.
Source: CIS AWS Foundations; AWS CloudShell user guide, Managing AWS CloudShell access and usage with IAM policies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from plumbline.controls.iam._entitled import administrators, trusted
from plumbline.controls.iam._principals import (
    EVERYTHING,
    GONE,
    PRINCIPAL_READS,
    PRINCIPALS,
    default_document,
    locate_principal,
    named,
    principal,
    principals,
    spell_principal,
)
from plumbline.core import people
from plumbline.core.calls import Ask, Call
from plumbline.core.cause import Event
from plumbline.core.clock import Clock, Response
from plumbline.core.control import Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.names import fits
from plumbline.core.targets import State, Target
from plumbline.rights.account import Principal
from plumbline.rights.documents import Document, allows, document, listed, statements
from plumbline.rights.effective import may
from plumbline.wakes import cloudtrail

#: What AWSManagementConsoleBasicUserAccess leaves out of CloudShell, and AWSCloudShellFullAccess allows.
_TRANSFERS = ("cloudshell:GetFileDownloadUrls", "cloudshell:GetFileUploadUrls")
_OF_AWS = ":iam::aws:policy/"
_FULL = f"{_OF_AWS}AWSCloudShellFullAccess"
#: Source: AWS managed policy reference, AWSCloudShellFullAccess.
_FULL_ACCESS: Document = {"Statement": [{"Effect": "Allow", "Action": "cloudshell:*", "Resource": "*"}]}
Read = Callable[[str], Document]


def survey(ask: Ask) -> Mapping[Target, State]:
    """Every user, group and role, from the bulk read that the IAM controls share."""
    everything = ask(EVERYTHING)
    own = {one["Arn"]: one for one in everything["Policies"]}
    groups = {one["UserName"]: sorted(one.get("GroupList") or []) for one in everything["UserDetailList"]}
    read = cache(lambda arn: default_document(own[arn]) if arn in own else {})
    return {
        target: _state(one, read, lambda target=target: groups.get(target.id, []))  # type: ignore[misc]
        for target, one in principals(ask).items()
    }


def observe(ask: Ask, target: Target) -> State:
    """One of them, afresh; what AWS's other policies say is not asked."""
    found = principal(ask, target)
    return found and _state(found, lambda arn: _document(ask, arn), lambda: _groups(ask, target))


def _state(found: Mapping[str, Any], read: Read, groups: Callable[[], list[str]]) -> dict[str, Any]:
    by = _giving(found, read)
    return {
        "kind": found["kind"],
        "name": found["name"],
        "arn": found["arn"],
        "groups": groups() if by and found["kind"] == "user" else [],
        "keeper": "",
        "by": by,
    }


def _giving(found: Mapping[str, Any], read: Read) -> list[str]:
    """The policies by which somebody has all of CloudShell, as far as nothing of his own denies it."""
    texts = {name: document(text) for name, text in found["inline"].items()} | {
        arn: _FULL_ACCESS if arn.endswith(_FULL) else read(arn)
        for arn in found["attached"]
        if arn.endswith(_FULL) or _OF_AWS not in arn
    }
    giving = [name for name, text in texts.items() if _names_cloudshell(text)]
    if not giving:
        return []
    me = Principal(found["arn"], found["name"], found["kind"], tuple(texts.values()))
    return giving if any(may(me, action) for action in _TRANSFERS) else []


def _names_cloudshell(text: Document) -> bool:
    """Whether a document allows a file to go in or out, and says `cloudshell` itself."""
    return any(
        one.get("Effect") == "Allow"
        and any(allows(one, action) for action in _TRANSFERS)
        and any(str(name).lower().startswith("cloudshell:") for name in listed(one.get("Action")))
        for one in statements(text)
    )


def _document(ask: Ask, arn: str) -> Document:
    policy = ask(Call("iam", "GetPolicy", {"PolicyArn": arn}, absent=GONE))
    if policy is None:
        return {}
    version = {"PolicyArn": arn, "VersionId": policy["Policy"]["DefaultVersionId"]}
    answer = ask(Call("iam", "GetPolicyVersion", version, absent=GONE))
    return document(answer["PolicyVersion"]["Document"]) if answer else {}


def _groups(ask: Ask, target: Target) -> list[str]:
    answer = ask(Call("iam", "ListGroupsForUser", named(target), absent=GONE))
    return sorted(one["GroupName"] for one in answer["Groups"]) if answer else []


def detect(state: State, settings: Settings) -> Deviation | None:
    """All of CloudShell with somebody whom the baseline does not name."""
    if state is None or not state["by"] or _is_named(state, settings):
        return None
    return Deviation("has all of CloudShell, and the baseline does not say so", tuple(state["by"]))


def _is_named(state: Mapping[str, Any], settings: Settings) -> bool:
    spelled = {f"{state['kind']}/{state['name']}", f"{state['kind']}/{state['name'].rpartition('/')[2]}"}
    if any(fits(one, settings["allowed"]) for one in spelled) or trusted(state, administrators(settings)):
        return True
    account = state["arn"].split(":")[4]
    known = settings.get("people", {})
    return people.named(
        state["arn"], [one for key in people.LISTS for one in people.of_account(known.get(key, ()), account)]
    )


def excepted(target: Target, settings: Settings) -> bool:
    """Whom `allowed` names; of a role its path is not known."""
    return fits(f"{PRINCIPALS.get(target.kind, '').lower()}/{target.id}", settings["allowed"])


def announced(_ask: Ask, detail: Event, state: State, settings: Settings) -> str:
    """AWS's own policy, or one written inline, that was given and is not there any more."""
    if state is not None and _is_named(state, settings):
        return ""
    held = state["by"] if state else ()
    arn, name = cloudtrail.parameter(detail, "policyArn"), cloudtrail.parameter(detail, "policyName")
    if arn.endswith(_FULL) and arn not in held:
        return "was given all of CloudShell by AWSCloudShellFullAccess"
    if name and name not in held and _names_cloudshell(_said(detail)):
        return f"was given all of CloudShell by inline policy {name}"
    return ""


def _said(detail: Event) -> Document:
    try:
        return document(cloudtrail.parameter(detail, "policyDocument") or {})
    except ValueError:
        return {}


def describe(state: State) -> str:
    """By which policies."""
    if state is None:
        return "it does not exist"
    if not state["by"]:
        return "it has not all of CloudShell by a policy that names it"
    return f"all of CloudShell by {', '.join(one.rpartition(':policy/')[2] for one in state['by'])}"


CONTROL = Control(
    id="iam-cloudshell",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.LOW,
    response=Response.ALERT,
    clocks={"default": Clock(remind=(timedelta(days=7),), escalate=timedelta(days=30))},
    scope=Scope.GLOBAL,
    kinds=tuple(PRINCIPALS),
    wakes_on=(
        On(
            "iam.amazonaws.com",
            (
                "AttachGroupPolicy",
                "AttachRolePolicy",
                "AttachUserPolicy",
                "PutGroupPolicy",
                "PutRolePolicy",
                "PutUserPolicy",
                # the baseline names people
                "UpdateGroup",
                "UpdateUser",
            ),
            locate_principal,
        ),
    ),
    reads=PRINCIPAL_READS | {"iam:ListGroupsForUser"},
    writes=frozenset(),
    noun="{kind} {id}",
    survey=survey,
    observe=observe,
    detect=detect,
    describe=describe,
    excepted=excepted,
    announces=announced,
    spell=spell_principal,
    people=True,
    settings={
        "allowed": {
            "type": "array",
            "items": {
                "type": "string",
                "pattern": "^(user|group|role)/.+$",
                "patternErrorMessage": "Write user/NAME, group/NAME or role/NAME.",
            },
            "default": [],
            "description": "Who may have all of CloudShell beside your administrators, operators and deployers: "
            "`group/engineers` or `role/ci-*`. `*` and `?` match any text and any letter.",
        },
    },
    answers={"cis-7.0": ("2.20",)},
)
