"""An account with a trail, for all tests of the embedded AWS that leave others alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError

from local.embedded import EmbeddedAWS
from tests.trails import logging_trail


def error(call: Callable[[], object]) -> str:
    """The code with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def forwarding_role(aws: EmbeddedAWS, name: str, bus: str) -> str:
    """A role in which EventBridge may put events on one bus, and its ARN."""
    trust = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    right = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus}
    trusting, allowing = (json.dumps({"Version": "2012-10-17", "Statement": [one]}) for one in (trust, right))
    iam = aws.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="put", PolicyDocument=allowing)
    return str(arn)


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAWS]:
    with EmbeddedAWS.start(state=tmp_path_factory.mktemp("account")) as running:
        logging_trail(running)
        yield running
