"""Keeping a user from doing anything, for controls that suspend: what has to be known, the plan, and how it is told.

The stack's own policy that denies everything is attached to him, by the hands that give; its undo detaches it. AWS
weighs it at each request, so it ends keys, console and federated sessions within minutes, and nothing that anybody
allows outweighs it. It is the same policy that `plumbline suspend` attaches: see handlers/operate/held.py for who lifts
it when both have.

A user who holds as many managed policies as AWS lets him cannot carry one more. His active access keys are deactivated
instead; his console password stays and is named, because to delete it cannot be taken back.

Source: IAM user guide, Disabling permissions for temporary security credentials, and IAM quotas; IAM API reference,
DeleteLoginProfile.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

from plumbline.controls.iam._access_keys import keys_of, switched_off
from plumbline.controls.iam._entitled import administrators, locked_out
from plumbline.controls.iam._principals import GONE, MOST_ATTACHED, by_name, own_policy
from plumbline.core import people
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.control import Settings
from plumbline.core.targets import Target

#: How the name of the policy ends that denies everything.
SUSPENDED = "suspended"
#: The controls that suspend users. A person's release and an undo ask these whether one of them holds somebody.
SUSPENDING = ("account-roster", "iam-idle-users")
#: What a control that suspends reads and writes because of it, beside who is an administrator.
SUSPENDING_READS = frozenset({"iam:GetLoginProfile", "iam:ListAccessKeys"})
SUSPENDING_WRITES = frozenset({"iam:AttachUserPolicy", "iam:DetachUserPolicy", "iam:UpdateAccessKey"})
#: The fact that a user may come in by his password, where nothing else can be done about that.
PASSWORD = "console password"  # noqa: S105 - the name of a fact

#: What is known of a user whom a control may suspend: plain data, for the control's state.
Standing = Mapping[str, Any]
#: A user's name and ARN -> who would be left as an administrator without him; None where that does not matter.
Without = Callable[[str, str], Sequence[Mapping[str, Any]] | None]


def standing(
    ask: Ask, user: Mapping[str, Any], attached: Iterable[str], without: Without, *, weighs: bool = True
) -> Standing:
    """What has to be known of a user before he is suspended, and whether he is.

    Args:
        ask: the eyes. Asked of the user's keys and password only where he cannot carry one more policy.
        user: as IAM shows him, with UserName and Arn.
        attached: the ARNs of the managed policies that are attached to him.
        without: see `_last.administrators_without`.
        weighs: whether he may have to be suspended; else nothing is asked, and all that is known is whether he is.
    """
    name, held, policy = user["UserName"], sorted(attached), own_policy(ask, SUSPENDED)
    known: dict[str, Any] = {
        "arn": user["Arn"],
        "policy": policy,
        "suspended": policy in held,
        "full": policy not in held and len(held) >= MOST_ATTACHED,
        "keys": [],
        "password": False,
        "left": None,
    }
    if known["suspended"] or not weighs:
        return known
    if known["full"]:
        known["keys"] = sorted(one["AccessKeyId"] for one in keys_of(ask, name) if one["Status"] == "Active")
        profile = ask(Call("iam", "GetLoginProfile", {"UserName": name}, absent=GONE))
        known["password"] = profile is not None
    left = without(name, user["Arn"])
    known["left"] = left if left is None else list(left)
    return known


def is_suspended(known: Standing) -> bool:
    """Whether a user may do nothing, whoever suspended him; or comes in by nothing, where no more can be attached."""
    return bool(known["suspended"] or (known["full"] and not facts(known)))


def facts(known: Standing) -> tuple[str, ...]:
    """What lets him in, one by one, where he cannot carry the policy; else that he may do anything, as one fact."""
    if not known["full"]:
        return (SUSPENDED,)
    return (*map(_key, known["keys"]), *([PASSWORD] if known["password"] else []))


def suspension(target: Target, known: Standing, settings: Settings, of: Container[str], *, means: str = "") -> Plan:
    """The plan that suspends a user; a refusal where he is the last who could come in as an administrator.

    And of an operator whom the baseline names, who may be the only one to release anybody.

    Args:
        target: the user.
        known: as `standing` found it.
        settings: of a control with `people`.
        of: those of `facts` that may be repaired.
        means: what people have to know, beside what a suspension is.
    """
    who = administrators(settings)
    if people.named(known["arn"], settings.get("people", {}).get("operators", ())):
        return Plan(refusal=_OPERATOR)
    if known["left"] is not None and (why := locked_out({"administrators": known["left"]}, who)):
        return Plan(refusal=why)
    resources = by_name(target.account, "user", target.id)
    if not known["full"]:
        return Plan(
            steps=(attached(target.id, known["policy"]),),
            resources=resources,
            summary=f"suspends user {target.id}: attaches {_name(known['policy'])}, which denies everything",
            irreversible=_SESSIONS,
            means=means,
        )
    keys = [one for one in known["keys"] if _key(one) in of]
    return Plan.partly(
        tuple(switched_off(target.id, one, fact=_key(one)) for one in keys),
        {PASSWORD: _STAYS} if known["password"] and PASSWORD in of else {},
        resources=resources,
        summary=f"deactivates access key {', '.join(keys)} of user {target.id}, who can carry no more policies",
        irreversible="sessions already started with a key live on until they expire",
        means=means,
    )


_OPERATOR = (
    "`operators` in baseline.yaml names this user, and somebody has to be left who may let others act again; take the "
    "user out there and deploy, and the next sweep goes on"
)
_SESSIONS = "sessions of roles that the user has assumed before live on until they expire, twelve hours at most"
_STAYS = (
    f"he holds {MOST_ATTACHED} managed policies, AWS's default quota, so the one that denies everything cannot be "
    "attached; a deleted password cannot be brought back. Detach one of his policies, and he is suspended with the "
    "next sweep; or delete his password in IAM, under Security credentials, Manage console access"
)


def attached(user: str, policy: str, *, fact: str = "") -> Step:
    """One of the stack's own denials attached to a user. Its undo detaches it."""
    both = {"UserName": user, "PolicyArn": policy}
    return Step(
        do=Call("iam", "AttachUserPolicy", both), undo=(Call("iam", "DetachUserPolicy", both, absent=GONE),), fact=fact
    )


def held_by(known: Standing, repair: Plan) -> Mapping[str, Any]:
    """What of it a repair is about, which an undo asks for: the policy, or the keys that it deactivated."""
    keys = {call.parameters["AccessKeyId"] for call in repair.do if "AccessKeyId" in call.parameters}
    if keys:
        return {"active": [one for one in known["keys"] if one in keys]}
    return {"suspended": known["suspended"]}


def described(known: Standing) -> str:
    """How it stands, as it reads in an e-mail."""
    if known["suspended"]:
        return "suspended: all is denied"
    if not known["full"]:
        return "not suspended"
    by = [*(f"access key {one}" for one in known["keys"]), *([PASSWORD] if known["password"] else [])]
    return f"comes in by {', '.join(by)}" if by else "comes in by nothing"


def lifts(calls: Iterable[Call], policy: str) -> bool:
    """Whether an undo takes a policy from a user."""
    return any(call.action == "iam:DetachUserPolicy" and call.parameters.get("PolicyArn") == policy for call in calls)


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _key(key: str) -> str:
    return f"access key {key}"
