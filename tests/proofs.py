"""Proofs of who types a command, and an STS that knows who signed them: as `aws eks get-token` and AWS would."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from plumbline.compose import Plumbline
from plumbline.core.errors import AwsRefusal, NotReached
from plumbline.handlers.operate import proof
from plumbline.ports import Identity

STS = "https://sts.us-east-1.amazonaws.com"
NONCE = "0123456789abcdef0123456789abcdef"


def query(arn: str, value: str, now: datetime) -> dict[str, str]:
    """The parameters of a presigned request, in the CLI's order. Of the signature only that it is of all of this."""
    date = f"{now:%Y%m%dT%H%M%SZ}"
    return {
        "Action": "GetCallerIdentity",
        "Version": "2011-06-15",
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{_key(arn)}/{date[:8]}/us-east-1/sts/aws4_request",
        "X-Amz-Date": date,
        "X-Amz-Expires": "60",
        "X-Amz-SignedHeaders": f"host;{proof.HEADER}",
        "X-Amz-Security-Token": "IQoJb3JpZ2luX2VjE/+==",
        "X-Amz-Signature": _signature(arn, value, date),
    }


def token(parameters: Mapping[str, str], origin: str = STS, path: str = "/") -> str:
    """Those parameters as a token."""
    return encoded(f"{origin}{path}?{urlencode(parameters, quote_via=quote, safe='-_.~')}")


def encoded(url: str) -> str:
    """An address as a token."""
    return f"k8s-aws-v1.{base64.urlsafe_b64encode(url.encode()).decode().rstrip('=')}"


def request(plumbline: Plumbline, *words: str, now: datetime, by: str = "", number: int = 1) -> dict[str, Any]:
    """What the shell function sends for a command that changes something.

    Args:
        plumbline: whom it is sent to.
        words: the command.
        now: the time, in UTC.
        by: the ARN of who types it; the account's root where it is empty: nothing has to be read of him.
        number: another one for each command.
    """
    account, deployment, nonce = plumbline.account, plumbline.engine.deployment, f"{number:032}"
    value = proof.value(account, deployment.home, f"{deployment.sender.stack}-operate", words, nonce)
    signed = token(query(by or f"arn:aws:iam::{account}:root", value, now))
    return {"command": list(words), "proof": signed, "nonce": nonce}


@dataclass
class Signatures:
    """STS. It knows whoever signed by his key, and takes what he signed.

    `down` makes it unreachable, and `refuses` answers with an error's code.
    """

    down: bool = False
    refuses: str = ""
    asked: list[str] = field(default_factory=list)

    def identity(self, url: str, headers: Mapping[str, str]) -> Identity:
        """See ports.Sts."""
        self.asked.append(url)
        if self.down:
            raise NotReached("ConnectTimeoutError", "STS did not answer")
        if self.refuses:
            raise AwsRefusal(self.refuses, "AWS does not take this signature")
        given = dict(parse_qsl(urlsplit(url).query))
        arn = bytes.fromhex(given["X-Amz-Credential"].partition("/")[0].removeprefix("ASIA")).decode()
        if given["X-Amz-Signature"] != _signature(arn, headers[proof.HEADER], given["X-Amz-Date"]):
            raise AwsRefusal("SignatureDoesNotMatch", "AWS does not take this signature")
        return Identity(arn.split(":")[4], arn)


def _key(arn: str) -> str:
    """An access key of somebody, from which he is known again."""
    return f"ASIA{arn.encode().hex().upper()}"


def _signature(arn: str, value: str, date: str) -> str:
    return hashlib.sha256(f"{arn}|{value}|{date}".encode()).hexdigest()
