"""What moto lacks of IAM's entities, added to it.

* IAM's server certificates expire when their own text says so; moto's have all expired in 2012, and so do here those
  whose text is no certificate.

Source: IAM API reference, ServerCertificateMetadata.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography import x509
from moto.core.responses import ActionResult
from moto.iam.responses import IamResponse


def install() -> None:
    """Add to this process's moto what it lacks; again, change nothing."""
    if IamResponse.__dict__.get("plumbline_entities"):
        return
    IamResponse.plumbline_entities = True
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
