"""How often functions failed, and what waits in a queue: against moto."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import boto3

from plumbline.adapters.clients import Clients
from plumbline.adapters.cloudwatch import Backlog, Runs
from tests.story import world

HOME = "us-east-1"
NINE = datetime(2026, 3, 2, 9, tzinfo=timezone.utc)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def test_what_failed_is_counted_by_function_and_by_hour_and_what_did_not_is_left_out() -> None:
    def errors(function: str, at: datetime, count: int) -> None:
        boto3.client("cloudwatch", region_name=HOME).put_metric_data(
            Namespace="AWS/Lambda",
            MetricData=[
                {
                    "MetricName": "Errors",
                    "Dimensions": [{"Name": "FunctionName", "Value": function}],
                    "Timestamp": at,
                    "Value": count,
                }
            ],
        )

    with world():
        for minutes in (5, 25):
            errors("plumbline-react", NINE + minutes * MINUTE, 1)
        errors("plumbline-react", NINE + HOUR, 0)
        errors("plumbline-sweep", NINE + HOUR + MINUTE, 3)
        errors("plumbline-operate", NINE, 0)
        errors("somebody-elses", NINE, 1)
        runs = Runs(Clients(HOME, lambda: NINE), HOME)
        names = ["plumbline-operate", "plumbline-react", "plumbline-sweep"]
        assert {NINE: {"plumbline-react": 2}, NINE + HOUR: {"plumbline-sweep": 3}} == runs.failed(
            names, NINE, NINE + 3 * HOUR
        )


def test_what_waits_in_a_queue_and_what_somebody_has_in_hand_is_told_and_what_was_held_back_is_not() -> None:
    with world():
        sqs = boto3.client("sqs", region_name=HOME)
        url = sqs.create_queue(QueueName="plumbline-wakes")["QueueUrl"]
        backlog = Backlog(Clients(HOME, lambda: NINE), url, HOME)
        sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=900)
        assert not backlog.waits()
        sqs.send_message(QueueUrl=url, MessageBody="a wake")
        assert backlog.waits()
        sqs.receive_message(QueueUrl=url, VisibilityTimeout=360)
        assert backlog.waits(), "a throttled function has it in hand for six minutes, and is not at work on it"


def test_the_age_of_the_oldest_message_is_the_most_that_was_counted_of_this_queue() -> None:
    def age(queue: str, at: datetime, seconds: int) -> None:
        boto3.client("cloudwatch", region_name=HOME).put_metric_data(
            Namespace="AWS/SQS",
            MetricData=[
                {
                    "MetricName": "ApproximateAgeOfOldestMessage",
                    "Dimensions": [{"Name": "QueueName", "Value": queue}],
                    "Timestamp": at,
                    "Value": seconds,
                }
            ],
        )

    with world():
        url = f"https://sqs.{HOME}.amazonaws.com/111122223333/plumbline-wakes"
        backlog = Backlog(Clients(HOME, lambda: NINE), url, HOME)
        assert timedelta(0) == backlog.longest(NINE, NINE + HOUR)
        for minutes, seconds in ((3, 100), (20, 1000), (40, 10)):
            age("plumbline-wakes", NINE + minutes * MINUTE, seconds)
        age("plumbline-units", NINE + 20 * MINUTE, 5000)
        age("plumbline-wakes", NINE - HOUR, 4000)
        assert timedelta(seconds=1000) == backlog.longest(NINE, NINE + HOUR)
