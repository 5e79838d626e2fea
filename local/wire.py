"""One AWS API request as it came over the wire, and which operation of which service it asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qs, unquote

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

_CREDENTIAL = re.compile(r"Credential=([^/,]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_RPC_V2_PATH = re.compile(r"^/service/[^/]+/operation/([^/]+)$")
_S3_CONTROL_PATH = "/v20180820/"
# Streams are a service of their own to botocore, and signed for as DynamoDB.
_STREAMS = "DynamoDBStreams_"

# Signing names that are not the name botocore files the service under.
_BOTOCORE_NAMES: Mapping[str, str] = {
    "access-analyzer": "accessanalyzer",
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "sso": "sso-admin",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}


@dataclass(frozen=True, slots=True)
class Credential:
    """Who signed, for which region and service; what the signature proves is the emulator's to check."""

    access_key: str
    region: str
    scope: str


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request, read to its end. Header names are lower case."""

    method: str
    path: str
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: bytes
    client: str

    @property
    def credential(self) -> Credential | None:
        """The credential named in the signature, header or presigned; None for an unsigned request."""
        presigned = self.query.get("X-Amz-Credential", [""])[0]
        signature = f"Credential={presigned}" if presigned else self.headers.get("authorization", "")
        found = _CREDENTIAL.search(signature)
        return Credential(*found.groups()) if found else None

    @property
    def form(self) -> Mapping[str, Sequence[str]]:
        """The fields of a query-protocol body."""
        if "x-www-form-urlencoded" not in self.headers.get("content-type", ""):
            return {}
        return parse_qs(self.body.decode("utf-8", errors="replace"), keep_blank_values=True)


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    path: re.Pattern[str]
    query: Mapping[str, str | None]
    literal: int
    operation: str

    def fits(self, request: Request) -> bool:
        return (
            self.method == request.method
            and self.path.match(request.path.rstrip("/") or "/") is not None
            and all(
                key in request.query and (value is None or request.query[key][0] == value)
                for key, value in self.query.items()
            )
        )


_loader = Loader()


@lru_cache(maxsize=64)
def service_model(name: str) -> ServiceModel | None:
    """Model of a service; None where botocore knows no such service."""
    try:
        return ServiceModel(_loader.load_service_model(name, "service-2"), name)
    except UnknownServiceError:
        return None


@lru_cache(maxsize=64)
def _routes(name: str) -> Sequence[_Route]:
    model = service_model(name)
    if model is None:
        return ()
    routes = [_route(model.operation_model(operation)) for operation in model.operation_names]
    # The most literal route wins: `/{Bucket}?policy` before `/{Bucket}`.
    return sorted(routes, key=lambda route: (len(route.query), route.literal), reverse=True)


def _route(operation: OperationModel) -> _Route:
    path, _, query = operation.http["requestUri"].partition("?")
    parts = re.split(r"\{([^}]+)\}", path.rstrip("/") or "/")
    pattern = "".join(
        re.escape(part) if index % 2 == 0 else f"(?P<{_group(part)}>{'.+' if part.endswith('+') else '[^/]+'})"
        for index, part in enumerate(parts)
    )
    wanted = dict(_query_pair(pair) for pair in query.split("&") if pair)
    literal = sum(len(part) for part in parts[::2])
    return _Route(operation.http["method"], re.compile(f"^{pattern}$"), wanted, literal, operation.name)


def _group(label: str) -> str:
    return re.sub(r"\W", "_", label.rstrip("+"))


def _query_pair(pair: str) -> tuple[str, str | None]:
    key, _, value = pair.partition("=")
    return key, value or None


def operation_of(request: Request) -> OperationModel | None:
    """The operation a signed request asks for, by its protocol's own marks; None when it cannot be told."""
    credential = request.credential
    if credential is None:
        return None
    scope = credential.scope
    if scope == "s3" and request.path.startswith(_S3_CONTROL_PATH):
        scope = "s3control"
    if request.headers.get("x-amz-target", "").startswith(_STREAMS):
        scope = "dynamodbstreams"
    model = service_model(_BOTOCORE_NAMES.get(scope, scope))
    if model is None:
        return None
    name = _named_operation(request) or next((r.operation for r in _routes(model.service_name) if r.fits(request)), "")
    return model.operation_model(name) if name in model.operation_names else None


def _named_operation(request: Request) -> str:
    target = request.headers.get("x-amz-target", "")
    if target:
        return target.rpartition(".")[2]
    rpc = _RPC_V2_PATH.match(request.path)
    if rpc:
        return rpc.group(1)
    action = request.form.get("Action") or request.query.get("Action")
    return action[0] if action else ""


def s3_control_endpoint(endpoint: str) -> str:
    """Where S3 Control is asked, for `AWS_ENDPOINT_URL_S3_CONTROL`.

    Its clients put the account before the host's name, and there is no `<account>.127.0.0.1`. Before a user's name it
    does no harm: `http://<account>.s3-control@127.0.0.1:4566` is this host.
    """
    return endpoint.replace("://", "://s3-control@")


def path_parameters(request: Request, operation: OperationModel) -> Mapping[str, str]:
    """The parameters a REST operation takes from the path, by their names on the wire."""
    for route in _routes(operation.service_model.service_name):
        if route.operation == operation.name:
            found = route.path.match(request.path.rstrip("/") or "/")
            return {key: unquote(value) for key, value in found.groupdict().items()} if found else {}
    return {}
