"""Answers as servers really send them: framing, interim answers, trailers, caps."""

from __future__ import annotations

import pytest

from callsheet.errors import MalformedAnswer, NoAnswer, ResponseTooLarge
from callsheet.settings.caps import Caps
from tests.contract.worlds import LIMITS, World, request
from tests.servers import (
    ScriptedServer,
    answer,
    big_header,
    brotli_bomb,
    close,
    drip,
    flood,
    gzip_bomb,
    head,
    many_headers,
    raw,
    response,
    then,
)

CHUNKED = {"Transfer-Encoding": "chunked"}
SMALL = LIMITS._replace(caps=Caps(response=10_000, headers=1000, header_count=20))


def chunks(*pieces: bytes, trailers: bytes = b"") -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n" + trailers + b"\r\n"


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize(
    "data",
    [
        head(200, {"Content-Length": "3"}) + b"abc",
        head(200, CHUNKED) + chunks(b"abc"),
        head(200, CHUNKED) + chunks(b"a", b"b", b"c"),
        head(200, CHUNKED) + chunks(b"abc", trailers=b"Digest: x\r\nX-Late: y\r\n"),
        head(200, CHUNKED) + b"3;name=value\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" + response(200, body=b"abc"),
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + response(200, body=b"abc"),
        b"HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 \r\nContent-Length:3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc",
    ],
)
def test_the_body_is_what_its_framing_says(world: World, data: bytes, is_stream: bool) -> None:
    with ScriptedServer([raw(data), answer(body=b"next")]) as server:
        if is_stream:
            reading = world.open(server.url)
            assert (reading.response.status_code, reading.rest()) == (200, b"abc")
            reading.close()
        else:
            answered = world.get(server.url)
            assert (answered.status_code, answered.content) == (200, b"abc")
        assert world.get(server.url).content == b"next"
        assert server.connections == 1


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_body_without_framing_ends_with_the_connection(world: World, is_stream: bool) -> None:
    with ScriptedServer(then(raw(head(200) + b"abc"), close())) as server:
        if is_stream:
            reading = world.open(server.url)
            assert reading.rest() == b"abc"
            reading.close()
        else:
            assert world.get(server.url).content == b"abc"


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize(
    ("method", "data"),
    [
        ("HEAD", head(200, {"Content-Length": "5000000000"})),
        ("HEAD", head(200, CHUNKED)),
        ("GET", head(204)),
        ("GET", head(304, {"Content-Length": "5000000000"})),
        ("GET", head(304, {"ETag": '"x"'})),
    ],
)
def test_an_answer_that_has_no_body_is_over_at_once(world: World, method: str, data: bytes, is_stream: bool) -> None:
    with ScriptedServer([raw(data), answer()]) as server:
        answered = world.send(request(server.url, method, is_stream=is_stream))
        if is_stream:
            assert world.read(answered.stream) == b""
            answered.stream.close()
        assert answered.content == b""
        assert world.get(server.url).status_code == 200
        assert server.connections == 1


def test_fields_are_kept_in_order_with_repeats_and_folds(world: World) -> None:
    data = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-Fold: one\r\n two\r\nSET-COOKIE:b=2\r\nContent-Length: 0\r\n\r\n"
    with ScriptedServer(raw(data)) as server:
        headers = world.get(server.url).headers
        assert headers.get_list("set-cookie") == ["a=1", "b=2"]
        assert headers["x-fold"] == "one two"


def test_trailers_are_not_fields_of_the_answer(world: World) -> None:
    with ScriptedServer(raw(head(200, CHUNKED) + chunks(b"abc", trailers=b"X-Late: y\r\n"))) as server:
        assert "x-late" not in world.get(server.url).headers


def test_interim_answers_leave_no_fields_behind(world: World) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
    with ScriptedServer(raw(hints + response(200, {"X": "final"}))) as server:
        answered = world.get(server.url)
        assert (answered.status_code, answered.headers["x"], "link" in answered.headers) == (200, "final", False)


@pytest.mark.parametrize("status", [200, 299, 300, 404, 418, 451, 500, 599, 999])
def test_any_final_status_is_an_answer(world: World, status: int) -> None:
    with ScriptedServer(raw(b"HTTP/1.1 %d Whatever\r\nContent-Length: 0\r\n\r\n" % status)) as server:
        answered = world.get(server.url)
        assert (answered.status_code, answered.reason_phrase) == (status, "Whatever")


@pytest.mark.parametrize("action", [big_header(2000), many_headers(30)], ids=lambda action: action.name)
@pytest.mark.parametrize("is_stream", [False, True])
def test_more_fields_than_the_cap_are_no_usable_answer(world: World, action, is_stream: bool) -> None:
    with ScriptedServer(action) as server:
        error = world.failure(request(server.url, is_stream=is_stream), SMALL)
        assert isinstance(error, MalformedAnswer)
        assert "caps.header" in str(error)
        assert error.was_sent


def test_many_long_fields_are_no_usable_answer(world: World) -> None:
    fields = [(f"X-{number}", "a" * 5000) for number in range(80)]
    with ScriptedServer(answer(headers=fields)) as server:
        error = world.failure(server.url)
        assert isinstance(error, MalformedAnswer)
        assert "caps.headers" in str(error)


@pytest.mark.parametrize(
    "action",
    [
        raw(head(200, {"Content-Length": "20000", "X": "y"}) + b"a" * 20_000),
        raw(head(200, {**CHUNKED, "X": "y"}) + chunks(b"a" * 20_000)),
        then(raw(head(200, {"X": "y"}) + b"a" * 20_000), close()),
        raw(head(200, {"Content-Length": "20000", "X": "y"})),
    ],
    ids=["length", "chunked", "until-close", "announced"],
)
def test_a_body_above_the_cap_is_refused_with_the_answers_head(world: World, action) -> None:
    with ScriptedServer(action) as server:
        error = world.failure(server.url, SMALL)
        assert isinstance(error, ResponseTooLarge)
        assert (error.status_code, error.response.headers["x"], error.response.content) == (200, "y", b"")
        assert error.was_sent
        assert "10000 bytes (caps.response)" in str(error)
        assert server.wait_all_closed()


def test_a_body_just_within_the_cap_is_an_answer(world: World) -> None:
    with ScriptedServer(answer(body=b"a" * 10_000)) as server:
        assert len(world.get(server.url, SMALL).content) == 10_000


def test_a_flood_is_cut_off(world: World) -> None:
    with ScriptedServer(flood(1 << 40)) as server:
        assert isinstance(world.failure(server.url), ResponseTooLarge)


@pytest.mark.parametrize("bomb", [gzip_bomb(), brotli_bomb()], ids=lambda action: action.name)
def test_codings_are_left_as_they_are(world: World, bomb) -> None:
    with ScriptedServer(bomb) as server:
        answered = world.get(server.url)
        assert answered.headers["content-encoding"] in ("gzip, gzip", "br")
        assert 1000 < len(answered.content) < 100_000


def test_garbage_after_the_announced_body_is_not_part_of_it(world: World) -> None:
    with ScriptedServer([raw(response(200, body=b"abc") + b"garbage"), answer(body=b"next")]) as server:
        assert world.get(server.url).content == b"abc"
        assert world.get(server.url).content == b"next"


def test_an_answer_in_single_bytes_is_an_answer(world: World) -> None:
    with ScriptedServer(drip(head(200, CHUNKED) + chunks(b"abc", b"def", trailers=b"X: y\r\n"), pause=0)) as server:
        assert world.get(server.url).content == b"abcdef"


def test_a_protocol_that_nobody_asked_for_is_no_answer(world: World) -> None:
    with ScriptedServer(then(raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), close())) as server:
        assert isinstance(world.failure(server.url), NoAnswer)
