"""The head of an answer: bounded while it arrives, and what no head may say of its body."""

from __future__ import annotations

import tracemalloc

import pytest

from callsheet.call import Limits
from callsheet.errors import APIError, AttemptTimeout, MalformedAnswer, NoAnswer
from callsheet.http.response import Response
from callsheet.settings.caps import Caps
from callsheet.transports.curl.answer_head import MOST_INTERIM, STATUS_LINES, AnswerHead
from callsheet.transports.curl.stream import HIGH_WATER
from tests.contract.worlds import LIMITS, World, request
from tests.servers import ScriptedServer, answer, close, endless_100_continue, head, raw, response, then
from tests.servers.actions import Action
from tests.servers.connection import Connection

OK = b"HTTP/1.1 200 OK\r\n"
HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
BOUND = "interim answers"
FRAMING = "the Content-Length is no length (RFC 9112 6.3)"
ways = pytest.mark.parametrize("is_stream", [False, True], ids=["buffered", "streamed"])


def without_end(block: bytes) -> Action:
    """Send the block again and again, and never a final answer."""

    def play(connection: Connection) -> None:
        connection.request()
        while True:
            connection.send(block)

    return Action("without_end", play)


def outcome(
    world: World, data: bytes | Action, method: str = "GET", limits: Limits = LIMITS, *, is_stream: bool = False
) -> Response | APIError:
    """What comes of one request to a server that answers with these bytes and hangs up."""
    with ScriptedServer(data if isinstance(data, Action) else then(raw(data), close())) as server:
        try:
            answered = world.send(request(server.url, method, is_stream=is_stream), limits)
        except APIError as error:
            return error
        if is_stream:
            answered.stream.close()
        return answered


@ways
@pytest.mark.parametrize("block", [PROCESSING, HINT, b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_interim_answers_without_end_are_no_answer(world: World, block: bytes, is_stream: bool) -> None:
    error = outcome(world, without_end(block), is_stream=is_stream)
    assert isinstance(error, MalformedAnswer)
    assert error.was_sent
    assert BOUND in str(error)


@ways
def test_interim_answers_that_come_slowly_are_no_answer(world: World, is_stream: bool) -> None:
    assert BOUND in str(outcome(world, endless_100_continue(), is_stream=is_stream))


@ways
def test_sixteen_interim_answers_are_borne_and_no_more(world: World, is_stream: bool) -> None:
    final = response(200, {"X": "y"})
    answered = outcome(world, HINT * MOST_INTERIM + final, is_stream=is_stream)
    assert isinstance(answered, Response)
    assert answered.headers["x"] == "y"
    assert "link" not in answered.headers
    assert BOUND in str(outcome(world, HINT * (MOST_INTERIM + 1) + final, is_stream=is_stream))


@ways
@pytest.mark.parametrize(
    "line", [b"X: " + b"a" * 500 + b"\r\n", b"X:\r\n", b"HTTP/1.1 103 A\r\nLink: " + b"a" * 5000 + b"\r\n\r\n"]
)
def test_fields_without_end_are_cut_off_at_the_cap(world: World, line: bytes, is_stream: bool) -> None:
    small = LIMITS._replace(caps=Caps(headers=1000, header_count=100_000))

    def play(connection: Connection) -> None:
        connection.request()
        connection.send(OK if line.startswith(b"X") else b"")
        while True:
            connection.send(line)

    error = outcome(world, Action("fields", play), limits=small, is_stream=is_stream)
    assert isinstance(error, MalformedAnswer)
    assert "1000 bytes (caps.headers)" in str(error)


@ways
def test_fields_that_just_fill_the_cap_are_an_answer(world: World, is_stream: bool) -> None:
    fields = b"Content-Length: 0\r\nX: " + b"a" * 976 + b"\r\n"
    assert len(fields) == 1000
    exact, less = (LIMITS._replace(caps=Caps(headers=most)) for most in (1000, 999))
    assert isinstance(outcome(world, HINT + OK + fields + b"\r\n", limits=exact, is_stream=is_stream), Response)
    assert "caps.headers" in str(outcome(world, OK + fields + b"\r\n", limits=less, is_stream=is_stream))


def test_each_line_is_looked_at_once() -> None:
    class Line(bytes):
        looks = 0

        def __eq__(self, other: object) -> bool:
            Line.looks += 1
            return bytes.__eq__(self, other)

        __hash__ = None  # type: ignore[assignment]

        def partition(self, separator: bytes) -> tuple[bytes, bytes, bytes]:  # type: ignore[override]
            Line.looks += 1
            return bytes(self).partition(separator)

    taken = AnswerHead()
    taken.begin(1 << 20)
    for _ in range(MOST_INTERIM):
        for line in (b"HTTP/1.1 103 Early Hints\r\n", *[b"Link: </a>\r\n"] * 100, b"\r\n"):
            taken.take(Line(line))
    assert Line.looks <= 3 * MOST_INTERIM
    assert not taken.is_complete


def test_trailers_are_no_fields_and_take_no_memory() -> None:
    taken = AnswerHead()
    taken.begin(100)
    lines = [OK, b"A: 1\r\n", b"\r\n", *[b"T: 1\r\n"] * 10_000, b"\r\n"]
    assert [taken.take(line) for line in lines] == [None] * len(lines)
    assert sum(map(len, taken.lines)) <= 100 + STATUS_LINES
    assert taken.final == (OK, [b"A: 1\r\n"])


def test_lines_beyond_the_cap_are_not_kept() -> None:
    taken = AnswerHead()
    taken.begin(1000)
    codes = [taken.take(b"X: " + b"a" * 95 + b"\r\n") for _ in range(1000)]
    assert codes[-1] == 0
    assert sum(map(len, taken.lines)) <= 1000 + STATUS_LINES


@ways
@pytest.mark.parametrize("status", [b"000", b"099", b"20", b"2000", b"-20", b"2 0", b"2OO", b""])
def test_a_status_that_is_none_is_no_answer(world: World, status: bytes, is_stream: bool) -> None:
    error = outcome(world, b"HTTP/1.1 " + status + b" OK\r\nContent-Length: 5\r\n\r\nhello", is_stream=is_stream)
    assert isinstance(error, MalformedAnswer)
    assert error.was_sent


NO_LENGTHS = [
    b"9223372036854775808", b"18446744073709551616", b"9" * 40, b"1" * 5000, b"+5", b"-5", b"5 5", b"", b"0x5", b"5.0", b"5;", b"5e0",
    b"abc", b"\xb2", b"1_0", b"5, 6", b"5,9223372036854775808", b"5\r\nContent-Length: 6", b"5\r\ncontent-length: 9223372036854775808",
    b"9223372036854775808\r\nTransfer-Encoding: chunked",
]  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@ways
@pytest.mark.parametrize("told", NO_LENGTHS, ids=lambda told: told[:50].decode("latin-1"))
def test_a_content_length_that_is_none_is_no_answer(world: World, told: bytes, is_stream: bool, method: str) -> None:
    error = outcome(world, OK + b"Content-Length: " + told + b"\r\n\r\nhello", method, is_stream=is_stream)
    assert isinstance(error, MalformedAnswer)
    assert error.was_sent
    assert str(error) == FRAMING


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@ways
@pytest.mark.parametrize(
    "told", [b"5", b"5, 5", b"5\r\nContent-Length: 5", b"00005", b"0" * 40 + b"5", b"5\t", b"  5  "]
)
def test_a_content_length_may_be_told_twice(world: World, told: bytes, is_stream: bool, method: str) -> None:
    answered = outcome(world, OK + b"Content-Length: " + told + b"\r\n\r\nhello", method, is_stream=is_stream)
    assert isinstance(answered, Response)
    assert answered.content == (b"hello" if method == "GET" and not is_stream else b"")


@ways
@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_body_has_no_use_for_a_length(world: World, status: int, is_stream: bool) -> None:
    data = head(status, {"Content-Length": "9223372036854775808"})
    answered = outcome(world, data, is_stream=is_stream)
    assert isinstance(answered, Response)
    assert answered.status_code == status


@ways
@pytest.mark.parametrize(
    "coding", ["gzip", "gzip, chunked", "chunked, gzip", "x-gzip", "deflate", "bogus", "chunked;a=b", '"chunked"']
)
def test_a_transfer_coding_that_nobody_asked_for_is_no_answer(world: World, coding: str, is_stream: bool) -> None:
    data = head(200, {"Transfer-Encoding": coding}) + b"5\r\nhello\r\n0\r\n\r\n"
    error = outcome(world, data, is_stream=is_stream)
    assert isinstance(error, MalformedAnswer)
    assert error.was_sent
    assert "Transfer-Encoding" in str(error)


UNREAD_LENGTHS = [
    b"Content-Length : 5", b"Content-Length\t: 5", b"CONTENT-LENGTH \t : 5", b"content-length : 5\r\nContent-Length: 5", b"Content-Length\r\n : 5",
    b"Content-Length: 5\r\nContent-Length : 6", b"Transfer-Encoding : chunked", b"transfer-encoding\t: chunked\r\nContent-Length: 5",
    b"Transfer-Encoding: identity\r\nContent-Length: 50", b"Transfer-Encoding:\r\nContent-Length: 50", b"Transfer-Encoding: ,",
    b"Transfer-Encoding: identity\r\nTransfer-Encoding: Identity", b"TRANSFER-ENCODING:identity",
]  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize("is_kept", [True, False])
@ways
@pytest.mark.parametrize("lines", UNREAD_LENGTHS, ids=lambda lines: lines.decode("latin-1"))
def test_a_length_that_libcurl_does_not_read_is_not_waited_for(
    world: World, lines: bytes, is_stream: bool, is_kept: bool, method: str
) -> None:
    sent = raw(OK + lines + b"\r\n\r\nhello")
    error = outcome(world, sent if is_kept else then(sent, close()), method, is_stream=is_stream)
    assert isinstance(error, MalformedAnswer)
    assert not isinstance(error, AttemptTimeout)
    assert error.was_sent
    assert "Content-Length" in str(error) or "Transfer-Encoding" in str(error)


@ways
@pytest.mark.parametrize("lines", UNREAD_LENGTHS[:4] + UNREAD_LENGTHS[6:9])
@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified", b"304"])
def test_an_answer_that_has_no_body_may_tell_its_length_wrong(
    world: World, status: bytes, lines: bytes, is_stream: bool
) -> None:
    answered = outcome(world, b"HTTP/1.1 " + status + b"\r\n" + lines + b"\r\n\r\n", is_stream=is_stream)
    assert isinstance(answered, Response)


@ways
def test_white_space_before_a_colon_is_no_part_of_the_name(world: World, is_stream: bool) -> None:
    fields = b"X-A : 1\r\nX-B\t \t: 2 : 3\r\nSet-Cookie : a=secret\r\nX-C: d :\r\nLocation : /there\r\n"
    answered = outcome(world, OK + fields + b"Content-Length: 5\r\n\r\nhello", is_stream=is_stream)
    assert isinstance(answered, Response)
    assert answered.field(b"location") == "/there"
    assert answered.headers.multi_items()[:4] == [
        ("X-A", "1"),
        ("X-B", "2 : 3"),
        ("Set-Cookie", "a=secret"),
        ("X-C", "d :"),
    ]
    assert "secret" not in repr(answered.headers)


NO_CHUNKS = [
    b"-5", b"+5", b" 5", b"", b"g", b"#", b"5\r\nhelloXX", b"5\r\nhello0", b"4", b"8000000000000005", b"10000000000000005", b"f" * 17,
    b"f" * 4000, b"0" * 20 + b"5", b"0x5", b"0X5", b"\x005", b"\xb2",
]  # fmt: skip


@ways
@pytest.mark.parametrize("size", NO_CHUNKS, ids=lambda size: size[:30].decode("latin-1"))
def test_a_chunk_that_is_none_is_no_answer(world: World, size: bytes, is_stream: bool) -> None:
    data = head(200, {"Transfer-Encoding": "chunked"}) + size + b"\r\nhello\r\n0\r\n\r\n"
    with ScriptedServer([raw(data), answer(body=b"next")]) as server:
        if is_stream:
            reading = world.open(server.url)
            with pytest.raises(MalformedAnswer) as caught:
                reading.rest()
            reading.close()
            assert caught.value.was_sent
        else:
            error = world.failure(server.url)
            assert isinstance(error, MalformedAnswer)
            assert error.was_sent
        assert world.get(server.url).content == b"next"


@ways
@pytest.mark.parametrize("rest", [b"", b"\r\n", b"\r\n0", b"\r\n0\r\n", b"\r\n0\r\nX: 1\r\n", b"\r\n0\r\n\r"], ids=repr)
def test_chunks_without_their_end_are_no_answer(world: World, rest: bytes, is_stream: bool) -> None:
    data = head(200, {"Transfer-Encoding": "chunked"}) + b"5\r\nhello" + rest
    with ScriptedServer(then(raw(data), close())) as server:
        if is_stream:
            reading = world.open(server.url)
            with pytest.raises(NoAnswer):
                reading.rest()
            reading.close()
        else:
            assert isinstance(world.failure(server.url), MalformedAnswer)


@ways
@pytest.mark.parametrize(
    ("framing", "body"),
    [
        (b"Content-Length:\r\n 5", b"hello"),
        (b"Transfer-Encoding:\r\n\tchunked", b"5\r\nhello\r\n0\r\n\r\n"),
        (b"X: a\r\n Content-Length: 2\r\nContent-Length: 5", b"hello"),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 3", b"5\r\nhello\r\n0\r\n\r\n"),
        (b"Content-Length: 3\r\nTransfer-Encoding: Chunked", b"5\r\nhello\r\n0\r\n\r\n"),
        (b"Transfer-Encoding: chunked", b"5 \r\nhello\r\n000\r\n\r\n"),
        (b"Transfer-Encoding: chunked", b'00005;a="b"\r\nhello\r\n0;c\r\n\r\n'),
        (b"Transfer-Encoding: chunked", b"5\nhello\n0\n\n"),
        (b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\nContent-Length: 2\r\nTransfer-Encoding: gzip\r\n\r\n"),
        (b"Transfer-Encoding: identity, chunked", b"5\r\nhello\r\n0\r\n\r\n"),
        (b"X: transfer-encoding : content-length : 2\r\nContent-Length: 5", b"hello"),
    ],
)
def test_framing_that_is_odd_and_clear(world: World, framing: bytes, body: bytes, is_stream: bool) -> None:
    with ScriptedServer([raw(OK + framing + b"\r\n\r\n" + body), answer(body=b"next")]) as server:
        if is_stream:
            reading = world.open(server.url)
            assert reading.rest() == b"hello"
            reading.close()
        else:
            assert world.get(server.url).content == b"hello"
        assert world.get(server.url).content == b"next"
        assert server.connections == 1


@ways
@pytest.mark.parametrize(
    "lines",
    [b"X: a\rb", b"X: a\rContent-Length: 2", b"X\r: a", b"X: a\0b", b"X\0: a", b"Content-Length: 5\0", b"X", b"X: a\r"],
    ids=repr,
)
def test_control_characters_and_lines_that_are_no_fields_are_no_answer(
    world: World, lines: bytes, is_stream: bool
) -> None:
    data = OK + lines + b"\r\nContent-Length: 5\r\n\r\nhello"
    assert isinstance(outcome(world, raw(data), is_stream=is_stream), MalformedAnswer)


@ways
@pytest.mark.parametrize(
    ("method", "data"),
    [
        ("GET", head(204)),
        ("GET", head(204, {"Content-Length": "5"})),
        ("GET", head(204, {"Transfer-Encoding": "chunked"})),
        ("GET", head(304, {"Content-Length": "5"})),
        ("GET", head(304, {"Transfer-Encoding": "chunked"})),
        ("HEAD", head(200, {"Content-Length": "5"})),
        ("HEAD", head(200, {"Transfer-Encoding": "chunked"})),
    ],
)
@pytest.mark.parametrize("body", [b"hello", b"5\r\nhello\r\n0\r\n\r\n", response(200, body=b"nobody's")])
def test_a_body_where_there_is_none_is_not_the_next_answer(
    world: World, method: str, data: bytes, body: bytes, is_stream: bool
) -> None:
    with ScriptedServer([raw(data + body), answer(body=b"next")]) as server:
        answered = world.send(request(server.url, method, is_stream=is_stream))
        if is_stream:
            assert world.read(answered.stream) == b""
            answered.stream.close()
        assert answered.content == b""
        assert world.get(server.url).content == b"next"
        assert server.connections == 2


@ways
@pytest.mark.parametrize(
    "first",
    [b" A: 1\r\n", b"\tA: 1\r\n B: 2\r\n", b" Content-Length: 2\r\n", b" Transfer-Encoding: chunked\r\n", b"  : \r\n"],
)
def test_lines_with_white_space_before_the_first_field_are_dropped(world: World, first: bytes, is_stream: bool) -> None:
    with ScriptedServer([raw(OK + first + b"Content-Length: 5\r\nX: 3\r\n\r\nhello"), answer(body=b"next")]) as server:
        answered = world.send(request(server.url, is_stream=is_stream))
        assert answered.headers.multi_items() == [("Content-Length", "5"), ("X", "3")]
        if is_stream:
            assert world.read(answered.stream) == b"hello"
            answered.stream.close()
        else:
            assert answered.content == b"hello"
        assert world.get(server.url).content == b"next"
        assert server.connections == 1


@pytest.mark.parametrize("size", [1, 2, 7])
def test_a_body_in_tiny_chunks_takes_the_memory_of_the_body(world: World, size: int) -> None:
    count = 100_000
    chunk = b"%x\r\n%b\r\n" % (size, b"a" * size)
    data = head(200, {"Transfer-Encoding": "chunked"}) + chunk * count + b"0\r\n\r\n"
    with ScriptedServer([answer(), raw(data)]) as server:
        world.get(server.url)
        del data
        tracemalloc.start()
        try:
            content = world.get(server.url).content
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert content == b"a" * (size * count)
        assert peak < 2 * size * count + 200_000


def test_a_streamed_body_in_tiny_chunks_waits_in_bounded_memory(world: World) -> None:
    count = 200_000
    data = head(200, {"Transfer-Encoding": "chunked"}) + b"2\r\nab\r\n" * count + b"0\r\n\r\n"
    with ScriptedServer([answer(), raw(data)]) as server:
        world.get(server.url)
        tracemalloc.start()
        try:
            reading = world.open(server.url)
            content = reading.rest()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        reading.close()
        assert content == b"ab" * count
        assert peak < 2 * len(content) + HIGH_WATER
