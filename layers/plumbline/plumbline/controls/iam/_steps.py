"""The writes that take rights away, each with what gives them back."""

from __future__ import annotations

import json

from plumbline.controls.iam._principals import GONE, PRINCIPALS, named
from plumbline.core.calls import Call, Step
from plumbline.core.targets import Target
from plumbline.rights.documents import Document


def member(group: str) -> str:
    """The fact that a user is in a group."""
    return f"member of {group}"


def without_inline(target: Target, name: str, text: Document) -> Step:
    """An inline policy deleted."""
    spelled, policy = PRINCIPALS[target.kind], {**named(target), "PolicyName": name}
    whole = json.dumps(text, separators=(",", ":"))
    return Step(
        do=Call("iam", f"Delete{spelled}Policy", policy, absent=GONE),
        undo=(Call("iam", f"Put{spelled}Policy", {**policy, "PolicyDocument": whole}, absent=GONE),),
        fact=name,
    )


def detached(kind: str, name: str, arn: str, *, fact: str) -> Step:
    """A managed policy detached."""
    spelled = kind.capitalize()
    both = {f"{spelled}Name": name, "PolicyArn": arn}
    return Step(
        do=Call("iam", f"Detach{spelled}Policy", both, absent=GONE),
        undo=(Call("iam", f"Attach{spelled}Policy", both, absent=GONE),),
        fact=fact,
    )


def outside(user: str, group: str) -> Step:
    """A user taken out of a group."""
    both = {"GroupName": group, "UserName": user}
    return Step(
        do=Call("iam", "RemoveUserFromGroup", both, absent=GONE),
        undo=(Call("iam", "AddUserToGroup", both, absent=GONE),),
        fact=member(group),
    )
