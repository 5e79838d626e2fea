"""What makes a budget one that warns of the whole bill in time. Pure.

Source: AWS Budgets API reference, Budget, Notification, CreateBudget, UpdateBudget and CreateNotification; AWS Cost
Management user guide, Quotas and restrictions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from plumbline.core.control import Settings

OURS = "plumbline-monthly"
ACTUAL, FORECASTED = "ACTUAL", "FORECASTED"
#: What AWS itself writes into a budget, and takes back from nobody.
_KEPT_BY_AWS = ("CalculatedSpend", "LastUpdatedTime", "HealthStatus")
#: What makes a budget watch less than the bill, or a limit that changes by itself.
_NARROWS = ("CostFilters", "FilterExpression", "PlannedBudgetLimits", "AutoAdjustData")
#: The view of the whole account; any other shows what its owner chose.
_PRIMARY = "billingview/primary"
MOST_NOTIFICATIONS, MOST_ADDRESSES = 5, 10
_PERCENT = 100
_WORDS = {ACTUAL: "of it is spent", FORECASTED: "of it is forecast"}

Budget = Mapping[str, Any]
#: A notification as AWS takes it, with the e-mail addresses that it goes to under `emails`.
Notification = Mapping[str, Any]
#: The kind of a warning, and at how many percent of the amount.
Wanted = tuple[str, float]


def settings_of(budget: Budget) -> dict[str, Any]:
    """A budget as UpdateBudget takes it, without what AWS itself keeps about it; times as text, as the ledger has."""
    return {name: _plain(value) for name, value in budget.items() if name not in _KEPT_BY_AWS and value is not None}


def notification_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """A notification as AWS takes it, without the state that it is in."""
    return {name: value for name, value in said.items() if name != "NotificationState"}


def watches_the_bill(budget: Budget) -> bool:
    """Whether a budget is on each month's costs of the whole account, in US dollars, with one limit."""
    limit = budget.get("BudgetLimit") or {}
    return (
        (budget.get("BudgetType"), budget.get("TimeUnit"), limit.get("Unit")) == ("COST", "MONTHLY", "USD")
        and not any(budget.get(name) for name in _NARROWS)
        and str(budget.get("BillingViewArn") or _PRIMARY).endswith(_PRIMARY)
    )


def limit_of(budget: Budget) -> float:
    """How many US dollars a budget allows."""
    return float((budget.get("BudgetLimit") or {}).get("Amount") or 0)


def wanted(settings: Settings) -> list[Wanted]:
    """The warnings that the baseline wants, each kind from the lowest up."""
    actual = [(ACTUAL, float(one)) for one in sorted(settings["actual_percent"])]
    return [*actual, *((FORECASTED, float(one)) for one in sorted(settings["forecast_percent"]))]


def heard(
    budget: Budget, notifications: Sequence[Notification], settings: Settings
) -> Iterator[tuple[Wanted, Notification | None, list[str]]]:
    """Each warning that is wanted, the notification that gives it, and which addresses that one leaves out.

    A notification gives one warning: the one that is meant for just that, else one that comes no later than wanted.
    All is reckoned by the limit that the baseline allows, so that a higher one is a fault for itself.
    """
    amount, allowed = settings["budget"]["amount_usd"], repaired(budget, settings)
    left = sorted(filter(_rises, notifications), key=lambda one: _dollars(allowed, one))
    given: dict[Wanted, Notification] = {}
    for exact in (True, False):
        for warning in reversed(wanted(settings)):
            kind, percent = warning
            fits = [
                one
                for one in left
                if one["NotificationType"] == kind
                and _dollars(allowed, one) <= amount * percent / _PERCENT
                and (not exact or notification_key(one) == notification_key(made(warning)))
            ]
            if fits and warning not in given:
                given[warning] = fits[-1]
                left.remove(fits[-1])
    for warning in wanted(settings):
        known = {one.casefold() for one in given.get(warning, {}).get("emails", ())}
        missing = [one for one in settings["budget"]["emails"] if one.casefold() not in known]
        yield warning, given.get(warning), missing


def notification_key(notification: Notification) -> tuple[object, ...]:
    """What AWS tells notifications of a budget apart by."""
    kind = notification.get("ThresholdType") or "PERCENTAGE"
    return notification["NotificationType"], notification["ComparisonOperator"], float(notification["Threshold"]), kind


def faults(budget: Budget, notifications: Sequence[Notification], settings: Settings) -> list[str]:
    """Why a budget would not warn as the baseline wants it; empty when it would."""
    found = list(shape_faults(budget, settings))
    for warning, notification, missing in heard(budget, notifications, settings):
        if notification is None:
            found.append(unwarned(warning))
        else:
            found += [untold(one, warning) for one in missing]
    return found


def shape_faults(budget: Budget, settings: Settings) -> Iterator[str]:
    """What is wrong with the budget itself; its notifications apart."""
    amount = settings["budget"]["amount_usd"]
    if not watches_the_bill(budget):
        yield "it does not watch each month's whole bill in USD"
    elif limit_of(budget) > amount:
        yield f"it allows {limit_of(budget):g} USD, not {amount:g}"


def unwarned(warning: Wanted) -> str:
    """The fact that nothing warns."""
    return f"nothing warns when {warning[1]:g} % {_WORDS[warning[0]]}"


def untold(email: str, warning: Wanted) -> str:
    """The fact that somebody is left out."""
    return f"{email} is not told when {warning[1]:g} % {_WORDS[warning[0]]}"


def made(warning: Wanted) -> dict[str, Any]:
    """The notification of a warning, as AWS takes it."""
    kind, percent = warning
    return {
        "NotificationType": kind,
        "ComparisonOperator": "GREATER_THAN",
        "Threshold": percent,
        "ThresholdType": "PERCENTAGE",
    }


def repaired(before: Budget | None, settings: Settings) -> dict[str, Any]:
    """The budget made whole; a lower limit, and which costs count, stay as they are."""
    kept = {name: value for name, value in (before or {}).items() if name not in _NARROWS}
    amount = float(settings["budget"]["amount_usd"])
    if before and watches_the_bill(before) and 0 < limit_of(before) < amount:
        amount = limit_of(before)
    if not str(kept.get("BillingViewArn") or _PRIMARY).endswith(_PRIMARY):
        del kept["BillingViewArn"]
    limit = {"Amount": f"{amount:g}" if amount < 1e6 else f"{amount:.2f}", "Unit": "USD"}  # noqa: PLR2004 - no 1e+06
    return {**kept, "BudgetName": OURS, "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": limit}


def _rises(notification: Notification) -> bool:
    return bool(notification.get("ComparisonOperator") == "GREATER_THAN")


def _dollars(budget: Budget, notification: Notification) -> float:
    """At how many dollars it warns; AWS takes a threshold for a percentage where nothing says otherwise."""
    threshold = float(notification["Threshold"])
    return threshold if notification.get("ThresholdType") == "ABSOLUTE_VALUE" else limit_of(budget) * threshold / 100


def _plain(value: Any) -> Any:  # noqa: ANN401 - a budget holds anything
    if isinstance(value, datetime):
        return value.isoformat()
    return {name: _plain(one) for name, one in value.items()} if isinstance(value, Mapping) else value
