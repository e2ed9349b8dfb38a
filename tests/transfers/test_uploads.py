"""What is sent when a body is read as it is sent, and when it is sent again."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from callsheet import (
    ArgumentError,
    AsyncClient,
    HTTPError,
    NoAnswer,
    NotSent,
    RateLimited,
    ServerError,
    UsageError,
)
from tests.servers import (
    HttpbinServer,
    RefusedPort,
    ScriptedServer,
    answer,
    answer_early,
    lose_answer,
    silence,
)
from tests.transfers.conftest import Caller

BLOCK = bytes(range(256)) * 256


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.bin"
    path.write_bytes(os.urandom(1_000_000))
    return path


def digests(server: ScriptedServer) -> list[str]:
    """Of each request's whole body."""
    assert all(each.complete for each in server.requests)
    return [hashlib.sha256(each.body).hexdigest() for each in server.requests]


def is_open(path: Path) -> bool:
    links = (each.readlink() for each in Path("/proc/self/fd").iterdir() if each.is_symlink())
    return path in [*_existing(links)]


def _existing(links: Iterator[Path]) -> Iterator[Path]:
    while True:
        try:
            yield next(links)
        except StopIteration:
            return
        except OSError:  # the folder's own descriptor
            continue


def test_a_file_is_sent_again_from_its_start(caller: Caller, path: Path) -> None:
    with ScriptedServer([answer(503), answer(503), answer()]) as server:
        answered = caller.request(server.url, "PUT", content=path)
        assert (answered.status_code, answered.attempts) == (200, 3)
        assert digests(server) == [hashlib.sha256(path.read_bytes()).hexdigest()] * 3
    assert not is_open(path)


def test_a_file_object_is_sent_again_from_where_it_stood(caller: Caller, path: Path) -> None:
    with path.open("rb") as file, ScriptedServer([answer(503), answer()]) as server:
        file.seek(1000)
        answered = caller.request(server.url, "PUT", content=file)
        assert (answered.status_code, answered.attempts) == (200, 2)
        assert digests(server) == [hashlib.sha256(path.read_bytes()[1000:]).hexdigest()] * 2
        assert not file.closed


def test_files_and_fields_are_sent_again_as_they_were(caller: Caller, path: Path) -> None:
    with ScriptedServer([answer(429, {"Retry-After": "0"}), answer()]) as server:
        answered = caller.request(server.url, "POST", files={"a": path, "b": b"abc"}, data={"c": "d"})
        assert (answered.status_code, answered.attempts) == (200, 2)
        first, second = digests(server)
        assert first == second
        assert server.requests[0].header("Content-Type") == server.requests[1].header("Content-Type")
        assert server.requests[0].header("Content-Length") == str(server.requests[0].body_size)


@pytest.mark.parametrize(("status", "kind"), [(503, ServerError), (429, RateLimited)])
def test_an_iterator_is_never_sent_again(caller: Caller, status: int, kind: type) -> None:
    with ScriptedServer(answer(status, {"Retry-After": "0"})) as server:
        error = caller.request(server.url, "PUT", content=iter([b"ab", b"c"]))
        assert isinstance(error, kind)
        assert (error.attempts, error.stopped_by) == (1, "body")
        assert [(each.body, each.complete) for each in server.requests] == [(b"abc", True)]


def test_an_iterator_that_nobody_took_from_is_not_used_up(caller: Caller, refused_port: RefusedPort) -> None:
    once = iter([b"ab", b"c"])
    error = caller.request(refused_port.url, "POST", content=once)
    assert isinstance(error, NotSent)
    assert (error.attempts, error.stopped_by, next(once)) == (3, None, b"ab")


def test_an_iterator_inside_a_multipart_body_is_never_sent_again(caller: Caller, path: Path) -> None:
    with ScriptedServer(answer(503)) as server:
        error = caller.request(server.url, "PUT", files={"a": path, "b": ("b.txt", iter([b"abc"]))})
        assert (error.attempts, error.stopped_by) == (1, "body")
        assert len(server.requests) == 1


def test_a_post_of_a_file_is_not_repeated_where_it_might_count_twice(caller: Caller, path: Path) -> None:
    with ScriptedServer([answer(503), answer()]) as server:
        assert isinstance(caller.request(server.url, "POST", content=path), ServerError)
        assert len(server.requests) == 1
    with ScriptedServer([answer(503), answer()]) as server:
        answered = caller.request(server.url, "POST", content=path, idempotency_key="a")
        assert (answered.attempts, len(set(digests(server)))) == (2, 1)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_answer_lost_on_a_kept_connection(caller: Caller, path: Path, method: str) -> None:
    with ScriptedServer([answer(), lose_answer(), answer()]) as server:
        first, second = caller.requests(server.url, [("GET", "/", {}), (method, "/", {"content": path})])
        assert first.status_code == 200
        if method == "PUT":
            assert (second.status_code, second.attempts, len(server.requests)) == (200, 2, 3)
            assert server.requests[1].body == server.requests[2].body == path.read_bytes()
        else:
            assert isinstance(second, NoAnswer)
            assert (second.attempts, second.was_sent, len(server.requests)) == (1, True, 2)


def test_what_a_generator_raises_is_the_callers_own(caller: Caller) -> None:
    def failing() -> Iterator[bytes]:
        yield BLOCK
        raise ZeroDivisionError("mine")

    with ScriptedServer() as server:
        error = caller.request(server.url, "PUT", content=failing())
        assert isinstance(error, ZeroDivisionError)
        assert server.wait_closed()
        assert [each.complete for each in server.requests] == [False]


def test_a_file_that_shrinks_is_told_and_not_sent_again(caller: Caller, path: Path) -> None:
    class Shrinking(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(size) if self.tell() < 500_000 else b""

    with ScriptedServer() as server:
        error = caller.request(server.url, "PUT", content=Shrinking(path.read_bytes()))
        assert isinstance(error, ArgumentError)
        assert (error.attempts, error.was_sent) == (1, True)
        assert "shorter while it was sent" in str(error)
        assert server.wait_closed()
        assert not any(each.complete for each in server.requests)


def test_an_early_refusal_is_the_outcome(caller: Caller, path: Path) -> None:
    with ScriptedServer(answer_early(413)) as server:
        error = caller.request(server.url, "PUT", content=iter([path.read_bytes()] * 64))
        assert isinstance(error, HTTPError)
        assert (error.status_code, error.attempts) == (413, 1)
        assert server.wait_closed()


def test_a_redirect_takes_the_file_along(caller: Caller, path: Path) -> None:
    moved = answer(307, {"Location": "/there"})
    with ScriptedServer([moved, answer()]) as server:
        wanted: list[Any] = [("POST", "/", {"content": path})]
        (answered,) = caller.requests(server.url, wanted, redirects="same-origin")
        assert answered.status_code == 200
        assert [each.target for each in server.requests] == ["/", "/there"]
        assert len(set(digests(server))) == 1


def test_a_redirect_does_not_take_an_iterator_along(caller: Caller) -> None:
    with ScriptedServer(answer(308, {"Location": "/there"})) as server:
        wanted: list[Any] = [("POST", "/", {"content": iter([b"abc"]), "raise_for_status": False})]
        (answered,) = caller.requests(server.url, wanted, redirects="same-origin")
        assert answered.status_code == 308
        assert [each.body for each in server.requests] == [b"abc"]


def test_a_see_other_is_followed_without_the_body(caller: Caller, path: Path) -> None:
    with ScriptedServer([answer(303, {"Location": "/there"}), answer()]) as server:
        wanted: list[Any] = [("POST", "/", {"content": path})]
        (answered,) = caller.requests(server.url, wanted, redirects="same-origin")
        assert answered.status_code == 200
        assert [(each.method, each.body_size) for each in server.requests] == [("POST", 1_000_000), ("GET", 0)]
        assert server.requests[1].header("Transfer-Encoding") is None


def test_a_body_is_compressed_on_its_way(caller: Caller, path: Path) -> None:
    with ScriptedServer([answer(503), answer()]) as server:
        wanted: list[Any] = [("PUT", "/", {"content": path})]
        (answered,) = caller.requests(server.url, wanted, compress="gzip")
        assert answered.attempts == 2
        for each in server.requests:
            assert each.header("Content-Encoding") == "gzip"
            assert gzip.decompress(each.body) == path.read_bytes()


async def slowly(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        await asyncio.sleep(0)
        yield piece


def test_an_async_iterator_is_sent_by_the_async_client_only(caller: Caller) -> None:
    with ScriptedServer() as server:
        outcome = caller.request(server.url, "PUT", content=slowly(b"ab", b"c"))
        if caller.is_blocking:
            assert isinstance(outcome, UsageError)
            assert (outcome.was_sent, server.requests) == (False, [])
        else:
            assert server.requests[0].body == b"abc"


def test_an_async_iterator_is_never_sent_again() -> None:
    with ScriptedServer(answer(503)) as server:
        error = Caller("asyncio").request(server.url, "PUT", content=slowly(b"ab", b"c"))
        assert isinstance(error, ServerError)
        assert (error.attempts, error.stopped_by) == (1, "body")
        assert [each.body for each in server.requests] == [b"abc"]


def test_cancelled_in_the_middle_nothing_stays_open(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(BLOCK)

    async def go(url: str) -> None:
        async with AsyncClient(base_url=url) as client:
            task = asyncio.create_task(client.put("/", content=path))
            assert await asyncio.to_thread(server.wait_requests, 1)
            assert is_open(path)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not is_open(path)

    with ScriptedServer(silence()) as server:
        asyncio.run(go(server.url))
        assert server.wait_closed()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_httpbin_sees_every_kind_of_body(
    caller: Caller, httpbin_server: HttpbinServer, path: Path, method: str
) -> None:
    text = "äöü\n" * 1000
    path.write_text(text)

    def seen(**options: Any) -> Any:
        return caller.request(httpbin_server.url, method, f"/{method.lower()}", **options).json()

    assert seen(json={"name": "Ada"})["json"] == {"name": "Ada"}
    assert seen(data={"a": ["1", "2"], "b": "&="})["form"] == {"a": ["1", "2"], "b": "&="}
    assert seen(content=text)["data"] == text
    assert seen(content=path)["data"] == text
    assert seen(content=io.BytesIO(text.encode()))["data"] == text
    several = seen(files={"one": path, "two": ("2.txt", b"abc", "text/plain")}, data={"c": "d"})
    assert (several["files"], several["form"]) == ({"one": text, "two": "abc"}, {"c": "d"})
