"""Whatever a server sends, what reaches the user is a Response or an error of ours."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callsheet.call import Limits
from callsheet.errors import APIError
from callsheet.http.response import Response
from tests.contract.worlds import AsyncioWorld, BlockingWorld, World, request
from tests.servers import Action, ScriptedServer
from tests.servers.connection import Connection

SHORT = Limits(connect=2.0, read=None, attempt=2.0, fresh=True)

lines = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 204 No\r\n",
        b"HTTP/1.1 99999 X\r\n",
        b"HTTP/1.0 -1 X\r\n",
        b"HTTP/2 200\r\n",
        b"HTTP/9.9 200 OK\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: 99999999999999999999\r\n",
        b"Content-Length: 5, 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip, chunked, x\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Connection: close\r\n",
        b"Location: //\xff\r\n",
        b": no name\r\n",
        b"no colon\r\n",
        b" folded\r\n",
        b"X: \x00\x01\xff\r\n",
        b"\r\n",
        b"\n",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"fffffffffffffffff\r\n",
        b"-1\r\n",
    ]
)
answers = st.one_of(
    st.binary(max_size=200),
    st.lists(st.one_of(lines, st.binary(max_size=20)), max_size=12).map(b"".join),
    st.lists(lines, max_size=8).map(lambda some: b"HTTP/1.1 200 OK\r\n" + b"".join(some)),
)


class Sends:
    """An action whose bytes change from example to example."""

    data = b""

    def play(self, connection: Connection) -> None:
        connection.request()
        connection.send(self.data)
        connection.close()


def outcome(world: World, url: str, is_stream: bool) -> Response | APIError:
    try:
        answered = world.send(request(url, "POST", b"{}", is_stream=is_stream), SHORT)
    except APIError as error:
        return error
    if is_stream:
        try:
            while world.read(answered.stream):
                pass
        except APIError as error:
            return error
        finally:
            answered.stream.close()
    return answered


def feed_garbage(world: World, data: st.DataObject | bytes, is_stream: bool, sends: Sends, url: str) -> None:
    sends.data = data  # type: ignore[assignment]
    result = outcome(world, url, is_stream)
    assert isinstance(result, Response | APIError)
    if isinstance(result, Response):
        assert isinstance(result.status_code, int)
        list(result.headers.multi_items())
    else:
        assert result.was_sent
        str(result)


def hold_against_garbage(world: World) -> None:
    sends = Sends()
    with ScriptedServer(Action("garbage", sends.play)) as server:

        @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
        @given(answers, st.booleans())
        def run(data: bytes, is_stream: bool) -> None:
            before = len(server.requests)
            feed_garbage(world, data, is_stream, sends, server.url)
            # On a fresh connection each: the request is counted once whatever came back.
            assert len(server.requests) == before + 1

        run()
    world.end()


def test_garbage_reaches_no_thread() -> None:
    hold_against_garbage(BlockingWorld())


def test_garbage_reaches_no_task() -> None:
    hold_against_garbage(AsyncioWorld())
