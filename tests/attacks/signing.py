"""A proof of who types a command, signed with somebody's real keys as `aws eks get-token` signs it."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Sequence
from typing import Any

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest

from tests.attacks.stage import Stage

_OPERATE = "plumbline-operate"
_HEADER = "x-k8s-aws-id"
_QUESTION = "Action=GetCallerIdentity&Version=2011-06-15"


def request(stage: Stage, who: str, *command: str) -> dict[str, Any]:
    """What the shell function of somebody sends for a command.

    Args:
        stage: the account.
        who: a principal of the account, or another account's number.
        command: the words.
    """
    nonce = secrets.token_hex(16)
    return {"command": list(command), "proof": _token(stage, who, command, nonce), "nonce": nonce}


def _token(stage: Stage, who: str, command: Sequence[str], nonce: str) -> str:
    words = "".join(f"{word}\0" for word in (*command, nonce))
    digest = hashlib.sha256(words.encode()).hexdigest()
    value = f"plumbline:{stage.aws.account}:{stage.aws.region}:{_OPERATE}:{digest}"
    asked = AWSRequest(method="GET", url=f"{stage.aws.endpoint}/?{_QUESTION}", headers={_HEADER: value})
    keys = stage.aws.session(who).get_credentials()
    SigV4QueryAuth(keys, "sts", stage.aws.region, expires=60).add_auth(asked)
    return f"k8s-aws-v1.{base64.urlsafe_b64encode(asked.url.encode()).decode().rstrip('=')}"


def invoke(stage: Stage, who: str, asked: dict[str, Any]) -> Any:
    """Send a request as somebody."""
    return stage.client("lambda", who).invoke(FunctionName=_OPERATE, Payload=json.dumps(asked).encode())
