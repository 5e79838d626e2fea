"""Who may be an administrator by the baseline, and what others have too much: the judging half of iam-admin-grants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plumbline.controls.iam._machinery import Keeper
from plumbline.core.names import among, fits

#: Each key is used where a baseline leaves it out, so that naming the users does not unname the roles.
ADMINISTRATORS: Mapping[str, Sequence[str]] = {
    "groups": ("administrators",),
    "users": (),
    # IAM lets nobody but AWS make roles below aws-reserved/.
    "roles": (
        "aws-reserved/sso.amazonaws.com/*AWSReservedSSO_AdministratorAccess_*",
        # Plumbline's own writing role, exactly: a pattern over its path would be a place to hide.
        "plumbline/{stack}-hands",
    ),
}


def trusted(one: Mapping[str, Any], who: Mapping[str, Sequence[str]]) -> bool:
    """Whether the baseline makes this principal an administrator, or the organisation has it for its own."""
    if one["kind"] == "user":
        return among(one["name"], who["users"]) or (
            not who["users"] and any(among(group, who["groups"]) for group in one["groups"])
        )
    if one["kind"] == "group":
        return among(one["name"], who["groups"])
    return one["keeper"] == Keeper.ORGANISATION.value or fits(one["name"], who["roles"])


def excess(state: Mapping[str, Any], who: Mapping[str, Sequence[str]]) -> tuple[list[str], list[str], list[str]]:
    """Inline policies, attached policies and memberships that the baseline does not give.

    A membership counts in the baseline's groups for those whom it does not name, and in any other group that makes
    administrators, whatever it is called.
    """
    named = among(state["name"], who["users"])
    joined = [] if named else [group for group in state["groups"] if among(group, who["groups"])]
    if trusted(state, who):
        return [], [], joined
    joined += [group for group in state["through"] if group not in joined]
    return list(state["inline"]), list(state["attached"]), joined


def holder(one: Mapping[str, Any]) -> str:
    """The fact that a principal holds a policy."""
    return f"{one['kind']}/{one['name']}"


def others(state: Mapping[str, Any], who: Mapping[str, Sequence[str]]) -> list[Mapping[str, Any]]:
    """Those who hold a policy and should not."""
    return [one for one in state["holders"] if not trusted(one, who)]


def remaining(state: Mapping[str, Any], who: Mapping[str, Sequence[str]]) -> bool:
    """Whether somebody is an administrator by the baseline or Identity Center's, and stays one whatever is repaired."""
    return any(
        one["keeper"] == Keeper.IDENTITY_CENTER.value
        or (trusted(one, who) and (one["direct"] or any(among(group, who["groups"]) for group in one["through"])))
        for one in state["administrators"]
    )
