"""STS, asked in another's words: who signed a question. See handlers/operate/proof.py for what may be asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

from plumbline.core.errors import AwsRefusal

#: Seconds. A command may take a minute; one answer must not take most of it.
_CONNECT_SECONDS, _READ_SECONDS = 3, 10
#: Bytes of an answer that are read.
_LONGEST = 65_536
_OK, _DENIED = 200, range(400, 500)
_CODE = re.compile(r"[A-Za-z.]{1,64}")
_ACCOUNT = re.compile(r"\d{12}")


class NotReached(AwsRefusal):
    """STS did not answer, or not as STS does."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom AWS takes the signer for.

    Attributes:
        account: twelve digits.
        arn: of a user, an account's root, or a session: `arn:aws:sts::...:assumed-role/ROLE/SESSION`, without the path
            of the role.
    """

    account: str
    arn: str


@dataclass(frozen=True, slots=True, eq=False)
class Sts:
    """Sends one GET to STS and reads who signed it. Follows no redirect, tries nothing twice, logs nothing."""

    _session: list[Any] = field(default_factory=list, repr=False)

    def identity(self, url: str, headers: Mapping[str, str]) -> Identity:
        """Whom AWS takes the signer of a request for.

        Args:
            url: the presigned request; it goes to nobody but STS, and whoever calls has made sure of that.
            headers: those that are signed with it.

        Raises:
            AwsRefusal: AWS does not take the signature, with its code, such as SignatureDoesNotMatch.
            NotReached: STS did not answer, or answered what cannot be read.
        """
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import HTTPClientError
        from botocore.httpsession import URLLib3Session

        if not self._session:
            self._session.append(URLLib3Session(timeout=(_CONNECT_SECONDS, _READ_SECONDS)))
        try:
            answer = self._session[0].send(
                AWSRequest(method="GET", url=url, headers=dict(headers), stream_output=True).prepare()
            )
            status, body = answer.status_code, answer.raw.read(_LONGEST)
        except (HTTPClientError, OSError) as error:
            # its text would repeat the address, and with it the signature
            raise NotReached(type(error).__name__, "STS did not answer") from None
        except Exception as error:  # noqa: BLE001 -- urllib3's own errors, which come while the answer is read
            raise NotReached(type(error).__name__, "STS broke off its answer") from None
        if status in _DENIED:
            raise AwsRefusal(_code(body), "AWS does not take this signature")
        if status != _OK:
            raise NotReached(f"HTTP {status}", "STS did not answer who it is")
        account, arn = _text(body, "Account"), _text(body, "Arn")
        if not _ACCOUNT.fullmatch(account) or not arn.startswith("arn:"):
            raise NotReached("Unreadable", "STS answered what cannot be read")
        return Identity(account, arn)


def _code(body: bytes) -> str:
    code = _text(body, "Code")
    return code if _CODE.fullmatch(code) else "Unknown"


def _text(body: bytes, name: str) -> str:
    try:
        found = ET.fromstring(body).find(f".//{{*}}{name}")  # noqa: S314 -- AWS's own answer, over TLS, and short
    except ET.ParseError:
        return ""
    return (found.text or "") if found is not None else ""
