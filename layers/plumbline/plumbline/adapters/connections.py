"""Connections to AWS, kept and shared by all clients of one host, and the root certificates they are trusted by.

botocore gives each client connections of its own, and reads a bundle of well over a hundred certificates for each of
them, which costs more than the call. Here clients of one host share theirs, whatever role they act under (a role is in
a request's signature, not in the connection), and trust the few roots that AWS's endpoints lead to. The layer's build
writes those (sdk_extract.py).

The way back: where a certificate does not lead to them, the host is asked with botocore's whole bundle, then and from
then on. A bundle that the user names (AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE, ca_bundle) is the only one used.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# os.path: pathlib is not loaded on the way to a cold wake
ROOTS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "sdk", "roots.pem")  # noqa: PTH118, PTH120

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Connections:
    """Makes clients that share connections.

    Attributes:
        roots: a file of certificates in PEM; where there is none, botocore's own bundle is used.
    """

    roots: str = ROOTS
    _kept: dict[str, _Kept] = field(default_factory=dict, repr=False)

    def client(self, session: Any, service: str, **options: Any) -> Any:  # noqa: ANN401 - botocore has no static types
        """A client of a botocore session, made with the options of its `create_client`."""
        roots = self._trusted(session)
        client = session.create_client(service, verify=roots, **options)

        def ordinary() -> Any:  # noqa: ANN401
            return session.create_client(service, **options)

        try:
            endpoint = client._endpoint  # noqa: SLF001 - the one place where botocore keeps a client's connections
            host, own = endpoint.host, endpoint.http_session
        except AttributeError:  # another botocore: without sharing there is no way back from the few roots either
            return client if roots is None else ordinary()
        way_back = roots and (lambda: ordinary()._endpoint.http_session)  # noqa: SLF001
        endpoint.http_session = self._kept.setdefault(host, _Kept(own, way_back or None))
        return client

    def _trusted(self, session: Any) -> str | None:  # noqa: ANN401
        """The few roots; None for what botocore trusts by itself, or its user told it to."""
        told = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
        return None if told or not os.path.isfile(self.roots) else self.roots  # noqa: PTH113


@dataclass(slots=True, eq=False)
class _Kept:
    """The connections to one host, in the place where botocore's client has its own.

    Attributes:
        session: botocore's connections.
        ordinary: makes those that trust botocore's whole bundle; None once they are used.
    """

    session: Any
    ordinary: Callable[[], Any] | None

    def send(self, request: Any) -> Any:  # noqa: ANN401
        """Send a request; see botocore.httpsession."""
        from botocore.exceptions import SSLError

        tried = self.session
        try:
            return tried.send(request)
        except SSLError as error:
            if self.session is tried:  # else another thread has found out before
                if self.ordinary is None:
                    raise
                _log.warning("not trusted with Amazon's roots alone, so all of botocore's are used: %s", error)
                self.session, self.ordinary = self.ordinary(), None
            request.reset_stream()
            return self.session.send(request)

    def close(self) -> None:
        """Close what is open; what is sent later opens anew."""
        self.session.close()
