"""The baseline's groups exist, each with exactly its managed policies.

Holds: every group named in `groups` exists and has the managed policies listed for it attached, and no other. Groups
the baseline does not name are left alone, and who is in a group is not judged here.
Why: people get their rights through these groups. A policy added to one silently gives something to everybody in it; a
policy taken away, or the group deleted or renamed, stops them working, and someone soon hands out rights one by one.
Repair: creates the group, attaches the policies that are missing and detaches the ones that are not listed.
Undo: attaches and detaches the other way round, and deletes a group it created while that has no members.
Source: AWS IAM best practices (rights through groups); AWS managed policies for job functions.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

from plumbline.controls.iam._principals import EVERYTHING, GONE, MOST_ATTACHED, by_names, partition
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.rights.documents import AWS_ADMIN_POLICIES
from plumbline.wakes import cloudtrail

KIND = "iam-groups"
GROUPS = Call("iam", "GetAccountAuthorizationDetails", {"Filter": ["Group"], "MaxItems": 1000})


def locate(detail: Event) -> Iterable[Target]:
    """All of the baseline's groups: one that is missing could not be found by looking at those there are."""
    return cloudtrail.here(detail, KIND, "baseline", region=GLOBAL)


def survey(ask: Ask) -> Mapping[Target, State]:
    """Every group's managed policies, from the bulk read that all IAM controls share."""
    return {Target(ask.account, GLOBAL, KIND, "baseline"): _state(ask, EVERYTHING)}


def observe(ask: Ask, _target: Target) -> State:
    """The same, from a bulk read of the groups alone."""
    return _state(ask, GROUPS)


def _state(ask: Ask, call: Call) -> State:
    return {
        "partition": partition(ask),
        "groups": {
            group["GroupName"]: sorted(one["PolicyArn"] for one in group.get("AttachedManagedPolicies") or [])
            for group in sorted(ask(call)["GroupDetailList"], key=lambda group: group["GroupName"])
        },
    }


def detect(state: State, settings: Settings) -> Deviation | None:
    """A group that is missing, or has a policy too few or too many."""
    assert state is not None  # noqa: S101 - an account always has a list of groups
    items: list[str] = []
    for group, missing, extra in _differences(state, settings):
        items += [] if group in state["groups"] else [_absent(group)]
        items += [_lacks(group, arn) for arn in missing]
        items += [_has_as_well(group, arn) for arn in extra]
    return Deviation("is not what the baseline says", tuple(items)) if items else None


def describe(state: State) -> str:
    """Each group and its policies."""
    groups = state["groups"] if state else {}
    return (
        "; ".join(f"{name}: {', '.join(map(_short, arns)) or 'no policy'}" for name, arns in groups.items())
        or "no groups"
    )


def plan(target: Target, state: State, settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """Each named group as the baseline says; what is too much goes first, for a group holds ten policies."""
    assert state is not None  # noqa: S101 - an account always has a list of groups
    differences = list(_meant(state, settings, facts))
    if not differences:
        return Plan(refusal="a group that is left alone for now does not exist, and nothing can be attached to it")
    for group, missing, extra in differences:  # never of a whole repair: the baseline names no more than fit
        if len(state["groups"].get(group, ())) - len(extra) + len(missing) > MOST_ATTACHED:
            return Plan(
                refusal=f"with the policies that are left alone for now, {group} would hold more than {MOST_ATTACHED}; "
                "detach one of them"
            )
    alike = {name.lower(): name for name in state["groups"]}
    for group, _, _ in differences:
        if group not in state["groups"] and group.lower() in alike:
            return Plan(refusal=f"there is a group {alike[group.lower()]}, and IAM takes {group} for the same name")
    words = [
        f"{'creates' if group not in state['groups'] else 'corrects'} group {group}" for group, _, _ in differences
    ]
    created = [group for group, _, _ in differences if group not in state["groups"]]
    return Plan(
        steps=tuple(step for one in differences for step in _steps(state, *one)),
        resources=by_names(target.account, [("group", group) for group, _, _ in differences]),
        summary=", ".join(words),
        irreversible=f"who was in {', '.join(created)} before, if it was deleted; add them again" if created else "",
    )


def _steps(state: Mapping[str, Any], group: str, missing: list[str], extra: list[str]) -> Iterator[Step]:
    name = {"GroupName": group}
    if group not in state["groups"]:
        yield Step(
            do=Call("iam", "CreateGroup", name, absent=("EntityAlreadyExists",)),
            undo=(Call("iam", "DeleteGroup", name, absent=(*GONE, "DeleteConflict")),),
        )
    for arn in extra:
        policy = {**name, "PolicyArn": arn}
        yield Step(
            do=Call("iam", "DetachGroupPolicy", policy, absent=GONE),
            undo=(Call("iam", "AttachGroupPolicy", policy, absent=GONE),),
        )
    for arn in missing:
        policy = {**name, "PolicyArn": arn}
        yield Step(
            do=Call("iam", "AttachGroupPolicy", policy), undo=(Call("iam", "DetachGroupPolicy", policy, absent=GONE),)
        )


def _differences(state: Mapping[str, Any], settings: Settings) -> Iterator[tuple[str, list[str], list[str]]]:
    """Each named group that differs: what it lacks, and what it has too much."""
    for group, names in settings["groups"].items():
        wanted = {
            name if name.startswith("arn:") else f"arn:{state['partition']}:iam::aws:policy/{name}" for name in names
        }
        there = set(state["groups"].get(group, ()))
        if group not in state["groups"] or wanted != there:
            yield group, sorted(wanted - there), sorted(there - wanted)


def _meant(
    state: Mapping[str, Any], settings: Settings, facts: Container[str]
) -> Iterator[tuple[str, list[str], list[str]]]:
    """What is to be put right of each group that differs. A group that is left missing can be given nothing."""
    for group, missing, extra in _differences(state, settings):
        if group not in state["groups"] and _absent(group) not in facts:
            continue
        attach = [arn for arn in missing if _lacks(group, arn) in facts]
        detach = [arn for arn in extra if _has_as_well(group, arn) in facts]
        if attach or detach or group not in state["groups"]:
            yield group, attach, detach


def _absent(group: str) -> str:
    return f"{group} does not exist"


def _lacks(group: str, arn: str) -> str:
    return f"{group} lacks {_exact(arn)}"


def _has_as_well(group: str, arn: str) -> str:
    return f"{group} has {_exact(arn)} as well"


def _exact(arn: str) -> str:
    """A policy that is taken for no other: one of the account's own may be called like one of AWS's."""
    return _short(arn) if ":iam::aws:" in arn else arn


def part(state: State, plan: Plan) -> State:
    """The groups that a repair is about, each as it is; other groups come and go."""
    groups = state["groups"] if state else {}
    named = {call.parameters["GroupName"] for call in plan.do}
    return {name: groups.get(name) for name in sorted(named)}


def _short(arn: str) -> str:
    return arn.partition(":policy/")[2] or arn


def clashes(enforced: Mapping[str, Settings]) -> Iterable[tuple[Sequence[str], str]]:
    """Groups that the baseline gives administrator rights, and that iam-admin-grants would take them from."""
    if "iam-admin-grants" not in enforced:
        return
    named = enforced["iam-admin-grants"]["administrators"]["groups"]
    for group, policies in enforced[CONTROL.id]["groups"].items():
        strong = [_short(one) for one in policies if _short(one) in AWS_ADMIN_POLICIES]
        if strong and group not in named:
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
    clocks={"default": AT_ONCE},
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(
        On(
            "iam.amazonaws.com",
            ("AttachGroupPolicy", "DeleteGroup", "DetachGroupPolicy", "UpdateGroup"),
            locate,
        ),
    ),
    reads=frozenset({"iam:GetAccountAuthorizationDetails"}),
    writes=frozenset({"iam:AttachGroupPolicy", "iam:CreateGroup", "iam:DeleteGroup", "iam:DetachGroupPolicy"}),
    noun="the set of IAM groups",
    survey=survey,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    part=part,
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
