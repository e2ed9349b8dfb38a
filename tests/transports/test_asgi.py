"""An app in this process: what its caller gets, and what the app is told."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import tracemalloc
import weakref

import pytest

from callsheet import AsyncClient, Client, Secret
from callsheet.call import Limits
from callsheet.errors import (
    ArgumentError,
    AttemptTimeout,
    MalformedAnswer,
    NotFound,
    ResponseTooLarge,
    UsageError,
)
from callsheet.http.body_sources import AsyncPieces, Pieces
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.streamed_body import StreamedBody
from callsheet.practice import create_app
from callsheet.settings.caps import Caps
from callsheet.transports.asgi import ASGITransport, AsyncASGITransport
from tests.contract.apps import body_of, echo_app
from tests.contract.worlds import LIMITS, AsyncioWorld, BlockingWorld, request
from tests.loops import COLOURS

URL = "http://app.test/x"
MIB = 1 << 20


@pytest.fixture(params=COLOURS)
def world_of(request):
    """Makes a world for an app."""
    made = []

    def make(app, **options):
        if request.param == "blocking":
            made.append(BlockingWorld(transport=ASGITransport(app, **options)))
        else:
            made.append(AsyncioWorld(transport=AsyncASGITransport(app, **options), loop=request.param))
        return made[-1]

    yield make
    for world in made:
        world.end()


def start(status=200, *headers):
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(content=b"", more=False):
    return {"type": "http.response.body", "body": content, "more_body": more}


def answering(*messages):
    async def app(scope, receive, send):
        for message in messages:
            if isinstance(message, Exception):
                raise message
            await send(message)

    return app


def test_what_an_app_is_told(world_of):
    scopes = []

    async def app(scope, receive, send):
        scopes.append(scope)
        await answering(start(204), body())(scope, receive, send)

    headers = Headers({"X-Key": Secret("s3cret"), "Host": "other.test"})
    wanted = Request("POST", "https://app.test:8443/v1/a%2Fb/%C3%A9?q=%20", headers)
    assert world_of(app, root_path="/v1").send(wanted).status_code == 204
    (scope,) = scopes
    facts = {
        name: scope[name] for name in ("type", "http_version", "method", "scheme", "path", "raw_path", "root_path")
    }
    assert facts == {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": "/v1/a/b/é",
        "raw_path": b"/v1/a%2Fb/%C3%A9",
        "root_path": "/v1",
    }
    assert (scope["query_string"], scope["server"], scope["asgi"]["version"]) == (b"q=%20", ("app.test", 8443), "3.0")
    assert dict(scope["headers"]) == {
        b"x-key": b"s3cret",
        b"host": b"other.test",
        b"accept": b"*/*",
        b"accept-encoding": dict(scope["headers"])[b"accept-encoding"],
        b"content-length": b"0",
    }


def test_a_body_comes_in_pieces_and_then_a_disconnect(world_of):
    seen = []

    async def app(scope, receive, send):
        while (message := await receive())["type"] == "http.request":
            seen.append((len(message["body"]), message["more_body"]))
            if not message["more_body"]:
                await answering(start(), body())(scope, receive, send)
        seen.append(message["type"])

    world = world_of(app)
    world.send(request(URL, "POST", b"a" * 150_000))
    assert seen == [(65_536, True), (65_536, True), (18_928, False), "http.disconnect"]
    seen.clear()
    world.send(request(URL))
    assert seen == [(0, False), "http.disconnect"]


def test_a_body_of_unknown_length_is_read_by_the_thread_that_sends_it(world_of):
    threads = set()

    def pieces():
        for number in range(3):
            threads.add(threading.get_ident())
            yield b"%d," % number

    seen = world_of(echo_app).send(Request("POST", URL, Headers(), StreamedBody(Pieces(pieces())))).json()
    assert (seen["text"], seen["headers"]["Transfer-Encoding"]) == ("0,1,2,", "chunked")
    assert threads == {threading.get_ident()}


def test_what_reading_a_body_raises_is_raised(world_of):
    def pieces():
        yield b"a"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        world_of(echo_app, raise_app_exceptions=False).send(
            Request("POST", URL, Headers(), StreamedBody(Pieces(pieces())))
        )


async def async_pieces():
    yield b"a"
    yield "b"


def test_an_async_iterator_is_for_tasks_only(world_of):
    world = world_of(echo_app)
    wanted = Request("POST", URL, Headers(), StreamedBody(AsyncPieces(async_pieces())))
    if isinstance(world, AsyncioWorld):
        assert world.send(wanted).json()["text"] == "ab"
    else:
        with pytest.raises(UsageError, match="async iterator"):
            world.send(wanted)


def test_a_file_that_shrank_is_told(world_of, tmp_path):
    from callsheet.http.files import PathFile

    (tmp_path / "f").write_bytes(b"abc")
    stored = PathFile(tmp_path / "f")
    wanted = Request("POST", URL, Headers(), StreamedBody(stored))
    assert wanted.body.length == 3
    assert world_of(echo_app).send(wanted).json()["text"] == "abc"
    (tmp_path / "f").write_bytes(b"a")
    with pytest.raises((ArgumentError, OSError)):
        world_of(echo_app).send(wanted)


class AppError(Exception):
    pass


@pytest.mark.parametrize("is_stream", [False, True])
def test_an_exception_of_the_app_is_raised_where_the_call_is_made(world_of, is_stream):
    with pytest.raises(AppError):
        world_of(answering(AppError())).send(request(URL, is_stream=is_stream))


def test_an_exception_after_the_answer_is_raised_too(world_of):
    with pytest.raises(AppError):
        world_of(answering(start(), body(), AppError())).get(URL)


def test_an_exception_in_the_middle_of_a_stream_is_raised_when_it_is_read(world_of):
    reading = world_of(answering(start(), body(b"abc", more=True), AppError())).open(URL)
    assert reading.read() == b"abc"
    with pytest.raises(AppError):
        reading.read()
    reading.close()


@pytest.mark.parametrize("is_stream", [False, True])
def test_an_exception_can_be_what_a_server_makes_of_it(world_of, is_stream):
    world = world_of(answering(AppError()), raise_app_exceptions=False)
    answered = world.send(request(URL, is_stream=is_stream))
    content = world.read(answered.stream) if is_stream else answered.content
    assert (answered.status_code, content) == (500, b"Internal Server Error")
    if is_stream:
        assert world.read(answered.stream) == b""
        answered.stream.close()
    world = world_of(answering(start(), body(b"abc", more=True), AppError()), raise_app_exceptions=False)
    assert isinstance(world.failure(URL), MalformedAnswer)
    assert world_of(answering(start(), body(), AppError()), raise_app_exceptions=False).get(URL).status_code == 200


@pytest.mark.parametrize(
    ("app", "message"),
    [
        (answering(), "returned without an answer"),
        (answering(start()), "returned without an answer"),
        (answering(start(), body(b"abc", more=True)), "in the middle of its answer"),
        (answering(start(200, (b"content-length", b"9")), body(b"abc")), "6 bytes missing"),
    ],
)
def test_half_an_answer_is_none(world_of, app, message):
    error = world_of(app).failure(URL)
    assert isinstance(error, MalformedAnswer)
    assert message in str(error)
    assert error.was_sent


@pytest.mark.parametrize(
    "app",
    [
        answering(body()),
        answering(start(), start()),
        answering(start(), body(), body()),
        answering({"type": "websocket.close"}),
        answering(start(200, (b"content-length", b"1")), body(b"ab")),
    ],
)
def test_an_app_that_breaks_the_rules_is_told(world_of, app):
    with pytest.raises(RuntimeError, match="the app sent"):
        world_of(app).get(URL)


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_an_answer_without_body(world_of, method, status):
    app = answering(start(status, (b"content-length", b"5000000000")), body(b"abc"))
    assert world_of(app).send(request(URL, method)).content == b""


@pytest.mark.parametrize("told", [b"9223372036854775808", b"+3", b"-3", b"3 3", b"", b"0x3", b"\xb3", b"3, 4"])
def test_a_content_length_that_is_none_is_no_answer(world_of, told):
    error = world_of(answering(start(200, (b"content-length", told)), body(b"abc"))).failure(URL)
    assert isinstance(error, MalformedAnswer)
    assert "Content-Length is no length" in str(error)
    assert error.was_sent


def test_a_content_length_may_be_told_twice(world_of):
    assert world_of(answering(start(200, (b"content-length", b"3, 03")), body(b"abc"))).get(URL).content == b"abc"


def test_caps_hold(world_of):
    small = LIMITS._replace(caps=Caps(response=1000, headers=100, header_count=2))
    error = world_of(answering(start(), body(b"a" * 1001))).failure(URL, small)
    assert isinstance(error, ResponseTooLarge)
    assert "1000 bytes (caps.response)" in str(error)
    assert isinstance(
        world_of(answering(start(200, (b"content-length", b"1001")))).failure(URL, small), ResponseTooLarge
    )
    assert "caps.headers" in str(world_of(answering(start(200, (b"x", b"a" * 100)), body())).failure(URL, small))
    assert "caps.header_count" in str(world_of(answering(start(200, *[(b"x", b"")] * 3), body())).failure(URL, small))
    assert world_of(answering(start(), body(b"a" * 1000))).get(URL, small).status_code == 200


def never_ending(at):
    async def app(scope, receive, send):
        if at == "body":
            await send(start())
            await send(body(b"abc", more=True))
        while (await receive())["type"] != "http.disconnect":
            pass
        await asyncio.sleep(30)

    return app


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_body_in_tiny_pieces_takes_the_memory_of_the_body(world_of, is_stream):
    count = 30_000

    async def app(scope, receive, send):
        await send(start())
        for number in range(count):
            await send(body(b"%02d" % (number % 100), more=True))
        await send(body())

    world = world_of(app)
    world.get(URL)  # imports and caches are not counted
    tracemalloc.start()
    try:
        answer = world.send(request(URL, is_stream=is_stream))
        content = b"".join(iter(lambda: world.read(answer.stream), b"")) if is_stream else answer.content
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(content) == 2 * count
    assert peak < 4 * len(content) + 200_000


@pytest.mark.parametrize("is_stream", [False, True])
def test_the_attempt_limit_holds(world_of, is_stream):
    error = world_of(never_ending("start")).failure(request(URL, is_stream=is_stream), Limits(1.0, None, 0.05))
    assert isinstance(error, AttemptTimeout)
    assert "0.05 s (timeout.attempt)" in str(error)
    assert error.was_sent


def test_the_read_limit_and_the_whole_limit_hold(world_of):
    for limits, text in ((LIMITS._replace(read=0.05), "timeout.read"), (LIMITS._replace(whole=0.05), "timeout.total")):
        reading = world_of(never_ending("body")).open(URL, limits)
        assert reading.read() == b"abc"
        with pytest.raises(AttemptTimeout, match=text):
            reading.read()
        reading.close()


def test_work_after_the_answer_is_awaited_but_takes_no_answer_away(world_of):
    done = []

    async def app(scope, receive, send):
        await answering(start(), body(b"abc"))(scope, receive, send)
        await asyncio.sleep(float(scope["query_string"]))
        done.append(True)

    world = world_of(app)
    assert world.get(f"{URL}?0.01").content == b"abc"
    assert done == [True]
    assert world.get(f"{URL}?30", Limits(1.0, None, 0.05)).content == b"abc"
    assert done == [True]


def test_an_app_waits_for_who_does_not_read(world_of):
    sent = []

    async def app(scope, receive, send):
        await send(start())
        for _ in range(64):
            await send(body(b"a" * 65_536, more=True))
            sent.append(65_536)
        await send(body())

    world = world_of(app)
    reading = world.open(URL)
    for _ in range(5):
        world_of(echo_app).get(URL)
    assert sum(sent) <= MIB
    assert len(reading.rest()) == 4 * MIB
    reading.close()


def test_closing_a_stream_tells_the_app(world_of):
    told = threading.Event()

    async def app(scope, receive, send):
        await send(start())
        try:
            while True:
                await send(body(b"a" * 65_536, more=True))
        except OSError:
            told.set()

    world = world_of(app)
    reading = world.open(URL)
    assert reading.read()
    reading.close()
    reading.close()
    with pytest.raises(UsageError, match="closed"):
        reading.read()
    if isinstance(world, AsyncioWorld):
        world.run(asyncio.sleep(0))
    assert told.wait(5.0)


def test_closing_a_stream_ends_its_reading_at_once(world_of):
    world = world_of(never_ending("body"))
    reading = world.open(URL, LIMITS._replace(read=8.0))
    assert reading.read() == b"abc"
    error = world.ended_by(reading.close, world.start_reading(reading.stream))
    assert isinstance(error, UsageError)
    assert "closed" in str(error)


def test_closing_the_transport_ends_a_call_in_flight(world_of):
    entered = threading.Event()

    async def app(scope, receive, send):
        entered.set()
        await asyncio.sleep(30)

    world = world_of(app)
    error = world.closed_during(world.start(request(URL)), lambda: entered.wait(5.0))
    assert isinstance(error, UsageError)
    assert "closed while this call was in flight" in str(error)
    with pytest.raises(UsageError, match="is closed"):
        world.get(URL)


def test_an_interrupted_call_tells_the_app(world_of):
    entered, told = threading.Event(), threading.Event()

    async def app(scope, receive, send):
        entered.set()
        await body_of(receive)
        await receive()
        told.set()

    world = world_of(app)
    assert not isinstance(world.interrupted(world.start(request(URL)), lambda: entered.wait(5.0)), AssertionError)
    if isinstance(world, AsyncioWorld):
        world.run(asyncio.sleep(0))
    assert told.wait(5.0)


def test_an_app_keeps_its_loop_between_calls(world_of):
    loops = []

    async def app(scope, receive, send):
        loops.append(asyncio.get_running_loop())
        await answering(start(), body())(scope, receive, send)

    world = world_of(app)
    world.get(URL)
    world.get(URL)
    assert len(set(loops)) == 1


def test_an_app_that_calls_itself_by_its_own_transport_is_refused():
    async def app(scope, receive, send):
        transport.send(request(URL), LIMITS)

    with ASGITransport(app) as transport, pytest.raises(UsageError, match="calls itself"):
        transport.send(request(URL), LIMITS)


def test_a_thread_ends_with_a_transport_that_nobody_holds():
    def threads():
        return [each for each in threading.enumerate() if each.name == "callsheet-asgi"]

    transport = ASGITransport(echo_app)
    assert transport.send(request(URL), LIMITS)[0].status_code == 200
    assert len(threads()) == 1
    gone = weakref.ref(transport)
    del transport
    gc.collect()
    assert gone() is None
    until = time.monotonic() + 5.0
    while threads() and time.monotonic() < until:
        pass
    assert threads() == []


def test_a_client_calls_the_practice_api():
    with ASGITransport(create_app()) as transport, Client(base_url="http://shop.test", transport=transport) as shop:
        assert shop.post("/users", json={"name": "Ada", "email": "ada@example.net"}).status_code == 201
        with pytest.raises(NotFound):
            shop.get("/users/4711")
        with shop.stream("GET", "/stream/100") as answer:
            assert [each["id"] for each in answer.iter_json_lines()] == list(range(1, 101))


def test_an_async_client_calls_the_practice_api():
    async def calls():
        transport = AsyncASGITransport(create_app())
        async with transport, AsyncClient(base_url="http://shop.test", transport=transport) as shop:
            answers = await asyncio.gather(*(shop.get("/users") for _ in range(20)))
            assert {each.status_code for each in answers} == {200}
            async with shop.stream("GET", "/events?count=3") as answer:
                assert [event.id async for event in answer.iter_events()] == ["1", "2", "3"]

    asyncio.run(calls())


def test_many_threads_call_one_app():
    with ASGITransport(echo_app) as transport, Client(base_url="http://shop.test", transport=transport) as shop:
        wrong = []

        def work(number):
            wrong.extend(n for n in range(20) if shop.post("/", json=[number, n]).json()["json"] != [number, n])

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
