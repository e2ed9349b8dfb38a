"""Bodies of requests that no operation declares: `json`, `data`, `files` and `content`."""

import io
from pathlib import Path

import pytest

from callsheet.errors import ArgumentError
from callsheet.http.streamed_body import StreamedBody
from callsheet.plan.bodies import body_of
from callsheet.plan.plan import Given
from callsheet.values.multipart import Multipart
from tests.bodies.reading import whole

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def service(any_shop):
    with any_shop() as service:
        yield service


@pytest.mark.parametrize(
    ("given", "body", "media_type"),
    [
        ({"json": {"a": 1}}, b'{"a":1}', "application/json"),
        ({"json": []}, b"[]", "application/json"),
        ({"data": {"a": 1, "b": [True, None], "c": {"d": "x y"}}}, b"a=1&b=true&c%5Bd%5D=x+y", FORM),
        ({"data": [("a", 1), ("a", 2)]}, b"a=1&a=2", FORM),
        ({"data": {}}, b"", FORM),
        ({"data": {"a": 1}, "files": {}}, b"a=1", FORM),
        ({"data": {"a": 1}, "files": None}, b"a=1", FORM),
        ({"content": b"\x00\xff"}, b"\x00\xff", None),
        ({"content": bytearray(b"ab")}, b"ab", None),
        ({"content": memoryview(b"ab")}, b"ab", None),
        ({"content": "\u00e9"}, b"\xc3\xa9", None),
        ({"content": ""}, b"", None),
        ({"files": []}, b"", None),
        ({}, b"", None),
    ],
)
def test_a_body_as_the_server_receives_it(service, given, body, media_type):
    service.post("/x", **given)
    assert (service.sent.body, service.sent.header("content-type")) == (body, media_type)
    assert service.sent.header("content-length") == str(len(body))


def test_a_body_goes_with_every_method(service):
    for method in ("PUT", "PATCH", "DELETE", "GET", "QUERY"):
        service.request(method, "/x", data={"a": 1})
        assert (service.sent.method, service.sent.body) == (method, b"a=1")


def test_files_and_data_are_one_multipart_body():
    body = body_of(Given(data={"title": "x", "tags": ["a", "b"]}, files={"f": ("a.txt", b"one"), "g": [b"2", b"3"]}))
    assert isinstance(body, Multipart)
    sent = whole(body)
    places = [
        sent.index(mark) for mark in (b'name="title"', b'name="tags"', b'name="f"; filename="a.txt"', b'name="g"')
    ]
    assert places == sorted(places)
    assert (sent.count(b'name="tags"'), sent.count(b'name="g"; filename="g"')) == (2, 2)


@pytest.mark.parametrize(
    ("content", "length", "is_replayable"),
    [(iter([b"a", b"b"]), None, True), ([b"a", b"b"], 2, True), (io.BytesIO(b"ab"), 2, True)],
)
def test_content_is_read_as_it_is_sent(content, length, is_replayable):
    body = body_of(Given(content=content))
    assert isinstance(body, StreamedBody)
    assert (body.length, body.is_replayable, whole(body)) == (length, is_replayable, b"ab")
    assert body.is_replayable is (length is not None)


def test_an_async_iterator_is_for_async_clients_alone():
    async def pieces():
        yield b"a"

    body = body_of(Given(content=pieces()))
    assert body.asynchronous is not None


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"json": 1, "content": b""}, "`json` and `content`"),
        ({"json": 1, "data": {}}, "`json` and `data`"),
        ({"json": 1, "files": {"f": b""}}, "`json` and `files`"),
        ({"content": b"", "data": {}}, "`content` and `data`"),
        ({"content": b"", "data": {}, "files": {"f": b""}}, "`content` and `files`"),
    ],
)
def test_a_request_has_one_body(service, given, names):
    with pytest.raises(ArgumentError) as caught:
        service.post("/x", **given)
    assert str(caught.value) == f"shop.post: {names} are both given; a request has one body"
    assert (caught.value.was_sent, service.count) == (False, 0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"data": b"a=1"}, "data: expected a mapping or pairs, found bytes; encoded bytes are given as `content`"),
        ({"data": {"a": b"\xff"}}, "data: field 'a': bytes that are not UTF-8 have no form; send them as a file"),
        ({"data": {"a": float("nan")}}, "data: field 'a': expected a finite number"),
        ({"data": {"a": "\ud800"}}, "data: field 'a': it holds half a surrogate pair, which has no UTF-8 form"),
        ({"data": {"a": {1}}, "files": {"f": b""}}, "data: field 'a': expected text, a number or a list, found set"),
        ({"files": b"abc"}, "files: expected a mapping or pairs, found bytes"),
        ({"files": [Path("a")]}, f"files: expected pairs of name and value, found {type(Path()).__name__} among them"),
        ({"data": [5]}, "data: expected pairs of name and value, found int among them"),
        ({"files": {"f": 7}}, "file `f`: expected a Path, a file, bytes, text or an iterator of bytes, found int"),
        ({"files": {"f": ("a",)}}, "file `f`: expected (filename, content) or (filename, content, type)"),
        ({"content": {"a": 1}}, "content: expected bytes, text, a Path, a file or an iterator of bytes, found dict"),
        ({"content": io.StringIO("x")}, "file object: opened as text; open it with 'rb'"),
        ({"json": float("nan")}, "json: NaN and Infinity have no JSON form"),
        ({"body": b"x"}, "unknown option body; expected cache, content, data, files, headers, idempotency_key, json"),
    ],
)
def test_what_has_no_form_is_refused_before_a_byte_is_sent(service, given, message):
    with pytest.raises(ArgumentError) as caught:
        service.post("/x", **given)
    assert str(caught.value).startswith(f"shop.post: {message}")
    assert (caught.value.was_sent, service.count, service.server.ledger.connections) == (False, 0, 0)


def test_files_as_the_server_receives_them(service, tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"one")
    with path.open("rb") as file:
        service.post("/x", data={"t": "1"}, files={"f": path, "g": file})
        assert not file.closed
    kind, _, boundary = service.sent.header("content-type").partition("; boundary=")
    assert kind == "multipart/form-data"
    assert [part.partition(b"\r\n\r\n")[2] for part in service.sent.body.split(f"--{boundary}".encode())[1:]] == [
        b"1\r\n", b"one\r\n", b"one\r\n", b"",
    ]  # fmt: skip


@pytest.mark.parametrize("content", [lambda: iter([b"a", b"b"]), lambda: [b"a", b"b"], lambda: io.BytesIO(b"ab")])
def test_streamed_content_as_the_server_receives_it(service, content):
    service.put("/x", content=content())
    assert (service.sent.body, service.sent.header("content-type")) == (b"ab", None)
