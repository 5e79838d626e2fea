"""Access keys: which there are, which an event is about, and how one is switched off and on again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from plumbline.controls.iam._principals import GONE, user_names
from plumbline.controls.iam._report import Row, rows
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.names import same_name
from plumbline.core.targets import ALL, GLOBAL, State, Target
from plumbline.wakes import cloudtrail

KIND = "iam-access-key"


def locate(detail: Event) -> Iterable[Target]:
    """The key the event is about; all keys of the user, under his new name, where it does not say which."""
    user = cloudtrail.answer(detail, "accessKey", "userName") or cloudtrail.parameter(detail, "newUserName", "userName")
    key = cloudtrail.answer(detail, "accessKey", "accessKeyId") or cloudtrail.parameter(detail, "accessKeyId")
    return cloudtrail.here(detail, KIND, user, key, region=GLOBAL)


def find(ask: Ask) -> Iterable[Target]:
    """All keys of each user that may have an active one; the credential report spares asking for those without keys.

    The report may be four hours old: who was made or renamed since is not in it, and is asked for, and so is who has a
    key that was off by then. Source: IAM user guide, Get credential reports: N/A stands where there is no key.
    """
    report = ask.once(rows) or ()  # none yet, or too old: they are asked one by one now
    quiet = {row["user"] for row in report if not (_has_key(row, "1") or _has_key(row, "2"))}
    for user in user_names(ask):
        if user not in quiet:
            yield Target(ask.account, GLOBAL, KIND, f"{user}/{ALL}")


def part(state: State, _plan: Plan) -> State:
    """The key itself; who is an administrator comes and goes."""
    return state and {name: state[name] for name in ("user", "key", "status")}


def spell(target: Target, state: State) -> Target:
    """The key of the user under AWS's own spelling of his name."""
    if state is None or not same_name(state["user"], target.id.partition("/")[0]):
        return target
    return replace(target, id=f"{state['user']}/{state['key']}")


def _has_key(row: Row, number: str) -> bool:
    """Whether a row of the credential report knows of a key, switched on or off."""
    return row[f"access_key_{number}_active"] == "true" or row[f"access_key_{number}_last_rotated"] != "N/A"


def keys_of(ask: Ask, user: str) -> list[dict[str, Any]]:
    """A user's access keys; none where he is gone."""
    answer = ask(Call("iam", "ListAccessKeys", {"UserName": user}, absent=GONE))
    return answer["AccessKeyMetadata"] if answer else []


def switched_off(user: str, key: str, *, fact: str = "") -> Step:
    """A key deactivated. Its undo activates it again."""
    named = {"UserName": user, "AccessKeyId": key}

    def to(status: str) -> Call:
        return Call("iam", "UpdateAccessKey", {**named, "Status": status}, absent=GONE)

    return Step(do=to("Inactive"), undo=(to("Active"),), fact=fact)
