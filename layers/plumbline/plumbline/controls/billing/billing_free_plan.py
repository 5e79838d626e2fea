"""A Free plan does not end unnoticed.

Holds: an account on AWS's Free plan is told of each week, with the credits that are left and the day on which the plan
ends; again when it ends within 30 days, within 7, and when it has ended. An account on a paid plan is in line, and so
is one of which AWS tells nothing, such as one that is older than these plans.
Why: when the Free plan ends, by its day or because its credits are used up, AWS closes the account: everything in it
stops, and is lost unless somebody upgrades in time. The day comes half a year after an afternoon that nobody remembers.
Repair: none. To upgrade is to agree to pay, which nobody but you can; you are told what to choose where.
Undo: none; nothing is changed.
Source: AWS Billing user guide, Choosing an AWS Free Tier plan; AWS Free Tier API reference, GetAccountPlanState.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from plumbline.core.calls import Ask, Call, Plan
from plumbline.core.cause import Event
from plumbline.core.clock import Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.wakes import cloudtrail

KIND = "account-plan"
#: The clock of a plan that ends soon, or has ended.
ENDS = "ends-soon"
_NONE = ("ResourceNotFoundException",)
_SOON = (timedelta(days=7), timedelta(days=30))
_WEEK = timedelta(days=7)


def locate(detail: Event) -> Iterable[Target]:
    """The account has one."""
    return cloudtrail.here(detail, KIND, "plan", region=GLOBAL)


def find(ask: Ask) -> Iterable[Target]:
    """The account has one."""
    yield Target(ask.account, GLOBAL, KIND, "plan")


def observe(ask: Ask, _target: Target) -> State:
    """The plan, its credits, its end, and how near that is; nothing of it where AWS has nothing to tell."""
    answer = ask(Call("freetier", "GetAccountPlanState", absent=_NONE)) or {}
    ends = answer.get("accountPlanExpirationDate")
    return {
        "plan": answer.get("accountPlanType", ""),
        "status": answer.get("accountPlanStatus", ""),
        "credits": _money(answer.get("accountPlanRemainingCredits") or {}),
        "ends": f"{ends:%Y-%m-%d}" if ends else "",
        "within_days": _within(ends, ask.now) if ends else None,
    }


def _within(ends: datetime, now: datetime) -> int | None:
    """The nearest of the days before its end that are told of; None where it is further away."""
    return next((one.days for one in _SOON if ends - now <= one), None)


def detect(state: State, _settings: Settings) -> Deviation | None:
    """A Free plan, and how near its end is."""
    assert state is not None  # noqa: S101 - an account always has a plan, or none that AWS tells of
    if state["plan"] != "FREE":
        return None
    if state["status"] == "EXPIRED":
        return Deviation("was on AWS's Free plan, which has ended", ("ended",), ENDS)
    left = f"; {state['credits']} of credits are left" if state["credits"] else ""
    ends = f", which ends on {state['ends']} or when its credits are used up" if state["ends"] else ""
    summary = f"is on AWS's Free plan{ends}{left}"
    if state["within_days"] is None:
        return Deviation(summary, ("Free plan",))
    return Deviation(summary, ("Free plan", f"ends within {state['within_days']} days"), ENDS)


def describe(state: State) -> str:
    """The plan as AWS tells it."""
    assert state is not None  # noqa: S101 - an account always has a plan, or none that AWS tells of
    if not state["plan"]:
        return "AWS tells nothing of a plan"
    facts = (
        f"the {state['plan'].lower()} plan",
        state["status"].lower().replace("_", " "),
        f"{state['credits']} left" if state["credits"] else "",
        f"until {state['ends']}" if state["ends"] else "",
    )
    return ", ".join(one for one in facts if one)


def plan(_target: Target, _state: State, _settings: Settings, _facts: Container[str] = EVERY, /) -> Plan:
    """Only a person can agree to pay: what to choose where."""
    return Plan(
        refusal="only you can agree to pay: open the Billing and Cost Management console as root or as an "
        "administrator, and choose Upgrade plan; what credits are left stay yours. Or let it end, and take what you "
        "need out of the account before (AWS Billing user guide, Choosing an AWS Free Tier plan)"
    )


def _money(amount: Mapping[str, Any]) -> str:
    return f"{float(amount['amount']):.2f} {amount.get('unit', 'USD')}" if amount.get("amount") is not None else ""


CONTROL = Control(
    id="billing-free-plan",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.MEDIUM,
    response=Response.ALERT,
    clocks={"default": Clock(every=_WEEK), ENDS: Clock(every=_WEEK)},
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(On("freetier.amazonaws.com", ("UpgradeAccountPlan",), locate),),
    reads=frozenset({"freetier:GetAccountPlanState"}),
    writes=frozenset(),
    noun="the account",
    find=find,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
)
