"""Access keys exist only for the users the baseline lists.

Holds: every active access key belongs to a user named in `allowed_users`, in whatever case. The sweep asks for the keys
of each user that had one by the last credential report, which AWS makes every four hours at most: a key that is
switched on again is seen within the hour even where its event was lost, a user's very first key within some five hours.
Why: an access key is a password that works from anywhere, never expires and needs no second factor. Making one for a
quiet user is the first thing an intruder does to be able to come back.
Repair: deactivates that one key; no other key, and nothing else of the user, is touched. The key of an administrator,
or of a user who may become one by assuming a role, stays while no person would be left who is an administrator by the
baseline and can come in (`iam-admin-grants` says who that is): you are told instead, and why.
Undo: activates the key again. Sessions that were minted from it before live on until they expire.
Source: AWS IAM best practices (temporary credentials); CloudTrail CreateAccessKey.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from typing import Any

from plumbline.controls.iam._access_keys import KIND, find, keys_of, locate, part, spell, switched_off
from plumbline.controls.iam._entitled import administrators, locked_out
from plumbline.controls.iam._matters import WAY_IN_READS, administrators_where_it_matters
from plumbline.controls.iam._principals import by_name, users_that
from plumbline.core.calls import Ask, Plan
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND_BY_SWEEP, FOUND_OPEN, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.names import fits
from plumbline.core.targets import State, Target
from plumbline.wakes import cloudtrail


def observe(ask: Ask, target: Target) -> State:
    """The key as it is; None when it, or its user, is gone."""
    user, _, key_id = target.id.partition("/")
    key = next((one for one in keys_of(ask, user) if one["AccessKeyId"] == key_id), None)
    return key and _state(user, key, administrators_where_it_matters(ask))


def glance(ask: Ask, whose: Target) -> Mapping[Target, State]:
    """All keys of a user; who is an administrator is asked once for all."""
    user, administrators = whose.id.partition("/")[0], administrators_where_it_matters(ask)
    return {
        replace(whose, id=f"{user}/{key['AccessKeyId']}"): _state(user, key, administrators)
        for key in keys_of(ask, user)
    }


def _state(user: str, key: Mapping[str, str], administrators: Callable[[str], list[dict[str, Any]]]) -> State:
    name = key.get("UserName") or user
    active = key["Status"] == "Active"
    return {
        "user": name,
        "key": key["AccessKeyId"],
        "status": key["Status"],
        "administrators": administrators(name) if active else [],
    }


def detect(state: State, settings: Settings) -> Deviation | None:
    """An active key of a user that no name or pattern in the baseline covers."""
    if state is None or state["status"] != "Active":
        return None
    if fits(state["user"], settings["allowed_users"]):
        return None
    return Deviation("is not allowed: the baseline lists no key for its user", (state["key"],))


def excepted(target: Target, settings: Settings) -> bool:
    """A key of a user that the baseline covers."""
    return fits(target.id.partition("/")[0], settings["allowed_users"])


def announced(_ask: Ask, detail: Event, state: State, _settings: Settings) -> str:
    """A key that was made, or switched on, and is not active any more."""
    if state is not None and state["status"] == "Active":
        return ""
    if detail.get("eventName") == "CreateAccessKey" and cloudtrail.answer(detail, "accessKey", "accessKeyId"):
        return "was made, though the baseline lists no key for its user"
    if detail.get("eventName") == "UpdateAccessKey" and cloudtrail.parameter(detail, "status") == "Active":
        return "was switched on, though the baseline lists no key for its user"
    return ""


def describe(state: State) -> str:
    """Active, Inactive or gone."""
    return f"the key is {state['status']}" if state else "the key does not exist"


def plan(target: Target, state: State, settings: Settings, _facts: Container[str] = EVERY, /) -> Plan:
    """Deactivate the key, and only it."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    if state.get("administrators") and (why := locked_out(state, administrators(settings))):
        return Plan(refusal=why)
    return Plan(
        steps=(switched_off(state["user"], state["key"]),),
        resources=by_name(target.account, "user", state["user"]),
        summary=f"deactivates access key {state['key']} of user {state['user']}",
        irreversible="sessions already started with the key live on until they expire",
    )


CONTROL = Control(
    id="iam-access-key-created",
    doc=__doc__ or "",
    yourself=(
        "If you made this key, ask for it to be allowed before you need it. If you did not, say so at once: somebody "
        "else may use your password or another key of yours."
    ),
    since="0.1",
    severity=Severity.HIGH,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND_OPEN},
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    # Users are allowed by name, so who is renamed is looked at too.
    wakes_on=(On("iam.amazonaws.com", ("CreateAccessKey", "UpdateAccessKey", "UpdateUser"), locate),),
    reads=WAY_IN_READS
    | {
        "iam:GenerateCredentialReport",
        "iam:GetCredentialReport",
        "iam:ListAccessKeys",
        "iam:ListUsers",
    },
    writes=frozenset({"iam:UpdateAccessKey"}),
    noun="access key {last} of user {first}",
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
        "allowed_users": users_that("may have active access keys"),
    },
    answers={"ssb": ("ACCT.13",)},
)
