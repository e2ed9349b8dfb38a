"""TLS: whom we refuse, who refuses us, and what was merely a broken connection."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import pytest

from callsheet.errors import APIError, ConnectTimeout, LocalFault, NotSent, TLSError
from callsheet.settings.tls import TLS
from callsheet.transports.connection_settings import ConnectionSettings
from tests.contract.worlds import LIMITS, World, request
from tests.servers import (
    Certificates,
    EchoServer,
    ScriptedServer,
    answer,
    hangs_up_in_handshake,
    lose_answer,
    plain_http_on_tls_port,
    resets_in_handshake,
)


def failure(world: World, server: ScriptedServer) -> APIError:
    """The error, after exactly one connection."""
    error = world.failure(request(server.url, "POST", b"{}"))
    assert server.connections == 1
    return error


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_certificate_of_a_trusted_authority_is_accepted(
    tls_world: World, certificates: Certificates, version: ssl.TLSVersion, host: str
) -> None:
    with EchoServer(tls=certificates.only(version)) as server:
        assert tls_world.get(f"https://{host}:{server.port}/").status_code == 200


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("expired", "has expired"),
        ("not_yet_valid", "not yet valid"),
        ("wrong_host", "does not match|no alternative certificate subject name"),
        ("untrusted", "not signed by a trusted authority"),
        ("incomplete_chain", "does not send its whole chain"),
    ],
)
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_refused_certificate_says_which_check_failed(
    tls_world: World, certificates: Certificates, kind: str, reason: str, is_stream: bool
) -> None:
    with ScriptedServer(answer(), tls=getattr(certificates, kind)()) as server:
        with pytest.raises(TLSError, match=reason) as caught:
            tls_world.send(request(server.url, is_stream=is_stream))
        assert not caught.value.was_sent
        assert "`callsheet doctor`" in str(caught.value)
        assert ("tls: {ca: PATH}" in str(caught.value)) == (kind in ("untrusted", "incomplete_chain"))
        assert server.wait_all_closed()
        assert (server.connections, server.requests) == (1, [])


def test_a_self_signed_certificate_is_told_as_such(tls_world: World, certificates: Certificates) -> None:
    with ScriptedServer(answer(), tls=certificates.self_signed()) as server:
        error = tls_world.failure(f"https://localhost:{server.port}/")
        assert isinstance(error, TLSError)
        assert "self-signed" in str(error)
        assert "tls: {ca: PATH}" in str(error)
        assert server.requests == []


def test_a_whole_chain_is_accepted(tls_world: World, certificates: Certificates) -> None:
    with ScriptedServer(answer(), tls=certificates.with_intermediate()) as server:
        assert tls_world.get(server.url).status_code == 200


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_common_name_alone_is_no_name(tls_world: World, certificates: Certificates, is_stream: bool) -> None:
    with ScriptedServer(tls=certificates.common_name_only()) as server:
        for number in (1, 2, 3):  # nor on a connection that was kept
            wanted = request(f"https://localhost:{server.port}/", is_stream=is_stream)
            with pytest.raises(TLSError, match="names no host") as caught:
                tls_world.send(wanted)
            assert caught.value.was_sent
            assert server.connections == number


def test_a_service_that_is_not_verified_may_be_anybody(
    worlds: Callable[[ConnectionSettings], World], certificates: Certificates
) -> None:
    world = worlds(ConnectionSettings(tls=TLS(verify=False)))
    for kind in ("expired", "wrong_host", "untrusted", "self_signed", "common_name_only"):
        with ScriptedServer(answer(), tls=getattr(certificates, kind)()) as server:
            assert world.get(server.url).status_code == 200


@pytest.mark.parametrize("verify", [True, False])
def test_a_pin_holds_whether_the_certificate_is_verified_or_not(
    worlds: Callable[[ConnectionSettings], World], certificates: Certificates, verify: bool
) -> None:
    context, pin = certificates.pinned()
    other = certificates.pinned()[1]
    with ScriptedServer(tls=context) as server:
        pinned = TLS(ca=certificates.ca_file, pins=(other, pin), verify=verify)
        assert worlds(ConnectionSettings(tls=pinned)).get(server.url).status_code == 200
        world = worlds(ConnectionSettings(tls=TLS(ca=certificates.ca_file, pins=(other,), verify=verify)))
        error = world.failure(server.url)
        assert (type(error), error.was_sent) == (TLSError, False)
        assert "pinned key mismatch" in str(error)
        assert len(server.requests) == 1


def test_the_tests_own_authority_is_not_trusted_by_default(world: World, certificates: Certificates) -> None:
    with ScriptedServer(answer(), tls=certificates.good()) as server:
        assert isinstance(failure(world, server), TLSError)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_older_versions_are_refused(tls_world: World, certificates: Certificates, version: ssl.TLSVersion) -> None:
    with ScriptedServer(answer(), tls=certificates.outdated(version)) as server:
        error = failure(tls_world, server)
        assert (type(error), error.was_sent) == (TLSError, False)
        assert "tls.min_version" in str(error)


def test_a_minimum_of_1_3_refuses_1_2(
    worlds: Callable[[ConnectionSettings], World], certificates: Certificates
) -> None:
    world = worlds(ConnectionSettings(tls=TLS(ca=certificates.ca_file, min_version="1.3")))
    with ScriptedServer(answer(), tls=certificates.only(ssl.TLSVersion.TLSv1_2)) as server:
        assert isinstance(failure(world, server), TLSError)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_that_is_asked_for_and_missing_is_a_tls_refusal(
    tls_world: World, certificates: Certificates, version: ssl.TLSVersion
) -> None:
    with ScriptedServer(answer(), tls=certificates.client_required(version)) as server:
        assert isinstance(failure(tls_world, server), TLSError)
        assert server.requests == []


def test_plain_http_on_the_tls_port_is_a_tls_refusal(tls_world: World) -> None:
    with plain_http_on_tls_port() as server:
        error = failure(tls_world, server)
        assert (type(error), error.was_sent) == (TLSError, False)


@pytest.mark.parametrize("make", [hangs_up_in_handshake, resets_in_handshake])
def test_a_hang_up_in_the_handshake_was_not_sent(tls_world: World, make: Callable[[], ScriptedServer]) -> None:
    with make() as server:
        error = failure(tls_world, server)
        assert (type(error), error.was_sent) == (NotSent, False)


def test_https_spoken_to_a_plain_server_was_not_sent(tls_world: World, echo_server: EchoServer) -> None:
    with ScriptedServer(answer(), scheme="https") as server:
        error = tls_world.failure(server.url, LIMITS._replace(connect=0.15))
        assert (type(error), error.was_sent) == (ConnectTimeout, False)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_lost_post_on_a_kept_tls_connection_is_sent_once(
    tls_world: World, certificates: Certificates, version: ssl.TLSVersion
) -> None:
    with ScriptedServer([answer(), lose_answer()], tls=certificates.only(version)) as server:
        tls_world.get(server.url)
        error = tls_world.failure(request(server.url, "POST", b"{}"))
        assert (error.was_sent, getattr(error, "on_kept_connection", None)) == (True, True)
        assert [each.method for each in server.requests] == ["GET", "POST"]


def test_a_ca_file_that_is_none_is_a_fault_of_this_machine(
    worlds: Callable[[ConnectionSettings], World], certificates: Certificates
) -> None:
    world = worlds(ConnectionSettings(tls=TLS(ca=certificates.folder / "absent.pem")))
    with ScriptedServer(answer(), tls=certificates.good()) as server:
        error = world.failure(server.url)
        assert (type(error), error.was_sent) == (LocalFault, False)
        assert "absent.pem" in str(error)
