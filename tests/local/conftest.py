"""An account with a trail, for all tests of the embedded AWS that leave others alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError

from local.embedded import ACCOUNT, REGION, EmbeddedAWS

BUCKET = "trail-of-111122223333"


def logging_trail(aws: EmbeddedAWS, bucket: str = BUCKET) -> None:
    """A multi-region trail that logs, with a bucket that lets it write."""
    arn = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/main"
    writes = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/AWSLogs/{ACCOUNT}/*",
        "Condition": {"StringEquals": {"aws:SourceArn": arn}},
    }
    s3, trail = aws.client("s3"), aws.client("cloudtrail")
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [writes]}))
    trail.create_trail(Name="main", S3BucketName=bucket, IsMultiRegionTrail=True)
    trail.start_logging(Name="main")


def error(call: Callable[[], object]) -> str:
    """The code with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAWS]:
    with EmbeddedAWS.start(state=tmp_path_factory.mktemp("account")) as running:
        logging_trail(running)
        yield running
