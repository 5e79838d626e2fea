"""STS, asked with somebody's signature: who it says signed, and what is no answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from plumbline.adapters.sts import Sts
from plumbline.core.errors import AwsRefusal, NotReached
from plumbline.ports import Identity

#: What STS answers: its API reference, GetCallerIdentity.
_NAMED = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>{arn}</Arn><UserId>AIDA1</UserId><Account>{account}</Account></GetCallerIdentityResult><ResponseMetadata>
<RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata></GetCallerIdentityResponse>"""
_ERROR = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>{}</Code><Message>The request signature we calculated does not match</Message></Error></ErrorResponse>"""
_ANN = "arn:aws:iam::111122223333:user/a&amp;b/ann"
_SECRET = "X-Amz-Signature=0123456789abcdef"


@contextmanager
def _answering(status: int, body: str, **headers: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The address of a server that answers so, and the headers that it was sent."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append({"path": self.path, **{name.lower(): text for name, text in self.headers.items()}})
            self.send_response(status)
            for name, text in {"Content-Length": str(len(body.encode())), **headers}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/?{_SECRET}", asked
    finally:
        server.shutdown()
        server.server_close()


def test_it_says_who_signed_and_sends_the_header_that_is_signed() -> None:
    with _answering(200, _NAMED.format(arn=_ANN, account="111122223333")) as (url, asked):
        found = Sts().identity(url, {"x-k8s-aws-id": "plumbline:x"})
    assert Identity("111122223333", "arn:aws:iam::111122223333:user/a&b/ann") == found
    assert [(f"/?{_SECRET}", "plumbline:x")] == [(one["path"], one["x-k8s-aws-id"]) for one in asked]
    assert not {"authorization", "cookie"} & asked[0].keys()


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (403, _ERROR.format("SignatureDoesNotMatch"), "SignatureDoesNotMatch"),
        (400, _ERROR.format("ExpiredToken"), "ExpiredToken"),
        (403, _ERROR.format("<b>http://evil.example</b>"), "Unknown"),
        (403, "no", "Unknown"),
        (404, "", "Unknown"),
    ],
)
def test_what_aws_does_not_take_is_refused_with_its_code(status: int, body: str, code: str) -> None:
    with _answering(status, body) as (url, _), pytest.raises(AwsRefusal) as error:
        Sts().identity(url, {})
    assert (code, False) == (error.value.code, isinstance(error.value, NotReached))
    assert _SECRET not in str(error.value)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, ""),
        (200, "{}"),
        (200, _NAMED.format(arn="ann", account="111122223333")),
        (200, _NAMED.format(arn=_ANN, account="1111")),
        (200, " " * 70_000 + _NAMED.format(arn=_ANN, account="111122223333")),
        (204, ""),
        (500, _NAMED.format(arn=_ANN, account="111122223333")),
        (503, _ERROR.format("ServiceUnavailable")),
    ],
)
def test_what_is_no_answer_is_none(status: int, body: str) -> None:
    with _answering(status, body) as (url, asked), pytest.raises(NotReached) as error:
        Sts().identity(url, {})
    assert _SECRET not in str(error.value)
    assert 1 == len(asked), "asked once, whatever came of it"


def test_no_redirect_is_followed() -> None:
    with (
        _answering(200, _NAMED.format(arn=_ANN, account="111122223333")) as (elsewhere, asked),
        _answering(302, "", Location=elsewhere) as (url, _),
        pytest.raises(NotReached, match="HTTP 302"),
    ):
        Sts().identity(url, {})
    assert [] == asked


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/?" + _SECRET, "https://sts.no-such-host.invalid/?" + _SECRET],
    ids=["nobody listens", "no such host"],
)
def test_who_cannot_be_reached_is_told_without_the_address(url: str) -> None:
    with pytest.raises(NotReached) as error:
        Sts().identity(url, {})
    shown: Callable[[Any], str] = str
    assert _SECRET not in shown(error.value) + shown(
        error.value.__context__ if not error.value.__suppress_context__ else ""
    )


def test_an_answer_that_breaks_off_is_none() -> None:
    body = _NAMED.format(arn=_ANN, account="111122223333")[:-50]
    with _answering(200, body, **{"Content-Length": "90000"}) as (url, _), pytest.raises(NotReached):
        Sts().identity(url, {})
