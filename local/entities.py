"""The IAM entities of the account, found by names that are not distinguished by case.

IAM keeps the spelling a name was made with, and takes every other for the same. That names are unique without regard
to case is documented; that a call finds the entity by any spelling is what AWS does, and documented nowhere.
Source: IAM user guide, IAM and AWS STS quotas, IAM name requirements; IAM API reference, CreateUser.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services import iam

Entity = dict[str, Any]

STORES: Mapping[str, Any] = {
    "group": iam._groups,
    "instance-profile": iam._instance_profiles,
    "role": iam._roles,
    "user": iam._users,
}


def spelled(kind: str, name: str) -> Entity | None:
    """The entity of a name in any spelling, or of a policy's name whatever its path; None where there is none."""
    if kind == "policy":
        alike = (one for one in iam._policies.values() if one["PolicyName"].lower() == name.lower())
        return next(alike, None)
    store = STORES[kind]
    exact: Entity | None = store.get(name)
    if exact is not None:
        return exact
    return next((store[one] for one in store if one.lower() == name.lower()), None)
