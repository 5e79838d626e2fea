"""What a quiet month costs: one quiet sweep is watched in the embedded account, and counted 730 times.

Nothing deviates, nobody is written to but once a week. Prices are facts with a date; what AWS gives every account for
nothing, each month and for ever, is shown apart, because your other things may have used it up.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from local import deployment
from local.embedded import ROOT, EmbeddedAWS

HOURS = 730
_STATE = ROOT / ".plumbline" / "month"
_FUNCTIONS = ("react", "sweep", "operate", "announce")
#: Longer than any of them took here, cold, on two slow cores; half a gigabyte each.
_SECONDS, _GIGABYTES = 2.0, 0.5
#: Lambda keeps five pollers on each of the two queues, each asking every 20 seconds.
_POLLS = 2 * 5 * 3 * 60 * HOURS
#: A log file each five minutes for the region somebody is in, and a digest each hour for each of 17 regions.
_TRAIL_PUTS = 12 * HOURS + 17 * HOURS
#: Looks at Plumbline itself each hour, beside the one that each sweep begins with.
_LOOKS = 5
#: Signs of life of one forwarder: one each quarter of an hour.
_BEATS = 4 * HOURS
#: What one sweep of each day asks of Cost Explorer, for billing-anomalies: its monitors, and their subscriptions.
_OF_SPENDING = 2 * HOURS / 24


@dataclass(frozen=True, slots=True)
class Price:
    """One thing AWS charges for. Source: AWS's pricing pages, us-east-1.

    Attributes:
        dollars: for one unit.
        free: units a month that every account gets for nothing, for ever.
    """

    what: str
    dollars: float
    free: float = 0


REQUESTS = Price("Lambda requests", 0.20e-6, 1e6)
COMPUTE = Price("Lambda GB-seconds, arm64", 13.3334e-6, 400e3)
QUEUE = Price("SQS requests", 0.40e-6, 1e6)
READS = Price("DynamoDB reads", 0.125e-6)
WRITES = Price("DynamoDB writes", 0.625e-6)
ALARMS = Price("CloudWatch alarms", 0.10, 10)
LOGS = Price("CloudWatch Logs, GB", 0.50, 5)
LETTERS = Price("SNS e-mails", 20e-6, 1000)
TRAIL = Price("S3 PUTs of the trail", 5e-6)
CROSSING = Price("EventBridge events from other regions", 1e-6)
METRICS = Price("CloudWatch metrics asked for", 10e-6)
WATCHED = Price("CloudWatch requests", 10e-6, 1e6)
SPENDING = Price("Cost Explorer requests", 0.01)
SETTINGS = Price("S3 reads of settings", 0.4e-6)
LISTS = Price("S3 lists", 5e-6)


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the bill."""

    price: Price
    units: float

    @property
    def dollars(self) -> float:
        """What it costs when others have used up what is free."""
        return self.units * self.price.dollars

    @property
    def beyond_free(self) -> float:
        """What it costs when nobody else uses it."""
        return max(0.0, self.units - self.price.free) * self.price.dollars


@dataclass(frozen=True, slots=True)
class Watched:
    """What one quiet sweep did.

    Attributes:
        invocations: how often each function ran.
        calls: AWS calls of Plumbline's roles, by service and operation.
        log_bytes: what the functions logged.
        alarms: how many alarms the stack keeps.
        forwarders: in how many other regions one stands.
    """

    invocations: Counter[str]
    calls: Counter[str]
    log_bytes: int
    alarms: int
    forwarders: int


def watch() -> Watched:
    """Deploy, let the first sweep be over and done with, and watch the next one."""
    with EmbeddedAWS.start(state=_STATE) as aws:
        deployment.build(aws)
        deployment.deploy(aws, {"AlertEmail": "security@example.com"})
        _sweep(aws, "the first sweep and its digest", quiet=35)
        _sweep(aws, "the sweep that finds adoption done")
        ran, logged, last = _ran(aws), _logged(aws), max(call.number for call in aws.calls())
        _sweep(aws, "a quiet sweep")
        calls = Counter(
            f"{call.service} {call.operation}" for call in aws.calls(last) if call.role.startswith("plumbline-")
        )
        alarms = len(aws.client("cloudwatch").describe_alarms()["MetricAlarms"])
        stacks = aws.client("cloudformation").list_stack_instances(StackSetName="plumbline-forwarders")["Summaries"]
        return Watched(_ran(aws) - ran, calls, _logged(aws) - logged, alarms, len(stacks))


def bill(watched: Watched) -> Sequence[Item]:
    """A quiet month, dearest first. The billing alarm that Plumbline makes counts as one more alarm."""
    runs = (watched.invocations.total() + _LOOKS) * HOURS
    ledger = {name: count for name, count in watched.calls.items() if name.startswith("dynamodb ")}
    writes = sum(count for name, count in ledger.items() if "Put" in name or "Write" in name or "Update" in name)
    sent = sum(count for name, count in watched.calls.items() if name.startswith("sqs "))
    beats = watched.forwarders * _BEATS
    items = (
        Item(REQUESTS, runs),
        Item(COMPUTE, runs * _SECONDS * _GIGABYTES),
        Item(QUEUE, _POLLS + sent * HOURS + beats),  # each beat is put into a queue, and taken out with nine others
        Item(READS, (sum(ledger.values()) - writes) * HOURS),
        Item(WRITES, 3 * writes * HOURS),  # the table and its two indexes
        Item(ALARMS, watched.alarms + 1),
        Item(LOGS, watched.log_bytes * HOURS / 1e9),
        Item(LETTERS, 5),
        Item(TRAIL, _TRAIL_PUTS),
        Item(CROSSING, beats),
        Item(METRICS, watched.calls["cloudwatch GetMetricData"] * HOURS),
        Item(WATCHED, (_of(watched, "cloudwatch") - watched.calls["cloudwatch GetMetricData"]) * HOURS),
        Item(SPENDING, _OF_SPENDING),
        Item(SETTINGS, (_of(watched, "s3") - watched.calls["s3 ListBuckets"]) * HOURS),
        Item(LISTS, watched.calls["s3 ListBuckets"] * HOURS),
    )
    return sorted(items, key=lambda item: -item.dollars)


def _of(watched: Watched, service: str) -> int:
    """How many calls of a service there were."""
    return sum(count for name, count in watched.calls.items() if name.startswith(f"{service} "))


def _sweep(aws: EmbeddedAWS, what: str, quiet: float = 3) -> None:
    aws.invoke("plumbline-sweep", {})
    seen = {"calls": -1, "since": 0.0}

    def silent() -> bool:
        calls = len(aws.calls())
        if calls != seen["calls"]:
            seen.update(calls=calls, since=time.monotonic())
        return time.monotonic() - seen["since"] > quiet

    aws.wait(silent, timeout=300, what=f"{what} is over")


def _lines(aws: EmbeddedAWS, function: str) -> list[str]:
    pages = (
        aws.client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/plumbline-{function}")
    )
    return [one["message"] for page in pages for one in page["events"]]


def _ran(aws: EmbeddedAWS) -> Counter[str]:
    return Counter({one: sum(line.startswith("REPORT") for line in _lines(aws, one)) for one in _FUNCTIONS})


def _logged(aws: EmbeddedAWS) -> int:
    return sum(len(line) for one in _FUNCTIONS for line in _lines(aws, one))
