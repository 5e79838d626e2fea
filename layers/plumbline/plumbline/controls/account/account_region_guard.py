"""The users of the baseline's groups can do nothing outside the regions that the baseline allows.

Holds: once account-regions names regions in `allowed`, every group that iam-groups names and that is there carries the
policy `STACK-regions`, but for groups that make administrators. It denies everything elsewhere except services without
a region, such as IAM, Route 53 and billing, and S3's reads of the account. It holds for the users in these groups and
for nobody else: no role, nobody who comes through Identity Center, and not root; keeping everybody from a region takes
a policy of an organisation. As long as no region is named this holds nothing, and a policy that is attached by then
denies nothing.
Why: what runs in a region that nobody uses is looked at by nobody. Intruders mine there for weeks, and data lies there
that by law may lie elsewhere only.
Repair: attaches the policy to the group. A group that holds ten policies already is told.
Undo: detaches it. What the policy says is the template's, and a text that somebody has changed house-integrity tells.
Source: AWS IAM user guide, AWS: Denies access to AWS based on the requested Region; IAM quotas.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any

from plumbline.controls.iam._groups import ALLOWED_REGIONS, KIND, REGIONS, carried, locate, observe, own, short, survey
from plumbline.controls.iam._principals import GONE, MOST_ATTACHED, by_names
from plumbline.core.calls import Call, Plan, Step
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity, said_elsewhere
from plumbline.core.names import among, folded
from plumbline.core.targets import State, Target


def _free(state: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    """The groups that are to carry the policy and do not, as the account spells them."""
    spelled = {folded(name): name for name in state["groups"]}
    for group, policies in dict(said_elsewhere(settings, "iam-groups", "groups")).items():
        here = spelled.get(folded(group), "")
        wanted = carried(group, policies, settings, self_service=False)
        if here and REGIONS in wanted and not among(own(state, REGIONS), state["groups"][here]):
            yield here


def detect(state: State, settings: Settings) -> Deviation | None:
    """A group whose users can do something anywhere."""
    assert state is not None  # noqa: S101 - an account always has a list of groups
    free = list(_free(state, settings))
    if not free:
        return None
    allowed = ", ".join(sorted(said_elsewhere(settings, *ALLOWED_REGIONS)))
    return Deviation(f"lets users do things outside {allowed}", tuple(map(_fact, free)))


def _fact(group: str) -> str:
    return f"{group} does not carry the region guard"


def describe(state: State) -> str:
    """The groups that carry the policy."""
    assert state is not None  # noqa: S101 - an account always has a list of groups
    carrying = [name for name, arns in state["groups"].items() if among(own(state, REGIONS), arns)]
    return f"the region guard is carried by {', '.join(carrying) or 'no group'}"


def plan(target: Target, state: State, settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """Attach the policy to each, where there is room."""
    assert state is not None  # noqa: S101 - an account always has a list of groups
    meant = [one for one in _free(state, settings) if _fact(one) in facts]
    full = [one for one in meant if len(state["groups"][one]) >= MOST_ATTACHED]
    given = [one for one in meant if one not in full]
    policy = own(state, REGIONS)
    return Plan.partly(
        [_attached(one, policy) for one in given],
        {_fact(one): f"{one} holds {MOST_ATTACHED} policies, and no group holds more; detach one" for one in full},
        resources=by_names(target.account, [("group", one) for one in given]),
        summary=f"attaches {short(policy).rpartition('/')[2]} to {', '.join(given)}",
        means="Who is in these groups can do nothing in other regions from then on. What runs there goes on.",
    )


def _attached(group: str, policy: str) -> Step:
    both = {"GroupName": group, "PolicyArn": policy}
    undo = Call("iam", "DetachGroupPolicy", both, absent=GONE)
    return Step(do=Call("iam", "AttachGroupPolicy", both), undo=(undo,), fact=_fact(group))


def part(state: State, plan: Plan) -> State:
    """Whether the groups that a repair is about carry the policy; what else they have comes and goes."""
    groups = state["groups"] if state else {}
    both = [call.parameters for call in plan.do]
    return {one["GroupName"]: among(one["PolicyArn"], groups.get(one["GroupName"], ())) for one in both}


CONTROL = Control(
    id="account-region-guard",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.MEDIUM,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND},
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(On("iam.amazonaws.com", ("CreateGroup", "DetachGroupPolicy", "UpdateGroup"), locate),),
    reads=frozenset({"iam:GetAccountAuthorizationDetails", "iam:ListRoles"}),
    writes=frozenset({"iam:AttachGroupPolicy", "iam:DetachGroupPolicy"}),
    noun="the set of IAM groups",
    survey=survey,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    part=part,
    people=True,
    elsewhere={"account-regions": ("allowed",), "iam-groups": ("groups",)},
    answers={"moj": ("regions",), "ssb": ("ACCT.17",)},
)
