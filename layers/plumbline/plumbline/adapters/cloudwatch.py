"""An alarm whose state Plumbline sets itself: it costs what an alarm costs, and no metric of its own."""

from __future__ import annotations

from dataclasses import dataclass

from plumbline.adapters.clients import ClientFactory, perform
from plumbline.core.calls import Call

#: What SetAlarmState takes. Source: CloudWatch API reference.
_MAX_REASON = 1023


@dataclass(frozen=True, slots=True)
class Alarm:
    """A CloudWatch alarm on a metric that nobody ever writes, so that it stays in the state it was put into.

    Setting the state it has already does nothing: no action runs, and no e-mail goes out.

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
