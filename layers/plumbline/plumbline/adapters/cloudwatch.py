"""What CloudWatch is told and asked: an alarm whose state Plumbline sets itself, and how often functions failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from plumbline.adapters.clients import ClientFactory, perform
from plumbline.core.calls import Call

#: What SetAlarmState takes. Source: CloudWatch API reference.
_MAX_REASON = 1023
_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Alarm:
    """A CloudWatch alarm on a metric that nobody ever writes, so that it stays in the state it was put into.

    It costs what an alarm costs, and no metric of its own. Setting the state it has already does nothing: no action
    runs, and no e-mail goes out.

    Attributes:
        clients: the client factory.
        name: the alarm's name.
        region: where it is.
    """

    clients: ClientFactory
    name: str
    region: str

    def ring(self, reason: str) -> None:
        """Put it into alarm.

        Raises:
            AwsRefusal: CloudWatch did not take it.
        """
        self._set("ALARM", reason)

    def rest(self, reason: str) -> None:
        """Put it right again.

        Raises:
            AwsRefusal: CloudWatch did not take it.
        """
        self._set("OK", reason)

    def _set(self, state: str, reason: str) -> None:
        parameters = {"AlarmName": self.name, "StateValue": state, "StateReason": reason[:_MAX_REASON]}
        perform(self.clients("", self.region, "cloudwatch"), Call("cloudwatch", "SetAlarmState", parameters))


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
