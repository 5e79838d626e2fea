"""Whoever could change Plumbline and may not carries the guard.

Holds: every user and role that could change what belongs to Plumbline (its functions, triggers, rules, queues, topics,
ledger, alarms, roles, policies, trail, stack, forwarders in any region, or what is deployed next) has the policy
`STACK-guard` attached, itself or through a group, which denies it all that and nothing else. Judged by all of a
principal's policies together, with its boundary. Left out are those who may: the operators and deployers of the
baseline, the users and roles that it names as administrators, and as long as it names no operators whoever holds the
OperatorPolicy, no deployers the principal that deployed the stack and the role that CloudFormation does it with.
Whoever has administrator rights is left to iam-admin-grants: no policy holds who can write policies. The stack's own
roles are known by their whole ARNs, so that nothing hides below their path.
Why: with everyday developer rights one can change the function that repairs, or silence the one that tells, and then do
anything unseen. A tool that guards an account must not be turned against it by those it watches.
Repair: attaches the guard to the user or role. What was there before Plumbline is proposed first. A role that only IAM
Identity Center can change, and who holds as many policies as the account allows, cannot be given it: you are told what
to do instead.
Undo: detaches it. Whoever should go without it for good belongs into `operators` or `deployers`.
Source: AWS IAM user guide, policy evaluation logic; IAM quotas; Service Authorization Reference.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from plumbline.controls.house._own import ELSEWHERE, POWERS, House, Power
from plumbline.controls.iam._entitled import administrators
from plumbline.controls.iam._principals import (
    EVERYTHING,
    GONE,
    PRINCIPALS,
    RESERVED,
    SERVICE_LINKED,
    aws_policy,
    by_name,
    foresee_policies,
    locate_principal,
    named,
    partition,
    policies_held,
    spell_principal,
)
from plumbline.core import people
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.names import among, fits, same_name
from plumbline.core.targets import ALL, GLOBAL, State, Target
from plumbline.rights.account import Account, Principal, account_of
from plumbline.rights.documents import Document, listed, statements
from plumbline.rights.effective import Memo, may
from plumbline.rights.ways import Judge
from plumbline.wakes import cloudtrail

#: The clock of those to whom nothing can be attached.
UNGUARDED = "unguarded"
_ADMINISTRATOR = ":iam::aws:policy/AdministratorAccess"
_QUOTAS = {"user": "AttachedPoliciesPerUserQuota", "role": "AttachedPoliciesPerRoleQuota"}
_KINDS = {"user": "iam-user", "role": "iam-role"}
#: Every action of any power, as documents are asked about it.
_ANY = tuple({action.lower() for power in (*POWERS, *ELSEWHERE) for action in power.actions})


def locate(detail: Event) -> Iterable[Target]:
    """The user or role whose rights an event changed; everybody where it was a group or a policy."""
    for one in locate_principal(detail):
        yield one if one.kind in _KINDS.values() else replace(one, kind="iam-user", id=ALL)


def everybody(detail: Event) -> Iterable[Target]:
    """Everybody: who holds a policy the event does not say."""
    return cloudtrail.here(detail, "iam-user", "", region=GLOBAL)


def survey(ask: Ask) -> Mapping[Target, State]:
    """Every user and role, from the bulk read that all IAM controls share and what AWS's policies say."""
    details = ask(EVERYTHING)
    account = account_of(details, managed=_texts(ask, policies_held(details)))
    look = _Look(ask, account)
    return {
        Target(ask.account, GLOBAL, _KINDS[one.kind], one.name): look.at(one)
        for one in account.principals.values()
        if one.kind in _KINDS and not _below(one).startswith(SERVICE_LINKED)
    }


def observe(ask: Ask, target: Target) -> State:
    """One user or role, afresh; of AWS's policies only its own are read."""
    details = ask(EVERYTHING)
    bare = account_of(details)
    kind = target.kind.removeprefix("iam-")
    one = next(
        (each for each in bare.principals.values() if each.kind == kind and same_name(each.name, target.id)),
        None,
    )
    if one is None or _below(one).startswith(SERVICE_LINKED):
        return None
    held = {source.rpartition(": ")[2] for source in (*one.sources, one.bounded_by)}
    account = account_of(details, managed=_texts(ask, held))
    return _Look(ask, account).at(account.principals[one.arn])


def _texts(ask: Ask, held: Iterable[str]) -> dict[str, Any]:
    """What AWS's own policies say, by ARN."""
    wanted = sorted(arn for arn in held if ":iam::aws:" in arn and not arn.endswith(_ADMINISTRATOR))
    foresee_policies(ask, wanted)
    return {arn: text for arn in wanted if (text := aws_policy(ask, arn)) is not None}


class _Look:
    """One look through an account: what is asked for a few is asked once, and only for them."""

    def __init__(self, ask: Ask, account: Account) -> None:
        self._ask, self._account = ask, account
        self._house = House(partition(ask), ask.account, ask.home, ask.stack, ask.trail.rpartition("/")[2] or ask.stack)
        self._memo, self._judge = Memo(), Judge(account)
        self._spoken: dict[int, bool] = {}

    def at(self, one: Principal) -> dict[str, Any]:
        """What a user or role could do to Plumbline, and what bears on whether it may."""
        could = [] if self._house.owns(one.arn) else self._could(one)
        state = {"kind": one.kind, "name": _below(one), "arn": one.arn, "could": could}
        if not could:
            return state
        return state | {
            "guard": self._house.guard,
            "administrator": bool(self._judge.direct(one)),
            "groups": [arn.rpartition("/")[2] for arn in one.groups],
            "operator": self._house.operator in {source.rpartition(": ")[2] for source in one.sources},
            "deploys": one.arn in self._deploying(),
            "held": sum(source.startswith("arn:") for source in one.sources),
            "most": self._ask(Call("iam", "GetAccountSummary"))["SummaryMap"].get(_QUOTAS[one.kind], 10),
        }

    def _could(self, one: Principal) -> list[str]:
        # of most of an account's many documents none allows anything of the kind, on whatever
        if not any(self._speaks(text) for text in one.documents):
            return []
        powers = [power.does for power in POWERS if self._has(one, power, self._house)]
        if powers:
            return powers
        others = [replace(self._house, region=region) for region in _regions(one)]
        there = [power.does for power in ELSEWHERE if any(self._has(one, power, other) for other in others)]
        return list(dict.fromkeys(there))

    def _speaks(self, text: Document) -> bool:
        known = self._spoken.get(id(text))
        if known is None:
            allowed = [said for said in self._memo.of(text) if said.allow]
            known = self._spoken[id(text)] = any(said.speaks_of(action) for said in allowed for action in _ANY)
        return known

    def _has(self, one: Principal, power: Power, house: House) -> bool:
        context = {key: house.named(value) for key, value in (power.context or {}).items()}
        arn = house.arn(power.resource)
        return any(may(one, action, arn, context, memo=self._memo) for action in power.actions)

    def _deploying(self) -> frozenset[str]:
        """Who deployed the stack, by its parameter and by CloudTrail, and the role that CloudFormation does it with."""
        name = {"StackName": self._ask.stack}
        stacks = self._ask(Call("cloudformation", "DescribeStacks", name, self._ask.home, absent=("ValidationError",)))
        stack = stacks["Stacks"][0] if stacks else {}
        recorded = [
            one.get("ParameterValue", "") for one in stack.get("Parameters") or () if one["ParameterKey"] == "Deployer"
        ]
        return frozenset([*recorded, stack.get("RoleARN", ""), self._ask.recorded.deployer])


def detect(state: State, settings: Settings) -> Deviation | None:
    """Somebody who could change Plumbline and may not."""
    if state is None or not state["could"] or _may(state, settings):
        return None
    clock = UNGUARDED if _why_not(state) else "default"
    return Deviation(f"may {_listed(state['could'])}, and does not carry the guard", ("the guard is missing",), clock)


def _may(state: Mapping[str, Any], settings: Settings) -> bool:
    """Whether this is somebody whom the baseline lets change or command Plumbline, or iam-admin-grants judges."""
    listed = settings.get("people", {})
    account = state["arn"].split(":")[4]
    operators, deployers = (people.of_account(listed.get(key, ()), account) for key in people.LISTS)
    named_ = people.named(state["arn"], (*operators, *deployers))
    commands = not operators and state["operator"]
    deploys = not deployers and state["deploys"]
    return bool(named_ or commands or deploys or state["administrator"] or _is_administrator(state, settings))


def _is_administrator(state: Mapping[str, Any], settings: Settings) -> bool:
    """Whether the baseline names this very user or role an administrator; who is in a group, may be so since today."""
    who = administrators(settings)
    return (
        among(state["name"].rpartition("/")[2], who["users"])
        if state["kind"] == "user"
        else fits(state["name"], who["roles"])
    )


def _why_not(state: Mapping[str, Any]) -> str:
    """Why the guard cannot be attached, and what to do instead; empty where it can."""
    if state["name"].startswith(RESERVED):
        return (
            "only IAM Identity Center can change this role; add the customer managed policy "
            f"{state['guard'].rpartition('/')[2]}, with path /plumbline/, to its permission set there, name the role "
            "under operators or deployers, or deny the same by a policy of your organisation (`make guard-scp`)"
        )
    if state["held"] >= state["most"]:
        group = ", or put the guard into a group of the user" if state["kind"] == "user" else ""
        return (
            f"it holds {state['held']} managed policies, and this account allows {state['most']}; merge two of them, "
            f"or ask AWS for a higher quota{group}"
        )
    return ""


def describe(state: State) -> str:
    """What it could do."""
    if state is None:
        return "it does not exist"
    return f"may {_listed(state['could'])}" if state["could"] else "can change nothing of Plumbline"


def plan(target: Target, state: State, _settings: Settings, _facts: Container[str] = EVERY, /) -> Plan:
    """Attach the guard, where that can be."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    if why := _why_not(state):
        return Plan(refusal=why)
    both = {**named(target), "PolicyArn": state["guard"]}
    spelled = PRINCIPALS[target.kind]
    return Plan(
        steps=(
            Step(
                do=Call("iam", f"Attach{spelled}Policy", both),
                undo=(Call("iam", f"Detach{spelled}Policy", both, absent=GONE),),
            ),
        ),
        resources=by_name(target.account, state["kind"], target.id),
        summary=f"attaches {state['guard'].rpartition('/')[2]} to {state['kind']} {target.id}",
        means="It denies nothing but what would change Plumbline itself. Whoever deploys or commands Plumbline belongs "
        "into deployers or operators of baseline.yaml.",
    )


def part(state: State, _plan: Plan) -> State:
    """The guard alone: what else a principal may do comes and goes."""
    return state and {"arn": state["arn"], "guarded": not state["could"]}


def _regions(one: Principal) -> tuple[str, ...]:
    """The regions that somebody's documents name, and one that they do not; none where they name none.

    Whoever has rights wherever he is has them at home as well.
    """
    arns = (
        str(arn)
        for policy in one.documents
        for statement in statements(policy)
        for key in ("Resource", "NotResource")
        for arn in listed(statement.get(key))
    )
    named_ = {parts[_REGION] for parts in (arn.split(":") for arn in arns) if len(parts) > _REGION}
    # A region whose name only begins so is any of these.
    regions = {part.replace("*", "1").replace("?", "1") for part in named_ - {"", "*"}}
    return (*sorted(regions), "another-1") if regions else ()


_REGION = 3  # of an ARN's parts


def _below(one: Principal) -> str:
    """A name with its path."""
    return one.arn.partition(f":{one.kind}/")[2]


def _listed(words: list[str]) -> str:
    few = words if len(words) <= _FEW else [*words[: _FEW - 1], f"{len(words) - _FEW + 1} things more"]
    return few[0] if len(few) == 1 else f"{', '.join(few[:-1])} and {few[-1]}"


_FEW = 4
_TOLD = Clock(remind=(timedelta(days=1), timedelta(days=3)), escalate=timedelta(days=7))
_OF_ONE = tuple(
    f"{verb}{kind}{what}"
    for kind in ("User", "Role")
    for verb, what in (
        ("Attach", "Policy"),
        ("Detach", "Policy"),
        ("Put", "Policy"),
        ("Delete", "Policy"),
        ("Delete", "PermissionsBoundary"),
    )
)
_OF_GROUPS = ("AddUserToGroup", "AttachGroupPolicy", "DeleteGroupPolicy", "DetachGroupPolicy", "PutGroupPolicy",
              "RemoveUserFromGroup")  # fmt: skip
CONTROL = Control(
    id="house-guard",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.CRITICAL,
    response=Response.ENFORCE,
    clocks={
        "default": AT_ONCE,
        # What was there before is somebody's work: a person looks who it is.
        FOUND_BY_SWEEP: replace(FOUND, act=timedelta(0), mode=Response.PROPOSE),
        UNGUARDED: _TOLD,
    },
    scope=Scope.GLOBAL,
    kinds=tuple(_KINDS.values()),
    wakes_on=(
        On("iam.amazonaws.com", (*_OF_ONE, *_OF_GROUPS), locate),
        On("iam.amazonaws.com", ("CreatePolicyVersion", "SetDefaultPolicyVersion"), everybody),
    ),
    reads=frozenset(
        {
            "cloudformation:DescribeStacks",
            "iam:GetAccountAuthorizationDetails",
            "iam:GetAccountSummary",
            "iam:GetPolicy",
            "iam:GetPolicyVersion",
            "iam:ListPolicies",
        }
    ),
    writes=frozenset({"iam:AttachRolePolicy", "iam:AttachUserPolicy", "iam:DetachRolePolicy", "iam:DetachUserPolicy"}),
    noun="{kind} {last}",
    survey=survey,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    part=part,
    people=True,
    spell=spell_principal,
)
