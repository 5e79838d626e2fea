"""What the stack's own denials leave to whoever carries them, as IAM on this machine judges it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local.embedded import EmbeddedAWS
from tests.deployed import STACK, as_deployed, properties
from tests.local.conftest import error

EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAWS]:
    """An account of these tests alone."""
    with EmbeddedAWS.start(state=tmp_path_factory.mktemp("denials")) as running:
        yield running


def _carries(account: EmbeddedAWS, user: str, policy: str) -> Any:
    """A client of somebody who may do everything, but for one of the stack's denials."""
    document: Mapping[str, Any] = as_deployed(
        properties("AWS::IAM::ManagedPolicy")[policy]["PolicyDocument"], {}, STACK
    )
    iam = account.client("iam")
    account.user(user)
    iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=json.dumps(EVERYTHING))
    made = iam.create_policy(PolicyName=f"plumbline-{user}", Path="/plumbline/", PolicyDocument=json.dumps(document))
    iam.attach_user_policy(UserName=user, PolicyArn=made["Policy"]["Arn"])
    return lambda service: account.client(service, as_=user)


def test_without_mfa_a_key_serves_for_mfa_self_service_alone(account: EmbeddedAWS) -> None:
    client = _carries(account, "eve", "WithoutMfaPolicy")
    assert "AccessDenied" == error(lambda: client("s3").list_buckets())
    assert "AccessDenied" == error(lambda: client("iam").list_access_keys(UserName="eve"))
    assert [] == client("iam").list_mfa_devices(UserName="eve")["MFADevices"]
    assert "eve" == client("iam").get_user(UserName="eve")["User"]["UserName"]


def test_who_is_suspended_may_do_nothing(account: EmbeddedAWS) -> None:
    client = _carries(account, "mallory", "SuspensionPolicy")
    assert "AccessDenied" == error(lambda: client("s3").list_buckets())
    assert "AccessDenied" == error(lambda: client("iam").list_mfa_devices(UserName="mallory"))
