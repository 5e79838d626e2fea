"""The account's groups as the controls of the baseline's groups see them, and what of ours a group is to carry.

Three controls attach to groups. Each holds what is its own, and leaves what is another's: iam-groups what the baseline
gives (`self-service` and `buckets` of our own), account-region-guard `regions`, and house-guard the guard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from plumbline.controls.iam._entitled import administrators
from plumbline.controls.iam._principals import EVERYTHING, own_policy, partition
from plumbline.core.calls import Ask, Call
from plumbline.core.cause import Event
from plumbline.core.control import Settings, said_elsewhere
from plumbline.core.names import among
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.rights.administrators import AWS_ADMIN_POLICIES
from plumbline.wakes import cloudtrail

KIND = "iam-groups"
_GROUPS = Call("iam", "GetAccountAuthorizationDetails", {"Filter": ["Group"], "MaxItems": 1000})
_CENTER = "/aws-reserved/sso.amazonaws.com/"  # nobody but Identity Center can make a role below this path
_CENTERS = Call("iam", "ListRoles", {"PathPrefix": _CENTER, "MaxItems": 1000})
#: Our own policies that groups carry, by the end of their names.
GUARD, REGIONS, BUCKETS, SELF_SERVICE = "guard", "regions", "buckets", "self-service"
#: Where the baseline says which regions and buckets there are.
ALLOWED_REGIONS, DECLARED_BUCKETS = ("account-regions", "allowed"), ("s3-group-access", "buckets")


def locate(detail: Event) -> Iterable[Target]:
    """All of the baseline's groups: one that is missing could not be found by looking at those there are."""
    return cloudtrail.here(detail, KIND, "baseline", region=GLOBAL)


def survey(ask: Ask) -> Mapping[Target, State]:
    """Every group's managed policies, from the bulk read that all IAM controls share."""
    everything = ask(EVERYTHING)
    center = any(role["Path"].startswith(_CENTER) for role in everything["RoleDetailList"])
    return {Target(ask.account, GLOBAL, KIND, "baseline"): _state(ask, everything, center=center)}


def observe(ask: Ask, _target: Target) -> State:
    """The same, from a bulk read of the groups alone."""
    return _state(ask, ask(_GROUPS), center=bool(ask(_CENTERS)["Roles"]))


def _state(ask: Ask, details: Mapping[str, Any], *, center: bool) -> State:
    return {
        "partition": partition(ask),
        "identity_center": center,
        "guard": own_policy(ask, GUARD),
        "groups": {
            group["GroupName"]: sorted(one["PolicyArn"] for one in group.get("AttachedManagedPolicies") or [])
            for group in sorted(details["GroupDetailList"], key=lambda group: group["GroupName"])
        },
    }


def own(state: Mapping[str, Any], name: str) -> str:
    """The ARN of one of our own policies; empty where nobody knows what the stack is called."""
    guard: str = state.get("guard", "")
    return guard and guard.removesuffix(GUARD) + name


def carried(group: str, policies: Iterable[str], settings: Settings, *, self_service: bool) -> tuple[str, ...]:
    """Which of our own policies a group of the baseline is to carry, whichever control attaches it.

    Args:
        group: its name.
        policies: the names of what the baseline gives it.
        settings: of a control that asks for the regions and buckets that are declared elsewhere, and for people.
        self_service: whether groups get that.

    Returns:
        The ends of their names. None for the administrators: what denies would lock them out of what they must be able
        to put right, and they see to themselves as it is.
    """
    if is_the_administrators(group, policies, settings):
        return ()
    regions = (REGIONS,) if said_elsewhere(settings, *ALLOWED_REGIONS) else ()
    buckets = (BUCKETS,) if said_elsewhere(settings, *DECLARED_BUCKETS) else ()
    return (GUARD, *regions, *buckets, *((SELF_SERVICE,) if self_service else ()))


def is_the_administrators(group: str, names: Iterable[str], settings: Settings) -> bool:
    """Whether a group is, or is meant to be, the administrators'."""
    return among(group, administrators(settings)["groups"]) or any(
        among(short(one), AWS_ADMIN_POLICIES) for one in names
    )


def short(arn: str) -> str:
    """A policy's name, with its path."""
    return arn.partition(":policy/")[2] or arn
