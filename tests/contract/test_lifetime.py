"""No connection is sent on when it is older than `pool.lifetime`, so that a service that moved is followed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from threading import Event

import pytest

from callsheet.errors import NotSent
from callsheet.settings.pool import Pool
from callsheet.settings.tls import TLS
from callsheet.transports.connection_settings import ConnectionSettings
from callsheet.transports.curl.names import Addresses
from tests.contract.worlds import LIMITS, AsyncioWorld, World, request
from tests.servers import Certificates, EchoServer, ScriptedServer
from tests.servers.connection import Connection
from tests.servers.http2 import answered, speaking_http2

SECOND = Pool(lifetime=0.5)
"""libcurl counts whole seconds."""
Worlds = Callable[[ConnectionSettings], World]


def seconds_until(fact: Callable[[], bool], step: Callable[[], object]) -> float:
    """How long it takes to be true while steps are made, one after the other; 3 at most."""
    began = time.monotonic()
    while not fact() and time.monotonic() < began + 3.0:
        step()
    return time.monotonic() - began


@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "tls"])
def test_a_connection_that_is_always_used_ends(worlds: Worlds, certificates: Certificates, is_tls: bool) -> None:
    world = worlds(ConnectionSettings(pool=SECOND, tls=TLS(ca=certificates.ca_file)))
    with EchoServer(tls=certificates.good() if is_tls else None) as server:
        taken = seconds_until(lambda: server.connections == 2, lambda: world.get(server.url))
        assert 0.9 < taken < 2.0


def test_without_a_limit_it_does_not(worlds: Worlds) -> None:
    world = worlds(ConnectionSettings(pool=Pool(lifetime=None)))
    with EchoServer() as server:
        until = time.monotonic() + 1.3
        assert seconds_until(lambda: time.monotonic() > until, lambda: world.get(server.url)) < 2.0
        assert server.connections == 1


def test_a_service_that_moved_is_followed_under_load(worlds: Worlds) -> None:
    world = worlds(ConnectionSettings(pool=SECOND))
    names = world.transport._names._known

    def is_found_at(address: str) -> None:
        names["moved.test", server.port] = Addresses("moved.test", server.port, [address], time.monotonic())

    with EchoServer() as server:
        is_found_at("127.0.0.1")
        url = f"http://moved.test:{server.port}/"
        world.get(url)
        is_found_at("127.0.0.2")  # where nobody listens: so the first request that goes there is refused
        began = time.monotonic()
        with pytest.raises(NotSent):
            seconds_until(lambda: False, lambda: world.get(url))
        assert 0.9 < time.monotonic() - began < 2.0
        assert server.connections == 1


@pytest.mark.parametrize("colour", ["asyncio", "asyncio-readers"])
def test_a_service_that_moved_is_followed_over_http2(worlds: Worlds, certificates: Certificates) -> None:
    world = worlds(ConnectionSettings(pool=SECOND, tls=TLS(ca=certificates.ca_file), http2=True))
    names = world.transport._names._known
    tls = certificates.good()
    tls.set_alpn_protocols(["h2"])

    def is_found_at(address: str) -> None:
        names["localhost", server.port] = Addresses("localhost", server.port, [address], time.monotonic())

    action = speaking_http2(lambda connection, stream, _number: connection.send(answered(stream)))
    with ScriptedServer(action, tls=tls) as server:
        is_found_at("127.0.0.1")
        url = f"https://localhost:{server.port}/"
        assert world.get(url).http_version == "2"
        is_found_at("127.0.0.2")
        began, outcomes = time.monotonic(), []
        while not any(isinstance(each, NotSent) for each in outcomes) and time.monotonic() < began + 3.0:
            outcomes = world.together([request(url) for _ in range(5)])
        assert 0.9 < time.monotonic() - began < 2.0
        assert server.connections == 1


@pytest.mark.parametrize("colour", ["asyncio", "asyncio-readers"])
def test_a_connection_of_http2_that_is_never_idle_ends(worlds: Worlds, certificates: Certificates) -> None:
    held = Event()

    def on_request(connection: Connection, stream: int, _number: int) -> None:
        if held.is_set():
            connection.send(answered(stream))
        else:
            held.set()  # this stream is open until the end

    world = worlds(ConnectionSettings(pool=SECOND, tls=TLS(ca=certificates.ca_file), http2=True))
    assert isinstance(world, AsyncioWorld)
    tls = certificates.good()
    tls.set_alpn_protocols(["h2"])
    with ScriptedServer(speaking_http2(on_request), tls=tls) as server:
        transport = world.transport

        async def load() -> float:
            busy = asyncio.ensure_future(transport.send(request(server.url), LIMITS))
            assert await asyncio.to_thread(held.wait, 5.0)
            began = time.monotonic()
            while server.connections == 1 and time.monotonic() < began + 3.0:
                assert (await transport.send(request(server.url), LIMITS))[0].http_version == "2"
            assert not busy.done()
            busy.cancel()
            return time.monotonic() - began

        assert 0.9 < world.run(load()) < 2.0
