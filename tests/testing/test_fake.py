"""Scripted answers in both colours."""

import asyncio
import contextlib
import gzip
import pickle
import subprocess
import sys
import threading

import pytest

from callsheet import AsyncClient, Client, Sheet
from callsheet.errors import (
    AttemptTimeout,
    ConnectTimeout,
    DeadlinePassed,
    MalformedAnswer,
    NoAnswer,
    NotFound,
    NotSent,
    ResponseTooLarge,
    ServerError,
    UsageError,
)
from callsheet.testing import FakeTransport, FrozenClock, UnexpectedRequest
from tests.loops import colours, new_runner

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

    def opened(self):
        return self.shop.call("export")

    def shut(self, stream):
        stream.close()

    def rest(self, stream):
        return stream.read()

    def call_and_close_after(self, seconds, *arguments, **named):
        """What comes of a call during which the client is closed at that time of the clock."""

        def closing():
            self.clock.sleep(seconds)
            self.client.close()

        closer = threading.Thread(target=closing)
        closer.start()
        try:
            return self.call(*arguments, **named)
        finally:
            closer.join()

    def close(self):
        self.client.close()


class Asynchronous(Blocking):
    loop = "asyncio"

    def __init__(self, **settings):
        self.runner = new_runner(self.loop)
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

    def opened(self):
        return self.runner.run(self.shop.call("export"))

    def shut(self, stream):
        self.runner.run(stream.aclose())

    def rest(self, stream):
        return self.runner.run(stream.read())

    def call_and_close_after(self, seconds, *arguments, **named):
        async def steps():
            call = asyncio.create_task(self.shop.call(*arguments, **named))
            await self.clock.asleep(seconds)
            await self.client.aclose()
            return await call

        return self.runner.run(steps())

    def close(self):
        self.runner.run(self.client.aclose())
        self.runner.close()


@pytest.fixture(params=colours(Blocking, Asynchronous))
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


def test_one_transport_serves_both_colours():
    fake = FakeTransport()
    fake.on("GET", "/x").respond(text="first").respond(text="second")

    async def second():
        async with AsyncClient(base_url="https://a.test", transport=fake) as client:
            return (await client.get("/x")).text

    with Client(base_url="https://a.test", transport=fake) as client:
        assert client.get("/x").text == "first"
    assert asyncio.run(second()) == "second"
    assert len(fake.calls) == 2


def test_what_is_not_scripted_is_never_tried_again_and_told_at_the_end(open_world):
    with open_world() as world:
        world.fake.on("GET", "/users/{id}").respond()
        with pytest.raises(UnexpectedRequest) as caught:
            world.request("DELETE", "/users/7")
        assert isinstance(caught.value, AssertionError)
        assert (caught.value.attempts, caught.value.was_sent) == (1, False)
        assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args
        world.call("get", id="1")
        with pytest.raises(
            AssertionError, match=r"asked for, and not scripted: DELETE https://shop\.test/v1/users/7; "
        ):
            world.fake.assert_all_called()


def test_a_script_may_end(open_world):
    with open_world() as world:
        world.fake.on("GET", "/users/{id}").respond(json=1).nothing_more()
        world.call("get", id="1")
        with pytest.raises(
            UnexpectedRequest, match=r"no answer is scripted for GET .*; scripted are: GET /users/\{id\}"
        ):
            world.call("get", id="1")


def test_what_nothing_else_is_for_may_be_scripted(open_world):
    with open_world() as world:
        world.fake.on("GET", "/users/{id}").respond(text="user")
        world.fake.otherwise().call(lambda sent: [sent.method, sent.path])
        assert world.call("get", id="1").text == "user"
        assert world.request("PATCH", "/x").json() == ["PATCH", "/v1/x"]
        assert world.fake.otherwise().calls == world.fake.calls[1:]


def test_calls_to_a_script_that_is_none_are_refused(open_world):
    with open_world() as world:
        world.fake.on("GET", "/users").respond()
        with pytest.raises(UsageError, match=r"calls_to: nothing is scripted for GET /user; scripted are: GET /users"):
            world.fake.calls_to("GET", "/user")


def test_what_was_sent_says_when_and_stands_as_on_the_wire(open_world):
    with open_world(retry="off") as world:
        world.fake.on("POST", "/users").respond(delay=2.5)
        world.call("make", name="Ada")
        world.call("make", name="Ada")
        sent = world.fake.calls[1]
        assert [call.at for call in world.fake.calls] == [0.0, 2.5]
        assert (sent.headers["host"], sent.headers["content-length"], sent.text) == (
            "shop.test",
            "14",
            '{"name":"Ada"}',
        )
        assert sent.headers["accept-encoding"].startswith("gzip")


def test_what_was_sent_shows_no_secret(open_world):
    with open_world(auth={"api_key": {"query": "key", "value": "canary-7"}}) as world:
        world.fake.on("GET", "/users/{id}").respond()
        world.call("get", id="1")
        assert world.fake.calls[0].query == [("key", "canary-7")]
        assert "canary-7" not in repr(world.fake.calls)
        with pytest.raises(UnexpectedRequest) as caught:
            world.request("GET", "/x")
        assert "canary-7" not in str(caught.value)
        with pytest.raises(AssertionError, match="key=\\*\\*\\*"):
            world.fake.assert_all_called()


LIMITS = [
    ({"delay": 10.0}, {"attempt": 10}, 10.0, None),
    ({"delay": 10.5}, {"attempt": 10}, 10.0, "not answered within 10 s (timeout.attempt)"),
    ({"delay": 3.5}, {"read": 3}, 3.0, "no byte for 3 s (timeout.read)"),
    ({"chunks": [b"a", 2.0, b"b", 2.0, b"c"]}, {"read": 3}, 4.0, None),
    ({"chunks": [b"a", 4.0, b"b"]}, {"read": 3}, 3.0, "no byte for 3 s (timeout.read)"),
    ({"chunks": [b"a", *[2.5, b"b"] * 5]}, {"read": 3}, 10.0, "not answered within 10 s (timeout.attempt)"),
]


@pytest.mark.parametrize(("reply", "timeout", "seconds", "told"), LIMITS)
def test_the_limits_of_an_attempt_hold_on_the_clock(open_world, reply, timeout, seconds, told):
    with open_world(retry="off", timeout=timeout) as world:
        world.fake.on("GET", "/users/{id}").respond(**reply)
        raises = pytest.raises(AttemptTimeout) if told else contextlib.nullcontext()
        with raises as caught:
            world.call("get", id="1")
        assert told is None or told in str(caught.value)
        assert world.clock.now() == pytest.approx(seconds)


def test_a_stream_takes_its_time_and_keeps_its_limits(open_world):
    with open_world(timeout={"read": 3}) as world:
        export = world.fake.on("GET", "/export").respond(chunks=["one", 2.5, b"two", 2.5])
        export.respond(chunks=["one", 3.5]).respond(delay=12.0)
        assert world.read() == b"onetwo"
        assert world.clock.now() == 5.0
        with pytest.raises(AttemptTimeout, match=r"no byte for 3 s \(timeout\.read\)"):
            world.read()
        assert world.clock.now() == 8.0


def test_a_total_that_is_written_bounds_a_stream(open_world):
    with open_world() as world:
        world.fake.on("GET", "/export").respond(chunks=[b"a", *[1.0, b"b"] * 50])
        with pytest.raises(DeadlinePassed):
            world.read(timeout={"total": 12})
        assert world.clock.now() == pytest.approx(12.0)


def test_a_stream_that_is_closed_is_not_read(open_world):
    with open_world() as world:
        world.fake.on("GET", "/export").respond(content=b"x")
        stream = world.opened()
        world.shut(stream)
        with pytest.raises(UsageError, match="the answer is closed"):
            world.rest(stream)


def test_hanging_ends_at_the_first_limit(open_world):
    with open_world(retry="off", timeout={"read": 3}) as world:
        world.fake.on("GET", "/users/{id}").hang()
        with pytest.raises(AttemptTimeout):
            world.call("get", id="1")
        assert world.clock.now() == 3.0


CAPS = [
    ({"caps": {"response": 10}}, {"content": b"x" * 11}, ResponseTooLarge, "larger than 10 bytes"),
    (
        {"caps": {"header_count": 3}},
        {"headers": {"A": "", "B": "", "C": ""}},
        MalformedAnswer,
        "4 header fields, at most 3",
    ),
    ({"caps": {"headers": 64}}, {"headers": {"A": "x" * 80}}, MalformedAnswer, "bytes of header fields, at most 64"),
]


@pytest.mark.parametrize(("settings", "reply", "error", "told"), CAPS)
def test_caps_hold(open_world, settings, reply, error, told):
    with open_world(retry="off", **settings) as world:
        world.fake.on("GET", "/users/{id}").respond(**reply)
        with pytest.raises(error, match=told):
            world.call("get", id="1")


def test_an_answer_has_the_fields_and_the_body_that_its_status_calls_for(open_world):
    with open_world() as world:
        world.fake.on("HEAD", "/users/7").respond(json={"id": 7})
        world.fake.on("DELETE", "/users/7").respond(204, text="ignored")
        world.fake.on("GET", "/users/7").respond(headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")], json=None)
        head, gone, answer = (world.request(method, "/users/7") for method in ("HEAD", "DELETE", "GET"))
        assert (head.content, head.headers["content-length"], head.headers["content-type"]) == (
            b"",
            "9",
            "application/json",
        )
        assert (gone.content, "content-length" in gone.headers, gone.reason_phrase) == (b"", False, "No Content")
        assert (answer.json(), answer.headers.get_list("set-cookie")) == (None, ["a=1", "b=2"])


def test_a_coded_body_is_decoded_as_from_the_wire(open_world):
    with open_world() as world:
        world.fake.on("GET", "/users/{id}").respond(
            content=gzip.compress(b"hello"), headers={"Content-Encoding": "gzip"}
        )
        assert world.call("get", id="1").text == "hello"


SLIPS = [
    ({"json": 1, "text": "x"}, "`json` and `text` are both given; an answer has one body"),
    ({"status": 100}, "expected a status from 200 to 599, found 100"),
    ({"status": True}, "expected a status from 200 to 599, found True"),
    ({"delay": -1}, "expected a delay of seconds, 0 or more, found -1"),
    ({"json": {1, 2}}, "`json` cannot be written as JSON"),
    ({"chunks": [None]}, "a chunk is bytes, text, or seconds until the next one; found None"),
    ({"chunks": [-1]}, "a chunk is bytes, text, or seconds until the next one; found -1"),
]


@pytest.mark.parametrize(("options", "told"), SLIPS)
def test_what_cannot_be_answered_is_refused(options, told):
    with pytest.raises(UsageError, match=told):
        FakeTransport().on("GET", "/x").respond(**options)


def test_a_function_may_be_a_coroutine_for_tasks_alone():
    async def answer(sent):
        await fake.clock.asleep(2.0)
        return sent.path.encode()

    async def asked():
        async with AsyncClient(base_url="https://a.test", transport=fake) as client:
            return (await client.get("/x")).content

    fake = FakeTransport()
    fake.on("GET", "/x").call(answer)
    assert asyncio.run(asked()) == b"/x"
    assert fake.clock.now() == 2.0
    with (
        Client(base_url="https://a.test", transport=fake) as client,
        pytest.raises(UsageError, match="give a plain function"),
    ):
        client.get("/x")


def test_what_a_function_raises_reaches_the_caller(open_world):
    with open_world() as world:
        world.fake.on("GET", "/users/{id}").call(lambda sent: 1 / 0).call(lambda sent: KeyError("given"))
        with pytest.raises(ZeroDivisionError):
            world.call("get", id="1")
        with pytest.raises(KeyError, match="given"):
            world.call("get", id="1")


def test_a_closed_transport_answers_nothing(open_world):
    with open_world() as world:
        world.fake.on("GET", "/users/{id}").call(lambda sent: world.fake.close()).respond(delay=1.0)
        world.call("get", id="1")
        with pytest.raises(UsageError, match="this fake transport is closed"):
            world.call("get", id="1")


def test_a_transport_that_is_closed_meanwhile_says_so(open_world):
    with open_world() as world:
        world.fake.on("GET", "/users/{id}").respond(chunks=[b"a", 1.0, b"b"])
        world.clock.sleep = lambda seconds: world.fake.close()
        world.clock.asleep = lambda seconds: asyncio.sleep(0, world.fake.close())
        with pytest.raises(UsageError, match="it was closed while this call was in flight"):
            world.call("get", id="1")


def test_closing_the_client_lets_go_of_who_waits_for_a_slot(open_world):
    with open_world(concurrency=1) as world:
        world.fake.on("GET", "/export").respond(chunks=[b"a"])
        holder = world.opened()
        with pytest.raises(UsageError, match=r"shop\.get: GET /users/\{id\}: the client is closed"):
            world.call_and_close_after(2.2, "get", id="1")
        assert world.clock.now() == 2.5  # the waiter looks twice a second; its deadline is at 30
        world.shut(holder)


def test_secrets_are_sent_as_they_are(open_world):
    with open_world(auth={"bearer": "canary-7"}) as world:
        world.fake.on("GET", "/users/{id}").respond()
        world.call("get", id="1")
        assert world.fake.calls[0].headers["authorization"] == "Bearer canary-7"


@pytest.mark.parametrize("colour", ["Client", "AsyncClient"])
def test_a_fake_needs_no_libcurl(colour):
    program = (
        "import asyncio, sys, callsheet\n"
        "from callsheet.testing import FakeTransport\n"
        "fake = FakeTransport()\n"
        "fake.on('GET', '/x').respond(200, json={'id': 7})\n"
        f"client = callsheet.{colour}(base_url='https://shop.test', transport=fake)\n"
        "async def call():\n"
        "    answer = client.get('/x')\n"
        "    return await answer if asyncio.iscoroutine(answer) else answer\n"
        "print(asyncio.run(call()).json(), 'pycurl' in sys.modules)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout, ended.returncode) == ("{'id': 7} False\n", 0), ended.stderr
