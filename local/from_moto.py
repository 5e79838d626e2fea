"""The services and calls that ministack lacks and moto has. One service's state never lies in both.

Stock ministack takes an unknown service for S3, and answers InvalidAction for what a known one lacks. Requests that
go to moto are authenticated and authorised like all others; moto itself asks nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from ministack import app
from ministack.core import iam_actions
from ministack.core.responses import get_account_id, set_request_account_id

from local import s3_details
from local.moto_server import MotoServer, Response
from local.wire import Request, operation_of

# Whole services; the emulator has none of their state, or, for Config and Organizations, too little of it.
_SERVICES = (
    "access-analyzer",
    "billing",
    "ce",
    "config",
    "freetier",
    "guardduty",
    "macie2",
    "organizations",
    "securityhub",
)
# Single operations whose state nothing else reads, by the emulator's name of the service.
_OPERATIONS: Mapping[str, frozenset[str]] = {
    "account": frozenset({"DeleteAlternateContact", "GetAlternateContact", "PutAlternateContact"}),
    "ec2": frozenset(
        {
            "DisableEbsEncryptionByDefault",
            "EnableEbsEncryptionByDefault",
            "GetEbsEncryptionByDefault",
            "GetInstanceMetadataDefaults",
            "ModifyInstanceMetadataDefaults",
        }
    ),
    "iam": frozenset(
        {
            "CreateServiceSpecificCredential",
            "DeleteServerCertificate",
            "DeleteServiceSpecificCredential",
            "ListServerCertificates",
            "ListServiceSpecificCredentials",
            "UpdateServiceSpecificCredential",
            "UploadServerCertificate",
        }
    ),
}
_ACCOUNT_PUBLIC_ACCESS_BLOCK = "/v20180820/configuration/publicAccessBlock"
# S3's own names of the permissions; deleting takes the permission to put.
_ACCOUNT_PUBLIC_ACCESS_BLOCK_ACTIONS = {
    "DELETE": "s3:PutAccountPublicAccessBlock",
    "GET": "s3:GetAccountPublicAccessBlock",
    "PUT": "s3:PutAccountPublicAccessBlock",
}

# moto tells by the signature which service is asked, and verifies none.
_SIGNED_FOR_S3 = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=, Signature="

Query = dict[str, list[str]]
Headers = dict[str, str]


def install(moto: MotoServer) -> None:
    """Route to moto what only moto can answer."""
    _find_actions_by_model()
    _detect_services()
    for service in _SERVICES:
        app.SERVICE_HANDLERS[service] = moto.handle
        iam_actions.SERVICE_TO_IAM_NAMESPACE[service] = service
    for service, operations in _OPERATIONS.items():
        app.SERVICE_HANDLERS[service] = _either(operations, app.SERVICE_HANDLERS[service], moto)
    _block_public_access_to_the_account(moto)


def _find_actions_by_model() -> None:
    """Stock: a REST request that ministack has no route for is served without asking IAM."""
    extract_iam_action = iam_actions.extract_iam_action

    def extract(service: str, method: str, path: str, headers: Headers, body: bytes, query: Query) -> str | None:
        found = extract_iam_action(service, method, path, headers, body, query)
        if found is not None:
            return str(found)
        operation = operation_of(Request(method, path, query, headers, body, client=""))
        namespace = iam_actions.SERVICE_TO_IAM_NAMESPACE.get(service)
        return f"{namespace}:{operation.name}" if operation and namespace else None

    iam_actions.extract_iam_action = extract


def _detect_services() -> None:
    detect_service = app.detect_service

    def detect(method: str, path: str, headers: Headers, query: Query) -> str:
        credential = Request(method, path, query, headers, b"", client="").credential
        if credential and credential.scope in _SERVICES:
            return credential.scope
        return str(detect_service(method, path, headers, query))

    app.detect_service = detect


def _either(operations: frozenset[str], own: Any, moto: MotoServer) -> Any:  # noqa: ANN401
    async def handle(method: str, path: str, headers: Headers, body: bytes, query: Query) -> Response:
        operation = operation_of(Request(method, path, query, headers, body, client=""))
        chosen = moto.handle if operation and operation.name in operations else own
        answer: Response = await chosen(method, path, headers, body, query)
        return answer

    return handle


def _block_public_access_to_the_account(moto: MotoServer) -> None:
    """Stock: S3 Control's account-wide public access block is an invalid URI."""
    handle_s3_control = app._handle_s3_control_request

    async def handle(
        path: str, method: str, body: bytes, query: Query, request_id: str, headers: Headers | None = None
    ) -> Response | None:
        action = _ACCOUNT_PUBLIC_ACCESS_BLOCK_ACTIONS.get(method)
        if path != _ACCOUNT_PUBLIC_ACCESS_BLOCK or action is None:
            answer: Response | None = await handle_s3_control(path, method, body, query, request_id, headers)
            return answer
        denied: Response | None = app._enforce_data_plane("s3", action, headers or {}, query, request_id)
        if denied:
            return denied
        answer = await moto.handle(method, path, headers or {}, body, query)
        if method != "GET":
            await learn_account_block(moto, get_account_id())
        return answer

    app._handle_s3_control_request = handle


async def learn_account_block(moto: MotoServer, account: str) -> None:
    """Tell the emulator's S3 what access block of the account is in force: moto keeps it, the buckets obey it."""
    asked = {"x-amz-account-id": account, "authorization": _SIGNED_FOR_S3}
    set_request_account_id(account)
    status, _, body = await moto.handle("GET", _ACCOUNT_PUBLIC_ACCESS_BLOCK, asked, b"", {})
    s3_details.set_account_block(account, body if status == HTTPStatus.OK else None)
