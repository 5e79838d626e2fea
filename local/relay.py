"""The trail relay: what CloudTrail and EventBridge do between an API call and the rules that wait for it.

The emulator records no call and delivers none to its event bus. Here each change to the account, made or refused,
becomes an "AWS API Call via CloudTrail" event in the Region AWS would log it in, while a trail is logging there.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore import parsers
from botocore.model import OperationModel
from ministack.core.responses import request_scope
from ministack.services import cloudtrail, eventbridge, s3

from local import shapes
from local.identities import Caller
from local.recorder import root_history
from local.wire import Credential, Request, path_parameters

log = logging.getLogger("plumbline.relay")

GLOBAL_REGION = "us-east-1"
#: The state of a rule that hears reads too, and the mark of an event that is one.
HEARS_READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
READ = "_IsARead"
_GLOBAL_SERVICES = frozenset({"account", "cloudfront", "iam", "organizations", "route53"})

# Reads reach only rules in the state for it; two reach all, although their names say read.
_READS = (
    "BatchGet",
    "Describe",
    "Get",
    "Head",
    "List",
    "Lookup",
    "Query",
    "Scan",
    "Search",
    "Simulate",
    "Test",
)
_READS_IN_NAME_ONLY = frozenset({"GetFederationToken", "GetSessionToken"})
# Calls that ordinary rules do receive although their records say `readOnly`.
_READ_ONLY = frozenset({"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"})

# Data events, which a trail has to be asked for: what happens in a resource rather than to it.
_DATA_EVENTS: Mapping[str, frozenset[str]] = {
    "cloudwatch": frozenset({"PutMetricData"}),
    "dynamodb": frozenset(
        {
            "BatchExecuteStatement", "BatchWriteItem", "DeleteItem", "ExecuteStatement", "ExecuteTransaction",
            "PutItem", "TransactGetItems", "TransactWriteItems", "UpdateItem",
        }
    ),
    "events": frozenset({"PutEvents"}),
    "lambda": frozenset({"Invoke", "InvokeAsync", "InvokeWithResponseStream"}),
    "logs": frozenset({"CreateLogStream", "FilterLogEvents", "PutLogEvents", "StartQuery"}),
    "sns": frozenset({"Publish", "PublishBatch"}),
    "sqs": frozenset(
        {
            "ChangeMessageVisibility", "ChangeMessageVisibilityBatch", "DeleteMessage", "DeleteMessageBatch",
            "ReceiveMessage", "SendMessage", "SendMessageBatch",
        }
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """One request and who made it, before the answer is known.

    Attributes:
        request: as it came.
        credential: who signed it, and for where.
        operation: what it asks for.
        caller: who made it.
        region: where AWS logs it.
    """

    request: Request
    credential: Credential
    operation: OperationModel
    caller: Caller
    region: str

    @classmethod
    def of(cls, request: Request, credential: Credential, operation: OperationModel, caller: Caller) -> Call:
        """A call, before it is served: afterwards a bucket may be gone, and with it where it was."""
        return cls(request, credential, operation, caller, _logged_in(request, credential, operation))

    @property
    def is_management(self) -> bool:
        """Whether CloudTrail counts the call as a management event; in S3 nothing that names a key is one."""
        service, name = self.operation.service_model.service_name, self.operation.name
        if service == "s3" and name.startswith("ListObject"):
            return False
        on_a_key = service == "s3" and "{Key+}" in str(self.operation.http["requestUri"])
        return name not in _DATA_EVENTS.get(service, frozenset()) and not on_a_key

    @property
    def is_read(self) -> bool:
        """Whether CloudTrail counts the call as a read, by its name."""
        name = self.operation.name
        return name.startswith(_READS) and name not in _READS_IN_NAME_ONLY

    @property
    def changes_the_account(self) -> bool:
        """Whether CloudTrail counts the call as a write management event."""
        return self.is_management and not self.is_read

    @property
    def is_heard_though_a_read(self) -> bool:
        """Whether a read is delivered. AWS delivers all to the rules that hear them; here only the root user's are.

        No rule of this project waits for those of others, and to build the record of each would cost a lot.
        """
        return self.is_management and self.is_read and self.caller.identity.get("type") == "Root"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def error(self, operation: OperationModel) -> tuple[str, str] | None:
        """The code and message of a refused or failed call, as they were on the wire; None for success."""
        if self.status < 400:  # noqa: PLR2004 -- the HTTP boundary between success and error
            return None
        content_type = self.headers.get("content-type", "")
        protocol = str(operation.service_model.protocol)
        if "json" in content_type and protocol not in {"json", "rest-json"}:
            protocol = "json"
        elif "xml" in content_type and protocol not in {"ec2", "query", "rest-xml"}:
            protocol = "query"
        message = {"status_code": self.status, "headers": dict(self.headers), "body": self.body}
        try:
            found = parsers.create_parser(protocol).parse(message, operation.output_shape).get("Error", {})
        except parsers.ResponseParserError:
            # The emulator's own crash, in no AWS protocol.
            return str(self.status), self.body.decode(errors="replace")
        code = str(found.get("Code", self.status)).rpartition("#")[2]
        return code, str(found.get("Message", ""))


def _logged_in(request: Request, credential: Credential, operation: OperationModel) -> str:
    """Where AWS logs a call: a bucket's in the bucket's region, those of global services in us-east-1.

    Source: AWS CloudTrail user guide, "CloudTrail concepts", global service events; Amazon S3 user guide, "Amazon S3
    CloudTrail events": a bucket's region answers, whichever was asked.
    """
    if operation.service_model.service_name in _GLOBAL_SERVICES:
        return GLOBAL_REGION
    bucket = path_parameters(request, operation).get("Bucket")
    where = s3._replication_destination_region(bucket) if bucket else None
    return str(where or credential.region)


class TrailRelay:
    """Turns calls into events, in the order the calls were made."""

    def __init__(self) -> None:
        # One thread: events of one account arrive in order, and a slow target never holds up an API request.
        self._deliveries = ThreadPoolExecutor(max_workers=1, thread_name_prefix="trail-relay")

    def listeners(self, call: Call) -> list[str]:
        """The accounts whose trail is logging such a call at this moment: the caller's, and that of the bucket called.

        Ask before the call: StopLogging is still logged, and DeleteBucket still has an owner.
        Source: AWS CloudTrail user guide, record contents, `recipientAccountId`.
        """
        if not (call.changes_the_account or call.is_heard_though_a_read):
            return []
        bucket = path_parameters(call.request, call.operation).get("Bucket")
        owner = s3._bucket_owner_account(bucket) if bucket else None
        concerned = dict.fromkeys([call.caller.account, *([str(owner)] if owner else [])])
        return [account for account in concerned if trail_is_logging(account, call.region)]

    def relay(self, call: Call, answer: Answer, listeners: Sequence[str]) -> None:
        """Deliver the record of a call to the rules of its Region, in each account that listens."""
        event = envelope(call, record(call, answer))
        for account in listeners:
            self.deliver({**event, "account": account, "detail": {**event["detail"], "recipientAccountId": account}})

    def deliver(self, event: Mapping[str, Any]) -> None:
        """Deliver an event as AWS itself would: any source, no permission asked."""
        if event["detail"].get("userIdentity", {}).get("type") == "Root":
            root_history.append(event["detail"])
        self._deliveries.submit(_deliver, event)

    def deliver_logged(self, event: Mapping[str, Any]) -> None:
        """Deliver a record that no call of the API makes, as a sign-in is one, where a trail logs it."""
        if trail_is_logging(event["account"], event["region"]):
            self.deliver(event)

    def close(self) -> None:
        """Drop what has not been delivered."""
        self._deliveries.shutdown(wait=False, cancel_futures=True)


def trail_is_logging(account: str, region: str) -> bool:
    """Whether any trail of the account logs write management events of the Region."""
    for (owner, home, name), trail in cloudtrail._trails.all_items():
        covers = home == region or trail.get("IsMultiRegionTrail", False)
        if owner == account and covers and trail.get("IsLogging") and _logs_writes(owner, home, name):
            return True
    return False


def _logs_writes(account: str, home: str, trail: str) -> bool:
    selectors: Sequence[Mapping[str, Any]] = cloudtrail._event_selectors.get_scoped(
        account, home, trail, cloudtrail._DEFAULT_EVENT_SELECTORS
    )
    return any(_selects_writes(selector) for selector in selectors)


def _selects_writes(selector: Mapping[str, Any]) -> bool:
    if "FieldSelectors" not in selector:
        includes_writes = selector.get("ReadWriteType", "All") in {"All", "WriteOnly"}
        return includes_writes and bool(selector.get("IncludeManagementEvents", True))
    equals = {field["Field"]: field.get("Equals") for field in selector["FieldSelectors"]}
    return equals.get("eventCategory") == ["Management"] and equals.get("readOnly") != ["true"]


def record(call: Call, answer: Answer) -> dict[str, Any]:
    """The CloudTrail record of a call."""
    operation = call.operation
    error = answer.error(operation)
    denied_by_iam_itself = error is not None and error[0] == "AccessDenied" and event_service(call) == "iam"
    details: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": dict(call.caller.identity),
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": f"{event_service(call)}.amazonaws.com",
        "eventName": shapes.event_name(operation),
        "awsRegion": call.region,
        "sourceIPAddress": call.request.client,
        "userAgent": call.request.headers.get("user-agent", ""),
        # IAM refuses before it reads the parameters, so its record has none.
        "requestParameters": None if denied_by_iam_itself else shapes.request_parameters(operation, call.request),
        "responseElements": None,
        "requestID": answer.headers.get("x-amzn-requestid") or str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": call.is_read or operation.name in _READ_ONLY,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": call.caller.account,
        "eventCategory": "Management",
    }
    if error is None:
        details["responseElements"] = shapes.response_elements(operation, answer.status, answer.headers, answer.body)
    else:
        code, message = error
        details |= {"errorCode": shapes.error_code(operation, code), "errorMessage": message}
    return details


def event_service(call: Call) -> str:
    """The service as eventSource names it."""
    return shapes.event_source(call.operation)


def envelope(call: Call, detail: Mapping[str, Any]) -> dict[str, Any]:
    """A record as EventBridge delivers it."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{event_service(call)}",
        "account": call.caller.account,
        "time": detail["eventTime"],
        "region": call.region,
        "resources": [],
        "detail": dict(detail),
    }


def _deliver(event: Mapping[str, Any]) -> None:
    moment = datetime.fromisoformat(event["time"]) if event.get("time") else datetime.now(UTC)
    record_on_bus = {
        "EventId": event.get("id") or str(uuid.uuid4()),
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"]),
        "EventBusName": "default",
        "Time": int(moment.timestamp()),
        "Resources": list(event.get("resources", ())),
        "Account": event["account"],
        "Region": event["region"],
        READ: event["detail"].get("readOnly") is True and event["detail"].get("eventName") not in _READ_ONLY,
    }
    try:
        with request_scope(event["account"], event["region"]):
            eventbridge._dispatch_event(record_on_bus)
    except Exception:
        # The thread outlives one bad event; the log is where a test is told to look.
        log.exception("could not deliver %s %s", event["source"], event["detail"].get("eventName"))
