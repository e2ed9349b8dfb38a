"""What a server of HTTP/2 did not process was not sent (RFC 9113 8.7); all else may have been."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Semaphore

import pytest

from callsheet import AsyncClient, Client
from callsheet.errors import NoAnswer, NotSent
from callsheet.settings.tls import TLS
from callsheet.transports.connection_settings import ConnectionSettings
from tests.contract.worlds import AsyncioWorld, World, request
from tests.servers import Certificates, ScriptedServer
from tests.servers.connection import Connection
from tests.servers.http2 import (
    CANCEL,
    END_HEADERS,
    ENHANCE_YOUR_CALM,
    HEADERS,
    INTERNAL_ERROR,
    NO_ERROR,
    PING,
    REFUSED_STREAM,
    STATUS_200,
    answered,
    frame,
    go_away,
    reset_stream,
    speaking_http2,
)

End = Callable[[Connection, int], None]
REFUSALS: dict[str, End] = {
    "REFUSED_STREAM": lambda connection, stream: connection.send(reset_stream(stream, REFUSED_STREAM)),
    "GOAWAY below": lambda connection, stream: connection.send(go_away(stream - 2)),
}
OTHERS: dict[str, End] = {
    "INTERNAL_ERROR": lambda connection, stream: connection.send(reset_stream(stream, INTERNAL_ERROR)),
    "CANCEL": lambda connection, stream: connection.send(reset_stream(stream, CANCEL)),
    "NO_ERROR": lambda connection, stream: connection.send(reset_stream(stream, NO_ERROR)),
    "GOAWAY below, with an error": lambda connection, stream: connection.send(go_away(stream - 2, ENHANCE_YOUR_CALM)),
    "reset": lambda connection, stream: connection.reset(),
    "close": lambda connection, stream: connection.close(),
    "refused after headers": lambda connection, stream: connection.send(
        frame(HEADERS, END_HEADERS, stream, STATUS_200) + reset_stream(stream, REFUSED_STREAM)
    ),
}


@contextmanager
def ending_the_second(certificates: Certificates, end: End) -> Iterator[tuple[ScriptedServer, list[int]]]:
    """A server that answers all requests but the second, and the connections that requests came on."""
    came_on: list[int] = []

    def on_request(connection: Connection, stream: int, number: int) -> None:
        came_on.append(connection.number)
        if number == 1:
            end(connection, stream)
        else:
            connection.send(answered(stream))

    tls = certificates.good()
    tls.set_alpn_protocols(["h2"])
    with ScriptedServer(speaking_http2(on_request), tls=tls) as server:
        yield server, came_on


@pytest.fixture
def http2_world(worlds: Callable[[ConnectionSettings], World], certificates: Certificates) -> World:
    return worlds(ConnectionSettings(tls=TLS(ca=certificates.ca_file), http2=True))


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("end", REFUSALS.values(), ids=REFUSALS)
def test_a_refused_request_was_not_sent(
    http2_world: World, certificates: Certificates, end: End, is_stream: bool
) -> None:
    with ending_the_second(certificates, end) as (server, came_on):
        assert http2_world.get(server.url).http_version == "2"
        error = http2_world.failure(request(server.url, "POST", b"{}", is_stream=is_stream))
        assert isinstance(error, NotSent)
        assert not error.was_sent
        assert error.on_kept_connection
        assert len(came_on) == 2
        assert http2_world.post(server.url).status_code == 200


@pytest.mark.parametrize("end", OTHERS.values(), ids=OTHERS)
def test_any_other_end_may_have_been_processed(http2_world: World, certificates: Certificates, end: End) -> None:
    with ending_the_second(certificates, end) as (server, came_on):
        http2_world.get(server.url)
        error = http2_world.failure(request(server.url, "POST", b"{}"))
        assert isinstance(error, NoAnswer)
        assert error.was_sent
        assert len(came_on) == 2


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST", "PATCH"])
@pytest.mark.parametrize("end", REFUSALS.values(), ids=REFUSALS)
def test_a_client_tries_again(certificates: Certificates, method: str, end: End) -> None:
    options = {"http2": True, "tls": {"ca": str(certificates.ca_file)}}
    with ending_the_second(certificates, end) as (server, came_on), Client(base_url=server.url, **options) as client:
        client.get("/")
        answer = client.request(method, "/")
        assert (answer.status_code, answer.attempts) == (200, 2)
        assert len(came_on) == 3


async def _second_of(url: str, options: dict) -> int:
    async with AsyncClient(base_url=url, **options) as client:
        await client.get("/")
        return (await client.post("/", json={})).attempts


@pytest.mark.parametrize("end", REFUSALS.values(), ids=REFUSALS)
def test_a_client_of_tasks_tries_again(certificates: Certificates, end: End) -> None:
    options = {"http2": True, "tls": {"ca": str(certificates.ca_file)}}
    world = AsyncioWorld()
    with ending_the_second(certificates, end) as (server, came_on):
        assert world.run(_second_of(server.url, options)) == 2
        assert len(came_on) == 3
    world.end()


def test_frames_on_an_idle_connection_do_no_harm(http2_world: World, certificates: Certificates) -> None:
    is_idle, is_sent = Semaphore(0), Semaphore(0)

    def answered_with_a_ping(connection: Connection, stream: int, _number: int) -> None:
        connection.send(answered(stream))
        assert is_idle.acquire(timeout=5.0)
        connection.send(frame(PING, 0, 0, bytes(8)))
        is_sent.release()

    tls = certificates.good()
    tls.set_alpn_protocols(["h2"])
    with ScriptedServer(speaking_http2(answered_with_a_ping), tls=tls) as server:
        for _ in range(5):
            assert http2_world.post(server.url).status_code == 200
            is_idle.release()
            assert is_sent.acquire(timeout=5.0)
        assert server.connections == 1
