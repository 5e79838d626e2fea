"""billing-budget: the budget that the baseline declares warns whom it names, and nothing that people added is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest

from plumbline.baseline.compiler import compile_text
from plumbline.baseline.rules import Baseline
from plumbline.controls.billing._budgets import OURS, made
from plumbline.controls.billing.billing_budget import CONTROL, describe, detect, observe, plan
from plumbline.core.calls import Call, Plan
from plumbline.core.control import Deviation
from plumbline.core.errors import BaselineError
from plumbline.core.targets import GLOBAL, Target
from tests.story import ACCOUNT, HOME, Story, World, defaults, world

BILL = Target(ACCOUNT, GLOBAL, "budget", "bill")
DECLARED = {"budget": {"amount_usd": 100, "emails": ["bills@example.com"]}}
SETTINGS = {**defaults(CONTROL), **DECLARED}
WARNINGS = (("ACTUAL", 80.0), ("ACTUAL", 100.0), ("FORECASTED", 100.0))


def _by_mail(*emails: str) -> list[dict[str, str]]:
    return [{"SubscriptionType": "EMAIL", "Address": one} for one in emails]


def budget(name: str = OURS, amount: str = "100", **changes: Any) -> dict[str, Any]:
    limit = {"Amount": amount, "Unit": "USD"}
    whole = {"BudgetName": name, "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": limit}
    return {**whole, **changes}


def state(*budgets: dict[str, Any], warnings: Any = WARNINGS, emails: Any = ("bills@example.com",)) -> dict[str, Any]:
    notifications = [{**made(one), "emails": list(emails)} for one in warnings]
    return {"budgets": [{"budget": one, "notifications": notifications} for one in budgets]}


def _there(
    warnings: Any = WARNINGS, emails: tuple[str, ...] = ("bills@example.com",), **changes: Any
) -> Callable[[World], Target]:
    def make(world: World) -> Target:
        world.client("budgets").create_budget(
            AccountId=world.account,
            Budget=budget(**changes),
            NotificationsWithSubscribers=[
                {"Notification": made(one), "Subscribers": _by_mail(*emails)} for one in warnings
            ],
        )
        return BILL

    return make


STORIES = (
    Story("there is none", CONTROL.id, lambda _: BILL, settings=DECLARED),
    Story("its limit is raised", CONTROL.id, _there(amount="5000"), settings=DECLARED),
    Story(
        "it is narrowed to one service",
        CONTROL.id,
        _there(CostFilters={"Service": ["Amazon Elastic Compute Cloud - Compute"]}),
        settings=DECLARED,
    ),
    Story("its warnings are taken away", CONTROL.id, _there(warnings=WARNINGS[:1]), settings=DECLARED),
    Story("somebody else is told", CONTROL.id, _there(emails=("mallory@example.com",)), settings=DECLARED),
    Story(
        "it has no room for one more address",
        CONTROL.id,
        _there(emails=tuple(f"one-{number}@example.com" for number in range(10))),
        settings=DECLARED,
        alert_only=True,
    ),
)


def test_while_none_is_declared_none_is_missed() -> None:
    assert detect({"budgets": []}, defaults(CONTROL)) is None


def test_a_budget_as_declared_is_in_line_and_so_is_a_stricter_one_of_anybodys() -> None:
    mine = [("ACTUAL", 50.0), ("ACTUAL", 90.0), ("FORECASTED", 70.0)]
    assert detect(state(budget()), SETTINGS) is None
    assert detect(state(budget("mine", "60"), warnings=mine), SETTINGS) is None
    assert describe(state(budget())) == f"budget {OURS} of 100 USD a month, 3 warnings"


def test_addresses_have_no_case() -> None:
    assert detect(state(budget(), emails=["Bills@Example.com"]), SETTINGS) is None


@pytest.mark.parametrize(
    ("seen", "items"),
    [
        ({"budgets": []}, ("no budget",)),
        (state(budget("mine", "500")), ("no budget",)),
        (state(budget(amount="500.5")), ("it allows 500.5 USD, not 100",)),
        (state(budget(TimeUnit="QUARTERLY")), ("it does not watch each month's whole bill in USD",)),
        (
            state(budget(BillingViewArn=f"arn:aws:billing::{ACCOUNT}:billingview/custom-1")),
            ("it does not watch each month's whole bill in USD",),
        ),
        (
            state(budget(), warnings=(("ACTUAL", 90.0), ("FORECASTED", 120.0))),
            ("nothing warns when 80 % of it is spent", "nothing warns when 100 % of it is forecast"),
        ),
        (
            state(budget(), emails=["ann@example.com"]),
            (
                "bills@example.com is not told when 80 % of it is spent",
                "bills@example.com is not told when 100 % of it is spent",
                "bills@example.com is not told when 100 % of it is forecast",
            ),
        ),
    ],
)
def test_each_fault_is_a_fact(seen: dict[str, Any], items: tuple[str, ...]) -> None:
    found = detect(seen, SETTINGS)
    assert found is not None
    assert items == found.items


def test_a_notification_that_falls_below_a_threshold_warns_of_nothing() -> None:
    seen = state(budget())
    for one in seen["budgets"][0]["notifications"]:
        one["ComparisonOperator"] = "LESS_THAN"
    assert detect(seen, SETTINGS) == Deviation(
        "has a budget that would not warn in time: nothing warns when 80 % of it is spent, and 2 more",
        (
            "nothing warns when 80 % of it is spent",
            "nothing warns when 100 % of it is spent",
            "nothing warns when 100 % of it is forecast",
        ),
    )


def test_a_threshold_in_dollars_counts_for_what_it_is() -> None:
    seen = state(budget("mine", "90"))
    seen["budgets"][0]["notifications"][0] |= {"ThresholdType": "ABSOLUTE_VALUE", "Threshold": 80.0}
    assert detect(seen, SETTINGS) is None
    seen["budgets"][0]["notifications"][0]["Threshold"] = 85.0
    assert detect(seen, SETTINGS) is not None


def _undone(found: Plan) -> list[tuple[str, Mapping[str, Any]]]:
    return [(call.operation, call.parameters) for call in found.undo]


def test_a_raised_limit_is_set_back_and_its_warnings_with_it_which_nobody_adds_twice() -> None:
    seen = state(budget(amount="500", CostTypes={"IncludeCredit": False}))
    found = plan(BILL, seen, SETTINGS)
    named = {"AccountId": ACCOUNT}
    assert [call.parameters for call in found.do] == [
        {**named, "NewBudget": budget(CostTypes={"IncludeCredit": False})}
    ]
    assert _undone(found) == [
        ("UpdateBudget", {**named, "NewBudget": budget(amount="500", CostTypes={"IncludeCredit": False})})
    ]


def test_a_lower_limit_stays_and_a_warning_that_is_missing_is_added() -> None:
    found = plan(BILL, state(budget(amount="40"), warnings=WARNINGS[1:]), SETTINGS)
    named = {"AccountId": ACCOUNT, "BudgetName": OURS, "Notification": made(("ACTUAL", 80.0))}
    (step,) = found.steps
    assert step.do == Call(
        "budgets",
        "CreateNotification",
        {**named, "Subscribers": _by_mail("bills@example.com")},
        absent=("DuplicateRecordException",),
    )
    assert step.undo == (Call("budgets", "DeleteNotification", named, absent=("NotFoundException",)),)


def test_what_aws_takes_no_more_of_is_left_with_what_to_do() -> None:
    five = (*WARNINGS[1:], ("ACTUAL", 120.0), ("ACTUAL", 150.0), ("FORECASTED", 150.0))
    found = plan(BILL, state(budget(amount="500"), warnings=five), SETTINGS)
    assert [call.operation for call in found.do] == ["UpdateBudget"]
    assert found.left == {
        "nothing warns when 80 % of it is spent": f"budget {OURS} has 5 notifications, the most there can be; "
        "remove one"
    }


def test_a_large_amount_is_written_out() -> None:
    declared = {**SETTINGS, "budget": {"amount_usd": 12_500_000, "emails": ["a@example.com"]}}
    (call,) = plan(BILL, {"budgets": []}, declared).do
    assert call.parameters["Budget"]["BudgetLimit"] == {"Amount": "12500000.00", "Unit": "USD"}


def test_what_aws_keeps_about_a_budget_is_not_written_back() -> None:
    with world() as here:
        _there()(here)
        seen = observe(here.accounts.eyes(ACCOUNT, HOME), BILL)
        assert seen is not None
        (one,) = seen["budgets"]
    assert not {"CalculatedSpend", "LastUpdatedTime", "HealthStatus"} & set(one["budget"])
    assert isinstance(one["budget"]["TimePeriod"]["Start"], str)
    assert [set(notification) for notification in one["notifications"]] == [
        {"NotificationType", "ComparisonOperator", "Threshold", "ThresholdType", "emails"}
    ] * 3


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("{amount_usd: 100}", "budget: 'emails' is missing; add `emails: ...`"),
        ("{amount_usd: 100, emails: []}", "budget.emails: this must not be empty; name at least one"),
        ("{amount_usd: 0, emails: [a@b.org]}", "budget.amount_usd: 0 is too small; write more than 0"),
        (
            "{amount_usd: 1, emails: [ann]}",
            'budget.emails[1]: "ann" has not the right form. Write an e-mail address alone, as bills@example.com.',
        ),
        ("100", ('budget: 100 stands where a mapping belongs; write for example {"amount_usd": 100, "emails": '
         '["bills@example.com"]}')),
    ],
)  # fmt: skip
def test_a_budget_that_is_half_declared_stops_the_build(written: str, problem: str) -> None:
    with pytest.raises(BaselineError) as refused:
        compile_text(f"controls: {{billing-budget: {{budget: {written}}}}}", name="b", today=date(2026, 3, 2))
    assert refused.value.problems == (f"b:1: controls.billing-budget.{problem}",)


def test_a_declared_budget_reaches_the_functions_whole() -> None:
    text = "controls: {billing-budget: {budget: {amount_usd: 25, emails: [a@example.com]}}}"
    rules = Baseline.from_json(compile_text(text, name="b", today=date(2026, 3, 2))).rules
    assert rules[CONTROL.id].own == {**SETTINGS, "budget": {"amount_usd": 25, "emails": ["a@example.com"]}}


def test_budgets_on_a_part_of_the_bill_are_not_looked_into() -> None:
    with world() as here:
        _there(BudgetName="one-service", CostFilters={"Service": ["Amazon Simple Storage Service"]})(here)
        assert observe(here.accounts.eyes(ACCOUNT, HOME), BILL) == {"budgets": []}
        assert [call.operation for call in here.calls] == ["DescribeBudgets"]
