"""Whoever turns to Plumbline itself, on a real deployment: what is refused, and who hears of the rest."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.account import SECONDS, Account

#: What somebody with PowerUserAccess does to what Plumbline remembers, hears and says.
WRITES: dict[str, Callable[[Account], Any]] = {
    "an exemption of everything": lambda here: here.aws.client("dynamodb", as_="erin").put_item(
        TableName=here.outputs["LedgerTable"],
        Item={"pk": {"S": "account#111122223333"}, "sk": {"S": "exemptions"}, "body": {"S": "[]"}},
    ),
    "a claim taken back": lambda here: here.aws.client("dynamodb", as_="erin").delete_item(
        TableName=here.outputs["LedgerTable"], Key={"pk": {"S": "once"}, "sk": {"S": "x"}}
    ),
    "a wake of her own": lambda here: here.aws.client("sqs", as_="erin").send_message(
        QueueUrl=here.queue("wakes"), MessageBody="{}"
    ),
    "a wake taken away": lambda here: here.aws.client("sqs", as_="erin").receive_message(QueueUrl=here.queue("wakes")),
    "every wake taken away": lambda here: here.aws.client("sqs", as_="erin").purge_queue(QueueUrl=here.queue("wakes")),
    "a unit of her own": lambda here: here.aws.client("sqs", as_="erin").send_message(
        QueueUrl=here.queue("units"), MessageBody="{}"
    ),
    "an alert in Plumbline's name": lambda here: here.aws.client("sns", as_="erin").publish(
        TopicArn=here.outputs["AlertsTopicArn"], Message="All is well."
    ),
}


@pytest.mark.parametrize("what", WRITES)
def test_nobody_but_plumbline_writes_its_data(account: Account, what: str) -> None:
    with pytest.raises(ClientError) as refused:
        WRITES[what](account)
    assert refused.value.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException", "AuthorizationError"}


def test_whoever_switches_a_rule_off_is_told_of_at_once(account: Account) -> None:
    since = account.latest_mail()
    account.aws.client("events", as_="erin").disable_rule(Name="plumbline-iam")
    try:

        def told() -> bool:
            mails = [mail.text for mail in account.aws.mail(since=since)]
            return any("DisableRule of the rule or bus plumbline-iam" in one and "user/erin" in one for one in mails)

        account.until(told, "the watchdog tells")
    finally:
        account.aws.client("events").enable_rule(Name="plumbline-iam")


def _trigger(account: Account) -> dict[str, Any]:
    (mapping,) = account.aws.client("lambda").list_event_source_mappings(FunctionName="plumbline-react")[
        "EventSourceMappings"
    ]
    return dict(mapping)


def test_what_somebody_has_switched_off_is_put_back_by_the_next_look_and_told(account: Account) -> None:
    account.first_sweep()
    account.look_at_the_house()
    since = account.latest_mail()
    erin = account.aws.client("lambda", as_="erin")
    account.aws.client("events", as_="erin").disable_rule(Name="plumbline-iam")
    account.aws.client("events", as_="erin").remove_targets(Rule="plumbline-s3", Ids=["wakes"])
    erin.update_event_source_mapping(UUID=_trigger(account)["UUID"], Enabled=False)
    erin.put_function_concurrency(FunctionName="plumbline-react", ReservedConcurrentExecutions=0)
    account.look_at_the_house()
    told = {
        one.subject.removeprefix("[Plumbline] repaired: Plumbline's ")
        for one in account.mail_about("repaired: ", since)
    }
    assert {
        "rule plumbline-iam was switched off",
        "rule plumbline-s3 had other targets",
        "trigger plumbline-react/plumbline-wakes was switched off",
        "function plumbline-react had a limit of concurrency",
    } == told
    assert "ENABLED" == account.aws.client("events").describe_rule(Name="plumbline-iam")["State"]
    assert ["wakes"] == [
        one["Id"] for one in account.aws.client("events").list_targets_by_rule(Rule="plumbline-s3")["Targets"]
    ]
    assert _trigger(account)["State"] in ("Enabled", "Enabling")
    assert "Concurrency" not in account.aws.client("lambda").get_function(FunctionName="plumbline-react")


def test_what_house_hands_may_not_put_back_is_told(account: Account) -> None:
    functions, since = account.aws.client("lambda"), account.latest_mail()
    before = functions.get_function_configuration(FunctionName="plumbline-operate")["Environment"]
    other = {"Variables": {**before["Variables"], "PLUMBLINE_MODE": "observe"}}
    account.aws.client("lambda", as_="erin").update_function_configuration(
        FunctionName="plumbline-operate", Environment=other
    )
    try:
        account.look_at_the_house()
        account.look_at_the_house()  # where others have used up an hour's e-mails, what is critical comes with the next
        told = [mail.text for mail in account.mail_about("found: Plumbline's function|severity critical", since)]
        assert any("function plumbline-operate has another environment" in " ".join(text.split()) for text in told)
    finally:
        functions.update_function_configuration(FunctionName="plumbline-operate", Environment=before)
        account.look_at_the_house()


def test_a_look_at_the_house_takes_few_calls(account: Account) -> None:
    """Each is a management event, which a second trail's copy of the events would be paid for: docs/operating.md."""
    account.quiet()  # react looks with the same eyes
    since = account.latest_call()
    account.look_at_the_house()
    calls = [one for role in ("eyes", "sweep") for one in account.calls_of(role, since)]
    assert len(calls) <= 140, sorted(f"{one.service}:{one.operation}" for one in calls)
    assert "DescribeAlarms" not in {one.operation for one in calls}, "CloudWatch charges for it: a sweep asks"


def test_react_that_is_killed_in_the_middle_is_continued_within_a_minute(account: Account) -> None:
    """A real kill, of the process, while its message is hidden and before anybody was told."""
    for _ in range(5):
        user = account.user()
        account.quiet()  # a new user wakes react too, and is not what is killed
        since, call = account.latest_mail(), account.latest_call()
        account.aws.client("iam", as_="mallory").create_access_key(UserName=user)
        begun = time.monotonic()
        # it has begun, and given its first sign of life: until then the queue hides the message for six minutes
        while not any("Visibility" in one.operation for one in account.calls_of("react", call)):
            assert time.monotonic() - begun < SECONDS, "react has not begun"
            time.sleep(0.01)
        for process in account.processes("react"):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        killed = time.monotonic()
        if account.mail_about(f"of user {user} ", since):
            continue  # it was quicker
        account.until(partial(account.mail_about, f"of user {user} ", since), "somebody hears")
        assert time.monotonic() - killed < 60
        assert account.key_status(user) == ["Inactive"]
        account.quiet()
        assert 1 == len(account.mail_about(f"of user {user} ", since))
        return
    pytest.fail("react was quicker than the test, five times")
