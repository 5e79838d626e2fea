"""Trails of tests: a complete one as Plumbline sees it, and real ones of the embedded account, with their buckets."""

from __future__ import annotations

import json
from typing import Any

from local.embedded import EmbeddedAWS


def whole(name: str, account: str, region: str) -> dict[str, Any]:
    """The state of a trail that records everything and delivers it."""
    return {
        "name": name,
        "arn": f"arn:aws:cloudtrail:{region}:{account}:trail/{name}",
        "own": True,
        "organisation": False,
        "region": region,
        "bucket": "logs",
        "logging": True,
        "every_region": True,
        "global_services": True,
        "validation": True,
        "basic": [],
        "advanced": [],
        "selectors_seen": True,
        "undelivered": "",
    }


def bucket_of_a_trail(aws: EmbeddedAWS, bucket: str, trail: str) -> None:
    """A bucket whose policy lets one trail of the home region deliver, whether there is such a trail yet or not.

    Source: AWS CloudTrail user guide, "Amazon S3 bucket policy for CloudTrail".
    """
    only = {"StringEquals": {"aws:SourceArn": f"arn:aws:cloudtrail:{aws.region}:{aws.account}:trail/{trail}"}}
    on = f"arn:aws:s3:::{bucket}"
    statements = [
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": action,
            "Resource": resource,
            "Condition": only,
        }
        for action, resource in (("s3:GetBucketAcl", on), ("s3:PutObject", f"{on}/AWSLogs/{aws.account}/*"))
    ]
    aws.bucket(bucket)
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    aws.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)


def logging_trail(
    aws: EmbeddedAWS,
    bucket: str = "acme-trail",
    name: str = "main",
    *,
    every_region: bool = True,
    validated: bool = False,
) -> None:
    """A trail that logs, with a bucket of its own.

    Args:
        aws: where.
        bucket: the bucket that is made for it.
        name: the trail's name.
        every_region: whether it is a multi-region trail.
        validated: whether digests of its files are written.
    """
    bucket_of_a_trail(aws, bucket, name)
    trails = aws.client("cloudtrail")
    trails.create_trail(
        Name=name, S3BucketName=bucket, IsMultiRegionTrail=every_region, EnableLogFileValidation=validated
    )
    trails.start_logging(Name=name)
