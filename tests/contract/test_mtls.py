"""The client certificate: who is let in, who is told why not, and what happens when the files change."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from callsheet.errors import TLSError
from callsheet.secret import Secret
from callsheet.settings.tls import TLS
from callsheet.transports.connection_settings import ConnectionSettings
from tests.contract.worlds import World, request
from tests.servers import Certificates, ScriptedServer, answer
from tests.servers.certificates import ClientFiles

Worlds = Callable[[ConnectionSettings], World]
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
both_versions = pytest.mark.parametrize("version", VERSIONS)


def presenting(certificates: Certificates, files: ClientFiles, **more: object) -> TLS:
    return replace(TLS(ca=certificates.ca_file, cert=files.cert, key=files.key), **more)  # type: ignore[arg-type]


@both_versions
def test_the_certificate_is_presented(
    worlds: Worlds, certificates: Certificates, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    files = certificates.client(tmp_path)
    with ScriptedServer(tls=certificates.client_required(version)) as server:
        world = worlds(ConnectionSettings(tls=presenting(certificates, files)))
        assert [world.get(server.url).status_code for _ in range(3)] == [200, 200, 200]
        assert server.ledger.clients == [files.serial]


def test_the_key_may_be_in_the_file_of_the_certificate(
    worlds: Worlds, certificates: Certificates, tmp_path: Path
) -> None:
    files = certificates.client(tmp_path)
    (tmp_path / "both.pem").write_bytes(files.key.read_bytes() + files.cert.read_bytes())
    with ScriptedServer(tls=certificates.client_required(VERSIONS[1])) as server:
        world = worlds(ConnectionSettings(tls=TLS(ca=certificates.ca_file, cert=tmp_path / "both.pem")))
        assert world.get(server.url).status_code == 200


@pytest.mark.parametrize("password", ["open sesame", "pässwörd €"])
def test_a_password_opens_the_key(worlds: Worlds, certificates: Certificates, tmp_path: Path, password: str) -> None:
    files = certificates.client(tmp_path, password=password)
    with ScriptedServer(tls=certificates.client_required(VERSIONS[1])) as server:
        world = worlds(ConnectionSettings(tls=presenting(certificates, files, key_password=Secret(password))))
        assert world.get(server.url).status_code == 200


@pytest.mark.parametrize(
    ("password", "told"),
    [(None, "tls.key: the key is encrypted"), ("wrong", "tls.key_password: it does not open the key")],
)
def test_a_key_that_cannot_be_opened_sends_nothing_and_asks_nobody(
    worlds: Worlds, certificates: Certificates, tmp_path: Path, password: str | None, told: str
) -> None:
    files = certificates.client(tmp_path, password="open sesame")
    with ScriptedServer(tls=certificates.client_required(VERSIONS[1])) as server:
        secret = None if password is None else Secret(password)
        error = worlds(ConnectionSettings(tls=presenting(certificates, files, key_password=secret))).failure(server.url)
        assert (type(error), error.was_sent, server.connections) == (TLSError, False, 0)
        assert told in str(error)
        assert "wrong" not in str(error)


def test_a_key_of_another_certificate_sends_nothing(worlds: Worlds, certificates: Certificates, tmp_path: Path) -> None:
    files = certificates.client(tmp_path)
    tls = TLS(ca=certificates.ca_file, cert=files.cert, key=certificates.client_key_file)
    with ScriptedServer(tls=certificates.client_required(VERSIONS[1])) as server:
        world = worlds(ConnectionSettings(tls=tls))
        for _ in range(2):
            error = world.failure(server.url)
            assert (type(error), error.was_sent, server.connections) == (TLSError, False, 0)
            assert "tls.key: the key does not fit the certificate" in str(error)


@both_versions
@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("missing", "wants a client certificate"),
        ("expired", "has expired"),
        ("unknown", "does not know the authority"),
    ],
)
def test_a_certificate_that_is_refused_says_why(
    worlds: Worlds, certificates: Certificates, tmp_path: Path, version: ssl.TLSVersion, kind: str, told: str
) -> None:
    tls = TLS(ca=certificates.ca_file)
    if kind == "expired":
        tls = presenting(certificates, certificates.client(tmp_path, since=-9, until=-1))
    if kind == "unknown":
        tls = presenting(certificates, certificates.client(tmp_path, authority=trustme.CA()))
    with ScriptedServer(answer(), tls=certificates.client_required(version)) as server:
        error = worlds(ConnectionSettings(tls=tls)).failure(server.url)
        assert isinstance(error, TLSError)
        assert told in str(error)
        assert (server.connections, server.requests) == (1, [])


@both_versions
def test_a_certificate_that_is_replaced_in_the_middle_of_traffic_is_presented_from_then_on(
    worlds: Worlds, certificates: Certificates, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    old = certificates.client(tmp_path)
    with ScriptedServer(tls=certificates.client_required(version)) as server:
        world = worlds(ConnectionSettings(tls=presenting(certificates, old)))
        assert [world.get(server.url).status_code for _ in range(2)] == [200, 200]
        new = certificates.client(tmp_path)
        assert [world.get(server.url).status_code for _ in range(3)] == [200, 200, 200]
        assert server.ledger.clients == [old.serial, new.serial]


def test_a_crowd_goes_on_when_the_certificate_is_replaced(
    worlds: Worlds, certificates: Certificates, tmp_path: Path
) -> None:
    old = certificates.client(tmp_path)
    with ScriptedServer(tls=certificates.client_required(VERSIONS[1])) as server:
        world = worlds(ConnectionSettings(tls=presenting(certificates, old)))
        crowd = [request(server.url, "POST", b"{}")] * 12
        assert [each.status_code for each in world.together(crowd)] == [200] * 12
        connections = server.connections
        new = certificates.client(tmp_path)
        assert [each.status_code for each in world.together(crowd)] == [200] * 12
        assert server.ledger.clients[:connections] == [old.serial] * connections
        assert set(server.ledger.clients[connections:]) == {new.serial}


def test_while_certificate_and_key_do_not_fit_the_pair_before_is_presented(
    worlds: Worlds, certificates: Certificates, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old = certificates.client(tmp_path)
    (tmp_path / "next").mkdir()
    new = certificates.client(tmp_path / "next")
    with ScriptedServer(tls=certificates.client_required(VERSIONS[1])) as server:
        world = worlds(ConnectionSettings(tls=presenting(certificates, old)))
        world.get(server.url)
        new.cert.replace(old.cert)
        assert [world.get(server.url).status_code for _ in range(2)] == [200, 200]
        assert server.ledger.clients == [old.serial]
        assert [record.levelname for record in caplog.records if "stays in use" in record.message] == ["WARNING"]
        new.key.replace(old.key)
        world.get(server.url)
        assert server.ledger.clients == [old.serial, new.serial]


def test_files_that_vanish_leave_the_certificate_in_use(
    worlds: Worlds, certificates: Certificates, tmp_path: Path
) -> None:
    files = certificates.client(tmp_path)
    with ScriptedServer(tls=certificates.client_required(VERSIONS[1])) as server:
        world = worlds(ConnectionSettings(tls=presenting(certificates, files)))
        world.get(server.url)
        files.cert.unlink()
        assert [world.get(server.url).status_code for _ in range(2)] == [200, 200]
        assert server.ledger.clients == [files.serial]


def test_a_stream_that_is_open_goes_on_when_the_certificate_is_replaced(
    worlds: Worlds, certificates: Certificates, tmp_path: Path
) -> None:
    old = certificates.client(tmp_path)
    with ScriptedServer(answer(body=b"x" * 300_000), tls=certificates.client_required(VERSIONS[1])) as server:
        world = worlds(ConnectionSettings(tls=presenting(certificates, old)))
        reading = world.open(server.url)
        new = certificates.client(tmp_path)
        assert world.get(server.url).status_code == 200
        assert len(reading.rest()) == 300_000
        reading.close()
        assert server.ledger.clients == [old.serial, new.serial]


def test_an_authority_that_is_replaced_counts_from_then_on(
    worlds: Worlds, certificates: Certificates, tmp_path: Path
) -> None:
    trusted = tmp_path / "ca.pem"
    trusted.write_bytes(certificates.ca_file.read_bytes())
    with ScriptedServer(tls=certificates.good()) as server:
        world = worlds(ConnectionSettings(tls=TLS(ca=trusted)))
        assert world.get(server.url).status_code == 200
        trustme.CA().cert_pem.write_to_path(trusted)
        assert isinstance(world.failure(server.url), TLSError)
        trusted.write_bytes(certificates.ca_file.read_bytes() + b"\n")
        assert world.get(server.url).status_code == 200
        assert server.connections == 3
