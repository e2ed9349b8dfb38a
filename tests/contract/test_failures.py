"""Each way not to get an answer has its class, and says whether the request may have arrived."""

from __future__ import annotations

import pickle

import pytest

from callsheet.call import Limits
from callsheet.errors import (
    ArgumentError,
    AttemptTimeout,
    ConnectTimeout,
    MalformedAnswer,
    NoAnswer,
    NotSent,
    TransportError,
)
from tests.contract.worlds import LIMITS, World, request
from tests.servers import (
    Action,
    BlackholedPort,
    EchoServer,
    RefusedPort,
    ScriptedServer,
    answer,
    answer_early,
    big_header,
    close,
    close_before_reading,
    drip,
    garbage,
    half_chunk,
    half_header_block,
    head,
    lose_answer,
    many_headers,
    raw,
    reset,
    reset_before_reading,
    response,
    silence,
    silent_in_handshake,
    then,
    truncated,
    wait,
)

SOON = Limits(connect=0.15, read=None, attempt=0.15)
QUIET = Limits(connect=2.0, read=0.15, attempt=4.0)


def test_a_refused_connection_was_not_sent(world: World, refused_port: RefusedPort) -> None:
    error = world.failure(refused_port.url)
    assert (type(error), error.was_sent) == (NotSent, False)
    assert "refused" in str(error)


@pytest.mark.parametrize("host", ["a" * 64, "a..b", "name.invalid", "%41", ""])
def test_a_name_that_does_not_resolve_was_not_sent(world: World, host: str) -> None:
    error = world.failure(f"http://{host}/")
    assert (type(error), error.was_sent) == (NotSent, False)
    assert "name not resolved" in str(error)


def test_a_connect_that_hangs_ends_in_time(world: World, blackholed_port: BlackholedPort) -> None:
    error = world.failure(blackholed_port.url, LIMITS._replace(connect=0.15))
    assert (type(error), error.was_sent) == (ConnectTimeout, False)
    assert isinstance(error, TimeoutError)


def test_a_handshake_that_hangs_ends_in_time(tls_world: World) -> None:
    with silent_in_handshake() as server:
        error = tls_world.failure(server.url, LIMITS._replace(connect=0.15))
        assert (type(error), error.was_sent) == (ConnectTimeout, False)


@pytest.mark.parametrize(
    "action",
    [
        silence(),
        drip(response(200, {"X": "a" * 50}), pause=0.02),
        drip(head(200, {"Content-Length": "1000"}) + b"a" * 1000, pause=0.02, size=40),
        then(raw(head(200, {"Content-Length": "9"}) + b"abc"), wait(9)),
    ],
    ids=lambda action: action.name,
)
def test_an_answer_that_takes_too_long_ends_with_the_attempt(world: World, action: Action) -> None:
    with ScriptedServer(action) as server:
        error = world.failure(server.url, SOON)
        assert (type(error), error.was_sent) == (AttemptTimeout, True)
        assert isinstance(error, TimeoutError)
        assert server.wait_closed()


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nX: "])
def test_a_server_that_goes_quiet_ends_at_the_read_limit(world: World, sent: bytes, is_stream: bool) -> None:
    with ScriptedServer(then(raw(sent), silence())) as server:
        error = world.failure(request(server.url, is_stream=is_stream), QUIET)
        assert (type(error), error.was_sent) == (AttemptTimeout, True)
        assert "timeout.read" in str(error)


@pytest.mark.parametrize("is_stream", [False, True])
def test_bytes_that_keep_coming_hold_off_the_read_limit(world: World, is_stream: bool) -> None:
    data = response(200, {"X": "a" * 10}, b"body")
    with ScriptedServer(drip(data, pause=0.005)) as server:
        answered = world.send(request(server.url, is_stream=is_stream), QUIET._replace(read=0.2))
        assert answered.status_code == 200
        if is_stream:
            answered.stream.close()


def test_the_read_limit_leaves_connecting_to_its_own(world: World, blackholed_port: BlackholedPort) -> None:
    error = world.failure(blackholed_port.url, Limits(connect=0.3, read=0.05, attempt=4.0))
    assert type(error) is ConnectTimeout


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        (reset_before_reading(), NoAnswer),
        (close_before_reading(), NoAnswer),
        (reset(), NoAnswer),
        (close(), NoAnswer),
        (then(raw(b"HTTP/1.1 2"), reset()), NoAnswer),
        (then(raw(head(200, {"Content-Length": "9"}) + b"abc"), reset()), NoAnswer),
        (half_header_block(), MalformedAnswer),
        (then(raw(b"HTTP/1.1 200 OK"), close()), NoAnswer),
        (then(raw(b"HTTP/1.1 2"), close()), NoAnswer),
        (truncated(9, b"abc"), MalformedAnswer),
        (truncated(9, b""), MalformedAnswer),
        (half_chunk(), MalformedAnswer),
        (then(raw(head(200, {"Transfer-Encoding": "chunked"}) + b"3\r\nabc\r\n"), close()), MalformedAnswer),
        (then(raw(head(200, {"Transfer-Encoding": "chunked"}) + b"zz\r\nabc\r\n"), close()), NoAnswer),
        (garbage(), MalformedAnswer),
        (then(raw(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"), close()), MalformedAnswer),
        (then(raw(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), close()), MalformedAnswer),
        (then(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), close()), MalformedAnswer),
        (then(raw(b"HTTP/1.1 100 Continue\r\n\r\n"), close()), NoAnswer),
        (big_header(1 << 20), MalformedAnswer),
        (many_headers(5000), MalformedAnswer),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_no_usable_answer(world: World, action: Action, kind: type[TransportError]) -> None:
    with ScriptedServer(action) as server:
        error = world.failure(request(server.url, "POST", b"{}"))
        assert isinstance(error, kind)
        assert error.was_sent
        assert not error.on_kept_connection
        assert len(server.requests) <= server.connections == 1


@pytest.mark.parametrize("size", [0, 10, 1_000_000])
def test_a_post_whose_answer_is_lost_on_a_fresh_connection_is_sent_once(world: World, size: int) -> None:
    with ScriptedServer([lose_answer()]) as server:
        error = world.failure(request(server.url, "POST", b"a" * size))
        assert isinstance(error, NoAnswer)
        assert (error.was_sent, error.on_kept_connection) == (True, False)
        assert len(server.requests) == 1


@pytest.mark.parametrize("size", [0, 10, 1_000_000])
@pytest.mark.parametrize("loss", [lose_answer(), reset(), then(raw(b"HTTP/1.1 2"), close())], ids=lambda a: a.name)
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_post_whose_answer_is_lost_on_a_kept_connection_is_sent_once(
    world: World, size: int, loss: Action, is_stream: bool
) -> None:
    with ScriptedServer([answer(), loss]) as server:
        world.get(server.url)
        error = world.failure(request(server.url, "POST", b"a" * size, is_stream=is_stream))
        assert isinstance(error, NoAnswer)
        assert (error.was_sent, error.on_kept_connection) == (True, True)
        assert [each.method for each in server.requests] == ["GET", "POST"]


def test_an_early_refusal_of_a_large_body_is_an_answer(world: World) -> None:
    with ScriptedServer(answer_early(413)) as server:
        assert world.post(server.url, b"a" * 8_000_000).status_code == 413


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/é",
        "http://127.0.0.1:1/a b",
        "http://127.0.0.1:1/a\r\nb",
        "http://127.0.0.1:1/a\0b",
        "http://bücher.invalid/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "nonsense",
        "",
    ],
)
@pytest.mark.parametrize("is_stream", [False, True])
def test_what_is_no_http_url_is_refused_by_an_error_of_ours(world: World, url: str, is_stream: bool) -> None:
    error = world.failure(request(url, is_stream=is_stream))
    assert isinstance(error, NotSent | ArgumentError)
    assert not error.was_sent


def test_a_refused_url_leaves_the_transport_usable(world: World, echo_server: EchoServer) -> None:
    world.failure("http://127.0.0.1:1/é")
    assert world.get(echo_server.url).status_code == 200


def test_a_limit_may_be_ages(world: World, echo_server: EchoServer) -> None:
    ages = Limits(connect=1e12, read=1e12, attempt=1e12)
    assert world.get(f"http://localhost:{echo_server.port}/", ages).status_code == 200


def test_a_limit_may_be_no_time_at_all(world: World, blackholed_port: BlackholedPort) -> None:
    none = Limits(connect=1e-9, read=1e-9, attempt=1e-9)
    assert isinstance(world.failure(blackholed_port.url, none), ConnectTimeout)
    assert isinstance(world.failure("http://name.invalid/", none), NotSent)


def test_an_error_pickles_without_the_body(world: World) -> None:
    with ScriptedServer(close()) as server:
        error = world.failure(request(server.url, "POST", b"secret"))
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.errno, again.was_sent) == (type(error), str(error), error.errno, True)
    assert b"secret" not in pickle.dumps(error)
