"""The real template, built and deployed by `sam`, in an account on this machine that enforces IAM."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import deployment
from local.embedded import EmbeddedAWS
from tests import built
from tests.end_to_end.account import HOME, Account


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account with Plumbline deployed and people in it."""
    state: Path = tmp_path_factory.mktemp("embedded")
    with EmbeddedAWS.start(state=state, region=HOME) as aws:
        aws.user(
            "mallory", policies=["arn:aws:iam::aws:policy/PowerUserAccess", "arn:aws:iam::aws:policy/IAMFullAccess"]
        )
        aws.user("erin", policies=["arn:aws:iam::aws:policy/PowerUserAccess"])
        built.build(aws, baseline=Path(__file__).with_name("baseline.yaml"))
        outputs = deployment.deploy(aws, {"AlertEmail": "security@example.com", "EscalationEmail": "ciso@example.com"})
        made = Account(aws, outputs)
        made.quiet()
        yield made
