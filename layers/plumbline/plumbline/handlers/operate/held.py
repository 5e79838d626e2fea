"""Whom a control has suspended, beside whom a person has: both attach one policy, and each lifts its own.

The policy goes with the last who wants it. A release while a control's suspension stands takes the person's entry off
the list and leaves the policy; an undo while a person's stands is refused. Either answer says what to type for the
other, so nobody gets rights back that somebody else has taken on purpose.
"""

from __future__ import annotations

from collections.abc import Sequence

from plumbline.alerts import wording
from plumbline.alerts.shell import pasted
from plumbline.controls.iam._principals import partition
from plumbline.controls.iam._suspending import SUSPENDED, SUSPENDING, lifts
from plumbline.core.calls import Call
from plumbline.core.errors import AwsRefusal
from plumbline.core.names import same_name
from plumbline.core.targets import GLOBAL, Target
from plumbline.decisions.suspensions import Suspension
from plumbline.findings.finding import Finding
from plumbline.handlers.operate.asked import Asked, Refused

_USERS = Call("iam", "GetAccountAuthorizationDetails", {"Filter": ["User"], "MaxItems": 1000})


def policy_of(asked: Asked, arn: str) -> str:
    """The ARN of the policy that denies everything, as the stack makes it, in the partition of a user or role."""
    stack, partition = asked.plumbline.engine.deployment.sender.stack, arn.split(":")[1]
    return f"arn:{partition}:iam::{asked.account}:policy/plumbline/{stack}-{SUSPENDED}"


def by_control(asked: Asked, arn: str) -> Finding | None:
    """The finding whose repair suspended a user and was not taken back; None where no control has.

    Args:
        asked: whose Plumbline.
        arn: of a user or role; no control suspends a role.
    """
    if ":user/" not in arn:
        return None
    target = Target(asked.account, GLOBAL, "iam-user", arn.rpartition("/")[2])
    for control in SUSPENDING:
        found = asked.plumbline.ledger.brief(control, target, asked.now).finding
        if found and any(lifts(one.undo, policy_of(asked, arn)) for one in found.undoable):
            return found
    return None


def refuse_to_lift(asked: Asked, finding: Finding) -> None:
    """Raise Refused where an undo would lift a suspension that a person has made as well.

    Args:
        asked: whose Plumbline.
        finding: whose repair is to be taken back.
    """
    calls = [call for one in finding.undoable for call in one.undo]
    for one in asked.plumbline.ledger.all_suspensions(asked.account)[0]:
        is_meant = one.kind == "user" and same_name(one.name, finding.target.id)
        if is_meant and lifts(calls, policy_of(asked, one.arn)):
            raise Refused(
                f"a person has suspended user {wording.clean(one.name, 60)} as well, as {one.id}, and an undo does not "
                f"lift that. To let it act again, type: {pasted('release', one.id)}\nand then: "
                f"{pasted('undo', finding.short)}"
            )


def carriers(asked: Asked) -> tuple[list[dict[str, str]], str]:
    """The users that carry the policy and whom a control has suspended, or nobody whom Plumbline knows of.

    Returns:
        Each with its name, and the control and finding where one has it; and why nobody could look, where that is so.
    """
    ask = asked.plumbline.engine.aws.eyes(asked.account, GLOBAL)
    try:
        users = ask(_USERS)["UserDetailList"]
    except AwsRefusal as error:
        return [], f"who else is suspended cannot be seen: {error}"
    typed = {one.arn for one in asked.plumbline.ledger.all_suspensions(asked.account)[0]}
    found: list[dict[str, str]] = []
    for user in users:
        held = {one["PolicyArn"] for one in user.get("AttachedManagedPolicies") or ()}
        if policy_of(asked, user["Arn"]) not in held:
            continue
        finding = by_control(asked, user["Arn"])
        if finding or user["Arn"] not in typed:
            has = (finding.control, finding.short) if finding else ("", "")
            found.append({"user": user["UserName"], "control": has[0], "finding": has[1]})
    return found, ""


def listed(found: Sequence[dict[str, str]]) -> str:
    """Whom controls have suspended, in one line of `status`."""
    return "; ".join(
        f"{one['finding']} user {wording.clean(one['user'], 60)} by {one['control']}"
        if one["finding"]
        else f"user {wording.clean(one['user'], 60)} by nobody that Plumbline knows of"
        for one in found
    )


def next_steps(suspended: Sequence[Suspension], found: Sequence[dict[str, str]]) -> dict[str, str]:
    """What to type to let somebody act again, by what it is for."""
    finding = next((one["finding"] for one in found if one["finding"]), "")
    return {
        "To release one who is SUSPENDED, type": pasted("release", suspended[0].id) if suspended else "",
        "To let one act again whom a control SUSPENDED, type": pasted("undo", finding) if finding else "",
    }


def still(finding: Finding | None, name: str) -> str:
    """What a release leaves, where a control's suspension stands."""
    if finding is None:
        return ""
    return (
        f"{finding.control} has suspended user {wording.clean(name, 60)} as well, and that stands: it may do nothing. "
        f"To let it act again, type: {pasted('undo', finding.short)}"
    )


def instead(asked: Asked, typed: str) -> str:
    """What to type for a user whom no person has suspended and a control has; empty for anybody else."""
    name, eyes = typed.rpartition("/")[2], asked.plumbline.engine.aws.eyes(asked.account, GLOBAL)
    finding = by_control(asked, f"arn:{partition(eyes)}:iam::{asked.account}:user/{name}")
    return still(finding, name).replace(" as well, and that", ", and that") if finding else ""
