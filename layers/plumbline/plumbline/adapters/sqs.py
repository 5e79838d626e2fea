"""Messages to the wakes and units queues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from plumbline.adapters.clients import ClientFactory, perform
from plumbline.core.calls import Call
from plumbline.core.errors import PlumblineError
from plumbline.ports import Message

#: Messages of a call, and their bytes: the least that SQS has ever taken, less some room.
#: Source: Amazon SQS developer guide, message quotas; today it takes four times as much.
_MOST_OF_A_CALL, _LARGEST_CALL = 10, 250_000
#: As long as two commands that follow each other take at the most.
_HELD_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Queue:
    """An SQS queue that takes wakes or units.

    Attributes:
        clients: the client factory.
        url: the queue's URL.
        region: where it is.
    """

    clients: ClientFactory
    url: str
    region: str

    def send(self, bodies: Sequence[str], *, delay: int = 0) -> None:
        """Send messages, as many to the call as SQS takes.

        Args:
            bodies: the messages.
            delay: seconds before anybody sees them.

        Raises:
            AwsRefusal: SQS did not answer.
            PlumblineError: SQS refused a message; those before it are on their way.
        """
        for together in _batches(bodies):
            entries = [{"Id": str(n), "MessageBody": body, "DelaySeconds": delay} for n, body in enumerate(together)]
            answer = self._perform("SendMessageBatch", {"QueueUrl": self.url, "Entries": entries})
            if answer.get("Failed"):
                raise PlumblineError(
                    f"the queue {self.url} refused {len(answer['Failed'])} messages: {answer['Failed'][0]}"
                )

    def later(self, receipt: str, seconds: int) -> None:
        """Let a message that came in vain come back after `seconds` instead of the queue's own time-out."""
        parameters = {"QueueUrl": self.url, "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
        self._perform("ChangeMessageVisibility", parameters)

    def hide(self, receipts: Sequence[str], seconds: int) -> None:
        """Let nobody else receive messages for `seconds` from now.

        What is gone by now, or was received by others meanwhile, is refused for itself alone.
        """
        entries = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
            for number, receipt in enumerate(receipts)
        ]
        for start in range(0, len(entries), 10):
            batch = {"QueueUrl": self.url, "Entries": entries[start : start + 10]}
            self._perform("ChangeMessageVisibilityBatch", batch)

    def receive(self) -> Sequence[Message]:
        """Up to ten messages with who sent each; nobody else sees them for two minutes.

        Raises:
            AwsRefusal: SQS did not answer.
        """
        parameters = {
            "QueueUrl": self.url,
            "MaxNumberOfMessages": 10,
            "VisibilityTimeout": _HELD_SECONDS,
            "WaitTimeSeconds": 1,  # asks all of SQS's machines; without it some are left out
            "AttributeNames": ["SenderId", "SentTimestamp"],
        }
        found = self._perform("ReceiveMessage", parameters).get("Messages", ())
        return [_letter(one) for one in found]

    def take(self, *, wait: int = 1) -> Message | None:
        """One message; nobody else sees it for the queue's own time-out. None where none is to be had now.

        Args:
            wait: seconds to wait for one, which asks all of SQS's machines; with 0 some are left out.

        Raises:
            AwsRefusal: SQS did not answer.
        """
        parameters = {"QueueUrl": self.url, "MaxNumberOfMessages": 1, "WaitTimeSeconds": wait}
        found = self._perform("ReceiveMessage", parameters).get("Messages", ())
        return _letter(found[0]) if found else None

    def delete(self, receipt: str) -> None:
        """Delete a message that was received, or raise."""
        self._perform("DeleteMessage", {"QueueUrl": self.url, "ReceiptHandle": receipt})

    def _perform(self, operation: str, parameters: Mapping[str, object]) -> dict[str, list[Any]]:
        answer: dict[str, list[Any]] = perform(self.clients("", self.region, "sqs"), Call("sqs", operation, parameters))
        return answer


def _letter(message: Mapping[str, Any]) -> Message:
    told = message.get("Attributes", {})
    sent = told.get("SentTimestamp")
    return Message(
        message["MessageId"],
        message["Body"],
        message["ReceiptHandle"],
        told.get("SenderId", ""),
        datetime.fromtimestamp(int(sent) / 1000, timezone.utc) if sent else None,
    )


def _batches(bodies: Sequence[str]) -> Iterator[Sequence[str]]:
    """Messages that go together: a call that is too large is refused as a whole, and one event may be long."""
    batch: list[str] = []
    size = 0
    for body in bodies:
        length = len(body.encode())
        if batch and (len(batch) == _MOST_OF_A_CALL or size + length > _LARGEST_CALL):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += length
    if batch:
        yield batch
