"""Letters to the Alerts topic."""

from __future__ import annotations

from dataclasses import dataclass

from plumbline.adapters.aws import ClientFactory, perform
from plumbline.core import Call
from plumbline.wording import Letter

#: SNS takes 256 KB; a letter that long is no letter.
_MAX_BODY = 60_000


@dataclass(frozen=True, slots=True)
class Topic:
    """The engine's Alerts: an SNS topic.

    Attributes:
        clients: the client factory.
        arn: the topic.
        region: where it is.
    """

    clients: ClientFactory
    arn: str
    region: str

    def send(self, letter: Letter) -> None:
        """See engine.Alerts."""
        attributes = {
            name: {"DataType": "String", "StringValue": value} for name, value in letter.attributes.items() if value
        }
        publish = {
            "TopicArn": self.arn,
            "Subject": letter.subject,
            "Message": letter.body[:_MAX_BODY],
            "MessageAttributes": attributes,
        }
        perform(self.clients("", self.region, "sns"), Call("sns", "Publish", publish))
