"""A command of Plumbline as somebody types it, with the proof of who that is: what its shell function sends."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

import boto3
from botocore.config import Config

_HEADER = "x-k8s-aws-id"


def request(
    session: boto3.Session, endpoint: str, account: str, function: str, words: Sequence[str], *, nonce: str = ""
) -> dict[str, Any]:
    """What is sent to the function operate.

    Args:
        session: of whoever types it, in the region of his Plumbline.
        endpoint: where STS is.
        account: whose Plumbline is asked.
        function: what operate is called there.
        words: the command.
        nonce: a number used once; a fresh one where it is empty.
    """
    nonce = nonce or secrets.token_hex(16)
    digest = hashlib.sha256("".join(f"{word}\0" for word in (*words, nonce)).encode()).hexdigest()
    value = f"plumbline:{account}:{session.region_name}:{function}:{digest}"
    return {"command": list(words), "proof": token(session, endpoint, value), "nonce": nonce}


def token(session: boto3.Session, endpoint: str, value: str) -> str:
    """What `aws eks get-token --cluster-name VALUE` prints as its token."""
    sts = session.client("sts", endpoint_url=endpoint, config=Config(proxies={}))
    sts.meta.events.register(
        "before-sign.sts.GetCallerIdentity", lambda request, **_: request.headers.add_header(_HEADER, value)
    )
    url = sts.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    return f"k8s-aws-v1.{base64.urlsafe_b64encode(url.encode()).decode().rstrip('=')}"
