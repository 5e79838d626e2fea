"""What AWS charges, as its pricing pages say it: facts with a date and a region.

Where a price falls with the amount it is that of the first tier: no account here leaves one by much.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

AT, REGION = "November 2026", "us-east-1"
_AWS = "https://aws.amazon.com"
#: AWS's page for each service.
PAGES: Mapping[str, str] = {
    "Lambda": f"{_AWS}/lambda/pricing/",
    "SQS": f"{_AWS}/sqs/pricing/",
    "DynamoDB": f"{_AWS}/dynamodb/pricing/on-demand/",
    "CloudWatch": f"{_AWS}/cloudwatch/pricing/",
    "SNS": f"{_AWS}/sns/pricing/",
    "S3": f"{_AWS}/s3/pricing/",
    "EventBridge": f"{_AWS}/eventbridge/pricing/",
    "Cost Explorer": f"{_AWS}/aws-cost-management/aws-cost-explorer/pricing/",
    "CloudTrail": f"{_AWS}/cloudtrail/pricing/",
    "GuardDuty": f"{_AWS}/guardduty/pricing/",
}


@dataclass(frozen=True, slots=True)
class Price:
    """One thing AWS charges for.

    Attributes:
        what: the service of `PAGES`, and what of it.
        dollars: for one unit.
        free: units a month that every account gets for nothing, for ever.
    """

    what: str
    dollars: float
    free: float = 0

    @property
    def page(self) -> str:
        """Where AWS says it."""
        return next(page for service, page in PAGES.items() if self.what.startswith(service))


REQUESTS = Price("Lambda requests", 0.20e-6, 1e6)
COMPUTE = Price("Lambda GB-seconds, arm64", 13.3334e-6, 400e3)
QUEUE = Price("SQS requests", 0.40e-6, 1e6)
READS = Price("DynamoDB reads", 0.125e-6)
WRITES = Price("DynamoDB writes", 0.625e-6)
#: Storage of a table, and of what restores it to any second of the last 35 days; the first 25 GB of storage are free.
LEDGER = Price("DynamoDB GB, with recovery", 0.25 + 0.20)
#: A metric that an alarm reads: one on metric math costs as many of these as it reads, one that joins others five.
ALARMS = Price("CloudWatch alarms", 0.10, 10)
#: What GetMetricData asks for; it is left out of what is free.
METRICS = Price("CloudWatch metrics asked for", 10e-6)
WATCHED = Price("CloudWatch requests", 10e-6, 1e6)
LOGS = Price("CloudWatch Logs GB", 0.50, 5)
KEPT_LOGS = Price("CloudWatch Logs GB kept", 0.03, 5)
LETTERS = Price("SNS e-mails", 20e-6, 1000)
TOPICS = Price("SNS requests", 0.50e-6, 1e6)
FILES = Price("S3 PUTs and lists", 5e-6)
SETTINGS = Price("S3 reads of settings", 0.40e-6)
RECORDS = Price("S3 GB of records", 0.023)
#: Events of a program's own, and AWS's that cross to another region.
EVENTS = Price("EventBridge events", 1e-6)
SPENDING = Price("Cost Explorer requests", 0.01)
COPIES = Price("CloudTrail events of a further trail", 20e-6)
ANALYSED = Price("GuardDuty management events", 4e-6)
