"""Where this machine starts no further thread, that is said; what was begun is let go, and the next call goes as always."""

import contextlib
import threading
import time
from collections.abc import Iterator

import pytest

from callsheet import AsyncClient, Client, LocalFault
from callsheet.auth.once import Once
from callsheet.transports.asgi.blocking import ASGITransport
from tests.loops import COLOURS, run
from tests.servers import EchoServer
from tests.servers.token_giver import TokenGiver

TOO_LARGE = 1 << 47
"""Bytes: all of a process's addresses, so that no thread with such a stack can be started."""
BODY = b"a" * (2 << 20)
SIGNED = {
    "http_signature": {"key": "k" * 64, "key_id": "k", "algorithm": "hmac-sha256", "components": ["content-digest"]}
}


@contextlib.contextmanager
def no_thread() -> Iterator[None]:
    before = threading.stack_size(TOO_LARGE)
    try:
        yield
    finally:
        threading.stack_size(before)


def is_told(error: LocalFault) -> bool:
    return "no further thread" in str(error) and "ulimit -u" in str(error) and error.is_local and not error.was_sent


def test_work_in_a_thread_of_its_own() -> None:
    with no_thread(), pytest.raises(LocalFault) as caught:
        Once(lambda: 1, "anything")
    assert is_told(caught.value)


def outcomes_of(colour: str, url: str, settings: dict, ask) -> list:
    """What `ask` gives without threads, five times at most, and then with them."""

    def outcome(work):
        try:
            return work()
        except LocalFault as error:
            return error

    if colour == "blocking":
        with Client(base_url=url, **settings) as client:
            with no_thread():
                found = [outcome(lambda: ask(client)) for _ in range(5)]
            return [*found, ask(client)]

    async def main() -> list:
        async def in_time():
            try:
                return await ask(client)
            except LocalFault as error:
                return error

        async with AsyncClient(base_url=url, **settings) as client:
            with no_thread():
                found = [await in_time() for _ in range(5)]
            return [*found, await ask(client)]

    return run(main(), colour)


@pytest.mark.parametrize("colour", COLOURS)
def test_the_digest_of_a_large_body(colour: str, echo_server: EchoServer, tmp_path) -> None:
    (tmp_path / "large").write_bytes(BODY)
    settings = {"sign": SIGNED, "breaker": {"samples": 1, "window": 0.001}}
    ask = lambda client: client.post("/", content=tmp_path / "large")  # noqa: E731
    *without, last = outcomes_of(colour, echo_server.url, settings, ask)
    assert all(is_told(error) for error in without)
    assert last.status_code == 200


def test_a_token_that_a_thread_would_fetch(echo_server: EchoServer) -> None:
    with TokenGiver() as giver:
        auth = {"oauth2": {"token_url": giver.token_url, "client_id": "shop", "refresh_token": "r"}}
        began = time.monotonic()
        *without, last = outcomes_of("blocking", echo_server.url, {"auth": auth}, lambda client: client.get("/"))
    assert all(is_told(error) for error in without)
    assert last.status_code == 200
    assert time.monotonic() - began < 5.0  # nobody waits for an exchange that never began


def test_a_map_without_any(echo_server: EchoServer) -> None:
    ask = lambda client: [outcome.result().status_code for outcome in client.map("get_it", [{}] * 3)]  # noqa: E731
    with Client(base_url=echo_server.url, operations={"get_it": {"get": "/"}}) as client:
        with no_thread(), pytest.raises(LocalFault) as caught:
            ask(client)
        assert is_told(caught.value)
        assert ask(client) == [200] * 3


def test_a_map_goes_on_with_the_threads_that_it_has(echo_server: EchoServer) -> None:
    def rows():
        with contextlib.ExitStack() as scarce:
            for number in range(20):
                yield {}
                if number == 0:  # the first thread was started
                    scarce.enter_context(no_thread())

    with Client(base_url=echo_server.url, operations={"get_it": {"get": "/"}}) as client:
        assert [outcome.result().status_code for outcome in client.map("get_it", rows(), concurrency=4)] == [200] * 20


async def app(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


def test_an_app_that_is_called_by_threads() -> None:
    with ASGITransport(app) as transport, Client(base_url="http://app.test", transport=transport) as client:
        with no_thread(), pytest.raises(LocalFault) as caught:
            client.get("/")
        assert is_told(caught.value)
        assert client.get("/").status_code == 200
