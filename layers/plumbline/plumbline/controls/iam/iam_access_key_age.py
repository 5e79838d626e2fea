"""Access keys are replaced before they are too old.

Holds: no active access key is older than `max_age_days`, counted from the day on which it was made. Fifteen days before
that you are told, and reminded; a key that is older already when it is first seen has these fifteen days as well. The
sweep lists the keys of whoever may have one as old, and of everybody else once a week.
Why: a key is a password that never expires. The older it is, the more laptops, repositories, logs and former colleagues
have it, and nobody knows any more what would break without it, until somebody finds it who should not have it.
Repair: deactivates that one key. Of two active keys of one user it is never the newer one: whoever rotates keys has
just made that, and it has its turn once the older one is off. The key of an administrator, or of a user who may become
one by assuming a role, stays while no person would be left who is an administrator by the baseline and can come in: you
are told instead, and why.
Undo: activates the key again. It begins a new term of 90 days, with reminders, on the clock `restored`; a key that
somebody activates by other means has fifteen days. Sessions that were minted from it live on until they expire.
Source: CIS AWS Foundations Benchmark 7.0, 2.12; IAM API reference, AccessKeyMetadata: `CreateDate` (what the credential
report calls last rotated changes with each switching off and on as well).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from plumbline.controls.iam._access_keys import KIND, find, keys_of, locate, part, spell, switched_off
from plumbline.controls.iam._entitled import administrators, locked_out
from plumbline.controls.iam._matters import WAY_IN_READS, administrators_where_it_matters
from plumbline.controls.iam._principals import USERS, by_name
from plumbline.core.calls import Ask, Plan
from plumbline.core.clock import RESTORED, Clock, Response, utc
from plumbline.core.control import EVERY, Control, Deviation, Lasting, On, Scope, Settings, Severity
from plumbline.core.targets import ALL, GLOBAL, State, Target

#: How long before a key is too old people are told. The clock repairs so long after that.
NOTICE = timedelta(days=15)
#: The ages that a baseline may choose, in days. A state tells the last that a key has come to, with the notice: an age
#: would be another one each day.
AGES = (30, 45, 60, 75, 90, 120, 180, 365)
_TERM = timedelta(days=90)


def _who(ask: Ask) -> Mapping[Target, str]:
    """The keys of each user, with his unique id: he may be called otherwise tomorrow, and another one as he is."""
    users = ask(USERS)["Users"]
    return {Target(ask.account, GLOBAL, KIND, f"{user['UserName']}/{ALL}"): user["UserId"] for user in users}


def _young_until(states: Iterable[State], settings: Settings, now: datetime) -> datetime:
    """When one of a user's keys may be too old at the earliest, those among them that are switched off.

    What he makes from now on is younger. The day of a key is told without its hour, so none is taken for younger.
    """
    made = [utc(state["made"]) for state in states if state]
    return min((*made, now)) + timedelta(days=settings["max_age_days"]) - NOTICE


def observe(ask: Ask, target: Target) -> State:
    """The key as it is; None when it, or its user, is gone."""
    user, _, key_id = target.id.partition("/")
    keys = keys_of(ask, user)
    key = next((one for one in keys if one["AccessKeyId"] == key_id), None)
    return key and _state(ask, user, key, keys, administrators_where_it_matters(ask))


def glance(ask: Ask, whose: Target) -> Mapping[Target, State]:
    """All keys of a user; who is an administrator is asked once for all."""
    user, who = whose.id.partition("/")[0], administrators_where_it_matters(ask)
    keys = keys_of(ask, user)
    return {replace(whose, id=f"{user}/{key['AccessKeyId']}"): _state(ask, user, key, keys, who) for key in keys}


def _state(
    ask: Ask,
    user: str,
    key: Mapping[str, Any],
    keys: Sequence[Mapping[str, Any]],
    who: Callable[[str], list[dict[str, Any]]],
) -> State:
    name, made = key.get("UserName") or user, key["CreateDate"]
    come_to = _come_to(ask.now - made)
    older = [one["AccessKeyId"] for one in keys if one["Status"] == "Active" and _is_older(one, key)]
    active = key["Status"] == "Active"
    return {
        "user": name,
        "key": key["AccessKeyId"],
        "status": key["Status"],
        "made": f"{made:%Y-%m-%d}",
        "come_to": come_to,
        "older": older if active else [],
        "administrators": who(name) if active and come_to and not older else [],
    }


def _come_to(age: timedelta) -> int:
    """The last of the ages that a key has come to, with the notice before it; 0 for none."""
    return max((one for one in AGES if age >= timedelta(days=one) - NOTICE), default=0)


def _is_older(one: Mapping[str, Any], key: Mapping[str, Any]) -> bool:
    """Whether one key was made before another; of two of the same second the names decide."""
    made: datetime = one["CreateDate"]
    return bool((made, one["AccessKeyId"]) < (key["CreateDate"], key["AccessKeyId"]))


def detect(state: State, settings: Settings) -> Deviation | None:
    """An active key that is too old, or will be within the notice."""
    if state is None or state["status"] != "Active" or state["come_to"] < settings["max_age_days"]:
        return None
    most = settings["max_age_days"]
    return Deviation(f"was made on {state['made']}, and no key may be older than {most} days", (state["key"],))


def describe(state: State) -> str:
    """Active, Inactive or gone, and of which day."""
    return f"the key of {state['made']} is {state['status']}" if state else "the key does not exist"


def plan(target: Target, state: State, settings: Settings, _facts: Container[str] = EVERY, /) -> Plan:
    """Deactivate the key, and only it."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    if state["older"]:
        return Plan(refusal=f"of two active keys the older one goes first: {', '.join(state['older'])}")
    if state["administrators"] and (why := locked_out(state, administrators(settings))):
        return Plan(refusal=why)
    return Plan(
        steps=(switched_off(state["user"], state["key"]),),
        resources=by_name(target.account, "user", state["user"]),
        summary=f"deactivates access key {state['key']} of user {state['user']}",
        irreversible="sessions already started with the key live on until they expire",
        means=(
            "Make a second key before that, let the programs use it, and see in IAM when the old one was last used: "
            "nothing stops then. What still uses a deactivated key fails; an undo activates it for a new term."
        ),
    )


CONTROL = Control(
    id="iam-access-key-age",
    doc=__doc__ or "",
    yourself=(
        "Sign in to the console, choose your user name on the upper right and Security credentials, and under Access "
        "keys choose Create access key. Put the new key wherever the old one is used; once nothing uses the old one "
        "any more, choose Deactivate among its Actions. If two keys are there, delete the one that nothing uses first."
    ),
    since="0.2",
    severity=Severity.MEDIUM,
    response=Response.ENFORCE,
    clocks={
        "default": Clock(remind=(timedelta(days=5), timedelta(days=10), timedelta(days=14)), act=NOTICE),
        RESTORED: Clock(remind=(_TERM - NOTICE, _TERM - timedelta(days=5), _TERM - timedelta(days=1)), act=_TERM),
    },
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    # A key that is made is young; one that is switched on again may be of any age.
    wakes_on=(On("iam.amazonaws.com", ("UpdateAccessKey", "UpdateUser"), locate),),
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
    lasting=Lasting(_who, _young_until),
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    part=part,
    people=True,
    spell=spell,
    settings={
        "max_age_days": {
            "type": "integer",
            "enum": list(AGES),
            "default": 90,
            "description": "How old an active access key may be, in days from the day on which it was made.",
        },
    },
    answers={"cis-7.0": ("2.12",)},
)
