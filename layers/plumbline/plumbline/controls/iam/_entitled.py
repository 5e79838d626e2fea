"""Who may be an administrator by the baseline, and what others have too much: the judging half of iam-admin-grants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plumbline.controls.iam._machinery import Keeper
from plumbline.core.control import Settings
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


def administrators(settings: Settings) -> Mapping[str, Sequence[str]]:
    """Whom the baseline makes administrators, for a control that judges by it (`Control.people`)."""
    named: Mapping[str, Sequence[str]] = settings.get("people", {}).get("administrators", ADMINISTRATORS)
    return named


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


def locked_out(state: Mapping[str, Any], who: Mapping[str, Sequence[str]], losing: Sequence[str] = ()) -> str:
    """Why nothing may be taken away, and what to do; empty where a person remains who can come in as an administrator.

    A person who remains is an administrator by the baseline or by Identity Center, whatever is repaired, and could come
    in: see `rights/way_in.py`.

    Args:
        state: with `administrators`, as `_administrators` weighs them.
        who: the administrators of the baseline.
        losing: groups that would make no administrators any more.
    """
    lasting = [one for one in state["administrators"] if _lasts(one, who, losing)]
    if any(not one["unusable"] for one in lasting):
        return ""
    named = [f"{one['kind']} {one['name']} {one['unusable']}" for one in lasting]
    more = f", and {len(named) - _FEW} more" if len(named) > _FEW else ""
    return _LOCKED_OUT.format(f" ({'; '.join(named[:_FEW])}{more})" if named else "")


_FEW = 3
_LOCKED_OUT = (
    "nobody would be left who is an administrator by the baseline and can come in{}, and you might be locked out; give "
    "one of your administrators a console password and MFA, or a way in through Identity Center or SAML, and name them "
    "under administrators in the baseline"
)


def _lasts(one: Mapping[str, Any], who: Mapping[str, Sequence[str]], losing: Sequence[str]) -> bool:
    """Whether an administrator stays one, whatever is repaired."""
    through = [group for group in one["through"] if among(group, who["groups"]) and not among(group, losing)]
    return bool(one["keeper"] == Keeper.IDENTITY_CENTER.value or (trusted(one, who) and (one["direct"] or through)))
