"""A monthly budget warns by e-mail before the bill passes what you want to spend.

Holds: where the baseline declares a budget (`budget`: an amount and who is told), a monthly cost budget on the whole
account's bill has that limit or a lower one, and tells each of these addresses when 80 % of the amount is spent, when
all of it is, and when the forecast passes it. A budget of your own that does counts. While none is declared, nothing is
found. Not judged: when a budget ends, which kinds of costs it counts, and whether anybody reads the mailbox.
Why: AWS charges for whatever runs, whoever started it, and stops at no amount. The alarm on the bill tells of charges
that are there already; a budget's forecast tells weeks before the invoice, while there is time to switch something off.
Repair: makes the budget plumbline-monthly, or puts it right: its limit where that is higher, the warnings and addresses
that are missing. What people added to it, and a lower limit, stay. Other budgets are not touched. AWS takes no sixth
notification and no eleventh address: then you are told what to remove.
Undo: sets the earlier limit, takes away what was added, or deletes the budget where there was none.
Source: AWS Cost Management user guide, Creating a budget, and Quotas and restrictions; AWS Budgets API reference,
UpdateBudget; Service Authorization Reference, AWS Budget Service (ViewBudget, ModifyBudget).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any

from plumbline.controls.billing._budgets import (
    MOST_ADDRESSES,
    MOST_NOTIFICATIONS,
    OURS,
    faults,
    heard,
    limit_of,
    made,
    notification_of,
    repaired,
    settings_of,
    shape_faults,
    untold,
    unwarned,
    wanted,
    watches_the_bill,
)
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.wakes import cloudtrail

KIND = "budget"
_NONE = ("NotFoundException",)
#: It is there already: of a repair that was cut short the same writes come twice.
_THERE = ("DuplicateRecordException",)
_NO_BUDGET = "no budget"


def locate(detail: Event) -> Iterable[Target]:
    """The account's bill, whichever budget it was about."""
    return cloudtrail.here(detail, KIND, "bill", region=GLOBAL)


def find(ask: Ask) -> Iterable[Target]:
    """The account has one bill."""
    yield Target(ask.account, GLOBAL, KIND, "bill")


def observe(ask: Ask, target: Target) -> State:
    """The budgets on the whole bill, and our own whatever it watches, each with its notifications and addresses."""
    of = {"AccountId": target.account}
    answer = ask(Call("budgets", "DescribeBudgets", of, absent=_NONE)) or {}
    found = [settings_of(one) for one in answer.get("Budgets") or ()]
    kept = [one for one in found if one["BudgetName"] == OURS or watches_the_bill(one)]
    kept.sort(key=lambda one: (one["BudgetName"] != OURS, one["BudgetName"]))
    return {"budgets": [{"budget": one, "notifications": _notifications(ask, of, one["BudgetName"])} for one in kept]}


def _notifications(ask: Ask, of: Mapping[str, str], name: str) -> list[dict[str, Any]]:
    of = {**of, "BudgetName": name}
    answer = ask(Call("budgets", "DescribeNotificationsForBudget", of, absent=_NONE)) or {}
    return [{**one, "emails": _emails(ask, of, one)} for one in map(notification_of, answer.get("Notifications") or ())]


def _emails(ask: Ask, of: Mapping[str, str], notification: Mapping[str, Any]) -> list[str]:
    call = Call("budgets", "DescribeSubscribersForNotification", {**of, "Notification": notification}, absent=_NONE)
    listed = (ask(call) or {}).get("Subscribers") or ()
    return [one["Address"] for one in listed if one["SubscriptionType"] == "EMAIL"]


def detect(state: State, settings: Settings) -> Deviation | None:
    """No budget without a fault; where none is declared, none is missed."""
    assert state is not None  # noqa: S101 - an account always has a bill
    if not settings["budget"]:
        return None
    every = {one["budget"]["BudgetName"]: faults(one["budget"], one["notifications"], settings) for one in _all(state)}
    if not all(every.values()):
        return None
    if OURS not in every:
        return Deviation("has no budget that warns as the baseline declares", (_NO_BUDGET,))
    more = f", and {len(every[OURS]) - 1} more" if len(every[OURS]) > 1 else ""
    return Deviation(f"has a budget that would not warn in time: {every[OURS][0]}{more}", tuple(every[OURS]))


def describe(state: State) -> str:
    """Each budget on the bill with its limit and how often it warns."""
    assert state is not None  # noqa: S101 - an account always has a bill
    return "; ".join(map(_words, _all(state))) or "no budget on the whole bill"


def plan(target: Target, state: State, settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """Make our budget, or put right what is wrong with it."""
    assert state is not None  # noqa: S101 - an account always has a bill
    ours = next((one for one in _all(state) if one["budget"]["BudgetName"] == OURS), None)
    of = {"AccountId": target.account}
    resources = (f"arn:*:budgets::{target.account}:budget/{OURS}",)
    if ours is None:
        return Plan(
            steps=(_created(of, settings),),
            resources=resources,
            summary=f"makes budget {OURS} of {settings['budget']['amount_usd']:g} USD a month, which tells "
            f"{', '.join(settings['budget']['emails'])}",
        )
    budget, named = ours["budget"], {**of, "BudgetName": OURS}
    steps = [
        Step(_update(of, repaired(budget, settings)), (_update(of, budget),), fact)
        for fact in shape_faults(budget, settings)
        if fact in facts
    ]
    added, left = _missing(named, ours["notifications"], budget, settings, facts)
    return Plan.partly(
        (*steps, *added),
        left,
        resources=resources,
        summary=f"sets budget {OURS} to warn as the baseline declares; what people added to it stays",
    )


def _created(of: Mapping[str, str], settings: Settings) -> Step:
    warnings = [
        {"Notification": made(one), "Subscribers": [_by_mail(email) for email in settings["budget"]["emails"]]}
        for one in wanted(settings)
    ]
    asked = {**of, "Budget": repaired(None, settings), "NotificationsWithSubscribers": warnings}
    delete = Call("budgets", "DeleteBudget", {**of, "BudgetName": OURS}, absent=_NONE)
    return Step(Call("budgets", "CreateBudget", asked, absent=_THERE), (delete,), _NO_BUDGET)


def _update(of: Mapping[str, str], budget: Mapping[str, Any]) -> Call:
    return Call("budgets", "UpdateBudget", {**of, "NewBudget": budget}, absent=_NONE)


def _missing(
    of: Mapping[str, str],
    notifications: list[Mapping[str, Any]],
    budget: Mapping[str, Any],
    settings: Settings,
    facts: Container[str],
) -> tuple[list[Step], dict[str, str]]:
    """The writes that add what is missing to our budget, and what AWS takes no more of."""
    steps: list[Step] = []
    left: dict[str, str] = {}
    room = MOST_NOTIFICATIONS - len(notifications)
    for warning, notification, missing in heard(budget, notifications, settings):
        if notification is None:
            room -= 1
            fact, full = unwarned(warning), f"budget {OURS} has {MOST_NOTIFICATIONS} notifications"
            wanted_here = [(fact, room >= 0, _warns(of, made(warning), missing, fact))]
        else:
            said = {name: value for name, value in notification.items() if name != "emails"}
            seats, full = MOST_ADDRESSES - len(notification["emails"]), f"it has {MOST_ADDRESSES} addresses"
            wanted_here = [
                (untold(one, warning), number < seats, _tells(of, said, one, untold(one, warning)))
                for number, one in enumerate(missing)
            ]
        for fact, fits, step in wanted_here:
            if fact in facts and fits:
                steps.append(step)
            elif fact in facts:
                left[fact] = f"{full}, the most there can be; remove one"
    return steps, left


def _warns(of: Mapping[str, str], notification: Mapping[str, Any], emails: list[str], fact: str) -> Step:
    asked = {**of, "Notification": notification}
    add = Call(
        "budgets", "CreateNotification", {**asked, "Subscribers": [_by_mail(one) for one in emails]}, absent=_THERE
    )
    return Step(add, (Call("budgets", "DeleteNotification", asked, absent=_NONE),), fact)


def _tells(of: Mapping[str, str], notification: Mapping[str, Any], email: str, fact: str) -> Step:
    asked = {**of, "Notification": notification, "Subscriber": _by_mail(email)}
    remove = Call("budgets", "DeleteSubscriber", asked, absent=_NONE)
    return Step(Call("budgets", "CreateSubscriber", asked, absent=_THERE), (remove,), fact)


def _by_mail(email: str) -> dict[str, str]:
    return {"SubscriptionType": "EMAIL", "Address": email}


def part(state: State, _plan: Plan) -> State:
    """Our own budget: the others are other people's."""
    return {"ours": next((one for one in _all(state) if one["budget"]["BudgetName"] == OURS), None)}


def _all(state: State) -> list[Mapping[str, Any]]:
    return list(state["budgets"]) if state else []


def _words(one: Mapping[str, Any]) -> str:
    budget, count = one["budget"], len(one["notifications"])
    if not watches_the_bill(budget):
        return f"budget {budget['BudgetName']} watches something else"
    often = f"{count} warning{'s' * (count != 1)}" if count else "no warning"
    return f"budget {budget['BudgetName']} of {limit_of(budget):g} USD a month, {often}"


def _percents(default: list[int], most: int, what: str) -> dict[str, Any]:
    one = {"type": "number", "exclusiveMinimum": 0, "maximum": 1000}
    return {"type": "array", "items": one, "maxItems": most, "uniqueItems": True, "default": default,
            "description": what}  # fmt: skip


CONTROL = Control(
    id="billing-budget",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.MEDIUM,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND},
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(
        On(
            "budgets.amazonaws.com",
            (
                "CreateBudget",
                "CreateNotification",
                "CreateSubscriber",
                "DeleteBudget",
                "DeleteNotification",
                "DeleteSubscriber",
                "UpdateBudget",
                "UpdateNotification",
                "UpdateSubscriber",
            ),
            locate,
        ),
    ),
    reads=frozenset({"budgets:ViewBudget"}),
    writes=frozenset({"budgets:ModifyBudget"}),
    noun="the account's bill",
    find=find,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    part=part,
    needs="budget",
    settings={
        "budget": {
            "type": ["object", "null"],
            "properties": {
                "amount_usd": {
                    "type": "number",
                    "exclusiveMinimum": 0,
                    "maximum": 1e9,
                    "description": "What a month may cost, in US dollars.",
                },
                "emails": {
                    "type": "array",
                    "items": {
                        "type": "string",
                        "maxLength": 254,
                        "pattern": r"^[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>]+$",
                        "patternErrorMessage": "Write an e-mail address alone, as bills@example.com.",
                        "description": "An e-mail address.",
                    },
                    "minItems": 1,
                    "maxItems": 10,
                    "uniqueItems": True,
                    "description": "Who is told; AWS sends to ten addresses at most.",
                },
            },
            "required": ["amount_usd", "emails"],
            "additionalProperties": False,
            "default": None,
            "examples": [{"amount_usd": 100, "emails": ["bills@example.com"]}],
            "description": "The month's budget and who is told; nothing is held while there is none.",
        },
        "actual_percent": _percents([80, 100], 3, "Warn when this much of the amount is spent."),
        "forecast_percent": _percents([100], 2, "Warn when this much of the amount is forecast for the month."),
    },
    answers={"ssb": ("ACCT.10",)},
)
