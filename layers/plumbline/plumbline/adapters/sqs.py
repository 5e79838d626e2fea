"""Messages to the wakes and units queues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plumbline.adapters.clients import ClientFactory, perform
from plumbline.core.calls import Call
from plumbline.core.errors import PlumblineError


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
        """Send messages, ten to the call.

        Args:
            bodies: the messages.
            delay: seconds before anybody sees them.

        Raises:
            AwsRefusal: SQS did not answer.
            PlumblineError: SQS refused a message; those before it are on their way.
        """
        for start in range(0, len(bodies), 10):
            bodies_of_call = enumerate(bodies[start : start + 10])
            entries = [{"Id": str(n), "MessageBody": body, "DelaySeconds": delay} for n, body in bodies_of_call]
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

    def _perform(self, operation: str, parameters: Mapping[str, object]) -> dict[str, list[object]]:
        answer: dict[str, list[object]] = perform(
            self.clients("", self.region, "sqs"), Call("sqs", operation, parameters)
        )
        return answer
