"""What the adapters' tests share: a ledger in moto."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from plumbline.adapters.dynamodb import Table
from tests.story import make_table


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    """An empty one."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        make_table("ledger", "us-east-1")
        client = boto3.client("dynamodb", region_name="us-east-1")
        yield Table(lambda *_: client, "ledger", "us-east-1")
