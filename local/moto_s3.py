"""What moto lacks of buckets' settings, added to it.

Supplied, because moto does not know it: every bucket encrypts what is written to it, one of which nothing was set with
SSE-S3 and with SSE-C blocked, and answers so; `BlockedEncryptionTypes` is kept as it was written.

Source: Amazon S3 user guide, Setting default server-side encryption behavior for Amazon S3 buckets; Blocking or
unblocking SSE-C for a general purpose bucket; Amazon S3 API reference, DeleteBucketEncryption.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.s3.responses import S3Response

_OF_AWS: dict[str, Any] = {
    "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
    "BucketKeyEnabled": "false",
    "BlockedEncryptionTypes": {"EncryptionType": "SSE-C"},
}


def install() -> None:
    """Add to this process's moto what it lacks; again, change nothing."""
    S3Response.get_bucket_encryption = _get_bucket_encryption


def _get_bucket_encryption(response: Any) -> Any:  # noqa: ANN401
    response.data["Action"] = "GetBucketEncryption"
    kept = response.backend.get_bucket_encryption(response.bucket_name)
    rule = kept["Rule"] if kept else _OF_AWS
    said = {
        "ApplyServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"],
        "BucketKeyEnabled": rule.get("BucketKeyEnabled") == "true",
    }
    blocked = (rule.get("BlockedEncryptionTypes") or {}).get("EncryptionType")
    if blocked:
        said["BlockedEncryptionTypes"] = {"EncryptionType": blocked if isinstance(blocked, list) else [blocked]}
    return response.serialized(ActionResult({"ServerSideEncryptionConfiguration": {"Rules": [said]}}))
