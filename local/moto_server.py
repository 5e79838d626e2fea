"""The services the emulator lacks, answered by a moto server that starts when the first of them is asked for."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from ministack.core.responses import get_account_id

log = logging.getLogger("plumbline.moto")

# Generous: a machine that runs many tests at once takes its time to import moto.
_START_TIMEOUT = 120.0
_ANSWER_TIMEOUT = 60.0
# Hop-by-hop, or recomputed for the new connection.
_NOT_FORWARDED = frozenset({"connection", "content-length", "expect", "host", "transfer-encoding"})
_NOT_RETURNED = frozenset({"connection", "content-length", "date", "server", "transfer-encoding"})

# As in `local.moto_additions`, which runs in the moto server's own environment.
BILL, HELD = "/_plumbline/bill", "/_plumbline/held"

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
        await self._started()
        target = path + (f"?{urlencode(query, doseq=True)}" if query else "")
        forwarded = {name: value for name, value in headers.items() if name not in _NOT_FORWARDED}
        forwarded["x-moto-account-id"] = get_account_id()
        return await asyncio.to_thread(self._ask, method, target, body, forwarded)

    async def tell(self, path: str, what: Mapping[str, Any]) -> None:
        """Tell moto how something is that no call of the API makes so; see `local.moto_additions`.

        Args:
            path: `HELD`, what an organisation holds or releases; or `BILL`, the account's plan and preferences.
            what: all of it.
        """
        await self._started()
        status, _, body = await asyncio.to_thread(self._ask, "POST", path, json.dumps(what).encode(), {})
        if status != HTTPStatus.OK:
            message = f"moto did not take {what} at {path}: {body.decode(errors='replace')[:500]}"
            raise RuntimeError(message)

    async def _started(self) -> None:
        async with self._starting:
            if self._process is None:
                await asyncio.to_thread(self._start)

    def _ask(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Response:
        # Not urllib: it adds a form's content type to a body that has none, and moto then reads a form.
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_ANSWER_TIMEOUT)
        with closing(connection):
            connection.request(method, target, body or None, dict(headers))
            response = connection.getresponse()
            return response.status, _capitalised(response.getheaders()), response.read()

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
            self._process = subprocess.Popen(
                [self._python, "-m", "local.moto_additions", "-H", "127.0.0.1", "-p", str(self._port)],
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


def _capitalised(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    # As the emulator's own handlers spell them; its dispatcher looks names up that way.
    return {
        "-".join(part.capitalize() for part in name.split("-")): value
        for name, value in headers
        if name.lower() not in _NOT_RETURNED
    }
