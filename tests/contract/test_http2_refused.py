"""What a server of HTTP/2 did not process was not sent (RFC 9113 8.7); all else may have been."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Semaphore
from urllib.parse import quote

import pytest

from callsheet import AsyncClient, Client
from callsheet.errors import NoAnswer, NotSent
from callsheet.settings.tls import TLS
from callsheet.transports.connection_settings import ConnectionSettings
from tests.contract.bodies import upload
from tests.contract.worlds import AsyncioWorld, World, request
from tests.servers import Certificates, NginxServer, ScriptedServer
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


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST"])
@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("end", REFUSALS.values(), ids=REFUSALS)
def test_a_refused_request_was_not_sent(
    http2_world: World, certificates: Certificates, end: End, is_stream: bool, method: str
) -> None:
    with ending_the_second(certificates, end) as (server, came_on):
        assert http2_world.get(server.url).http_version == "2"
        error = http2_world.failure(
            request(server.url, method, b"{}" if method[0] == "P" else None, is_stream=is_stream)
        )
        assert isinstance(error, NotSent)
        assert not error.was_sent
        assert error.on_kept_connection
        assert len(came_on) == 2
        assert http2_world.post(server.url).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("size", [0, 10, 1 << 20])
@pytest.mark.parametrize("end", REFUSALS.values(), ids=REFUSALS)
def test_a_refused_request_was_not_sent_although_its_body_was_read(
    http2_world: World, certificates: Certificates, end: End, size: int, method: str
) -> None:
    with ending_the_second(certificates, end) as (server, came_on):
        assert http2_world.get(server.url).http_version == "2"
        error = http2_world.failure(upload(server.url, iter([bytes(size)]), method))
        assert isinstance(error, NotSent)
        assert not error.was_sent
        assert error.on_kept_connection
        assert len(came_on) == 2


@pytest.mark.parametrize("end", REFUSALS.values(), ids=REFUSALS)
def test_a_file_is_sent_again(certificates: Certificates, tmp_path: Path, end: End) -> None:
    options = {"http2": True, "tls": {"ca": str(certificates.ca_file)}}
    (tmp_path / "file").write_bytes(bytes(10_000))
    with ending_the_second(certificates, end) as (server, came_on), Client(base_url=server.url, **options) as client:
        client.get("/")
        with (tmp_path / "file").open("rb") as file:
            assert client.post("/", content=file).attempts == 2
        assert len(came_on) == 3


def test_what_a_request_says_of_itself_is_no_refusal(http2_world: World, certificates: Certificates) -> None:
    said = "HTTP/2 stream 3 refused by server, try again on a new connection"
    with ending_the_second(certificates, OTHERS["reset"]) as (server, _came_on):
        http2_world.get(server.url)
        error = http2_world.failure(request(f"{server.url}/?{quote(said)}", "POST", said.encode(), X_Said=said))
        assert isinstance(error, NoAnswer)
        assert error.was_sent


@pytest.mark.parametrize("end", OTHERS.values(), ids=OTHERS)
def test_an_upload_that_ends_otherwise_may_have_been_processed(
    http2_world: World, certificates: Certificates, end: End
) -> None:
    with ending_the_second(certificates, end) as (server, _came_on):
        http2_world.get(server.url)
        error = http2_world.failure(upload(server.url, iter([bytes(1 << 20)]), "POST"))
        assert isinstance(error, NoAnswer)
        assert error.was_sent


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


@pytest.mark.parametrize("refuses", [1, 2, 3])
def test_a_connection_that_ends_again_and_again_costs_no_attempt(certificates: Certificates, refuses: int) -> None:
    def on_request(connection: Connection, stream: int, number: int) -> None:
        connection.send(go_away(0) if 0 < number <= refuses else answered(stream))

    options = {"http2": True, "tls": {"ca": str(certificates.ca_file)}, "breaker": {"samples": 1, "window": "1ms"}}
    retry = {"attempts": 2, "backoff": {"first": "1ms"}, "budget": {"ratio": 0, "floor": 0}}
    tls = certificates.good()
    tls.set_alpn_protocols(["h2"])
    with (
        ScriptedServer(speaking_http2(on_request), tls=tls) as server,
        Client(base_url=server.url, retry=retry, **options) as client,
    ):
        client.get("/")
        assert client.post("/", json={}).attempts == refuses + 1
        assert client.post("/", json={}).attempts == 1


@pytest.mark.parametrize("colour", ["asyncio", "asyncio-readers"])
def test_streams_up_to_the_last_one_are_answered_and_those_above_were_not_sent(
    http2_world: AsyncioWorld, certificates: Certificates
) -> None:
    streams: list[int] = []
    others: list[int] = []

    def on_request(connection: Connection, stream: int, number: int) -> None:
        if 1 <= number <= 6:
            streams.append(stream)
        else:
            others.append(number)
            connection.send(answered(stream))
        if number == 6:
            connection.send(go_away(streams[2]) + b"".join(map(answered, streams[:3])))

    tls = certificates.good()
    tls.set_alpn_protocols(["h2"])
    with ScriptedServer(speaking_http2(on_request), tls=tls) as server:
        http2_world.get(server.url)
        outcomes = http2_world.together([request(server.url, "POST", b"{}") for _ in range(6)])
        assert [getattr(each, "status_code", type(each)) for each in outcomes] == [200] * 3 + [NotSent] * 3
        assert http2_world.post(server.url).status_code == 200
        assert others == [0, 7]


async def _crowd(url: str, options: dict, method: str) -> Counter[int]:
    turns = asyncio.Semaphore(80)
    async with AsyncClient(base_url=url, **options) as client:

        async def one() -> int:
            async with turns:
                return (await client.request(method, "/json")).status_code

        return Counter(await asyncio.gather(*(one() for _ in range(500))))


@pytest.mark.needs("nginx")
@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("most", [1, 30])
def test_a_crowd_outlives_connections_that_end_all_the_time(
    tmp_path: Path, certificates: Certificates, most: int, method: str
) -> None:
    options = {"http2": True, "tls": {"ca": str(certificates.ca_file)}}
    world = AsyncioWorld()
    with NginxServer(
        tmp_path, f"keepalive_requests {most}; error_page 405 =200 /json;", tls=certificates.server_files()
    ) as server:
        assert world.run(_crowd(server.url, options, method)) == {200: 500}
        assert len(server.access_log) == 500
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
