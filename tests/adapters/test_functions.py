"""A function is called, and nobody waits for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from plumbline.adapters.functions import Function
from plumbline.core.errors import AwsRefusal


class Client:
    """Lambda's."""

    def __init__(self, error: str = "") -> None:
        self.error = error
        self.calls: list[dict[str, Any]] = []

    def invoke(self, **given: Any) -> dict[str, Any]:
        """As Lambda, which answers 202 before the function runs."""
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": "no"}}, "Invoke")
        self.calls.append(given)
        return {"StatusCode": 202}


def test_a_function_is_called_with_an_event_and_nobody_waits() -> None:
    """Source: AWS Lambda API reference, Invoke: InvocationType Event, answered with 202."""
    client = Client()
    Function(lambda *_: client, "plumbline-sweep", "us-east-1").call({"plumbline-task": "pieces"})
    (called,) = client.calls
    assert ("plumbline-sweep", "Event") == (called["FunctionName"], called["InvocationType"])
    assert {"plumbline-task": "pieces"} == json.loads(called["Payload"])


def test_that_lambda_refuses_is_said() -> None:
    with pytest.raises(AwsRefusal, match="TooManyRequestsException"):
        Function(lambda *_: Client("TooManyRequestsException"), "plumbline-sweep", "us-east-1").call({})
