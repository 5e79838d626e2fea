"""What moto lacks of what a bill is watched with, added to it.

Supplied, because moto does not know them:

* Budgets' `UpdateBudget`, which leaves the notifications, `CreateSubscriber`, `DeleteSubscriber` and
  `DescribeSubscribersForNotification`; and its limits: five notifications for a budget, ten e-mail addresses and one
  topic for a notification, none of them twice.

Faked: no budget ever warns.

Source: AWS Budgets API reference; AWS Cost Management user guide, Quotas and restrictions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from moto.budgets.models import Budget, BudgetsBackend, Notification
from moto.budgets.responses import BudgetsResponse
from moto.core.exceptions import JsonRESTError

_MOST_NOTIFICATIONS = 5
_MOST_OF = {"EMAIL": 10, "SNS": 1}


def install() -> None:
    """Add to this process's moto what it lacks; again, change nothing."""
    if BudgetsResponse.__dict__.get("update_budget"):
        return
    BudgetsResponse.update_budget = _update_budget
    BudgetsResponse.create_subscriber = _create_subscriber
    BudgetsResponse.delete_subscriber = _delete_subscriber
    BudgetsResponse.describe_subscribers_for_notification = _describe_subscribers
    BudgetsResponse.describe_notifications_for_budget = _describe_notifications
    BudgetsBackend.delete_notification = _delete_notification
    Budget.add_notification = _add_notification


def _refused(code: str, message: str) -> JsonRESTError:
    return JsonRESTError(code, message)


def _budget(response: Any) -> Budget:  # noqa: ANN401
    return _budget_of(response.backend, response._get_param("AccountId"), response._get_param("BudgetName"))


def _budget_of(backend: BudgetsBackend, account: str, name: str) -> Budget:
    found = backend.budgets[account].get(name)
    if found is None:
        raise _refused("NotFoundException", f"Unable to find budget: {name} - the budget doesn't exist.")
    return found


def _key(details: Mapping[str, Any]) -> tuple[object, ...]:
    kind = details.get("ThresholdType") or "PERCENTAGE"
    return details["NotificationType"], details["ComparisonOperator"], float(details["Threshold"]), kind


def _notification(budget: Budget, details: Mapping[str, Any]) -> Notification:
    for one in budget.notifications:
        if _key(one.details) == _key(details):
            return one
    raise _refused("NotFoundException", "Unable to find the notification - it doesn't exist.")


def _update_budget(response: Any) -> str:  # noqa: ANN401
    new = response._get_param("NewBudget")
    found = _budget_of(response.backend, response._get_param("AccountId"), new["BudgetName"])
    period = found.budget["TimePeriod"]
    found.budget = {"TimePeriod": period, **deepcopy(new), "LastUpdatedTime": found.budget["LastUpdatedTime"]}
    return json.dumps({})


def _add_notification(budget: Budget, details: dict[str, Any], subscribers: list[Mapping[str, Any]]) -> None:
    if any(_key(one.details) == _key(details) for one in budget.notifications):
        raise _refused("DuplicateRecordException", "the notification already exists.")
    if len(budget.notifications) >= _MOST_NOTIFICATIONS:
        raise _refused("CreationLimitExceededException", "the number of notifications exceeds the limit.")
    budget.notifications.append(Notification(details, subscribers))


def _delete_notification(backend: BudgetsBackend, account_id: str, budget_name: str, notification: Any) -> None:  # noqa: ANN401
    budget = _budget_of(backend, account_id, budget_name)
    budget.notifications.remove(_notification(budget, notification))


def _describe_notifications(response: Any) -> str:  # noqa: ANN401
    listed = [{**one.details, "NotificationState": "OK"} for one in _budget(response).notifications]
    return json.dumps({"Notifications": listed})


def _create_subscriber(response: Any) -> str:  # noqa: ANN401
    found = _notification(_budget(response), response._get_param("Notification"))
    new = response._get_param("Subscriber")
    if new in found.subscribers:
        raise _refused("DuplicateRecordException", "the subscriber already exists.")
    kind = new["SubscriptionType"]
    if sum(one["SubscriptionType"] == kind for one in found.subscribers) >= _MOST_OF[kind]:
        raise _refused("CreationLimitExceededException", "the number of subscribers exceeds the limit.")
    found.subscribers = [*found.subscribers, new]
    return json.dumps({})


def _delete_subscriber(response: Any) -> str:  # noqa: ANN401
    found = _notification(_budget(response), response._get_param("Notification"))
    gone = response._get_param("Subscriber")
    if gone not in found.subscribers:
        raise _refused("NotFoundException", "Unable to find the subscriber - it doesn't exist.")
    found.subscribers = [one for one in found.subscribers if one != gone]
    return json.dumps({})


def _describe_subscribers(response: Any) -> str:  # noqa: ANN401
    found = _notification(_budget(response), response._get_param("Notification"))
    return json.dumps({"Subscribers": found.subscribers})
