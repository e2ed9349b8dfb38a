"""A handle that has served other requests sends the same bytes as a new one, and keeps the same limits."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callsheet.errors import AttemptTimeout, ResponseTooLarge
from callsheet.http.body import Content
from callsheet.http.codings import ACCEPTED
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.settings.caps import Caps
from tests.contract.worlds import LIMITS, AsyncioWorld, BlockingWorld, World, request
from tests.servers import EchoServer, ScriptedServer, answer, answer_with, silence
from tests.servers.ledger import Request as Seen


class One(NamedTuple):
    """One request of a sequence."""

    method: str
    path: str
    body: bytes | None
    headers: Headers
    is_stream: bool
    fresh: bool
    cap: int
    seconds: float


# Some Headers are the same object each time, as those of a plan are; others are only equal to earlier ones.
KNOWN_HEADERS = [Headers({"X-Known": "1"}), Headers({"X-Known": "1", "Content-Type": "text/plain"}), Headers()]
headers = st.one_of(st.sampled_from(KNOWN_HEADERS), st.builds(lambda v: Headers({"X-New": v}), st.sampled_from("ab")))
requests = st.builds(
    One,
    st.sampled_from(["GET", "GET", "POST", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
    st.sampled_from(["/", "/a", "/a?b=c", "/%2F", "/%2f", "/%c3%A9?x=%c3"]),
    st.sampled_from([None, b"", b"one", b"another"]),
    headers,
    st.booleans(),
    st.sampled_from([False, False, True]),
    st.sampled_from([1 << 20, 1 << 21]),
    st.sampled_from([3.0, 4.0]),
)


def head_of(one: One, server: EchoServer) -> list[bytes]:
    """The lines of the head that this request ought to have, in no order."""
    fields = list(one.headers.multi_items())
    names = {name.lower() for name, _ in fields}
    fields += [("Host", f"{server.host}:{server.port}"), ("Accept", "*/*"), ("Accept-Encoding", ACCEPTED)]
    body = one.body if one.body is not None else b"" if one.method in ("POST", "PUT", "PATCH") else None
    if body is not None:
        fields.append(("Content-Length", str(len(body))))
    assert "accept" not in names
    lines = [f"{one.method} {one.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
    return sorted(line.encode() for line in lines)


def send_one(world: World, server: EchoServer, one: One) -> Seen:
    body = None if one.body is None else Content(one.body)
    wanted = Request(one.method, server.url + one.path, one.headers, body, is_stream=one.is_stream)
    limits = LIMITS._replace(fresh=one.fresh, caps=Caps(response=one.cap), attempt=one.seconds)
    answered = world.send(wanted, limits)
    assert answered.status_code == 200
    if one.is_stream:
        while world.read(answered.stream):
            pass
        answered.stream.close()
    else:
        assert answered.json()["target"] == one.path
    return server.requests[-1]


def check_sequences(world: World) -> None:
    with EchoServer() as server:

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(requests, min_size=2, max_size=6))
        def run(sequence: list[One]) -> None:
            for one in sequence:
                seen = send_one(world, server, one)
                assert sorted(seen.head.rstrip(b"\r\n").split(b"\r\n")) == head_of(one, server)
                assert seen.body == (one.body or b"")

        run()
    world.end()


def test_any_sequence_of_requests_of_a_thread() -> None:
    check_sequences(BlockingWorld())


def test_any_sequence_of_requests_of_a_task() -> None:
    check_sequences(AsyncioWorld())


def test_each_request_has_its_own_limits(world: World) -> None:
    def choose(wanted: Seen):
        return silence() if wanted.target == "/silence" else answer(body=b"a" * int(wanted.target[1:]))

    with ScriptedServer(answer_with(choose)) as server:
        assert world.get(f"{server.url}/5000").status_code == 200
        small = LIMITS._replace(caps=Caps(response=100))
        assert isinstance(world.failure(f"{server.url}/5000", small), ResponseTooLarge)
        assert world.get(f"{server.url}/90", small).status_code == 200
        assert world.get(f"{server.url}/5000").status_code == 200
        hurried = LIMITS._replace(attempt=0.1)
        assert isinstance(world.failure(f"{server.url}/silence", hurried), AttemptTimeout)
        assert world.get(f"{server.url}/5000", hurried._replace(attempt=3.0)).status_code == 200


def test_a_secret_of_one_request_is_not_in_the_next(world: World) -> None:
    with EchoServer() as server:
        world.send(request(server.url, Authorization="Bearer x"))
        world.send(request(server.url))
        assert server.requests[-1].header("Authorization") is None
