"""billing-free-plan: a Free plan is told of each week, and before it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from local import moto_billing
from plumbline.controls.billing.billing_free_plan import CONTROL, describe, detect, observe, plan
from plumbline.core.control import Deviation
from plumbline.core.targets import GLOBAL, Target
from tests.story import ACCOUNT, HOME, Story, World, world

PLAN = Target(ACCOUNT, GLOBAL, "account-plan", "plan")
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)
FREE = {"plan": "FREE", "status": "ACTIVE", "credits": "87.40 USD", "ends": "2026-08-01", "within_days": None}
ON_IT = "is on AWS's Free plan, which ends on 2026-08-01 or when its credits are used up; 87.40 USD of credits are left"


def _free(days: float) -> Any:
    def free(world: World) -> Target:
        ends = datetime.now(timezone.utc) + timedelta(days=days)
        moto_billing.plan_of(world.account).update(
            accountPlanType="FREE",
            accountPlanStatus="ACTIVE",
            accountPlanRemainingCredits={"amount": 87.4, "unit": "USD"},
            accountPlanExpirationDate=ends.timestamp(),
        )
        return PLAN

    return free


STORIES = (
    Story("an account is on the Free plan", CONTROL.id, _free(150), alert_only=True),
    Story("its end is near", CONTROL.id, _free(20), alert_only=True),
)


def test_a_free_plan_is_told_with_its_end_and_what_is_left() -> None:
    assert detect(FREE, {}) == Deviation(ON_IT, ("Free plan",))
    assert describe(FREE) == "the free plan, active, 87.40 USD left, until 2026-08-01"
    assert "choose Upgrade plan" in plan(PLAN, FREE, {}).refusal


@pytest.mark.parametrize(("days", "items"), [(30, ("ends within 30 days",)), (7, ("ends within 7 days",))])
def test_that_its_end_is_near_is_news(days: int, items: tuple[str, ...]) -> None:
    assert detect({**FREE, "within_days": days}, {}) == Deviation(ON_IT, ("Free plan", *items), "ends-soon")


def test_that_it_has_ended_is_news_too() -> None:
    ended = detect({**FREE, "status": "EXPIRED"}, {})
    assert ended == Deviation("was on AWS's Free plan, which has ended", ("ended",), "ends-soon")


def test_credits_that_are_spent_are_no_news() -> None:
    found = [detect({**FREE, "credits": left}, {}) for left in ("87.40 USD", "1.00 USD")]
    assert [one and one.items for one in found] == [("Free plan",)] * 2


@pytest.mark.parametrize("name", ["PAID", ""])
def test_a_paid_plan_is_in_line_and_so_is_what_aws_tells_nothing_of(name: str) -> None:
    assert detect({**FREE, "plan": name}, {}) is None
    assert describe({**FREE, "plan": ""}) == "AWS tells nothing of a plan"


@pytest.mark.parametrize(
    ("days", "within"),
    [(30.1, None), (30, 30), (7.1, 30), (7, 7), (-1, 7)],
)
def test_how_near_its_end_is_goes_by_when_it_is_looked_at(days: float, within: int | None) -> None:
    with world() as here:
        _free(0)(here)
        moto_billing.plan_of(ACCOUNT)["accountPlanExpirationDate"] = (NOW + timedelta(days=days)).timestamp()
        seen = observe(replace(here.accounts.eyes(ACCOUNT, HOME), region=GLOBAL, now=NOW), PLAN)
    assert seen is not None
    assert seen["within_days"] == within


def test_an_account_without_a_plan_is_no_error() -> None:
    with world() as here:
        seen = observe(replace(here.accounts.eyes(ACCOUNT, HOME), region=GLOBAL), PLAN)
    assert seen == {"plan": "", "status": "", "credits": "", "ends": "", "within_days": None}
