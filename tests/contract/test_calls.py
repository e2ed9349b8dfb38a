"""The contract as a caller meets it: how many attempts there were, what is raised, what is left open."""

from __future__ import annotations

import asyncio
import resource
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest

from callsheet import (
    AsyncClient,
    AttemptTimeout,
    Client,
    ConnectTimeout,
    DecodeError,
    NoAnswer,
    NotSent,
    ResponseTooLarge,
    TLSError,
    UsageError,
)
from tests.loops import COLOURS, run
from tests.servers import (
    Certificates,
    EchoServer,
    RefusedPort,
    ScriptedServer,
    answer,
    brotli_bomb,
    close,
    gzip_bomb,
    lose_answer,
    silence,
    truncated_gzip,
)

QUICK = {"retry": {"backoff": {"first": 0.001}}}
MIB = 1 << 20


class Caller:
    """Calls a service by a client of either colour."""

    def __init__(self, colour: str) -> None:
        self.loop = colour
        self.is_blocking = colour == "blocking"

    def request(self, server: Any, method: str = "GET", *, times: int = 1, **settings: Any) -> Any:
        """The last answer or error of some requests that one client makes, one after the other."""
        base_url = settings.pop("base_url", server.url)
        options = {name: settings.pop(name) for name in ("timeout", "content") if name in settings}
        if self.is_blocking:
            with Client(base_url=base_url, **QUICK, **settings) as client:
                return [_outcome(lambda: client.request(method, "/", **options)) for _ in range(times)][-1]

        async def ask() -> Any:
            async with AsyncClient(base_url=base_url, **QUICK, **settings) as client:
                return [await _outcome_of(client.request(method, "/", **options)) for _ in range(times)][-1]

        return run(ask(), self.loop)


def _outcome(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Exception as error:
        return error


async def _outcome_of(work: Any) -> Any:
    try:
        return await work
    except Exception as error:
        return error


@pytest.fixture(params=COLOURS)
def caller(request: pytest.FixtureRequest) -> Caller:
    return Caller(request.param)


def test_a_get_is_tried_again_and_a_post_is_not(caller: Caller) -> None:
    for method, attempts in (("GET", 3), ("POST", 1)):
        with ScriptedServer(lose_answer()) as server:
            error = caller.request(server, method)
            assert isinstance(error, NoAnswer)
            assert (error.attempts, error.was_sent, len(server.requests)) == (attempts, True, attempts)


def test_what_was_never_sent_is_tried_again_whatever_the_method(caller: Caller, refused_port: RefusedPort) -> None:
    error = caller.request(refused_port, "POST")
    assert (type(error), error.attempts, error.was_sent) == (NotSent, 3, False)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_lost_on_a_kept_connection(caller: Caller, method: str) -> None:
    with ScriptedServer([answer(), lose_answer(), answer()]) as server:
        outcome = caller.request(server, method, times=2)
        if method == "GET":
            assert (outcome.status_code, outcome.attempts, len(server.requests)) == (200, 2, 3)
        else:
            assert isinstance(outcome, NoAnswer)
            assert (outcome.attempts, len(server.requests)) == (1, 2)


def test_a_silent_server_ends_when_the_caller_said(caller: Caller) -> None:
    with ScriptedServer(silence()) as server:
        error = caller.request(server, timeout={"attempt": 0.1, "connect": 0.1, "total": 0.15})
        assert isinstance(error, AttemptTimeout | TimeoutError)
        assert server.wait_all_closed()


def test_a_connect_that_hangs_is_told_as_such(caller: Caller, blackholed_port: Any) -> None:
    error = caller.request(blackholed_port, timeout=0.2)
    assert isinstance(error, ConnectTimeout)
    assert not error.was_sent


@pytest.mark.parametrize("kind", ["expired", "not_yet_valid", "wrong_host", "untrusted", "tls_1_1"])
def test_a_tls_refusal_is_one_attempt(caller: Caller, certificates: Certificates, kind: str) -> None:
    with ScriptedServer(answer(), tls=getattr(certificates, kind)()) as server:
        error = caller.request(server, tls={"ca": str(certificates.ca_file)})
        assert (type(error), error.attempts, error.was_sent) == (TLSError, 1, False)
        assert server.connections == 1


def test_a_missing_client_certificate_is_one_attempt(caller: Caller, certificates: Certificates) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with ScriptedServer(answer(), tls=certificates.client_required(version)) as server:
            error = caller.request(server, tls={"ca": str(certificates.ca_file)})
            assert (type(error), error.attempts, server.connections) == (TLSError, 1, 1)


def test_a_trusted_service_is_called(caller: Caller, certificates: Certificates) -> None:
    with EchoServer(tls=certificates.good()) as server:
        assert caller.request(server, tls={"ca": str(certificates.ca_file)}).status_code == 200


def test_truncated_gzip_is_a_decode_error_and_not_tried_again(caller: Caller) -> None:
    with ScriptedServer(truncated_gzip(b'{"name": "Ada"}' * 100)) as server:
        error = caller.request(server)
        assert (type(error), error.attempts, len(server.requests)) == (DecodeError, 1, 1)


def held() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


class Watcher:
    """Notes the most memory that was held while it watched."""

    def __enter__(self) -> Self:
        self.before = self.most = held()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def _watch(self) -> None:
        while not self.over.wait(0.002):
            self.most = max(self.most, held())

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()
        self.most = max(self.most, held())

    @property
    def grown(self) -> int:
        return self.most - self.before


@pytest.mark.parametrize(
    "bomb", [gzip_bomb(4 << 30), gzip_bomb(1 << 30, layers=1), brotli_bomb(4 << 30)], ids=lambda each: each.name
)
def test_a_body_that_grows_to_gigabytes_is_refused_in_little_memory(caller: Caller, bomb: Any) -> None:
    with ScriptedServer(bomb) as server, Watcher() as memory:
        error = caller.request(server)
    assert isinstance(error, ResponseTooLarge)
    assert "caps.response" in str(error)
    assert memory.grown < 48 * MIB


def test_a_closed_client_is_refused(echo_server: EchoServer) -> None:
    client = Client(base_url=echo_server.url)
    client.close()
    with pytest.raises(UsageError, match="closed"):
        client.get("/")
    assert echo_server.connections == 0


def test_a_client_used_in_a_second_loop_is_refused_clearly(echo_server: EchoServer) -> None:
    client = AsyncClient(base_url=echo_server.url)
    assert asyncio.run(client.get("/")).status_code == 200
    with pytest.raises(UsageError, match="another event loop") as caught:
        asyncio.run(client.get("/"))
    assert "one AsyncClient per loop" in str(caught.value)
    asyncio.run(client.aclose())
    assert echo_server.wait_all_closed()


def test_sixteen_threads_on_one_client(echo_server: EchoServer) -> None:
    wrong: list[object] = []

    with Client(base_url=echo_server.url) as client:

        def work(number: int) -> None:
            sent = [{"id": [number, turn]} for turn in range(10)]
            wrong.extend(each for each in sent if client.post("/", json=each).json()["json"] != each)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert echo_server.wait_all_closed()


def test_a_thousand_tasks_on_one_client(echo_server: EchoServer) -> None:
    async def all_of_them() -> list[Any]:
        async with AsyncClient(base_url=echo_server.url, timeout=30) as client:
            answers = await asyncio.gather(*(client.post("/", json={"id": number}) for number in range(1000)))
            return [each.json()["json"]["id"] for each in answers]

    assert asyncio.run(all_of_them()) == list(range(1000))
    assert echo_server.connections <= 100
    assert echo_server.wait_all_closed()


def test_no_connection_outlives_a_failed_call(caller: Caller) -> None:
    with ScriptedServer([close(), answer(503), answer()]) as server:
        assert caller.request(server).status_code == 200
        assert server.wait_all_closed()
