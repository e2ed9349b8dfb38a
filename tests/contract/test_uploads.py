"""Bodies that are read as they are sent."""

from __future__ import annotations

import gc
import gzip
import io
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from callsheet.call import Limits
from callsheet.errors import (
    APIError,
    ArgumentError,
    AttemptTimeout,
    NoAnswer,
    NotSent,
    ResponseTooLarge,
    UsageError,
)
from callsheet.http.request import Request
from callsheet.http.streamed_body import body_from, gzipped
from callsheet.settings.caps import Caps
from callsheet.settings.tls import TLS
from callsheet.transports.connection_settings import ConnectionSettings
from tests.contract.bodies import BLOCK, Fed, Watched, Zeros, answer_and_stall, stall, upload
from tests.contract.test_streams import MIB, held
from tests.contract.worlds import LIMITS, World
from tests.loops import COLOURS as BY_LOOP
from tests.servers import (
    Certificates,
    RefusedPort,
    ScriptedServer,
    answer,
    answer_early,
    close,
    drip,
    flood,
    head,
    lose_answer,
    raw,
    reset_before_reading,
    response,
    silence,
    then,
)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_file_is_sent_with_its_length(world: World, tmp_path: Path, method: str, is_stream: bool) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(BLOCK * 20)
    with ScriptedServer(answer(body=b"taken")) as server:
        answered = world.send(upload(server.url, path, method, is_stream=is_stream))
        assert answered.status_code == 200
        if is_stream:
            assert world.read(answered.stream) == b"taken"
            answered.stream.close()  # type: ignore[union-attr]
        else:
            assert answered.content == b"taken"
        (seen,) = server.requests
    assert (seen.method, seen.body) == (method, BLOCK * 20)
    assert (seen.header("Content-Length"), seen.header("Transfer-Encoding")) == (str(len(BLOCK) * 20), None)
    assert (seen.header("Expect"), seen.header("Content-Type")) == (None, "a/b")


def test_what_has_no_length_is_sent_in_chunks(world: World) -> None:
    with ScriptedServer() as server:
        for method in ("POST", "PUT", "PATCH"):
            world.send(upload(server.url, iter([b"ab", b"", "cé", BLOCK * 20]), method))
        assert server.connections == 1
        for seen in server.requests:
            assert seen.body == b"ab" + "cé".encode() + BLOCK * 20
            assert (seen.header("Content-Length"), seen.header("Transfer-Encoding")) == (None, "chunked")
            assert seen.header("Expect") is None


@pytest.mark.parametrize("content", [iter([]), [], io.BytesIO()], ids=["iterator", "list", "file"])
def test_nothing_can_be_sent(world: World, content: Any) -> None:
    with ScriptedServer() as server:
        assert world.send(upload(server.url, content)).status_code == 200
        assert (server.requests[0].body, server.requests[0].complete) == (b"", True)


def test_a_file_object_is_sent_from_where_it_stands_and_left_open(world: World) -> None:
    file = io.BytesIO(b"0123456789")
    file.seek(4)
    with ScriptedServer() as server:
        wanted = upload(server.url, file)
        for _ in range(3):
            world.send(wanted)
        assert [seen.body for seen in server.requests] == [b"456789"] * 3
    assert not file.closed


def test_a_used_handle_sends_what_a_new_one_would(world: World) -> None:
    with ScriptedServer() as server:
        for _ in range(2):
            world.post(server.url, b'{"id": 7}')
            world.send(upload(server.url, [b"abc"]))
            world.send(upload(server.url, iter([b"abc"]), "PUT"))
            world.get(server.url)
        assert server.connections == 1
        seen = server.requests
        assert [each.method for each in seen] == ["POST", "POST", "PUT", "GET"] * 2
        assert [each.body for each in seen] == [b'{"id": 7}', b"abc", b"abc", b""] * 2
        assert [each.header("Transfer-Encoding") for each in seen] == [None, None, "chunked", None] * 2
        assert seen[3].header("Content-Length") is None


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("length", [True, False])
def test_what_reading_raises_is_raised_and_the_server_sees_a_broken_request(
    world: World, is_stream: bool, length: bool
) -> None:
    for error in (ZeroDivisionError("mine"), ArgumentError("file x: gone"), KeyboardInterrupt()):
        source = Watched(BLOCK, error)
        source.length = len(BLOCK) * 2 if length else None
        with ScriptedServer() as server:
            with pytest.raises(type(error)) as caught:
                world.send(upload(server.url, source, is_stream=is_stream))
            assert caught.value is error
            assert server.wait_closed()
            assert [each.complete for each in server.requests] == [False]
        assert source.is_let_go
        if isinstance(error, ArgumentError):
            assert error.was_sent
            assert error.request is not None


@pytest.mark.parametrize("announced", [len(BLOCK) - 1, len(BLOCK) + 1, 10])
def test_a_body_of_another_length_than_announced_is_never_taken_for_whole(world: World, announced: int) -> None:
    source = Watched(BLOCK)
    source.length = announced
    with ScriptedServer() as server:
        error = world.failure(upload(server.url, source))
        assert isinstance(error, ArgumentError)
        assert f"{announced} bytes were announced" in str(error)
        assert error.was_sent
        assert server.wait_closed()
        assert not any(each.complete for each in server.requests)
    assert source.is_let_go


def test_a_file_that_shrinks_while_it_is_sent_is_an_error(world: World, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(BLOCK * 64)
    wanted = upload("", path)
    path.write_bytes(BLOCK)
    with ScriptedServer() as server:
        wanted = Request("PUT", server.url, wanted.headers, wanted.body)
        error = world.failure(wanted)
        assert isinstance(error, ArgumentError)
        assert "shorter while it was sent" in str(error)
        assert server.wait_closed()
        assert not any(each.complete for each in server.requests)


def test_what_a_file_grows_by_is_left_out(world: World, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(BLOCK)
    with ScriptedServer() as server:
        wanted = upload(server.url, path)
        with path.open("ab") as file:
            file.write(b"more")
        world.send(wanted)
        assert server.requests[0].body == BLOCK


def test_a_file_that_is_gone_is_told_before_anything_is_sent(world: World, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(BLOCK)
    with ScriptedServer() as server:
        wanted = upload(server.url, path)
        path.unlink()
        error = world.failure(wanted)
        assert isinstance(error, ArgumentError)
        assert not error.was_sent
        assert server.requests == []


def test_nothing_is_read_of_a_body_that_is_never_sent(world: World, refused_port: RefusedPort) -> None:
    source = Watched(BLOCK)
    assert isinstance(world.failure(upload(refused_port.url, source)), NotSent)
    assert (source.opened, source.reads, source.closes) == (1, 0, 1)
    once = body_from(iter([b"abc"]))
    assert isinstance(world.failure(upload(refused_port.url, once)), NotSent)
    assert once.is_replayable
    with ScriptedServer() as server:
        world.send(upload(server.url, once))
        assert server.requests[0].body == b"abc"
    assert not once.is_replayable


# The loop's own readers do not notice it.
@pytest.mark.parametrize("colour", BY_LOOP)
def test_a_kept_connection_that_died_costs_the_body_nothing(world: World) -> None:
    with ScriptedServer(then(raw(response()), close())) as server:
        for number in range(1, 4):
            world.send(upload(server.url, iter([b"abc"])))
            assert server.wait_all_closed()
            assert [seen.body for seen in server.requests] == [b"abc"] * number


def test_an_early_answer_is_given_at_once_and_ends_the_connection(world: World) -> None:
    source = Watched(BLOCK * 1024)
    with ScriptedServer(answer_early(413)) as server:
        answered = world.send(upload(server.url, source))
        assert answered.status_code == 413
        assert server.wait_closed()
    assert source.is_let_go
    assert source.tell() < 32 * MIB


@pytest.mark.parametrize("replayable", [True, False])
def test_an_answer_lost_on_a_kept_connection_is_not_sent_twice(world: World, replayable: bool) -> None:
    with ScriptedServer([answer(), lose_answer(), answer()]) as server:
        world.get(server.url)
        error = world.failure(upload(server.url, [b"abc"] if replayable else iter([b"abc"])))
        assert isinstance(error, NoAnswer)
        assert error.was_sent
        assert error.on_kept_connection
        assert len(server.requests) == 2


def test_a_connection_that_breaks_in_the_middle_of_the_body(world: World) -> None:
    source = Watched(BLOCK * 512)
    source.length = len(BLOCK) * 512
    with ScriptedServer(reset_before_reading()) as server:
        error = world.failure(upload(server.url, source))
        assert isinstance(error, NoAnswer)
        assert error.was_sent
    assert source.is_let_go


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("is_closed", [False, True], ids=["interrupted", "closed"])
def test_an_upload_ends_in_the_middle_of_the_body(world: World, is_stream: bool, is_closed: bool) -> None:
    source = Watched(BLOCK * 1024)
    go = threading.Event()
    with ScriptedServer(stall(go)) as server:
        work = world.start(upload(server.url, source, is_stream=is_stream))
        end = world.closed_during if is_closed else world.interrupted
        outcome = end(work, lambda: source.begun.wait(2.0))
        go.set()
        assert isinstance(outcome, UsageError) if is_closed else not isinstance(outcome, APIError)
        assert server.wait_closed()
    assert 0 < source.tell() < len(BLOCK) * 1024
    assert source.is_let_go


def test_a_server_that_takes_nothing_more_ends_at_the_read_limit(world: World) -> None:
    source = Watched(BLOCK * 1024)
    go = threading.Event()
    with ScriptedServer(stall(go)) as server:
        error = world.failure(upload(server.url, source), Limits(connect=2.0, read=0.1, attempt=0.05))
        go.set()
        assert isinstance(error, AttemptTimeout)
        assert "timeout.read" in str(error)
        assert server.wait_closed()
    assert source.is_let_go


@pytest.mark.parametrize("is_stream", [False, True])
def test_the_attempt_limit_begins_when_the_body_was_sent(world: World, is_stream: bool) -> None:
    limits = Limits(connect=2.0, read=2.0, attempt=0.25)

    def slowly() -> Iterator[bytes]:
        for _ in range(4):
            threading.Event().wait(0.08)
            yield b"abc"

    with ScriptedServer([answer(), silence()]) as server:
        answered = world.send(upload(server.url, slowly(), is_stream=is_stream), limits)
        assert answered.status_code == 200
        if is_stream:
            answered.stream.close()  # type: ignore[union-attr]
        error = world.failure(upload(server.url, slowly(), is_stream=is_stream), limits)
        assert isinstance(error, AttemptTimeout)
        assert server.wait_closed()
        assert server.requests[-1].complete


def test_the_attempt_limit_ends_with_the_headers(world: World) -> None:
    data = head(200, {"Content-Length": "100"}) + b"a" * 100
    with ScriptedServer(then(raw(data[:-100]), drip(data[-100:], pause=0.004))) as server:
        answered = world.send(upload(server.url, [b"abc"]), Limits(connect=2.0, read=2.0, attempt=0.25))
        assert answered.content == b"a" * 100


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_limit_on_the_whole_holds_for_an_upload(world: World, is_stream: bool) -> None:
    source = Watched(BLOCK * 1024)
    go = threading.Event()
    with ScriptedServer(stall(go)) as server:
        error = world.failure(upload(server.url, source, is_stream=is_stream), LIMITS._replace(whole=0.1))
        go.set()
        assert isinstance(error, AttemptTimeout)
        assert server.wait_closed()
    assert source.is_let_go


def test_a_dropped_answer_lets_go_of_what_was_sent(world: World) -> None:
    source = Watched(BLOCK)
    with ScriptedServer(flood(64 * MIB)) as server:
        answered = world.send(upload(server.url, source, is_stream=True))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del answered
            gc.collect()
        assert [each.category for each in caught] == [ResourceWarning]
        world.failure("http://a..b/")
        assert server.wait_closed()
    assert source.is_let_go


def test_closing_an_answer_before_the_body_was_sent(world: World) -> None:
    source = Watched(BLOCK * 1024)
    go = threading.Event()
    with ScriptedServer(answer_and_stall(go)) as server:
        answered = world.send(upload(server.url, source, is_stream=True))
        answered.stream.close()  # type: ignore[union-attr]
        go.set()
        assert server.wait_closed()
    assert 0 < source.tell() < len(BLOCK) * 1024
    assert source.is_let_go


def test_a_head_request_takes_no_such_body(world: World) -> None:
    source = Watched(b"abc")
    with ScriptedServer() as server:
        error = world.failure(upload(server.url, source, "HEAD"))
        assert isinstance(error, ArgumentError)
        assert not error.was_sent
        assert server.requests == []
    assert source.is_let_go


def test_an_answer_to_an_upload_is_capped(world: World) -> None:
    with ScriptedServer(answer(body=bytes(10_000))) as server:
        error = world.failure(upload(server.url, [b"abc"]), LIMITS._replace(caps=Caps(response=100)))
        assert isinstance(error, ResponseTooLarge)


# A plain iterator cannot wait for a task.
@pytest.mark.parametrize("colour", ["blocking"])
def test_an_answer_is_sent_on_while_it_is_read(world: World) -> None:
    with ScriptedServer(flood(2 * MIB)) as from_here, ScriptedServer() as to_there:
        reading = world.open(from_here.url)
        world.send(upload(to_there.url, iter(reading.read, b"")))
        reading.close()
        assert to_there.requests[0].body_size == 2 * MIB


def test_a_body_is_compressed_as_it_is_sent(world: World, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(BLOCK * 20)
    with ScriptedServer() as server:
        wanted = upload(server.url, gzipped(body_from(path)))
        world.send(wanted)
        world.send(wanted)
        for seen in server.requests:
            assert gzip.decompress(seen.body) == BLOCK * 20


def test_several_at_once_send_each_its_own(world: World, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.bin" for number in range(8)]
    for number, path in enumerate(paths):
        path.write_bytes(bytes([number]) * (MIB + number))
    with ScriptedServer() as server:
        answers = world.together([upload(server.url, path) for path in paths])
        assert [each.status_code for each in answers] == [200] * 8  # type: ignore[union-attr]
        assert {seen.body for seen in server.requests} == {path.read_bytes() for path in paths}


@pytest.mark.parametrize("http2", [False, True])
def test_an_upload_passes_tls(
    worlds: Callable[[ConnectionSettings], World], certificates: Certificates, http2: bool
) -> None:
    world = worlds(ConnectionSettings(tls=TLS(ca=certificates.ca_file), http2=http2))
    with ScriptedServer(tls=certificates.good()) as server:
        world.send(upload(server.url, iter([BLOCK] * 100)))
        assert server.requests[0].body == BLOCK * 100


@pytest.mark.parametrize("has_length", [True, False])
def test_a_large_body_passes_through_little_memory(world: World, has_length: bool) -> None:
    source = Zeros(64 * MIB)
    if not has_length:
        source.length = None
    with ScriptedServer(body_limit=0) as server:
        before = held()
        world.send(upload(server.url, source))
        assert held() - before < 24 * MIB
        assert server.requests[0].body_size == 64 * MIB


def test_a_server_that_does_not_read_is_not_read_for(world: World) -> None:
    source = Zeros(64 * MIB)
    go = threading.Event()
    with ScriptedServer(stall(go)) as server:
        before = held()
        world.failure(upload(server.url, source), LIMITS._replace(read=0.1))
        assert held() - before < 24 * MIB
        assert source.left > 32 * MIB
        go.set()
        assert server.wait_closed()


@pytest.mark.parametrize("colour", ["blocking"])
def test_a_blocking_client_refuses_an_async_iterator(world: World) -> None:
    pieces = Fed(b"abc")
    with ScriptedServer() as server:
        error = world.failure(upload(server.url, pieces()))
        assert isinstance(error, UsageError)
        assert "AsyncClient" in str(error)
        assert not error.was_sent
        assert (server.connections, pieces.taken) == (0, 0)
