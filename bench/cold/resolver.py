"""AWS's host names lead to the front on this machine: all that a measured process is told otherwise than on AWS."""

from __future__ import annotations

import os
import socket
from typing import Any

#: Names the front's port.
PORT = "BENCH_FRONT_PORT"
_AWS = ".amazonaws.com"


def install() -> None:
    """Resolve AWS's names to the front; other names are none of a measured process's business."""
    port = int(os.environ[PORT])

    def resolve(host: str | bytes | None, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        name = host.decode() if isinstance(host, bytes) else host or ""
        if not name.endswith(_AWS):
            raise socket.gaierror(socket.EAI_NONAME, f"{name} is not one of AWS's names")
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))]

    socket.getaddrinfo = resolve
