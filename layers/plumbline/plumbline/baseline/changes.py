"""What an earlier version read otherwise in a baseline, and what to write to have it as it was. Told by the build."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from plumbline.baseline.document import Document, Place, Problem


@dataclass(frozen=True, slots=True)
class Change:
    """What a line of a baseline no longer says by itself.

    Attributes:
        control: whose line.
        says: places below the control's; one of these shows that its author relied on what was.
        unless: settings of the control; one of these shows that its author has decided anew.
        now: what has changed, and what to write.
    """

    control: str
    says: tuple[Place, ...]
    unless: tuple[str, ...]
    now: str


CHANGES = (
    Change(
        "iam-inline-policies",
        says=(("mode",), ("clocks", "role")),
        unless=("roles",),
        now="since 0.2 roles are told of and no longer converted; to have them converted as before, write "
        "`roles: convert`; to keep it so and hear no more of it, write `roles: tell`",
    ),
    Change(
        "iam-groups",
        says=(("groups",),),
        unless=("self_service",),
        now="since 0.2 each of your groups but the administrators' gets STACK-self-service as well, by which people "
        "change their password and see to their own MFA; write `self_service: false` to have it as before, or "
        "`self_service: true` to hear no more of it. AmazonS3FullAccess and AmazonS3ReadOnlyAccess, where you name "
        "them, are attached with the rights of whoever approves it",
    ),
)
_LESS = ("alert", "observe", "off", False)


def changed(document: Document) -> Iterator[Problem]:
    """Each place that an earlier version read otherwise, with what to write.

    Args:
        document: a baseline that fits.
    """
    rules = (document.data or {}).get("controls") or {}
    for one in CHANGES:
        rule = rules.get(one.control) or {}
        if rule.get("mode") in _LESS or any(name in rule for name in one.unless):
            continue
        for place in one.says:
            if ("controls", one.control, *place) in document.lines:
                yield ("controls", one.control, *place), one.now
                break
