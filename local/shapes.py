"""What CloudTrail makes of a request and its answer: camel case, no secrets, its own names."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

from botocore import parsers
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from local.wire import Request, path_parameters

# Left out of a record whatever botocore's model says of them.
_SECRET_NAMES = frozenset({"Password", "NewPassword", "OldPassword", "SecretAccessKey", "SessionToken"})

_S3_EVENT_NAMES: Mapping[str, str] = {
    "DeletePublicAccessBlock": "DeleteBucketPublicAccessBlock",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketLifecycleConfiguration": "PutBucketLifecycle",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}
_S3_CONTROL_EVENT_NAMES: Mapping[str, str] = {
    "DeletePublicAccessBlock": "DeleteAccountPublicAccessBlock",
    "PutPublicAccessBlock": "PutAccountPublicAccessBlock",
}
# Lambda's records carry the version of the API in the name.
_LAMBDA_EVENT_NAMES: Mapping[str, str] = {
    "AddLayerVersionPermission": "AddLayerVersionPermission20181031",
    "AddPermission": "AddPermission20150331v2",
    "CreateEventSourceMapping": "CreateEventSourceMapping20150331",
    "CreateFunction": "CreateFunction20150331",
    "DeleteEventSourceMapping": "DeleteEventSourceMapping20150331",
    "DeleteFunction": "DeleteFunction20150331",
    "PublishLayerVersion": "PublishLayerVersion20181031",
    "RemovePermission": "RemovePermission20150331v2",
    "UpdateEventSourceMapping": "UpdateEventSourceMapping20150331",
    "UpdateFunctionCode": "UpdateFunctionCode20150331v2",
    "UpdateFunctionConfiguration": "UpdateFunctionConfiguration20150331v2",
}
_EVENT_NAMES: Mapping[str, Mapping[str, str]] = {
    "lambda": _LAMBDA_EVENT_NAMES,
    "s3": _S3_EVENT_NAMES,
    "s3control": _S3_CONTROL_EVENT_NAMES,
}
_EVENT_SOURCES: Mapping[str, str] = {"cloudwatch": "monitoring", "s3control": "s3", "stepfunctions": "states"}

# In an S3 record the sub-resource of the request stands beside its document, and is empty.
_S3_POLICY = "PutBucketPolicy"


def event_name(operation: OperationModel) -> str:
    """CloudTrail's name of an operation, which is not always the API's."""
    return _EVENT_NAMES.get(operation.service_model.service_name, {}).get(operation.name, operation.name)


def event_source(operation: OperationModel) -> str:
    """The host name CloudTrail files an operation under, without `.amazonaws.com`."""
    service = operation.service_model.service_name
    return _EVENT_SOURCES.get(service) or operation.service_model.endpoint_prefix


def request_parameters(operation: OperationModel, request: Request) -> dict[str, Any] | None:
    """The parameters of a request as CloudTrail records them; None for a request without any."""
    protocol = operation.service_model.protocol
    if protocol in {"query", "ec2"} or request.form:
        return _from_form(operation, request) or None
    if protocol == "rest-xml":
        return _from_rest_xml(operation, request)
    if protocol == "rest-json":
        return _from_rest_json(operation, request) or None
    if request.headers.get("content-type", "").startswith("application/cbor"):
        return recorded(_parsed_cbor(operation, request), operation.input_shape) or None
    return recorded(_json(request.body), operation.input_shape) or None


def response_elements(operation: OperationModel, status: int, headers: Mapping[str, str], body: bytes) -> Any:  # noqa: ANN401
    """What a successful call answered, as CloudTrail records it; None where AWS records none."""
    if operation.output_shape is None or operation.service_model.service_name in {"s3", "s3control"}:
        return None
    parser = parsers.create_parser(_answered_protocol(operation, headers))
    answer = parser.parse({"status_code": status, "headers": dict(headers), "body": body}, operation.output_shape)
    answer.pop("ResponseMetadata", None)
    return recorded(answer, operation.output_shape) or None


def error_code(operation: OperationModel, wire_code: str) -> str:
    """CloudTrail's spelling of an error: IAM answers `NoSuchEntity` and records `NoSuchEntityException`."""
    if operation.service_model.protocol == "ec2":
        return f"Client.{wire_code}"
    if wire_code in {"AccessDenied", "AccessDeniedException", "AuthorizationError"}:
        return "AccessDenied"
    names = {shape.error_code: shape.name for shape in operation.error_shapes}
    return str(names.get(wire_code, wire_code))


def recorded(value: Any, shape: Shape | None) -> Any:  # noqa: ANN401
    """A value in CloudTrail's spelling, without what its model calls sensitive."""
    if isinstance(value, Mapping):
        members = shape.members if isinstance(shape, StructureShape) else {}
        inner = shape.value if isinstance(shape, MapShape) else None
        return {
            (key if inner is not None else _camel(key)): recorded(item, inner or members.get(key))
            for key, item in value.items()
            if not _is_secret(key, inner or members.get(key))
        }
    if isinstance(value, list | tuple):
        return [recorded(item, shape.member if isinstance(shape, ListShape) else None) for item in value]
    if isinstance(value, datetime):
        return value.strftime("%b %-d, %Y %-I:%M:%S %p")
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return value


def _is_secret(name: str, shape: Shape | None) -> bool:
    return name in _SECRET_NAMES or (shape is not None and bool(shape.metadata.get("sensitive")))


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _answered_protocol(operation: OperationModel, headers: Mapping[str, str]) -> str:
    content_type = headers.get("content-type", "")
    if "cbor" in content_type:
        return "smithy-rpc-v2-cbor"
    if "xml" in content_type and operation.service_model.protocol == "smithy-rpc-v2-cbor":
        return "query"
    if "json" in content_type and operation.service_model.protocol == "smithy-rpc-v2-cbor":
        return "json"
    return str(operation.service_model.protocol)


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _parsed_cbor(operation: OperationModel, request: Request) -> dict[str, Any]:
    # The parser of answers reads a request just as well: both are one CBOR document of a known shape.
    message = {"status_code": 200, "headers": {}, "body": request.body}
    value = parsers.create_parser("smithy-rpc-v2-cbor").parse(message, operation.input_shape)
    value.pop("ResponseMetadata", None)
    return dict(value)


# --- query protocol -------------------------------------------------------------------------------


def form_parameters(operation: OperationModel, fields: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of a query-protocol call, from the fields of its form, by the names of the API reference."""
    return dict(_titled(_structure(fields, operation.input_shape, "", ec2=False)))


def _titled(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Mapping):
        return {key[:1].upper() + key[1:]: _titled(item) for key, item in value.items()}
    return [_titled(one) for one in value] if isinstance(value, list) else value


def _from_form(operation: OperationModel, request: Request) -> dict[str, Any]:
    fields = {key: values[0] for key, values in {**request.query, **request.form}.items()}
    ec2 = operation.service_model.protocol == "ec2"
    if operation.input_shape is None:
        return {}
    return _structure(fields, operation.input_shape, "", ec2=ec2)


def _structure(fields: Mapping[str, str], shape: StructureShape, prefix: str, *, ec2: bool) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for name, member in shape.members.items():
        if _is_secret(name, member):
            continue
        key = f"{prefix}.{_wire_name(name, member, ec2=ec2)}" if prefix else _wire_name(name, member, ec2=ec2)
        if key in fields or any(field.startswith(f"{key}.") for field in fields):
            read[_camel(name)] = _value(fields, member, key, ec2=ec2)
    return read


def _wire_name(name: str, member: Shape, *, ec2: bool) -> str:
    if ec2:
        query_name = member.serialization.get("queryName")
        location = str(member.serialization.get("name", name))
        return str(query_name or location[:1].upper() + location[1:])
    return str(member.serialization.get("name", name))


def _value(fields: Mapping[str, str], shape: Shape, key: str, *, ec2: bool) -> Any:  # noqa: ANN401
    if isinstance(shape, StructureShape):
        return _structure(fields, shape, key, ec2=ec2)
    if isinstance(shape, ListShape):
        items = _members(fields, shape, key, ec2=ec2)
        return {"items": items} if ec2 else items
    if isinstance(shape, MapShape):
        return _entries(fields, key)
    return _scalar(fields.get(key, ""), shape)


def _members(fields: Mapping[str, str], shape: ListShape, key: str, *, ec2: bool) -> list[Any]:
    flat = ec2 or bool(shape.serialization.get("flattened"))
    start = key if flat else f"{key}.{shape.member.serialization.get('name', 'member')}"
    found: list[Any] = []
    while any(
        field == f"{start}.{len(found) + 1}" or field.startswith(f"{start}.{len(found) + 1}.") for field in fields
    ):
        found.append(_value(fields, shape.member, f"{start}.{len(found) + 1}", ec2=ec2))
    return found


def _entries(fields: Mapping[str, str], key: str) -> dict[str, str]:
    found: dict[str, str] = {}
    while f"{key}.entry.{len(found) + 1}.key" in fields:
        start = f"{key}.entry.{len(found) + 1}"
        found[fields[f"{start}.key"]] = fields.get(f"{start}.value", "")
    return found


def _scalar(text: str, shape: Shape | None) -> Any:  # noqa: ANN401
    kind = shape.type_name if shape is not None else "string"
    if kind == "boolean":
        return text.lower() == "true"
    if kind in {"integer", "long"} and text.lstrip("-").isdigit():
        return int(text)
    return text


# --- REST -----------------------------------------------------------------------------------------


def _from_rest_json(operation: OperationModel, request: Request) -> dict[str, Any]:
    shape = operation.input_shape
    if shape is None:
        return {}
    read = recorded(_json(request.body), shape)
    path = path_parameters(request, operation)
    for name, member in shape.members.items():
        wire = str(member.serialization.get("name", name))
        where = member.serialization.get("location")
        if where == "uri" and wire in path:
            read[_camel(name)] = path[wire]
        elif where == "querystring" and wire in request.query:
            read[_camel(name)] = _scalar(request.query[wire][0], member)
    return dict(read)


def _from_rest_xml(operation: OperationModel, request: Request) -> dict[str, Any]:
    read: dict[str, Any] = {}
    bucket = path_parameters(request, operation).get("Bucket")
    if bucket:
        read["bucketName"] = bucket
    read["Host"] = "s3.amazonaws.com" if bucket else f"{operation.service_model.endpoint_prefix}.amazonaws.com"
    read.update({key: values[0] for key, values in request.query.items() if key != "x-id"})
    read.update(
        {
            name: value
            for name, value in request.headers.items()
            if name in {"x-amz-acl", "x-amz-object-ownership"} or name.startswith("x-amz-grant-")
        }
    )
    if operation.name == _S3_POLICY:
        read["bucketPolicy"] = _json(request.body)
    elif request.body:
        read.update(_xml_document(request.body))
    return read


def _xml_document(body: bytes) -> dict[str, Any]:
    try:
        # The body comes from this machine's own tests and demo, over loopback.
        root = ET.fromstring(body)  # noqa: S314
    except ET.ParseError:
        return {}
    return {_local_name(root): _xml_value(root)}


def _xml_value(element: ET.Element) -> Any:  # noqa: ANN401
    children: Sequence[ET.Element] = list(element)
    attributes = {_xml_attribute(name): value for name, value in element.attrib.items()}
    if not children and not attributes:
        return _xml_text(element.text or "")
    read: dict[str, Any] = {**attributes}
    for child in children:
        name, value = _local_name(child), _xml_value(child)
        if name in read:
            read[name] = [*(read[name] if isinstance(read[name], list) else [read[name]]), value]
        else:
            read[name] = value
    return read


def _local_name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _xml_attribute(name: str) -> str:
    return f"xsi:{name.rpartition('}')[2]}" if "}" in name else name


def _xml_text(text: str) -> Any:  # noqa: ANN401
    return {"true": True, "false": False}.get(text, text)
