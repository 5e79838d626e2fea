"""What CloudWatch is asked: how long messages have waited, and how often functions failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from plumbline.adapters.clients import ClientFactory, perform
from plumbline.core.calls import Call

_HOUR, _MINUTES = 3600, 300
#: What a queue says of how much is in it, but for what it was told to hold back.
_IN_THE_QUEUE = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in a queue, and for how long; see handlers.late.Backlog.

    Attributes:
        clients: the client factory.
        queue: its URL.
        region: where it is.
    """

    clients: ClientFactory
    queue: str
    region: str

    def waits(self) -> bool:
        """Whether there is a message in it: nobody has it yet, or somebody does and is not done with it.

        Raises:
            AwsRefusal: SQS did not say.
        """
        query = {"QueueUrl": self.queue, "AttributeNames": list(_IN_THE_QUEUE)}
        answer = perform(self.clients("", self.region, "sqs"), Call("sqs", "GetQueueAttributes", query))
        return any(int(answer["Attributes"][one]) for one in _IN_THE_QUEUE)

    def longest(self, since: datetime, until: datetime) -> timedelta:
        """For how long the oldest message had waited, at the most; nothing where none was counted.

        Of a message that was received three times SQS counts no age any more: what fails, or is throttled, again and
        again ends among the dead letters.

        Args:
            since: from when on it is asked about.
            until: a later time.

        Raises:
            AwsRefusal: CloudWatch did not say.

        Source: Amazon SQS developer guide, Available CloudWatch metrics for Amazon SQS.
        """
        metric = {
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateAgeOfOldestMessage",
            "Dimensions": [{"Name": "QueueName", "Value": self.queue.rpartition("/")[2]}],
        }
        query = {"Id": "age", "MetricStat": {"Metric": metric, "Period": _MINUTES, "Stat": "Maximum"}}
        parameters = {"MetricDataQueries": [query], "StartTime": since, "EndTime": until}
        answer = perform(self.clients("", self.region, "cloudwatch"), Call("cloudwatch", "GetMetricData", parameters))
        ages = [age for one in answer.get("MetricDataResults", ()) for age in one.get("Values", ())]
        return timedelta(seconds=max(ages, default=0))


@dataclass(frozen=True, slots=True)
class Runs:
    """How functions fared, as Lambda itself counts it; see handlers.failures.Runs.

    Attributes:
        clients: the client factory.
        region: where the functions are.
    """

    clients: ClientFactory
    region: str

    def failed(
        self, functions: Sequence[str], since: datetime, until: datetime
    ) -> Mapping[datetime, Mapping[str, int]]:
        """How often functions failed, by the hour that their runs began in; hours and functions without are left out.

        CloudWatch charges for each function, and not for how many hours are asked about.

        Args:
            functions: their names.
            since: a full hour.
            until: a later one.

        Raises:
            AwsRefusal: CloudWatch did not say.
        """
        queries = [
            {
                "Id": f"f{number}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/Lambda",
                        "MetricName": "Errors",
                        "Dimensions": [{"Name": "FunctionName", "Value": name}],
                    },
                    "Period": _HOUR,
                    "Stat": "Sum",
                },
            }
            for number, name in enumerate(functions)
        ]
        parameters = {"MetricDataQueries": queries, "StartTime": since, "EndTime": until}
        answer = perform(self.clients("", self.region, "cloudwatch"), Call("cloudwatch", "GetMetricData", parameters))
        found: dict[datetime, dict[str, int]] = {}
        for one in answer.get("MetricDataResults", ()):
            name = functions[int(one["Id"][1:])]
            for at, count in zip(one.get("Timestamps", ()), one.get("Values", ()), strict=True):
                if count:
                    found.setdefault(at.astimezone(timezone.utc), {})[name] = int(count)
        return found
