"""What moto lacks of what a bill is watched with, added to it.

Supplied, because moto does not know them:

* Budgets' `UpdateBudget`, which leaves the notifications, `CreateSubscriber`, `DeleteSubscriber` and
  `DescribeSubscribersForNotification`; and its limits: five notifications for a budget, ten e-mail addresses and one
  topic for a notification, none of them twice.

* Cost Explorer's monitors and subscriptions of anomalies: one monitor of services for an account.
* Free Tier's `GetAccountPlanState`, with what a test writes into `plan_of`; `ResourceNotFoundException` where that is
  nothing.
* Billing's `GetBillingPreferences` and `UpdateBillingPreferences` of the feature `BILLING_ALERTS`, with what a test
  writes into `preferences_of`: none in a fresh account.

Faked: no budget ever warns, no plan ends, and a preference has no effect. How the preference of billing alerts is
called AWS documents nowhere: `PREFERENCE` is made up.

Source: AWS Budgets, AWS Free Tier and AWS Billing API references; AWS Cost Management user guide, Quotas and
restrictions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any
from uuid import uuid4

from moto import backend_index
from moto.budgets.models import Budget, BudgetsBackend, Notification
from moto.budgets.responses import BudgetsResponse
from moto.ce import urls
from moto.ce.models import CostExplorerBackend, ce_backends
from moto.ce.responses import CostExplorerResponse
from moto.core.exceptions import JsonRESTError
from moto.core.responses import BaseResponse
from moto.moto_server import werkzeug_app

_MOST_NOTIFICATIONS = 5
_MOST_OF = {"EMAIL": 10, "SNS": 1}
_ANOMALIES = (
    "create_anomaly_monitor", "create_anomaly_subscription", "delete_anomaly_monitor", "delete_anomaly_subscription",
    "get_anomaly_monitors", "get_anomaly_subscriptions", "update_anomaly_subscription",
)  # fmt: skip
PREFERENCE = "made-up/receive-billing-alerts"


def plan_of(account: str) -> dict[str, Any]:
    """The account's plan as AWS answers it, to be changed; moto forgets it with the rest.

    Args:
        account: twelve digits.
    """
    return _kept(account, "plan")


def preferences_of(account: str) -> dict[str, str]:
    """The account's preferences of billing alerts, by their keys, to be changed; moto forgets them with the rest.

    Args:
        account: twelve digits.
    """
    return _kept(account, "preferences")


def _kept(account: str, what: str) -> dict[str, Any]:
    backend: CostExplorerBackend = ce_backends[account]["aws"]
    kept: dict[str, Any] = backend.__dict__.setdefault(what, {})
    return kept


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
    for name in _ANOMALIES:
        setattr(CostExplorerResponse, name, globals()[f"_{name}"])
    backend_index.backend_url_patterns.append(("ce", re.compile(r"https?://(freetier|billing)\.[a-z0-9.-]+")))
    urls.url_bases.append(r"https?://(?:freetier|billing)\.[a-z0-9.-]+")
    urls.url_paths["{0}/$"] = _by_whom_it_is_signed_for
    werkzeug_app.SIGNING_ALIASES.update(freetier="ce", billing="ce")


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


# --- anomalies ------------------------------------------------------------------------------------


def _create_anomaly_monitor(response: Any) -> str:  # noqa: ANN401
    monitors, new = _kept(response.current_account, "monitors"), response._get_param("AnomalyMonitor")
    if new.get("MonitorDimension") == "SERVICE" and any(
        one.get("MonitorDimension") == "SERVICE" for one in monitors.values()
    ):
        raise _refused("LimitExceededException", "Limit exceeded on dimensional spend monitor creation")
    arn = f"arn:aws:ce::{response.current_account}:anomalymonitor/{uuid4()}"
    monitors[arn] = {**new, "MonitorArn": arn, "CreationDate": "2026-03-02"}
    return json.dumps({"MonitorArn": arn})


def _delete_anomaly_monitor(response: Any) -> str:  # noqa: ANN401
    if _kept(response.current_account, "monitors").pop(response._get_param("MonitorArn"), None) is None:
        raise _refused("UnknownMonitorException", "The monitor does not exist.")
    return json.dumps({})


def _get_anomaly_monitors(response: Any) -> str:  # noqa: ANN401
    return json.dumps({"AnomalyMonitors": list(_kept(response.current_account, "monitors").values())})


def _create_anomaly_subscription(response: Any) -> str:  # noqa: ANN401
    new = response._get_param("AnomalySubscription")
    _check_monitors(response, new["MonitorArnList"])
    arn = f"arn:aws:ce::{response.current_account}:anomalysubscription/{uuid4()}"
    _kept(response.current_account, "subscriptions")[arn] = _confirmed({**new, "SubscriptionArn": arn})
    return json.dumps({"SubscriptionArn": arn})


def _update_anomaly_subscription(response: Any) -> str:  # noqa: ANN401
    arn, known = response._get_param("SubscriptionArn"), _kept(response.current_account, "subscriptions")
    if arn not in known:
        raise _refused("UnknownSubscriptionException", "The subscription does not exist.")
    names = ("Frequency", "MonitorArnList", "Subscribers", "SubscriptionName", "Threshold", "ThresholdExpression")
    said = {name: response._get_param(name) for name in names}
    _check_monitors(response, said["MonitorArnList"] or [])
    known[arn] = _confirmed({**known[arn], **{name: value for name, value in said.items() if value is not None}})
    return json.dumps({"SubscriptionArn": arn})


def _delete_anomaly_subscription(response: Any) -> str:  # noqa: ANN401
    gone = _kept(response.current_account, "subscriptions").pop(response._get_param("SubscriptionArn"), None)
    if gone is None:
        raise _refused("UnknownSubscriptionException", "The subscription does not exist.")
    return json.dumps({})


def _get_anomaly_subscriptions(response: Any) -> str:  # noqa: ANN401
    return json.dumps({"AnomalySubscriptions": list(_kept(response.current_account, "subscriptions").values())})


def _check_monitors(response: Any, arns: list[str]) -> None:  # noqa: ANN401
    if not {*arns} <= {*_kept(response.current_account, "monitors")}:
        raise _refused("UnknownMonitorException", "The monitor does not exist.")


def _confirmed(subscription: dict[str, Any]) -> dict[str, Any]:
    """Addresses take part unless they decline."""
    return {**subscription, "Subscribers": [{"Status": "CONFIRMED", **one} for one in subscription["Subscribers"]]}


# --- what is called without a moto of its own -----------------------------------------------------


def _by_whom_it_is_signed_for(request: Any, full_url: str, headers: Any) -> Any:  # noqa: ANN401
    """The Cost Explorer of moto stands in for two services that it does not know; the signature says which is meant."""
    signed = str(dict(request.headers).get("Authorization", ""))
    for service, response in (("freetier", _FreeTier), ("billing", _Billing)):
        if f"/{service}/aws4_request" in signed:
            return response.dispatch(request, full_url, headers)
    return CostExplorerResponse.dispatch(request, full_url, headers)


class _FreeTier(BaseResponse):  # type: ignore[misc] # moto has no static types
    def __init__(self) -> None:
        super().__init__(service_name="freetier")

    def get_account_plan_state(self) -> str:
        plan = plan_of(self.current_account)
        if not plan:
            raise _refused("ResourceNotFoundException", "No plan was found for this account.")
        return json.dumps({"accountId": self.current_account, **plan})


class _Billing(BaseResponse):  # type: ignore[misc] # moto has no static types
    def __init__(self) -> None:
        super().__init__(service_name="billing")

    def get_billing_preferences(self) -> str:
        feature = self._get_param("features")[0]
        found = preferences_of(self.current_account) if feature == "BILLING_ALERTS" else {}
        listed = [{"feature": feature, "key": key, "value": value} for key, value in found.items()]
        return json.dumps({"billingPreferences": listed})

    def update_billing_preferences(self) -> str:
        known = preferences_of(self.current_account)
        for one in self._get_param("billingPreferencesPerKey"):
            if one["key"] not in known:
                raise _refused("ValidationException", f"{one['key']} is no key of this feature.")
            known[one["key"]] = one["value"]
        return json.dumps({})
