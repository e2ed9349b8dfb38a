"""What a service sees, and what a caller gets back: true of every transport, with or without sockets."""

from __future__ import annotations

import pytest

from tests.contract.worlds import COLOURS, WITHOUT_SOCKETS, World, request
from tests.servers import EchoServer


@pytest.fixture(params=COLOURS + WITHOUT_SOCKETS)
def colour(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def service(colour: str, echo_server: EchoServer) -> str:
    return "http://app.test" if colour in WITHOUT_SOCKETS else echo_server.url


def echoed(world: World, *arguments: object, **fields: str) -> dict:
    return world.send(request(*arguments, **fields)).json()  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_the_method_arrives(world: World, service: str, method: str) -> None:
    assert echoed(world, f"{service}/x", method)["method"] == method


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_body_arrives_with_its_length(world: World, service: str, method: str) -> None:
    seen = echoed(world, f"{service}/x", method, b'{"name": "Ada"}')
    assert (seen["method"], seen["json"], seen["headers"]["Content-Length"]) == (method, {"name": "Ada"}, "15")


@pytest.mark.parametrize("size", [0, 1, 16_384, 65_537, 3_000_000])
def test_a_body_of_any_size_arrives_whole(world: World, service: str, size: int) -> None:
    assert echoed(world, f"{service}/x", "POST", b"a" * size)["text"] == "a" * size


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_without_a_body_these_say_that_it_is_empty(world: World, service: str, method: str) -> None:
    assert echoed(world, f"{service}/x", method)["headers"]["Content-Length"] == "0"


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
def test_without_a_body_these_say_nothing_of_it(world: World, service: str, method: str) -> None:
    assert "Content-Length" not in echoed(world, f"{service}/x", method)["headers"]


@pytest.mark.parametrize(
    "target",
    [
        "/a%2Fb",
        "/a%2fb",
        "/%7Euser",
        "/~user",
        "/a//b",
        "/a/../b",
        "/a/./b",
        "/%2e%2e/b",
        "/a;v=1",
        "/x?q=a+b&q=a%20b",
        "/x?",
        "/?q=%c3%a9",
        "/x?q=%C3%A9&empty=",
        "/x?a=/../b",
        "/:@!$&'()*+,=",
    ],
)
def test_the_target_arrives_byte_for_byte(world: World, service: str, target: str, colour: str) -> None:
    if target == "/x?" and colour in WITHOUT_SOCKETS:
        target = "/x"  # an app is not told of a question mark with nothing behind it
    assert echoed(world, service + target)["target"] == target


def test_fields_arrive_and_those_unset_have_no_invented_value(world: World, service: str) -> None:
    headers = echoed(world, f"{service}/x", "POST", b"{}", X_Name="Ada", X_Empty="")["headers"]
    assert headers["X-Name"] == "Ada"
    assert headers["X-Empty"] == ""
    assert headers["Accept"] == "*/*"
    assert {"Content-Type", "User-Agent", "Expect"}.isdisjoint(headers)


def test_a_field_keeps_its_latin_1_bytes(world: World, service: str) -> None:
    assert echoed(world, f"{service}/x", X_Name="Zoë")["headers"]["X-Name"] == "Zoë"


def test_one_request_leaves_nothing_to_the_next(world: World, service: str) -> None:
    echoed(world, f"{service}/x", "PUT", b"secret", Authorization="Bearer x", Content_Type="text/plain")
    seen = echoed(world, f"{service}/y")
    assert (seen["method"], seen["text"]) == ("GET", "")
    assert {"Authorization", "Content-Type", "Content-Length"}.isdisjoint(seen["headers"])


def test_an_answer_says_what_it_answers(world: World, service: str) -> None:
    answer = world.get(f"{service}/x?a=1")
    assert (answer.status_code, answer.reason_phrase, answer.http_version) == (200, "OK", "1.1")
    assert answer.headers["content-type"] == "application/json"
    assert answer.url == f"{service}/x?a=1"


def test_many_at_once_get_each_its_own_answer(world: World, service: str) -> None:
    answers = world.together([request(f"{service}/{number}") for number in range(50)])
    assert [answer.json()["target"] for answer in answers] == [f"/{number}" for number in range(50)]  # type: ignore[union-attr]


def test_a_stream_brings_the_same_body(world: World, service: str) -> None:
    reading = world.open(f"{service}/x")
    assert b'"target": "/x"' in reading.rest()
    assert reading.read() == b""
    reading.close()
