"""The baseline's groups exist, each with exactly its managed policies.

Holds: every group named in `groups` exists and has the managed policies listed for it attached, and no other. Groups
the baseline does not name are left alone, and who is in a group is not judged here. IAM tells names apart without case,
and so does this: `Administrators` is the group that the baseline calls `administrators`. Where people come through
Identity Center, a group that is missing is told once and not made: nobody would be in it.
Why: people get their rights through these groups. A policy added to one silently gives something to everybody in it; a
policy taken away, or the group deleted or renamed, stops them working, and someone soon hands out rights one by one.
Repair: creates the group, attaches the policies that are missing and detaches the ones that are not listed. Policies
that make administrators, and others than the groups of the baseline have as shipped, no role of Plumbline may attach:
they are proposed, and attached with the rights of whoever approves it. A group that is made gets the guard as well,
unless it is the administrators': it counts among the ten, and is nowhere taken for one too many. What may be all that
makes the baseline's administrators some is not taken from their group: you are told.
Undo: attaches and detaches the other way round, and deletes a group it created while that has no members. What it
attaches again takes the rights of whoever undoes it.
Source: AWS IAM best practices (rights through groups); AWS managed policies for job functions.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from plumbline.controls.iam._entitled import administrators
from plumbline.controls.iam._group_differences import (
    Difference,
    absent,
    differences,
    has_as_well,
    is_the_administrators,
    lacks,
    short,
)
from plumbline.controls.iam._principals import EVERYTHING, GONE, MOST_ATTACHED, by_names, partition
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, NEVER, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.names import among, folded
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.rights.administrators import AWS_ADMIN_POLICIES
from plumbline.wakes import cloudtrail

KIND = "iam-groups"
GROUPS = Call("iam", "GetAccountAuthorizationDetails", {"Filter": ["Group"], "MaxItems": 1000})
_CENTER = "/aws-reserved/sso.amazonaws.com/"  # nobody but Identity Center can make a role below this path
_CENTERS = Call("iam", "ListRoles", {"PathPrefix": _CENTER, "MaxItems": 1000})
#: The clock of groups that are missing where people come through Identity Center.
BY_CENTER = "identity-center"
_NOT_MADE = (
    "people come into this account through Identity Center, so that nobody would be in it; make the group yourself, "
    "and it is held from then on, or take it out of `groups`"
)


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
    return _state(ask, ask(GROUPS), center=bool(ask(_CENTERS)["Roles"]))


def _state(ask: Ask, details: Mapping[str, Any], *, center: bool) -> State:
    return {
        "partition": partition(ask),
        "identity_center": center,
        "guard": f"arn:{partition(ask)}:iam::{ask.account}:policy/plumbline/{ask.stack}-guard",
        "groups": {
            group["GroupName"]: sorted(one["PolicyArn"] for one in group.get("AttachedManagedPolicies") or [])
            for group in sorted(details["GroupDetailList"], key=lambda group: group["GroupName"])
        },
    }


def detect(state: State, settings: Settings) -> Deviation | None:
    """A group that is missing, or has a policy too few or too many."""
    assert state is not None  # noqa: S101 - an account always has a list of groups
    found = list(differences(state, settings))
    items: list[str] = []
    for one in found:
        items += [] if one.spelled else [absent(one.name)]
        items += [lacks(one.name, arn) for arn in one.missing]
        items += [has_as_well(one.name, arn) for arn in one.extra]
    clock = "default" if any(_is_made(state, one) for one in found) else BY_CENTER
    return Deviation("is not what the baseline says", tuple(items), clock) if items else None


def _is_made(state: Mapping[str, Any], one: Difference) -> bool:
    """Whether a group is there, or would be made."""
    return bool(one.spelled) or not state.get("identity_center")


def describe(state: State) -> str:
    """Each group and its policies."""
    groups = state["groups"] if state else {}
    return (
        "; ".join(f"{name}: {', '.join(map(short, arns)) or 'no policy'}" for name, arns in groups.items())
        or "no groups"
    )


def plan(target: Target, state: State, settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """Each named group as the baseline says; what is too much goes first, for a group holds ten policies."""
    assert state is not None  # noqa: S101 - an account always has a list of groups
    meant = [_meant(one, facts, settings, made=_is_made(state, one)) for one in differences(state, settings)]
    changed = [one for one, left in meant if one.missing or one.extra or _is_created(one, left, facts)]
    created = [one.name for one in changed if not one.spelled]
    strong = [one.spelled for one in changed if one.spelled and any(_makes_administrators(arn) for arn in one.missing)]
    return Plan.partly(
        [step for one in changed for step in _steps(one)],
        {fact: why for _, left in meant for fact, why in left.items()},
        resources=by_names(target.account, [("group", one.spelled or one.name) for one in changed]),
        summary=", ".join(f"{'corrects' if one.spelled else 'creates'} group {one.name}" for one in changed),
        irreversible=f"who was in {', '.join(created)} before, if it was deleted; add them again" if created else "",
        means=_MEANS.format(names=", ".join(strong)) if strong else "",
        later=[f"aws iam get-group --group-name {name}" for name in strong],
    )


_MEANS = (
    "Whoever is in {names} becomes an administrator. A group may have been renamed into that place, so look first who "
    "is in it, as below."
)


def _is_created(one: Difference, left: Container[str], facts: Container[str]) -> bool:
    return not one.spelled and absent(one.name) in facts and absent(one.name) not in left


def _meant(
    one: Difference, facts: Container[str], settings: Settings, *, made: bool
) -> tuple[Difference, dict[str, str]]:
    """What is to be put right of a group that differs, and what of it cannot be while the rest is left alone."""
    if not made:
        wrong = [absent(one.name), *(lacks(one.name, arn) for arn in one.missing)]
        return replace(one, missing=[], extra=[]), {fact: _NOT_MADE for fact in wrong if fact in facts}
    missing = [arn for arn in one.missing if lacks(one.name, arn) in facts]
    extra = [arn for arn in one.extra if has_as_well(one.name, arn) in facts]
    kept = _last_ways_in(one, extra, settings)
    extra = [arn for arn in extra if arn not in kept]
    if not one.spelled and absent(one.name) not in facts:
        return replace(one, missing=[], extra=[]), dict.fromkeys((lacks(one.name, arn) for arn in missing), _LATER)
    room = max(0, MOST_ATTACHED - one.held + len(extra))  # never short for a whole repair: the baseline names no more
    full = (
        f"with the policies that are left alone for now, {one.spelled or one.name} would hold more than "
        f"{MOST_ATTACHED}; detach one of them"
    )
    left = dict.fromkeys((lacks(one.name, arn) for arn in missing[room:]), full)
    left |= dict.fromkeys((has_as_well(one.name, arn) for arn in kept), _LAST_WAY_IN.format(one.spelled or one.name))
    return replace(one, missing=missing[:room], extra=extra), left


def _last_ways_in(one: Difference, extra: Sequence[str], settings: Settings) -> list[str]:
    """What may be all that makes the baseline's administrators some: it is not taken from their group."""
    if not among(one.name, administrators(settings)["groups"]) or one.strong:
        return []
    return [arn for arn in extra if ":iam::aws:" not in arn or among(short(arn), AWS_ADMIN_POLICIES)]


_LAST_WAY_IN = (
    "the baseline names {} a group of administrators, and without this nothing may make them some, and you might be "
    "locked out; list what makes them administrators under `groups`, or detach it yourself"
)
_LATER = "a group that is left alone for now does not exist, and nothing can be attached to it"


def _makes_administrators(arn: str) -> bool:
    return ":iam::aws:" in arn and among(short(arn), AWS_ADMIN_POLICIES)


def _steps(one: Difference) -> Iterator[Step]:
    name = {"GroupName": one.spelled or one.name}
    if not one.spelled:
        yield Step(
            do=Call("iam", "CreateGroup", name, absent=("EntityAlreadyExists",)),
            undo=(Call("iam", "DeleteGroup", name, absent=(*GONE, "DeleteConflict")),),
        )
    if one.guard:
        yield _attaches(one, one.guard, fact=absent(one.name))
    for arn in one.extra:
        policy = {**name, "PolicyArn": arn}
        yield Step(
            do=Call("iam", "DetachGroupPolicy", policy, absent=GONE),
            undo=(Call("iam", "AttachGroupPolicy", policy, absent=GONE),),
        )
    for arn in one.missing:
        yield _attaches(one, arn, fact=lacks(one.name, arn))


def _attaches(one: Difference, arn: str, *, fact: str) -> Step:
    policy = {"GroupName": one.spelled or one.name, "PolicyArn": arn}
    return Step(
        do=Call("iam", "AttachGroupPolicy", policy),
        undo=(Call("iam", "DetachGroupPolicy", policy, absent=GONE),),
        fact=fact,
    )


def part(state: State, plan: Plan) -> State:
    """The groups that a repair is about, each as it is; other groups come and go."""
    groups = state["groups"] if state else {}
    named = {call.parameters["GroupName"] for call in plan.do}
    return {name: groups.get(name) for name in sorted(named)}


_ELEVEN = (
    f"a group holds {MOST_ATTACHED} policies, and plumbline-guard is one of them, which keeps who is in it from "
    f"changing Plumbline; name {MOST_ATTACHED - 1} at most, or merge two of yours"
)


def clashes(enforced: Mapping[str, Settings]) -> Iterable[tuple[Sequence[str], str]]:
    """Groups of one name, and those given administrator rights that iam-admin-grants would take from them."""
    groups = enforced[CONTROL.id]["groups"]
    first: dict[str, str] = {}
    for group in groups:
        other = first.setdefault(folded(group), group)
        if other != group:
            yield (
                ("groups", group),
                f"IAM takes {group} and {other} for one name; write one of them, with all its policies",
            )
    whole = {"people": enforced.get("iam-admin-grants", {})}
    for group, policies in groups.items():
        if len(policies) == MOST_ATTACHED and not is_the_administrators(group, policies, whole):
            yield ("groups", group), _ELEVEN
    if "iam-admin-grants" not in enforced:
        return
    named = enforced["iam-admin-grants"]["administrators"]["groups"]
    for group, policies in groups.items():
        strong = [short(one) for one in policies if among(short(one), AWS_ADMIN_POLICIES)]
        if strong and not among(group, named):
            advice = (
                f"{strong[0]} makes administrators, and iam-admin-grants would take it from the group again; write "
                f"'{group}' into controls.iam-admin-grants.administrators.groups, or give the group less"
            )
            yield ("groups", group), advice


CONTROL = Control(
    id="iam-groups",
    doc=__doc__ or "",
    since="0.1",
    severity=Severity.MEDIUM,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND, BY_CENTER: NEVER},
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(
        On(
            "iam.amazonaws.com",
            ("AttachGroupPolicy", "DeleteGroup", "DetachGroupPolicy", "UpdateGroup"),
            locate,
        ),
    ),
    reads=frozenset({"iam:GetAccountAuthorizationDetails", "iam:ListRoles"}),
    writes=frozenset({"iam:AttachGroupPolicy", "iam:CreateGroup", "iam:DeleteGroup", "iam:DetachGroupPolicy"}),
    noun="the set of IAM groups",
    survey=survey,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    part=part,
    people=True,
    clashes=clashes,
    settings={
        "groups": {
            "type": "object",
            "propertyNames": {
                "pattern": r"^[\w+=,.@-]{1,128}$",
                "patternErrorMessage": "Write the name of a group: up to 128 letters, digits and +=,.@_-.",
            },
            "additionalProperties": {
                "type": "array",
                "items": {
                    "type": "string",
                    "pattern": r"^(arn:[\w-]+:iam::(aws|\d{12}):policy/)?[\w+=,.@/-]+$",
                    "patternErrorMessage": "Write an AWS policy by its name, as ReadOnlyAccess, and yours by its ARN.",
                },
                "minItems": 1,
                "maxItems": MOST_ATTACHED,
                "uniqueItems": True,
            },
            "default": {
                "administrators": ["AdministratorAccess"],
                "data-engineers": [
                    "AmazonAthenaFullAccess",
                    "AmazonRedshiftFullAccess",
                    "AmazonS3FullAccess",
                    "AWSGlueConsoleFullAccess",
                ],
                "data-scientists": ["AmazonAthenaFullAccess", "AmazonS3ReadOnlyAccess", "AmazonSageMakerFullAccess"],
            },
            "description": "Group -> its managed policies: `AdministratorAccess` or `job-function/Billing` for AWS's "
            "own, a whole ARN for yours. A group that exists under such a name gets exactly these. A group that makes "
            "administrators belongs into `administrators.groups` of iam-admin-grants too.",
        },
    },
    answers={"cis-7.0": ("5.4",), "ssb": ("ACCT.04",)},
)
