"""Bytes that come on a kept connection while it is idle are nobody's answer (RFC 9112 9.2)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Semaphore

import pytest

from callsheet.errors import AttemptTimeout, NoAnswer
from callsheet.http.request import Request
from callsheet.transports.curl.hang_up import Kept, bytes_received
from tests.contract.worlds import World, request
from tests.servers import Action, Certificates, ScriptedServer, answer, response
from tests.servers.connection import Connection

POISON = {
    "an answer": response(200, body=b"nobody's"),
    "an answer that ends the connection": response(200, body=b"nobody's", keep=False),
    "a time-out": response(408, body=b"nobody's", keep=False),
    "an interim answer": b"HTTP/1.1 100 Continue\r\n\r\n",
    "half a status line": b"HTTP/1.1 2",
    "a byte": b"\n",
}
poisons = pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
TLS = pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "tls"])


class Poisoner:
    """A server that answers, and that sends more on the same connection when it is told to."""

    def __init__(self, poison: bytes, *, first: bytes = response(200, body=b"first"), ends: bool = False) -> None:
        self.poison = poison
        self.first = first
        self.ends = ends
        self._may_send = Event()
        self._is_sent = Event()

    def send(self) -> None:
        """Have the bytes sent; they have arrived when this returns, for they go over loopback."""
        self._may_send.set()
        assert self._is_sent.wait(5.0)

    @contextmanager
    def serving(self, tls: Certificates | None) -> Iterator[ScriptedServer]:
        def play(connection: Connection) -> None:
            connection.request()
            connection.send(self.first)
            assert self._may_send.wait(5.0)
            connection.send(self.poison)
            if self.ends:
                connection.close()
            self._is_sent.set()

        with ScriptedServer(
            lambda turn: Action("poison", play) if turn == 0 else answer(body=b"mine"), tls=tls and tls.good()
        ) as server:
            try:
                yield server
            finally:
                self._may_send.set()


def requests_of(url: str) -> list[Request]:
    return [
        request(url),
        request(url, "POST", b"{}"),
        request(url, "POST", b"a" * 1_000_000),
        request(url, is_stream=True),
        request(url, "POST", b"{}", is_stream=True),
    ]


def body_of(world: World, wanted: Request) -> bytes:
    answered = world.send(wanted)
    if not wanted.is_stream:
        return answered.content
    pieces = b"".join(iter(lambda: world.read(answered.stream), b""))
    answered.stream.close()
    return pieces


@TLS
@pytest.mark.parametrize("which", range(5))
@poisons
def test_bytes_on_an_idle_connection_are_not_the_next_answer(
    tls_world: World, certificates: Certificates, poison: bytes, which: int, is_tls: bool
) -> None:
    poisoner = Poisoner(poison)
    with poisoner.serving(certificates if is_tls else None) as server:
        assert tls_world.get(server.url).content == b"first"
        poisoner.send()
        wanted = requests_of(server.url)[which]
        assert body_of(tls_world, wanted) == b"mine"
        assert tls_world.get(server.url).content == b"mine"
        assert server.connections == 2
        assert [each.method for each in server.requests] == ["GET", wanted.method, "GET"]


@TLS
def test_a_time_out_and_the_end_are_not_the_next_answer(
    tls_world: World, certificates: Certificates, is_tls: bool
) -> None:
    poisoner = Poisoner(POISON["a time-out"], ends=True)
    with poisoner.serving(certificates if is_tls else None) as server:
        assert tls_world.get(server.url).content == b"first"
        poisoner.send()
        assert tls_world.post(server.url).content == b"mine"


@TLS
def test_the_poisoned_connection_is_closed_and_not_left_for_later(
    tls_world: World, certificates: Certificates, is_tls: bool
) -> None:
    poisoner = Poisoner(POISON["an answer"])
    with poisoner.serving(certificates if is_tls else None) as server:
        tls_world.get(server.url)
        poisoner.send()
        tls_world.get(server.url)
        assert server.ledger.wait(lambda: server.open_connections == 1)


def test_it_is_noticed_while_other_calls_go_on(world: World) -> None:
    poisoner = Poisoner(POISON["an answer"])
    with poisoner.serving(None) as server, ScriptedServer(answer()) as other:
        assert world.get(server.url).content == b"first"
        poisoner.send()
        for _ in range(3):
            world.get(other.url)
        assert world.post(server.url).content == b"mine"


@pytest.mark.parametrize(
    ("method", "first"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"),
        ("GET", response(204)),
        ("GET", response(304)),
        ("GET", response(200, body=b"whole")),
    ],
    ids=["HEAD", "204", "304", "more than its length"],
)
def test_a_late_body_that_does_not_belong_is_not_the_next_answer(world: World, method: str, first: bytes) -> None:
    poisoner = Poisoner(POISON["an answer"], first=first)
    with poisoner.serving(None) as server:
        world.send(request(server.url, method))
        poisoner.send()
        assert world.get(server.url).content == b"mine"


def test_many_poisoned_connections_at_once(world: World) -> None:
    gate, arrived = Event(), Semaphore(0)

    def play(connection: Connection) -> None:
        connection.request()
        assert server.wait_requests(20)
        is_first = len(server.requests) == 20
        connection.send(response(200, body=b"first" if is_first else b"mine"))
        if is_first:
            assert gate.wait(5.0)
            connection.send(POISON["an answer"])
            arrived.release()

    with ScriptedServer(Action("poison", play)) as server:
        posts = [request(server.url, "POST", b"{}") for _ in range(20)]
        assert {each.content for each in world.together(posts)} == {b"first"}  # type: ignore[union-attr]
        gate.set()
        assert all(arrived.acquire(timeout=5.0) for _ in posts)
        assert {getattr(each, "content", each) for each in world.together(posts)} == {b"mine"}
        assert len(server.requests) == 40


def together(*parts: bytes, until: Event) -> Action:
    """Send each part as a record of its own, all in one segment; then look at nothing any more."""

    def play(connection: Connection) -> None:
        connection.request()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        for part in parts:
            connection.send(part)
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
        assert until.wait(5.0)

    return Action("together", play)


def two_requests(url: str) -> list[Request]:
    return [request(url, "POST", b"{}"), request(url, "POST", b"{}", is_stream=True)]


READ_AHEAD = {
    "an answer": response(200, body=b"nobody's"),
    "an answer that ends the connection": response(200, body=b"nobody's", keep=False),
    "a time-out": response(408, body=b"nobody's", keep=False),
    "half an answer": response(200, body=b"nobody's")[:-4],
    "an endless answer": b"HTTP/1.1 200 OK\r\n\r\nnobody's",
}


@pytest.mark.parametrize("poison", READ_AHEAD.values(), ids=READ_AHEAD)
@pytest.mark.parametrize("which", range(2))
@pytest.mark.parametrize("is_stream", [False, True], ids=["after a whole one", "after a stream"])
def test_what_tls_had_read_ahead_is_not_the_next_answer(
    tls_world: World, certificates: Certificates, poison: bytes, which: int, is_stream: bool
) -> None:
    over = Event()
    script = [together(response(200, body=b"first"), poison, until=over)]
    with ScriptedServer(script, tls=certificates.good()) as server:
        assert body_of(tls_world, request(server.url, is_stream=is_stream)) == b"first"
        error = tls_world.failure(two_requests(server.url)[which])
        assert isinstance(error, NoAnswer)
        assert not isinstance(error, AttemptTimeout)
        assert error.was_sent
        assert error.on_kept_connection
        assert tls_world.post(server.url).status_code == 200
        assert server.connections == 2
        over.set()


def test_what_tls_had_read_ahead_is_noticed_although_the_service_answers_at_once(
    tls_world: World, certificates: Certificates
) -> None:
    served: set[int] = set()
    over = Event()
    over.set()

    def play(connection: Connection) -> None:
        if connection.number in served:
            connection.request()
            connection.send(response(200, body=b"mine"))
        else:
            served.add(connection.number)
            together(response(200, body=b"first"), response(200, body=b"nobody's"), until=over).play(connection)

    with ScriptedServer(Action("poison", play), tls=certificates.good()) as server:
        for number in range(1, 21):
            assert tls_world.post(server.url).content == b"first"
            error = tls_world.failure(request(server.url, "POST", b"{}"))
            assert isinstance(error, NoAnswer)
            assert server.connections == number


def test_a_status_line_of_another_version_hides_no_unasked_answer(tls_world: World, certificates: Certificates) -> None:
    over = Event()
    poison = b"HTTP/2 200\r\nContent-Length: 8\r\n\r\nnobody's"
    script = [together(response(200, body=b"first"), poison, until=over)]
    with ScriptedServer(script, tls=certificates.good()) as server:
        assert tls_world.post(server.url).content == b"first"
        assert isinstance(tls_world.failure(request(server.url, "POST", b"{}")), NoAnswer)
        over.set()


def test_an_answer_at_once_under_tls_is_taken(tls_world: World, certificates: Certificates) -> None:
    with ScriptedServer(answer(body=b"mine"), tls=certificates.good()) as server:
        assert {tls_world.post(server.url).content for _ in range(300)} == {b"mine"}
        assert server.connections == 1


def test_bytes_are_counted_without_touching_the_socket() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as ours,
        listener.accept()[0] as theirs,
    ):
        theirs.sendall(b"a" * 100)
        ours.recv(10)
        assert [bytes_received(ours.fileno()) for _ in range(3)] == [100] * 3
        theirs.sendall(b"b")
        assert bytes_received(ours.fileno()) == 101


def test_what_is_known_of_lost_connections_does_not_grow() -> None:
    kept = Kept()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for _ in range(20):
            with socket.create_connection(listener.getsockname()) as ours:
                end = ours.getsockname()
                listener.accept()[0].close()
                assert kept.lose(ours.fileno())
                assert end in kept.lost
        assert len(kept.lost) <= 2
