"""Reads the ACLs of buckets, one after the other, as the sweep does; or with boto3 as it comes.

    read_buckets LAYER     with Plumbline's eyes
    read_buckets --boto3   with a client of boto3's, under the same role

An event is the names of the buckets.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Any

from bench.cold import stopwatch

_REGION = "us-east-1"


def _ready() -> Callable[[Any], object]:
    if "--boto3" in sys.argv:
        import boto3

        keys = _eyes(boto3.client("sts"))
        s3 = boto3.client("s3", **keys)
        return lambda names: [s3.get_bucket_acl(Bucket=name)["Owner"]["ID"] for name in names]
    sys.path[1:1] = [sys.argv[1]]
    from plumbline.adapters.accounts import Accounts
    from plumbline.adapters.clients import Clients
    from plumbline.core.calls import Call

    def clock() -> datetime:
        return datetime.now(timezone.utc)

    accounts = Accounts(Clients(_REGION, clock), _REGION, os.environ["PLUMBLINE_EYES_ROLE"], clock=clock)

    def read(names: Sequence[str]) -> list[str]:
        ask = accounts.eyes(os.environ["PLUMBLINE_ACCOUNT"], _REGION)
        return [ask(Call("s3", "GetBucketAcl", {"Bucket": name}))["Owner"]["ID"] for name in names]

    return read


def _eyes(sts: Any) -> dict[str, str]:
    role = os.environ["PLUMBLINE_EYES_ROLE"].format(account=os.environ["PLUMBLINE_ACCOUNT"])
    keys = sts.assume_role(RoleArn=role, RoleSessionName="eyes")["Credentials"]
    return {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }


if __name__ == "__main__":
    stopwatch.serve(_ready)
