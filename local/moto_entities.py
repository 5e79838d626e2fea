"""What moto lacks of IAM's entities, added to it.

* IAM's server certificates expire when their own text says so; moto's have all expired in 2012, and so do here those
  whose text is no certificate.
* Service-specific credentials: made, listed by user and by service, switched off and on, deleted. All fit on one page.

Source: IAM API reference, ServerCertificateMetadata, and CreateServiceSpecificCredential and its siblings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from cryptography import x509
from moto.core.responses import ActionResult
from moto.iam.exceptions import NoSuchEntity
from moto.iam.responses import IamResponse


def install() -> None:
    """Add to this process's moto what it lacks; again, change nothing."""
    if IamResponse.__dict__.get("plumbline_entities"):
        return
    IamResponse.plumbline_entities = True
    IamResponse.create_service_specific_credential = _create_service_specific_credential
    IamResponse.delete_service_specific_credential = _delete_service_specific_credential
    IamResponse.list_service_specific_credentials = _list_service_specific_credentials
    IamResponse.update_service_specific_credential = _update_service_specific_credential
    IamResponse.list_server_certificates = _with_expirations(IamResponse.list_server_certificates)


# --- server certificates --------------------------------------------------------------------------


def _with_expirations(read: Callable[[Any], ActionResult]) -> Callable[[Any], ActionResult]:
    def with_expirations(response: Any) -> ActionResult:  # noqa: ANN401
        answer = read(response)
        texts = {one.cert_name: one.cert_body for one in response.backend.list_server_certificates()}
        for one in answer.result["ServerCertificateMetadataList"]:
            if until := _until(texts[one["ServerCertificateName"]]):
                one["Expiration"] = until
        return answer

    return with_expirations


def _until(text: str) -> str:
    try:
        return x509.load_pem_x509_certificate(text.encode()).not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return ""


# --- service-specific credentials -----------------------------------------------------------------


def _credentials(response: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    kept: list[dict[str, Any]] = response.backend.__dict__.setdefault("service_credentials", [])
    return kept


def _told(response: Any, one: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    """A credential under its user's name of today; the embedded account keeps its users elsewhere."""
    name = next((user.name for user in response.backend.users.values() if user.id == one["of"]), one["UserName"])
    return {**{key: value for key, value in one.items() if key != "of"}, "UserName": name}


def _create_service_specific_credential(response: Any) -> ActionResult:  # noqa: ANN401
    user, service = response._get_param("UserName"), response._get_param("ServiceName")
    known = response.backend.users.get(user)
    made = {
        "of": known.id if known else "",
        "UserName": user,
        "ServiceName": service,
        "ServiceSpecificCredentialId": f"ACCA{uuid4().hex[:16].upper()}",
        "Status": "Active",
        "CreateDate": "2026-03-02T09:30:00Z",
    }
    _credentials(response).append(made)
    return ActionResult({"ServiceSpecificCredential": _told(response, made) | {"ServicePassword": "kept by AWS"}})


def _list_service_specific_credentials(response: Any) -> ActionResult:  # noqa: ANN401
    user, service = response._get_param("UserName"), response._get_param("ServiceName")
    listed = [_told(response, one) for one in _credentials(response)]
    found = [
        one
        for one in listed
        if (not user or one["UserName"].lower() == user.lower()) and (not service or one["ServiceName"] == service)
    ]
    return ActionResult({"ServiceSpecificCredentials": found, "IsTruncated": False})


def _one_of(response: Any) -> dict[str, Any]:  # noqa: ANN401
    wanted = response._get_param("ServiceSpecificCredentialId")
    for one in _credentials(response):
        if one["ServiceSpecificCredentialId"] == wanted:
            return one
    raise NoSuchEntity(f"Service specific credential {wanted} does not exist")


def _update_service_specific_credential(response: Any) -> ActionResult:  # noqa: ANN401
    _one_of(response)["Status"] = response._get_param("Status")
    return ActionResult({})


def _delete_service_specific_credential(response: Any) -> ActionResult:  # noqa: ANN401
    _credentials(response).remove(_one_of(response))
    return ActionResult({})
