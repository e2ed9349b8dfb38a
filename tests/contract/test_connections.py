"""Connections are kept, reused, bounded, and let go of."""

from __future__ import annotations

import gc
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from callsheet.errors import NotSent
from callsheet.http.body import Content
from callsheet.settings.pool import Pool
from callsheet.transports.connection_settings import ConnectionSettings
from callsheet.transports.curl.names import Addresses
from tests.contract.worlds import LIMITS, World, request
from tests.loops import COLOURS
from tests.servers import (
    Action,
    Certificates,
    EchoServer,
    ScriptedServer,
    answer,
    answer_with,
    close,
    raw,
    response,
    then,
    truncated,
)


def test_one_after_the_other_share_a_connection(world: World, echo_server: EchoServer) -> None:
    for method in ("GET", "POST", "DELETE", "PUT", "GET"):
        world.send(request(echo_server.url, method))
    assert echo_server.connections == 1


def test_one_connection_serves_under_tls_too(tls_world: World, certificates: Certificates) -> None:
    with EchoServer(tls=certificates.good()) as server:
        assert [tls_world.get(server.url).json()["connection"] for _ in range(3)] == [0, 0, 0]


def test_a_fresh_connection_is_made_when_asked_for(world: World, echo_server: EchoServer) -> None:
    world.get(echo_server.url)
    world.get(echo_server.url, LIMITS._replace(fresh=True))
    assert echo_server.connections == 2


def test_a_connection_that_the_server_gives_up_is_not_used_again(world: World) -> None:
    with ScriptedServer([answer(keep=False), answer()]) as server:
        assert [world.get(server.url).status_code for _ in range(2)] == [200, 200]
        assert server.connections == 2


def test_an_answer_of_http_1_0_ends_with_its_connection(world: World) -> None:
    with ScriptedServer([then(raw(b"HTTP/1.0 200 OK\r\n\r\nabc"), close()), answer()]) as server:
        first = world.get(server.url)
        assert (first.content, first.http_version) == (b"abc", "1.0")
        assert world.get(server.url).status_code == 200
        assert server.connections == 2


def test_a_failed_transfer_takes_its_connection_along(world: World) -> None:
    with ScriptedServer([truncated(9, b"abc"), answer()]) as server:
        world.failure(server.url)
        assert world.get(server.url).status_code == 200
        assert server.connections == 2


def test_close_closes_every_connection(world: World) -> None:
    with EchoServer(gated=True) as server:
        threading.Thread(target=lambda: server.wait_waiting(5) and server.open_gate()).start()
        world.together([request(server.url) for _ in range(5)])
        assert server.open_connections == 5
        world.close()
        assert server.wait_all_closed()


def test_closing_twice_does_nothing(world: World, echo_server: EchoServer) -> None:
    world.get(echo_server.url)
    world.close()
    world.close()


def test_a_world_that_never_sent_closes(world: World) -> None:
    world.close()


def test_no_more_connections_are_kept_than_the_pool_allows(
    worlds: Callable[[ConnectionSettings], World], echo_server: EchoServer
) -> None:
    world = worlds(ConnectionSettings(pool=Pool(connections=2)))
    with EchoServer(gated=True) as server:
        threading.Thread(target=lambda: server.wait_waiting(8) and server.open_gate()).start()
        world.together([request(server.url) for _ in range(8)])
        assert server.connections == 8
        # libcurl trims its own pool when the next transfer ends.
        world.get(server.url)
        world.get(server.url)
        assert server.ledger.wait(lambda: server.open_connections <= 3)


def test_a_late_surplus_answer_is_not_taken_for_the_next_one(world: World) -> None:
    twice = response(200, body=b"mine") + response(200, body=b"nobody's")
    with ScriptedServer([raw(twice), answer(body=b"next")]) as server:
        assert world.get(server.url).content == b"mine"
        assert world.get(server.url).content == b"next"


def test_an_idle_handle_holds_neither_body_nor_request(world: World) -> None:
    class Watched(Content):
        __slots__ = ("__weakref__",)

    with ScriptedServer(answer()) as server:
        wanted = request(server.url, "POST")
        wanted.body = body = Watched(b"a" * 100)
        gone = weakref.ref(body)
        world.send(wanted)
        del wanted, body
        gc.collect()
        assert gone() is None


@contextmanager
def serving(address: str, family: socket.AddressFamily) -> Iterator[int]:
    """Answer one connection on this address."""
    with socket.socket(family) as listener:
        listener.bind((address, 0))
        listener.listen()
        listener.settimeout(5.0)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(response(200, body=b"here", keep=False))

        server = threading.Thread(target=serve)
        server.start()
        yield listener.getsockname()[1]
        server.join()


@pytest.mark.parametrize(
    ("host", "address", "family"),
    [
        ("127.0.0.1", "127.0.0.1", socket.AF_INET),
        ("[::1]", "::1", socket.AF_INET6),
        ("localhost", "127.0.0.1", socket.AF_INET),
        ("LOCALHOST", "127.0.0.1", socket.AF_INET),
        ("127.1", "127.0.0.1", socket.AF_INET),
    ],
)
def test_a_host_is_found_by_address_and_by_name(
    world: World, host: str, address: str, family: socket.AddressFamily
) -> None:
    with serving(address, family) as port:
        assert world.get(f"http://{host}:{port}/").content == b"here"


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_of_several_addresses_one_that_answers_is_taken(world: World, family: socket.AddressFamily) -> None:
    with serving("127.0.0.1" if family == socket.AF_INET else "::1", family) as port:
        both = Addresses("two.test", port, ["::1", "127.0.0.1"], time.monotonic())
        world.transport._names._known["two.test", port] = both
        assert world.get(f"http://two.test:{port}/").content == b"here"


def test_addresses_where_nobody_answers_are_looked_up_anew(world: World, echo_server: EchoServer) -> None:
    port = echo_server.port
    names = world.transport._names
    names._known["localhost", port] = Addresses("localhost", port, ["::1"], time.monotonic())
    assert isinstance(world.failure(f"http://localhost:{port}/"), NotSent)
    assert world.get(f"http://localhost:{port}/").status_code == 200


def test_two_ports_of_one_name_are_two_services(world: World, echo_server: EchoServer) -> None:
    with EchoServer() as other:
        for _ in range(2):
            for server in (echo_server, other):
                world.get(f"http://localhost:{server.port}/")
        assert (len(echo_server.requests), len(other.requests)) == (2, 2)


def test_the_environments_proxy_is_not_used(
    world: World, echo_server: EchoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert world.get(echo_server.url).status_code == 200


# The loop's own readers do not notice: there such a POST is `NoAnswer`, on a kept connection.
NOTICES = pytest.mark.parametrize("colour", COLOURS)


@NOTICES
@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("size", [0, 10, 1_000_000])
def test_a_kept_connection_that_the_server_closed_is_not_sent_on(world: World, size: int, is_stream: bool) -> None:
    closes_silently = then(raw(response(200)), close())
    with ScriptedServer([closes_silently, answer(body=b"next")]) as server:
        world.get(server.url)
        assert server.wait_all_closed()
        answered = world.send(request(server.url, "POST", b"a" * size, is_stream=is_stream))
        if is_stream:
            assert world.read(answered.stream) == b"next"
            answered.stream.close()
        else:
            assert answered.content == b"next"
        assert [each.method for each in server.requests] == ["GET", "POST"]
        assert server.connections == 2


@NOTICES
def test_many_kept_connections_that_the_server_closed(world: World) -> None:
    batches = (20, 40)

    def choose(_: object) -> Action:
        # All of a batch are in flight at once, so that each has a connection of its own.
        assert server.wait_requests(next(count for count in batches if len(server.requests) <= count))
        return then(raw(response(200)), close())

    with ScriptedServer(answer_with(choose)) as server:
        for count in batches:
            outcomes = world.together([request(server.url, "POST", b"{}") for _ in range(20)])
            assert [getattr(each, "status_code", each) for each in outcomes] == [200] * 20
            assert server.wait_all_closed()
            assert len(server.requests) == count


@NOTICES
def test_a_hung_up_tls_connection_is_not_sent_on(tls_world: World, certificates: Certificates) -> None:
    with ScriptedServer(then(raw(response(200)), close()), tls=certificates.good()) as server:
        for _ in range(4):
            assert tls_world.post(server.url).status_code == 200
            assert server.wait_all_closed()
        assert len(server.requests) == 4
