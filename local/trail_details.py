"""What CloudTrail says of the bucket it delivers to, which the emulator never looks at.

Stock, a trail is made on any bucket and its status never holds an error. AWS refuses a trail whose bucket is missing
or does not let it write, and tells of a bucket that is lost later in the status of the trail.

Nor does it keep an event history.

Source: AWS CloudTrail API reference, CreateTrail (errors) and GetTrailStatus (LatestDeliveryError); AWS CloudTrail
user guide, "Amazon S3 bucket policy for CloudTrail".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudtrail, s3

from local.recorder import root_history

Body = Mapping[str, Any]
Response = tuple[int, dict[str, str], bytes]

_CLOUDTRAIL = "cloudtrail.amazonaws.com"
_REFUSED = 400
_PAGE = 50


def install() -> None:
    """Look at the bucket when a trail is made or changed, and in its status."""
    for operation, name in (("CreateTrail", "_create_trail"), ("UpdateTrail", "_update_trail")):
        checked = _on_a_bucket_that_takes_it(getattr(cloudtrail, name))
        setattr(cloudtrail, name, checked)
        cloudtrail._DISPATCH[operation] = checked
    cloudtrail._DISPATCH["GetTrailStatus"] = _with_delivery_error(cloudtrail._get_trail_status)
    cloudtrail._DISPATCH["LookupEvents"] = _lookup_events


def _lookup_events(body: Body) -> Response:
    """Stock: an empty history. AWS: 90 days of management events, the newest first; here root's, by their name alone.

    Source: AWS CloudTrail API reference, LookupEvents.
    """
    names = {one["AttributeValue"] for one in body.get("LookupAttributes", ()) if one["AttributeKey"] == "EventName"}
    found = [
        {
            "EventId": one["eventID"],
            "EventName": one["eventName"],
            "EventSource": one["eventSource"],
            "EventTime": datetime.fromisoformat(one["eventTime"]).timestamp(),
            "CloudTrailEvent": json.dumps(one),
        }
        for one in reversed(root_history)
        if one["recipientAccountId"] == get_account_id() and one["eventName"] in names
    ]
    after = [one for one in found if one["EventTime"] >= float(body.get("StartTime") or 0)]
    return cloudtrail._ok({"Events": after[:_PAGE]})  # type: ignore[no-any-return]


def _on_a_bucket_that_takes_it(write: Any) -> Any:  # noqa: ANN401
    def write_where_it_may(body: Body) -> Response:
        bucket = body.get("S3BucketName", "")
        wrong = _wrong_with(bucket, body.get("Name", ""), body.get("S3KeyPrefix", "")) if bucket else None
        if wrong == "NoSuchBucket":
            return _refuse("S3BucketDoesNotExistException", f"S3 bucket {bucket} does not exist!")
        if wrong:
            return _refuse(
                "InsufficientS3BucketPolicyException", f"Incorrect S3 bucket policy is detected for bucket: {bucket}"
            )
        answer: Response = write(body)
        return answer

    return write_where_it_may


def _with_delivery_error(get_status: Any) -> Any:  # noqa: ANN401
    def get_status_and_error(body: Body) -> Response:
        status, headers, answer = get_status(body)
        if status >= _REFUSED:
            return status, headers, answer
        _, _, trail = cloudtrail._find_visible_trail(body["Name"].strip())
        wrong = _wrong_with(trail["S3BucketName"], trail["Name"], trail.get("S3KeyPrefix", ""))
        if not wrong or not trail.get("IsLogging"):
            return status, headers, answer
        return status, headers, json.dumps({**json.loads(answer), "LatestDeliveryError": wrong}).encode()

    return get_status_and_error


def _wrong_with(bucket: str, trail: str, prefix: str) -> str | None:
    """The error that delivering to a bucket meets; None where it meets none."""
    owner = s3._bucket_owner_account(bucket)
    if owner is None:
        return "NoSuchBucket"
    arn = trail if trail.startswith("arn:") else cloudtrail._trail_arn(trail)
    place = f"{prefix}/AWSLogs" if prefix else "AWSLogs"
    context = EvalContext(
        principal_arn="",
        principal_type="Service",
        principal_account="",
        action="s3:PutObject",
        resource_arn=f"arn:aws:s3:::{bucket}/{place}/{get_account_id()}/CloudTrail/{get_region()}/log.json.gz",
        region=get_region(),
        service_context={
            "aws:principalisawsservice": "true",
            "aws:sourcearn": arn,
            "aws:sourceaccount": get_account_id(),
            "s3:x-amz-acl": "bucket-owner-full-control",
        },
    )
    policy = s3._bucket_policies.get_scoped(owner, None, bucket)
    allowed = evaluate_resource_policy(policy, context, service=_CLOUDTRAIL).decision == "Allow"
    return None if allowed else "AccessDenied"


def _refuse(code: str, message: str) -> Response:
    return cloudtrail._err(code, message)  # type: ignore[no-any-return]
