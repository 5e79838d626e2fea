"""root-activity: whoever uses root is heard of at once, and once for each session."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from plumbline.controls.root.root_activity import CONTROL, describe, detect, locate, witness
from plumbline.core.control import Deviation
from plumbline.core.targets import Target
from plumbline.wakes.messages import from_event
from tests.eventbridge import rules_woken
from tests.recorded import put

EVENTS = Path(__file__).parents[3] / "events" / "root" / CONTROL.id
SESSION = Target("111122223333", "global", "root-session", "2025-07-01T06/198.51.100.23")


def event(name: str) -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return recorded


def detail(name: str = "CreateAccessKey", /, **changes: Any) -> dict[str, Any]:
    return {**event(name)["detail"], **changes}


def identity(**changes: Any) -> dict[str, Any]:
    return {**detail()["userIdentity"], **changes}


@pytest.mark.parametrize("name", ["CheckMfa", "ConsoleLogin", "CreateAccessKey", "DescribeInstances", "ListUsers"])
def test_the_sign_in_and_the_calls_of_its_session_are_one_target(name: str) -> None:
    assert [wake.target for wake in from_event(event(name), {CONTROL.id: CONTROL})] == [SESSION]


def test_its_events_are_recorded_where_a_plumbline_in_us_east_1_hears_them() -> None:
    kept = [event(one.stem) for one in EVENTS.glob("*.json")]
    assert {("us-east-1", "us-east-1")} == {(one["region"], one["detail"]["awsRegion"]) for one in kept}


def test_a_session_that_began_earlier_or_comes_from_elsewhere_is_another_one() -> None:
    later = identity(sessionContext={"attributes": {"creationDate": "2025-07-01T05:59:59Z"}})
    assert [one.id for one in locate(detail(userIdentity=later))] == ["2025-07-01T05/198.51.100.23"]
    assert [one.id for one in locate(detail(sourceIPAddress="2001:db8::1"))] == ["2025-07-01T06/2001:db8::1"]
    assert [one.id for one in locate(detail(sourceIPAddress="cloudfront.amazonaws.com"))] == ["2025-07-01T06"]


@pytest.mark.parametrize(
    "changes",
    [
        {"userIdentity": identity(sessionContext={"assumedRoot": "true", "attributes": {}})},
        {"userIdentity": identity(invokedBy="cloudfront.amazonaws.com")},
        {"eventType": "AwsServiceEvent"},
        {"userIdentity": None},
        {"userIdentity": identity(accountId="444455556666")},  # another account's root, at work in this one
        {"userIdentity": {"type": "IAMUser", "userName": "root", "accountId": "111122223333"}},
    ],
    ids=[
        "AssumeRoot by the organisation",
        "a service for root",
        "a service event",
        "no identity",
        "root of another account",
        "a user named root",
    ],
)
def test_what_is_not_root_itself_is_not_located(changes: dict[str, Any]) -> None:
    assert list(locate(detail(**changes))) == []


@pytest.mark.parametrize("invoked", ["signin.amazonaws.com", "AWS Internal"])
def test_what_root_does_at_the_console_is_roots_own(invoked: str) -> None:
    clicked = put(event("CreateAccessKey"), ("detail", "userIdentity", "invokedBy"), invoked)
    assert "RootRule" in rules_woken(clicked)
    assert [wake.target for wake in from_event(clicked, {CONTROL.id: CONTROL})] == [SESSION]


def test_what_a_service_does_for_root_reaches_no_rule_of_this_control() -> None:
    served = put(event("DescribeInstances"), ("detail", "userIdentity", "invokedBy"), "cloudfront.amazonaws.com")
    assert rules_woken(served) == []


def test_a_call_of_root_that_aws_refused_is_told_of_and_a_sign_in_that_failed_is_not() -> None:
    refused, failed = event("ListUsers"), event("ConsoleLogin")
    assert rules_woken(refused) == ["RootRule"]
    assert [wake.target for wake in from_event(refused, {CONTROL.id: CONTROL})] == [SESSION]
    failed["detail"] |= {"responseElements": {"ConsoleLogin": "Failure"}, "errorMessage": "Failed authentication"}
    assert list(from_event(failed, {CONTROL.id: CONTROL})) == []


def test_no_identity_at_all_and_a_failed_sign_in_are_not_located() -> None:
    nameless = detail()
    del nameless["userIdentity"]
    assert list(locate(nameless)) == []
    assert list(locate(detail("ConsoleLogin", responseElements={"ConsoleLogin": "Failure"}))) == []


def test_the_summary_says_what_was_done_and_whether_mfa_was_missing() -> None:
    with_mfa = {"additionalEventData": {"MFAUsed": "Yes"}}
    expected = {
        "signed in to the console without MFA": detail("ConsoleLogin"),
        "signed in to the console": detail("ConsoleLogin", **with_mfa),
        "called iam:CreateAccessKey without MFA": detail(),
        "called ec2:DescribeInstances with an access key": detail("DescribeInstances"),
        "called iam:ListUsers with an access key, and was refused: AccessDenied": detail("ListUsers"),
        "was asked for the second factor": detail("CheckMfa"),
        "asked for a new password": detail(
            "ConsoleLogin", eventName="PasswordRecoveryRequested", additionalEventData=None
        ),
    }
    for summary, seen in expected.items():
        deviation = detect(witness(seen), {})
        assert deviation
        assert summary == deviation.summary


def test_the_fact_is_the_call() -> None:
    assert detect(witness(detail()), {}) == Deviation(
        "called iam:CreateAccessKey without MFA", ("iam:CreateAccessKey",)
    )
    assert detect(None, {}) is None


def test_the_words_for_what_was_seen() -> None:
    assert describe(witness(detail("ConsoleLogin"))) == "root signed in to the console, without MFA"
    assert describe(witness(detail("DescribeInstances"))) == "root called ec2:DescribeInstances, with an access key"
    assert describe(witness(detail("ListUsers"))) == (
        "root called iam:ListUsers, with an access key; AWS refused it: AccessDenied"
    )
    assert describe(witness(detail("CheckMfa"))) == (
        "root was asked for the second factor; a sign-in that succeeds belongs to this session, and is not told again"
    )
    unclear = detail("ConsoleLogin", additionalEventData=None)
    assert describe(witness(unclear)) == "root signed in to the console, the event does not say whether with MFA"


def test_an_event_without_times_still_has_a_target() -> None:
    timeless = detail(userIdentity=identity(sessionContext=None), eventTime="soon")
    assert [one.id for one in locate(timeless)] == ["unknown-hour/198.51.100.23"]
