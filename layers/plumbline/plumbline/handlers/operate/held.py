"""Whom a control has suspended, beside whom a person has: both attach one policy, and each lifts its own.

The policy goes with the last who wants it. A release while a control's suspension stands takes the person's entry off
the list and leaves the policy; an undo while a person's stands is refused. Either answer says what to type for the
other, so nobody gets rights back that somebody else has taken on purpose.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache

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
from plumbline.handlers.operate.asked import Answer, Asked, Refused
from plumbline.handlers.operate.lists import wrapped
from plumbline.handlers.operate.pages import FOR_PEOPLE, fitting, page
from plumbline.handlers.operate.typed import Typed

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


def carriers(asked: Asked) -> tuple[list[str], str]:
    """The users that carry the policy and whom a control has suspended, or nobody whom Plumbline knows of.

    Returns:
        Their ARNs, of which `by_whom` says more; and why nobody could look, where that is so.
    """
    ask = asked.plumbline.engine.aws.eyes(asked.account, GLOBAL)
    try:
        users = ask(_USERS)["UserDetailList"]
    except AwsRefusal as error:
        return [], f"who else is suspended cannot be seen: {error}"
    typed = {one.arn for one in asked.plumbline.ledger.all_suspensions(asked.account)[0]}
    carrying = [
        user["Arn"]
        for user in users
        if policy_of(asked, user["Arn"]) in {one["PolicyArn"] for one in user.get("AttachedManagedPolicies") or ()}
    ]
    return [arn for arn in carrying if arn not in typed or by_control(asked, arn)], ""


def by_whom(asked: Asked, arn: str) -> dict[str, str]:
    """A user of `carriers`: the name, and the control and finding where one has suspended it. Reads the ledger."""
    finding = by_control(asked, arn)
    has = (finding.control, finding.short) if finding else ("", "")
    return {"user": arn.rpartition("/")[2], "control": has[0], "finding": has[1]}


def said(one: Suspension | Mapping[str, str]) -> str:
    """Who is suspended, in a few words: by a person, by a control, or by nobody that Plumbline knows of."""
    if isinstance(one, Suspension):
        stands = "" if one.stage == "suspended" else f" ({one.stage}: type it once more)"
        return f"{one.id} {one.kind} {wording.clean(one.name, 60)} since {one.made:%Y-%m-%d}{stands}"
    if one["finding"]:
        return f"{one['finding']} user {wording.clean(one['user'], 60)} by {one['control']}"
    return f"user {wording.clean(one['user'], 60)} by nobody that Plumbline knows of"


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


def suspensions(asked: Asked, typed: Typed) -> Answer:
    """Everybody who is suspended, by a person or by a control; those of persons first, a page at a time."""
    persons = asked.plumbline.ledger.all_suspensions(asked.account)[0]
    others, unseen = carriers(asked)
    found: list[Suspension | str] = sorted((*persons, *others), key=_place)
    known = cache(lambda arn: by_whom(asked, arn))
    at = _begins(typed, found)
    shown = page(found, at, FOR_PEOPLE)
    part, entries = fitting(
        found,
        at,
        lambda one: (
            {"suspended_by": "control", **known(one)}
            if isinstance(one, str)
            else {"suspended_by": "person", **one.to_json()}
        ),
    )
    more = list(part.next(typed, _behind)) or None
    data = {"suspensions": entries, "count": len(found), "unseen": unseen, "next": more}
    if not found:
        return Answer(unseen or "Nobody is suspended.", data)
    lines = [line for one in shown.shown for line in ([said(known(one))] if isinstance(one, str) else _row(one))]
    foot = [*shown.foot(typed, _behind), *([f"{unseen[:1].upper()}{unseen[1:]}"] if unseen else [])]
    steps = next_steps(
        [one for one in shown.shown if not isinstance(one, str)],
        [known(one) for one in shown.shown if isinstance(one, str)],
    )
    foot += [f"{what}: {command}" for what, command in steps.items() if command]
    return Answer("\n".join([*lines, "", *foot]).strip(), data)


def _place(one: Suspension | str) -> tuple[str, str, str]:
    """Where somebody stands in the list: by whom he is suspended, then since when, or under which name."""
    return ("rule", one.rpartition("/")[2], "") if isinstance(one, str) else ("person", one.made.isoformat(), one.id)


def _behind(one: Suspension | str) -> str:
    return ",".join(_place(one))


def _begins(typed: Typed, found: Sequence[Suspension | str]) -> int:
    """How many of the list come before the page that a person asks for."""
    if "after" not in typed.options:
        return 0
    given = typed.options["after"]
    kind, _, rest = given.partition(",")
    name, comma, number = rest.rpartition(",")
    if not kind or not comma:
        raise Refused(
            f"'{wording.clean(given, 60)}' is no place in this list; --after takes what the page before it says. "
            f"Type: {typed.again(without=('after',))}"
        )
    return bisect_right(found, (kind, name, number), key=_place)


def _row(one: Suspension) -> list[str]:
    """Somebody whom a person has suspended, as people get him in a list."""
    why = wrapped(wording.clean(f"{one.reason}; asked again on {one.until:%Y-%m-%d}", 400), " " * 6)
    return [said(one), *why]
