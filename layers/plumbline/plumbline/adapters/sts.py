"""STS, asked in another's words: who signed a question. See handlers/operate/proof.py for what may be asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from plumbline.core.errors import AwsRefusal, NotReached
from plumbline.ports import Identity

#: Seconds. A command may take a minute; one answer must not take most of it.
_CONNECT_SECONDS, _READ_SECONDS = 3, 10
#: Bytes of an answer that are read.
_LONGEST = 65_536
_OK, _DENIED = 200, range(400, 500)
_CODE = re.compile(r"[A-Za-z.]{1,64}")
_ACCOUNT = re.compile(r"\d{12}")


class Sts:
    """Sends one GET to STS and reads who signed it. Follows no redirect, tries nothing twice, keeps nothing."""

    def identity(self, url: str, headers: Mapping[str, str]) -> Identity:
        """See ports.Sts."""
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import HTTPClientError
        from botocore.httpsession import URLLib3Session

        session = URLLib3Session(timeout=(_CONNECT_SECONDS, _READ_SECONDS))
        try:
            request = AWSRequest(method="GET", url=url, headers=dict(headers), stream_output=True)
            answer = session.send(request.prepare())
            status, body = answer.status_code, answer.raw.read(_LONGEST)
            answer.raw.close()
        except (HTTPClientError, OSError) as error:
            # its text would repeat the address, and with it the signature
            raise NotReached(type(error).__name__, "STS did not answer") from None
        except Exception as error:  # noqa: BLE001 -- urllib3's own errors, which come while the answer is read
            raise NotReached(type(error).__name__, "STS broke off its answer") from None
        finally:
            session.close()
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
