"""An answer becomes its declared type, or an error that says why not."""

import dataclasses

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from callsheet.errors import DecodeError, NotFound, Redirected, ValidationError
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.plan.results import reader_for
from callsheet.secret import Secret
from callsheet.values.typeref import TypeRef


class User(BaseModel):
    id: int
    name: str = "nobody"


@dataclasses.dataclass
class UserData:
    id: int


class UserDict(TypedDict):
    id: int


def of(declared):
    return TypeRef("python", declared)


def answer(content=b'{"id": 7}', status=200, method="GET", headers=None, secrets=()):
    request = Request(method, "https://shop.test/users/7", Headers(), secrets=secrets)
    return Response(status, request=request, content=content, headers=Headers(headers or {}))


@pytest.mark.parametrize(
    ("declared", "content", "value"),
    [
        (of(User), b'{"id": 7, "new": [1]}', User(id=7)),
        (of(UserData), b'{"id": 7, "new": 1}', UserData(7)),
        (of(UserDict), b'{"id": 7}', {"id": 7}),
        (of(list[User]), b'[{"id": 7}, {"id": 8}]', [User(id=7), User(id=8)]),
        (of(dict[str, int]), b'{"a": 1}', {"a": 1}),
        (of(int | None), b"null", None),
        (of(bool), b"true", True),
        (TypeRef("name", "integer"), b"7", 7),
        (TypeRef("name", "string"), b'"x"', "x"),
        (TypeRef("name", "array"), b'[1, "a"]', [1, "a"]),
        (TypeRef("name", "object"), b'{"a": null}', {"a": None}),
        (TypeRef("json_schema", {"type": "object", "required": ["id"]}), b'{"id": 7, "x": 1}', {"id": 7, "x": 1}),
    ],
)
def test_each_kind_of_type_is_read(declared, content, value):
    found = reader_for(declared)(answer(content))
    assert (found, type(found)) == (value, type(value))


def test_nothing_declared_is_the_response():
    sent = answer(b"<html>")
    assert reader_for(None)(sent) is sent


@pytest.mark.parametrize("sent", [answer(b"", 204), answer(b"", 205), answer(b"", method="HEAD")])
def test_an_answer_without_a_body_is_none(sent):
    assert reader_for(of(User))(sent) is None


def test_html_with_200_is_a_decode_error_with_a_short_beginning():
    page = b"<html><body>Sign in, canary-7! " + b"x" * 5000
    with pytest.raises(DecodeError) as caught:
        reader_for(of(User))(answer(page, headers={"Content-Type": "text/html"}, secrets=(Secret("canary-7"),)))
    message = str(caught.value)
    assert message.startswith("200: the answer is not JSON (text/html): '<html><body>Sign in, ***! xxx")
    assert len(message) < 300
    assert caught.value.response.content == page


def test_a_secret_that_the_beginning_would_cut_is_masked_first():
    secret = "canary" * 100
    with pytest.raises(DecodeError) as caught:
        reader_for(of(User))(answer(b"<" + b"y" * 150 + secret.encode(), secrets=(Secret(secret),)))
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b'{"id": 7', b"\xff\xfe", b"\x1f\x8b"])
def test_what_is_no_json_is_a_decode_error(content):
    with pytest.raises(DecodeError, match="200: the answer is not JSON"):
        reader_for(of(User))(answer(content))


@pytest.mark.parametrize(
    ("declared", "content", "place"),
    [
        (of(User), b'{"id": "seven"}', ("id",)),
        (of(User), b"{}", ("id",)),
        (of(User), b"[]", ()),
        (of(list[User]), b'[{"id": 1}, {"id": null}]', (1, "id")),
        (TypeRef("json_schema", {"properties": {"id": {"type": "integer"}}}), b'{"id": "x"}', ("id",)),
    ],
)
def test_another_type_is_a_validation_error_with_its_places(declared, content, place):
    with pytest.raises(ValidationError, match="200: the answer is not of the declared type: ") as caught:
        reader_for(declared)(answer(content))
    assert [error["loc"] for error in caught.value.errors] == [place]
    assert ".".join(map(str, place)) in str(caught.value)
    assert caught.value.status_code == 200


def test_the_answers_own_values_are_not_told():
    with pytest.raises(ValidationError) as caught:
        reader_for(of(User))(answer(b'{"id": "canary"}'))
    assert "canary" not in f"{caught.value} {caught.value.errors}"


BY_STATUS = {200: of(User), 202: None, "2xx": TypeRef("name", "object"), 304: None, "default": of(int)}


@pytest.mark.parametrize(
    ("status", "content", "value"),
    [
        (200, b'{"id": 7}', User(id=7)),
        (202, b"accepted", None),
        (201, b'{"a": 1}', {"a": 1}),
        (204, b"", None),
        (304, b"", None),
    ],
)
def test_a_status_chooses_its_type(status, content, value):
    assert reader_for(BY_STATUS)(answer(content, status)) == value


def test_the_rest_is_the_default():
    assert reader_for({202: None, "default": of(int)})(answer(b"7", 200)) == 7


def test_a_status_without_a_type_is_the_response():
    sent = answer(b"x", 202)
    assert reader_for({200: of(User)})(sent) is sent


@pytest.mark.parametrize("returns", [of(User), {200: of(User)}, BY_STATUS])
def test_a_redirect_is_no_result(returns):
    with pytest.raises(Redirected, match="302 Found, where a typed result is declared"):
        reader_for(returns)(answer(b"", 302))


def test_a_redirect_with_a_type_of_its_own_is_a_result():
    assert reader_for({303: of(User)})(answer(status=303)) == User(id=7)


def test_the_whole_way(shop):
    from tests.servers import answer_json

    operations = {"get_user": {"get": "/users/{id}", "returns": {"type": "object", "required": ["id"]}}}
    script = [answer_json({"id": 7}), answer_json({}), answer_json({"title": "none"}, 404), answer_json({}, 404)]
    with shop(operations, script=script) as service:
        assert service.call("get_user", id=7) == {"id": 7}
        with pytest.raises(
            ValidationError, match=r"^shop\.get_user: GET /users/\{id\}: 200: the answer is not of the declared type: "
        ):
            service.call("get_user", id=7)
        with pytest.raises(NotFound, match=r"^shop\.get_user: GET /users/\{id\}: 404 Not Found: none$"):
            service.call("get_user", id=7)
        assert service.call("get_user", id=7, raise_for_status=False).status_code == 404
