"""A scripted server does what its script says, and records what reached it."""

from __future__ import annotations

import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import brotlicffi
import pytest

from tests.servers import (
    Action,
    ScriptedServer,
    answer,
    answer_early,
    answer_json,
    answer_with,
    big_header,
    bombs,
    brotli_bomb,
    close,
    close_before_reading,
    drip,
    endless_100_continue,
    flood,
    garbage,
    gzip_bomb,
    half_chunk,
    half_header_block,
    lose_answer,
    many_headers,
    raw,
    reset,
    reset_before_reading,
    silence,
    silence_before_reading,
    then,
    truncated,
    truncated_gzip,
    wait,
)
from tests.servers.sockets import GET, POST, ask, dial, is_silent, read_to_end, received


@contextmanager
def asked(action: Action, request: bytes = GET) -> Iterator[tuple[ScriptedServer, socket.socket]]:
    with ScriptedServer(action) as server, dial(server) as sock:
        sock.sendall(request)
        yield server, sock


def test_requests_are_recorded_byte_for_byte_with_their_connection() -> None:
    with ScriptedServer() as server, dial(server) as first, dial(server) as second:
        ask(first, POST)
        ask(first)
        ask(second)
        assert [request.head + request.body for request in server.requests] == [POST, GET, GET]
        assert len({request.connection for request in server.requests[:2]}) == 1
        assert (server.connections, server.open_connections) == (2, 2)
        post = server.requests[0]
        assert (post.method, post.target, post.header("content-length"), post.complete) == ("POST", "/y", "3", True)


def test_a_chunked_body_is_recorded_without_its_framing() -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    with ScriptedServer() as server, dial(server) as sock:
        ask(sock, head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n")
        assert [(request.body, request.complete) for request in server.requests] == [(b"abcde", True)]


def test_a_request_that_breaks_off_is_recorded_as_incomplete() -> None:
    with ScriptedServer() as server:
        with dial(server) as sock:
            sock.sendall(POST[:-1])
        assert server.wait_requests(1)
        assert [(request.body, request.complete) for request in server.requests] == [(b"ab", False)]


def test_a_long_body_is_counted_and_kept_up_to_the_limit() -> None:
    with ScriptedServer(body_limit=2) as server, dial(server) as sock:
        ask(sock, POST)
        assert (server.requests[0].body, server.requests[0].body_size) == (b"ab", 3)


def test_a_client_that_expects_it_gets_100_continue() -> None:
    with ScriptedServer() as server, dial(server) as sock:
        head, _ = ask(sock, b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert head == b"HTTP/1.1 100 Continue"
        assert ask(sock, b"abc")[0].startswith(b"HTTP/1.1 200")


def test_a_list_is_played_in_order_and_then_answers_plainly() -> None:
    with ScriptedServer([answer(201), answer(202)]) as server, dial(server) as sock:
        assert [ask(sock)[0][9:12] for _ in range(4)] == [b"201", b"202", b"200", b"200"]


def test_a_function_scripts_by_the_number_of_the_request() -> None:
    with ScriptedServer(lambda turn: answer(500 + turn)) as server, dial(server) as sock:
        assert [ask(sock)[0][9:12] for _ in range(2)] == [b"500", b"501"]


def test_an_answer_may_depend_on_the_request() -> None:
    script = answer_with(lambda request: answer_json({"got": request.target}))
    with ScriptedServer(script) as server, dial(server) as sock:
        assert ask(sock)[1] == b'{"got": "/x"}'


def test_an_answer_without_keep_closes_the_connection() -> None:
    with asked(answer(body=b"{}", keep=False)) as (server, sock):
        assert read_to_end(sock).endswith(b"\r\nConnection: close\r\n\r\n{}")
        assert server.wait_all_closed()
        assert not server.wait_closed(1, timeout=0)


def test_a_client_that_closes_is_counted() -> None:
    with ScriptedServer() as server:
        for count in (1, 2):
            with dial(server) as sock:
                ask(sock)
            assert server.wait_closed(count)
        assert not server.wait_closed(3, timeout=0)
        assert server.open_connections == 0


@pytest.mark.parametrize("action", [silence(), silence_before_reading(), wait(30.0), drip(b"abc", pause=30.0)])
def test_a_client_that_gives_up_on_a_waiting_server_is_noticed(action: Action) -> None:
    with asked(action) as (server, sock):
        assert server.wait_connections(1)
        sock.close()
        assert server.wait_closed(1)


@pytest.mark.parametrize(
    ("action", "seen"),
    [
        (close(), b""),
        (lose_answer(), b""),
        (close_before_reading(), b""),
        (half_header_block(), b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"),
        (truncated(10, b"abc"), b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
        (half_chunk(), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc"),
        (then(drip(b"HTTP/1.1 200 OK\r\n\r\n", pause=0.0001, size=4), close()), b"HTTP/1.1 200 OK\r\n\r\n"),
        (then(raw(b"a"), raw(b"b"), close()), b"ab"),
    ],
    ids=lambda value: value.name if isinstance(value, Action) else "sends",
)
def test_an_action_that_ends_the_connection_sends_this_and_then_fin(action: Action, seen: bytes) -> None:
    with asked(action, POST) as (_, sock):
        assert read_to_end(sock) == seen


@pytest.mark.parametrize("action", [reset(), reset_before_reading(), then(raw(b"HTTP/1.1 200 OK\r\n"), reset())])
def test_a_reset_is_a_reset(action: Action) -> None:
    with asked(action, POST) as (_, sock), pytest.raises(ConnectionResetError):
        read_to_end(sock)


@pytest.mark.parametrize(("action", "count"), [(lose_answer(), 1), (reset(), 1), (reset_before_reading(), 0)])
def test_a_lost_request_is_counted_if_it_was_read(action: Action, count: int) -> None:
    with asked(action, POST) as (server, _):
        assert server.wait_connections(1)
        assert server.wait_all_closed()
        assert [request.body for request in server.requests] == [b"abc"] * count


def test_the_second_answer_on_a_kept_connection_may_be_lost() -> None:
    with ScriptedServer([answer(), lose_answer()]) as server, dial(server) as sock:
        ask(sock, POST)
        sock.sendall(POST)
        assert read_to_end(sock) == b""
        assert [request.connection for request in server.requests] == [0, 0]


def test_silence_is_silent() -> None:
    with asked(silence()) as (server, sock):
        assert server.wait_requests(1)
        assert is_silent(sock)


def test_garbage_is_no_http() -> None:
    with asked(garbage()) as (_, sock):
        assert not read_to_end(sock).startswith(b"HTTP/")


def test_100_continue_has_no_end() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    with asked(endless_100_continue()) as (_, sock):
        data = b""
        while len(data) < 50 * len(interim):
            data += received(sock)
        assert data.startswith(interim * 50)


def test_header_blocks_are_as_large_as_they_say() -> None:
    with ScriptedServer([big_header(1 << 20), many_headers(5000)]) as server, dial(server) as sock:
        assert len(ask(sock)[0]) > 1 << 20
        assert ask(sock)[0].count(b"\r\n") == 5001


def test_a_flood_is_as_long_as_it_says() -> None:
    size = (1 << 20) + 7
    with ScriptedServer(flood(size)) as server, dial(server) as sock:
        assert ask(sock)[1] == bytes(size)


def test_an_early_answer_comes_before_the_body() -> None:
    with asked(answer_early(413), POST[:-3]) as (server, sock):
        assert received(sock).startswith(b"HTTP/1.1 413")
        sock.sendall(b"abc")
        sock.close()
        assert server.wait_closed(1)


def test_a_truncated_gzip_has_a_true_length_and_no_end() -> None:
    with ScriptedServer(truncated_gzip(bytes(range(256)) * 9)) as server, dial(server) as sock:
        _, body = ask(sock)
        decoder = zlib.decompressobj(31)
        assert decoder.decompress(body)
        assert not decoder.eof


def gunzip(body: bytes) -> Iterator[bytes]:
    """One layer of gzip, a megabyte at a time."""
    decoder = zlib.decompressobj(31)
    while not decoder.eof:
        yield decoder.decompress(body, 1 << 20)
        body = decoder.unconsumed_tail


def test_a_gzip_bomb_is_small_and_whole() -> None:
    size = 32 << 20
    inner = b"".join(gunzip(bombs.gzip(size, layers=2)))
    assert sum(len(part) for part in gunzip(inner)) == size
    assert len(bombs.gzip(size, layers=1)) < size / 1000


def test_a_brotli_bomb_is_small_and_whole() -> None:
    size = 32 << 20
    decoder = brotlicffi.Decompressor()
    seen = len(decoder.process(bombs.brotli(size)))
    assert (seen, decoder.is_finished()) == (size, True)


@pytest.mark.parametrize(("action", "coding"), [(gzip_bomb(), b"gzip, gzip"), (brotli_bomb(), b"br")])
def test_a_bomb_of_a_gibibyte_is_served_in_ten_kilobytes(action: Action, coding: bytes) -> None:
    with ScriptedServer(action) as server, dial(server) as sock:
        head, body = ask(sock)
        assert b"Content-Encoding: " + coding + b"\r\n" in head
        assert len(body) <= 10_240


@pytest.mark.parametrize(
    "action", [silence(), wait(30.0), drip(b"abc", 30.0), endless_100_continue(), flood(1 << 30), answer_early()]
)
def test_a_server_closes_promptly_whatever_it_is_doing(action: Action, capfd: pytest.CaptureFixture[str]) -> None:
    with asked(action) as (server, _):
        assert server.wait_requests(1)
        began = time.monotonic()
        server.close()
        assert time.monotonic() - began < 1.0
        assert not server.wait_closed(1, timeout=0)
    assert capfd.readouterr() == ("", "")


def test_an_error_in_a_script_is_raised_at_close() -> None:
    def broken(turn: int) -> Action:
        raise LookupError(turn)

    server = ScriptedServer(broken)
    with dial(server) as sock:
        sock.sendall(GET)
        assert read_to_end(sock) == b""
    with pytest.raises(LookupError):
        server.close()
