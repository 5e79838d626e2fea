"""Connections are kept and shared; the few roots have a way back to all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.httpsession
import botocore.session
import pytest
from botocore.exceptions import SSLError

from bench import certificates
from plumbline.adapters.connections import Connections
from tests.adapters.tls import Sts, sts

KEYS = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "secret", "region_name": "us-east-1"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sts]:
    with sts(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority that has signed nothing here."""
    return certificates.issue(tmp_path_factory.mktemp("stranger"), names=("localhost",)).root


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")


@pytest.fixture(autouse=True)
def _each_starts_anew(server: Sts) -> None:
    server.connections.clear()
    server.requests = 0


def _trusting(monkeypatch: pytest.MonkeyPatch, bundle: Path) -> None:
    """Make this the bundle that botocore comes with."""
    monkeypatch.setattr(botocore.httpsession, "where", lambda: str(bundle))


def _client(connections: Connections, server: Sts) -> Any:
    config = botocore.config.Config(retries={"total_max_attempts": 1})
    session = botocore.session.get_session()
    return connections.client(session, "sts", endpoint_url=server.url, config=config, **KEYS)


def test_clients_of_one_host_share_a_connection_whoever_they_act_as(server: Sts) -> None:
    connections = Connections(str(server.root))
    for _ in range(2):
        client = _client(connections, server)
        for _ in range(2):
            client.get_caller_identity()
    assert (4, 1) == (server.requests, len(server.connections))


def test_where_the_few_roots_do_not_lead_all_of_botocores_do_from_then_on(
    server: Sts, stranger: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _trusting(monkeypatch, server.root)
    connections = Connections(str(stranger))
    client = _client(connections, server)
    for _ in range(2):
        assert "111122223333" == client.get_caller_identity()["Account"]
    assert 1 == len(server.connections)
    (told,) = caplog.messages
    assert told.startswith(
        "not trusted with Amazon's roots alone, so all of botocore's are used: SSL validation failed"
    )


def test_roots_that_cannot_be_read_lead_to_all_of_botocores(
    server: Sts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _trusting(monkeypatch, server.root)
    broken = tmp_path / "roots.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n")
    assert "111122223333" == _client(Connections(str(broken)), server).get_caller_identity()["Account"]


def test_without_roots_botocore_trusts_what_it_always_does(server: Sts, monkeypatch: pytest.MonkeyPatch) -> None:
    _trusting(monkeypatch, server.root)
    assert "111122223333" == _client(Connections("/nowhere"), server).get_caller_identity()["Account"]


def test_who_is_trusted_by_neither_is_not_spoken_to(
    server: Sts, stranger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _trusting(monkeypatch, stranger)
    client = _client(Connections(str(stranger)), server)
    for _ in range(2):
        with pytest.raises(SSLError, match="certificate verify failed"):
            client.get_caller_identity()
    assert 0 == server.requests


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_a_bundle_that_the_user_names_is_the_only_one(
    server: Sts, stranger: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    _trusting(monkeypatch, server.root)
    monkeypatch.setenv(variable, str(stranger))
    with pytest.raises(SSLError, match="certificate verify failed"):
        _client(Connections(str(server.root)), server).get_caller_identity()
    monkeypatch.setenv(variable, str(server.root))
    assert "111122223333" == _client(Connections(str(stranger)), server).get_caller_identity()["Account"]


def test_a_botocore_that_keeps_its_connections_elsewhere_works_as_it_does_alone(server: Sts) -> None:
    made: list[dict[str, object]] = []

    class Session:
        def get_config_variable(self, _name: str) -> None:
            """Nothing is configured."""

        def create_client(self, _service: str, **options: object) -> object:
            made.append(options)
            return object()

    Connections(str(server.root)).client(Session(), "sts", region_name="us-east-1")
    assert {"region_name": "us-east-1"} == made[-1]


def test_what_was_closed_opens_anew(server: Sts) -> None:
    client = _client(Connections(str(server.root)), server)
    client.get_caller_identity()
    client.close()
    client.get_caller_identity()
    assert (2, 2) == (server.requests, len(server.connections))
