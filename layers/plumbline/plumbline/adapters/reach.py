"""The regions of the account, their forwarders, and what the ledger keeps of both."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from plumbline.adapters.clients import ClientFactory, perform
from plumbline.adapters.items import account_key, key_of
from plumbline.adapters.table_calls import TableCalls
from plumbline.core.calls import Call
from plumbline.core.clock import instant
from plumbline.core.errors import LedgerDown
from plumbline.core.reach import Reach, dead_events
from plumbline.findings.packed import body, compact, text_of

_KEPT_AS = "reach"
#: How EC2 says that a region may be used. Source: Amazon EC2 API reference, Region, optInStatus.
_USABLE = ("opt-in-not-required", "opted-in")
#: Rules that failed send this metric, and others none at all: so one question asks for them all.
#: Source: Amazon EventBridge user guide, Monitoring; Amazon CloudWatch user guide, search expressions, dynamic labels.
_FAILED = """SEARCH('{AWS/Events,RuleName} MetricName="FailedInvocations"', 'Sum', 3600)"""
_LABEL = "${PROP('Dim.RuleName')}"
#: An hour more than lies between two questions (handlers/reach.py): EventBridge counts some minutes late.
_FAILED_WITHIN = timedelta(hours=7)
#: Ten signs of life come with each call; a sweep that was late has that many of a day.
_MOST_CALLS = 200
_NONE = ("StackSetNotFoundException", "StackSetNotFound")
_NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


@dataclass(frozen=True, slots=True)
class Regions:
    """What AWS says of regions and forwarders; see handlers.reach.Regions.

    Attributes:
        clients: the client factory.
        account: the account that Plumbline runs in.
        home: its region.
        stack: what the names of its resources begin with.
        beats: URL of the queue that signs of life wait in.
    """

    clients: ClientFactory
    account: str
    home: str
    stack: str
    beats: str

    def usable(self) -> Sequence[str]:
        """The regions that the account has switched on.

        Raises:
            AwsRefusal: EC2 did not say.
        """
        listed = self._ask(self.home, Call("ec2", "DescribeRegions"))["Regions"]
        return [one["RegionName"] for one in listed if one.get("OptInStatus", _USABLE[0]) in _USABLE]

    def forwarders(self) -> Mapping[str, str]:
        """Region -> what is wrong with its forwarder as a stack, empty where nothing is.

        Raises:
            AwsRefusal: CloudFormation did not say.
        """
        call = Call("cloudformation", "ListStackInstances", {"StackSetName": self._name}, absent=_NONE)
        answer = self._ask(self.home, call) or {}
        return {
            one["Region"]: "" if one.get("Status") == "CURRENT" else one.get("StatusReason") or str(one.get("Status"))
            for one in answer.get("Summaries", ())
        }

    def forward(self, regions: Sequence[str]) -> None:
        """Have StackSets make the forwarders of some regions; it goes on by itself.

        Raises:
            AwsRefusal: CloudFormation did not take it, such as while it is at work on others.
        """
        many = {"RegionConcurrencyType": "PARALLEL", "MaxConcurrentPercentage": 100, "FailureTolerancePercentage": 100}
        made = {"StackSetName": self._name, "Accounts": [self.account], "Regions": list(regions)}
        self._ask(self.home, Call("cloudformation", "CreateStackInstances", {**made, "OperationPreferences": many}))

    def signs(self) -> Mapping[str, datetime]:
        """Region -> its last sign of life among those that wait; they are gone then.

        Raises:
            AwsRefusal: SQS did not answer.
        """
        last: dict[str, datetime] = {}
        for _ in range(_MOST_CALLS):
            query = {"QueueUrl": self.beats, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1}
            found = self._ask(self.home, Call("sqs", "ReceiveMessage", query)).get("Messages", ())
            if not found:
                break
            for region, at in filter(None, map(_sign, found)):
                last[region] = max(at, last.get(region, at))
            entries = [{"Id": str(place), "ReceiptHandle": one["ReceiptHandle"]} for place, one in enumerate(found)]
            done = {"QueueUrl": self.beats, "Entries": entries}
            self._ask(self.home, Call("sqs", "DeleteMessageBatch", done))
        return last

    def undelivered(self, region: str) -> int:
        """How many events a region's forwarder could not deliver.

        Raises:
            AwsRefusal: it cannot be asked there.
        """
        url = dead_events(self.account, self.stack, region)
        query = {"QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessages"]}
        answer = self._ask(region, Call("sqs", "GetQueueAttributes", query, absent=_NO_QUEUE))
        return int(answer["Attributes"]["ApproximateNumberOfMessages"]) if answer else 0

    def failing(self, region: str, now: datetime) -> Sequence[str]:
        """The rules of a region's forwarder that failed within the last seven hours.

        Raises:
            AwsRefusal: it cannot be asked there.
        """
        query = {
            "MetricDataQueries": [{"Id": "failed", "Expression": _FAILED, "Label": _LABEL}],
            "StartTime": now - _FAILED_WITHIN,
            "EndTime": now,
        }
        found = self._ask(region, Call("cloudwatch", "GetMetricData", query)).get("MetricDataResults", ())
        return [
            one["Label"]
            for one in found
            if str(one.get("Label")).startswith(f"{self.stack}-") and any(one.get("Values", ()))
        ]

    @property
    def _name(self) -> str:
        return f"{self.stack}-forwarders"

    def _ask(self, region: str, call: Call) -> Any:  # noqa: ANN401 - AWS answers any shape
        return perform(self.clients("", region, call.service), call)


def _sign(message: Mapping[str, Any]) -> tuple[str, datetime] | None:
    """The region and the time of a sign of life; None for what is none."""
    try:
        event = json.loads(message["Body"])
        region, at = str(event["region"]), instant(event["time"])
    except (KeyError, TypeError, ValueError):
        return None
    return (region, at) if at else None


@dataclass(frozen=True, slots=True)
class Memory:
    """What the ledger keeps of regions: one item for all of them, written once in each sweep.

    Attributes:
        clients: the client factory.
        table: the ledger's name.
        region: where it is.
        account: the account that Plumbline runs in.
    """

    clients: ClientFactory
    table: str
    region: str
    account: str

    def reach(self) -> Reach:
        """What the last sweep saw; nothing before the first.

        Raises:
            LedgerDown: it cannot be read.
        """
        item = self._calls.one(self.account, _KEPT_AS)
        if item is None:
            return Reach()
        try:
            return Reach.from_json(json.loads(text_of(item)))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise LedgerDown(f"what was seen of regions cannot be read ({error})") from error

    def keep(self, reach: Reach) -> None:
        """Write what this sweep saw, or raise."""
        item = {**key_of(account_key(self.account), _KEPT_AS), **body(compact(reach.to_json()))}
        self._calls.perform("PutItem", {"TableName": self.table, "Item": item})

    @property
    def _calls(self) -> TableCalls:
        return TableCalls(self.clients, self.table, self.region)
