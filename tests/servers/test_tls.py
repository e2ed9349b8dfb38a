"""Each TLS server ends a handshake in the way it is named for."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable

import pytest

from tests.servers import (
    Certificates,
    ScriptedServer,
    answer,
    hangs_up_in_handshake,
    plain_http_on_tls_port,
    reset,
    resets_in_handshake,
    silent_in_handshake,
)
from tests.servers.sockets import POST, ask, client_context, dial, is_silent, read_to_end, secured

CLIENT_HELLO = bytes.fromhex("160301000501000001ff")


def test_requests_come_through_tls(certificates: Certificates) -> None:
    with ScriptedServer(answer(body=b"{}"), tls=certificates.good()) as server:
        assert server.url.startswith("https://127.0.0.1:")
        with secured(server, client_context(certificates)) as sock:
            assert [ask(sock, POST)[1] for _ in range(2)] == [b"{}", b"{}"]
        assert server.wait_closed(1)
        assert (server.connections, server.ledger.handshakes, len(server.requests)) == (1, 1, 2)


@pytest.mark.parametrize(
    ("context", "text"),
    [
        (Certificates.expired, "has expired"),
        (Certificates.not_yet_valid, "not yet valid"),
        (Certificates.wrong_host, "Hostname mismatch"),
        (Certificates.untrusted, "unable to get local issuer"),
    ],
)
def test_a_bad_certificate_is_refused(
    certificates: Certificates, context: Callable[[Certificates], ssl.SSLContext], text: str
) -> None:
    with ScriptedServer(tls=context(certificates)) as server:
        with pytest.raises(ssl.SSLCertVerificationError, match=text):
            secured(server, client_context(certificates))
        assert server.wait_all_closed()
        assert server.requests == []


def test_tls_1_1_is_served_and_refused_by_a_client_of_today(certificates: Certificates) -> None:
    with ScriptedServer(tls=certificates.tls_1_1()) as server:
        with pytest.raises(ssl.SSLError):
            secured(server, client_context(certificates))
        assert server.wait_handshake_failures(1)
        old = client_context(certificates)
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.minimum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("DEFAULT@SECLEVEL=0")
        with secured(server, old) as sock:
            assert sock.version() == "TLSv1.1"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_is_insisted_on(certificates: Certificates, version: ssl.TLSVersion) -> None:
    with ScriptedServer(tls=certificates.client_required(version)) as server:
        # TLS 1.3: the client's side of the handshake is over before the server has looked at its certificate.
        with (
            pytest.raises(ssl.SSLError, match=r"CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE"),
            secured(server, client_context(certificates)) as sock,
        ):
            ask(sock)
        assert server.wait_handshake_failures(1)
        assert server.requests == []
        with secured(server, client_context(certificates, with_certificate=True)) as sock:
            assert ask(sock)[0].startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("start", [plain_http_on_tls_port, hangs_up_in_handshake, resets_in_handshake])
def test_a_handshake_that_fails(certificates: Certificates, start: Callable[[], ScriptedServer]) -> None:
    with start() as server:
        assert server.url.startswith("https://")
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            secured(server, client_context(certificates))
        assert server.requests == []


def test_a_server_may_be_silent_in_the_handshake() -> None:
    with silent_in_handshake() as server, dial(server) as sock:
        sock.sendall(CLIENT_HELLO)
        assert is_silent(sock)


def test_a_tls_reset_is_a_reset(certificates: Certificates) -> None:
    with ScriptedServer(reset(), tls=certificates.good()) as server:
        sock = secured(server, client_context(certificates))
        sock.sendall(POST)
        # Below TLS: Python's own layer takes a reset for an end.
        with socket.socket(fileno=sock.detach()) as plain:
            plain.settimeout(3.0)
            with pytest.raises(ConnectionResetError):
                read_to_end(plain)


def test_a_tls_server_closes_promptly_in_the_middle_of_a_handshake(certificates: Certificates) -> None:
    with ScriptedServer(tls=certificates.good()) as server, dial(server):
        assert server.wait_connections(1)
        began = time.monotonic()
        server.close()
        assert time.monotonic() - began < 1.0
