"""Messages go out in calls that SQS takes, whatever their number and length."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plumbline.adapters.sqs import Queue

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
