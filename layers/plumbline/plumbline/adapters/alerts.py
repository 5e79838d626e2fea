"""Letters to the Alerts topic, and on request their twins for chat tools."""

from __future__ import annotations

import json
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
        chat: a topic for chat tools, whose messages are JSON; empty for none.
    """

    clients: ClientFactory
    arn: str
    region: str
    chat: str = ""

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
        if self.chat:
            twin = {"TopicArn": self.chat, "Message": json.dumps(chat_message(letter)), "MessageAttributes": attributes}
            perform(self.clients("", self.region, "sns"), Call("sns", "Publish", twin))


def chat_message(letter: Letter) -> dict[str, object]:
    """A letter as chat tools take it.

    Source: custom notifications of Amazon Q Developer in chat applications, version 1.0 of their schema.
    """
    title = letter.subject.removeprefix("[Plumbline] ")
    return {
        "version": "1.0",
        "source": "custom",
        "content": {
            "textType": "client-markdown",
            "title": f"Plumbline: {title}",
            "description": letter.about.get("lead", title),
            "nextSteps": [f"`{one}`" for one in letter.commands],
        },
        "metadata": {
            "threadId": letter.attributes.get("finding", letter.attributes.get("outcome", "plumbline")),
            "summary": title,
            "eventType": letter.attributes.get("outcome", ""),
            "relatedResources": [letter.about["target"]] if "target" in letter.about else [],
            "additionalContext": dict(letter.attributes),
        },
    }
