"""The front speaks TLS under AWS's names and passes on what it gets."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
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


@pytest.fixture
def opened(made: Certificates) -> Iterator[Front]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with front.opened(f"http://127.0.0.1:{server.server_address[1]}", made) as running:
        yield running
    server.shutdown()
    server.server_close()


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
    context = ssl.create_default_context(cafile=str(made.root))
    with (
        socket.create_connection(("127.0.0.1", opened.port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        for _ in range(2):
            assert _ask(connection, host).endswith(host.encode())


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
