"""TLS before the embedded AWS, under AWS's own host names; what is measured speaks to it as it would to AWS."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.certificates import Certificates

_BYTES = 1 << 16
_STARTED_IN = 10.0


@dataclass(frozen=True, slots=True)
class Front:
    """A running front.

    Attributes:
        port: where it listens, on loopback.
        certificates: what it shows.
    """

    port: int
    certificates: Certificates


@contextmanager
def opened(endpoint: str, certificates: Certificates, *, holds: float = 0.0) -> Iterator[Front]:
    """Take TLS connections and pass on what comes, until the end of the block.

    It works in a thread of this process: nothing of it counts for the processes that are measured.

    Args:
        endpoint: where the embedded AWS listens, such as http://127.0.0.1:4566.
        certificates: what to show.
        holds: seconds that what comes is held back before it is passed on, as if the endpoint were far away; what
            comes on other connections meanwhile, and behind it, is not.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.chain, certificates.key)
    where = urlsplit(endpoint)
    listening: Future[tuple[int, Callable[[], object]]] = Future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(where.hostname, where.port)
        with suppress(asyncio.CancelledError):  # the front closes while something is held back
            await asyncio.gather(_pass(reader, back, holds), _pass(there, writer))

    async def run() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        listening.set_result((server.sockets[0].getsockname()[1], lambda: loop.call_soon_threadsafe(stop.set)))
        await stop.wait()
        server.close()

    thread = threading.Thread(target=asyncio.run, args=(run(),), name="front", daemon=True)
    thread.start()
    port, stop = listening.result(timeout=_STARTED_IN)
    try:
        yield Front(port, certificates)
    finally:
        stop()
        thread.join()


async def _pass(source: asyncio.StreamReader, sink: asyncio.StreamWriter, holds: float = 0.0) -> None:
    loop = asyncio.get_running_loop()
    with suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
        while part := await source.read(_BYTES):
            if holds:
                loop.call_later(holds, sink.write, part)  # in their order: each is due later than the one before
                continue
            sink.write(part)
            await sink.drain()
        await asyncio.sleep(holds)
    with suppress(ConnectionError, ssl.SSLError, RuntimeError):
        sink.close()
