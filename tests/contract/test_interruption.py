"""Ctrl-C and cancellation end a call in every phase, and close what it used; so does closing the transport."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest

from callsheet.call import Limits
from callsheet.errors import UsageError
from callsheet.transports.curl.asynchronous import AsyncCurlTransport
from tests.contract.worlds import PLAIN, AsyncioWorld, Interrupted, World, request
from tests.loops import LOOPS
from tests.servers import (
    Action,
    BlackholedPort,
    EchoServer,
    ScriptedServer,
    head,
    raw,
    silence,
    silent_in_handshake,
    then,
)

PATIENT = Limits(connect=20.0, read=None, attempt=20.0)
HALF_BODY = then(raw(head(200, {"Content-Length": "9"}) + b"abc"), silence())


def ended(outcome: BaseException) -> bool:
    return isinstance(outcome, Interrupted | asyncio.CancelledError)


def is_connecting(port: int) -> bool:
    """Wait until a socket of this machine has sent its SYN to the port."""
    wanted = f":{port:04X} 02 "
    until = time.monotonic() + 5.0
    while time.monotonic() < until:
        lines = Path("/proc/net/tcp").read_text().splitlines()
        if any(wanted in line for line in lines[1:]):
            return True
    return False


def wait_lookup() -> bool:
    until = time.monotonic() + 5.0
    while time.monotonic() < until:
        if any(thread.name.startswith("callsheet-lookup") for thread in threading.enumerate()):
            return True
    return False


@pytest.mark.parametrize(
    ("action", "is_stream"),
    [(silence(), False), (silence(), True), (HALF_BODY, False)],
    ids=["waiting", "waiting-stream", "reading"],
)
def test_an_interrupted_call_closes_its_connection(world: World, action: Action, is_stream: bool) -> None:
    with ScriptedServer(action) as server:
        work = world.start(request(server.url, is_stream=is_stream), PATIENT)
        assert ended(world.interrupted(work, lambda: server.wait_requests(1)))
        assert server.wait_closed()


def test_an_interrupted_connect_ends(world: World, blackholed_port: BlackholedPort) -> None:
    work = world.start(request(blackholed_port.url), PATIENT)
    assert ended(world.interrupted(work, lambda: is_connecting(blackholed_port.port)))


def test_an_interrupted_handshake_ends(tls_world: World) -> None:
    with silent_in_handshake() as server:
        work = tls_world.start(request(server.url), PATIENT)
        assert ended(tls_world.interrupted(work, lambda: server.wait_connections(1)))
        assert server.wait_closed()


def test_an_interrupted_read_of_a_stream_ends(world: World) -> None:
    with ScriptedServer(HALF_BODY) as server:
        reading = world.open(server.url)
        assert reading.read() == b"abc"
        assert ended(world.interrupted(world.start_reading(reading.stream), lambda: True))
        reading.close()
        assert server.wait_closed()


def test_after_an_interruption_the_next_call_is_answered(world: World, echo_server: EchoServer) -> None:
    with ScriptedServer(silence()) as server:
        world.get(echo_server.url)
        world.interrupted(world.start(request(server.url), PATIENT), lambda: server.wait_requests(1))
        assert world.get(echo_server.url).status_code == 200


@pytest.fixture
def slow_names(monkeypatch: pytest.MonkeyPatch):
    """Name lookups that hang until the test is over."""
    over = threading.Event()

    def hangs(*_: object, **__: object) -> list[object]:
        over.wait(10.0)
        return []

    monkeypatch.setattr("socket.getaddrinfo", hangs)
    yield
    over.set()


def test_an_interrupted_lookup_ends(world: World, slow_names: None) -> None:
    work = world.start(request("http://slow.test/"), PATIENT)
    assert ended(world.interrupted(work, wait_lookup))


@pytest.mark.parametrize("is_stream", [False, True])
def test_closing_ends_a_call_in_flight(world: World, is_stream: bool) -> None:
    with ScriptedServer(silence()) as server:
        work = world.start(request(server.url, is_stream=is_stream), PATIENT)
        outcome = world.closed_during(work, lambda: server.wait_requests(1))
        assert isinstance(outcome, UsageError)
        assert "closed while this call was in flight" in str(outcome)
        assert server.wait_closed()


def test_closing_ends_a_read(world: World) -> None:
    with ScriptedServer(HALF_BODY) as server:
        reading = world.open(server.url)
        assert reading.read() == b"abc"
        outcome = world.closed_during(world.start_reading(reading.stream), lambda: True)
        assert isinstance(outcome, UsageError)
        reading.close()
        assert server.wait_closed()


def test_closing_ends_a_connect(world: World, blackholed_port: BlackholedPort) -> None:
    work = world.start(request(blackholed_port.url), PATIENT)
    outcome = world.closed_during(work, lambda: is_connecting(blackholed_port.port))
    assert isinstance(outcome, UsageError)


def test_closing_ends_a_lookup(world: World, slow_names: None) -> None:
    outcome = world.closed_during(world.start(request("http://slow.test/"), PATIENT), wait_lookup)
    assert isinstance(outcome, UsageError)
    assert "closed" in str(outcome)


def test_after_closing_nothing_is_sent(world: World, echo_server: EchoServer) -> None:
    world.close()
    for wanted in (request(echo_server.url), request("http://a..b/"), request(echo_server.url, is_stream=True)):
        assert isinstance(world.failure(wanted), UsageError)
    assert echo_server.connections == 0


@pytest.fixture(params=LOOPS)
def tasks(request: pytest.FixtureRequest) -> AsyncioWorld:
    world = AsyncioWorld(loop=request.param)
    yield world
    world.end()


@pytest.mark.parametrize("turns", range(12))
def test_cancelling_at_any_turn_of_the_loop_leaves_no_mess(
    tasks: AsyncioWorld, echo_server: EchoServer, turns: int
) -> None:
    async def cancel_after(count: int) -> None:
        task = asyncio.ensure_future(tasks.transport.send(request(echo_server.url), PATIENT))
        for _ in range(count):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    for _ in range(20):
        tasks.run(cancel_after(turns))
    assert tasks.get(echo_server.url).status_code == 200
    assert tasks.transport._handles.driver._running == {}
    assert tasks.transport._handles.in_flight == set()


def test_a_cancellation_that_comes_with_the_answer_is_not_swallowed(
    tasks: AsyncioWorld, echo_server: EchoServer
) -> None:
    async def cancelled_with_the_answer() -> bool:
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(tasks.transport.send(request(echo_server.url), PATIENT))
        await asyncio.sleep(0)
        (over,) = tasks.transport._handles.in_flight

        def look() -> None:
            """Runs in each turn before the task is woken."""
            if over.done():
                task.cancel()
            else:
                loop.call_soon(look)

        look()
        await asyncio.wait([task])
        return task.cancelled()

    assert tasks.run(cancelled_with_the_answer())


def test_of_two_tasks_that_read_one_answer_one_is_refused(tasks: AsyncioWorld) -> None:
    async def both(stream) -> list[object]:
        reads = [asyncio.ensure_future(stream.read()) for _ in range(2)]
        (refused,), _ = await asyncio.wait(reads, return_when=asyncio.FIRST_COMPLETED)
        for each in reads:
            each.cancel()
        await asyncio.wait(reads)
        return refused.exception()

    with ScriptedServer(then(raw(head(200, {"Content-Length": "3"})), silence())) as server:
        reading = tasks.open(server.url)
        assert isinstance(tasks.run(both(reading.stream)), UsageError)
        reading.close()


def test_a_second_event_loop_is_refused_clearly(tasks: AsyncioWorld, echo_server: EchoServer) -> None:
    tasks.get(echo_server.url)
    with pytest.raises(UsageError, match=r"first used in another event loop.*one AsyncClient per loop"):
        asyncio.run(tasks.transport.send(request(echo_server.url), PATIENT))
    assert tasks.get(echo_server.url).status_code == 200


def test_closing_from_another_loop_works(tasks: AsyncioWorld, echo_server: EchoServer) -> None:
    tasks.get(echo_server.url)
    asyncio.run(tasks.transport.aclose())
    assert echo_server.wait_all_closed()


def test_closing_after_the_loop_is_gone_works(echo_server: EchoServer) -> None:
    world = AsyncioWorld()
    world.get(echo_server.url)
    world.runner.close()
    asyncio.run(world.transport.aclose())
    assert echo_server.wait_all_closed()


def test_a_loop_that_cannot_watch_sockets_is_refused_clearly(echo_server: EchoServer) -> None:
    class WithoutReaders(asyncio.SelectorEventLoop):
        def add_reader(self, *_: object) -> None:
            raise NotImplementedError

    transport = AsyncCurlTransport(PLAIN)
    loop = WithoutReaders()
    with pytest.raises(UsageError, match="cannot watch sockets"):
        loop.run_until_complete(transport.send(request(echo_server.url), PATIENT))
    loop.close()
