"""Runs of Lambda functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from plumbline.adapters.clients import ClientFactory, perform
from plumbline.core.calls import Call


@dataclass(frozen=True, slots=True)
class Function:
    """A function that can be called.

    Attributes:
        clients: the client factory.
        name: what it is called.
        region: where it is.
    """

    clients: ClientFactory
    name: str
    region: str

    def call(self, event: Mapping[str, object]) -> None:
        """Have it run with an event, and wait for nothing.

        Lambda keeps the event, and tries again where the run fails or has no room.
        Source: AWS Lambda developer guide, Invoking a Lambda function asynchronously.

        Raises:
            AwsRefusal: Lambda did not take the event.
        """
        payload = json.dumps(event).encode()
        parameters = {"FunctionName": self.name, "InvocationType": "Event", "Payload": payload}
        perform(self.clients("", self.region, "lambda"), Call("lambda", "Invoke", parameters))
