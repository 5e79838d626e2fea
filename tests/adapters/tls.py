"""An STS that speaks TLS on this machine, with a certificate of an authority that nobody knows."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench import certificates

_WHO = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::111122223333:user/ann</Arn><UserId>AIDAEXAMPLE</UserId><Account>111122223333</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


@dataclass(slots=True)
class Sts:
    """A running STS.

    Attributes:
        url: where it is.
        root: the authority behind its certificate.
        connections: those that were opened and trusted, by the caller's port.
        requests: how many it answered.
    """

    url: str
    root: Path
    connections: set[int] = field(default_factory=set)
    requests: int = 0


@contextmanager
def sts(folder: Path) -> Iterator[Sts]:
    """Serve until the end of the block; the certificate is written into a folder."""
    made = certificates.issue(folder, names=("localhost",))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            running.connections.add(self.client_address[1])
            running.requests += 1
            self.send_response(200)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(_WHO)))
            self.end_headers()
            self.wfile.write(_WHO)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A caller who does not trust the certificate goes away; that is what the tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.chain, made.key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    running = Sts(f"https://localhost:{server.server_address[1]}", made.root)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
