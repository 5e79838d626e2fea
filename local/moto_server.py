"""The services the emulator lacks, answered by a moto server that starts when the first of them is asked for."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

from ministack.core.responses import get_account_id

log = logging.getLogger("plumbline.moto")

_START_TIMEOUT = 30.0
_ANSWER_TIMEOUT = 60.0
# Hop-by-hop, or recomputed for the new connection.
_NOT_FORWARDED = frozenset({"connection", "content-length", "expect", "host", "transfer-encoding"})

Response = tuple[int, dict[str, str], bytes]


class MotoServer:
    """A moto server on a loopback port of its own, one for all accounts."""

    def __init__(self, python: Path, log_file: Path) -> None:
        self._python = python
        self._log_file = log_file
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._starting = asyncio.Lock()

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, list[str]]
    ) -> Response:
        """Answer one request, with the signature of the emulator's own handlers."""
        async with self._starting:
            if self._process is None:
                await asyncio.to_thread(self._start)
        url = f"http://127.0.0.1:{self._port}{path}" + (f"?{urlencode(query, doseq=True)}" if query else "")
        forwarded = {name: value for name, value in headers.items() if name not in _NOT_FORWARDED}
        forwarded["x-moto-account-id"] = get_account_id()
        # Loopback, and the address is our own; the scheme cannot be anything but http.
        request = urllib.request.Request(url, data=body or None, headers=forwarded, method=method)  # noqa: S310
        return await asyncio.to_thread(_answer, request)

    def close(self) -> None:
        """Stop the server, if it ever ran."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        with self._log_file.open("ab") as sink:
            # moto is told its credentials so that it never looks for the user's.
            self._process = subprocess.Popen(  # noqa: S603
                [self._python, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self._port)],
                env={"PATH": "/usr/bin:/bin", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"},
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
            )
        deadline = time.monotonic() + _START_TIMEOUT
        while not self._listening():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                self._process = None
                message = f"the moto server did not start; its log is {self._log_file}"
                raise RuntimeError(message)
            time.sleep(0.05)
        log.info("moto answers on port %d", self._port)

    def _listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


def _answer(request: urllib.request.Request) -> Response:
    try:
        with urllib.request.urlopen(request, timeout=_ANSWER_TIMEOUT) as response:  # noqa: S310
            return response.status, _headers(response.headers.items()), response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _headers(error.headers.items()), error.read()


def _headers(items: object) -> dict[str, str]:
    # Capitalised as the emulator's own handlers do; its dispatcher looks names up that way.
    return {
        "-".join(part.capitalize() for part in name.split("-")): value
        for name, value in dict(items).items()  # type: ignore[call-overload]
        if name.lower() not in {"connection", "content-length", "date", "server", "transfer-encoding"}
    }
