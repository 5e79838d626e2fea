"""Whoever turns to Plumbline itself, on a real deployment: what is refused, and who hears of the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.account import Account

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
            return any("DisableRule of the rule plumbline-iam" in one and "user/erin" in one for one in mails)

        account.until(told, "the watchdog tells")
    finally:
        account.aws.client("events").enable_rule(Name="plumbline-iam")
