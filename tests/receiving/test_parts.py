"""Lines, JSON lines and events of a streamed body, over real sockets."""

import pytest

from callsheet.errors import DecodeError, NoAnswer, ResponseTooLarge
from callsheet.practice import PracticeServer
from callsheet.values.sse import ServerSentEvent
from tests.servers import ScriptedServer, answer, raw, reset, then, truncated
from tests.servers.actions import head


@pytest.fixture(scope="module")
def practice():
    with PracticeServer() as server:
        yield server.url


def served(body, content_type="text/plain"):
    return answer(headers={"Content-Type": content_type}, body=body)


@pytest.mark.parametrize(
    ("content_type", "body", "lines"),
    [
        ("text/plain", "é\nb\r\nc\rd\u2028e".encode(), ["é", "b", "c", "d\u2028e"]),
        ("text/plain; charset=latin-1", b"\xe9\n", ["é"]),
        ("text/plain; charset=utf-16", "a\nb".encode("utf-16"), ["a", "b"]),
        ("text/plain; charset=zlib", b"a\n", ["a"]),
        ("text/plain", b"\xef\xbb\xbfa\n\xef\xbb\xbfb", ["a", "\ufeffb"]),
        ("text/plain", b"\xff\n\n", ["\ufffd", ""]),
        ("text/plain", b"", []),
    ],
)
def test_lines(caller, content_type, body, lines):
    with ScriptedServer(served(body, content_type)) as server:
        client = caller.client(server.url)
        assert caller.parts(client, "/", "iter_lines") == (lines, None, "")
        assert list(caller.do(client, "get", "/").iter_lines()) == lines


def test_lines_before_a_break_are_given(caller):
    with ScriptedServer(truncated(100, b"one\ntwo\nthr")) as server:
        lines, error, _ = caller.parts(caller.client(server.url), "/", "iter_lines")
    assert lines == ["one", "two"]
    assert isinstance(error, NoAnswer)


def test_a_line_without_end_is_refused(caller):
    with ScriptedServer(served(b"a" * (10 * 1024 * 1024 + 1))) as server:
        lines, error, _ = caller.parts(caller.client(server.url), "/", "iter_lines")
    assert lines == []
    assert isinstance(error, ResponseTooLarge)
    assert "shop.get: 200: a line is longer than 10485760 characters; read it by `iter_bytes`" in str(error)


def test_json_lines_of_the_practice_api(caller, practice):
    values, error, _ = caller.parts(caller.client(practice), "/stream/5000", "iter_json_lines")
    assert error is None
    assert [value["id"] for value in values] == list(range(1, 5001))


@pytest.mark.parametrize(
    ("body", "values"),
    [
        (b'{"a": 1}\n\n  \r\n[2]\r\n"\xe2\x80\xa8"', [{"a": 1}, [2], "\u2028"]),
        (b"\xef\xbb\xbf1\n2", [1, 2]),
        (b"", []),
    ],
)
def test_json_lines(caller, body, values):
    with ScriptedServer(served(body, "application/x-ndjson; charset=latin-1")) as server:
        client = caller.client(server.url)
        assert caller.parts(client, "/", "iter_json_lines") == (values, None, "")
        assert list(caller.do(client, "get", "/").iter_json_lines()) == values


@pytest.mark.parametrize(
    ("bad", "shown"), [(b"<html>", "<html>"), (b'"\xff"', "\ufffd"), (b"NaN", "NaN"), (b'{"a":', '{"a":')]
)
@pytest.mark.parametrize("end", [b"", b"\n4\n"], ids=["last", "in the middle"])
def test_a_bad_line_is_told_by_its_number(caller, bad, shown, end):
    with ScriptedServer(served(b"1\n\n2\n" + bad + end, "application/jsonl")) as server:
        client = caller.client(server.url)
        values, error, _ = caller.parts(client, "/", "iter_json_lines")
        assert values == [1, 2]
        assert isinstance(error, DecodeError)
        assert (error.line, error.status_code, error.service, error.was_sent) == (4, 200, "shop", True)
        assert "shop.get: 200: line 4 of the answer is not JSON (application/jsonl): " in str(error)
        assert shown in str(error)
        with pytest.raises(DecodeError) as caught:
            list(caller.do(client, "get", "/").iter_json_lines())
        assert caught.value.line == 4


def test_a_bad_line_lets_go_of_the_connection(caller):
    with ScriptedServer(then(raw(head(200, {"Content-Length": "9000"}) + b"{}\n<html>\n"))) as server:
        values, error, _ = caller.parts(caller.client(server.url), "/", "iter_json_lines")
        assert (values, type(error)) == ([{}], DecodeError)
        assert server.wait_all_closed()


def test_events_of_the_practice_api(caller, practice):
    client = caller.client(practice)
    events, error, last = caller.parts(client, "/events?count=3", "iter_events")
    assert (error, last) == (None, "3")
    assert [(event.event, event.id, event.data) for event in events] == [
        ("tick", str(number), f'{{"number": {number},\n"of": 3}}') for number in (1, 2, 3)
    ]
    events, _, last = caller.parts(client, "/events?count=5", "iter_events", headers={"Last-Event-ID": last})
    assert [event.id for event in events] == ["4", "5"]
    assert last == "5"


def test_the_last_event_id_outlives_a_break(caller):
    body = b"id: 7\ndata: a\n\nid: 8\ndata: b\n"
    action = then(raw(head(200, {"Content-Type": "text/event-stream", "Content-Length": "900"}) + body), reset())
    with ScriptedServer(action) as server:
        events, error, last = caller.parts(caller.client(server.url), "/", "iter_events")
    assert isinstance(error, NoAnswer)
    assert ([event.data for event in events], last) in ((["a"], "7"), ([], ""))  # a reset may overtake what was sent


@pytest.mark.parametrize("content_type", ["text/html", "application/json"])
def test_what_is_no_event_stream_is_refused(caller, content_type):
    with ScriptedServer(served(b"data: a\n\n", content_type)) as server:
        events, error, _ = caller.parts(caller.client(server.url), "/", "iter_events")
    assert (events, type(error)) == ([], DecodeError)
    assert f"200: expected text/event-stream, found {content_type}" in str(error)


def test_no_content_is_no_events(caller):
    with ScriptedServer(answer(204)) as server:
        assert caller.parts(caller.client(server.url), "/", "iter_events") == ([], None, "")


@pytest.mark.parametrize(
    ("marks", "data"),
    [(b"", ["1", "2"]), (b"\xef\xbb\xbf", ["1", "2"]), (b"\xef\xbb\xbf" * 2, ["2"]), (b"\xef\xbb\xbf" * 3, ["2"])],
)
def test_one_byte_order_mark_of_an_event_stream_is_left_out(caller, marks, data):
    """Behind a second one the first line is of an unknown field, as in browsers."""
    with ScriptedServer(served(marks + b"data: 1\n\ndata: 2\n\n", "text/event-stream")) as server:
        events, error, _ = caller.parts(caller.client(server.url), "/", "iter_events")
    assert ([event.data for event in events], error) == (data, None)


EVENT = ServerSentEvent("tick", "1", "7")


@pytest.mark.parametrize(
    ("stream", "body", "parts"),
    [
        ("lines", b"a\r\nb", ["a", "b"]),
        ("json_lines", b'{"a": 1}\n\n[2]\n', [{"a": 1}, [2]]),
        ("events", b"id: 7\nevent: tick\ndata: 1\n\n", [EVENT]),
        (True, b"a\nb", [b"a\nb"]),
    ],
)
@pytest.mark.parametrize("content_type", ["text/event-stream", "application/json", "text/html; charset=utf-16", ""])
def test_an_operation_says_what_its_answer_is_made_of(caller, stream, body, parts, content_type):
    content_type = content_type.partition(";")[0] if stream == "lines" else content_type
    with ScriptedServer(served(body, content_type)) as server:
        client = caller.client(server.url, {"follow": {"get": "/", "stream": stream}})
        assert caller.all_of(client, "follow") == parts


@pytest.mark.parametrize("stream", [True, "lines", "json_lines"])
def test_events_of_another_type_are_refused_where_the_operation_does_not_say_events(caller, stream):
    with ScriptedServer(served(b"data: 1\n\n")) as server:
        client = caller.client(server.url, {"follow": {"get": "/", "stream": stream}})
        answered = caller.do(client, "call", "follow")
        with pytest.raises(DecodeError, match="expected text/event-stream"):
            answered.iter_events()
