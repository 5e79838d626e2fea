"""The front speaks TLS under AWS's names and passes on what it gets."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench import certificates, front
from bench.certificates import Certificates
from bench.cold import resolver
from bench.front import Front


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Say which host was asked."""
        body = self.headers["Host"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates.issue(tmp_path_factory.mktemp("tls"))


@contextmanager
def _serving() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def opened(made: Certificates) -> Iterator[Front]:
    with _serving() as endpoint, front.opened(endpoint, made) as running:
        yield running


def _asked(made: Certificates, opened: Front, times: int, host: str = "iam.amazonaws.com") -> None:
    """Ask on one connection, one time after the other."""
    context = ssl.create_default_context(cafile=str(made.root))
    with (
        socket.create_connection(("127.0.0.1", opened.port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        for _ in range(times):
            assert _ask(connection, host).endswith(host.encode())


def _ask(connection: ssl.SSLSocket, host: str) -> bytes:
    connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    answer = b""
    while not answer.endswith(host.encode()):
        answer += connection.recv(4096)
    return answer


@pytest.mark.parametrize(
    "host",
    ["iam.amazonaws.com", "sts.us-east-1.amazonaws.com", "acme.s3.us-east-1.amazonaws.com", "acme.s3.amazonaws.com"],
)
def test_a_connection_under_awss_names_is_passed_on_and_kept(made: Certificates, opened: Front, host: str) -> None:
    _asked(made, opened, 2, host)


def test_what_is_held_back_waits_beside_what_comes_on_other_connections(made: Certificates) -> None:
    """As if the endpoint were far away: two at a time take as long as one, and one after the other twice as long."""
    with _serving() as endpoint, front.opened(endpoint, made, holds=0.3) as far, ThreadPoolExecutor() as threads:
        began = time.monotonic()
        list(threads.map(lambda _: _asked(made, far, 2), range(2)))
        assert 0.6 <= time.monotonic() - began < 1.2


def test_nobody_else_trusts_its_authority(opened: Front) -> None:
    context = ssl.create_default_context()
    with (
        socket.create_connection(("127.0.0.1", opened.port), timeout=5) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context.wrap_socket(plain, server_hostname="iam.amazonaws.com")


def test_awss_names_lead_to_the_front_and_no_name_leads_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)  # put back afterwards
    monkeypatch.setenv(resolver.PORT, "4711")
    resolver.install()
    assert ("127.0.0.1", 4711) == socket.getaddrinfo("iam.amazonaws.com", 443)[0][4]
    with pytest.raises(socket.gaierror, match="is not one of AWS's names"):
        socket.getaddrinfo("example.com", 443)


def test_the_chain_is_as_long_as_awss(made: Certificates) -> None:
    certificate = "-----BEGIN CERTIFICATE-----"
    files = (made.root, made.chain, made.key)
    assert [1, 2, 0] == [Path(one).read_text().count(certificate) for one in files]
