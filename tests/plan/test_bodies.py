"""Bodies of declared operations, as a server receives them."""

import datetime as dt
import gzip
import io
import json
import uuid
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from callsheet.errors import ArgumentError, Forbidden, NotFound, SheetError, Unauthorized
from callsheet.http.streamed_body import StreamedBody
from callsheet.plan.compile import OperationBinder, RequestBase
from callsheet.plan.plan import Given
from callsheet.sheet import Sheet
from callsheet.values.multipart import Multipart
from tests.bodies.reading import Field as Part
from tests.bodies.reading import by_werkzeug, whole
from tests.servers import answer


class SignIn(BaseModel):
    user: str
    scopes: list[str] = []
    born: dt.date | None = None
    client_id: int = Field(default=1, alias="clientId")


FORM = "application/x-www-form-urlencoded"
OPERATIONS = {
    "sign_in": {
        "post": "/session",
        "form": {
            "user": {"type": "string", "required": True},
            "scope": "array",
            "device": "object",
            "age": "integer",
            "share": "number",
            "again": "boolean",
            "born": "date",
            "id": "uuid",
            "user[name]": "string",
            "grant_type": {"value": "password"},
            "pin": {"type": "integer", "secret": True},
        },
    },
    "typed": {"post": "/typed", "form": SignIn},
    "free": {"post": "/free", "form": "object"},
    "picture": {
        "post": "/users/{id}/picture",
        "multipart": {
            "picture": {"type": "file", "required": True},
            "more": "file",
            "title": {"type": "string", "maxLength": 5},
            "tags": "array",
            "kind": {"value": "png"},
        },
    },
    "csv": {"put": "/csv", "content": "text/csv; charset=utf-8"},
    "note": {"post": "/note", "json": "object"},
    "ping": {"post": "/ping"},
}


@pytest.fixture
def service(any_shop):
    with any_shop(OPERATIONS) as service:
        yield service


def denied(status, detail):
    """An answer that repeats what it was sent."""
    problem = json.dumps({"detail": detail}).encode()
    return answer(status, {"Content-Type": "application/problem+json"}, problem)


def problems(service, operation, **arguments):
    """The lines of the message but for the first; nothing was sent."""
    with pytest.raises(ArgumentError) as caught:
        service.call(operation, **arguments)
    assert service.count == 0
    return [line.strip() for line in str(caught.value).split("\n")[1:]]


def request_of(operation, arguments, **given):
    """The request that a call would send, without a client."""
    sheet = Sheet(services={"shop": {"base_url": "http://shop.test", "operations": OPERATIONS}}).services["shop"]
    settings = sheet.settings(operation, given.pop("code", {}))
    return OperationBinder(sheet.operations[operation], RequestBase(settings))(arguments, Given(**given))


def boundary_of(content_type):
    kind, _, boundary = content_type.partition("; boundary=")
    assert kind == "multipart/form-data"
    assert len(boundary) >= 32
    return boundary


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        ({}, b""),
        ({"scope": ["a b", "c&d"]}, b"&scope=a+b&scope=c%26d"),
        ({"scope": ()}, b""),
        ({"device": {"name": "x", "os": {"v": [1, 2]}, "none": None}},
         b"&device%5Bname%5D=x&device%5Bos%5D%5Bv%5D=1&device%5Bos%5D%5Bv%5D=2"),
        ({"age": 7, "share": 7, "again": True}, b"&age=7&share=7&again=true"),
        ({"share": 0.1, "again": False}, b"&share=0.1&again=false"),
        ({"born": dt.date(2020, 2, 29)}, b"&born=2020-02-29"),
        ({"id": uuid.UUID(int=7)}, b"&id=00000000-0000-0000-0000-000000000007"),
        ({"user_name_": "\u00e9"}, b"&user%5Bname%5D=%C3%A9"),
    ],
)  # fmt: skip
def test_a_form(service, arguments, body):
    service.call("sign_in", user="a", **arguments)
    assert service.sent.body == b"user=a" + body + b"&grant_type=password"
    assert service.sent.header("content-type") == FORM
    assert service.sent.header("content-length") == str(len(service.sent.body))


def test_a_forms_problems_are_told_at_once(service):
    assert problems(service, "sign_in", age="x", share=float("nan"), device={"a": b"\xff"}, colour=1, pin="canary") == [
        "`colour`: unknown; expected `again`, `age`, `born`, `device`, `id`, `pin`, `scope`, `share`, `user`, `user_name_`",
        "`user` (form, string): missing",
        (
            "`device` (form, object): field 'device[a]': bytes that are not UTF-8 have no form; send them as a file, "
            "found {'a': b'\\xff'}"
        ),
        "`age` (form, integer): Input should be a valid integer, found 'x'",
        "`share` (form, number): field 'share': expected a finite number, found nan",
        "`pin` (form, integer): Input should be a valid integer",
    ]


def test_what_the_sheet_fixes_cannot_be_given(service):
    told = problems(service, "sign_in", user="a", grant_type="code")
    assert told == ["`grant_type`: its value is set on the sheet and cannot be given"]


def test_json_is_no_form(service):
    told = problems(service, "sign_in", user="a", json={"user": "a"})
    assert told == ["`json`: this operation sends a form; give its fields by name"]


def test_half_a_surrogate_pair_has_no_form(service):
    (told,) = problems(service, "sign_in", user="\ud800")
    assert "half a surrogate pair" in told


def test_a_secret_field_is_masked_where_it_comes_back(any_shop):
    with any_shop(OPERATIONS, script=denied(403, "no 271828 here")) as service:
        with pytest.raises(Forbidden, match=r"no \*\*\* here"):
            service.call("sign_in", user="a", pin=271828)
        assert service.sent.body.endswith(b"&pin=271828")


def test_a_constant_from_outside_is_sent_and_masked(any_shop, monkeypatch):
    monkeypatch.setenv("CLIENT_SECRET", "canary-secret")
    operation = {"post": "/token", "form": {"secret": {"value": "${CLIENT_SECRET}"}}}
    with any_shop({"token": operation}, script=denied(401, "canary-secret is wrong")) as service:
        with pytest.raises(Unauthorized, match=r"\*\*\* is wrong") as caught:
            service.call("token")
        assert service.sent.body == b"secret=canary-secret"
        assert "canary" not in f"{caught.value!r}{caught.value.request!r}"


def test_a_form_of_a_type_has_its_fields(service):
    service.call("typed", user="Ada", scopes=["a", "b"], born=dt.date(2020, 1, 2), clientId=7)
    assert sorted(service.sent.body.split(b"&")) == [
        b"born=2020-01-02", b"clientId=7", b"scopes=a", b"scopes=b", b"user=Ada",
    ]  # fmt: skip
    assert service.sent.header("content-type") == FORM


def test_a_form_of_a_type_is_checked(service):
    assert problems(service, "typed", user=7) == ["`user` (body): Input should be a valid string"]
    assert problems(service, "typed", usr="Ada")[0] == "`usr`: unknown; did you mean `user`?"
    assert problems(service, "typed") == ["`user` (body): Field required"]


def test_a_form_of_any_fields(service):
    service.call("free", {"a": 1, "b": Decimal("1.50"), "c": {"d": [True, None]}})
    assert service.sent.body == b"a=1&b=1.50&c%5Bd%5D=true"


def test_a_multipart_request_has_its_own_boundary_fields_before_files():
    request = request_of("picture", {"id": 7, "picture": ("a.png", b"PNG"), "title": "x", "tags": ["a", "b"]})
    boundary = boundary_of(request.headers["content-type"]).encode()
    assert isinstance(request.body, Multipart)
    body = whole(request.body)
    names = [b'name="title"', b'name="tags"', b'name="tags"', b'name="kind"', b'name="picture"; filename="a.png"']
    parts = body.split(b"--" + boundary)
    assert [part.split(b"form-data; ")[1].split(b"\r\n")[0] for part in parts[1:-1]] == names
    assert parts[-2].endswith(b"\r\nContent-Type: image/png\r\n\r\nPNG\r\n")
    assert parts[-1] == b"--\r\n"
    assert (request.body.length, request.body.is_replayable) == (len(body), True)
    again = request_of("picture", {"id": 7, "picture": b"x"})
    assert boundary_of(again.headers["content-type"]).encode() != boundary


@pytest.mark.parametrize(
    "file",
    [
        b"PNG",
        io.BytesIO(b"PNG"),
        ("a.png", b"PNG"),
        ("a.png", io.BytesIO(b"PNG"), "image/x"),
        iter([b"PN", b"G"]),
        "PNG",
        [b"PNG", ("b", b"2")],
    ],
)
def test_a_file_is_whatever_a_multipart_body_takes(file):
    request = request_of("picture", {"id": 7, "picture": file})
    assert b"PNG" in whole(request.body)


def test_a_file_by_its_path_is_named_after_it(tmp_path):
    path = tmp_path / "face.jpg"
    path.write_bytes(b"JPG")
    body = whole(request_of("picture", {"id": 7, "picture": path}).body)
    assert b'name="picture"; filename="face.jpg"\r\nContent-Type: image/jpeg\r\n\r\nJPG\r\n' in body


def test_problems_of_a_multipart_body_are_told_at_once(service):
    assert problems(service, "picture", id=7, title="too long", kind="x") == [
        "`kind`: its value is set on the sheet and cannot be given",
        "`picture` (multipart, file): missing",
        "`title` (multipart, string (maxLength 5)): String should have at most 5 characters, found 'too long'",
    ]


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (7, "multipart: file `picture`: expected a Path, a file, bytes, text or an iterator of bytes, found int"),
        (Path("no/such"), "multipart: file 'no/such': No such file or directory"),
        (("a\x00b", b""), "multipart: name 'a\\x00b': servers differ in how they read '\\x00'"),
    ],
)
def test_a_file_that_is_none(service, file, message):
    (told,) = problems(service, "picture", id=7, picture=file)
    assert told.startswith(message)


@pytest.mark.parametrize(("content", "sent"), [("a;\u00e9\n", b"a;\xc3\xa9\n"), (b"\x00\xff", b"\x00\xff"), (b"", b"")])
def test_content_is_sent_as_it_is(service, content, sent):
    service.call("csv", content=content)
    assert (service.sent.body, service.sent.header("content-type")) == (sent, "text/csv; charset=utf-8")
    assert service.sent.method == "PUT"


def test_content_may_be_read_as_it_is_sent(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a;b\n")
    for content, length in ((path, 4), (iter([b"a;", b"b\n"]), None), (io.BytesIO(b"a;b\n"), 4)):
        request = request_of("csv", {"content": content})
        assert isinstance(request.body, StreamedBody)
        assert (whole(request.body), request.body.length) == (b"a;b\n", length)
        assert request.headers["content-type"] == "text/csv; charset=utf-8"
        assert request.is_transfer


def test_content_must_be_given_and_alone(service):
    assert problems(service, "csv") == ["`content` (body, text/csv; charset=utf-8): missing"]
    assert problems(service, "csv", content=b"", rows=1) == ["`rows`: unknown; expected `content`"]
    assert problems(service, "csv", content=b"", json={}) == [
        "`json`: this operation sends its `content` as it is; give that"
    ]
    (told,) = problems(service, "csv", content={"a": 1})
    assert told.startswith("content: expected bytes, text, a Path, a file or an iterator of bytes, found dict")


def test_where_no_body_is_declared_there_are_no_fields(service):
    assert problems(service, "ping", content=b"x") == ["`content`: unknown; expected no arguments"]


COMPRESSED = [
    ("note", {"text": "x" * 1000}, b'{"text":"' + b"x" * 1000 + b'"}', "application/json"),
    ("sign_in", {"user": "a"}, b"user=a&grant_type=password", FORM),
    ("csv", {"content": b"a;b"}, b"a;b", "text/csv; charset=utf-8"),
]


@pytest.mark.parametrize(("operation", "arguments", "plain", "media_type"), COMPRESSED)
def test_bodies_are_compressed_on_request(any_shop, operation, arguments, plain, media_type):
    with any_shop(OPERATIONS, compress="gzip") as service:
        service.call(operation, **arguments)
        assert gzip.decompress(service.sent.body) == plain
        assert service.sent.header("content-encoding") == "gzip"
        assert service.sent.header("content-type") == media_type
        assert service.sent.header("content-length") == str(len(service.sent.body))


def test_what_has_no_body_is_not_compressed(any_shop):
    operations = OPERATIONS | {"plain": {"post": "/note", "json": "object", "compress": "off"}}
    with any_shop(operations, compress="gzip") as service:
        for operation, arguments in (("ping", {}), ("csv", {"content": b""}), ("plain", {"a": 1})):
            service.call(operation, **arguments)
            assert service.sent.header("content-encoding") is None
        assert service.sent.body == b'{"a":1}'


def test_a_body_that_is_compressed_already_is_left_as_it_is(any_shop):
    with any_shop(OPERATIONS, compress="gzip") as service:
        service.call("csv", content=b"packed", headers={"Content-Encoding": "zstd"})
        assert (service.sent.body, service.sent.header("content-encoding")) == (b"packed", "zstd")


def test_a_multipart_body_is_compressed_as_it_is_read():
    request = request_of("picture", {"id": 7, "picture": b"PNG" * 100}, code={"compress": "gzip"})
    assert request.headers["content-encoding"] == "gzip"
    boundary = boundary_of(request.headers["content-type"])
    assert (request.body.length, request.body.is_replayable) == (None, True)
    assert gzip.decompress(whole(request.body)).startswith(f"--{boundary}\r\n".encode())


def test_an_undeclared_body_is_compressed_too(any_shop):
    with any_shop(compress="gzip") as service:
        service.post("/x", json={"a": 1})
        assert gzip.decompress(service.sent.body) == b'{"a":1}'
        service.get("/x")
        assert service.sent.header("content-encoding") is None


TYPED = [
    ({}, {}, FORM),
    ({"Content-Type": "application/json"}, {}, FORM),
    ({"content-type": "application/json"}, {"content-type": "text/x"}, "text/x"),
    ({}, {"CONTENT-TYPE": "text/x"}, "text/x"),
]


@pytest.mark.parametrize(("of_the_sheet", "of_the_call", "sent"), TYPED)
def test_the_bodys_own_content_type_beats_the_sheets_and_yields_to_the_calls(any_shop, of_the_sheet, of_the_call, sent):
    with any_shop(OPERATIONS, headers=of_the_sheet) as service:
        service.call("sign_in", user="a", headers=of_the_call)
        service.post("/x", data={"a": 1}, headers=of_the_call)
        for request in service.server.requests:
            assert [value for name, value in request.headers if name.lower() == "content-type"] == [sent]


def test_a_content_type_declared_as_a_parameter_is_meant(any_shop):
    operation = {"post": "/x", "json": "object", "header": {"Content-Type": {"value": "application/vnd.x+json"}}}
    with any_shop({"op": operation}) as service:
        service.call("op", a=1)
        found = [value for name, value in service.sent.headers if name.lower() == "content-type"]
        assert found == ["application/vnd.x+json"]


@pytest.mark.parametrize("chosen", ["multipart/mixed", "Multipart/Form-Data", "multipart/related; type=text/xml;"])
def test_a_multipart_body_keeps_its_boundary(chosen):
    given = {"headers": {"content-type": chosen}}
    request = request_of("picture", {"id": 7, "picture": b"x"}, **given)
    (sent,) = request.headers.get_list("content-type")
    kind, _, boundary = sent.rpartition("; boundary=")
    assert kind == chosen.rstrip(";")
    assert whole(request.body).startswith(f"--{boundary}\r\n".encode())


@pytest.mark.parametrize("chosen", ["application/json", "multipart/form-data; boundary=x", ""])
def test_a_content_type_that_would_hide_the_boundary_is_refused(service, chosen):
    with pytest.raises(ArgumentError, match=r"header `Content-Type`: .* would hide the boundary of a multipart body"):
        service.call("picture", id=7, picture=b"x", headers={"Content-Type": chosen})
    assert service.count == 0


def test_a_stream_operation_gives_the_answer_as_it_comes(any_shop):
    operations = {"export": {"get": "/export", "stream": True}}
    with any_shop(operations, script=[answer(200, (), b"a;b\n"), answer(404), answer(404, (), b"none")]) as service:
        opened = service.call("export")
        assert (opened.status_code, service.read(opened)) == (200, b"a;b\n")
        with pytest.raises(NotFound, match=r"shop\.export: GET /export: 404 Not Found"):
            service.call("export")
        assert service.read(service.call("export", raise_for_status=False)) == b"none"


def test_a_constant_that_no_call_could_send_is_an_error_of_the_sheet(any_shop):
    operation = {"post": "/x", "form": {"n": {"type": "integer", "value": "many"}}}
    with any_shop({"op": operation}) as service, pytest.raises(SheetError, match=r"value of `n` \(form, integer\)"):
        service.call("op")


def test_a_multipart_body_as_the_server_receives_it(service, tmp_path):
    path = tmp_path / "face.png"
    path.write_bytes(b"PNG" * 100_000)
    more = [("a", b"1"), ("b", iter([b"2"]))]
    service.call("picture", id=7, picture=path, more=more, title="\u00e9", tags=["x", "y"])
    assert by_werkzeug(service.sent.body, service.sent.header("content-type")) == [
        Part("title", None, "\u00e9".encode()),
        Part("tags", None, b"x"),
        Part("tags", None, b"y"),
        Part("kind", None, b"png"),
        Part("picture", "face.png", b"PNG" * 100_000, "image/png"),
        Part("more", "a", b"1", "application/octet-stream"),
        Part("more", "b", b"2", "application/octet-stream"),
    ]
    assert service.sent.header("transfer-encoding") == "chunked"
    service.call("picture", id=7, picture=path)
    assert service.sent.header("content-length") == str(len(service.sent.body))


@pytest.mark.parametrize("known", [True, False])
def test_streamed_content_as_the_server_receives_it(service, known):
    pieces = [b"a" * 70_000, b"b" * 10]
    service.call("csv", content=io.BytesIO(b"".join(pieces)) if known else iter(pieces))
    assert service.sent.body == b"".join(pieces)
    assert service.sent.header("content-type") == "text/csv; charset=utf-8"
    length = service.sent.header("content-length"), service.sent.header("transfer-encoding")
    assert length == (("70010", None) if known else (None, "chunked"))


def test_a_compressed_upload_as_the_server_receives_it(any_shop):
    with any_shop(OPERATIONS, compress="gzip") as service:
        service.call("csv", content=iter([b"a" * 70_000, b"b"]))
        assert gzip.decompress(service.sent.body) == b"a" * 70_000 + b"b"
        assert service.sent.header("content-encoding") == "gzip"
