"""Users get their rights through groups, not by policies attached to them.

Holds: no managed policy is attached to a user directly. Left alone are those whom the baseline makes administrators
(`iam-admin-grants`) and the users in `allowed_users`, AWS's quarantine of a compromised key and its AWSDenyAll, what
AWS attaches by itself (IAMUserChangePassword, AmazonBedrockLimitedAccess), and this stack's own denials by their exact
ARN. AWS's policies that make an administrator are iam-admin-grants' to judge. What is called as the copies are that
`iam-inline-policies` makes is told, since anybody may call a policy so, and never taken: no rule takes what another
gives.
Why: rights that are attached to one person are in no list of what a team may do. They stay when somebody changes teams,
and each of them is one more exception that a review has to find.
Repair: after a week of notice detaches the policies that are attached directly; groups, and what they give, stay.
Nothing is detached from an administrator, or from a user who may become one by assuming a role, while without him no
person would be left who is an administrator by the baseline and can come in: you are told instead, and why.
Undo: attaches them again, which takes the rights of whoever undoes it.
Source: AWS IAM user guide, Security best practices, and CIS AWS Foundations Benchmark 7.0, 2.13; AWS IAM user guide,
Policies in AWS that AWS itself attaches: AWSCompromisedKeyQuarantineV2, IAMUserChangePassword.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from plumbline.controls.iam._copies import may_be_copy
from plumbline.controls.iam._entitled import administrators, locked_out, trusted
from plumbline.controls.iam._last import administrators_without
from plumbline.controls.iam._matters import WAY_IN_READS
from plumbline.controls.iam._principals import (
    EVERYTHING,
    GONE,
    by_name,
    locate_principal,
    named,
    own_denials,
    spell_principal,
    users_that,
)
from plumbline.controls.iam._steps import detached
from plumbline.controls.iam._weighed import is_aws
from plumbline.core.calls import Ask, Call, Plan
from plumbline.core.clock import Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.giving import AWS_DENIALS
from plumbline.core.names import among, fits
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.rights.administrators import AWS_ADMIN_POLICIES

KIND = "iam-user"
#: AWS's own policies that AWS attaches to a user, or tells nobody to take away.
#: Source: IAM user guide, Permit IAM users to change their own passwords; Amazon Bedrock user guide, Generate API keys.
OF_AWS = (*AWS_DENIALS, "AmazonBedrockLimitedAccess", "IAMUserChangePassword", *sorted(AWS_ADMIN_POLICIES))
#: The clock of what may be a copy of an inline policy, where nothing else is attached: it is told.
COPY = "copy"

#: A user's name and ARN -> who would be left as an administrator without him; None where that does not matter.
_Without = Callable[[str, str], Sequence[Mapping[str, Any]] | None]


def survey(ask: Ask) -> Mapping[Target, State]:
    """What every user has attached, from the bulk read."""
    without = administrators_without(ask)
    return {
        Target(ask.account, GLOBAL, KIND, user["UserName"]): _state(
            ask, user, user.get("AttachedManagedPolicies") or (), user.get("GroupList") or (), without
        )
        for user in ask(EVERYTHING)["UserDetailList"]
    }


def observe(ask: Ask, target: Target) -> State:
    """What one user has attached; None when he is gone."""
    user = ask(Call("iam", "GetUser", named(target), absent=GONE))
    attached = ask(Call("iam", "ListAttachedUserPolicies", named(target), absent=GONE))
    groups = ask(Call("iam", "ListGroupsForUser", named(target), absent=GONE))
    if user is None or attached is None or groups is None:
        return None
    joined = [one["GroupName"] for one in groups["Groups"]]
    return _state(ask, user["User"], attached["AttachedPolicies"], joined, administrators_without(ask))


def _state(
    ask: Ask,
    user: Mapping[str, Any],
    attached: Iterable[Mapping[str, str]],
    groups: Iterable[str],
    without: _Without,
) -> State:
    own, arns = own_denials(ask), sorted(one["PolicyArn"] for one in attached)
    direct = [arn for arn in arns if arn not in own and not _is_of_aws(arn)]
    return {
        "kind": "user",
        "name": user["UserName"],
        "groups": sorted(groups),
        "keeper": "",
        "attached": arns,
        "direct": direct,
        "administrators": without(user["UserName"], user["Arn"]) if direct else None,
    }


def _is_of_aws(arn: str) -> bool:
    return is_aws(arn) and fits(arn.partition(":policy/")[2], OF_AWS)


def detect(state: State, settings: Settings) -> Deviation | None:
    """What is attached to a user who should have it through a group."""
    if state is None or not state["direct"] or fits(state["name"], settings["allowed_users"]):
        return None
    if trusted(state, administrators(settings)):
        return None
    items = tuple(state["direct"])
    many = f"{len(items)} policies" if len(items) > 1 else "a policy"
    return Deviation(
        f"has {many} attached directly, and not through a group", items, "default" if _others(items) else COPY
    )


def _others(arns: Iterable[str]) -> list[str]:
    """Those that are not called as copies of inline policies are."""
    return [arn for arn in arns if not may_be_copy(arn)]


def excepted(target: Target, settings: Settings) -> bool:
    """A user whom the settings, or the baseline's administrators, name."""
    return fits(target.id, (*settings["allowed_users"],)) or among(target.id, administrators(settings)["users"])


def describe(state: State) -> str:
    """What is attached."""
    if state is None:
        return "the user does not exist"
    return f"attached directly: {', '.join(map(_short, state['attached'])) or 'nothing'}"


def plan(target: Target, state: State, settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """Detach what is attached directly, but for what may be a copy of an inline policy."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    meant = [arn for arn in state["direct"] if arn in facts]
    if state["administrators"] is not None and (
        why := locked_out({"administrators": state["administrators"]}, administrators(settings))
    ):
        return Plan(refusal=why)
    mine = _others(meant)
    left = {arn: _MAY_BE_A_COPY for arn in meant if arn not in mine}
    return Plan.partly(
        tuple(detached("user", target.id, arn, fact=arn) for arn in mine),
        left,
        resources=by_name(target.account, "user", target.id),
        summary=f"detaches {', '.join(map(_short, mine))}",
        means=_MEANS,
    )


_MAY_BE_A_COPY = (
    "it is called as the copies of inline policies are, which may be all that gives these rights; give them by a "
    "group, and then detach it"
)
_MEANS = (
    "The user keeps what groups give. Whoever needs these rights for good belongs into a group that has them; who may "
    "have policies attached directly is listed in allowed_users of this control."
)


def part(state: State, repair: Plan) -> State:
    """Those of the attached policies that a repair is about."""
    if state is None:
        return None
    arns = {call.parameters["PolicyArn"] for call in repair.do}
    return {"attached": [arn for arn in state["attached"] if arn in arns]}


def _short(arn: str) -> str:
    return arn.partition(":policy/")[2]


CONTROL = Control(
    id="iam-user-policies",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.MEDIUM,
    response=Response.ENFORCE,
    clocks={
        "default": Clock(remind=(timedelta(days=1), timedelta(days=3), timedelta(days=6)), act=timedelta(days=7)),
        COPY: Clock(remind=(timedelta(days=7),)),
    },
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    # Who leaves the administrators' group, or gets another name, is left alone no more.
    wakes_on=(On("iam.amazonaws.com", ("AttachUserPolicy", "RemoveUserFromGroup", "UpdateUser"), locate_principal),),
    reads=WAY_IN_READS
    | {
        "iam:GetUser",
        "iam:ListAttachedUserPolicies",
        "iam:ListGroupsForUser",
    },
    writes=frozenset({"iam:AttachUserPolicy", "iam:DetachUserPolicy"}),
    noun="user {id}",
    survey=survey,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    part=part,
    people=True,
    excepted=excepted,
    spell=spell_principal,
    settings={
        "allowed_users": users_that("may have policies attached directly"),
    },
    answers={"cis-7.0": ("2.13",), "ssb": ("ACCT.04",)},
)
