"""Bodies from async iterators."""

from __future__ import annotations

import asyncio
import contextvars
import gzip
import threading
from collections.abc import AsyncIterator

import pytest

from callsheet.call import Limits
from callsheet.errors import (
    ArgumentError,
    NoAnswer,
    UsageError,
)
from callsheet.http.streamed_body import body_from, gzipped
from tests.contract.bodies import BLOCK, Fed, stall, upload
from tests.contract.test_streams import MIB, held
from tests.contract.worlds import COLOURS, LIMITS, AsyncioWorld, World
from tests.servers import (
    Action,
    ScriptedServer,
    answer,
    answer_early,
    close_before_reading,
    head,
    silence,
)
from tests.servers.connection import Connection


@pytest.fixture(params=[colour for colour in COLOURS if colour != "blocking"])
def colour(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def asyncio_world(world: World) -> AsyncioWorld:
    assert isinstance(world, AsyncioWorld)
    return world


@pytest.mark.parametrize("is_stream", [False, True])
def test_an_async_iterator_is_sent_in_chunks(asyncio_world: AsyncioWorld, is_stream: bool) -> None:
    pieces = Fed(b"ab", "", "cé", BLOCK * 20, bytearray(b"x"))
    with ScriptedServer(answer(body=b"taken")) as server:
        answered = asyncio_world.send(upload(server.url, pieces(), is_stream=is_stream))
        if is_stream:
            assert asyncio_world.read(answered.stream) == b"taken"
            answered.stream.close()  # type: ignore[union-attr]
        (seen,) = server.requests
    assert seen.body == b"ab" + "cé".encode() + BLOCK * 20 + b"x"
    assert (seen.header("Content-Length"), seen.header("Transfer-Encoding")) == (None, "chunked")
    assert pieces.is_over


def test_an_async_iterator_is_compressed_as_it_is_sent(asyncio_world: AsyncioWorld) -> None:
    with ScriptedServer() as server:
        asyncio_world.send(upload(server.url, gzipped(body_from(Fed(*[BLOCK] * 20)()))))
        assert gzip.decompress(server.requests[0].body) == BLOCK * 20


def test_an_empty_async_iterator(asyncio_world: AsyncioWorld) -> None:
    with ScriptedServer() as server:
        asyncio_world.send(upload(server.url, Fed()()))
        assert (server.requests[0].body, server.requests[0].complete) == (b"", True)


def test_an_async_iterator_is_taken_no_faster_than_it_is_sent(asyncio_world: AsyncioWorld) -> None:
    pieces = Fed(*[bytes(MIB)] * 64)
    go = threading.Event()
    with ScriptedServer(stall(go)) as server:
        before = held()
        asyncio_world.failure(upload(server.url, pieces()), LIMITS._replace(read=0.1))
        assert held() - before < 24 * MIB
        assert pieces.taken < 32
        assert pieces.is_over
        go.set()
        assert server.wait_closed()


def test_a_large_async_body_passes_through_little_memory(asyncio_world: AsyncioWorld) -> None:
    block = bytes(1 << 16)
    pieces = Fed(*[block] * 1024)
    with ScriptedServer(body_limit=0) as server:
        before = held()
        asyncio_world.send(upload(server.url, pieces()))
        assert held() - before < 24 * MIB
        assert server.requests[0].body_size == 64 * MIB


@pytest.mark.parametrize("error", [ZeroDivisionError("mine"), ArgumentError("mine"), asyncio.CancelledError()])
@pytest.mark.parametrize("is_stream", [False, True])
def test_what_an_async_iterator_raises_is_raised(
    asyncio_world: AsyncioWorld, error: BaseException, is_stream: bool
) -> None:
    pieces = Fed(BLOCK, error)
    with ScriptedServer() as server:
        with pytest.raises(type(error)):
            asyncio_world.send(upload(server.url, pieces(), is_stream=is_stream))
        assert server.wait_closed()
        assert [seen.complete for seen in server.requests] == [False]
    assert pieces.is_over


def test_a_piece_of_another_type_is_an_error_of_the_argument(asyncio_world: AsyncioWorld) -> None:
    pieces = Fed(b"abc", 7)
    with ScriptedServer() as server:
        error = asyncio_world.failure(upload(server.url, pieces()))
        assert isinstance(error, ArgumentError)
        assert "int" in str(error)
        assert server.wait_closed()
        assert not any(seen.complete for seen in server.requests)
    assert pieces.is_over


@pytest.mark.parametrize("is_closed", [False, True], ids=["interrupted", "closed"])
@pytest.mark.parametrize("is_stream", [False, True])
def test_an_async_iterator_ends_with_its_upload(asyncio_world: AsyncioWorld, is_closed: bool, is_stream: bool) -> None:
    pieces = Fed(b"abc", asyncio.Event(), b"def")
    with ScriptedServer(silence()) as server:
        work = asyncio_world.start(upload(server.url, pieces(), is_stream=is_stream))
        end = asyncio_world.closed_during if is_closed else asyncio_world.interrupted
        outcome = end(work, lambda: server.wait_connections(1))
        assert isinstance(outcome, UsageError if is_closed else asyncio.CancelledError)
        assert server.wait_closed()
        assert not any(seen.complete for seen in server.requests)
    asyncio_world.run(asyncio.sleep(0))
    assert pieces.is_over or not pieces.taken


def test_waiting_for_a_piece_is_not_the_servers_silence(asyncio_world: AsyncioWorld) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        yield b"abc"
        await asyncio.sleep(0.4)
        yield b"def"

    with ScriptedServer() as server:
        asyncio_world.send(upload(server.url, slowly()), Limits(connect=2.0, read=0.2, attempt=0.3))
        assert server.requests[0].body == b"abcdef"


def test_a_server_that_hangs_up_while_a_piece_is_awaited(asyncio_world: AsyncioWorld) -> None:
    pieces = Fed(b"abc", asyncio.Event())
    with ScriptedServer(close_before_reading()) as server:
        error = asyncio_world.failure(upload(server.url, pieces()))
        assert isinstance(error, NoAnswer)
    assert pieces.is_over
    assert server.connections == 1


def test_an_early_answer_while_a_piece_is_awaited(asyncio_world: AsyncioWorld) -> None:
    pieces = Fed(b"abc", asyncio.Event())
    with ScriptedServer(answer_early(413)) as server:
        assert asyncio_world.send(upload(server.url, pieces())).status_code == 413
        assert server.wait_closed()
    assert pieces.is_over


def test_an_async_iterator_that_was_begun_is_not_sent_again(asyncio_world: AsyncioWorld) -> None:
    with ScriptedServer() as server:
        wanted = upload(server.url, Fed(b"abc")())
        asyncio_world.send(wanted)
        assert not wanted.body.is_replayable  # type: ignore[union-attr]
        error = asyncio_world.failure(wanted)
        assert isinstance(error, ArgumentError)
        assert server.wait_closed()
        assert [seen.complete for seen in server.requests if seen.method == "POST"][:1] == [True]
        assert not any(seen.complete for seen in server.requests[1:])


def test_a_body_is_sent_while_the_answer_is_read(asyncio_world: AsyncioWorld) -> None:
    """Each side waits for the other: what comes of the answer is what the body goes on with."""

    async def talk(url: str) -> list[bytes]:
        heard = asyncio.Event()

        async def pieces() -> AsyncIterator[bytes]:
            yield b"first"
            await heard.wait()
            yield b"second"

        answered = (await asyncio_world.transport.send(upload(url, pieces(), is_stream=True), LIMITS))[0]
        got = [await answered.stream.read()]
        heard.set()
        while piece := await answered.stream.read():
            got.append(piece)
        answered.stream.close()
        return got

    def play(connection: Connection) -> None:
        connection.head()
        connection.send(head(200, {"Transfer-Encoding": "chunked"}) + b"3\r\none\r\n")
        seen = b""
        while not seen.endswith(b"second\r\n0\r\n\r\n"):
            piece = connection.sock.recv(65536)
            assert piece, seen
            seen += piece
        connection.send(b"3\r\ntwo\r\n0\r\n\r\n")

    with ScriptedServer(Action("talk", play)) as server:
        assert b"".join(asyncio_world.run(talk(server.url))) == b"onetwo"


def test_the_context_of_the_caller_is_that_of_the_iterator(asyncio_world: AsyncioWorld) -> None:
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name")

    async def pieces() -> AsyncIterator[str]:
        yield name.get()

    async def go(url: str) -> None:
        name.set("Ada")
        await asyncio_world.transport.send(upload(url, pieces()), LIMITS)

    with ScriptedServer() as server:
        asyncio_world.run(go(server.url))
        assert server.requests[0].body == b"Ada"
