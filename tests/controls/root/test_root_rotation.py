"""root-rotation: a use of root after which nothing was changed is told, and is over once something was."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from local import moto_account
from plumbline.controls.root.root_rotation import CONTROL, describe, detect, observe, plan
from plumbline.core.control import Deviation
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import GLOBAL, Target
from tests.story import ACCOUNT, HOME, Story, World, world

ROOT = Target(ACCOUNT, GLOBAL, "root-rotation", "root")
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)
USED, BEFORE, AFTER = "2026-02-27T08:15:00+00:00", "2026-02-27T08:14:59Z", "2026-02-27T08:20:00Z"
RECORD = Path(__file__).parents[3] / "events/root/root-mfa/EnableMFADevice.json"
UNCHANGED = {"used": "2026-02-27 08:15 UTC", "changed": ""}


def event(name: str, at: str, **changes: Any) -> dict[str, Any]:
    """As the event history has it; sign-in events as the CloudTrail user guide shows "Root user, password changed"."""
    detail: dict[str, Any] = json.loads(RECORD.read_text())["detail"]
    detail |= {"eventName": name, "eventTime": at, "recipientAccountId": ACCOUNT}
    detail["userIdentity"] = {"type": "Root", "accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root"}
    if name.startswith("Password"):
        detail |= {"requestParameters": None, "responseElements": {name: "Success"}}
    return {**detail, **changes}


def _used(world: World) -> Target:
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    moto_account.root_of(world.account).used = f"{yesterday:%Y-%m-%dT%H:%M:%S+00:00}"
    return ROOT


STORIES = (Story("root signed in, and nothing was changed", CONTROL.id, _used, alert_only=True),)


def seen(*events: dict[str, Any], used: str = USED, report: bool = True) -> tuple[Any, list[str]]:
    """What is observed, and what was asked for it."""
    with world() as here:
        root = moto_account.root_of(ACCOUNT)
        root.used, root.events = used, list(events)
        if report:
            here.client("iam").generate_credential_report()
        state = observe(replace(here.accounts.eyes(ACCOUNT, HOME), region=GLOBAL, now=NOW), ROOT)
        return state, [one.operation for one in here.calls]


def test_a_use_after_which_nothing_was_changed_is_told_with_what_to_do() -> None:
    state, _ = seen()
    assert state == UNCHANGED
    assert detect(state, {}) == Deviation(
        "has neither a new password nor a new MFA device since it signed in on 2026-02-27 08:15 UTC",
        ("used on 2026-02-27 08:15 UTC",),
    )
    assert describe(state) == "root signed in on 2026-02-27 08:15 UTC; changed since: nothing"
    assert "record it by an exemption" in plan(ROOT, state, {}).refusal


@pytest.mark.parametrize("name", ["PasswordUpdated", "PasswordRecoveryCompleted", "EnableMFADevice"])
def test_a_new_password_or_device_ends_it(name: str) -> None:
    state, _ = seen(event(name, AFTER))
    assert state == {**UNCHANGED, "changed": name}
    assert detect(state, {}) is None


@pytest.mark.parametrize(
    "other",
    [
        event("PasswordUpdated", BEFORE),
        event("PasswordUpdated", "soon"),
        event("PasswordUpdated", AFTER, responseElements={"PasswordUpdated": "Failure"}),
        event("EnableMFADevice", AFTER, errorCode="InvalidAuthenticationCode"),
        event("EnableMFADevice", AFTER, requestParameters={"userName": "ann"}),
        event("EnableMFADevice", AFTER, userIdentity={"type": "IAMUser", "userName": "ann"}),
        event("EmailUpdated", AFTER),
        event("DeactivateMFADevice", AFTER),
    ],
    ids=["before", "no time", "failed", "refused", "for a user", "by a user", "another event", "taken away"],
)
def test_what_changes_nothing_of_roots_does_not(other: dict[str, Any]) -> None:
    assert seen(other)[0] == UNCHANGED


@pytest.mark.parametrize("used", ["", "no_information", "N/A", "not_supported", "2025-11-20T08:15:00+00:00"])
def test_a_use_that_nobody_knows_of_or_can_judge_any_more_asks_for_no_events(used: str) -> None:
    assert seen(used=used) == ({"used": "", "changed": ""}, ["GetCredentialReport"])


def test_without_a_report_one_is_ordered() -> None:
    state, asked = seen(report=False)
    assert state == UNCHANGED
    assert asked[:3] == ["GetCredentialReport", "GenerateCredentialReport", "GetCredentialReport"]


def test_while_iam_makes_its_report_nothing_is_claimed() -> None:
    class Eyes:
        now = NOW

        def __call__(self, _call: object) -> None:
            return None

    with pytest.raises(AwsRefusal, match="ReportInProgress"):
        observe(Eyes(), ROOT)  # type: ignore[arg-type]


def test_another_use_is_news_and_the_first_is_not_forgotten() -> None:
    later = detect({"used": "2026-03-01 10:00 UTC", "changed": ""}, {})
    assert later is not None
    assert later.items == ("used on 2026-03-01 10:00 UTC",)
    clock = CONTROL.clocks["default"]
    assert (clock.escalate, clock.act) == (timedelta(days=7), None)
