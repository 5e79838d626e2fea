"""What goes to SNS and, on request, to chat tools and other programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from plumbline.adapters.alerts import Topic
from plumbline.wording import Letter
from tests.fakes import House, lamp_prose


@pytest.fixture
def letter() -> Iterator[Letter]:
    with lamp_prose():
        house = House()
        house.settle()
        yield house.alerts.letters[0]


class Wire:
    """A client factory that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, _account: str, _region: str, service: str, *_: str) -> Any:
        """A client of any service."""
        wire = self

        class Client:
            """Any service."""

            def publish(self, **parameters: Any) -> dict[str, Any]:
                """SNS."""
                wire.sent.append((service, parameters))
                return {}

        return Client()


def test_a_letter_is_one_call_unless_somebody_asked_for_more(letter: Letter) -> None:
    wire = Wire()
    Topic(wire, "arn:alerts", "us-east-1").send(letter)
    ((service, sent),) = wire.sent
    assert (service, sent["TopicArn"], sent["Subject"]) == ("sns", "arn:alerts", letter.subject)
    assert sent["MessageAttributes"]["control"] == {"DataType": "String", "StringValue": "lamp-off"}


def test_a_chat_tool_gets_a_twin_in_the_schema_it_takes(letter: Letter) -> None:
    wire = Wire()
    Topic(wire, "arn:alerts", "us-east-1", chat="arn:chat").send(letter)
    message = json.loads(wire.sent[1][1]["Message"])
    assert (message["version"], message["source"]) == ("1.0", "custom")
    assert message["content"]["title"] == "Plumbline: repaired: lamp hall was on (by mallory)"
    assert message["content"]["nextSteps"][0].startswith("`plumbline undo ")
    assert message["metadata"]["relatedResources"] == ["111122223333/global/lamp/hall"]
