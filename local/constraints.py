"""Names and values that AWS refuses for their form: what botocore's models say of them, and what only pages say.

Stock, the emulator takes almost any text. The models carry the length and the pattern of a member for IAM, STS,
EventBridge, Lambda, CloudWatch and Logs; the rules of the other names are data below, each with its page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import OperationModel, Shape
from ministack import app
from ministack.services import s3

from local import shapes
from local.wire import Request, operation_of

Response = tuple[int, dict[str, str], bytes]

#: By the emulator's name of a service, what it calls a value of the wrong form.
_BY_MODEL: Mapping[str, str] = {
    "events": "ValidationException",
    "iam": "ValidationError",
    "lambda": "ValidationException",
    "logs": "InvalidParameterException",
    "monitoring": "ValidationError",
    "sts": "ValidationError",
}


@dataclass(frozen=True, slots=True)
class Naming:
    """How the names of one kind of thing look.

    Attributes:
        service: the emulator's name of it.
        operation: the call that gives the name.
        parameter: where it stands, in camel case.
        pattern: what the whole name matches.
        code: what the service calls a name that does not.
        message: the same in words.
    """

    service: str
    operation: str
    parameter: str
    pattern: str
    code: str
    message: str


_NAMINGS = (
    # CreateQueue, in the Amazon SQS API reference.
    Naming(
        "sqs",
        "CreateQueue",
        "QueueName",
        r"[A-Za-z0-9_-]{1,80}|(?=.{6,80}$)[A-Za-z0-9_-]+\.fifo",
        "InvalidParameterValue",
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
    ),
    # CreateTopic, in the Amazon SNS API reference.
    Naming(
        "sns",
        "CreateTopic",
        "Name",
        r"[A-Za-z0-9_-]{1,256}|(?=.{6,256}$)[A-Za-z0-9_-]+\.fifo",
        "InvalidParameter",
        "Invalid parameter: Topic Name",
    ),
    # "Naming requirements for CloudTrail resources, S3 buckets, and KMS keys", in the AWS CloudTrail user guide.
    Naming(
        "cloudtrail",
        "CreateTrail",
        "Name",
        r"(?!(\d{1,3}\.){3}\d{1,3}$)(?!.*[._-]{2})[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]",
        "InvalidTrailNameException",
        "Trail name must be 3 to 128 characters of letters, numbers, periods, underscores and dashes.",
    ),
    # "Supported data types and naming rules", in the Amazon DynamoDB developer guide.
    Naming(
        "dynamodb",
        "CreateTable",
        "TableName",
        r"[A-Za-z0-9_.-]{3,255}",
        "ValidationException",
        "TableName must be at least 3 characters long and at most 255 characters long, of a-z, A-Z, 0-9, '_', '-' "
        "and '.'",
    ),
    # CreateStack, in the AWS CloudFormation API reference.
    Naming(
        "cloudformation",
        "CreateStack",
        "StackName",
        r"[A-Za-z][A-Za-z0-9-]{0,127}",
        "ValidationError",
        "1 validation error detected: Value at 'stackName' failed to satisfy constraint: Member must satisfy regular "
        "expression pattern: [a-zA-Z][-a-zA-Z0-9]*",
    ),
)
# "General purpose bucket naming rules", in the Amazon S3 user guide.
_BUCKET = re.compile(r"(?!(\d{1,3}\.){3}\d{1,3}$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_RESERVED_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3", "-an")


def install() -> None:
    """Refuse what AWS refuses, before the emulator takes it."""
    for service, code in _BY_MODEL.items():
        app.SERVICE_HANDLERS[service] = _checked(service, code, app.SERVICE_HANDLERS[service])
    for naming in _NAMINGS:
        app.SERVICE_HANDLERS[naming.service] = _named(naming, app.SERVICE_HANDLERS[naming.service])
    _refuse_reserved_buckets()


def _checked(service: str, code: str, handle: Callable[..., Any]) -> Callable[..., Any]:
    async def checked(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Response:
        request = Request(method, path, query, headers, body, client="")
        operation = operation_of(request)
        wrong = list(_violations(operation, request)) if operation else []
        if wrong:
            many = "errors" if len(wrong) > 1 else "error"
            return _refusal(service, headers, code, f"{len(wrong)} validation {many} detected: {'; '.join(wrong)}")
        answer: Response = await handle(method, path, headers, body, query)
        return answer

    return checked


def _named(naming: Naming, handle: Callable[..., Any]) -> Callable[..., Any]:
    pattern = re.compile(naming.pattern, re.ASCII)

    async def named(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Response:
        request = Request(method, path, query, headers, body, client="")
        operation = operation_of(request)
        if operation is not None and operation.name == naming.operation:
            asked = shapes.request_parameters(operation, request) or {}
            name = str(asked.get(naming.parameter[0].lower() + naming.parameter[1:], ""))
            if not pattern.fullmatch(name):
                return _refusal(naming.service, headers, naming.code, naming.message)
        answer: Response = await handle(method, path, headers, body, query)
        return answer

    return named


def _violations(operation: OperationModel, request: Request) -> Iterator[str]:
    if operation.input_shape is None:
        return
    asked = shapes.request_parameters(operation, request) or {}
    for name, member in operation.input_shape.members.items():
        value = asked.get(name[0].lower() + name[1:])
        if member.type_name == "string" and isinstance(value, str):
            wrong = _wrong(member, value)
            if wrong:
                shown = name[0].lower() + name[1:]
                yield f"Value '{value}' at '{shown}' failed to satisfy constraint: Member must {wrong}"


def _wrong(member: Shape, value: str) -> str:
    limits = member.metadata
    if len(value) > limits.get("max", len(value)):
        return f"have length less than or equal to {limits['max']}"
    if len(value) < limits.get("min", 0):
        return f"have length greater than or equal to {limits['min']}"
    pattern = limits.get("pattern")
    if pattern and not _expression(pattern).fullmatch(value):
        return f"satisfy regular expression pattern: {pattern}"
    return ""


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.ASCII | re.DOTALL)
    except re.error:
        # In Java's dialect, which is not ours; nothing is refused for it.
        return re.compile(".*", re.DOTALL)


def _refuse_reserved_buckets() -> None:
    """Stock: any lower-case name will do. AWS keeps some beginnings and endings for itself."""
    create = s3._create_bucket

    def create_bucket(name: str, *request: Any, **named: Any) -> Any:  # noqa: ANN401
        if not _BUCKET.fullmatch(name) or name.startswith(_RESERVED_STARTS) or name.endswith(_RESERVED_ENDS):
            return s3._error("InvalidBucketName", "The specified bucket is not valid.", 400, f"/{name}")
        return create(name, *request, **named)

    s3._create_bucket = create_bucket


def _refusal(service: str, headers: Mapping[str, str], code: str, message: str) -> Response:
    """An error in the protocol the request came in."""
    content_type = headers.get("content-type", "")
    if "cbor" in content_type:
        # Comes with the emulator, and is no dependency of this project's.
        import cbor2  # type: ignore[import-not-found]

        body = cbor2.dumps({"__type": code, "message": message})
        answer = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return 400, {**answer, "x-amzn-query-error": f"{code};Sender"}, body
    if "x-www-form-urlencoded" in content_type:
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message>"
            "</Error><RequestId>refused</RequestId></ErrorResponse>"
        )
        return 400, {"Content-Type": "text/xml"}, text.encode()
    answer = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-errortype": code}
    if service == "sqs":
        answer["x-amzn-query-error"] = f"{code};Sender"
    return 400, answer, json.dumps({"__type": code, "message": message}).encode()
