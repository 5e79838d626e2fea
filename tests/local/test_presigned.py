"""The embedded STS verifies who signed a question, and every header that is signed with it, as AWS does.

Source: AWS Signature Version 4 for API requests, adding authentication to the query string.
"""

from __future__ import annotations

import base64

import boto3
import pytest

from local import typed
from local.embedded import ACCOUNT, EmbeddedAWS
from plumbline.adapters.sts import Sts
from plumbline.core.errors import AwsRefusal
from plumbline.ports import Identity

VALUE = "plumbline:111122223333:us-east-1:plumbline-operate:0123"


def _url(aws: EmbeddedAWS, session: boto3.Session) -> str:
    body = typed.token(session, aws.endpoint, VALUE).removeprefix("k8s-aws-v1.")
    return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()


@pytest.mark.parametrize(
    ("who", "arn"),
    [
        ("root", f"arn:aws:iam::{ACCOUNT}:root"),
        ("ann", f"arn:aws:iam::{ACCOUNT}:user/ann"),
        ("admin", f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_AdministratorAccess_0123456789abcdef/admin"),
    ],
)
def test_whoever_signs_is_known_by_what_he_signed_and_nothing_else(account: EmbeddedAWS, who: str, arn: str) -> None:
    account.user("ann")
    url = _url(account, account.session(who))
    assert Identity(ACCOUNT, arn) == Sts().identity(url, {"x-k8s-aws-id": VALUE})
    for headers in ({}, {"x-k8s-aws-id": VALUE + "4"}, {"x-k8s-aws-id": ""}):
        with pytest.raises(AwsRefusal, match="SignatureDoesNotMatch"):
            Sts().identity(url, headers)
    with pytest.raises(AwsRefusal, match="SignatureDoesNotMatch"):
        Sts().identity(url.replace("Expires=60", "Expires=61"), {"x-k8s-aws-id": VALUE})


def test_nobody_is_root_who_only_writes_his_number(account: EmbeddedAWS) -> None:
    forged = boto3.Session(ACCOUNT, "guessed", region_name="us-east-1")
    with pytest.raises(AwsRefusal, match="SignatureDoesNotMatch"):
        Sts().identity(_url(account, forged), {"x-k8s-aws-id": VALUE})


def test_what_was_signed_a_quarter_of_an_hour_ago_is_no_more(account: EmbeddedAWS) -> None:
    url = _url(account, account.session("root"))
    day = url.partition("X-Amz-Date=")[2][:8]
    with pytest.raises(AwsRefusal):
        Sts().identity(url.replace(day, "20200101"), {"x-k8s-aws-id": VALUE})
