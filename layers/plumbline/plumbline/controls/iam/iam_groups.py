"""The baseline's groups exist, each with exactly its managed policies.

Holds: every group named in `groups` exists and has exactly what the whole baseline gives it: the managed policies
listed for it; unless it makes administrators, `STACK-self-service`, by which people see to their own password, MFA and
sign-in; and, once s3-group-access names buckets, `STACK-buckets`, which denies what AWS's own policies allow in S3
outside them: those for Glue, Athena, Lake Formation and SageMaker reach any bucket. The buckets that such services keep
results, scripts and models in are buckets like any other: declare them too. The guard, and what account-region-guard
attaches, are left alone. Groups the baseline does not name are left alone, and who is in a group is not judged here.
IAM tells names apart without case, and so does this: `Administrators` is the group that the baseline calls
`administrators`. Where people come through Identity Center, a group that is missing is told once and not made: nobody
would be in it. Which roles a group may pass, and that one of them is strong, iam-admin-grants tells.
Why: people get their rights through these groups. A policy added to one silently gives something to everybody in it; a
policy taken away, or the group deleted or renamed, stops them working, and someone soon hands out rights one by one.
Repair: creates the group, attaches the policies that are missing and detaches the ones that are not listed. Policies
that make administrators, and others than the groups of the baseline have as shipped, no role of Plumbline may attach:
they are proposed, and attached with the rights of whoever approves it. A group that is made gets the guard as well,
unless it is the administrators': it counts among the ten, and is nowhere taken for one too many. What may be all that
makes the baseline's administrators some is not taken from their group: you are told. The access to all of S3 that
version 0.1 gave to two groups is taken back when a person agrees, and never by itself.
Undo: attaches and detaches the other way round, and deletes a group it created while that has no members. What it
attaches again takes the rights of whoever undoes it.
Source: AWS IAM best practices (rights through groups); AWS managed policies for job functions.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from plumbline.controls.iam._entitled import administrators
from plumbline.controls.iam._group_differences import (
    Difference,
    absent,
    differences,
    has_as_well,
    in_words,
    is_given_before,
    lacks,
)
from plumbline.controls.iam._groups import (
    ALLOWED_REGIONS,
    DECLARED_BUCKETS,
    KIND,
    REGIONS,
    carried,
    locate,
    observe,
    short,
    survey,
)
from plumbline.controls.iam._principals import GONE, MOST_ATTACHED, by_names
from plumbline.core.calls import Call, Plan, Step
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, NEVER, Clock, Response
from plumbline.core.control import ELSEWHERE, EVERY, PEOPLE, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.names import among, folded
from plumbline.core.targets import State, Target
from plumbline.rights.administrators import AWS_ADMIN_POLICIES

#: The clock of groups that are missing where people come through Identity Center.
BY_CENTER = "identity-center"
#: The clock of what version 0.1 gave its groups: see `GIVEN_BEFORE`.
BEFORE = "given-before"
_ON_REQUEST = (
    "version 0.1 gave it to this group, and somebody may work with it; its end is proposed once nothing else is wrong "
    "with the groups"
)
_NOT_MADE = (
    "people come into this account through Identity Center, so that nobody would be in it; make the group yourself, "
    "and it is held from then on, or take it out of `groups`"
)


def detect(state: State, settings: Settings) -> Deviation | None:
    """A group that is missing, or has a policy too few or too many."""
    assert state is not None  # noqa: S101 - an account always has a list of groups
    found = list(differences(state, settings))
    items: list[str] = []
    for one in found:
        items += [] if one.spelled else [absent(one.name)]
        items += [lacks(one.name, arn) for arn in one.missing]
        items += [has_as_well(one.name, arn) for arn in one.extra]
    return Deviation("is not what the baseline says", tuple(items), _clock(state, found)) if items else None


def _clock(state: Mapping[str, Any], found: Sequence[Difference]) -> str:
    """The clock of all that differs: the boldest of what there is."""
    made = [one for one in found if _is_made(state, one)]
    if not made:
        return BY_CENTER
    return BEFORE if all(map(_is_of_before, made)) else "default"


def _is_of_before(one: Difference) -> bool:
    """Whether a group has what version 0.1 gave it, and is in order otherwise."""
    return bool(one.spelled) and not one.missing and all(is_given_before(one, arn) for arn in one.extra)


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
    found = list(differences(state, settings))
    waits = _clock(state, found) != BEFORE
    meant = [_meant(one, facts, settings, made=_is_made(state, one), waits=waits) for one in found]
    changed = [one for one, left in meant if one.missing or one.extra or _is_created(one, left, facts)]
    created = [one.name for one in changed if not one.spelled]
    strong = [one.spelled for one in changed if one.spelled and any(_makes_administrators(arn) for arn in one.missing)]
    return Plan.partly(
        [step for one in changed for step in _steps(one)],
        {fact: why for _, left in meant for fact, why in left.items()},
        resources=by_names(target.account, [("group", one.spelled or one.name) for one in changed]),
        summary=", ".join(map(in_words, changed)),
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
    one: Difference, facts: Container[str], settings: Settings, *, made: bool, waits: bool
) -> tuple[Difference, dict[str, str]]:
    """What is to be put right of a group that differs, and what of it cannot be while the rest is left alone."""
    if not made:
        wrong = [absent(one.name), *(lacks(one.name, arn) for arn in one.missing)]
        return replace(one, missing=[], extra=[]), {fact: _NOT_MADE for fact in wrong if fact in facts}
    missing = [arn for arn in one.missing if lacks(one.name, arn) in facts]
    extra = [arn for arn in one.extra if has_as_well(one.name, arn) in facts]
    kept = _last_ways_in(one, extra, settings)
    asked = [arn for arn in extra if waits and is_given_before(one, arn)]
    extra = [arn for arn in extra if arn not in (*kept, *asked)]
    if not one.spelled and absent(one.name) not in facts:
        return replace(one, missing=[], extra=[]), dict.fromkeys((lacks(one.name, arn) for arn in missing), _LATER)
    room = max(0, MOST_ATTACHED - one.held + len(extra))  # never short for a whole repair: the baseline names no more
    full = (
        f"with the policies that are left alone for now, {one.spelled or one.name} would hold more than "
        f"{MOST_ATTACHED}; detach one of them"
    )
    left = dict.fromkeys((lacks(one.name, arn) for arn in missing[room:]), full)
    left |= dict.fromkeys((has_as_well(one.name, arn) for arn in kept), _LAST_WAY_IN.format(one.spelled or one.name))
    left |= dict.fromkeys((has_as_well(one.name, arn) for arn in asked), _ON_REQUEST)
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


_ELEVEN = "a group holds {most} policies, and {ours}; name {room} at most, or merge two of yours"
#: What each of our own is for, where a build says that there is no room for it.
_FOR = {
    "guard": "plumbline-guard is one of them, which keeps who is in it from changing Plumbline",
    "regions": "so is plumbline-regions, for account-regions names regions",
    "buckets": "so is plumbline-buckets, for s3-group-access names buckets",
    "self-service": "so is plumbline-self-service, unless you write `self_service: false`",
}


def _whole(enforced: Mapping[str, Settings]) -> Settings:
    """The settings as the functions read them, as far as a build knows."""
    said = {one: enforced.get(one, {}) for one, _ in (ALLOWED_REGIONS, DECLARED_BUCKETS)}
    return {PEOPLE: enforced.get("iam-admin-grants", {}), ELSEWHERE: said}


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
    whole, self_service = _whole(enforced), enforced[CONTROL.id].get("self_service", False)
    for group, policies in groups.items():
        ours = [
            one
            for one in carried(group, policies, whole, self_service=self_service)
            if one != REGIONS or "account-region-guard" in enforced
        ]
        room = MOST_ATTACHED - len(ours)
        if len(policies) > room:
            why = ", ".join(_FOR[one] for one in ours)
            yield ("groups", group), _ELEVEN.format(most=MOST_ATTACHED, ours=why, room=room)
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


_PROPOSED = Clock(remind=(timedelta(days=7),), escalate=timedelta(days=30), act=timedelta(0), mode=Response.PROPOSE)
CONTROL = Control(
    id="iam-groups",
    doc=__doc__ or "",
    since="0.1",
    severity=Severity.MEDIUM,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND, BY_CENTER: NEVER, BEFORE: _PROPOSED},
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
    elsewhere={control: (name,) for control, name in (ALLOWED_REGIONS, DECLARED_BUCKETS)},
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
                    "AmazonEMRFullAccessPolicy_v2",
                    "AmazonRedshiftFullAccess",
                    "AWSGlueConsoleFullAccess",
                    "AWSLakeFormationDataAdmin",
                ],
                "data-scientists": ["AmazonAthenaFullAccess", "AmazonSageMakerFullAccess"],
            },
            "description": "Group -> its managed policies: `AdministratorAccess` or `job-function/Billing` for AWS's "
            "own, a whole ARN for yours. A group that exists under such a name gets exactly these. A group that makes "
            "administrators belongs into `administrators.groups` of iam-admin-grants too.",
        },
        "self_service": {
            "type": "boolean",
            "default": True,
            "description": "Whether each of these groups but the administrators' gets `STACK-self-service` as well: "
            "people change their password, see to their own MFA, and sign in on their own machine.",
        },
    },
    answers={"cis-7.0": ("5.4",), "ssb": ("ACCT.04",)},
)
