"""Messages go out in calls that SQS takes, whatever their number and length."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plumbline.adapters.sqs import Queue
from plumbline.ports import Message

#: Source: Amazon SQS developer guide, message quotas: what it took for years, and takes today.
TEN, LARGEST = 10, 262_144


class Taking:
    """A client that keeps what it is sent, and would refuse what SQS does."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def send_message_batch(self, **given: Any) -> dict[str, Any]:
        """As SQS."""
        bodies = [one["MessageBody"] for one in given["Entries"]]
        assert len(bodies) <= TEN
        assert len(bodies) == len({one["Id"] for one in given["Entries"]})
        assert len(bodies) == 1 or sum(len(one.encode()) for one in bodies) <= LARGEST
        self.calls.append(bodies)
        return {}


@given(st.lists(st.tuples(st.integers(1, 70_000), st.sampled_from("aü€")), max_size=40))
def test_every_message_goes_out_once_and_in_order_and_no_call_is_too_large(drawn: list[tuple[int, str]]) -> None:
    bodies = [letter * length for length, letter in drawn]
    client = Taking()
    Queue(lambda *_: client, "url", "us-east-1").send(bodies)
    assert bodies == [body for call in client.calls for body in call]


def test_small_messages_go_ten_to_the_call() -> None:
    client = Taking()
    Queue(lambda *_: client, "url", "us-east-1").send([str(one) for one in range(25)])
    assert [10, 10, 5] == [len(one) for one in client.calls]


class Giving:
    """A client that gives one message, and keeps how it was asked."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.messages = messages
        self.asked: list[dict[str, Any]] = []

    def receive_message(self, **given: Any) -> dict[str, Any]:
        """As SQS, which leaves the key out where there is nothing."""
        self.asked.append(given)
        return {"Messages": self.messages} if self.messages else {}


def test_a_piece_is_taken_alone_and_hidden_for_the_queues_own_time() -> None:
    """Its time-out is longer than a run: see UnitsQueue in template.yaml.

    Source: Amazon SQS API reference, ReceiveMessage: VisibilityTimeout is the queue's where it is left out.
    """
    client = Giving([{"MessageId": "m", "Body": "b", "ReceiptHandle": "r"}])
    assert Message("m", "b", "r") == Queue(lambda *_: client, "url", "us-east-1").take()
    Queue(lambda *_: client, "url", "us-east-1").take(wait=0)
    asked = {"QueueUrl": "url", "MaxNumberOfMessages": 1}
    assert [asked | {"WaitTimeSeconds": 1}, asked | {"WaitTimeSeconds": 0}] == client.asked


def test_where_nothing_waits_nothing_is_taken() -> None:
    assert Queue(lambda *_: Giving([]), "url", "us-east-1").take() is None
