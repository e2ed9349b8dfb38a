"""Scripted answers in both colours."""

import asyncio
import contextlib

import pytest

from callsheet import AsyncClient, Client, Sheet
from callsheet.errors import (
    AttemptTimeout,
    ConnectTimeout,
    MalformedAnswer,
    NoAnswer,
    NotFound,
    NotSent,
    ServerError,
    UsageError,
)
from callsheet.testing import FakeTransport, FrozenClock

OPERATIONS = {
    "get": {"get": "/users/{id}"},
    "make": {"post": "/users", "json": "object"},
    "export": {"get": "/export", "stream": True},
}


class Blocking:
    def __init__(self, **settings):
        self.clock = FrozenClock()
        self.fake = FakeTransport(self.clock)
        services = {"shop": {"base_url": "https://shop.test/v1", "operations": OPERATIONS, **settings}}
        self.client = Client(Sheet(services=services), transport=self.fake, clock=self.clock)
        self.shop = self.client.service("shop")

    def call(self, *arguments, **named):
        return self.shop.call(*arguments, **named)

    def request(self, *arguments, **named):
        return self.shop.request(*arguments, **named)

    def read(self, **named):
        with self.shop.call("export", **named) as answer:
            return b"".join(answer.iter_bytes())

    def close(self):
        self.client.close()


class Asynchronous(Blocking):
    def __init__(self, **settings):
        self.runner = asyncio.Runner()
        self.clock = FrozenClock()
        self.fake = FakeTransport(self.clock)
        services = {"shop": {"base_url": "https://shop.test/v1", "operations": OPERATIONS, **settings}}
        self.client = AsyncClient(Sheet(services=services), transport=self.fake, clock=self.clock)
        self.shop = self.client.service("shop")

    def call(self, *arguments, **named):
        return self.runner.run(self.shop.call(*arguments, **named))

    def request(self, *arguments, **named):
        return self.runner.run(self.shop.request(*arguments, **named))

    def read(self, **named):
        async def whole():
            async with await self.shop.call("export", **named) as answer:
                return b"".join([piece async for piece in answer.iter_bytes()])

        return self.runner.run(whole())

    def close(self):
        self.runner.run(self.client.aclose())
        self.runner.close()


@pytest.fixture(params=[Blocking, Asynchronous], ids=["blocking", "asyncio"])
def open_world(request):
    @contextlib.contextmanager
    def opened(**settings):
        world = request.param(**settings)
        try:
            yield world
        finally:
            world.close()

    return opened


def test_answers_are_given_in_turn_and_the_last_one_again(open_world):
    with open_world(retry="off") as world:
        world.fake.on("GET", "/users/{id}").respond(500).respond(200, json={"id": 7})
        with pytest.raises(ServerError):
            world.call("get", id="7")
        assert [world.call("get", id="7").json() for _ in range(3)] == [{"id": 7}] * 3


def test_what_was_sent_can_be_looked_at(open_world):
    with open_world() as world:
        world.fake.on("POST", "/users").respond(201, json={"id": 1})
        world.call("make", name="Ada")
        world.request("POST", "/users?page=2", content=b"raw", headers={"X-A": "b"})
        first, second = world.fake.calls_to("POST", "/users")
        assert (first.method, first.url, first.json()) == ("POST", "https://shop.test/v1/users", {"name": "Ada"})
        assert (second.query, second.content, second.headers["x-a"]) == ([("page", "2")], b"raw", "b")
        assert world.fake.calls == [first, second]


def test_a_streamed_body_is_kept_whole(open_world):
    with open_world() as world:
        world.fake.on("POST", "/users").respond()
        world.request("POST", "/users", content=iter([b"a", b"b"]))
        assert world.fake.calls[0].content == b"ab"


@pytest.mark.parametrize(
    "pattern",
    ["/v1/users/7", "/users/7", "/users/{id}", "https://shop.test/v1/users/{id}", "/users/{id}?a=1", "/{x}/users/{y}"],
)
def test_a_path_is_whole_or_an_end_and_may_have_a_query(open_world, pattern):
    with open_world() as world:
        world.fake.on("get", pattern).respond(200, text="found")
        assert world.request("GET", "/users/7?a=1&b=2").text == "found"


def test_a_whole_path_comes_before_an_end(open_world):
    with open_world() as world:
        world.fake.on("GET", "/users").respond(text="end")
        world.fake.on("GET", "/v1/users").respond(text="whole")
        assert world.request("GET", "/users").text == "whole"
        assert world.request("GET", "/admin/users").text == "end"


@pytest.mark.parametrize("path", ["/users/7/orders", "/musers/7", "/users/"])
def test_what_is_not_scripted_is_an_error_that_lists_what_is(open_world, path):
    with open_world() as world:
        world.fake.on("GET", "/users/{id}").respond()
        with pytest.raises(
            UsageError, match=r"no answer is scripted for GET https://shop\.test/v1.*scripted are: GET /users/\{id\}"
        ):
            world.request("GET", path)
        assert len(world.fake.calls) == 1


FAULTS = [
    ("drop", {}, NoAnswer, 0.0),
    ("drop", {"delay": 3.0}, NoAnswer, 3.0),
    ("refuse", {}, NotSent, 0.0),
    ("hang", {}, AttemptTimeout, 10.0),
    ("connect_timeout", {}, ConnectTimeout, 5.0),
    ("truncate", {}, MalformedAnswer, 0.0),
    ("malformed", {}, MalformedAnswer, 0.0),
]


@pytest.mark.parametrize(("fault", "options", "error", "seconds"), FAULTS)
def test_faults_are_what_the_real_transport_makes_of_them(open_world, fault, options, error, seconds):
    with open_world(retry="off") as world:
        getattr(world.fake.on("POST", "/users"), fault)(**options)
        with pytest.raises(error) as caught:
            world.call("make", name="Ada")
        assert type(caught.value) is error
        assert caught.value.was_sent is not issubclass(error, NotSent)
        assert world.clock.now() == pytest.approx(seconds)


def test_a_kept_connection_that_was_lost_is_replaced_at_once(open_world):
    with open_world() as world:
        world.fake.on("GET", "/users/{id}").drop(on_kept_connection=True).respond()
        assert world.call("get", id="1").attempts == 2
        assert world.clock.now() == 0.0


def test_a_function_may_answer(open_world):
    with open_world() as world:
        route = world.fake.on("POST", "/users")
        route.call(lambda sent: (201, {"was": sent.json()["name"]})).call(lambda sent: 404).call(
            lambda sent: NoAnswer("x")
        )
        assert world.call("make", name="Ada").json() == {"was": "Ada"}
        with pytest.raises(NotFound):
            world.call("make", name="Ada")
        with pytest.raises(NoAnswer):
            world.call("make", name="Ada")


def test_a_stream_comes_in_pieces_and_may_break_off(open_world):
    with open_world() as world:
        big = bytes(40_000)
        world.fake.on("GET", "/export").respond(content=big).truncate(big, after=20_000)
        assert world.read() == big
        with pytest.raises(MalformedAnswer):
            world.read()


def test_scripts_that_were_not_used_can_be_told(open_world):
    with open_world() as world:
        world.fake.on("GET", "/users/{id}").respond().respond()
        world.call("get", id="1")
        with pytest.raises(AssertionError, match=r"never asked for: GET /users/\{id\}: 1 more"):
            world.fake.assert_all_called()
        world.call("get", id="1")
        world.fake.assert_all_called()


def test_a_route_without_a_script_says_so(open_world):
    with open_world() as world:
        world.fake.on("GET", "/users/{id}")
        with pytest.raises(UsageError, match="nothing is scripted; add"):
            world.call("get", id="1")


def test_secrets_are_sent_as_they_are(open_world):
    with open_world(auth={"bearer": "canary-7"}) as world:
        world.fake.on("GET", "/users/{id}").respond()
        world.call("get", id="1")
        assert world.fake.calls[0].headers["authorization"] == "Bearer canary-7"
