"""How the account's groups differ from the baseline's, fact by fact: the comparing half of iam-groups. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plumbline.controls.iam._groups import BUCKETS, GUARD, REGIONS, SELF_SERVICE, carried, own, short
from plumbline.core.control import Settings
from plumbline.core.names import among, folded
from plumbline.rights.administrators import AWS_ADMIN_POLICIES
from plumbline.rights.counted import is_aws_quarantine


@dataclass(frozen=True, slots=True)
class Difference:
    """A group that is not as the baseline says.

    Attributes:
        name: what the baseline calls it.
        spelled: what the account calls it; empty where there is none.
        held: how many policies it has.
        missing: ARNs that it lacks.
        extra: ARNs that it has too much.
        strong: whether it has, and keeps, a policy of AWS that makes administrators.
        guard: the guard's ARN, where the group is to be made with it. Of a group that is there, house-guard looks who
            is in it.
    """

    name: str
    spelled: str
    held: int
    missing: list[str]
    extra: list[str]
    strong: bool = False
    guard: str = ""


def in_words(one: Difference) -> str:
    """What is done to a group, with the policies by name: of one that is made, what it gets is the baseline's."""
    if not one.spelled:
        return f"creates group {one.name}"
    off, on = (", ".join(sorted(map(short, arns))) for arns in (one.extra, one.missing))
    if off and on:
        return f"detaches {off} from group {one.name} and attaches {on} to it"
    return f"detaches {off} from group {one.name}" if off else f"attaches {on} to group {one.name}"


#: What version 0.1 gave two of its groups. It is taken back when a person has agreed: somebody may work with it.
GIVEN_BEFORE = {"data-engineers": "AmazonS3FullAccess", "data-scientists": "AmazonS3ReadOnlyAccess"}
#: Our own policies that iam-groups attaches. The others are left where they are.
_OURS, _OTHERS = (BUCKETS, SELF_SERVICE), (GUARD, REGIONS)


def differences(state: Mapping[str, Any], settings: Settings) -> Iterator[Difference]:
    """Each named group that differs."""
    spelled = {folded(name): name for name in state["groups"]}
    others = [own(state, name) for name in _OTHERS]
    for group, names in settings["groups"].items():
        ours = carried(group, names, settings, self_service=settings.get("self_service", False))
        wanted = {
            name if name.startswith("arn:") else f"arn:{state['partition']}:iam::aws:policy/{name}" for name in names
        } | {own(state, name) for name in ours if name in _OURS}
        here = spelled.get(folded(group), "")
        there = state["groups"].get(here, ())
        missing = sorted(arn for arn in wanted - {""} if not among(arn, there))
        extra = sorted(
            arn for arn in there if not among(arn, wanted) and not is_aws_quarantine(arn) and arn not in others
        )
        if not here or missing or extra:
            kept = (arn for arn in there if arn not in extra and ":iam::aws:" in arn)
            strong = any(among(short(one), AWS_ADMIN_POLICIES) for one in kept)
            guard = own(state, GUARD) if not here and GUARD in ours else ""
            yield Difference(group, here, len(there), missing, extra, strong, guard)


def is_given_before(one: Difference, arn: str) -> bool:
    """Whether a policy that a group has too much is what version 0.1 gave it."""
    return ":iam::aws:" in arn and short(arn) == GIVEN_BEFORE.get(folded(one.name))


def absent(group: str) -> str:
    """The fact that a group does not exist."""
    return f"{group} does not exist"


def lacks(group: str, arn: str) -> str:
    """The fact that a group has a policy too few."""
    return f"{group} lacks {_exact(arn)}"


def has_as_well(group: str, arn: str) -> str:
    """The fact that a group has a policy too many."""
    return f"{group} has {_exact(arn)} as well"


def _exact(arn: str) -> str:
    """A policy that is taken for no other: one of the account's own may be called like one of AWS's."""
    return short(arn) if ":iam::aws:" in arn else arn
