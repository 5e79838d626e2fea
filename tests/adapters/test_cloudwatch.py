"""How often functions failed: against moto."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import boto3

from plumbline.adapters.clients import Clients
from plumbline.adapters.cloudwatch import Runs
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
